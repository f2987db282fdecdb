package agent

import (
	"errors"
	"os"
	"syscall"
	"time"
	"unsafe"
)

// clockSet tells when somebody sets the wall clock, by a timer that the kernel
// cancels then: see timerfd_create(2), TFD_TIMER_CANCEL_ON_SET. Nothing wakes
// meanwhile.
type clockSet struct {
	file *os.File
	done chan struct{}
}

// What package syscall does not name.
const (
	cancelOnSet   = 2         // TFD_TIMER_CANCEL_ON_SET
	absoluteTimer = 1         // TFD_TIMER_ABSTIME
	noSooner      = 1<<31 - 1 // s since 1970 for which the timer is set, in 2038: all that 32 bits hold
	clockRealtime = 0         // CLOCK_REALTIME
	timerFlags    = syscall.O_NONBLOCK | syscall.O_CLOEXEC
)

// openClockSet calls tell each time the clock is set, on a goroutine of its own,
// until it is closed. After 2038 it tells of nothing.
func openClockSet(tell func()) (*clockSet, error) {
	fd, _, errno := syscall.Syscall(syscall.SYS_TIMERFD_CREATE, clockRealtime, timerFlags, 0)
	if errno != 0 {
		return nil, os.NewSyscallError("timerfd_create", errno)
	}
	c := &clockSet{os.NewFile(fd, "clock"), make(chan struct{})}
	if err := c.arm(); err != nil {
		return nil, errors.Join(err, c.file.Close())
	}
	go c.run(tell)
	return c, nil
}

// arm sets the timer anew.
func (c *clockSet) arm() error {
	raw, err := c.file.SyscallConn()
	if err != nil {
		return err
	}
	var errno syscall.Errno
	at := [2]syscall.Timespec{{}, syscall.NsecToTimespec(noSooner * int64(time.Second))}
	err = raw.Control(func(fd uintptr) {
		_, _, errno = syscall.Syscall6(syscall.SYS_TIMERFD_SETTIME, fd, absoluteTimer|cancelOnSet, uintptr(unsafe.Pointer(&at)), 0, 0, 0)
	})
	if err == nil && errno != 0 {
		err = os.NewSyscallError("timerfd_settime", errno)
	}
	return err
}

func (c *clockSet) run(tell func()) {
	defer close(c.done)
	for {
		_, err := c.file.Read(make([]byte, 8))
		if !errors.Is(err, syscall.ECANCELED) || c.arm() != nil {
			return // closed, or it is 2038
		}
		tell()
	}
}

// Close ends the telling and waits for it.
func (c *clockSet) Close() error {
	err := c.file.Close()
	<-c.done
	return err
}
