package reference

import (
	"slices"
	"strings"
)

// gate names what denies a set (rule 9); "" lets it pass. What the driver agreed
// to is judged by `only_if` again, first (rule 12, choice 62).
func (in *Interpreter) gate(a *actuator, q *queue) string {
	s := q.step()
	if q.agreed != 0 {
		if why := in.onlyIf(q.card); why != "" {
			return why
		}
	}
	switch {
	case a.Forbidden:
		return "policy"
	case s.To.Kind == Number && (s.To.Num < a.Min || s.To.Num > a.Max):
		return "range"
	case a.MaxLease > 0 && s.Lease > a.MaxLease:
		return "lease"
	case !slices.Contains(a.States, in.state):
		return "state:" + in.state
	case s.AtEnd == "restore" && a.base.Kind == Absent:
		return "base"
	case a.started && in.now < a.lastStart+a.MinInterval:
		return "interval"
	case a.booting: // choice 71
		return "boot"
	}
	return ""
}

// arbitrate decides one actuator's requests of a round, and sends what an
// ended lease leaves behind unless a new lease is granted (rules 9, 10).
func (in *Interpreter) arbitrate(a *actuator, requests []*queue) {
	var competing []*queue
	for _, q := range requests {
		if q.step().Release != "" {
			in.release(a, q)
			continue
		}
		if why := in.gate(a, q); why != "" {
			in.write(q.setRecord("denied", why))
			q.failed()
			continue
		}
		competing = append(competing, q)
	}
	winner, why := in.winner(a, competing)
	in.writeLost(a, competing, winner, why)
	in.writeLeaving(a)
	switch {
	case winner == nil:
		in.sendEnd(a)
	case winner.mustAsk(a):
		in.ask(a, winner)
		in.sendEnd(a)
	default:
		in.grant(a, winner)
	}
}

// release ends the card's own lease, if it has one (rule 10, choice 64).
func (in *Interpreter) release(a *actuator, q *queue) {
	if l := a.leaseOf(q.card); l != nil {
		in.takeOff(a, l)
		a.leaving = append(a.leaving, leaving{l, "release"})
	}
	q.went()
}

// cause is what a request's records have as theirs (choice 61).
func (q *queue) cause() uint64 {
	if q.agreed != 0 {
		return q.agreed
	}
	return q.n
}

// setRecord is a record about a request.
func (q *queue) setRecord(what, why string) Record {
	s := q.step()
	return Record{Card: q.card.ID, What: what, Why: why, Action: "set", Actuator: s.Actuator, Value: s.To, Cause: q.cause()}
}

// rank is what requests and leases are compared by (rule 9).
type rank struct {
	driver   bool // the driver confirmed or ran it
	priority int
	card     *card
}

func (q *queue) rank() rank { return rank{q.driver || q.agreed != 0, q.card.Priority, q.card} }

// above orders two ranks: the driver's word, priority, the lease already held,
// the smaller id (rule 9).
func (x rank) above(y rank, held *lease) bool {
	switch {
	case x.driver != y.driver:
		return x.driver
	case x.priority != y.priority:
		return x.priority > y.priority
	case held != nil && (held.card == x.card) != (held.card == y.card):
		return held.card == x.card
	}
	return x.card.ID < y.card.ID
}

// winner is the request that is granted or asked about; nil: none, and who won.
func (in *Interpreter) winner(a *actuator, requests []*queue) (*queue, string) {
	if a.holdoffSet && in.now < a.holdoff { // rule 11
		return nil, "driver"
	}
	var best *queue
	top := in.top(a)
	for _, q := range requests {
		if best == nil || q.rank().above(best.rank(), top) {
			best = q
		}
	}
	switch {
	case best == nil:
		return nil, ""
	case top != nil && top.card != best.card && !best.rank().above(top.rank(), top):
		return nil, top.card.ID
	case best.mustAsk(a) && a.asker != nil: // one ask an actuator (rule 12, choice 62)
		return nil, a.asker.card.ID
	}
	return best, best.card.ID
}

// mustAsk tells whether the driver has to agree first.
func (q *queue) mustAsk(a *actuator) bool { return a.Confirm > 0 && q.agreed == 0 }

// ask asks the driver; the lease in force stays (rule 12, choice 62).
func (in *Interpreter) ask(a *actuator, q *queue) {
	r := q.setRecord("asked", "")
	r.Lease = q.step().Lease
	q.asked, q.askUntil = in.write(r), in.now+a.Confirm
	a.asker = q
}

// writeLost writes the requests that lost and the lease that was displaced, by
// card, a card's lease before its request (rule 9, choices 5 and 32).
func (in *Interpreter) writeLost(a *actuator, requests []*queue, winner *queue, why string) {
	type loser struct {
		id string
		Record
	}
	var losers []loser
	why = "winner:" + why
	if top := in.top(a); winner != nil && !winner.mustAsk(a) && top != nil && top.card != winner.card {
		losers = append(losers, loser{top.card.ID, Record{Card: top.card.ID, What: "lost", Why: why, Action: "set", Actuator: a.Path, Value: top.value, Cause: winner.cause()}})
	}
	for _, q := range requests {
		if q != winner {
			losers = append(losers, loser{q.card.ID, q.setRecord("lost", why)})
			q.failed()
		}
	}
	slices.SortStableFunc(losers, func(x, y loser) int { return strings.Compare(x.id, y.id) })
	for _, l := range losers {
		in.write(l.Record)
	}
}

// grant puts the winner's lease on top; it replaces the card's older one and
// whatever end was open (rules 9, 10).
func (in *Interpreter) grant(a *actuator, q *queue) {
	s := q.step()
	n := in.write(Record{Card: q.card.ID, What: "acted", Action: "set", Actuator: a.Path, Value: s.To, Lease: s.Lease, Cause: q.cause()})
	a.started, a.lastStart = true, in.now
	if old := a.leaseOf(q.card); old != nil {
		a.remove(old)
	}
	l := &lease{firing: q.firing, n: n, priority: q.card.Priority, index: q.next, value: s.To, deadline: in.now + s.Lease, atEnd: s.AtEnd, endValue: s.EndValue}
	l.driver = q.rank().driver
	a.stack = append(a.stack, l)
	a.holder, a.end = l, nil
	if k := in.command(a, &call{firing: q.firing, index: q.next, n: n, word: "set", lease: l, value: s.To}); !k.replied {
		q.call = k
	} else {
		q.went()
	}
}
