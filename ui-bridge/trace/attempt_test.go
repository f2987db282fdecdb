package trace

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"vignette/scenes"
)

// TestAttemptsAtTasks holds where attempts begin and end; what is outside of all
// tasks is not recorded.
func TestAttemptsAtTasks(t *testing.T) {
	tile, fan, back := tap("home", "climate_tile"), tap("climate", "fan"), tap("climate", "back")
	type touch struct {
		at float64
		in Interaction
	}
	for _, c := range []struct {
		name    string
		touches []touch
		ended   uint64 // attempts
		open    int    // events of the attempt that is open at the end
		outside uint64 // touches that belong to no attempt
	}{
		{"from start to end", []touch{{0, tile}, {1, fan}, {2, back}, {3, fan}}, 1, 0, 1},
		{"before any start", []touch{{0, fan}, {1, back}}, 0, 0, 2},
		{"another screen ends it", []touch{{0, tile}, {1, fan}, {2, tap("media", "play")}}, 1, 0, 1},
		{"another task's start ends it", []touch{{0, tile}, {1, fan}, {2, tap("home", "media_tile")}, {3, tap("media", "volume")}}, 1, 2, 0},
		{"its own start goes on", []touch{{0, tile}, {1, fan}, {2, tile}}, 0, 3, 0},
		{"a screen between", []touch{{0, tile}, {1, tap("notice", "dismiss")}}, 0, 2, 0},
		{"nowhere goes on", []touch{{0, tile}, {1, tap("x", "y")}}, 0, 2, 0},
		{"not after 30 s", []touch{{0, tile}, {30, fan}}, 0, 2, 0},
		{"after a longer gap", []touch{{0, tile}, {30.001, fan}}, 1, 0, 1},
		{"when the clock goes back", []touch{{10, tile}, {9.999, fan}}, 1, 0, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := consented(t, filepath.Join(t.TempDir(), "traces"), options(t))
			for _, k := range c.touches {
				if _, err := r.Record([]Interaction{k.in}, at(k.at, 0)); err != nil {
					t.Fatal(err)
				}
			}
			if n := r.Counters(); n.Attempts != c.ended || n.Outside != c.outside || r.attempt.touches() != c.open {
				t.Errorf("%d ended, %d outside, %d open; want %d, %d, %d", n.Attempts, n.Outside, r.attempt.touches(), c.ended, c.outside, c.open)
			}
		})
	}
}

func TestTickEndsAnAttempt(t *testing.T) {
	r := consented(t, filepath.Join(t.TempDir(), "traces"), options(t))
	record(t, r, at(0, 0), tap("home", "climate_tile"))
	if err := r.Tick(at(30, 0)); err != nil || r.Counters().Attempts != 0 {
		t.Fatalf("ended at 30 s, %v", err)
	}
	if err := r.Tick(at(31, 0)); err != nil || r.Counters().Attempts != 1 {
		t.Errorf("not ended at 31 s, %v", err)
	}
}

// TestKeyboardIsOneElement types PINs and texts: keys leave neither their number
// nor their order nor their times, but a class of length.
func TestKeyboardIsOneElement(t *testing.T) {
	typed := func(keys int, gap float64, gesture string) Episode {
		r := consented(t, filepath.Join(t.TempDir(), "traces"), options(t))
		record(t, r, at(0, 0), tap("home", "navigation_tile"))
		for i := range keys {
			record(t, r, at(1+float64(i)*gap, 0), Interaction{"navigation", "keyboard", gesture, "ok"})
		}
		record(t, r, at(1+float64(keys-1)*gap+1.5, 0), tap("navigation", "zoom"))
		ep := *r.attempt.finish(EndLeft)
		ep.M[MetricTime], ep.M[MetricEngagement], ep.M[MetricDensest] = 0, 0, 0 // of the attempt, with how long was typed
		ep.Ev = slices.Clone(ep.Ev)
		return ep
	}
	four := typed(4, 0.2, "tap")
	for _, c := range []struct {
		keys    int
		gap     float64
		gesture string
		want    uint8
	}{{1, 1, "tap", typeShort}, {4, 6, "press", typeShort}, {5, 0.2, "tap", typeMedium}, {12, 0.1, "tap", typeMedium}, {13, 0.1, "tap", typeLong}, {200, 0.1, "tap", typeLong},
		{1, 1, "type_medium", typeMedium}, {2, 1, "type_long", typeLong}} {
		got := typed(c.keys, c.gap, c.gesture)
		if len(got.Ev) != 3 || got.Ev[1].Gesture != c.want || got.M != four.M {
			t.Errorf("%d keys: %+v; want class %d and the metrics of any other text", c.keys, got, c.want)
		}
	}
}

