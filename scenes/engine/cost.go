package engine

import "slices"

// Bytes of the parts of a State on a 64-bit processor; TestStateSizes holds
// them. Certificates are the same on every processor.
const (
	cardBytes    = 192
	triggerBytes = 144
	timerBytes   = 80
	leaseBytes   = 192
	callBytes    = 96
	windowBytes  = 448
	ringBytes    = 96
)

// Cost is a card's certificate. An operation is a detector that takes a
// sample, a clause or a term of an expression that is evaluated, a card that is
// judged, an action that a queue comes to, or a lease that ends.
type Cost struct {
	StateBytes     int // of memory that the card adds to a State, for the present user
	OpsPerStep     int // most operations in one step
	EffectsPerHour int // most settings, ends and actions that the firings of an hour bring, without retries and runs by hand; 0: nothing bounds its firings
}

// Cost is the certificate of a card.
func (p *Program) Cost(card int) Cost {
	c := &p.Cards[card]
	return Cost{StateBytes: p.stateBytes(c), OpsPerStep: len(c.When) + p.firingOps(c), EffectsPerHour: p.effects(c)}
}

// stateBytes counts the card's own state, and what it can have in lists that
// all cards share: a timer for each hold, action and call, a lease and an open
// call for each set.
func (p *Program) stateBytes(c *Card) int {
	n := cardBytes + len(c.When)*triggerBytes + 8*p.Quarantine.Fires
	timers := len(c.When)
	for _, t := range c.When {
		switch t.Op {
		case Rate, Avg, Min, Max:
			n += windowBytes
		case Count:
			n += ringBytes
		}
	}
	for _, step := range c.Then {
		timers++
		if step.Kind == Set {
			timers += 4 // its question, lease, reply and readback
			n += leaseBytes + callBytes
		}
	}
	return n + timers*timerBytes
}

// firingOps is the most operations of a step that judges the card, without its
// detectors: judging, all clauses, all actions as if nothing made them wait,
// and the ends of all leases.
func (p *Program) firingOps(c *Card) int {
	n := 1 + len(c.Then) + 1 + len(c.sets())
	for _, cond := range c.OnlyIf {
		n += cond.ops()
	}
	return n
}

// sets are the actuators that the card sets, each once.
func (c *Card) sets() (list []int) {
	for _, step := range c.Then {
		if step.Kind == Set && !slices.Contains(list, step.Actuator) {
			list = append(list, step.Actuator)
		}
	}
	return list
}

// ops is the clauses and terms of a condition.
func (c Cond) ops() int {
	n := len(c)
	for i := range c {
		n += len(c[i].Expr)
	}
	return n
}

// effects is the most that the card can do in an hour, 0 without a bound.
func (p *Program) effects(c *Card) int {
	each := 0
	for _, step := range c.Then {
		switch step.Kind {
		case Set:
			each += 2 // and its end
		case Do:
			each++
		}
	}
	return each * p.firings(c)
}

// FiringsPerHour is the most firings of a card in an hour, runs by hand left
// out, 0 without a bound: what the cooldown, the quarantine or all triggers
// together leave.
func (p *Program) FiringsPerHour(card int) int { return p.firings(&p.Cards[card]) }

func (p *Program) firings(c *Card) int {
	most := 0
	bound := func(n int64) {
		if most == 0 || int(n) < most {
			most = int(n)
		}
	}
	if c.Cooldown > 0 {
		bound((hour + c.Cooldown - 1) / c.Cooldown)
	}
	if q := p.Quarantine; q.Fires > 0 {
		bound(int64(q.Fires) * ((hour + q.Within - 1) / q.Within))
	}
	all := int64(0)
	for _, t := range c.When {
		if t.Into > 0 {
			continue // an edge of another trigger
		}
		apart := t.apart()
		if apart == 0 {
			return most
		}
		all += (hour + apart - 1) / apart
	}
	bound(all)
	return most
}

// apart is the least time in ns between two completions of a trigger, 0 if
// nothing but its signal keeps them apart.
func (t *Trigger) apart() int64 {
	switch t.Op {
	case StaleFor:
		return t.Over
	case Rate, Avg, Min, Max:
		return t.part()
	case WallTime, Sunrise, Sunset:
		return hour / 2 // once a day; a clock that is set may bring it again
	}
	return t.Hold
}

// Total is the cost of all cards: their state, and the costliest step that a
// frame, a timer, an occurrence, a clock that is set or a change of the drive
// state can bring. message tells which slots come in one frame by a number of
// its own for each slot.
func (p *Program) Total(message []int) Cost {
	var t Cost
	states := 0 // a bus that falls asleep, and a clean stop, reach all cards
	for _, st := range p.States {
		states += st.When.ops()
	}
	for m := range slices.Max(append([]int{-1}, message...)) + 1 {
		ops, drive := 0, false
		for slot, of := range message {
			drive = drive || of == m && p.idx.inState[slot]
		}
		for i := range p.Cards {
			ops += p.frameOps(&p.Cards[i], message, m, drive)
		}
		if drive {
			ops += states
		}
		t.OpsPerStep = max(t.OpsPerStep, ops)
	}
	every, clock := states, 0
	occurs := make([]int, len(p.Occurs))
	for i := range p.Cards {
		c := p.Cost(i)
		t.StateBytes += c.StateBytes
		t.OpsPerStep = max(t.OpsPerStep, c.OpsPerStep)
		every += 1 + len(p.Cards[i].sets())
		clock += p.clockOps(&p.Cards[i])
		for o := range occurs {
			occurs[o] += p.occurOps(&p.Cards[i], o)
		}
	}
	t.OpsPerStep = max(t.OpsPerStep, every, clock, slices.Max(append(occurs, 0)))
	return t
}

// occurOps is the most operations that an occurrence brings to a card.
func (p *Program) occurOps(c *Card, occurrence int) int {
	if slices.ContainsFunc(c.When, func(t Trigger) bool { return t.Op == Occurs && t.Occur == occurrence }) {
		return p.firingOps(c)
	}
	return 0
}

// clockOps is the most operations that a clock that is set brings to a card:
// what it skips comes in one step for all.
func (p *Program) clockOps(c *Card) int {
	if slices.ContainsFunc(c.When, func(t Trigger) bool { return t.Op >= WallTime }) {
		return p.firingOps(c)
	}
	return 0
}

// frameOps is the most operations that a frame of message m brings to a card.
func (p *Program) frameOps(c *Card, message []int, m int, drive bool) int {
	detectors := 0
	for _, t := range c.When {
		if t.Op.hasSlot() && message[t.Slot] == m {
			detectors++
		}
	}
	switch named := slices.ContainsFunc(c.Names, func(slot int) bool { return message[slot] == m }); {
	case detectors > 0:
		return detectors + p.firingOps(c)
	case drive:
		return 1 + len(c.sets())
	case named:
		return 1 // it may become live
	}
	return 0
}
