//go:build oracle

package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestCANScript runs the script that brings the buses up, in busybox's shell. This
// machine's kernel may have no CAN, so ip is a script that says what it was asked
// for and fails for can9, and the interfaces are files.
func TestCANScript(t *testing.T) {
	const bring = "link set can0 type can bitrate 500000 restart-ms 100\nlink set can0 up\n"
	for _, c := range []struct {
		name, interfaces, config, what string
		asks, says                     string
		code                           int
	}{
		{name: "a bus", interfaces: "can0 eth0", what: "start", asks: bring + "link add vcan0 type vcan\nlink set vcan0 up\n", says: "Starting CAN: OK"},
		{name: "a virtual bus is there", interfaces: "can0 vcan0", what: "start", asks: bring, says: "OK"},
		{name: "in a car", interfaces: "can0", config: "CAN_VIRTUAL=\nCAN_BITRATE=250000\n", what: "start", asks: strings.Replace(bring, "500000", "250000", 1), says: "OK"},
		{name: "no bus at all", interfaces: "eth0", config: "CAN_VIRTUAL=\n", what: "start", says: "OK"},
		{name: "one of two fails", interfaces: "can0 can9", config: "CAN_VIRTUAL=\n", what: "start", asks: bring + "link set can9 type can bitrate 500000 restart-ms 100\n", says: "FAIL", code: 1},
		{name: "down", interfaces: "can0 vcan0", what: "stop", asks: "link set can0 down\nlink delete vcan0\n", says: "Stopping CAN: OK"},
		{name: "no word", interfaces: "can0", what: "", says: "Usage: ", code: 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			for _, name := range strings.Fields(c.interfaces) {
				write(t, filepath.Join(dir, "net", name), "")
			}
			ok(t, "busybox", "--install", "-s", mkdir(t, dir, "bin"))
			ip := filepath.Join(dir, "bin/ip")
			if err := os.Remove(ip); err != nil {
				t.Fatal(err)
			}
			write(t, ip, "#!/bin/sh\necho \"$*\" >>"+dir+"/asked\n[ \"$3\" != can9 ]\n")
			write(t, filepath.Join(dir, "default/can"), c.config)
			write(t, filepath.Join(dir, "asked"), "")
			text := read(t, buildroot, "board/vignette/overlay-busybox/etc/init.d/S41can")
			text = strings.NewReplacer("/sys/class/net", dir+"/net", "/etc/default", dir+"/default").Replace(text)
			write(t, filepath.Join(dir, "S41can"), text)
			if err := os.Chmod(ip, 0o755); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(filepath.Join(dir, "bin/ash"), filepath.Join(dir, "S41can"), c.what)
			cmd.Env = []string{"PATH=" + dir + "/bin"}
			out, err := cmd.CombinedOutput()
			var exit *exec.ExitError
			if err != nil && !errors.As(err, &exit) {
				t.Fatal(err)
			}
			if code := cmd.ProcessState.ExitCode(); code != c.code || !strings.Contains(string(out), c.says) {
				t.Errorf("exit code %d, %q; want %d, %q", code, out, c.code, c.says)
			}
			if asked := read(t, dir, "asked"); asked != c.asks {
				t.Errorf("it asks ip for %q, want %q", asked, c.asks)
			}
		})
	}
}

func mkdir(t *testing.T, elements ...string) string {
	t.Helper()
	dir := filepath.Join(elements...)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}