// TestGate holds the dictionary gate: whole tuples leave whole; else one known
// pair is left, without metrics; else nothing.
func TestGate(t *testing.T) {
	p := newPolicy(study(t), Car{})
	zero := func() uint64 { return 0 }
	whole := []Event{{2, 2, 2, DTFirst, SpeedParked, 2}, {3, 11, 5, DTUnder0s5, SpeedParked, 2}, {3, 10, 4, DTUnder5s, SpeedParked, 2}, {3, 16, 2, DTUnder2s, SpeedParked, 4}}
	for _, c := range []struct {
		name   string
		change func(ev []Event) []Event
		task   uint16
		want   gated
		left   []Event
	}{
		{"whole", func(ev []Event) []Event { return ev }, 1, gateWhole, whole},
		{"another gap", func(ev []Event) []Event { ev[3].DT = DTFrom15s; return ev }, 1, gateCut, whole[:2]},
		{"another speed", func(ev []Event) []Event { ev[3].Speed = SpeedUnder8; return ev }, 1, gateCut, whole[:2]},
		{"another order", func(ev []Event) []Event { ev[2], ev[3] = ev[3], ev[2]; return ev }, 1, gateCut, whole[:2]},
		{"another outcome", func(ev []Event) []Event { ev[3].Out = outBlocked; return ev }, 1, gateCut, whole[:2]},
		{"another task", func(ev []Event) []Event { return ev }, 2, gateDropped, nil},
		{"no pair", func(ev []Event) []Event { ev[1].DT = DTUnder2s; return ev }, 1, gateDropped, nil},
		{"one event", func(ev []Event) []Event { return ev[:1] }, 1, gateDropped, nil},
		{"none", func(ev []Event) []Event { return nil }, 1, gateDropped, nil},
		{"later pair", func(ev []Event) []Event {
			return append([]Event{{5, 31, 2, DTFirst, SpeedParked, 2}}, withGap(ev, DTUnder5s)...)
		}, 1, gateCut, whole[:2]},
	} {
		t.Run(c.name, func(t *testing.T) {
			ep := Episode{Task: c.task, Ev: c.change(slices.Clone(whole)), M: Metrics{1, 2, 3}}
			if got := p.gate(&ep, zero); got != c.want {
				t.Fatalf("gate %d, want %d", got, c.want)
			}
			if c.want != gateDropped && (!slices.Equal(ep.Ev, c.left) || ep.Variant == 0) {
				t.Errorf("left %+v, variant %d", ep.Ev, ep.Variant)
			}
			if (c.want == gateCut) != (ep.M == Metrics{}) {
				t.Errorf("metrics %v", ep.M)
			}
		})
	}
}

func withGap(ev []Event, dt uint8) []Event {
	ev[0].DT = dt
	return ev
}

