//go:build vm

package unit

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// held waits until the disk has refused both logs.
func (r *rig) held() {
	r.Helper()
	await(r, "logs held in memory", 10*time.Second, func() bool {
		return r.hmi.counter("decision_log_bytes_held") > 0 && r.hmi.counter("journal_bytes_held") > 0
	})
}

// TestFaultDiskFull fills the disk of the state, keeps it full while a card acts,
// and makes room again: nothing of the logs is lost.
func TestFaultDiskFull(t *testing.T) {
	r := newRig(t)
	filler := filepath.Join(stateDir, "filler")
	fill(t, filler)
	until := r.promise()
	n := r.hmi.count()
	r.held()
	fill(t, filler+"2") // what a file's end had left
	must(t, errors.Join(os.Remove(filler), os.Remove(filler+"2")))
	r.recovered(time.Now())
	r.same()
	r.kept(n, until)
	r.says("a file cannot be written", "the file can be written again")
	r.ends(false)
}

// fill writes a file until the disk is full.
func fill(t *testing.T, name string) {
	t.Helper()
	f, err := os.Create(name)
	must(t, err)
	defer f.Close()
	chunk := make([]byte, 1<<20)
	for len(chunk) >= 512 {
		n, err := f.Write(chunk)
		switch {
		case errors.Is(err, syscall.ENOSPC):
			chunk = chunk[:len(chunk)/2]
		case err != nil:
			t.Fatal(err)
		case n < len(chunk):
			t.Fatal(io.ErrShortWrite)
		}
	}
}

// TestFaultReadOnly has the kernel make the disk of the state and the root
// read-only, as it does when a disk fails, and writable again.
func TestFaultReadOnly(t *testing.T) {
	r := newRig(t)
	writable := func() {
		run(t, "mount", "-o", "remount,rw", "/")
		run(t, "mount", "-o", "remount,rw", stateDir)
	}
	t.Cleanup(writable)
	must(t, os.WriteFile("/proc/sysrq-trigger", []byte("u"), 0o200))
	run(t, "mount", "-o", "remount,ro", "/")
	await(t, "read-only", 5*time.Second, func() bool {
		return readOnly(t, stateDir) && readOnly(t, "/")
	})
	until := r.promise()
	n := r.hmi.count()
	time.Sleep(3 * time.Second) // the fault itself: what is refused, ext4 says only when it wants to
	writable()
	r.recovered(time.Now())
	r.same()
	r.kept(n, until)
	r.ends(false)
}

// TestFaultReadOnlyStart kills the agent on a disk that is read-only and has what an
// installation left half written: it is there again all the same, and writes once the
// disk is writable.
func TestFaultReadOnlyStart(t *testing.T) {
	r := newRig(t)
	half := filepath.Join(stateDir, "state/cards/half.yaml.new")
	must(t, os.MkdirAll(filepath.Dir(half), 0o755))
	must(t, os.WriteFile(half, []byte("schema: 1\n"), 0o644))
	writable := func() { run(t, "mount", "-o", "remount,rw", stateDir) }
	t.Cleanup(writable)
	until := r.promise()
	n := r.hmi.count()
	must(t, os.WriteFile("/proc/sysrq-trigger", []byte("u"), 0o200))
	await(t, "read-only", 5*time.Second, func() bool { return readOnly(t, stateDir) })
	r.signal(syscall.SIGKILL)
	r.recovered(time.Now())
	r.another()
	r.says("half written cannot be removed", "the state cannot be written", "a file cannot be written")
	if _, err := os.Stat(half); err != nil {
		t.Error(err)
	}
	writable()
	r.kept(n, until)
	await(t, "logs that are written again", 30*time.Second, func() bool { return strings.Count(journal(t), "the file can be written again") >= 2 })
	r.ends(true)
}

func readOnly(t *testing.T, dir string) bool {
	t.Helper()
	const flag = 1 // ST_RDONLY
	var s syscall.Statfs_t
	must(t, syscall.Statfs(dir, &s))
	return s.Flags&flag != 0
}

// TestFaultClockSteps sets the wall clock forth and back while a lease runs.
func TestFaultClockSteps(t *testing.T) {
	r := newRig(t)
	until := r.promise()
	n := r.hmi.count()
	year := 365 * 24 * time.Hour
	for _, step := range []time.Duration{time.Hour, -time.Hour, 10 * year, -10 * year} {
		run(t, "date", "-s", time.Now().Add(step).UTC().Format(time.DateTime))
		t.Logf("the clock is set by %v", step)
		r.recovered(time.Now())
		if step == time.Hour {
			r.hmi.await("end of the lease", n, time.Until(until)+2*time.Second, isEnd)
		}
		r.hmi.awaitArmed(noteCard) // once its cooldown is over
	}
	setClock(t, time.Now()) // its time is vouched for again
	r.same()
	await(t, "recorded with the driver's yes", 2*time.Minute, func() bool {
		time.Sleep(time.Second)
		return r.studyIsOn()
	})
	r.ends(false)
}

// TestFaultMemoryLimit takes away the memory that the unit may have: the kernel
// kills the agent, again and again, until it may have it back.
func TestFaultMemoryLimit(t *testing.T) {
	r := newRig(t)
	until := r.promise()
	n := r.hmi.count()
	t.Cleanup(func() { run(t, "systemctl", "revert", agentUnit) })
	run(t, "systemctl", "set-property", "--runtime", agentUnit, "MemoryMax=3M")
	await(t, "killed for its memory", 10*time.Second, func() bool { return number(t, "NRestarts") >= 2 })
	run(t, "systemctl", "set-property", "--runtime", agentUnit, "MemoryMax=64M")
	r.recovered(time.Now())
	r.kept(n, until)
	r.says("oom-kill")
	r.ends(true)
}

// TestFaultHungryNeighbour has another program take all memory there is, until the
// kernel chooses whom to kill: not the agent.
func TestFaultHungryNeighbour(t *testing.T) {
	r := newRig(t)
	until := r.promise()
	n := r.hmi.count()
	self, err := os.Executable()
	must(t, err)
	out, err := exec.Command("systemd-run", "--quiet", "--unit=neighbour", "--wait", "--setenv="+roleKey+"="+roleHog, self).CombinedOutput()
	ended := time.Now()
	if err == nil {
		t.Errorf("the neighbour got all it wanted: %s", out)
	}
	if result := show(t, "neighbour.service", "Result"); result != "oom-kill" {
		t.Errorf("the neighbour ended with %q", result)
	}
	r.recovered(ended)
	r.same()
	r.kept(n, until)
	r.ends(false)
}

// says holds that the journal has texts, since the agent was started.
func (r *rig) says(texts ...string) {
	r.Helper()
	log := journal(r)
	for _, text := range texts {
		if !strings.Contains(log, text) {
			r.Errorf("nobody says %q\n%s", text, log)
		}
	}
}
