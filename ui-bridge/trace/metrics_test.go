package trace

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vignette/scenes"
)

// driven is one touch: s after the first one, at a speed in km/h, below 0 where
// nobody knows it.
type driven struct {
	at, kmh float64
	in      Interaction
}

// example are twenty touches of one attempt at the task air, the worked example
// of docs/review-traces.md.
var example = []driven{
	{0, 0, tap("home", "climate_tile")},
	{1.5, 0, Interaction{"climate", "fan", "turn", "noop"}},           // hunting since 0
	{3, 0, Interaction{"climate", "fan", "turn", "ok"}},               // found
	{3.4, 9, Interaction{"climate", "fan", "turn", "ok"}},             // moving begins
	{3.9, 9, Interaction{"climate", "fan", "turn", "ok"}},             // the third on the fan within 0.9 s
	{4.2, 6, Interaction{"climate", "fan", "turn", "ok"}},             // the third within 0.8 s; still moving
	{6.2, 6, Interaction{"climate", "seat_heater", "tap", "blocked"}}, // after exactly 2 s
	{11.2, 4.9, tap("climate", "recirculation")},                      // not moving
	{16.1, 4.9, tap("climate", "recirculation")},                      // again after 4.9 s
	{16.3, 4.9, tap("climate", "recirculation")},                      // again after 0.2 s
	{21.4, 50, Interaction{"notice", "dismiss", "tap", "back"}},       // moving; 5.1 s after the screen before
	{22, -1, Interaction{"climate", "defrost", "tap", "error"}},       // still moving
	{23.3, 50, Interaction{"notice", "dismiss", "tap", "back"}},       // 1.3 s after the screen before
	{23.3, 50, Interaction{"climate", "defrost", "tap", "blocked"}},   //
	{23.3, 50, Interaction{"climate", "fan", "turn", "ok"}},           // hunted for 0 s
	{24.3, 50, tap("x", "y")},                                         // nowhere
	{25, 50, Interaction{"climate", "fan", "turn", "ok"}},             // hunted for 0.7 s
	{25.1, 50, tap("climate", "defrost")},                             // another toggle
	{26, 50, tap("climate", "recirculation")},                         // not since 16.3, and another toggle between
	{31.2, 2, Interaction{"climate", "back", "tap", "back"}},          // the task's end
}

// exampleMetrics are worked out by hand.
var exampleMetrics = map[int]string{
	MetricTouches:      "17 to 32", // 20
	MetricMoving:       "9 to 16",  // touches 4 to 7 and 11 to 19: 4 + 9 = 13
	MetricTime:         "<60 s",    // 31.2
	MetricMovingTime:   "<30 s",    // (11.2 - 3.4) + (31.2 - 21.4) = 17.6
	MetricEngagement:   "<8 s",     // touches 1 to 7: 6.2; 9 to 10: 0.2; 11 to 19: 26 - 21.4 = 4.6
	MetricDensest:      "9 to 16",  // touches 9 to 19, within 9.9 s: 11
	MetricHunt:         "<5 s",     // 3 - 0 = 3; later 0, 24.3 - 23.3 = 1 and 0.7
	MetricBounces:      "1",        // touch 13: 23.3 - 22 = 1.3; touch 11: 5.1, and 20: 31.2 - 24.3 = 6.9, are none
	MetricReverts:      "2",        // touches 9 and 10
	MetricRage:         "2",        // touches 5 and 6
	MetricLockedMoving: "2",        // touches 7 and 14
	MetricEnding:       "reached",  // climate/back
}

