package agent_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"vignette/testdata/drive"
	"vignette/ui-bridge/privatebus"
)

// processTime bounds one run of a program, emulated ones included.
const processTime = 3 * time.Minute

// machine is a processor on which the decisions must be the same.
type machine struct {
	name      string
	goarch    string
	emulators []string // the first one found runs the programs; none: this processor
}

var machines = []machine{
	{"amd64", "amd64", []string{"qemu-x86_64-static", "qemu-x86_64"}},
	{"armv7", "arm", []string{"qemu-arm-static", "qemu-arm"}},
	{"arm64", "arm64", []string{"qemu-aarch64-static", "qemu-aarch64"}},
}

// programs are the two programs of a machine, and how to run them.
type programs struct {
	machine  machine
	dir      string
	emulator string // empty: none
}

// buildFor builds vignette and vignette-agent for a machine.
func buildFor(t *testing.T, m machine) *programs {
	t.Helper()
	p := &programs{machine: m, dir: t.TempDir()}
	if m.goarch != runtime.GOARCH {
		p.emulator = findEmulator(t, m)
	}
	goTool(t, m.goarch, "build", "-trimpath", "-o", p.dir, "./agent/cmd/vignette", "./agent/cmd/vignette-agent")
	return p
}

func findEmulator(t *testing.T, m machine) string {
	t.Helper()
	for _, name := range m.emulators {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	t.Fatalf("none of %s is there; install qemu-user-static (make test does it for root)", strings.Join(m.emulators, ", "))
	return ""
}

// run runs one of the programs and returns its standard output. It fails the
// test if the program does not end well.
func (p *programs) run(t *testing.T, program string, args ...string) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), processTime)
	defer cancel()
	command := append([]string{filepath.Join(p.dir, program)}, args...)
	if p.emulator != "" {
		command = append([]string{p.emulator}, command...)
	}
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		t.Fatalf("%s: %s %s: %v\n%s", p.machine.name, program, strings.Join(args, " "), err, exit.Stderr)
	} else if err != nil {
		t.Fatal(err)
	}
	return out
}

// recording is a drive to decide on: a profile, cards and logs of the same
// frames, of which the agent reads the candump one.
type recording struct {
	vehicle, cards string
	candump        string
	others         []string // the same frames in other formats
}

// replay returns the decision log that vignette replay writes for a log.
func (p *programs) replay(t *testing.T, r *recording, log string) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "decisions.jsonl")
	p.run(t, "vignette", "replay", "--vehicle", r.vehicle, "--cards", r.cards, "--decisions", out, log)
	return contents(t, out)
}

// drive runs the agent on the recording's candump log, on a private bus, and
// returns the decision log in a format and the file of the journal.
func (p *programs) drive(t *testing.T, r *recording, format string) (decisions []byte, journal string) {
	t.Helper()
	dir := t.TempDir()
	address, stop, err := privatebus.Start(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	config, err := json.Marshal(map[string]any{ // JSON is YAML too
		"vehicle": r.vehicle, "cards": []string{r.cards}, "bus": address,
		"source":    map[string]any{"log": r.candump, "speed": "max"},
		"decisions": map[string]any{"file": "decisions", "format": format},
		"journal":   "journal.msgp",
	})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "agent.yaml")
	if err := os.WriteFile(path, config, 0o600); err != nil {
		t.Fatal(err)
	}
	p.run(t, "vignette-agent", "--unsigned", "--config", path)
	return contents(t, filepath.Join(dir, "decisions")), filepath.Join(dir, "journal.msgp")
}

