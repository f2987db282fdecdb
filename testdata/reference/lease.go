package reference

import (
	"slices"
	"strings"
)

// actuator is an actuator, its base value and its leases (rule 10).
type actuator struct {
	Actuator
	base       Value     // Absent: unknown
	stack      []*lease  // the newest last
	holder     *lease    // the one on top, whose value the actuator was sent
	end        *ending   // an end that is not accepted yet
	leaving    []leaving // taken off in this round, `ended` not written yet
	asker      *queue    // whose question is open; nil: none
	started    bool
	lastStart  int64 // of the newest request that was granted
	holdoffSet bool
	holdoff    int64

	// rule 15
	booting   bool  // its readback is waited for, after a restart
	bootUntil int64 // at most until then

	// rule 11
	settled    Value   // the last settled value; Absent: none
	commands   []Value // all since
	newest     *call   // nil: none yet
	endRead    bool    // an end was sent …
	endReadEnd int64   // … and this is when its readback's time is over
}

// lease is an actuation (rule 10).
type lease struct {
	firing
	n        uint64 // the `acted` that granted it; 0: in an earlier session
	priority int
	index    int
	value    Value
	deadline int64
	atEnd    string
	endValue Value
	over     string // why it ends once the actuator is known after a restart; "": it goes on
}

func (l *lease) rank() rank { return rank{l.driver, l.priority, l.card} }

// leaving is a lease that ended in the cards' or the queues' turn.
type leaving struct {
	lease *lease
	why   string
}

// ending is what a lease leaves behind, until it is accepted (rule 10).
type ending struct {
	lease    *lease // the one that ended on top
	cause    uint64 // its `ended`
	due      bool   // to be sent in this step
	waiting  bool   // for its state
	denied   bool   // once (choice 23)
	retrying bool
	retryAt  int64
	refusals int
}

func (in *Interpreter) actuator(path string) *actuator {
	return in.actuators[slices.IndexFunc(in.actuators, func(a *actuator) bool { return a.Path == path })]
}

// isSet tells whether a card sets the actuator; only then its readback is
// followed as one (choice 1).
func (in *Interpreter) isSet(a *actuator) bool {
	for _, c := range in.cards {
		for _, s := range c.Then {
			if s.Actuator == a.Path {
				return true
			}
		}
	}
	return false
}

// top is the lease on top: the one that the actuator was sent or, where that
// has just ended, the one that it returns to.
func (in *Interpreter) top(a *actuator) *lease {
	if a.holder == nil && a.end != nil && a.end.due {
		return in.highest(a)
	}
	return a.holder
}

// highest is the highest lease whose deadline is later than now (rule 10), but
// for those that only wait for their end (rule 15).
func (in *Interpreter) highest(a *actuator) *lease {
	for i := len(a.stack) - 1; i >= 0; i-- {
		if a.stack[i].over == "" && a.stack[i].deadline > in.now {
			return a.stack[i]
		}
	}
	return nil
}

func (a *actuator) leaseOf(c *card) *lease {
	for _, l := range a.stack {
		if l.card.ID == c.ID {
			return l
		}
	}
	return nil
}

func (a *actuator) remove(l *lease) {
	a.stack = slices.DeleteFunc(a.stack, func(o *lease) bool { return o == l })
}

// endLease ends one lease and writes it (rule 10).
func (in *Interpreter) endLease(a *actuator, l *lease, why string) {
	in.takeOff(a, l)
	in.writeEnded(a, l, why)
}

// writeEnded writes that a lease has ended; its cause is the grant (choice 6).
func (in *Interpreter) writeEnded(a *actuator, l *lease, why string) {
	n := in.write(Record{Card: l.card.ID, What: "ended", Why: why, Actuator: a.Path, Cause: l.n})
	if a.end != nil && a.end.lease == l {
		a.end.cause = n
	}
}

// writeLeaving writes the leases that a quarantine or a release has ended.
func (in *Interpreter) writeLeaving(a *actuator) {
	slices.SortFunc(a.leaving, func(x, y leaving) int { return strings.Compare(x.lease.card.ID, y.lease.card.ID) })
	for _, l := range a.leaving {
		in.writeEnded(a, l.lease, l.why)
	}
	a.leaving = nil
}

