package scenes

import (
	"reflect"
	"strings"
	"testing"
)

// watching is the bench's study with a scene card that it watches.
func watching(t testing.TB) string {
	return studyBench(t) + `
  - {id: 3, task: warm-seat, vehicles: 60, events: [other/other fired ok first parked]}
  - {id: 4, task: warm-seat, vehicles: 50, events: [other/other fired ok first parked, other/other undone ok <15s <8]}
cards:
  - {id: 9, card: warm-seat, title: {en: The warm seat, zh: 暖座}}
`
}

func TestWatchedCards(t *testing.T) {
	s, err := ParseStudy("study.yaml", []byte(watching(t)))
	if err != nil {
		t.Fatal(err)
	}
	if k := s.Tasks[1]; len(s.Tasks) != 2 || k.ID != 9 || k.Card != "warm-seat" || k.Name != "warm-seat" || k.Title["zh"] != "暖座" {
		t.Errorf("tasks %+v", s.Tasks)
	}
	want := []StudyEvent{{Screen: Other, Elem: Other, Gesture: Fired, Speed: 1, Out: 2}, {Screen: Other, Elem: Other, Gesture: Undone, DT: 5, Speed: 2, Out: 2}}
	if got := s.Dictionary[3]; got.Task != 9 || !reflect.DeepEqual(got.Events, want) {
		t.Errorf("sequence %+v", got)
	}
	if Gestures[Fired] != "fired" || Gestures[Undone] != "undone" {
		t.Errorf("gestures %v", Gestures)
	}
	if w := s.Warnings(); len(w) != 0 {
		t.Errorf("warnings %v", w)
	}
}

// TestStudyOfCardsAlone asks about a card and about no screen.
func TestStudyOfCardsAlone(t *testing.T) {
	text := watching(t)
	head, _, _ := strings.Cut(text, "screens:")
	_, rest, _ := strings.Cut(text, "  - {id: 3, task")
	s, err := ParseStudy("study.yaml", []byte(head+"dictionary:\n  - {id: 3, task"+rest))
	if err != nil || len(s.Tasks) != 1 || s.Tasks[0].Card != "warm-seat" {
		t.Errorf("%+v, %v", s, err)
	}
	_, err = ParseStudy("study.yaml", []byte(head))
	if want := "study.yaml:2:5: the study has nothing to record; add `tasks`, `cards` or `feedback`"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestRefusedWatchedCards(t *testing.T) {
	good := watching(t)
	for _, c := range []struct{ name, old, new, want string }{
		{"no id of a card", "card: warm-seat", "card: warm_seat", "study.yaml:33:19: `card`: `warm_seat` is not an id: lower-case letters, digits and hyphens"},
		{"id of a task", "{id: 9, card", "{id: 1, card", "study.yaml:33:5: task id 1 is already used at line 25; give each its own"},
		{"name of a task", "card: warm-seat", "card: heat", "study.yaml:33:5: task `heat` is given twice; keep one"},
		{"no title", ", title: {en: The warm seat, zh: 暖座}", "", "study.yaml:33:5: a watched card has no `title`; add it"},
		{"a card with a start", "card: warm-seat,", "card: warm-seat, start: home/tile,", "study.yaml:33:30: unknown key `start` in a watched card"},
		{"a card is touched", "[other/other fired ok first parked]", "[home/tile tap ok first parked]", "study.yaml:30:53: a watched card's sequence is `other/other fired …`, and then `other/other undone …` or nothing; correct `home/tile tap ok first parked`"},
		{"a card fires somewhere", "[other/other fired ok first parked]", "[home/tile fired ok first parked]", "study.yaml:30:53: a watched card's sequence is"},
		{"undone first", "[other/other fired ok first parked]", "[other/other undone ok first parked]", "study.yaml:30:53: a watched card's sequence is"},
		{"fired twice", "other/other undone ok <15s <8", "other/other fired ok <15s <8", "study.yaml:31:88: a watched card's sequence is"},
		{"undone twice", "other/other undone ok <15s <8", "other/other undone ok <15s <8, other/other undone ok <1s <8", "study.yaml:31:119: a watched card's sequence is"},
		{"a touch that fires", "home/tile tap ok first parked", "home/tile fired ok first parked", "study.yaml:27:48: only a watched card has the gesture `fired`; name one as the sequence's task"},
		{"a touch that undoes", "climate/seat tap ok <2s parked", "climate/seat undone ok <2s parked", "study.yaml:27:79: only a watched card has the gesture `undone`"},
	} {
		t.Run(c.name, func(t *testing.T) {
			bad := strings.Replace(good, c.old, c.new, 1)
			if bad == good {
				t.Fatalf("%q is not in the study", c.old)
			}
			_, err := ParseStudy("study.yaml", []byte(bad))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v\nwant %s", err, c.want)
			}
		})
	}
}

// TestRegretMustBeTellable warns of a dictionary that would only show one of the
// two ends of a card's attempt.
func TestRegretMustBeTellable(t *testing.T) {
	good := watching(t)
	for id, want := range map[string]string{"3": "study.yaml:32:10: the dictionary has no sequence in which card `warm-seat` is left alone, so regret of it cannot be told",
		"4": "study.yaml:32:10: the dictionary has no sequence in which card `warm-seat` is undone, so regret of it cannot be told"} {
		var lines []string
		for line := range strings.Lines(good) {
			if !strings.HasPrefix(line, "  - {id: "+id+", task") {
				lines = append(lines, line)
			}
		}
		s, err := ParseStudy("study.yaml", []byte(strings.Join(lines, "")))
		if err != nil {
			t.Fatal(err)
		}
		if w := s.Warnings(); len(w) != 1 || !strings.HasSuffix(w[0].String(), want[strings.Index(want, "the dictionary"):]) {
			t.Errorf("warnings %v, want %s", w, want)
		}
	}
}
