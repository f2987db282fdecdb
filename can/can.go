// Package can holds the one frame type of Vignette, classic CAN and CAN FD
// alike, and the interfaces that recordings and live buses share.
package can

import "fmt"

// Flags are the properties of a frame that are not its identifier, length or
// data. Names follow ISO 11898-1 and linux/can.h.
type Flags uint8

// The flags of a frame.
const (
	Extended Flags = 1 << iota // 29-bit identifier
	Remote                     // remote transmission request; Len is the DLC asked for, Data is empty
	Error                      // error frame of the controller (CAN_ERR_FLAG), not a message
	FD                         // CAN FD frame, up to 64 bytes
	BRS                        // FD: bit rate switch
	ESI                        // FD: error state indicator
	Sent                       // transmitted by the recorder itself
)

// MaxLen is the most data bytes that a CAN FD frame carries.
const MaxLen = 64

// Frame is one CAN or CAN FD frame with the time and the bus it came from.
// The zero value is an empty data frame.
type Frame struct {
	Time  int64  // nanoseconds on the stream's own time base
	ID    uint32 // 11 or, with Extended, 29 bits
	Bus   uint8  // index into the Reader's Channels, or into a profile's buses
	Flags Flags
	Len   uint8 // bytes of Data in use, 0 to 64
	Data  [MaxLen]byte
}

// Payload returns the bytes in use; the slice shares the frame's memory.
func (f *Frame) Payload() []byte { return f.Data[:f.Len] }

// Reader yields the frames of a recording or of a live bus in order.
type Reader interface {
	// Read fills *f with the next frame. It returns io.EOF after the last one
	// and a *FormatError where the input is damaged; frames before the damage
	// have been returned by then. Read keeps no reference to f.
	Read(f *Frame) error
	// Channels names the buses of the frames read so far; Frame.Bus indexes it.
	Channels() []string
}

// FormatError says where and why a recording cannot be read any further.
type FormatError struct {
	File   string // name given by the caller
	Line   int    // 1-based; 0 for binary formats
	Column int    // 1-based byte within the line; 0 when the whole line is meant
	What   string // what is wrong, then what to do
}

// Error formats as file:line:column: what.
func (e *FormatError) Error() string {
	switch {
	case e.Line == 0:
		return fmt.Sprintf("%s: %s", e.File, e.What)
	case e.Column == 0:
		return fmt.Sprintf("%s:%d: %s", e.File, e.Line, e.What)
	}
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.What)
}

// ValidLength reports whether a frame can carry n data bytes: 0 to 8, and with
// fd also 12, 16, 20, 24, 32, 48 and 64 (ISO 11898-1, DLC table).
func ValidLength(n int, fd bool) bool {
	if n >= 0 && n <= 8 {
		return true
	}
	switch n {
	case 12, 16, 20, 24, 32, 48, 64:
		return fd
	}
	return false
}
