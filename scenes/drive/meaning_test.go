package drive

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"vignette/scenes"
	"vignette/scenes/engine"
	"vignette/testdata/reference"
	"vignette/testdata/reference/translate"
)

const meaningDir = "../../testdata/meaning"

// TestMeaning runs the hand-worked traces: each states in its text which
// sentence of *Meaning* it works out, see testdata/meaning/README.md.
func TestMeaning(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(meaningDir, "*.txtar"))
	if err != nil || len(files) < 40 {
		t.Fatalf("%d traces, %v; want 40 or more", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			runTrace(t, a)
		})
	}
}

// traceRun is one hand-worked trace being run.
type traceRun struct {
	t     *testing.T
	prog  *scenes.Program
	pump  *Pump
	ref   *reference.Interpreter
	took  []byte               // records of the pump as JSON, and …
	said  []byte               // … those of the reference
	show  map[engine.What]bool // kinds of record left out of the comparison: false
	got   []string
	shown map[uint64]int // n of a record to its number in the trace
	real  []uint64       // and back

	session uint64
	dir     string
	judged  bool
}

func runTrace(t *testing.T, a *txtar.Archive) {
	t.Helper()
	r, stream, want := newTrace(t, a)
	for i, line := range lines(stream) {
		if err := r.feed(line); err != nil {
			t.Fatalf("stream line %d, %q: %v", i+1, line, err)
		}
	}
	if got, want := strings.Join(r.got, "\n"), strings.Join(lines(want), "\n"); got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	if string(r.took) != string(r.said) {
		t.Errorf("the engine:\n%s\ndiffers from the reference:\n%s", r.took, r.said)
	}
	// A line of a stream brings what it likes in one frame.
	if total := r.prog.Engine.Total(make([]int, len(r.prog.Sources))); r.pump.State().Operations() > total.OpsPerStep {
		t.Errorf("a step took %d operations; certified are %d", r.pump.State().Operations(), total.OpsPerStep)
	}
}

