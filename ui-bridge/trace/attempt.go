package trace

import (
	"math"
	"time"

	"vignette/scenes"
)

// The metrics of Episode.M, of the whole attempt, also of what is beyond its
// first eight events. Each holds its bucket plus one, so that 0 is always "not
// computed". Counts up to 8 are themselves; 9 is up to 16, 10 up to 32, 11 more.
// Moving begins at 8 km/h and ends below 5 km/h, judged at each event; an unknown
// speed leaves it as it was. All keys of a keyboard in a row are one event.
const (
	MetricTouches       = iota // events
	MetricMoving               // events while moving
	MetricUnknownSpeed         // events with unknown speed
	MetricDuration             // bucket (DT) of the time from first to last event
	MetricLongestGap           // bucket (DT) of the longest time between two events
	MetricBacks                // outcomes back
	MetricErrors               // outcomes error
	MetricBlocked              // outcomes blocked
	MetricDeadTaps             // outcomes noop
	MetricRage                 // events that are the third or later on one element within 1 s
	MetricInterruptions        // gaps above 5 s
	MetricOther                // events on a screen or element that is not registered
)

const (
	episodeGap    = 30 * time.Second
	episodeMost   = time.Hour
	interruption  = 5 * time.Second
	rageWindow    = time.Second
	movingFromKmh = 8
	movingToKmh   = 5
)

// attempt gathers one attempt at a task at full resolution, in memory.
type attempt struct {
	task        *task // nil: none is open
	ep          Episode
	n           [12]int // the counts among the metrics, by metric
	first, last time.Time
	weekEnd     time.Time // of the week that the attempt began in
	longest     time.Duration
	moving      bool
	keys        int // keys in a row at the keyboard that the last event is
	at          [2]place
	when        [2]time.Time // of the event before the last one, and of the last one
}

func (a *attempt) open() bool { return a.task != nil }

// over reports whether an event at now cannot belong to the open attempt: the
// gap or the attempt is too long, or the caller's clock went back.
func (a *attempt) over(now time.Time) bool {
	if !a.open() {
		return false
	}
	d := now.Sub(a.last)
	return d > episodeGap || d < 0 || now.Sub(a.first) > episodeMost
}

// begin opens an attempt; the id of its episode is drawn when it is written.
func (a *attempt) begin(p *policy, t *task, c Context) {
	a.reset()
	a.task, a.first = t, c.Now
	ev := a.ep.Ev
	a.ep = p.newEpisode(t, c)
	a.ep.Ev = ev
	a.weekEnd = weekEnd(c.Wall)
}

// add takes one interaction.
func (a *attempt) add(in *Interaction, at place, keyboard bool, c Context) {
	gesture := code(touches, in.Gesture)
	if keyboard && a.typing(at) {
		a.last = c.Now
		a.keys++
		a.typed(gesture)
		return
	}
	ev := Event{Screen: at.screen, Elem: at.elem, Gesture: gesture, Speed: bucketSpeed(c), Out: code(scenes.Outcomes, in.Outcome)}
	if a.n[MetricTouches] > 0 {
		gap := c.Now.Sub(a.last)
		ev.DT = bucketDT(gap)
		a.longest = max(a.longest, gap)
		if gap > interruption {
			a.n[MetricInterruptions]++
		}
	}
	a.last = c.Now
	a.n[MetricTouches]++
	a.noteSpeed(c, ev.Speed)
	a.noteOutcome(&ev)
	a.noteRage(at, c.Now)
	if len(a.ep.Ev) < MaxEvents {
		a.ep.Ev = append(a.ep.Ev, ev)
	}
	a.keys = 0
	if keyboard {
		a.keys = 1
		a.typed(gesture)
	}
}

// typing reports whether a key at the keyboard goes on with the last event.
func (a *attempt) typing(at place) bool { return a.keys > 0 && a.at[1] == at }

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
	if a.n[MetricTouches] <= MaxEvents {
		last := &a.ep.Ev[len(a.ep.Ev)-1]
		if last.Gesture >= typeShort {
			class = max(class, last.Gesture)
		}
		last.Gesture = class
	}
}

// noteSpeed follows moving with its hysteresis.
func (a *attempt) noteSpeed(c Context, bucket uint8) {
	if bucket == SpeedUnknown {
		a.n[MetricUnknownSpeed]++
	} else if v := math.Abs(c.SpeedKmh); v >= movingFromKmh {
		a.moving = true
	} else if v < movingToKmh {
		a.moving = false
	}
	if a.moving {
		a.n[MetricMoving]++
	}
}

func (a *attempt) noteOutcome(ev *Event) {
	switch ev.Out {
	case outBack:
		a.n[MetricBacks]++
	case outError:
		a.n[MetricErrors]++
	case outBlocked:
		a.n[MetricBlocked]++
	case outNoop:
		a.n[MetricDeadTaps]++
	}
	if ev.Screen == other || ev.Elem == other {
		a.n[MetricOther]++
	}
}

// noteRage counts an event whose element was also that of the two before it, all
// three within one second.
func (a *attempt) noteRage(at place, now time.Time) {
	if a.n[MetricTouches] > 2 && a.at[0] == at && a.at[1] == at && now.Sub(a.when[0]) <= rageWindow {
		a.n[MetricRage]++
	}
	a.at[0], a.when[0] = a.at[1], a.when[1]
	a.at[1], a.when[1] = at, now
}

// finish computes the metrics and returns the episode, which stays valid until
// the next begin.
func (a *attempt) finish() *Episode {
	for i, n := range a.n {
		a.ep.M[i] = bucketCount(n) + 1
	}
	a.ep.M[MetricDuration] = bucketDT(a.last.Sub(a.first)) + 1
	a.ep.M[MetricLongestGap] = bucketDT(a.longest) + 1
	return &a.ep
}

// reset forgets the attempt and all its full-resolution times.
func (a *attempt) reset() {
	clear(a.ep.Ev[:cap(a.ep.Ev)])
	*a = attempt{ep: Episode{Ev: a.ep.Ev[:0]}}
}

// bucketCount returns the bucket of a count.
func bucketCount(n int) uint8 {
	switch {
	case n <= 8:
		return uint8(n)
	case n <= 16:
		return 9
	case n <= 32:
		return 10
	}
	return 11
}
