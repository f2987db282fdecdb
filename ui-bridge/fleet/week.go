package fleet

import (
	"math/rand/v2"
	"slices"
	"time"

	"vignette/ui-bridge/trace"
)

const (
	day  = 24 * time.Hour
	week = 7 * day
)

// trip is one drive, with its driver's attempts at tasks.
type trip struct {
	at       time.Time
	driver   *driver  // nil: a guest
	firings  []firing // of scene cards, before the driver does anything
	attempts []attempt
}

// attempt is one attempt at a task.
type attempt struct {
	at      time.Time
	task    int // index in the study
	moving  bool
	gaveUp  bool
	touches []touch
}

// touch is what the HMI reports and what the car knows of the moment.
type touch struct {
	after time.Duration // since the touch before
	in    trace.Interaction
	kmh   float64 // negative: nobody knows
}

// end is when the last touch of an attempt is.
func (a *attempt) end() time.Time {
	at := a.at
	for i := range a.touches {
		at = at.Add(a.touches[i].after)
	}
	return at
}

// world is what a car's drivers meet.
type world struct {
	hmi      *hmi
	build    *Build
	canaries bool
}

// week draws the trips of a car in the week that begins at from, in order.
func (w *world) week(rng *rand.Rand, drivers []*driver, from time.Time) []trip {
	var trips []trip
	for n := range 7 {
		for _, d := range drivers {
			chance := d.weekdays
			if n >= 5 {
				chance = d.weekends
			}
			for _, hour := range d.hours {
				if rng.Float64() >= chance {
					continue
				}
				hour = min(max(hour+0.6*rng.NormFloat64(), 0), 23.4)
				t := trip{at: from.AddDate(0, 0, n).Add(time.Duration(hour * float64(time.Hour)).Truncate(time.Millisecond)), driver: d}
				trips = append(trips, t)
			}
		}
	}
	slices.SortStableFunc(trips, func(a, b trip) int { return a.at.Compare(b.at) })
	free := from
	for i := range trips {
		trips[i].at = later(trips[i].at, free)
		free = w.fill(rng, &trips[i])
	}
	return trips
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// fill draws what happens on a trip, and returns when the car is free again. One
// trip in thirty is a guest's, with the habits of who lent the car.
func (w *world) fill(rng *rand.Rand, t *trip) time.Time {
	d := t.driver
	if rng.IntN(30) == 0 {
		t.driver = nil
	}
	at := w.fire(rng, d, t)
	if len(w.hmi.tasks) == 0 {
		return at // the study watches cards alone
	}
	for range int(d.tasks*rng.ExpFloat64() + 0.5) {
		a := w.attempt(rng, d, at)
		t.attempts = append(t.attempts, a)
		at = a.end().Add(time.Minute + time.Duration(rng.ExpFloat64()*float64(4*time.Minute)).Truncate(time.Millisecond))
	}
	return at.Add(5 * time.Minute)
}

// attempt draws one attempt.
func (w *world) attempt(rng *rand.Rand, d *driver, at time.Time) attempt {
	way := pick(rng, d.mix)
	t := &w.hmi.tasks[way]
	a := attempt{at: at, task: t.index}
	kmh := d.speed(rng)
	a.moving = kmh >= lockedFrom
	p := &play{w: w, rng: rng, d: d, a: &a, kmh: kmh}
	p.way(t, d.way(rng, t, d.favourite[way]))
	return a
}

// speed draws how fast the car is while something is done, in km/h.
func (d *driver) speed(rng *rand.Rand) float64 {
	kmh := 0.0
	if rng.Float64() >= d.parked {
		road := roads[pick(rng, d.roads)]
		kmh = road[0] + (road[1]-road[0])*rng.Float64()
	}
	if rng.IntN(50) == 0 {
		kmh = unknownSpeed
	}
	return kmh
}

const (
	lockedFrom   = 8  // the speed from which keyboards are locked, in km/h
	unknownSpeed = -1 // stands for a speed that the car does not know
)

// play is an attempt while it is drawn.
type play struct {
	w   *world
	rng *rand.Rand
	d   *driver
	a   *attempt
	kmh float64
}

// way goes through a task, unless the driver gives up on the way.
func (p *play) way(t *task, inner []int) {
	stop := len(inner) + 2
	if p.rng.Float64() < p.w.build.GivenUp {
		stop = 1 + p.rng.IntN(len(inner)+1)
	}
	p.touch(&t.start, "ok")
	if p.w.canaries && len(t.inner) > 0 && p.rng.IntN(10) == 0 {
		p.canary(t)
	}
	for i, n := range inner {
		if i+1 >= stop || p.a.gaveUp {
			break
		}
		p.touch(&t.inner[n], "ok")
	}
	if p.a.gaveUp = p.a.gaveUp || stop < len(inner)+2; !p.a.gaveUp {
		p.add(&t.end, endOutcome(&t.end)) // once: it ends the attempt whatever it does
	}
}

// endOutcome is what the end of a task does: back is what leads back.
func endOutcome(c *control) string {
	if c.element == "back" {
		return "back"
	}
	return "ok"
}

// touch touches a control until it does what it should, three times at most. A
// keyboard is locked while moving: who sees it passes it by, who does not gives up.
func (p *play) touch(c *control, outcome string) {
	if c.keyboard && p.a.moving {
		if p.a.gaveUp = p.rng.Float64() < p.w.build.Locked; p.a.gaveUp {
			p.add(c, "blocked")
		}
		return
	}
	for range 3 {
		switch x := p.rng.Float64(); {
		case c.hard() && x < p.w.build.Errors:
			p.add(c, "error")
			continue
		case x > 1-p.w.build.Dead:
			p.add(c, "noop")
			continue
		case c.keyboard:
			p.typed(c)
		default:
			p.add(c, outcome)
		}
		return
	}
}

// typed is some keys in a row.
func (p *play) typed(c *control) {
	p.add(c, "ok")
	for range 2 + p.rng.IntN(9) {
		p.add(c, "ok")
		p.a.touches[len(p.a.touches)-1].after = 150*time.Millisecond + time.Duration(p.rng.IntN(200))*time.Millisecond
	}
}

// add adds a touch at the speed of the moment.
func (p *play) add(c *control, outcome string) {
	t := touch{in: trace.Interaction{Screen: c.screen, Element: c.element, Gesture: c.gesture, Outcome: outcome},
		kmh: p.kmh * (1 + 0.02*p.rng.NormFloat64())}
	if len(p.a.touches) > 0 {
		t.after = p.d.gap(p.rng, p.w.build)
	}
	p.a.touches = append(p.a.touches, t)
}
