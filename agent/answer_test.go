package agent

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vignette/scenes/sign"
	uibridge "vignette/ui-bridge"
	"vignette/ui-bridge/privatebus"

	"github.com/godbus/dbus/v5"
)

// dialogueCar is the car of testdata/hmi, which is parked, in a directory of its
// own with the demo's study, and a key that signs what is put there.
type dialogueCar struct {
	t      *testing.T
	dir    string
	config Config
	key    sign.SecretKey
	hmi    *program
	stop   func()
}

func newDialogueCar(t *testing.T) *dialogueCar {
	t.Helper()
	d := &dialogueCar{t: t, dir: t.TempDir(), config: Defaults()}
	address, stop, err := privatebus.Start(t.Context(), d.dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	if d.key, err = sign.GenerateKey(nil); err != nil {
		t.Fatal(err)
	}
	dbc := d.example("hmi/car.dbc")
	d.write("car.dbc", dbc)
	d.put("vehicle.yaml", strings.Replace(d.example("hmi/vehicle.yaml"), "[car.dbc]", fmt.Sprintf("[{file: car.dbc, sha256: %x}]", sha256.Sum256([]byte(dbc))), 1))
	d.write("cards/lamp.yaml", d.example("hmi/cards/lamp.yaml"))
	d.write("hour.log", d.example("hmi/hour.log"))
	d.write("root.pub", string(d.key.Public().File()))
	d.put("studies/demo.yaml", d.example("drive/studies/demo.yaml"))
	if err := os.Mkdir(d.at("answers"), 0o755); err != nil {
		t.Fatal(err)
	}
	c := &d.config
	c.Vehicle, c.Cards, c.Trust, c.Bus = d.at("vehicle.yaml"), []string{d.at("cards")}, []string{d.at("root.pub")}, address
	c.Source = SourceConfig{Log: d.at("hour.log"), Speed: "1x", Replies: events}
	c.Traces, c.State = d.at("traces"), d.at("state")
	c.Studies = StudiesConfig{Cards: []string{d.at("studies")}, Answers: []string{d.at("answers")}, Trust: c.Trust, Build: "1.1", Market: "demo", Display: "wide"}
	return d
}

func (d *dialogueCar) at(name string) string { return filepath.Join(d.dir, name) }

func (d *dialogueCar) example(name string) string {
	d.t.Helper()
	text, err := os.ReadFile("../testdata/" + name)
	if err != nil {
		d.t.Fatal(err)
	}
	return string(text)
}

func (d *dialogueCar) write(name, text string) {
	d.t.Helper()
	path := d.at(name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path+".tmp", []byte(text), 0o644), os.Rename(path+".tmp", path)); err != nil {
		d.t.Fatal(err)
	}
}

// put writes a file with its signature.
func (d *dialogueCar) put(name, text string) {
	d.t.Helper()
	sig, err := d.key.Sign([]byte(text), "")
	if err != nil {
		d.t.Fatal(err)
	}
	d.write(name+".minisig", string(sig))
	d.write(name, text)
}

// start runs the agent with a watcher at its bus.
func (d *dialogueCar) start() {
	d.t.Helper()
	ctx, cancel := context.WithCancel(d.t.Context())
	running, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- Run(ctx, &d.config, slog.New(slog.NewTextHandler(onLine{"msg=running", func() { close(running) }}, nil)))
	}()
	stopped := false
	d.stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-ended; err != nil {
			d.t.Error(err)
		}
	}
	d.t.Cleanup(d.stop)
	select {
	case <-running:
	case err := <-ended:
		ended <- err
		d.t.Fatal("the agent ended at once")
	}
	d.hmi = newProgram(d.t, d.config.Bus)
	d.hmi.ask(d.t, uibridge.AgentInterface+".Watch", []string{})
}

// told waits until the watcher is told that a property of traces is so.
func (d *dialogueCar) told(name string, is func(v any) bool) {
	d.t.Helper()
	d.hmi.await(d.t, "PropertiesChanged", func(s *dbus.Signal) bool {
		v, ok := s.Body[1].(map[string]dbus.Variant)[name]
		return s.Body[0] == uibridge.TraceInterface && s.Path == uibridge.AgentPath && ok && is(v.Value())
	})
}

func same(want any) func(any) bool { return func(v any) bool { return v == want } }

func holds(part string) func(any) bool {
	return func(v any) bool { return strings.Contains(v.(string), part) && (part != "" || v == "") }
}

