//go:build oracle

package agent

import (
	"bufio"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	uibridge "vignette/ui-bridge"

	"github.com/godbus/dbus/v5"
)

// TestQtFollowsACard builds the Qt program of testdata/hmi/qt and has it show a
// card in QML, on no screen: the state that it finds, and those that come.
func TestQtFollowsACard(t *testing.T) {
	build := t.TempDir()
	for _, args := range [][]string{{"-S", "../testdata/hmi/qt", "-B", build}, {"--build", build}} {
		if out, err := exec.CommandContext(t.Context(), "cmake", args...).CombinedOutput(); err != nil {
			t.Fatalf("cmake %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
	address := runHMICar(t)
	shown := qtShows(t, filepath.Join(build, "qtcard"), address, "lamp")
	await := func(want string) {
		t.Helper()
		for {
			select {
			case line := <-shown:
				if strings.Contains(line, want) {
					return
				}
				t.Log(line)
			case <-time.After(20 * time.Second):
				t.Fatalf("it does not show %q", want)
			}
		}
	}
	await("lamp: armed")
	tell(t, address, "RunCard", "lamp")
	await("lamp: running lease:Private.Lamp")
	tell(t, address, "EnableCard", "lamp", false)
	await("lamp: off disabled")
}

// tell calls a method of the agent.
func tell(t *testing.T, address, method string, args ...any) {
	t.Helper()
	conn, err := dbus.Connect(address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.Object(uibridge.AgentName, uibridge.AgentPath).Call(uibridge.AgentInterface+"."+method, 0, args...).Err; err != nil {
		t.Fatalf("%s: %v", method, err)
	}
}

// qtShows starts the program and gives the lines that it prints.
func qtShows(t *testing.T, program, address, card string) <-chan string {
	t.Helper()
	cmd := exec.Command(program, card)
	cmd.Env = append(os.Environ(), "DBUS_SESSION_BUS_ADDRESS="+address, "QT_QPA_PLATFORM=offscreen", "QT_FORCE_STDERR_LOGGING=1", "QT_QUICK_BACKEND=software")
	out, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cmd.Process.Kill(); err != nil {
			t.Error("the Qt program:", err)
		}
		cmd.Wait() // killed
	})
	lines := make(chan string, 64)
	go func() {
		for s := bufio.NewScanner(out); s.Scan(); {
			lines <- s.Text()
		}
	}()
	return lines
}
