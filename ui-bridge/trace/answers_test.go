package trace

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vignette/scenes"
)

// answer is an answer to version 1 of the demo's study, for build 1.1 and 1.2,
// with changes to its text.
func answer(t testing.TB, changes ...string) *scenes.Answer {
	t.Helper()
	a, err := scenes.ParseAnswer("answer.yaml", []byte(strings.NewReplacer(changes...).Replace(`schema: 1
kind: answer
id: found
version: 1
title: {en: Found, zh: 找到了}
study: {id: demo, versions: [1]}
builds: ["1.1", "1.2"]
said: {en: You looked for it., zh: 您找过它。}
changed: {en: Nothing changed since it was found., zh: 未作更改。}
date: 2026-04-01
`)))
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// withAnswers are options of a car whose build has them.
func withAnswers(t testing.TB, list ...*scenes.Answer) Options {
	o := options(t)
	o.Answers, o.Car = list, Car{Build: "1.2", Market: "demo", Display: "wide"}
	return o
}

// told puts a driver's answers into words.
func told(r *Recorder) string {
	var b strings.Builder
	for _, one := range r.Answers() {
		fmt.Fprintf(&b, "%s %d", one.Answer.ID, one.Answer.Version)
		if one.Seen {
			b.WriteString(" seen")
		}
		if one.Quiet {
			b.WriteString(" quiet")
		}
		b.WriteString("\n")
	}
	return fmt.Sprintf("%s%d new", b.String(), r.Status().NewAnswers)
}

func wantTold(t *testing.T, r *Recorder, want string) {
	t.Helper()
	if got := told(r); got != want {
		t.Errorf("told:\n%s\nwant:\n%s", got, want)
	}
}

// TestAnswersAreForThoseWhoTookPart holds who is told what.
func TestAnswersAreForThoseWhoTookPart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "traces")
	o := withAnswers(t, answer(t))
	r := open(t, dir, o)
	wantTold(t, r, "0 new")
	r.SetUser(driver)
	wantTold(t, r, "0 new")
	if err := r.AnswerSeen("found"); !errors.Is(err, ErrUnknownAnswer) {
		t.Errorf("seen by who took no part: %v", err)
	}
	if len(files(t, dir)) != 0 {
		t.Error("something was written without consent")
	}
	if err := r.GiveConsent(demo, at(0, 0)); err != nil {
		t.Fatal(err)
	}
	wantTold(t, r, "found 1\n1 new")
	r.SetUser(driver + 1)
	wantTold(t, r, "0 new")
	r.SetUser(0)
	wantTold(t, r, "0 new")
	if err := r.AnswerSeen("found"); !errors.Is(err, ErrNoDriver) {
		t.Errorf("seen by a guest: %v", err)
	}
	r.SetUser(driver)
	if err := r.WithdrawConsent(demo, at(1, 0)); err != nil {
		t.Fatal(err)
	}
	wantTold(t, r, "found 1 quiet\n0 new")
	for _, c := range []struct {
		name string
		set  func(o *Options)
		want string
	}{
		{"the same", func(*Options) {}, "found 1 quiet\n0 new"},
		{"another build", func(o *Options) { o.Car.Build = "1.10" }, "0 new"},
		{"no build", func(o *Options) { o.Car.Build = "" }, "0 new"},
		{"called back", func(o *Options) { o.Revoked.Answers = map[string]int{"found": 1} }, "0 new"},
		{"an older one called back", func(o *Options) {
			o.Answers[0] = answer(t, "version: 1", "version: 2")
			o.Revoked.Answers = map[string]int{"found": 1}
		}, "found 2 quiet\n0 new"},
		{"another version of the study", func(o *Options) { o.Answers[0] = answer(t, "[1]", "[2]") }, "0 new"},
		{"another study", func(o *Options) { o.Answers[0] = answer(t, "id: demo", "id: other") }, "0 new"},
		{"the study is asked no more", func(o *Options) { o.Studies = nil }, "found 1 quiet\n0 new"},
		{"stopped", func(o *Options) { o.Stopped = errors.New("bad signature") }, "0 new"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := withAnswers(t, answer(t))
			c.set(&o)
			again := open(t, dir, o)
			again.SetUser(driver)
			wantTold(t, again, c.want)
		})
	}
}

