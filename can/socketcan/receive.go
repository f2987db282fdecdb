//go:build linux

package socketcan

import (
	"encoding/binary"
	"unsafe"

	"golang.org/x/sys/unix"
)

// batchMessages is how many frames one system call reads at most.
const batchMessages = 64

// controlSize holds the time (16 bytes) and the drop counter (4 bytes) with
// their headers on any processor; 56 bytes are used at most.
const controlSize = 64

// message is struct mmsghdr of recvmmsg(2). Go's own alignment makes it 64 bytes
// on 64-bit processors and 32 on 32-bit ones, as the kernel's; explicit padding
// at the end would make the kernel's array and this one differ.
type message struct {
	header unix.Msghdr
	length uint32 // bytes received
}

// receiver is the memory that the kernel fills: batchMessages frames and their
// control messages. It points into itself and must not be copied.
type receiver struct {
	messages [batchMessages]message
	vectors  [batchMessages]unix.Iovec
	frames   [batchMessages][fdSize]byte
	controls [batchMessages][controlSize]byte

	count int              // messages filled by the last call
	errno unix.Errno       // the last call's error, 0 for none
	drain bool             // an empty queue ends a wait for frames
	call  func(fd uintptr) // read, made once
}

func newReceiver() *receiver {
	r := new(receiver)
	for i := range r.messages {
		h := &r.messages[i].header
		r.vectors[i].Base = &r.frames[i][0]
		r.vectors[i].SetLen(fdSize)
		h.Iov = &r.vectors[i]
		h.SetIovlen(1)
		h.Control = &r.controls[i][0]
	}
	r.call = r.read
	return r
}

// read makes one recvmmsg call that does not block. The call's own timeout is
// never used: the kernel looks at it only after a message (recvmmsg(2), Bugs).
func (r *receiver) read(fd uintptr) {
	for i := range r.messages {
		r.messages[i].header.SetControllen(controlSize)
	}
	n, _, errno := unix.Syscall6(unix.SYS_RECVMMSG, fd, uintptr(unsafe.Pointer(&r.messages[0])), batchMessages, unix.MSG_DONTWAIT, 0, 0)
	r.count, r.errno = int(n), errno
	if errno != 0 {
		r.count = 0
	}
}

// frame is the i-th frame read and its control messages.
func (r *receiver) frame(i int) (frame, control []byte) {
	m := &r.messages[i]
	return r.frames[i][:min(int(m.length), fdSize)], r.controls[i][:min(int(m.header.Controllen), controlSize)]
}

// getsockoptBytes fills b with a socket option of level SOL_SOCKET and reports
// whether the kernel gave that much.
func getsockoptBytes(fd, option int, b []byte) bool {
	size := uint32(len(b))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, uintptr(option), uintptr(unsafe.Pointer(&b[0])), uintptr(unsafe.Pointer(&size)), 0)
	return errno == 0 && int(size) == len(b)
}

func nativeUint32(b []byte) uint32 { return binary.NativeEndian.Uint32(b) }
