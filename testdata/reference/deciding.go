package reference

import "fmt"

// card is a card and what it remembers.
type card struct {
	Card
	detectors []*detector
	live      bool
	queue     *queue
	personal

	// of the current step
	cancelled, held []Record
	completed       []completion
}

// completion is one trigger that completed in this step.
type completion struct {
	index  int
	cause  uint64
	depth  int
	manual bool // a run by hand
}

// detector is one trigger's memory.
type detector struct {
	Trigger
	index int
	set   bool  // has seen a valid sample since its signal became known
	armed bool  // of rises_above and falls_below
	last  Value // of the others
	held  *hold
}

// hold is a running `held_for`.
type hold struct {
	deadline int64
	n        uint64 // its `held` record
	depth    int
}

func newCard(c Card) *card {
	k := &card{Card: c}
	for i, t := range c.When {
		k.detectors = append(k.detectors, &detector{Trigger: t, index: i})
	}
	return k
}

// names lists every signal that a card names (rule 7, choice 11).
func (c Card) names() (paths []string) {
	for _, t := range c.When {
		paths = append(paths, t.Signal)
	}
	for _, o := range c.OnlyIf {
		paths = append(paths, o.signals()...)
	}
	return paths
}

// detect advances the detectors of a sample's own signal (rules 2, 5).
func (in *Interpreter) detect(sample Sample) {
	if !sample.Valid {
		in.forget(sample.Signal)
		return
	}
	cause, depth := in.causeOf(sample.Signal)
	for _, c := range in.cards {
		for _, d := range c.detectors {
			if d.Signal != sample.Signal {
				continue
			}
			edge, rearmed := d.advance(sample.Value)
			if rearmed && d.held != nil {
				c.cancelled = append(c.cancelled, Record{Why: "rearmed", Cause: d.held.n, Lease: int64(d.index)})
				d.held = nil
			}
			switch {
			case edge && d.HeldFor > 0:
				d.held = &hold{deadline: in.now + d.HeldFor, depth: depth}
				c.held = append(c.held, Record{Why: fmt.Sprintf("trigger[%d]", d.index), Cause: cause, Lease: int64(d.index)})
			case edge:
				c.completed = append(c.completed, completion{index: d.index, cause: cause, depth: depth})
			}
		}
	}
}

// advance takes a valid sample: was it the trigger's edge, did it re-arm
// (table of triggers, rule 5)?
func (d *detector) advance(v Value) (edge, rearmed bool) {
	first, was := !d.set, d.last
	d.set, d.last = true, v
	switch d.Op {
	case "rises_above":
		edge, rearmed = v.Num > d.X.Num, v.Num <= d.Rearm
	case "falls_below":
		edge, rearmed = v.Num < d.X.Num, v.Num >= d.Rearm
	case "becomes":
		return !first && was != d.X && v == d.X, v != d.X
	case "leaves":
		return !first && was == d.X && v != d.X, false
	case "changes":
		return !first && was != v, false
	default:
		panic("no trigger is called " + d.Op)
	}
	edge = edge && d.armed && !first
	d.armed = rearmed || d.armed && !edge && !first
	return edge, rearmed
}

// forget clears the detectors of a signal that became unknown and cancels
// their holds (rule 5).
func (in *Interpreter) forget(path string) {
	for _, c := range in.cards {
		for _, d := range c.detectors {
			if d.Signal != path {
				continue
			}
			d.set, d.armed = false, false
			if d.held != nil {
				c.cancelled = append(c.cancelled, Record{Why: "unknown:" + path, Cause: d.held.n, Lease: int64(d.index)})
				d.held = nil
			}
		}
	}
}

// heldLongEnough completes a hold (rule 6).
func (in *Interpreter) heldLongEnough(c *card, d *detector) {
	c.completed = append(c.completed, completion{index: d.index, cause: d.held.n, depth: d.held.depth})
	d.held = nil
}

