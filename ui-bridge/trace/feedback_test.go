package trace

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vignette/scenes"
)

// askingStudy asks about a card, a screen and an element; its elements expire on
// 2026-09-01.
func askingStudy(t testing.TB, changes ...string) *scenes.Study {
	t.Helper()
	var b strings.Builder
	b.WriteString(`schema: 1
id: demo
version: 1
title: {en: A, zh: 甲}
question: {en: A, zh: 甲}
purpose: {en: A, zh: 甲}
from: 2026-01-01
until: 2026-12-31
mode: fleet
k: 5
screens: [{id: 3, name: climate, elements: [{id: 2, name: fan, owner: o, purpose: p, sensitivity: ordinary, expires: 2026-04-01}]}]
cards: [{id: 7, card: warm-seat, title: {en: Warm seat, zh: 暖座}}]
feedback:
`)
	for i, f := range asked {
		fmt.Fprintf(&b, "  - {id: %d, name: %s, %s, ask: {en: Well, zh: 如何}, choices: [{id: 1, name: good, text: {en: Good, zh: 好}}, {id: 4, name: bad, text: {en: Bad, zh: 坏}}]}\n", 20+i, f.name, f.about)
	}
	b.WriteString("dictionary:\n")
	for i, f := range asked {
		for _, c := range []int{1, 4} {
			fmt.Fprintf(&b, "  - {id: %d, task: %s, vehicles: 5, events: [%s choice_%d ok first parked]}\n", 10*i+c, f.name, f.place, c)
		}
	}
	s, err := scenes.ParseStudy("asking.yaml", []byte(strings.NewReplacer(changes...).Replace(b.String())))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var asked = []struct{ name, about, place string }{
	{"seat_opinion", "card: warm-seat", "other/other"}, {"screen_opinion", "at: climate", "climate/other"}, {"fan_opinion", "at: climate/fan", "climate/fan"}}

func askingOptions(t testing.TB, changes ...string) Options {
	return Options{Studies: []*scenes.Study{askingStudy(t, changes...)}, Car: Car{Build: "1.2"}}
}

// give gives feedback and holds how it is refused; nil: it is taken.
func give(t testing.TB, r *Recorder, name, choice string, c Context, want error) {
	t.Helper()
	if err := r.GiveFeedback(demo, name, choice, c); !errors.Is(err, want) || err != nil && want == nil {
		t.Errorf("%s %s: %v, want %v", name, choice, err, want)
	}
}

// TestFeedback is what is asked, and that a choice is an episode of its own, with
// no more in it than what was chosen, about what.
func TestFeedback(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "traces")
	r := consented(t, dir, askingOptions(t))
	c := at(0, 0)
	c.Auto = 2
	if list := r.Feedback(c); len(list) != 3 || list[0].Study != demo || list[1].Task.Name != "screen_opinion" || list[0].Given {
		t.Fatalf("asked %+v", list)
	}
	give(t, r, "fan_opinion", "bad", c, nil)
	for i, a := range r.Feedback(c) {
		if a.Given != (i == 2) {
			t.Errorf("%s is given: %v", a.Task.Name, a.Given)
		}
	}
	list := episodes(t, dir)
	want := Episode{V: SchemaVersion, Policy: 1, Week: 2610, Task: 22, Variant: 24, Ev: []Event{{Screen: 3, Elem: 2, Gesture: 16, Speed: SpeedParked, Out: outOK}}}
	if len(list) != 1 {
		t.Fatalf("episodes %v", list)
	}
	want.EID = list[0].EID
	if fmt.Sprint(list[0]) != fmt.Sprint(want) {
		t.Errorf("%+v, want %+v", list[0], want)
	}
	for name, b := range files(t, dir) {
		if strings.HasSuffix(name, segmentSuffix) && len(b) != 512 {
			t.Errorf("%s has %d bytes", name, len(b))
		}
	}
	text, segment, err := r.ShowTrace(hex.EncodeToString(list[0].EID[:]))
	if err != nil || len(segment) != 512 || !strings.Contains(text, "1. climate/fan chose bad -> ok, gap first, speed parked") || !strings.Contains(text, "metrics: none: what the driver said") {
		t.Errorf("%s, %v", text, err)
	}
	if traces := r.Traces(); len(traces) != 1 || traces[0].Task != "fan_opinion" || traces[0].Due.Before(weekEnd(c.Wall)) || traces[0].Due.After(weekEnd(c.Wall).Add(maxDelay)) {
		t.Errorf("traces %+v", traces)
	}
	if err := r.Tick(weeks(2)); err != nil {
		t.Fatal(err)
	}
	if n := r.Counters(); n.Released != 1 || n.Feedback != 1 || n.FeedbackRefused != 0 || len(r.Traces()) != 0 {
		t.Errorf("%+v", n)
	}
}

