package scenes

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"vignette/scenes/sign"
)

func studyBench(t testing.TB) string { return read(t, "study.yaml") }

func TestStudyIsRead(t *testing.T) {
	s, err := ParseStudy("study.yaml", []byte(studyBench(t)))
	if err != nil {
		t.Fatal(err)
	}
	day := func(m time.Month, d int) time.Time { return time.Date(2026, m, d, 0, 0, 0, 0, time.UTC) }
	if s.ID != "seat-heat" || s.Version != 3 || s.K != 50 || s.Panel || s.Signed || !s.From.Equal(day(3, 1)) || !s.Until.Equal(day(5, 1)) {
		t.Errorf("%+v", s)
	}
	if k := s.Tasks[0]; k.Start.Element != 2 || k.End.Screen != 3 || k.End.Element != 10 || !reflect.DeepEqual(k.Screens, []int{3}) {
		t.Errorf("task %+v", k)
	}
	want := []StudyEvent{{Screen: 2, Elem: 2, Gesture: 2, DT: 0, Speed: 3, Out: 2}, {Screen: 3, Elem: Other, Gesture: 2, DT: 5, Speed: 3, Out: 3}}
	if got := s.Dictionary[1]; !reflect.DeepEqual(got.Events, want) || got.ID != 2 || got.Task != 1 {
		t.Errorf("sequence %+v", got)
	}
	if e := s.Screens[1].Elements[1]; !e.Keyboard || !e.Personal || !e.Expires.Equal(day(6, 30)) {
		t.Errorf("element %+v", e)
	}
	if a, b := s.Names(3, 10); a != "climate" || b != "seat" {
		t.Errorf("names %s/%s", a, b)
	}
	if a, b := s.Names(9, Other); a != "?" || b != "other" {
		t.Errorf("names %s/%s", a, b)
	}
}

func TestCohortsBelowAThousandAreNotTold(t *testing.T) {
	s, err := ParseStudy("study.yaml", []byte(strings.Replace(studyBench(t), "tall, vehicles: 1000", "tall, vehicles: 999", 1)))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		build, market, display string
		want                   int
	}{{"5.2", "eu", "wide", 7}, {"5.2", "eu", "tall", 0}, {"5.3", "eu", "wide", 0}, {"", "", "", 0}} {
		if got := s.Cohort(c.build, c.market, c.display); got != c.want {
			t.Errorf("%+v is cohort %d", c, got)
		}
	}
	if w := s.Warnings(); len(w) != 1 || !strings.Contains(w[0].String(), "study.yaml:13:10: cohort 8 has 999 vehicles") {
		t.Errorf("warnings %v", w)
	}
}

