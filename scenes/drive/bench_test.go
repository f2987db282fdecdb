package drive_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"vignette/can"
	"vignette/can/canlog/candump"
	"vignette/can/dbc"
	"vignette/scenes"
	"vignette/scenes/drive"
	driven "vignette/testdata/drive"
)

// lap is how far apart two rounds of our drive begin when one is fed again and
// again, in ns of the stream.
const lap = (driven.Seconds + 60) * int64(time.Second)

// quietSignal is one that our drive sends only when it changes: cards that read
// nothing else have nothing to do at nearly every frame.
const quietSignal = "Vehicle.Powertrain.Transmission.PerformanceMode"

// load compiles our car with the demonstration cards and as many cards on the
// quiet signal as make it n in all; n 0 is the demonstration cards alone.
func load(tb testing.TB, n int) *scenes.Program {
	tb.Helper()
	vehicle, err := scenes.LoadVehicle("../../testdata/drive/vehicle.yaml")
	if err != nil {
		tb.Fatal(err)
	}
	cards, err := scenes.LoadCards("../../testdata/drive/cards")
	if err != nil {
		tb.Fatal(err)
	}
	for i := len(cards); i < n; i++ {
		card, err := scenes.ParseCard(fmt.Sprintf("quiet-%d.yaml", i), quietCard(i))
		if err != nil {
			tb.Fatal(err)
		}
		cards = append(cards, card)
	}
	vehicle.Budget = scenes.Budget{} // more cards than a car would take
	program, err := scenes.Compile(vehicle, cards)
	if err != nil {
		tb.Fatal(err)
	}
	return program
}

func quietCard(i int) []byte {
	return fmt.Appendf(nil, `schema: 1
id: quiet-%d
version: 1.0.0
title: {en: Quiet}
when:
  - {signal: %s, becomes: SNOW}
then:
  - {do: notify, with: {text: {en: Quiet}}}
cooldown: 1h
`, i, quietSignal)
}

// loadBusy compiles our car with n cards that all read what the drive sends: the
// demonstration's, again and again under other ids.
func loadBusy(tb testing.TB, n int) *scenes.Program {
	tb.Helper()
	vehicle, err := scenes.LoadVehicle("../../testdata/drive/vehicle.yaml")
	if err != nil {
		tb.Fatal(err)
	}
	files, err := filepath.Glob("../../testdata/drive/cards/*.yaml")
	if err != nil || len(files) == 0 {
		tb.Fatalf("%d cards, %v", len(files), err)
	}
	var cards []*scenes.Card
	for i := range n {
		file := files[i%len(files)]
		text, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		card, err := scenes.ParseCard(file, bytes.Replace(text, []byte("\nid: "), fmt.Appendf(nil, "\nid: c%d-", i), 1))
		if err != nil {
			tb.Fatal(err)
		}
		cards = append(cards, card)
	}
	vehicle.Budget = scenes.Budget{}
	program, err := scenes.Compile(vehicle, cards)
	if err != nil {
		tb.Fatal(err)
	}
	return program
}

// bareDecode decodes signals, and does nothing else.
type bareDecode struct {
	buses   []can.IDs // index into plans
	plans   []dbc.Plan
	samples []dbc.Sample
	n       int
}

func newBareDecode(v *scenes.Vehicle, sources []scenes.Source) *bareDecode {
	d := &bareDecode{buses: make([]can.IDs, len(v.Buses))}
	var fields [][]dbc.Field
	for i := range sources {
		s := &sources[i]
		ids := &d.buses[s.Bus]
		if ids.Find(s.Message.ID, s.Message.Extended) < 0 {
			ids.Put(s.Message.ID, s.Message.Extended, len(fields))
			fields = append(fields, nil)
		}
		at := ids.Find(s.Message.ID, s.Message.Extended)
		fields[at] = append(fields[at], s.Field)
	}
	for _, of := range fields {
		d.plans = append(d.plans, dbc.NewPlan(of))
	}
	return d
}

// lap decodes frames.
func (d *bareDecode) lap(list []can.Frame) {
	for i := range list {
		f := &list[i]
		if at := d.buses[f.Bus].Find(f.ID, f.Flags&can.Extended != 0); at >= 0 {
			d.samples = d.plans[at].Decode(f.Payload(), d.samples[:0])
			d.n += len(d.samples)
		}
	}
}

