package trace

import (
	"slices"
	"time"

	"vignette/scenes"
)

// other is the code of everything that a study does not list; 0 is never given,
// so that a forgotten field shows.
const other = scenes.Other

// The outcomes that metrics look at, as scenes.Outcomes has them.
const (
	outOK      = 2
	outBack    = 4
	outBlocked = 6
)

// The gestures of a keyboard, as scenes.Gestures has them: how much was typed.
const (
	typeShort  = 8 // up to 4 keys
	typeMedium = 9 // up to 12 keys
	typeLong   = 10
)

// place is a registered element of a screen.
type place struct{ screen, elem uint16 }

// policy is a study card readied for the recorder.
type policy struct {
	study   *scenes.Study
	cohort  uint16
	screens map[string]screenTerms
	tasks   []task
	starts  map[place]int  // from where a task begins to its index
	cards   map[string]int // from the id of a watched card to its task's index
	dict    map[tuple]uint16
}

// screenTerms are a screen's id and its elements by name.
type screenTerms struct {
	id       uint16
	elements map[string]elementTerm
}

type elementTerm struct {
	id               uint16
	keyboard, toggle bool
	expires          time.Time
}

// task is what begins and ends an attempt.
type task struct {
	id         uint16
	start, end place
	screens    []uint16
	card       string // id of the scene card that is watched; empty: what is touched
}

// tuple is a sequence with everything that is known of it, as the dictionary
// holds it.
type tuple struct {
	task uint16
	n    int
	ev   [MaxEvents]Event
}

func newTuple(task uint16, events []Event) tuple {
	t := tuple{task: task, n: len(events)}
	copy(t.ev[:], events)
	return t
}

// Car is what cohorts tell apart.
type Car struct {
	Build, Market, Display string
}

func newPolicy(s *scenes.Study, car Car) *policy {
	p := &policy{study: s, cohort: uint16(s.Cohort(car.Build, car.Market, car.Display)),
		screens: map[string]screenTerms{}, starts: map[place]int{}, cards: map[string]int{}, dict: map[tuple]uint16{}}
	for _, c := range s.Screens {
		terms := screenTerms{uint16(c.ID), map[string]elementTerm{}}
		for _, e := range c.Elements {
			terms.elements[e.Name] = elementTerm{uint16(e.ID), e.Keyboard, e.Toggle, e.Expires}
		}
		p.screens[c.Name] = terms
	}
	for i, k := range s.Tasks {
		t := task{id: uint16(k.ID), start: placeOf(k.Start), end: placeOf(k.End), card: k.Card}
		for _, id := range k.Screens {
			t.screens = append(t.screens, uint16(id))
		}
		switch {
		case k.Card != "":
			p.cards[k.Card] = i
		case len(k.Choices) == 0:
			p.starts[t.start] = i
		}
		p.tasks = append(p.tasks, t)
	}
	for _, q := range s.Dictionary {
		var events []Event
		for _, e := range q.Events {
			events = append(events, Event(e))
		}
		p.dict[newTuple(uint16(q.Task), events)] = uint16(q.ID)
	}
	return p
}

func placeOf(p scenes.Place) place { return place{uint16(p.Screen), uint16(p.Element)} }

// unregistered are the terms of everything that a study does not list.
var unregistered = elementTerm{id: other}

// place finds a screen and an element on it by the HMI's names. An element that
// is registered for another screen only, or has expired, is other on this one.
func (p *policy) place(screen, element string, wall time.Time) (place, elementTerm) {
	s, ok := p.screens[screen]
	if !ok {
		return place{other, other}, unregistered
	}
	e, ok := s.elements[element]
	if !ok || !wall.Before(e.expires) {
		return place{s.id, other}, unregistered
	}
	return place{s.id, e.id}, e
}

// covers reports whether a touch belongs to an attempt at the task: at its start
// or end, on its screens, or where nobody knows.
func (t *task) covers(at place) bool {
	return at == t.start || at == t.end || at.screen == other || slices.Contains(t.screens, at.screen)
}

// newEpisode is an episode of the task that begins now.
func (p *policy) newEpisode(t *task, c Context) Episode {
	ep := Episode{V: SchemaVersion, Policy: uint16(p.study.Version), Cohort: p.cohort, Task: t.id, Auto: c.Auto}
	if ep.Week, ep.TOD = calendar(c.Wall); !p.study.PartOfDay {
		ep.TOD = TODUnknown
	}
	return ep
}

// touches are the gestures that an HMI may tell of.
var touches = scenes.Gestures[:scenes.Fired]

// code is a word's place in its list, or other.
func code(words []string, word string) uint8 {
	if i := slices.Index(words, word); i > 0 && word != "" {
		return uint8(i)
	}
	return other
}

// The ends of the dictionary gate.
type gated uint8

const (
	gateDropped gated = iota // nothing of it is in the dictionary
	gateCut                  // a known pair of it is left
	gateWhole
)

// gate holds an episode against the dictionary: it leaves as a whole only if its
// whole tuple is there; else one of its known pairs is left, drawn by random,
// without the metrics, which tell of what was cut.
func (p *policy) gate(ep *Episode, random func() uint64) gated {
	if id, ok := p.dict[newTuple(ep.Task, ep.Ev)]; ok {
		ep.Variant = id
		return gateWhole
	}
	known, at := uint64(0), 0
	for i := range len(ep.Ev) - 1 {
		if id, ok := p.dict[pair(ep, i)]; ok {
			if known++; random()%known == 0 {
				at, ep.Variant = i, id
			}
		}
	}
	if known == 0 {
		return gateDropped
	}
	left := pair(ep, at)
	ep.Ev = append(ep.Ev[:0], left.ev[:2]...)
	ep.M = Metrics{}
	return gateCut
}

// pair is the sequence of events i and i+1 by themselves.
func pair(ep *Episode, i int) tuple {
	t := newTuple(ep.Task, ep.Ev[i:i+2])
	t.ev[0].DT = DTFirst
	return t
}
