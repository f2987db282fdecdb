package engine

import (
	"sort"
)

// A reload (*Meaning* 14) ends, under the old program, what belongs to cards that
// were removed or changed, then takes the rest over into a state of the new
// one. With another profile everything ends, and all cards start anew.

// EvReload is the journal's number of a reload. It is no event for Step: see
// Reload.
const EvReload EventKind = 15

// Reload ends what next no longer has and returns the state in which next goes
// on. Its effects are of p: calls are to be made by p's bindings. p and s are
// not to be used any more.
func (p *Program) Reload(s *State, next *Program, t int64, out *Effects) *State {
	p.comeTo(s, t, out)
	sameCar := next.Hash == p.Hash
	why := "cards"
	if !sameCar {
		why = "profile"
	}
	s.record(out, Record{What: Reload, Why: why})
	c := carry{p: p, next: next, from: s, to: next.NewState(s.session, s.judged)}
	gone := p.goneByID(s)
	for card := range p.Cards {
		for ; !sameCar && len(gone) > 0 && p.cardID(s, gone[0]) < p.Cards[card].ID; gone = gone[1:] {
			p.endLeases(s, gone[0], "profile", out)
		}
		if reason := c.place(card, sameCar); reason != "" {
			p.retire(s, card, reason, out)
		}
	}
	for ; !sameCar && len(gone) > 0; gone = gone[1:] {
		p.endLeases(s, gone[0], "profile", out)
	}
	p.finish(s, out)
	if !sameCar {
		c.dropEnds(out)
	}
	c.common()
	if sameCar {
		c.slots()
		c.cards(out)
		c.actuators()
		c.timers()
	} else {
		c.car()
	}
	c.watch(sameCar)
	return c.to
}

// goneByID lists the cards that are gone by their ids.
func (p *Program) goneByID(s *State) (cards []int) {
	for i := range s.gone {
		cards = append(cards, len(p.Cards)+i)
	}
	sort.SliceStable(cards, func(i, j int) bool { return p.cardID(s, cards[i]) < p.cardID(s, cards[j]) })
	return cards
}

// carry is a state on its way from one program to another.
type carry struct {
	p, next  *Program
	from, to *State
	same     []int // by card of p: its index in next if it is the same; -1
	slot     []int // by signal of p: its index in next; -1
}

// place finds a card in the new program, and says why it ends; empty: it goes on.
func (c *carry) place(card int, sameCar bool) string {
	old := &c.p.Cards[card]
	i, ok := c.next.findCard(old.ID)
	c.same = append(c.same, -1)
	switch {
	case !sameCar:
		return "profile"
	case !ok:
		return "removed"
	case c.next.Cards[i].Hash != old.Hash:
		return "changed"
	}
	c.same[card] = i
	return ""
}

// card is where a card that something names is in the new program: its own
// index, or one behind the program's if it is gone.
func (c *carry) card(old int) int {
	if old < len(c.same) && c.same[old] >= 0 {
		return c.same[old]
	}
	i, _ := c.next.cardOf(c.to, c.p.cardID(c.from, old), "")
	return i
}

func (c *carry) origin(o *origin) { o.card = c.card(o.card) }

// common takes over what is of no card, signal or actuator, and the users.
func (c *carry) common() {
	s, n := c.from, c.to
	n.started, n.now, n.raw, n.n, n.firings, n.granted, n.wall = s.started, s.now, s.raw, s.n, s.firings, s.granted, s.wall
	n.step.number, n.boot, n.user = s.step.number, s.boot, s.user
	for card := range c.next.Cards {
		n.cards[card].userCard = c.userCard(card, func(old int) *userCard { return &s.cards[old].userCard })
	}
	for i := range s.users {
		u := userPart{user: s.users[i].user}
		for card := range c.next.Cards {
			u.cards = append(u.cards, c.userCard(card, func(old int) *userCard { return &s.users[i].cards[old] }))
		}
		n.users = append(n.users, u)
	}
	for i := range c.next.Occurs {
		for old := range c.p.Occurs {
			if c.p.Occurs[old].Name == c.next.Occurs[i].Name {
				n.occurred[i] = s.occurred[old]
			}
		}
	}
}

// userCard is a user's part of a card: all of it if the card is the same, else
// that it is disabled; a yes to a card that was installed is one to its version.
// Under another profile firings count anew.
func (c *carry) userCard(card int, of func(old int) *userCard) (u userCard) {
	u = c.next.newUserCard(card)
	old, ok := c.p.findCard(c.next.Cards[card].ID)
	if !ok {
		return u
	}
	was := of(old)
	same := c.p.Cards[old].Hash == c.next.Cards[card].Hash
	if same || !u.disabled {
		u.disabled = was.disabled
	}
	if same {
		u.quarantined, u.hasFired, u.firedAt = was.quarantined, was.hasFired, was.firedAt
		if c.p.Hash == c.next.Hash {
			u.fires, u.fireHead = append(u.fires, was.fires...), was.fireHead
		}
	}
	return u
}

// slots takes over what is known of the signals; the drive states are the same.
func (c *carry) slots() {
	c.to.drive = c.from.drive
	for old := range c.p.Signals {
		c.slot = append(c.slot, -1)
		for i := range c.next.Signals {
			if c.next.Signals[i].Path == c.p.Signals[old].Path {
				c.slot[old] = i
				c.to.slots[i] = c.from.slots[old]
			}
		}
	}
}

