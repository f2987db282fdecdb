//go:build linux

// Package cansend sends CAN frames, for tests in the guests: one by one, or by
// the kernel itself at their times.
package cansend

import (
	"encoding/binary"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"vignette/can"
)

// Socket is a raw CAN socket that only sends.
type Socket struct {
	name string
	fd   int
}

// Open opens a socket on an interface.
func Open(name string) (*Socket, error) {
	fd, err := unix.Socket(unix.AF_CAN, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.CAN_RAW)
	if err != nil {
		return nil, err
	}
	index, err := interfaceIndex(name)
	if err == nil {
		err = unix.SetsockoptCanRawFilter(fd, unix.SOL_CAN_RAW, unix.CAN_RAW_FILTER, nil) // it reads nothing
	}
	if err == nil {
		err = unix.SetsockoptInt(fd, unix.SOL_CAN_RAW, unix.CAN_RAW_FD_FRAMES, 1)
	}
	if err == nil {
		err = unix.Bind(fd, &unix.SockaddrCAN{Ifindex: index})
	}
	if err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return &Socket{name, fd}, nil
}

func interfaceIndex(name string) (int, error) {
	text, err := os.ReadFile("/sys/class/net/" + name + "/ifindex")
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(text)))
}

// Close closes the socket.
func (s *Socket) Close() error { return unix.Close(s.fd) }

// Send sends a frame.
func (s *Socket) Send(f *can.Frame) error { return s.Write(Encode(f)) }

// Write sends a frame that Encode has made.
func (s *Socket) Write(b []byte) error {
	if n, err := unix.Write(s.fd, b); n != len(b) {
		return fmt.Errorf("sent %d of %d bytes to %s: %w", n, len(b), s.name, err)
	}
	return nil
}

// The sizes of struct can_frame and canfd_frame of linux/can.h, and the flags of
// the latter.
const (
	classicSize = 16
	fdSize      = 72

	flagBRS = 1 << 0
	flagESI = 1 << 1
)

// Encode is the kernel's form of a frame: struct can_frame or canfd_frame of
// linux/can.h.
func Encode(f *can.Frame) []byte {
	b := make([]byte, classicSize)
	id := f.ID
	if f.Flags&can.FD != 0 {
		b = make([]byte, fdSize)
		if f.Flags&can.BRS != 0 {
			b[5] |= flagBRS
		}
		if f.Flags&can.ESI != 0 {
			b[5] |= flagESI
		}
	}
	for flag, bit := range map[can.Flags]uint32{can.Extended: unix.CAN_EFF_FLAG, can.Remote: unix.CAN_RTR_FLAG, can.Error: unix.CAN_ERR_FLAG} {
		if f.Flags&flag != 0 {
			id |= bit
		}
	}
	binary.NativeEndian.PutUint32(b, id)
	b[4] = f.Len
	copy(b[8:], f.Data[:])
	return b
}
