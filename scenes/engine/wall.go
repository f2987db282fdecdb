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

// wallClock is the newest Clocking and what was done by it.
type wallClock struct {
	Clocking
	t       int64 // stream time of the event
	ever    bool  // was trusted once; reached holds something
	reached int64 // local time up to which WallTimes are done, as of the event
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
	if c.Next > 0 && wall >= c.Next {
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
	if was.Trusted {
		c.reached = max(was.reached, was.top(was.at(s.now)))
	}
	if why := clockReason(&was, c, s.now); why != "" {
		s.record(out, Record{What: Clock, Why: why})
	}
	if c.Trusted {
		local := c.Wall + c.offset(c.Wall)
		ahead := local - c.reached
		if !was.ever || ahead < -leap || was.Trusted && ahead > leap {
			c.reached = local
		}
		if !was.Trusted {
			c.reached = max(c.reached, local) // known again: what passed meanwhile does not come
		}
		c.ever = true
	}
	for _, ref := range p.idx.wall {
		p.planWall(s, ref, &was)
	}
	if c.Trusted {
		c.reached = max(c.reached, c.Wall+c.offset(c.Wall))
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
		old := was.sun(t.Op)
		p.planSun(s, ref, was.Trusted && old != [2]int64{})
		return
	}
	local := c.Wall + c.offset(c.Wall)
	next := t.nextLocal(c.reached)
	if next <= local {
		p.arrive(s, ref, 0, 0)
		next = t.nextLocal(local)
	}
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
		p.planSun(s, ref, false)
		return
	}
	wall := s.wall.at(s.now)
	next := t.nextLocal(max(tr.next, wall+s.wall.offset(wall)))
	p.awaitWall(s, ref, next, s.wall.first(next, wall))
}

// sun is the latest and the next of a Sunrise or a Sunset.
func (c *wallClock) sun(op TriggerOp) [2]int64 {
	if op == Sunrise {
		return c.Rise
	}
	return c.Set
}

// planSun sets the timer of a Sunrise or Sunset that was not done yet. One that
// the clock or the place has skipped by at most 3 h comes now, if it was awaited.
func (p *Program) planSun(s *State, ref triggerRef, awaited bool) {
	t := &p.Cards[ref.card].When[ref.trigger]
	tr := &s.cards[ref.card].triggers[ref.trigger]
	wall := s.wall.at(s.now)
	if tr.has && tr.at > wall+day {
		tr.has = false // the clock went back by days
	}
	for _, sun := range s.wall.sun(t.Op) {
		if sun == 0 || tr.has && sun-tr.at < sameSun {
			continue
		}
		due := sun + t.Offset
		if due > wall {
			p.awaitWall(s, ref, sun, due)
			return
		}
		if awaited && wall-due <= leap {
			p.arrive(s, ref, 0, 0)
		}
		tr.at, tr.has = sun, true
	}
}
