//go:build oracle

package canlog

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"vignette/can"
	"vignette/testdata/oracle"
)

// pyFrame is one line of python-can's reading.
type pyFrame struct {
	T    float64 `json:"t"`
	Ch   int     `json:"ch"`
	ID   uint32  `json:"id"`
	Ext  bool    `json:"ext"`
	RTR  bool    `json:"rtr"`
	Err  bool    `json:"err"`
	FD   bool    `json:"fd"`
	BRS  bool    `json:"brs"`
	ESI  bool    `json:"esi"`
	RX   bool    `json:"rx"`
	DLC  int     `json:"dlc"`
	Data string  `json:"data"`
}

// normal takes out of python-can's reading what no bus has: error frames have
// its default flags and no id, remote requests are classic frames, a classic
// frame has 8 bytes at most, and an id of more than 11 bits is extended.
func (p pyFrame) normal() pyFrame {
	if p.Err {
		return pyFrame{T: p.T, Ch: p.Ch, Err: true, RX: p.RX}
	}
	p.FD = p.FD && !p.RTR
	if !p.FD {
		p.DLC = min(p.DLC, 8)
	}
	p.Ext = p.Ext || p.ID > 0x7FF
	return p
}

// asPython gives a frame python-can's form; its channels count from zero but
// for TRC and CSV.
func asPython(t *testing.T, f *can.Frame, channel string, base int) pyFrame {
	t.Helper()
	n, err := strconv.Atoi(channel)
	if err != nil {
		t.Fatal(err)
	}
	is := func(flag can.Flags) bool { return f.Flags&flag != 0 }
	p := pyFrame{Ch: n - base, ID: f.ID, Ext: is(can.Extended), RTR: is(can.Remote), Err: is(can.Error), FD: is(can.FD),
		BRS: is(can.BRS), ESI: is(can.ESI), RX: !is(can.Sent), DLC: int(f.Len)}
	if p.T, err = strconv.ParseFloat(fmt.Sprintf("%d.%09d", f.Time/1e9, f.Time%1e9), 64); err != nil {
		t.Fatal(err)
	}
	if !p.RTR {
		p.Data = hex.EncodeToString(f.Payload())
	}
	return p.normal()
}

// pyFrames decodes lines of JSON.
func pyFrames(t *testing.T, text []byte) []pyFrame {
	t.Helper()
	var out []pyFrame
	s := bufio.NewScanner(bytes.NewReader(text))
	for s.Scan() {
		var p pyFrame
		if err := json.Unmarshal(s.Bytes(), &p); err != nil {
			t.Fatal(err)
		}
		out = append(out, p.normal())
	}
	return out
}

// compareFrames holds a log against python-can's reading, times to within tolerance.
func compareFrames(t *testing.T, path string, want []pyFrame, base int, tolerance float64) {
	t.Helper()
	log, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	var f can.Frame
	for i := 0; ; i++ {
		err := log.Read(&f)
		if err == io.EOF && i == len(want) {
			return
		}
		if err != nil || i == len(want) {
			t.Fatalf("%s: frame %d of %d: %v", path, i, len(want), err)
		}
		got := asPython(t, &f, log.Channels()[f.Bus], base)
		if math.Abs(got.T-want[i].T) <= tolerance {
			got.T = want[i].T
		}
		if got != want[i] {
			t.Fatalf("%s: frame %d:\n%+v\npython-can:\n%+v", path, i, got, want[i])
		}
	}
}

func TestPythonCanSamples(t *testing.T) {
	expected, err := filepath.Glob(filepath.Join(oracle.Data(t, "logs", "python-can"), "*.expected.jsonl"))
	if err != nil || len(expected) != 10 {
		t.Fatalf("%d expected files, want 10; %v", len(expected), err)
	}
	frames := 0
	for _, e := range expected {
		text, err := os.ReadFile(e)
		if err != nil {
			t.Fatal(err)
		}
		want := pyFrames(t, text)
		base := 1
		if strings.Contains(e, ".trc.") {
			base = 0
		}
		compareFrames(t, strings.TrimSuffix(e, ".expected.jsonl"), want, base, 0)
		frames += len(want)
	}
	t.Logf("%d files, %d frames", len(expected), frames)
}

