package review

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"vignette/scenes"
	fleet "vignette/testdata/review"
	"vignette/ui-bridge/trace"
)

// The naive review: every figure of a table from the raw episodes, one at a time.

// naive is a number of a report as the raw episodes have it.
type naive struct {
	n        int
	vehicles int         // in the greatest week
	of       map[int]int // weight by kind of episode
}

// naiveReview has the episodes that count, and the card.
type naiveReview struct {
	study *scenes.Study
	eps   []trace.Episode
	kinds []int // of each episode, see name

	listed []string                 // the ways of the report, after their task
	others map[trace.EpisodeID]bool // of no build that is told apart
}

// name numbers the kinds of episodes: all that they say but their ids, weeks and
// parts of the day.
func (v *naiveReview) name() {
	seen := map[string]int{}
	v.kinds = nil
	for _, ep := range v.eps {
		key := fmt.Sprint(ep.Cohort, ep.Task, ep.Variant, ep.Ev, ep.M)
		if said(&ep) > 0 {
			key += fmt.Sprint(ep.Week)
		}
		if _, ok := seen[key]; !ok {
			seen[key] = len(seen)
		}
		v.kinds = append(v.kinds, seen[key])
	}
}

func (v *naiveReview) build(ep *trace.Episode) string {
	if v.others[ep.EID] {
		return "others together"
	}
	for _, c := range v.study.Cohorts {
		if c.ID == int(ep.Cohort) {
			return c.Build
		}
	}
	return ""
}

func isWhole(ep *trace.Episode) bool { return ep.M != trace.Metrics{} }

// count sums a weight over a task's episodes of a build, "all" for any.
func (v *naiveReview) count(task, build string, weight func(ep *trace.Episode) int) naive {
	out := naive{of: map[int]int{}}
	weeks := map[uint16]int{}
	for i := range v.eps {
		ep := &v.eps[i]
		if v.taskName(ep) != task || build != "all" && v.build(ep) != build {
			continue
		}
		if w := weight(ep); w > 0 {
			out.n += w
			weeks[ep.Week]++
			out.of[v.kinds[i]] = w
		}
	}
	for _, n := range weeks {
		out.vehicles = max(out.vehicles, n)
	}
	return out
}

func (v *naiveReview) taskName(ep *trace.Episode) string {
	for _, t := range v.study.Tasks {
		if t.ID == int(ep.Task) {
			return t.Name
		}
	}
	return ""
}

func yes(b bool) int {
	if b {
		return 1
	}
	return 0
}

// anyTouch is 1 for whole attempts with a touch that fits.
func anyTouch(fits func(e trace.Event) bool) func(*trace.Episode) int {
	return func(ep *trace.Episode) int { return yes(isWhole(ep) && slices.ContainsFunc(ep.Ev, fits)) }
}

func outcome(name string) func(trace.Event) bool {
	return func(e trace.Event) bool { return scenes.Outcomes[e.Out] == name }
}

// metricFrom is 1 for whole attempts with a metric of at least so much.
func metricFrom(metric int, least float64) func(*trace.Episode) int {
	return func(ep *trace.Episode) int {
		b, ok := ep.M.Bucket(metric)
		return yes(ok && b.Name != "0 s" && b.From >= least)
	}
}

func ended(ep *trace.Episode) string {
	b, _ := ep.M.Bucket(trace.MetricEnding)
	return b.Name
}

func drove(ep *trace.Episode) bool {
	b, _ := ep.M.Bucket(trace.MetricMovingTime)
	return b.Name != "0 s"
}

func wholes(ep *trace.Episode) int  { return yes(isWhole(ep)) }
func every(*trace.Episode) int      { return 1 }
func touches(ep *trace.Episode) int { return len(ep.Ev) }

