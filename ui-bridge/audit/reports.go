package audit

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"vignette/ui-bridge/review"
	"vignette/ui-bridge/trace"
)

// reports compares what is published of a dataset with what would be without one
// vehicle. The bound is on how far one vehicle can move a count, its sensitivity
// (Dwork and Roth, 2014, 3.3); no noise is added, so it is no differential privacy.
var reports = attack{
	id: "reports", name: "Compare two reports",
	does: "Makes the report of vignette review, and again without one vehicle: without those that have most episodes and without some by lot. Compares every published number. " +
		"In each report, subtracts what is shown of a total from the total.",
	mark: "One vehicle changes no count of episodes by more than the number of weeks, and no count of touches by more than eight times that: that is the stated ε. No withheld number " +
		"is what a total leaves.",
	run: runReports,
}

// reportTries is without how many vehicles a report is made again.
const reportTries = 12

func runReports(d *Dataset, o Options) (list []Figure, err error) {
	dir, done, err := scratch()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, done()) }()
	whole, err := d.report(filepath.Join(dir, "all.seg"), nil)
	if errors.Is(err, review.ErrNothing) {
		return d.noReports("a report takes none of these episodes: they are not of the study's dictionary"), nil
	}
	if err != nil {
		return nil, err
	}
	all := published(whole)
	if slices.Max(append(slices.Collect(maps.Values(all)), 0)) == 0 {
		return d.noReports("a report of these episodes shows no number: too few vehicles"), nil
	}
	told, withheld, err := subtract(whole)
	if err != nil {
		return nil, err
	}
	most, which := map[string]int{}, map[string]string{}
	sets := d.contributors(o.Seed)
	for i, leave := range sets {
		r, err := d.report(filepath.Join(dir, fmt.Sprintf("%d.seg", i)), leave)
		if err != nil {
			return nil, err
		}
		more, of, err := subtract(r)
		if err != nil {
			return nil, err
		}
		told, withheld = told+more, withheld+of
		for name, n := range published(r) {
			if before, shown := all[name]; shown {
				unit := unitOf(name)
				if change := int(math.Abs(float64(before - n))); change > most[unit] {
					most[unit], which[unit] = change, strings.ReplaceAll(name, "\x00", " ")
				}
			}
		}
	}
	return []Figure{
		bounded(greatestChange, "episodes", most["episodes"], d.epsilon("episodes"), len(sets), which["episodes"]),
		bounded(greatestChange, "touches", most["touches"], d.epsilon("touches"), len(sets), which["touches"]),
		none(totalLeaves, "numbers", told, withheld, fmt.Sprintf("in %d reports", len(sets)+1)),
	}, nil
}

// The names of its figures.
const (
	greatestChange = "greatest change of a count by one vehicle"
	totalLeaves    = "withheld numbers that a total leaves"
)

// epsilon is how far one vehicle may move a count.
func (d *Dataset) epsilon(unit string) int {
	if unit == "touches" {
		return trace.MaxEvents * len(d.Weeks)
	}
	return len(d.Weeks)
}

// noReports says why there is nothing to compare.
func (d *Dataset) noReports(why string) []Figure {
	return []Figure{notRun(greatestChange, "episodes", atMost, float64(d.epsilon("episodes")), why),
		notRun(greatestChange, "touches", atMost, float64(d.epsilon("touches")), why), notRun(totalLeaves, "numbers", atMost, 0, why)}
}

// bounded is a figure that has a bound.
func bounded(name, unit string, value, bound, n int, why string) Figure {
	v := float64(value)
	f := Figure{Name: name, Unit: unit, Sense: atMost, Mark: float64(bound), Value: &v, N: n, Verdict: Pass, Why: why}
	if value > bound {
		f.Verdict = Fail
	}
	return f
}

// report is that of the dataset without some episodes, through a segment in a file.
func (d *Dataset) report(path string, without map[int]bool) (*review.Report, error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	buffered := bufio.NewWriter(f)
	w := trace.NewSegmentWriter(buffered, true)
	for i := range d.Episodes {
		if !without[i] && err == nil {
			err = w.Write(&d.Episodes[i].Episode)
		}
	}
	if err = errors.Join(err, w.Close(), buffered.Flush(), f.Close()); err != nil {
		return nil, err
	}
	bag, err := review.Read(path, d.Study, &review.Progress{})
	if err != nil {
		return nil, err
	}
	return review.New(bag, review.Options{})
}

