package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"vignette/agent"
	"vignette/can"
	"vignette/can/canlog"
	"vignette/can/canlog/candump"
	"vignette/scenes"
)

// guestProject is where the guest has what this machine has below go.mod, so
// that a profile finds its DBCs in both.
const guestProject = "car/project"

// scenario is a recording that canplayer plays to the shipped agent.
type scenario struct {
	name    string
	vehicle string // profile, relative to go.mod
	cards   string // directory
	// interfaces are those on which it arrives, by the recording's channels; "": of all others
	interfaces map[string]string
	busMap     []string // interface=bus where the profile says otherwise, for the agent as for vignette replay
	hmi        bool     // the stand-in HMI runs: the profile has its signals and calls
	unit       bool     // it is played to the agent as systemd's unit, in the guest that has one

	recording string        // on this machine, in any format
	stretch   time.Duration // how much of it; 0: all
	root, log string        // of go.mod; what canplayer plays, on this machine
	prog      *scenes.Program
	length    time.Duration // of log
	frames    int           // in log
}

// prepare lists the scenarios whose names match and writes what canplayer plays
// to build/vm.
func prepare(ctx context.Context, c *clock, root string, stretch time.Duration, only *regexp.Regexp) ([]*scenario, error) {
	list := []*scenario{
		// The bus body has FD frames, for which QEMU has no controller that Debian has a driver for.
		{name: "drive", hmi: true, vehicle: "testdata/drive/vehicle.yaml", cards: "testdata/drive/cards",
			interfaces: map[string]string{"can0": "can0", "can1": "vcan1"}, busMap: []string{"vcan1=body"}, recording: "build/drive.log", stretch: stretch},
		{name: "tesla", vehicle: "testdata/tesla/vehicle.yaml", cards: "testdata/tesla/cards",
			interfaces: map[string]string{"": "can1"}, busMap: []string{"can1=pt"}, recording: "../shared/data/logs/tesla-model-s/gvret.csv"},
		{name: "unit", unit: true, hmi: true, vehicle: "testdata/drive/vehicle.yaml", cards: "testdata/drive/cards",
			interfaces: map[string]string{"can0": "can0", "can1": "can1"}, recording: "build/drive.log", stretch: unitStretch},
	}
	list = slices.DeleteFunc(list, func(s *scenario) bool { return !only.MatchString(s.name) })
	if err := os.MkdirAll(filepath.Join(root, "build/vm"), 0o755); err != nil {
		return nil, err
	}
	for _, s := range list {
		s.root, s.log = root, filepath.Join(root, "build/vm", s.name+".log")
		if err := s.cut(); errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("%w; make build/drive.log makes the drive, and ../shared/data must lie beside the repository", err)
		} else if err != nil {
			return nil, err
		}
		if err := s.load(); err != nil {
			return nil, err
		}
		c.say("%s: %d frames in %.1f s", s.name, s.frames, s.length.Seconds())
	}
	return list, ctx.Err()
}

// scenariosOf picks those that a machine plays.
func scenariosOf(m *machine, all []*scenario) (list []*scenario) {
	for _, s := range all {
		if s.unit == m.systemd {
			list = append(list, s)
		}
	}
	return list
}

// load compiles the cards, as the agent does.
func (s *scenario) load() (err error) {
	s.prog, err = agent.Load(&agent.Config{Unsigned: true, Vehicle: filepath.Join(s.root, s.vehicle), Cards: []string{filepath.Join(s.root, s.cards)}})
	return err
}

// files lists the profile and the DBCs that it names, relative to go.mod.
func (s *scenario) files() []string {
	list := []string{s.vehicle}
	for i := range s.prog.Vehicle.Buses {
		for _, d := range s.prog.Vehicle.Buses[i].DBCs {
			list = append(list, path.Join(path.Dir(s.vehicle), d.File))
		}
	}
	return list
}

// cut writes the stretch of the recording that is played, as candump.
func (s *scenario) cut() error {
	in, err := canlog.Open(filepath.Join(s.root, s.recording))
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(s.log)
	if err != nil {
		return err
	}
	w := candump.NewWriter(out)
	err = s.copyFrames(w, in)
	return errors.Join(err, w.Flush(), out.Close())
}

