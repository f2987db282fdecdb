package trace

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"vignette/scenes"
)

// faultyDisk names, in the environment of a test process of its own, how its disk
// can be made to fail: by mounts, or, where nobody may mount, by limits.
const faultyDisk = "VIGNETTE_TRACE_FAULTY_DISK"

// disk is a small disk of a test process.
type disk struct {
	t      *testing.T
	dir    string
	mounts bool
}

// onFaultyDisk runs the calling test again in a process of its own, in a mount
// namespace where nothing that it mounts is seen by others, and there its body. A
// process that may not have namespaces of its own gets limits instead: on the size
// of its files, and on its directories' modes as a user who is not root.
func onFaultyDisk(t *testing.T, body func(d *disk)) {
	switch os.Getenv(faultyDisk) {
	case "mounts":
		d := &disk{t, t.TempDir(), true}
		if err := syscall.Mount("tmpfs", d.dir, "tmpfs", 0, "size=128k"); err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := syscall.Unmount(d.dir, syscall.MNT_DETACH); err != nil {
				t.Error(err)
			}
		}()
		body(d)
	case "limits":
		signal.Ignore(syscall.SIGXFSZ)
		body(&disk{t, t.TempDir(), false})
	default:
		again(t)
	}
}

func again(t *testing.T) {
	t.Helper()
	run := func(how string, attr *syscall.SysProcAttr) (string, error) {
		// By this name another user may run it too, from a directory closed to others.
		cmd := exec.Command("/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.v")
		cmd.Env = append(os.Environ(), faultyDisk+"="+how)
		cmd.SysProcAttr = attr
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	self := []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
	group := []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	out, err := run("mounts", &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS, UidMappings: self, GidMappings: group})
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EINVAL) {
		t.Log("no mount namespace here (", err, "): the disk fails by limits")
		attr := &syscall.SysProcAttr{}
		if os.Getuid() == 0 {
			attr.Credential = &syscall.Credential{Uid: 65534, Gid: 65534}
		}
		out, err = run("limits", attr)
	}
	if err != nil || !strings.Contains(out, "--- PASS: "+t.Name()) {
		t.Errorf("%v\n%s", err, out)
	}
}

func (d *disk) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

// full fills the disk to the last byte, or empties it again.
func (d *disk) full(on bool) {
	d.t.Helper()
	if !d.mounts {
		limit := syscall.Rlimit{Cur: ^uint64(0), Max: ^uint64(0)}
		if on {
			limit.Cur = 0
		}
		d.must(syscall.Setrlimit(syscall.RLIMIT_FSIZE, &limit))
		return
	}
	ballast := filepath.Join(d.dir, "ballast")
	if !on {
		d.must(os.Remove(ballast))
		return
	}
	f, err := os.Create(ballast)
	d.must(err)
	for err == nil {
		_, err = f.Write(make([]byte, 512))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		d.t.Fatal("the disk is not full:", err)
	}
	d.must(f.Close())
}

// readOnly makes the disk read-only, or writable again.
func (d *disk) readOnly(on bool) {
	d.t.Helper()
	if d.mounts {
		flags := uintptr(syscall.MS_REMOUNT)
		if on {
			flags |= syscall.MS_RDONLY
		}
		d.must(syscall.Mount("", d.dir, "", flags, "size=128k"))
		return
	}
	mode := os.FileMode(0o700)
	if on {
		mode = 0o500
	}
	d.must(filepath.WalkDir(d.dir, func(path string, e os.DirEntry, err error) error {
		if err == nil && e.IsDir() {
			err = os.Chmod(path, mode)
		}
		return err
	}))
}

func (d *disk) traces() string { return filepath.Join(d.dir, "traces") }

// TestDiskFull fills the disk while recording: what cannot be written is counted
// and told, a withdrawal holds at once and is on the disk when there is room, and
// recording goes on. The contract's line 10, and 8.
func TestDiskFull(t *testing.T) {
	onFaultyDisk(t, func(d *disk) { failAndHeal(d, d.full) })
}

// TestDiskBecomesReadOnly is the same of a disk that is remounted read-only.
func TestDiskBecomesReadOnly(t *testing.T) {
	onFaultyDisk(t, func(d *disk) { failAndHeal(d, d.readOnly) })
}

