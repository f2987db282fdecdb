package audit

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"vignette/scenes"
	"vignette/ui-bridge/fleet"
	"vignette/ui-bridge/trace"
)

// The sizes of make audit; those of make test are the defaults.
var (
	fleetCars = flag.Int("cars", 0, "audit a fleet of this many cars by the study of testdata/fleet")
	weakCars  = flag.Int("weak", 60, "and weakened ones of this many")
	results   = flag.String("results", "", "write the certificate and its page into this directory")
)

var vehicles = regexp.MustCompile(`vehicles: (\d+), events:`)

// fleetStudy is the study of testdata/fleet with those sequences only that so many
// of its panel have shown. A small one has k = 5 and one kind of car.
func fleetStudy(t *testing.T, least int, small bool) *scenes.Study {
	t.Helper()
	text, err := os.ReadFile("../../testdata/fleet/study.yaml")
	must(t, err)
	var lines []string
	inCohorts := false
	for line := range strings.Lines(string(text)) {
		inCohorts = line == "cohorts:\n" || inCohorts && strings.HasPrefix(line, " ")
		m := vehicles.FindStringSubmatch(line)
		switch {
		case m != nil && number(t, m[1]) < least, small && inCohorts:
			continue
		case small && strings.HasPrefix(line, "k: "):
			line = "k: 5\n"
		}
		lines = append(lines, line)
	}
	path := filepath.Join(t.TempDir(), "study.yaml")
	must(t, os.WriteFile(path, []byte(strings.Join(lines, "")), 0o600))
	s, err := scenes.LoadStudy(path)
	must(t, err)
	return s
}

func number(t *testing.T, text string) int {
	t.Helper()
	n, err := strconv.Atoi(text)
	must(t, err)
	return n
}

// simulated is a dataset of a simulated fleet.
func simulated(t *testing.T, o fleet.Options) *Dataset {
	t.Helper()
	dir, done, err := scratch()
	must(t, err)
	t.Cleanup(func() { must(t, done()) })
	dir = filepath.Join(dir, "fleet")
	began := time.Now()
	_, err = fleet.Simulate(dir, o)
	must(t, err)
	d := loadOne(t, dir)
	t.Logf("%d cars, %d weeks %q: %d episodes in %.1f min", o.Cars, o.Weeks, o.Weakness, len(d.Episodes), time.Since(began).Minutes())
	return d
}

// TestFleetPasses: what the shipped recorder releases meets every mark.
func TestFleetPasses(t *testing.T) {
	o := fleet.Options{Study: fleetStudy(t, 230, true), Cars: 120, Weeks: 8, Seed: 1, Canaries: true}
	audited := Options{Seed: 1, Queries: 3000}
	if *fleetCars > 0 {
		o.Study, o.Cars, o.Weeks, audited.Queries = fleetStudy(t, 0, false), *fleetCars, 10, 0
	}
	d := simulated(t, o)
	c, err := Run([]*Dataset{d}, audited, time.Now())
	must(t, err)
	for _, a := range c.Datasets[0].Attacks {
		for _, f := range a.Figures {
			t.Logf("%s: %s", f.Name, show(f))
			if f.Verdict != Pass {
				t.Errorf("%s: %s: %s", a.Name, f.Name, f.Verdict)
			}
		}
	}
	if *results != "" {
		must(t, write(*results, c))
	}
}

// write writes a certificate and its page.
func write(dir string, c *Certificate) error {
	text, err := c.JSON()
	if err != nil {
		return err
	}
	if err := errors.Join(os.MkdirAll(dir, 0o755), os.WriteFile(filepath.Join(dir, "audit.json"), text, 0o644)); err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(dir, "audit.html"))
	if err != nil {
		return err
	}
	return errors.Join(Page(f, c), f.Close())
}

// TestWeakenedFleetsFail: a recorder that lacks one protection is found out by the
// attack that this protection is against.
func TestWeakenedFleetsFail(t *testing.T) {
	o := fleet.Options{Study: fleetStudy(t, 230, true), Cars: *weakCars, Weeks: 6, Seed: 2}
	if *fleetCars > 0 {
		o.Study, o.Weeks = fleetStudy(t, 0, false), 10
	}
	for _, c := range []struct {
		weakness trace.Weakness
		attack   attack
		figure   string // that must fail
	}{
		{trace.PersistentID, linking, "first guesses that are right"},
		{trace.NoGate, rareTuples, "episodes whose sequence is not in the dictionary"},
		{trace.RawTimes, timing, "median candidate set of who has timed an attempt"},
		{trace.NoBound, rareTuples, "episodes beyond one a task, week and vehicle"},
		{trace.Unpadded, filesTell, "segments of another size than the"},
	} {
		t.Run(string(c.weakness), func(t *testing.T) {
			o.Weakness = c.weakness
			var failed []string
			for _, f := range figures(t, c.attack, simulated(t, o), Options{Seed: 1, Queries: 3000}) {
				if f.Verdict == Fail {
					failed = append(failed, f.Name)
				}
			}
			if !strings.Contains(fmt.Sprint(failed), c.figure) {
				t.Errorf("failed: %q; want %q among them", failed, c.figure)
			}
		})
	}
}
