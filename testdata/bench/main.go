// Command bench times vignette against python-can with cantools, by turns on the
// same machine, and prints tables in Markdown: whole processes on our own drive,
// and pieces of work alone. It checks that both do the same.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"vignette/scenes"
)

// options are the files that a benchmark runs on.
type options struct {
	vignette, python, script string
	speed, dbc               string
	vehicle, cards, log      string
	runs                     int
	programs                 bool
}

func main() {
	var o options
	flag.StringVar(&o.vignette, "vignette", "bin/vignette", "the `program` to time")
	flag.StringVar(&o.python, "python", "python3", "Python `interpreter` with python-can and cantools")
	flag.StringVar(&o.script, "script", "testdata/bench/decode.py", "the `file` that decodes with them")
	flag.StringVar(&o.speed, "speed", "testdata/bench/speed.py", "the `file` that does pieces of work with them")
	flag.StringVar(&o.dbc, "dbc", "", "a DBC `file` more to load")
	flag.StringVar(&o.vehicle, "vehicle", "testdata/drive/vehicle.yaml", "vehicle profile `file`")
	flag.StringVar(&o.cards, "cards", "testdata/drive/cards", "`directory` of cards")
	flag.StringVar(&o.log, "log", "build/drive.log", "candump `file` of the drive")
	flag.IntVar(&o.runs, "runs", 5, "how often each program runs")
	flag.BoolVar(&o.programs, "programs", true, "whole programs too, which take longest")
	flag.Parse()
	if err := run(&o, os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(1)
	}
}

// row is one comparison: the same work by both programs.
type row struct {
	name           string
	frames         int
	ours, theirs   []string
	ourTime, their []time.Duration
}

