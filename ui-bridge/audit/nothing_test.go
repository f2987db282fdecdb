package audit

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"vignette/ui-bridge/trace"
)

// unpassed holds that no figure with an interval passes.
func unpassed(t *testing.T, what string, list []Figure) {
	t.Helper()
	for _, f := range list {
		if f.Low != nil && f.Verdict == Pass {
			t.Errorf("%s: %s: %s; too little was measured to pass", what, f.Name, show(f))
		}
	}
}

// TestFewVehiclesDoNotPass: where a guess by lot is right half the time no guess
// can be three times as good, and the median of a few says nothing.
func TestFewVehiclesDoNotPass(t *testing.T) {
	own := func(rng *rand.Rand, ep *trace.Episode, car, week, n int) { ep.M[0] = uint8(car) }
	for _, cars := range []int{1, 2} {
		d := load(t, planted{cars: cars, weeks: 4, change: own, files: true})
		for _, a := range []attack{linking, timing, filesTell} {
			unpassed(t, a.name, figures(t, a, d, options))
		}
	}
	one := load(t, planted{cars: 1, weeks: 1, files: true})
	unpassed(t, "one episode", figures(t, filesTell, one, options))
}

// TestReportsThatShowNothing: of fewer than k vehicles no report shows a number,
// and nothing is measured by comparing such reports.
func TestReportsThatShowNothing(t *testing.T) {
	for _, cars := range []int{1, 5} {
		for _, f := range figures(t, reports, load(t, planted{cars: cars, weeks: 2}), options) {
			if f.Verdict != NotRun {
				t.Errorf("%d vehicles: %s: %s; want not run", cars, f.Name, show(f))
			}
		}
	}
}

// TestShortCanariesAreNotFoundByChance, so that looking for them shows nothing.
func TestShortCanariesAreNotFoundByChance(t *testing.T) {
	d := load(t, planted{cars: 2, weeks: 1})
	for _, text := range []string{"", "42", "a b"} {
		o := options
		o.Canaries = append([]string{text}, DefaultCanaries...)
		if f := figures(t, canaries, d, o)[0]; f.Verdict != NotRun {
			t.Errorf("canary %q: %s; want not run", text, show(f))
		}
	}
}

// TestCohortOfItsOwn: a number in place of the cohort tells whose an episode is,
// and a guess within the cohort is no better than by lot.
func TestCohortOfItsOwn(t *testing.T) {
	own := func(rng *rand.Rand, ep *trace.Episode, car, week, n int) { ep.Cohort = uint16(1000 + car) }
	list := figures(t, rareTuples, load(t, planted{cars: 60, weeks: 2, change: own}), options)
	want(t, list[len(list)-1], Fail, 120, 120)
	list = figures(t, rareTuples, load(t, planted{cars: 60, weeks: 2}), options)
	want(t, list[len(list)-1], Pass, 0, 0)
}

// TestIDsOfACar: ids that never come twice, with something of the car in them.
func TestIDsOfACar(t *testing.T) {
	for _, at := range []int{0, 5, 14} {
		own := func(rng *rand.Rand, ep *trace.Episode, car, week, n int) {
			var serial [2]byte
			binary.BigEndian.PutUint16(serial[:], uint16(car*257))
			copy(ep.EID[at:], serial[:])
		}
		list := figures(t, linking, load(t, planted{cars: 100, weeks: 10, change: own}), options)
		want(t, list[0], Pass, 0, 0)
		want(t, list[2], Fail, 0.5, 1)
	}
	want(t, figures(t, linking, load(t, planted{cars: 100, weeks: 10}), options)[2], Pass, 0, 0.02)
}

// TestTuplesWithoutTruth: without it vehicles are known by the week only. A
// sequence that enough have shown in one is of k, one of few episodes is not, and
// of one that is between the two nobody knows.
func TestTuplesWithoutTruth(t *testing.T) {
	all := func(rng *rand.Rand, ep *trace.Episode, car, week, n int) {
		ep.Variant, ep.Ev = 29, append(ep.Ev[:0], sequences[29]...)
	}
	for _, c := range []struct {
		cars, weeks int
		want        Verdict
	}{{50, 1, Pass}, {49, 1, Fail}, {25, 2, NotRun}} {
		d := load(t, planted{cars: c.cars, weeks: c.weeks, change: all, noTruth: true})
		if f := figures(t, rareTuples, d, options)[0]; f.Verdict != c.want {
			t.Errorf("%d vehicles a week, %d weeks, k = %d: %s; want %s", c.cars, c.weeks, d.Study.K, show(f), c.want)
		}
	}
}
