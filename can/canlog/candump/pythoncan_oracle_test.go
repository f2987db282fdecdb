//go:build oracle

package candump

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"vignette/can"
)

// sharedData is the folder of other people's logs, beside the repository.
func sharedData(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the package")
		}
		dir = filepath.Dir(dir)
	}
	data := filepath.Join(dir, "..", "shared", "data")
	if _, err := os.Stat(data); err != nil {
		t.Fatalf("the oracle tests need ../shared/data: %v", err)
	}
	return data
}

// pythonCan reads a log with python-can, under $PYTHON or python3.
func pythonCan(t *testing.T, path string) []byte {
	t.Helper()
	interpreter := os.Getenv("PYTHON")
	if interpreter == "" {
		interpreter = "python3"
	}
	cmd := exec.Command(interpreter, "testdata/pythoncan_read.py", path)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", interpreter, err, &stderr)
	}
	return out
}

// comparePythonCan reads the log with both and returns the number of frames.
func comparePythonCan(t *testing.T, path string) int {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	r := NewReader(path, file)
	out := bufio.NewScanner(bytes.NewReader(pythonCan(t, path)))
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
	n := comparePythonCan(t, filepath.Join(sharedData(t), "logs", "tesla-model-s", "candump.log"))
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
