package audit

import (
	"math"

	"vignette/ui-bridge/trace"
)

// timing asks how far a driver's pace narrows down whose an episode is. The
// attacker ranks all vehicles by how well an episode's gaps fit what is known of
// each, as keystroke dynamics tell people apart by their gaps (Monrose and Rubin,
// 2000); the candidate set is as many as have to be looked at, the likeliest
// first, until the right one is met (guesswork: Massey, 1994).
var timing = attack{
	id: "timing", name: "Tell vehicles by their timing",
	does: "Has timed one attempt and knows what was touched: the candidate set is the vehicles that have released this sequence with these very times, of those that have " +
		"released it at all. Another one knows the gaps of every vehicle's episodes of the earlier weeks, and whose they are. For one episode of each vehicle of the later weeks, ranks all vehicles " +
		"by how well its gaps and its duration fit. This candidate set is every vehicle that ranks as high as the right one; of those that fit equally well, half.",
	mark: "The median candidate set is at least 30 %. By chance it is all of the vehicles with the sequence, or half of the fleet.",
	run:  runTiming,
}

const candidateMark = 0.3

func runTiming(d *Dataset, o Options) ([]Figure, error) {
	const knower = "median candidate set of who has timed an attempt"
	const buckets, mean = "median candidate set, by how often each gap occurs", "median candidate set, by the mean pace"
	why := ""
	switch {
	case d.Cars == 0:
		why = "nobody knows whose episodes these are; a simulated fleet has " + truthFile
	case len(d.Weeks) < 2:
		why = "all episodes are of one week; the attacker learns from the weeks before"
	}
	if why != "" {
		return []Figure{notRun(knower, "share", atLeast, candidateMark, why), notRun(buckets, "share", atLeast, candidateMark, why), notRun(mean, "share", atLeast, candidateMark, why)}, nil
	}
	early, late := d.halves()
	p := newPaces(early)
	asked := onePerCar(late, p, o)
	list := []Figure{share(knower, atLeast, candidateMark, median(d.sameTimes(o)), 1)}
	for _, by := range []struct {
		name string
		fit  func(*pace, []gap) float64
	}{{buckets, p.fitBuckets}, {mean, p.fitMean}} {
		var sets []float64
		for _, ep := range asked {
			sets = append(sets, p.candidates(ep, by.fit))
		}
		if len(sets) == 0 {
			list = append(list, notRun(by.name, "share", atLeast, candidateMark, "no vehicle has released anything in both halves of the weeks"))
			continue
		}
		list = append(list, share(by.name, atLeast, candidateMark, median(sets), 0.5))
	}
	return list, nil
}

// sameTimes are, for episodes with a time in them, one of each vehicle, the share
// of the vehicles with the same sequence that have also shown the very same times.
func (d *Dataset) sameTimes(o Options) (shares []float64) {
	type sequence struct {
		tuple
		times [len(timed)]uint8
	}
	of := func(ep *Episode, times bool) (s sequence) {
		s.tuple = tupleOf(ep.Task, ep.Ev)
		for i := range s.ev {
			if s.ev[i].Speed = 0; !times {
				s.ev[i].DT = 0
			}
		}
		for i, m := range timed {
			if times {
				s.times[i] = ep.M[m]
			}
		}
		return s
	}
	vehicles, byCar := map[sequence]map[int]bool{}, map[int][]*Episode{}
	for i := range d.Episodes {
		ep := &d.Episodes[i]
		for _, times := range []bool{false, true} {
			s := of(ep, times)
			if vehicles[s] == nil {
				vehicles[s] = map[int]bool{}
			}
			vehicles[s][ep.Car] = true
		}
		if len(ep.Ev) > 1 {
			byCar[ep.Car] = append(byCar[ep.Car], ep)
		}
	}
	for _, car := range sortedKeys(byCar) {
		for _, ep := range sample(byCar[car], 1, o.Seed+uint64(car)) {
			shares = append(shares, float64(len(vehicles[of(ep, true)]))/float64(len(vehicles[of(ep, false)])))
		}
	}
	return shares
}

// gap is a time between two touches, or one of the metrics that are times.
type gap struct {
	where where
	value uint8
}

// where is what a gap depends on beside the driver.
type where struct {
	from, to trace.Event // places alone; of a metric, where it begins and how many touches there are
	task     uint16
	kind     int // 0 between two touches, else 1 + the index in timed
}

// timed are the metrics that are times.
var timed = [...]int{trace.MetricTime, trace.MetricMovingTime, trace.MetricEngagement, trace.MetricHunt}

