package drive_test

import (
	"bytes"
	"io"
	"testing"

	"vignette/can"
	"vignette/can/canlog/candump"
	"vignette/scenes"
	"vignette/scenes/drive"
	"vignette/scenes/engine"
	driven "vignette/testdata/drive"
)

// maxAllocsPerRecord bounds what a decision may cost on average. Most cost
// none: their texts are made when the program is compiled.
const maxAllocsPerRecord = 1

// exactAllocs counts the allocations of one call of f. testing.AllocsPerRun
// calls it once more to warm up; f sees only the second call.
func exactAllocs(f func()) float64 {
	warm := false
	return testing.AllocsPerRun(1, func() {
		if warm {
			f()
		}
		warm = true
	})
}

// TestExactAllocs: the counter counts.
func TestExactAllocs(t *testing.T) {
	var kept [][]byte
	if n := exactAllocs(func() { kept = [][]byte{make([]byte, 100), make([]byte, 200)} }); n != 3 {
		t.Errorf("%v allocations for %d slices and the one that holds them, want 3", n, len(kept))
	}
	if n := exactAllocs(func() { kept[0][0]++ }); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

// writing makes a pump that writes its decision log and its journal to nowhere
// and counts its records.
func writing(t *testing.T, program *scenes.Program, records *int) *drive.Pump {
	t.Helper()
	header := drive.NewHeader(program, 0, drive.LogTime)
	log, err := drive.NewDecisionLog(io.Discard, drive.MessagePack, &header)
	if err != nil {
		t.Fatal(err)
	}
	journal, err := drive.NewJournal(io.Discard, &header, false)
	if err != nil {
		t.Fatal(err)
	}
	return drive.NewPump(program, 0, false, drive.Output{Decisions: log, Journal: journal,
		Records: func(r []engine.Record) { *records += len(r) }})
}

// TestNoAllocationPerFrame: decode, Step and the journal allocate nothing for a
// frame that decides nothing, on every frame of our drive once it was driven
// before.
func TestNoAllocationPerFrame(t *testing.T) {
	program := load(t, 0)
	list := frames(t, program)
	deciding := decidingFrames(t, program, list)
	records := 0
	pump := writing(t, program, &records)
	feed(t, pump, list, 0)
	warm := records
	quiet, loud, start := 0.0, 0.0, 0
	for _, i := range append(deciding, len(list)) {
		stretch := list[start:i]
		before := records
		if n := exactAllocs(func() { feed(t, pump, stretch, lap) }); n > 0 {
			t.Errorf("frames %d to %d: %v allocations", start+1, i, n)
			quiet += n
		}
		if records != before {
			t.Fatalf("frames %d to %d were to make no record and made %d", start+1, i, records-before)
		}
		if i < len(list) {
			loud += exactAllocs(func() { feed(t, pump, list[i:i+1], lap) })
		}
		start = i + 1
	}
	n := records - warm
	if n < 50 || len(list) < 300_000 {
		t.Fatalf("%d records of %d frames: too little to show anything", n, len(list))
	}
	t.Logf("%d frames without a record: %v allocations; %d records in %d frames: %v allocations, %.2f a record",
		len(list)-len(deciding), quiet, n, len(deciding), loud, loud/float64(n))
	if loud > maxAllocsPerRecord*float64(n) {
		t.Errorf("%v allocations for %d records, at most %d a record are allowed", loud, n, maxAllocsPerRecord)
	}
}

// decidingFrames are the frames that make records in the second round.
func decidingFrames(t *testing.T, program *scenes.Program, list []can.Frame) (deciding []int) {
	t.Helper()
	records := 0
	pump := writing(t, program, &records)
	feed(t, pump, list, 0)
	for i := range list {
		before := records
		feed(t, pump, list[i:i+1], lap)
		if records > before {
			deciding = append(deciding, i)
		}
	}
	return deciding
}

// TestNoAllocationToRead: reading the frames from a log allocates nothing a
// frame either, so a replay's memory does not grow with its length.
func TestNoAllocationToRead(t *testing.T) {
	program := load(t, 0)
	var log bytes.Buffer
	if err := driven.Generate(&log, 60); err != nil {
		t.Fatal(err)
	}
	stream := drive.NewLogStream(program.Vehicle, nil, []drive.Log{{Reader: candump.NewReader("drive.log", &log), Name: "drive.log"}})
	var e drive.Entry
	read := func(n int) {
		for range n {
			if err := stream.Next(&e); err != nil {
				t.Fatal(err)
			}
		}
	}
	read(1000)
	if n := exactAllocs(func() { read(10_000) }); n > 0 {
		t.Errorf("%v allocations to read 10000 frames", n)
	}
}

// TestNoAllocationToMonitor: following every signal of the profile for the HMI
// allocates nothing a frame.
func TestNoAllocationToMonitor(t *testing.T) {
	program := load(t, 0)
	list := frames(t, program)
	changes := 0
	monitor, err := drive.NewMonitor(program.Vehicle, func(int, engine.Value) { changes++ })
	if err != nil {
		t.Fatal(err)
	}
	watch := func() {
		for i := range list {
			monitor.Frame(&list[i])
		}
	}
	watch()
	if n := exactAllocs(watch); n > 0 {
		t.Errorf("%v allocations in %d frames", n, len(list))
	}
	if changes < 1000 {
		t.Errorf("%d changes of signals: too few to show anything", changes)
	}
}
