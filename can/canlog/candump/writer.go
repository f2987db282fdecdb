package candump

import (
	"bufio"
	"fmt"
	"io"
	"strconv"

	"vignette/can"
)

const hexDigits = "0123456789ABCDEF"

// Writer writes frames in the form of `candump -l`, one a line. Call Flush at
// the end.
type Writer struct {
	w    *bufio.Writer
	line []byte
}

// NewWriter returns a Writer to w.
func NewWriter(w io.Writer) *Writer {
	return &Writer{w: bufio.NewWriterSize(w, 64<<10), line: make([]byte, 0, 256)}
}

// Write appends one frame of the named channel. Times are written with 6
// digits if they are whole microseconds, else with 9. A sent frame gets ` T`,
// as candump -x writes. A frame that the format cannot carry is an error and
// nothing of it is written.
func (w *Writer) Write(f *can.Frame, channel string) error {
	if err := checkFrame(f); err != nil {
		return fmt.Errorf("candump: write frame: %w", err)
	}
	if err := checkChannel(channel); err != nil {
		return fmt.Errorf("candump: write frame: %w", err)
	}
	b := appendTime(w.line[:0], f.Time)
	b = append(b, channel...)
	b = append(b, ' ')
	b = appendID(b, f)
	b = appendPayload(b, f)
	if f.Flags&can.Sent != 0 {
		b = append(b, " T"...)
	}
	b = append(b, '\n')
	w.line = b
	_, err := w.w.Write(b)
	return err
}

// Flush writes out what is buffered.
func (w *Writer) Flush() error { return w.w.Flush() }

func appendTime(b []byte, ns int64) []byte {
	b = append(b, '(')
	b = strconv.AppendInt(b, ns/1_000_000_000, 10)
	b = append(b, '.')
	fraction, digits := ns%1_000_000_000, 9
	if fraction%1000 == 0 {
		fraction, digits = fraction/1000, 6
	}
	for unit := power10(digits - 1); unit > 0; unit /= 10 {
		b = append(b, '0'+byte(fraction/unit%10))
	}
	return append(b, ") "...)
}

func power10(n int) int64 {
	p := int64(1)
	for ; n > 0; n-- {
		p *= 10
	}
	return p
}

func appendID(b []byte, f *can.Frame) []byte {
	id, digits := f.ID, 3
	switch {
	case f.Flags&can.Error != 0:
		id, digits = id|errFlag, 8
	case f.Flags&can.Extended != 0:
		digits = 8
	}
	for shift := 4 * (digits - 1); shift >= 0; shift -= 4 {
		b = append(b, hexDigits[id>>shift&15])
	}
	return append(b, '#')
}

func appendPayload(b []byte, f *can.Frame) []byte {
	if f.Flags&can.Remote != 0 {
		b = append(b, 'R')
		if f.Len > 0 {
			b = append(b, '0'+f.Len)
		}
		return b
	}
	if f.Flags&can.FD != 0 {
		bits := 0
		if f.Flags&can.BRS != 0 {
			bits |= flagBRS
		}
		if f.Flags&can.ESI != 0 {
			bits |= flagESI
		}
		b = append(b, '#', hexDigits[bits])
	}
	for _, v := range f.Payload() {
		b = append(b, hexDigits[v>>4], hexDigits[v&15])
	}
	return b
}

// checkFrame says why the format cannot carry f, or nil.
func checkFrame(f *can.Frame) error {
	fd := f.Flags&can.FD != 0
	long := f.Flags&(can.Extended|can.Error) != 0
	switch {
	case f.Time < 0 || f.Time/1_000_000_000 > maxSecond:
		return fmt.Errorf("time %d ns is outside of 0 to 9223372035 s", f.Time)
	case f.ID > idMask:
		return fmt.Errorf("id %#x has more than 29 bits", f.ID)
	case !long && f.ID > stdIDMax:
		return fmt.Errorf("id %#x has more than 11 bits and the frame is not extended", f.ID)
	case !can.ValidLength(int(f.Len), fd):
		return fmt.Errorf("length %d is not one of a %s frame", f.Len, kind(fd))
	case fd && f.Flags&(can.Remote|can.Error) != 0:
		return fmt.Errorf("a CAN FD frame cannot be a remote request or an error frame")
	case f.Flags&can.Error != 0 && f.Flags&(can.Remote|can.Extended) != 0:
		return fmt.Errorf("an error frame cannot be a remote request or extended")
	case !fd && f.Flags&(can.BRS|can.ESI) != 0:
		return fmt.Errorf("BRS and ESI belong to CAN FD frames")
	}
	return nil
}

func kind(fd bool) string {
	if fd {
		return "CAN FD"
	}
	return "classic CAN"
}

func checkChannel(name string) error {
	if name == "" {
		return fmt.Errorf("the channel has no name")
	}
	for i := 0; i < len(name); i++ {
		if name[i] <= ' ' || name[i] == 0x7F {
			return fmt.Errorf("channel name %q has a space or a control character", name)
		}
	}
	return nil
}
