package reference

import (
	"cmp"
	"slices"
	"strings"
)

// Interpreter reads one stream. The order of its slices is that of the text:
// signals and actuators by path, cards by id.
type Interpreter struct {
	session uint64
	profile string // its version
	judged  bool   // a live car: calls wait for replies, readbacks are judged

	signals   []*signal
	occurs    []*occurrence
	clock     Clock // since clockAt
	clockAt   int64
	states    []State
	state     string // the drive state
	actuators []*actuator
	actions   []*action
	cards     []*card
	limit     Quarantine
	boot      *boot // of a session that goes on from an earlier one

	now     int64 // time reached
	start   int64 // time of the first event
	step    int   // of the stream and of timers, counted
	stamp   int64 // the newest event's own time
	started bool
	n       uint64
	calls   []*call // out and not answered
	user    uint64
	others  []part // the other users', who left longest ago first
	log     []Record
}

// New readies an interpreter: a plain log's, or in a live car (judged) one
// that gets replies as events.
func New(v Vehicle, cards []Card, session uint64, judged bool) *Interpreter {
	in := &Interpreter{session: session, profile: v.Version, judged: judged, states: v.States, limit: v.Quarantine}
	for _, c := range cards {
		in.cards = append(in.cards, newCard(c))
	}
	slices.SortFunc(in.cards, func(a, b *card) int { return strings.Compare(a.ID, b.ID) })
	followed := Followed(v, cards)
	for _, s := range v.Signals {
		if slices.Contains(followed, s.Path) {
			in.signals = append(in.signals, &signal{Signal: s})
		}
	}
	slices.SortFunc(in.signals, func(a, b *signal) int { return strings.Compare(a.Path, b.Path) })
	for _, a := range v.Actuators {
		in.actuators = append(in.actuators, &actuator{Actuator: a})
	}
	slices.SortFunc(in.actuators, func(a, b *actuator) int { return strings.Compare(a.Path, b.Path) })
	for _, o := range v.Occurs {
		in.occurs = append(in.occurs, &occurrence{Occurrence: o})
	}
	for _, a := range v.Actions {
		in.actions = append(in.actions, &action{Action: a})
	}
	in.state = in.driveState()
	return in
}

