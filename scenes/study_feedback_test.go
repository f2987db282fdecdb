package scenes

import (
	"reflect"
	"strings"
	"testing"
)

// asking is the watched study with feedback on its card, a screen and an element.
func asking(t testing.TB) string {
	return strings.Replace(watching(t), "cards:\n", `  - {id: 5, task: seat_opinion, vehicles: 50, events: [other/other choice_1 ok first parked]}
  - {id: 6, task: seat_opinion, vehicles: 50, events: [other/other choice_6 ok first parked]}
  - {id: 7, task: screen_opinion, vehicles: 50, events: [climate/other choice_1 ok first parked]}
  - {id: 8, task: screen_opinion, vehicles: 50, events: [climate/other choice_2 ok first parked]}
  - {id: 9, task: tile_opinion, vehicles: 50, events: [home/tile choice_1 ok first parked]}
  - {id: 10, task: tile_opinion, vehicles: 50, events: [home/tile choice_2 ok first parked]}
feedback:
  - {id: 20, name: seat_opinion, card: warm-seat, ask: {en: Warm, zh: 暖}, choices: [{id: 1, name: good, text: {en: Good, zh: 好}}, {id: 6, name: too_warm, text: {en: Hot, zh: 热}}]}
  - {id: 21, name: screen_opinion, at: climate, ask: {en: Screen, zh: 屏}, choices: [{id: 1, name: good, text: {en: Good, zh: 好}}, {id: 2, name: bad, text: {en: Bad, zh: 坏}}]}
  - {id: 22, name: tile_opinion, at: home/tile, ask: {en: Tile, zh: 块}, choices: [{id: 1, name: good, text: {en: Good, zh: 好}}, {id: 2, name: bad, text: {en: Bad, zh: 坏}}]}
cards:
`, 1)
}

func TestFeedbackIsRead(t *testing.T) {
	s, err := ParseStudy("study.yaml", []byte(asking(t)))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]struct {
		kind, about string
		event       StudyEvent
	}{
		"seat_opinion":   {"card", "warm-seat", StudyEvent{Screen: Other, Elem: Other, Gesture: 18, Speed: 1, Out: 2}},
		"screen_opinion": {"screen", "climate", StudyEvent{Screen: 3, Elem: Other, Gesture: 14, Speed: 1, Out: 2}},
		"tile_opinion":   {"element", "home/tile", StudyEvent{Screen: 2, Elem: 2, Gesture: 14, Speed: 1, Out: 2}},
	} {
		for i := range s.Tasks {
			k := &s.Tasks[i]
			if k.Name != name {
				continue
			}
			kind, about := k.About()
			if kind != want.kind || about != want.about || len(k.Choices) != 2 || k.Choice("good").ID != 1 || k.Choice("fine") != nil {
				t.Errorf("%s is about %s %s: %+v", name, kind, about, k.Choices)
			}
			last := StudyEvent{}
			for _, q := range s.Dictionary {
				if q.Task == k.ID {
					last = q.Events[0]
				}
			}
			if !reflect.DeepEqual(last, want.event) {
				t.Errorf("%s: %+v, want %+v", name, last, want.event)
			}
		}
	}
	if len(Gestures) != Chosen+MaxChoices || Gestures[Chosen] != "choice_1" || s.Warnings() != nil || len(s.Tasks) != 5 {
		t.Errorf("%v, %v, %d tasks", Gestures, s.Warnings(), len(s.Tasks))
	}
}

