package main

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"vignette/can/canlog"
	"vignette/scenes"
	"vignette/scenes/drive"
)

// replayOptions are the flags of vignette replay.
type replayOptions struct {
	vehicle, decisions, format, speed string
	cards, maps, versions             listFlag
	length                            time.Duration
	clock                             clockOptions
	json                              bool
}

func replay(args []string, out, errs io.Writer) error {
	var o replayOptions
	fs := newFlags("replay", errs, "vignette replay --vehicle F --cards DIR [options] LOG…", `
Replays recordings against cards: the same decisions, byte for byte, as the car
makes on the same frames. A LOG is an agent's journal or a recording (candump,
GVRET, CSV, ASC, BLF, TRC, also through gzip or zstd), told by its content;
several recordings are merged by time. Of a journal --versions alone will do,
the directory in which the agent keeps what it has run. Exit code 3: a recording
is damaged, or a journal is cut, as power loss leaves it; all up to there was
replayed.`,
		"vignette replay --vehicle car.yaml --cards cards/ --decisions out.jsonl drive.log",
		"vignette replay --vehicle car.yaml --cards a.yaml --map vcan0=pt --json drive.log",
		"vignette replay --vehicle car.yaml --cards cards/ --wall 2026-06-21T04:00:00+02:00 --zone Europe/Berlin --place 52.52,13.405 drive.log",
		"vignette replay --vehicle car.yaml --cards cards/ journal.msgp",
		"vignette replay --versions state/versions journal.msgp")
	fs.StringVar(&o.vehicle, "vehicle", "", "vehicle profile `FILE` (required, but for a journal with --versions)")
	fs.Var(&o.cards, "cards", "card `FILE or directory`; may be repeated (required, but for a journal with --versions)")
	fs.Var(&o.versions, "versions", "`FILE or directory` of versions of cards and profile that a journal names; may be repeated")
	fs.StringVar(&o.decisions, "decisions", "", "write the decision log to `OUT`; - is standard output")
	fs.StringVar(&o.format, "format", "jsonl", "of the decision log: jsonl or msgpack")
	fs.StringVar(&o.speed, "speed", "max", "max, or a multiple of real time such as 1x or 10x")
	fs.DurationVar(&o.length, "for", 0, "stop after this much of the recording, such as 150s")
	fs.Var(&o.maps, "map", "`CHANNEL=BUS`: a recorder's channel is this bus of the profile; may be repeated")
	o.clock.flags(fs)
	fs.BoolVar(&o.json, "json", false, "print the summary as JSON")
	if err := parse(fs, args); err != nil {
		return err
	}
	given := o.vehicle != "" && len(o.cards) > 0
	if !given && (o.vehicle != "" || len(o.cards) > 0 || o.versions == nil) || fs.NArg() == 0 {
		fs.Usage()
		return errReported
	}
	if err := o.fault(fs.Args()); err != nil {
		return err
	}
	speed, err := drive.ParseSpeed(o.speed)
	if err != nil {
		return err
	}
	r := &replayRun{o: &o, errs: errs}
	defer r.close()
	if given {
		if r.prog, err = load(o.vehicle, o.cards); err != nil {
			return err
		}
	}
	if err := r.open(fs.Args()); err != nil {
		return err
	}
	r.summary = newSummary(r.prog)
	if err := r.run(speed, out); err != nil {
		return err
	}
	return cmp.Or(r.report(out), r.damage)
}

// fault tells what does not go together.
func (o *replayOptions) fault(logs []string) error {
	switch {
	case o.length < 0:
		return fmt.Errorf("--for %s: a stretch of a recording is not negative", o.length)
	case o.json && o.decisions == "-":
		return errors.New("--json and --decisions - both want standard output; write the decision log to a file")
	case o.decisions == "-":
		return nil
	}
	return apart(o.decisions, slices.Concat(logs, o.cards, []string{o.vehicle})...)
}

// load reads and compiles a profile and its cards.
func load(vehicle string, cards []string) (*scenes.Program, error) {
	v, err := scenes.LoadVehicle(vehicle)
	if err != nil {
		return nil, err
	}
	list, err := scenes.LoadCards(cards...)
	if err != nil {
		return nil, err
	}
	return scenes.Compile(v, list)
}

// replayRun is one run of vignette replay.
type replayRun struct {
	o       *replayOptions
	prog    *scenes.Program
	errs    io.Writer
	logs    []*canlog.Log
	journal *os.File
	stream  drive.Stream
	plain   *drive.LogStream
	header  drive.Header
	judged  bool
	damage  error // errFindings: a recording ended early, which has been told
	summary *summary
}

// open opens the recordings, or the one journal.
func (r *replayRun) open(paths []string) error {
	if len(paths) == 1 {
		if is, err := r.openJournal(paths[0]); is || err != nil {
			return err
		}
	}
	if r.prog == nil {
		return fmt.Errorf("%s is no journal: name --vehicle and --cards", strings.Join(paths, ", "))
	}
	named, err := drive.ParseBusMap(r.prog.Vehicle, r.o.maps)
	if err != nil {
		return err
	}
	var logs []drive.Log
	for _, path := range paths {
		l, err := canlog.Open(path)
		if err != nil {
			return err
		}
		r.logs = append(r.logs, l)
		logs = append(logs, drive.Log{Reader: l, Name: path})
	}
	r.plain = drive.NewLogStream(r.prog.Vehicle, named, logs)
	r.plain.Until = r.o.length.Nanoseconds()
	r.header = drive.NewHeader(r.prog, 0, drive.LogTime)
	r.stream, err = r.o.clock.over(r.plain)
	return err
}