// failAndHeal has a recorder live through a disk that takes nothing for a while.
func failAndHeal(d *disk, fail func(on bool)) {
	t := d.t
	long := Options{Studies: []*scenes.Study{study(t, "until: 2026-03-31", "until: 2026-12-31")}}
	r := consented(t, d.traces(), long)
	known(t, r, at(0, 0))
	fail(true)
	for week := 1; week < 4; week++ {
		c := weeks(week)
		record(t, r, c, tap("home", "navigation_tile"), Interaction{"navigation", "zoom", "swipe", "ok"})
		n, err := r.Record([]Interaction{tap("home", "climate_tile"), {"climate", "fan", "turn", "ok"}}, c) // ends the attempt
		if n != 2 || err == nil || !strings.Contains(err.Error(), "write an episode") {
			t.Errorf("week %d: accepted %d, %v", week, n, err)
		}
		r.SetUser(0)
		r.SetUser(driver)
	}
	if c := r.Counters(); c.Lost != 3 || c.Episodes != 1 || c.Accepted != 14 || !r.Recording() {
		t.Errorf("counters %+v, recording %v", c, r.Recording())
	}
	if err := r.Tick(weeks(4)); err == nil || !strings.Contains(err.Error(), "release a segment") {
		t.Errorf("released on a disk that takes nothing: %v", err)
	}
	r.SetUser(8)
	if err := r.GiveConsent(demo, at(1, 0)); err == nil || r.Recording() {
		t.Errorf("a yes that is on no disk counts: %v", err)
	}
	if _, err := parseAll(d); err != nil {
		t.Error(err)
	}
	fail(false)
	healed(d, r, long)
}

// healed checks a recorder whose disk is good again.
func healed(d *disk, r *Recorder, o Options) {
	t := d.t
	r.SetUser(driver)
	if err := r.Tick(weeks(4)); err != nil || r.Problem() != nil {
		t.Errorf("the disk is good again: %v, %v", err, r.Problem())
	}
	known(t, r, weeks(5))
	if c := r.Counters(); c.Released != 1 || c.Episodes != 2 || c.Torn != 0 {
		t.Errorf("counters %+v", c)
	}
	if n, err := parseAll(d); n != 2 || err != nil {
		t.Errorf("%d episodes on the disk, %v", n, err)
	}
	again := open(t, d.traces(), o)
	again.SetUser(driver)
	if err := again.Tick(weeks(5)); err != nil || !again.Recording() || len(again.ConsentHistory()) != 1 {
		t.Errorf("after a restart: recording %v, decisions %v, %v", again.Recording(), again.ConsentHistory(), err)
	}
	again.SetUser(8)
	if h := again.ConsentHistory(); len(h) != 0 {
		t.Errorf("the other driver's refused yes is there: %v", h)
	}
}

// parseAll reads all segments: none may be half.
func parseAll(d *disk) (n int, err error) {
	return Show(new(strings.Builder), d.traces(), ShowOptions{})
}

// TestWithdrawalOnAFullDisk holds that what is wiped makes room for the decision.
func TestWithdrawalOnAFullDisk(t *testing.T) {
	onFaultyDisk(t, func(d *disk) { withdrawAndHeal(d, d.full, !d.mounts) })
}

// TestWithdrawalOnAReadOnlyDisk holds that a no counts at once, whatever the disk
// says; that nothing leaves until it is on the disk; and that it gets there by
// itself when the disk is good again.
func TestWithdrawalOnAReadOnlyDisk(t *testing.T) {
	onFaultyDisk(t, func(d *disk) { withdrawAndHeal(d, d.readOnly, true) })
}

func withdrawAndHeal(d *disk, fail func(on bool), owed bool) {
	t := d.t
	r := consented(t, d.traces(), options(t))
	known(t, r, at(0, 0))
	air(t, r, 100)
	fail(true)
	err := r.WithdrawConsent(demo, at(200, 50))
	if (err != nil) != owed || r.Recording() || len(r.Traces()) != 0 || (r.Problem() != nil) != owed {
		t.Errorf("withdrawn: %v, recording %v, %d traces, problem %v", err, r.Recording(), len(r.Traces()), r.Problem())
	}
	if n, err := r.Record([]Interaction{tap("home", "climate_tile")}, at(201, 0)); n != 0 || err != nil {
		t.Errorf("accepted %d, %v", n, err)
	}
	if err := r.Tick(weeks(2)); (err != nil) != owed || r.Counters().Released != 0 {
		t.Errorf("tick: %v, counters %+v", err, r.Counters())
	}
	fail(false)
	if err := r.Tick(weeks(2)); err != nil || r.Problem() != nil || r.Counters().Released != 0 {
		t.Errorf("the disk is good again: %v, %v, counters %+v", err, r.Problem(), r.Counters())
	}
	if n, err := parseAll(d); n != 0 || err != nil {
		t.Errorf("%d episodes left, %v", n, err)
	}
	after := open(t, d.traces(), options(t))
	after.SetUser(driver)
	if h := after.ConsentHistory(); len(h) != 2 || h[1].Given {
		t.Errorf("decisions %+v", h)
	}
}

