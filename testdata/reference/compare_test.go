package reference_test

import (
	"flag"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"vignette/scenes/drive"
	"vignette/scenes/engine"
	"vignette/testdata/reference"
	"vignette/testdata/reference/translate"
)

var cases = flag.Int("cases", 100_000, "how many random cases TestWholeLogs makes, without -short")

// TestWholeLogs compares whole decision logs of engine and reference over
// random profiles, cards and streams, with reloads, restarts and snapshots in
// half of them: 100,000 cases, 2,000 with -short.
func TestWholeLogs(t *testing.T) {
	checks := strconv.Itoa(*cases / 4)
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
	w := drawWorld(t)
	judged := eighth.Draw(t, "judged") > 1
	stream := drawStream(t, w, judged)
	for _, p := range w.programs {
		if err := p.Build(); err != nil {
			t.Fatal(err)
		}
	}
	c := newComparison(w, judged)
	for i := range stream {
		if diff := c.stroke(&stream[i]); diff != "" {
			t.Fatalf("judged %v\n%s%s", judged, c.show(), diff)
		}
	}
	if diff := c.certified(); diff != "" {
		t.Fatalf("%s%s", c.show(), diff)
	}
	for _, log := range append(c.earlier, c.log) {
		seen.add(log)
	}
}

// comparison runs engine and reference in step.
type comparison struct {
	w       *world
	judged  bool
	session uint64
	kernel  int // boots of it
	p       *engine.Program
	state   *engine.State
	out     engine.Effects
	ref     *reference.Interpreter
	log     []reference.Record   // of the reference in this session
	earlier [][]reference.Record // those of the sessions before
	text    []byte               // of the engine
	given   []func() string
	writes  []write // of the last second, the newest last
}

// write is a state that was written.
type write struct {
	t      int64
	kernel int
	called bool // before calls
	kept   *engine.Kept
	ref    *reference.Saved
}

func newComparison(w *world, judged bool) *comparison {
	c := &comparison{w: w, judged: judged, session: 1, p: w.programs[0]}
	v, cards := translate.Program(c.p)
	c.state, c.ref = c.p.NewState(1, judged), reference.New(v, cards, 1, judged)
	c.tell(func() string { return describe(w.programs[0]) })
	c.wrote(0)
	return c
}

// tell notes what is to be shown of a case that fails.
func (c *comparison) tell(what func() string) { c.given = append(c.given, what) }

func (c *comparison) show() string {
	var b strings.Builder
	for _, what := range c.given {
		fmt.Fprintln(&b, what())
	}
	return b.String()
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
	if c.w.restless || s.Turn == snapshot {
		if err := c.restore(); err != nil {
			return err.Error()
		}
	}
	switch s.Turn {
	case reload:
		return c.reload(s)
	case restart:
		return c.restart(s)
	}
	return c.step(c.resolve(s))
}

// step feeds one event to both and gives their logs if they differ.
func (c *comparison) step(ev engine.Event) string {
	said := translate.Event(c.p, &ev)
	c.tell(func() string { return eventLine(said) })
	c.out.Reset()
	c.p.Step(c.state, &ev, &c.out)
	return c.compare(ev.T, c.ref.Step(said))
}

// compare holds what both have said, and notes what was written.
func (c *comparison) compare(t int64, want []reference.Record) string {
	c.log = append(c.log, want...)
	var got, expected []byte
	for i := range c.out.Records {
		got = drive.AppendRecordJSON(got, &c.out.Records[i])
	}
	for i := range want {
		expected = append(expected, want[i].JSON()...)
	}
	c.text = append(c.text, got...)
	c.wrote(t)
	if string(got) == string(expected) {
		return ""
	}
	return fmt.Sprintf("\nlog of the engine:\n%s\nthe reference's last step:\n%s", c.text, expected)
}

// certified holds that no step of the state took more operations than the
// program is certified for, where one frame may bring all signals.
func (c *comparison) certified() string {
	limit := c.p.Total(make([]int, len(c.p.Signals))).OpsPerStep
	if n := c.state.Operations(); n > limit {
		return fmt.Sprintf("a step took %d operations; certified are %d", n, limit)
	}
	return ""
}

// restore goes on from a snapshot, which nobody notices.
func (c *comparison) restore() error {
	state, err := c.p.Restore(c.state.Snapshot(nil))
	if err == nil {
		c.state = state
	}
	return err
}

// reload has another program take over.
func (c *comparison) reload(s *stroke) string {
	if diff := c.certified(); diff != "" {
		return diff
	}
	next := c.w.programs[s.Next]
	v, cards := translate.Program(next)
	c.tell(func() string { return fmt.Sprintf("%.9g reload\n%s", float64(s.T)/1e9, describe(next)) })
	c.out.Reset()
	c.state = c.p.Reload(c.state, next, s.T, &c.out)
	c.p = next
	return c.compare(s.T, c.ref.Reload(s.T, v, cards))
}

