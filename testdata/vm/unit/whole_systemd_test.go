//go:build vm

package unit

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// TestDrive has canplayer play our drive to the unit, with the stand-in HMI as a
// user in the group that may call it. What came of it this machine's host judges,
// as in the other guests.
func TestDrive(t *testing.T) {
	const out = "/out/scenarios/unit"
	must(t, os.MkdirAll(out, 0o755))
	must(t, os.Chmod(out, 0o777))
	fresh(t)
	hmi := exec.Command("systemd-run", "--quiet", "--uid=hmi", "--wait", "--pipe", "--collect",
		"/bin/vignette-hmi", "--bus", busAddress, "--summary", filepath.Join(out, "hmi.json"))
	said, err := os.Create(filepath.Join(out, "hmi.out"))
	must(t, err)
	hmi.Stdout, hmi.Stderr = said, said
	must(t, hmi.Start())
	t.Cleanup(func() { hmi.Process.Kill() })
	awaitText(t, filepath.Join(out, "hmi.out"), "waiting")
	run(t, "systemctl", "start", agentUnit)
	keepStatus(t, out, "canplayer", exec.Command("canplayer", "-I", "/scenarios/unit/play.log").Run())
	awaitFrames(t, "/scenarios/unit/play.log")
	invocation := show(t, agentUnit, "InvocationID")
	keepStatus(t, out, "agent", exec.Command("systemctl", "stop", agentUnit).Run())
	keepStatus(t, out, "hmi", hmi.Wait())
	must(t, os.WriteFile(filepath.Join(out, "agent.out"), []byte(run(t, "journalctl", "--no-pager", "-o", "cat", "_SYSTEMD_INVOCATION_ID="+invocation)), 0o644))
	keep(t, out)
}

// awaitFrames waits until the agent has counted every frame of a recording, all of
// which are for the cards.
func awaitFrames(t *testing.T, log string) {
	t.Helper()
	text, err := os.ReadFile(log)
	must(t, err)
	conn, err := connect("hmi")
	must(t, err)
	defer conn.Close()
	frames := uint64(bytes.Count(text, []byte("\n")))
	await(t, fmt.Sprintf("%d frames counted", frames), 20*time.Second, func() bool { return counter(t, conn, "frames") == frames })
}

func keepStatus(t *testing.T, dir, program string, err error) {
	t.Helper()
	status := "0"
	if err != nil {
		status = err.Error()
	}
	must(t, os.WriteFile(filepath.Join(dir, program+".status"), []byte(status), 0o644))
}