// TestStartOnAReadOnlyDisk holds that a recorder starts on a disk that is read-only,
// records as it can tell, and goes on when the disk is good; what a withdrawal that
// was cut short left is removed then.
func TestStartOnAReadOnlyDisk(t *testing.T) {
	onFaultyDisk(t, func(d *disk) {
		r := consented(t, d.traces(), options(t))
		known(t, r, at(0, 0))
		r.SetUser(8)
		d.must(r.GiveConsent(demo, at(1, 0)))
		air(t, r, 100)
		left := files(t, filepath.Join(d.traces(), "spool", demo))
		d.must(r.WithdrawConsent(demo, at(200, 0)))
		for name, b := range left { // as if power was lost before the wipe
			d.must(os.WriteFile(filepath.Join(d.traces(), "spool", demo, name), b, 0o600))
		}
		d.readOnly(true)
		if !d.mounts { // a directory that only this user may not write is a mistake to be told
			_, err := Open(d.traces(), options(t))
			if d.readOnly(false); err == nil || !strings.Contains(err.Error(), "is not writable") {
				t.Errorf("started without the right to write: %v", err)
			}
			return
		}
		r = open(t, d.traces(), options(t))
		r.SetUser(driver)
		if err := r.Tick(at(300, 0)); err == nil || r.Problem() == nil || !r.Recording() {
			t.Errorf("tick %v, problem %v, recording %v", err, r.Problem(), r.Recording())
		}
		record(t, r, at(301, 0), tap("home", "media_tile"))
		if err := r.Tick(weeks(2)); err == nil || r.Counters().Released != 0 {
			t.Errorf("released: %v, %+v", err, r.Counters())
		}
		d.readOnly(false)
		if err := r.Tick(weeks(2)); err != nil || r.Problem() != nil || r.Counters().Released != 1 {
			t.Errorf("the disk is good again: %v, %v, %+v", err, r.Problem(), r.Counters())
		}
		if n, err := parseAll(d); n != 1 || err != nil {
			t.Errorf("%d episodes, %v; want the one that left", n, err)
		}
	})
}

