package agent

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"vignette/can"
	"vignette/can/canlog/candump"
	driven "vignette/testdata/drive"
)

// busyRate is frames in a second of our own drive, one every 250 µs: a full bus
// of 500 kbit/s has 3,800.
const busyRate = 4000

// deckOf writes a profile and a hundred cards to a directory: the demonstration
// car of project (the directory of go.mod) without its budget, and each of its
// ten cards under ten ids. It returns a configuration file that has them, all
// files that an agent writes, and a bus and a source as YAML.
func deckOf(tb testing.TB, project, dir, bus, source string) (config string) {
	tb.Helper()
	car := filepath.Join(project, "testdata/drive")
	budget := regexp.MustCompile(`(?m)^budget:.*$`)
	for _, f := range glob(tb, filepath.Join(car, "*.dbc"), filepath.Join(car, "vehicle.yaml")) {
		writeFile(tb, filepath.Join(dir, filepath.Base(f)), budget.ReplaceAll(readFile(tb, f), nil))
	}
	cards := glob(tb, filepath.Join(car, "cards/*.yaml"))
	if len(cards) != 10 {
		tb.Fatalf("%d cards, want 10", len(cards))
	}
	deck := filepath.Join(dir, "deck")
	if err := os.Mkdir(deck, 0o755); err != nil {
		tb.Fatal(err)
	}
	for i := range 100 {
		f := cards[i%10]
		text := bytes.Replace(readFile(tb, f), []byte("\nid: "), fmt.Appendf(nil, "\nid: c%d-", i), 1)
		writeFile(tb, filepath.Join(deck, fmt.Sprintf("c%d-%s", i, filepath.Base(f))), text)
	}
	config = filepath.Join(dir, "agent.yaml")
	writeFile(tb, config, fmt.Appendf(nil, `vehicle: vehicle.yaml
cards: [deck]
bus: %s
source: %s
decisions: {file: decisions.msgp}
journal: journal.msgp
state: state
traces: traces
`, bus, source))
	return config
}

func glob(tb testing.TB, patterns ...string) (files []string) {
	tb.Helper()
	for _, p := range patterns {
		list, err := filepath.Glob(p)
		if err != nil || len(list) == 0 {
			tb.Fatalf("%s: %v, %v", p, list, err)
		}
		files = append(files, list...)
	}
	return files
}

func readFile(tb testing.TB, name string) []byte {
	tb.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		tb.Fatal(err)
	}
	return text
}

func writeFile(tb testing.TB, name string, text []byte) {
	tb.Helper()
	if err := os.WriteFile(name, text, 0o644); err != nil {
		tb.Fatal(err)
	}
}

// busyTraffic calls each with every frame of n, and the channel that it is on: our
// drive's first minute, again and again.
func busyTraffic(tb testing.TB, n int, each func(f *can.Frame, channel string)) {
	tb.Helper()
	var log bytes.Buffer
	if err := driven.Generate(&log, min(60, 1+n/400)); err != nil { // a guest takes its time for it
		tb.Fatal(err)
	}
	var lap []can.Frame
	r := candump.NewReader("drive", &log)
	for {
		var f can.Frame
		if err := r.Read(&f); err == io.EOF {
			break
		} else if err != nil {
			tb.Fatal(err)
		}
		lap = append(lap, f)
	}
	for i := range n {
		f := lap[i%len(lap)]
		f.Time = 1767261600e9 + int64(i)*int64(time.Second)/busyRate
		each(&f, r.Channels()[f.Bus])
	}
}

// busyLog writes that traffic as a candump log.
func busyLog(tb testing.TB, w io.Writer, n int) {
	tb.Helper()
	out := candump.NewWriter(w)
	busyTraffic(tb, n, func(f *can.Frame, channel string) {
		if err := out.Write(f, channel); err != nil {
			tb.Fatal(err)
		}
	})
	if err := out.Flush(); err != nil {
		tb.Fatal(err)
	}
}

// processorTime is what a process has had, user's and system's, from
// /proc/PID/stat, which counts in hundredths of a second (proc(5)).
func processorTime(tb testing.TB, pid int) time.Duration {
	tb.Helper()
	text := string(readFile(tb, fmt.Sprintf("/proc/%d/stat", pid)))
	fields := strings.Fields(text[strings.LastIndex(text, ")")+1:]) // from the state, the third field
	var sum time.Duration
	for _, f := range fields[11:13] {
		n, err := strconv.Atoi(f)
		if err != nil {
			tb.Fatal(err)
		}
		sum += time.Duration(n) * 10 * time.Millisecond
	}
	return sum
}
