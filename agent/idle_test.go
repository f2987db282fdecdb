package agent

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"vignette/ui-bridge/privatebus"
)

// mostIdle is the most that the agent may take of one core in BenchmarkIdle.
const mostIdle = 0.05

// BenchmarkIdle looks so often and so long, after idleAfter for the start. The
// least counts: the machine's other work makes the same work dearer.
const (
	idleLooks = 5
	idleLook  = 4 * time.Second
	idleAfter = 3 * time.Second
)

// BenchmarkIdle asks what the agent's own program takes of the processor with a
// hundred cards at 4,000 frames a second, while nobody watches it, all of its
// files being written. The frames come from a recording at its own speed; the
// sockets of a kernel with CAN are in TestIdleCostAgainstCandump.
func BenchmarkIdle(b *testing.B) {
	dir := b.TempDir()
	program := buildAgent(b, dir)
	address, stop, err := privatebus.Start(context.Background(), dir)
	if err != nil {
		b.Fatal(err)
	}
	defer stop()
	log, err := os.Create(filepath.Join(dir, "busy.log"))
	if err != nil {
		b.Fatal(err)
	}
	busyLog(b, log, busyRate*int((idleLooks*idleLook+2*idleAfter)/time.Second))
	if err := log.Close(); err != nil {
		b.Fatal(err)
	}
	config := deckOf(b, "..", dir, address, "{log: busy.log, speed: 1x, replies: events}")
	for b.Loop() {
		agent := startProgram(b, program, config)
		time.Sleep(idleAfter) // what is measured is time
		share := 1.0
		for range idleLooks {
			before := processorTime(b, agent.cmd.Process.Pid)
			time.Sleep(idleLook)
			took := processorTime(b, agent.cmd.Process.Pid) - before
			share = min(share, took.Seconds()/idleLook.Seconds())
		}
		agent.end(b)
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(100*share, "%-of-a-core")
		if share > mostIdle {
			b.Errorf("the agent takes %.1f %% of a core, at most %.0f %% are allowed", 100*share, 100*mostIdle)
		}
	}
}

// buildAgent builds the agent's own program.
func buildAgent(tb testing.TB, dir string) string {
	tb.Helper()
	program := filepath.Join(dir, "vignette-agent")
	cmd := exec.Command("go", "build", "-o", program, "./cmd/vignette-agent")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS="+strings.TrimSpace(string(readFile(tb, "cmd/vignette-agent/goflags"))))
	if out, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("go build: %v\n%s", err, out)
	}
	return program
}

// agentProcess is the agent's own program.
type agentProcess struct {
	cmd  *exec.Cmd
	said strings.Builder
}

func startProgram(tb testing.TB, program, config string) *agentProcess {
	tb.Helper()
	return startProgramAs(tb, program, config, nil)
}

// startProgramAs starts it as a user; nil: this one.
func startProgramAs(tb testing.TB, program, config string, as *syscall.Credential) *agentProcess {
	tb.Helper()
	a := &agentProcess{cmd: exec.Command(program, "--unsigned", "--config", config)}
	a.cmd.Stderr = &a.said
	a.cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as}
	if err := a.cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	return a
}

// end tells it to stop and returns what it said.
func (a *agentProcess) end(tb testing.TB) string {
	tb.Helper()
	if err := a.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		tb.Error(err)
	}
	if err := a.cmd.Wait(); err != nil {
		tb.Errorf("the agent: %v\n%s", err, &a.said)
	}
	return a.said.String()
}
