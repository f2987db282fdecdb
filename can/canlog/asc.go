package canlog

import (
	"bytes"
	"io"
	"math"

	"vignette/can"
	"vignette/can/canlog/internal/lines"
)

// ascReader yields the frames of a Vector ASC log:
//
//	date Sat Sep 30 15:06:13.191 2017
//	base hex  timestamps absolute
//	   2.501000 1 ErrorFrame
//	   2.584921 4 300 Tx r 8
//	   3.098426 1 18EBFF00x Rx d 8 01 A0 0F A6 60 3B D1 40 Length = …
//	  30.005071 CANFD 2 Rx 300 [name] BRS ESI DLC length data …
//
// Times are those of the lines: seconds since the start of measurement. The
// date, which has no time zone and many languages, is not added. With
// `timestamps relative` each time counts from the event before it.
//
// A classic DLC above 8 carries 8 bytes. A CANFD line may hold a classic frame:
// its flags, behind the data, then lack EDL (0x1000). One with a DLC and without
// data is a remote request, which is a classic frame on the bus. An error
// frame has no id or data here. Statistics, chip states, reassembled J1939
// messages, transmit requests (TxRq) and other events are counted in Ignored.
// Channels are named by their number.
type ascReader struct {
	textLog
	base     uint32
	relative bool
	canfd    bool  // the current line is a CANFD one
	time     int64 // of the event before, for relative times
}

func newASC(name string, r io.Reader) *ascReader {
	log := newTextLog(name, r)
	log.lines = lines.NewLongReader(r)
	return &ascReader{textLog: log, base: 16}
}

// isASC says whether a line, in lower case, begins a log.
func isASC(lower []byte) bool {
	return bytes.HasPrefix(lower, []byte("date ")) || bytes.HasPrefix(lower, []byte("base hex")) ||
		bytes.HasPrefix(lower, []byte("base dec"))
}

// Read fills *f with the next frame; see can.Reader. An error stays.
func (a *ascReader) Read(f *can.Frame) error {
	for a.err == nil {
		var line []byte
		if line, a.err = a.next(); a.err != nil {
			break
		}
		var is bool
		if is, a.err = a.line(line, f); is && a.err == nil {
			a.frames++
			return nil
		}
	}
	return a.err
}

// line reads one line and says whether it holds a frame.
func (a *ascReader) line(line []byte, f *can.Frame) (bool, error) {
	cells := fields{line: line}
	first := cells.next()
	if len(first) == 0 {
		return false, nil
	}
	if first[0] < '0' || first[0] > '9' {
		return false, a.header(line, first, &cells)
	}
	t, ok := duration(first, 1e9)
	if !ok {
		return false, a.fail(cells.column(), "time is no number of seconds that 64 bits of nanoseconds hold; the line may be damaged")
	}
	if a.relative {
		if t += a.time; t < a.time {
			return false, a.fail(cells.column(), "relative times add up to more than 64 bits of nanoseconds hold")
		}
		a.time = t
	}
	*f = can.Frame{Time: t}
	is, what := a.event(&cells, f)
	switch {
	case what != "":
		return false, a.fail(cells.column(), what)
	case a.cut && !(is && a.wholeLine(line, f)):
		return false, a.cutError(line)
	case !is:
		a.ignored++
	}
	return is, nil
}

// wholeLine says whether a line without a newline cannot have been longer: its
// last byte has both digits, and nothing has to follow the data.
func (a *ascReader) wholeLine(line []byte, f *can.Frame) bool {
	n := len(line)
	return a.base == 16 && !a.canfd && f.Len > 0 && f.Flags&can.Remote == 0 && n > 3 && line[n-3] == ' '
}

// header reads a line that does not begin with a time.
func (a *ascReader) header(line, first []byte, cells *fields) error {
	switch {
	case first[0] < ' ' || first[0] == 0x7F:
		return a.fail(cells.column(), "line begins with a control character; the log is damaged here")
	case asciiEqual(first, "base"):
		return a.readBase(cells)
	case a.cut && !bytes.EqualFold(bytes.TrimSpace(line), []byte("End TriggerBlock")):
		return a.cutError(line)
	case knownHeader(first):
	default:
		a.ignored++
	}
	return nil
}

func knownHeader(first []byte) bool {
	for _, word := range [...]string{"date", "begin", "end", "internal", "no"} {
		if asciiEqual(first, word) {
			return true
		}
	}
	return bytes.HasPrefix(first, []byte("//"))
}

// readBase reads `base hex timestamps absolute`.
func (a *ascReader) readBase(cells *fields) error {
	switch base := cells.next(); {
	case asciiEqual(base, "hex"):
		a.base = 16
	case asciiEqual(base, "dec"):
		a.base = 10
	default:
		return a.fail(cells.column(), "base must be hex or dec")
	}
	if word := cells.next(); !asciiEqual(word, "timestamps") {
		return nil
	}
	switch form := cells.next(); {
	case asciiEqual(form, "relative"):
		a.relative = true
	case asciiEqual(form, "absolute"):
		a.relative = false
	default:
		return a.fail(cells.column(), "timestamps must be absolute or relative")
	}
	return nil
}

