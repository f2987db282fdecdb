package fleet

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"vignette/scenes"
	"vignette/ui-bridge/trace"
)

func study(t testing.TB, name string) *scenes.Study {
	t.Helper()
	s, err := scenes.LoadStudy("../../testdata/fleet/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// simulate makes a dataset of a small fleet and returns its directory.
func simulate(t testing.TB, o Options) (dir string, facts *Facts) {
	t.Helper()
	if o.Study == nil {
		o.Study = study(t, "study.yaml")
	}
	dir = filepath.Join(t.TempDir(), "fleet")
	facts, err := Simulate(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return dir, facts
}

func readTruth(t testing.TB, dir string) (list []Truth) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "truth.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(text) {
		var one Truth
		if err := json.Unmarshal(line, &one); err != nil {
			t.Fatal(err)
		}
		list = append(list, one)
	}
	return list
}

// episodes reads each segment by its path below the dataset. One without padding
// is damaged to readers, who get its episode all the same.
func episodes(t testing.TB, dir string) map[string]trace.Episode {
	t.Helper()
	all := map[string]trace.Episode{}
	err := fs.WalkDir(os.DirFS(dir), "segments", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		f, err := os.Open(filepath.Join(dir, path))
		if err != nil {
			return err
		}
		defer f.Close()
		list, err := trace.ReadAny(f)
		var damage *trace.DamageError
		if err != nil && !errors.As(err, &damage) || len(list) != 1 {
			t.Errorf("%s: %d episodes, %v", path, len(list), err)
			return nil
		}
		all[path] = list[0]
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestTruthIsOfTheSegments holds that there is a line of truth for each segment,
// with its id, its week and its task's attempt, and no other.
func TestTruthIsOfTheSegments(t *testing.T) {
	dir, facts := simulate(t, Options{Cars: 20, Weeks: 3, Seed: 1})
	all, truth := episodes(t, dir), readTruth(t, dir)
	if len(truth) < 100 || len(truth) != len(all) || facts.Cars != 20 {
		t.Fatalf("%d lines of truth, %d segments, %d cars", len(truth), len(all), facts.Cars)
	}
	var released uint64
	for _, b := range facts.Builds {
		released += b.Recorded.Released
	}
	if released != uint64(len(truth)) {
		t.Errorf("the facts have %d episodes released, the truth %d", released, len(truth))
	}
	for i, one := range truth {
		ep := all[one.File]
		year, week := one.At.In(zone).ISOWeek()
		if hex.EncodeToString(ep.EID[:]) != one.EID || int(ep.Week) != (year-2000)*100+week || int(ep.Cohort) != one.Car%2+1 {
			t.Errorf("%+v is not of %+v", one, ep)
		}
		if i > 0 && one.Released.Before(truth[i-1].Released) {
			t.Errorf("%s came before the one above it", one.File)
		}
		delete(all, one.File)
	}
}

// TestTruthIsOfTheAttempt holds each line against the drives as they are drawn
// again from the seed: there was this attempt of this driver, who had said yes and
// had not taken it back when the episode left.
func TestTruthIsOfTheAttempt(t *testing.T) {
	o := Options{Study: study(t, "study.yaml"), Cars: 30, Weeks: 6, Seed: 3}
	dir, facts := simulate(t, o)
	f, err := newFleet(o)
	if err != nil {
		t.Fatal(err)
	}
	type key struct {
		car int
		at  int64
	}
	drawn, drivers, back := map[key]uint64{}, map[[2]uint64]*driver{}, map[*driver]time.Time{}
	for car := range o.Cars {
		rng, people, w := f.people(car)
		for _, d := range people {
			drivers[[2]uint64{uint64(car), d.user}] = d
		}
		for n := range o.Weeks {
			for _, trip := range w.week(rng, people, f.from.AddDate(0, 0, 7*n)) {
				for _, a := range trip.attempts {
					if trip.driver != nil {
						drawn[key{car, a.at.UnixNano()}] = trip.driver.user
					}
				}
				d := trip.driver
				if d != nil && back[d].IsZero() && !d.withdraws.IsZero() && !trip.at.Before(d.withdraws) {
					back[d] = trip.at // the HMI asks when a trip begins
				}
			}
		}
	}
	for _, one := range readTruth(t, dir) {
		d := drivers[[2]uint64{uint64(one.Car), one.User}]
		if user, ok := drawn[key{one.Car, one.At.UnixNano()}]; !ok || user != one.User {
			t.Errorf("%+v: driver %d of car %d made no such attempt", one, one.User, one.Car)
		}
		if d.consents.IsZero() || one.At.Before(d.consents) || !back[d].IsZero() && one.Released.After(back[d]) {
			t.Errorf("%+v has left; the driver's yes was from %s to %s", one, d.consents, back[d])
		}
	}
	if said := facts.Builds[0].Withdrawals + facts.Builds[1].Withdrawals; said == 0 || len(back) < said {
		t.Errorf("%d taken back, %d drawn: the test has seen none", said, len(back))
	}
}

// TestSameSeedSameDrivers holds what is the same each time: what drivers did and
// said. What the recorders draw is not.
func TestSameSeedSameDrivers(t *testing.T) {
	deeds := func(seed uint64) (list []BuildFacts) {
		_, facts := simulate(t, Options{Cars: 8, Weeks: 3, Seed: seed})
		for _, b := range facts.Builds {
			b.Recorded.NotSampled, b.Recorded.Released = 0, 0
			list = append(list, b)
		}
		return list
	}
	first := deeds(1)
	if again := deeds(1); !reflect.DeepEqual(first, again) {
		t.Errorf("the same seed gives\n%+v and\n%+v", first, again)
	}
	if other := deeds(2); reflect.DeepEqual(first, other) {
		t.Error("another seed gives the same")
	}
}

// TestBuildsDiffer holds that drivers meet what a build is said to do.
func TestBuildsDiffer(t *testing.T) {
	_, facts := simulate(t, Options{Cars: 40, Weeks: 4, Seed: 1})
	a, b := facts.Builds[0].Did, facts.Builds[1].Did
	share := func(n int, of Deeds) float64 { return float64(n) / float64(of.Attempts) }
	if a.Blocked != 0 || b.Blocked == 0 {
		t.Errorf("locked keyboards touched: %d and %d", a.Blocked, b.Blocked)
	}
	if share(b.GivenUp, b) < 1.3*share(a.GivenUp, a) || share(b.Errors, b) < 2*share(a.Errors, a) {
		t.Errorf("the builds do not differ: %+v, %+v", a, b)
	}
}

// TestShareThatLeaves holds that the study's dictionary lets a good share through.
func TestShareThatLeaves(t *testing.T) {
	_, facts := simulate(t, Options{Cars: 30, Weeks: 2, Seed: 9})
	var some, all float64
	for _, b := range facts.Builds {
		some += float64(b.Recorded.Whole + b.Recorded.Cut)
		all += float64(b.Did.Attempts)
	}
	if some/all < 0.3 {
		t.Errorf("%.0f %% of attempts leave", 100*some/all)
	}
}

// TestNoCanaryLeaves holds that what HMIs tell too much of is in no segment.
func TestNoCanaryLeaves(t *testing.T) {
	dir, facts := simulate(t, Options{Cars: 10, Weeks: 3, Seed: 1, Canaries: true})
	if !reflect.DeepEqual(facts.Canaries, Canaries) {
		t.Errorf("facts %q", facts.Canaries)
	}
	f, err := newFleet(Options{Study: study(t, "study.yaml"), Cars: 10, Weeks: 3, Seed: 1, Canaries: true})
	if err != nil {
		t.Fatal(err)
	}
	told := ""
	for car := range 10 {
		rng, people, w := f.people(car)
		for _, trip := range w.week(rng, people, f.from) {
			for _, a := range trip.attempts {
				for _, touch := range a.touches {
					told += touch.in.Screen + touch.in.Element + touch.in.Gesture + touch.in.Outcome + " "
				}
			}
		}
	}
	for path := range episodes(t, dir) {
		text, err := os.ReadFile(filepath.Join(dir, path))
		if err != nil {
			t.Fatal(err)
		}
		for _, canary := range Canaries {
			if bytes.Contains(text, []byte(canary)) || strings.Contains(path, canary) {
				t.Errorf("%s holds %s", path, canary)
			}
		}
	}
	for _, canary := range Canaries[:len(Canaries)-1] {
		if !strings.Contains(told, canary) {
			t.Errorf("no HMI told %s", canary)
		}
	}
}

func TestRefusedFleets(t *testing.T) {
	s := study(t, "study.yaml")
	for _, c := range []struct {
		o    Options
		want string
	}{
		{Options{Study: s, Cars: 0, Weeks: 1}, "a fleet has a car and a week at least"},
		{Options{Study: s, Cars: 1, Weeks: 0}, "a fleet has a car and a week at least"},
		{Options{Study: s, Cars: 1, Weeks: 12}, "study.yaml ends on 2026-03-29, before 12 weeks from 2026-01-12 are over; simulate fewer, or give the study more time"},
	} {
		dir := filepath.Join(t.TempDir(), "fleet")
		if _, err := Simulate(dir, c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %s", c.o, err, c.want)
		}
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s was made: %v", dir, err)
		}
	}
	dir := t.TempDir()
	if _, err := Simulate(dir, Options{Study: s, Cars: 1, Weeks: 1}); !errors.Is(err, fs.ErrExist) {
		t.Errorf("over what is there: %v", err)
	}
}