// contributors are the episodes of some vehicles each: of those with most, and of
// some by lot. Without the truth they are drawn as the bound allows one vehicle: one
// a task and week.
func (d *Dataset) contributors(seed uint64) (sets []map[int]bool) {
	if d.Cars == 0 {
		return d.drawn(seed)
	}
	byCar := map[int]map[int]bool{}
	for i := range d.Episodes {
		car := d.Episodes[i].Car
		if byCar[car] == nil {
			byCar[car] = map[int]bool{}
		}
		byCar[car][i] = true
	}
	cars := sortedKeys(byCar)
	slices.SortStableFunc(cars, func(a, b int) int { return cmp.Compare(len(byCar[b]), len(byCar[a])) })
	half := min(reportTries/2, len(cars))
	for _, car := range append(slices.Clone(cars[:half]), sample(cars[half:], reportTries-half, seed)...) {
		sets = append(sets, byCar[car])
	}
	return sets
}

func (d *Dataset) drawn(seed uint64) (sets []map[int]bool) {
	rng := rand.New(rand.NewPCG(seed, 0))
	for range reportTries {
		slots, set := map[[2]uint16]bool{}, map[int]bool{}
		for _, i := range rng.Perm(len(d.Episodes)) {
			slot := [2]uint16{d.Episodes[i].Task, d.Episodes[i].Week}
			if !slots[slot] {
				slots[slot], set[i] = true, true
			}
		}
		sets = append(sets, set)
	}
	return sets
}

// published are the counts that a report shows, by what they are of.
func published(r *review.Report) map[string]int {
	shown := map[string]int{}
	put := func(n *int, unit string, name ...string) {
		if n != nil {
			shown[unit+"\x00"+strings.Join(name, "\x00")] = *n
		}
	}
	for i := range r.Tasks {
		t := &r.Tasks[i]
		put(t.Episodes, "episodes", t.Name)
		for _, b := range t.Builds {
			put(b.Episodes, "episodes", t.Name, "build", b.Name)
		}
		for _, f := range t.Figures {
			for group, s := range map[string]*review.Share{"all": f.All, "a": f.A, "b": f.B} {
				if s != nil {
					put(&s.Count, countsOf(f.Of), t.Name, f.Name, group)
					put(&s.Of, countsOf(f.Of), t.Name, f.Name, group, "of")
				}
			}
		}
		for _, table := range t.Tables {
			put(table.Sum, countsOf(table.Of), t.Name, table.Name)
			for _, b := range table.Buckets {
				put(b.Count, countsOf(table.Of), t.Name, table.Name, b.Label)
			}
		}
		for _, w := range t.Ways {
			if len(w.Steps) == 0 {
				continue // all other ways: what these are depends on which are shown
			}
			put(w.Count, "episodes", append([]string{t.Name, "way", fmt.Sprint(w.Cut)}, w.Steps...)...)
		}
	}
	return shown
}

// countsOf is what a number counts, by what a report says that it is of.
func countsOf(of string) string {
	if strings.HasPrefix(of, "touches") {
		return "touches"
	}
	return "episodes"
}

func unitOf(name string) string {
	unit, _, _ := strings.Cut(name, "\x00")
	return unit
}

// subtract counts the withheld numbers of a report, and those of them that a total
// leaves: the only one withheld of a sum, or several that are nothing together.
func subtract(r *review.Report) (told, withheld int, err error) {
	line := func(sum *int, parts []*int) {
		rest, hidden := 0, 0
		for _, p := range parts {
			if p == nil {
				hidden++
			} else {
				rest += *p
			}
		}
		withheld += hidden
		if sum != nil && hidden > 0 && (hidden == 1 || *sum == rest) {
			told += hidden
		}
		if sum != nil && rest > *sum {
			err = fmt.Errorf("the report shows parts of %d in a total of %d", rest, *sum)
		}
	}
	for i := range r.Tasks {
		t := &r.Tasks[i]
		var builds, ways []*int
		for _, b := range t.Builds {
			builds = append(builds, b.Episodes)
		}
		for _, w := range t.Ways {
			ways = append(ways, w.Count)
		}
		line(t.Episodes, builds)
		line(t.Episodes, ways)
		for _, table := range t.Tables {
			var parts []*int
			for _, b := range table.Buckets {
				parts = append(parts, b.Count)
			}
			line(table.Sum, parts)
		}
	}
	return told, withheld, err
}
