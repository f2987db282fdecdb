//go:build vm

package unit

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
	"golang.org/x/sys/unix"
)

// The environment of this program when it plays a role in a unit of its own.
const (
	roleKey   = "VIGNETTE_UNIT_ROLE"
	roleHog   = "hog"   // takes memory until it is killed
	roleProbe = "probe" // tells what it may do
)

func TestMain(m *testing.M) {
	switch os.Getenv(roleKey) {
	case roleHog:
		for all := [][]byte{}; len(all) < 1<<12; { // more than the guest has
			chunk := make([]byte, 4<<20)
			for i := 0; i < len(chunk); i += os.Getpagesize() {
				chunk[i] = 1
			}
			all = append(all, chunk)
		}
	case roleProbe:
		probe()
	default:
		os.Exit(m.Run())
	}
}

// TestUnitIsReadyWhenItSaysSo: systemd waits for READY=1, and then the name is owned.
func TestUnitIsReadyWhenItSaysSo(t *testing.T) {
	fresh(t)
	conn, err := connect("hmi")
	must(t, err)
	defer conn.Close()
	run(t, "systemctl", "start", "--no-block", agentUnit)
	waited := 0
	await(t, "active", 20*time.Second, func() bool {
		state := show(t, agentUnit, "ActiveState")
		if state == "activating" {
			waited++
		}
		return state == "active"
	})
	var owned bool
	must(t, conn.BusObject().Call("org.freedesktop.DBus.NameHasOwner", 0, agentName).Store(&owned))
	if kind := show(t, agentUnit, "Type"); !owned || waited == 0 || kind != "notify" {
		t.Errorf("type %s, seen activating %d times, its name is owned: %t", kind, waited, owned)
	}
	if log := journal(t); !strings.Contains(log, "msg=ready") {
		t.Errorf("it did not say that it is ready:\n%s", log)
	}
}

// TestUnitIsConfined reads what the kernel knows of the agent: no root, no
// capability, system calls filtered, memory and processes bounded, and only
// sockets of D-Bus, CAN and the service manager.
func TestUnitIsConfined(t *testing.T) {
	fresh(t)
	run(t, "systemctl", "start", agentUnit)
	proc := fmt.Sprintf("/proc/%d", number(t, "MainPID"))
	text, err := os.ReadFile(proc + "/status")
	must(t, err)
	uid, gid, _, err := ids("vignette")
	must(t, err)
	none := "0000000000000000"
	for key, want := range map[string]string{"Uid": fmt.Sprint(uid), "Gid": fmt.Sprint(gid), "CapInh": none, "CapPrm": none, "CapEff": none, "CapBnd": none,
		"CapAmb": none, "NoNewPrivs": "1", "Seccomp": "2"} {
		m := regexp.MustCompile(`(?m)^` + key + `:\s*(.*)$`).FindStringSubmatch(string(text))
		if m == nil || uid == 0 || !slices.Equal(slices.Compact(strings.Fields(m[1])), []string{want}) {
			t.Errorf("%s: %q, want %s only", key, m, want)
		}
	}
	group := "/sys/fs/cgroup" + show(t, agentUnit, "ControlGroup")
	for file, want := range map[string]string{"memory.max": fmt.Sprint(64 << 20), "memory.swap.max": "0", "pids.max": "64"} {
		have, err := os.ReadFile(filepath.Join(group, file))
		if strings.TrimSpace(string(have)) != want && !(file == "memory.swap.max" && errors.Is(err, os.ErrNotExist)) {
			t.Errorf("%s is %q, want %s (%v)", file, have, want, err)
		}
	}
	sockets(t, proc)
}

// sockets holds that every socket of a process is a Unix or a CAN socket.
func sockets(t *testing.T, proc string) {
	t.Helper()
	known := map[string]string{}
	for file, column := range map[string]int{"unix": 6, "can/raw": -1} {
		text, err := os.ReadFile(proc + "/net/" + file)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		must(t, err)
		for line := range strings.Lines(string(text)) {
			if f := strings.Fields(line); column >= 0 && len(f) > column {
				known[f[column]] = file
			}
		}
	}
	list, err := os.ReadDir(proc + "/fd")
	must(t, err)
	unixes, others := 0, 0
	for _, e := range list {
		target, err := os.Readlink(filepath.Join(proc, "fd", e.Name()))
		if inode, ok := strings.CutPrefix(target, "socket:["); err == nil && ok {
			if known[strings.TrimSuffix(inode, "]")] == "unix" {
				unixes++
			} else {
				others++
			}
		}
	}
	if others != 2 || unixes == 0 { // can0 and can1
		t.Errorf("%d Unix sockets and %d others, want the two of the CAN buses", unixes, others)
	}
}

