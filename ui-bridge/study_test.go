package uibridge

import (
	"fmt"
	"testing"

	"github.com/godbus/dbus/v5"
)

// TestTracesAreAnnounced holds that watchers, and nobody else, are told what has
// changed of studies and traces, and of nothing else.
func TestTracesAreAnnounced(t *testing.T) {
	address, _ := startBus(t)
	a := newAgent()
	br := connect(t, address, a)
	a.consent[demoStudy] = true // so it was when somebody looked
	br.TracesChanged()          // to nobody
	a.consent[demoStudy] = false
	hmi, other := client(t, address), client(t, address)
	heard, overheard := listen(hmi), listen(other)
	if err := other.AddMatchSignal(); err != nil { // every signal that is not somebody's own
		t.Fatal(err)
	}
	if err := ask(t, hmi, AgentInterface+".Watch", []string{}).Err; err != nil {
		t.Fatal(err)
	}
	var props map[string]dbus.Variant
	if err := ask(t, hmi, propertiesOf+".GetAll", TraceInterface).Store(&props); err != nil || props["Recording"].Value() != false {
		t.Errorf("properties %v, %v", props, err)
	}
	if s := next(t, heard, propertiesOf+".PropertiesChanged"); s.Body[1].(map[string]dbus.Variant)["Recording"].Value() != false {
		t.Errorf("what was read is told as %v", s)
	}
	set := func(on bool, answers int) {
		a.mu.Lock()
		a.consent[demoStudy], a.newAnswers = on, answers
		a.mu.Unlock()
		br.TracesChanged()
	}
	for _, c := range []struct {
		on      bool
		answers int
		want    map[string]any
	}{
		{true, 0, map[string]any{"Recording": true}},
		{true, 2, map[string]any{"NewAnswers": uint32(2)}},
		{false, 0, map[string]any{"Recording": false, "NewAnswers": uint32(0)}},
	} {
		set(c.on, c.answers)
		set(c.on, c.answers) // nothing new
		s := next(t, heard, propertiesOf+".PropertiesChanged")
		got := map[string]any{}
		for name, v := range s.Body[1].(map[string]dbus.Variant) {
			got[name] = v.Value()
		}
		if s.Path != AgentPath || s.Body[0] != TraceInterface || fmt.Sprint(got) != fmt.Sprint(c.want) || len(s.Body[2].([]string)) != 0 {
			t.Errorf("told %v, want %v", s, c.want)
		}
	}
	if err := ask(t, hmi, AgentInterface+".Unwatch").Err; err != nil {
		t.Fatal(err)
	}
	set(true, 0)
	if err := br.Drain(within(t)); err != nil {
		t.Fatal(err)
	}
	if err := ask(t, other, peer+".Ping").Err; err != nil { // all that was sent before has come
		t.Fatal(err)
	}
	for range len(overheard) {
		if s := <-overheard; s.Path == AgentPath {
			t.Errorf("another program heard %v", s)
		}
	}
	if err := ask(t, hmi, peer+".Ping").Err; err != nil {
		t.Fatal(err)
	}
	for range len(heard) {
		if s := <-heard; s.Name == propertiesOf+".PropertiesChanged" {
			t.Errorf("told after Unwatch: %v", s)
		}
	}
}
