package drive_test

import (
	"fmt"
	"math"
	"slices"

	"vignette/scenes"
	"vignette/scenes/engine"
)

// truth is what a car under trial has sent, to judge drive states by without
// the engine.
type truth struct {
	speeds []sent
	gears  []sent
}

// sent is a sample that counts.
type sent struct {
	at    int64
	value int
}

func (w *truth) speedAt(t int64, v int, counted bool) {
	if counted {
		w.speeds = append(w.speeds, sent{t, v})
	}
}

func (w *truth) gearAt(t int64, v int) { w.gears = append(w.gears, sent{t, v}) }

// state is the drive state of the proving profile after the samples before t,
// or those at t too: 0 parked, 1 idling, 2 moving.
func (w *truth) state(t int64) int {
	speed, gear := latest(w.speeds, t), latest(w.gears, t)
	switch {
	case speed == nil || gear == nil || t-speed.at >= second || speed.value != 0:
		return 2
	case gear.value == park:
		return 0
	}
	return 1
}

// latest is the newest sample at or before t; nil: none.
func latest(list []sent, t int64) *sent {
	for i := len(list) - 1; i >= 0; i-- {
		if list[i].at <= t {
			return &list[i]
		}
	}
	return nil
}

// may reports whether the drive state at t, or just before it, is of the set.
func (w *truth) may(set engine.StateSet, t int64) bool {
	return set.Has(w.state(t)) || set.Has(w.state(t-1))
}

// hold names a card's lease on an actuator.
type hold struct{ card, actuator string }

// granted is what the watch keeps of a lease.
type granted struct {
	at, lease int64 // ns
	n         uint64
}

// watch is what must hold of any cards on any stream, judged from records and
// calls alone.
type watch struct {
	prog      *engine.Program
	actuators map[string]*engine.Actuator
	truth     *truth // nil: drive states are not judged
	log       []engine.Record
	broken    string // the first rule broken, empty: none

	held    map[hold]granted
	started map[string]int64 // by actuator: the latest grant
	hand    map[string]int64 // by actuator: the holdoff's end
	done    map[string]int64 // by action: the latest
	off     map[string]bool  // cards disabled or quarantined
	effects map[string][]int64
	charged map[uint64]bool // `ended` records whose end was counted
	calls   uint64
}

func newWatch(p *scenes.Program) *watch {
	w := &watch{prog: &p.Engine, actuators: map[string]*engine.Actuator{}, held: map[hold]granted{}, started: map[string]int64{},
		hand: map[string]int64{}, done: map[string]int64{}, off: map[string]bool{}, effects: map[string][]int64{}, charged: map[uint64]bool{}}
	for i := range p.Engine.Actuators {
		w.actuators[p.Engine.Actuators[i].Path] = &p.Engine.Actuators[i]
	}
	return w
}

func (w *watch) breaks(r *engine.Record, format string, args ...any) {
	if w.broken == "" {
		w.broken = fmt.Sprintf("record %d, %s of %s: ", r.N, r.What, r.Card) + fmt.Sprintf(format, args...)
	}
}

// records takes a step's records.
func (w *watch) records(list []engine.Record) {
	for i := range list {
		w.log = append(w.log, list[i])
		r := &w.log[len(w.log)-1]
		if r.N != uint64(len(w.log)) {
			w.breaks(r, "its number should be %d", len(w.log))
			return
		}
		w.record(r)
	}
}

func (w *watch) record(r *engine.Record) {
	at := hold{r.Card, r.Actuator}
	switch r.What {
	case engine.Fired:
		if w.off[r.Card] {
			w.breaks(r, "the card is off")
		}
	case engine.Acted:
		w.acted(r)
	case engine.Ended:
		g, ok := w.held[at]
		if !ok {
			w.breaks(r, "the card has no lease on %s", r.Actuator)
		}
		if r.T > g.at+g.lease {
			w.breaks(r, "its lease of %d ms was over at %d ms", g.lease/ms, (g.at+g.lease)/ms)
		}
		w.charged[r.N] = false
		delete(w.held, at)
	case engine.Override:
		w.hand[r.Actuator] = r.T + w.actuators[r.Actuator].Holdoff
	case engine.Quarantined:
		w.off[r.Card] = true
	case engine.Released:
		delete(w.off, r.Card)
	case engine.User:
		w.user(r)
	}
}

