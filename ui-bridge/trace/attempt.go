package trace

import (
	"math"
	"time"

	"vignette/scenes"
)

const (
	episodeGap  = 30 * time.Second
	episodeMost = time.Hour
)

// attempt gathers one attempt at a task at full resolution, in memory.
type attempt struct {
	task        *task // nil: none is open
	ep          Episode
	tally       tally
	first, last time.Time
	weekEnd     time.Time // of the week that the attempt began in
	keys        int       // keys in a row at the keyboard that the last event is
}

func (a *attempt) open() bool { return a.task != nil }

// over reports whether an event at now cannot belong to the open attempt, and how
// that ended it: the gap or the attempt is too long, or the caller's clock went
// back.
func (a *attempt) over(now time.Time) (how Ending, over bool) {
	switch d := now.Sub(a.last); {
	case !a.open():
		return 0, false
	case d < 0:
		return EndClock, true
	case d > episodeGap:
		return EndGivenUp, true
	}
	return EndTooLong, now.Sub(a.first) > episodeMost
}

// begin opens an attempt; the id of its episode is drawn when it is written.
func (a *attempt) begin(p *policy, t *task, c Context) {
	a.reset()
	a.task, a.first, a.last = t, c.Now, c.Now
	ev := a.ep.Ev
	a.ep = p.newEpisode(t, c)
	a.ep.Ev = ev
	a.weekEnd = weekEnd(c.Wall)
}

// add takes one interaction.
func (a *attempt) add(in *Interaction, at place, e elementTerm, c Context) {
	if c.Auto != a.ep.Auto {
		a.ep.Auto = 0 // it is of the whole attempt, or not told
	}
	gesture := code(touches, in.Gesture)
	gap, now := c.Now.Sub(a.last), c.Now.Sub(a.first)
	if e.keyboard && a.typing(at) {
		a.last = c.Now
		a.keys++
		a.typed(gesture)
		a.tally.key(now)
		return
	}
	ev := Event{Screen: at.screen, Elem: at.elem, Gesture: gesture, Speed: bucketSpeed(c), Out: code(scenes.Outcomes, in.Outcome)}
	if a.touches() > 0 {
		ev.DT = bucketDT(gap)
	}
	a.last = c.Now
	a.tally.touch(&ev, e.toggle, math.Abs(c.SpeedKmh), now)
	if len(a.ep.Ev) < MaxEvents {
		a.ep.Ev = append(a.ep.Ev, ev)
	}
	a.keys = 0
	if e.keyboard {
		a.keys = 1
		a.typed(gesture)
	}
}

// touches is how many there were.
func (a *attempt) touches() int { return a.tally.n[MetricTouches] }

// typing reports whether a key at the keyboard goes on with the last event.
func (a *attempt) typing(at place) bool { return a.keys > 0 && a.tally.at[1] == at }

// typed gives the last event the class of what was typed; an HMI may tell the
// class itself.
func (a *attempt) typed(told uint8) {
	class := uint8(typeLong)
	switch {
	case a.keys <= 4:
		class = typeShort
	case a.keys <= 12:
		class = typeMedium
	}
	if told >= typeShort {
		class = max(class, told)
	}
	if a.touches() <= MaxEvents {
		last := &a.ep.Ev[len(a.ep.Ev)-1]
		if last.Gesture >= typeShort {
			class = max(class, last.Gesture)
		}
		last.Gesture = class
	}
}

// finish computes the metrics and returns the episode, which stays valid until
// the next begin.
func (a *attempt) finish(how Ending) *Episode {
	a.ep.M = a.tally.metrics(how)
	return &a.ep
}

// reset forgets the attempt and all its full-resolution times.
func (a *attempt) reset() {
	clear(a.ep.Ev[:cap(a.ep.Ev)])
	*a = attempt{ep: Episode{Ev: a.ep.Ev[:0]}}
}
