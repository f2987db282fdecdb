package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"time"

	"vignette/can"
	"vignette/can/canlog"
	"vignette/can/canlog/candump"
	"vignette/can/dbc"
	"vignette/testdata/bench/network"
)

// work is something that both sides do, timed without the start of a program:
// vignette's packages in this process on one core, the peer in one of its own.
type work struct {
	name   string
	frames int                       // 0: of no recording
	ours   func() (n int, err error) // n: what was done, to compare
	theirs []string                  // arguments of speed.py

	ourTime, their []time.Duration
}

// trafficFrames is the length of the log of the made network.
const trafficFrames = 200_000

// works writes what they read.
func works(o *options, dir string) ([]*work, error) {
	dbcFile, log, blf := filepath.Join(dir, "network.dbc"), filepath.Join(dir, "network.log"), filepath.Join(dir, "network.blf")
	text := network.DBC()
	if err := os.WriteFile(dbcFile, text, 0o600); err != nil {
		return nil, err
	}
	if err := writeFile(log, func(w *os.File) error { return network.Log(w, trafficFrames) }); err != nil {
		return nil, err
	}
	if err := writeFile(blf, writeBLF); err != nil {
		return nil, err
	}
	if err := sameValues(o, filepath.Join(dir, "check.log"), dbcFile, text); err != nil {
		return nil, err
	}
	list := []*work{
		{name: "candump text → every signal of a DBC of 150 messages", frames: trafficFrames,
			ours: func() (int, error) { return decodeLog(log, text) }, theirs: []string{"decode", log, dbcFile}},
		{name: "candump, read alone", frames: trafficFrames,
			ours: func() (int, error) { return readLog(log) }, theirs: []string{"read", log}},
		{name: "BLF, read alone", frames: trafficFrames,
			ours: func() (int, error) { return readLog(blf) }, theirs: []string{"read", blf}},
		loading(dbcFile),
	}
	if o.dbc != "" {
		list = append(list, loading(o.dbc))
	}
	return list, nil
}

func loading(file string) *work {
	return &work{name: "load " + filepath.Base(file), ours: func() (int, error) { return loadDBC(file) }, theirs: []string{"load", file}}
}

func writeFile(name string, write func(*os.File) error) error {
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(write(file), file.Close())
}

// writeBLF writes the network's traffic as Vector's BLF.
func writeBLF(file *os.File) error {
	w, err := canlog.NewWriter("blf", file)
	if err != nil {
		return err
	}
	traffic := network.NewTraffic()
	var f can.Frame
	for range trafficFrames {
		if err := traffic.Read(&f); err != nil {
			return err
		}
		if err := w.Write(&f, "1"); err != nil {
			return err
		}
	}
	return w.Close()
}

// sameValues compares the values of all signals of some traffic, by their bits.
func sameValues(o *options, log, dbcFile string, text []byte) error {
	if err := writeFile(log, func(w *os.File) error { return network.Log(w, 20_000) }); err != nil {
		return err
	}
	out, err := output([]string{o.python, o.speed, "check", log, dbcFile})
	if err != nil {
		return err
	}
	var sum uint64
	samples := 0
	if err := eachFrame(log, text, func(decoded []dbc.Sample) {
		samples += len(decoded)
		for i := range decoded {
			sum += math.Float64bits(decoded[i].Physical)
		}
	}); err != nil {
		return err
	}
	if ours := fmt.Sprintln(samples, sum); ours != string(out) {
		return fmt.Errorf("the programs did not do the same: signals and the sum of their values are %sby vignette, %sby Python", ours, out)
	}
	return nil
}

// decodeLog decodes every signal of a candump log and returns how many.
func decodeLog(name string, text []byte) (samples int, err error) {
	err = eachFrame(name, text, func(decoded []dbc.Sample) { samples += len(decoded) })
	return samples, err
}

// eachFrame reads a candump log and decodes every signal of its frames.
func eachFrame(name string, text []byte, each func([]dbc.Sample)) error {
	db, err := dbc.Parse("network.dbc", text)
	if err != nil {
		return err
	}
	d, err := network.NewDecoder(db)
	if err != nil {
		return err
	}
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	reader := candump.NewReader(name, file)
	var f can.Frame
	for {
		if err := reader.Read(&f); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		each(d.Decode(&f))
	}
}

// readLog reads a recording and returns the number of frames.
func readLog(name string) (frames int, err error) {
	log, err := canlog.Open(name)
	if err != nil {
		return 0, err
	}
	defer log.Close()
	var f can.Frame
	for {
		if err := log.Read(&f); err == io.EOF {
			return frames, nil
		} else if err != nil {
			return 0, err
		}
		frames++
	}
}

// loadDBC loads a database and returns the number of its signals.
func loadDBC(name string) (signals int, err error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return 0, err
	}
	db, err := dbc.Parse(name, text)
	if err != nil {
		return 0, err
	}
	for _, m := range db.Messages {
		signals += len(m.Signals)
	}
	return signals, nil
}

// time does the work on both sides once more.
func (w *work) time(o *options) error {
	out, err := output(append([]string{o.python, o.speed}, w.theirs...))
	if err != nil {
		return err
	}
	var their int
	var seconds float64
	if _, err := fmt.Sscan(string(out), &their, &seconds); err != nil {
		return fmt.Errorf("speed.py printed %q: %w", out, err)
	}
	n, ours, err := w.average()
	if err != nil {
		return err
	}
	if n != their || n == 0 {
		return fmt.Errorf("%s: the programs did not do the same: %d by vignette, %d by Python", w.name, n, their)
	}
	w.ourTime, w.their = append(w.ourTime, ours), append(w.their, time.Duration(seconds*float64(time.Second)))
	return nil
}

// average does our side's work for half a second of one core: a single time would
// be too short to be disturbed by the machine's other work as theirs is.
func (w *work) average() (n int, each time.Duration, err error) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	runtime.GC()
	const long = 500 * time.Millisecond
	start, err := used()
	for times := 1; err == nil; times++ {
		if n, err = w.ours(); err != nil {
			break
		}
		var now time.Duration
		if now, err = used(); now-start >= long {
			return n, (now - start) / time.Duration(times), err
		}
	}
	return 0, 0, err
}

// used is the processor time that this process has had, its collector included.
func used() (time.Duration, error) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0, fmt.Errorf("getrusage: %w", err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), nil
}

// reportWorks prints the table.
func reportWorks(b *bytes.Buffer, o *options, works []*work) {
	fmt.Fprintf(b, "\nWork alone, without the start of programs, %d times by turns, seconds of one processor\n\n", o.runs)
	b.WriteString("| work | vignette best | median | Python best | median | ratio of bests | of medians | vignette | Python |\n")
	b.WriteString("|---|---|---|---|---|---|---|---|---|\n")
	for _, w := range works {
		best, median := figures(w.ourTime)
		theirBest, theirMedian := figures(w.their)
		fmt.Fprintf(b, "| %s | %.4f | %.4f | %.3f | %.3f | %.1f | %.1f | %s | %s |\n", w.name, best, median,
			theirBest, theirMedian, theirBest/best, theirMedian/median, w.rate(best), w.rate(theirBest))
	}
}

// rate is how much is done in a second.
func (w *work) rate(seconds float64) string {
	if w.frames == 0 {
		return ""
	}
	return fmt.Sprintf("%.2f M frames/s", float64(w.frames)/seconds/1e6)
}