// TestFeedbackIsRefused holds each reason why none is taken, that nothing is
// written then, and that it is counted. The contract's lines 1 and 9.
func TestFeedbackIsRefused(t *testing.T) {
	for _, c := range []struct {
		name                string
		set                 func(t *testing.T, r *Recorder)
		study, about, chose string
		at                  Context
		want                error
	}{
		{name: "nobody knows who drives", set: func(t *testing.T, r *Recorder) { r.SetUser(0) }, want: ErrNoDriver},
		{name: "another driver, who was not asked", set: func(t *testing.T, r *Recorder) { r.SetUser(driver + 1) }, want: ErrNoConsent},
		{name: "withdrawn", set: func(t *testing.T, r *Recorder) {
			if err := r.WithdrawConsent(demo, at(0, 0)); err != nil {
				t.Fatal(err)
			}
		}, want: ErrNoConsent},
		{name: "the yes has run out", at: weeks(13), want: ErrNoConsent},
		{name: "over", at: weeks(50), want: ErrNotNow},
		{name: "no clock", at: Context{Now: noon, Parked: true}, want: ErrNotNow},
		{name: "driving", at: at(0, 3), want: ErrNotParked},
		{name: "another study", study: "other", want: ErrUnknownStudy},
		{name: "not asked", about: "seat_opinions", want: ErrUnknownFeedback},
		{name: "a task that is not asked about", about: "warm-seat", want: ErrUnknownFeedback},
		{name: "no such choice", chose: "choice_1", want: ErrUnknownFeedback},
		{name: "free words", chose: "It is too warm, call me at +49 151 23456789", want: ErrUnknownFeedback},
		{name: "the element has expired", about: "fan_opinion", at: weeks(5), want: ErrUnknownFeedback},
		{name: "stopped", set: func(t *testing.T, r *Recorder) {
			if err := r.Reload(Options{Stopped: errors.New("bad signature")}); err != nil {
				t.Fatal(err)
			}
		}, want: ErrNotNow},
		{name: "called back", set: func(t *testing.T, r *Recorder) {
			o := askingOptions(t)
			o.Revoked.Studies = map[string]int{demo: 1}
			if err := r.Reload(o); err != nil {
				t.Fatal(err)
			}
		}, want: ErrNotNow},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "traces")
			r := consented(t, dir, askingOptions(t))
			if c.set != nil {
				c.set(t, r)
			}
			before := fmt.Sprint(files(t, dir))
			if c.at.Now.IsZero() {
				c.at = at(0, 0)
			}
			pick := func(s, or string) string {
				if s == "" {
					return or
				}
				return s
			}
			err := r.GiveFeedback(pick(c.study, demo), pick(c.about, "seat_opinion"), pick(c.chose, "good"), c.at)
			if !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
			if n := r.Counters(); n.FeedbackRefused != 1 || n.Feedback != 0 || fmt.Sprint(files(t, dir)) != before {
				t.Errorf("%+v; files %v", n, files(t, dir))
			}
			if c.want == ErrNoConsent && len(r.Feedback(c.at)) != 0 {
				t.Error("it is asked without consent")
			}
		})
	}
	dir := filepath.Join(t.TempDir(), "traces")
	r := open(t, dir, askingOptions(t))
	give(t, r, "seat_opinion", "good", at(0, 0), ErrNoDriver)
	r.SetUser(driver)
	give(t, r, "seat_opinion", "good", at(0, 0), ErrNoConsent)
	if len(r.Feedback(at(0, 0))) != 0 || len(files(t, dir)) != 0 {
		t.Error("without any consent something is asked or written")
	}
}