func run(o *options, out io.Writer) error {
	if o.runs < 1 || flag.NArg() > 0 {
		return errors.New("usage: bench [options]; runs is 1 or more")
	}
	dir, err := os.MkdirTemp("", "vignette-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var rows []row
	if o.programs {
		if rows, err = prepare(o, dir); err != nil {
			return err
		}
	}
	works, err := works(o, dir)
	if err != nil {
		return err
	}
	for range o.runs {
		for i := range rows {
			if err := rows[i].time(); err != nil {
				return err
			}
		}
		for _, w := range works {
			if err := w.time(o); err != nil {
				return err
			}
		}
	}
	var b bytes.Buffer
	if o.programs {
		report(&b, o, rows)
	}
	reportWorks(&b, o, works)
	_, err = b.WriteTo(out)
	return err
}

// prepare writes what the programs read, and checks that they decode alike.
func prepare(o *options, dir string) ([]row, error) {
	vehicle, err := scenes.LoadVehicle(o.vehicle)
	if err != nil {
		return nil, err
	}
	cards, err := scenes.LoadCards(o.cards)
	if err != nil {
		return nil, err
	}
	program, err := scenes.Compile(vehicle, cards)
	if err != nil {
		return nil, err
	}
	some, err := writeWanted(o, program, filepath.Join(dir, "cards.json"), true)
	if err != nil {
		return nil, err
	}
	all, err := writeWanted(o, program, filepath.Join(dir, "all.json"), false)
	if err != nil {
		return nil, err
	}
	first, err := firstLine(o.log, filepath.Join(dir, "one.log"))
	if err != nil {
		return nil, err
	}
	replay := []string{o.vignette, "replay", "--vehicle", o.vehicle, "--cards", o.cards, "--json"}
	signals := []string{o.vignette, "signals", "--vehicle", o.vehicle, o.log}
	frames, err := sameSamples(o, replay, some)
	if err != nil {
		return nil, err
	}
	if err := sameRows(o, signals, all); err != nil {
		return nil, err
	}
	return []row{
		{name: "start-up: one frame", frames: 1, ours: append(slices.Clone(replay), first), theirs: []string{o.python, o.script, some, first}},
		{name: "signals of the cards: `vignette replay`", frames: frames, ours: append(slices.Clone(replay), o.log),
			theirs: []string{o.python, o.script, some, o.log}},
		{name: "all signals: `vignette signals`", frames: frames, ours: signals,
			theirs: []string{o.python, o.script, all, o.log}},
		{name: "the same, and Python writes the rows too", frames: frames, ours: signals,
			theirs: []string{o.python, o.script, all, o.log, os.DevNull}},
	}, nil
}

// wanted is what decode.py decodes of one channel.
type wanted struct {
	DBC      string              `json:"dbc"`
	Messages map[string][]string `json:"messages"` // nil: all of the DBC
}

// writeWanted tells decode.py the messages and signals that the program's cards
// read, or that it is to decode everything.
func writeWanted(o *options, p *scenes.Program, name string, cardsOnly bool) (string, error) {
	plan := map[string]*wanted{}
	for i := range p.Vehicle.Buses {
		b := &p.Vehicle.Buses[i]
		if len(b.DBCs) != 1 {
			return "", fmt.Errorf("bus %s has %d DBCs; the benchmark knows one", b.Name, len(b.DBCs))
		}
		w := &wanted{DBC: filepath.Join(filepath.Dir(o.vehicle), b.DBCs[0].File)}
		if cardsOnly {
			w.Messages = map[string][]string{}
		}
		plan[b.Interface] = w
	}
	for i := range p.Sources {
		if s := &p.Sources[i]; cardsOnly {
			m := plan[p.Vehicle.Buses[s.Bus].Interface].Messages
			id := fmt.Sprint(s.Message.ID)
			m[id] = append(m[id], s.Signal.Name)
		}
	}
	text, err := json.Marshal(plan)
	if err != nil {
		return "", err
	}
	return name, os.WriteFile(name, text, 0o600)
}

// firstLine copies the first line of a log.
func firstLine(from, to string) (string, error) {
	text, err := os.ReadFile(from)
	if err != nil {
		return "", err
	}
	line, _, _ := bytes.Cut(text, []byte("\n"))
	return to, os.WriteFile(to, append(line, '\n'), 0o600)
}

// sameSamples runs both programs once and compares what they decoded. It
// returns the number of frames.
func sameSamples(o *options, replay []string, wanted string) (int, error) {
	text, err := output(append(slices.Clone(replay), o.log))
	if err != nil {
		return 0, err
	}
	var ours struct {
		Frames  int `json:"frames"`
		Samples int `json:"decoded_signals"`
		Invalid int `json:"invalid"`
		Frozen  int `json:"frozen"`
	}
	if err := json.Unmarshal(text, &ours); err != nil {
		return 0, err
	}
	text, err = output([]string{o.python, o.script, wanted, o.log})
	if err != nil {
		return 0, err
	}
	var frames, decoded, samples int
	if _, err := fmt.Sscan(string(text), &frames, &decoded, &samples); err != nil {
		return 0, fmt.Errorf("decode.py printed %q: %w", text, err)
	}
	if all := ours.Samples + ours.Invalid + ours.Frozen; frames != ours.Frames || samples != all || samples == 0 {
		return 0, fmt.Errorf("the programs did not do the same: vignette decoded %d samples of %d frames, Python %d of %d", all, ours.Frames, samples, frames)
	}
	return frames, nil
}

// sameRows compares the number of samples when everything is decoded.
func sameRows(o *options, signals []string, wanted string) error {
	rows, err := output(signals)
	if err != nil {
		return err
	}
	text, err := output([]string{o.python, o.script, wanted, o.log})
	if err != nil {
		return err
	}
	var frames, decoded, samples int
	if _, err := fmt.Sscan(string(text), &frames, &decoded, &samples); err != nil {
		return fmt.Errorf("decode.py printed %q: %w", text, err)
	}
	if ours := bytes.Count(rows, []byte("\n")) - 1; ours != samples { // one line is the heading
		return fmt.Errorf("the programs did not do the same: vignette signals gave %d samples, Python %d", ours, samples)
	}
	return nil
}

// time runs both programs once, for the processor time that they take: that of
// the machine's other work is not in it.
func (r *row) time() error {
	for _, side := range []struct {
		command []string
		times   *[]time.Duration
	}{{r.ours, &r.ourTime}, {r.theirs, &r.their}} {
		cmd := exec.Command(side.command[0], side.command[1:]...) // output to /dev/null
		var errs strings.Builder
		cmd.Stderr = &errs
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("%s: %w\n%s", strings.Join(side.command, " "), err, &errs)
		}
		*side.times = append(*side.times, cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime())
	}
	return nil
}

// output runs a command for its standard output.
func output(command []string) ([]byte, error) {
	out, err := exec.Command(command[0], command[1:]...).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return nil, fmt.Errorf("%s: %w\n%s", strings.Join(command, " "), err, exit.Stderr)
	}
	return out, err
}

// report prints the table.
func report(b *bytes.Buffer, o *options, rows []row) {
	fmt.Fprintf(b, "%d frames, %d runs of each program by turns, whole processes, seconds of processor time\n\n", rows[len(rows)-1].frames, o.runs)
	b.WriteString("| work | vignette best | median | Python best | median | ratio of bests | of medians | vignette frames/s |\n")
	b.WriteString("|---|---|---|---|---|---|---|---|\n")
	for i := range rows {
		r := &rows[i]
		best, median := figures(r.ourTime)
		theirBest, theirMedian := figures(r.their)
		fmt.Fprintf(b, "| %s | %.3f | %.3f | %.2f | %.2f | %.0f | %.0f | %.2g |\n", r.name, best, median,
			theirBest, theirMedian, theirBest/best, theirMedian/median, float64(r.frames)/best)
	}
}

// figures are the best and the median of times, in seconds.
func figures(times []time.Duration) (best, median float64) {
	sorted := slices.Sorted(slices.Values(times))
	return sorted[0].Seconds(), sorted[len(sorted)/2].Seconds()
}
