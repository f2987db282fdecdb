package engine

import "slices"

// OnBoot says what a card's holds do after a reboot, if the first valid sample
// does not re-arm them (*Meaning* 15).
type OnBoot uint8

// The words of on_boot.
const (
	RestartHold OnBoot = iota // hold the whole time from there
	ResumeHold                // hold what was left at the last write
	DropHold                  // the first sample only arms
)

// bootWait is how long an actuator's first valid readback is waited for.
const bootWait = 10e9

// before marks the name of a lease that an earlier session granted; as a cause
// it is left out of records.
const before = 1 << 63

// bootState is how a session that goes on from an earlier one begins.
type bootState struct {
	pending bool // the first event is yet to come
	same    bool // the kernel has not been booted since: times stand
	asOf    int64
	n       uint64   // of the `boot` record
	lost    []string // actuators with leases or ends that the profile has no more
}

// Boot returns the state of a new session that goes on from what was kept. Same
// tells whether the kernel still counts the time that it was kept in. Where an
// actuator is held or ending its first readback is waited for.
func (p *Program) Boot(k *Kept, session uint64, judged, same bool) *State {
	s := p.NewState(session, judged)
	s.boot = bootState{pending: true, same: same, asOf: k.Now}
	s.user = k.User
	stands := same && k.Profile == p.Hash
	for i := range k.Users {
		p.bootUser(s, &k.Users[i], stands)
	}
	for i := range k.Actuators {
		p.bootActuator(s, &k.Actuators[i], stands)
	}
	p.nameTimers(s)
	for _, h := range k.Holds {
		p.bootHold(s, h, k.Now)
	}
	return s
}

// Pending reports whether the session has yet to go on from an earlier one: it
// does at its first event, and until then what was kept stands as it is.
func (s *State) Pending() bool { return s.boot.pending }

// bootUser gives a user's part back. A card that is another version by now
// keeps only that it is disabled, and one that was installed is disabled anew;
// firings count on where times and profile stand.
func (p *Program) bootUser(s *State, k *KeptUser, stands bool) {
	part := p.newUserCards()
	for i := range k.Cards {
		kc := &k.Cards[i]
		card, ok := p.findCard(kc.ID)
		if !ok {
			continue
		}
		c := &part[card]
		same := p.Cards[card].Hash == kc.Hash
		if same || !p.Cards[card].Off {
			c.disabled = kc.Disabled
		}
		if !same {
			continue
		}
		c.quarantined, c.hasFired, c.firedAt = kc.Quarantined, kc.HasFired, kc.FiredAt
		if n := len(kc.Fires) - p.Quarantine.Fires; stands {
			c.fires = append(c.fires, kc.Fires[max(0, n):]...)
		}
	}
	if k.User != s.user {
		s.users = append(s.users, userPart{k.User, part})
		return
	}
	for card := range s.cards {
		s.cards[card].userCard = part[card]
	}
}

// bootActuator gives an actuator's part back; what no longer fits the profile
// is told at the first event.
func (p *Program) bootActuator(s *State, k *KeptActuator, stands bool) {
	act := slices.IndexFunc(p.Actuators, func(a Actuator) bool { return a.Path == k.Path })
	holds := len(k.Leases) > 0 || k.HasEnd
	if act < 0 {
		if holds {
			s.boot.lost = append(s.boot.lost, k.Path)
		}
		return
	}
	a := &s.acts[act]
	a.base, a.hasStart, a.started, a.hasHand, a.handEnds, a.endUntil = k.Base, k.HasStart, k.Started, k.HasHand, k.HandEnds, k.EndUntil
	a.command = command{value: k.Command, hasHull: k.HasHull, lo: k.Low, hi: k.High}
	a.booting, a.top = holds, k.Top
	for i := range k.Leases {
		l := &k.Leases[i]
		card, same := p.cardOf(s, l.Card, l.Hash)
		over := l.Over
		switch {
		case over == "boot" || !stands:
			over = "boot"
		case over != "":
		case card >= len(p.Cards):
			over = "removed"
		case !same:
			over = "changed"
		}
		s.granted++
		a.stack = append(a.stack, lease{origin: origin{card: card, index: l.Index}, driver: l.Driver, priority: l.Priority, value: l.Value,
			deadline: l.Deadline, acted: before | s.granted, atEnd: l.AtEnd, endValue: l.EndValue, over: over})
	}
	if k.HasEnd {
		card, _ := p.cardOf(s, k.EndCard, "")
		a.end = openEnd{open: true, origin: origin{card: card, index: k.EndIndex}, value: k.End}
	}
}

