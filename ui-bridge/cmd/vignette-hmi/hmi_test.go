package main

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"vignette/scenes"
	"vignette/scenes/engine"
	"vignette/scenes/habit"
	uibridge "vignette/ui-bridge"
	"vignette/ui-bridge/privatebus"
	"vignette/ui-bridge/trace"
)

const testPatience = 20 * time.Second

type packs = uibridge.Packs

// agent is the other side: a bridge with a real recorder behind it.
type agent struct {
	uibridge.Driver  // the stand-in only says who drives,
	uibridge.Viewer  // looks at no card,
	uibridge.Deck    // changes none,
	packs            // has no packs,
	uibridge.Habits  // has no habits,
	uibridge.Studies // and at no study

	rec       *trace.Recorder
	answers   chan bool
	consented chan bool
	dismissed chan string // ids of answers
	parked    atomic.Bool
}

func (a *agent) Replied(_ uint64, ok bool, _ string) { a.answers <- ok }
func (a *agent) Override(string, engine.Value) error { return nil }
func (a *agent) Look(string) error                   { return nil }
func (a *agent) SetHabits(bool) error                { return nil }
func (a *agent) Drafts() ([]habit.Draft, error)      { return nil, nil }
func (a *agent) DismissDraft(string) error           { return nil }
func (a *agent) Why(string) ([]engine.Record, error) { return nil, nil }
func (a *agent) TraceStatus() trace.Status           { return a.rec.Status() }
func (a *agent) SetUser(user uint64) error {
	a.rec.SetUser(user)
	return nil
}

// parkedThen is a parked car during the study.
func parkedThen() trace.Context {
	now := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	return trace.Context{Now: now, Wall: now, Parked: true}
}

