package engine

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// A snapshot is a State, exact: its fields one after another, numbers as
// varints, floats as their bits, lists and texts with their length. It fits the
// version of the engine and the program that it was made with, which the header
// of a journal names. One walk over the fields writes and reads it; a test holds
// that the walk leaves no field out.

// Snapshot appends the state, exact, to b. It is to be taken between steps.
func (s *State) Snapshot(b []byte) []byte {
	c := codec{b: b}
	c.state(s)
	return c.b
}

// Restore gives back the state of a snapshot. What is not a snapshot of a state
// of this program is an error.
func (p *Program) Restore(snapshot []byte) (*State, error) {
	s, err := readState(snapshot)
	if err != nil {
		return nil, fmt.Errorf("engine: not a snapshot of this version: %w", err)
	}
	if err := p.fits(s); err != nil {
		return nil, fmt.Errorf("engine: not a snapshot of this program: %w", err)
	}
	p.nameTimers(s)
	return s, nil
}

func readState(snapshot []byte) (*State, error) {
	s := &State{}
	c := codec{b: snapshot, reads: true}
	c.state(s)
	if c.err == nil && len(c.b) > 0 {
		c.err = fmt.Errorf("%d bytes are left over", len(c.b))
	}
	return s, c.err
}

// codec writes fields to the end of b, or reads them from its beginning.
type codec struct {
	b     []byte
	reads bool
	err   error // the first, when reading
}

// state walks over a State. Of the step's scratch, empty between steps, only
// the number counts.
func (c *codec) state(s *State) {
	c.fields(&s.session, &s.judged, &s.started, &s.now, &s.raw, &s.n, &s.drive, &s.user, &s.firings, &s.granted, &s.step.most, &s.step.number)
	each(c, &s.slots, func(v *slot) { c.fields(&v.num, &v.last, &v.known, &v.seen, &v.timed, &v.quiet, &v.back) })
	each(c, &s.cards, c.card)
	each(c, &s.users, func(u *userPart) {
		c.fields(&u.user)
		each(c, &u.cards, c.userCard)
	})
	each(c, &s.acts, c.actuator)
	each(c, &s.actions, func(a *actionState) { c.fields(&a.has, &a.last) })
	each(c, &s.open, func(o *openCall) { c.fields(&o.n, &o.kind, &o.origin, &o.act, &o.grant) })
	each(c, &s.timers.list, func(t *timer) { c.fields(&t.at, &t.kind, &t.origin, &t.act, &t.ref) })
	each(c, &s.windows, c.window)
	each(c, &s.rings, func(r *ring) {
		for i := range r.at {
			c.fields(&r.at[i])
		}
		c.fields(&r.n)
	})
	each(c, &s.occurred, func(o *bool) { c.fields(o) })
	w := &s.wall
	c.fields(&w.Trusted, &w.Wall, &w.Offset, &w.Next, &w.NextOffset, &w.Rise[0], &w.Rise[1], &w.Set[0], &w.Set[1], &w.t)
	c.fields(&s.boot.pending, &s.boot.same, &s.boot.asOf, &s.boot.n)
	each(c, &s.boot.lost, func(path *string) { c.fields(path) })
	each(c, &s.gone, func(id *string) { c.fields(id) })
}

func (c *codec) card(s *cardState) {
	each(c, &s.triggers, func(t *triggerState) {
		c.fields(&t.detector, &t.last, &t.holding, &t.deadline, &t.bootHold, &t.depth, &t.held, &t.memory, &t.at, &t.passed, &t.has,
			&t.first, &t.second, &t.next, &t.ref, &t.outcome, &t.why, &t.cause, &t.outDepth)
	})
	c.fields(&s.missing, &s.live, &s.touched, &s.becameLive)
	c.userCard(&s.userCard)
	q := &s.queue
	c.fields(&q.running, &q.waiting, &q.firing, &q.fired, &q.depth, &q.pos, &q.call, &q.asked, &q.led, &q.agreed, &q.manual)
}

func (c *codec) userCard(u *userCard) {
	c.fields(&u.disabled, &u.quarantined, &u.hasFired, &u.firedAt, &u.fireHead)
	each(c, &u.fires, func(t *int64) { c.fields(t) })
}

func (c *codec) actuator(a *actuatorState) {
	c.fields(&a.base, &a.top, &a.hasStart, &a.started, &a.hasHand, &a.handEnds, &a.endUntil, &a.hasLeft, &a.booting)
	each(c, &a.stack, c.lease)
	e := &a.end
	c.fields(&e.open, &e.phase, &e.denied, &e.origin, &e.value, &e.cause, &e.call, &e.tries)
	c.lease(&a.left.lease)
	c.fields(&a.left.cause)
	m := &a.command
	c.fields(&m.n, &m.origin, &m.action, &m.value, &m.readUntil, &m.hasHull, &m.lo, &m.hi, &m.replied, &m.settled, &m.judging)
	c.fields(&a.ask.n, &a.ask.origin)
}

