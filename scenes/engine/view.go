package engine

// CardState is what a card is doing, for people to look at; nothing decides by
// it. The order in which its words are tried is that of docs/integrate-hmi.md, *What a card is doing*.
type CardState uint8

// The states of a card.
const (
	CardUnknown     CardState = iota
	CardOff                   // disabled for the present user
	CardQuarantined           // until the driver or the ignition frees it
	CardUnavailable           // what it calls is not there; the shell knows, not the engine
	CardRunning               // its queue runs, or what it has set still holds
	CardWaiting               // nothing can complete it yet
	CardHolding               // a held_for runs
	CardCooling               // fired, and its cooldown runs
	CardBlocked               // were it completed now it would do nothing
	CardArmed                 // its trigger is all that it needs
)

var cardStates = [...]string{"unknown", "off", "quarantined", "unavailable", "running", "waiting", "holding", "cooling", "blocked", "armed"}

// String returns the word for the HMI.
func (c CardState) String() string { return cardStates[c] }

// CardView is what one card is doing at a moment. Its strings belong to the
// Program.
type CardView struct {
	State    CardState
	Why      string // in the words of the decision log; empty: armed
	Until    int64  // ns of the stream at which Why ends by itself; 0: not known
	Hold     int64  // ns, the earliest deadline of its running holds; 0: none
	Cooldown int64  // ns until which it may not fire again; 0: none
	Asked    uint64 // n of its open question to the driver; 0: none
	Leases   int    // that it holds
}

// View tells what a card is doing at a time, ns of the stream, that is not
// before s.Now. It changes nothing and allocates nothing.
func (p *Program) View(s *State, card int, now int64) CardView {
	ops := s.step.ops
	v := p.view(s, card, now)
	s.step.ops = ops // people looking is no part of a step
	return v
}

func (p *Program) view(s *State, card int, now int64) CardView {
	c := &s.cards[card]
	v := CardView{Asked: c.queue.asked}
	if ends := c.firedAt + p.Cards[card].Cooldown; c.hasFired && now < ends {
		v.Cooldown = ends
	}
	for i := range c.triggers {
		if tr := &c.triggers[i]; tr.holding && (v.Hold == 0 || tr.deadline < v.Hold) {
			v.Hold, v.Why = tr.deadline, p.idx.why.trigger[i]
		}
	}
	for act := range s.acts {
		if s.acts[act].findCard(card) >= 0 {
			v.Leases++
		}
	}
	switch {
	case c.disabled:
		v.State, v.Why, v.Until = CardOff, "disabled", 0
	case c.quarantined:
		v.State, v.Why = CardQuarantined, "quarantined"
	case p.running(s, card, &v):
		v.State = CardRunning
	case !c.live:
		v.State, v.Why = CardWaiting, p.unseen(s, card)
	case v.Hold != 0:
		v.State, v.Until = CardHolding, v.Hold
	case v.Cooldown != 0:
		v.State, v.Why, v.Until = CardCooling, "cooldown", v.Cooldown
	case p.unpoised(s, card, &v):
		v.State = CardWaiting
	case p.hindered(s, card, now, &v):
	default:
		v.State = CardArmed
	}
	return v
}

// running says what a card's queue waits for, or which of its leases or ends is
// still there.
func (p *Program) running(s *State, card int, v *CardView) bool {
	q, why := &s.cards[card].queue, &p.idx.why
	switch {
	case q.running && q.asked != 0:
		v.Why, v.Until = why.asked[p.current(s, card).Actuator], s.timerOf(confirms, card, q.asked)
		return true
	case q.running:
		v.Why = why.then[q.pos]
		if q.waiting {
			v.Until = s.timerOf(waits, card, 0)
		}
		return true
	}
	beneath := -1
	for act := range s.acts {
		a := &s.acts[act]
		i := a.findCard(card)
		switch {
		case i < 0:
		case a.top == i+1:
			v.Why, v.Until = why.lease[act], a.stack[i].deadline
			return true
		case beneath < 0:
			beneath = act
			v.Why, v.Until = p.winnerOf(a), a.stack[i].deadline
		}
	}
	if beneath >= 0 {
		return true
	}
	for act := range s.acts {
		if e := &s.acts[act].end; e.open && e.card == card {
			v.Why = why.end[act]
			return true
		}
	}
	return false
}

// winnerOf names the holder of the lease in force; a card that is gone, or an
// actuator that is waited for after a boot, has no winner to name.
func (p *Program) winnerOf(a *actuatorState) string {
	if top := a.inForce(); top != nil && top.card < len(p.Cards) {
		return p.idx.why.winner[top.card]
	}
	return "boot"
}

// timerOf is the deadline of a card's timer of a kind; ref 0: any; 0: none.
func (s *State) timerOf(kind timerKind, card int, ref uint64) (at int64) {
	q := &s.cards[card].queue
	for i := range s.timers.list {
		tm := &s.timers.list[i]
		if tm.kind == kind && tm.card == card && tm.firing == q.firing && tm.index == q.pos && (ref == 0 || tm.ref == ref) {
			return tm.at
		}
	}
	return 0
}

