package engine

// ask is a question to the driver that has no answer yet: may this card set
// this actuator (*Meaning* 9 and 12)? An actuator has one at a time.
type ask struct {
	n uint64 // of its `asked` record; 0: none
	origin
}

// mustAsk reports whether the driver has yet to agree to a card's request.
func (p *Program) mustAsk(s *State, act, card int) bool {
	return p.Actuators[act].Confirm > 0 && !s.cards[card].queue.agreed
}

// byDriver reports whether the driver confirmed or ran what a card requests;
// that outranks every automatic card.
func (s *State) byDriver(card int) bool {
	q := &s.cards[card].queue
	return q.agreed || q.manual
}

// beats reports whether a card's request beats another card's lease: by the
// driver's word, then priority; in a tie the lease stays.
func (p *Program) beats(s *State, card int, top *lease) bool {
	if by := s.byDriver(card); by != top.driver {
		return by
	}
	return p.Cards[card].Priority > top.priority
}

// ask asks the driver about the request that won. The lease in force stays
// until the answer.
func (p *Program) ask(s *State, act, card int, out *Effects) {
	a, spec, step, q := &s.acts[act], &p.Actuators[act], p.current(s, card), &s.cards[card].queue
	q.asked = s.record(out, Record{Card: p.Cards[card].ID, What: Asked, Action: "set", Actuator: spec.Path,
		Value: step.Value, Lease: step.Lease, Cause: q.led})
	a.ask = ask{n: q.asked, origin: q.origin(card)}
	s.timers.push(timer{at: s.now + spec.Confirm, kind: confirms, origin: a.ask.origin, act: act, ref: q.asked})
}

// answer takes the driver's answer. Without replies, or without a call to send,
// nobody is there to agree: the question goes unanswered.
func (p *Program) answer(s *State, ev *Event, out *Effects) {
	act := s.findAsk(ev.Ref)
	if act < 0 || ev.Session != s.session || !s.judged || !p.Actuators[act].HasCall {
		s.record(out, Record{What: Dropped, Why: "answer"})
		return
	}
	if !ev.OK {
		p.decline(s, act, "no", out)
		return
	}
	a := s.takeAsk(act)
	q := &s.cards[a.card].queue
	q.agreed = true
	q.led = s.record(out, Record{Card: p.Cards[a.card].ID, What: Confirmed, Action: "set",
		Actuator: p.Actuators[act].Path, Cause: a.n})
	s.step.ready = insertSorted(s.step.ready, a.card)
}

func (s *State) findAsk(n uint64) int {
	for act := range s.acts {
		if n != 0 && s.acts[act].ask.n == n {
			return act
		}
	}
	return -1
}

// takeAsk closes an actuator's question.
func (s *State) takeAsk(act int) ask {
	a := s.acts[act].ask
	s.acts[act].ask = ask{}
	s.cards[a.card].queue.asked = 0
	return a
}

// decline is a no, or no answer in time: it fails the queue that asked.
func (p *Program) decline(s *State, act int, why string, out *Effects) {
	a := s.takeAsk(act)
	p.sayDeclined(s, act, &a, why, out)
	p.failStep(s, a.card)
}

// withdraw closes a card's question, if it has one, whose queue ends.
func (p *Program) withdraw(s *State, card int, why string, out *Effects) {
	if act := s.findAsk(s.cards[card].queue.asked); act >= 0 {
		a := s.takeAsk(act)
		p.sayDeclined(s, act, &a, why, out)
	}
}

func (p *Program) sayDeclined(s *State, act int, a *ask, why string, out *Effects) {
	s.record(out, Record{Card: p.Cards[a.card].ID, What: Declined, Why: why, Action: "set",
		Actuator: p.Actuators[act].Path, Cause: a.n})
}

// release ends the card's own lease on the actuator that its step names; it
// may have none any more.
func (p *Program) release(s *State, card int) {
	act := p.current(s, card).Actuator
	if i := s.acts[act].findCard(card); i >= 0 {
		s.removeLease(act, i, "release")
	}
	p.next(s, card)
}