// openRecorder opens a recorder of the demo's study.
func openRecorder(t *testing.T, dir string) *trace.Recorder {
	t.Helper()
	s, err := scenes.LoadStudy("../../../testdata/drive/studies/demo.yaml")
	if err != nil {
		t.Fatal(err)
	}
	a, err := scenes.LoadAnswer("../../../testdata/drive/answers/demo.yaml")
	if err != nil {
		t.Fatal(err)
	}
	rec, err := trace.Open(dir, trace.Options{Studies: []*scenes.Study{s}, Answers: []*scenes.Answer{a}, Car: trace.Car{Build: "1.0", Market: "demo", Display: "wide"}})
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

func (a *agent) Consent(study string, yes bool) error {
	err := a.rec.GiveConsent(study, parkedThen())
	a.consented <- yes
	return err
}

func (a *agent) Answers() ([]trace.Told, bool, error) {
	return a.rec.Answers(), a.parked.Load(), nil
}

func (a *agent) AnswerSeen(id string) error {
	err := a.rec.AnswerSeen(id)
	a.dismissed <- id
	return err
}

func (a *agent) Interactions(batch []trace.Interaction) (int, error) {
	return a.rec.Record(batch, parkedThen())
}

// stage is a bus with the stand-in and an agent on it.
type stage struct {
	*agent
	br     *uibridge.Bridge
	traces string
	status chan int
	out    *bytes.Buffer
}

func setUp(t *testing.T, args ...string) *stage {
	t.Helper()
	address, stop, err := privatebus.Start(context.Background(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	s := &stage{traces: filepath.Join(t.TempDir(), "traces"), status: make(chan int, 1), out: new(bytes.Buffer)}
	s.agent = &agent{rec: openRecorder(t, s.traces), answers: make(chan bool, 64), consented: make(chan bool, 1), dismissed: make(chan string, 4)}
	s.agent.parked.Store(!slices.Contains(args, driving))
	args = slices.DeleteFunc(args, func(a string) bool { return a == driving })
	ctx, cancel := context.WithTimeout(context.Background(), testPatience)
	t.Cleanup(cancel)
	go func() { s.status <- run(ctx, append(args, "--bus", address), s.out, s.out) }()
	s.br, err = uibridge.Connect(ctx, uibridge.Options{Address: address, Handler: s.agent, Logger: slog.New(slog.DiscardHandler), Signals: watched()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.br.Close() })
	if !<-s.consented {
		t.Fatal("the HMI withdrew consent")
	}
	return s
}

func notify() *uibridge.Binding {
	return &uibridge.Binding{Service: hmiName, Path: hmiPath, Interface: hmiName, Member: "Notify", Signature: "ss", Within: testPatience}
}

func TestStandInLivesThroughADrive(t *testing.T) {
	file := filepath.Join(t.TempDir(), "summary.json")
	s := setUp(t, "--summary", file)
	s.br.Publish(0, engine.Value{Kind: engine.Number, Num: 12.5})
	s.br.Publish(1, engine.Value{Kind: engine.Number, Num: 127})
	s.br.Decisions([]engine.Record{{N: 1, Card: "air", What: engine.Fired, Why: "trigger[0]"},
		{N: 2, Card: "rain", What: engine.Blocked, Why: "cooldown"}})
	s.br.Call(3, notify(), []any{"en", "Welcome\x1b[2J aboard."})
	if !<-s.answers {
		t.Fatal("Notify failed")
	}
	ctx, cancel := context.WithTimeout(context.Background(), testPatience)
	defer cancel()
	if err := s.br.Drain(ctx); err != nil {
		t.Fatal(err)
	}
	if err := s.br.Close(); err != nil {
		t.Fatal(err)
	}
	if status := <-s.status; status != 0 {
		t.Fatalf("status %d: %s", status, s.out)
	}
	for _, want := range []string{"speed 12.5 km/h   gear D   cabin --", "notice: Welcome?[2J aboard.", "air started (trigger[0])", "rain did nothing: cooldown"} {
		if !strings.Contains(s.out.String(), want) {
			t.Errorf("the terminal does not show %q:\n%s", want, s.out)
		}
	}
	var sum summary
	b, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(b, &sum)
	}
	if err != nil {
		t.Fatal(err)
	}
	if len(sum.Calls) != 1 || sum.Calls[0].Method != "Notify" || len(sum.Decisions) != 2 || sum.Decisions[1].Why != "cooldown" {
		t.Errorf("summary %+v", sum)
	}
	if sum.Interactions.Sent == 0 || sum.Interactions.Accepted > sum.Interactions.Sent {
		t.Errorf("interactions %+v", sum.Interactions)
	}
}

// driving is no flag of the stand-in: the car is not parked when it begins.
const driving = "driving"

// TestAnswersAreShownWhenParked: in the driver's language, once, and dismissed; on
// the move they wait.
func TestAnswersAreShownWhenParked(t *testing.T) {
	file := filepath.Join(t.TempDir(), "summary.json")
	s := setUp(t, driving, "--lang", "zh", "--summary", file)
	select {
	case id := <-s.dismissed:
		t.Fatalf("%s was shown on the move", id)
	case <-time.After(touchEvery + touchEvery/4): // it has looked twice
	}
	s.parked.Store(true)
	if id := <-s.dismissed; id != "demo-answer" {
		t.Errorf("%s was dismissed", id)
	}
	if n := s.rec.Status().NewAnswers; n != 0 {
		t.Errorf("%d answers are new", n)
	}
	if err := s.br.Close(); err != nil {
		t.Fatal(err)
	}
	if status := <-s.status; status != 0 {
		t.Fatalf("status %d: %s", status, s.out)
	}
	for _, want := range []string{"答复: 主屏：您的反馈与我们的改进\n", "  您的反馈: 多数驾驶员首先寻找地图", "  我们的改进: 暂未更改"} {
		if strings.Count(s.out.String(), want) != 1 {
			t.Errorf("the terminal does not show %q once:\n%s", want, s.out)
		}
	}
	text, err := os.ReadFile(file)
	if err != nil || !strings.Contains(strings.Join(strings.Fields(string(text)), " "), `"answers": [ "demo-answer" ]`) {
		t.Errorf("%v, summary %s", err, text)
	}
}

func TestDieAfter(t *testing.T) {
	s := setUp(t, "--die-after", "2")
	s.br.Call(1, notify(), []any{"en", "one"})
	s.br.Call(2, notify(), []any{"en", "two"})
	if status := <-s.status; status != 3 {
		t.Errorf("status %d, want 3: %s", status, s.out)
	}
}

func TestWrongCommandLines(t *testing.T) {
	for _, c := range []struct {
		args []string
		want int
		text string
	}{
		{nil, 2, "give --bus"},
		{[]string{"--bus", "unix:path=/nowhere/bus"}, 1, "is dbus-daemon running?"},
		{[]string{"--bus", "x", "--lang", "fr"}, 2, "use en or zh"},
		{[]string{"--bus", "x", "more"}, 2, `"more" is not wanted`},
		{[]string{"--bus", "x", "--die-after", "-1"}, 2, "give a number of calls"},
		{[]string{"--help"}, 0, "-summary"},
	} {
		var out bytes.Buffer
		if got := run(context.Background(), c.args, &out, &out); got != c.want || !strings.Contains(out.String(), c.text) {
			t.Errorf("%v: status %d, want %d with %q:\n%s", c.args, got, c.want, c.text, &out)
		}
	}
}

func TestStandInTouchesRegisteredElementsOnly(t *testing.T) {
	rec := openRecorder(t, filepath.Join(t.TempDir(), "traces"))
	rec.SetUser(demoDriver)
	if err := rec.GiveConsent(demoStudy, parkedThen()); err != nil {
		t.Fatal(err)
	}
	var d driver
	for range idlePlay {
		for _, batch := range [][]trace.Interaction{d.idle(), d.asked(received{method: "Notify"}), d.asked(received{method: "ShowTip"})} {
			if _, err := rec.Record(batch, parkedThen()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if c := rec.Counters(); c.Accepted == 0 || c.Other != 0 {
		t.Errorf("counters %+v", c)
	}
	if err := rec.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestWordsAreCompleteInEachLanguage(t *testing.T) {
	for lang, words := range labels {
		for key := range labels["en"] {
			if words[key] == "" {
				t.Errorf("%s has no word for %s", lang, key)
			}
		}
	}
}
