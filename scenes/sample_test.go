package scenes

import (
	"encoding/binary"
	"math"
	"testing"

	"vignette/scenes/engine"
)

// frameOf packs a 64-bit little-endian value into a frame's data.
func frameOf(bits uint64) []byte { return binary.LittleEndian.AppendUint64(nil, bits) }

func TestSample(t *testing.T) {
	v := bench(t)
	for _, c := range []struct {
		path           string
		data           []byte
		num            float64
		valid, present bool
	}{
		{"Vehicle.Speed", frameOf(300), float64(float64(300*0.1)*1.609344) + 0, true, true},
		{"Vehicle.Speed", []byte{1}, 0, false, false}, // short frame
		{"Vehicle.Powertrain.Transmission.SelectedGear", frameOf(1 << 16), 126, true, true},
		{"Vehicle.Powertrain.Transmission.SelectedGear", frameOf(2 << 16), -1, true, true},
		{"Vehicle.Powertrain.Transmission.SelectedGear", frameOf(7 << 16), 0, false, true}, // invalid
		{"Vehicle.Powertrain.Transmission.SelectedGear", frameOf(5 << 16), 0, false, true}, // not listed
		{"Private.Bench.Torque", frameOf(0xFFFF << 24), -1, true, true},
		{"Private.Bench.Torque", frameOf((1<<16 - 400) << 24), 0, false, true},
		{"Vehicle.Cabin.Door.Row1.DriverSide.IsOpen", frameOf(1), 1, true, true},
		{"Vehicle.LowVoltageSystemState", frameOf(3 << 1), 3, true, true},
		{"Vehicle.LowVoltageSystemState", frameOf(6 << 1), 0, false, true},
		{"Private.Bench.Light", frameOf(3 << 24), 0, true, true}, // labels by first appearance
		{"Private.Bench.Light", frameOf(0), 1, true, true},
		{"Vehicle.Exterior.AirTemperature", frameOf(72 << 8), float64(32*(5.0/9)) + -160.0/9, true, true},
		{"Private.Bench.Cell", frameOf(3000 << 8), 3, true, true},
		{"Private.Bench.Cell", frameOf(3000<<8 | 1), 0, false, false}, // multiplexed out
		{"Private.Bench.Wide", frameOf(uint64(math.Float32bits(1.5)) << 24), 1.5, true, true},
		{"Private.Bench.Wide", frameOf(uint64(math.Float32bits(float32(math.NaN()))) << 24), 0, false, true},
		{"Private.Bench.Wide", frameOf(uint64(math.Float32bits(float32(math.Inf(1)))) << 24), 0, false, true},
	} {
		s, err := v.Source(c.path)
		if err != nil {
			t.Fatal(err)
		}
		num, valid, present := s.Sample(c.data)
		if num != c.num || valid != c.valid || present != c.present {
			t.Errorf("%s of %x is %v %v %v, want %v %v %v", c.path, c.data, num, valid, present, c.num, c.valid, c.present)
		}
	}
}

func TestSampleAllocatesNothing(t *testing.T) {
	v := bench(t)
	data := frameOf(0x0102030405060708)
	for i := range v.Signals {
		s := v.Signals[i].source()
		if n := testing.AllocsPerRun(100, func() { s.Sample(data) }); n != 0 {
			t.Errorf("%s: %v allocations a sample", s.Path, n)
		}
	}
}

func TestSource(t *testing.T) {
	v := bench(t)
	speed, err := v.Source("Vehicle.Speed")
	if err != nil {
		t.Fatal(err)
	}
	if speed.Alive == nil || speed.Alive.Message != speed.Message || speed.Alive.Signal.Name != "Counter" {
		t.Errorf("Vehicle.Speed's counter is %+v", speed.Alive)
	}
	if speed.Field.InRange(200.1) || !speed.Field.InRange(200) {
		t.Error("200.1 mph is in [0|200], or 200 is not")
	}
	power, err := v.Source("Vehicle.LowVoltageSystemState")
	if err != nil {
		t.Fatal(err)
	}
	if got := power.Value(1); got != (engine.Value{Kind: engine.Label, Num: 1, Text: "OFF"}) || power.Text(1) != "OFF" {
		t.Errorf("label 1 is %+v", got)
	}
	if door, _ := v.Source("Vehicle.Cabin.Door.Row1.DriverSide.IsOpen"); door.Text(1) != "true" || speed.Text(0.5) != "0.5" {
		t.Error("booleans or numbers are not written as in the profile")
	}
	if _, err := v.Source("Vehicle.Sped"); err == nil || err.Error() != "`Vehicle.Sped` is not a signal of the vehicle profile; did you mean `Vehicle.Speed`?" {
		t.Errorf("an unknown signal gives %v", err)
	}
}
