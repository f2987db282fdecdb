package review

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vignette/scenes"
	"vignette/ui-bridge/trace"
)

// The naive review's figures of pace.

func begunMoving(ep *trace.Episode) int {
	n, _ := ep.M.Bucket(trace.MetricTouches)
	return yes(isWhole(ep) && ep.Ev[0].Speed >= trace.SpeedUnder30 && n.From <= 8)
}

func putOff(ep *trace.Episode) int {
	return yes(begunMoving(ep) == 1 && ended(ep) == "reached" && scenes.Speeds[ep.Ev[len(ep.Ev)-1].Speed] == "parked")
}

// lags are the gaps of touches that follow a pause.
func lags(ep *trace.Episode) (list []string) {
	paused := false
	for _, e := range ep.Ev {
		long := slices.Contains([]string{"<15s", ">=15s"}, scenes.Gaps[e.DT])
		if paused && !long && isWhole(ep) {
			list = append(list, scenes.Gaps[e.DT])
		}
		paused = long
	}
	return list
}

func afterPauses(ep *trace.Episode) int { return len(lags(ep)) }

// model is the keystroke-level model's time of a task's quickest sequence from
// start to end.
func (v *naiveReview) model(task *scenes.Task) float64 {
	best := math.Inf(1)
	for _, q := range v.study.Dictionary {
		last := q.Events[len(q.Events)-1]
		if q.Task != task.ID || int(q.Events[0].Elem) != task.Start.Element || int(last.Elem) != task.End.Element {
			continue
		}
		sum := 0.0
		for i := 1; i < len(q.Events); i++ {
			a, b := q.Events[i-1], q.Events[i]
			switch {
			case a.Screen != b.Screen:
				sum += 1.35 + 1.10 + 0.28
			case a.Elem != b.Elem:
				sum += 1.10 + 0.28
			default:
				sum += 0.28
			}
		}
		best = min(best, sum)
	}
	return best
}

// addPace adds the rows of the tables of pace.
func (v *naiveReview) addPace(out map[[2]string]func(*trace.Episode) int) {
	for _, gap := range []string{"<0.5s", "<1s", "<2s", "<5s"} {
		out[[2]string{"resumption", strings.Replace(gap, "s", " s", 1)}] = func(ep *trace.Episode) (n int) {
			for _, g := range lags(ep) {
				n += yes(g == gap)
			}
			return n
		}
	}
	for code, label := range []string{"unknown", "night, 0 to 6", "morning, 6 to 12", "afternoon, 12 to 18", "evening, 18 to 24"} {
		out[[2]string{"part_of_day", label}] = func(ep *trace.Episode) int { return yes(int(ep.TOD) == code) }
	}
	edges := []float64{0, 0, 2, 5, 8, 12, 30, 60}
	for i := range v.study.Tasks {
		model := v.model(&v.study.Tasks[i])
		for b, from := range edges {
			label := signed(from - model)
			if b == len(edges)-1 {
				label += " s or more"
			} else if b > 0 {
				label += " to " + signed(edges[b+1]-model)
			}
			out[[2]string{"klm_residual", strings.TrimSuffix(label, " s or more") + map[bool]string{true: " s or more", false: " s"}[b == len(edges)-1]}] = func(ep *trace.Episode) int {
				return yes(isWhole(ep) && ended(ep) == "reached" && int(ep.M[trace.MetricTime]) == b+1)
			}
		}
	}
}

func signed(x float64) string {
	text := fmt.Sprintf("%+.1f", x)
	if text == "+0.0" || text == "-0.0" {
		return "0.0"
	}
	return strings.ReplaceAll(text, "-", "−")
}

// naiveRate is the range of touches while moving in an hour of moving.
func (v *naiveReview) rate(task string) (low, high float64) {
	var least, most, shortest, longest float64
	counts := []float64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 17, 33, math.Inf(1)}
	times := []float64{0, 0, 2, 5, 8, 12, 30, 60, 3600}
	for i := range v.eps {
		ep := &v.eps[i]
		if v.taskName(ep) != task || !isWhole(ep) {
			continue
		}
		n, s := ep.M[trace.MetricMoving]-1, ep.M[trace.MetricMovingTime]-1
		least, most = least+counts[n], most+counts[n+1]-1
		shortest += times[s]
		if s > 0 {
			longest += times[s+1]
		}
	}
	return 3600 * least / longest, 3600 * most / shortest
}

