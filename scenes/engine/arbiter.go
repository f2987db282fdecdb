package engine

// request is a set that a queue has come to in this round.
type request struct {
	card int
	act  int
}

// actionState is when a do action was last performed.
type actionState struct {
	has  bool
	last int64
}

// advance moves the ready queues, by card id, to their next action.
func (p *Program) advance(s *State) {
	ready := s.step.ready
	s.step.ready = s.step.ready[:0]
	s.step.requests, s.step.dos, s.step.releases = s.step.requests[:0], s.step.dos[:0], s.step.releases[:0]
	for _, card := range ready {
		q := &s.cards[card].queue
		then := p.Cards[card].Then
		s.step.ops++
		if q.pos == len(then) {
			q.running = false
			continue
		}
		switch step := &then[q.pos]; step.Kind {
		case Wait:
			q.waiting = true
			s.timers.push(timer{at: s.now + step.Wait, kind: waits, origin: q.origin(card)})
		case Set:
			s.step.requests = append(s.step.requests, request{card, step.Actuator})
			s.step.acts = insertSorted(s.step.acts, step.Actuator)
		case Do:
			s.step.dos = append(s.step.dos, card)
		case Release:
			s.step.releases = append(s.step.releases, card)
		}
	}
	for _, card := range s.step.releases {
		p.release(s, card)
	}
}

// actuate settles the round's actuators by path: denied, lost, ended, acted.
func (p *Program) actuate(s *State, out *Effects) {
	acts := s.step.acts
	s.step.acts = s.step.acts[:0]
	for _, act := range acts {
		p.arbitrate(s, act, out)
	}
}

// arbitrate settles one actuator's requests against the gate and each other,
// then what an ended lease left to do.
func (p *Program) arbitrate(s *State, act int, out *Effects) {
	a := &s.acts[act]
	if a.hasLeft || s.lostTop(act) {
		a.highest(s.now)
	}
	winner := p.contest(s, act, out)
	p.reportEnded(s, act, out)
	left, hasLeft := a.left, a.hasLeft
	a.hasLeft = false
	if winner >= 0 && p.mustAsk(s, act, winner) {
		p.ask(s, act, winner, out)
		winner = -1
	}
	switch {
	case winner >= 0:
		p.grant(s, act, winner, out)
	case hasLeft && a.top > 0:
		p.resume(s, act, left.cause, out)
	case hasLeft:
		p.closeLease(s, act, &left, out)
	case a.end.open && a.end.phase == toSend:
		p.sendEnd(s, act, out)
	}
}

// lostTop reports whether a card that was quarantined, or that gave its lease
// back, held the lease in force.
func (s *State) lostTop(act int) bool {
	for i := range s.step.ended {
		if s.step.ended[i].act == act && s.step.ended[i].top {
			return true
		}
	}
	return false
}

// reportEnded records the actuator's leases that removeLease took.
func (p *Program) reportEnded(s *State, act int, out *Effects) {
	rest := s.step.ended[:0]
	for i := range s.step.ended {
		e := s.step.ended[i]
		if e.act == act {
			p.reportEnd(s, &e, out)
		} else {
			rest = append(rest, e)
		}
	}
	s.step.ended = rest
}

// contest passes an actuator's requests through the gate and the arbiter. It
// returns the card that won, or -1; the others' queues have failed.
func (p *Program) contest(s *State, act int, out *Effects) (winner int) {
	a := &s.acts[act]
	winner = -1
	s.step.contenders = s.step.contenders[:0]
	for _, r := range s.step.requests {
		if r.act != act {
			continue
		}
		if why := p.gate(s, r.card); why != "" {
			p.refuse(s, r.card, Denied, why, out)
			continue
		}
		s.step.contenders = insertSorted(s.step.contenders, r.card)
		if winner < 0 || p.outranks(s, a, r.card, winner) {
			winner = r.card
		}
	}
	if winner < 0 {
		return winner
	}
	why := p.idx.why.winner[winner]
	displaced := -1
	switch top := a.inForce(); {
	case a.hasHand && s.now < a.handEnds:
		winner, why = -1, "winner:driver"
	case top != nil && top.card != winner && !p.beats(s, winner, top):
		winner, why = -1, p.idx.why.winner[top.card]
	case p.mustAsk(s, act, winner):
		if a.ask.n != 0 {
			winner, why = -1, p.idx.why.winner[a.ask.card]
		}
	case top != nil && top.card != winner:
		displaced = top.card
	}
	p.announce(s, act, winner, displaced, why, out)
	return winner
}

// announce records who lost, in card order: the contenders that did not win
// and the holder of the lease that the winner puts beneath its own.
func (p *Program) announce(s *State, act, winner, displaced int, why string, out *Effects) {
	told := displaced < 0
	for _, card := range s.step.contenders {
		if !told && displaced <= card {
			told = true
			p.displace(s, act, winner, why, out)
		}
		if card != winner {
			p.refuse(s, card, Lost, why, out)
		}
	}
	if !told {
		p.displace(s, act, winner, why, out)
	}
}

// displace records that the lease in force lost to the winner.
func (p *Program) displace(s *State, act, winner int, why string, out *Effects) {
	l := s.acts[act].inForce()
	s.record(out, Record{Card: p.cardID(s, l.card), What: Lost, Why: why, Action: "set",
		Actuator: p.Actuators[act].Path, Value: l.value, Cause: s.cards[winner].queue.led})
}

