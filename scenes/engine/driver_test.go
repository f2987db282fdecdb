package engine

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
)

// driven is rich with an actuator that asks the driver, one that survives
// sleep, and a card that restarts, releases and can be run by hand.
func driven(t testing.TB) *Program {
	t.Helper()
	p := rich(t)
	p.idx = index{}
	num := func(x float64) Value { return Value{Kind: Number, Num: x} }
	p.Actuators = append(p.Actuators,
		Actuator{Path: "H", Max: 9, States: 7, EndStates: 7, Holdoff: 2e9, Confirm: 2e9, HasCall: true, Within: 5e8, Readback: -1},
		Actuator{Path: "I", Max: 9, States: 7, EndStates: 7, Holdoff: 2e9, Survives: true, Readback: -1, MaxLease: 8e9})
	ask := func(x float64) Step {
		return Step{Kind: Set, Actuator: 2, Value: num(x), Lease: 4e9, AtEnd: SetTo, EndValue: num(0)}
	}
	p.Cards = append(p.Cards,
		Card{ID: "d", When: []Trigger{{Op: Changes, Slot: 0}}, Names: []int{0}, Restart: true, Manual: true,
			OnlyIf: []Cond{{{Op: IsNot, Slot: 1, A: 1, Size: 1}}},
			Then:   []Step{{Kind: Set, Actuator: 3, Value: num(5), Lease: 8e9, AtEnd: Leave}, {Kind: Release, Actuator: 3}, ask(4), {Kind: Wait, Wait: 1e9}, {Kind: Release, Actuator: 2}}},
		Card{ID: "e", When: []Trigger{{Op: Changes, Slot: 1}}, Names: []int{1}, Manual: true, Priority: 3, Cooldown: 1e9, Then: []Step{ask(7)}})
	if err := p.Build(); err != nil {
		t.Fatal(err)
	}
	return p
}

// withDriver replaces some of the events by the driver's and sleep.
func withDriver(r *rand.Rand, events []Event) []Event {
	for i := range events {
		if r.IntN(5) > 0 {
			continue
		}
		ev := Event{T: events[i].T, Session: 1, Card: r.IntN(5)}
		switch k := r.IntN(40); {
		case k < 16:
			ev.Kind, ev.OK = EvAnswer, r.IntN(3) > 0 // Ref is chosen when it is fed
		case k < 20:
			ev.Kind, ev.User = EvUser, uint64(r.IntN(3))
		case k < 21:
			ev.Kind = EvSleep
		case k < 29:
			ev.Kind, ev.On = EvEnable, r.IntN(3) > 0
		case k < 35:
			ev.Kind = EvRun
		default:
			ev.Kind = EvFree
		}
		events[i] = ev
	}
	return events
}

// dialogue remembers what the engine said, so that events can answer it.
type dialogue struct {
	calls []uint64 // not replied to, the oldest first
	asked uint64   // the newest question
}

// address makes a reply one to the oldest call, an answer one to the newest
// question.
func (d *dialogue) address(ev *Event) {
	switch {
	case ev.Kind == EvReply && len(d.calls) > 0:
		ev.Ref, d.calls = d.calls[0], d.calls[1:]
	case ev.Kind == EvAnswer:
		ev.Ref = d.asked
	}
}

// hear notes the calls and questions of a step.
func (d *dialogue) hear(out *Effects) {
	for _, c := range out.Calls {
		d.calls = append(d.calls, c.N)
	}
	for _, r := range out.Records {
		if r.What == Asked {
			d.asked = r.N
		}
	}
}

// playDriven feeds events, answers to the newest question and replies to calls
// in order, and checks after each step what must hold of the state.
func playDriven(t *testing.T, p *Program, s *State, events []Event) (all []Record) {
	t.Helper()
	var out Effects
	var talk dialogue
	for i := range events {
		ev := events[i]
		talk.address(&ev)
		out.Reset()
		p.Step(s, &ev, &out)
		all = append(all, out.Records...)
		talk.hear(&out)
		if err := consistent(p, s); err != nil {
			t.Fatalf("after event %d, %+v: %v", i, ev, err)
		}
	}
	return all
}

// consistent reports what may not be of a state between steps.
func consistent(p *Program, s *State) error {
	for i := range s.cards {
		c := &s.cards[i]
		switch q := &c.queue; {
		case (c.disabled || c.quarantined) && q.running:
			return fmt.Errorf("card %d is off and runs", i)
		case q.asked != 0 && (!q.running || s.findAsk(q.asked) < 0):
			return fmt.Errorf("card %d waits for an answer that nobody can give", i)
		case q.running && q.asked == 0 && !q.waiting && q.call == 0:
			return fmt.Errorf("card %d runs and waits for nothing", i)
		}
		for act := range s.acts {
			if (c.disabled || c.quarantined) && s.acts[act].findCard(i) >= 0 {
				return fmt.Errorf("card %d is off and holds actuator %d", i, act)
			}
		}
	}
	for act := range s.acts {
		a := &s.acts[act]
		if a.ask.n != 0 && s.cards[a.ask.card].queue.asked != a.ask.n {
			return fmt.Errorf("actuator %d is asked about for no card", act)
		}
		if len(a.stack) > 0 != (a.top > 0) {
			return fmt.Errorf("actuator %d has %d leases, in force is %d", act, len(a.stack), a.top)
		}
	}
	return nil
}

