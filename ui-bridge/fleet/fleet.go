// Package fleet simulates cars and drivers with habits, and drives them through
// the real recorder of package trace: what comes out is a dataset as a
// manufacturer's server has it, and beside it the truth that such a server never
// has. Audits and reviews are held against it. It is for desks.
package fleet

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"time"

	"vignette/scenes"
	"vignette/ui-bridge/trace"
)

// Options are what a fleet is made of.
type Options struct {
	Study    *scenes.Study // fleet or panel; its first cohort has the sound HMI build
	Cars     int
	Weeks    int            // from the study's first Monday on
	Seed     uint64         // of what drivers do; what the recorders draw is random each time
	Weakness trace.Weakness // empty: the recorders of the shipped agent
	Canaries bool           // some interactions hold what must never be recorded
	// Scratch is the directory in which the cars keep their traces while they are
	// simulated; empty: one in memory, where there is one.
	Scratch  string
	Progress func(cars int) // is told how many cars are done; may be nil
}

// The zone in which the cars drive.
var zone = time.FixedZone("", 8*60*60)

// fleet is a fleet while it is simulated.
type fleet struct {
	o      Options
	hmi    *hmi
	builds []Build
	from   time.Time
}

// newFleet checks the options.
func newFleet(o Options) (*fleet, error) {
	switch {
	case o.Cars < 1 || o.Weeks < 1:
		return nil, errors.New("a fleet has a car and a week at least")
	case o.Weakness != "" && !slices.Contains(trace.Weaknesses, o.Weakness):
		return nil, fmt.Errorf("no weakness is called %q; there are %q", o.Weakness, trace.Weaknesses)
	}
	f := &fleet{o: o, hmi: newHMI(o.Study), builds: builds(o.Study), from: firstMonday(o.Study.From)}
	if last := f.from.AddDate(0, 0, 7*o.Weeks); last.After(o.Study.Until) {
		return nil, fmt.Errorf("%s ends on %s, before %d weeks from %s are over; simulate fewer, or give the study more time",
			o.Study.File, o.Study.Until.AddDate(0, 0, -1).Format(time.DateOnly), o.Weeks, f.from.Format(time.DateOnly))
	}
	return f, nil
}

// firstMonday is the first one that is wholly within a study.
func firstMonday(from time.Time) time.Time {
	y, m, d := from.Date()
	at := time.Date(y, m, d, 0, 0, 0, 0, zone)
	for at.Before(from) || at.Weekday() != time.Monday {
		at = at.AddDate(0, 0, 1)
	}
	return at
}

// Simulate makes a dataset in a directory that must not exist yet:
//
//	study.yaml     the study card
//	segments/      what has left the cars, as it arrived
//	truth.jsonl    a Truth for each released episode, in the order of arrival
//	fleet.json     the Facts
//
// The same options give the same drivers, who do the same; which of their
// attempts is the week's one, ids and delays are drawn by the recorder.
func Simulate(dir string, o Options) (*Facts, error) {
	f, err := newFleet(o)
	if err != nil {
		return nil, err
	}
	if err := os.Mkdir(dir, 0o755); errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("%w; a dataset gets a new directory", err)
	} else if err != nil {
		return nil, err
	}
	scratch, err := os.MkdirTemp(cmp.Or(o.Scratch, memory()), "vignette-fleet-")
	if err != nil {
		return nil, err
	}
	segments, facts, err := f.drive(scratch)
	if err = errors.Join(err, os.RemoveAll(scratch)); err != nil {
		return nil, err
	}
	return facts, write(dir, o.Study.File, segments, facts)
}

// memory is a directory in memory, so that what recorders sync is not written to
// a disk: 2,000 cars sync half a million times. Empty: there is none.
func memory() string {
	const shared = "/dev/shm"
	if info, err := os.Stat(shared); err == nil && info.IsDir() {
		return shared
	}
	return ""
}

// drive simulates all cars, as many at a time as there are processors.
func (f *fleet) drive(scratch string) (segments []segment, facts *Facts, err error) {
	facts = f.facts()
	var mu sync.Mutex
	var group sync.WaitGroup
	next := 0
	take := func() (int, bool) {
		mu.Lock()
		defer mu.Unlock()
		next++
		return next - 1, next <= f.o.Cars && err == nil
	}
	done := func(number int, of []segment, add BuildFacts, carErr error) {
		mu.Lock()
		defer mu.Unlock()
		err = errors.Join(err, carErr)
		segments = append(segments, of...)
		facts.Builds[number%len(f.builds)].add(&add)
		if facts.Cars++; f.o.Progress != nil {
			f.o.Progress(facts.Cars)
		}
	}
	for range min(runtime.GOMAXPROCS(0), f.o.Cars) {
		group.Go(func() {
			for number, more := take(); more; number, more = take() {
				dir := filepath.Join(scratch, strconv.Itoa(number))
				of, add, err := f.driveCar(number, dir)
				done(number, of, add, errors.Join(err, os.RemoveAll(dir)))
			}
		})
	}
	group.Wait()
	slices.SortFunc(segments, func(a, b segment) int {
		return cmp.Or(a.truth.Released.Compare(b.truth.Released), cmp.Compare(a.name, b.name))
	})
	return segments, facts, err
}
