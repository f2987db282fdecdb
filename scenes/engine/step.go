package engine

// Step runs the timers due at or before ev.T, each a step of its own, then the
// event, and appends what was decided to out. The same State, Program and
// events give the same effects on every processor.
func (p *Program) Step(s *State, ev *Event, out *Effects) {
	p.comeTo(s, ev.T, out)
	switch ev.Kind {
	case EvFrame:
		p.frame(s, ev.Samples, out)
	case EvReply:
		p.reply(s, ev, out)
	case EvOverride:
		p.hand(s, ev.Actuator, ev.Value, out)
	case EvStop:
		p.rest(s, "stop", out)
	case EvLost:
		p.lost(s, ev, out)
	case EvLink:
		p.link(s, ev, out)
	case EvOccur:
		p.occur(s, ev.Occur, ev.OK, out)
	case EvClock:
		p.setClock(s, ev.Clock, out)
	default:
		p.driver(s, ev, out)
	}
	p.finish(s, out)
}

// comeTo brings a state to the step of an event at t.
func (p *Program) comeTo(s *State, t int64, out *Effects) {
	back := s.started && t < s.raw
	s.raw = t
	if !s.started {
		s.started, s.now = true, t
		p.listen(s)
		p.start(s, out)
	}
	t = max(t, s.now)
	p.runTimers(s, t, out)
	s.now = t
	s.begin()
	if back {
		s.record(out, Record{What: Clock, Why: "back"})
	}
}

func (s *State) begin() {
	st := &s.step
	st.number++
	st.cards, st.ready, st.acts = st.cards[:0], st.ready[:0], st.acts[:0]
	st.drive, st.ops = false, 0
}

// runTimers makes a step of each timer due at or before t, in their order.
func (p *Program) runTimers(s *State, t int64, out *Effects) {
	for len(s.timers.list) > 0 && s.timers.list[0].at <= t {
		tm := s.timers.pop()
		if !p.due(s, &tm) {
			continue
		}
		s.now = max(s.now, tm.at)
		s.begin()
		p.expire(s, &tm, out)
		p.finish(s, out)
	}
}

// due reports whether a popped timer still means something. A staleness timer
// whose slot was renewed goes back with its new deadline.
func (p *Program) due(s *State, tm *timer) bool {
	switch tm.kind {
	case staleness:
		v := &s.slots[tm.card]
		v.timed = false
		if !v.known {
			return false
		}
		if at := v.last + p.Signals[tm.card].StaleAfter; at > tm.at {
			p.watchStale(s, tm.card)
			return false
		}
		return true
	case holds:
		tr := &s.cards[tm.card].triggers[tm.index]
		return tr.holding && tr.held == tm.ref
	case windows:
		return p.windowDue(s, tm)
	case wallTimes:
		return s.cards[tm.card].triggers[tm.index].ref == tm.ref
	case waits:
		q := &s.cards[tm.card].queue
		return q.running && q.waiting && q.firing == tm.firing && q.pos == tm.index
	case replies:
		return s.findOpen(tm.ref) >= 0
	case confirms:
		return s.acts[tm.act].ask.n == tm.ref
	case leases:
		return s.acts[tm.act].find(tm.ref) >= 0
	case readbacks:
		a := &s.acts[tm.act]
		if tm.ref == 0 {
			return a.booting
		}
		return a.command.n == tm.ref && a.command.judging && !a.command.settled
	default: // retries
		e := &s.acts[tm.act].end
		return e.open && e.phase == backoff && e.call == tm.ref
	}
}

// expire is the own part of a timer's step.
func (p *Program) expire(s *State, tm *timer, out *Effects) {
	switch tm.kind {
	case staleness:
		p.goUnknown(s, tm.card, p.idx.why.stale[tm.card], out)
		p.checkDrive(s, out)
	case holds:
		tr := &s.touch(tm.card).triggers[tm.index]
		tr.holding = false
		tr.outcome, tr.cause, tr.outDepth = completed, tr.held, tr.depth
	case windows:
		p.windowEnds(s, tm)
	case wallTimes:
		p.wallTime(s, triggerRef{tm.card, tm.index})
	case waits:
		q := &s.cards[tm.card].queue
		q.waiting = false
		q.pos++
		s.step.ready = insertSorted(s.step.ready, tm.card)
	case replies:
		p.fail(s, s.takeOpen(s.findOpen(tm.ref)), "timeout", out)
	case confirms:
		p.decline(s, tm.act, "timeout", out)
	case leases:
		a := &s.acts[tm.act]
		i := a.find(tm.ref)
		p.endLease(s, tm.act, i, "duration", a.stack[i].acted, out)
	case readbacks:
		if tm.ref == 0 {
			p.goOn(s, tm.act, out)
			return
		}
		p.missReadback(s, tm.act, out)
	case retries:
		s.acts[tm.act].end.phase = toSend
		s.step.acts = insertSorted(s.step.acts, tm.act)
	}
}

// finish judges the touched cards by id, then carries their queues on in
// rounds until nothing more completes at once.
func (p *Program) finish(s *State, out *Effects) {
	for _, card := range s.step.cards {
		p.judge(s, card, out)
	}
	for len(s.step.ready) > 0 || len(s.step.acts) > 0 {
		p.advance(s)
		p.actuate(s, out)
		p.perform(s, out)
	}
	s.step.most = max(s.step.most, s.step.ops)
}
