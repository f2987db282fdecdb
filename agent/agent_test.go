package agent

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"vignette/scenes/drive"
	"vignette/scenes/yaml"
	driven "vignette/testdata/drive"
	"vignette/ui-bridge/privatebus"
)

// bench is a directory with a configuration, a log and a private bus.
type bench struct {
	t       testing.TB
	dir     string
	config  *Config
	stopBus func()
}

// newBench readies an agent on the first seconds of our own drive at full speed.
func newBench(t testing.TB, seconds int) *bench {
	t.Helper()
	dir := t.TempDir()
	address, stop, err := privatebus.Start(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	var log bytes.Buffer
	if err := driven.Generate(&log, seconds); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "drive.log"), log.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	c := Defaults()
	c.Vehicle, c.Cards, c.Unsigned = "../testdata/drive/vehicle.yaml", []string{"../testdata/drive/cards"}, true
	c.Source.Log, c.Source.Speed = filepath.Join(dir, "drive.log"), "max"
	c.Bus = address
	c.Decisions = DecisionsConfig{File: filepath.Join(dir, "d.jsonl"), Format: "jsonl"}
	c.Journal = filepath.Join(dir, "j.msgp")
	return &bench{t, dir, &c, stop}
}

func (b *bench) run() error {
	return Run(b.t.Context(), b.config, slog.New(slog.NewTextHandler(io.Discard, nil)))
}

func (b *bench) file(name string) []byte {
	b.t.Helper()
	text, err := os.ReadFile(filepath.Join(b.dir, name))
	if err != nil {
		b.t.Fatal(err)
	}
	return text
}

// replay replays the agent's journal.
func (b *bench) replay() []byte {
	b.t.Helper()
	prog, err := Load(b.config)
	if err != nil {
		b.t.Fatal(err)
	}
	j, err := drive.NewJournalReader("j.msgp", bytes.NewReader(b.file("j.msgp")), prog)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := j.Fits(prog); err != nil {
		b.t.Fatal(err)
	}
	var out bytes.Buffer
	log, err := drive.NewDecisionLog(&out, drive.JSONLines, &j.Header)
	if err != nil {
		b.t.Fatal(err)
	}
	if err := drive.Run(j, drive.NewPump(prog, j.Header.Session, j.Judged, drive.Output{Decisions: log})); err != nil {
		b.t.Fatal(err)
	}
	return out.Bytes()
}

// TestRepliesAsEvents runs without the HMI's service, so that every call is
// refused by the bus: the failures are events, they change decisions, and the
// journal's replay makes the same ones.
func TestRepliesAsEvents(t *testing.T) {
	b := newBench(t, 20)
	b.config.Source.Replies, b.config.Source.Speed = "events", "20x"
	if err := b.run(); err != nil {
		t.Fatal(err)
	}
	decisions := b.file("d.jsonl")
	for _, want := range []string{`"what":"failed","why":"error","action":"set"`, `"what":"ended","why":"error"`, `"session":1`} {
		if !strings.Contains(string(decisions), want) {
			t.Errorf("no %s in\n%s", want, decisions)
		}
	}
	if strings.Contains(string(decisions), `"why":"back"`) {
		t.Errorf("a reply was stamped after a frame that was due before it:\n%s", decisions)
	}
	if replay := b.replay(); !bytes.Equal(replay, decisions) {
		t.Errorf("the journal's replay differs:\n%s\nagent:\n%s", replay, decisions)
	}
}

// TestEarlierFilesAreKept runs twice: the first run's files stay beside the new.
func TestEarlierFilesAreKept(t *testing.T) {
	b := newBench(t, 10)
	if err := b.run(); err != nil {
		t.Fatal(err)
	}
	first := b.file("d.jsonl")
	b.config.Source.Duration = 5e9
	if err := b.run(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"d.jsonl", "j.msgp", "d.jsonl.1"} {
		if info, err := os.Stat(filepath.Join(b.dir, name)); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, mode %v; only the agent's user may read where and when", name, err, info.Mode())
		}
	}
	if !bytes.Equal(b.file("d.jsonl.1"), first) || bytes.Equal(b.file("d.jsonl"), first) {
		t.Error("the first run's decision log is not in d.jsonl.1")
	}
}