// TestCorruptedSegments opens spools of random bytes, of segments cut and changed
// anywhere, and of what is no segment at all: each is counted, nothing is read back
// of it, and what is whole goes on. The contract's line 10.
func TestCorruptedSegments(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for round := range 25 {
		dir := filepath.Join(t.TempDir(), "traces")
		known(t, consented(t, dir, options(t)), at(0, 0))
		spool := filepath.Join(dir, "spool", demo)
		bad := 1 + r.IntN(10)
		var good []byte
		for _, good = range files(t, spool) {
		}
		for i := range bad {
			text := corrupted(r, good)
			name := fmt.Sprintf("%d-%016x-%d%s", driver, r.Uint64(), noon.Unix()+int64(i), segmentSuffix)
			if r.IntN(4) == 0 {
				name = fmt.Sprintf("foreign %d", i)
			}
			if err := os.WriteFile(filepath.Join(spool, name), text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.MkdirAll(filepath.Join(spool, "lost+found", "x"), 0o700); err != nil {
			t.Fatal(err)
		}
		rec := open(t, dir, options(t))
		rec.SetUser(driver)
		if c := rec.Counters(); c.Torn != uint64(bad)+1 || rec.Problem() != nil || len(rec.Traces()) != 1 || len(files(t, spool)) != 1 {
			t.Fatalf("round %d: %d bad, counters %+v, problem %v, %d traces, %d files", round, bad, c, rec.Problem(), len(rec.Traces()), len(files(t, spool)))
		}
		if err := rec.Tick(weeks(2)); err != nil || len(episodes(t, filepath.Join(dir, "outbox"))) != 1 {
			t.Errorf("round %d: %v", round, err)
		}
	}
}

// corrupted is what a broken disk makes of a segment.
func corrupted(r *rand.Rand, good []byte) []byte {
	text := append([]byte(nil), good...)
	random := func(b []byte) {
		for i := range b {
			b[i] = byte(r.Uint32())
		}
	}
	switch r.IntN(4) {
	case 0:
		random(text)
	case 1:
		random(text[headerBytes:])
	case 2:
		return text[:r.IntN(len(text))]
	case 3:
		text[r.IntN(len(text))] ^= 1 << r.IntN(8)
	}
	return text
}

// TestDamagedWhileWaiting holds that a segment that was damaged or taken away after
// it was written does not leave and does not keep others from leaving.
func TestDamagedWhileWaiting(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for name, damage := range map[string]func(path string, good []byte) error{
		"random": func(path string, good []byte) error { return os.WriteFile(path, corrupted(r, good), 0o600) },
		"gone":   func(path string, _ []byte) error { return os.Remove(path) },
		"another's": func(path string, _ []byte) error {
			return os.WriteFile(path, framed(unsignedText, marshalled(sample(1))), 0o600)
		},
		"a text instead": func(path string, _ []byte) error { return os.WriteFile(path, []byte("hello"), 0o600) },
	} {
		dir := filepath.Join(t.TempDir(), "traces")
		rec := consented(t, dir, options(t))
		known(t, rec, at(0, 0))
		air(t, rec, 100)
		spool := filepath.Join(dir, "spool", demo)
		first := rec.spools[0].list[0].name()
		if err := damage(filepath.Join(spool, first), files(t, spool)[first]); err != nil {
			t.Fatal(err)
		}
		if err := rec.Tick(weeks(2)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if c := rec.Counters(); c.Torn != 1 || c.Released != 1 || len(episodes(t, filepath.Join(dir, "outbox"))) != 1 {
			t.Errorf("%s: counters %+v", name, c)
		}
	}
}

func marshalled(ep Episode) []byte {
	b, err := ep.MarshalMsg(nil)
	if err != nil {
		panic(err)
	}
	return b
}

// TestClockJumps jumps both clocks by ten years and back, while recording and while
// segments wait: attempts end and are counted, no more than one episode of a task
// and week leaves, and consent is what it was.
func TestClockJumps(t *testing.T) {
	const tenYears = 10 * 365 * 24 * time.Hour
	for _, jump := range []struct {
		name      string
		now, wall time.Duration
	}{{"now forward", tenYears, 0}, {"now back", -tenYears, 0}, {"wall forward", 0, tenYears}, {"wall back", 0, -tenYears}, {"both forward", tenYears, tenYears}, {"both back", -tenYears, -tenYears}} {
		t.Run(jump.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "traces")
			r := consented(t, dir, options(t))
			known(t, r, at(0, 0))
			record(t, r, at(60, 0), tap("home", "climate_tile"))
			far := at(61, 0)
			far.Now, far.Wall = far.Now.Add(jump.now), far.Wall.Add(jump.wall)
			if _, err := r.Record([]Interaction{{"climate", "fan", "turn", "ok"}}, far); err != nil {
				t.Error(err)
			}
			if err := r.Tick(far); err != nil {
				t.Error(err)
			}
			c := r.Counters()
			if ended := c.Attempts - 1 + c.Dropped; ended != 1 || (jump.now < 0 && jump.wall == 0) != (c.ClockSteps == 1) {
				t.Errorf("counters %+v", c)
			}
			if r.Recording() != (jump.wall == 0) || (c.Released > 0) != (jump.wall > 0) {
				t.Errorf("recording %v, counters %+v", r.Recording(), c)
			}
			known(t, r, at(120, 0)) // and back
			if err := r.Tick(weeks(2)); err != nil || !r.Recording() || len(r.ConsentHistory()) != 1 {
				t.Errorf("back: %v, recording %v", err, r.Recording())
			}
			if n := len(episodes(t, filepath.Join(dir, "outbox"))); n != 1 || len(episodes(t, dir)) != 1 {
				t.Errorf("%d left, %d in all", n, len(episodes(t, dir)))
			}
			again := open(t, dir, options(t))
			again.SetUser(driver)
			if h := again.ConsentHistory(); again.Problem() != nil || len(h) != 1 || !h[0].Given {
				t.Errorf("after a restart: %v, %+v", again.Problem(), h)
			}
		})
	}
}

// TestWhatCannotBeReadStays holds that a segment which the disk does not give (here
// a link to itself stands for it) is told and not taken for damage, which would be
// removed; the others go on.
func TestWhatCannotBeReadStays(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "traces")
	known(t, consented(t, dir, options(t)), at(0, 0))
	e := entry{user: driver, key: 1, due: noon.Unix()}
	path := filepath.Join(dir, "spool", demo, e.name())
	if err := os.Symlink(e.name(), path); err != nil {
		t.Fatal(err)
	}
	r := open(t, dir, options(t))
	r.SetUser(driver)
	if err := r.Problem(); !errors.Is(err, syscall.ELOOP) || r.Counters().Torn != 0 || len(r.Traces()) != 1 {
		t.Errorf("problem %v, counters %+v", err, r.Counters())
	}
	if _, err := os.Lstat(path); err != nil {
		t.Error(err)
	}
	if err := r.Tick(weeks(2)); err != nil || r.Counters().Released != 1 {
		t.Errorf("%v, counters %+v", err, r.Counters())
	}
}
