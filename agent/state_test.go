package agent

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
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
	for i, x := range []float64{0, 1} {
		samples := []engine.Sample{{Slot: slotOf(t, p, "Private.Bench.A"), Valid: true, Num: x}, {Slot: slotOf(t, p, fanPath), Valid: true, Num: 20}}
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
		s.limit, s.most = 1500, 1500
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
	s.limit, s.most = 2000, 2000
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

// TestTurnsWaitForNoDisk: a file is emptied only when the other one is on the disk
// since it was begun, and while the background has seen to that, no call waits
// for the disk.
func TestTurnsWaitForNoDisk(t *testing.T) {
	p, dir := fanProgram(t), t.TempDir()
	s, _, err := openState(dir, "boot", drive.BootTime, quiet())
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	synced := map[string]int{} // by file, since its newest turn
	s.fsync = func(f *os.File) error {
		mu.Lock()
		defer mu.Unlock()
		synced[filepath.Base(f.Name())]++
		return f.Sync()
	}
	s.limit, s.most = 1500, 1500
	turns := 0
	for session := uint64(1); session <= 40; session++ {
		calm := session > 20 // from then on the background keeps up
		if calm {
			s.tellSync()
		}
		mu.Lock()
		full, next, before := stateNames[1-s.next], s.next, synced[stateNames[1-s.next]]
		mu.Unlock()
		s.save(&p.Engine, kept(t, p, session))
		if s.next == next {
			continue
		}
		turns++
		mu.Lock()
		if turns > 1 && synced[full] == 0 {
			t.Errorf("session %d: %s was emptied while %s was not on the disk", session, stateNames[next], full)
		}
		if calm && synced[full] != before {
			t.Errorf("session %d: the turn waited for the disk", session)
		}
		synced[stateNames[next]] = 0
		mu.Unlock()
	}
	if turns < 10 {
		t.Errorf("%d turns show nothing", turns)
	}
	if err := s.close(); err != nil {
		t.Fatal(err)
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

// TestUnreadableState: a state file that cannot be read is set aside and told, and does
// not keep the agent from starting: the other file's state counts, or none.
func TestUnreadableState(t *testing.T) {
	p := fanProgram(t)
	for name, spoil := range map[string]func(path string) error{
		"directory": func(path string) error { return os.Mkdir(path, 0o700) },
		"pipe":      func(path string) error { return syscall.Mkfifo(path, 0o600) },
		"endless":   func(path string) error { return os.Truncate(path, 1<<26) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for i, file := range stateNames {
				b := (&stateFiles{number: uint64(i)}).record(nil, &drive.Saved{Kept: *p.Engine.Keep(kept(t, p, 7))})
				if err := os.WriteFile(filepath.Join(dir, file), b, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			for i, sessions := range []uint64{7, 0} { // state.1 has the newer record
				path := filepath.Join(dir, stateNames[1-i])
				if name != "endless" {
					if err := os.Remove(path); err != nil {
						t.Fatal(err)
					}
				}
				if err := errors.Join(spoil(path), os.MkdirAll(filepath.Join(path+damagedState, "of before"), 0o700)); err != nil {
					t.Fatal(err)
				}
				var told sayings
				s, saved, err := openState(dir, "boot", drive.BootTime, slog.New(slog.NewTextHandler(&told, nil)))
				if err != nil {
					t.Fatal(err)
				}
				if got := sessionOf(saved); got != sessions || !strings.Contains(told.String(), "a state file cannot be read") {
					t.Errorf("went on from session %d, want %d; told %s", got, sessions, told.String())
				}
				if err := s.close(); err != nil {
					t.Error(err)
				}
			}
			s, _, err := openState(dir, "boot", drive.BootTime, quiet())
			if err != nil {
				t.Fatal(err)
			}
			s.save(&p.Engine, kept(t, p, 9))
			if err := s.close(); err != nil {
				t.Fatal(err)
			}
			if saved, _, err := (&stateFiles{dir: dir, log: quiet()}).read(); err != nil || sessionOf(saved) != 9 {
				t.Errorf("afterwards found %+v, %v", saved, err)
			}
		})
	}
}

// sessionOf is the session of a saved state; 0: there is none.
func sessionOf(saved *drive.Saved) uint64 {
	if saved == nil {
		return 0
	}
	return saved.Kept.Session
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

// hostileProgram has 100 cards that are large in the state and fire as often as
// the bench's quarantine lets them, each in its turn; all want the fan.
func hostileProgram(t testing.TB) *scenes.Program {
	t.Helper()
	v, err := scenes.LoadVehicle(filepath.Join(benchDir, "vehicle.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var cards []*scenes.Card
	for i := range 100 {
		text := fmt.Sprintf("schema: 1\nid: hostile-card-number-%03d\nversion: 1.0.0\ntitle: {en: Fan}\nwhen:\n  - {signal: Private.Bench.A, becomes: %d}\n"+
			"then:\n  - {set: %s, to: %d, unit: percent, lease: 30m}\nreentry: restart\n", i, i, fanPath, 10*(i%8))
		c, err := scenes.ParseCard(fmt.Sprint(i, ".yaml"), []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		cards = append(cards, c)
	}
	p, err := scenes.Compile(v, cards)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestWear has 100 cards change the state as often as the profile lets them, for
// ten minutes: what the disk is asked for stays within what docs/port-to-your-car.md
// says.
func TestWear(t *testing.T) {
	p, dir := hostileProgram(t), t.TempDir()
	fan, signal := slotOf(t, p, fanPath), slotOf(t, p, "Private.Bench.A")
	synctest.Test(t, func(t *testing.T) {
		const seconds = 600
		s, _, err := openState(dir, "boot", drive.BootTime, quiet())
		if err != nil {
			t.Fatal(err)
		}
		calls, largest := 0, int64(0)
		pump := drive.NewPump(p, 1, true, drive.Output{Save: s.save, Calls: func(list []engine.Call) { calls += len(list) }})
		begin := time.Now()
		for i := range seconds * 8 { // 8 firings a second are 5 in 62 s for each card
			samples := []engine.Sample{{Slot: signal, Valid: true, Num: float64(i % 100)}}
			if calls == 0 {
				samples = append(samples, engine.Sample{Slot: fan, Valid: true, Num: 20})
			}
			if err := pump.Event(&engine.Event{T: int64(time.Since(begin)), Samples: samples}); err != nil {
				t.Fatal(err)
			}
			if i%8 == 0 {
				s.save(&p.Engine, pump.State()) // as agent.tidy does
			}
			largest = max(largest, s.size)
			time.Sleep(time.Second / 8)
		}
		if err := s.close(); err != nil {
			t.Fatal(err)
		}
		record := uint64(len(s.buf))
		t.Logf("%d s: %d calls, %d records, %d bytes, %d syncs; a record has %d bytes, a file at most %d", seconds, calls, s.records, s.bytes, s.syncs.Load(), record, largest)
		if calls < seconds/2 || record < 10_000 {
			t.Errorf("%d calls and records of %d bytes: this is not hostile", calls, record)
		}
		if most := uint64(calls + seconds); s.records > most || s.bytes > most*record {
			t.Errorf("%d records with %d bytes, want one a call and one a second at most: %d", s.records, s.bytes, most)
		}
		if most := 2*seconds + s.bytes/stateLimit + 2; s.syncs.Load() > most {
			t.Errorf("%d syncs, want 2 a second and one a turn at most: %d", s.syncs.Load(), most)
		}
		if largest > mostState {
			t.Errorf("a file had %d bytes", largest)
		}
	})
}

func slotOf(t testing.TB, p *scenes.Program, path string) int {
	t.Helper()
	for i := range p.Sources {
		if p.Sources[i].Path == path {
			return i
		}
	}
	t.Fatalf("no slot %s", path)
	return -1
}

// TestFastestState changes the state a thousand times a second, as no profile
// lets it: the disk is synced as seldom, and the files stay bounded.
func TestFastestState(t *testing.T) {
	p, dir := fanProgram(t), t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s, _, err := openState(dir, "boot", drive.BootTime, quiet())
		if err != nil {
			t.Fatal(err)
		}
		const seconds = 20
		state := kept(t, p, 1)
		saved := drive.Saved{Engine: "0.1.0", TimeBase: drive.BootTime, Kept: *p.Engine.Keep(state)}
		largest := int64(0)
		for i := range seconds * 1000 {
			saved.Kept.Session = uint64(i)
			s.keep(&saved)
			largest = max(largest, s.size)
			time.Sleep(time.Millisecond)
		}
		if err := s.close(); err != nil {
			t.Fatal(err)
		}
		turns := s.bytes/stateLimit + 1
		t.Logf("%d s: %d records, %d bytes, %d syncs; a file had %d bytes at most", seconds, s.records, s.bytes, s.syncs.Load(), largest)
		if most := 2*seconds + min(turns, 2*seconds) + 2; s.records != seconds*1000 || largest > mostState || s.syncs.Load() > most {
			t.Errorf("%d records, %d syncs, a file had %d bytes at most; want %d syncs at most", s.records, s.syncs.Load(), largest, most)
		}
	})
}

// TestRecalledState: a state that was set aside as of a newer version, and can be
// read by now, is gone on from together with what was saved since, and is not set
// aside any more once that is on the disk.
func TestRecalledState(t *testing.T) {
	p, dir := fanProgram(t), t.TempDir()
	before := drive.Saved{Kept: *p.Engine.Keep(kept(t, p, 7))}
	before.Kept.Users = []engine.KeptUser{{User: 3, Cards: []engine.KeptCard{{ID: "a", Disabled: true}}}}
	since := drive.Saved{Kept: *p.Engine.Keep(kept(t, p, 2))}
	file := filepath.Join(dir, "state.1"+fromFuture)
	for name, saved := range map[string]*drive.Saved{file: &before, filepath.Join(dir, "state.0"): &since} {
		if err := os.WriteFile(name, (&stateFiles{}).record(nil, saved), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s, saved, err := openState(dir, "boot", drive.BootTime, quiet())
	if err != nil || saved == nil || saved.Kept.Session != 7 || len(saved.Kept.Users) != 2 || len(saved.Kept.Actuators) != len(since.Kept.Actuators) {
		t.Fatalf("opened as %+v, %v", saved, err)
	}
	s.fsync = func(*os.File) error { return os.ErrInvalid }
	s.keep(saved)
	if s.forget(); !exists(file) {
		t.Error("what was recalled is gone, and is not on the disk in its place")
	}
	if err := s.close(); err != nil {
		t.Error(err)
	}
	if s, saved, err = openState(dir, "boot", drive.BootTime, quiet()); err != nil || len(saved.Kept.Users) != 2 {
		t.Fatalf("opened again as %+v, %v", saved, err)
	}
	s.keep(saved)
	if s.forget(); exists(file) {
		t.Error("what was recalled is still set aside")
	}
	if err := s.close(); err != nil {
		t.Fatal(err)
	}
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

// TestFlushFollowsTheTurn: what is flushed while its file gives way to the other
// is on the disk with the other.
func TestFlushFollowsTheTurn(t *testing.T) {
	p, dir := fanProgram(t), t.TempDir()
	s, _, err := openState(dir, "boot", drive.BootTime, quiet())
	if err != nil {
		t.Fatal(err)
	}
	s.save(&p.Engine, kept(t, p, 1))
	var synced []string
	s.fsync = func(f *os.File) error {
		if len(synced) == 0 {
			s.limit, s.most = 1, 1
			s.save(&p.Engine, kept(t, p, 2))
		}
		synced = append(synced, filepath.Base(f.Name()))
		return f.Sync()
	}
	close(s.closing) // the background is no help
	<-s.done
	if err := s.flush(); err != nil {
		t.Fatal(err)
	}
	if last := synced[len(synced)-1]; len(synced) < 2 || last != stateNames[1-s.next] {
		t.Errorf("synced %v; the newest record is in %s", synced, stateNames[1-s.next])
	}
	if err := s.file.Close(); err != nil {
		t.Error(err)
	}
}
