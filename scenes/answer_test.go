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

func answerBench(t testing.TB) string { return read(t, "answer.yaml") }

func TestAnswerIsRead(t *testing.T) {
	a, err := ParseAnswer("answer.yaml", []byte(answerBench(t)))
	if err != nil {
		t.Fatal(err)
	}
	if a.ID != "seat-heat-answer" || a.Version != 1 || a.Signed || !a.Date.Equal(time.Date(2026, 6, 30, 0, 0, 0, 0, time.UTC)) ||
		!reflect.DeepEqual(a.Builds, []string{"5.3", "5.3.1", "5.10"}) || a.Changed["zh"] != "现在它在空调界面上。" || a.Warnings() != nil {
		t.Errorf("%+v, %v", a, a.Warnings())
	}
	for build, want := range map[string]bool{"5.3": true, "5.10": true, "5.2": false, "5.4": false, "": false} {
		if a.At(build) != want {
			t.Errorf("build %s has the change: %v", build, !want)
		}
	}
	for version, want := range map[int]bool{1: false, 2: true, 3: true, 4: false} {
		if a.Answers("seat-heat", version) != want || a.Answers("other", version) {
			t.Errorf("it answers version %d: %v", version, !want)
		}
	}
}

// TestAnswerWords holds that another version with the same words is known by them.
func TestAnswerWords(t *testing.T) {
	words := func(old, new string) string {
		a, err := ParseAnswer("answer.yaml", []byte(strings.Replace(answerBench(t), old, new, 1)))
		if err != nil {
			t.Fatal(err)
		}
		return a.Words
	}
	same := words("", "")
	for old, new := range map[string]string{"version: 1": "version: 2", `"5.10"]`: `"5.10", "5.11"]`, "2026-06-30": "2026-07-01"} {
		if words(old, new) != same {
			t.Errorf("%s: other words", new)
		}
	}
	for old, new := range map[string]string{"moved": "has moved", "现在": "如今", "Half": "Many", "zh: 座椅加热已移位": "zh: 座椅加热已移位, de: Umgezogen"} {
		if words(old, new) == same {
			t.Errorf("%s: the same words", new)
		}
	}
}

func TestRefusedAnswers(t *testing.T) {
	good := answerBench(t)
	for _, c := range []struct{ name, old, new, want string }{
		{"unknown key", "said:", "sayd:", "answer.yaml:8:1: unknown key `sayd` in the answer card; did you mean `said`?"},
		{"no kind", "kind: answer\n", "", "answer.yaml:1:1: the answer card has no `kind`; add it"},
		{"another kind", "kind: answer", "kind: study", "answer.yaml:2:7: `kind`: `study` is not known; write `answer`"},
		{"no Chinese", ", zh: 现在它在空调界面上。}", "}", "answer.yaml:9:10: `changed` has no Chinese text; add `zh`"},
		{"no version answered", "[2, 3]", "[]", "answer.yaml:6:34: `versions` is empty; give at least one entry"},
		{"version twice", "[2, 3]", "[2, 2]", "answer.yaml:6:38: version 2 is given twice; keep one"},
		{"version zero", "[2, 3]", "[0]", "answer.yaml:6:35: `0` is not a whole number from 1 to 65535"},
		{"no study", "id: seat-heat,", "", "answer.yaml:6:8: the study that is answered has no `id`; add it"},
		{"build twice", `"5.3.1"`, `"5.3"`, "answer.yaml:7:17: build `5.3` is given twice; keep one"},
		{"a number as build", `"5.3.1"`, "5.4", "answer.yaml:7:17: a text is wanted here; found the number `5.4`; put it in quotes"},
		{"no day", "2026-06-30", "2026-06-31", "answer.yaml:10:7: `date`: `2026-06-31` is no day of the calendar; correct it"},
		{"long", "2026-06-30", "2026-06-30 # " + strings.Repeat("x", maxAnswerBytes), "answer.yaml: is longer than 16 KiB, the most that is read; split it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			bad := strings.Replace(good, c.old, c.new, 1)
			if bad == good {
				t.Fatalf("%q is not in the answer", c.old)
			}
			_, err := ParseAnswer("answer.yaml", []byte(bad))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v\nwant %s", err, c.want)
			}
		})
	}
}

