package review

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"vignette/scenes"
	"vignette/ui-bridge/trace"
)

// Codes of scenes.Outcomes that figures look at.
const (
	outNoop    = 3
	outBack    = 4
	outError   = 5
	outBlocked = 6
)

// moving is the slowest bucket of speed that counts as moving: from 8 km/h on.
const moving = trace.SpeedUnder30

// lostFrom is the lostness above which somebody was lost (P. A. Smith, Interacting
// with Computers 8, 1996).
const lostFrom = 0.5

// facts are what a sequence of the dictionary says of each episode that is it.
type facts struct {
	way                         int                // of the task's ways
	speeds                      [7]int32           // touches by bucket of speed
	noop, back, failed, blocked bool               // some touch had that outcome
	leak                        bool               // some touch was blocked at 8 km/h or faster
	interrupted                 bool               // a pause of 5 s or more
	resumed                     [resumptions]int32 // touches that follow one, by bucket of the gap before them
	begun                       bool               // the first touch was at 8 km/h or faster
	parked                      bool               // the last one was parked
	lost                        bool               // lostness above lostFrom
	undone                      bool
	chosen                      int // id of the choice that was made; 0: it is no feedback
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
	of    subject
	ways  []way
	klm   klm
	facts map[uint16][2]facts // by index in the study's dictionary: cut, whole
}

func newDictionary(s *scenes.Study, t *scenes.Task) *dictionary {
	d := &dictionary{of: subjectOf(t), klm: newKLM(s, t), facts: map[uint16][2]facts{}}
	index := map[string]int{}
	needed := fewest(s, t)
	for i := range s.Dictionary {
		q := &s.Dictionary[i]
		if q.Task != t.ID {
			continue
		}
		f := newFacts(q, needed)
		whole, cut := f, f
		whole.way = d.add(index, steps(s, q), way{done: completes(q, t), lostness: lostness(q, needed)})
		if len(q.Events) == 2 && d.of == ofTask {
			cut.way = d.add(index, steps(s, q), way{cut: true, lostness: math.NaN()})
		}
		d.facts[uint16(i)] = [2]facts{cut, whole}
	}
	return d
}

// add finds the way of some steps.
func (d *dictionary) add(index map[string]int, steps []string, w way) int {
	key := fmt.Sprint(w.cut, steps)
	i, ok := index[key]
	if !ok {
		i = len(d.ways)
		index[key] = i
		w.Steps = steps
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

func newFacts(q *scenes.Sequence, needed int) facts {
	f := facts{lost: lostness(q, needed) > lostFrom}
	for _, e := range q.Events {
		f.speeds[e.Speed]++
		f.noop = f.noop || e.Out == outNoop
		f.back = f.back || e.Out == outBack
		f.failed = f.failed || e.Out == outError
		f.blocked = f.blocked || e.Out == outBlocked
		f.leak = f.leak || e.Out == outBlocked && e.Speed >= moving
		f.interrupted = f.interrupted || e.DT >= trace.DTUnder15s
		f.undone = f.undone || e.Gesture == scenes.Undone
		f.chosen = max(f.chosen, int(e.Gesture)-scenes.Chosen+1)
	}
	f.resumed = resumed(q)
	f.begun = q.Events[0].Speed >= moving
	f.parked = q.Events[len(q.Events)-1].Speed == trace.SpeedParked
	return f
}

// resumed counts the touches that follow a pause of 5 s or more, and are none
// themselves, by the bucket of the gap before them.
func resumed(q *scenes.Sequence) (n [resumptions]int32) {
	for i := 1; i < len(q.Events); i++ {
		if dt := q.Events[i].DT; q.Events[i-1].DT >= trace.DTUnder15s && dt < trace.DTUnder15s {
			n[dt-trace.DTUnder0s5]++
		}
	}
	return n
}

func completes(q *scenes.Sequence, t *scenes.Task) bool {
	last := q.Events[len(q.Events)-1]
	return t.End.Element != 0 && int(last.Screen) == t.End.Screen && int(last.Elem) == t.End.Element
}

// screens counts the screens that a sequence was on, each anew when it changes,
// and how many of them are different.
func screens(q *scenes.Sequence) (all, different int) {
	var seen []uint16
	for i, e := range q.Events {
		if i == 0 || e.Screen != q.Events[i-1].Screen {
			all++
		}
		if !slices.Contains(seen, e.Screen) {
			seen = append(seen, e.Screen)
		}
	}
	return all, len(seen)
}

// fewest is the least number of screens of a sequence that does the whole task,
// from its start to its end; 0: the dictionary has none.
func fewest(s *scenes.Study, t *scenes.Task) (n int) {
	for i := range s.Dictionary {
		q := &s.Dictionary[i]
		if q.Task != t.ID || !completes(q, t) || int(q.Events[0].Elem) != t.Start.Element {
			continue
		}
		if _, p := screens(q); n == 0 || p < n {
			n = p
		}
	}
	return n
}

// lostness is √((N/S-1)² + (R/N-1)²) of S screens, N of them different, where R
// are needed (P. A. Smith 1996); NaN if nobody knows R.
func lostness(q *scenes.Sequence, needed int) float64 {
	if needed == 0 {
		return math.NaN()
	}
	all, different := screens(q)
	return math.Hypot(float64(different)/float64(all)-1, float64(needed)/float64(different)-1)
}
