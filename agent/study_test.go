package agent

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vignette/scenes"
	"vignette/scenes/sign"
	uibridge "vignette/ui-bridge"
	"vignette/ui-bridge/trace"

	"github.com/godbus/dbus/v5"
)

// studyBench is a running agent with the demo's study, and the HMI's end of it.
type studyBench struct {
	*bench
	hmi dbus.BusObject
}

// runStudies runs an agent on our drive at 10x until the test ends; its log goes to
// others too.
func runStudies(t *testing.T, set func(c *Config), others ...io.Writer) *studyBench {
	t.Helper()
	b := newBench(t, 120)
	b.config.Source.Speed = "10x"
	b.config.Traces = filepath.Join(b.dir, "traces")
	b.config.Studies.Cards = []string{"../testdata/drive/studies"}
	set(b.config)
	ctx, stop := context.WithCancel(t.Context())
	running, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		log := io.MultiWriter(append(others, onLine{"msg=running", func() { close(running) }})...)
		ended <- Run(ctx, b.config, slog.New(slog.NewTextHandler(log, nil)))
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	select {
	case <-running:
	case err := <-ended:
		t.Fatal("the agent ended:", err)
	}
	conn, err := dbus.Connect(b.config.Bus)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &studyBench{b, conn.Object(uibridge.AgentName, uibridge.AgentPath)}
}

// ask calls a method of org.vignette.Trace1 and takes its answer.
func (s *studyBench) ask(method string, args []any, into ...any) {
	s.t.Helper()
	call := s.hmi.Call(uibridge.TraceInterface+"."+method, 0, args...)
	if call.Err == nil {
		call.Err = call.Store(into...)
	}
	if call.Err != nil {
		s.t.Fatalf("%s: %v", method, call.Err)
	}
}

// fails wants a D-Bus error of a method.
func (s *studyBench) fails(method, name string, args ...any) {
	s.t.Helper()
	err := s.hmi.Call(uibridge.TraceInterface+"."+method, 0, args...).Err
	var fault dbus.Error
	if !errors.As(err, &fault) || fault.Name != "org.vignette.Error."+name {
		s.t.Errorf("%s: %v, want %s", method, err, name)
	}
}

func (s *studyBench) property(name string) any {
	s.t.Helper()
	v, err := s.hmi.GetProperty(uibridge.TraceInterface + "." + name)
	if err != nil {
		s.t.Fatal(err)
	}
	return v.Value()
}

