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

var (
	cases  = flag.Int("cases", 100_000, "how many random cases TestWholeLogs makes, without -short")
	search = flag.Bool("search", false, "make other cases than the last time")
)

// everyTime is the seed of the cases that are the same in each run, so that a
// change is judged by what it changes. make search looks for new ones.
const everyTime = "20261122"

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
	if !*search && flag.Lookup("rapid.seed").Value.String() == "0" {
		setFlag(t, "rapid.seed", everyTime)
	}
	var seen coverage
	t.Run("cases", func(t *testing.T) {
		for i := range 4 {
			t.Run(fmt.Sprint(i), func(t *testing.T) {
				t.Parallel()
				rapid.Check(t, func(t *rapid.T) {
					for range i { // the groups have one seed
						rapid.Uint64().Draw(t, "group")
					}
					compareCase(t, &seen)
				})
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
	reached int64   // time of the newest entry
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
	c.reached = t
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

// restart begins a session from a state that was written: after a clean stop the
// newest, else also one before it of the last second; after a kill none from
// before a call.
func (c *comparison) restart(s *stroke) string {
	if diff := c.certified(); diff != "" {
		return diff
	}
	if s.Clean && (c.session == 1 || len(c.log) > 0) { // a session has begun, in this kernel's time
		if diff := c.step(engine.Event{T: c.reached, Kind: engine.EvStop}); diff != "" {
			return diff
		}
	}
	at := len(c.writes) - 1
	for range s.Age {
		if at > 0 && !s.Clean && (s.Power || !c.writes[at].called) {
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