// TestNaiveRate: a rate lies where the raw episodes say, and is as narrow as they
// allow where nothing of its tables is withheld.
func TestNaiveRate(t *testing.T) {
	exact, wider := 0, 0
	for truth := range fleets {
		if truth.Seed%2 == 1 {
			continue // half of them do
		}
		truth.Episodes *= 4
		v, b := draw(t, truth)
		r, err := New(b, Options{})
		if err != nil {
			t.Fatal(err)
		}
		v.keep(truth.K)
		for i := range r.Tasks {
			k := &r.Tasks[i]
			if k.Rate == nil || k.Rate.All == nil {
				continue
			}
			got, top := k.Rate.All, math.Inf(1)
			if got.High != nil {
				top = *got.High
			}
			low, high := v.rate(k.Name)
			hidden := slices.ContainsFunc(slices.Concat(k.table("moving_touches").Buckets, k.table("moving_time").Buckets), func(b Bucket) bool { return b.Count == nil })
			switch near := math.Abs(got.Low-low) < 1e-6*low && math.Abs(top-high) < 1e-6*high; {
			case near:
				exact++
			case !hidden:
				t.Errorf("seed %d, %s: %v, naively %v to %v", truth.Seed, k.Name, got, low, high)
			default:
				wider++
			}
			if got.Low > low*(1+1e-9) || top < high*(1-1e-9) {
				t.Errorf("seed %d, %s: %v does not hold %v to %v", truth.Seed, k.Name, got, low, high)
			}
		}
	}
	t.Logf("%d exact, %d wider", exact, wider)
	if exact == 0 || wider == 0 {
		t.Errorf("%d rates are exact and %d wider; the fleets are too easy or too hard", exact, wider)
	}
}

// TestEnds: what is withheld lies wherever its buckets allow.
func TestEnds(t *testing.T) {
	n := func(x int) *int { return &x }
	table := func(metric, sum int, counts map[string]*int) *Table {
		out := &Table{Sum: n(sum)}
		for _, b := range trace.MetricTable[metric].Buckets {
			c, ok := counts[b.Name]
			if !ok {
				c = n(0)
			}
			out.Buckets = append(out.Buckets, Bucket{b.Name, c})
		}
		return out
	}
	for _, c := range []struct {
		touches, moving *Table
		want            string
	}{
		{table(trace.MetricMoving, 10, map[string]*int{"2": n(10)}), table(trace.MetricMovingTime, 10, map[string]*int{"<5 s": n(10)}), "1440 to 3600"},
		{table(trace.MetricMoving, 10, map[string]*int{"9 to 16": n(10)}), table(trace.MetricMovingTime, 10, map[string]*int{">=60 s": n(10)}), "9 to 960"},
		{table(trace.MetricMoving, 10, map[string]*int{"above 32": n(10)}), table(trace.MetricMovingTime, 10, map[string]*int{"<60 s": n(10)}), "1980 or more"},
		{table(trace.MetricMoving, 10, map[string]*int{"1": nil, "3": nil}), table(trace.MetricMovingTime, 10, map[string]*int{"<5 s": nil, "<12 s": nil}), "300 to 5400"},
		{table(trace.MetricMoving, 10, map[string]*int{"0": n(10)}), table(trace.MetricMovingTime, 10, map[string]*int{"<2 s": n(10)}), "0 to 0"},
		{table(trace.MetricMoving, 10, map[string]*int{"0": n(10)}), table(trace.MetricMovingTime, 10, map[string]*int{"0 s": n(10)}), withheld},
		{table(trace.MetricMoving, 10, map[string]*int{"0": nil, "1": nil}), table(trace.MetricMovingTime, 10, map[string]*int{"0 s": nil, "<2 s": nil}), withheld},
		{&Table{}, table(trace.MetricMovingTime, 10, map[string]*int{"<2 s": n(10)}), withheld},
	} {
		if got := rangeOf(c.touches, c.moving).String(); got != c.want {
			t.Errorf("%v by %v: %s, want %s", c.touches, c.moving, got, c.want)
		}
	}
}