// openJournal takes path as a journal if it is one.
func (r *replayRun) openJournal(path string) (bool, error) {
	f, err := os.Open(path)
	if err != nil {
		return false, nil // canlog.Open says it better
	}
	b := bufio.NewReaderSize(f, 1<<16)
	if start, _ := b.Peek(32); !drive.IsJournal(start) {
		return false, f.Close()
	}
	r.journal = f
	if r.o.length > 0 || len(r.o.maps) > 0 || r.o.clock != (clockOptions{}) {
		return true, fmt.Errorf("%s is a journal: --for, --map, --wall, --zone and --place are for recordings", path)
	}
	j, err := drive.NewJournalReader(path, b, r.prog)
	if err != nil {
		return true, err
	}
	if r.prog != nil {
		if err := j.Fits(r.prog); err != nil {
			return true, err
		}
	}
	lib, err := library(r.prog, r.o.versions)
	if err != nil {
		return true, err
	}
	if err := j.Use(lib); err != nil {
		return true, err
	}
	r.prog = j.Program()
	r.stream, r.header, r.judged = j, j.Header, j.Judged
	return true, nil
}

func (r *replayRun) close() {
	for _, l := range r.logs {
		l.Close()
	}
	if r.journal != nil {
		r.journal.Close()
	}
}

// library holds what a journal's reloads may name: what was given, and further
// versions.
func library(p *scenes.Program, paths []string) (*drive.Library, error) {
	lib := &drive.Library{}
	if p != nil {
		lib.Add(p.Vehicle, p.Cards...)
	}
	for _, path := range paths {
		vehicles, cards, err := scenes.LoadVersions(path)
		if err != nil {
			return nil, err
		}
		for _, v := range vehicles {
			lib.Add(v)
		}
		lib.Add(nil, cards...)
	}
	return lib, nil
}

// newPump goes on from the state that a journal begins with.
func (r *replayRun) newPump(out drive.Output) (*drive.Pump, error) {
	if j, ok := r.stream.(*drive.JournalReader); ok {
		return j.NewPump(out)
	}
	return drive.NewPump(r.prog, r.header.Session, r.judged, out), nil
}

// run feeds the stream; the decision log appears whole or not at all.
func (r *replayRun) run(speed drive.Speed, out io.Writer) (err error) {
	format, err := drive.ParseLogFormat(r.o.format)
	if err != nil {
		return err
	}
	result := drive.Output{Records: r.summary.take}
	if r.o.decisions != "" {
		file, finish, cerr := r.decisions(out)
		if cerr != nil {
			return cerr
		}
		defer func() { err = finish(err) }()
		if result.Decisions, err = drive.NewDecisionLog(file, format, &r.header); err != nil {
			return err
		}
	}
	pump, err := r.newPump(result)
	if err != nil {
		return err
	}
	r.summary.pump = pump
	meter := newMeter(r.errs, "replay", r.offset)
	defer meter.done()
	pacer := drive.NewPacer(speed)
	start := time.Now()
	var e drive.Entry
	for {
		if err = r.stream.Next(&e); err != nil {
			break
		}
		pacer.Wait(e.Time())
		if err = pump.Feed(&e); err != nil {
			return err
		}
		meter.tick()
	}
	r.summary.took = time.Since(start)
	meter.done()
	return r.end(err)
}

// decisions opens the decision log; - is out.
func (r *replayRun) decisions(out io.Writer) (w *bufio.Writer, finish func(error) error, err error) {
	if r.o.decisions == "-" {
		w = bufio.NewWriter(out)
		return w, func(err error) error { return cmp.Or(err, w.Flush()) }, nil
	}
	file, err := createWhole(r.o.decisions)
	if err != nil {
		return nil, nil, err
	}
	return file.Writer, file.finish, nil
}

// end judges what ended the stream. Damage behind the frames of a recording
// does not undo what they gave.
func (r *replayRun) end(err error) error {
	if err == io.EOF {
		return nil
	}
	if r.journal != nil {
		return r.journalEnd(err)
	}
	end := judgeEnd(r.errs, "replay", "were replayed", r.logs...)
	if end == errFindings {
		r.damage = end
		return nil
	}
	return cmp.Or(end, err)
}

// journalEnd judges what ended a journal: what was read before damage counts.
func (r *replayRun) journalEnd(err error) error {
	var damage *drive.JournalDamage
	if !errors.As(err, &damage) || damage.Entries == 0 {
		return err
	}
	fmt.Fprintf(r.errs, "vignette replay: %s; the %d entries before were replayed\n", damage, damage.Entries)
	r.damage = errFindings
	return nil
}

// offset sums how much of the input was read.
func (r *replayRun) offset() (read, total int64) {
	for _, l := range r.logs {
		a, b := l.Offset()
		read, total = read+a, total+b
	}
	return read, total
}

// report prints the summary, and what was left out on standard error.
func (r *replayRun) report(out io.Writer) error {
	s := r.summary
	if r.plain != nil {
		used, left := r.plain.Mapping()
		s.channels = used
		if len(used) == 0 {
			s.channels = []string{"no channel is a bus of the profile"}
		}
		s.lost = r.plain.Dropped()
		for _, l := range left {
			fmt.Fprintln(r.errs, "note:", l)
		}
	}
	if r.o.decisions == "-" {
		return nil
	}
	if r.o.json {
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		return enc.Encode(s.object())
	}
	s.print(out)
	return nil
}
