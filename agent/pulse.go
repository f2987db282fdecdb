package agent

import (
	"errors"
	"fmt"
	"runtime"
	"time"
)

// begun is about when the process began.
var begun = time.Now()

// tidyEvery is how often outputs are flushed and idle episodes are closed while
// something happens; else it is ever longer, up to quietEvery.
const (
	tidyEvery  = time.Second
	quietEvery = 16 * time.Second
)

// The states of the agent, as the property Status has them.
const (
	starting = "starting" // the name is owned; not every bus has told its state
	ready    = "ready"
	sleeping = "sleeping" // the car is, by login1
	stopping = "stopping"
)

// pulse is what the agent does by itself, and what it says of itself. It belongs
// to the goroutine of loop, whose turns it counts on: a loop that hangs has none.
type pulse struct {
	manager *manager
	state   string
	since   time.Time
	timer   *time.Timer
	every   time.Duration // that timer is set to
	longest time.Duration // of every
	beaten  bool          // the turn was the pulse's own
	decided bool          // the first frame was
}

// newPulse is the pulse of an agent that starts.
func newPulse(m *manager) *pulse {
	p := &pulse{manager: m, state: starting, since: time.Now(), timer: time.NewTimer(tidyEvery), every: tidyEvery, longest: quietEvery}
	if m.watchdog > 0 {
		p.longest = min(p.longest, m.watchdog/3)
		p.every = min(p.every, p.longest)
		p.timer.Reset(p.every)
	}
	return p
}

// settle is called after each turn of the loop. After something else than a beat
// the next beat is near again.
func (p *pulse) settle(a *agent) {
	if p.state == starting && a.source.known() {
		a.enter(ready)
	}
	if !p.decided && a.pump.Stats.Frames > 0 {
		p.decided = true
		a.log.Info("the first frame is decided", "after", time.Since(begun).Round(time.Millisecond))
	}
	soon := min(tidyEvery, p.longest)
	switch {
	case p.beaten:
		p.beaten, p.every = false, min(2*p.every, p.longest)
		p.timer.Reset(p.every)
	case p.every > soon:
		p.every = soon
		p.timer.Reset(p.every)
	}
}

// enter takes the agent into another state, and tells the service manager.
func (a *agent) enter(state string) {
	p := a.pulse
	if p.state == state || p.state == stopping {
		return
	}
	if p.state == starting {
		a.log.Info("ready", "after", time.Since(begun).Round(time.Millisecond))
		p.manager.tell("READY=1")
		p.manager.pet()
	}
	p.state, p.since = state, time.Now()
	switch state {
	case stopping:
		p.manager.tell("STOPPING=1\nSTATUS=stopping")
	default:
		p.manager.tell(fmt.Sprintf("STATUS=%s, %d cards", state, len(a.prog.Cards)))
	}
}

// beat is what a second brings: files flushed, idle episodes closed, counters;
// and the watchdog hears that the loop turns.
func (a *agent) beat() error {
	a.pulse.beaten = true
	a.pulse.manager.pet()
	return a.tidy()
}

// tidy brings files and counters up to date.
func (a *agent) tidy() error {
	if err := errors.Join(a.lookAtClock(), a.takePending()); err != nil {
		return err
	}
	a.save(&a.prog.Engine, a.pump.State())
	st := &a.pump.Stats
	m := map[string]uint64{"frames": st.Frames, "samples": st.Samples, "invalid": st.Invalid, "absent": st.Absent,
		"out_of_range": st.OutOfRange, "frozen": st.Frozen, "error_frames": st.Errors, "remote_frames": st.Remote}
	m["calls_late"], m["goroutines"] = a.late, uint64(runtime.NumGoroutine())
	a.source.count(m)
	if a.services != nil {
		a.services.Count(m)
	}
	a.tickStudies(m)
	a.lookForHabits(m)
	if a.state != nil {
		a.state.count(m)
	}
	a.out.count(m)
	a.deck.count(m)
	a.counters.Store(&m)
	a.out.tidy()
	return nil
}