// bootHold takes up a hold as its card's on_boot says.
func (p *Program) bootHold(s *State, h KeptHold, asOf int64) {
	card, ok := p.findCard(h.Card)
	if !ok || p.Cards[card].Hash != h.Hash || h.Trigger >= len(p.Cards[card].When) {
		return
	}
	switch p.Cards[card].OnBoot {
	case RestartHold:
		s.cards[card].triggers[h.Trigger].bootHold = p.Cards[card].When[h.Trigger].Hold
	case ResumeHold:
		s.cards[card].triggers[h.Trigger].bootHold = max(1, h.Deadline-asOf)
	}
}

// start is the step before a session's first event, if it goes on from an
// earlier one.
func (p *Program) start(s *State, out *Effects) {
	if !s.boot.pending {
		return
	}
	s.begin()
	s.boot.pending = false
	why := "boot:other"
	if s.boot.same {
		why = "boot:same"
	}
	s.boot.n = s.record(out, Record{What: Boot, Why: why})
	for _, path := range s.boot.lost {
		s.record(out, Record{What: Dropped, Why: "actuator:" + path})
	}
	s.boot.lost = nil
	if !s.boot.same {
		p.beginAnew(s)
	}
	for act := range s.acts {
		if s.acts[act].booting {
			p.startActuator(s, act, out)
		}
	}
	p.finish(s, out)
}

// startActuator waits for an actuator's readback, or goes on at once where
// none is judged. On the same boot its leases' deadlines stand.
func (p *Program) startActuator(s *State, act int, out *Effects) {
	a, spec := &s.acts[act], &p.Actuators[act]
	for i := range a.stack {
		if l := &a.stack[i]; l.over != "boot" { // else its deadline is of another time
			s.timers.push(timer{at: l.deadline, kind: leases, origin: l.origin, act: act, ref: l.acted})
		}
	}
	if spec.Readback < 0 || !spec.HasCall || !s.judged {
		p.goOn(s, act, out)
		return
	}
	s.timers.push(timer{at: s.now + bootWait, kind: readbacks, act: act})
}

// beginAnew has what was running at the last write begin again in a time that
// begins again: cooldowns, holdoffs, least intervals, ends' readback times.
func (p *Program) beginAnew(s *State) {
	for act := range s.acts {
		a, spec := &s.acts[act], &p.Actuators[act]
		a.hasStart = a.hasStart && s.boot.asOf < a.started+spec.MinInterval
		a.started = s.now
		a.hasHand = a.hasHand && s.boot.asOf < a.handEnds
		a.handEnds = s.now + spec.Holdoff
		a.endUntil = s.now + max(0, a.endUntil-s.boot.asOf)
	}
	anew := func(card int, c *userCard) {
		c.hasFired = c.hasFired && s.boot.asOf < c.firedAt+p.Cards[card].Cooldown
		c.firedAt = s.now
	}
	for card := range s.cards {
		anew(card, &s.cards[card].userCard)
	}
	for i := range s.users {
		for card := range s.users[i].cards {
			anew(card, &s.users[i].cards[card])
		}
	}
}

// bootReadback is the first valid readback of an actuator that was held or
// ending: beyond base and command it is the driver's hand, and nothing is sent.
func (p *Program) bootReadback(s *State, act int, v Value, out *Effects) {
	a, spec := &s.acts[act], &p.Actuators[act]
	low, high := a.command.value, a.command.value
	if a.base.Kind != None {
		low = a.base
	}
	if low.Num > high.Num {
		low, high = high, low
	}
	if len(a.stack) == 0 && a.command.hasHull {
		low.Num, high.Num = min(low.Num, a.command.lo), max(high.Num, a.command.hi) // its end may not have got through
	}
	inside := v.Num >= low.Num-spec.Step && v.Num <= high.Num+spec.Step
	if v.Kind == Label {
		inside = v.Text == low.Text || v.Text == high.Text
	}
	if !inside {
		p.hand(s, act, v, out)
		return
	}
	p.goOn(s, act, out)
}

// goOn ends the wait of a held or ending actuator. Leases that are over end, by
// card id, and so do all where the drive state does not allow them. The call of
// the one in force is sent again, unless its deadline has passed: its timer
// comes next. An end that was not accepted is sent again.
func (p *Program) goOn(s *State, act int, out *Effects) {
	a := &s.acts[act]
	a.booting = false
	if !p.Actuators[act].States.Has(s.drive) {
		for i := range a.stack {
			if l := &a.stack[i]; l.over == "" {
				l.over = p.idx.why.state[s.drive]
			}
		}
	}
	for i := p.firstLease(s, a, true); i >= 0; i = p.firstLease(s, a, true) {
		p.endLease(s, act, i, a.stack[i].over, a.stack[i].acted, out)
	}
	if !a.hasLeft && a.top > 0 && a.inForce().deadline > s.now {
		a.left, a.hasLeft = ending{*a.inForce(), s.boot.n}, true
	}
	if a.end.open && a.end.cause == 0 {
		a.end.cause = s.boot.n
	}
	s.step.acts = insertSorted(s.step.acts, act)
}
