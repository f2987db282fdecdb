package review

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"vignette/scenes"
	"vignette/ui-bridge/trace"
)

// Codes of scenes.Outcomes and scenes.Gestures that figures look at.
const (
	outBlocked = 6
	fired      = 11 // a scene card has acted
	undone     = 12 // a scene card's action, taken back by the driver
)

// moving is the slowest bucket of speed that counts as moving: from 8 km/h on.
const moving = trace.SpeedUnder30

// How a whole attempt ended. Moving or not is by its last touch.
const (
	doneMoving = iota
	doneStill
	lostMoving // done after a detour, see lostFrom
	lostStill
	gaveUpMoving
	gaveUpStill
	endUnknown // more touches than are released, or the last at an unknown speed
)

var endingNames = []string{"done while moving", "done, not moving", "done after a detour, moving", "done after a detour, not moving",
	"given up while moving", "given up, not moving", "not known"}

// lostFrom is the lostness above which somebody was lost (P. A. Smith, Interacting
// with Computers 8, 1996).
const lostFrom = 0.5

// facts are what a sequence of the dictionary says of each episode that is it.
type facts struct {
	way      int // of the task's ways
	ending   int
	leak     bool // a touch was blocked while moving
	undone   bool
	speeds   [7]int32 // touches by bucket of speed
	lostness float64  // NaN: nobody knows the shortest way
}

// way is an order of touches, whatever their pace and speed. Cut episodes have
// ways of their own: they are two touches of somebody's longer way.
type way struct {
	Steps     []string // SCREEN/ELEMENT, and the gesture and outcome where they are not tap and ok
	cut       bool
	done      bool
	lostness  float64
	sequences int // of the dictionary that are this way
}

// dictionary is what a task's sequences say, whole and cut.
type dictionary struct {
	card  bool // the task is a scene card: its attempts are firings
	ways  []way
	facts map[uint16][2]facts // by index in the study's dictionary: cut, whole
}

func newDictionary(s *scenes.Study, t *scenes.Task) *dictionary {
	d := &dictionary{facts: map[uint16][2]facts{}}
	index := map[string]int{}
	shortest := shortestWay(s, t)
	for i := range s.Dictionary {
		q := &s.Dictionary[i]
		if q.Task != t.ID {
			continue
		}
		f := newFacts(q, t, shortest)
		d.card = d.card || q.Events[0].Gesture == fired
		whole, cut := f, f
		whole.way = d.add(index, s, q, &f, t)
		if len(q.Events) == 2 {
			cut.way = d.add(index, s, q, nil, t)
		}
		d.facts[uint16(i)] = [2]facts{cut, whole}
	}
	return d
}

// add finds a sequence's way; f is nil for a cut one.
func (d *dictionary) add(index map[string]int, s *scenes.Study, q *scenes.Sequence, f *facts, t *scenes.Task) int {
	w := way{Steps: steps(s, q), cut: f == nil, lostness: math.NaN()}
	if f != nil {
		w.lostness, w.done = f.lostness, completes(q, t)
	}
	key := fmt.Sprint(w.cut, w.Steps)
	i, ok := index[key]
	if !ok {
		i = len(d.ways)
		index[key] = i
		d.ways = append(d.ways, w)
	}
	d.ways[i].sequences++
	return i
}

// steps puts a sequence's touches into words.
func steps(s *scenes.Study, q *scenes.Sequence) (list []string) {
	for _, e := range q.Events {
		screen, elem := s.Names(int(e.Screen), int(e.Elem))
		words := []string{screen + "/" + elem}
		if g := scenes.Gestures[e.Gesture]; g != "tap" {
			words = append(words, g)
		}
		if o := scenes.Outcomes[e.Out]; o != "ok" {
			words = append(words, o)
		}
		list = append(list, strings.Join(words, " "))
	}
	return list
}

func newFacts(q *scenes.Sequence, t *scenes.Task, shortest int) facts {
	f := facts{ending: endUnknown, lostness: lostness(q, shortest)}
	for _, e := range q.Events {
		f.speeds[e.Speed]++
		f.leak = f.leak || e.Out == outBlocked && e.Speed >= moving
		f.undone = f.undone || e.Gesture == undone
	}
	speed := q.Events[len(q.Events)-1].Speed
	switch done := completes(q, t); {
	case speed == trace.SpeedUnknown:
	case !done:
		f.ending = gaveUpMoving
	case f.lostness > lostFrom:
		f.ending = lostMoving
	default:
		f.ending = doneMoving
	}
	if f.ending != endUnknown && speed < moving {
		f.ending++
	}
	return f
}

func completes(q *scenes.Sequence, t *scenes.Task) bool {
	last := q.Events[len(q.Events)-1]
	return t.End.Element != 0 && int(last.Screen) == t.End.Screen && int(last.Elem) == t.End.Element
}

// places counts the different elements that a sequence touches.
func places(q *scenes.Sequence) int {
	type place struct{ screen, elem uint16 }
	var seen []place
	for _, e := range q.Events {
		if p := (place{e.Screen, e.Elem}); !slices.Contains(seen, p) {
			seen = append(seen, p)
		}
	}
	return len(seen)
}

// shortestWay is the least number of different elements of a sequence that
// does the whole task, from its start to its end; 0: the dictionary has none.
func shortestWay(s *scenes.Study, t *scenes.Task) (n int) {
	for i := range s.Dictionary {
		q := &s.Dictionary[i]
		if q.Task != t.ID || !completes(q, t) || int(q.Events[0].Elem) != t.Start.Element {
			continue
		}
		if p := places(q); n == 0 || p < n {
			n = p
		}
	}
	return n
}

// lostness is √((N/S-1)² + (R/N-1)²) with N different elements touched, S touches
// and R elements of the shortest way (P. A. Smith 1996, with elements as pages).
func lostness(q *scenes.Sequence, shortest int) float64 {
	if shortest == 0 {
		return math.NaN()
	}
	n := float64(places(q))
	return math.Hypot(n/float64(len(q.Events))-1, float64(shortest)/n-1)
}
