//go:build oracle

package canlog

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"vignette/can"
	"vignette/testdata/oracle"
)

// canutilsFrames are random frames as can-utils' log2asc and asc2log can hold
// them. Those of version 2020.11, which Debian 12 has, read a fraction of nine
// digits as that many microseconds, so times are whole microseconds.
func canutilsFrames(seed uint64) []can.Frame {
	frames := randomFrames(seed, 20000, 1767261607_123000000)
	for i := range frames {
		frames[i].Time -= frames[i].Time % 1000
	}
	return frames
}

// sevenDigits is a time where asc2log 2020.11 did not carry a second.
var sevenDigits = regexp.MustCompile(`(?m)^\((\d+)\.1000000\)`)

// TestAsc2logReadsOurs has asc2log read an ASC log of ours. What it cannot do:
//   - it knows the date line in German and US English, and where the system has
//     that locale, and else counts from now: times are compared from the first;
//   - of an error frame it knows only that there was one, and writes a bus error;
//   - a fraction that comes to exactly a second is printed with seven digits.
func TestAsc2logReadsOurs(t *testing.T) {
	frames := canutilsFrames(21)
	text := oracle.Run(t, exec.Command("asc2log", "-I", writeLog(t, "asc", frames, 3)))
	text = sevenDigits.ReplaceAllFunc(text, func(b []byte) []byte {
		second, err := strconv.Atoi(string(sevenDigits.FindSubmatch(b)[1]))
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Appendf(nil, "(%d.000000)", second+1)
	})
	compareCanutils(t, "candump", text, frames, "can%d", 0, func(f can.Frame) can.Frame {
		if f.Flags&can.Error != 0 {
			f = can.Frame{Time: f.Time, Flags: can.Error, ID: 0x80, Len: 8}
		}
		return f
	})
}

// TestLog2ascReadsOurs has log2asc read a candump log of ours, and reads what
// it writes. ASC has no class and data of error frames; -r leaves out the
// length of remote requests and -4 has times of 100 µs. With -f, which writes
// CANFD lines for classic frames too, log2asc writes an error frame as a data
// frame: there are none then.
func TestLog2ascReadsOurs(t *testing.T) {
	for _, option := range []string{"", "-n", "-r", "-4", "-f"} {
		var frames []can.Frame
		for _, f := range canutilsFrames(22) {
			if f.Flags&can.Error == 0 || option != "-f" {
				frames = append(frames, f)
			}
		}
		args := []string{"-I", filepath.Join(t.TempDir(), "can.log"), "can0", "can1", "can2"}
		if option != "" {
			args = append([]string{option}, args...)
		}
		writeCandump(t, args[len(args)-4], frames)
		text := oracle.Run(t, exec.Command("log2asc", args...))
		compareCanutils(t, "asc", text, frames, "%d", 1, func(f can.Frame) can.Frame {
			switch {
			case f.Flags&can.Error != 0:
				f = can.Frame{Time: f.Time, Flags: can.Error}
			case f.Flags&can.Remote != 0 && option == "-r":
				f.Len = 0
			}
			if option == "-4" {
				f.Time -= f.Time % 100_000
			}
			return f
		})
	}
}

// writeCandump writes frames of can0, can1 and can2 by turns.
func writeCandump(t *testing.T, path string, frames []can.Frame) {
	t.Helper()
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	w, err := NewWriter("candump", file)
	if err != nil {
		t.Fatal(err)
	}
	for i := range frames {
		if err := w.Write(&frames[i], fmt.Sprintf("can%d", i%3)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// compareCanutils reads what a program of can-utils wrote and holds it against
// the frames that it was given, times from the first, as held leaves them.
// Channels are those of the form, by turns, three from number first on.
func compareCanutils(t *testing.T, format string, text []byte, frames []can.Frame, form string, first int, held func(can.Frame) can.Frame) {
	t.Helper()
	r := newDecoder(format, "can-utils", bytes.NewReader(text))
	var f can.Frame
	var start int64
	for i := 0; ; i++ {
		err := r.Read(&f)
		if err == io.EOF && i == len(frames) {
			return
		}
		if err != nil || i == len(frames) {
			t.Fatalf("frame %d of %d: %v", i, len(frames), err)
		}
		if i == 0 {
			start = f.Time
		}
		if channel := fmt.Sprintf(form, first+i%3); r.Channels()[f.Bus] != channel {
			t.Fatalf("frame %d is on channel %s, want %s", i, r.Channels()[f.Bus], channel)
		}
		want := frames[i]
		want.Time -= frames[0].Time
		want = held(want)
		f.Bus, f.Time = 0, f.Time-start
		if f != want {
			t.Fatalf("frame %d\n%+v, want\n%+v", i, f, want)
		}
	}
}
