package fleet

import (
	"math/rand/v2"
	"slices"

	"vignette/scenes"
)

// place is an element of a screen by its names, as the HMI tells them.
type place struct{ screen, element string }

// control is a place that drivers touch on the way through a task.
type control struct {
	place
	gesture  string
	keyboard bool
}

// hard reports whether a control is missed more easily than one that is tapped.
func (c *control) hard() bool { return c.gesture != "tap" }

// task is what drivers try to do, as the study has it.
type task struct {
	index      int // in the study
	name       string
	start, end control
	inner      []control // of the task's screens, but for its end
	paths      [][]int   // the ways through inner that the HMI suggests, the most usual first
}

// hmi is what a study tells about the HMI that is simulated.
type hmi struct {
	tasks []task
	cards []card
}

// gestures of elements that are not tapped, by name.
var gestures = map[string]string{"volume": "turn", "fan": "turn", "temperature": "swipe", "zoom": "swipe", "brightness": "swipe"}

func newHMI(s *scenes.Study) *hmi {
	h := &hmi{}
	for n, k := range s.Tasks {
		if k.Card != "" {
			h.cards = append(h.cards, card{n, k.Card})
			continue
		}
		t := task{index: n, name: k.Name, start: controlAt(s, k.Start), end: controlAt(s, k.End)}
		for _, id := range k.Screens {
			c := screenOf(s, id)
			for i := range c.Elements {
				if at := controlOf(c, &c.Elements[i]); at.place != t.end.place {
					t.inner = append(t.inner, at)
				}
			}
		}
		t.paths = suggested(len(t.inner))
		h.tasks = append(h.tasks, t)
	}
	return h
}

func controlOf(c *scenes.Screen, e *scenes.Element) control {
	gesture := gestures[e.Name]
	if gesture == "" {
		gesture = "tap"
	}
	return control{place{c.Name, e.Name}, gesture, e.Keyboard}
}

func screenOf(s *scenes.Study, id int) *scenes.Screen {
	return &s.Screens[slices.IndexFunc(s.Screens, func(c scenes.Screen) bool { return c.ID == id })]
}

func controlAt(s *scenes.Study, p scenes.Place) control {
	c := screenOf(s, p.Screen)
	return controlOf(c, &c.Elements[slices.IndexFunc(c.Elements, func(e scenes.Element) bool { return e.ID == p.Element })])
}

// suggested are the ways that most drivers take through n elements: one of the
// first three, the first and then the second, the first twice, or none.
func suggested(n int) [][]int {
	ways := [][]int{{0}, {1}, {0, 1}, {0, 0}, {}, {2}}
	return slices.DeleteFunc(ways, func(w []int) bool { return slices.ContainsFunc(w, func(i int) bool { return i >= n }) })
}

// usual draws one of the suggested ways: each is half as usual as the one before.
func (t *task) usual(rng *rand.Rand) []int {
	i := 0
	for i < len(t.paths)-1 && rng.IntN(2) == 0 {
		i++
	}
	return t.paths[i]
}

// wander draws a way of one's own.
func (t *task) wander(rng *rand.Rand) []int {
	if len(t.inner) == 0 {
		return nil
	}
	way := make([]int, 1+rng.IntN(6))
	for i := range way {
		way[i] = rng.IntN(len(t.inner))
	}
	return way
}

// Build is how an HMI build treats its drivers: the truth that a comparison of
// builds has to find. Shares are of 1.
type Build struct {
	Build   string  `json:"build"`    // as the study's cohort has it, and so
	Market  string  `json:"market"`   // the next
	Display string  `json:"display"`  // two
	Cohort  int     `json:"cohort"`   // id; 0: the study has no cohorts
	Errors  float64 `json:"errors"`   // share of swipes and turns that the HMI answers with an error
	Dead    float64 `json:"dead"`     // share of touches on the way that do nothing
	Locked  float64 `json:"locked"`   // share of locked keyboards that are touched while moving, as they do not look locked
	GivenUp float64 `json:"given_up"` // share of attempts that drivers give up for reasons of their own
	Slower  float64 `json:"slower"`   // factor of the time between touches
	Regret  float64 `json:"regret"`   // share of scene cards' firings that drivers take back, on average
}

// builds are those of a study's cohorts: the first is sound, each later one
// worse, in ways that are known.
func builds(s *scenes.Study) []Build {
	sound := Build{Errors: 0.08, Dead: 0.015, Locked: 0, GivenUp: 0.08, Slower: 1, Regret: 0.15}
	if len(s.Cohorts) == 0 {
		return []Build{sound}
	}
	var list []Build
	for i, c := range s.Cohorts {
		b := sound
		worse := float64(i)
		b.Errors = min(1, b.Errors+0.22*worse)
		b.Locked = min(1, 0.6*worse)
		b.GivenUp = min(1, b.GivenUp+0.08*worse)
		b.Slower += 0.2 * worse
		b.Regret = min(1, b.Regret+0.15*worse)
		b.Build, b.Market, b.Display, b.Cohort = c.Build, c.Market, c.Display, c.ID
		list = append(list, b)
	}
	return list
}
