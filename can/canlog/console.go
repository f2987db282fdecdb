package canlog

import (
	"bytes"
	"io"

	"vignette/can"
)

// consoleReader yields the frames of what candump prints on a terminal with
// times (`candump -ta`, `-tz`; see sprint_long_canframe in can-utils' lib.c):
//
//	(1436509052.249713)  can0  RX - -  123   [8]  11 22 33 44 55 66 77 88
//	(1436509052.249914)  can0  12345678  [02]  11 22
//	(1436509052.250000)  can0  123   [0]  remote request
//
// `[02]` with two digits is CAN FD; `RX B E` (-x) has the direction, bit rate
// switch and error state. Text behind the data (-a, -e) is not used. Without
// times a frame cannot be placed, and the log is refused. Times of `-td`, the
// difference to the frame before, look like those of -tz: do not use them.
type consoleReader struct{ textLog }

func newConsole(name string, r io.Reader) *consoleReader {
	return &consoleReader{newTextLog(name, r)}
}

// isConsole says whether a line is of candump's console text: it has an id and
// a bracketed length where the log form has `ID#DATA`.
func isConsole(line []byte) bool {
	cells := fields{line: line}
	if first := cells.next(); len(first) > 0 && first[0] == '(' {
		cells.next()
	}
	for range 5 { // RX, two marks, id, length
		cell := cells.next()
		if bytes.IndexByte(cell, '#') >= 0 {
			return false
		}
		if len(cell) > 2 && cell[0] == '[' && cell[len(cell)-1] == ']' {
			_, ok := number(cell[1:len(cell)-1], 10, can.MaxLen)
			return ok
		}
	}
	return false
}

// Read fills *f with the next frame; see can.Reader. An error stays.
func (c *consoleReader) Read(f *can.Frame) error {
	for c.err == nil {
		var line []byte
		if line, c.err = c.next(); c.err != nil {
			break
		}
		cells := fields{line: line}
		if first := cells.next(); len(first) == 0 {
			continue
		}
		cells.pos = 0
		*f = can.Frame{}
		what := c.line(&cells, f)
		switch {
		case what != "":
			c.err = c.fail(cells.column(), what)
		case c.cut && !(f.Len > 0 && f.Flags&can.Remote == 0 && twoDigits(line)):
			c.err = c.cutError(line)
		default:
			c.frames++
			return nil
		}
	}
	return c.err
}

// line reads one frame.
func (c *consoleReader) line(cells *fields, f *can.Frame) string {
	stamp := cells.next()
	if len(stamp) < 3 || stamp[0] != '(' || stamp[len(stamp)-1] != ')' {
		return "line has no time in seconds, as `(1436509052.249713)`; record with candump -l, or with candump -ta"
	}
	var ok bool
	if f.Time, ok = duration(stamp[1:len(stamp)-1], 1e9); !ok {
		return "time is no number of seconds that 64 bits of nanoseconds hold"
	}
	channel := cells.next()
	if len(channel) == 0 {
		return "expected an interface name after the time"
	}
	id, what := consoleMarks(cells, f)
	if what == "" {
		what = consoleID(id, f)
	}
	if what == "" {
		what = consolePayload(cells, f)
	}
	if what == "" {
		f.Bus, what = c.channels.index(channel)
	}
	return what
}

// consoleMarks reads `RX B E` where it is, and the id behind it.
func consoleMarks(cells *fields, f *can.Frame) (id []byte, what string) {
	cell := cells.next()
	if is, _ := direction(cell, f); !is {
		return cell, ""
	}
	for _, mark := range [...]struct {
		letter string
		flag   can.Flags
	}{{"B", can.BRS}, {"E", can.ESI}} {
		switch string(cells.next()) {
		case mark.letter:
			f.Flags |= mark.flag
		case "-":
		default:
			return nil, "expected the marks of candump -x, as `RX - -`; the line may be damaged"
		}
	}
	return cells.next(), ""
}

func consoleID(cell []byte, f *can.Frame) string {
	id, ok := number(cell, 16, 0x3FFFFFFF)
	switch {
	case !ok || len(cell) != 3 && len(cell) != 8:
		return "id needs 3 hex digits (11 bits) or 8 (29 bits)"
	case len(cell) == 3 && id > 0x7FF:
		return "11-bit id is larger than 7FF"
	case len(cell) == 8 && id > maxExtended:
		f.Flags |= can.Error
	case len(cell) == 8:
		f.Flags |= can.Extended
	}
	f.ID = id & maxExtended
	return ""
}

// consolePayload reads `[8]  11 22 …` or `[8]  remote request`.
func consolePayload(cells *fields, f *can.Frame) string {
	cell := cells.next()
	if len(cell) < 3 || cell[0] != '[' || cell[len(cell)-1] != ']' {
		return "expected the length in brackets, as `[8]`; the line may be damaged"
	}
	fd := len(cell) == 4
	n, ok := number(cell[1:len(cell)-1], 10, can.MaxLen)
	if !ok || !can.ValidLength(int(n), fd) {
		return "length is none of its kind of frame; the line may be damaged"
	}
	switch {
	case fd && f.Flags&can.Error != 0:
		return "an error frame cannot be a CAN FD frame"
	case fd:
		f.Flags |= can.FD
	case f.Flags&(can.BRS|can.ESI) != 0:
		return "marks B and E belong to CAN FD frames"
	}
	f.Len = uint8(n)
	before := *cells
	if string(cells.next()) == "remote" && !fd && f.Flags&can.Error == 0 {
		f.Flags |= can.Remote
		return ""
	}
	*cells = before
	return wholeBytes(cells, f, int(n), 16)
}