// unseen names the first signal that a card has waited for since the start.
func (p *Program) unseen(s *State, card int) string {
	for _, slot := range p.Cards[card].Names {
		if !s.slots[slot].seen {
			return p.idx.why.unknown[slot]
		}
	}
	return "not_live"
}

// clockUnknown is the reason of what needs the wall clock while nobody vouches
// for it.
const clockUnknown = "unknown:clock"

// unpoised reports whether none of a card's triggers can complete next, and
// says what the first of them lacks.
func (p *Program) unpoised(s *State, card int, v *CardView) bool {
	first := ""
	for i := range p.Cards[card].When {
		if p.Cards[card].When[i].Into != 0 {
			break // edges stand behind all triggers
		}
		lacks := p.lacks(s, card, i)
		if lacks == "" {
			return false
		}
		if first == "" {
			first = lacks
		}
	}
	v.Why = first
	return true
}

// lacks says why a trigger cannot complete next: its signal or the clock is
// unknown, or it is past its edge and must come back first. Empty: it can.
func (p *Program) lacks(s *State, card, i int) string {
	t, tr := &p.Cards[card].When[i], &s.cards[card].triggers[i]
	switch t.Op {
	case Recovered:
		return ""
	case Count, Sequence:
		for j := i + 1; j < len(p.Cards[card].When); j++ {
			if e := &p.Cards[card].When[j]; e.Into == i+1 && e.Op.Follows() && !s.slots[e.Slot].known {
				return p.idx.why.unknown[e.Slot]
			}
		}
		return ""
	case WallTime, Sunrise, Sunset:
		if !s.wall.Trusted {
			return clockUnknown
		}
		return ""
	case Occurs:
		if p.Occurs[t.Occur].Opposite >= 0 && s.occurred[t.Occur] {
			return p.idx.why.trigger[i]
		}
		return ""
	case StaleFor:
		if s.started && !tr.has {
			return p.idx.why.trigger[i]
		}
		return ""
	}
	switch {
	case !s.slots[t.Slot].known:
		return p.idx.why.unknown[t.Slot]
	case tr.detector != armed:
		return p.idx.why.trigger[i]
	}
	return ""
}

// hindered reports whether a completion now would come to nothing: a clause of
// only_if is not true, or the card's first action would be denied or lost.
func (p *Program) hindered(s *State, card int, now int64, v *CardView) bool {
	v.State = CardBlocked
	for i, clause := range p.Cards[card].OnlyIf {
		switch clause.eval(s) {
		case no:
			v.Why = p.idx.why.onlyIf[i]
			if clause[0].Op == InState {
				v.Why = p.idx.why.state[s.drive]
			}
			return true
		case maybe:
			v.State, v.Why = CardWaiting, p.unknownIn(s, clause, i)
			return true
		}
	}
	for i := range p.Cards[card].Then {
		switch step := &p.Cards[card].Then[i]; step.Kind {
		case Set:
			return p.wouldFail(s, card, step, now, v)
		case Do:
			if spec := &p.Actions[step.Action]; !spec.States.Has(s.drive) {
				v.Why = p.idx.why.state[s.drive]
				return true
			}
			return false
		}
	}
	return false
}

// unknownIn names the first unknown signal that a clause reads.
func (p *Program) unknownIn(s *State, clause Cond, i int) string {
	for k := range clause {
		n := &clause[k]
		switch {
		case n.Op == TimeOfDay && !s.wall.Trusted:
			return clockUnknown
		case n.Op <= IsNot && !s.slots[n.Slot].known:
			return p.idx.why.unknown[n.Slot]
		}
		for j := range n.Expr {
			if t := &n.Expr[j]; t.Op == Reading && !s.slots[t.Slot].known {
				return p.idx.why.unknown[t.Slot]
			}
		}
	}
	return p.idx.why.onlyIf[i]
}

// wouldFail reports whether a set of an automatic firing would be denied or
// lost.
func (p *Program) wouldFail(s *State, card int, step *Step, now int64, v *CardView) bool {
	a := &s.acts[step.Actuator]
	if why := p.forbids(s, step, now); why != "" {
		v.Why = why
		if why == "interval" {
			v.Until = a.started + p.Actuators[step.Actuator].MinInterval
		}
		return true
	}
	top := a.inForce()
	switch {
	case a.hasHand && now < a.handEnds:
		v.Why, v.Until = "winner:driver", a.handEnds
	case top != nil && top.card != card && (top.driver || p.Cards[card].Priority <= top.priority):
		v.Why, v.Until = p.winnerOf(a), top.deadline
	case p.Actuators[step.Actuator].Confirm > 0 && a.ask.n != 0 && a.ask.card != card:
		v.Why = p.idx.why.winner[a.ask.card]
	default:
		return false
	}
	return true
}

// Commanded reports whether a card's command holds or moves an actuator: what is
// read back of it then need not be the driver's hand.
func (s *State) Commanded(act int) bool {
	a := &s.acts[act]
	return a.busy() || s.now < a.endUntil || a.command.n != 0 && s.now < a.command.readUntil
}
