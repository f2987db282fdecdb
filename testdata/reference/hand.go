package reference

import "math"

// causeOf is the newest act on the actuators that a signal reads back, while a
// sample is within its readback's time, and the depth of what that brings
// (rule 13, choice 25).
func (in *Interpreter) causeOf(path string) (n uint64, depth int) {
	for _, a := range in.actuators {
		if k := a.newest; k != nil && a.Readback == path && in.now <= k.readUntil && k.n > n {
			n, depth = k.n, k.depth+1
		}
	}
	return n, depth
}

// judges tells whether readbacks of the newest call are judged (rules 11, 12,
// choices 20, 29).
func (in *Interpreter) judges(a *actuator) bool {
	return in.judged && a.Call && a.Readback != "" && a.newest != nil && !a.newest.ignored
}

// ending tells whether an end is not accepted, or accepted and neither settled
// nor past its readback's time (choice 29).
func (in *Interpreter) ending(a *actuator) bool {
	if a.end != nil {
		return true
	}
	k := a.newest
	return k != nil && k.end != nil && !k.settled && in.now < k.readUntil
}

// awaitsReadback tells whether the newest call has to settle in time (rule 11).
func (in *Interpreter) awaitsReadback(a *actuator) bool {
	return in.judges(a) && !a.newest.settled
}

// unsettled notes that the newest call has not settled in time (rule 11).
func (in *Interpreter) unsettled(a *actuator) {
	in.write(a.newest.record("failed", "readback"))
	a.newest.ignored = true
}

// readBack takes a reading: the driver's hand, a settling, or the base (rules
// 10 and 11).
func (in *Interpreter) readBack(a *actuator, v Value) {
	if a.booting {
		in.firstReadBack(a, v)
		return
	}
	if in.judges(a) && (len(a.stack) > 0 || in.ending(a)) {
		switch {
		case in.isHand(a, v):
			in.hand(a, v)
			return
		case !a.newest.settled && a.newest.replied && a.near(v, a.newest.value):
			a.newest.settled = true
			a.settled, a.commands = v, nil
		}
	}
	if len(a.stack) == 0 && a.end == nil && !(a.endRead && in.now < a.endReadEnd) {
		a.base = v
		a.settled, a.commands = v, nil
	}
}

// near is within one step: nearer, or equal (choice 18).
func (a *actuator) near(v, command Value) bool {
	return v == command || v.Kind == Number && math.Abs(v.Num-command.Num) < a.Step
}

// isHand tells whether a reading of a held or ending actuator is the driver's
// hand (rule 11).
func (in *Interpreter) isHand(a *actuator, v Value) bool {
	command := a.newest.value
	if a.newest.settled {
		return v != command && (v.Kind != Number || math.Abs(v.Num-command.Num) > a.Step)
	}
	low, high, ok := a.hull()
	return ok && (v.Num < low-a.Step || v.Num > high+a.Step)
}

// hand is the driver's: it ends all leases with no call, drops what waits,
// becomes the base and starts the holdoff (rule 11, choices 20, 30).
func (in *Interpreter) hand(a *actuator, v Value) {
	n := in.write(Record{What: "override", Actuator: a.Path, Value: v})
	for _, l := range byCard(a.stack) {
		in.write(Record{Card: l.card.ID, What: "ended", Why: "override", Actuator: a.Path, Cause: n})
	}
	a.stack, a.holder, a.end, a.booting = nil, nil, nil, false
	a.base, a.settled, a.commands = v, v, nil
	a.holdoffSet, a.holdoff = true, in.now+a.Holdoff
	a.endRead = false
	if a.newest != nil {
		a.newest.ignored = true
	}
}
