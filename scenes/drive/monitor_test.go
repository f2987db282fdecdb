package drive

import (
	"maps"
	"math/rand/v2"
	"testing"

	"vignette/scenes"
	"vignette/scenes/engine"
)

// seen is a monitor and what it told of each signal.
type seen struct {
	*Monitor
	values map[int]engine.Value
}

func newSeen(t *testing.T, p *scenes.Program) *seen {
	t.Helper()
	s := &seen{values: map[int]engine.Value{}}
	m, err := NewMonitor(p.Vehicle, func(signal int, v engine.Value) {
		if v.Kind == engine.None {
			delete(s.values, signal)
		} else {
			s.values[signal] = v
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	s.Monitor = m
	return s
}

// TestMonitorThatSleeps: whoever looks again sees what he would have seen by
// looking all the time, also behind short frames, gaps and signals that stop.
func TestMonitorThatSleeps(t *testing.T) {
	p := demoProgram(t)
	list, err := drain(t, NewLogStream(p.Vehicle, nil, []Log{logOf("drive", string(driveLog(t, 110)))}))
	if err != nil {
		t.Fatal(err)
	}
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 1))
		always, often := newSeen(t, p), newSeen(t, p)
		silent, looks := ^uint32(0), 0
		for i := range list {
			f := list[i]
			switch random.IntN(400) {
			case 0:
				often.Look(often.asleep)
			case 1:
				silent = f.ID // its signals go stale
			case 2:
				silent = ^uint32(0)
			}
			if f.ID == silent {
				continue
			}
			if random.IntN(50) == 0 {
				f.Len = uint8(random.IntN(int(f.Len) + 1))
			}
			always.Frame(&f)
			often.Frame(&f)
			if often.asleep {
				continue
			}
			always.sweep(f.Time)
			often.sweep(f.Time)
			looks++
			if !maps.Equal(always.values, often.values) {
				t.Fatalf("seed %d, frame %d: %v\nwant %v", seed, i, often.values, always.values)
			}
		}
		if looks < 1000 || len(always.values) < 5 {
			t.Fatalf("seed %d: %d looks at %d signals are too few", seed, looks, len(always.values))
		}
	}
}

// TestSleepingMonitorTellsNothing: but of what is always followed, and of each
// message's first frame.
func TestSleepingMonitorTellsNothing(t *testing.T) {
	p := demoProgram(t)
	list, err := drain(t, NewLogStream(p.Vehicle, nil, []Log{logOf("drive", string(driveLog(t, 20)))}))
	if err != nil {
		t.Fatal(err)
	}
	told := map[int]int{}
	m, err := NewMonitor(p.Vehicle, func(signal int, _ engine.Value) { told[signal]++ })
	if err != nil {
		t.Fatal(err)
	}
	followed, quiet := -1, 0
	for i := range p.Vehicle.Signals {
		if p.Vehicle.Signals[i].Path == "Vehicle.Speed" {
			followed = i
		}
	}
	m.Always(followed)
	m.Look(false)
	feed := func() {
		for i := range list {
			m.Frame(&list[i])
		}
	}
	feed()
	for signal, n := range told {
		if patient := m.messages[m.of[signal]].patient; patient && n > 2 {
			t.Errorf("%s was told %d times", p.Vehicle.Signals[signal].Path, n)
		} else if patient {
			quiet++
		}
	}
	if told[followed] < 100 || quiet < 3 {
		t.Errorf("the followed signal was told %d times, %d others were quiet", told[followed], quiet)
	}
}
