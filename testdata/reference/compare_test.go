package reference_test

import (
	"flag"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"vignette/scenes/drive"
	"vignette/scenes/engine"
	"vignette/testdata/reference"
)

// TestWholeLogs compares whole decision logs of engine and reference over
// random profiles, cards and streams: 100,000 cases, 2,000 with -short.
func TestWholeLogs(t *testing.T) {
	checks := "25000"
	if testing.Short() {
		checks = "500"
	}
	if err := flag.Set("rapid.checks", checks); err != nil {
		t.Fatal(err)
	}
	var seen coverage
	t.Run("cases", func(t *testing.T) {
		for i := range 4 {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				rapid.Check(t, func(t *rapid.T) { compareCase(t, &seen) })
			})
		}
	})
	if !t.Failed() {
		seen.check(t)
	}
}

func compareCase(t *rapid.T, seen *coverage) {
	p := drawProgram(t)
	judged := dice.Draw(t, "judged") > 3
	stream := drawStream(t, p, judged)
	if err := p.Build(); err != nil {
		t.Fatal(err)
	}
	c := newComparison(p, judged)
	for i := range stream {
		if diff := c.step(&stream[i]); diff != "" {
			t.Fatalf("judged %v\n%s%s", judged, show(p, c.given), diff)
		}
	}
	seen.add(c.log)
}

// comparison runs engine and reference in step.
type comparison struct {
	p     *engine.Program
	state *engine.State
	out   engine.Effects
	ref   *reference.Interpreter
	log   []reference.Record // of the reference, so far
	text  []byte             // of the engine
	given []engine.Event
}

func newComparison(p *engine.Program, judged bool) *comparison {
	v, cards := describe(p)
	return &comparison{p: p, state: p.NewState(1, judged), ref: reference.New(v, cards, 1, judged)}
}

// step feeds one event to both and gives their logs if they differ.
func (c *comparison) step(s *stroke) string {
	ev := c.resolve(s)
	c.given = append(c.given, ev)
	want := c.ref.Step(describer{c.p}.event(&ev))
	c.log = append(c.log, want...)
	c.out.Reset()
	c.p.Step(c.state, &ev, &c.out)
	var got, expected []byte
	for i := range c.out.Records {
		got = drive.AppendRecordJSON(got, &c.out.Records[i])
	}
	for i := range want {
		expected = append(expected, want[i].JSON()...)
	}
	c.text = append(c.text, got...)
	if string(got) == string(expected) {
		return ""
	}
	return fmt.Sprintf("log of the engine:\n%s\nthe reference's last step:\n%s", c.text, expected)
}

// resolve makes the event of a stroke from what the log holds so far.
func (c *comparison) resolve(s *stroke) engine.Event {
	ev := s.Event
	if ev.Kind == engine.EvReply {
		ev.Ref = 1 << 40
		back := s.Back
		for _, r := range slices.Backward(c.log) {
			if r.What != "acted" {
				continue
			}
			if back == 0 {
				ev.Ref = r.N
				break
			}
			back--
		}
	}
	if s.Echo {
		ev.Samples = slices.Clone(ev.Samples)
		for i := range ev.Samples {
			for a := range c.p.Actuators {
				if c.p.Actuators[a].Readback == ev.Samples[i].Slot {
					c.echo(&ev.Samples[i], c.p.Actuators[a].Path)
				}
			}
		}
	}
	return ev
}

func (c *comparison) echo(s *engine.Sample, path string) {
	for _, r := range slices.Backward(c.log) {
		if r.What == "acted" && r.Actuator == path && s.Valid {
			s.Num = r.Value.Num
			return
		}
	}
}

// coverage counts what happened over all cases.
type coverage struct {
	mu   sync.Mutex
	seen map[string]int
}

func (c *coverage) add(log []reference.Record) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen == nil {
		c.seen = map[string]int{}
	}
	for _, r := range log {
		why, _, _ := strings.Cut(r.Why, ":")
		word := ""
		switch r.Action {
		case "", "set", "end":
			word = r.Action
		default:
			word = "do"
		}
		c.seen[strings.Join(strings.Fields(r.What+" "+why+" "+word), " ")]++
	}
}

func (c *coverage) check(t *testing.T) {
	for _, k := range slices.Sorted(maps.Keys(c.seen)) {
		t.Logf("%8d %s", c.seen[k], k)
	}
}

func show(p *engine.Program, events []engine.Event) string {
	v, cards := describe(p)
	var b strings.Builder
	for _, a := range v.Actuators {
		fmt.Fprintf(&b, "%+v\n", a)
	}
	fmt.Fprintf(&b, "%+v\n%+v\n%+v\n", v.Signals, v.Actions, v.Quarantine)
	for _, c := range cards {
		fmt.Fprintf(&b, "%s prio %d cooldown %d\n", c.ID, c.Priority, c.Cooldown)
		for _, w := range c.When {
			fmt.Fprintf(&b, "  when %+v\n", w)
		}
		for _, w := range c.OnlyIf {
			fmt.Fprintf(&b, "  only_if %+v\n", w)
		}
		for _, w := range c.Then {
			fmt.Fprintf(&b, "  then %+v\n", w)
		}
	}
	d := describer{p}
	for i := range events {
		fmt.Fprintf(&b, "%+v\n", d.event(&events[i]))
	}
	return b.String()
}
