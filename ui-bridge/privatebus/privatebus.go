// Package privatebus runs a D-Bus daemon of its own, apart from the system's
// and the session's, for demonstrations and tests.
package privatebus

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// maxSocketPath is the longest path of a Unix socket in bytes: sun_path holds
// 108 with its NUL, see unix(7).
const maxSocketPath = 107

const config = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>session</type>
  <listen>unix:path=%s</listen>
  <servicedir>%s</servicedir>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*"/>
    <allow receive_type="method_call"/>
    <allow receive_type="method_return"/>
    <allow receive_type="error"/>
    <allow receive_type="signal"/>
    <allow own="*"/>
  </policy>
</busconfig>
`

// Start runs dbus-daemon with its configuration and its socket in dir, which
// must exist, and returns the address once it listens. The daemon can start what
// has a service file in dir/services, should there be such a directory. ctx bounds the daemon's
// life: when it ends the daemon is killed. stop ends the daemon and waits for
// it; it may be called more than once.
func Start(ctx context.Context, dir string) (addr string, stop func(), err error) {
	dir, err = filepath.Abs(dir)
	if err != nil {
		return "", nil, err
	}
	socket := filepath.Join(dir, "bus")
	if len(socket) > maxSocketPath {
		return "", nil, fmt.Errorf("the path of the bus socket has %d bytes, at most %d are possible; use a shorter directory than %s",
			len(socket), maxSocketPath, dir)
	}
	if strings.ContainsAny(socket, "<>&,;:%='\" ") {
		return "", nil, fmt.Errorf("directory %s has a character that a D-Bus address may not hold; use another", dir)
	}
	file := filepath.Join(dir, "bus.conf")
	if err := os.WriteFile(file, fmt.Appendf(nil, config, socket, filepath.Join(dir, "services")), 0o600); err != nil {
		return "", nil, err
	}
	return StartConfig(ctx, file)
}

// StartConfig runs dbus-daemon with a configuration file, as Start does with its
// own.
func StartConfig(ctx context.Context, file string) (string, func(), error) {
	ctx, cancel := context.WithCancel(ctx)
	cmd := exec.CommandContext(ctx, "dbus-daemon", "--config-file="+file, "--nofork", "--nopidfile", "--print-address=1")
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 2 * time.Second
	var stderr strings.Builder
	cmd.Stderr = &stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		cancel()
		return "", nil, err
	}
	if err := cmd.Start(); err != nil {
		cancel()
		return "", nil, fmt.Errorf("start dbus-daemon: %w; is it installed?", err)
	}
	line, rerr := bufio.NewReader(stdout).ReadString('\n')
	stop := sync.OnceFunc(func() {
		cancel()
		_ = cmd.Wait() // it was interrupted: its exit status tells nothing
	})
	if rerr != nil {
		stop()
		if !errors.Is(rerr, io.EOF) {
			return "", nil, fmt.Errorf("read the address of dbus-daemon: %w", rerr)
		}
		return "", nil, fmt.Errorf("dbus-daemon ended at once: %s", strings.TrimSpace(stderr.String()))
	}
	return strings.TrimSpace(line), stop, nil
}
