package drive_test

import (
	"bytes"
	"io"
	"path/filepath"
	"testing"

	"vignette/can"
	"vignette/can/canlog/candump"
	"vignette/scenes"
	"vignette/scenes/drive"
	"vignette/scenes/engine"
	driven "vignette/testdata/drive"
)

// drivenFrames are the frames of our own drive, on the profile's buses, and the
// program of its cards.
func drivenFrames(t testing.TB, seconds int) (*scenes.Program, []can.Frame) {
	t.Helper()
	var log bytes.Buffer
	if err := driven.Generate(&log, seconds); err != nil {
		t.Fatal(err)
	}
	v, err := scenes.LoadVehicle(filepath.Join("../../testdata/drive", "vehicle.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	cards, err := scenes.LoadCards("../../testdata/drive/cards")
	if err != nil {
		t.Fatal(err)
	}
	p, err := scenes.Compile(v, cards)
	if err != nil {
		t.Fatal(err)
	}
	s := drive.NewLogStream(v, nil, []drive.Log{{Reader: candump.NewReader("drive", &log), Name: "drive"}})
	var frames []can.Frame
	for e := (drive.Entry{}); ; {
		if err := s.Next(&e); err == io.EOF {
			return p, frames
		} else if err != nil {
			t.Fatal(err)
		}
		frames = append(frames, e.Frame)
	}
}

// wanted are the frames that a ring keeps: those of messages with signals.
func wanted(p *scenes.Program, frames []can.Frame) (list []can.Frame) {
	known := make([]can.IDs, len(p.Vehicle.Buses))
	for bus := range known {
		for _, m := range p.Vehicle.Messages(bus) {
			known[bus].Put(m.ID, m.Extended, 0)
		}
	}
	for i := range frames {
		if f := &frames[i]; known[f.Bus].Find(f.ID, f.Flags&can.Extended != 0) >= 0 {
			list = append(list, *f)
		}
	}
	return list
}

// TestRingKeepsTheNewest: what a ring gives is the end of what it was fed, exact,
// in bounded memory, whether or not it has gone round.
func TestRingKeepsTheNewest(t *testing.T) {
	p, frames := drivenFrames(t, 120)
	want := wanted(p, frames)
	for _, size := range []int{8 << 20, 256 << 10, 1} {
		r := drive.NewRing(p, size)
		for i := range frames {
			r.Frame(&frames[i])
		}
		recent, n := r.Recent(), 0
		if recent.Last != want[len(want)-1].Time {
			t.Errorf("%d bytes: it ends at %d, want %d", size, recent.Last, want[len(want)-1].Time)
		}
		var got []can.Frame
		for e := (drive.Entry{}); recent.Next(&e) == nil; {
			got = append(got, e.Frame)
		}
		if n = len(got); n == 0 || size == 8<<20 && n != len(want) || size < 1<<20 && n == len(want) || got[0].Time < recent.First {
			t.Fatalf("%d bytes: %d frames of %d, from %d", size, n, len(want), recent.First)
		}
		for i := range got {
			w := want[len(want)-n+i]
			if g := got[i]; g.Time != w.Time || g.ID != w.ID || g.Bus != w.Bus || g.Flags != w.Flags || !bytes.Equal(g.Payload(), w.Payload()) {
				t.Fatalf("%d bytes: frame %d is %+v, want %+v", size, i, g, w)
			}
		}
	}
}

// TestRingBeginsAsItWas: what is known of occurrences and the wall clock from before
// the oldest frame is told first, the time moved on; a moment is not repeated.
func TestRingBeginsAsItWas(t *testing.T) {
	v, err := scenes.LoadVehicle("../../testdata/meaning/vehicle.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p, err := scenes.Compile(v, nil)
	if err != nil {
		t.Fatal(err)
	}
	occurrence := func(text string) int {
		i, ok := p.Occurrence(text)
		if !ok {
			t.Fatalf("no occurrence %s", text)
		}
		return i
	}
	r := drive.NewRing(p, 1)
	m := v.Messages(0)[0]
	f := can.Frame{ID: m.ID, Len: 8}
	event := func(ev engine.Event) {
		ev.T = f.Time
		r.Event(&ev)
	}
	frames := func(n int) {
		for range n {
			f.Time += 1e9
			f.Data[0]++
			r.Frame(&f)
		}
	}
	frames(1)
	event(engine.Event{Kind: engine.EvClock, Clock: &engine.Clocking{Trusted: true, Wall: 1e18}})
	event(engine.Event{Kind: engine.EvOccur, Occur: occurrence("phone near"), OK: true})
	event(engine.Event{Kind: engine.EvOccur, Occur: occurrence("button star"), OK: true})
	since := f.Time
	frames(20_000)
	event(engine.Event{Kind: engine.EvOccur, Occur: occurrence("phone far"), OK: true})
	frames(1)
	recent := r.Recent()
	var events []engine.Event
	for e := (drive.Entry{}); recent.Next(&e) == nil; {
		if !e.IsFrame {
			events = append(events, e.Event)
		}
	}
	if len(events) != 3 || events[0].Kind != engine.EvClock || events[0].Clock.Wall != 1e18+recent.First-since || events[0].T != recent.First ||
		events[1].Occur != occurrence("phone near") || events[1].OK || events[2].Occur != occurrence("phone far") || !events[2].OK || events[2].T != f.Time-1e9 {
		t.Errorf("from %d: %+v", recent.First, events)
	}
}

// TestRingAllocates nothing for a frame.
func TestRingAllocates(t *testing.T) {
	p, frames := drivenFrames(t, 20)
	r := drive.NewRing(p, 256<<10)
	if n := exactAllocs(func() {
		for i := range frames[:2000] {
			r.Frame(&frames[i])
		}
	}); n != 0 {
		t.Errorf("%v allocations for 2000 frames", n)
	}
}

// BenchmarkRing is what keeping a frame costs.
func BenchmarkRing(b *testing.B) {
	p, frames := drivenFrames(b, 60)
	r := drive.NewRing(p, 2<<20)
	b.ReportAllocs()
	for b.Loop() {
		for i := range frames {
			r.Frame(&frames[i])
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(frames)), "ns/frame")
}
