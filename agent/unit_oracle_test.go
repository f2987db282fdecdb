//go:build oracle

package agent

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// mostExposure is the most that systemd may find the unit exposed to, in tenths.
const mostExposure = "15"

// TestUnit has systemd read the unit: it knows every setting, and finds it
// exposed to no more than 1.5 of 10.
func TestUnit(t *testing.T) {
	dir := t.TempDir()
	unit := filepath.Join(dir, "vignette-agent.service")
	// The program is not installed here.
	text := bytes.Replace(readFile(t, shipped+"vignette-agent.service"), []byte("/usr/bin/vignette-agent"), []byte(buildAgent(t, dir)), 1)
	writeFile(t, unit, text)
	out, err := exec.Command("systemd-analyze", "verify", "--man=no", unit).CombinedOutput()
	for line := range strings.Lines(string(out)) {
		if err != nil || strings.Contains(line, "vignette-agent.service") {
			t.Errorf("systemd-analyze verify: %v: %s", err, line)
		}
	}
	out, err = exec.Command("systemd-analyze", "security", "--no-pager", "--offline=true", "--threshold="+mostExposure, unit).CombinedOutput()
	if err != nil {
		t.Errorf("systemd-analyze security: %v\n%s", err, out)
	}
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	t.Log(lines[len(lines)-1])
}

// TestSystemUsers has systemd make the users in an empty root.
func TestSystemUsers(t *testing.T) {
	root := t.TempDir()
	file, err := filepath.Abs(shipped + "vignette-agent.sysusers")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(root, "etc"), 0o755); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("systemd-sysusers", "--root="+root, "--replace=/usr/lib/sysusers.d/vignette-agent.conf", file).CombinedOutput(); err != nil {
		t.Fatalf("systemd-sysusers: %v\n%s", err, out)
	}
	for name, want := range map[string]string{"passwd": "vignette:x:", "group": "vignette-hmi:x:"} {
		if text := string(readFile(t, filepath.Join(root, "etc", name))); !strings.Contains(text, want) {
			t.Errorf("/etc/%s has no %s:\n%s", name, want, text)
		}
	}
}
