package engine

// triggerState is a detector with its hold.
type triggerState struct {
	detector detector
	last     float64 // Changes: the last value
	holding  bool
	deadline int64  // of the hold
	bootHold int64  // ns to hold if the first sample after a boot does not re-arm it; 0: nothing was held
	depth    int    // causal depth of the hold's edge
	held     uint64 // n of the hold's record

	memory        int    // index into State.windows or State.rings
	at            int64  // StaleFor: latest valid sample; Sequence: latest first edge; WallTime: the local time last done; Sunrise, Sunset: the one last done
	has           bool   // at holds something
	first, second bool   // Sequence: that edge came in this step
	next          int64  // WallTime: the local time awaited; Sunrise, Sunset: the one awaited
	passed        int64  // WallTime: the local time up to which it does not come
	ref           uint64 // of the timer that counts

	outcome  outcome // in this step
	why      string  // of a cancelled hold
	cause    uint64
	outDepth int
}

type detector uint8

const (
	unset  detector = iota // no valid sample since it was last unknown
	armed                  // the edge can come
	passed                 // the edge came, or the first sample was beyond it
)

type outcome uint8

const (
	nothing outcome = iota
	cancelled
	edge      // of a trigger with held_for
	completed // of a trigger without, or a hold at its deadline
)

// frame applies the samples of one frame together: slots, detectors, then the
// drive state, then readbacks.
func (p *Program) frame(s *State, samples []Sample, out *Effects) {
	for i := range samples {
		if samples[i].Valid {
			p.sample(s, samples[i].Slot, samples[i].Num, out)
		} else if s.slots[samples[i].Slot].known {
			p.goUnknown(s, samples[i].Slot, p.idx.why.invalid[samples[i].Slot], out)
			s.slots[samples[i].Slot].quiet = false
		}
	}
	p.checkDrive(s, out)
	for i := range samples {
		if samples[i].Valid {
			for _, act := range p.idx.readbacks[samples[i].Slot] {
				p.readback(s, act, samples[i].Num, out)
			}
		}
	}
}

// sample renews a slot and feeds its detectors.
func (p *Program) sample(s *State, slotIndex int, num float64, out *Effects) {
	v := &s.slots[slotIndex]
	if !v.known || v.num != num {
		s.step.drive = s.step.drive || p.idx.inState[slotIndex]
	}
	wasKnown, wasSeen := v.known, v.seen
	v.back = wasSeen && !wasKnown && (v.quiet || p.Signals[slotIndex].StaleAfter > 0 && s.now-v.last >= p.Signals[slotIndex].StaleAfter)
	v.num, v.known, v.seen, v.last, v.quiet = num, true, true, s.now, false
	if !v.timed && p.Signals[slotIndex].StaleAfter > 0 {
		p.watchStale(s, slotIndex)
	}
	switch {
	case !wasSeen:
		s.record(out, Record{What: Known, Why: p.idx.why.first[slotIndex]})
		p.firstSeen(s, slotIndex)
	case !wasKnown:
		s.record(out, Record{What: Known, Why: p.idx.why.recovered[slotIndex]})
	}
	for _, ref := range p.idx.triggers[slotIndex] {
		p.detect(s, ref, num)
	}
}

func (p *Program) watchStale(s *State, slotIndex int) {
	v := &s.slots[slotIndex]
	v.timed = true
	s.timers.push(timer{at: v.last + p.Signals[slotIndex].StaleAfter, kind: staleness, origin: origin{card: slotIndex}})
}

// firstSeen brings the cards that name the slot one step nearer to live.
func (p *Program) firstSeen(s *State, slotIndex int) {
	for _, card := range p.idx.namedBy[slotIndex] {
		c := &s.cards[card]
		c.missing--
		if c.missing == 0 {
			c.live, c.becameLive = true, true
			s.touch(card)
		}
	}
}

