package drive

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"math"
	"os"
	"strings"
	"testing"
)

func TestGenerateIsReproducible(t *testing.T) {
	once, err := wholeDrive()
	if err != nil {
		t.Fatal(err)
	}
	var again bytes.Buffer
	if err := Generate(&again, Seconds); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(once, again.Bytes()) {
		t.Error("two runs differ")
	}
	sums, err := os.ReadFile("SHA256SUMS")
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(once)
	if got := hex.EncodeToString(sum[:]) + "  drive.log\n"; got != string(sums) {
		t.Errorf("the log has the sum\n%swhile SHA256SUMS says\n%sif the drive was meant to change, write the new sum there", got, sums)
	}
}

func TestGenerateOfFewerSecondsIsThePrefix(t *testing.T) {
	whole, err := wholeDrive()
	if err != nil {
		t.Fatal(err)
	}
	for _, seconds := range []int{1, 7, 31} {
		var part bytes.Buffer
		if err := Generate(&part, seconds); err != nil {
			t.Fatal(err)
		}
		if part.Len() == 0 || !bytes.HasPrefix(whole, part.Bytes()) {
			t.Errorf("%d seconds are not the beginning of the whole drive", seconds)
		}
	}
}

func TestGenerateRefusesBadLengths(t *testing.T) {
	for _, seconds := range []int{-1, 0, Seconds + 1} {
		if err := Generate(io.Discard, seconds); err == nil || !strings.Contains(err.Error(), "the drive has 1 to 660") {
			t.Errorf("%d seconds: error %v", seconds, err)
		}
	}
}

