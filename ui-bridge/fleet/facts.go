package fleet

import (
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
	Did         Deeds    `json:"did"`
	Recorded    Recorded `json:"recorded"`
}

// Deeds are counts over the attempts that recorders were told of.
type Deeds struct {
	Attempts      int     `json:"attempts"`
	GivenUp       int     `json:"given_up"`
	Touches       int     `json:"touches"`
	MovingTouches int     `json:"moving_touches"`
	Errors        int     `json:"errors"`
	DeadTaps      int     `json:"dead_taps"`
	Blocked       int     `json:"blocked"` // locked elements touched while moving
	Seconds       float64 `json:"seconds"` // from first to last touch, in sum
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
	f.Did.Seconds += a.end().Sub(a.at).Seconds()
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

// note takes what a recorder has counted.
func (f *BuildFacts) note(n trace.Counters) {
	f.Recorded = Recorded{Whole: n.Attempts - n.Gated - n.Cut, Cut: n.Cut, Dropped: n.Gated, NotSampled: n.NotSampled, Released: n.Released}
}

// add adds a car's to those of its build.
func (f *BuildFacts) add(of *BuildFacts) {
	f.Cars += of.Cars
	f.Consents += of.Consents
	f.Withdrawals += of.Withdrawals
	f.Did.Attempts += of.Did.Attempts
	f.Did.GivenUp += of.Did.GivenUp
	f.Did.Touches += of.Did.Touches
	f.Did.MovingTouches += of.Did.MovingTouches
	f.Did.Errors += of.Did.Errors
	f.Did.DeadTaps += of.Did.DeadTaps
	f.Did.Blocked += of.Did.Blocked
	f.Did.Seconds += of.Did.Seconds
	f.Recorded.Whole += of.Recorded.Whole
	f.Recorded.Cut += of.Recorded.Cut
	f.Recorded.Dropped += of.Recorded.Dropped
	f.Recorded.NotSampled += of.Recorded.NotSampled
	f.Recorded.Released += of.Recorded.Released
}
