package engine

// openCall is a call whose reply has not come.
type openCall struct {
	n    uint64
	kind CallKind
	origin
	act   int    // actuator, or action for CallDo
	grant uint64 // CallSet: n of the `acted` that granted its lease
}

// await lists a call and sets the timer of its time limit.
func (s *State) await(c openCall, limit int64) {
	s.open = append(s.open, c)
	s.timers.push(timer{at: limit, kind: replies, origin: c.origin, ref: c.n})
}

func (s *State) findOpen(n uint64) int {
	for i := range s.open {
		if s.open[i].n == n {
			return i
		}
	}
	return -1
}

func (s *State) takeOpen(i int) openCall {
	c := s.open[i]
	s.open = append(s.open[:i], s.open[i+1:]...)
	return c
}

// origin is the action at which the queue stands.
func (q *queue) origin(card int) origin {
	return origin{card: card, firing: q.firing, index: q.pos, depth: q.depth}
}

// sent is a queue's action that has been sent: it waits for the reply, or goes
// on at once where none will come.
func (p *Program) sent(s *State, card int, n uint64, open bool) {
	if open {
		s.cards[card].queue.call = n
		return
	}
	p.next(s, card)
}

// next takes a queue past its current action.
func (p *Program) next(s *State, card int) {
	q := &s.cards[card].queue
	q.call, q.led, q.agreed = 0, q.fired, false
	q.pos++
	s.step.ready = insertSorted(s.step.ready, card)
}

// failStep is a queue's action that was denied, lost or failed: it stops the
// queue unless on_error says continue. Leases stay.
func (p *Program) failStep(s *State, card int) {
	if p.current(s, card).Continue {
		p.next(s, card)
		return
	}
	s.cards[card].queue.running = false
}

// perform makes the round's do actions, by card id.
func (p *Program) perform(s *State, out *Effects) {
	for _, card := range s.step.dos {
		step, q := p.current(s, card), &s.cards[card].queue
		spec, a := &p.Actions[step.Action], &s.actions[step.Action]
		why := ""
		switch {
		case !spec.States.Has(s.drive):
			why = p.idx.why.state[s.drive]
		case a.has && s.now < a.last+spec.MinInterval:
			why = "interval"
		}
		if why != "" {
			s.record(out, Record{Card: p.Cards[card].ID, What: Denied, Why: why, Action: spec.Name, Cause: q.fired})
			p.failStep(s, card)
			continue
		}
		a.has, a.last = true, s.now
		n := s.record(out, Record{Card: p.Cards[card].ID, What: Acted, Action: spec.Name, Cause: q.fired})
		if spec.HasCall {
			out.Calls = append(out.Calls, Call{N: n, Kind: CallDo, Card: card, CardID: p.Cards[card].ID, Step: q.pos, Action: step.Action,
				NotAfter: s.now + spec.Within})
			if s.judged {
				s.await(openCall{n: n, kind: CallDo, origin: q.origin(card), act: step.Action}, s.now+spec.Within)
			}
		}
		p.sent(s, card, n, spec.HasCall && s.judged)
	}
}

// reply is a service's answer to a call.
func (p *Program) reply(s *State, ev *Event, out *Effects) {
	i := s.findOpen(ev.Ref)
	if i < 0 || ev.Session != s.session {
		s.record(out, Record{What: Dropped, Why: "reply"})
		return
	}
	c := s.takeOpen(i)
	if !ev.OK {
		p.fail(s, c, "error", out)
		return
	}
	s.record(out, p.about(s, &c, Replied, ""))
	if c.kind != CallDo {
		a := &s.acts[c.act]
		if a.command.n == c.n {
			a.command.replied = true
		}
		if a.end.open && a.end.call == c.n {
			a.end = openEnd{}
		}
	}
	if s.awaits(c.card, c.n) {
		p.next(s, c.card)
	}
}

// fail is a call that was refused or not answered in time: it ends its lease,
// or has its end retried, and fails the queue that waits for it.
func (p *Program) fail(s *State, c openCall, why string, out *Effects) {
	s.record(out, p.about(s, &c, Failed, why))
	if c.kind != CallDo {
		a := &s.acts[c.act]
		if a.command.n == c.n {
			a.command.judging = false // a refused command cannot settle
		}
		if i := a.find(c.grant); i >= 0 && c.kind == CallSet {
			p.endLease(s, c.act, i, why, c.grant, out)
		}
		if e := &a.end; e.open && e.call == c.n {
			p.retry(s, c.act)
		}
	}
	if s.awaits(c.card, c.n) {
		s.cards[c.card].queue.call = 0
		p.failStep(s, c.card)
	}
}

// awaits reports whether the card's queue waits for call n.
func (s *State) awaits(card int, n uint64) bool {
	if card >= len(s.cards) {
		return false // no longer in the program
	}
	q := &s.cards[card].queue
	return q.running && q.call == n
}

// retry sets an end's next try: after 1, 2, 4 … 60 s.
func (p *Program) retry(s *State, act int) {
	e := &s.acts[act].end
	wait := int64(60)
	if e.tries < 6 {
		wait = 1 << e.tries
	}
	e.tries++
	e.phase = backoff
	s.timers.push(timer{at: s.now + wait*1e9, kind: retries, origin: e.origin, act: act, ref: e.call})
}

// about is a record on an open call's outcome.
func (p *Program) about(s *State, c *openCall, what What, why string) Record {
	r := Record{Card: p.cardID(s, c.card), What: what, Why: why, Cause: c.n}
	switch c.kind {
	case CallDo:
		r.Action = p.Actions[c.act].Name
	case CallEnd:
		r.Action, r.Actuator = "end", p.Actuators[c.act].Path
	default:
		r.Action, r.Actuator = "set", p.Actuators[c.act].Path
	}
	return r
}