// endAll ends all leases of an actuator: what follows is the end of the one on
// top (choice 6).
func (in *Interpreter) endAll(a *actuator, why string) {
	ended := byCard(a.stack)
	a.stack = nil
	for _, l := range ended {
		in.takeOff(a, l)
	}
	for _, l := range ended {
		in.writeEnded(a, l, why)
	}
}

// takeOff takes a lease off the stack. That of the one on top opens an end, which
// is sent with the step's effects (rule 10, choice 29).
func (in *Interpreter) takeOff(a *actuator, l *lease) {
	a.remove(l)
	if a.holder == l {
		a.holder, a.end = nil, &ending{lease: l, due: true}
	}
}

// sendEnd sends what an ended lease leaves behind: the call of the lease that
// the actuator returns to, or an end held to range and states (rule 10,
// choices 22, 23, 29).
func (in *Interpreter) sendEnd(a *actuator) {
	e := a.end
	if e == nil || !e.due && !(e.waiting && slices.Contains(a.EndStates, in.state)) {
		return
	}
	e.due = false
	if l := in.highest(a); l != nil {
		a.holder, a.end = l, nil
		if a.booting { // sent when the wait is over
			return
		}
		n := in.write(Record{Card: l.card.ID, What: "acted", Action: "set", Actuator: a.Path, Value: l.value, Lease: l.deadline - in.now, Cause: e.cause})
		in.command(a, &call{firing: l.firing, index: l.index, n: n, word: "set", lease: l, value: l.value})
		return
	}
	switch e.lease.atEnd {
	case "leave":
		a.base, a.end, a.newest.ignored = e.lease.value, nil, true
		return
	case "set":
		a.base = e.lease.endValue
	}
	if a.booting {
		return
	}
	r := Record{Card: e.lease.card.ID, Action: "end", Actuator: a.Path, Value: a.base, Cause: e.cause}
	switch {
	case a.base.Kind == Number && (a.base.Num < a.Min || a.base.Num > a.Max):
		r.What, r.Why = "denied", "range" // until a new lease or the driver's hand
	case !slices.Contains(a.EndStates, in.state):
		r.What, r.Why = "denied", "state:"+in.state
		e.waiting = true
	default:
		r.What = "acted"
		e.waiting = false
	}
	if r.What == "denied" {
		if !e.denied {
			in.write(r)
		}
		e.denied = true
		return
	}
	n := in.write(r)
	if k := in.command(a, &call{firing: e.lease.firing, index: e.lease.index, n: n, word: "end", end: e, value: a.base}); k.replied {
		a.end = nil // accepted
	}
	a.endRead, a.endReadEnd = true, a.newest.readUntil
}

// refused has an end retried after 1, 2, 4 … 60 s (rule 10, choice 21).
func (e *ending) refused(now int64) {
	seconds := min(60, int64(1)<<min(e.refusals, 6))
	e.retrying, e.retryAt = true, now+seconds*1e9
	e.refusals++
}

// command issues a call on an actuator: from now on it is the newest, and its
// readback's time begins (rule 11).
func (in *Interpreter) command(a *actuator, k *call) *call {
	k.actuator = a
	a.commands = append(a.commands, k.value)
	a.newest = k
	k.readUntil = in.now + a.ReadWithin + a.ramp()
	k.ignored = a.Readback == "" // nor when it is read back later (choice 76)
	in.send(k, a.Call, a.Within)
	return k
}

// hull is the range of the last settled value and all commands since, a boolean
// being 0 or 1; labels have none (rule 11, choice 18).
func (a *actuator) hull() (low, high float64, ok bool) {
	for _, v := range append([]Value{a.settled}, a.commands...) {
		if v.Kind != Number && v.Kind != Bool {
			continue
		}
		if !ok {
			low, high, ok = v.Num, v.Num, true
		}
		low, high = min(low, v.Num), max(high, v.Num)
	}
	return low, high, ok
}

// ramp is the time that `slew` adds to the readback's (rule 11).
func (a *actuator) ramp() int64 {
	low, high, ok := a.hull()
	if !ok || a.Slew == 0 {
		return 0
	}
	return int64((high - low) / a.Slew * 1e9) // whole ns
}