// user takes a card that the driver switched, or a new user, whose cards are
// off or on by what the watch was not told.
func (w *watch) user(r *engine.Record) {
	switch r.Why {
	case "enabled":
		delete(w.off, r.Card)
	case "disabled":
		w.off[r.Card] = true
	default:
		clear(w.off)
	}
}

func (w *watch) acted(r *engine.Record) {
	if r.Cause == 0 || r.Cause >= r.N {
		w.breaks(r, "it has no cause")
		return
	}
	cause := &w.log[r.Cause-1]
	switch {
	case r.Actuator == "":
		w.didAction(r)
	case r.Action == "end":
		w.ends(r)
	case cause.What == engine.Ended:
		w.resumes(r)
	default:
		w.grants(r, cause)
	}
	w.charge(cause)
}

// grants is a lease that a card's request was given.
func (w *watch) grants(r, cause *engine.Record) {
	a := w.actuators[r.Actuator]
	last, was := w.started[r.Actuator]
	switch {
	case w.off[r.Card]:
		w.breaks(r, "the card is off")
	case was && r.T < last+a.MinInterval:
		w.breaks(r, "%d ms after the start before, min_interval is %d ms", (r.T-last)/ms, a.MinInterval/ms)
	case r.T < w.hand[r.Actuator]:
		w.breaks(r, "the driver's hand keeps cards off %s for another %d ms", r.Actuator, (w.hand[r.Actuator]-r.T)/ms)
	case a.Confirm > 0 && cause.What != engine.Confirmed:
		w.breaks(r, "the driver did not agree")
	case r.Lease <= 0 || r.Lease > a.MaxLease:
		w.breaks(r, "a lease of %d ms", r.Lease/ms)
	}
	w.command(r, a, a.States)
	w.started[r.Actuator] = r.T
	w.held[hold{r.Card, r.Actuator}] = granted{r.T, r.Lease, r.N}
}

// resumes is a return to the highest lease beneath one that ended.
func (w *watch) resumes(r *engine.Record) {
	g, ok := w.held[hold{r.Card, r.Actuator}]
	if !ok || r.Lease != g.at+g.lease-r.T || r.Lease <= 0 {
		w.breaks(r, "a return to %s with %d ms left, the lease was %+v", r.Actuator, r.Lease/ms, g)
	}
	a := w.actuators[r.Actuator]
	w.command(r, a, a.States)
}

// ends is a last word on an actuator that no card holds any longer than now.
func (w *watch) ends(r *engine.Record) {
	for at, g := range w.held {
		if at.actuator == r.Actuator && g.at+g.lease > r.T {
			w.breaks(r, "%s still holds %s", at.card, r.Actuator)
		}
	}
	w.command(r, w.actuators[r.Actuator], w.actuators[r.Actuator].EndStates)
}

// command holds every command to the actuator's range, grid and states.
func (w *watch) command(r *engine.Record, a *engine.Actuator, states engine.StateSet) {
	x := r.Value.Num
	switch {
	case a.Forbidden:
		w.breaks(r, "%s may never be set", a.Path)
	case !(a.Min <= x && x <= a.Max):
		w.breaks(r, "%v is not within %v and %v", x, a.Min, a.Max)
	case r.Action == "set" && a.Step > 0 && math.Mod(x-a.Min, a.Step) != 0:
		w.breaks(r, "%v is not on the grid", x)
	case w.truth != nil && !w.truth.may(states, r.T):
		w.breaks(r, "in drive state %d", w.truth.state(r.T))
	}
}