// goUnknown makes a known slot unknown and clears its detectors.
func (p *Program) goUnknown(s *State, slotIndex int, why string, out *Effects) {
	s.slots[slotIndex].known, s.slots[slotIndex].quiet = false, true
	s.step.drive = s.step.drive || p.idx.inState[slotIndex]
	s.record(out, Record{What: Unknown, Why: why})
	for _, ref := range p.idx.triggers[slotIndex] {
		tr := &s.cards[ref.card].triggers[ref.trigger]
		tr.detector = unset
		p.forget(s, ref)
		if tr.holding {
			s.touch(ref.card)
			tr.cancel(p.idx.why.unknown[slotIndex])
		}
	}
}

func (tr *triggerState) cancel(why string) {
	tr.holding = false
	tr.outcome, tr.why, tr.cause = cancelled, why, tr.held
}

// detect advances one detector by a valid sample.
func (p *Program) detect(s *State, ref triggerRef, num float64) {
	t := &p.Cards[ref.card].When[ref.trigger]
	s.step.ops++
	if t.Op > Changes {
		p.remember(s, ref, num)
		return
	}
	tr := &s.cards[ref.card].triggers[ref.trigger]
	beyond, rearmed := t.position(tr, num)
	was := tr.detector
	switch {
	case was == unset:
		tr.detector = passed
		if rearmed {
			tr.detector = armed
			tr.bootHold = 0
		}
		if tr.bootHold > 0 {
			s.touch(ref.card)
			tr.outcome, tr.cause, tr.outDepth = edge, s.boot.n, 0
		}
	case was == armed && beyond:
		tr.detector = passed
		if t.Op == Changes {
			tr.detector = armed
		}
		p.found(s, ref)
	case was == passed && rearmed:
		tr.detector = armed
		if tr.holding {
			s.touch(ref.card)
			tr.cancel("rearmed")
		}
	}
	tr.last = num
}

// found is an edge of a trigger on a signal, caused as the sample is.
func (p *Program) found(s *State, ref triggerRef) {
	cause, depth := p.causeOf(s, p.Cards[ref.card].When[ref.trigger].Slot)
	p.arrive(s, ref, cause, depth)
}

// position tells whether num is beyond the trigger's threshold, and whether it
// arms the detector.
func (t *Trigger) position(tr *triggerState, num float64) (beyond, rearmed bool) {
	switch t.Op {
	case RisesAbove:
		return num > t.X, num <= t.Rearm
	case FallsBelow:
		return num < t.X, num >= t.Rearm
	case Becomes:
		return num == t.X, num != t.X
	case Leaves:
		return num != t.X, num == t.X
	default: // Changes: always armed once a value is known
		return num != tr.last, true
	}
}

// causeOf gives the newest act whose readback's time a sample of the slot
// falls into, and the depth of what it causes (*Meaning* 13).
func (p *Program) causeOf(s *State, slotIndex int) (cause uint64, depth int) {
	for _, act := range p.idx.readbacks[slotIndex] {
		a := &s.acts[act]
		if a.command.n > cause && s.now <= a.command.readUntil {
			cause, depth = a.command.n, a.command.depth+1
		}
	}
	return cause, depth
}

// judge writes a touched card's records: live, cancelled, held, then blocked,
// quarantined or fired, once, for the first trigger that completed.
func (p *Program) judge(s *State, card int, out *Effects) {
	c := &s.cards[card]
	id := p.Cards[card].ID
	s.step.ops++
	if c.becameLive {
		c.becameLive = false
		s.record(out, Record{Card: id, What: Live})
	}
	for i := range c.triggers {
		if tr := &c.triggers[i]; tr.outcome == cancelled {
			s.record(out, Record{Card: id, What: Cancelled, Why: tr.why, Cause: tr.cause})
		}
	}
	first := -1
	for i := range c.triggers {
		tr := &c.triggers[i]
		if tr.first || tr.second {
			p.sequence(s, card, i)
		}
		switch tr.outcome {
		case edge:
			p.hold(s, card, i, out)
		case completed:
			if first < 0 {
				first = i
			}
		}
		tr.outcome = nothing
	}
	if first >= 0 {
		tr := &c.triggers[first]
		p.complete(s, card, completion{p.idx.why.trigger[first], tr.cause, tr.outDepth, false}, out)
	}
}

