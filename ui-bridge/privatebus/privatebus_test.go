package privatebus

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// socket is the path in an address.
func socket(address string) string {
	path, _, _ := strings.Cut(strings.TrimPrefix(address, "unix:path="), ",")
	return path
}

func TestStartAndStop(t *testing.T) {
	address, stop, err := Start(context.Background(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("unix", socket(address))
	if err != nil {
		t.Fatalf("nobody listens at %s: %v", address, err)
	}
	stop()
	stop()
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("the daemon still talks after stop")
	}
	if _, err := net.Dial("unix", socket(address)); err == nil {
		t.Error("the daemon still listens after stop")
	}
}

func TestDaemonEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	address, stop, err := Start(ctx, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	conn, err := net.Dial("unix", socket(address))
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("the daemon still talks")
	}
}

func TestStartTellsWhatIsWrong(t *testing.T) {
	long := filepath.Join(t.TempDir(), strings.Repeat("x", 100))
	if err := os.Mkdir(long, 0o700); err != nil {
		t.Fatal(err)
	}
	taken := t.TempDir()
	if err := os.Mkdir(filepath.Join(taken, "bus"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ dir, want string }{
		{long, "use a shorter directory"},
		{filepath.Join(t.TempDir(), "none"), "no such file or directory"},
		{"/tmp/a b", "has a character that a D-Bus address may not hold"},
		{taken, "dbus-daemon ended at once"},
	} {
		if _, _, err := Start(context.Background(), c.dir); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.dir, err, c.want)
		}
	}
	t.Setenv("PATH", t.TempDir())
	if _, _, err := Start(context.Background(), t.TempDir()); err == nil || !strings.Contains(err.Error(), "is it installed?") {
		t.Errorf("without dbus-daemon: %v", err)
	}
}
