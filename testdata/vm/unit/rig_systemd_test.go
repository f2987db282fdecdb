//go:build vm

package unit

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// The unit, where it writes, and the bus, as the guest has them.
const (
	agentUnit  = "vignette-agent.service"
	stateDir   = "/var/lib/vignette"
	busAddress = "unix:path=/run/dbus/system_bus_socket"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// run runs a program and returns what it prints.
func run(t testing.TB, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// show is a property of a unit.
func show(t testing.TB, unit, property string) string {
	t.Helper()
	return run(t, "systemctl", "show", "--value", "-p", property, unit)
}

// number is a property of the agent's unit that is a number.
func number(t testing.TB, property string) int {
	t.Helper()
	n, err := strconv.Atoi(show(t, agentUnit, property))
	must(t, err)
	return n
}

// fresh stops the agent and forgets all that it has kept, and what systemd counts.
func fresh(t testing.TB) {
	t.Helper()
	run(t, "systemctl", "stop", agentUnit)
	_ = exec.Command("systemctl", "reset-failed", agentUnit).Run() // it may not be loaded
	list, err := os.ReadDir(stateDir)
	must(t, err)
	for _, e := range list {
		must(t, os.RemoveAll(filepath.Join(stateDir, e.Name())))
	}
}

// journal is what the agent said, and systemd of it, in this boot.
func journal(t testing.TB) string {
	t.Helper()
	return run(t, "journalctl", "--no-pager", "-o", "cat", "-n", "300", "-u", agentUnit)
}

// await polls for what no event tells.
func await(t testing.TB, what string, within time.Duration, is func() bool) {
	t.Helper()
	for end := time.Now().Add(within); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("within %v: not %s\n%s", within, what, journal(t))
		}
	}
}

// awaitText waits until a file has a text.
func awaitText(t testing.TB, file, text string) {
	t.Helper()
	await(t, text+" in "+file, 30*time.Second, func() bool {
		b, err := os.ReadFile(file)
		return err == nil && strings.Contains(string(b), text)
	})
}

// keep copies the decision logs and journals to a directory that the host gets.
func keep(t testing.TB, out string) {
	t.Helper()
	must(t, os.MkdirAll(out, 0o755))
	for _, pattern := range []string{"decisions.msgp*", "journal.msgp*"} {
		files, err := fs.Glob(os.DirFS(stateDir), pattern)
		must(t, err)
		for _, f := range files {
			data, err := os.ReadFile(filepath.Join(stateDir, f))
			must(t, err)
			must(t, os.WriteFile(filepath.Join(out, f), data, 0o644))
		}
	}
}

// setClock sets the wall clock, and has the kernel vouch for it as a time service
// would.
func setClock(t testing.TB, to time.Time) {
	t.Helper()
	now := unix.NsecToTimespec(to.UnixNano())
	must(t, unix.ClockSettime(unix.CLOCK_REALTIME, &now))
	const status, maxError, estError = 0x10, 0x04, 0x08 // ADJ_STATUS, ADJ_MAXERROR, ADJ_ESTERROR
	_, err := unix.Adjtimex(&unix.Timex{Modes: status | maxError | estError, Status: 1})
	must(t, err)
}

// begin is when the guest's days begin: the demonstration's study is open.
var begin = time.Date(2026, 2, 15, 12, 0, 0, 0, time.UTC)
