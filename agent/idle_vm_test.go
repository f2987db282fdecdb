//go:build linux && vm

package agent

import (
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"vignette/can"
	"vignette/testdata/vm/cansend"

	"github.com/godbus/dbus/v5"
)

// mostOfCandump is the most that the agent may take of the processor, in times
// of what candump takes.
const mostOfCandump = 4

// TestIdleCostAgainstCandump has the shipped agent with a hundred cards and
// can-utils' candump, which writes a log to /dev/null, read the same frames from
// the same buses, while nobody watches the agent. Every frame comes by itself,
// 250 µs after the one before. What the agent has in memory is held too.
func TestIdleCostAgainstCandump(t *testing.T) {
	const warm, measured = time.Second, 2 * time.Second
	config := deckOf(t, "/car/project", t.TempDir(), guestBus, "{map: [vcan0=pt, vcan1=body]}")
	candump := exec.Command("candump", "-L", "vcan0", "vcan1")
	if err := candump.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := candump.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		candump.Wait() // ended by a signal
	}()
	agent := startProgram(t, "vignette-agent", config)
	channels := map[string]*cansend.Socket{"can0": openSender(t, "vcan0"), "can1": openSender(t, "vcan1")}
	awaitReaders(t, "all") // candump's
	awaitReaders(t, "err") // the agent's, its last
	began, first := int64(0), int64(0)
	pids := []int{agent.cmd.Process.Pid, candump.Process.Pid}
	var had [2]time.Duration
	var while time.Duration
	look := func(sign time.Duration) {
		while += sign * time.Duration(monotonic())
		for i, pid := range pids {
			had[i] += sign * processorTime(t, pid)
		}
	}
	frames := busyRate * int((warm+measured)/time.Second)
	sent := 0
	busyTraffic(t, frames, func(f *can.Frame, channel string) {
		if sent == busyRate*int(warm/time.Second) {
			look(-1)
		}
		if sent == 0 {
			began, first = monotonic(), f.Time
		}
		sleepUntil(began + f.Time - first)
		if err := channels[channel].Send(f); err != nil {
			t.Fatal(err)
		}
		sent++
	})
	look(1)
	awaitFrames(t, frames)
	resident := status(t, fmt.Sprintf("/proc/%d/status", agent.cmd.Process.Pid), "VmHWM") << 10
	said := agent.end(t)
	t.Logf("processor time for %d frames in %v: agent %v, candump %v, ratio %.2f", frames-busyRate*int(warm/time.Second), while.Round(time.Millisecond), had[0], had[1], had[0].Seconds()/had[1].Seconds())
	if t.Logf("%d KiB resident at most", resident>>10); resident > mostResident {
		t.Errorf("%d bytes were resident, at most %d are allowed", resident, mostResident)
	}
	if m := regexp.MustCompile(`msg=ended frames=(\d+)`).FindStringSubmatch(said); m == nil || m[1] != strconv.Itoa(frames) || !strings.Contains(said, "frames_lost=0") {
		t.Errorf("the agent did not take %d frames:\n%s", frames, said)
	}
	if had[0].Seconds() > mostOfCandump*had[1].Seconds() || had[1] == 0 {
		t.Errorf("the agent took %v, candump %v; at most %v times that are allowed", had[0], had[1], mostOfCandump)
	}
}

// sleepUntil sleeps until a time of CLOCK_MONOTONIC.
func sleepUntil(ns int64) {
	at := unix.NsecToTimespec(ns)
	for unix.ClockNanosleep(unix.CLOCK_MONOTONIC, unix.TIMER_ABSTIME, &at, nil) == unix.EINTR {
	}
}

// awaitReaders waits until somebody reads both virtual interfaces, as one of the
// kernel's lists of readers has it.
func awaitReaders(t *testing.T, list string) {
	t.Helper()
	await(t, "in rcvlist_"+list, func() bool {
		text := string(readFile(t, "/proc/net/can/rcvlist_"+list))
		return regexp.MustCompile(`(?m)^\s*vcan0\s.*raw`).MatchString(text) && regexp.MustCompile(`(?m)^\s*vcan1\s.*raw`).MatchString(text)
	})
}

// awaitFrames waits until the agent has counted so many frames.
func awaitFrames(t *testing.T, frames int) {
	t.Helper()
	conn, err := dbus.Connect(guestBus)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	await(t, "all frames counted", func() bool {
		var counters map[string]uint64
		return agentProperty(conn, "Counters", &counters) && counters["frames"] == uint64(frames)
	})
}