// refusedStudies are changes to testdata/study.yaml and what they are refused with.
var refusedStudies = []struct{ name, old, new, want string }{
	{"unknown key", "purpose: {en: A", "porpose: {en: A", "study.yaml:6:1: unknown key `porpose` in the study card; did you mean `purpose`?"},
	{"version zero", "version: 3", "version: 0", "study.yaml:3:10: `version`: `0` is not a whole number from 1 to 65535"},
	{"version of three numbers", "version: 3", "version: 1.0.0", "study.yaml:3:10: `version`: a number is wanted here; found the text `1.0.0`"},
	{"no Chinese", "{en: Seat heating, zh: 座椅加热}", "{en: Seat heating}", "study.yaml:4:8: `title` has no Chinese text; add `zh`"},
	{"no English", "{en: Seat heating, zh: 座椅加热}", "{zh: 座椅加热}", "study.yaml:4:8: `title` has no English text; add `en`"},
	{"no date", "2026-04-30", "2026-04-31", "study.yaml:8:8: `until`: `2026-04-31` is no day of the calendar; correct it"},
	{"date with time", "2026-04-30", "2026-04-30T10:00:00Z", "study.yaml:8:8: `until`: `2026-04-30T10:00:00Z` is not a date, such as 2026-03-31"},
	{"ends before it begins", "2026-04-30", "2026-02-28", "study.yaml:8:8: `until` is before `from`; correct one of them"},
	{"too long", "2026-04-30", "2027-04-30", "study.yaml:8:8: `until` is more than a year after `from`; ask again with another study instead"},
	{"mode", "mode: fleet", "mode: flet", "study.yaml:9:7: `mode`: `flet` is not one of `fleet` and `panel`; did you mean `fleet`?"},
	{"small k", "k: 50", "k: 4", "study.yaml:10:4: `k`: `4` is not a whole number from 5 to 2147483647"},
	{"cohort twice", "id: 8", "id: 7", "study.yaml:13:5: cohort id 7 is already used at line 12; give each its own"},
	{"same cohort", "tall", "wide", "study.yaml:13:5: cohorts 7 and 8 are the same build, market and display; keep one"},
	{"the id of other", "id: 10", "id: 1", "study.yaml:22:14: `id`: `1` is not a whole number from 2 to 65535"},
	{"element id twice", "id: 11", "id: 2", "study.yaml:23:14: element id 2 is already used at line 18; give each its own"},
	{"element twice", "name: keys", "name: seat", "study.yaml:23:14: element `seat` is given twice on screen `climate`; keep one"},
	{"screen id twice", "id: 3\n    name", "id: 2\n    name", "study.yaml:19:5: screen id 2 is already used at line 15; give each its own"},
	{"named other", "name: keys", "name: other", "study.yaml:23:24: `name`: `other` is what is not registered; choose another name"},
	{"a person's words as name", "name: keys", "name: Keys!", "study.yaml:23:24: `name`: `Keys!` is not a name: lower-case letters, digits and _, at most 64, beginning with a letter"},
	{"SOS", "sensitivity: personal", "sensitivity: sos", "study.yaml:23:72: `sensitivity`: `sos`: SOS, medical, adult and PIN elements are never recorded; take the element out"},
	{"PIN", "sensitivity: personal", "sensitivity: pin", "study.yaml:23:72: `sensitivity`: `pin`: SOS, medical, adult and PIN elements are never recorded; take the element out"},
	{"sensitivity", "sensitivity: personal", "sensitivity: secret", "study.yaml:23:72: `sensitivity`: `secret` is not one of `ordinary` and `personal`"},
	{"no expiry", ", expires: 2026-06-30, kind", ", kind", "study.yaml:23:9: an element has no `expires`; add it"},
	{"start", "start: home/tile", "start: home/tiel", "study.yaml:25:59: screen `home` has no element `tiel`; did you mean `tile`?"},
	{"start of no screen", "start: home/tile", "start: hoem/tile", "study.yaml:25:59: the study has no screen `hoem`; did you mean `home`?"},
	{"start without a screen", "start: home/tile", "start: tile", "study.yaml:25:59: `tile` is no element; write SCREEN/ELEMENT, such as climate/fan"},
	{"screens", "screens: [climate]", "screens: [clima]", "study.yaml:25:99: the study has no screen `clima`; did you mean `climate`?"},
	{"fewer than k", "vehicles: 50,", "vehicles: 49,", "study.yaml:27:10: sequence 1 was seen in 49 vehicles, fewer than k = 50; take it out"},
	{"no task", "id: 2, task: heat", "id: 2, task: hat", "study.yaml:28:19: the study has no task `hat`; did you mean `heat`?"},
	{"no event", "climate/seat tap ok <2s parked", "climate/seat tap ok <2s", "study.yaml:27:79: `climate/seat tap ok <2s` is no event; write SCREEN/ELEMENT GESTURE OUTCOME GAP SPEED, such as `climate/fan tap ok <2s parked`"},
	{"gesture", "seat tap ok", "seat tab ok", "study.yaml:27:79: no gesture is called `tab`; did you mean `tap`?"},
	{"outcome", "seat tap ok", "seat tap fine", "study.yaml:27:79: no outcome is called `fine`; known are other, ok, noop, back, error, blocked"},
	{"gap", "<2s parked", "<3s parked", "study.yaml:27:79: no gap is called `<3s`"},
	{"speed", "<2s parked", "<2s fast", "study.yaml:27:79: no speed is called `fast`; known are unknown, parked, <8, <30, <60, <100, >=100"},
	{"second first", "<2s parked", "first parked", "study.yaml:27:79: the first event of a sequence has the gap `first`, and no other has; correct `first`"},
	{"sequence twice", "tile tap ok first <30, climate/other tap noop <15s <30", "tile tap ok first parked, climate/seat tap ok <2s parked", "study.yaml:28:10: sequences 1 and 2 are the same; keep one"},
	{"a panel with a dictionary", "mode: fleet", "mode: panel", "study.yaml:2:5: a panel makes a dictionary, it has none; leave `dictionary` out, or write `mode: fleet`"},
	{"nine events", "home/tile tap ok first <30, ", "home/tile tap ok first <30, " + strings.Repeat("climate/seat tap ok <1s <30, ", 7), "study.yaml:28:48: `events`: has 9 entries, at most 8 are read; split the study"},
}

