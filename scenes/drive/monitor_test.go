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
		last := map[uint32][64]byte{}
		silent, looks, asked := ^uint32(0), 0, 0
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
			if stuck := random.IntN(20) == 0; stuck { // its counter stands, if it has one
				f.Data = last[f.ID]
			}
			last[f.ID] = f.Data
			always.Frame(&f)
			often.Frame(&f)
			if often.asleep && random.IntN(100) == 0 {
				always.sweep(f.Time)
				for i := range p.Vehicle.Signals {
					if got, want := often.Value(i, f.Time), always.values[i]; got != want {
						t.Fatalf("seed %d, frame %d: signal %d is %v, want %v", seed, i, i, got, want)
					}
				}
				asked++
			}
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
		if looks < 1000 || asked < 50 || len(always.values) < 5 {
			t.Fatalf("seed %d: %d looks at %d signals and %d questions are too few", seed, looks, len(always.values), asked)
		}
	}
}

// TestSleepingMonitorTellsNothing: but of each message's first frames.
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
	quiet := 0
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
	if quiet < 20 {
		t.Errorf("%d signals were quiet, want more", quiet)
	}
}