func TestRefusedFeedback(t *testing.T) {
	good := asking(t)
	for _, c := range []struct{ name, old, new, want string }{
		{"about nothing", "at: climate, ", "", "feedback `screen_opinion` is about one thing; give it either `card` or `at`"},
		{"about two things", "at: climate, ", "at: climate, card: warm-seat, ", "feedback `screen_opinion` is about one thing"},
		{"a card that is not watched", "card: warm-seat, ask", "card: cold-seat, ask", "study.yaml:39:40: the study watches no card `cold-seat`; add it to `cards`"},
		{"no screen", "at: climate, ask", "at: clima, ask", "study.yaml:40:40: the study has no screen `clima`; did you mean `climate`?"},
		{"no element", "at: home/tile, ask", "at: home/till, ask", "screen `home` has no element `till`; did you mean `tile`?"},
		{"id of a task", "id: 20, name", "id: 1, name", "task id 1 is already used at line 25; give each its own"},
		{"name of a task", "name: tile_opinion, at", "name: heat, at", "task `heat` is given twice; keep one"},
		{"free text", "ask: {en: Tile", "free: true, ask: {en: Tile", "unknown key `free` in a feedback"},
		{"one choice", ", {id: 6, name: too_warm, text: {en: Hot, zh: 热}}", "", "`choices`: has one entry; a question has two answers at least"},
		{"seven choices", "id: 6, name: too_warm", "id: 7, name: too_warm", "`id`: `7` is not a whole number from 1 to 6"},
		{"choice id twice", "id: 6, name: too_warm", "id: 1, name: too_warm", "choice id 1 is already used at line 39; give each its own"},
		{"choice twice", "name: too_warm, text", "name: good, text", "choice `good` is given twice; keep one"},
		{"no Chinese", "{en: Hot, zh: 热}", "{en: Hot}", "`text` has no Chinese text; add `zh`"},
		{"fewer than k", "{id: 6, task: seat_opinion, vehicles: 50", "{id: 6, task: seat_opinion, vehicles: 49", "sequence 6 was seen in 49 vehicles, fewer than k = 50; take it out"},
		{"offered and never released", "  - {id: 6, task: seat_opinion, vehicles: 50, events: [other/other choice_6 ok first parked]}\n", "", "the dictionary has no sequence of `seat_opinion`'s choice `too_warm`, so it would be offered and never leave the car"},
		{"a choice that there is not", "other/other choice_6", "other/other choice_5", "study.yaml:33:56: a feedback's sequence is one of its choices, such as `other/other choice_1 ok first parked`; correct `other/other choice_5 ok first parked`"},
		{"chosen while driving", "other/other choice_6 ok first parked", "other/other choice_6 ok first <30", "a feedback's sequence is one of its choices"},
		{"chosen elsewhere", "other/other choice_6", "home/tile choice_6", "a feedback's sequence is one of its choices"},
		{"chosen twice", "[other/other choice_6 ok first parked]", "[other/other choice_6 ok first parked, other/other choice_1 ok <1s parked]", "a feedback's sequence is one of its choices"},
		{"a touch", "other/other choice_6 ok", "other/other tap ok", "a feedback's sequence is one of its choices"},
		{"a touch that chooses", "home/tile tap ok first <30", "home/tile choice_1 ok first <30", "only a feedback has the gesture `choice_1`; name one as the sequence's task"},
		{"a card that chooses", "other/other fired ok first parked", "other/other choice_1 ok first parked", "only a feedback has the gesture `choice_1`"},
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

// TestPanelAsks: a panel makes the dictionary of choices too, so it needs none.
func TestPanelAsks(t *testing.T) {
	head, _, _ := strings.Cut(asking(t), "dictionary:")
	_, rest, _ := strings.Cut(asking(t), "feedback:")
	text := strings.Replace(head+"feedback:"+rest, "mode: fleet", "mode: panel", 1)
	if s, err := ParseStudy("study.yaml", []byte(text)); err != nil || len(s.Tasks) != 5 {
		t.Errorf("%v", err)
	}
}

func TestAnsweredFeedback(t *testing.T) {
	parse := func(feedback string) (*Answer, error) {
		return ParseAnswer("answer.yaml", []byte(strings.Replace(answerBench(t), "versions: [2, 3]}", "versions: [2, 3]"+feedback+"}", 1)))
	}
	a, err := parse(", feedback: [{name: seat_opinion, choices: [too_warm, good]}, {name: screen_opinion}]")
	if err != nil {
		t.Fatal(err)
	}
	for of, want := range map[[2]string]bool{{"seat_opinion", "too_warm"}: true, {"seat_opinion", "bad"}: false, {"screen_opinion", "bad"}: true, {"tile_opinion", "good"}: false} {
		if a.AnswersFeedback(of[0], of[1]) != want {
			t.Errorf("it answers %v: %v", of, !want)
		}
	}
	if a, err := parse(""); err != nil || a.AnswersFeedback("seat_opinion", "good") {
		t.Errorf("an answer to the study as a whole: %v", err)
	}
	for text, want := range map[string]string{
		", feedback: []":                                 "`feedback` is empty; give at least one entry",
		", feedback: [{choices: [good]}]":                "a feedback that is answered has no `name`; add it",
		", feedback: [{name: seat_opinion, text: said}]": "unknown key `text` in a feedback that is answered",
	} {
		if _, err := parse(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}