func (w *watch) didAction(r *engine.Record) {
	i := slices.IndexFunc(w.prog.Actions, func(a engine.Action) bool { return a.Name == r.Action })
	a := &w.prog.Actions[i]
	last, was := w.done[r.Action]
	if was && r.T < last+a.MinInterval {
		w.breaks(r, "%s %d ms after the one before", r.Action, (r.T-last)/ms)
	}
	if w.truth != nil && !w.truth.may(a.States, r.T) {
		w.breaks(r, "%s in drive state %d", r.Action, w.truth.state(r.T))
	}
	w.done[r.Action] = r.T
}

// firing is the firing that a record of a queue, or of a lease, stems from.
func (w *watch) firing(r *engine.Record) *engine.Record {
	for r.What != engine.Fired && r.Cause != 0 {
		r = &w.log[r.Cause-1]
	}
	return r
}

// charge counts an effect against the card whose request, or whose lease's end,
// brought it, at the time of the firing that it stems from. Tries of an end
// after the first, and what the driver ran by hand, are not counted.
func (w *watch) charge(cause *engine.Record) {
	by := w.firing(cause)
	if cause.What == engine.Ended {
		if w.charged[cause.N] {
			return
		}
		w.charged[cause.N] = true
	}
	if by.Why != "manual" {
		w.effects[cause.Card] = append(w.effects[cause.Card], by.T)
	}
}

// call holds a call to its record.
func (w *watch) call(c *engine.Call) {
	if c.N == 0 || c.N > uint64(len(w.log)) || c.N <= w.calls {
		w.broken = fmt.Sprintf("a call for record %d, which there is not, or which is older than that of the call before", c.N)
		return
	}
	w.calls = c.N
	r := &w.log[c.N-1]
	within := int64(0)
	switch {
	case r.What != engine.Acted:
		w.breaks(r, "a call for it")
	case c.Kind == engine.CallDo:
		within = w.prog.Actions[c.Action].Within
	default:
		a := &w.prog.Actuators[c.Actuator]
		within = a.Within
		if a.Path != r.Actuator || c.Value != r.Value {
			w.breaks(r, "a call that sets %s to %v", a.Path, c.Value.Num)
		}
		w.leaseMS(r, c, a)
	}
	if c.NotAfter != r.T+within {
		w.breaks(r, "may be sent up to %d ms after it", (c.NotAfter-r.T)/ms)
	}
}

// leaseMS holds what the service is told: long enough that the agent's own end
// comes first, and no longer than answer and readback take.
func (w *watch) leaseMS(r *engine.Record, c *engine.Call, a *engine.Actuator) {
	if c.Kind == engine.CallEnd {
		if c.LeaseMS != 0 {
			w.breaks(r, "an end with a lease of %d ms", c.LeaseMS)
		}
		return
	}
	least, most := r.Lease+a.Within, r.Lease+a.Within
	if a.Readback >= 0 {
		least += a.ReadWithin
		most += a.ReadWithin
	}
	if a.Slew > 0 {
		most += int64(maxReading / a.Slew * 1e9)
	}
	if told := c.LeaseMS * ms; told < least || told > most+ms {
		w.breaks(r, "tells the service %d ms of a lease of %d ms", c.LeaseMS, r.Lease/ms)
	}
}

// maxReading is the greatest value that anything reads back on trial.
const maxReading = 100

// over reports leases that no timer of the engine will end any more.
func (w *watch) over(now int64) {
	for at, g := range w.held {
		if g.at+g.lease <= now {
			w.breaks(&w.log[g.n-1], "the lease of %s on %s is over and did not end", at.card, at.actuator)
		}
	}
}

// certified holds each card's effects of the firings of any hour to its
// certificate.
func (w *watch) certified() {
	const hour = 60 * minute
	for i := range w.prog.Cards {
		id, most := w.prog.Cards[i].ID, w.prog.Cost(i).EffectsPerHour
		times := w.effects[id]
		slices.Sort(times)
		for first, last := 0, 0; last < len(times) && most > 0; last++ {
			for times[last]-times[first] >= hour {
				first++
			}
			if n := last - first + 1; n > most && w.broken == "" {
				w.broken = fmt.Sprintf("card %s had %d effects of the firings of an hour, its certificate says %d", id, n, most)
			}
		}
	}
}
