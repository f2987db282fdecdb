package trace

import (
	"math"
	"time"
)

// The metrics of Episode.M. Each holds its figure plus one, so that 0 is always
// "not computed". Counts are at most 8. Moving begins at 8 km/h and ends below
// 5 km/h, judged at each event; an unknown speed leaves it as it was.
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
	interruption  = 5 * time.Second
	rageWindow    = time.Second
	movingFromKmh = 8
	movingToKmh   = 5
)

// builder gathers the events of one episode at full resolution, in memory.
type builder struct {
	ep     Episode
	at     [MaxEvents]time.Time
	n      int
	moving bool
	moves  int
	blind  int // events with unknown speed
}

// open reports whether an episode has begun.
func (b *builder) open() bool { return b.n > 0 }

// full reports whether no further event fits.
func (b *builder) full() bool { return b.n == MaxEvents }

// ends reports whether an event at now cannot belong to the open episode: the
// gap is above 30 s, or the caller's clock went back.
func (b *builder) ends(now time.Time) bool {
	if b.n == 0 {
		return false
	}
	d := now.Sub(b.at[b.n-1])
	return d > episodeGap || d < 0
}

// add appends one interaction; the caller has made sure that it fits.
func (b *builder) add(s *study, in Interaction, c Context) {
	if b.n == 0 {
		b.begin(s, c)
	}
	dt := DTFirst
	if b.n > 0 {
		dt = bucketDT(c.Now.Sub(b.at[b.n-1]))
	}
	ev := Event{Gesture: s.gesture(in.Gesture), DT: dt, Speed: bucketSpeed(c), Out: s.outcome(in.Outcome)}
	ev.Screen, ev.Elem = s.place(in.Screen, in.Element)
	b.noteSpeed(c, ev.Speed)
	b.ep.Ev = append(b.ep.Ev, ev)
	b.at[b.n] = c.Now
	b.n++
}

// begin starts an episode; its id is drawn when it is written.
func (b *builder) begin(s *study, c Context) {
	b.ep = Episode{V: SchemaVersion, Policy: s.version, Task: s.task, Ev: b.ep.Ev[:0]}
	b.ep.Week, b.ep.TOD = calendar(c)
}

// noteSpeed follows moving with its hysteresis.
func (b *builder) noteSpeed(c Context, bucket uint8) {
	if bucket == SpeedUnknown {
		b.blind++
	} else if v := math.Abs(c.SpeedKmh); v >= movingFromKmh {
		b.moving = true
	} else if v < movingToKmh {
		b.moving = false
	}
	if b.moving {
		b.moves++
	}
}

// finish computes the metrics and returns the episode, which stays valid until
// the next add.
func (b *builder) finish() *Episode {
	m := &b.ep.M
	m[MetricTouches] = uint8(b.n + 1)
	m[MetricMoving] = uint8(b.moves + 1)
	m[MetricUnknownSpeed] = uint8(b.blind + 1)
	m[MetricDuration] = bucketDT(b.at[b.n-1].Sub(b.at[0])) + 1
	longest, interruptions := b.gaps()
	m[MetricLongestGap] = bucketDT(longest) + 1
	m[MetricInterruptions] = uint8(interruptions + 1)
	m[MetricBacks] = b.outcomes(outBack)
	m[MetricErrors] = b.outcomes(outError)
	m[MetricBlocked] = b.outcomes(outBlocked)
	m[MetricDeadTaps] = b.outcomes(outNoop)
	m[MetricRage] = uint8(b.rage() + 1)
	m[MetricOther] = uint8(b.others() + 1)
	return &b.ep
}

// reset forgets the episode and all its full-resolution times.
func (b *builder) reset() {
	clear(b.ep.Ev[:cap(b.ep.Ev)])
	*b = builder{ep: Episode{Ev: b.ep.Ev[:0]}}
}

func (b *builder) gaps() (longest time.Duration, interruptions int) {
	for i := 1; i < b.n; i++ {
		d := b.at[i].Sub(b.at[i-1])
		longest = max(longest, d)
		if d > interruption {
			interruptions++
		}
	}
	return longest, interruptions
}

// outcomes returns one more than the number of events with an outcome.
func (b *builder) outcomes(out uint8) uint8 {
	n := uint8(1)
	for i := range b.ep.Ev {
		if b.ep.Ev[i].Out == out {
			n++
		}
	}
	return n
}

// rage counts events whose element was also that of the two before it, all
// three within one second.
func (b *builder) rage() int {
	n := 0
	for i := 2; i < b.n; i++ {
		a, c, e := b.ep.Ev[i-2], b.ep.Ev[i-1], b.ep.Ev[i]
		same := a.Screen == e.Screen && c.Screen == e.Screen && a.Elem == e.Elem && c.Elem == e.Elem
		if same && b.at[i].Sub(b.at[i-2]) <= rageWindow {
			n++
		}
	}
	return n
}

func (b *builder) others() int {
	n := 0
	for i := range b.ep.Ev {
		if b.ep.Ev[i].Screen == other || b.ep.Ev[i].Elem == other {
			n++
		}
	}
	return n
}
