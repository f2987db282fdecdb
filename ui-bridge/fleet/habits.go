package fleet

import (
	"math"
	"math/rand/v2"
	"time"
)

// driver is somebody with habits.
type driver struct {
	user      uint64
	consents  time.Time // when asked, from then on; zero: says no
	withdraws time.Time // zero: never
	mix       []float64 // of tasks, in sum 1
	favourite [][]int   // way through each task
	faithful  float64   // share of attempts that go the favourite way
	pace      float64   // logarithm of the usual time between two touches in s
	spread    float64   // of that logarithm
	hours     [2]float64
	weekdays  float64 // chance of a trip at each of hours
	weekends  float64
	tasks     float64   // attempts a trip, on average
	parked    float64   // share of attempts in a parked car
	roads     []float64 // shares of roads
	cards     []taste   // by the study's scene cards
}

// roads are the speeds that a trip goes at, in km/h: crawling, town, main roads,
// country roads, motorways.
var roads = [][2]float64{{3, 7}, {14, 28}, {35, 56}, {64, 96}, {104, 128}}

// guest is anybody else at the wheel, whom nobody asks.
const guest = 0

// newDriver draws a driver's habits, and what they say to the study.
func newDriver(rng *rand.Rand, h *hmi, user uint64, from time.Time, weeks int) *driver {
	d := &driver{user: user,
		mix:      shares(rng, len(h.tasks), 0.7),
		roads:    shares(rng, len(roads), 0.8),
		faithful: 0.5 + 0.4*rng.Float64(),
		pace:     math.Log(1.2) + 0.22*rng.NormFloat64(),
		spread:   0.2 + 0.15*rng.Float64(),
		hours:    [2]float64{7.8 + 1.3*rng.NormFloat64(), 18 + 1.8*rng.NormFloat64()},
		weekdays: 0.5 + 0.45*rng.Float64(),
		weekends: 0.2 + 0.5*rng.Float64(),
		tasks:    1.5 + 3*rng.Float64(),
		parked:   0.15 + 0.4*rng.Float64(),
	}
	for i := range h.tasks {
		way := h.tasks[i].usual(rng)
		if rng.Float64() < 0.35 {
			way = h.tasks[i].wander(rng)
		}
		d.favourite = append(d.favourite, way)
	}
	d.decide(rng, from, weeks)
	for range h.cards {
		d.cards = append(d.cards, newTaste(rng))
	}
	return d
}

// decide draws what a driver says: three quarters say yes, most of them in the
// first week, and one in twelve of these takes it back later.
func (d *driver) decide(rng *rand.Rand, from time.Time, weeks int) {
	yes, early, back := rng.Float64() < 0.75, rng.Float64() < 0.8, rng.Float64() < 0.08
	span := time.Duration(weeks) * week
	first := min(span, week)
	if !early {
		first = span
	}
	at := from.Add(time.Duration(rng.Float64() * float64(first)))
	later := at.Add(time.Duration(rng.Float64() * float64(span)))
	if yes {
		d.consents = at
	}
	if yes && back {
		d.withdraws = later
	}
}

// shares draws n shares of 1 that differ by a spread in their logarithms.
func shares(rng *rand.Rand, n int, spread float64) []float64 {
	list, sum := make([]float64, n), 0.0
	for i := range list {
		list[i] = math.Exp(spread * rng.NormFloat64())
		sum += list[i]
	}
	for i := range list {
		list[i] /= sum
	}
	return list
}

// pick draws an index by shares.
func pick(rng *rand.Rand, shares []float64) int {
	x := rng.Float64()
	for i, s := range shares {
		if x -= s; x < 0 {
			return i
		}
	}
	return len(shares) - 1
}

// gap draws a time between two touches.
func (d *driver) gap(rng *rand.Rand, b *Build) time.Duration {
	s := b.Slower * math.Exp(d.pace+d.spread*rng.NormFloat64())
	if rng.Float64() < 0.03 { // the road asks for attention
		s += 4 + 14*rng.Float64()
	}
	return time.Duration(s * float64(time.Second)).Truncate(time.Millisecond)
}

// way draws a way through a task: mostly the favourite, else a usual one, now
// and then any.
func (d *driver) way(rng *rand.Rand, t *task, favourite []int) []int {
	switch x := rng.Float64(); {
	case x < d.faithful:
		return favourite
	case x < 0.92:
		return t.usual(rng)
	}
	return t.wander(rng)
}
