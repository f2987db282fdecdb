package audit

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"slices"

	"vignette/ui-bridge/trace"
)

// linking finds, for what was released in the later weeks, the most similar of
// the earlier weeks: by terms weighed with TF-IDF and the cosine (Salton and
// Buckley, 1988), as Narayanan and Shmatikov (2008) linked sparse records.
var linking = attack{
	id: "linking", name: "Link episodes across weeks",
	does: "Takes what was released in the later half of the weeks and looks for the most similar among the earlier half: task, sequence, places, gaps, speeds, " +
		"cohort, part of the day and metrics. Records under one id are taken together first, and an id that comes again is a hit by itself. Looks for something of the vehicle in ids.",
	mark: "The first guess is right at most three times as often as one by lot within the same cohort. No id comes twice, and ids next to each other, read from any byte on, " +
		"are no oftener than that one vehicle's.",
	run: runLinking,
}

// unit is what an attacker takes to be of one vehicle: an episode, or all episodes
// under an id that comes again.
type unit struct {
	eid  trace.EpisodeID
	car  int
	eps  []*trace.Episode
	look string // of the episodes: the same for those that nothing tells apart
}

// term is a feature of an episode, told apart by its kind.
type term struct {
	kind uint8
	a, b trace.Event
	v    uint32
}

func runLinking(d *Dataset, o Options) ([]Figure, error) {
	list := []Figure{none("ids that come more than once", "ids", d.repeatedIDs(), len(d.Episodes), "")}
	const name, near = "first guesses that are right", "neighbours by id that are one vehicle's"
	why := ""
	switch {
	case d.Cars == 0:
		why = "nobody knows whose episodes these are; a simulated fleet has " + truthFile
	case len(d.Weeks) < 2:
		why = "all episodes are of one week; linking is across weeks"
	}
	if why != "" {
		return append(list, notRun(name, "share", atMost, 0, why), notRun(near, "share", atMost, 0, why)), nil
	}
	early, late := d.halves()
	f, err := linked(name, early, late, o)
	if err != nil {
		return nil, err
	}
	chance := d.pairChance()
	return append(list, f, share(near, atMost, chanceTimes*chance, linkByID(d), chance)), nil
}

// linkByID takes each episode for the same vehicle's as the one with the next id,
// in the order of ids that are read from one byte on and around; it is right as
// often as with the byte by which it is most.
func linkByID(d *Dataset) (best estimate) {
	order := make([]int, len(d.Episodes))
	for i := range order {
		order[i] = i
	}
	for from := range len(trace.EpisodeID{}) {
		slices.SortFunc(order, func(i, j int) int {
			a, b := &d.Episodes[i].EID, &d.Episodes[j].EID
			return cmp.Or(bytes.Compare(a[from:], b[from:]), bytes.Compare(a[:from], b[:from]), cmp.Compare(i, j))
		})
		var tries []scored
		for i := range len(order) - 1 {
			tries = append(tries, d.pair(order[i], order[i+1]))
		}
		if e := mean(tries); from == 0 || e.value > best.value {
			best = e
		}
	}
	return best
}

// linked is how often the first guess among what is known is right for what is
// asked.
func linked(name string, early, late []*Episode, o Options) (Figure, error) {
	known, err := units(early)
	if err != nil {
		return Figure{}, err
	}
	asked, err := units(late)
	if err != nil {
		return Figure{}, err
	}
	asked = sample(asked, o.Queries, o.Seed)
	x := newIndex(known)
	var tries []scored
	for _, u := range asked {
		tries = append(tries, scored{u.car, x.guess(u)})
	}
	inCohort, ofAll := guessByLot(known, asked)
	f := share(name, atMost, chanceTimes*inCohort, mean(tries), inCohort)
	f.ChanceOf, f.Chances = "within its cohort", []Chance{{"among all vehicles", ofAll}}
	if f.Why == "" {
		f.Why = fmt.Sprintf("%d asked of %d known", len(asked), len(known))
	}
	return f, nil
}