// frames reads our whole drive, its buses those of the program.
func frames(tb testing.TB, program *scenes.Program) (list []can.Frame) {
	tb.Helper()
	var log bytes.Buffer
	if err := driven.Generate(&log, driven.Seconds); err != nil {
		tb.Fatal(err)
	}
	stream := drive.NewLogStream(program.Vehicle, nil, []drive.Log{{Reader: candump.NewReader("drive.log", &log), Name: "drive.log"}})
	var e drive.Entry
	for {
		if err := stream.Next(&e); errors.Is(err, io.EOF) {
			return list
		} else if err != nil {
			tb.Fatal(err)
		}
		list = append(list, e.Frame)
	}
}

// feed gives frames to a pump, later by the given time.
func feed(tb testing.TB, p *drive.Pump, list []can.Frame, later int64) {
	for i := range list {
		f := list[i]
		f.Time += later
		if err := p.Frame(&f); err != nil {
			tb.Fatal(err)
		}
	}
}

// BenchmarkPump decodes and steps one frame of our drive an operation, with the
// ten cards of the demonstration and with many that the frames do not concern.
func BenchmarkPump(b *testing.B) {
	list := frames(b, load(b, 0))
	for _, cards := range []int{10, 100, 1000} {
		b.Run(fmt.Sprintf("cards=%d", cards), func(b *testing.B) {
			program := load(b, cards)
			pump := drive.NewPump(program, 0, false, drive.Output{})
			feed(b, pump, list, 0)
			later := lap
			b.ReportAllocs()
			b.ResetTimer()
			for left := b.N; left > 0; left -= len(list) {
				feed(b, pump, list[:min(left, len(list))], later)
				later += lap
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "frames/s")
		})
	}
}

// BenchmarkReplay reads our drive from a candump log in memory, decodes and
// steps it; an operation is the whole drive.
func BenchmarkReplay(b *testing.B) {
	program := load(b, 0)
	var log bytes.Buffer
	if err := driven.Generate(&log, driven.Seconds); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	frames := uint64(0)
	for b.Loop() {
		pump := drive.NewPump(program, 0, false, drive.Output{})
		reader := candump.NewReader("drive.log", bytes.NewReader(log.Bytes()))
		stream := drive.NewLogStream(program.Vehicle, nil, []drive.Log{{Reader: reader, Name: "drive.log"}})
		if err := drive.Run(stream, pump); err != nil {
			b.Fatal(err)
		}
		frames += pump.Stats.Frames
	}
	b.ReportMetric(float64(frames)/b.Elapsed().Seconds(), "frames/s")
}

// sideBySide runs two laps by turns and reports, a frame, the least of each in
// the processor's time of their thread, and the ratio of the two.
func sideBySide(b *testing.B, frames int, what, against string, f, g func(round int)) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	least := [2]time.Duration{1 << 62, 1 << 62}
	for round := 0; b.Loop(); round++ {
		for side, lap := range []func(int){f, g} {
			start := threadTime(b)
			lap(round)
			least[side] = min(least[side], threadTime(b)-start)
		}
	}
	b.ReportMetric(0, "ns/op") // an operation is a lap of each
	b.ReportMetric(float64(least[0].Nanoseconds())/float64(frames), what+"-ns/frame")
	b.ReportMetric(float64(least[1].Nanoseconds())/float64(frames), against+"-ns/frame")
	b.ReportMetric(least[0].Seconds()/least[1].Seconds(), what+"/"+against)
}

// threadTime is the processor's time of this thread. The clock of that name is
// finer than getrusage, which counts in ticks.
func threadTime(b *testing.B) time.Duration {
	const clockThreadCPUTime = 3 // CLOCK_THREAD_CPUTIME_ID of Linux
	var at syscall.Timespec
	if _, _, err := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, clockThreadCPUTime, uintptr(unsafe.Pointer(&at)), 0); err != 0 {
		b.Fatal(err)
	}
	return time.Duration(at.Nano())
}

// lapper feeds a pump of its own with the drive, lap after lap.
func lapper(b *testing.B, program *scenes.Program, list []can.Frame) func(round int) {
	pump := drive.NewPump(program, 0, false, drive.Output{})
	feed(b, pump, list, 0)
	return func(round int) { feed(b, pump, list, int64(round+1)*lap) }
}

