package fleet

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"vignette/scenes"
	"vignette/ui-bridge/trace"
)

// ask is a question of the study to drivers.
type ask struct {
	index   int // of its task in the study
	name    string
	choices []string
}

func newAsk(index int, k *scenes.Task) ask {
	a := ask{index: index, name: k.Name}
	for _, c := range k.Choices {
		a.choices = append(a.choices, c.Name)
	}
	return a
}

// opinion is what a driver thinks of what is asked.
type opinion struct {
	choice  int     // mostly
	talks   float64 // share of trips on which the driver answers
	swerves float64 // share of answers that are another, by chance
}

// newOpinion draws an opinion: the first choice is the usual one, and each later
// one is rarer.
func newOpinion(rng *rand.Rand, a *ask) opinion {
	o := opinion{talks: 0.05 + 0.15*rng.Float64(), swerves: 0.2}
	for o.choice < len(a.choices)-1 && rng.Float64() < 0.45 {
		o.choice++
	}
	return o
}

// saying is an answer to a question, in a parked car.
type saying struct {
	at     time.Time
	ask    *ask
	choice string
}

// say draws what a driver is asked when the car is parked after a trip, and returns
// when the driver is done.
func (w *world) say(rng *rand.Rand, d *driver, t *trip, at time.Time) time.Time {
	for i := range w.hmi.asks {
		o, a := &d.opinions[i], &w.hmi.asks[i]
		if rng.Float64() >= o.talks {
			continue
		}
		choice := o.choice
		if rng.Float64() < o.swerves {
			choice = rng.IntN(len(a.choices))
		}
		at = at.Add(10 * time.Second)
		t.sayings = append(t.sayings, saying{at, a, a.choices[choice]})
	}
	return at
}

// told is that a driver has answered a question in a week.
type told struct {
	user uint64
	name string
	week string
}

// saying gives the recorder a driver's answer, holds that it takes or refuses it as
// it should, and finds out what became of it.
func (c *car) saying(s *saying, user uint64) error {
	year, number := s.at.ISOWeek()
	of := told{user, s.ask.name, fmt.Sprintf("%d-W%02d", year, number)}
	var want error
	switch {
	case user == guest:
		want = trace.ErrNoDriver
	case !c.rec.Recording():
		want = trace.ErrNoConsent
	case c.gave[of]:
		want = trace.ErrGiven
	}
	c.open = &Truth{Car: c.number, User: user, At: s.at}
	defer func() { c.open = nil }()
	err := c.rec.GiveFeedback(c.study.ID, s.ask.name, s.choice, parkedAt(s.at))
	if !errors.Is(err, want) || err != nil && want == nil {
		return fmt.Errorf("car %d, %s: feedback of user %d on %s: %v, want %v", c.number, s.at, user, s.ask.name, err, want)
	} else if want != nil {
		return nil
	}
	c.gave[of] = true
	c.facts.Did.said(s.ask.name+"/"+s.choice, 1)
	return c.noteKept(s.at, s.ask.index)
}

// Sayings is how many answers were given: each is an attempt too.
func (d *Deeds) Sayings() (n int) {
	for _, one := range d.Feedback { // a sum, in any order
		n += one
	}
	return n
}

// said counts answers.
func (d *Deeds) said(what string, n int) {
	if d.Feedback == nil {
		d.Feedback = map[string]int{}
	}
	d.Feedback[what] += n
}