// TestNoConsentNoByte runs with a trace directory and no consent.
func TestNoConsentNoByte(t *testing.T) {
	b := newBench(t, 10)
	b.config.Traces = filepath.Join(b.dir, "traces")
	if err := b.run(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(b.config.Traces); !os.IsNotExist(err) {
		t.Errorf("without consent the trace directory was made: %v", err)
	}
}

// onLine is a logger's writer that calls a function at lines that hold a text.
type onLine struct {
	text string
	call func()
}

func (o onLine) Write(line []byte) (int, error) {
	if bytes.Contains(line, []byte(o.text)) {
		o.call()
	}
	return len(line), nil
}

// TestStopsWhenTold ends a paced run by its context.
func TestStopsWhenTold(t *testing.T) {
	b := newBench(t, 60)
	b.config.Source.Speed = "1x"
	ctx, cancel := context.WithCancel(t.Context())
	if err := Run(ctx, b.config, slog.New(slog.NewTextHandler(onLine{"msg=running", cancel}, nil))); err != nil {
		t.Errorf("told to stop, it said %v", err)
	}
	if !bytes.HasPrefix(b.file("d.jsonl"), []byte(`{"log":1,`)) {
		t.Error("the decision log is not written out")
	}
}

// TestStopEndsLeases tells the agent to stop while a card holds a lease: the
// lease's end is decided, sent and in the journal.
func TestStopEndsLeases(t *testing.T) {
	b := newBench(t, 20)
	b.config.Source.Speed = "20x"
	ctx, cancel := context.WithCancel(t.Context())
	// No HMI serves the calls, so the first one of a card is told as failed.
	log := slog.New(slog.NewTextHandler(onLine{"a call failed", cancel}, nil))
	if err := Run(ctx, b.config, log); err != nil {
		t.Fatal(err)
	}
	decisions := b.file("d.jsonl")
	for _, want := range []string{`"card":"air-hot-cabin","what":"ended","why":"stop"`, `"card":"air-hot-cabin","what":"acted","action":"end"`} {
		if !strings.Contains(string(decisions), want) {
			t.Errorf("no %s in\n%s", want, decisions)
		}
	}
	if replay := b.replay(); !bytes.Equal(replay, decisions) {
		t.Errorf("the journal's replay differs:\n%s\nagent:\n%s", replay, decisions)
	}
}

// TestBusLost kills the D-Bus daemon under a running agent and starts it again:
// the agent drives on, the calls meanwhile failed, and the journal says so.
func TestBusLost(t *testing.T) {
	b := newBench(t, 60)
	b.config.Source.Replies, b.config.Source.Speed = "events", "20x"
	back := 0
	log := slog.New(slog.NewTextHandler(io.MultiWriter(onLine{"msg=running", b.stopBus},
		onLine{"lost the D-Bus daemon", func() {
			if _, stop, err := privatebus.Start(t.Context(), b.dir); err != nil {
				t.Error(err)
			} else {
				t.Cleanup(stop)
			}
		}}, onLine{"the D-Bus daemon is back", func() { back++ }}), nil))
	if err := Run(t.Context(), b.config, log); err != nil {
		t.Fatal(err)
	}
	if back != 1 {
		t.Errorf("the bus came back %d times", back)
	}
	if replay := b.replay(); !bytes.Equal(replay, b.file("d.jsonl")) {
		t.Error("the journal's replay differs")
	}
}

// TestRunErrors starts the agent with what cannot work: a clear message each,
// and no decision log.
func TestRunErrors(t *testing.T) {
	for _, c := range []struct {
		name string
		set  func(b *bench)
		want string
	}{
		{"no bus daemon", func(b *bench) { b.config.Bus = "unix:path=" + filepath.Join(b.dir, "nobus") }, "is dbus-daemon running?"},
		{"no log", func(b *bench) { b.config.Source.Log += "x" }, "no such file"},
		{"empty log", func(b *bench) { b.truncate(0) }, "the log is empty"},
		{"trace directory is a file", func(b *bench) { b.config.Traces = b.config.Source.Log }, "drive.log"},
		{"no profile", func(b *bench) { b.config.Vehicle = "nosuch.yaml" }, "nosuch.yaml"},
		{"bus map", func(b *bench) { b.config.Source.Map = []string{"can0=nosuch"} }, "has no bus \"nosuch\""},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newBench(t, 5)
			c.set(b)
			err := b.run()
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if _, err := os.Stat(filepath.Join(b.dir, "d.jsonl")); !os.IsNotExist(err) {
				t.Errorf("a decision log was begun: %v", err)
			}
		})
	}
	t.Run("cut log", func(t *testing.T) {
		b := newBench(t, 5)
		b.truncate(len(b.file("drive.log")) - 3)
		if err := b.run(); err == nil || !strings.Contains(err.Error(), "cut") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("unwritable decision log", func(t *testing.T) {
		b := newBench(t, 5)
		b.config.Decisions.File = filepath.Join(b.dir, "nosuch", "d.jsonl")
		if err := b.run(); err == nil || !strings.Contains(err.Error(), "decision log: ") {
			t.Errorf("got %v", err)
		}
	})
}

func (b *bench) truncate(n int) {
	b.t.Helper()
	if err := os.Truncate(b.config.Source.Log, int64(n)); err != nil {
		b.t.Fatal(err)
	}
}

// TestLoadConfig reads bad configurations: each message names the file and
// what to do.
func TestLoadConfig(t *testing.T) {
	const good = "vehicle: v.yaml\ncards: [c]\nsource: {log: l}\n"
	for _, c := range []struct{ name, text, want string }{
		{"good", good, ""},
		{"empty", "", ":1:1: is empty; a YAML mapping is expected"},
		{"unknown key", good + "speeed: 3\n", ":4:1: unknown key speeed; known are vehicle, trust, cards"},
		{"twice", good + "vehicle: w.yaml\n", ":4:1: key vehicle is given twice; keep one"},
		{"no vehicle", "cards: [c]\nsource: {log: l}\n", "vehicle is missing"},
		{"no cards", "vehicle: v\nsource: {log: l}\n", "cards is missing"},
		{"speed of live buses", "vehicle: v\ncards: [c]\nsource: {speed: 2x}\n", "source.speed is for a recording"},
		{"duration of live buses", "vehicle: v\ncards: [c]\nsource: {duration: 2s}\n", "source.duration is for a recording"},
		{"replies of live buses", "vehicle: v\ncards: [c]\nsource: {replies: assumed}\n", "live buses have events"},
		{"speed", "vehicle: v\ncards: [c]\nsource: {log: l, speed: fast}\n", `source.speed "fast" is not max`},
		{"replies", "vehicle: v\ncards: [c]\nsource: {log: l, replies: yes}\n", "source.replies"},
		{"two sources", "vehicle: v\ncards: [c]\nsource: {log: l, pipe: p}\n", "source.log and source.pipe are two sources"},
		{"format", good + "decisions: {file: d, format: xml}\n", "unknown decision log format"},
		{"files too large", good + "decisions: {file: d, limits: {max_mib: 5000}}\n", "decisions.limits.max_mib: 5000 is not within 1 and 4096"},
		{"too many files", good + "journal_limits: {keep: 100}\n", "journal_limits.keep: 100 is not within 1 and 99"},
		{"files too young", good + "journal_limits: {max_age: 1m}\n", "journal_limits.max_age: 1m0s is below 2m0s"},
		{"too much for previews", good + "preview_mib: 65\n", "preview_mib: 65 is not within 0 and 64"},
		{"studies without traces", good + "studies: {cards: [s]}\n", "studies.cards: there is no directory for what is recorded"},
		{"answers without traces", good + "studies: {answers: [a], build: b}\n", "studies.answers: there is no directory that says who took part"},
		{"answers without a build", good + "traces: t\nstudies: {answers: [a]}\n", "studies.answers: an answer is for builds of the HMI"},
		{"unknown limit", good + "journal_limits: {size: 1}\n", ":4:18: unknown key size; known are max_mib, keep, max_age"},
		{"not a mapping", "- 1\n", ":1:1: a mapping is expected"},
		{"two faults", "a: 1\nvehicle: v\nb: 2\n", ":3:1: unknown key b"},
		{"a text for a list", "vehicle: v\ncards: c\n", ":2:8: a list is expected, such as [a, b]"},
		{"a list for a text", "vehicle: [v]\n", ":1:10: one value is expected"},
		{"a text for a mapping", "source: log\n", ":1:9: a mapping is expected"},
		{"a list for names", "buses: [a]\n", ":1:8: a mapping is expected, such as {name: text}"},
		{"a name twice", "buses: {a: b, a: c}\n", ":1:15: key a is given twice"},
		{"an empty entry", "cards:\n  - c\n  -\n", ":3:4: an entry has no value"},
		{"a fraction", good + "preview_mib: 1.5\n", ":4:14: `1.5` is not a whole number"},
		{"a number in quotes", good + "preview_mib: '1'\n", ":4:14: `1` is not a whole number"},
		{"a duration without a unit", "source: {duration: 5}\n", ":1:20: `5` is not a duration; write it like 30s, 15m or 24h"},
		{"an alias", "vehicle: &v v\ncards: [*v]\n", ":2:9: alias `*v` is not allowed"},
		{"a document more", good + "---\n", ":4:1: a second document begins"},
		{"too long", good + strings.Repeat("#", 1<<16), "is longer than 64 KiB"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "agent.yaml")
			if err := os.WriteFile(path, []byte(c.text), 0o644); err != nil {
				t.Fatal(err)
			}
			got, err := LoadConfig(path)
			if c.want == "" {
				if err != nil || got.Vehicle != filepath.Join(filepath.Dir(path), "v.yaml") || got.Source.Speed != "1x" {
					t.Errorf("%+v, %v", got, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// TestDocumentedConfig reads the configuration that docs/integrate-hmi.md shows:
// it is valid, and it names every key.
func TestDocumentedConfig(t *testing.T) {
	page, err := os.ReadFile("../docs/integrate-hmi.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(page), "```yaml\nvehicle:")
	text, _, closed := strings.Cut(rest, "```")
	if !ok || !closed {
		t.Fatal("docs/integrate-hmi.md shows no configuration")
	}
	text = "vehicle:" + text
	path := filepath.Join(t.TempDir(), "agent.yaml")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadConfig(path); err != nil {
		t.Error(err)
	}
	var c Config
	for _, key := range keysOf(c.fields()) {
		if !strings.Contains(text, key+":") {
			t.Errorf("%s is not shown", key)
		}
	}
}

// keysOf are the keys of fields, and of those in them.
func keysOf(fields []field) (keys []string) {
	for _, f := range fields {
		keys = append(keys, f.key)
		if in, ok := f.to.([]field); ok {
			keys = append(keys, keysOf(in)...)
		}
	}
	return keys
}

// TestConfigHasAKeyForEachField: what the configuration can say has a key, and one
// of its own.
func TestConfigHasAKeyForEachField(t *testing.T) {
	var c Config
	if len(keysOf(c.fields())) != 40 {
		t.Errorf("%d keys: %v", len(keysOf(c.fields())), keysOf(c.fields()))
	}
	text := "vehicle: v\ntrust: [t]\ncards: [c]\nsource: {log: l, pipe: p, map: [m], speed: s, duration: 1s, replies: r}\nbus: b\nbuses: {x: y}\nlanguage: n\n" +
		"decisions: {file: f, format: o, limits: {max_mib: 1, keep: 2, max_age: 3s}}\njournal: j\njournal_limits: {max_mib: 4, keep: 5, max_age: 6s}\ntraces: t\n" +
		"studies: {cards: [a], answers: [b], trust: [c], revoked: d, build: e, market: f, display: g}\npacks: {trust: h, revoked: i}\nstate: k\npreview_mib: 7\nsleep: z\n"
	root, faults := yaml.Parse(text, yaml.Limits{Depth: 8, Nodes: 1000})
	r := fieldsReader{faults}
	r.mapping(root, c.fields())
	l := Limits{MaxMiB: 1, Keep: 2, MaxAge: 3 * time.Second}
	want := Config{Vehicle: "v", Trust: []string{"t"}, Cards: []string{"c"}, Bus: "b", Buses: map[string]string{"x": "y"}, Language: "n",
		Source:    SourceConfig{Log: "l", Pipe: "p", Map: []string{"m"}, Speed: "s", Duration: time.Second, Replies: "r"},
		Decisions: DecisionsConfig{File: "f", Format: "o", Limits: l}, Journal: "j", JournalLimits: Limits{MaxMiB: 4, Keep: 5, MaxAge: 6 * time.Second}, Traces: "t",
		Studies: StudiesConfig{Cards: []string{"a"}, Answers: []string{"b"}, Trust: []string{"c"}, Revoked: "d", Build: "e", Market: "f", Display: "g"},
		Packs:   PacksConfig{Trust: "h", Revoked: "i"}, State: "k", PreviewMiB: 7, Sleep: "z"}
	if r.faults != nil || !reflect.DeepEqual(c, want) {
		t.Errorf("%v\n%+v\n%+v", r.faults, c, want)
	}
}
