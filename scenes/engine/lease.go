package engine

// lease is one card's hold on an actuator.
type lease struct {
	origin
	driver   bool // the driver confirmed or ran it
	priority int
	value    Value
	deadline int64  // ns
	acted    uint64 // n of the record that granted it; names the lease
	atEnd    EndKind
	endValue Value
	over     string // why it ends once the actuator is known after a restart; empty: it goes on
}

// ending is what the end of the lease in force leaves to do: return to a lower
// lease, or end for good.
type ending struct {
	lease lease
	cause uint64 // n of the `ended` record
}

// openEnd is an end that is not accepted yet.
type openEnd struct {
	open   bool
	phase  endPhase
	denied bool // said once
	origin
	value Value
	cause uint64 // n of the `ended` record
	call  uint64 // n of its newest call; 0: not sent
	tries uint
}

// endPhase is what an open end waits for.
type endPhase uint8

const (
	toSend  endPhase = iota // for the drive state
	calling                 // for its reply
	backoff                 // for its retry
)

// endedLease is a lease that a card lost by quarantine or gave back, to be
// reported in the actuators' part of the step.
type endedLease struct {
	act   int
	lease lease
	top   bool
	cause uint64
	why   string
}

// actuatorState is an actuator's base value, its stack of leases, an end that
// waits, and what is known of the newest command.
type actuatorState struct {
	base     Value // None: unknown
	stack    []lease
	top      int // 1 + index of the lease in force; 0: none
	hasStart bool
	started  int64 // last granted request, for min_interval
	hasHand  bool
	handEnds int64 // until then every card loses to the driver
	end      openEnd
	endUntil int64  // the last end's readback time
	left     ending // what an ended lease left to do in this step
	hasLeft  bool
	command  command
	ask      ask
	booting  bool // after a boot: its readback is waited for
}

// find returns the index of the lease granted by record n; -1: gone.
func (a *actuatorState) find(n uint64) int {
	for i := range a.stack {
		if a.stack[i].acted == n {
			return i
		}
	}
	return -1
}

// findCard returns the index of the card's lease; -1: none.
func (a *actuatorState) findCard(card int) int {
	for i := range a.stack {
		if a.stack[i].card == card {
			return i
		}
	}
	return -1
}

// inForce returns the lease in force; nil: none.
func (a *actuatorState) inForce() *lease {
	if a.top == 0 {
		return nil
	}
	return &a.stack[a.top-1]
}

// remove takes lease i out of the stack and reports whether it was in force.
func (a *actuatorState) remove(i int) (l lease, wasTop bool) {
	l, wasTop = a.stack[i], a.top == i+1
	a.stack = append(a.stack[:i], a.stack[i+1:]...)
	switch {
	case wasTop:
		a.top = 0
	case a.top > i+1:
		a.top--
	}
	return l, wasTop
}

// highest makes the highest lease whose deadline is later than now, and that is
// not over, the one in force and returns it; nil: none is left.
func (a *actuatorState) highest(now int64) *lease {
	for i := len(a.stack) - 1; i >= 0; i-- {
		if a.stack[i].over == "" && a.stack[i].deadline > now {
			a.top = i + 1
			return &a.stack[i]
		}
	}
	a.top = 0
	return nil
}

// endLease ends lease i with a record; if it was in force, the actuators' part
// of the step goes on from there.
func (p *Program) endLease(s *State, act, i int, why string, cause uint64, out *Effects) {
	l, wasTop := s.acts[act].remove(i)
	p.reportEnd(s, &endedLease{act, l, wasTop, cause, why}, out)
	if wasTop {
		s.step.acts = insertSorted(s.step.acts, act)
	}
}

// reportEnd records an ended lease and notes what it leaves to do.
func (p *Program) reportEnd(s *State, e *endedLease, out *Effects) {
	s.step.ops++
	n := s.record(out, Record{Card: p.cardID(s, e.lease.card), What: Ended, Why: e.why,
		Actuator: p.Actuators[e.act].Path, Cause: e.cause})
	if e.top {
		a := &s.acts[e.act]
		a.left, a.hasLeft = ending{e.lease, n}, true
	}
}

// endAll ends every lease of an actuator, by card id. A cause of 0 means each
// lease's own grant.
func (p *Program) endAll(s *State, act int, why string, cause uint64, out *Effects) {
	a := &s.acts[act]
	for len(a.stack) > 0 {
		first := p.firstLease(s, a, false)
		n := cause
		if n == 0 {
			n = a.stack[first].acted
		}
		p.endLease(s, act, first, why, n, out)
	}
}

// firstLease returns the index of the lease whose card's id is the smallest, of
// all or of those that are over; -1: none.
func (p *Program) firstLease(s *State, a *actuatorState, over bool) int {
	first := -1
	for i := range a.stack {
		if over && a.stack[i].over == "" {
			continue
		}
		if first < 0 || p.cardID(s, a.stack[i].card) < p.cardID(s, a.stack[first].card) {
			first = i
		}
	}
	return first
}

// removeLease takes a card's lease; actuate reports it.
func (s *State) removeLease(act, i int, why string) {
	l, wasTop := s.acts[act].remove(i)
	s.step.ended = append(s.step.ended, endedLease{act, l, wasTop, l.acted, why})
	s.step.acts = insertSorted(s.step.acts, act)
}

// checkDrive tests the drive state anew if a slot that it reads has changed.
// Where an actuator's states no longer hold its leases end; an end that waited
// for the state is looked at again.
func (p *Program) checkDrive(s *State, out *Effects) {
	if !s.step.drive {
		return
	}
	s.step.drive = false
	drive := p.driveState(s)
	if drive == s.drive {
		return
	}
	s.drive = drive
	for act := range s.acts {
		a := &s.acts[act]
		if len(a.stack) > 0 && !a.booting && !p.Actuators[act].States.Has(drive) {
			p.endAll(s, act, p.idx.why.state[drive], 0, out)
		}
		if a.end.open && a.end.phase == toSend {
			s.step.acts = insertSorted(s.step.acts, act)
		}
	}
}