// answers asks for the driver's answers, as "id seen quiet" a line.
func (d *dialogueCar) answers() string {
	d.t.Helper()
	var list []map[string]dbus.Variant
	if err := d.hmi.Object(uibridge.AgentName, uibridge.AgentPath).Call(uibridge.TraceInterface+".Answers", 0).Store(&list); err != nil {
		d.t.Fatal(err)
	}
	var lines []string
	for _, a := range list {
		lines = append(lines, fmt.Sprintf("%v %v %v %v", a["id"].Value(), a["seen"].Value(), a["quiet"].Value(), a["parked"].Value()))
	}
	return strings.Join(lines, "\n")
}

// TestAnswerOverDBus is the life of an answer: a driver says yes to a study, the
// answer comes into the car while the agent runs, is announced to the HMI alone,
// read, dismissed, and stays so over a withdrawal and a restart.
func TestAnswerOverDBus(t *testing.T) {
	d := newDialogueCar(t)
	d.config.Unsigned = true // on a desk the recording vouches for its clock
	d.start()
	other := newProgram(t, d.config.Bus)
	if err := other.AddMatchSignal(); err != nil { // every signal that is not somebody's own
		t.Fatal(err)
	}
	const trace = uibridge.TraceInterface
	d.hmi.ask(t, uibridge.AgentInterface+".SetUser", uint64(7))
	d.hmi.ask(t, trace+".GiveConsent", "demo")
	d.told("Recording", same(true))
	if got := d.answers(); got != "" {
		t.Errorf("answers before there is one: %s", got)
	}
	d.put("answers/demo.yaml", d.example("drive/answers/demo.yaml"))
	d.told("NewAnswers", same(uint32(1)))
	if got := d.answers(); got != "demo-answer false false true" {
		t.Errorf("answers: %s", got)
	}
	d.hmi.ask(t, uibridge.AgentInterface+".SetUser", uint64(8))
	d.told("NewAnswers", same(uint32(0)))
	d.hmi.ask(t, uibridge.AgentInterface+".SetUser", uint64(7))
	d.told("NewAnswers", same(uint32(1)))

	d.write("answers/bad.yaml", "schema: 1\nkind: answer\n")
	d.problem("answers/bad.yaml:1:1: the answer card has no `id`; add it")
	d.hmi.ask(t, trace+".AnswerSeen", "demo-answer")
	d.told("NewAnswers", same(uint32(0)))
	if err := os.Remove(d.at("answers/bad.yaml")); err != nil {
		t.Fatal(err)
	}
	d.problem("")

	study := d.example("drive/studies/demo.yaml")
	d.write("studies/demo.yaml", strings.Replace(study, "k: 50", "k: 5O", 1))
	d.told("Problem", holds(fmt.Sprintf("demo.yaml:%d:4: ", 1+strings.Count(study[:strings.Index(study, "\nk: 50")+1], "\n"))))
	d.write("studies/demo.yaml", study)
	d.told("Recording", same(true))
	d.write("studies/demo.yaml", strings.Replace(study, "version: 1", "version: 2", 1)) // asked again
	d.told("Recording", same(false))
	d.hmi.ask(t, trace+".WithdrawConsent", "demo")
	if got := d.answers(); got != "demo-answer true true true" {
		t.Errorf("after withdrawal: %s", got)
	}
	d.stop()
	for len(other.heard) > 0 {
		if s := <-other.heard; s.Path == uibridge.AgentPath {
			t.Errorf("another program heard %v", s)
		}
	}
	d.start()
	d.hmi.ask(t, uibridge.AgentInterface+".SetUser", uint64(7))
	if got := d.answers(); got != "demo-answer true true true" {
		t.Errorf("after a restart: %s", got)
	}
}

// problem waits until the agent's only problem is one that has this at its end;
// empty: it has none.
func (d *dialogueCar) problem(end string) {
	d.t.Helper()
	var list []string
	if err := d.hmi.Object(uibridge.AgentName, uibridge.AgentPath).Call(uibridge.AgentInterface+".Reload", 0).Store(&list); err != nil {
		d.t.Fatal(err)
	}
	for _, one := range list {
		if end != "" && strings.Contains(one, end) {
			return
		}
	}
	if len(list) > 0 || end != "" {
		d.t.Errorf("problems %q, want %q", list, end)
	}
}

