//go:build oracle

package agent

import (
	"encoding/xml"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	uibridge "vignette/ui-bridge"
	"vignette/ui-bridge/audit"
	"vignette/ui-bridge/trace"

	"github.com/godbus/dbus/v5"
)

// watched is the shipped agent with the demo's study, and the HMI's end of it.
type watched struct {
	*agentProcess
	t    *testing.T
	dir  string
	conn *dbus.Conn
	hmi  dbus.BusObject
}

// startWatched starts the agent on our drive in real time, so that it does not end,
// where a core dump would be written if it crashes.
func startWatched(t *testing.T) *watched {
	t.Helper()
	b := newBench(t, 300)
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	root := filepath.Dir(here)
	config := filepath.Join(b.dir, "agent.yaml")
	text := fmt.Sprintf(`vehicle: %[1]s/testdata/drive/vehicle.yaml
cards: [%[1]s/testdata/drive/cards]
bus: %[2]q
source: {log: drive.log, speed: 1x, replies: events}
state: state
traces: traces
studies: {cards: [%[1]s/testdata/drive/studies]}
decisions: {file: decisions, format: jsonl}
journal: journal
`, root, b.config.Bus)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	w := &watched{t: t, dir: b.dir, agentProcess: &agentProcess{}}
	w.cmd = exec.Command("sh", "-c", `ulimit -c unlimited; exec "$0" "$@"`, buildAgent(t, b.dir), "--unsigned", "--config", config)
	w.cmd.Dir, w.cmd.Stderr, w.cmd.Env = b.dir, &w.said, append(os.Environ(), "GOTRACEBACK=crash")
	if err := w.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if w.cmd.ProcessState == nil {
			_ = w.cmd.Process.Kill() // the test failed before its end
			_ = w.cmd.Wait()
		}
	})
	if w.conn, err = dbus.Connect(b.config.Bus); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.conn.Close() })
	w.hmi = w.conn.Object(uibridge.AgentName, uibridge.AgentPath)
	w.await("on the bus", func() bool {
		_, err := w.hmi.GetProperty(uibridge.TraceInterface + ".Study")
		return err == nil
	})
	return w
}

// await polls for what no event tells.
func (w *watched) await(what string, is func() bool) {
	w.t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(20 * time.Second); !is(); <-tick.C {
		if time.Now().After(end) {
			w.t.Fatalf("never %s\n%s", what, &w.said)
		}
	}
}

// keepTexts are methods that keep a text by its purpose, where docs/integrate-hmi.md
// says: the driver's own cards and places.
var keepTexts = []string{"Install", "Preview", "SetPlace", "Reload"}

// push calls each method of the agent's own interfaces that takes a text, with a
// canary in each text, and records touches with canaries in each field.
func (w *watched) push(canary string) (calls int) {
	w.t.Helper()
	var text string
	if err := w.hmi.Call("org.freedesktop.DBus.Introspectable.Introspect", 0).Store(&text); err != nil {
		w.t.Fatal(err)
	}
	var node struct {
		Interfaces []struct {
			Name    string `xml:"name,attr"`
			Methods []struct {
				Name string `xml:"name,attr"`
				Args []struct {
					Type      string `xml:"type,attr"`
					Direction string `xml:"direction,attr"`
				} `xml:"arg"`
			} `xml:"method"`
		} `xml:"interface"`
	}
	if err := xml.Unmarshal([]byte(text), &node); err != nil {
		w.t.Fatal(err)
	}
	for _, face := range node.Interfaces {
		if !strings.HasPrefix(face.Name, "org.vignette.") {
			continue
		}
		for _, m := range face.Methods {
			var args []any
			texts := false
			for _, a := range m.Args {
				if a.Direction != "out" {
					arg, isText := argument(w.t, a.Type, canary)
					args, texts = append(args, arg), texts || isText
				}
			}
			if !texts || strings.Contains(strings.Join(keepTexts, " "), m.Name) {
				continue
			}
			_ = w.hmi.Call(face.Name+"."+m.Name, 0, args...).Err // most refuse it; a refusal is told to the caller alone
			calls++
		}
	}
	return calls
}

// argument is a value of a D-Bus type with a canary in each text of it.
func argument(t *testing.T, kind, canary string) (value any, text bool) {
	t.Helper()
	switch kind {
	case "s":
		return canary, true
	case "as":
		return []string{canary}, true
	case "a(ssss)":
		return []trace.Interaction{{Screen: canary, Element: canary, Gesture: canary, Outcome: canary}}, true
	case "ay": // a pack of cards
		return []byte(canary), true
	case "v":
		return dbus.MakeVariant(canary), true
	case "b":
		return true, false
	case "u":
		return uint32(1), false
	case "t":
		return uint64(1), false
	case "d":
		return 31.23039, false
	}
	t.Fatalf("no value of D-Bus type %s; add it here", kind)
	return nil, false
}

