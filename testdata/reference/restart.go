package reference

import (
	"slices"
	"strings"
)

// Saved is what outlives a session (rule 15, choice 70), by names.
type Saved struct {
	profile   string
	now       int64 // of the last write
	user      uint64
	users     []part // of whom there is something: the others in their order, then the present one
	actuators []*actuator
	holds     []savedHold
}

// savedHold is a hold that ran, or waited for its first sample.
type savedHold struct {
	card, version string
	trigger       int
	left          int64
}

// boot is how a session goes on from an earlier one.
type boot struct {
	from *Saved
	same bool   // kernel boot: deadlines stand
	n    uint64 // its record
}

// Save gives what would be kept now. A session without an event leaves it as
// it was.
func (in *Interpreter) Save() *Saved {
	if in.boot != nil && !in.started {
		return in.boot.from
	}
	s := &Saved{profile: in.profile, now: in.now, user: in.user}
	for _, p := range append(slices.Clone(in.others), in.present()) {
		kept := part{user: p.user, cards: map[string]personal{}}
		for id, c := range p.cards {
			if c.disabled != in.card(id).Off || c.quarantined || c.fired {
				c.firings = slices.Clone(c.firings)
				kept.cards[id] = c
			}
		}
		if len(kept.cards) > 0 {
			s.users = append(s.users, kept)
		}
	}
	for _, a := range in.actuators {
		s.actuators = append(s.actuators, a.saved())
	}
	for _, c := range in.cards {
		for _, d := range c.detectors {
			switch {
			case d.held != nil:
				s.holds = append(s.holds, savedHold{c.ID, c.Version, d.index, d.held.deadline - in.now})
			case d.kept > 0:
				s.holds = append(s.holds, savedHold{c.ID, c.Version, d.index, d.kept})
			}
		}
	}
	return s
}

// saved is a copy of an actuator as it is now.
func (a *actuator) saved() *actuator {
	s := *a
	s.stack, s.commands = slices.Clone(a.stack), slices.Clone(a.commands)
	if a.end != nil {
		end := *a.end
		s.end = &end
	}
	if a.newest != nil {
		s.newest = &call{value: a.newest.value, ignored: true}
	}
	return &s
}

// Boot readies a new session that goes on from an earlier one's state, on the
// same kernel boot or another.
func Boot(s *Saved, v Vehicle, cards []Card, session uint64, judged, same bool) *Interpreter {
	in := New(v, cards, session, judged)
	in.boot = &boot{from: s, same: same}
	return in
}

// goOnFrom is the first step of a session that goes on from another, at the
// time of its first event (choice 71).
func (in *Interpreter) goOnFrom() {
	if in.boot == nil {
		return
	}
	in.step++
	why := "boot:other"
	if in.boot.same {
		why = "boot:same"
	}
	in.boot.n = in.write(Record{What: "boot", Why: why})
	in.takeUsers()
	for _, old := range in.boot.from.actuators {
		in.takeActuator(old)
	}
	in.takeHolds()
	for _, a := range in.actuators {
		switch {
		case len(a.stack) == 0 && a.end == nil:
		case in.judged && a.Call && a.Readback != "":
			a.booting, a.bootUntil = true, in.now+10e9
		default:
			in.known(a)
		}
	}
	in.finish()
}

// takeUsers takes up what was kept of each user. Running cooldowns stand, or on
// another boot begin anew; firings count on, but not on another boot or
// under another profile.
func (in *Interpreter) takeUsers() {
	s := in.boot.from
	in.user = s.user
	for _, p := range s.users {
		taken := part{user: p.user, cards: map[string]personal{}}
		for _, c := range in.cards {
			u := p.cards[c.ID].of(c)
			if !in.boot.same || s.profile != in.profile {
				u.firings = nil
			}
			if !in.boot.same {
				u.fired = u.fired && s.now < u.lastFired+c.Cooldown
				u.lastFired = in.now
			}
			taken.cards[c.ID] = u
		}
		if p.user != in.user {
			in.others = append(in.others, taken)
			continue
		}
		for _, c := range in.cards {
			c.personal = taken.cards[c.ID]
		}
	}
}

// takeActuator takes up what was kept of an actuator, if the profile still has
// it (choice 73).
func (in *Interpreter) takeActuator(old *actuator) {
	i := slices.IndexFunc(in.actuators, func(a *actuator) bool { return a.Path == old.Path })
	if i < 0 {
		if len(old.stack) > 0 || old.end != nil {
			in.write(Record{What: "dropped", Why: "actuator:" + old.Path})
		}
		return
	}
	a := in.actuators[i]
	kept := *old.saved()
	kept.Actuator, kept.stack, kept.holder, kept.asker, kept.booting = a.Actuator, nil, nil, nil, false
	*a = kept
	if !in.boot.same {
		in.beginAnew(a)
	}
	for _, l := range old.stack {
		taken := in.takeLease(l)
		a.stack = append(a.stack, taken)
		if old.holder == l {
			a.holder = taken
		}
	}
	if a.end != nil {
		a.end = &ending{lease: in.takeLease(old.end.lease)}
	}
}