// TestStudyFilesAreFollowed changes signed files under a running agent: a bad
// signature stops the recorder at once and until it is mended, an older list of
// those called back does so too, also after a restart, and an answer with a bad
// signature is left out.
func TestStudyFilesAreFollowed(t *testing.T) {
	d := newDialogueCar(t)
	d.config.Studies.Revoked = d.at("revoked.yaml")
	list := func(version int) { d.put("revoked.yaml", fmt.Sprintf("schema: 1\nversion: %d\n", version)) }
	list(4)
	d.start()
	study := d.example("drive/studies/demo.yaml")
	d.write("studies/demo.yaml", study+"# changed\n")
	d.told("Problem", holds("demo.yaml.minisig: "))
	d.states("demo stopped")
	d.put("studies/demo.yaml", study+"# changed\n")
	d.told("Problem", holds(""))
	d.states("demo no_clock")
	if err := os.Remove(d.at("studies/demo.yaml.minisig")); err != nil {
		t.Fatal(err)
	}
	d.told("Problem", holds("demo.yaml is not signed"))
	d.put("studies/demo.yaml", study)
	d.told("Problem", holds(""))

	d.write("answers/demo.yaml", d.example("drive/answers/demo.yaml"))
	d.problem("demo.yaml is not signed")
	d.put("answers/demo.yaml", d.example("drive/answers/demo.yaml"))
	d.problem("")

	list(5)
	d.problem("") // it was looked at
	list(4)
	d.told("Problem", holds("revoked.yaml: version 4 of the list of those called back, but this car has had version 5"))
	d.stop()
	d.start()
	v, err := d.hmi.Object(uibridge.AgentName, uibridge.AgentPath).GetProperty(uibridge.TraceInterface + ".Problem")
	if err != nil || !strings.Contains(v.Value().(string), "has had version 5") {
		t.Errorf("after a restart: %v, %v", v, err)
	}
	d.put("revoked.yaml", "schema: 1\nversion: 6\nrevoked: [{id: demo, version: 1}]\n")
	d.told("Problem", holds(""))
	d.states("demo revoked")
	if _, err := os.Stat(d.at("traces")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without consent there is a directory of traces: %v", err)
	}
}

// states holds what the studies are for the present driver.
func (d *dialogueCar) states(want string) {
	d.t.Helper()
	var list []map[string]dbus.Variant
	if err := d.hmi.Object(uibridge.AgentName, uibridge.AgentPath).Call(uibridge.TraceInterface+".Studies", 0).Store(&list); err != nil {
		d.t.Fatal(err)
	}
	var lines []string
	for _, s := range list {
		lines = append(lines, fmt.Sprint(s["id"].Value(), " ", s["state"].Value()))
	}
	if got := strings.Join(lines, "\n"); got != want {
		d.t.Errorf("studies: %s, want %s", got, want)
	}
}

// TestRevokedListGrowsWithinAProcess holds that without a directory of state the
// list only grows until the agent ends.
func TestRevokedListGrowsWithinAProcess(t *testing.T) {
	f := studyFiles{config: &Config{Studies: StudiesConfig{Revoked: "revoked.yaml"}}, log: slog.New(slog.NewTextHandler(io.Discard, nil))}
	for _, c := range []struct {
		version int
		taken   bool
	}{{3, true}, {3, true}, {2, false}, {5, true}, {4, false}, {5, true}} {
		if err := f.grown(c.version); (err == nil) != c.taken {
			t.Errorf("version %d: %v", c.version, err)
		}
	}
	f.config.Unsigned = true
	if err := f.grown(1); err != nil {
		t.Errorf("on a desk: %v", err)
	}
}

// TestAssistanceIsTold holds that an episode carries the level of driver
// assistance which the profile's signal tells.
func TestAssistanceIsTold(t *testing.T) {
	d := newDialogueCar(t)
	d.config.Unsigned = true
	d.write("vehicle.yaml", strings.NewReplacer("signals:\n", "signals:\n  Vehicle.ADAS.ActiveAutonomyLevel: {from: pt.M.S, values: {0: SAE_1, 600: SAE_2}, stale_after: never}\n",
		"quarantine:", "assistance: {from: Vehicle.ADAS.ActiveAutonomyLevel, level_0: [SAE_2], level_1: [SAE_1]}\nquarantine:").Replace(d.example("hmi/vehicle.yaml")))
	d.start()
	d.hmi.ask(t, uibridge.AgentInterface+".SetUser", uint64(7))
	d.hmi.ask(t, uibridge.TraceInterface+".GiveConsent", "demo")
	d.hmi.ask(t, uibridge.TraceInterface+".Record", []struct{ Screen, Element, Gesture, Outcome string }{
		{"home", "navigation_tile", "tap", "ok"}, {"navigation", "zoom", "swipe", "ok"}, {"navigation", "back", "tap", "back"}})
	object := d.hmi.Object(uibridge.AgentName, uibridge.AgentPath)
	var traces []map[string]dbus.Variant
	var text string
	var segment []byte
	if err := object.Call(uibridge.TraceInterface+".Traces", 0).Store(&traces); err != nil || len(traces) != 1 {
		t.Fatalf("traces %v, %v", traces, err)
	}
	if err := object.Call(uibridge.TraceInterface+".ShowTrace", 0, traces[0]["id"].Value()).Store(&text, &segment); err != nil || !strings.Contains(text, "assistance level 1\n") {
		t.Errorf("shown as %s, %v", text, err)
	}
}