// evaluateCards judges the step's completions in order of card id (rules 2, 6,
// 7).
func (in *Interpreter) evaluateCards() {
	for _, c := range in.cards {
		if !c.live && in.allSeen(c) {
			c.live = true
			in.write(Record{Card: c.ID, What: "live"})
		}
		in.writeHolds(c)
		if first := firstOf(c.completed); first != nil {
			in.complete(c, *first)
		}
		c.cancelled, c.held, c.completed = nil, nil, nil
	}
}

// writeHolds writes the cancelled and held of one card, each by trigger. Lease
// carries the index there.
func (in *Interpreter) writeHolds(c *card) {
	for i := range c.When {
		for _, r := range c.cancelled {
			if r.Lease == int64(i) {
				in.write(Record{Card: c.ID, What: "cancelled", Why: r.Why, Cause: r.Cause})
			}
		}
	}
	for i := range c.When {
		for _, r := range c.held {
			if r.Lease == int64(i) {
				c.detectors[i].held.n = in.write(Record{Card: c.ID, What: "held", Why: r.Why, Cause: r.Cause})
			}
		}
	}
}

// firstOf is the completion that `why` names: several of one step fire once
// (rule 6).
func firstOf(list []completion) *completion {
	var first *completion
	for i := range list {
		if first == nil || list[i].index < first.index {
			first = &list[i]
		}
	}
	return first
}

// allSeen tells whether every signal that a card names was valid once (rule 7).
func (in *Interpreter) allSeen(c *card) bool {
	for _, path := range c.names() {
		if !in.signal(path).ever {
			return false
		}
	}
	return true
}

// complete fires the card, quarantines it or says what blocks (rules 6, 13).
func (in *Interpreter) complete(c *card, by completion) {
	if why := in.blocks(c, by); why != "" {
		in.write(Record{Card: c.ID, What: "blocked", Why: why, Cause: by.cause})
		return
	}
	recent := 1
	for _, t := range c.firings {
		if t > in.now-in.limit.Within {
			recent++
		}
	}
	if in.limit.Fires > 0 && !by.manual && recent > in.limit.Fires {
		in.write(Record{Card: c.ID, What: "quarantined", Why: "fires", Cause: by.cause})
		in.quarantine(c)
		return
	}
	why := fmt.Sprintf("trigger[%d]", by.index)
	if by.manual {
		why = "manual"
	} else {
		c.firings = append(c.firings, in.now)
	}
	c.fired, c.lastFired = true, in.now
	in.withdraw(c, "restart")
	n := in.write(Record{Card: c.ID, What: "fired", Why: why, Cause: by.cause})
	c.queue = &queue{firing: firing{card: c, n: n, depth: by.depth, driver: by.manual}}
}

// blocks names the first thing that blocks (rules 6, 12, 13, choice 4).
func (in *Interpreter) blocks(c *card, by completion) string {
	switch {
	case !c.live:
		return "not_live"
	case c.disabled:
		return "disabled"
	case c.quarantined:
		return "quarantined"
	case by.depth >= 5:
		return "depth"
	case !by.manual && c.fired && in.now < c.lastFired+c.Cooldown:
		return "cooldown"
	case c.queue != nil && !c.Restart:
		return "reentry"
	}
	return in.onlyIf(c)
}

// onlyIf names the first clause that is not true.
func (in *Interpreter) onlyIf(c *card) string {
	for i, o := range c.OnlyIf {
		if in.holds(o) != yes {
			return fmt.Sprintf("only_if[%d]", i)
		}
	}
	return ""
}

// quarantine ends a card's holds, queue and leases (rules 13, 14, choice 26);
// the `ended` are written with the actuators.
func (in *Interpreter) quarantine(c *card) {
	c.quarantined = true
	in.drop(c, "quarantined")
	for _, a := range in.actuators {
		if l := a.leaseOf(c); l != nil {
			in.takeOff(a, l)
			a.leaving = append(a.leaving, leaving{l, "quarantined"})
		}
	}
}

// drop ends a card's question, and holds and queue without a record (rule 14,
// choices 26, 61, 66).
func (in *Interpreter) drop(c *card, why string) {
	in.withdraw(c, why)
	c.queue = nil
	for _, d := range c.detectors {
		d.held = nil
	}
}
