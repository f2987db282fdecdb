package faults

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

// health is what an agent must come back to after a fault.
type health struct {
	pid        int
	session    uint64
	goroutines uint64
	resident   int // KiB
}

// newFault is a rig whose agent has worked for a while, and its health then.
func newFault(t *testing.T, seed uint64) (*rig, health) {
	t.Helper()
	t.Parallel()
	r := newRig(t, seed, busyCards(), []string{"msgpack", "jsonl"}[seed%2])
	a := r.start()
	if _, ok := a.hear("msg=running"); !ok {
		t.Fatalf("the agent does not start:\n%s", a.told())
	}
	r.car.play(true)
	r.works(20)
	r.await("its figures told", 5*time.Second, func() bool { return r.counters()["goroutines"] > 0 })
	return r, r.health()
}

// works awaits that cards set fans, n times more.
func (r *rig) works(n int) {
	r.t.Helper()
	before := r.service.count()
	r.await("setting fans", 15*time.Second, func() bool { return r.service.count() >= before+n })
}

// property reads a property of the agent into to.
func (r *rig) property(name string, to any) error {
	v, err := r.service.conn.Object("org.vignette.Agent1", "/org/vignette/Agent1").GetProperty("org.vignette.Agent1." + name)
	if err != nil {
		return err
	}
	return v.Store(to)
}

func (r *rig) counters() (m map[string]uint64) {
	r.t.Helper()
	r.must(r.property("Counters", &m))
	return m
}

func (r *rig) health() (h health) {
	r.t.Helper()
	r.must(r.property("Session", &h.session))
	h.pid, h.goroutines, h.resident = r.agent.cmd.Process.Pid, r.counters()["goroutines"], r.resident()
	return h
}

// resident is the agent's VmRSS in KiB.
func (r *rig) resident() (kib int) {
	r.t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", r.agent.cmd.Process.Pid))
	r.must(err)
	_, rest, _ := strings.Cut(string(b), "VmRSS:")
	_, err = fmt.Sscanf(rest, "%d kB", &kib)
	r.must(err)
	return kib
}

// owned reports whether the agent has its name.
func (r *rig) owned() (is bool) {
	r.t.Helper()
	r.must(r.service.conn.BusObject().Call("org.freedesktop.DBus.NameHasOwner", 0, "org.vignette.Agent1").Store(&is))
	return is
}

// moreMemory is how much more resident memory a fault may leave behind, KiB: the
// collector's own delay.
const moreMemory = 12 << 10

// recovers holds that a fault which is over has left nothing behind: the same
// process works, goroutines and memory are back to before, and at the end the fans
// are at their base, the decision log is whole and the journal replays to it.
func (r *rig) recovers(h health) {
	r.t.Helper()
	r.works(20)
	goroutines := uint64(0)
	r.await("back to its goroutines", 10*time.Second, func() bool {
		goroutines = r.counters()["goroutines"]
		return goroutines <= h.goroutines+2 // a call that is out has one
	})
	now := r.health()
	if now.pid != h.pid || now.session != h.session {
		r.t.Errorf("another process or session: %+v, before %+v", now, h)
	}
	if now.resident > h.resident+moreMemory {
		r.t.Errorf("%d KiB resident, before %d", now.resident, h.resident)
	}
	r.car.play(false)
	r.await("at their base", 70*time.Second, func() bool {
		return r.service.standing(driverFan).value == base && r.service.standing(passengerFan).value == base
	})
	r.stop()
	state := r.state()
	for _, fan := range []string{driverFan, passengerFan} {
		if a := state[len(state)-1].of(fan); known(&a) {
			r.t.Errorf("at the end the state has %+v of %s", a, fan)
		}
	}
	lines := r.replays()
	r.t.Logf("goroutines %d, then %d; resident %d KiB, then %d; %d records", h.goroutines, goroutines, h.resident, now.resident, lines)
}

// replays holds that `vignette replay` of the journal writes the decision log, byte
// for byte, and that no record is missing in it. It returns how many there are.
func (r *rig) replays() int {
	r.t.Helper()
	out := filepath.Join(r.dir, "replayed")
	replay := exec.Command(deskBinary, "replay", "--vehicle", r.config.Vehicle, "--cards", r.config.Cards[0],
		"--format", r.config.Decisions.Format, "--decisions", out, r.config.Journal)
	if told, err := replay.CombinedOutput(); err != nil {
		r.t.Fatalf("vignette replay: %v\n%s", err, told)
	}
	again, err := os.ReadFile(out)
	r.must(err)
	decided, err := os.ReadFile(r.config.Decisions.File)
	r.must(err)
	if !bytes.Equal(again, decided) {
		r.t.Errorf("the journal's replay decides otherwise: %d bytes and %d", len(again), len(decided))
	}
	decisions, _, err := r.outputs()
	r.must(err)
	for i, line := range decisions[1 : len(decisions)-1] {
		var d record
		if err := json.Unmarshal([]byte(line), &d); err != nil || d.N != uint64(i+1) {
			r.t.Fatalf("record %d has n %d: %v", i+1, d.N, err)
		}
	}
	return len(decisions) - 2
}

// decided counts the records of the decision log that hold a text, as far as it is
// written out.
func (r *rig) decided(text string) (n int) {
	r.t.Helper()
	decisions, _, err := r.outputs()
	r.must(err)
	for _, line := range decisions {
		if strings.Contains(line, text) {
			n++
		}
	}
	return n
}

// refused is the answer of a service that will not.
func refused() *dbus.Error {
	return dbus.NewError("org.example.Error.NotNow", []any{"not now"})
}