// Followed lists the signals that have records: those a card names, a state
// reads, or that read back an actuator which a card sets (choice 1).
func Followed(v Vehicle, cards []Card) []string {
	var paths []string
	for _, s := range v.States {
		paths = append(paths, s.When.signals()...)
	}
	for _, c := range cards {
		paths = append(paths, c.uses()...)
		for _, s := range c.Then {
			for _, a := range v.Actuators {
				if s.Actuator == a.Path && a.Readback != "" {
					paths = append(paths, a.Readback)
				}
			}
		}
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}

// Step takes one event and gives the records of the timers before it and of
// itself (rules 1 to 3).
func (in *Interpreter) Step(ev Event) []Record {
	from := len(in.log)
	in.arrive(ev.T)
	switch ev.Kind {
	case "frame":
		in.frame(ev.Samples)
	case "reply":
		in.reply(ev)
	case "override":
		in.hand(in.actuator(ev.Actuator), ev.Value)
	case "stop", "sleep":
		in.endEverything(ev.Kind)
	case "lost": // choice 10
		in.write(Record{What: "dropped", Why: "frames:" + ev.Bus, Value: ev.Value})
	case "link":
		in.link(ev.Bus, ev.Link)
	case "occur", "found":
		in.occur(ev.Occur, ev.Kind == "occur")
	case "clock":
		in.setClock(ev.Clock)
	case "answer":
		in.answer(ev)
	case "user":
		in.changeUser(ev.User)
	case "enable", "disable":
		in.enable(in.card(ev.Card), ev.Kind == "enable")
	case "run":
		in.run(in.card(ev.Card))
	case "free":
		in.free(in.card(ev.Card))
	}
	in.finish()
	return in.log[from:]
}

// arrive comes to the step of an entry stamped t: the timers due by then run
// before it.
func (in *Interpreter) arrive(t int64) {
	back := in.started && t < in.stamp
	at := t
	if in.started {
		at = max(at, in.now)
	} else {
		in.now, in.start, in.started = at, at, true
		in.goOnFrom()
	}
	for {
		timer := in.nextTimer()
		if timer == nil || timer.deadline > at {
			break
		}
		in.now = max(in.now, timer.deadline) // it was over before the session, or the card, began
		in.step++
		timer.run()
		in.finish()
	}
	in.now, in.stamp = at, t
	in.step++
	if back { // rule 1, choice 8
		in.write(Record{What: "clock", Why: "back"})
	}
}

// finish does what follows the event's own records: cards, then rounds of the
// arbiter and the effects (rule 2, *Records of one step*).
func (in *Interpreter) finish() {
	in.evaluateCards()
	for in.round() {
	}
}

// timer is something due (rule 3).
type timer struct {
	deadline int64
	kind     int
	card     string // staleness: the signal's path
	firing   uint64
	index    int
	acted    uint64 // choice 16
	run      func()
}

// The kinds of timers in the order of rule 3.
const (
	staleness = iota
	holds
	windows
	wallTimes
	waits
	replies
	confirms
	leases
	readbacks
	retries
)

// nextTimer is the first of all that are pending, by (deadline, kind, card id,
// firing, index), then the number of the act (rule 3, choice 16).
func (in *Interpreter) nextTimer() *timer {
	var first *timer
	for _, t := range in.timers() {
		if first == nil || t.compare(first) < 0 {
			first = &t
		}
	}
	return first
}

func (t *timer) compare(o *timer) int {
	return cmp.Or(cmp.Compare(t.deadline, o.deadline), cmp.Compare(t.kind, o.kind), strings.Compare(t.card, o.card),
		cmp.Compare(t.firing, o.firing), cmp.Compare(t.index, o.index), cmp.Compare(t.acted, o.acted))
}

// timers lists everything that is pending.
func (in *Interpreter) timers() (list []timer) {
	for _, s := range in.signals {
		if s.known && s.StaleAfter > 0 {
			list = append(list, timer{s.sampled + s.StaleAfter, staleness, s.Path, 0, 0, 0, func() { in.stale(s) }})
		}
	}
	for _, c := range in.cards {
		for _, d := range c.detectors {
			if d.held != nil {
				list = append(list, timer{d.held.deadline, holds, c.ID, 0, d.index, 0, func() { in.heldLongEnough(c, d) }})
			}
		}
		for _, d := range c.detectors {
			if at, ok := in.windowEnd(d); ok {
				list = append(list, timer{at, windows, c.ID, 0, d.index, 0, func() { in.judge(c, d) }})
			}
			if at, ok := in.silenceEnd(d); ok {
				list = append(list, timer{at, windows, c.ID, 0, d.index, 0, func() {
					d.silent = true
					in.edge(c, d, occasion{})
				}})
			}
			if at, ok := in.wallDue(d); ok {
				list = append(list, timer{at, wallTimes, c.ID, 0, d.index, 0, func() { in.wallTime(c, d) }})
			}
		}
		if q := c.queue; q != nil && q.waiting {
			list = append(list, timer{q.until, waits, c.ID, q.firing.n, q.next, 0, func() { q.waiting = false; q.next++ }})
		}
	}
	for _, k := range in.calls {
		list = append(list, timer{k.deadline, replies, k.firing.card.ID, k.firing.n, k.index, k.n, func() { in.unanswered(k, "timeout") }})
	}
	for _, a := range in.actuators {
		if q := a.asker; q != nil {
			list = append(list, timer{q.askUntil, confirms, q.card.ID, q.n, q.next, q.asked, func() { in.decline(q, "timeout"); q.failed() }})
		}
		if a.booting {
			list = append(list, timer{a.bootUntil, readbacks, "", 0, 0, 0, func() { in.known(a) }})
		}
		for _, l := range a.stack {
			if l.over == "boot" { // its deadline is of another time
				continue
			}
			list = append(list, timer{l.deadline, leases, l.firing.card.ID, l.firing.n, l.index, l.n, func() { in.endLease(a, l, "duration") }})
		}
		if k := a.newest; in.awaitsReadback(a) {
			list = append(list, timer{k.readUntil, readbacks, k.firing.card.ID, k.firing.n, k.index, k.n, func() { in.unsettled(a) }})
		}
		if e := a.end; e != nil && e.retrying {
			list = append(list, timer{e.retryAt, retries, e.lease.firing.card.ID, e.lease.firing.n, e.lease.index, 0, func() { e.retrying = false; e.due = true }})
		}
	}
	return list
}