// kept records what was driven for a panel, and returns the episodes of it.
func kept(t testing.TB, list []driven) []Episode {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "traces")
	r := consented(t, dir, Options{Studies: []*scenes.Study{panel(t)}})
	for _, d := range list {
		record(t, r, d.context(), d.in)
	}
	var eps []Episode
	for name, b := range files(t, filepath.Join(dir, "panel")) {
		if !strings.HasSuffix(name, segmentSuffix) {
			continue
		}
		err := read(bytes.NewReader(b), func(rec *segmentRecord) error {
			eps = append(eps, *rec.ep)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return eps
}

func (d driven) context() Context {
	c := at(d.at, d.kmh)
	c.SpeedKnown = d.kmh >= 0
	return c
}

// TestWorkedExample holds each metric's formula on twenty touches: the contract's
// *What designers compute*.
func TestWorkedExample(t *testing.T) {
	eps := kept(t, example)
	if len(eps) != 1 {
		t.Fatalf("%d episodes", len(eps))
	}
	ep := &eps[0]
	for i := range ep.M {
		if got := bucketName(&ep.M, i); got != exampleMetrics[i] {
			t.Errorf("%s: %s, want %s", MetricTable[i].Name, got, exampleMetrics[i])
		}
	}
	if ep.V != SchemaVersion || ep.Policy != 1 || ep.Week != 2610 || ep.TOD != TODAfternoon || ep.Task != 1 || len(ep.Ev) != MaxEvents {
		t.Errorf("episode %+v", ep)
	}
}

// TestEndings holds what tells how an attempt ended: the contract's abandonment.
func TestEndings(t *testing.T) {
	tile := tap("home", "climate_tile")
	for _, c := range []struct {
		name string
		then []driven
		want Ending
	}{
		{"reached", []driven{{1, 0, Interaction{"climate", "back", "tap", "back"}}}, EndReached},
		{"left", []driven{{1, 0, tap("home", "media_tile")}}, EndLeft},
		{"given up", []driven{{30.1, 0, tile}}, EndGivenUp},
		{"given up and away", []driven{{86400, 0, tile}}, EndGivenUp},
		{"clock stepped back", []driven{{-0.1, 0, tile}}, EndClock},
	} {
		if eps := kept(t, append([]driven{{0, 0, tile}}, c.then...)); len(eps) != 1 || eps[0].M[MetricEnding] != uint8(c.want)+1 {
			t.Errorf("%s: %+v", c.name, eps)
		}
	}
	var long []driven
	for s := 0.0; s <= 3630; s += 29 {
		long = append(long, driven{s, 0, tile})
	}
	if eps := kept(t, long); len(eps) != 1 || eps[0].M[MetricEnding] != uint8(EndTooLong)+1 {
		t.Errorf("after an hour: %+v", eps)
	}
}

// TestMetricTable holds that each scale has a name and a beginning for each of
// its buckets, and that the buckets are where their names say.
func TestMetricTable(t *testing.T) {
	for i := range MetricTable {
		m := &MetricTable[i]
		if m.Name == "" || !slices.IsSortedFunc(m.Buckets, func(a, b Bucket) int { return int(a.From - b.From) }) {
			t.Errorf("metric %d: %+v", i, m)
		}
		var none, beyond Metrics
		beyond[i] = uint8(len(m.Buckets) + 1)
		_, computed := none.Bucket(i)
		if _, known := beyond.Bucket(i); computed || known {
			t.Errorf("%s: bytes 0 and %d have buckets", m.Name, beyond[i])
		}
	}
	for n := range 40 {
		if b := countBuckets[bucketCount(n)]; int(b.From) > n || bucketCount(n) < 11 && int(countBuckets[bucketCount(n)+1].From) <= n {
			t.Errorf("%d touches are in bucket %q", n, b.Name)
		}
	}
	for _, c := range []struct {
		s    float64
		want string
	}{{0, "0 s"}, {0.001, "<2 s"}, {1.999, "<2 s"}, {2, "<5 s"}, {5, "<8 s"}, {7.999, "<8 s"}, {8, "<12 s"}, {12, "<30 s"}, {30, "<60 s"}, {60, ">=60 s"}, {3600, ">=60 s"}} {
		if b := timeBuckets[bucketTime(at(c.s, 0).Now.Sub(noon))]; b.Name != c.want || b.From > c.s {
			t.Errorf("%v s are in bucket %q, want %q", c.s, b.Name, c.want)
		}
	}
}
