package trace

import (
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"unsafe"

	"vignette/scenes"
)

// TestNoAllocationPerEvent holds that a steady day of touches allocates nothing:
// whole attempts begin, end, pass the gate whole, cut or not at all, and are not
// the week's one.
func TestNoAllocationPerEvent(t *testing.T) {
	back := Interaction{"climate", "back", "tap", "back"}
	turn, swipe := Interaction{"climate", "fan", "turn", "ok"}, Interaction{"climate", "temperature", "swipe", "ok"}
	for _, c := range []struct {
		name    string
		batches [][]Interaction // 3 s after each other
		ended   func(c Counters) uint64
	}{
		{"whole", [][]Interaction{{tap("home", "climate_tile"), turn}, {swipe}, {back}}, func(c Counters) uint64 { return c.NotSampled - c.Cut }},
		{"cut", [][]Interaction{{tap("home", "climate_tile"), turn}, {swipe, tap("x", "y")}, {tap("climate", "seat_heater"), back, tap("nowhere", "nothing")}},
			func(c Counters) uint64 { return c.Cut }},
		{"dropped", [][]Interaction{{tap("home", "climate_tile")}, {turn, turn, turn, turn, turn, turn, turn, turn, turn}, {back}}, func(c Counters) uint64 { return c.Gated }},
		{"typed", [][]Interaction{{tap("home", "navigation_tile"), tap("navigation", "keyboard")}, {tap("navigation", "keyboard")}, {tap("navigation", "back")}},
			func(c Counters) uint64 { return c.Gated }},
		{"outside", [][]Interaction{{turn, back, tap("x", "y")}}, func(c Counters) uint64 { return c.Outside }},
	} {
		r := consented(t, filepath.Join(t.TempDir(), "traces"), options(t))
		air(t, r, 0)
		for i := range r.spools[0].list {
			r.spools[0].list[i].key = ^uint64(0) // drawn as the week's one for good
		}
		s := 100.0
		allocs := testing.AllocsPerRun(1000, func() {
			for _, b := range c.batches {
				if _, err := r.Record(b, at(s, 0)); err != nil {
					t.Fatal(err)
				}
				s += 3
			}
			if err := r.Tick(at(s, 0)); err != nil {
				t.Fatal(err)
			}
		})
		if n := r.Counters(); allocs != 0 || c.ended(n) < 1000 {
			t.Errorf("%s: %v allocations an attempt; counters %+v", c.name, allocs, n)
		}
	}
}

// largeStudy is the demo's with as many sequences as a card may have, in order.
func largeStudy(t testing.TB) *scenes.Study {
	t.Helper()
	s := study(t)
	first := s.Dictionary[0]
	for len(s.Dictionary) < 2048 {
		q := first
		q.ID, q.Events = len(s.Dictionary)+1000, slices.Clone(first.Events)
		for i := range MaxEvents - len(q.Events) {
			q.Events = append(q.Events, scenes.StudyEvent{Screen: uint16(len(s.Dictionary)), Elem: uint16(i), Gesture: 2, DT: 1, Speed: 1, Out: 2})
		}
		s.Dictionary = append(s.Dictionary, q)
	}
	return s
}

// live is how many bytes of the heap are in use.
func live() int {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // what the first one has freed of pools
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

const dayMemory = 2 << 20 // bytes

// TestMemoryOfADay holds the memory of a day's heavy use: 24 hours of a touch a
// second, in attempts of all kinds, with the largest dictionary that a card may
// have, from before the recorder was opened.
func TestMemoryOfADay(t *testing.T) {
	s := largeStudy(t)
	dir := filepath.Join(t.TempDir(), "traces")
	before := live()
	r := consented(t, dir, Options{Studies: []*scenes.Study{s}})
	all := everyInteraction(s)
	most := 0
	for second := range 24 * 60 * 60 {
		batch := []Interaction{all[r.random()%uint64(len(all))]}
		if second%9 == 0 {
			batch = []Interaction{tap("home", "climate_tile"), {"climate", "fan", "turn", "ok"}}
		}
		if _, err := r.Record(batch, at(float64(second), float64(second%130))); err != nil {
			t.Fatal(err)
		}
		if second%3600 == 0 {
			if err := r.Tick(at(float64(second), 0)); err != nil {
				t.Fatal(err)
			}
			most = max(most, live()-before)
		}
	}
	most = max(most, live()-before)
	runtime.KeepAlive(r)
	if c := r.Counters(); most > dayMemory || most < int(unsafe.Sizeof(*r)) || c.Attempts < 5000 || c.Episodes == 0 {
		t.Errorf("%d bytes, want at most %d; counters %+v", most, dayMemory, c)
	}
	t.Logf("%d bytes at most", most)
}

// TestMemoryOfAPanelsDay holds the same of a panel, which keeps every attempt up
// to its bound: the bound is reached without the disk.
func TestMemoryOfAPanelsDay(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "traces")
	before := live()
	r := consented(t, dir, Options{Studies: []*scenes.Study{panel(t)}})
	turn := Interaction{"climate", "fan", "turn", "ok"}
	attempt := []Interaction{tap("home", "climate_tile"), turn, turn, turn, turn, turn, turn, {"climate", "back", "tap", "back"}}
	for i := range 50 {
		record(t, r, at(float64(60*i), 50), attempt...)
	}
	spool := r.spools[0]
	for len(spool.list) < maxPanel {
		e := spool.list[len(spool.list)%50]
		e.ep.Ev = slices.Clone(e.ep.Ev)
		spool.list = append(spool.list, e)
	}
	record(t, r, at(86_000, 50), attempt...)
	grown := live() - before
	runtime.KeepAlive(r)
	if c := r.Counters(); grown > dayMemory || grown < maxPanel*64 || c.Episodes != 50 || c.NotSampled != 1 {
		t.Errorf("%d bytes, want at most %d; counters %+v", grown, dayMemory, c)
	}
	t.Logf("%d bytes", grown)
	spool.list = spool.list[:50]
}

// TestAttemptIsBounded holds that an attempt takes the same memory however long it
// is.
func TestAttemptIsBounded(t *testing.T) {
	r := consented(t, filepath.Join(t.TempDir(), "traces"), options(t))
	turn := []Interaction{{"climate", "fan", "turn", "ok"}}
	record(t, r, at(0, 0), tap("home", "climate_tile"))
	for i := range 50_000 {
		if _, err := r.Record(turn, at(float64(i)/100, 50)); err != nil {
			t.Fatal(err)
		}
	}
	if size := unsafe.Sizeof(r.attempt); r.attempt.touches() != 50_001 || cap(r.attempt.ep.Ev) != MaxEvents || size > 1024 {
		t.Errorf("%d touches, room for %d events, %d bytes", r.attempt.touches(), cap(r.attempt.ep.Ev), size)
	}
}

// everyInteraction is every element of a study, touched in three ways.
func everyInteraction(s *scenes.Study) (all []Interaction) {
	for _, c := range s.Screens {
		for _, e := range c.Elements {
			all = append(all, Interaction{c.Name, e.Name, "tap", "ok"}, Interaction{c.Name, e.Name, "swipe", "back"}, Interaction{c.Name, e.Name, "turn", "noop"})
		}
	}
	return all
}
