package drive_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"vignette/can"
	"vignette/can/canlog/candump"
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
