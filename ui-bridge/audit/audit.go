// Package audit runs the attack table of docs/study-cards.md against a dataset:
// what somebody who holds the released segments, and knows more than a designer
// ever does, could learn from them. Each attack gives figures, each figure a pass
// mark that was set before. It is for desks.
package audit

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"time"

	"vignette/ui-bridge/trace"
)

// Verdict is what became of a figure, an attack or an audit.
type Verdict string

// The verdicts. What was not run is never taken for passed.
const (
	Pass   Verdict = "pass"
	Fail   Verdict = "fail"
	NotRun Verdict = "not run"
)

// Attack is a line of the table with what was measured.
type Attack struct {
	ID      string   `json:"id"`
	Name    string   `json:"name"`
	Does    string   `json:"does"` // what the attacker does
	Mark    string   `json:"mark"` // the pass mark in words
	Verdict Verdict  `json:"verdict"`
	Figures []Figure `json:"figures"`
}

// Figure is one measurement.
type Figure struct {
	Name  string `json:"name"`
	Unit  string `json:"unit"`  // share, from 0 to 1, or what is counted
	Sense string `json:"sense"` // the mark is met by values "at most" or "at least" it
	// The mark, and what was measured: with its 95 % interval, for a share, and
	// what guessing by lot would reach, where that says something.
	Mark   float64  `json:"mark"`
	Value  *float64 `json:"value,omitempty"` // absent: not run
	Low    *float64 `json:"low,omitempty"`
	High   *float64 `json:"high,omitempty"`
	Chance *float64 `json:"chance,omitempty"`
	// ChanceOf says among what that is by lot, and Chances what it is among others,
	// where there are several; the mark is of the first.
	ChanceOf string   `json:"chance_of,omitempty"`
	Chances  []Chance `json:"other_chances,omitempty"`
	N        int      `json:"n"` // how many cases it was measured on
	// Verdict is pass only if the whole interval meets the mark.
	Verdict Verdict `json:"verdict"`
	Why     string  `json:"why,omitempty"` // not run: why; else what else there is to say
}

// Chance is what guessing by lot among something would reach.
type Chance struct {
	Of    string  `json:"of"`
	Value float64 `json:"value"`
}

// Options are how an audit is run.
type Options struct {
	// Seed draws the samples; the same seed and dataset give the same figures.
	Seed uint64
	// Queries is how many cases an attack is tried on at most; 0 stands for 20,000.
	Queries int
	// Canaries are texts that were pushed through every id and text field of the
	// recorders before, of four bytes or more. None: the dataset's own, if it names some.
	Canaries []string
	// Progress, if not nil, hears the name of each attack before it is run.
	Progress func(name string)
}

func (o Options) queries() int { return cmp.Or(o.Queries, 20_000) }

// attack is an attack before it is run.
type attack struct {
	id, name, does, mark string
	run                  func(*Dataset, Options) ([]Figure, error)
}

// attacks are those of the table, in its order.
var attacks = []attack{linking, rareTuples, timing, canaries, keyboards, reports, filesTell, tampering}

// Run runs every attack on each dataset, and those across several. An error is of
// a canary that is too short, or of the machinery: a disk that cannot be written,
// never of what an attack found.
func Run(list []*Dataset, o Options, made time.Time) (*Certificate, error) {
	o.Queries = o.queries()
	if err := o.canaryFault(list); err != nil {
		return nil, err
	}
	c := newCertificate(o, made)
	for _, d := range list {
		of := ""
		if len(list) > 1 {
			of = d.Study.ID + ": "
		}
		one := audited(d)
		for _, a := range attacks {
			o.tell(of + a.name)
			figures, err := a.run(d, o)
			if err != nil {
				return nil, fmt.Errorf("%s%s: %w", of, a.name, err)
			}
			one.Attacks = append(one.Attacks, a.with(figures))
		}
		c.Datasets = append(c.Datasets, one)
	}
	if len(list) > 1 {
		o.tell(across.name)
		figures, err := runAcross(list, o)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", across.name, err)
		}
		c.Across = append(c.Across, across.with(figures))
	}
	c.Verdict = c.overall()
	return c, nil
}

func (o *Options) tell(name string) {
	if o.Progress != nil {
		o.Progress(name)
	}
}

// with is the attack with what was measured.
func (a *attack) with(figures []Figure) Attack {
	return Attack{a.id, a.name, a.does, a.mark, worst(figures), figures}
}

// worst is the verdict over figures: failed if one is, passed only if all are.
func worst(figures []Figure) Verdict {
	has := func(v Verdict) bool {
		return slices.ContainsFunc(figures, func(f Figure) bool { return f.Verdict == v })
	}
	switch {
	case has(Fail):
		return Fail
	case has(NotRun) || len(figures) == 0:
		return NotRun
	}
	return Pass
}

// notRun is a figure that was not measured.
func notRun(name, unit, sense string, mark float64, why string) Figure {
	return Figure{Name: name, Unit: unit, Sense: sense, Mark: mark, Verdict: NotRun, Why: why}
}

// The senses of marks.
const (
	atMost  = "at most"
	atLeast = "at least"
)

// none is a figure that counts what must not be.
func none(name, unit string, found, of int, why string) Figure {
	v := float64(found)
	f := Figure{Name: name, Unit: unit, Sense: atMost, Value: &v, N: of, Verdict: Pass, Why: why}
	if found > 0 {
		f.Verdict = Fail
	}
	return f
}

// share is a share with its interval, judged against a mark. One whose value
// meets the mark and whose interval does not is not run: there is too little data
// to tell. Nor is one without a case, or with a mark that every share meets.
func share(name, sense string, mark float64, e estimate, chance float64) Figure {
	if e.n == 0 {
		return notRun(name, "share", sense, mark, "there is no case to try it on")
	}
	f := Figure{Name: name, Unit: "share", Sense: sense, Mark: mark, Value: &e.value, Low: &e.low, High: &e.high, Chance: &chance, N: e.n}
	value, end := e.value, e.high
	if sense == atLeast {
		value, end, mark = -value, -e.low, -mark
	}
	switch {
	case sense == atMost && mark >= 1:
		f.Verdict = NotRun
		f.Why = "too few vehicles: one guess by lot is right so often that no attack could miss the mark"
	case value > mark:
		f.Verdict = Fail
	case end > mark:
		f.Verdict = NotRun
		f.Why = "too little data to tell: the figure meets the mark, but its 95 % interval does not; more vehicles or weeks would"
	default:
		f.Verdict = Pass
	}
	return f
}

// scratch makes a directory for a recorder to write in, in memory where there is
// one: recorders sync each episode. done removes it.
func scratch() (dir string, done func() error, err error) {
	const memory = "/dev/shm"
	if dir, err = os.MkdirTemp(memory, "vignette-audit-"); err != nil {
		dir, err = os.MkdirTemp("", "vignette-audit-")
	}
	return dir, func() error { return os.RemoveAll(dir) }, err
}

// tuple is everything by which the dictionary knows a sequence.
type tuple struct {
	task uint16
	n    int
	ev   [trace.MaxEvents]trace.Event
}

func tupleOf(task uint16, events []trace.Event) tuple {
	t := tuple{task: task, n: len(events)}
	copy(t.ev[:], events)
	return t
}
