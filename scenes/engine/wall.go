package engine

// Clocking is what the shell vouches for about the wall clock from an event on.
// Wall times are ns since 1970-01-01 00:00 UTC without leap seconds; 0 is none.
type Clocking struct {
	Trusted    bool     // false: the wall time is unknown, and the rest is empty
	Wall       int64    // at the event's time
	Offset     int64    // of local time, in seconds east of UTC
	Next       int64    // wall time of the next change of the offset; 0: none
	NextOffset int64    // from then on
	Rise, Set  [2]int64 // the latest sunrise (sunset) at or before Wall, and the next one
}

// Limits of a Clocking, so that no sum of its fields overflows.
const (
	MaxWall   = 1 << 62
	MaxOffset = 26 * 3600
)

// Sound reports whether every field is within its limits.
func (c *Clocking) Sound() bool {
	for _, w := range [...]int64{c.Wall, c.Next, c.Rise[0], c.Rise[1], c.Set[0], c.Set[1]} {
		if w < 0 || w > MaxWall {
			return false
		}
	}
	return max(c.Offset, -c.Offset, c.NextOffset, -c.NextOffset) <= MaxOffset
}

// The wall clock's lengths in ns.
const (
	second = int64(1e9)
	minute = 60 * second
	hour   = 60 * minute
	day    = 24 * hour

	leap     = 3 * hour  // the most that local time may jump and still be the same day's
	sameSun  = 12 * hour // sunrises nearer than this are the same one, seen from elsewhere
	stepFrom = second    // a smaller correction of the clock is no step
)

// wallClock is the newest Clocking.
type wallClock struct {
	Clocking
	t int64 // stream time of the event
}

// at is the wall time at stream time t, which is not before c.t; at most MaxWall.
func (c *wallClock) at(t int64) int64 { return c.Wall + min(t-c.t, MaxWall-c.Wall) }

// offset is that of local time at a wall time, in ns.
func (c *wallClock) offset(wall int64) int64 {
	if c.Next > 0 && wall >= c.Next {
		return c.NextOffset * second
	}
	return c.Offset * second
}

// top is the latest local time shown until a wall time.
func (c *wallClock) top(wall int64) int64 {
	local := wall + c.offset(wall)
	if c.Wall < c.Next && c.Next <= wall {
		return max(local, c.Next+c.Offset*second-1)
	}
	return local
}

// first is the first wall time after wall at which local time is local or later.
func (c *wallClock) first(local, wall int64) int64 {
	if u := local - c.Offset*second; c.Next == 0 || u < c.Next && wall < c.Next {
		return u
	}
	return max(c.Next, local-c.NextOffset*second)
}

// between is the truth of a TimeOfDay clause.
func (c *wallClock) between(t int64, n *Clause) truth {
	if !c.Trusted {
		return maybe
	}
	wall := c.at(t)
	now := modulo(wall+c.offset(wall), day)
	from, to := int64(n.A)*minute, int64(n.B)*minute
	if from <= to {
		return truthOf(from <= now && now < to)
	}
	return truthOf(from <= now || now < to)
}

// modulo is a mod m, 0 or above.
func modulo(a, m int64) int64 { return (a%m + m) % m }

// setClock takes what is known of the wall clock from now on. Local times that
// it skips come now, those that it repeats do not come again; beyond 3 h it is
// another day's clock, and only arms.
func (p *Program) setClock(s *State, to *Clocking, out *Effects) {
	was := s.wall
	c := &s.wall
	c.Clocking, c.t = *to, s.now
	if why := clockReason(&was, c, s.now); why != "" {
		s.record(out, Record{What: Clock, Why: why})
	}
	for _, ref := range p.idx.wall {
		p.planWall(s, ref, &was)
	}
}

// clockReason names what changed; empty: nothing but what is to come.
func clockReason(was, c *wallClock, now int64) string {
	switch {
	case !c.Trusted && !was.Trusted:
		return ""
	case !c.Trusted:
		return "lost"
	case !was.Trusted:
		return "trusted"
	}
	wall := was.at(now)
	switch {
	case c.Wall-wall >= stepFrom || wall-c.Wall >= stepFrom:
		return "step"
	case c.offset(c.Wall) != was.offset(wall):
		return "zone"
	}
	return ""
}

// planWall sets a trigger's next timer anew after the clock was set.
func (p *Program) planWall(s *State, ref triggerRef, was *wallClock) {
	t := &p.Cards[ref.card].When[ref.trigger]
	tr := &s.cards[ref.card].triggers[ref.trigger]
	tr.ref++ // the timer set before means nothing any more
	c := &s.wall
	if !c.Trusted {
		return
	}
	if t.Op != WallTime {
		p.planSun(s, ref, was)
		return
	}
	p.planLocal(s, ref, was)
}

