//go:build linux

package cansend

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"vignette/can"
)

// The broadcast manager of linux/can/bcm.h.
const (
	txSetup    = 1
	txExpired  = 9
	setTimer   = 1 << 0
	startTimer = 1 << 1
	countEvent = 1 << 2
	fdFrames   = 1 << 11
)

// MaxCycle is how many frames a Cyclic sends in turn at most.
const MaxCycle = 256

// Cyclic is frames that the kernel itself sends, each by itself at its time, as
// the other end of a bus does. That takes a guest a fraction of what a program
// takes that sends as many, and does not fall behind.
type Cyclic struct{ fd int }

// The kernel's interval begins when the frame before was sent, which takes so long
// on a virtual interface and, with the interrupts of both its ends, on a controller.
const (
	lateVirtual    = 35 * time.Microsecond
	lateController = 115 * time.Microsecond
)

// StartCyclic begins to send frames to an interface in turn, at least rate of
// them in a second, until count of them were sent or it is closed. They are all
// of one kind, classic or FD.
func StartCyclic(name string, rate, count int, frames ...*can.Frame) (*Cyclic, error) {
	fd, err := unix.Socket(unix.AF_CAN, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, unix.CAN_BCM)
	if err != nil {
		return nil, fmt.Errorf("the broadcast manager: %w", err)
	}
	every := time.Second/time.Duration(rate) - lateVirtual
	if _, err := os.Stat("/sys/class/net/" + name + "/device"); err == nil {
		every += lateVirtual - lateController
	}
	index, err := interfaceIndex(name)
	if err == nil {
		err = unix.Connect(fd, &unix.SockaddrCAN{Ifindex: index})
	}
	if err == nil {
		err = OnProcessor(int(turns.Add(1)), func() error {
			_, err := unix.Write(fd, setup(every, count, frames))
			return err
		})
	}
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("the broadcast manager on %s: %w", name, err)
	}
	return &Cyclic{fd}, nil
}

// turns counts calls of StartCyclic. Each has the next processor: the kernel's
// timers stay on that on which they were started, and one processor of a guest is
// not enough for the interrupts of two full buses.
var turns atomic.Uint32

// OnProcessor calls f on a processor, by its number modulo how many there are;
// programs that f starts stay on it.
func OnProcessor(number int, f func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var all, one unix.CPUSet
	if err := unix.SchedGetaffinity(0, &all); err != nil {
		return err
	}
	one.Set(number % all.Count())
	if err := unix.SchedSetaffinity(0, &one); err != nil {
		return err
	}
	return errors.Join(f(), unix.SchedSetaffinity(0, &all))
}

// Wait waits until the last frame was sent.
func (c *Cyclic) Wait() error {
	var b [256]byte
	n, err := unix.Read(c.fd, b[:])
	if err == nil && (n < 4 || binary.NativeEndian.Uint32(b[:]) != txExpired) {
		err = fmt.Errorf("the broadcast manager says %v", b[:n])
	}
	return err
}

// Close ends it.
func (c *Cyclic) Close() error { return unix.Close(c.fd) }

// setup is a struct bcm_msg_head with frames. Its times are of the processor's
// own words, and its frames begin at a multiple of eight bytes.
func setup(every time.Duration, count int, frames []*can.Frame) []byte {
	const word = 32 << (^uint(0) >> 63) / 8
	var b []byte
	put := func(n uint64, size int) {
		for len(b)%size != 0 {
			b = append(b, 0)
		}
		if size == 8 {
			b = binary.NativeEndian.AppendUint64(b, n)
		} else {
			b = binary.NativeEndian.AppendUint32(b, uint32(n))
		}
	}
	flags := uint64(setTimer | startTimer | countEvent)
	if frames[0].Flags&can.FD != 0 {
		flags |= fdFrames
	}
	put(txSetup, 4)
	put(flags, 4)
	put(uint64(count), 4)
	put(uint64(every/time.Second), word)
	put(uint64(every%time.Second/time.Microsecond), word)
	put(0, word) // no second interval: it ends
	put(0, word)
	put(uint64(frames[0].ID), 4)
	put(uint64(len(frames)), 4)
	for len(b)%8 != 0 {
		b = append(b, 0)
	}
	for _, f := range frames {
		b = append(b, Encode(f)...)
	}
	return b
}
