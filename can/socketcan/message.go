//go:build linux

package socketcan

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/sys/unix"

	"vignette/can"
)

// Sizes of struct can_frame and struct canfd_frame of linux/can.h; the size
// alone tells the two apart.
const (
	classicSize = 16
	fdSize      = 72
)

// Flags of struct canfd_frame of linux/can.h.
const (
	canfdBRS = 0x01
	canfdESI = 0x02
)

// wordSize is the size of the kernel's size_t, 4 or 8 bytes.
const wordSize = unix.SizeofPtr

// decode fills f from the kernel's frame b; f keeps its Time and Bus. Error
// frames are decoded too, with can.Error and the error class as identifier.
func decode(b []byte, f *can.Frame) error {
	if len(b) != classicSize && len(b) != fdSize {
		return fmt.Errorf("the kernel gave %d bytes, which is neither a classic (%d) nor an FD frame (%d)", len(b), classicSize, fdSize)
	}
	id, length := binary.NativeEndian.Uint32(b), b[4]
	if int(length) > len(b)-8 {
		return fmt.Errorf("the kernel gave a frame of %d bytes that claims %d bytes of data", len(b), length)
	}
	*f = can.Frame{Time: f.Time, Bus: f.Bus, Len: length, ID: id & unix.CAN_SFF_MASK}
	if id&unix.CAN_EFF_FLAG != 0 {
		f.ID, f.Flags = id&unix.CAN_EFF_MASK, can.Extended
	}
	if len(b) == fdSize {
		f.Flags |= can.FD
		if b[5]&canfdBRS != 0 {
			f.Flags |= can.BRS
		}
		if b[5]&canfdESI != 0 {
			f.Flags |= can.ESI
		}
	}
	if id&unix.CAN_ERR_FLAG != 0 {
		f.ID, f.Flags = id&unix.CAN_ERR_MASK, f.Flags|can.Error
	}
	if id&unix.CAN_RTR_FLAG != 0 {
		f.Flags |= can.Remote
		return nil
	}
	copy(f.Data[:], b[8:8+length])
	return nil
}

// errorState is the state that an error frame tells of (linux/can/error.h),
// ok being false where it tells of none. A controller that warns is no longer
// error passive, so a warning ends that state as "active" does.
func errorState(f *can.Frame) (s State, ok bool) {
	const passive = unix.CAN_ERR_CRTL_RX_PASSIVE | unix.CAN_ERR_CRTL_TX_PASSIVE
	const active = unix.CAN_ERR_CRTL_ACTIVE | unix.CAN_ERR_CRTL_RX_WARNING | unix.CAN_ERR_CRTL_TX_WARNING
	switch {
	case f.ID&unix.CAN_ERR_BUSOFF != 0:
		return BusOff, true
	case f.ID&unix.CAN_ERR_RESTARTED != 0:
		return Up, true
	case f.ID&unix.CAN_ERR_CRTL == 0:
		return 0, false
	case f.Data[1]&passive != 0:
		return ErrorPassive, true
	case f.Data[1]&active != 0:
		return Up, true
	}
	return 0, false
}

// control is what comes beside a frame.
type control struct {
	wall    int64 // receive time, ns of CLOCK_REALTIME
	stamped bool  // wall is set
	drops   uint32
	counted bool // drops is set; the kernel leaves the counter out while it is 0
}

// parseControl reads the control messages of one frame. word is the kernel's
// size of size_t, 4 or 8 bytes, in which headers and alignment differ; the time
// is of two 32-bit or two 64-bit numbers whichever option asked for it. What is
// cut short or unknown is left out.
func parseControl(b []byte, word int) (c control) {
	header := word + 8
	for len(b) >= header {
		size := int(binary.NativeEndian.Uint32(b)) // a cmsg_len never needs more than 16 bits
		if word == 8 {
			size = int(binary.NativeEndian.Uint64(b))
		}
		if size < header || size > len(b) {
			return c
		}
		level, kind := binary.NativeEndian.Uint32(b[word:]), binary.NativeEndian.Uint32(b[word+4:])
		if level == unix.SOL_SOCKET {
			c.take(kind, b[header:size])
		}
		b = b[min((size+word-1)&^(word-1), len(b)):]
	}
	return c
}

// take reads the data of one control message of level SOL_SOCKET.
func (c *control) take(kind uint32, data []byte) {
	switch kind {
	case unix.SO_RXQ_OVFL:
		if len(data) >= 4 {
			c.drops, c.counted = binary.NativeEndian.Uint32(data), true
		}
	case unix.SO_TIMESTAMPNS_OLD, unix.SO_TIMESTAMPNS_NEW:
		var seconds, nanoseconds int64
		switch len(data) {
		case 8:
			seconds = int64(int32(binary.NativeEndian.Uint32(data)))
			nanoseconds = int64(int32(binary.NativeEndian.Uint32(data[4:])))
		case 16:
			seconds = int64(binary.NativeEndian.Uint64(data))
			nanoseconds = int64(binary.NativeEndian.Uint64(data[8:]))
		default:
			return
		}
		c.wall, c.stamped = seconds*1e9+nanoseconds, true
	}
}