// BenchmarkStepAgainstDecode holds decoding and stepping with 100 cards against
// decoding alone of the same frames: of every signal of the profile, which has
// all of its DBCs, or of only those that the cards read. Of the cards, ten or
// all hundred read what the frames carry.
func BenchmarkStepAgainstDecode(b *testing.B) {
	list := frames(b, load(b, 0))
	for _, c := range []struct {
		name    string
		program *scenes.Program
	}{{"concerned=10", load(b, 100)}, {"concerned=100", loadBusy(b, 100)}} {
		v := c.program.Vehicle
		var all []scenes.Source
		for i := range v.Signals {
			src, err := v.Source(v.Signals[i].Path)
			if err != nil {
				b.Fatal(err)
			}
			all = append(all, src)
		}
		for name, sources := range map[string][]scenes.Source{"all": all, "read": c.program.Sources} {
			b.Run(c.name+"/decode="+name, func(b *testing.B) {
				bare := newBareDecode(v, sources)
				sideBySide(b, len(list), "step", "decode", lapper(b, c.program, list), func(int) { bare.lap(list) })
				if bare.n == 0 {
					b.Fatal("nothing was decoded")
				}
			})
		}
	}
}

// BenchmarkManyCards holds 10,000 cards, of which ten read what the frames
// carry, against those ten alone.
func BenchmarkManyCards(b *testing.B) {
	few, many := load(b, 10), load(b, 10_000)
	list := frames(b, few)
	sideBySide(b, len(list), "many", "few", lapper(b, many, list), lapper(b, few, list))
}

// BenchmarkStateMemory is what a card adds to a pump's memory.
func BenchmarkStateMemory(b *testing.B) {
	program := loadBusy(b, 1000)
	b.ReportAllocs()
	for b.Loop() {
		program.Engine.NewState(0, false)
	}
	certified := 0
	cards, _ := program.Costs()
	for _, c := range cards {
		certified += c.StateBytes
	}
	b.ReportMetric(float64(certified)/1000, "certified-B/card")
}

// TestOperationsAreOfTheCardsConcerned counts what a step is worth in the
// engine: with 10,000 cards never more than with the ten that read the frames.
// Those of the signal that the others read are left out.
func TestOperationsAreOfTheCardsConcerned(t *testing.T) {
	few, many := load(t, 10), load(t, 10_000)
	quiet := few.Sources[slices.IndexFunc(few.Sources, func(s scenes.Source) bool { return s.Path == quietSignal })]
	list := frames(t, few)
	all := len(list)
	list = slices.DeleteFunc(list, func(f can.Frame) bool { return f.ID == quiet.Message.ID && int(f.Bus) == quiet.Bus })
	a, b := drive.NewPump(few, 0, false, drive.Output{}), drive.NewPump(many, 0, false, drive.Output{})
	for i := range list {
		feed(t, a, list[i:i+1], 0)
		feed(t, b, list[i:i+1], 0)
		if n, got := a.State().Operations(), b.State().Operations(); got != n {
			t.Fatalf("up to frame %d a step took %d operations with 10,000 cards, %d with 10", i+1, got, n)
		}
	}
	if left := all - len(list); left > 10 || a.State().Operations() < 3 {
		t.Errorf("%d frames left out, at most %d operations a step: that shows little", left, a.State().Operations())
	}
}

// TestCostIsOfTheCardsConcerned: a frame costs what the cards cost that read
// it, not what all cards cost. A look at each of a hundred times as many cards
// would show as many times the cost; noise of the machine does not reach 3.
func TestCostIsOfTheCardsConcerned(t *testing.T) {
	few, many := load(t, 10), load(t, 1000)
	list := frames(t, few)
	if ratio := lapTime(t, many, list).Seconds() / lapTime(t, few, list).Seconds(); ratio > 3 {
		t.Errorf("with 1000 cards a frame takes %.1f times what it takes with 10", ratio)
	}
}

// lapTime is the shortest of five rounds of the drive.
func lapTime(t *testing.T, program *scenes.Program, list []can.Frame) time.Duration {
	t.Helper()
	pump := drive.NewPump(program, 0, false, drive.Output{})
	shortest := time.Duration(1<<63 - 1)
	for round := range int64(5) {
		start := time.Now()
		feed(t, pump, list, round*lap)
		shortest = min(shortest, time.Since(start))
	}
	return shortest
}
