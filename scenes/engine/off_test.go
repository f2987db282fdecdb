package engine

import "testing"

// withOff is the driven program in which card d was installed, in a version.
func withOff(t *testing.T, version string) (p *Program, card int) {
	p = driven(t)
	card, ok := p.findCard("d")
	if !ok {
		t.Fatal("no card d")
	}
	p.Cards[card].Off, p.Cards[card].Hash = true, version
	return p, card
}

// TestOffCard: a card that was installed is disabled for every user, whoever he is,
// until he enables this very version; a reload, a snapshot and a boot keep what he
// said of it, and of no other one.
func TestOffCard(t *testing.T) {
	p, card := withOff(t, "1")
	s := p.NewState(1, true)
	var out Effects
	step := func(ev Event) {
		ev.T = s.now + 1e9
		p.Step(s, &ev, &out)
	}
	enabled := func(what string, want bool) {
		t.Helper()
		if got := s.Enabled(card); got != want {
			t.Errorf("%s: enabled %v, want %v", what, got, want)
		}
	}
	enabled("at the start", false)
	for _, user := range []uint64{5, 6, 0} {
		step(Event{Kind: EvUser, User: user})
		enabled("for "+userName(user), false)
	}
	step(Event{Kind: EvEnable, Card: card, On: true})
	step(Event{Kind: EvUser, User: 7})
	enabled("for a user who was never seen", false)
	step(Event{Kind: EvUser})
	enabled("for the one who said yes", true)

	other, _ := withOff(t, "1")
	s = p.Reload(s, other, s.now+1e9, &out)
	p = other
	enabled("after a reload of the same", true)
	kept := p.Keep(s)
	s = p.Boot(kept, 2, true, true)
	enabled("after a boot", true)
	step(Event{Kind: EvUser, User: 5})
	enabled("after a boot, for another", false)
	step(Event{Kind: EvUser})

	second, _ := withOff(t, "2")
	s = p.Reload(s, second, s.now+1e9, &out)
	enabled("another version", false)
	s = second.Boot(kept, 2, true, true)
	enabled("another version after a boot", false)

	p = second
	step(Event{Kind: EvEnable, Card: card, On: true})
	without := driven(t)
	without.idx = index{}
	without.Cards = append(without.Cards[:card:card], without.Cards[card+1:]...)
	if err := without.Build(); err != nil {
		t.Fatal(err)
	}
	s = p.Reload(s, without, s.now+1e9, &out)
	s = without.Reload(s, second, s.now+1e9, &out)
	enabled("removed and installed again", false)
}
