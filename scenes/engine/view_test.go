package engine

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// TestViewTellsWhatComesNext looks at the cards of random runs after every
// event: the state is untouched, and what a view says of a card is what a run
// by hand, or a completion, would then meet.
func TestViewTellsWhatComesNext(t *testing.T) {
	p := driven(t)
	seen := map[CardState]int{}
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 7))
		s := p.NewState(1, true)
		var out Effects
		var talk dialogue
		for _, ev := range withDriver(r, randomEvents(r, 200)) {
			talk.address(&ev)
			out.Reset()
			p.Step(s, &ev, &out)
			talk.hear(&out)
			before := s.Snapshot(nil)
			for card := range p.Cards {
				v := p.View(s, card, s.Now())
				seen[v.State]++
				for i := range p.Cards[card].When {
					p.TriggerTruth(s, card, i)
				}
				for i := range p.Cards[card].OnlyIf {
					p.ClauseTruth(s, card, i, 0)
				}
				if fault := foretold(p, s, card, v); fault != "" {
					t.Fatalf("seed %d at %d: card %s is %v, why %q: %s", seed, s.Now(), p.Cards[card].ID, v.State, v.Why, fault)
				}
			}
			p.Asks(s, nil)
			if !bytes.Equal(s.Snapshot(nil), before) {
				t.Fatal("looking has changed the state")
			}
		}
	}
	for state := CardOff; state <= CardArmed; state++ {
		if seen[state] == 0 && state != CardUnavailable {
			t.Errorf("no card was ever %v: %v", state, seen)
		}
	}
}

// foretold runs a card by an automatic completion on a copy of the state, and
// says how a view was wrong about it; empty: it was not.
func foretold(p *Program, s *State, card int, v CardView) string {
	copied, err := p.Restore(s.Snapshot(nil))
	if err != nil {
		return err.Error()
	}
	var out Effects
	copied.begin()
	p.complete(copied, card, completion{why: "trigger[0]"}, &out)
	p.finish(copied, &out)
	what, why := out.Records[0].What, out.Records[0].Why
	refused := len(out.Records) > 1 && (out.Records[1].What == Denied || out.Records[1].What == Lost) && out.Records[1].Card == p.Cards[card].ID
	fires := what == Fired || what == Quarantined // by too many firings
	switch v.State {
	case CardOff:
		if why != "disabled" && why != "not_live" {
			return "yet it is " + what.String() + " " + why
		}
	case CardQuarantined:
		if why != "quarantined" && why != "not_live" {
			return "yet it is " + what.String() + " " + why
		}
	case CardCooling:
		if why != "cooldown" {
			return "yet it is " + what.String() + " " + why
		}
	case CardArmed:
		if !fires || refused {
			return "yet it is " + what.String() + " " + why + ", or refused"
		}
	case CardBlocked:
		if fires && !refused && what == Fired {
			return "yet it acts"
		}
	}
	return ""
}

func TestLookingAllocatesNothing(t *testing.T) {
	p := driven(t)
	s := p.NewState(1, true)
	r := rand.New(rand.NewPCG(1, 7))
	playDriven(t, p, s, randomEvents(r, 100))
	leases := make([]HeldLease, 0, 8)
	if n := testing.AllocsPerRun(100, func() {
		for card := range p.Cards {
			p.View(s, card, s.Now())
			p.TriggerTruth(s, card, 0)
			leases = p.HeldLeases(s, card, leases[:0])
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkView looks at each card of a program.
func BenchmarkView(b *testing.B) {
	p := driven(b)
	s := p.NewState(1, true)
	var out Effects
	for _, ev := range randomEvents(rand.New(rand.NewPCG(1, 7)), 100) {
		out.Reset()
		p.Step(s, &ev, &out)
	}
	for b.Loop() {
		for card := range p.Cards {
			p.View(s, card, s.Now())
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(p.Cards)), "ns/card")
}