// TestUnitMayOnly starts another program with the very settings of the unit and has
// it try: it makes Unix and CAN sockets only, and writes below the unit's
// directory only, beside temporary files of its own.
func TestUnitMayOnly(t *testing.T) {
	fresh(t)
	text, err := os.ReadFile("/lib/systemd/system/" + agentUnit)
	must(t, err)
	self, err := os.Executable()
	must(t, err)
	unit := regexp.MustCompile(`(?m)^(Type|NotifyAccess|BusName|WatchdogSec|Restart|RestartSec|ExecStart)=.*\n`).ReplaceAllString(string(text), "")
	unit = strings.Replace(unit, "[Service]\n", fmt.Sprintf("[Service]\nType=oneshot\nExecStart=%s\nEnvironment=%s=%s\n", self, roleKey, roleProbe), 1)
	must(t, os.MkdirAll("/run/systemd/system", 0o755))
	must(t, os.WriteFile("/run/systemd/system/probe.service", []byte(unit), 0o644))
	run(t, "systemctl", "daemon-reload")
	run(t, "systemctl", "start", "probe.service")
	got := strings.Fields(run(t, "journalctl", "--no-pager", "-o", "cat", "-t", filepath.Base(self), "-u", "probe.service"))
	slices.Sort(got)
	want := []string{"socket:can", "socket:unix", "write:/tmp", "write:/var/lib/vignette", "write:/var/tmp"}
	if !slices.Equal(got, want) {
		t.Errorf("under the unit's settings a program may %q, want %q", got, want)
	}
}

// probe prints what succeeds.
func probe() {
	for name, family := range map[string]int{"unix": unix.AF_UNIX, "can": unix.AF_CAN, "inet": unix.AF_INET, "inet6": unix.AF_INET6,
		"netlink": unix.AF_NETLINK, "packet": unix.AF_PACKET, "vsock": unix.AF_VSOCK} {
		kind := unix.SOCK_DGRAM
		if family == unix.AF_CAN {
			kind = unix.SOCK_RAW
		}
		if fd, err := unix.Socket(family, kind, map[bool]int{true: unix.CAN_RAW}[family == unix.AF_CAN]); err == nil {
			fmt.Println("socket:" + name)
			unix.Close(fd)
		}
	}
	for _, dir := range []string{"/", "/dev", "/dev/shm", "/etc", "/etc/vignette", "/mnt", "/out", "/proc/sys/kernel", "/root", "/run", "/run/dbus", "/sys", "/sys/fs/cgroup", "/tmp",
		"/usr/bin", "/var", "/var/lib", "/var/lib/vignette", "/var/log", "/var/tmp"} {
		if err := os.WriteFile(filepath.Join(dir, "probe"), []byte("x"), 0o600); err == nil {
			fmt.Println("write:" + dir)
		}
	}
}

// TestUnitPolicy asks the agent as several users over the real system bus: the
// HMI's user may, whoever is not in its group may not, root neither; nobody but the
// agent owns its name; and a call of the HMI starts the unit.
func TestUnitPolicy(t *testing.T) {
	fresh(t)
	ask := func(conn *dbus.Conn) error {
		return conn.Object(agentName, agentPath).Call("org.freedesktop.DBus.Properties.GetAll", 0, agentName).Err
	}
	for _, name := range []string{"nobody", "root"} {
		conn, err := connect(name)
		must(t, err)
		defer conn.Close()
		for range 2 { // the second time the agent runs
			if said := errorName(ask(conn)); said != accessDenied {
				t.Errorf("%s asks the agent: %q", name, said)
			}
			if name == "nobody" && show(t, agentUnit, "ActiveState") == "active" {
				t.Errorf("a call of %s started the unit", name)
			}
			if name == "root" {
				run(t, "systemctl", "start", agentUnit)
			}
		}
		if _, err := conn.RequestName(agentName, dbus.NameFlagReplaceExisting); errorName(err) != accessDenied {
			t.Errorf("%s takes the agent's name: %v", name, err)
		}
	}
	run(t, "systemctl", "stop", agentUnit)
	conn, err := connect("hmi")
	must(t, err)
	defer conn.Close()
	if err := ask(conn); err != nil || show(t, agentUnit, "ActiveState") != "active" {
		t.Errorf("the HMI's call does not start the agent: %v", err)
	}
	if _, err := conn.RequestName(agentName, dbus.NameFlagReplaceExisting); errorName(err) != accessDenied {
		t.Errorf("the HMI takes the agent's name: %v", err)
	}
}

const accessDenied = "org.freedesktop.DBus.Error.AccessDenied"

// errorName is the name of a D-Bus error.
func errorName(err error) string {
	var e dbus.Error
	if errors.As(err, &e) {
		return e.Name
	}
	return fmt.Sprint(err)
}