// touch records an attempt at a task, among it touches with canaries that belong to
// it as `other`.
func (w *watched) touch(canaries []string) {
	w.t.Helper()
	batch := []trace.Interaction{{Screen: "home", Element: "navigation_tile", Gesture: "tap", Outcome: "ok"}, {Screen: "navigation", Element: "zoom", Gesture: "swipe", Outcome: "ok"}}
	for _, c := range canaries {
		batch = append(batch, trace.Interaction{Screen: c, Element: c, Gesture: c, Outcome: c}, trace.Interaction{Screen: "navigation", Element: c, Gesture: c, Outcome: c})
	}
	batch = append(batch, trace.Interaction{Screen: "navigation", Element: "back", Gesture: "tap", Outcome: "back"})
	var n uint32
	if err := w.hmi.Call(uibridge.TraceInterface+".Record", 0, batch).Store(&n); err != nil {
		w.t.Fatal(err)
	}
	if int(n) != len(batch) {
		w.t.Fatalf("%d of %d touches recorded", n, len(batch))
	}
}

// hits are the canaries in a text, by name.
func hits(patterns []audit.Pattern, text []byte) (found []string) {
	for _, p := range patterns {
		if p.In(text) {
			found = append(found, p.Name)
		}
	}
	return found
}

// TestCanaries pushes a phone number, a VIN, names, a position and a title through
// every text that the shipped agent takes over D-Bus, and looks for them in what it
// records, exports, logs and journals.
func TestCanaries(t *testing.T) {
	w := startWatched(t)
	if err := consent(w.hmi); err != nil {
		t.Fatal(err)
	}
	patterns := audit.Disguises(audit.DefaultCanaries)
	calls := 0
	for _, c := range audit.DefaultCanaries {
		calls += w.push(c)
	}
	if calls < 15*len(audit.DefaultCanaries) {
		t.Errorf("%d calls", calls)
	}
	w.touch(audit.DefaultCanaries)
	var all []struct {
		ID      string
		Segment []byte
	}
	if err := w.hmi.Call(uibridge.TraceInterface+".ExportTraces", 0).Store(&all); err != nil || len(all) != 1 {
		t.Fatalf("%d segments exported: %v", len(all), err)
	}
	if found := hits(patterns, all[0].Segment); found != nil {
		t.Errorf("exported: %q", found)
	}
	if found := hits(patterns, []byte(w.end(t))); found != nil {
		t.Errorf("said: %q", found)
	}
	files := 0
	err := filepath.WalkDir(w.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || strings.HasPrefix(d.Name(), "core") || d.Name() == "vignette-agent" {
			return err
		}
		text, err := os.ReadFile(path)
		if found := hits(patterns, append(text, path...)); found != nil {
			t.Errorf("%s: %q", path, found)
		}
		files++
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if files < 8 {
		t.Errorf("%d files looked at", files)
	}
}

// TestNoCoreDump: the agent's memory, which does hold for a while what the HMI told,
// is not written anywhere when the agent is aborted, where cores are written.
func TestNoCoreDump(t *testing.T) {
	w := startWatched(t)
	if err := consent(w.hmi); err != nil {
		t.Fatal(err)
	}
	w.touch(audit.DefaultCanaries)
	if err := w.cmd.Process.Signal(syscall.SIGABRT); err != nil {
		t.Fatal(err)
	}
	_ = w.cmd.Wait() // how it ended is what is asked
	status := w.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if !status.Signaled() || status.Signal() != syscall.SIGABRT || status.CoreDump() {
		t.Errorf("ended with %v, core dump %v\n%s", status, status.CoreDump(), &w.said)
	}
	if found := hits(audit.Disguises(audit.DefaultCanaries), []byte(w.said.String())); found != nil {
		t.Errorf("said: %q", found)
	}
	control := exec.Command("sh", "-c", "ulimit -c unlimited; kill -ABRT $$")
	control.Dir = t.TempDir()
	_ = control.Run()
	if status := control.ProcessState.Sys().(syscall.WaitStatus); !status.CoreDump() {
		t.Fatalf("another program writes no core either (%v), so nothing is shown; give kernel.core_pattern a file's name, such as core", status)
	}
}
