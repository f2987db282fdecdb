package engine

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
)

// The meaning of each step is held by the hand-worked traces of
// testdata/meaning, run in scenes/drive. Here: what must hold for any events.

// rich is a program that uses every operator, two actuators that three cards
// contend for, waits, a loop through its own readback, and a small quarantine.
func rich(t testing.TB) *Program {
	t.Helper()
	num := func(x float64) Value { return Value{Kind: Number, Num: x} }
	set := func(act int, x float64, lease int64, end EndKind) Step {
		return Step{Kind: Set, Actuator: act, Value: num(x), Lease: lease, AtEnd: end, EndValue: num(10)}
	}
	p := &Program{
		Signals: []Signal{
			{Path: "A", Type: Number, StaleAfter: 3e9}, {Path: "B", Type: Number}, {Path: "C", Type: Bool},
			{Path: "F", Type: Number}, {Path: "L", Type: Label, Labels: []string{"x", "y"}, StaleAfter: 5e9},
		},
		States: []DriveState{{"parked", Cond{{Op: All, Size: 3}, {Op: Is, Slot: 2, A: 1, Size: 1}, {Op: Between, Slot: 0, A: -1, B: 5, Size: 1}}},
			{"idling", Cond{{Op: Below, Slot: 0, A: 2, Size: 1}}}},
		Actuators: []Actuator{
			{Path: "F", Min: 0, Max: 7, Step: 1, Slew: 2, MinInterval: 1e9, States: 7, EndStates: 3, Holdoff: 4e9, HasCall: true, Within: 5e8, Readback: 3, ReadWithin: 1e9},
			{Path: "G", Max: 10, States: 3, EndStates: 7, Holdoff: 1e9, Readback: -1},
		},
		Actions:    []Action{{"note", 7, 2e9, true, 5e8}, {"tip", 1, 0, false, 0}},
		Quarantine: Quarantine{Fires: 4, Within: 5e9},
		Occurs:     []Occurrence{{Name: "near", Opposite: 1}, {Name: "far", Opposite: 0}, {Name: "button", Opposite: -1}},
		Cards: []Card{
			{ID: "a", When: []Trigger{{Op: RisesAbove, Slot: 0, X: 4, Rearm: 2, Hold: 1e9}, {Op: Becomes, Slot: 4, X: 1}}, Names: []int{0, 4},
				Then: []Step{set(0, 6, 3e9, Restore), {Kind: Wait, Wait: 1e9}, {Kind: Do, Action: 0, Continue: true}, set(1, 3, 2e9, SetTo)}},
			{ID: "b", When: []Trigger{{Op: FallsBelow, Slot: 0, X: 3, Rearm: 4}, {Op: Leaves, Slot: 4, X: 0}}, Names: []int{0, 1, 4}, Priority: 2, Cooldown: 1e9,
				OnlyIf: []Cond{{{Op: Any, Size: 4}, {Op: InState, State: 2, Size: 1}, {Op: Not, Size: 2}, {Op: IsNot, Slot: 1, A: 3, Size: 1}}},
				Then:   []Step{set(0, 2, 2e9, Leave), {Kind: Do, Action: 1}}},
			{ID: "c", When: []Trigger{{Op: Changes, Slot: 3}, {Op: Becomes, Slot: 2, X: 1, Hold: 5e8}}, Names: []int{2, 3},
				OnlyIf: []Cond{{{Op: Above, Slot: 3, A: 0, Size: 1}}},
				Then:   []Step{set(0, 4, 1e9, SetTo), set(1, 5, 1e9, Leave)}},
		},
	}
	if err := p.Build(); err != nil {
		t.Fatal(err)
	}
	return p
}

// deciding is rich with two cards that use every trigger it has not.
func deciding(t testing.TB) *Program {
	t.Helper()
	p := rich(t)
	p.idx = index{}
	p.Cards = append(p.Cards,
		Card{ID: "d", When: []Trigger{{Op: Avg, Slot: 3, X: 3, Over: 2e9}, {Op: Rate, Slot: 0, X: -1, Below: true, Over: 1e9}, {Op: Min, Slot: 0, X: 1, Over: 1600e6},
			{Op: Max, Slot: 3, X: 6, Below: true, Over: 999999999}, {Op: StaleFor, Slot: 1, Over: 2e9}, {Op: Recovered, Slot: 0},
			{Op: Count, N: 3, Over: 4e9}, {Op: Sequence, Over: 2e9}, {Op: Becomes, Slot: 4, X: 1, Into: 7}, {Op: Occurs, Occur: 0, Into: 8}, {Op: Occurs, Occur: 2, Into: 8, Second: true}},
			Names: []int{0, 3, 4}, OnlyIf: []Cond{{{Op: Any, Size: 3}, {Op: Fresh, Slot: 1, Size: 1}, {Op: TimeOfDay, A: 0, B: 600, Size: 1}}}, Then: []Step{{Kind: Do, Action: 1}}},
		Card{ID: "e", When: []Trigger{{Op: WallTime, At: 3 * hour, Days: 0x7F}, {Op: Sunrise, Offset: -minute}, {Op: Sunset}, {Op: Occurs, Occur: 1}}, Then: []Step{{Kind: Do}}},
	)
	if err := p.Build(); err != nil {
		t.Fatal(err)
	}
	return p
}

