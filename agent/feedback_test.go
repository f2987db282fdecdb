package agent

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	uibridge "vignette/ui-bridge"

	"github.com/godbus/dbus/v5"
)

// feedback asks what the driver can be asked, as "name kind about given open" and
// the choices, a line.
func (d *dialogueCar) feedback() string {
	d.t.Helper()
	var list []map[string]dbus.Variant
	if err := d.hmi.Object(uibridge.AgentName, uibridge.AgentPath).Call(uibridge.TraceInterface+".Feedback", 0).Store(&list); err != nil {
		d.t.Fatal(err)
	}
	var lines []string
	for _, f := range list {
		var choices []struct {
			Name string
			Text map[string]string
		}
		if err := dbus.Store([]any{f["choices"]}, &choices); err != nil {
			d.t.Fatal(err)
		}
		line := fmt.Sprintf("%v %v %v %v %v %v", f["study"].Value(), f["name"].Value(), f["kind"].Value(), f["about"].Value(), f["given"].Value(), f["open"].Value())
		for _, c := range choices {
			line += fmt.Sprintf(" %s:%s", c.Name, c.Text["zh"])
		}
		lines = append(lines, line+" "+f["ask"].Value().(map[string]string)["en"])
	}
	return strings.Join(lines, "\n")
}

// give gives feedback, and holds the name of the error that it is refused with.
func (d *dialogueCar) give(study, name, choice, want string) {
	d.t.Helper()
	err := d.hmi.Object(uibridge.AgentName, uibridge.AgentPath).Call(uibridge.TraceInterface+".GiveFeedback", 0, study, name, choice).Err
	var fault dbus.Error
	switch {
	case err == nil && want == "":
	case !errors.As(err, &fault) || fault.Name != "org.vignette.Error."+want:
		d.t.Errorf("%s %s %s: %v, want %s", study, name, choice, err, want)
	}
}

// TestFeedbackOverDBus is the life of a feedback: it is asked of a driver who has
// said yes, and of no other, given once, seen in the driver's traces byte for byte,
// kept over a restart, answered, and forgotten when the driver takes the yes back.
func TestFeedbackOverDBus(t *testing.T) {
	d := newDialogueCar(t)
	d.config.Unsigned = true // on a desk the recording vouches for its clock
	d.start()
	const screen = "climate_opinion"
	d.give("demo", screen, "too_slow", "NoDriver")
	d.hmi.ask(t, uibridge.AgentInterface+".SetUser", uint64(7))
	d.give("demo", screen, "too_slow", "NoConsent")
	if got := d.feedback(); got != "" {
		t.Errorf("asked without consent: %s", got)
	}
	if _, err := os.Stat(d.at("traces")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without consent there is a directory of traces: %v", err)
	}
	d.hmi.ask(t, uibridge.TraceInterface+".GiveConsent", "demo")
	if got, want := d.feedback(), "demo climate_opinion screen climate false true good:这样就很好 too_slow:操作太慢 hard_to_find:难以找到功能 What do you think of the climate screen?"; got != want {
		t.Errorf("asked %s\nwant %s", got, want)
	}
	d.give("other", screen, "too_slow", "UnknownStudy")
	d.give("demo", "heater_opinion", "too_slow", "UnknownFeedback")
	d.give("demo", screen, "call me", "UnknownFeedback")
	d.give("demo", screen, strings.Repeat("x", 1<<16), "LimitsExceeded")
	d.give("demo", screen, "too_slow", "")
	d.give("demo", screen, "good", "AlreadyGiven")
	if got := d.feedback(); !strings.HasPrefix(got, "demo climate_opinion screen climate true false ") {
		t.Errorf("after it was given: %s", got)
	}
	d.stop()
	d.start()
	d.hmi.ask(t, uibridge.AgentInterface+".SetUser", uint64(7))
	d.give("demo", screen, "good", "AlreadyGiven")
	d.shown("climate_opinion", "1. climate/other chose too_slow -> ok, gap first, speed parked")

	answer := d.example("drive/answers/demo.yaml")
	d.put("answers/demo.yaml", strings.Replace(answer, "versions: [1]", "versions: [1], feedback: [{name: climate_opinion, choices: [too_slow]}]", 1))
	d.told("NewAnswers", same(uint32(1)))
	if got := d.answered(); got != "demo-answer true false 8" { // the recording is of the first week of January
		t.Errorf("answered: %s", got)
	}
	d.hmi.ask(t, uibridge.TraceInterface+".WithdrawConsent", "demo")
	d.told("NewAnswers", same(uint32(0)))
	if got := d.answered(); !strings.HasPrefix(got, "demo-answer false true ") {
		t.Errorf("after a withdrawal: %s", got)
	}
	d.give("demo", screen, "good", "NoConsent")
}

