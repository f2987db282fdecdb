package reference_test

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"vignette/scenes/drive"
	"vignette/scenes/engine"
	"vignette/testdata/reference"
	"vignette/testdata/reference/translate"
)

// TestWholeLogs compares whole decision logs of engine and reference over
// random profiles, cards and streams: 100,000 cases, 2,000 with -short.
func TestWholeLogs(t *testing.T) {
	checks := "25000"
	if testing.Short() {
		checks = "2500" // rapid makes a fifth of it
	}
	setFlag(t, "rapid.checks", checks)
	setFlag(t, "rapid.nofailfile", "true") // its seed is enough to see a failure again
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
		seen.check(t, testing.Short())
	}
}

func setFlag(t *testing.T, name, value string) {
	t.Helper()
	if err := flag.Set(name, value); err != nil {
		t.Fatal(err)
	}
}

func compareCase(t *rapid.T, seen *coverage) {
	p, loops := drawProgram(t)
	judged := eighth.Draw(t, "judged") > 1
	stream := drawStream(t, p, judged, loops)
	if err := p.Build(); err != nil {
		t.Fatal(err)
	}
	c := newComparison(p, judged)
	for i := range stream {
		if diff := c.stroke(&stream[i]); diff != "" {
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
	v, cards := translate.Program(p)
	return &comparison{p: p, state: p.NewState(1, judged), ref: reference.New(v, cards, 1, judged)}
}

// stroke feeds what a stroke stands for.
func (c *comparison) stroke(s *stroke) string {
	if s.Parade {
		for user := uint64(10); user < 75; user++ {
			if diff := c.step(engine.Event{T: s.T, Kind: engine.EvUser, User: user}); diff != "" {
				return diff
			}
		}
	}
	return c.step(c.resolve(s))
}

// step feeds one event to both and gives their logs if they differ.
func (c *comparison) step(ev engine.Event) string {
	c.given = append(c.given, ev)
	want := c.ref.Step(translate.Event(c.p, &ev))
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
	switch ev.Kind {
	case engine.EvAnswer:
		if ev.Ref = c.question(s.Late); ev.Ref == 0 && !s.Late {
			ev.Kind = engine.EvTick
		}
	case engine.EvFree:
		ev.Card = c.cardThatIs("quarantined", "fires", ev.Card)
	case engine.EvEnable:
		if ev.On {
			ev.Card = c.cardThatIs("user", "disabled", ev.Card)
		}
	}
	if ev.Kind == engine.EvReply {
		ev.Ref = 1 << 40
		if acts := c.acts(s.Late); len(acts) > 0 {
			ev.Ref = acts[max(0, len(acts)-1-s.Back)]
		} else if !s.Late {
			ev.Kind = engine.EvTick
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

// question is the n of the newest `asked`, one that is open unless any will do.
func (c *comparison) question(any bool) uint64 {
	for _, r := range slices.Backward(c.log) {
		if r.What == "asked" && (any || !slices.ContainsFunc(c.log, func(o reference.Record) bool {
			return o.Cause == r.N && (o.What == "confirmed" || o.What == "declined")
		})) {
			return r.N
		}
	}
	return 0
}

// cardThatIs is the newest card with such a record; otherwise i.
func (c *comparison) cardThatIs(what, why string, i int) int {
	for _, r := range slices.Backward(c.log) {
		if r.What == what && r.Why == why {
			return slices.IndexFunc(c.p.Cards, func(card engine.Card) bool { return card.ID == r.Card })
		}
	}
	return i
}

// acts lists the acts so far, all or those whose call is open.
func (c *comparison) acts(all bool) (list []uint64) {
	for _, r := range c.log {
		if r.What == "acted" && (all || c.calls(r)) {
			list = append(list, r.N)
		}
	}
	if all {
		return list
	}
	return slices.DeleteFunc(list, func(n uint64) bool {
		return slices.ContainsFunc(c.log, func(r reference.Record) bool {
			return r.Cause == n && (r.What == "replied" || r.What == "failed" && r.Why != "readback")
		})
	})
}

// calls tells whether an act has a call.
func (c *comparison) calls(r reference.Record) bool {
	return slices.ContainsFunc(c.p.Actuators, func(a engine.Actuator) bool { return a.Path == r.Actuator && a.HasCall }) ||
		slices.ContainsFunc(c.p.Actions, func(a engine.Action) bool { return a.Name == r.Action && a.HasCall })
}

func (c *comparison) echo(s *engine.Sample, path string) {
	for _, r := range slices.Backward(c.log) {
		if r.What == "acted" && r.Actuator == path && s.Valid {
			s.Num = r.Value.Num
			if r.Value.Kind == reference.Label {
				s.Num = float64(slices.Index(labels, r.Value.Label))
			}
			return
		}
	}
}

func show(p *engine.Program, events []engine.Event) string {
	v, cards := translate.Program(p)
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
	for i := range events {
		fmt.Fprintln(&b, eventLine(translate.Event(p, &events[i])))
	}
	return b.String()
}

// eventLine shows an event with what it has.
func eventLine(ev reference.Event) string {
	line := fmt.Sprintf("%.9g %s", float64(ev.T)/1e9, ev.Kind)
	for _, s := range ev.Samples {
		if s.Valid {
			line += fmt.Sprintf(" %s=%s", s.Signal, s.Value.JSON())
		} else {
			line += " " + s.Signal + "=invalid"
		}
	}
	switch ev.Kind {
	case "reply", "answer":
		line += fmt.Sprintf(" %d of session %d, %v", ev.Ref, ev.Session, ev.OK)
	case "override":
		line += " " + ev.Actuator + " " + ev.Value.JSON()
	case "user":
		line += fmt.Sprint(" ", ev.User)
	case "clock":
		line += fmt.Sprintf(" %+v", ev.Clock)
	case "lost":
		line += " " + ev.Bus + " " + ev.Value.JSON()
	default:
		line += " " + ev.Bus + ev.Link + ev.Card + ev.Occur
	}
	return line
}