// randomEvents makes a stream with small values, so that everything happens.
func randomEvents(r *rand.Rand, n int) (events []Event) {
	t := int64(0)
	for range n {
		t += int64(r.IntN(5)) * 250e6
		if r.IntN(40) == 0 {
			t -= 1e9
		}
		ev := Event{T: t, Session: 1}
		switch k := r.IntN(10); {
		case k < 7:
			for slot := range 5 {
				if r.IntN(3) > 0 {
					continue
				}
				limit := []int{8, 4, 2, 9, 2}[slot]
				ev.Samples = append(ev.Samples, Sample{slot, r.IntN(12) > 0, float64(r.IntN(limit))})
			}
		case k == 7:
			ev.Kind = EvTick
		case k == 8:
			ev.Kind, ev.Ref, ev.OK = EvReply, 0, r.IntN(4) > 0 // Ref is chosen when it is fed
		default:
			switch r.IntN(12) {
			case 0, 1, 2:
			case 3, 4, 5, 6, 7, 8:
				ev.Kind, ev.Occur, ev.OK = EvOccur, r.IntN(3), r.IntN(5) > 0
			case 9, 10:
				ev.Kind, ev.Clock = EvClock, randomClock(r, t)
			default:
				ev.Kind = EvTick
			}
			if ev.Kind != EvFrame {
				break
			}
			ev.Kind, ev.Actuator, ev.Value = EvOverride, r.IntN(2), Value{Kind: Number, Num: float64(r.IntN(9))}
		}
		events = append(events, ev)
	}
	return events
}

// randomClock is near 03:00 on some day, with everything due soon.
func randomClock(r *rand.Rand, t int64) *Clocking {
	if r.IntN(5) == 0 {
		return &Clocking{}
	}
	wall := 20_000*day + 3*hour + int64(r.IntN(9)-5)*30*minute - int64(r.IntN(30))*second
	if r.IntN(2) == 0 {
		wall = 20_000*day + 2*hour + 59*minute + t
	}
	c := &Clocking{Trusted: true, Wall: wall, Offset: int64(r.IntN(3)-1) * 3600}
	if r.IntN(2) == 0 {
		c.Next, c.NextOffset = wall+int64(r.IntN(60))*second, int64(r.IntN(3)-1)*3600
	}
	c.Rise = [2]int64{wall - day + minute + int64(r.IntN(20))*second, wall + minute + int64(r.IntN(20))*second}
	c.Set = [2]int64{wall - int64(r.IntN(20))*second, wall + day}
	return c
}

// play feeds events, replies to calls in order, and checks each step.
func play(t *testing.T, p *Program, events []Event, judged bool) (all []Record) {
	t.Helper()
	s := p.NewState(1, judged)
	var out Effects
	var calls []uint64
	for i := range events {
		ev := events[i]
		if ev.Kind == EvReply && len(calls) > 0 {
			ev.Ref, calls = calls[0], calls[1:]
		}
		out.Reset()
		p.Step(s, &ev, &out)
		all = append(all, out.Records...)
		for _, c := range out.Calls {
			if r := &all[c.N-1]; r.What != Acted || c.NotAfter < r.T {
				t.Fatalf("call %+v of record %+v", c, *r)
			}
			calls = append(calls, c.N)
		}
	}
	return all
}

// sound reports what may not be in any log.
func sound(records []Record) error {
	ended := map[uint64]bool{} // by the n of the grant
	for i, r := range records {
		switch {
		case r.N != uint64(i+1):
			return fmt.Errorf("record %d has n %d", i+1, r.N)
		case i > 0 && r.T < records[i-1].T:
			return fmt.Errorf("record %d goes back in time", r.N)
		case r.Cause >= r.N:
			return fmt.Errorf("record %d is caused by %d", r.N, r.Cause)
		}
		var cause Record
		if r.Cause > 0 {
			cause = records[r.Cause-1]
		}
		switch r.What {
		case Ended:
			if r.Why == "override" {
				if cause.What != Override || cause.Actuator != r.Actuator {
					return fmt.Errorf("record %d ends by %v of %s", r.N, cause.What, cause.Actuator)
				}
				continue
			}
			if cause.What != Acted || cause.Card != r.Card || cause.Actuator != r.Actuator || ended[r.Cause] {
				return fmt.Errorf("record %d ends a lease that is over, or another's: %+v", r.N, cause)
			}
			ended[r.Cause] = true
		case Replied, Failed:
			if cause.What != Acted || cause.Card != r.Card || cause.Action != r.Action {
				return fmt.Errorf("record %d is about %+v", r.N, cause)
			}
		case Acted:
			if want := (map[bool]What{true: Ended, false: Fired})[r.Action == "end" || cause.What == Ended]; cause.What != want {
				return fmt.Errorf("record %d acts because of %v", r.N, cause.What)
			}
		case Held, Fired, Blocked, Quarantined, Cancelled, Denied, Lost, Known, Unknown, Override, Live, Clock, Dropped:
		}
	}
	return nil
}