// shown waits for nothing: the driver's only trace is of that task, with these words.
func (d *dialogueCar) shown(task, words string) {
	d.t.Helper()
	object := d.hmi.Object(uibridge.AgentName, uibridge.AgentPath)
	var traces []map[string]dbus.Variant
	var text string
	var segment []byte
	if err := object.Call(uibridge.TraceInterface+".Traces", 0).Store(&traces); err != nil || len(traces) != 1 || traces[0]["task"].Value() != task {
		d.t.Fatalf("traces %v, %v", traces, err)
	}
	if err := object.Call(uibridge.TraceInterface+".ShowTrace", 0, traces[0]["id"].Value()).Store(&text, &segment); err != nil || !strings.Contains(text, words) || len(segment) != 512 {
		d.t.Errorf("shown as %s, %v", text, err)
	}
}

// answered is the driver's only answer as "id yours quiet weeks".
func (d *dialogueCar) answered() string {
	d.t.Helper()
	var list []map[string]dbus.Variant
	if err := d.hmi.Object(uibridge.AgentName, uibridge.AgentPath).Call(uibridge.TraceInterface+".Answers", 0).Store(&list); err != nil || len(list) != 1 {
		d.t.Fatalf("answers %v, %v", list, err)
	}
	a := list[0]
	return fmt.Sprintf("%v %v %v %v", a["id"].Value(), a["yours"].Value(), a["quiet"].Value(), a["weeks"].Value())
}

// TestFeedbackIsForParkedCars holds that nothing is taken, nor shown as open, while
// the car is not parked.
func TestFeedbackIsForParkedCars(t *testing.T) {
	b := newDeckBench(t)
	text := watchedCards("a")
	text = strings.Replace(text, "dictionary:\n", `feedback:
  - {id: 9, name: opinion, card: a, ask: {en: Well, zh: 如何}, choices: [{id: 1, name: good, text: {en: Good, zh: 好}}, {id: 2, name: bad, text: {en: Bad, zh: 坏}}]}
dictionary:
  - {id: 1001, task: opinion, vehicles: 5, events: [other/other choice_1 ok first parked]}
  - {id: 1002, task: opinion, vehicles: 5, events: [other/other choice_2 ok first parked]}
`, 1)
	b.write("study.yaml", text)
	b.config.Traces = b.path("traces")
	b.config.Studies.Cards = []string{b.path("study.yaml")}
	b.start()
	b.frame(0, 126)
	b.consentTo("regret")
	give := func() string {
		err := b.agent.Call(uibridge.TraceInterface+".GiveFeedback", 0, "regret", "opinion", "bad").Err
		var fault dbus.Error
		if err != nil && !errors.As(err, &fault) {
			t.Fatal(err)
		}
		return fault.Name
	}
	b.frame(30, 4)
	for end := time.Now().Add(patience); ; {
		var list []map[string]dbus.Variant
		if err := b.agent.Call(uibridge.TraceInterface+".Feedback", 0).Store(&list); err != nil || len(list) != 1 {
			t.Fatalf("%v, %v", list, err)
		}
		if list[0]["open"].Value() == false {
			break
		} else if time.Now().After(end) {
			t.Fatal("the car does not drive")
		}
	}
	if got := give(); got != "org.vignette.Error.NotParked" {
		t.Errorf("while driving: %q", got)
	}
	b.frame(0, 126)
	for end := time.Now().Add(patience); ; {
		got := give()
		if got == "" {
			break
		} else if got != "org.vignette.Error.NotParked" || time.Now().After(end) {
			t.Fatalf("parked again: %q", got)
		}
	}
	if text := b.traces(1); !strings.Contains(text, "task opinion, ") || !strings.Contains(text, "1. other/other chose bad -> ok") {
		t.Errorf("recorded\n%s", text)
	}
	b.stop()
}