func (c *codec) lease(l *lease) {
	c.fields(&l.origin, &l.driver, &l.priority, &l.value, &l.deadline, &l.acted, &l.atEnd, &l.endValue, &l.over)
}

func (c *codec) window(w *window) {
	c.fields(&w.on, &w.timed, &w.value, &w.start, &w.since, &w.begin, &w.sum, &w.lo, &w.hi, &w.head, &w.n, &w.quiet, &w.ref, &w.cause, &w.depth, &w.caused)
	for i := range w.figure {
		c.fields(&w.figure[i], &w.sums[i])
	}
}

// each walks over a list.
func each[T any](c *codec, list *[]T, one func(*T)) {
	n := uint64(len(*list))
	c.uint(&n)
	if c.reads {
		if c.err == nil && n > uint64(len(c.b)) { // each entry takes a byte at least
			c.err = errCut
		}
		if c.err != nil || n == 0 {
			return
		}
		*list = make([]T, n)
	}
	for i := range *list {
		one(&(*list)[i])
	}
}

// fields walks over fields, given by pointers.
func (c *codec) fields(list ...any) {
	for _, f := range list {
		switch f := f.(type) {
		case *bool:
			n := byte(0)
			if *f {
				n = 1
			}
			c.small(&n)
			*f = n != 0
		case *int:
			n := int64(*f)
			c.int(&n)
			*f = int(n)
			c.check(int64(*f) == n)
		case *int64:
			c.int(f)
		case *uint:
			n := uint64(*f)
			c.uint(&n)
			*f = uint(n)
			c.check(uint64(*f) == n)
		case *uint64:
			c.uint(f)
		case *float64:
			c.float(f)
		case *string:
			c.text(f)
		case *Value:
			c.fields(&f.Kind, &f.Num, &f.Text)
		case *origin:
			c.fields(&f.card, &f.firing, &f.index, &f.depth)
		default:
			c.word(f)
		}
	}
}

// word walks over a field that is one of a few words.
func (c *codec) word(f any) {
	switch f := f.(type) {
	case *ValueKind:
		c.small((*byte)(f))
	case *detector:
		c.small((*byte)(f))
	case *outcome:
		c.small((*byte)(f))
	case *endPhase:
		c.small((*byte)(f))
	case *EndKind:
		c.small((*byte)(f))
	case *CallKind:
		c.small((*byte)(f))
	case *timerKind:
		c.small((*byte)(f))
	default:
		panic(fmt.Sprintf("engine: a snapshot cannot hold %T", f))
	}
}

var errCut = errors.New("it is cut")

func (c *codec) check(ok bool) {
	if c.err == nil && !ok {
		c.err = errors.New("a number is out of range")
	}
}

func (c *codec) small(n *byte) {
	switch {
	case !c.reads:
		c.b = append(c.b, *n)
	case c.err == nil && len(c.b) == 0:
		c.err = errCut
	case c.err == nil:
		*n, c.b = c.b[0], c.b[1:]
	}
}

func (c *codec) uint(n *uint64) {
	switch {
	case !c.reads:
		c.b = binary.AppendUvarint(c.b, *n)
	case c.err == nil:
		x, size := binary.Uvarint(c.b)
		c.took(size)
		*n = x
	}
}

func (c *codec) int(n *int64) {
	switch {
	case !c.reads:
		c.b = binary.AppendVarint(c.b, *n)
	case c.err == nil:
		x, size := binary.Varint(c.b)
		c.took(size)
		*n = x
	}
}

// took moves on over a number that was read.
func (c *codec) took(size int) {
	if size <= 0 {
		c.err = errCut
		return
	}
	c.b = c.b[size:]
}

func (c *codec) float(x *float64) {
	switch {
	case !c.reads:
		c.b = binary.LittleEndian.AppendUint64(c.b, math.Float64bits(*x))
	case c.err == nil && len(c.b) < 8:
		c.err = errCut
	case c.err == nil:
		*x = math.Float64frombits(binary.LittleEndian.Uint64(c.b))
		c.b = c.b[8:]
	}
}

func (c *codec) text(s *string) {
	n := uint64(len(*s))
	c.uint(&n)
	switch {
	case !c.reads:
		c.b = append(c.b, *s...)
	case c.err == nil && n > uint64(len(c.b)):
		c.err = errCut
	case c.err == nil:
		*s, c.b = string(c.b[:n]), c.b[n:]
	}
}

