//go:build oracle

package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"vignette/ui-bridge/privatebus"
)

// scripts are all shell scripts of packages and boards.
var scripts = []string{"check", "deb/p*", "board/vignette/*.sh", "board/vignette/*/etc/init.d/*", "package/vignette-agent/S*"}

func TestScriptsAreFine(t *testing.T) {
	for _, pattern := range scripts {
		ok(t, "shellcheck", glob(t, pattern)...)
	}
}

// sysv is the init script in a root of its own, run by busybox: its shell, its
// start-stop-daemon and the rest. The user is daemon, who is everywhere, and
// logger, which wants a syslog daemon, writes to a file.
type sysv struct {
	*testing.T
	dir     string
	address string
}

func newSysV(t *testing.T) *sysv {
	if os.Getuid() != 0 {
		t.Fatal("this test needs root: the init script runs the agent as another user")
	}
	s := &sysv{T: t, dir: t.TempDir()}
	for dir := s.dir; dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, dir := range []string{"bin", "usr/bin", "var/run", "etc/vignette", "etc/default"} {
		if err := os.MkdirAll(filepath.Join(s.dir, dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	ok(t, "busybox", "--install", "-s", filepath.Join(s.dir, "bin"))
	s.program("bin/logger", "#!/bin/sh\nexec cat >>"+s.dir+"/log\n")
	write(t, filepath.Join(s.dir, "log"), "")
	if err := os.Chmod(filepath.Join(s.dir, "log"), 0o666); err != nil {
		t.Fatal(err)
	}
	text := read(t, buildroot, "package/vignette-agent/S80vignette-agent")
	for _, at := range []string{"/usr/bin/", "/var/", "/etc/"} {
		text = strings.ReplaceAll(text, at, s.dir+at)
	}
	text = strings.ReplaceAll(text, `USER="vignette"`, `USER="daemon"`)
	s.program("S80vignette-agent", text)
	cmd := exec.Command("go", "build", "-o", filepath.Join(s.dir, "usr/bin/vignette-agent"), "vignette/agent/cmd/vignette-agent")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return s
}

func (s *sysv) program(name, text string) {
	file := filepath.Join(s.dir, name)
	if err := os.RemoveAll(file); err != nil { // a link to busybox
		s.Fatal(err)
	}
	write(s.T, file, text)
	if err := os.Chmod(file, 0o755); err != nil {
		s.Fatal(err)
	}
}

// bus starts a bus that takes everybody, and configures the agent for it: a car
// whose frames come through a pipe.
func (s *sysv) bus() {
	config := filepath.Join(s.dir, "bus.conf")
	write(s.T, config, `<busconfig><type>system</type><listen>unix:path=`+s.dir+`/bus</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/></policy></busconfig>`)
	address, stop, err := privatebus.StartConfig(context.Background(), config)
	if err != nil {
		s.Fatal(err)
	}
	s.Cleanup(stop)
	s.address = address
	car := filepath.Join(s.dir, "etc/vignette")
	if err := os.CopyFS(car, os.DirFS("../../testdata/drive")); err != nil {
		s.Fatal(err)
	}
	write(s.T, filepath.Join(car, "agent.yaml"), "vehicle: vehicle.yaml\ncards: [cards]\nbus: "+address+"\nsource: {pipe: frames}\nstate: "+s.dir+"/var/lib/vignette/state\n")
	if err := errors.Join(syscall.Mkfifo(filepath.Join(car, "frames"), 0o666), os.Chmod(filepath.Join(car, "frames"), 0o666)); err != nil {
		s.Fatal(err)
	}
	write(s.T, filepath.Join(s.dir, "etc/default/vignette-agent"), `VIGNETTE_AGENT_ARGS="$VIGNETTE_AGENT_ARGS --unsigned"`+"\n")
}

// does runs the script: what it says and its exit code are wanted.
func (s *sysv) does(what, says string, code int) {
	s.Helper()
	cmd := exec.Command(filepath.Join(s.dir, "bin/ash"), filepath.Join(s.dir, "S80vignette-agent"), what)
	cmd.Env = []string{"PATH=" + s.dir + "/bin"}
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		s.Fatal(err)
	}
	if got := cmd.ProcessState.ExitCode(); got != code || !strings.Contains(string(out), says) {
		s.Errorf("%s: exit code %d, %q; want %d, %q", what, got, out, code, says)
	}
}

// ready waits until the agent owns its name.
func (s *sysv) ready() {
	s.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := privatebus.WaitName(ctx, s.address, "org.vignette.Agent1"); err != nil {
		s.Fatalf("%v; it said %s", err, read(s.T, s.dir, "log"))
	}
}

// process is the agent that the PID file names.
func (s *sysv) process() int {
	s.Helper()
	pid, err := strconv.Atoi(strings.TrimSpace(read(s.T, s.dir, "var/run/vignette-agent.pid")))
	if err != nil {
		s.Fatal(err)
	}
	return pid
}

func TestInitScript(t *testing.T) {
	s := newSysV(t)
	s.bus()
	s.does("status", "not running", 3)
	s.does("stop", "FAIL", 1)
	s.does("start", "OK", 0)
	t.Cleanup(func() { s.does("stop", "OK", 0) })
	s.ready()
	s.does("status", "is running", 0)
	first := s.process()
	s.runsAs(first)
	s.does("start", "it runs", 0)
	if again := s.process(); again != first {
		t.Errorf("a second start made %d of %d", again, first)
	}
	s.does("restart", "OK", 0)
	s.ready()
	s.does("reload", "OK", 0)
	s.ready()
	s.does("status", "is running", 0)
	if err := syscall.Kill(s.process(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	s.gone(s.process())
	s.does("status", "has died", 1)
	s.does("start", "OK", 0)
	s.ready()
	s.does("frobnicate", "Usage: ", 1)
	if log := read(t, s.dir, "log"); strings.Count(log, "msg=pipe") != 4 {
		t.Errorf("four agents were started, and said to logger: %s", log)
	}
}

// gone waits until a process that is not our child has ended; nobody need have
// asked how.
func (s *sysv) gone(pid int) {
	s.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if exe, err := os.Readlink("/proc/" + strconv.Itoa(pid) + "/exe"); err != nil || exe == "" {
			return
		}
	}
	s.Fatalf("process %d does not end", pid)
}

// runsAs checks whose process it is, and whose files are its.
func (s *sysv) runsAs(pid int) {
	daemon, err := user.Lookup("daemon")
	if err != nil {
		s.Fatal(err)
	}
	for _, file := range []string{"/proc/" + strconv.Itoa(pid), s.dir + "/var/lib/vignette", s.dir + "/var/run/vignette-agent.log"} {
		info, err := os.Stat(file)
		if err != nil {
			s.Fatal(err)
		}
		if uid := strconv.Itoa(int(info.Sys().(*syscall.Stat_t).Uid)); uid != daemon.Uid {
			s.Errorf("%s is of user %s", file, uid)
		}
	}
	if info, err := os.Stat(s.dir + "/var/lib/vignette"); err != nil || info.Mode().Perm() != 0o700 {
		s.Errorf("/var/lib/vignette: %v, %v", info.Mode(), err)
	}
}

// TestPostBuild: an image that would not start the agent, or that must not leave
// the desk, is refused with every fault named.
func TestPostBuild(t *testing.T) {
	good := map[string]string{
		"usr/bin/vignette-agent":                                 "",
		"etc/vignette/agent.yaml":                                "vehicle: vehicle.yaml\n",
		"etc/vignette/vehicle.yaml":                              "",
		"etc/vignette/vehicle.yaml.minisig":                      "untrusted comment: a\n" + strings.Repeat("R", 100) + "\n",
		"usr/share/dbus-1/system.d/org.vignette.Agent1.conf":     "",
		"usr/lib/systemd/system/vignette-agent.service":          "ExecStart=/usr/bin/vignette-agent --config /etc/vignette/agent.yaml\n",
		"etc/systemd/system/vignette-agent.service.d/other.conf": "[Service]\nNice=1\n",
	}
	for _, c := range []struct {
		name, out, put, text string // files that are left out and put in
		fine                 bool
		says                 string
	}{
		{name: "all is there", fine: true},
		{name: "no car", out: "etc/vignette/vehicle.yaml", fine: true, says: "there is no car in this image"},
		{name: "no program", out: "usr/bin/vignette-agent", says: "/usr/bin/vignette-agent is missing; select BR2_PACKAGE_VIGNETTE_AGENT"},
		{name: "no configuration", out: "etc/vignette/agent.yaml", says: "/etc/vignette/agent.yaml is missing"},
		{name: "no signature", out: "etc/vignette/vehicle.yaml.minisig", says: "vehicle.yaml.minisig is missing; sign the profile"},
		{name: "no policy", out: "usr/share/dbus-1/system.d/org.vignette.Agent1.conf", says: "cannot own its name"},
		{name: "no unit", out: "usr/lib/systemd/system/vignette-agent.service", says: "nothing starts the agent"},
		{name: "a secret key", put: "etc/vignette/keys/my oem.key", text: "comment\nRW" + strings.Repeat("Q", 210) + "\n", says: "/etc/vignette/keys/my oem.key is a secret key"},
		{name: "unsigned by default", put: "etc/default/vignette-agent", text: "VIGNETTE_AGENT_ARGS=--unsigned\n", says: "/etc/default/vignette-agent has --unsigned"},
		{name: "unsigned by a drop-in", put: "etc/systemd/system/vignette-agent.service.d/desk.conf", text: "ExecStart=/usr/bin/vignette-agent --unsigned\n", says: "desk.conf has --unsigned"},
	} {
		t.Run(c.name, func(t *testing.T) {
			target := t.TempDir()
			for name, text := range good {
				if name != c.out {
					write(t, filepath.Join(target, name), text)
				}
			}
			if c.put != "" {
				write(t, filepath.Join(target, c.put), c.text)
			}
			out, err := exec.Command("busybox", "ash", filepath.Join(buildroot, "board/vignette/post-build.sh"), target).CombinedOutput()
			if (err == nil) != c.fine || !strings.Contains(string(out), c.says) || c.says == "" && len(out) > 0 {
				t.Errorf("%v: %s; want %q", err, out, c.says)
			}
		})
	}
	out, err := exec.Command("busybox", "ash", filepath.Join(buildroot, "board/vignette/post-build.sh"), t.TempDir()).CombinedOutput()
	if err == nil || strings.Count(string(out), "\n") != 4 {
		t.Errorf("an empty image has four faults: %v\n%s", err, out)
	}
}
