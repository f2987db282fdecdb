package engine

import "strconv"

// The events that come from the driver by way of the HMI, and sleep. Their
// numbers are also those of the journal's entries.
const (
	EvAnswer EventKind = iota + 9 // the driver answers the question of record Ref
	EvUser                        // another user drives
	EvSleep                       // the car goes to sleep
	EvEnable                      // the driver enables or disables a card
	EvRun                         // the driver runs a card by hand
	EvFree                        // the driver frees a card from quarantine
)

// driver takes an event that the driver brought about, or sleep.
func (p *Program) driver(s *State, ev *Event, out *Effects) {
	switch ev.Kind {
	case EvAnswer:
		p.answer(s, ev, out)
	case EvUser:
		p.changeUser(s, ev.User, out)
	case EvSleep:
		p.rest(s, "sleep", out)
	case EvEnable:
		p.enable(s, ev.Card, ev.On, out)
	case EvRun:
		p.run(s, ev.Card, out)
	case EvFree:
		p.free(s, ev.Card, out)
	}
}

// rest ends all queues, questions, holds and leases, but for the leases that
// survive it (*Meaning* 14); ends keep their calls.
func (p *Program) rest(s *State, why string, out *Effects) {
	for card := range s.cards {
		p.abandon(s, card, why, out)
	}
	for act := range s.acts {
		if !p.Actuators[act].Survives {
			p.endAll(s, act, why, 0, out)
		}
	}
}

// abandon drops what a card has running. Only a question to the driver has a
// record of its end, so that screens take it away.
func (p *Program) abandon(s *State, card int, why string, out *Effects) {
	p.withdraw(s, card, why, out)
	c := &s.cards[card]
	c.queue = queue{}
	for i := range c.triggers {
		c.triggers[i].holding, c.triggers[i].bootHold = false, 0
	}
}

// retire ends what a card has running and its leases.
func (p *Program) retire(s *State, card int, why string, out *Effects) {
	p.abandon(s, card, why, out)
	p.endLeases(s, card, why, out)
}

// endLeases ends the leases of a card, which may be gone.
func (p *Program) endLeases(s *State, card int, why string, out *Effects) {
	for act := range s.acts {
		a := &s.acts[act]
		if i := a.findCard(card); i >= 0 {
			p.endLease(s, act, i, why, a.stack[i].acted, out)
		}
	}
}

// enable enables or disables a card for the present user; what is so already
// stays so without a record.
func (p *Program) enable(s *State, card int, on bool, out *Effects) {
	c := &s.cards[card]
	if c.disabled == !on {
		return
	}
	c.disabled = !on
	if on {
		s.record(out, Record{Card: p.Cards[card].ID, What: User, Why: "enabled"})
		return
	}
	s.record(out, Record{Card: p.Cards[card].ID, What: User, Why: "disabled"})
	p.retire(s, card, "disabled", out)
}

// run is a completion by the driver's hand (*Meaning* 13).
func (p *Program) run(s *State, card int, out *Effects) {
	if !p.Cards[card].Manual {
		s.record(out, Record{Card: p.Cards[card].ID, What: Dropped, Why: "manual"})
		return
	}
	p.complete(s, card, completion{why: "manual", manual: true}, out)
}

// free frees a card from quarantine for the present user.
func (p *Program) free(s *State, card int, out *Effects) {
	if !s.cards[card].quarantined {
		s.record(out, Record{Card: p.Cards[card].ID, What: Dropped, Why: "free"})
		return
	}
	s.cards[card].release()
	s.record(out, Record{Card: p.Cards[card].ID, What: Released, Why: "driver"})
}

// freeAll frees every card from quarantine, for every user: the ignition was
// switched off and on. The present user's have records.
func (p *Program) freeAll(s *State, why string, out *Effects) {
	for card := range s.cards {
		if c := &s.cards[card]; c.quarantined {
			c.release()
			s.record(out, Record{Card: p.Cards[card].ID, What: Released, Why: why})
		}
	}
	for i := range s.users {
		for card := range s.users[i].cards {
			if c := &s.users[i].cards[card]; c.quarantined {
				c.release()
			}
		}
	}
}

// release takes a card out of quarantine; its firings count from now on.
func (c *userCard) release() {
	c.quarantined = false
	c.fires, c.fireHead = c.fires[:0], 0
}

func userName(user uint64) string {
	if user == 0 {
		return "guest"
	}
	return "user:" + strconv.FormatUint(user, 10)
}