// gapsOf are the times in an episode.
func gapsOf(ep *trace.Episode) (list []gap) {
	for i := 1; i < len(ep.Ev); i++ {
		list = append(list, gap{where{placeOf(ep.Ev[i-1]), placeOf(ep.Ev[i]), ep.Task, 0}, ep.Ev[i].DT})
	}
	for i, m := range timed {
		if v := ep.M[m]; v > 0 && len(ep.Ev) > 0 {
			list = append(list, gap{where{placeOf(ep.Ev[0]), trace.Event{Elem: uint16(len(ep.Ev))}, ep.Task, 1 + i}, v})
		}
	}
	return list
}

// usual is how long a gap takes over the fleet.
type usual struct {
	n, sum, squares float64
	times           [256]float64 // how often each was
}

func (u *usual) mean() float64 { return u.sum / u.n }

// spread is the standard deviation; a gap that is always the same tells nothing.
func (u *usual) spread() float64 { return math.Sqrt(math.Max(0, u.squares/u.n-u.mean()*u.mean())) }

// times holds a figure of each time, by kind of gap.
type times [1 + len(timed)][256]float64

// pace is what is known of a vehicle's times.
type pace struct {
	n, z            float64 // gaps, and the sum of how far each is from the usual, in standard deviations
	shown, expected times   // how often each time was, and how often it would be at the fleet's pace
}

// paces are those of all vehicles.
type paces struct {
	fleet map[where]*usual
	cars  map[int]*pace
	order []int
}

// newPaces learns from episodes whose vehicles are known.
func newPaces(known []*Episode) *paces {
	p := &paces{fleet: map[where]*usual{}, cars: map[int]*pace{}}
	for _, ep := range known {
		for _, g := range gapsOf(&ep.Episode) {
			u := p.fleet[g.where]
			if u == nil {
				u = &usual{}
				p.fleet[g.where] = u
			}
			v := float64(g.value)
			u.n, u.sum, u.squares = u.n+1, u.sum+v, u.squares+v*v
			u.times[g.value]++
		}
	}
	for _, ep := range known {
		c := p.cars[ep.Car]
		if c == nil {
			c = &pace{}
			p.cars[ep.Car] = c
		}
		for _, g := range gapsOf(&ep.Episode) {
			c.learn(g, p.fleet[g.where])
		}
	}
	p.order = sortedKeys(p.cars)
	return p
}

func (c *pace) learn(g gap, u *usual) {
	if s := u.spread(); s > 0 {
		c.n, c.z = c.n+1, c.z+(float64(g.value)-u.mean())/s
	}
	c.shown[g.where.kind][g.value]++
	for v, n := range u.times {
		c.expected[g.where.kind][v] += n / u.n
	}
}

// prior is how many gaps at the fleet's pace each vehicle is taken to have shown
// before: little data tells little.
const prior = 4

// fitBuckets is the log likelihood of gaps, if a vehicle shows each time as much
// more often than the fleet as it did before.
func (p *paces) fitBuckets(c *pace, list []gap) (fit float64) {
	for _, g := range list {
		u := p.fleet[g.where]
		if u == nil {
			continue
		}
		all, own := 0.0, 0.0
		for v, n := range u.times {
			if n == 0 {
				continue
			}
			k := g.where.kind
			w := float64(n / u.n * (c.shown[k][v] + prior) / (c.expected[k][v] + prior))
			all += w
			if v == int(g.value) {
				own = w
			}
		}
		if own > 0 {
			fit += math.Log(own / all)
		}
	}
	return fit
}

// fitMean is how near the mean pace of gaps is to a vehicle's.
func (p *paces) fitMean(c *pace, list []gap) float64 {
	n, z := 0.0, 0.0
	for _, g := range list {
		if u := p.fleet[g.where]; u != nil && u.spread() > 0 {
			n, z = n+1, z+(float64(g.value)-u.mean())/u.spread()
		}
	}
	if n == 0 {
		return 0
	}
	return -math.Abs(z/n - c.z/(c.n+prior))
}

// sameFit is how far two fits may lie apart and count as one.
const sameFit = 1e-9

// candidates is the share of vehicles that have to be looked at until the right
// one is met.
func (p *paces) candidates(ep *Episode, fit func(*pace, []gap) float64) float64 {
	list := gapsOf(&ep.Episode)
	own := fit(p.cars[ep.Car], list)
	better, same := 0.0, 0.0
	for _, car := range p.order {
		switch f := fit(p.cars[car], list); {
		case f > own+sameFit:
			better++
		case f >= own-sameFit:
			same++
		}
	}
	return (better + same/2) / float64(len(p.order))
}

// onePerCar draws an episode of each vehicle that is known from before.
func onePerCar(late []*Episode, p *paces, o Options) (list []*Episode) {
	byCar := map[int][]*Episode{}
	for _, ep := range late {
		if p.cars[ep.Car] != nil {
			byCar[ep.Car] = append(byCar[ep.Car], ep)
		}
	}
	for _, car := range sortedKeys(byCar) {
		list = append(list, sample(byCar[car], 1, o.Seed+uint64(car))...)
	}
	return sample(list, o.Queries, o.Seed)
}