// outranks compares a request with that of a smaller id: the driver's word,
// priority, the lease already held; else the smaller id stays.
func (p *Program) outranks(s *State, a *actuatorState, x, y int) bool {
	if dx := s.byDriver(x); dx != s.byDriver(y) {
		return dx
	}
	if px, py := p.Cards[x].Priority, p.Cards[y].Priority; px != py {
		return px > py
	}
	top := a.inForce()
	return top != nil && top.card == x
}

// gate names the first thing that forbids a set now; empty: none. What the
// driver agreed to is held to only_if again.
func (p *Program) gate(s *State, card int) string {
	if s.cards[card].queue.agreed {
		if why := p.unmet(s, card); why != "" {
			return why
		}
	}
	return p.forbids(s, p.current(s, card), s.now)
}

// forbids names the first thing that forbids a set at a time; empty: none.
// Compile lets no card pass that policy, range or lease would stop; they are
// held here all the same.
func (p *Program) forbids(s *State, step *Step, now int64) string {
	a, spec := &s.acts[step.Actuator], &p.Actuators[step.Actuator]
	switch {
	case spec.Forbidden:
		return "policy"
	case step.Value.Kind == Number && !(spec.Min <= step.Value.Num && step.Value.Num <= spec.Max):
		return "range"
	case step.Lease <= 0 || spec.MaxLease > 0 && step.Lease > spec.MaxLease:
		return "lease"
	case !spec.States.Has(s.drive):
		return p.idx.why.state[s.drive]
	case step.AtEnd == Restore && a.base.Kind == None:
		return "base"
	case a.hasStart && now < a.started+spec.MinInterval:
		return "interval"
	case a.booting:
		return "boot"
	}
	return ""
}

// current is the step at which a card's queue stands.
func (p *Program) current(s *State, card int) *Step {
	return &p.Cards[card].Then[s.cards[card].queue.pos]
}

// refuse records a set that was denied or lost, and fails its queue.
func (p *Program) refuse(s *State, card int, what What, why string, out *Effects) {
	step := p.current(s, card)
	s.record(out, Record{Card: p.Cards[card].ID, What: what, Why: why, Action: "set",
		Actuator: p.Actuators[step.Actuator].Path, Value: step.Value, Cause: s.cards[card].queue.led})
	p.failStep(s, card)
}

// grant puts a request's lease on top and sends its call.
func (p *Program) grant(s *State, act, card int, out *Effects) {
	a, step, q := &s.acts[act], p.current(s, card), &s.cards[card].queue
	if i := a.findCard(card); i >= 0 {
		a.remove(i)
	}
	a.end = openEnd{}
	a.hasStart, a.started = true, s.now
	by := q.origin(card)
	n, open := p.issue(s, act, Call{Kind: CallSet, Value: step.Value}, by, 0, step.Lease, q.led, out)
	a.stack = append(a.stack, lease{origin: by, driver: s.byDriver(card), priority: p.Cards[card].Priority, value: step.Value,
		deadline: s.now + step.Lease, acted: n, atEnd: step.AtEnd, endValue: step.EndValue})
	a.top = len(a.stack)
	s.timers.push(timer{at: s.now + step.Lease, kind: leases, origin: by, act: act, ref: n})
	p.sent(s, card, n, open)
}

// resume returns to the lease now in force.
func (p *Program) resume(s *State, act int, cause uint64, out *Effects) {
	l := s.acts[act].inForce()
	if s.acts[act].booting {
		return // sent when the wait is over
	}
	p.issue(s, act, Call{Kind: CallSet, Value: l.value}, l.origin, l.acted, l.deadline-s.now, cause, out)
}

// closeLease ends the last lease for good, as its at_end says.
func (p *Program) closeLease(s *State, act int, left *ending, out *Effects) {
	a, l := &s.acts[act], &left.lease
	e := openEnd{open: true, origin: l.origin, cause: left.cause}
	switch l.atEnd {
	case Leave:
		a.base = l.value
		a.command.judging = false
		return
	case SetTo:
		a.base = l.endValue
	}
	e.value = a.base
	a.end = e
	p.sendEnd(s, act, out)
}

// sendEnd sends an open end if range and drive state allow it; else it waits,
// denied once. A base that the driver's hand set may be out of the range that
// cards have.
func (p *Program) sendEnd(s *State, act int, out *Effects) {
	a, spec := &s.acts[act], &p.Actuators[act]
	e := &a.end
	why := ""
	if a.booting {
		return // sent when the wait is over
	}
	switch {
	case e.value.Kind == Number && !(spec.Min <= e.value.Num && e.value.Num <= spec.Max):
		why = "range"
	case !spec.EndStates.Has(s.drive):
		why = p.idx.why.state[s.drive]
	}
	if why != "" {
		if !e.denied {
			e.denied = true
			s.record(out, Record{Card: p.cardID(s, e.card), What: Denied, Why: why, Action: "end",
				Actuator: spec.Path, Value: e.value, Cause: e.cause})
		}
		return
	}
	n, open := p.issue(s, act, Call{Kind: CallEnd, Value: e.value}, e.origin, 0, 0, e.cause, out)
	a.endUntil = a.command.readUntil
	e.call, e.phase = n, calling
	if !open {
		a.end = openEnd{}
	}
}