func contents(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// decideEverywhere makes the decision log of a recording in every way there is,
// on every machine, and compares the bytes. It returns them.
func decideEverywhere(t *testing.T, r *recording) []byte {
	t.Helper()
	var want []byte
	for _, m := range machines {
		p := buildFor(t, m)
		same := func(how string, got []byte) {
			t.Helper()
			if want == nil {
				want = got
			}
			if !bytes.Equal(got, want) {
				t.Errorf("%s: %s: %s", m.name, how, difference(want, got))
			}
		}
		for _, log := range append([]string{r.candump}, r.others...) {
			same("replay of "+filepath.Base(log), p.replay(t, r, log))
		}
		lines, journal := p.drive(t, r, "jsonl")
		same("agent", lines)
		same("replay of the agent's journal", p.replay(t, r, journal))
		packed, _ := p.drive(t, r, "msgpack")
		file := filepath.Join(t.TempDir(), "decisions.msgp")
		if err := os.WriteFile(file, packed, 0o600); err != nil {
			t.Fatal(err)
		}
		same("agent's MessagePack through vignette decisions", p.run(t, "vignette", "decisions", file))
	}
	return want
}

// difference shows where two decision logs part.
func difference(want, got []byte) string {
	a, b := strings.Split(string(want), "\n"), strings.Split(string(got), "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("line %d is\n%s\nwant\n%s", i+1, b[i], a[i])
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(b)-1, len(a)-1)
}

// firing is a fired record as a log shows it.
type firing struct {
	T, Card, What string
}

// firingsOf reads the firings of a decision log, which starts with its header.
func firingsOf(t *testing.T, log []byte) (list []firing) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(string(log), "\n"), "\n")
	for _, line := range lines[1:] {
		var f firing
		if err := json.Unmarshal([]byte(line), &f); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if f.What == "fired" {
			list = append(list, f)
		}
	}
	return list
}

// TestSameDecisionsEverywhere: our own drive is decided alike, byte for byte,
// on amd64, armv7 and arm64, by replay, by the agent and from its journal.
func TestSameDecisionsEverywhere(t *testing.T) {
	root := moduleRoot(t)
	r := &recording{
		vehicle: filepath.Join(root, "testdata/drive/vehicle.yaml"),
		cards:   filepath.Join(root, "testdata/drive/cards"),
		candump: filepath.Join(t.TempDir(), "drive.log"),
	}
	f, err := os.Create(r.candump)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(drive.Generate(f, drive.Seconds), f.Close()); err != nil {
		t.Fatal(err)
	}
	if n := len(firingsOf(t, decideEverywhere(t, r))); n < 10 {
		t.Errorf("%d firings; a drive that decides so little shows nothing", n)
	}
}

// fused finds multiplications and additions in one rounding in an arm64 listing,
// each as the place in the source, which begins its line, and the instruction.
func fused(listing []byte) (found []string) {
	for line := range bytes.Lines(listing) {
		if !bytes.Contains(line, []byte("FM")) && !bytes.Contains(line, []byte("FNM")) {
			continue
		}
		fields := bytes.Fields(line)
		for _, name := range [...]string{"FMADD", "FMSUB", "FNMADD", "FNMSUB"} {
			if i := slices.IndexFunc(fields, func(f []byte) bool { return bytes.HasPrefix(f, []byte(name)) }); i > 0 {
				found = append(found, fmt.Sprintf("%s: %s", fields[0], fields[i]))
			}
		}
	}
	return found
}

// decisive are the packages whose arithmetic a decision rests on.
const decisive = `^vignette/(can/dbc|scenes|scenes/engine|scenes/drive)\.`

// TestNoFusedArithmetic looks for FMADD and its kind, which round once where
// amd64 rounds twice, in what arm64 runs of the deciding packages.
func TestNoFusedArithmetic(t *testing.T) {
	dir := t.TempDir()
	goTool(t, "arm64", "build", "-o", dir, "./agent/cmd/vignette-agent", "./agent/cmd/vignette")
	for _, program := range []string{"vignette-agent", "vignette"} {
		path := filepath.Join(dir, program)
		listing := goTool(t, "arm64", "tool", "objdump", "-s", decisive, path)
		if n := bytes.Count(listing, []byte("\nTEXT ")); n < 100 {
			t.Fatalf("%s: the listing has %d functions of the deciding packages", program, n)
		}
		for _, found := range fused(listing) {
			t.Errorf("%s: %s; write float64(a*b) + c", program, found)
		}
	}
}

// TestFusedIsSeen: the look at the listing finds what it looks for.
func TestFusedIsSeen(t *testing.T) {
	dir := t.TempDir()
	source := "package main\n\nimport \"os\"\n\nfunc main() {\n\tx := float64(len(os.Args))\n\tif x*0.1+float64(os.Getpid()) > 1e9 {\n\t\tos.Exit(1)\n\t}\n}\n"
	file := filepath.Join(dir, "fuse.go")
	if err := os.WriteFile(file, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "fuse")
	goTool(t, "arm64", "build", "-o", program, file)
	listing := goTool(t, "arm64", "tool", "objdump", "-s", `^main\.`, program)
	if found := fused(listing); len(found) != 1 || !strings.HasPrefix(found[0], "fuse.go:7: F") {
		t.Errorf("found %q in\n%s", found, listing)
	}
}