// TestAnyEvents holds for any events: the log is sound, the same events give
// the same log, and everything that can happen does.
func TestAnyEvents(t *testing.T) {
	p := deciding(t)
	seen := map[string]bool{}
	for seed := range uint64(400) {
		events := randomEvents(rand.New(rand.NewPCG(seed, 1)), 400)
		for _, judged := range []bool{false, true} {
			log := play(t, p, events, judged)
			if err := sound(log); err != nil {
				t.Fatalf("seed %d, judged %v: %v", seed, judged, err)
			}
			if again := play(t, p, events, judged); !reflect.DeepEqual(log, again) {
				t.Fatalf("seed %d, judged %v: a second run differs", seed, judged)
			}
			for _, r := range log {
				seen[r.What.String()+" "+r.Why] = true
			}
		}
	}
	for _, want := range []string{"live ", "held trigger[0]", "cancelled rearmed", "cancelled unknown:A", "blocked not_live", "blocked cooldown",
		"blocked reentry", "blocked only_if[0]", "blocked quarantined", "quarantined fires", "denied base", "denied interval", "denied state:moving", "denied range",
		"lost winner:b", "lost winner:driver", "ended duration", "ended error", "ended timeout", "ended override", "ended quarantined",
		"ended state:moving", "failed readback", "failed timeout", "replied ", "override ", "unknown stale:A", "unknown invalid:L", "clock back",
		"dropped reply", "clock trusted", "clock lost", "clock step", "clock zone", "fired trigger[2]", "fired trigger[3]", "fired trigger[4]", "fired trigger[5]", "fired trigger[6]", "fired trigger[7]"} {
		if !seen[want] {
			t.Errorf("400 runs never showed %q", want)
		}
	}
}

// TestLeaseMS holds what a service is told: the time left, the call's limit and
// the readback's time, in ms; an end has nothing left to end.
func TestLeaseMS(t *testing.T) {
	p := rich(t)
	s := p.NewState(1, false)
	var out Effects
	feed := func(at int64, samples ...Sample) {
		p.Step(s, &Event{T: at, Samples: samples}, &out)
	}
	feed(0, Sample{0, true, 1}, Sample{1, true, 0}, Sample{2, true, 1}, Sample{3, true, 0}, Sample{4, true, 0})
	feed(1e9, Sample{4, true, 1}) // a: F from its base 0 to 6 for 3 s; b is blocked
	feed(2e9, Sample{0, true, 1})
	feed(5e9, Sample{0, true, 1})
	var got []string
	for _, c := range out.Calls {
		if c.Actuator == 0 && c.Kind != CallDo {
			got = append(got, fmt.Sprintf("%v %v %v", c.Kind, c.Value.Num, c.LeaseMS))
		}
	}
	// 3 s + 0.5 s + (1 s + 6/2 s)
	if want := []string{"0 6 7500", "1 0 0"}; !reflect.DeepEqual(got, want) {
		t.Errorf("calls of kind, value and lease_ms %q, want %q", got, want)
	}
}

// TestBuildRefuses names programs that are no programs.
func TestBuildRefuses(t *testing.T) {
	for name, spoil := range map[string]func(p *Program){
		"cards out of order": func(p *Program) { p.Cards[0].ID = "z" },
		"no trigger":         func(p *Program) { p.Cards[1].When = nil },
		"no action":          func(p *Program) { p.Cards[1].Then = nil },
		"state of states":    func(p *Program) { p.States[1].When = Cond{{Op: InState, Size: 1}} },
		"too many states":    func(p *Program) { p.States = make([]DriveState, 64) },
		"window of no time":  func(p *Program) { p.Cards[0].When[0] = Trigger{Op: Avg} },
		"count of nine":      func(p *Program) { p.Cards[0].When[0] = Trigger{Op: Count, N: 9, Over: 1} },
		"no day":             func(p *Program) { p.Cards[0].When[0] = Trigger{Op: WallTime, Days: 0x80} },
		"edge of nothing":    func(p *Program) { p.Cards[0].When[0].Into = 9 },
		"edge of an edge":    func(p *Program) { p.Cards[0].When[0].Into = 2 },
	} {
		p := rich(t)
		p.idx = index{}
		spoil(p)
		if err := p.Build(); err == nil {
			t.Errorf("%s: built", name)
		}
	}
}