// TestFeedbackCountsOnceAWeek holds the bound of a driver and week over restarts,
// and that a driver who deletes it may say it anew.
func TestFeedbackCountsOnceAWeek(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "traces")
	r := consented(t, dir, askingOptions(t))
	give(t, r, "seat_opinion", "good", at(0, 0), nil)
	give(t, r, "seat_opinion", "bad", at(60, 0), ErrGiven)
	give(t, r, "screen_opinion", "good", at(60, 0), nil)
	again := func() {
		t.Helper()
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		r = open(t, dir, askingOptions(t))
		r.SetUser(driver)
	}
	again()
	give(t, r, "seat_opinion", "bad", at(120, 0), ErrGiven)
	if err := os.Remove(filepath.Join(dir, givenFile)); err != nil { // as after a power loss before it was written
		t.Fatal(err)
	}
	again()
	give(t, r, "seat_opinion", "bad", at(120, 0), ErrGiven)
	give(t, r, "fan_opinion", "bad", at(120, 0), nil)
	give(t, r, "seat_opinion", "bad", weeks(1), nil)
	for _, one := range r.Traces() {
		if one.Task == "seat_opinion" && one.Week == "2026-W11" {
			if err := r.DeleteTrace(one.ID); err != nil {
				t.Fatal(err)
			}
		}
	}
	give(t, r, "fan_opinion", "good", weeks(1), nil) // another question's stays
	give(t, r, "seat_opinion", "good", weeks(1), nil)
	again()
	give(t, r, "seat_opinion", "good", weeks(1), ErrGiven)
	if list, _ := parseMarks(givenFile, files(t, dir)[givenFile]); len(list) != 3 || list[2] != (mark{"demo@1/seat_opinion", 2611, "good", driver}) {
		t.Errorf("marks %v", list)
	}
}

