//go:build oracle

package candump

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"vignette/can"
	"vignette/testdata/oracle"
)

// comparePythonCan reads the log with both and returns the number of frames.
func comparePythonCan(t *testing.T, path string) int {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	r := NewReader(path, file)
	out := bufio.NewScanner(bytes.NewReader(oracle.Python(t, "testdata/pythoncan_read.py", path)))
	frames := 0
	var f can.Frame
	for {
		err := r.Read(&f)
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if !out.Scan() {
			t.Fatalf("python-can read only %d frames", frames)
		}
		if got := describe(t, &f, r.Channels()); got != out.Text() {
			t.Fatalf("frame %d: %s\npython-can reads %s", frames, got, out.Text())
		}
		frames++
	}
	if out.Scan() {
		t.Fatalf("python-can read more than %d frames", frames)
	}
	return frames
}

// describe gives a frame the form of pythoncan_read.py.
func describe(t *testing.T, f *can.Frame, channels []string) string {
	t.Helper()
	seconds, err := strconv.ParseFloat(fmt.Sprintf("%d.%09d", f.Time/1e9, f.Time%1e9), 64)
	if err != nil {
		t.Fatal(err)
	}
	when := pythonHex(seconds)
	if f.Flags&can.Error != 0 {
		return when + " - 0 e 0 -"
	}
	flags := ""
	for _, mark := range []struct {
		flag   can.Flags
		letter string
	}{{can.Extended, "x"}, {can.Remote, "r"}, {can.FD, "f"}, {can.BRS, "b"}, {can.ESI, "s"}, {can.Sent, "t"}} {
		if f.Flags&mark.flag != 0 {
			flags += mark.letter
		}
	}
	data := ""
	if f.Flags&can.Remote == 0 {
		data = fmt.Sprintf("%x", f.Payload())
	}
	return fmt.Sprintf("%s %s %X %s %d %s", when, channels[f.Bus], f.ID, orDash(flags), f.Len, orDash(data))
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// pythonHex is Python's float.hex of a number that is not negative.
func pythonHex(v float64) string {
	if v == 0 {
		return "0x0.0p+0"
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(v, 'x', 13, 64), "p")
	sign, digits := exponent[:1], strings.TrimLeft(exponent[1:], "0")
	if digits == "" {
		digits = "0"
	}
	return mantissa + "p" + sign + digits
}

func TestRealLogAgainstPythonCan(t *testing.T) {
	n := comparePythonCan(t, oracle.Data(t, "logs", "tesla-model-s", "candump.log"))
	t.Logf("%d frames", n)
	if n != 12974 {
		t.Errorf("compared %d frames, want 12974", n)
	}
}

func TestRandomLogsAgainstPythonCan(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	path := filepath.Join(t.TempDir(), "random.log")
	var log bytes.Buffer
	w := NewWriter(&log)
	const count = 50000
	for range count {
		f := randomFrame(rng)
		if f.Flags&can.Error != 0 { // python-can takes only bus errors for error frames
			f.ID |= 0x80
		}
		if err := w.Write(&f, fmt.Sprintf("can%d", rng.IntN(3))); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, log.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	n := comparePythonCan(t, path)
	t.Logf("%d frames", n)
	if n != count {
		t.Errorf("compared %d frames, want %d", n, count)
	}
}