// TestAnswersSeen holds that what a driver has dismissed stays so over restarts
// and other versions with the same words, for that driver only, and that a version
// older than one that was seen does not count.
func TestAnswersSeen(t *testing.T) {
	dir := t.TempDir()
	r := consented(t, dir, withAnswers(t, answer(t), answer(t, "id: found", "id: second")))
	wantTold(t, r, "found 1\nsecond 1\n2 new")
	for range 2 {
		if err := r.AnswerSeen("found"); err != nil {
			t.Fatal(err)
		}
	}
	wantTold(t, r, "found 1 seen\nsecond 1\n1 new")
	r.SetUser(driver + 1)
	if err := r.GiveConsent(demo, at(0, 0)); err != nil {
		t.Fatal(err)
	}
	wantTold(t, r, "found 1\nsecond 1\n2 new")
	next := func(a *scenes.Answer, want string) {
		t.Helper()
		r := open(t, dir, withAnswers(t, a))
		r.SetUser(driver)
		wantTold(t, r, want)
		if err := r.AnswerSeen("found"); err != nil && !errors.Is(err, ErrUnknownAnswer) {
			t.Error(err)
		}
	}
	next(answer(t), "found 1 seen\n0 new")
	next(answer(t, "version: 1", "version: 2", `"1.2"]`, `"1.2", "1.3"]`), "found 2 seen\n0 new")
	next(answer(t, "version: 1", "version: 3", "Nothing changed", "Much changed"), "found 3\n1 new")
	next(answer(t, "version: 1", "version: 3", "Nothing changed", "Much changed"), "found 3 seen\n0 new")
	next(answer(t), "0 new")
	if list, err := List(dir, nil); err != nil || len(list) != 0 {
		t.Errorf("listed as traces: %v, %v", list, err)
	}
	if mode, err := os.Stat(filepath.Join(dir, seenFile)); err != nil || mode.Mode() != 0o600 {
		t.Errorf("%v, %v", mode, err)
	}
}

// TestDamagedSeenAnswers holds that a damaged record counts as none, is counted,
// and gives way to the next mark, whatever is flipped or cut.
func TestDamagedSeenAnswers(t *testing.T) {
	dir := t.TempDir()
	o := withAnswers(t, answer(t))
	r := consented(t, dir, o)
	if err := r.AnswerSeen("found"); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, seenFile)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range good {
		bad := append([]byte(nil), good...)
		bad[i] ^= 1
		for _, text := range [][]byte{bad, good[:i]} {
			if list, ok := parseMarks(seenFile, text); ok {
				t.Fatalf("damaged at byte %d it is read: %v", i, list)
			}
		}
	}
	if err := os.WriteFile(path, good[:len(good)-1], 0o600); err != nil {
		t.Fatal(err)
	}
	again := open(t, dir, o)
	again.SetUser(driver)
	wantTold(t, again, "found 1\n1 new")
	if again.Counters().Torn != 1 {
		t.Errorf("counters %+v", again.Counters())
	}
	if err := again.AnswerSeen("found"); err != nil {
		t.Fatal(err)
	}
	if now, err := os.ReadFile(path); err != nil || string(now) != string(good) {
		t.Errorf("%s, %v", now, err)
	}
}

// TestSeenAnswersAreBounded holds that the marks of answers that are no longer in
// the car give way, and that none of those that are is lost.
func TestSeenAnswersAreBounded(t *testing.T) {
	dir := t.TempDir()
	r := consented(t, dir, withAnswers(t, answer(t)))
	for i := range maxMarks {
		r.seen.list = append(r.seen.list, mark{"found", 1, "w", uint64(100 + i)})
	}
	if err := r.AnswerSeen("found"); err == nil || !strings.Contains(err.Error(), "1024 dismissed answers are kept already") {
		t.Errorf("full: %v", err)
	}
	r.seen.list[700].of = "gone"
	if err := r.AnswerSeen("found"); err != nil {
		t.Fatal(err)
	}
	s := marks{dir: dir, file: seenFile}
	if damaged, err := s.read(); damaged || err != nil || len(s.list) != maxMarks || s.newest("gone") != 0 {
		t.Errorf("%d marks, %v", len(s.list), err)
	}
}

// TestSeenAnswerIsNotLied holds that what could not be written was not seen.
func TestSeenAnswerIsNotLied(t *testing.T) {
	dir := t.TempDir()
	r := consented(t, dir, withAnswers(t, answer(t)))
	if err := os.Mkdir(filepath.Join(dir, seenFile+newSuffix), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := r.AnswerSeen("found"); err == nil {
		t.Error("no error")
	}
	wantTold(t, r, "found 1\n1 new")
}

// Whatever the bytes, the record of dismissed answers is read exactly or not.
func FuzzSeen(f *testing.F) {
	m := mark{"found", 2, strings.Repeat("0a", 32), 7}
	f.Add(sealed(markHead(seenFile), nil))
	f.Add(sealed(markHead(seenFile), []string{m.line()}))
	f.Fuzz(func(t *testing.T, text []byte) {
		list, ok := parseMarks(seenFile, text)
		if !ok {
			return
		}
		lines := make([]string, len(list))
		for i := range list {
			lines[i] = list[i].line()
		}
		if string(sealed(markHead(seenFile), lines)) != string(text) {
			t.Fatalf("%q", text)
		}
	})
}