func (s *scenario) copyFrames(w *candump.Writer, in can.Reader) error {
	var f can.Frame
	var first int64
	for {
		err := in.Read(&f)
		if err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if s.frames == 0 {
			first = f.Time
		}
		length := time.Duration(f.Time - first)
		if s.stretch > 0 && length > s.stretch {
			return nil
		}
		arrives, ok := s.interfaces[in.Channels()[f.Bus]]
		if !ok {
			arrives = s.interfaces[""]
		}
		if err := w.Write(&f, arrives); err != nil {
			return err
		}
		s.frames, s.length = s.frames+1, length
	}
}

// addScenarios adds the scenarios with all the files that they name.
func (g *guest) addScenarios(a *archive) error {
	for _, s := range g.scenarios {
		config, err := json.Marshal(s.config()) // JSON is YAML too
		if err != nil {
			return err
		}
		a.file(path.Join("scenarios", s.name, "agent.yaml"), 0o644, config)
		a.copyFile(path.Join("scenarios", s.name, "play.log"), s.log, 0o644)
		if s.hmi {
			a.file(path.Join("scenarios", s.name, "hmi"), 0o644, nil)
		}
		a.file(path.Join("scenarios", s.name, "buses"), 0o644, fmt.Append(nil, len(s.prog.Vehicle.Buses)))
		for _, f := range s.files() {
			a.copyFile(path.Join(guestProject, f), filepath.Join(g.root, f), 0o644)
		}
		if err := a.copyTree(path.Join(guestProject, s.cards), filepath.Join(g.root, s.cards)); err != nil {
			return err
		}
	}
	return nil
}

// config is the agent's configuration in the guest.
func (s *scenario) config() map[string]any {
	return map[string]any{
		"vehicle": path.Join("/", guestProject, s.vehicle), "cards": []string{path.Join("/", guestProject, s.cards)},
		"bus": "unix:path=/run/bus", "source": map[string]any{"map": s.busMap}, // no log: live buses
		"decisions": map[string]any{"file": decisionsFile, "format": "msgpack"}, "journal": journalFile, "traces": "traces",
	}
}

// The files of the agent, beside its configuration.
const (
	decisionsFile = "decisions.msgp"
	journalFile   = "journal.msgp"
)

// copyTree adds a directory of this machine with all that is in it.
func (a *archive) copyTree(name, dir string) error {
	return filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		below, err := filepath.Rel(dir, p)
		if err == nil {
			a.copyFile(path.Join(name, filepath.ToSlash(below)), p, 0o644)
		}
		return err
	})
}

// vignette runs the desk's program and returns what it prints.
func (s *scenario) vignette(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, filepath.Join(s.root, "bin/vignette"), args...)
	out, err := cmd.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return nil, fmt.Errorf("vignette %s: %w\n%s", args[0], err, exit.Stderr)
	}
	return out, err
}

// replay runs vignette replay on a recording or a journal and returns the
// decision log as it is written in a format.
func (s *scenario) replay(ctx context.Context, format, recording string) ([]byte, error) {
	out, err := os.CreateTemp(filepath.Dir(s.log), "replay-*")
	if err != nil {
		return nil, err
	}
	defer os.Remove(out.Name())
	if err := out.Close(); err != nil {
		return nil, err
	}
	args := []string{"replay", "--vehicle", filepath.Join(s.root, s.vehicle), "--cards", filepath.Join(s.root, s.cards),
		"--decisions", out.Name(), "--format", format}
	if recording == s.log {
		for _, m := range s.busMap {
			args = append(args, "--map", m)
		}
	}
	if _, err := s.vignette(ctx, append(args, recording)...); err != nil {
		return nil, err
	}
	return os.ReadFile(out.Name())
}

// firing is a `fired` record without its time.
type firing struct{ Card, What, Why string }

// firings lists the firings of a decision log in JSON lines.
func firings(lines []byte) (list []firing, err error) {
	in := json.NewDecoder(bytes.NewReader(lines))
	for {
		var f firing
		if err := in.Decode(&f); err == io.EOF {
			return list, nil
		} else if err != nil {
			return nil, fmt.Errorf("decision log: %w", err)
		}
		if f.What == "fired" {
			list = append(list, f)
		}
	}
}
