// Package socketcan reads live CAN buses through Linux's raw CAN sockets
// (Documentation/networking/can.rst of the kernel): classic and FD frames with
// the kernel's receive time, filtered by the kernel, with every frame that the
// kernel had to drop counted and every change of a bus's link reported. It
// waits for interfaces that are absent or down and never writes to a socket:
// the kernel refuses to shut the send side of a raw CAN socket, so a test holds
// that no call here could send.
package socketcan

import (
	"fmt"

	"vignette/can"
)

// DefaultReceiveBuffer is the socket buffer asked for each bus unless Options
// say otherwise, in bytes. The kernel grants no more than net.core.rmem_max,
// which buildroot/package/vignette-agent/90-vignette-can.conf raises to it.
const DefaultReceiveBuffer = 4 << 20

// MaxFilters is how many identifiers of one bus the kernel filters
// (CAN_RAW_FILTER_MAX of linux/can/raw.h).
const MaxFilters = 512

// Filter is one identifier whose data frames are wanted. Remote frames of the
// identifier are not.
type Filter struct {
	ID       uint32 // 11 or, with Extended, 29 bits
	Extended bool
}

// Bus is one interface to read.
type Bus struct {
	Interface string // as `ip link` names it, such as can0
	FD        bool   // CAN FD frames too; without it the kernel passes classic frames only
	// Filters are the identifiers wanted; double ones count once. Nil, or more
	// than MaxFilters of them, passes every frame, remote ones included, which
	// Reader.Filtered tells. Empty but not nil passes none.
	Filters []Filter
}

// Options say what Open reads.
type Options struct {
	Buses         []Bus // at least one, at most 256
	ReceiveBuffer int   // bytes of socket buffer asked for each bus; 0: DefaultReceiveBuffer
}

// Kind says what an Item reports.
type Kind uint8

// The kinds of items.
const (
	Received Kind = iota // a frame, in Frame
	Lost                 // Count frames were dropped since the last Lost, as the socket's queue was full
	Link                 // the link's state is now State
)

// State is the state of a bus's link.
type State uint8

// The states of a link.
const (
	Absent       State = iota // no such interface
	Down                      // the interface is down (ENETDOWN)
	Up                        // frames can arrive
	ErrorPassive              // the controller's error counters passed 127; frames still arrive
	BusOff                    // the controller left the bus until it is restarted
)

// String is the state's name as users read it.
func (s State) String() string {
	switch s {
	case Absent:
		return "absent"
	case Down:
		return "down"
	case Up:
		return "up"
	case ErrorPassive:
		return "error-passive"
	case BusOff:
		return "bus-off"
	}
	return fmt.Sprintf("State(%d)", uint8(s))
}

// Item is one event of one bus.
type Item struct {
	Kind  Kind
	Bus   uint8  // index into Options.Buses
	State State  // of a Link
	Count uint64 // of a Lost
	// Frame is the frame received. Its Time and Bus are set for every kind:
	// Time is nanoseconds of CLOCK_BOOTTIME and never below that of the bus's
	// item before. A frame's is the kernel's receive time carried to that
	// clock (the time of reading where the kernel gives none); a Lost has the
	// time of the frame behind the gap.
	Frame can.Frame
}