// hold starts the held_for of a trigger at its edge.
func (p *Program) hold(s *State, card, i int, out *Effects) {
	c := &p.Cards[card]
	tr := &s.cards[card].triggers[i]
	hold := c.When[i].Hold
	if tr.bootHold > 0 {
		hold, tr.bootHold = tr.bootHold, 0
	}
	tr.holding, tr.depth, tr.deadline = true, tr.outDepth, s.now+hold
	tr.held = s.record(out, Record{Card: c.ID, What: Held, Why: p.idx.why.trigger[i], Cause: tr.cause})
	s.timers.push(timer{at: tr.deadline, kind: holds, origin: origin{card: card, index: i}, ref: tr.held})
}

// completion is what completes a card: a trigger, or the driver.
type completion struct {
	why    string
	cause  uint64
	depth  int
	manual bool
}

// complete judges a completion: blocked, quarantined or fired.
func (p *Program) complete(s *State, card int, by completion, out *Effects) {
	c := &s.cards[card]
	id := p.Cards[card].ID
	if why := p.blockedBy(s, card, by); why != "" {
		s.record(out, Record{Card: id, What: Blocked, Why: why, Cause: by.cause})
		return
	}
	if !by.manual && p.exceeds(&c.userCard, s.now) {
		p.quarantine(s, card, by.cause, out)
		return
	}
	p.withdraw(s, card, "restart", out)
	c.hasFired, c.firedAt = true, s.now
	s.firings++
	c.queue = queue{running: true, firing: s.firings, depth: by.depth, manual: by.manual}
	c.queue.fired = s.record(out, Record{Card: id, What: Fired, Why: by.why, Cause: by.cause})
	c.queue.led = c.queue.fired
	s.step.ready = insertSorted(s.step.ready, card)
}

// blockedBy names the first thing that blocks a completion; empty: none.
func (p *Program) blockedBy(s *State, card int, by completion) string {
	c := &s.cards[card]
	switch {
	case !c.live:
		return "not_live"
	case c.disabled:
		return "disabled"
	case c.quarantined:
		return "quarantined"
	case by.depth >= MaxDepth:
		return "depth"
	case c.hasFired && s.now < c.firedAt+p.Cards[card].Cooldown && !by.manual:
		return "cooldown"
	case c.queue.running && !p.Cards[card].Restart:
		return "reentry"
	}
	return p.unmet(s, card)
}

// unmet names the first clause of only_if that is not true; empty: none.
func (p *Program) unmet(s *State, card int) string {
	for i, clause := range p.Cards[card].OnlyIf {
		if clause.eval(s) != yes {
			return p.idx.why.onlyIf[i]
		}
	}
	return ""
}

// exceeds notes a firing at t and reports whether it would exceed the
// profile's quarantine within (t-Within, t].
func (p *Program) exceeds(c *userCard, t int64) bool {
	q := p.Quarantine
	if q.Fires == 0 {
		return false
	}
	if len(c.fires) < q.Fires {
		c.fires = append(c.fires, t)
		return false
	}
	if c.fires[c.fireHead] > t-q.Within {
		return true
	}
	c.fires[c.fireHead] = t
	c.fireHead = (c.fireHead + 1) % q.Fires
	return false
}

// quarantine suppresses a firing and ends what the card has running.
func (p *Program) quarantine(s *State, card int, cause uint64, out *Effects) {
	s.cards[card].quarantined = true
	s.record(out, Record{Card: p.Cards[card].ID, What: Quarantined, Why: "fires", Cause: cause})
	p.abandon(s, card, "quarantined", out)
	for act := range s.acts {
		if i := s.acts[act].findCard(card); i >= 0 {
			s.removeLease(act, i, "quarantined")
		}
	}
}