// fits reports an index of the state that the program does not have.
func (p *Program) fits(s *State) error {
	switch {
	case len(s.slots) != len(p.Signals), len(s.cards) != len(p.Cards), len(s.acts) != len(p.Actuators), len(s.actions) != len(p.Actions):
		return fmt.Errorf("it is of %d signals, %d cards, %d actuators and %d actions", len(s.slots), len(s.cards), len(s.acts), len(s.actions))
	case len(s.occurred) != len(p.Occurs):
		return fmt.Errorf("it is of %d occurrences", len(s.occurred))
	case !s.wall.Sound():
		return errors.New("wall clock")
	case s.drive < 0 || s.drive > len(p.States):
		return fmt.Errorf("drive state %d", s.drive)
	}
	for i := range s.slots {
		if sig := &p.Signals[i]; sig.Type == Label && s.slots[i].seen && !(s.slots[i].num >= 0 && s.slots[i].num < float64(len(sig.Labels))) {
			return fmt.Errorf("label %v of %s", s.slots[i].num, sig.Path)
		}
	}
	for i := range s.cards {
		c := &s.cards[i]
		if len(c.triggers) != len(p.Cards[i].When) || !p.memoryFits(s, i) || c.queue.pos < 0 || c.queue.pos > len(p.Cards[i].Then) || !p.userFits(&c.userCard) {
			return fmt.Errorf("card %s", p.Cards[i].ID)
		}
	}
	for i := range s.users {
		if len(s.users[i].cards) != len(p.Cards) {
			return fmt.Errorf("user %d of %d cards", s.users[i].user, len(s.users[i].cards))
		}
		for j := range s.users[i].cards {
			if !p.userFits(&s.users[i].cards[j]) {
				return fmt.Errorf("user %d, card %s", s.users[i].user, p.Cards[j].ID)
			}
		}
	}
	return p.actsFit(s)
}

// memoryFits reports whether a card's triggers have windows and rings in which
// nothing is out of place.
func (p *Program) memoryFits(s *State, card int) bool {
	for i := range s.cards[card].triggers {
		at := s.cards[card].triggers[i].memory
		switch p.Cards[card].When[i].Op {
		case Rate, Avg, Min, Max:
			if at < 0 || at >= len(s.windows) {
				return false
			}
			if w := &s.windows[at]; w.head < 0 || w.head >= Buckets || w.n < 0 || w.n > Buckets {
				return false
			}
		case Count:
			if at < 0 || at >= len(s.rings) || s.rings[at].n < 0 || s.rings[at].n > MaxCount {
				return false
			}
		case WallTime, Sunrise, Sunset:
			t := &s.cards[card].triggers[i]
			for _, x := range [...]int64{t.at, t.next, t.passed} {
				if x > MaxWall+30*day || x < -MaxWall {
					return false
				}
			}
		}
	}
	return true
}

func (p *Program) userFits(c *userCard) bool {
	n := len(c.fires)
	return n <= p.Quarantine.Fires && (c.fireHead == 0 || c.fireHead > 0 && c.fireHead < n)
}

// actsFit reports what of actuators, calls and timers refers to nothing.
func (p *Program) actsFit(s *State) error {
	known := func(o *origin) bool { return o.card >= 0 && o.card < len(p.Cards)+len(s.gone) }
	stands := func(o *origin) bool { return o.card >= 0 && o.card < len(p.Cards) }
	for i := range s.acts {
		a := &s.acts[i]
		ok := a.top >= 0 && a.top <= len(a.stack) && known(&a.end.origin) && known(&a.command.origin) && (a.ask.n == 0 || stands(&a.ask.origin))
		for j := range a.stack {
			ok = ok && known(&a.stack[j].origin)
		}
		if !ok && len(p.Cards) > 0 {
			return fmt.Errorf("actuator %s", p.Actuators[i].Path)
		}
	}
	for i := range s.open {
		c := &s.open[i]
		limit := len(p.Actuators)
		if c.kind == CallDo {
			limit = len(p.Actions)
		}
		if !known(&c.origin) || c.kind > CallDo || c.act < 0 || c.act >= limit {
			return fmt.Errorf("open call %d", c.n)
		}
	}
	for i := range s.timers.list {
		if !p.timerFits(s, &s.timers.list[i], known, stands) {
			return fmt.Errorf("timer %d", i)
		}
	}
	return nil
}

func (p *Program) timerFits(s *State, tm *timer, known, stands func(*origin) bool) bool {
	act := tm.act >= 0 && tm.act < len(p.Actuators)
	switch tm.kind {
	case staleness:
		return tm.card >= 0 && tm.card < len(p.Signals)
	case holds, windows, wallTimes:
		if !stands(&tm.origin) || tm.index < 0 || tm.index >= len(p.Cards[tm.card].When) {
			return false
		}
		op := p.Cards[tm.card].When[tm.index].Op
		return tm.kind == holds || tm.kind == windows && op >= StaleFor && op <= Max || tm.kind == wallTimes && op >= WallTime
	case waits:
		return stands(&tm.origin)
	case replies:
		return known(&tm.origin)
	case confirms, leases, readbacks, retries:
		return act
	}
	return false
}