// naiveFigures are a figure's yes and what it is of.
func (v *naiveReview) figures() map[string][2]func(*trace.Episode) int {
	fast := func(e trace.Event) bool { return slices.Index(scenes.Speeds, "<30") <= int(e.Speed) }
	f := map[string][2]func(*trace.Episode) int{
		"lockout_leaks": {func(ep *trace.Episode) int {
			b, _ := ep.M.Bucket(trace.MetricLockedMoving)
			return yes(b.From > 0 || slices.ContainsFunc(ep.Ev, func(e trace.Event) bool { return outcome("blocked")(e) && fast(e) }))
		}, every},
		"moving_share": {func(ep *trace.Episode) (n int) {
			for _, e := range ep.Ev {
				n += yes(fast(e))
			}
			return n
		}, touches},
		"cut": {func(ep *trace.Episode) int { return yes(!isWhole(ep)) }, every},
		"abandoned_moving": {func(ep *trace.Episode) int { return yes(isWhole(ep) && drove(ep) && ended(ep) != "reached") },
			func(ep *trace.Episode) int { return yes(isWhole(ep) && drove(ep)) }},
		"abandoned_still": {func(ep *trace.Episode) int { return yes(isWhole(ep) && !drove(ep) && ended(ep) != "reached") },
			func(ep *trace.Episode) int { return yes(isWhole(ep) && !drove(ep)) }},
		"lost":     {v.lost, wholes},
		"deferred": {putOff, begunMoving},
	}
	for name, yes := range map[string]func(*trace.Episode) int{
		"touched_moving": metricFrom(trace.MetricMoving, 1), "over_12s_moving": metricFrom(trace.MetricMovingTime, 12), "over_12s": metricFrom(trace.MetricTime, 12),
		"engaged_12s": metricFrom(trace.MetricEngagement, 12), "rage_taps": metricFrom(trace.MetricRage, 1), "hunts": metricFrom(trace.MetricHunt, 5),
		"bounce_backs": metricFrom(trace.MetricBounces, 1), "reverts": metricFrom(trace.MetricReverts, 1),
		"errors": anyTouch(outcome("error")), "dead_taps": anyTouch(outcome("noop")), "backs": anyTouch(outcome("back")), "blocked": anyTouch(outcome("blocked")),
		"interruptions": anyTouch(func(e trace.Event) bool { return scenes.Gaps[e.DT] == "<15s" || scenes.Gaps[e.DT] == ">=15s" }),
		"abandoned":     func(ep *trace.Episode) int { return yes(isWhole(ep) && ended(ep) != "reached") },
	} {
		f[name] = [2]func(*trace.Episode) int{yes, wholes}
	}
	return f
}

// lost is 1 for whole attempts with a lostness above 0.5.
func (v *naiveReview) lost(ep *trace.Episode) int {
	if !isWhole(ep) {
		return 0
	}
	var needed float64
	for _, q := range v.study.Dictionary {
		var t scenes.Task
		for _, t = range v.study.Tasks {
			if t.ID == q.Task {
				break
			}
		}
		last := q.Events[len(q.Events)-1]
		if q.Task == int(ep.Task) && int(last.Elem) == t.End.Element && int(q.Events[0].Elem) == t.Start.Element {
			var events []trace.Event
			for _, e := range q.Events {
				events = append(events, trace.Event(e))
			}
			if _, n := visits(events); needed == 0 || n < needed {
				needed = n
			}
		}
	}
	s, n := visits(ep.Ev)
	return yes(needed > 0 && math.Sqrt((n/s-1)*(n/s-1)+(needed/n-1)*(needed/n-1)) > 0.5)
}

func visits(events []trace.Event) (all, different float64) {
	seen := map[uint16]bool{}
	last := uint16(0)
	for _, e := range events {
		if e.Screen != last {
			all++
		}
		last = e.Screen
		seen[e.Screen] = true
	}
	return all, float64(len(seen))
}