// TestTRCByHand reads the two traces that python-can 4.1 could not, against
// what their text says.
func TestTRCByHand(t *testing.T) {
	at := []float64{17.5354, 17.7003, 17.8738, 19.2954, 19.5006, 19.7052, 20.5927, 20.7986, 20.956, 21.0971}
	var want []pyFrame
	for i, s := range at {
		ext := i < 3 || i > 5
		p := pyFrame{T: s, Ch: 1, Ext: ext, DLC: 8, Data: "0000000000000000"}
		if ext {
			p.ID = 0x100
		}
		want = append(want, p)
	}
	want = append(want, pyFrame{T: 48.9376, Ch: 1, ID: 0x704, RTR: true, RX: true, DLC: 1})
	for _, name := range []string{"test_CanMessage_V1_1.trc", "test_CanMessage_V2_0_BUS1.trc"} {
		compareFrames(t, oracle.Data(t, "logs", "python-can", name), want, 0, 0)
	}
}

// pythonReads has python-can read a log into the same lines.
func pythonReads(t *testing.T, path string) []pyFrame {
	t.Helper()
	return pyFrames(t, oracle.Python(t, "testdata/pythoncan_read.py", path))
}

// TestPythonCanReadsOurs writes random frames in each format and has python-can
// read them. A CAN FD frame without data is left out of ASC: python-can takes
// it for a remote request.
func TestPythonCanReadsOurs(t *testing.T) {
	for _, format := range []string{"candump", "asc", "blf", "csv"} {
		const start = 1767261607_123000000
		frames := randomFrames(11, 20000, start)
		suffix := map[string]string{"candump": ".log"}[format]
		if suffix == "" {
			suffix = "." + format
		}
		var kept []can.Frame
		for _, f := range frames {
			if f.Flags&can.FD != 0 && f.Len == 0 && format == "asc" {
				continue
			}
			if f.Flags&can.Error != 0 && format == "candump" {
				f.ID |= 0x80 // python-can takes only bus errors for error frames
			}
			kept = append(kept, f)
		}
		path := writeLog(t, format, kept, 1)
		named := strings.TrimSuffix(path, filepath.Ext(path)) + suffix
		if err := os.Rename(path, named); err != nil {
			t.Fatal(err)
		}
		got := pythonReads(t, named)
		if len(got) != len(kept) {
			t.Fatalf("%s: python-can reads %d frames of %d", format, len(got), len(kept))
		}
		for i := range kept {
			f := held(format, kept[i], start)
			want := asPython(t, &f, "1", 1)
			compareRead(t, format, i, got[i], want)
		}
		t.Logf("%s: %d frames", format, len(got))
	}
}

// compareRead holds what python-can read against what was written: times to
// within the double of a Unix time, and no marks that its CSV does not have.
func compareRead(t *testing.T, format string, i int, got, want pyFrame) {
	t.Helper()
	if math.Abs(got.T-want.T) <= 3e-7 {
		got.T = want.T
	}
	got.Ch = want.Ch
	if format == "csv" {
		want.FD = false
		want.DLC = got.DLC // python-can's own cut at 8 in normal
	}
	if want.Err {
		got.RX = want.RX
	}
	if got != want {
		t.Fatalf("%s: frame %d: python-can reads\n%+v, written was\n%+v", format, i, got, want)
	}
}

// TestSpeedAgainstPythonCan reads the same BLF with both, on one core each, and
// wants the ratio that the contract names.
func TestSpeedAgainstPythonCan(t *testing.T) {
	const count = 400000
	frames := make([]can.Frame, count)
	for i := range frames {
		frames[i] = can.Frame{Time: 1767261607_000000000 + int64(i)*250_000, ID: uint32(i*7) & 0x7FF, Len: 8}
		for k := range 8 {
			frames[i].Data[k] = byte(i >> k)
		}
	}
	path := writeLog(t, "blf", frames, 1)
	out := oracle.Python(t, "testdata/pythoncan_read.py", "--speed", path)
	var read int
	var theirs float64
	if _, err := fmt.Sscan(string(out), &read, &theirs); err != nil || read != count {
		t.Fatalf("%q: %v", out, err)
	}
	ours := math.Inf(1)
	for range 3 {
		ours = min(ours, secondsToRead(t, path, count))
	}
	t.Logf("BLF: %.2f M frames/s, python-can %.2f M frames/s, ratio %.1f", count/ours/1e6, count/theirs/1e6, theirs/ours)
	if theirs/ours < 8 {
		t.Errorf("%.1f times python-can, want 8", theirs/ours)
	}
}

func secondsToRead(t *testing.T, path string, count int) float64 {
	t.Helper()
	begin := time.Now()
	log, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	var f can.Frame
	for range count {
		if err := log.Read(&f); err != nil {
			t.Fatal(err)
		}
	}
	return time.Since(begin).Seconds()
}
