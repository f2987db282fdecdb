package agent

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vignette/scenes"
	"vignette/scenes/drive"
	"vignette/scenes/engine"
)

const (
	fanPath  = "Vehicle.Cabin.HVAC.Station.Row1.Driver.FanSpeed"
	benchDir = "../testdata/meaning"
)

// fanCards set the fan of the bench when Private.Bench.A and B change.
var fanCards = map[string]string{
	"a": "{signal: Private.Bench.A, changes: true}", "b": "{signal: Private.Bench.B, changes: true}",
}

// fanProgram compiles two cards that take the fan from each other.
func fanProgram(t testing.TB) *scenes.Program {
	t.Helper()
	v, err := scenes.LoadVehicle(filepath.Join(benchDir, "vehicle.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var cards []*scenes.Card
	for _, id := range []string{"a", "b"} {
		text := "schema: 1\nid: " + id + "\nversion: 1.0.0\ntitle: {en: Fan}\nwhen:\n  - " + fanCards[id] +
			"\nthen:\n  - {set: " + fanPath + ", to: 60, unit: percent, lease: 5s}\npriority: " + map[string]string{"a": "0", "b": "1"}[id] + "\nreentry: restart\n"
		c, err := scenes.ParseCard(id+".yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		cards = append(cards, c)
	}
	v.Quarantine = engine.Quarantine{}
	p, err := scenes.Compile(v, cards)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// kept is a state that a session has left: a lease on the fan.
func kept(t testing.TB, p *scenes.Program, session uint64) *engine.State {
	t.Helper()
	pump := drive.NewPump(p, session, true, drive.Output{})
	slot := func(path string) int {
		for i := range p.Sources {
			if p.Sources[i].Path == path {
				return i
			}
		}
		t.Fatalf("no slot %s", path)
		return 0
	}
	for i, x := range []float64{0, 1} {
		samples := []engine.Sample{{Slot: slot("Private.Bench.A"), Valid: true, Num: x}, {Slot: slot(fanPath), Valid: true, Num: 20}}
		if err := pump.Event(&engine.Event{T: int64(i) * 1e9, Samples: samples}); err != nil {
			t.Fatal(err)
		}
	}
	return pump.State()
}

// TestStateFiles: what was saved is read again, by whichever file it is in, and
// each file stays within its limit.
func TestStateFiles(t *testing.T) {
	p, dir := fanProgram(t), t.TempDir()
	for session := uint64(1); session <= 40; session++ {
		s, saved, err := openState(dir, "boot", drive.BootTime, quiet())
		if err != nil {
			t.Fatal(err)
		}
		s.limit = 1500
		switch {
		case session == 1 && saved != nil:
			t.Fatalf("a new directory has a state: %+v", saved)
		case session > 1 && (saved == nil || saved.Kept.Session != session-1 || len(saved.Kept.Actuators) != 1 || len(saved.Kept.Actuators[0].Leases) != 1):
			t.Fatalf("session %d finds %+v", session, saved)
		}
		for i := range int(session) % 5 {
			s.save(&p.Engine, p.Engine.NewState(session*1000+uint64(i), true))
		}
		s.save(&p.Engine, kept(t, p, session))
		before := s.number
		s.save(&p.Engine, kept(t, p, session))
		if s.number != before {
			t.Error("the same state was written again")
		}
		if err := s.close(); err != nil {
			t.Fatal(err)
		}
		for _, name := range stateNames {
			if info, err := os.Stat(filepath.Join(dir, name)); err == nil && info.Size() > s.limit {
				t.Errorf("%s has %d bytes", name, info.Size())
			}
		}
	}
}

// TestPowerLoss cuts the file being written at every byte, with and without
// rubbish behind the cut: the newest record that is whole counts, of either
// file, and nothing is lost that was synced.
func TestPowerLoss(t *testing.T) {
	p, dir := fanProgram(t), t.TempDir()
	s, _, err := openState(dir, "boot", drive.BootTime, quiet())
	if err != nil {
		t.Fatal(err)
	}
	s.limit = 2000
	var ends []int64 // of the newest file's records
	for session := uint64(1); session <= 12; session++ {
		if s.save(&p.Engine, kept(t, p, session)); s.size < 800 {
			ends = nil
		}
		ends = append(ends, s.size)
	}
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	newest, other := filepath.Join(dir, stateNames[1-s.next]), filepath.Join(dir, stateNames[s.next])
	whole, err := os.ReadFile(newest)
	if err != nil || len(ends) < 2 {
		t.Fatalf("%d records, %v", len(ends), err)
	}
	older, err := os.ReadFile(other)
	if err != nil {
		t.Fatal(err)
	}
	torn, asItWas := t.TempDir(), false
	for cut := range whole {
		want := 12 - uint64(len(ends)) // the other file's newest
		for _, end := range ends {
			if int64(cut) >= end {
				want++
			}
		}
		for _, rubbish := range [][]byte{nil, make([]byte, 64), bytes.Repeat([]byte{0xFF}, 64)} {
			if rubbish != nil && cut%7 > 0 {
				continue
			}
			for name, b := range map[string][]byte{newest: append(bytes.Clone(whole[:cut]), rubbish...), other: older} {
				if name == other && asItWas {
					continue
				}
				if err := os.WriteFile(filepath.Join(torn, filepath.Base(name)), b, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			saved, _, err := (&stateFiles{dir: torn, log: quiet()}).read()
			asItWas = cut%50 > 0
			if err != nil || saved == nil || saved.Kept.Session != want {
				t.Fatalf("cut at byte %d: found %+v, %v, want the state of session %d", cut, saved, err, want)
			}
			if cut%50 > 0 {
				continue
			}
			s, _, err := openState(torn, "boot", drive.BootTime, quiet())
			if err != nil {
				t.Fatal(err)
			}
			s.save(&p.Engine, kept(t, p, 99))
			if err := s.close(); err != nil {
				t.Fatal(err)
			}
			if again, _, err := (&stateFiles{dir: torn, log: quiet()}).read(); err != nil || again.Kept.Session != 99 {
				t.Fatalf("cut at byte %d: after the next write found %+v, %v", cut, again, err)
			}
		}
	}
}

// TestForeignStates: a state of a newer version, and files that are none, are
// set aside and reported, and the session starts from nothing.
func TestForeignStates(t *testing.T) {
	p := fanProgram(t)
	for _, c := range []struct {
		name, suffix string
		spoil        func(s *stateFiles) []byte
	}{
		{"from the future", fromFuture, func(s *stateFiles) []byte {
			saved := drive.Saved{Kept: *p.Engine.Keep(kept(t, p, 7))}
			b := s.record(nil, &saved)
			b[17] = drive.SavedSchema + 1 // [schema …
			return seal(b)
		}},
		{"no state", damagedState, func(s *stateFiles) []byte {
			saved := drive.Saved{Kept: *p.Engine.Keep(kept(t, p, 7))}
			b := s.record(nil, &saved)
			return seal(b[:len(b)-3])
		}},
		{"rubbish", damagedState, func(*stateFiles) []byte { return []byte("not a state file, and no record either") }},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			b := c.spoil(&stateFiles{})
			if err := os.WriteFile(filepath.Join(dir, "state.0"), b, 0o600); err != nil {
				t.Fatal(err)
			}
			var told bytes.Buffer
			s, saved, err := openState(dir, "boot", drive.BootTime, slog.New(slog.NewTextHandler(&told, nil)))
			if err != nil || saved != nil {
				t.Fatalf("opened as %+v, %v", saved, err)
			}
			s.save(&p.Engine, kept(t, p, 1))
			if err := s.close(); err != nil {
				t.Fatal(err)
			}
			aside, err := os.ReadFile(filepath.Join(dir, "state.0"+c.suffix))
			if err != nil || !bytes.Equal(aside, b) {
				t.Errorf("set aside: %v, %d bytes of %d", err, len(aside), len(b))
			}
			if !strings.Contains(told.String(), "set aside") {
				t.Errorf("reported %q", told.String())
			}
			if saved, _, err := (&stateFiles{dir: dir, log: quiet()}).read(); err != nil || saved.Kept.Session != 1 {
				t.Errorf("afterwards found %+v, %v", saved, err)
			}
		})
	}
}

// TestFullDisk: a write that fails is reported once, leaves nothing torn, and
// the next one that does not fail counts.
func TestFullDisk(t *testing.T) {
	p, dir := fanProgram(t), t.TempDir()
	var told bytes.Buffer
	s, _, err := openState(dir, "boot", drive.BootTime, slog.New(slog.NewTextHandler(&told, nil)))
	if err != nil {
		t.Fatal(err)
	}
	s.save(&p.Engine, kept(t, p, 1))
	whole := s.file
	if s.file, err = os.OpenFile("/dev/full", os.O_WRONLY, 0); err != nil {
		t.Fatal(err)
	}
	s.save(&p.Engine, kept(t, p, 2))
	s.save(&p.Engine, kept(t, p, 3))
	if n := strings.Count(told.String(), "cannot be written"); n != 1 {
		t.Errorf("reported %d times:\n%s", n, told.String())
	}
	s.file = whole
	s.save(&p.Engine, kept(t, p, 4))
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	if saved, _, err := (&stateFiles{dir: dir, log: quiet()}).read(); err != nil || saved == nil || saved.Kept.Session != 4 {
		t.Errorf("found %+v, %v", saved, err)
	}
}

// TestSessionWithoutEvents: a session that had no event leaves what it goes on
// from in its own time, but for the number: the next one still sees that the
// kernel was booted since, and with the first event the times are this boot's.
func TestSessionWithoutEvents(t *testing.T) {
	p, dir := fanProgram(t), t.TempDir()
	s, _, err := openState(dir, "an earlier boot", drive.BootTime, quiet())
	if err != nil {
		t.Fatal(err)
	}
	s.save(&p.Engine, kept(t, p, 7))
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
	for session := uint64(8); session < 11; session++ {
		a := &agent{log: quiet(), config: &Config{State: dir, Unsigned: true}, prog: p, judged: true}
		state, err := a.start(drive.BootTime)
		if err != nil {
			t.Fatal(err)
		}
		a.pump = drive.NewPumpFrom(p, state, drive.Output{Save: a.save})
		a.save(&p.Engine, state)
		if session == 10 {
			if err := a.pump.Event(&engine.Event{T: 5e9, Kind: engine.EvTick}); err != nil {
				t.Fatal(err)
			}
			a.save(&p.Engine, state)
		}
		if err := a.state.close(); err != nil {
			t.Fatal(err)
		}
		saved, _, err := (&stateFiles{dir: dir, log: quiet()}).read()
		if err != nil {
			t.Fatal(err)
		}
		lease := saved.Kept.Actuators[0].Leases[0]
		if early := session < 10; saved.Kept.Session != session || (saved.BootID == "an earlier boot") != early ||
			(saved.Kept.Now == 1e9) != early || (lease.Over == "boot") == early {
			t.Errorf("session %d leaves %+v of boot %s", session, saved.Kept, saved.BootID)
		}
	}
}

// kills is how often TestKill kills.
const kills = 200

// TestKill kills a child that actuates without pause, 200 times at random
// points. Each child checks, before it goes on, that the state knows of every
// lease that a service was told of: see TestKillChild.
func TestKill(t *testing.T) {
	if os.Getenv("STATE_DIR") != "" {
		return // in the child
	}
	dir := t.TempDir()
	r := rand.New(rand.NewPCG(1, 1))
	sessions, checked := uint64(0), 0
	for range kills {
		cmd := exec.Command(os.Args[0], "-test.run=^TestKillChild$", "-test.v")
		cmd.Env = append(os.Environ(), "STATE_DIR="+dir)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		var said []string
		var session uint64
		for lines.Scan() {
			said = append(said, lines.Text())
			if n, _ := fmt.Sscanf(lines.Text(), "running session %d", &session); n == 1 {
				break
			}
		}
		if session == 0 {
			t.Fatalf("the child does not run:\n%s", strings.Join(said, "\n"))
		}
		if session < sessions || session > sessions+1 {
			t.Fatalf("session %d after %d", session, sessions)
		}
		sessions = session
		time.AfterFunc(time.Duration(r.IntN(30_000))*time.Microsecond, func() { cmd.Process.Kill() })
		for lines.Scan() {
			said = append(said, lines.Text())
		}
		err = cmd.Wait()
		if cmd.ProcessState.Exited() {
			t.Fatalf("the child ended by itself, %v:\n%s", err, strings.Join(said, "\n"))
		}
		checked++
	}
	b, err := os.ReadFile(filepath.Join(dir, "service"))
	if err != nil || bytes.Count(b, []byte("\n")) < kills || checked != kills {
		t.Fatalf("%d kills, the service was called %d times, %v", checked, bytes.Count(b, []byte("\n")), err)
	}
	t.Logf("%d kills, %d sessions, %d calls", checked, sessions, bytes.Count(b, []byte("\n")))
}

// TestKillChild is the child of TestKill: it goes on from the state, checks it
// against what the service was told, and actuates until it is killed.
func TestKillChild(t *testing.T) {
	dir := os.Getenv("STATE_DIR")
	if dir == "" {
		return // only as a child
	}
	p := fanProgram(t)
	a := &agent{log: quiet(), config: &Config{State: filepath.Join(dir, "state")}, prog: p, judged: true}
	service, err := os.OpenFile(filepath.Join(dir, "service"), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	told, err := io.ReadAll(service)
	if err != nil {
		t.Fatal(err)
	}
	saved := &drive.Saved{}
	if len(told) > 0 {
		if saved, _, err = (&stateFiles{dir: a.config.State, log: quiet()}).read(); err != nil {
			t.Fatal(err)
		}
	}
	if err := knows(&saved.Kept, string(told)); err != nil {
		t.Fatal(err)
	}
	state, err := a.start(drive.BootTime)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().UnixNano() // of a time that goes on over restarts
	var calls []engine.Call
	a.pump = drive.NewPumpFrom(p, state, drive.Output{Save: a.save, Calls: func(list []engine.Call) {
		for _, c := range list {
			fmt.Fprintf(service, "%d %v at %d of %d: %s\n", c.Kind, c.Value.Num, now, a.session, leasesOf(p.Engine.Keep(a.pump.State())))
		}
		if err := service.Sync(); err != nil { // takes its time, as a service does: many kills come here
			t.Error(err)
		}
		calls = append(calls, list...)
	}})
	fmt.Printf("running session %d\n", a.session)
	fan := 20.0
	for i := 0; ; i++ {
		now += 300e6
		samples := []engine.Sample{{Slot: 0, Valid: true, Num: float64(i)}, {Slot: 1, Valid: true, Num: float64(i / 7)}, {Slot: len(p.Sources) - 1, Valid: true, Num: fan}}
		for j := range samples {
			samples[j].Slot = slotOf(p, []string{"Private.Bench.A", "Private.Bench.B", fanPath}[j])
		}
		if i%60 > 20 {
			samples = samples[2:] // leases end
		}
		if err := a.pump.Event(&engine.Event{T: now, Samples: samples}); err != nil {
			t.Fatal(err)
		}
		for _, c := range calls {
			fan = c.Value.Num
			if err := a.pump.Event(&engine.Event{T: now, Kind: engine.EvReply, Session: a.session, Ref: c.N, OK: true}); err != nil {
				t.Fatal(err)
			}
		}
		calls = calls[:0]
	}
}

func slotOf(p *scenes.Program, path string) int {
	for i := range p.Sources {
		if p.Sources[i].Path == path {
			return i
		}
	}
	return -1
}

// leasesOf tells the fan's leases by their deadlines.
func leasesOf(k *engine.Kept) (s string) {
	for i := range k.Actuators {
		if k.Actuators[i].Path == fanPath {
			for _, l := range k.Actuators[i].Leases {
				s += fmt.Sprint(l.Card, l.Deadline, ";")
			}
		}
	}
	return s + "."
}

// knows reports that the state is older than what the service was told last, or
// lacks a lease that it was told of.
func knows(k *engine.Kept, told string) error {
	told = told[:strings.LastIndexByte(told, '\n')+1]
	if told == "" {
		return nil
	}
	last := strings.TrimSpace(told[strings.LastIndexByte(told[:len(told)-1], '\n')+1:])
	var kind int
	var value float64
	var at int64
	var session uint64
	if _, err := fmt.Sscanf(last, "%d %g at %d of %d:", &kind, &value, &at, &session); err != nil {
		return err
	}
	if k.Session < session || k.Session == session && k.Now < at && !strings.HasSuffix(last, leasesOf(k)) {
		return fmt.Errorf("the service was told %s and the state is of %d, session %d: %s", last, k.Now, k.Session, leasesOf(k))
	}
	if !strings.HasPrefix(last, fmt.Sprint(int(engine.CallSet))+" ") {
		return nil
	}
	for i := range k.Actuators {
		if a := &k.Actuators[i]; a.Path == fanPath && (len(a.Leases) > 0 || a.HasEnd) {
			return nil
		}
	}
	return errors.New("the service was told " + last + " and the state has no lease")
}
