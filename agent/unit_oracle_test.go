//go:build oracle

package agent

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	"vignette/ui-bridge/privatebus"
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

// TestSockets has strace show every socket that the agent asks the kernel for, as
// its unit runs it, on CAN sockets, which this kernel may not have, on a pipe, and with
// a D-Bus address over TCP, which it refuses: there are Unix and CAN sockets only.
func TestSockets(t *testing.T) {
	for name, c := range map[string]struct {
		source, bus string // no bus: a real one
		wants       string
		says        string
	}{
		"CAN":      {"{}", "", "AF_CAN", "msg=ready|CONFIG_CAN"},
		"a pipe":   {"{pipe: frames}", "", "AF_UNIX", "msg=ready"},
		"over TCP": {"{pipe: frames}", "tcp:host=localhost,port=1", "", "is not a Unix socket, and the agent opens no other"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if c.bus == "" {
				address, stop, err := privatebus.Start(t.Context(), dir)
				if err != nil {
					t.Fatal(err)
				}
				defer stop()
				c.bus = address
			}
			if err := syscall.Mkfifo(filepath.Join(dir, "frames"), 0o600); err != nil {
				t.Fatal(err)
			}
			config := deckOf(t, "..", dir, `"`+c.bus+`"`, c.source)
			trace := filepath.Join(dir, "trace")
			cmd := exec.Command("strace", "-D", "-f", "-qq", "-e", "trace=socket,socketpair", "-o", trace, buildAgent(t, dir), "--unsigned", "--config", config)
			out, err := cmd.StderrPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			said, lines := "", bufio.NewScanner(out)
			for says := regexp.MustCompile(c.says); lines.Scan() && !says.MatchString(said); {
				said += lines.Text() + "\n"
			}
			if !regexp.MustCompile(c.says).MatchString(said) {
				t.Errorf("it says:\n%s", said)
			}
			cmd.Process.Signal(syscall.SIGTERM) // -D: it is the agent, which may have ended
			cmd.Wait()
			families := regexp.MustCompile(`(?:socket|socketpair)\((\w+)`).FindAllStringSubmatch(string(readFile(t, trace)), -1)
			for _, f := range families {
				if f[1] != "AF_UNIX" && f[1] != "AF_CAN" {
					t.Errorf("it asks for a socket of %s", f[1])
				}
			}
			if c.wants != "" && !slices.ContainsFunc(families, func(f []string) bool { return f[1] == c.wants }) {
				t.Errorf("it asks for no socket of %s: %v", c.wants, families)
			}
		})
	}
}