// event reads what follows the time and says whether it is a frame. If what is
// not empty, it says what is wrong at the cell that cells stands on.
func (a *ascReader) event(cells *fields, f *can.Frame) (is bool, what string) {
	channel := cells.next()
	if a.canfd = asciiEqual(channel, "canfd"); a.canfd {
		return a.fdEvent(cells, f)
	}
	if _, ok := number(channel, 10, 65535); !ok {
		return false, ""
	}
	id := cells.next()
	if asciiEqual(id, "errorframe") {
		f.Flags = can.Error
		f.Bus, what = a.channels.index(channel)
		return true, what
	}
	idStart, idEnd := cells.start, cells.pos
	if is, what = direction(cells.next(), f); !is {
		return false, what
	}
	after := *cells
	cells.start, cells.pos = idStart, idEnd
	if what := plainID(id, a.base, f); what != "" {
		return true, what
	}
	*cells = after
	if what := a.classic(cells, f); what != "" {
		return true, what
	}
	f.Bus, what = a.channels.index(channel)
	return true, what
}

// direction reads Rx or Tx; anything else is no frame.
func direction(cell []byte, f *can.Frame) (is bool, what string) {
	switch {
	case asciiEqual(cell, "rx"):
		return true, ""
	case asciiEqual(cell, "tx"):
		f.Flags |= can.Sent
		return true, ""
	}
	return false, ""
}

// classic reads `d 8 data…` or `r [8]`.
func (a *ascReader) classic(cells *fields, f *can.Frame) string {
	kind := cells.next()
	switch {
	case asciiEqual(kind, "r"):
		f.Flags |= can.Remote
		dlc, ok := number(cells.next(), a.base, 255)
		if ok {
			f.Len = uint8(min(dlc, 8))
		}
		return ""
	case !asciiEqual(kind, "d"):
		return "expected d (data) or r (remote) after the direction; the line may be damaged"
	}
	dlc, ok := number(cells.next(), a.base, 255)
	if !ok {
		return "DLC is no number; the line may be damaged"
	}
	f.Len = uint8(min(dlc, 8))
	return wholeBytes(cells, f, int(f.Len), a.base)
}

// fdEvent reads what follows CANFD.
func (a *ascReader) fdEvent(cells *fields, f *can.Frame) (is bool, what string) {
	channel := cells.next()
	if _, ok := number(channel, 10, 65535); !ok {
		return false, ""
	}
	if is, _ := direction(cells.next(), f); !is {
		return false, ""
	}
	id := cells.next()
	if asciiEqual(id, "errorframe") {
		f.Flags |= can.Error
		f.Bus, what = a.channels.index(channel)
		return true, what
	}
	if what := plainID(id, a.base, f); what != "" {
		return true, what
	}
	if what := a.fdFrame(cells, f); what != "" {
		return true, what
	}
	f.Bus, what = a.channels.index(channel)
	return true, what
}

// Flags of CANFD lines, as can-utils' asc2log has them too.
const (
	ascRemote = 0x10
	ascEDL    = 0x1000
	ascBRS    = 0x2000
	ascESI    = 0x4000
)

// fdFrame reads `[name] BRS ESI DLC length data… duration bits flags …`.
func (a *ascReader) fdFrame(cells *fields, f *can.Frame) string {
	brs, ok := number(cells.next(), 10, 1)
	if !ok { // the message's name
		brs, ok = number(cells.next(), 10, 1)
	}
	if !ok {
		return "expected the bit rate switch, 0 or 1; the line may be damaged"
	}
	esi, ok := number(cells.next(), 10, 1)
	if !ok {
		return "expected the error state indicator, 0 or 1; the line may be damaged"
	}
	dlc, ok := number(cells.next(), a.base, 15)
	if !ok {
		return "DLC of a CAN FD frame is no number up to 15"
	}
	length, ok := number(cells.next(), 10, can.MaxLen)
	if !ok || !can.ValidLength(int(length), true) {
		return "data length must be 0 to 8, 12, 16, 20, 24, 32, 48 or 64"
	}
	if what := wholeBytes(cells, f, int(length), a.base); what != "" {
		return what
	}
	f.Len = uint8(length)
	fdKind(cells, f, dlc, brs, esi)
	return ""
}

// fdKind tells classic frames and remote requests by what follows the data.
func fdKind(cells *fields, f *can.Frame, dlc, brs, esi uint32) {
	cells.next() // duration
	cells.next() // bits
	flags, ok := number(cells.next(), 16, math.MaxUint32)
	classic := ok && flags&ascEDL == 0 && f.Len <= 8 && brs+esi == 0
	switch {
	case f.Len == 0 && (dlc != 0 || classic && flags&ascRemote != 0):
		f.Flags |= can.Remote
		f.Len = uint8(min(dlc, 8))
	case !classic:
		f.Flags |= can.FD
		if brs == 1 {
			f.Flags |= can.BRS
		}
		if esi == 1 {
			f.Flags |= can.ESI
		}
	}
}
