package engine

import "math"

// command is the newest act on an actuator and how its readback stands
// (*Meaning* 11).
type command struct {
	n uint64 // of its `acted` record; 0: none yet
	origin
	action    string
	value     Value
	readUntil int64 // its readback's time, ns
	hasHull   bool
	lo, hi    float64 // hull of the last settled value and all commands since
	replied   bool
	settled   bool
	judging   bool // its readbacks are judged
}

// settleAt makes v the last settled value.
func (c *command) settleAt(v Value) {
	c.lo, c.hi, c.hasHull = v.Num, v.Num, true
}

// widen takes a command into the hull and returns the hull's width.
func (c *command) widen(v Value) float64 {
	if !c.hasHull {
		c.settleAt(v)
	}
	c.lo, c.hi = math.Min(c.lo, v.Num), math.Max(c.hi, v.Num)
	return c.hi - c.lo
}

// issue records a command to an actuator and, where the profile binds it, asks
// for the call. It returns the record's n and whether a reply will come.
// by is the firing's action that it stems from, grant the n of the lease that
// the call decides (0: the call's own, or an end's).
func (p *Program) issue(s *State, act int, c Call, by origin, grant uint64, left int64, cause uint64, out *Effects) (n uint64, open bool) {
	spec, a := &p.Actuators[act], &s.acts[act]
	action := "set"
	if c.Kind == CallEnd {
		action = "end"
	}
	n = s.record(out, Record{Card: p.cardID(s, by.card), What: Acted, Action: action, Actuator: spec.Path,
		Value: c.Value, Lease: left, Cause: cause})
	cmd := &a.command
	width := cmd.widen(c.Value)
	reading := spec.ReadWithin // 0 where there is no readback; it moves all the same
	if spec.Slew > 0 && c.Value.Kind == Number {
		reading += int64(float64(width/spec.Slew) * 1e9)
	}
	cmd.n, cmd.origin, cmd.action, cmd.value = n, by, action, c.Value
	cmd.readUntil = s.now + reading
	cmd.replied, cmd.settled = false, false
	cmd.judging = s.judged && spec.HasCall && spec.Readback >= 0
	if cmd.judging {
		s.timers.push(timer{at: cmd.readUntil, kind: readbacks, origin: by, act: act, ref: n})
	}
	if !spec.HasCall {
		return n, false
	}
	c.N, c.Card, c.CardID, c.Actuator, c.NotAfter = n, by.card, p.cardID(s, by.card), act, s.now+spec.Within
	if c.Kind == CallSet {
		if c.LeaseMS = left + spec.Within; spec.Readback >= 0 {
			c.LeaseMS += reading
		}
		c.LeaseMS = (c.LeaseMS + 999_999) / 1_000_000
	}
	out.Calls = append(out.Calls, c)
	if s.judged {
		if grant == 0 {
			grant = n
		}
		s.await(openCall{n: n, kind: c.Kind, origin: by, act: act, grant: grant}, c.NotAfter)
	}
	return n, s.judged
}

// readback takes a valid sample of an actuator's readback: it settles the
// newest command, or is the driver's hand, or teaches the base value.
func (p *Program) readback(s *State, act int, num float64, out *Effects) {
	a, spec := &s.acts[act], &p.Actuators[act]
	cmd := &a.command
	v := p.valueOf(spec.Readback, num)
	if a.booting {
		p.bootReadback(s, act, v, out)
		return
	}
	if a.busy() && cmd.judging {
		switch off := distance(v, cmd.value); {
		case cmd.settled:
			if off > spec.Step {
				p.hand(s, act, v, out)
			}
		case cmd.replied && near(off, spec.Step):
			cmd.settled = true
			cmd.settleAt(v)
		case !cmd.inHull(v, spec.Step):
			p.hand(s, act, v, out)
		}
		return
	}
	if len(a.stack) == 0 && !a.hasLeft && !a.end.open && s.now >= a.endUntil {
		a.base = v
		cmd.settleAt(v)
	}
}

// busy reports whether the actuator is held or ending: a lease that ended in
// this very step has left its end to do.
func (a *actuatorState) busy() bool {
	return len(a.stack) > 0 || a.hasLeft || a.end.open || a.command.n != 0 && a.command.judging && !a.command.settled
}

// near is "within one step": the worked example's 50 against 60 with step 10
// is still ramping, so the step itself is not within.
func near(off, step float64) bool { return off == 0 || off < step }

func (c *command) inHull(v Value, step float64) bool {
	if v.Kind == Label {
		return true // a label has no ramp; its own value settles it
	}
	return v.Num >= c.lo-step && v.Num <= c.hi+step
}

// distance between a reading and a command; different labels are infinitely
// far apart.
func distance(v, w Value) float64 {
	if v.Kind == Label || w.Kind == Label {
		if v.Kind == w.Kind && v.Text == w.Text {
			return 0
		}
		return math.Inf(1)
	}
	return math.Abs(v.Num - w.Num)
}

// valueOf gives a slot's number its kind and label.
func (p *Program) valueOf(slotIndex int, num float64) Value {
	sig := &p.Signals[slotIndex]
	v := Value{Kind: sig.Type, Num: num}
	if sig.Type == Label {
		v.Text = sig.Labels[int(num)]
	}
	return v
}

// hand is the driver's hand on an actuator: a report of the HMI or a readback.
// It ends all leases without a call, drops a waiting end, becomes the base and
// starts the holdoff.
func (p *Program) hand(s *State, act int, v Value, out *Effects) {
	a, spec := &s.acts[act], &p.Actuators[act]
	n := s.record(out, Record{What: Override, Actuator: spec.Path, Value: v})
	p.endAll(s, act, "override", n, out)
	a.hasLeft, a.booting = false, false
	a.end = openEnd{}
	a.base = v
	a.hasHand, a.handEnds = true, s.now+spec.Holdoff
	a.endUntil = s.now
	a.command.judging = false
	a.command.settleAt(v)
}

// missReadback is the readback's time over without having settled.
func (p *Program) missReadback(s *State, act int, out *Effects) {
	cmd := &s.acts[act].command
	cmd.judging = false
	s.record(out, Record{Card: p.cardID(s, cmd.card), What: Failed, Why: "readback", Action: cmd.action,
		Actuator: p.Actuators[act].Path, Cause: cmd.n})
}