// TestStudyOverDBus is a study's life as an HMI sees it: asked, explained,
// consented to, recorded, looked at, deleted, exported and taken back.
func TestStudyOverDBus(t *testing.T) {
	s := runStudies(t, func(*Config) {})
	s.fails("GiveConsent", "NoDriver", "demo")
	if err := consent(s.hmi); err != nil {
		t.Fatal(err)
	}
	s.fails("GiveConsent", "UnknownStudy", "nosuch")
	var list []map[string]dbus.Variant
	s.ask("Studies", nil, &list)
	if len(list) != 1 || list[0]["id"].Value() != "demo" || list[0]["state"].Value() != "on" || list[0]["until"].Value() != "2026-03-31" ||
		!strings.HasPrefix(list[0]["consent_until"].Value().(string), "2026-03-26T10:00:") {
		t.Errorf("studies %v", list)
	}
	var text string
	s.ask("ExplainStudy", []any{"demo", "zh"}, &text)
	if !strings.Contains(text, "同意后记录的内容") {
		t.Errorf("explained: %s", text)
	}
	var n uint32
	attempt := []struct{ Screen, Element, Gesture, Outcome string }{{"home", "navigation_tile", "tap", "ok"}, {"navigation", "zoom", "swipe", "ok"},
		{"navigation", "back", "tap", "back"}, {"home", "Zhang Wei", "tap", "ok"}}
	s.ask("Record", []any{attempt}, &n)
	if n != 3 || s.property("Recording") != true || s.property("Study") != "demo" || s.property("Problem") != "" {
		t.Errorf("%d recorded, recording %v", n, s.property("Recording"))
	}
	var traces []map[string]dbus.Variant
	s.ask("Traces", nil, &traces)
	if len(traces) != 1 || traces[0]["task"].Value() != "look_at_the_map" || traces[0]["week"].Value() != "2026-W01" {
		t.Fatalf("traces %v", traces)
	}
	id := traces[0]["id"].Value().(string)
	var segment []byte
	s.ask("ShowTrace", []any{id}, &text, &segment)
	var all []struct {
		ID      string
		Segment []byte
	}
	s.ask("ExportTraces", nil, &all)
	if len(segment) != 512 || !strings.Contains(text, "home/navigation_tile tap -> ok") || len(all) != 1 || all[0].ID != id || !bytes.Equal(all[0].Segment, segment) {
		t.Errorf("%d bytes, exported %v\n%s", len(segment), all, text)
	}
	s.ask("DeleteTrace", []any{id})
	s.fails("ShowTrace", "UnknownTrace", id)
	s.ask("Record", []any{attempt}, &n)
	s.ask("WithdrawConsent", []any{"demo"})
	s.ask("Traces", nil, &traces)
	var history []map[string]dbus.Variant
	s.ask("ConsentHistory", nil, &history)
	if len(traces) != 0 || s.property("Recording") != false || len(history) != 2 || history[0]["given"].Value() != true || history[1]["given"].Value() != false {
		t.Errorf("after withdrawal: traces %v, history %v", traces, history)
	}
	if err := s.hmi.Call(uibridge.AgentInterface+".SetUser", 0, uint64(0)).Err; err != nil {
		t.Fatal(err)
	}
	s.ask("ConsentHistory", nil, &history)
	if len(history) != 0 {
		t.Errorf("a guest sees %v", history)
	}
}

// TestConsentIsItsDrivers: a no waits for no loop, and a yes that had to wait for it
// is nobody's when another driver has come meanwhile.
func TestConsentIsItsDrivers(t *testing.T) {
	study, err := scenes.LoadStudy("../testdata/drive/studies/demo.yaml")
	if err != nil {
		t.Fatal(err)
	}
	r, err := trace.Open(filepath.Join(t.TempDir(), "traces"), trace.Options{Studies: []*scenes.Study{study}})
	if err != nil {
		t.Fatal(err)
	}
	r.SetUser(1)
	now := study.From.AddDate(0, 0, 1)
	if err := r.GiveConsent("demo", trace.Context{Now: now, Wall: now, Parked: true}); err != nil {
		t.Fatal(err)
	}
	a := &agent{recorder: &studies{Recorder: r}, tasks: make(chan task), ended: make(chan struct{})}
	said := make(chan error)
	go func() { said <- a.Consent("demo", true) }()
	late := <-a.tasks
	r.SetUser(2)
	late.done <- nil
	(<-a.tasks).done <- uibridge.ErrClosing // what it would tell watchers
	if err := <-said; !errors.Is(err, trace.ErrOtherDriver) || len(r.ConsentHistory()) != 0 {
		t.Errorf("driver 1's yes, taken after driver 2 came: %v, %d decisions", err, len(r.ConsentHistory()))
	}
	close(a.ended) // the loop does nothing more
	r.SetUser(1)
	if err := r.Tick(trace.Context{Now: now, Wall: now}); err != nil || !r.Recording() {
		t.Errorf("before the no: %v, recording %t", err, r.Recording())
	}
	if err := a.Consent("demo", false); err != nil || r.Recording() {
		t.Errorf("a no without a loop: %v, recording %t", err, r.Recording())
	}
	if h := r.ConsentHistory(); len(h) != 2 || h[1].Given || !h[1].At.Equal(now) {
		t.Errorf("decisions %+v", h)
	}
}

