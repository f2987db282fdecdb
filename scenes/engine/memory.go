package engine

// What triggers remember beyond one detector: silence, counts and sequences.

// ring holds the times of a Count's latest edges, newest first.
type ring struct {
	at [MaxCount]int64
	n  int
}

// MaxCount is the most edges that a Count can ask for.
const MaxCount = 8

// Reads lists the slots that a card reads, ascending: those it names, and those
// of which it only wants to know whether they are known.
func (p *Program) Reads(card int) (slots []int) {
	c := &p.Cards[card]
	slots = append(slots, c.Names...)
	for _, t := range c.When {
		if t.Op.hasSlot() {
			slots = insertSorted(slots, t.Slot)
		}
	}
	for _, cond := range c.OnlyIf {
		for _, n := range cond {
			if n.Op == Is || n.Op == Fresh { // Is: of `power`
				slots = insertSorted(slots, n.Slot)
			}
		}
	}
	return slots
}

// makeMemory gives a card's triggers their windows and rings.
func (s *State) makeMemory(c *cardState, when []Trigger) {
	for i := range when {
		switch when[i].Op {
		case Rate, Avg, Min, Max:
			c.triggers[i].memory = len(s.windows)
			s.windows = append(s.windows, window{})
		case Count:
			c.triggers[i].memory = len(s.rings)
			s.rings = append(s.rings, ring{})
		}
	}
}

// listen starts what counts from the stream's first event: signals that were
// never heard.
func (p *Program) listen(s *State) {
	for _, ref := range p.idx.silent {
		p.heard(s, ref)
	}
}

// remember takes a valid sample for a trigger that is no level and no value.
func (p *Program) remember(s *State, ref triggerRef, num float64) {
	t := &p.Cards[ref.card].When[ref.trigger]
	switch t.Op {
	case Recovered:
		if s.slots[t.Slot].back {
			p.found(s, ref)
		}
	case StaleFor:
		p.heard(s, ref)
	default:
		p.gather(s, ref, num)
	}
}

// heard puts the end of a StaleFor's silence off.
func (p *Program) heard(s *State, ref triggerRef) {
	tr := &s.cards[ref.card].triggers[ref.trigger]
	tr.at = s.now
	if !tr.has {
		tr.has = true // its timer is in the heap
		s.timers.push(timer{at: s.now + p.Cards[ref.card].When[ref.trigger].Over, kind: windows, origin: origin{card: ref.card, index: ref.trigger}})
	}
}

// forget is a trigger whose signal went unknown. Silence goes on.
func (p *Program) forget(s *State, ref triggerRef) {
	t := &p.Cards[ref.card].When[ref.trigger]
	c := &s.cards[ref.card]
	switch tr := &c.triggers[ref.trigger]; t.Op {
	case Rate, Avg, Min, Max:
		s.windows[tr.memory] = window{ref: s.windows[tr.memory].ref + 1}
	}
	if t.Into == 0 {
		return
	}
	switch into := &c.triggers[t.Into-1]; p.Cards[ref.card].When[t.Into-1].Op {
	case Count:
		s.rings[into.memory].n = 0
	case Sequence:
		into.has = into.has && t.Second
	}
}

// arrive is an edge of a trigger: of the card's own, or one of those that a
// count or a sequence waits for.
func (p *Program) arrive(s *State, ref triggerRef, cause uint64, depth int) {
	c := s.touch(ref.card)
	t := &p.Cards[ref.card].When[ref.trigger]
	tr := &c.triggers[ref.trigger]
	switch {
	case t.Into == 0:
		tr.outcome = completed
		if t.Hold > 0 {
			tr.outcome = edge
		}
	default:
		tr = &c.triggers[t.Into-1]
		into := &p.Cards[ref.card].When[t.Into-1]
		switch {
		case into.Op == Count:
			if !s.rings[tr.memory].reaches(into, s.now) {
				return
			}
			tr.outcome = completed
		case !t.Second:
			tr.first = true
			return
		default:
			tr.second = true
		}
	}
	tr.cause, tr.outDepth = cause, depth
}

// reaches notes an edge at t and reports whether it makes the count's N edges
// in (t-Over, t], not more.
func (r *ring) reaches(c *Trigger, t int64) bool {
	since := t - c.Over
	enough := c.N == 1 || r.n >= c.N-1 && r.at[c.N-2] > since
	before := r.n >= c.N && r.at[c.N-1] > since
	copy(r.at[1:c.N], r.at[:])
	r.at[0] = t
	r.n = min(r.n+1, c.N)
	return enough && !before
}

// sequence settles a step's edges of a Sequence: the second one completes it
// by a first one of an earlier step.
func (p *Program) sequence(s *State, card, i int) {
	t, tr := &p.Cards[card].When[i], &s.cards[card].triggers[i]
	if tr.second && tr.has && s.now-tr.at <= t.Over {
		tr.outcome = completed
	}
	if tr.first {
		tr.at, tr.has = s.now, true
	}
	tr.first, tr.second = false, false
}