// TestWithdrawalForgetsFeedback holds that a no removes the marks with the
// segments, of that driver only, also when it is cut short.
func TestWithdrawalForgetsFeedback(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "traces")
	r := consented(t, dir, askingOptions(t))
	give(t, r, "seat_opinion", "good", at(0, 0), nil)
	r.SetUser(driver + 1)
	if err := r.GiveConsent(demo, at(1, 0)); err != nil {
		t.Fatal(err)
	}
	give(t, r, "screen_opinion", "good", at(2, 0), nil)
	r.SetUser(driver)
	before := files(t, dir)
	if err := r.WithdrawConsent(demo, at(10, 0)); err != nil {
		t.Fatal(err)
	}
	check := func() {
		t.Helper()
		if list, ok := parseMarks(givenFile, files(t, dir)[givenFile]); !ok || len(list) != 1 || list[0].user != driver+1 || len(episodes(t, dir)) != 1 {
			t.Errorf("left: %v, %v", list, episodes(t, dir))
		}
	}
	check()
	for name, b := range before { // power lost after the decision and before the wipe
		if name != consentFile {
			if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	open(t, dir, askingOptions(t))
	check()
}

// TestFeedbackOnADiskThatFails holds that a mark that cannot be written counts all
// the same, is told, and is written when the disk lets it; and that nothing leaves
// before.
func TestFeedbackOnADiskThatFails(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "traces")
	r := consented(t, dir, askingOptions(t))
	blocked := filepath.Join(dir, givenFile+newSuffix)
	if err := os.Mkdir(blocked, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := r.GiveFeedback(demo, "seat_opinion", "good", at(0, 0)); err == nil || r.Problem() == nil {
		t.Errorf("no error: %v, %v", err, r.Problem())
	}
	give(t, r, "seat_opinion", "good", at(1, 0), ErrGiven)
	if err := r.Tick(weeks(2)); err == nil || r.Counters().Released != 0 {
		t.Errorf("it left before the mark was written: %v", err)
	}
	if err := os.Remove(blocked); err != nil {
		t.Fatal(err)
	}
	if err := r.Tick(weeks(2)); err != nil || r.Counters().Released != 1 || r.Problem() != nil {
		t.Errorf("%v, %+v, %v", err, r.Counters(), r.Problem())
	}
	if list, _ := parseMarks(givenFile, files(t, dir)[givenFile]); len(list) != 1 {
		t.Errorf("marks %v", list)
	}
}

// TestMarksAreBounded holds that of too many marks the oldest goes.
func TestMarksAreBounded(t *testing.T) {
	s := marks{dir: t.TempDir(), file: givenFile}
	for i := range maxMarks {
		s.list = append(s.list, mark{"demo@1/x", i, "good", driver})
	}
	if err := s.add(mark{"demo@1/x", 5000, "good", driver}); err != nil || len(s.list) != maxMarks || s.list[0].n != 1 {
		t.Errorf("%d marks from %v, %v", len(s.list), s.list[0], err)
	}
	again := marks{dir: s.dir, file: givenFile}
	if damaged, err := again.read(); damaged || err != nil || len(again.list) != maxMarks {
		t.Errorf("%v, %v", damaged, err)
	}
}

// TestFeedbackAgainstAModel does what drivers do in any order, with restarts, and
// holds what is taken and what is on the disk against a model that knows no more
// than the contract's line 5 and the bound of a driver and week.
func TestFeedbackAgainstAModel(t *testing.T) {
	type told struct {
		user uint64
		name string
		week int
	}
	type slot struct {
		name string
		week int
	}
	rng := rand.New(rand.NewPCG(8, 6))
	taken, refused, left := 0, 0, 0
	for range 8 {
		dir := filepath.Join(t.TempDir(), "traces")
		r := open(t, dir, askingOptions(t, "expires: 2026-04-01", "expires: 2027-04-01"))
		gave, slots, yes, user, now := map[told]bool{}, map[slot]bool{}, map[uint64]bool{}, uint64(0), 0
		for range 200 {
			switch x := rng.IntN(20); {
			case x < 11:
				name := asked[rng.IntN(len(asked))].name
				err := r.GiveFeedback(demo, name, []string{"good", "bad"}[rng.IntN(2)], weeks(now))
				if ok := yes[user] && !gave[told{user, name, now}]; ok != (err == nil) {
					t.Fatalf("user %d, %s in week %d: %v, want it taken: %v", user, name, now, err, ok)
				}
				if err == nil {
					taken++
					gave[told{user, name, now}], slots[slot{name, now}] = true, true
				} else {
					refused++
				}
			case x < 14:
				user = uint64(rng.IntN(4))
				r.SetUser(user)
			case x < 16 && user != 0:
				if err := r.GiveConsent(demo, weeks(now)); err != nil {
					t.Fatal(err)
				}
				yes[user] = true
			case x == 16 && user != 0 && rng.IntN(4) == 0:
				if err := r.WithdrawConsent(demo, weeks(now)); err != nil {
					t.Fatal(err)
				}
				yes[user] = false
				for g := range gave {
					if g.user == user {
						delete(gave, g)
					}
				}
			case x == 17:
				r = open(t, dir, askingOptions(t, "expires: 2026-04-01", "expires: 2027-04-01"))
				r.SetUser(user)
				r.SetUser(user)
			case x >= 18 && now < 9:
				now++
				if err := r.Tick(weeks(now)); err != nil {
					t.Fatal(err)
				}
			}
		}
		seen := map[slot]bool{}
		for _, ep := range episodes(t, dir) {
			s := slot{asked[ep.Task-20].name, int(ep.Week) - 2610}
			if seen[s] || !slots[s] {
				t.Errorf("an episode of %v that is one too many: %v", s, seen[s])
			}
			seen[s] = true
			left++
		}
	}
	if taken < 100 || refused < 300 || left < 80 {
		t.Errorf("%d taken, %d refused, %d episodes: the test sees too little", taken, refused, left)
	}
}

// TestFeedbackIsSampledPerVehicle: of several drivers who say something in a week,
// one leaves, each with the same chance.
func TestFeedbackIsSampledPerVehicle(t *testing.T) {
	const trials = 60
	first := 0
	for range trials {
		dir := filepath.Join(t.TempDir(), "traces")
		r := consented(t, dir, askingOptions(t))
		give(t, r, "seat_opinion", "good", at(0, 0), nil)
		r.SetUser(driver + 1)
		if err := r.GiveConsent(demo, at(1, 0)); err != nil {
			t.Fatal(err)
		}
		give(t, r, "seat_opinion", "bad", at(2, 0), nil)
		list := episodes(t, dir)
		if len(list) != 1 {
			t.Fatalf("%d episodes of a week", len(list))
		}
		if list[0].Variant == 1 {
			first++
		}
	}
	if first < trials/2-27 || first > trials/2+27 { // 7 standard deviations
		t.Errorf("the first one's stayed in %d of %d", first, trials)
	}
}

// FuzzFeedback: whatever an HMI sends, only what the card declares is taken, and
// none of its words is kept.
func FuzzFeedback(f *testing.F) {
	f.Add("demo", "seat_opinion", "good")
	f.Add("demo", "fan_opinion", "choice_4")
	f.Add("demo@1/seat_opinion", "climate/fan", "x")
	dir := filepath.Join(f.TempDir(), "traces")
	r, err := Open(dir, askingOptions(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { r.Close() })
	r.SetUser(driver)
	if err := r.GiveConsent(demo, at(0, 0)); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, study, name, choice string) {
		err := r.GiveFeedback(study, name, choice, at(0, 0))
		known := study == demo && (name == "seat_opinion" || name == "screen_opinion" || name == "fan_opinion") && (choice == "good" || choice == "bad")
		if (err == nil || errors.Is(err, ErrGiven)) != known {
			t.Fatalf("%q %q %q: %v", study, name, choice, err)
		}
	})
}