// TestKeystrokeLevelModel: by hand, as docs/review-traces.md says.
func TestKeystrokeLevelModel(t *testing.T) {
	ev := func(screen, elem uint16, gesture string) scenes.StudyEvent {
		return scenes.StudyEvent{Screen: screen, Elem: elem, Gesture: uint8(slices.Index(scenes.Gestures, gesture)), Out: 2, Speed: 1}
	}
	for _, c := range []struct {
		events []scenes.StudyEvent
		want   float64
		ok     bool
	}{
		{[]scenes.StudyEvent{ev(2, 2, "tap")}, 0, true},
		{[]scenes.StudyEvent{ev(2, 2, "tap"), ev(2, 2, "tap")}, 0.28, true},
		{[]scenes.StudyEvent{ev(2, 2, "tap"), ev(2, 3, "swipe")}, 1.38, true},
		{[]scenes.StudyEvent{ev(2, 2, "tap"), ev(3, 9, "turn")}, 2.73, true},
		{[]scenes.StudyEvent{ev(2, 2, "tap"), ev(3, 9, "type_medium")}, 2.73 + 4*0.28, true},
		{[]scenes.StudyEvent{ev(3, 9, "type_long")}, 12 * 0.28, true},
		{[]scenes.StudyEvent{ev(2, 2, "tap"), ev(3, 9, "voice")}, 0, false},
		{[]scenes.StudyEvent{ev(2, 2, "other")}, 0, false},
	} {
		got, ok := klmTime(&scenes.Sequence{Events: c.events})
		if ok != c.ok || ok && math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%v: %v %v, want %v %v", c.events, got, ok, c.want, c.ok)
		}
	}
}

// TestWorkedExample holds the desk's figures of the twenty touches of
// docs/review-traces.md: fifty attempts like that one.
func TestWorkedExample(t *testing.T) {
	const path = "../../testdata/drive/studies/demo.yaml"
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text = append(text, `  - {id: 99, task: air, vehicles: 50, events: [home/climate_tile tap ok first parked, climate/fan tap noop <2s parked, climate/fan tap ok <2s parked, climate/fan tap ok <0.5s <30, climate/fan tap ok <1s <30, climate/fan tap ok <0.5s <8, climate/seat_heater tap blocked <5s <8, climate/recirculation tap ok <15s <8]}
`...)
	s, err := scenes.ParseStudy(path, text)
	if err != nil {
		t.Fatal(err)
	}
	var eps []trace.Episode
	for i := range s.K {
		ep := trace.Episode{V: trace.SchemaVersion, Policy: 1, EID: trace.EpisodeID{1, byte(i)}, Week: 2610, TOD: trace.TODAfternoon, Task: 1, Variant: 99,
			M: trace.Metrics{11, 10, 7, 6, 4, 10, 3, 2, 3, 3, 3, 1}}
		for _, e := range s.Dictionary[len(s.Dictionary)-1].Events {
			ep.Ev = append(ep.Ev, trace.Event(e))
		}
		eps = append(eps, ep)
	}
	var file bytes.Buffer
	at := filepath.Join(t.TempDir(), "all.seg")
	if err := trace.WriteSegment(&file, true, eps); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(at, file.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	b, err := Read(at, s, new(Progress))
	if err != nil {
		t.Fatal(err)
	}
	r, err := New(b, Options{})
	if err != nil {
		t.Fatal(err)
	}
	k := &r.Tasks[slices.IndexFunc(r.Tasks, func(k Task) bool { return k.Name == "air" })]
	if got := k.Rate.All.String(); got != "1080 to 4800" { // 9/30 and 16/12 touches a second
		t.Errorf("rate %s", got)
	}
	if k.KLM == nil || k.KLM.Seconds != 5.49 || len(k.KLM.Path) != 4 { // 2.73 + 1.38 + 1.38
		t.Errorf("model %+v", k.KLM)
	}
	for name, want := range map[string]string{"klm_residual": "+24.5 to +54.5 s", "part_of_day": "afternoon, 12 to 18"} {
		for _, bucket := range k.table(name).Buckets {
			if *bucket.Count != 50*yes(bucket.Label == want) {
				t.Errorf("%s: %s: %d", name, bucket.Label, *bucket.Count)
			}
		}
	}
	if n := *k.table("resumption").Sum; n != 0 {
		t.Errorf("%d touches follow a pause", n)
	}
	if s := k.figure("deferred"); s != nil {
		t.Errorf("deferred: %+v", s)
	}
}