// wrote notes the state that is written after a step, and forgets those that
// are more than a second old.
func (c *comparison) wrote(t int64) {
	if !c.w.turns {
		return
	}
	c.writes = append(c.writes, write{t, c.kernel, len(c.out.Calls) > 0, c.p.Keep(c.state), c.ref.Save()})
	c.writes = slices.DeleteFunc(c.writes, func(w write) bool { return w.t < t-1e9 })
}

// restart begins a session from a state that was written: the newest, or one
// before it of the last second; after a kill none from before a call.
func (c *comparison) restart(s *stroke) string {
	if diff := c.certified(); diff != "" {
		return diff
	}
	at := len(c.writes) - 1
	for range s.Age {
		if at > 0 && (s.Power || !c.writes[at].called) {
			at--
		}
	}
	from := c.writes[at]
	saved, err := drive.ParseSaved(drive.AppendSaved(nil, &drive.Saved{Kept: *from.kept}))
	if err != nil {
		return err.Error()
	}
	if s.Other {
		c.kernel++
	}
	c.p = c.w.programs[s.Next]
	v, cards := translate.Program(c.p)
	c.session++
	same := from.kernel == c.kernel
	c.tell(func() string {
		return fmt.Sprintf("restart from the state of %.9g, same boot %v\n%s", float64(from.t)/1e9, same, describe(c.w.programs[s.Next]))
	})
	c.state, c.ref = c.p.Boot(&saved.Kept, c.session, c.judged, same), reference.Boot(from.ref, v, cards, c.session, c.judged, same)
	c.earlier, c.log = append(c.earlier, c.log), nil
	c.writes = []write{from}
	return ""
}

// resolve makes the event of a stroke from what the log holds so far.
func (c *comparison) resolve(s *stroke) engine.Event {
	ev := s.Event
	if ev.Session != 0 {
		ev.Session += c.session - 1
	}
	switch ev.Kind {
	case engine.EvFrame:
		ev.Samples = c.samples(s)
	case engine.EvOverride:
		if ev.Actuator >= len(c.p.Actuators) {
			ev.Kind = engine.EvTick
		}
	case engine.EvAnswer:
		if ev.Ref = c.question(s.Late); ev.Ref == 0 && !s.Late {
			ev.Kind = engine.EvTick
		}
	case engine.EvFree, engine.EvEnable, engine.EvRun:
		c.choose(&ev)
	}
	if ev.Kind == engine.EvReply {
		ev.Ref = 1 << 40
		if acts := c.acts(s.Late); len(acts) > 0 {
			ev.Ref = acts[max(0, len(acts)-1-s.Back)]
		} else if !s.Late {
			ev.Kind = engine.EvTick
		}
	}
	return ev
}

// choose finds the card of an event: where one is in quarantine or disabled it
// is that one.
func (c *comparison) choose(ev *engine.Event) {
	if len(c.p.Cards) == 0 {
		ev.Kind = engine.EvTick
		return
	}
	ev.Card %= len(c.p.Cards)
	switch {
	case ev.Kind == engine.EvFree:
		ev.Card = c.cardThatIs("quarantined", "fires", ev.Card)
	case ev.Kind == engine.EvEnable && ev.On:
		ev.Card = c.cardThatIs("user", "disabled", ev.Card)
	}
}

// samples makes the universe's samples those of the program.
func (c *comparison) samples(s *stroke) (list []engine.Sample) {
	for _, sample := range s.Samples {
		if sample.Slot = slotOf(c.p, universe[sample.Slot]); sample.Slot < 0 {
			continue
		}
		for a := range c.p.Actuators {
			if s.Echo && c.p.Actuators[a].Readback == sample.Slot {
				c.echo(&sample, c.p.Actuators[a].Path)
			}
		}
		list = append(list, sample)
	}
	return list
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
		if at := slices.IndexFunc(c.p.Cards, func(card engine.Card) bool { return card.ID == r.Card }); r.What == what && r.Why == why && at >= 0 {
			return at
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

// describe shows a program.
func describe(p *engine.Program) string {
	v, cards := translate.Program(p)
	var b strings.Builder
	fmt.Fprintln(&b, v.Version)
	for _, a := range v.Actuators {
		fmt.Fprintf(&b, "%+v\n", a)
	}
	fmt.Fprintf(&b, "%+v\n%+v\n%+v\n", v.Signals, v.Actions, v.Quarantine)
	for _, c := range cards {
		fmt.Fprintf(&b, "%s, version %s, prio %d cooldown %d manual %v restart %v on_boot %s\n", c.ID, c.Version, c.Priority, c.Cooldown, c.Manual, c.Restart, c.OnBoot)
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
