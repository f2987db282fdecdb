//go:build vm

package unit

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The unit, where it writes, and the user of the HMI, as the guest has them.
const (
	agentUnit = "vignette-agent.service"
	stateDir  = "/var/lib/vignette"
	hmiUser   = 1000
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

// journal is what the agent said since it was started last.
func journal(t testing.TB) string {
	t.Helper()
	return run(t, "journalctl", "--no-pager", "-o", "cat", "-u", agentUnit)
}

// keep copies the decision logs and journals to a directory that the host gets.
func keep(t testing.TB, out string) {
	t.Helper()
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