// chanceTimes is how many times more often than by lot within the cohort a guess
// may be right.
const chanceTimes = 3

// guessByLot is how often a guess by lot is right: among what is known of the same
// cohort, which everybody may know since it has 1,000 vehicles or more, and among
// all.
func guessByLot(known, asked []*unit) (inCohort, ofAll float64) {
	type place struct {
		car    int
		cohort uint16
	}
	cohorts, inBoth, cars := map[uint16]int{}, map[place]int{}, map[int]int{}
	for _, u := range known {
		cohorts[u.cohort()]++
		inBoth[place{u.car, u.cohort()}]++
		cars[u.car]++
	}
	for _, u := range asked {
		if n := cohorts[u.cohort()]; n > 0 {
			inCohort += float64(inBoth[place{u.car, u.cohort()}]) / float64(n)
		}
		ofAll += float64(cars[u.car]) / float64(len(known))
	}
	n := float64(max(1, len(asked)))
	return inCohort / n, ofAll / n
}

func (u *unit) cohort() uint16 { return u.eps[0].Cohort }

// repeatedIDs counts the ids of more than one episode.
func (d *Dataset) repeatedIDs() (n int) {
	seen := map[trace.EpisodeID]int{}
	for i := range d.Episodes {
		if seen[d.Episodes[i].EID]++; seen[d.Episodes[i].EID] == 2 {
			n++
		}
	}
	return n
}

// halves parts the episodes by their weeks.
func (d *Dataset) halves() (early, late []*Episode) {
	middle := d.Weeks[len(d.Weeks)/2]
	for i := range d.Episodes {
		if ep := &d.Episodes[i]; ep.Week < middle {
			early = append(early, ep)
		} else {
			late = append(late, ep)
		}
	}
	return early, late
}

// units takes episodes together by their ids, in the order of the first of each.
func units(list []*Episode) (out []*unit, err error) {
	byID := map[trace.EpisodeID]*unit{}
	for _, ep := range list {
		u := byID[ep.EID]
		if u == nil {
			u = &unit{eid: ep.EID, car: ep.Car}
			byID[ep.EID] = u
			out = append(out, u)
		}
		look, err := lookOf(&ep.Episode)
		if err != nil {
			return nil, err
		}
		u.eps = append(u.eps, &ep.Episode)
		u.look += look
	}
	return out, nil
}

// lookOf is an episode without what says nothing of its vehicle: id and week.
func lookOf(ep *trace.Episode) (string, error) {
	bare := *ep
	bare.EID, bare.Week = trace.EpisodeID{}, 0
	raw, err := bare.MarshalMsg(nil)
	return string(raw), err
}

// The kinds of terms.
const (
	termTask uint8 = iota
	termVariant
	termCohort
	termTOD
	termAuto
	termMetric
	termEvent // an event with everything
	termPair  // two events with everything
	termOrder // two places that follow each other
	termPace  // a place, the one before and the gap
)

// terms counts the terms of a unit.
func (u *unit) terms() map[term]float64 {
	terms := map[term]float64{}
	for _, ep := range u.eps {
		for kind, v := range map[uint8]uint16{termTask: ep.Task, termVariant: ep.Variant, termCohort: ep.Cohort, termTOD: uint16(ep.TOD), termAuto: uint16(ep.Auto)} {
			terms[term{kind: kind, v: uint32(v)}]++
		}
		for i, v := range ep.M {
			terms[term{kind: termMetric, v: uint32(i)<<8 | uint32(v)}]++
		}
		for i, ev := range ep.Ev {
			terms[term{kind: termEvent, a: ev}]++
			if i == 0 {
				continue
			}
			before := ep.Ev[i-1]
			from, to := placeOf(before), placeOf(ev)
			terms[term{kind: termPair, a: before, b: ev}]++
			terms[term{kind: termOrder, a: from, b: to}]++
			terms[term{kind: termPace, a: from, b: to, v: uint32(ev.DT)}]++
		}
	}
	return terms
}