// TestNothingLeavesThatTheDictionaryLacks drives many random touches and holds
// every tuple that reaches the disk against the card.
func TestNothingLeavesThatTheDictionaryLacks(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "traces")
	s := study(t, "until: 2026-03-31", "until: 2026-12-31")
	r := consented(t, dir, Options{Studies: []*scenes.Study{s}})
	p := newPolicy(s, Car{})
	all := everyInteraction(s)
	for week := range 10 {
		c := weeks(week)
		for i := range 2000 {
			c.Now, c.SpeedKmh = c.Now.Add(time.Duration(r.random()%4000)*time.Millisecond), float64(r.random()%130)
			batch := []Interaction{all[r.random()%uint64(len(all))], all[r.random()%uint64(len(all))]}
			if i%7 == 0 {
				batch = []Interaction{tap("home", "navigation_tile"), {"navigation", "zoom", "swipe", "ok"}}
			}
			if _, err := r.Record(batch, c); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.Tick(c); err != nil {
			t.Fatal(err)
		}
	}
	list := episodes(t, dir)
	for _, ep := range list {
		if id, ok := p.dict[newTuple(ep.Task, ep.Ev)]; !ok || id != ep.Variant {
			t.Errorf("%+v is not in the dictionary", ep)
		}
	}
	if c := r.Counters(); len(list) < 10 || c.Gated == 0 || c.Cut == 0 {
		t.Errorf("%d episodes, counters %+v", len(list), c)
	}
}

func TestCalendar(t *testing.T) {
	for _, c := range []struct {
		now  time.Time
		week uint16
		tod  uint8
		end  time.Time
	}{
		{time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), 2601, TODNight, time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)},
		{time.Date(2027, 1, 1, 5, 59, 0, 0, time.UTC), 2653, TODNight, time.Date(2027, 1, 4, 0, 0, 0, 0, time.UTC)}, // still ISO week 53 of 2026
		{time.Date(2026, 3, 4, 6, 0, 0, 0, time.UTC), 2610, TODMorning, time.Date(2026, 3, 9, 0, 0, 0, 0, time.UTC)},
		{time.Date(2026, 3, 8, 23, 59, 0, 0, time.UTC), 2610, TODEvening, time.Date(2026, 3, 9, 0, 0, 0, 0, time.UTC)},
		{time.Date(2026, 3, 9, 0, 0, 0, 0, time.UTC), 2611, TODNight, time.Date(2026, 3, 16, 0, 0, 0, 0, time.UTC)},
		{time.Date(1970, 1, 1, 12, 0, 0, 0, time.UTC), 0, TODUnknown, time.Date(1970, 1, 5, 0, 0, 0, 0, time.UTC)},
	} {
		week, tod := calendar(c.now)
		if end := weekEnd(c.now); week != c.week || tod != c.tod || !end.Equal(c.end) {
			t.Errorf("%v: week %d, part %d, ends %v; want %d, %d, %v", c.now, week, tod, end, c.week, c.tod, c.end)
		}
	}
	if week, tod := calendar(time.Time{}); week != 0 || tod != TODUnknown {
		t.Errorf("without a clock: %d, %d", week, tod)
	}
}

// TestHostileHMI floods the recorder with whatever a broken HMI may say.
func TestHostileHMI(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "traces")
	r := consented(t, dir, options(t))
	texts := append([]string{"", "\x00\xff", strings.Repeat("x", 1<<16), "../../etc/passwd", "home", "climate_tile", "other"}, canaries...)
	for i := range 20_000 {
		pick := func() string { return texts[r.random()%uint64(len(texts))] }
		in := Interaction{pick(), pick(), pick(), pick()}
		if i%50 == 0 {
			in = tap("home", "climate_tile")
		}
		c := at(float64(r.random()%1000), float64(r.random()%100))
		if _, err := r.Record([]Interaction{in}, c); err != nil {
			t.Fatal(err)
		}
	}
	c := r.Counters()
	if c.Other == 0 || c.ClockSteps == 0 || c.Outside == 0 || c.Attempts != c.Gated+c.Episodes+c.NotSampled {
		t.Errorf("counters %+v", c)
	}
	var others []string
	err := Segments(dir, func(path string) error {
		if _, err := readOne(path); err != nil {
			others = append(others, path)
		}
		return nil
	})
	if err != nil || others != nil {
		t.Errorf("strange files %v, %v", others, err)
	}
	if _, err := os.Stat(filepath.Join(dir, consentFile)); errors.Is(err, os.ErrNotExist) {
		t.Error("the consents are gone")
	}
}