// beginAnew has what ran at the last write begin again on another boot: the
// holdoff and the least interval; of the end's readback time what was left.
func (in *Interpreter) beginAnew(a *actuator) {
	asOf := in.boot.from.now
	a.holdoffSet = a.holdoffSet && asOf < a.holdoff
	a.holdoff = in.now + a.Holdoff
	a.started = a.started && asOf < a.lastStart+a.MinInterval
	a.lastStart = in.now
	a.endReadEnd = in.now + max(0, a.endReadEnd-asOf)
}

// takeLease takes up a lease under its card's name, and says why it is to end.
func (in *Interpreter) takeLease(old *lease) *lease {
	l := *old
	l.firing, l.n = firing{driver: old.driver}, 0
	i := slices.IndexFunc(in.cards, func(c *card) bool { return c.ID == old.card.ID })
	switch {
	case i < 0:
		l.card = &card{Card: Card{ID: old.card.ID}}
	default:
		l.card = in.cards[i]
	}
	switch {
	case old.over == "boot" || !in.boot.same || in.boot.from.profile != in.profile:
		l.over = "boot"
	case old.over != "":
	case i < 0:
		l.over = "removed"
	case in.cards[i].Version != old.card.Version:
		l.over = "changed"
	}
	return &l
}

// takeHolds has the holds of cards that are still the same wait for their first
// sample.
func (in *Interpreter) takeHolds() {
	for _, h := range in.boot.from.holds {
		for _, c := range in.cards {
			if c.ID != h.card || c.Version != h.version {
				continue
			}
			switch d := c.detectors[h.trigger]; c.OnBoot {
			case "restart":
				d.kept = d.HeldFor
			case "resume":
				d.kept = h.left
			}
		}
	}
}

// takeUpHold is the first valid sample after a restart for a trigger that was
// held.
func (in *Interpreter) takeUpHold(c *card, d *detector, rearmed bool) {
	if !rearmed {
		d.held = &hold{deadline: in.now + d.kept}
		c.held = append(c.held, Record{Why: triggerName(d.index), Cause: in.boot.n, Lease: int64(d.index)})
	}
	d.kept = 0
}

// firstReadBack is the first valid readback of an actuator that was held or
// ending: beyond base and command it is the driver's hand.
func (in *Interpreter) firstReadBack(a *actuator, v Value) {
	within := []Value{a.newest.value}
	if a.base.Kind != Absent {
		within = append(within, a.base)
	}
	if v.Kind == Label {
		if !slices.Contains(within, v) {
			in.hand(a, v)
			return
		}
		in.known(a)
		return
	}
	low, high := within[0].Num, within[0].Num
	if hullLow, hullHigh, ok := a.hull(); ok && len(a.stack) == 0 {
		low, high = min(low, hullLow), max(high, hullHigh)
	}
	for _, w := range within {
		low, high = min(low, w.Num), max(high, w.Num)
	}
	if v.Num < low-a.Step || v.Num > high+a.Step {
		in.hand(a, v)
		return
	}
	in.known(a)
}

// known is what an actuator was waited for: leases that are over end, then the
// top lease's call, or the open end's, is sent again. A lease whose deadline
// has passed ends by its timer.
func (in *Interpreter) known(a *actuator) {
	a.booting = false
	var ended []leaving
	for _, l := range byCard(a.stack) {
		why := l.over
		if why == "" && !slices.Contains(a.States, in.state) {
			why = "state:" + in.state
		}
		if why != "" {
			ended = append(ended, leaving{l, why})
		}
	}
	for _, l := range ended {
		in.takeOff(a, l.lease)
	}
	for _, l := range ended {
		in.writeEnded(a, l.lease, l.why)
	}
	switch {
	case a.end != nil:
		a.end.due = true
		if a.end.cause == 0 {
			a.end.cause = in.boot.n
		}
	case a.holder != nil && a.holder.deadline > in.now:
		a.end = &ending{lease: a.holder, cause: in.boot.n, due: true}
		a.holder = nil
	}
}

// sorted lists ids once each, in order.
func sorted(ids []string) []string {
	slices.SortFunc(ids, strings.Compare)
	return slices.Compact(ids)
}
