package fleet

import (
	"time"

	"vignette/ui-bridge/trace"
)

// Facts are what was put into a fleet, and what came of it.
type Facts struct {
	Study    string         `json:"study"` // id
	Panel    bool           `json:"panel"`
	Cars     int            `json:"cars"`
	Weeks    int            `json:"weeks"`
	Seed     uint64         `json:"seed"`
	Weakness trace.Weakness `json:"weakness"`
	Canaries []string       `json:"canaries"` // what interactions held that must never be recorded
	Builds   []BuildFacts   `json:"builds"`
}

// BuildFacts are the truth of an HMI build: the rates put in, and what drivers
// who had consented did. The last part is the recorders' and random.
type BuildFacts struct {
	Build       `json:"rates"`
	Cars        int      `json:"cars"`
	Consents    int      `json:"consents"`
	Withdrawals int      `json:"withdrawals"`
	Restarts    int      `json:"restarts"` // of recorders, after a stop
	Crashes     int      `json:"crashes"`  // of recorders, in the middle of an attempt
	Did         Deeds    `json:"did"`
	Recorded    Recorded `json:"recorded"`
}

// Deeds are counts over the attempts that recorders were told of.
type Deeds struct {
	Attempts      int           `json:"attempts"`
	GivenUp       int           `json:"given_up"`
	Touches       int           `json:"touches"`
	MovingTouches int           `json:"moving_touches"`
	Errors        int           `json:"errors"`
	DeadTaps      int           `json:"dead_taps"`
	Blocked       int           `json:"blocked"` // locked elements touched while moving
	Seconds       float64       `json:"seconds"` // from first to last touch, in sum
	lasted        time.Duration // the same: a sum that does not tell in which order cars were ready
	// Cards are the scene cards that fired, by id.
	Cards map[string]CardDeeds `json:"cards,omitempty"`
	// Feedback is how often a question got an answer, by QUESTION/CHOICE.
	Feedback map[string]int `json:"feedback,omitempty"`
}

// last adds how long attempts took.
func (d *Deeds) last(took time.Duration) {
	d.lasted += took
	d.Seconds = d.lasted.Seconds()
}

// CardDeeds are what drivers did to a scene card's firings.
type CardDeeds struct {
	Firings int `json:"firings"`
	Undone  int `json:"undone"`
}

// Recorded are the recorders' counters.
type Recorded struct {
	Whole      uint64 `json:"whole"`       // attempts that the dictionary has
	Cut        uint64 `json:"cut"`         // to a known pair
	Dropped    uint64 `json:"dropped"`     // attempts of which the dictionary has nothing
	NotSampled uint64 `json:"not_sampled"` // attempts that were not their week's one
	Released   uint64 `json:"released"`    // episodes that have left
}

// facts are those of a fleet that has not driven.
func (f *fleet) facts() *Facts {
	facts := &Facts{Study: f.o.Study.ID, Panel: f.o.Study.Panel, Weeks: f.o.Weeks, Seed: f.o.Seed, Weakness: f.o.Weakness, Canaries: []string{}}
	if f.o.Canaries {
		facts.Canaries = Canaries
	}
	for _, b := range f.builds {
		facts.Builds = append(facts.Builds, BuildFacts{Build: b})
	}
	return facts
}

// attempt counts an attempt that a recorder was told of.
func (f *BuildFacts) attempt(a *attempt) {
	f.Did.Attempts++
	if a.gaveUp {
		f.Did.GivenUp++
	}
	f.Did.Touches += len(a.touches)
	f.Did.last(a.end().Sub(a.at))
	for i := range a.touches {
		if a.touches[i].kmh >= lockedFrom {
			f.Did.MovingTouches++
		}
		switch a.touches[i].in.Outcome {
		case "error":
			f.Did.Errors++
		case "noop":
			f.Did.DeadTaps++
		case "blocked":
			f.Did.Blocked++
		}
	}
}

// firing counts a firing that a recorder was told of.
func (f *BuildFacts) firing(of *firing) {
	one := CardDeeds{Firings: 1}
	if of.undone >= 0 {
		one.Undone = 1
	}
	f.Did.card(of.card.id, one)
}

// Firings is how often scene cards fired: each is an attempt too.
func (d *Deeds) Firings() (n int) {
	for _, c := range d.Cards { // a sum, in any order
		n += c.Firings
	}
	return n
}

func (d *Deeds) card(id string, more CardDeeds) {
	if d.Cards == nil {
		d.Cards = map[string]CardDeeds{}
	}
	n := d.Cards[id]
	d.Cards[id] = CardDeeds{n.Firings + more.Firings, n.Undone + more.Undone}
}

// note adds what a recorder has counted since it was opened.
func (f *BuildFacts) note(n trace.Counters) {
	f.Recorded.add(Recorded{Whole: n.Attempts - n.Gated - n.Cut, Cut: n.Cut, Dropped: n.Gated, NotSampled: n.NotSampled, Released: n.Released})
}

func (r *Recorded) add(of Recorded) {
	r.Whole += of.Whole
	r.Cut += of.Cut
	r.Dropped += of.Dropped
	r.NotSampled += of.NotSampled
	r.Released += of.Released
}

// add adds a car's to those of its build.
func (f *BuildFacts) add(of *BuildFacts) {
	f.Cars += of.Cars
	f.Consents += of.Consents
	f.Withdrawals += of.Withdrawals
	f.Restarts += of.Restarts
	f.Crashes += of.Crashes
	f.Did.Attempts += of.Did.Attempts
	f.Did.GivenUp += of.Did.GivenUp
	f.Did.Touches += of.Did.Touches
	f.Did.MovingTouches += of.Did.MovingTouches
	f.Did.Errors += of.Did.Errors
	f.Did.DeadTaps += of.Did.DeadTaps
	f.Did.Blocked += of.Did.Blocked
	f.Did.last(of.Did.lasted)
	for id, n := range of.Did.Cards { // sums, in any order
		f.Did.card(id, n)
	}
	for what, n := range of.Did.Feedback {
		f.Did.said(what, n)
	}
	f.Recorded.add(of.Recorded)
}
