package reference

import (
	"cmp"
	"slices"
)

// firing is what an effect comes from.
type firing struct {
	card   *card
	n      uint64 // the `fired` record
	depth  int
	driver bool // ran it
}

// queue is what is left of a firing's actions (rule 12).
type queue struct {
	firing
	next    int   // the action that is running or comes next
	waiting bool  // for a `wait`
	until   int64 // its end
	call    *call // the call whose reply it waits for

	asked    uint64 // the open question about its `set`; 0: none
	askUntil int64
	agreed   uint64 // the `confirmed` of its `set`; 0: none
}

// action is one of the profile's and when it was done last.
type action struct {
	Action
	done bool
	last int64
}

func (in *Interpreter) action(name string) *action {
	return in.actions[slices.IndexFunc(in.actions, func(a *action) bool { return a.Name == name })]
}

// call is one that is out (rule 12), or, by an actuator, the newest one.
type call struct {
	firing
	n        uint64 // its `acted` record
	index    int    // of its action in `then`
	word     string // set, end or the name of the action
	deadline int64
	actuator *actuator // of set and end
	lease    *lease    // of set
	end      *ending   // of end

	value     Value
	readUntil int64
	replied   bool
	settled   bool
	ignored   bool // not judged by its readback, or no more
}

// round lets every queue take its next action: sets by actuator path, then do
// by card id. It tells whether there is a further round (*Records of one step*).
func (in *Interpreter) round() bool {
	var dos []*queue
	sets := map[string][]*queue{}
	further := false
	for _, c := range in.cards {
		switch q := c.queue; {
		case q == nil || q.waiting || q.call != nil || q.asked != 0:
		case q.next == len(c.Then):
			c.queue = nil
		case c.Then[q.next].Wait > 0:
			q.waiting, q.until = true, in.now+c.Then[q.next].Wait
		case c.Then[q.next].Do != "":
			dos, further = append(dos, q), true
		default:
			path := c.Then[q.next].Actuator + c.Then[q.next].Release
			sets[path], further = append(sets[path], q), true
		}
	}
	for _, a := range in.actuators {
		in.arbitrate(a, sets[a.Path])
	}
	for _, q := range dos {
		in.do(q)
	}
	return further
}

func (q *queue) step() Step { return q.card.Then[q.next] }

// went moves a queue on after an action that succeeded.
func (q *queue) went() { q.next, q.call, q.agreed = q.next+1, nil, 0 }

// failed stops a queue or, with on_error: continue, moves it on (rule 12).
func (q *queue) failed() {
	if q.step().Continue {
		q.went()
		return
	}
	q.card.queue = nil
}

// do does an action if the gate lets it pass (*Safety*, layer 4; choice 19).
func (in *Interpreter) do(q *queue) {
	a := in.action(q.step().Do)
	why := ""
	switch {
	case !slices.Contains(a.States, in.state):
		why = "state:" + in.state
	case a.done && in.now < a.last+a.MinInterval:
		why = "interval"
	}
	if why != "" {
		in.write(Record{Card: q.card.ID, What: "denied", Why: why, Action: a.Name, Cause: q.n})
		q.failed()
		return
	}
	a.done, a.last = true, in.now
	n := in.write(Record{Card: q.card.ID, What: "acted", Action: a.Name, Cause: q.n})
	k := &call{firing: q.firing, n: n, index: q.next, word: a.Name}
	if in.send(k, a.Call, a.Within) {
		q.call = k
	} else {
		q.went()
	}
}

// send sends a call and tells whether a reply is to come: on a plain log and
// without `call` it counts as answered (rule 12).
func (in *Interpreter) send(k *call, hasCall bool, within int64) bool {
	if !in.judged || !hasCall {
		k.replied = true
		return false
	}
	k.deadline = in.now + within
	in.calls = append(in.calls, k)
	return true
}

// reply takes the answer to a call (rule 12, choice 9).
func (in *Interpreter) reply(ev Event) {
	for _, k := range in.calls {
		if ev.Session != in.session || ev.Ref != k.n {
			continue
		}
		if !ev.OK {
			in.unanswered(k, "error")
			return
		}
		in.close(k)
		in.write(k.record("replied", ""))
		k.replied = true
		if q := k.card.queue; q != nil && q.call == k {
			q.went()
		}
		if e := k.end; e != nil && k.actuator.end == e {
			k.actuator.end = nil // accepted
		}
		return
	}
	in.write(Record{What: "dropped", Why: "reply"})
}

// unanswered takes an error or the end of a call's time (rules 10, 12).
func (in *Interpreter) unanswered(k *call, why string) {
	in.close(k)
	in.write(k.record("failed", why))
	k.ignored = true // choice 20
	if l := k.lease; l != nil && slices.Contains(k.actuator.stack, l) {
		in.endLease(k.actuator, l, why)
	}
	if e := k.end; e != nil && k.actuator.end == e {
		e.refused(in.now)
	}
	if q := k.card.queue; q != nil && q.call == k {
		q.failed()
	}
}

func (in *Interpreter) close(k *call) {
	in.calls = slices.DeleteFunc(in.calls, func(o *call) bool { return o == k })
}

// record is one about a call; its cause is the call.
func (k *call) record(what, why string) Record {
	r := Record{Card: k.card.ID, What: what, Why: why, Action: k.word, Cause: k.n}
	if k.actuator != nil {
		r.Actuator = k.actuator.Path
	}
	return r
}

// byCard puts leases in card order (choice 6).
func byCard(list []*lease) []*lease {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b *lease) int { return cmp.Compare(a.card.ID, b.card.ID) })
	return list
}