// soundAsks reports an actuation that the driver did not agree to, or a
// question that is closed twice.
func soundAsks(p *Program, records []Record) error {
	closed := map[uint64]bool{}
	for _, r := range records {
		cause := Record{}
		if r.Cause > 0 {
			cause = records[r.Cause-1]
		}
		switch {
		case r.What == Acted && r.Action == "set" && r.Actuator == "H" && cause.What != Confirmed && cause.What != Ended:
			return fmt.Errorf("record %d sets H because of %v", r.N, cause.What)
		case r.What == Confirmed || r.What == Declined:
			if cause.What != Asked || cause.Card != r.Card || closed[r.Cause] {
				return fmt.Errorf("record %d answers %+v", r.N, cause)
			}
			closed[r.Cause] = true
		}
	}
	return nil
}

// TestAnyDriver holds for any events of the driver among any others.
func TestAnyDriver(t *testing.T) {
	p := driven(t)
	seen := map[string]bool{}
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 2))
		events := withDriver(r, randomEvents(r, 400))
		for _, judged := range []bool{false, true} {
			log := playDriven(t, p, p.NewState(1, judged), events)
			if err := soundAsks(p, log); err != nil {
				t.Fatalf("seed %d, judged %v: %v", seed, judged, err)
			}
			if again := playDriven(t, p, p.NewState(1, judged), events); !reflect.DeepEqual(log, again) {
				t.Fatalf("seed %d, judged %v: a second run differs", seed, judged)
			}
			for _, rec := range log {
				seen[rec.What.String()+" "+rec.Why] = true
			}
		}
	}
	for _, want := range []string{"asked ", "confirmed ", "declined no", "declined timeout", "declined restart", "declined user",
		"declined sleep", "declined disabled", "ended sleep", "ended user", "ended disabled", "ended release", "user user:2", "user guest",
		"user enabled", "user disabled", "blocked disabled", "fired manual", "blocked reentry", "dropped manual", "dropped free",
		"dropped answer", "released driver", "denied only_if[0]"} {
		if !seen[want] {
			t.Errorf("300 runs never showed %q", want)
		}
	}
}

// TestGateHoldsTheCard tries to break what Compile holds, by hand: the gate
// names policy, range and lease in this order, before the drive state.
func TestGateHoldsTheCard(t *testing.T) {
	for _, c := range []struct {
		why   string
		spoil func(a *Actuator, s *Step)
	}{
		{"policy", func(a *Actuator, s *Step) { a.Forbidden, s.Value.Num, s.Lease = true, 99, 0 }},
		{"range", func(a *Actuator, s *Step) { s.Value.Num, s.Lease, a.States = 99, 0, 0 }},
		{"lease", func(a *Actuator, s *Step) { s.Lease, a.States = 9e9, 0 }},
		{"lease", func(a *Actuator, s *Step) { s.Lease = 0 }},
		{"state:moving", func(a *Actuator, s *Step) { a.States = 0 }},
	} {
		p := driven(t)
		c.spoil(&p.Actuators[3], &p.Cards[3].Then[0])
		s := p.NewState(1, true)
		var out Effects
		for i := range 3 {
			p.Step(s, &Event{T: int64(i), Samples: []Sample{{0, true, float64(i)}, {1, true, 0}}}, &out)
		}
		var got string
		for _, r := range out.Records {
			if r.What == Denied && r.Actuator == "I" {
				got = r.Why
			}
		}
		if got != c.why || len(s.acts[3].stack) > 0 {
			t.Errorf("denied why %q, want %q; leases %v", got, c.why, s.acts[3].stack)
		}
	}
}

// TestForgottenUser: with one user too many the one who left longest ago is
// forgotten, and that is said.
func TestForgottenUser(t *testing.T) {
	p := driven(t)
	s := p.NewState(1, true)
	var out Effects
	p.Step(s, &Event{Kind: EvEnable, Card: 3}, &out) // the guest disables d
	for user := uint64(1); user <= maxUsers; user++ {
		p.Step(s, &Event{Kind: EvUser, User: user}, &out)
	}
	p.Step(s, &Event{Kind: EvUser}, &out)
	if s.Enabled(3) || len(s.users) != maxUsers {
		t.Fatalf("the guest's card is enabled again: %v; %d users kept", s.Enabled(3), len(s.users))
	}
	out.Reset()
	p.Step(s, &Event{Kind: EvUser, User: maxUsers + 1}, &out)
	want := []Record{{N: s.n - 1, What: User, Why: "user:64"}, {N: s.n, What: Dropped, Why: "user:1"}}
	if !reflect.DeepEqual(out.Records, want) {
		t.Errorf("records %+v, want %+v", out.Records, want)
	}
}

// TestIgnitionFrees: an ignition cycle frees the cards of every user and says
// so of the present one's.
func TestIgnitionFrees(t *testing.T) {
	p := driven(t)
	s := p.NewState(1, true)
	var out Effects
	s.cards[1].quarantined, s.cards[4].quarantined = true, true
	p.Step(s, &Event{Kind: EvUser, User: 2}, &out)
	s.cards[0].quarantined = true
	out.Reset()
	p.freeAll(s, "ignition", &out)
	if want := []Record{{N: s.n, Card: "a", What: Released, Why: "ignition"}}; !reflect.DeepEqual(out.Records, want) {
		t.Errorf("records %+v, want %+v", out.Records, want)
	}
	p.Step(s, &Event{Kind: EvUser}, &out)
	for card := range p.Cards {
		if s.Quarantined(card) {
			t.Errorf("card %d of the guest is still in quarantine", card)
		}
	}
}