// TestFailingDiskIsTold has the disk take no episode for a while: the HMI is told,
// the log has it, it is counted; and recording goes on.
func TestFailingDiskIsTold(t *testing.T) {
	logged := make(chan struct{}, 16)
	s := runStudies(t, func(*Config) {}, onLine{"writing traces", func() { logged <- struct{}{} }})
	if err := consent(s.hmi); err != nil {
		t.Fatal(err)
	}
	attempt := []struct{ Screen, Element, Gesture, Outcome string }{{"home", "navigation_tile", "tap", "ok"}, {"navigation", "zoom", "swipe", "ok"}, {"navigation", "back", "tap", "back"}}
	inTheWay := filepath.Join(s.config.Traces, "spool")
	if err := os.WriteFile(inTheWay, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s.fails("Record", "Failed", attempt)
	<-logged
	for counted := false; !counted; {
		v, err := s.hmi.GetProperty(uibridge.AgentInterface + ".Counters")
		if err != nil {
			t.Fatal(err)
		}
		counted = v.Value().(map[string]uint64)["episodes_lost"] == 1
	}
	if err := os.Remove(inTheWay); err != nil {
		t.Fatal(err)
	}
	var n uint32
	var traces []map[string]dbus.Variant
	s.ask("Record", []any{attempt}, &n)
	s.ask("Traces", nil, &traces)
	if n != 3 || len(traces) != 1 {
		t.Errorf("the disk is good again: %d recorded, traces %v", n, traces)
	}
}

// TestStudiesAreSigned holds that in a car a study card counts only with a good
// signature of a study key, which is not the profile's; that a bad one stops the
// recorder and not the agent; and that --check-config tells.
func TestStudiesAreSigned(t *testing.T) {
	dir := t.TempDir()
	key := func(name string) sign.SecretKey {
		k, err := sign.GenerateKey(nil)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name+".pub"), k.Public().File(), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	root, profile := key("root"), key("profile")
	card := filepath.Join(dir, "demo.yaml")
	text, err := os.ReadFile("../testdata/drive/studies/demo.yaml")
	if err != nil {
		t.Fatal(err)
	}
	signed := func(k sign.SecretKey, changed string) {
		sig, err := k.Sign(text, "")
		if err == nil {
			err = errors.Join(os.WriteFile(card, append(bytes.Clone(text), changed...), 0o600), os.WriteFile(card+".minisig", sig, 0o600))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	c := Config{Traces: filepath.Join(dir, "traces")}
	c.Studies.Cards = []string{card}
	load := func() error {
		o, _ := loadStudies(&c)
		if o.Stopped == nil && (len(o.Studies) != 1 || !o.Studies[0].Signed) {
			t.Errorf("studies %v", o.Studies)
		}
		return o.Stopped
	}
	signed(root, "")
	if err := load(); err == nil || !strings.Contains(err.Error(), "studies.trust is missing") {
		t.Errorf("without a key: %v", err)
	}
	c.Studies.Trust = []string{filepath.Join(dir, "root.pub")}
	if err := load(); err != nil {
		t.Errorf("signed: %v", err)
	}
	signed(profile, "")
	if err := load(); !errors.Is(err, sign.ErrUnknownKey) {
		t.Errorf("signed with the profile's key: %v", err)
	}
	signed(root, "# k is lower now\n")
	if err := load(); !errors.Is(err, sign.ErrTampered) {
		t.Errorf("changed: %v", err)
	}
	c.Studies.Revoked = filepath.Join(dir, "nosuch.yaml")
	signed(root, "")
	if err := load(); err == nil || !strings.Contains(err.Error(), "nosuch.yaml: cannot be read") {
		t.Errorf("no list of those called back: %v", err)
	}

	s := runStudies(t, func(c *Config) {
		c.Studies.Cards = []string{filepath.Join(dir, "nosuch")}
	})
	if problem := s.property("Problem"); !strings.Contains(problem.(string), "nosuch: cannot be read") || s.property("Recording") != false {
		t.Errorf("problem %v", problem)
	}
	if err := s.hmi.Call(uibridge.AgentInterface+".SetUser", 0, uint64(1)).Err; err != nil {
		t.Fatal(err)
	}
	s.fails("GiveConsent", "StudyClosed", "demo")
}
