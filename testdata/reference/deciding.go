package reference

import (
	"fmt"
	"math"
)

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
	armed bool  // of rises_above, falls_below and windows
	last  Value // of the others
	held  *hold
	kept  int64 // of a hold of an earlier session, that waits for its first sample: how long it has to go on

	of     *detector   // the count or sequence that this is an edge of; nil: none
	edges  []*detector // of count and sequence
	times  []int64     // of a count's edges
	firsts []occasion  // a sequence's first edges
	silent bool        // stale_for: completed for this silence
	since  int64       // stale_for: when its card was added
	window []reading   // of rate, avg, min and max, since the first valid sample
	judged int         // the last of its parts that was judged
	passed int         // parts that were over at the newest sample
	wall               // of at, sunrise and sunset
}

// hold is a running `held_for`.
type hold struct {
	deadline int64
	n        uint64 // its `held` record
	depth    int
}

func newCard(c Card) *card {
	k := &card{Card: c, live: len(c.names()) == 0} // from the start, without a record
	k.personal = personal{}.of(k)
	for i, t := range c.When {
		d := &detector{Trigger: t, index: i, since: math.MinInt64}
		for _, edge := range t.Of {
			d.edges = append(d.edges, &detector{Trigger: edge, index: i, of: d})
		}
		k.detectors = append(k.detectors, d)
	}
	return k
}

// all lists a card's detectors and the edges of its counts and sequences.
func (c *card) all() (list []*detector) {
	for _, d := range c.detectors {
		list = append(append(list, d), d.edges...)
	}
	return list
}

// names lists every signal that a card names for the boot gate (rule 7, choices
// 11, 34, 39).
func (c Card) names() (paths []string) {
	for _, t := range c.When {
		paths = append(paths, t.names()...)
	}
	for _, o := range c.OnlyIf {
		paths = append(paths, o.names()...)
	}
	return paths
}

func (t Trigger) names() (paths []string) {
	for _, edge := range t.Of {
		paths = append(paths, edge.names()...)
	}
	if t.Signal != "" && t.Op != "stale_for" && t.Op != "recovered" {
		paths = append(paths, t.Signal)
	}
	return paths
}

// names lists the signals that a condition names for the boot gate.
func (c Cond) names() (paths []string) {
	if c.Signal != "" && !c.Unnamed && c.Op != "fresh" {
		paths = append(paths, c.Signal)
	}
	paths = append(paths, c.Expr.signals()...)
	for _, of := range c.Of {
		paths = append(paths, of.names()...)
	}
	return paths
}

// uses lists every signal that a card reads.
func (c Card) uses() (paths []string) {
	for _, t := range c.When {
		for _, d := range append([]Trigger{t}, t.Of...) {
			if d.Signal != "" {
				paths = append(paths, d.Signal)
			}
		}
	}
	for _, o := range c.OnlyIf {
		paths = append(paths, o.signals()...)
	}
	return paths
}

// detect advances the detectors of a sample's own signal (rules 2, 5).
func (in *Interpreter) detect(sample Sample) {
	cause, depth := in.causeOf(sample.Signal)
	for _, c := range in.cards {
		for _, d := range c.all() {
			if d.Signal != sample.Signal {
				continue
			}
			first := !d.set
			edge, rearmed := in.advance(d, sample.Value, occasion{in.step, in.now, cause, depth})
			if first && d.kept > 0 {
				in.takeUpHold(c, d, rearmed)
			}
			if rearmed && d.held != nil {
				c.cancelled = append(c.cancelled, Record{Why: "rearmed", Cause: d.held.n, Lease: int64(d.index)})
				d.held = nil
			}
			switch {
			case edge && d.HeldFor > 0:
				d.held = &hold{deadline: in.now + d.HeldFor, depth: depth}
				c.held = append(c.held, Record{Why: triggerName(d.index), Cause: cause, Lease: int64(d.index)})
			case edge:
				in.edge(c, d, occasion{in.step, in.now, cause, depth})
			}
		}
	}
}

// advance takes a valid sample: was it the trigger's edge, did it re-arm
// (table of triggers, rule 5)?
func (in *Interpreter) advance(d *detector, v Value, o occasion) (edge, rearmed bool) {
	switch d.Op {
	case "stale_for":
		d.silent = false
		return false, false
	case "recovered":
		return in.signal(d.Signal).recovers, false
	case "rate", "avg", "min", "max":
		d.window = append(d.window, reading{o, v.Num})
		d.passed = int((in.now - d.window[0].t) / d.part())
		return false, false
	}
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
		for _, d := range c.all() {
			if d.Signal != path {
				continue
			}
			d.clear()
			if d.held != nil {
				c.cancelled = append(c.cancelled, Record{Why: "unknown:" + path, Cause: d.held.n, Lease: int64(d.index)})
				d.held = nil
			}
		}
	}
}

// clear makes a detector know nothing. Its edge in a count or as the first of a
// sequence is forgotten (rule 5, choices 36, 37); of stale_for nothing is.
func (d *detector) clear() {
	d.set, d.armed = false, false
	d.window, d.judged, d.passed = nil, 0, 0
	switch {
	case d.of == nil:
	case d.of.Op == "count":
		d.of.times = nil
	case d == d.of.edges[0]:
		d.of.firsts = nil
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
	why := triggerName(by.index)
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
		d.held, d.kept = nil, 0
	}
}

func triggerName(i int) string { return fmt.Sprintf("trigger[%d]", i) }