// planLocal sets a WallTime's next timer anew. A jump of local time is measured
// from what it showed before; passed is up to where nothing comes any more.
func (p *Program) planLocal(s *State, ref triggerRef, was *wallClock) {
	t := &p.Cards[ref.card].When[ref.trigger]
	tr := &s.cards[ref.card].triggers[ref.trigger]
	c := &s.wall
	local, shown := c.Wall+c.offset(c.Wall), was.top(was.at(s.now))
	switch jump := local - shown; {
	case was.Trusted && -leap <= jump && jump <= leap:
		tr.passed = max(tr.passed, shown)
		if next := t.nextLocal(tr.passed); next <= local {
			p.arrive(s, ref, 0, 0)
			tr.passed, tr.at, tr.has = next, next, true
		}
	default:
		tr.passed = local
		if tr.has && tr.at > local && tr.at-local <= leap {
			tr.passed = tr.at
		}
	}
	next := t.nextLocal(max(tr.passed, local))
	p.awaitWall(s, ref, next, c.first(next, c.Wall))
}

// awaitWall sets a trigger's timer for a wall time; next is what it stands for.
// After MaxWall there are none.
func (p *Program) awaitWall(s *State, ref triggerRef, next, wall int64) {
	tr := &s.cards[ref.card].triggers[ref.trigger]
	tr.next = next
	if wall > MaxWall {
		return
	}
	s.timers.push(timer{at: s.wall.t + wall - s.wall.Wall, kind: wallTimes, origin: origin{card: ref.card, index: ref.trigger}, ref: tr.ref})
}

// nextLocal is the WallTime's first local time after local.
func (t *Trigger) nextLocal(local int64) int64 {
	start := local - modulo(local, day)
	for {
		weekday := modulo(start/day+4, 7) // 1970-01-01 was a Thursday
		if at := start + t.At; at > local && t.Days>>uint(weekday)&1 != 0 {
			return at
		}
		start += day
	}
}

// wallTime is the timer of a wall time.
func (p *Program) wallTime(s *State, ref triggerRef) {
	t := &p.Cards[ref.card].When[ref.trigger]
	tr := &s.cards[ref.card].triggers[ref.trigger]
	p.arrive(s, ref, 0, 0)
	tr.ref++
	if t.Op != WallTime {
		tr.at, tr.has = tr.next, true
		p.planSun(s, ref, &s.wall)
		return
	}
	wall := s.wall.at(s.now)
	tr.passed, tr.at, tr.has = max(tr.passed, tr.next), tr.next, true
	next := t.nextLocal(max(tr.passed, wall+s.wall.offset(wall)))
	p.awaitWall(s, ref, next, s.wall.first(next, wall))
}

// sun is the latest and the next of a Sunrise or a Sunset.
func (c *wallClock) sun(op TriggerOp) [2]int64 {
	if op == Sunrise {
		return c.Rise
	}
	return c.Set
}

// sameSuns reports whether two sunrises are one, seen from different places.
func sameSuns(a, b int64) bool { return a-b < sameSun && b-a < sameSun }

// planSun sets the timer of a Sunrise or Sunset that was not done yet. One that
// the clock or the place has put behind by at most 3 h comes now, if it was
// awaited.
func (p *Program) planSun(s *State, ref triggerRef, was *wallClock) {
	t := &p.Cards[ref.card].When[ref.trigger]
	tr := &s.cards[ref.card].triggers[ref.trigger]
	wall := s.wall.at(s.now)
	set := false
	for _, sun := range s.wall.sun(t.Op) {
		if sun == 0 || tr.has && sameSuns(sun, tr.at) {
			continue
		}
		switch late := wall - (sun + t.Offset); {
		case late < 0:
			if !set {
				set = true
				p.awaitWall(s, ref, sun, sun+t.Offset)
			}
			continue
		case late <= leap && was.awaits(t, sun, s.now):
			p.arrive(s, ref, 0, 0)
			tr.at, tr.has = sun, true
		case !tr.has || sun > tr.at:
			tr.at, tr.has = sun, true // lies behind, and does not come again
		}
	}
}

// awaits reports whether a sunrise or sunset was still to come at stream time t.
func (c *wallClock) awaits(tr *Trigger, sun, t int64) bool {
	for _, o := range c.sun(tr.Op) {
		if c.Trusted && o != 0 && sameSuns(o, sun) && o+tr.Offset > c.at(t) {
			return true
		}
	}
	return false
}

// Wall returns the wall time of the newest step, in ns since 1970-01-01 00:00
// UTC, and the offset of local time in seconds east of UTC; ok is false while
// nobody vouches for the clock.
func (s *State) Wall() (wall, offset int64, ok bool) {
	if !s.wall.Trusted {
		return 0, 0, false
	}
	wall = s.wall.at(s.now)
	return wall, s.wall.offset(wall) / second, true
}