// TestAnswersToFeedback holds whom an answer to feedback is announced to, and how
// long it took.
func TestAnswersToFeedback(t *testing.T) {
	seat := func(changes ...string) *scenes.Answer {
		return answer(t, append([]string{"versions: [1]}", "versions: [1], feedback: [{name: seat_opinion, choices: [bad]}]}"}, changes...)...)
	}
	say := func(r *Recorder) string {
		var lines []string
		for _, one := range r.Answers() {
			lines = append(lines, fmt.Sprintf("%s quiet %v yours %v weeks %d", one.Answer.ID, one.Quiet, one.Yours, one.Weeks))
		}
		return strings.Join(append(lines, fmt.Sprint(r.Status().NewAnswers)), "; ")
	}
	for _, c := range []struct {
		name string
		gave [][2]string // name and choice, a week later each
		a    *scenes.Answer
		want string
	}{
		{"who chose it", [][2]string{{"seat_opinion", "bad"}}, seat(), "found quiet false yours true weeks 4; 1"},
		{"who chose it twice", [][2]string{{"seat_opinion", "bad"}, {"seat_opinion", "bad"}}, seat(), "found quiet false yours true weeks 4; 1"},
		{"who chose it later", [][2]string{{"seat_opinion", "good"}, {"seat_opinion", "bad"}}, seat(), "found quiet false yours true weeks 3; 1"},
		{"who chose otherwise", [][2]string{{"seat_opinion", "good"}}, seat(), "found quiet true yours false weeks 4; 0"},
		{"who was asked something else", [][2]string{{"fan_opinion", "bad"}}, seat(), "found quiet true yours false weeks 4; 0"},
		{"who said nothing", nil, seat(), "found quiet true yours false weeks 4; 0"},
		{"to all of the study", [][2]string{{"seat_opinion", "bad"}}, answer(t), "found quiet false yours false weeks 4; 1"},
		{"whatever was chosen", [][2]string{{"seat_opinion", "good"}}, answer(t, "versions: [1]}", "versions: [1], feedback: [{name: seat_opinion}]}"), "found quiet false yours true weeks 4; 1"},
		{"given after the answer", [][2]string{{"seat_opinion", "bad"}}, seat("2026-04-01", "2026-02-28"), "found quiet true yours false weeks -1; 0"},
		{"long before the yes", [][2]string{{"seat_opinion", "bad"}}, seat("2026-04-01", "2026-01-28"), "found quiet true yours false weeks -1; 0"},
		{"in the week of the answer", [][2]string{{"seat_opinion", "bad"}}, seat("2026-04-01", "2026-03-03"), "found quiet false yours true weeks 0; 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := askingOptions(t)
			o.Answers = []*scenes.Answer{c.a}
			dir := filepath.Join(t.TempDir(), "traces")
			r := consented(t, dir, o)
			for i, g := range c.gave {
				give(t, r, g[0], g[1], weeks(i), nil)
			}
			if got := say(r); got != c.want {
				t.Errorf("told %s\nwant %s", got, c.want)
			}
			r.SetUser(driver + 1)
			if got := say(r); got != "0" {
				t.Errorf("another driver is told %s", got)
			}
			r = open(t, dir, o)
			r.SetUser(driver)
			if err := r.Tick(at(0, 0)); err != nil {
				t.Fatal(err)
			}
			if got := say(r); got != c.want {
				t.Errorf("after a restart told %s\nwant %s", got, c.want)
			}
			if err := r.WithdrawConsent(demo, weeks(1)); err != nil {
				t.Fatal(err)
			}
			if got := say(r); !strings.HasPrefix(got, "found quiet true yours false") || !strings.HasSuffix(got, "; 0") {
				t.Errorf("after a withdrawal told %s", got)
			}
		})
	}
}

func TestWeekStart(t *testing.T) {
	for day := time.Date(2019, 12, 25, 0, 0, 0, 0, time.UTC); day.Year() < 2034; day = day.AddDate(0, 0, 1) {
		code, _ := calendar(day)
		if got := weekStart(code); got.Weekday() != time.Monday || day.Sub(got) < 0 || day.Sub(got) >= week {
			t.Fatalf("the week of %s begins on %s", day.Format(time.DateOnly), got.Format(time.DateOnly))
		}
	}
}