// placeOf is an event's place alone.
func placeOf(ev trace.Event) trace.Event { return trace.Event{Screen: ev.Screen, Elem: ev.Elem} }

// group is all known units with the same terms: nothing tells them apart.
type group struct {
	size int
	cars map[int]int // how many of them each car has
}

// right is how often a choice by lot among the group is the car's.
func (g *group) right(car int) float64 { return float64(g.cars[car]) / float64(g.size) }

// index finds what is most similar.
type index struct {
	groups   []group
	byLook   map[string]int
	byID     map[trace.EpisodeID]int // the car of a known id
	postings map[term][]posting
	weight   map[term]float64 // inverse document frequency
	nearby   map[string][]int // what nearest found, by look
	scores   []float64
}

// posting is a group that has a term, and the term's part of its vector of length 1.
type posting struct {
	group  int
	weight float64
}

func newIndex(known []*unit) *index {
	x := &index{byLook: map[string]int{}, byID: map[trace.EpisodeID]int{}, postings: map[term][]posting{}, weight: map[term]float64{}, nearby: map[string][]int{}}
	var terms []map[term]float64 // of each group
	for _, u := range known {
		x.byID[u.eid] = u.car
		i, ok := x.byLook[u.look]
		if !ok {
			i = len(x.groups)
			x.byLook[u.look], terms = i, append(terms, u.terms())
			x.groups = append(x.groups, group{cars: map[int]int{}})
		}
		x.groups[i].size++
		x.groups[i].cars[u.car]++
	}
	for i := range terms {
		for t := range terms[i] {
			x.weight[t] += float64(x.groups[i].size)
		}
	}
	for t, df := range x.weight {
		x.weight[t] = math.Log(1 + float64(len(known))/df)
	}
	for i := range terms {
		length := x.length(terms[i])
		for t, tf := range terms[i] {
			x.postings[t] = append(x.postings[t], posting{i, tf * x.weight[t] / length})
		}
	}
	x.scores = make([]float64, len(x.groups))
	return x
}

// length is that of a vector of terms.
func (x *index) length(terms map[term]float64) float64 {
	var squares []float64
	for t, tf := range terms {
		squares = append(squares, math.Pow(tf*x.weight[t], 2))
	}
	return math.Sqrt(orderedSum(squares))
}

// orderedSum sums in an order of its own, so that the result does not depend on
// that of a map.
func orderedSum(list []float64) (sum float64) {
	slices.Sort(list)
	for _, v := range list {
		sum += v
	}
	return sum
}

// guess is how often the first guess for a unit is right.
func (x *index) guess(u *unit) float64 {
	if car, ok := x.byID[u.eid]; ok { // the id itself comes again
		if car == u.car {
			return 1
		}
		return 0
	}
	if i, ok := x.byLook[u.look]; ok {
		return x.groups[i].right(u.car)
	}
	best, ok := x.nearby[u.look]
	if !ok {
		best = x.nearest(u)
		x.nearby[u.look] = best
	}
	size, cars := 0, 0
	for _, i := range best {
		size += x.groups[i].size
		cars += x.groups[i].cars[u.car]
	}
	return float64(cars) / float64(size)
}

// sameCosine is how far two cosines may lie apart and count as one: they are sums
// in an order that varies.
const sameCosine = 1e-9

// nearest are the groups with the greatest cosine.
func (x *index) nearest(u *unit) (best []int) {
	clear(x.scores)
	for t, tf := range u.terms() {
		w := tf * x.weight[t]
		for _, p := range x.postings[t] {
			x.scores[p.group] += w * p.weight
		}
	}
	top := slices.Max(x.scores)
	for i, s := range x.scores {
		if s >= top-sameCosine*math.Max(1, top) {
			best = append(best, i)
		}
	}
	return best
}
