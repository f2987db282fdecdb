//go:build vm

package unit

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"golang.org/x/sys/unix"
)

// mostRecovery is how long after a fault's end cards must act again.
const mostRecovery = time.Second

// quietLease is the lease of the card quiet-reverse.
const quietLease = 8 * time.Second

// rig is the unit, running in a car that drives, with its HMI.
type rig struct {
	*testing.T
	car *car
	hmi *hmi
	pid int
}

// newRig starts the unit from nothing; its driver agrees to the study.
func newRig(t *testing.T) *rig {
	t.Helper()
	fresh(t)
	setClock(t, begin)
	c := newCar(t)
	r := &rig{T: t, car: c, hmi: newHMI(t, c)}
	run(t, "systemctl", "start", agentUnit)
	r.pid = number(t, "MainPID")
	must(t, r.hmi.ask(agentName+".SetUser", uint64(1)).Err)
	await(t, "agreed to the study", 30*time.Second, func() bool {
		return r.hmi.ask(traceFace+".GiveConsent", "demo").Err == nil
	})
	r.hmi.awaitArmed(quietCard, noteCard)
	return r
}

// The cards that the tests look at: one turns the fan down for a lease, the other
// says that the drive mode has changed.
const (
	quietCard = "quiet-reverse"
	noteCard  = "drive-mode-note"
)

// promise has a card turn the fan down, for a lease.
func (r *rig) promise() (until time.Time) {
	r.Helper()
	n, replies := r.hmi.count(), r.hmi.replies(quietCard)
	r.car.set(func(c *car) { c.gear = gearReverse })
	quiet := r.hmi.await("quiet fan", n, 2*time.Second, isQuiet)
	r.car.set(func(c *car) { c.gear = gearPark })
	await(r, "the HMI's answer taken", 5*time.Second, func() bool { return r.hmi.replies(quietCard) > replies })
	return quiet.at.Add(quietLease)
}

// recovered waits until cards act on frames again, and holds that this takes no
// longer than it may since the fault ended.
func (r *rig) recovered(ended time.Time) {
	r.Helper()
	n := r.hmi.count()
	r.car.set(func(c *car) { c.changing = true })
	note := r.hmi.await("note of the drive mode", n, 10*time.Second, isNotify)
	r.car.set(func(c *car) { c.changing = false })
	took := note.at.Sub(ended)
	if took > mostRecovery {
		r.Errorf("a card acts %v after the fault, at most %v are allowed\n%s", took, mostRecovery, journal(r))
	}
	r.Logf("a card acts %d ms after the fault", took.Milliseconds())
}

// kept holds that what had been promised came: the lease ends in its time, and the
// driver's yes stands.
func (r *rig) kept(n int, until time.Time) {
	r.Helper()
	end := r.hmi.await("end of the lease", n, max(time.Until(until), 0)+2*time.Second, isEnd)
	if late := end.at.Sub(until); late > mostRecovery {
		r.Errorf("the lease ended %v late", late)
	}
	r.consents()
}

// consents holds that the driver's yes stands; the HMI says again who drives, as it
// does whenever the agent's name has a new owner.
func (r *rig) consents() {
	r.Helper()
	must(r, r.hmi.ask(agentName+".SetUser", uint64(1)).Err)
	await(r, "recorded with the driver's yes", 5*time.Second, r.studyIsOn)
}

// studyIsOn tells whether the driver's yes to the study counts.
func (r *rig) studyIsOn() bool {
	var studies []map[string]dbus.Variant
	must(r, r.hmi.ask(traceFace+".Studies").Store(&studies))
	return len(studies) == 1 && studies[0]["state"].Value() == "on"
}