// cards takes over the cards that are the same. New ones know nothing yet; they
// are live at once if every signal they name was valid before.
func (c *carry) cards(out *Effects) {
	going := make([]bool, len(c.next.Cards))
	for old, card := range c.same {
		if card < 0 {
			continue
		}
		going[card] = true
		was, is := &c.from.cards[old], &c.to.cards[card]
		for i := range was.triggers {
			memory := is.triggers[i].memory
			switch c.next.Cards[card].When[i].Op {
			case Rate, Avg, Min, Max:
				c.to.windows[memory] = c.from.windows[was.triggers[i].memory]
			case Count:
				c.to.rings[memory] = c.from.rings[was.triggers[i].memory]
			}
			is.triggers[i] = was.triggers[i]
			is.triggers[i].memory = memory
		}
		is.missing, is.live, is.queue = was.missing, was.live, was.queue
	}
	for card := range going {
		is := &c.to.cards[card]
		if going[card] || is.live {
			continue
		}
		for _, slot := range c.next.Cards[card].Names {
			if c.to.slots[slot].seen {
				is.missing--
			}
		}
		if is.live = is.missing == 0; is.live {
			c.to.record(out, Record{Card: c.next.Cards[card].ID, What: Live})
		}
	}
}

// actuators takes over actuators, actions and open calls: the profile is the
// same, and so are their places.
func (c *carry) actuators() {
	n := c.to
	copy(n.actions, c.from.actions)
	for act := range n.acts {
		a := &n.acts[act]
		*a = c.from.acts[act]
		a.stack = append([]lease(nil), a.stack...)
		for i := range a.stack {
			c.origin(&a.stack[i].origin)
		}
		if a.end.open {
			c.origin(&a.end.origin)
		}
		if a.command.n != 0 {
			c.origin(&a.command.origin)
		}
		if a.ask.n != 0 {
			c.origin(&a.ask.origin)
		}
		a.left = ending{}
		switch followed, follows := c.p.Actuators[act].Readback >= 0, c.next.Actuators[act].Readback >= 0; {
		case !follows:
			a.command.judging = false // nobody reads it back any more
		case !followed && len(a.stack) == 0 && !a.end.open:
			a.base = Value{} // nobody has looked meanwhile
			a.command.hasHull, a.command.lo, a.command.hi = false, 0, 0
		}
	}
	for _, o := range c.from.open {
		c.origin(&o.origin)
		n.open = append(n.open, o)
	}
}

// timers takes over the timers of what goes on.
func (c *carry) timers() {
	var list []timer
	for _, tm := range c.from.timers.list {
		switch tm.kind {
		case staleness:
			if tm.card = c.slot[tm.card]; tm.card < 0 {
				continue
			}
		case holds, windows, wallTimes, waits:
			if tm.card = c.same[tm.card]; tm.card < 0 {
				continue
			}
		case readbacks:
			if tm.ref == 0 {
				break // waits for an actuator and belongs to no card
			}
			c.origin(&tm.origin)
		default:
			c.origin(&tm.origin)
		}
		list = append(list, tm)
	}
	c.next.nameTimers(c.to)
	for _, tm := range list {
		c.to.timers.push(tm)
	}
}

// car takes over, by name, what belongs to the car when the profile changes:
// base values, the driver's hand and last starts.
func (c *carry) car() {
	for i := range c.next.Actuators {
		for old := range c.p.Actuators {
			if c.p.Actuators[old].Path != c.next.Actuators[i].Path {
				continue
			}
			a, was := &c.to.acts[i], &c.from.acts[old]
			a.hasStart, a.started, a.hasHand, a.handEnds, a.endUntil = was.hasStart, was.started, was.hasHand, was.handEnds, was.endUntil
			if was.base.Kind != None && c.reads(i, old, was.base.Kind) {
				a.base = was.base
				a.command.settleAt(was.base)
			}
		}
	}
}

// reads reports whether a base of this kind can go on: nobody reads it back, or
// it was read back before and still is, in the same kind.
func (c *carry) reads(next, old int, kind ValueKind) bool {
	r := c.next.Actuators[next].Readback
	return r < 0 || c.p.Actuators[old].Readback >= 0 && c.next.Signals[r].Type == kind
}

// dropEnds tells which ends were still held back or to be retried: the new
// profile does not know them.
func (c *carry) dropEnds(out *Effects) {
	for act := range c.from.acts {
		if e := &c.from.acts[act].end; e.open && e.phase != calling {
			c.from.record(out, Record{What: Dropped, Why: "actuator:" + c.p.Actuators[act].Path, Cause: e.cause})
		}
	}
}

// watch starts what counts from now on for new cards: silence and wall times.
func (c *carry) watch(sameCar bool) {
	going := make([]bool, len(c.next.Cards))
	for _, card := range c.same {
		if sameCar && card >= 0 {
			going[card] = true
		}
	}
	if !c.to.started {
		return
	}
	for _, ref := range c.next.idx.silent {
		if !going[ref.card] {
			c.next.heard(c.to, ref)
		}
	}
	for _, ref := range c.next.idx.wall {
		if !going[ref.card] {
			c.next.planFrom(c.to, ref)
		}
	}
}

// planFrom sets the first timer of a wall time or the sun for a card that was
// added now: what passed before does not come.
func (p *Program) planFrom(s *State, ref triggerRef) {
	t := &p.Cards[ref.card].When[ref.trigger]
	switch {
	case !s.wall.Trusted:
	case t.Op == WallTime:
		wall := s.wall.at(s.now)
		next := t.nextLocal(wall + s.wall.offset(wall))
		p.awaitWall(s, ref, next, s.wall.first(next, wall))
	default:
		p.planSun(s, ref, &wallClock{})
	}
}