func TestGenerateReportsAFullDisk(t *testing.T) {
	if err := Generate(fullDisk{}, 2); err == nil {
		t.Error("no error although nothing could be written")
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

func TestFramesAreOrderedAndPlenty(t *testing.T) {
	frames := driveFrames(t)
	if n := len(frames); n < 250_000 || n > 450_000 {
		t.Errorf("%d frames, want 250,000 to 450,000", n)
	}
	channels := map[string]int{}
	last := map[string]int64{}
	for i, f := range frames {
		if i > 0 && f.us < frames[i-1].us {
			t.Fatalf("frame %d at %d µs comes after one at %d µs", i, f.us, frames[i-1].us)
		}
		if before, found := last[f.channel]; found && f.us-before < 200 {
			t.Fatalf("frame %d follows %d µs after the one before on %s; a bus cannot", i, f.us-before, f.channel)
		}
		last[f.channel] = f.us
		channels[f.channel]++
	}
	if length := frames[len(frames)-1].us; length < 600_000_000 || length > Seconds*1_000_000 {
		t.Errorf("the drive ends at %d µs", length)
	}
	if len(channels) != 2 || channels["can0"] == 0 || channels["can1"] == 0 {
		t.Errorf("frames by channel: %v", channels)
	}
}

// TestCycleTimes holds every message to the cycle of its DBC while the car is
// awake; planted gaps are left out.
func TestCycleTimes(t *testing.T) {
	times := map[*layout][]int64{}
	for _, f := range driveFrames(t) {
		times[f.layout] = append(times[f.layout], f.us)
	}
	if want := len(layoutsByID(t)); len(times) != want {
		t.Errorf("%d messages were sent, the DBCs have %d", len(times), want)
	}
	for l, us := range times {
		if l.cycleMS == 0 || l.onChange {
			continue
		}
		for i := 1; i < len(us); i++ {
			before, now := us[i-1], us[i]
			gap, planted := missing[l.name]
			if before < 8_000_000 || now > 634_000_000 || planted && before/1000 < gap.to && now/1000 > gap.from {
				continue
			}
			if off := (now - before) - l.cycleMS*1000; off < -3_000 || off > 3_000 || off*off > l.cycleMS*l.cycleMS*1000*1000/16 {
				t.Fatalf("%s: %d µs between frames at %d µs, the cycle is %d ms", l.name, now-before, now, l.cycleMS)
			}
		}
	}
}

// TestOnChangeMessages: without a cycle, a message is sent only when what it
// says has changed.
func TestOnChangeMessages(t *testing.T) {
	last := map[string][]byte{}
	count := map[string]int{}
	for _, f := range driveFrames(t) {
		if f.layout.cycleMS > 0 {
			continue
		}
		if bytes.Equal(last[f.layout.name], f.data) {
			t.Errorf("%s at %d µs repeats %X", f.layout.name, f.us, f.data)
		}
		last[f.layout.name] = f.data
		count[f.layout.name]++
	}
	if count["IVI_DriveMode"] != 4 || count["IVI_Audio"] != 11 || len(count) != 2 {
		t.Errorf("frames sent on change: %v", count)
	}
}

// TestStory reads the story back from the frames: at these seconds the newest
// value of the signal lies between low and high.
func TestStory(t *testing.T) {
	facts := []struct {
		second    float64
		signal    string
		low, high float64
	}{
		{0.5, "PowerState", powerLock, powerLock},
		{1.5, "DoorDriver", 1, 1},
		{3.1, "SeatDriver", 1, 1},
		{4.5, "PowerState", powerACC, powerACC},
		{6, "DoorDriver", 0, 0},
		{6, "CabinTemp", 35, 40},
		{7.9, "PowerState", powerOn, powerOn},
		{8, "SelectedGear", gearP, gearP},
		{8, "VehicleSpeed", 0, 0},
		{8.5, "LvVoltage", 15.55, 15.65},
		{12.2, "BeltDriver", 1, 1},
		{16.2, "SeatPassenger", 1, 1},
		{25.1, "SelectedGear", gearR, gearR},
		{28.4, "VehicleSpeed", -6, -2},
		{30.6, "SelectedGear", gearD, gearD},
		{38, "VehicleSpeed", 40, 50},
		{49, "VehicleSpeed", 0, 0},
		{58.3, "DriveMode", modeEconomy, modeEconomy},
		{67, "RainIntensity", 0, 0},
		{79, "RainIntensity", 30, 45},
		{79, "WiperMode", 1, 1},
		{86, "LowBeam", 1, 1},
		{89, "VehicleSpeed", 0, 0},
		{111, "SelectedGear", gearP, gearP},
		{111, "VehicleSpeed", 0, 0},
		{115, "DoorPassenger", 1, 1},
		{118.2, "SeatPassenger", 0, 0},
		{123.2, "SelectedGear", gearD, gearD},
		{138, "VehicleSpeed", 45, 55},
		{230, "VehicleSpeed", 108, 112},
		{245, "RainIntensity", 0, 0},
		{400, "LightIntensity", 0, 10},
		{480, "SelectedGear", gearP, gearP},
		{480, "SeatDriver", 0, 0},
		{490, "TrunkOpen", 1, 1},
		{514, "SeatDriver", 1, 1},
		{514, "OutsideTemp", 50, 67},
		{500, "SocActual", 20, 20.5},
		{560, "SocActual", 20, 20.05},
		{610, "SocActual", 19.5, 19.95},
		{620, "SelectedGear", gearP, gearP},
		{633, "PowerState", powerOff, powerOff},
		{650, "PowerState", powerLock, powerLock},
		{650, "LockDriver", 1, 1},
	}
	frames := driveFrames(t)
	for _, fact := range facts {
		value, found := newest(frames, fact.signal, fact.second)
		if !found || value < fact.low || value > fact.high {
			t.Errorf("at %v s %s is %v (found: %v), want %v to %v", fact.second, fact.signal, value, found, fact.low, fact.high)
		}
	}
}

// newest is the value of the signal in the last frame before the second.
func newest(frames []logged, signal string, second float64) (value float64, found bool) {
	for _, f := range frames {
		if f.us > int64(second*1e6) {
			break
		}
		if v, has := f.physical(signal); has {
			value, found = v, true
		}
	}
	return value, found
}

// TestPlantedFaults finds each planted fault in the log, and no others.
func TestPlantedFaults(t *testing.T) {
	frames := driveFrames(t)
	shortFrames, outside := map[string]int{}, map[string]int{}
	for _, f := range frames {
		if len(f.data) < f.layout.size {
			shortFrames[f.layout.name]++
		}
		for i := range f.layout.signals {
			sig := &f.layout.signals[i]
			v, has := f.physical(string(sig.Name))
			if has && (v < sig.Minimum || v > sig.Maximum) {
				outside[string(sig.Name)]++
			}
		}
		if gap, planted := missing[f.layout.name]; planted && gap.holds(f.us/1000) && f.us/1000 > gap.from+2 {
			t.Errorf("%s was sent at %d µs, within its gap", f.layout.name, f.us)
		}
	}
	wantCounts(t, "short frames", shortFrames, map[string]int{"VCU_Trip": 4, "INV_Motor": 50, "HVAC_Status": 5})
	wantCounts(t, "values outside [min|max]", outside,
		map[string]int{"LvVoltage": 5, "AccelPedal": 30, "CabinTemp": 4, "RainIntensity": 6, "OutsideTemp": 4, "SocActual": 4})
	for _, second := range []float64{345.5, 347.9} {
		if v, _ := newest(frames, "GearCounter", second); v != mustNewest(t, frames, "GearCounter", 345.1) {
			t.Errorf("GearCounter moves at %v s", second)
		}
	}
	if v := mustNewest(t, frames, "SelectedGear", 250.2); v != 15 {
		t.Errorf("SelectedGear at 250.2 s is %v, want 15 (SNA)", v)
	}
}

func mustNewest(t *testing.T, frames []logged, signal string, second float64) float64 {
	t.Helper()
	v, found := newest(frames, signal, second)
	if !found {
		t.Fatalf("no %s before %v s", signal, second)
	}
	return v
}

func wantCounts(t *testing.T, what string, got, want map[string]int) {
	t.Helper()
	for name, n := range want {
		if got[name] != n {
			t.Errorf("%s of %s: %d, want %d", what, name, got[name], n)
		}
	}
	for name, n := range got {
		if want[name] == 0 {
			t.Errorf("%s of %s: %d, want none", what, name, n)
		}
	}
}

// TestChecksumsAndCounters holds every CRC and alive counter of the log.
func TestChecksumsAndCounters(t *testing.T) {
	checked, counted := 0, 0
	last := map[string]int64{}
	for _, f := range driveFrames(t) {
		for i := range f.layout.signals {
			sig := &f.layout.signals[i]
			name := string(sig.Name)
			raw, has := f.take(sig)
			if !has {
				delete(last, name) // cut off: the next one may be any
				continue
			}
			if strings.HasSuffix(name, "Crc") {
				checked++
				if want := crc8(f.data[:sig.StartBit/8]); byte(raw) != want {
					t.Fatalf("%s at %d µs: %02X, want %02X", name, f.us, raw, want)
				}
			}
			if strings.HasSuffix(name, "Counter") && !strings.HasSuffix(name, "EventCounter") {
				before, seen := last[name]
				still, planted := frozen[name]
				if seen && raw != (before+1)%(1<<sig.Size) && !(planted && still.holds(f.us/1000-tickMS) || planted && still.holds(f.us/1000)) {
					t.Fatalf("%s at %d µs: %d after %d", name, f.us, raw, before)
				}
				last[name] = raw
				counted++
			}
		}
	}
	if checked == 0 || counted == 0 {
		t.Errorf("%d checksums and %d counters found", checked, counted)
	}
}

// TestPhysicsAgree: wheel speeds, motor speed and odometer tell the same
// story as the speed.
func TestPhysicsAgree(t *testing.T) {
	frames := driveFrames(t)
	for _, second := range []float64{38, 60, 138, 230, 330, 400, 560} {
		speed := mustNewest(t, frames, "VehicleSpeed", second)
		for _, other := range []struct {
			signal string
			scale  float64
		}{{"WheelSpeedFL", 1}, {"WheelSpeedRR", 1}, {"MotorSpeed", 1.0 / 72.35}, {"DisplayedSpeed", 1.609344 / 1.0211}} {
			if v := mustNewest(t, frames, other.signal, second) * other.scale; math.Abs(v-speed) > 0.04*speed {
				t.Errorf("at %v s %s says %.1f km/h, the speed is %.1f", second, other.signal, v, speed)
			}
		}
	}
	metres := mustNewest(t, frames, "Odometer", 640) - mustNewest(t, frames, "Odometer", 8)
	var driven float64
	last := int64(-1)
	for _, f := range frames {
		if v, has := f.physical("VehicleSpeed"); has {
			if last >= 0 {
				driven += math.Abs(v) / 3.6 * float64(f.us-last) / 1e6
			}
			last = f.us
		}
	}
	if math.Abs(driven-metres) > 0.01*metres {
		t.Errorf("the odometer counts %v m, the speed adds up to %.0f m", metres, driven)
	}
}