// newTrace readies a trace: its stream is to be fed, log is what must come.
func newTrace(t *testing.T, a *txtar.Archive) (r *traceRun, stream, log string) {
	t.Helper()
	dir := t.TempDir()
	copyFile(t, filepath.Join(meaningDir, "bench.dbc"), filepath.Join(dir, "bench.dbc"))
	copyFile(t, filepath.Join(meaningDir, "vehicle.yaml"), filepath.Join(dir, "vehicle.yaml"))
	laterVersion(t, dir)
	r = &traceRun{t: t, session: 1, shown: map[uint64]int{}, real: []uint64{0},
		show: map[engine.What]bool{engine.Live: false, engine.Known: false, engine.Unknown: false}}
	mode := "plain"
	for _, f := range a.Files {
		text := string(f.Data)
		switch f.Name {
		case "mode":
			mode = strings.TrimSpace(text)
		case "stream":
			stream = text
		case "log":
			log = text
		case "show":
			r.showWords(text)
		default:
			name := filepath.Join(dir, f.Name)
			if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o755), os.WriteFile(name, f.Data, 0o644)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if mode != "plain" && mode != "judged" {
		t.Fatalf("mode %q is not plain or judged", mode)
	}
	r.dir, r.judged = dir, mode == "judged"
	r.compile("cards")
	r.pump = NewPump(r.prog, 1, r.judged, Output{Records: r.take})
	vehicle, described := translate.Program(&r.prog.Engine)
	r.ref = reference.New(vehicle, described, 1, r.judged)
	return r, stream, log
}

// step feeds an event to the pump and to the reference.
func (r *traceRun) step(ev *engine.Event) error {
	r.say(r.ref.Step(translate.Event(&r.prog.Engine, ev)))
	return r.pump.step(ev)
}

// say takes what the reference has decided.
func (r *traceRun) say(records []reference.Record) {
	for i := range records {
		r.said = append(r.said, records[i].JSON()...)
	}
}

// laterVersion writes the bench's profile in its next version.
func laterVersion(t *testing.T, dir string) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "vehicle.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	later := strings.Replace(string(b), "\nversion: 1\n", "\nversion: 2\n", 1)
	if err := os.WriteFile(filepath.Join(dir, "later-vehicle.yaml"), []byte(later), 0o644); err != nil {
		t.Fatal(err)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	b, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, b, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// lines are the lines that say something, blanks made single.
func lines(text string) (list []string) {
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		if f := strings.Fields(line); len(f) > 0 {
			list = append(list, strings.Join(f, " "))
		}
	}
	return list
}

func (r *traceRun) showWords(text string) {
	for _, word := range strings.Fields(text) {
		for what := range r.show {
			if what.String() == word {
				r.show[what] = true
			}
		}
	}
}

func (r *traceRun) compile(cardDir string, vehicle ...string) {
	v, err := scenes.LoadVehicle(filepath.Join(r.dir, append(vehicle, "vehicle.yaml")[0]))
	if err != nil {
		r.t.Fatal(err)
	}
	cards, err := scenes.LoadCards(filepath.Join(r.dir, cardDir))
	if err != nil {
		r.t.Fatal(err)
	}
	if r.prog, err = scenes.Compile(v, cards); err != nil {
		r.t.Fatal(err)
	}
}

// feed makes the event of one line of a trace's stream.
func (r *traceRun) feed(line string) error {
	f := strings.Fields(line)
	seconds, err := strconv.ParseFloat(f[0], 64)
	if err != nil || len(f) < 2 {
		return fmt.Errorf("want a time and an event")
	}
	ev := engine.Event{T: int64(math.Round(seconds * 1e9))}
	switch f[1] {
	case "tick":
		ev.Kind = engine.EvTick
	case "stop":
		ev.Kind = engine.EvStop
	case "lost", "link":
		if ev.Bus = busIndex(r.prog.Vehicle, f[2]); ev.Bus < 0 {
			return fmt.Errorf("no bus %s", f[2])
		}
		if ev.Kind = engine.EvLost; f[1] == "lost" {
			if ev.Count, err = strconv.ParseUint(f[3], 10, 64); err != nil {
				return err
			}
			break
		}
		ev.Kind = engine.EvLink
		for int(ev.Link) < engine.Links && ev.Link.String() != f[3] {
			ev.Link++
		}
		if int(ev.Link) == engine.Links {
			return fmt.Errorf("no link state %s", f[3])
		}
	case "occur", "found":
		i, ok := r.prog.Occurrence(strings.Join(f[2:], " "))
		if !ok {
			return fmt.Errorf("the profile binds no such occurrence")
		}
		ev.Kind, ev.Occur, ev.OK = engine.EvOccur, i, f[1] == "occur"
	case "clock":
		ev.Kind = engine.EvClock
		if ev.Clock, err = traceClock(f[2:]); err != nil {
			return err
		}
	case "reply":
		ev.Kind, ev.Session, ev.OK = engine.EvReply, r.session, f[3] == "ok"
		if ev.Ref, err = r.record(ev.T, f[2]); err != nil {
			return err
		}
	case "override":
		act, ok := r.prog.Actuator(f[2])
		if !ok {
			return fmt.Errorf("no actuator %s", f[2])
		}
		num, err := strconv.ParseFloat(f[3], 64)
		if err != nil {
			return err
		}
		ev.Kind, ev.Actuator, ev.Value = engine.EvOverride, act, engine.Value{Kind: engine.Number, Num: num}
	case "reload":
		r.compile(f[2], f[3:]...)
		vehicle, cards := translate.Program(&r.prog.Engine)
		r.say(r.ref.Reload(ev.T, vehicle, cards))
		return r.pump.Reload(ev.T, r.prog)
	case "boot":
		r.boot(f[2:])
		return nil
	case "answer", "user", "sleep", "enable", "disable", "run", "free":
		if err := r.driver(&ev, f[1:]); err != nil {
			return err
		}
	default:
		ev.Kind = engine.EvFrame
		if ev.Samples, err = r.samples(f[1:]); err != nil {
			return err
		}
	}
	return r.step(&ev)
}

// traceClock reads `lost`, or the local time with what is known beside it.
func traceClock(words []string) (*engine.Clocking, error) {
	if words[0] == "lost" {
		return &engine.Clocking{}, nil
	}
	c := &engine.Clocking{Trusted: true}
	for i, word := range words {
		key, text, ok := strings.Cut(word, "=")
		if !ok {
			key, text = "", word
		}
		var wall [2]int64
		var offset int64
		for j, text := range strings.Split(text, ",") {
			if text == "-" || j > 1 {
				continue
			}
			t, err := time.Parse(time.RFC3339Nano, text)
			if err != nil {
				return nil, err
			}
			_, seconds := t.Zone()
			wall[j], offset = t.UnixNano(), int64(seconds)
		}
		switch {
		case i == 0 && !ok:
			c.Wall, c.Offset = wall[0], offset
		case key == "next":
			c.Next, c.NextOffset = wall[0], offset
		case key == "rise":
			c.Rise = wall
		case key == "set":
			c.Set = wall
		default:
			return nil, fmt.Errorf("%q says nothing about a clock", word)
		}
	}
	return c, nil
}

// samples decodes path=value pairs; signals that no card asked for are left
// out, as the pump does.
func (r *traceRun) samples(pairs []string) ([]engine.Sample, error) {
	given := map[string]string{}
	for _, pair := range pairs {
		path, text, ok := strings.Cut(pair, "=")
		if !ok || r.prog.Vehicle.Signal(path) == nil {
			return nil, fmt.Errorf("%q is not a signal of the profile and its value", pair)
		}
		given[path] = text
	}
	var list []engine.Sample
	for slot := range r.prog.Sources {
		text, ok := given[r.prog.Sources[slot].Path]
		if !ok {
			continue
		}
		s := engine.Sample{Slot: slot}
		if text != "invalid" {
			var err error
			if s.Num, err = encode(&r.prog.Sources[slot], text); err != nil {
				return nil, err
			}
			s.Valid = true
		}
		list = append(list, s)
	}
	return list, nil
}

// encode finds the 16-bit raw value that the profile shows as text, by the
// profile's own labels or as a number in the DBC's unit, and decodes it.
func encode(src *scenes.Source, text string) (float64, error) {
	for raw := -4000; raw < 4000; raw++ {
		data := []byte{byte(raw), byte(raw >> 8)}
		num, valid, present := src.Sample(data)
		if !valid || !present {
			continue
		}
		shown := src.Text(num)
		if src.Kind == engine.Number {
			shown = string(AppendNumber(nil, src.Field.Physical(int64(raw))))
		}
		if shown == text {
			return num, nil
		}
	}
	return 0, fmt.Errorf("no raw value of %s is %s", src.Path, text)
}

// take renders records as the traces write them.
func (r *traceRun) take(records []engine.Record) {
	for i := range records {
		rec := &records[i]
		r.took = AppendRecordJSON(r.took, rec)
		if shown, optional := r.show[rec.What]; optional && !shown {
			continue
		}
		r.shown[rec.N] = len(r.real)
		r.real = append(r.real, rec.N)
		card := rec.Card
		if card == "" {
			card = "-"
		}
		line := fmt.Sprintf("%s %d %s %s", AppendSeconds(nil, rec.T), r.shown[rec.N], card, rec.What)
		for _, kv := range []struct{ key, value string }{{"why", rec.Why}, {"action", rec.Action}, {"actuator", rec.Actuator}} {
			if kv.value != "" {
				line += " " + kv.key + "=" + kv.value
			}
		}
		if rec.Value.Kind != engine.None {
			line += " value=" + strings.Trim(string(AppendValue(nil, rec.Value)), `"`)
		}
		if rec.Lease != 0 {
			line += " lease=" + string(AppendSeconds(nil, rec.Lease))
		}
		if rec.Cause != 0 {
			line += " cause=" + strconv.Itoa(r.shown[rec.Cause])
		}
		r.got = append(r.got, line)
	}
}

// TestTracesAreListed holds that the table of traces names each file with its
// mode, once, and that the table of sentences names only traces that exist.
func TestTracesAreListed(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(meaningDir, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(meaningDir, "*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	numbers := map[string]bool{}
	for _, file := range files {
		name, mode := filepath.Base(file), "plain"
		a, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range a.Files {
			if f.Name == "mode" {
				mode = strings.TrimSpace(string(f.Data))
			}
		}
		if n := strings.Count(string(page), "| `"+name+"` | "+mode+" | "); n != 1 {
			t.Errorf("%s, %s: listed %d times", name, mode, n)
		}
		numbers[name[:3]] = true
	}
	_, sentences, _ := strings.Cut(string(page), "## Sentences")
	for line := range strings.Lines(sentences) {
		cells := strings.Split(line, "|")
		if len(cells) < 5 || !strings.ContainsAny(cells[1], "0123456789") {
			continue
		}
		for _, n := range strings.Split(cells[len(cells)-2], ",") {
			if n = strings.TrimSpace(n); !numbers[n] {
				t.Errorf("sentence %s names trace %q, which does not exist", strings.TrimSpace(cells[1]), n)
			}
		}
	}
}
