//go:build linux && vm

package agent

import (
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"vignette/can"
)

// mostOfCandump is the most that the agent may take of the processor, in times
// of what candump takes.
const mostOfCandump = 4

// TestIdleCostAgainstCandump has the shipped agent with a hundred cards and
// can-utils' candump, which writes a log to /dev/null, read the same frames from
// the same buses, while nobody watches the agent. Every frame comes by itself,
// 250 µs after the one before. What the agent has in memory is held too.
func TestIdleCostAgainstCandump(t *testing.T) {
	const warm, measured = time.Second, 5 * time.Second
	config := deckOf(t, "/car/project", t.TempDir(), "unix:path=/run/bus", "{}")
	candump := exec.Command("candump", "-L", "can0", "can1")
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
	tx := newTransmitter(t)
	time.Sleep(3 * time.Second) // both open their sockets
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
		tx.send(t, f, channel)
		sent++
	})
	look(1)
	time.Sleep(time.Second) // the last frames are taken
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

// transmitter sends frames at their times.
type transmitter struct {
	sockets map[string]int
	began   int64 // CLOCK_MONOTONIC when the first frame was sent, ns
	first   int64 // its time
}

func newTransmitter(t *testing.T) *transmitter {
	tx := &transmitter{sockets: map[string]int{}}
	for _, name := range []string{"can0", "can1"} {
		s, err := unix.Socket(unix.AF_CAN, unix.SOCK_RAW, unix.CAN_RAW)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { unix.Close(s) })
		index, err := interfaceIndex(name)
		if err != nil {
			t.Fatal(err)
		}
		err = unix.SetsockoptCanRawFilter(s, unix.SOL_CAN_RAW, unix.CAN_RAW_FILTER, nil) // it reads nothing
		if err == nil {
			err = unix.SetsockoptInt(s, unix.SOL_CAN_RAW, unix.CAN_RAW_FD_FRAMES, 1)
		}
		if err == nil {
			err = unix.Bind(s, &unix.SockaddrCAN{Ifindex: index})
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		tx.sockets[name] = s
	}
	return tx
}

func interfaceIndex(name string) (int, error) {
	text, err := os.ReadFile("/sys/class/net/" + name + "/ifindex")
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(text)))
}

// send waits until the frame's time and sends it.
func (tx *transmitter) send(t *testing.T, f *can.Frame, channel string) {
	t.Helper()
	if tx.began == 0 {
		tx.began, tx.first = monotonic(), f.Time
	}
	at := unix.NsecToTimespec(tx.began + f.Time - tx.first)
	for unix.ClockNanosleep(unix.CLOCK_MONOTONIC, unix.TIMER_ABSTIME, &at, nil) == unix.EINTR {
	}
	var b [72]byte // struct canfd_frame of linux/can.h; a classic frame has its first 16 bytes
	id := f.ID
	if f.Flags&can.Extended != 0 {
		id |= unix.CAN_EFF_FLAG
	}
	binary.NativeEndian.PutUint32(b[:], id)
	b[4] = f.Len
	copy(b[8:], f.Payload())
	size := 16
	if f.Flags&can.FD != 0 {
		size = 72
	}
	if n, err := unix.Write(tx.sockets[channel], b[:size]); n != size {
		t.Fatalf("sent %d of %d bytes to %s: %v", n, size, channel, err)
	}
}
