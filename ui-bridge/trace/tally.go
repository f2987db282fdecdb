package trace

import "time"

// What the metrics are measured by.
const (
	movingFromKmh = 8 // moving begins, judged at each touch
	movingToKmh   = 5 // below it, moving ends

	engagedGap  = 2 * time.Second  // the longest gap within an engagement
	denseWindow = 12 * time.Second // from the first to the last touch of a crowd
	rageWindow  = time.Second      // from the first to the third touch
	bounceBack  = 2 * time.Second
	toggleAgain = 5 * time.Second

	mostCrowd = 33 // touches that bucketCount does not tell from more
)

// tally gathers what the metrics of one attempt need, at full resolution. Its
// times are since the attempt's first touch.
type tally struct {
	n      [len(Metrics{})]int // the counts among the metrics
	at     [2]place            // of the touch before the last one, and of the last one
	when   [mostCrowd]time.Duration
	last   time.Duration // of the last touch or key
	moving bool
	// movingFor, engagement and hunt are the times among the metrics.
	movingFor, engagement, hunt time.Duration
	engaged                     time.Duration // when the present engagement began
	left                        time.Duration // when the screen before this one was touched last
	arrived                     bool          // there is a screen before this one
	hunting                     bool          // nothing on this screen did anything yet
	toggled                     place         // the toggle that was switched last; zero for none
	toggledAt                   time.Duration
}

// touch takes one touch at a time and a speed, which counts where it is known.
func (t *tally) touch(ev *Event, toggle bool, kmh float64, now time.Duration) {
	at := place{ev.Screen, ev.Elem}
	t.n[MetricTouches]++
	t.noteScreen(ev, now)
	t.pass(now, now-t.last <= engagedGap)
	t.noteSpeed(ev, kmh)
	t.noteCrowd(at, now)
	if toggle && ev.Out == outOK {
		if t.toggled == at && now-t.toggledAt < toggleAgain {
			t.n[MetricReverts]++
		}
		t.toggled, t.toggledAt = at, now
	}
}

// key takes one more key of the keyboard touch that goes on.
func (t *tally) key(now time.Duration) { t.pass(now, true) }

// pass lets time go by since the last touch or key.
func (t *tally) pass(now time.Duration, engaged bool) {
	if t.moving {
		t.movingFor += now - t.last
	}
	if !engaged {
		t.engaged = now
	}
	t.engagement = max(t.engagement, now-t.engaged)
	t.last = now
}

// noteSpeed follows moving with its hysteresis; an unknown speed leaves it as it
// was.
func (t *tally) noteSpeed(ev *Event, kmh float64) {
	switch {
	case ev.Speed == SpeedUnknown:
	case kmh >= movingFromKmh:
		t.moving = true
	case kmh < movingToKmh:
		t.moving = false
	}
	if !t.moving {
		return
	}
	t.n[MetricMoving]++
	if ev.Out == outBlocked {
		t.n[MetricLockedMoving]++
	}
}

// noteScreen follows which screen is looked at: what was hunted for on a new one,
// and whether it was left at once. It wants the touch before as it was.
func (t *tally) noteScreen(ev *Event, now time.Duration) {
	if t.n[MetricTouches] > 1 && ev.Screen != t.at[1].screen {
		t.left, t.arrived, t.hunting = t.last, true, true
	}
	if t.hunting && ev.Out == outOK {
		t.hunting = false
		t.hunt = max(t.hunt, now-t.left)
	}
	if t.arrived && ev.Out == outBack && now-t.left < bounceBack {
		t.n[MetricBounces]++
	}
}

// noteCrowd looks back on the touches before: the most in any window, and the
// third on one element in a row.
func (t *tally) noteCrowd(at place, now time.Duration) {
	n := t.n[MetricTouches]
	t.when[(n-1)%mostCrowd] = now
	crowd := 1
	for crowd < min(n, mostCrowd) && now-t.when[(n-1-crowd)%mostCrowd] <= denseWindow {
		crowd++
	}
	t.n[MetricDensest] = max(t.n[MetricDensest], crowd)
	if n > 2 && t.at[0] == at && t.at[1] == at && now-t.when[(n-3)%mostCrowd] <= rageWindow {
		t.n[MetricRage]++
	}
	t.at[0], t.at[1] = t.at[1], at
}

// metrics are the figures of an attempt that ended.
func (t *tally) metrics(how Ending) (m Metrics) {
	for i, n := range t.n {
		m[i] = bucketCount(n) + 1
	}
	m[MetricTime] = bucketTime(t.last) + 1
	m[MetricMovingTime] = bucketTime(t.movingFor) + 1
	m[MetricEngagement] = bucketTime(t.engagement) + 1
	m[MetricHunt] = bucketTime(t.hunt) + 1
	m[MetricEnding] = uint8(how) + 1
	return m
}
