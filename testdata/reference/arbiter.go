package reference

import (
	"slices"
	"strings"
)

// gate names what denies a set (rule 9); "" lets it pass. Policy, range and
// lease compare constants: a card that fails them is not loaded.
func (in *Interpreter) gate(a *actuator, s Step) string {
	switch {
	case !slices.Contains(a.States, in.state):
		return "state:" + in.state
	case s.AtEnd == "restore" && a.base.Kind == Absent:
		return "base"
	case a.started && in.now < a.lastStart+a.MinInterval:
		return "interval"
	}
	return ""
}

// arbitrate decides one actuator's requests of a round, and sends what an
// ended lease leaves behind unless a new lease is granted (rules 9, 10).
func (in *Interpreter) arbitrate(a *actuator, requests []*queue) {
	var competing []*queue
	for _, q := range requests {
		if why := in.gate(a, q.step()); why != "" {
			in.write(q.setRecord("denied", why))
			q.failed()
			continue
		}
		competing = append(competing, q)
	}
	winner := in.winner(a, competing)
	in.writeLost(a, competing, winner)
	in.writeQuarantined(a)
	if winner == nil {
		in.sendEnd(a)
		return
	}
	in.grant(a, winner)
}

// setRecord is a record about a request.
func (q *queue) setRecord(what, why string) Record {
	s := q.step()
	return Record{Card: q.card.ID, What: what, Why: why, Action: "set", Actuator: s.Actuator, Value: s.To, Cause: q.n}
}

// winner is the request that is granted; nil: none.
func (in *Interpreter) winner(a *actuator, requests []*queue) *queue {
	if a.holdoffSet && in.now < a.holdoff { // rule 11
		return nil
	}
	var best *queue
	top := in.top(a)
	for _, q := range requests {
		if best == nil || ranksAbove(top, q.card, best.card) {
			best = q
		}
	}
	if best == nil || top == nil || top.card == best.card || ranksAbove(top, best.card, top.card) {
		return best
	}
	return nil
}

// ranksAbove orders two automatic cards: priority, the lease already held, the
// smaller id (rule 9).
func ranksAbove(held *lease, x, y *card) bool {
	if x.Priority != y.Priority {
		return x.Priority > y.Priority
	}
	if held != nil && (held.card == x) != (held.card == y) {
		return held.card == x
	}
	return x.ID < y.ID
}

// writeLost writes the requests that lost and the lease that was displaced, by
// card, a card's lease before its request (rule 9, choices 5 and 32).
func (in *Interpreter) writeLost(a *actuator, requests []*queue, winner *queue) {
	type loser struct {
		id    string
		lease bool
		Record
	}
	var losers []loser
	top := in.top(a)
	why := "winner:"
	switch {
	case winner != nil:
		why += winner.card.ID
		if top != nil && top.card != winner.card {
			losers = append(losers, loser{top.card.ID, true, Record{Card: top.card.ID, What: "lost", Why: why, Action: "set", Actuator: a.Path, Value: top.value, Cause: winner.n}})
		}
	case top != nil:
		why += top.card.ID
	default:
		why += "driver"
	}
	for _, q := range requests {
		if q != winner {
			losers = append(losers, loser{q.card.ID, false, q.setRecord("lost", why)})
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
	n := in.write(Record{Card: q.card.ID, What: "acted", Action: "set", Actuator: a.Path, Value: s.To, Lease: s.Lease, Cause: q.n})
	a.started, a.lastStart = true, in.now
	if old := a.leaseOf(q.card); old != nil {
		a.remove(old)
	}
	l := &lease{firing: q.firing, n: n, index: q.next, value: s.To, deadline: in.now + s.Lease, atEnd: s.AtEnd, endValue: s.EndValue}
	a.stack = append(a.stack, l)
	a.holder, a.end = l, nil
	if k := in.command(a, &call{firing: q.firing, index: q.next, n: n, word: "set", lease: l, value: s.To}); !k.replied {
		q.call = k
	} else {
		q.went()
	}
}
