// Package process runs programs for benchmarks and tells what they cost.
package process

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// Cost is what a program took.
type Cost struct {
	Time, Processor time.Duration
	Resident        int64 // KiB, the most that was seen; growth in the last 5 ms cannot be
}

// Run runs a program to its end. An error has what it said on its error output.
//
// What the kernel counts for a child that has ended (ru_maxrss) is not used: it
// begins with what the parent had when the child was made.
func Run(cmd *exec.Cmd) (c Cost, err error) {
	var said strings.Builder
	cmd.Stderr = &said
	start := time.Now()
	if err := cmd.Start(); err != nil {
		return c, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case err := <-ended:
			c.Time = time.Since(start)
			c.Processor = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
			if err != nil {
				err = fmt.Errorf("%v: %w\n%s", cmd.Args, err, said.String())
			}
			return c, err
		case <-time.After(5 * time.Millisecond):
			if now, err := Resident(cmd.Process.Pid); err == nil { // else it has just ended
				c.Resident = max(c.Resident, now)
			}
		}
	}
}

// Resident is the most memory that a process had resident so far, in KiB.
func Resident(pid int) (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	line, _, _ := strings.Cut(rest, "\n")
	kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(line), " kB"), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("process %d ended too early: %w", pid, err)
	}
	return kib, nil
}