// tables are the rows of distributions, by table and label.
func (v *naiveReview) tables() map[[2]string]func(*trace.Episode) int {
	out := map[[2]string]func(*trace.Episode) int{}
	for name, metric := range map[string]int{"time": trace.MetricTime, "moving_time": trace.MetricMovingTime, "touches": trace.MetricTouches,
		"moving_touches": trace.MetricMoving, "ending": trace.MetricEnding} {
		for _, b := range trace.MetricTable[metric].Buckets {
			out[[2]string{name, b.Name}] = func(ep *trace.Episode) int { c, ok := ep.M.Bucket(metric); return yes(ok && c == b) }
		}
	}
	for code, label := range []string{"unknown", "parked", "below 8 km/h", "8 to 30", "30 to 60", "60 to 100", "100 and more"} {
		out[[2]string{"speed", label}] = func(ep *trace.Episode) (n int) {
			for _, e := range ep.Ev {
				n += yes(int(e.Speed) == code)
			}
			return n
		}
	}
	v.addPace(out)
	return out
}

// way puts an episode's touches into the words of a report.
func (v *naiveReview) way(ep *trace.Episode) string {
	var steps []string
	for _, e := range ep.Ev {
		screen, elem := v.study.Names(int(e.Screen), int(e.Elem))
		s := screen + "/" + elem
		if e.Gesture != 2 {
			s += " " + scenes.Gestures[e.Gesture]
		}
		if e.Out != 2 {
			s += " " + scenes.Outcomes[e.Out]
		}
		steps = append(steps, s)
	}
	text := strings.Join(steps, " → ")
	if !isWhole(ep) {
		text = "… " + text + " …"
	}
	return text
}

// otherWays are those that the report does not list.
func (v *naiveReview) otherWays(task string, whole bool) (n, of naive, ok bool) {
	return v.count(task, "all", func(ep *trace.Episode) int {
		return yes(isWhole(ep) == whole && !slices.Contains(v.listed, task+v.way(ep)))
	}), v.count(task, "all", every), true
}

// number finds the number of a line of the CSV, and what it is of; false for
// what is no count.
func (v *naiveReview) number(row map[string]string) (n, of naive, ok bool) {
	task, group := row["task"], row["group"]
	if n, of, ok = v.choice(row); ok {
		return n, of, ok
	}
	switch row["table"] {
	case "episodes":
		return v.count(task, group, every), naive{}, true
	case "figure":
		f, known := v.figures()[row["item"]]
		if !known || group == "b_minus_a" {
			return n, of, false
		}
		return v.count(task, group, f[0]), v.count(task, group, f[1]), true
	case "way":
		if strings.HasPrefix(row["item"], "other ") {
			return v.otherWays(task, row["item"] == "other ways together")
		}
		return v.count(task, group, func(ep *trace.Episode) int { return yes(v.way(ep) == row["item"]) }), v.count(task, group, every), true
	}
	f, known := v.tables()[[2]string{row["table"], row["item"]}]
	if !known {
		return n, of, false
	}
	base := wholes
	switch row["table"] {
	case "speed":
		base = touches
	case "part_of_day":
		base = every
	case "resumption":
		base = afterPauses
	case "klm_residual":
		base = func(ep *trace.Episode) int { return yes(isWhole(ep) && ended(ep) == "reached") }
	}
	return v.count(task, group, f), v.count(task, group, base), true
}

// keep leaves out what a report leaves out: whole or cut attempts of a build of
// fewer than k vehicles, unless they make a group of k with those of other builds
// and all such are a twentieth of the task's episodes.
func (v *naiveReview) keep(k int) {
	small := func(ep *trace.Episode) bool {
		return ep.Cohort == 0 || v.greatestWeek(func(o *trace.Episode) bool {
			return o.Task == ep.Task && o.Cohort == ep.Cohort && isWhole(o) == isWhole(ep)
		}) < k
	}
	v.others = map[trace.EpisodeID]bool{}
	told := map[uint16]map[uint16]bool{} // builds of a task; one alone is not told apart
	for i := range v.eps {
		if ep := &v.eps[i]; !small(ep) {
			if told[ep.Task] == nil {
				told[ep.Task] = map[uint16]bool{}
			}
			told[ep.Task][ep.Cohort] = true
		}
	}
	in, out := map[uint16]int{}, map[uint16]int{}
	for i := range v.eps {
		if in[v.eps[i].Task]++; small(&v.eps[i]) || len(told[v.eps[i].Task]) < 2 {
			v.others[v.eps[i].EID] = true
			out[v.eps[i].Task]++
		}
	}
	drop := map[trace.EpisodeID]bool{}
	for _, ep := range v.eps {
		if v.others[ep.EID] && (20*out[ep.Task] < in[ep.Task] || v.greatestWeek(func(o *trace.Episode) bool {
			return o.Task == ep.Task && v.others[o.EID] && isWhole(o) == isWhole(&ep)
		}) < k) {
			drop[ep.EID] = true
		}
	}
	v.eps = slices.DeleteFunc(v.eps, func(ep trace.Episode) bool { return drop[ep.EID] })
	v.name()
}