// ends stops the unit in good order and keeps what the host judges.
func (r *rig) ends(cut bool) {
	r.Helper()
	began := time.Now()
	run(r, "systemctl", "stop", agentUnit)
	if took := time.Since(began); took > time.Second {
		r.Errorf("the unit stopped in %v, at most 1 s is allowed", took)
	}
	if result := show(r, agentUnit, "Result"); result != "success" {
		r.Errorf("the unit ended with result %s\n%s", result, journal(r))
	}
	out := filepath.Join("/out/faults", r.Name())
	keep(r, out)
	if cut {
		must(r, os.WriteFile(filepath.Join(out, "killed"), nil, 0o644))
	}
}

// same holds that the process has lived through.
func (r *rig) same() {
	r.Helper()
	if pid := number(r, "MainPID"); pid != r.pid {
		r.Errorf("process %d, before %d\n%s", pid, r.pid, journal(r))
	}
}

// another holds that systemd has started the agent anew, once.
func (r *rig) another() {
	r.Helper()
	if n := number(r, "NRestarts"); n != 1 {
		r.Errorf("%d restarts\n%s", n, journal(r))
	}
}

func (r *rig) signal(s syscall.Signal) {
	r.Helper()
	must(r, syscall.Kill(r.pid, s))
}

// TestFaultKill9 kills the agent while a lease runs.
func TestFaultKill9(t *testing.T) {
	r := newRig(t)
	until := r.promise()
	n := r.hmi.count()
	r.signal(syscall.SIGKILL)
	r.recovered(time.Now())
	r.another()
	r.kept(n, until)
	r.ends(true)
}

// TestFaultBusDaemonKilled kills dbus-daemon; its socket stays, and systemd starts it
// anew when somebody dials.
func TestFaultBusDaemonKilled(t *testing.T) {
	r := newRig(t)
	until := r.promise()
	n := r.hmi.count()
	daemon, err := strconv.Atoi(show(t, "dbus.service", "MainPID"))
	must(t, err)
	must(t, syscall.Kill(daemon, syscall.SIGKILL))
	await(t, "a new dbus-daemon", 5*time.Second, func() bool {
		pid := show(t, "dbus.service", "MainPID")
		return pid != "0" && pid != strconv.Itoa(daemon) && show(t, "dbus.service", "ActiveState") == "active"
	})
	r.recovered(time.Now())
	r.same()
	r.kept(n, until)
	r.ends(false)
}

// TestFaultSuspendedProcess stops the process for a time that the watchdog bears.
func TestFaultSuspendedProcess(t *testing.T) {
	r := newRig(t)
	until := r.promise()
	n := r.hmi.count()
	r.signal(syscall.SIGSTOP)
	time.Sleep(5 * time.Second) // the fault itself
	r.signal(syscall.SIGCONT)
	r.recovered(time.Now())
	r.same()
	r.kept(n, until)
	r.ends(false)
}

// TestFaultHang stops the process for good: systemd kills it and starts it anew.
func TestFaultHang(t *testing.T) {
	r := newRig(t)
	us, err := time.ParseDuration(strings.Replace(show(t, agentUnit, "WatchdogUSec"), "min", "m", 1))
	must(t, err)
	owners := r.hmi.owners()
	r.signal(syscall.SIGSTOP)
	var stopped unix.Timespec
	must(t, unix.ClockGettime(unix.CLOCK_MONOTONIC, &stopped))
	awaitOwner(t, owners, us+10*time.Second)
	await(t, "active", 10*time.Second, func() bool { return show(t, agentUnit, "ActiveState") == "active" })
	since := func(stamp string) time.Duration {
		return time.Duration(number(t, stamp))*time.Microsecond - time.Duration(stopped.Nano())
	}
	begun, active := since("ExecMainStartTimestampMonotonic"), since("ActiveEnterTimestampMonotonic")
	if t.Logf("begun anew after %.2f s and ready after %.2f s, the watchdog's time is %v", begun.Seconds(), active.Seconds(), us); begun > us+time.Second {
		t.Errorf("that is more than a second more than the watchdog's time\n%s", journal(t))
	}
	r.recovered(time.Now())
	r.another()
	r.ends(true)
}