func TestRefusedStudies(t *testing.T) {
	good := studyBench(t)
	for _, c := range refusedStudies {
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

func TestStudyWarnings(t *testing.T) {
	s := strings.NewReplacer("sensitivity: ordinary, expires: 2026-06-30}\n  - id", "sensitivity: ordinary, expires: 2026-04-30}\n  - id",
		"\ndictionary:", "\n  - {id: 2, name: cool, title: {en: Cool, zh: 冷}, start: climate/seat, end: climate/seat, screens: [climate]}\ndictionary:").Replace(studyBench(t))
	study, err := ParseStudy("study.yaml", []byte(s))
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"study.yaml:18:14: element `home/tile` expires on 2026-04-30, before the study ends",
		"study.yaml:26:10: the dictionary has no sequence of task `cool`, so nothing of it is ever released"}
	got := study.Warnings()
	if len(got) != len(want) {
		t.Fatalf("warnings %v", got)
	}
	for i, w := range want {
		if !strings.HasPrefix(got[i].String(), w) {
			t.Errorf("%s, want %s", got[i], w)
		}
	}
}

// TestSignedStudies holds that a study card counts only with a good signature
// of a study key, and the revocation list likewise.
func TestSignedStudies(t *testing.T) {
	key, err := sign.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	keys := []sign.PublicKey{key.Public()}
	dir := t.TempDir()
	path, list := filepath.Join(dir, "study.yaml"), filepath.Join(dir, "revoked.yaml")
	put := func(file, text string, signed bool) {
		t.Helper()
		sig, err := key.Sign([]byte(text), "")
		if err == nil {
			err = os.WriteFile(file, []byte(text), 0o600)
		}
		if err == nil && signed {
			err = os.WriteFile(file+".minisig", sig, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	good := studyBench(t)
	put(path, good, false)
	if _, err := LoadSignedStudy(path, keys); err == nil || !strings.Contains(err.Error(), "is not signed") {
		t.Errorf("without a signature: %v", err)
	}
	put(path, good, true)
	s, err := LoadSignedStudy(path, keys)
	if err != nil || !s.Signed {
		t.Fatalf("%+v, %v", s, err)
	}
	put(path, strings.Replace(good, "k: 50", "k: 49", 1), false)
	if _, err := LoadSignedStudy(path, keys); !errors.Is(err, sign.ErrTampered) {
		t.Errorf("k lowered after signing: %v", err)
	}
	thief, err := sign.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	put(path, good, true)
	if _, err := LoadSignedStudy(path, []sign.PublicKey{thief.Public()}); !errors.Is(err, sign.ErrUnknownKey) {
		t.Errorf("another key: %v", err)
	}

	put(list, "schema: 1\nversion: 1\nrevoked: [{id: seat-heat, version: 3}]\n", true)
	gone, err := LoadRevocations(list, keys)
	if err != nil || !gone.Has(s) {
		t.Errorf("%v, %v", gone, err)
	}
	s.Version = 4
	if gone.Has(s) {
		t.Error("a newer version is called back too")
	}
	put(list, "schema: 1\nversion: 1\nrevoked: [{id: seat-heat, version: 2}]\n", false)
	if _, err := LoadRevocations(list, keys); !errors.Is(err, sign.ErrTampered) {
		t.Errorf("a changed list: %v", err)
	}
	put(list, "schema: 1\nversion: 1\nrevoked: [{id: a, version: 1}, {id: a, version: 2}]\n", true)
	if _, err := LoadRevocations(list, keys); err == nil || !strings.Contains(err.Error(), "study `a` is given twice") {
		t.Errorf("a study twice: %v", err)
	}
}

func TestLoadStudies(t *testing.T) {
	dir := t.TempDir()
	if list, err := LoadStudies([]string{dir}, LoadStudy); err != nil || len(list) != 0 {
		t.Errorf("an empty directory: %v, %v", list, err)
	}
	good := studyBench(t)
	for name, text := range map[string]string{"b.yaml": good, "a.yaml": strings.Replace(good, "seat-heat", "air", 1), "b.yaml.minisig": "x"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	list, err := LoadStudies([]string{dir}, LoadStudy)
	if err != nil || len(list) != 2 || list[0].ID != "air" {
		t.Errorf("%v, %v", list, err)
	}
	_, err = LoadStudies([]string{dir, filepath.Join(dir, "b.yaml"), filepath.Join(dir, "none.yaml")}, LoadStudy)
	for _, want := range []string{"b.yaml:2:5: study id `seat-heat` is already used by", "none.yaml: cannot be read"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in %v", want, err)
		}
	}
}

// Whatever the text, a study card and a revocation list are read or refused
// with diagnostics.
func FuzzParseStudy(f *testing.F) {
	f.Add([]byte(studyBench(f)))
	f.Add([]byte("schema: 1\nversion: 1\nrevoked: [{id: a, version: 1}]\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := ParseStudy("study.yaml", text)
		checkFuzzed(t, err)
		if err == nil {
			for _, q := range s.Dictionary {
				if len(q.Events) == 0 || len(q.Events) > MaxStudyEvents || q.Vehicles < s.K {
					t.Fatalf("sequence %+v", q)
				}
			}
			s.Warnings()
		}
		_, err = ParseRevocations("revoked.yaml", text)
		checkFuzzed(t, err)
	})
}