func TestAnswerWarnings(t *testing.T) {
	a, err := ParseAnswer("answer.yaml", []byte(strings.Replace(answerBench(t), "Half of you", strings.Repeat("Half of you ", 60), 1)))
	if err != nil {
		t.Fatal(err)
	}
	if w := a.Warnings(); len(w) != 1 || !strings.HasPrefix(w[0].String(), "answer.yaml:3:5: `said` has 749 characters in en") {
		t.Errorf("warnings %v", w)
	}
}

// TestSignedAnswers holds that an answer counts only with a good signature, that
// one which is refused does not hide the others, and that one can be called back.
func TestSignedAnswers(t *testing.T) {
	key, err := sign.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	keys := []sign.PublicKey{key.Public()}
	read := func(path string) (*Answer, error) { return LoadSignedAnswer(path, keys) }
	dir := t.TempDir()
	put := func(name, text, signed string) {
		t.Helper()
		sig, err := key.Sign([]byte(signed), "")
		if err := errors.Join(err, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600), os.WriteFile(filepath.Join(dir, name+".minisig"), sig, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	good := answerBench(t)
	other := strings.Replace(good, "id: seat-heat-answer", "id: another", 1)
	put("a.yaml", good, good)
	put("b.yaml", strings.Replace(other, "now.", "today.", 1), other)
	put("c.yaml", other, other)
	put("d.yaml", good, good)
	list, err := LoadAnswers([]string{dir}, read)
	if len(list) != 2 || list[0].ID != "another" || !list[0].Signed || list[1].ID != "seat-heat-answer" {
		t.Errorf("answers %v", list)
	}
	if !errors.Is(err, sign.ErrTampered) || !strings.Contains(err.Error(), "d.yaml:3:5: answer id `seat-heat-answer` is already used by") {
		t.Errorf("refused: %v", err)
	}
	if _, err := LoadSignedAnswer(filepath.Join(dir, "a.yaml"), nil); !errors.Is(err, sign.ErrUnknownKey) {
		t.Errorf("without a key: %v", err)
	}
	gone, err := ParseRevocations("revoked.yaml", []byte("schema: 1\nversion: 4\nrevoked_answers: [{id: another, version: 1}]\n"))
	if err != nil || gone.Version != 4 || !gone.HasAnswer(list[0]) || gone.HasAnswer(list[1]) {
		t.Errorf("%+v, %v", gone, err)
	}
}

// TestAnswerSchemaRefuses holds what the schema of answer cards can see.
func TestAnswerSchemaRefuses(t *testing.T) {
	s := schemaOf(t, "answer.schema.json", AnswerSchema())
	good := answerBench(t)
	if err := valid(t, s, []byte(good)); err != nil {
		t.Fatal(err)
	}
	for _, c := range [][2]string{{"kind: answer", "kind: study"}, {"versions: [2, 3]", "versions: 2"}, {`["5.3", "5.3.1", "5.10"]`, "[]"}, {"2026-06-30", "soon"},
		{"said:", "say:"}, {"version: 1", "version: 1.0.0"}} {
		bad := strings.Replace(good, c[0], c[1], 1)
		if bad == good {
			t.Fatalf("%q is not in the answer", c[0])
		}
		if valid(t, s, []byte(bad)) == nil {
			t.Errorf("%q for %q is taken", c[1], c[0])
		}
	}
}

// Whatever the text, an answer card is read or refused with diagnostics.
func FuzzParseAnswer(f *testing.F) {
	f.Add([]byte(answerBench(f)))
	f.Fuzz(func(t *testing.T, text []byte) {
		a, err := ParseAnswer("answer.yaml", text)
		checkFuzzed(t, err)
		if err != nil {
			return
		}
		if len(a.Builds) == 0 || len(a.Versions) == 0 || !a.At(a.Builds[0]) || !a.Answers(a.Study, a.Versions[0]) || a.Said["zh"] == "" {
			t.Fatalf("%+v", a)
		}
		a.Warnings()
	})
}
