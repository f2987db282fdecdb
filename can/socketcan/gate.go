//go:build linux

package socketcan

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// A gate waits until a socket has something to read. The runtime's poller would
// watch the socket for good, so that each frame woke the process, wanted or not.
// It has the gate's epoll set instead, which tells of the socket once, each time
// that somebody waits (EPOLLONESHOT of epoll_ctl(2)).
type gate struct {
	file   *os.File // the epoll set; its deadline ends a wait
	raw    rawConn  // of file
	socket int
	event  [1]unix.EpollEvent
	armed  bool  // the set is to tell
	err    error // of the last turn
	turn   func(set uintptr) (done bool)
}

func newGate(socket int) (*gate, error) {
	set, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("making an epoll set: %w", err)
	}
	g := &gate{socket: socket}
	g.turn = g.look
	g.event[0].Events = unix.EPOLLONESHOT // of nothing yet
	if err = unix.EpollCtl(set, unix.EPOLL_CTL_ADD, socket, &g.event[0]); err == nil {
		err = unix.SetNonblock(set, true) // or the runtime's poller would not take it
	}
	if err != nil {
		unix.Close(set)
		return nil, fmt.Errorf("putting a socket into an epoll set: %w", err)
	}
	g.file = os.NewFile(uintptr(set), "epoll set")
	if g.raw, err = g.file.SyscallConn(); err != nil {
		g.file.Close()
		return nil, err
	}
	return g, nil
}

// wait waits until the socket has something to read or tells of an error.
func (g *gate) wait() error {
	return errors.Join(g.raw.Read(g.turn), g.err)
}

// look arms the set, which tells at once if the socket has something, or asks
// whether it has told.
func (g *gate) look(set uintptr) (done bool) {
	if g.armed {
		n, err := unix.EpollWait(int(set), g.event[:], 0)
		g.armed, g.err = n == 0, ignoreInterrupt(err)
		return n > 0 || g.err != nil
	}
	g.event[0] = unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLONESHOT}
	g.err = unix.EpollCtl(int(set), unix.EPOLL_CTL_MOD, g.socket, &g.event[0])
	g.armed = g.err == nil
	return g.err != nil
}

func ignoreInterrupt(err error) error {
	if err == unix.EINTR {
		return nil
	}
	return err
}

// grain is how often a busy bus is read. Waking up for a frame costs more than
// the frame does, and a full bus of 500 kbit/s has 3,800 a second.
const grain = time.Millisecond

// receive reads what the socket has, and waits while that is nothing and r is not
// to be drained. A bus that had frames less than two grains ago is busy: it is
// read every grain, at the same moments as other buses, until it has none. What
// came in between is one batch; its times are the kernel's.
func (s *socket) receive(r *receiver) error {
	for {
		if err := s.pause(r); err != nil {
			return err
		}
		if err := s.raw.Control(r.call); err != nil {
			return err
		}
		if r.errno == 0 {
			now := time.Now()
			s.busy = now.Sub(s.last) < 2*grain
			s.last = now
			return nil
		}
		s.busy = false
		if r.errno != unix.EAGAIN || r.drain {
			return nil
		}
	}
}

// pause waits until it makes sense to read.
func (s *socket) pause(r *receiver) error {
	switch {
	case r.drain, r.count == batchMessages: // there may be more
	case s.busy:
		time.Sleep(grain - time.Duration(time.Now().UnixNano())%grain)
	default:
		return s.gate.wait()
	}
	return nil
}