// greatestWeek is how many episodes that fit there are in the week that has most.
func (v *naiveReview) greatestWeek(fits func(*trace.Episode) bool) (most int) {
	weeks := map[uint16]int{}
	for i := range v.eps {
		if fits(&v.eps[i]) {
			weeks[v.eps[i].Week]++
			most = max(most, weeks[v.eps[i].Week])
		}
	}
	return most
}

// draw makes a fleet's dataset and reads it, naively and not.
func draw(t *testing.T, truth fleet.Truth) (*naiveReview, *Bag) {
	t.Helper()
	study, _, err := truth.Study()
	if err != nil {
		t.Fatal(err)
	}
	v := &naiveReview{study: study}
	if err := truth.Each(study, func(ep *trace.Episode) error {
		one := *ep
		one.Ev = slices.Clone(ep.Ev)
		v.eps = append(v.eps, one)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for i := range 3 { // some files, and some episodes twice
		var b bytes.Buffer
		part := v.eps[i*len(v.eps)/3 : (i+1)*len(v.eps)/3]
		if err := trace.WriteSegment(&b, true, append(slices.Clone(part), v.eps[:7]...)); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprint(i)), b.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var p Progress
	b, err := Read(dir, study, &p)
	if err != nil {
		t.Fatal(err)
	}
	if b.left[leftTwice] != 21 {
		t.Errorf("%d episodes came twice, want 21", b.left[leftTwice])
	}
	return v, b
}

// rows are the lines of a report's CSV by column.
func rows(t *testing.T, r *Report) (list []map[string]string) {
	t.Helper()
	var b bytes.Buffer
	if err := r.WriteCSV(&b); err != nil {
		t.Fatal(err)
	}
	all, err := csv.NewReader(&b).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range all[1:] {
		row := map[string]string{}
		for i, name := range all[0] {
			row[name] = line[i]
		}
		list = append(list, row)
	}
	return list
}

// fleets are small, so that much is withheld: told builds make 0.5 and 0.5.
func fleets(yield func(fleet.Truth) bool) {
	for seed := range uint64(8) {
		if !yield(fleet.Truth{Seed: seed, Episodes: 300 + 100*int(seed), Weeks: 1 + int(seed)%3, K: 8 + 2*int(seed), Tasks: 2, Ways: 4 + 2*int(seed), PartOfDay: seed%2 == 0,
			Builds: []fleet.Build{{Name: "a", Share: 0.5, Abandoned: 0.3}, {Name: "b", Share: 0.5, Abandoned: 0.1}}}) {
			return
		}
	}
}

// TestNaiveReview: every number of a report is that of the raw episodes, none is
// of fewer than k vehicles, and no number with fewer follows from what is in the
// CSV by sums over tables, totals and builds.
func TestNaiveReview(t *testing.T) {
	compared, hidden := 0, 0
	for truth := range fleets {
		v, b := draw(t, truth)
		r, err := New(b, Options{})
		if err != nil {
			t.Fatal(err)
		}
		v.keep(truth.K)
		known := map[string]*echelon{}
		list := rows(t, r)
		for _, row := range list {
			if row["table"] == "way" {
				v.listed = append(v.listed, row["task"]+row["item"])
			}
		}
		for _, row := range list {
			n, of, ok := v.number(row)
			if !ok && row["group"] != "b_minus_a" && !slices.Contains([]string{"risk", "rate", "klm"}, row["table"]) {
				t.Errorf("%v has no naive number", row)
			}
			if !ok || row["withheld"] == "1" {
				continue
			}
			compared++
			if strconv.Itoa(n.n) != row["count"] || row["of"] != "" && strconv.Itoa(of.n) != row["of"] {
				t.Errorf("seed %d, %v: naively %d of %d", truth.Seed, row, n.n, of.n)
			}
			if known[row["task"]] == nil {
				known[row["task"]] = &echelon{}
			}
			known[row["task"]].add(n.of)
			if row["of"] != "" {
				known[row["task"]].add(of.of)
			}
			if 0 < n.vehicles && n.vehicles < truth.K || row["of"] != "" && 0 < of.vehicles && of.vehicles < truth.K {
				t.Errorf("seed %d, %v: of %d and %d vehicles", truth.Seed, row, n.vehicles, of.vehicles)
			}
		}
		hidden += secretsHold(t, v, list, known, truth.K)
	}
	t.Logf("%d numbers compared, %d with few vehicles do not follow", compared, hidden)
	if compared < 500 || hidden < 200 {
		t.Errorf("%d numbers compared and %d hidden: the fleets are too easy", compared, hidden)
	}
}

// secretsHold attacks a CSV: every number that it could have, and its complement.
func secretsHold(t *testing.T, v *naiveReview, list []map[string]string, known map[string]*echelon, k int) (hidden int) {
	t.Helper()
	for _, row := range list {
		n, of, ok := v.number(row)
		if !ok || known[row["task"]] == nil {
			continue
		}
		rest := naive{of: map[int]int{}}
		for kind, w := range of.of {
			if w -= n.of[kind]; w > 0 {
				rest.of[kind] = w
			}
		}
		if 0 < n.vehicles && n.vehicles < k {
			hidden++
			if known[row["task"]].spans(n.of) {
				t.Errorf("%v: %d vehicles, and it follows from the report", row, n.vehicles)
			}
		}
		if rows := v.vehiclesOf(rest.of); 0 < rows && rows < k {
			hidden++
			if known[row["task"]].spans(rest.of) {
				t.Errorf("the complement of %v: %d vehicles, and it follows from the report", row, rows)
			}
		}
	}
	return hidden
}

// vehiclesOf is how many vehicles are surely behind kinds of episodes.
func (v *naiveReview) vehiclesOf(kinds map[int]int) (most int) {
	weeks := map[uint16]int{}
	for i := range v.eps {
		if kinds[v.kinds[i]] > 0 {
			weeks[v.eps[i].Week]++
			most = max(most, weeks[v.eps[i].Week])
		}
	}
	return most
}

// echelon is an attacker's linear algebra over kinds of episodes, modulo another
// prime than the report's own.
type echelon struct {
	rows [][]int64
	lead []int
}

const otherPrime = 998244353

func (e *echelon) reduce(of map[int]int) []int64 {
	size := 0
	for k := range of {
		size = max(size, k+1)
	}
	for _, row := range e.rows {
		size = max(size, len(row))
	}
	v := make([]int64, size)
	for k, w := range of {
		v[k] = int64(w)
	}
	for i, row := range e.rows {
		if f := v[e.lead[i]]; f != 0 {
			for k, x := range row {
				v[k] = (v[k] + (otherPrime-f)*x) % otherPrime
			}
		}
	}
	return v
}

func leadOf(v []int64) int { return slices.IndexFunc(v, func(x int64) bool { return x != 0 }) }

func (e *echelon) add(of map[int]int) {
	v := e.reduce(of)
	lead := leadOf(v)
	if lead < 0 {
		return
	}
	f := int64(inverseOf(uint64(v[lead])))
	for k := range v {
		v[k] = v[k] * f % otherPrime
	}
	e.rows, e.lead = append(e.rows, v), append(e.lead, lead)
}

func (e *echelon) spans(of map[int]int) bool { return leadOf(e.reduce(of)) < 0 }

func inverseOf(x uint64) uint64 {
	r := uint64(1)
	for p := uint64(otherPrime - 2); p > 0; p >>= 1 {
		if p&1 == 1 {
			r = r * x % otherPrime
		}
		x = x * x % otherPrime
	}
	return r
}
