package canlog

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"vignette/can"
)

// trcReader yields the frames of a PEAK trace of version 1.0, 1.1, 1.3, 2.0 or
// 2.1 (PEAK's "CAN TRC file format"). The columns of 2.x are in `;$COLUMNS`.
//
// Times are those of the lines, milliseconds since the start of the trace; the
// start time, which is local, is not added. An id of more than 4 digits has 29
// bits. Channels are named by their number; a trace without a bus column has
// channel 1. ER lines are error frames without id or data; status, warning,
// event and error counter lines are counted in Ignored.
type trcReader struct {
	textLog
	columns []byte // letters as in $COLUMNS; nil until the first line of data
	version string
}

// trcColumns are the columns of the versions that have no $COLUMNS line.
var trcColumns = map[string]string{"": "NOIlD", "1.0": "NOIlD", "1.1": "NOTIlD", "1.3": "NOBTIRlD"}

func newTRC(name string, r io.Reader) *trcReader {
	return &trcReader{textLog: newTextLog(name, r)}
}

// isTRC recognises a trace by its first bytes: a version line, or the comments
// and the first numbered line of version 1.0.
func isTRC(text []byte) bool {
	if bytes.HasPrefix(text, []byte(";$FILEVERSION")) {
		return true
	}
	if len(text) == 0 || text[0] != ';' {
		return false
	}
	for len(text) > 0 {
		var line []byte
		line, text, _ = bytes.Cut(text, []byte("\n"))
		if line = bytes.TrimSpace(line); len(line) == 0 || line[0] == ';' {
			continue
		}
		cells := fields{line: line}
		n := cells.next()
		return len(n) > 1 && n[len(n)-1] == ')'
	}
	return false
}

// Read fills *f with the next frame; see can.Reader. An error stays.
func (t *trcReader) Read(f *can.Frame) error {
	for t.err == nil {
		var line []byte
		if line, t.err = t.next(); t.err != nil {
			break
		}
		cells := fields{line: line}
		first := cells.next()
		switch {
		case len(first) == 0:
			continue
		case first[0] == ';':
			t.err = t.header(line)
			continue
		}
		var is bool
		if is, t.err = t.line(line, f); is && t.err == nil {
			t.frames++
			return nil
		}
	}
	return t.err
}

// header takes the version and the columns out of the comments.
func (t *trcReader) header(line []byte) error {
	text := strings.TrimSpace(string(line))
	if v, ok := strings.CutPrefix(text, ";$FILEVERSION="); ok {
		switch v {
		case "1.0", "1.1", "1.3", "2.0", "2.1":
			t.version = v
			return nil
		}
		return t.fail(0, fmt.Sprintf("trace version %q is not supported (1.0, 1.1, 1.3, 2.0 and 2.1 are); save it with another version", v))
	}
	if v, ok := strings.CutPrefix(text, ";$COLUMNS="); ok {
		t.columns = []byte(strings.ReplaceAll(v, ",", ""))
		return t.checkColumns()
	}
	return nil
}

func (t *trcReader) checkColumns() error {
	count := func(c byte) int { return bytes.Count(t.columns, []byte{c}) }
	for _, c := range []byte("OTI") {
		if count(c) != 1 {
			return t.fail(0, fmt.Sprintf("$COLUMNS has %d columns %c, one is needed", count(c), c))
		}
	}
	if count('l')+count('L') != 1 || count('D') != 1 || t.columns[len(t.columns)-1] != 'D' {
		return t.fail(0, "$COLUMNS needs one of l and L, and D at the end")
	}
	return nil
}

// start sets the columns of a version before 2.0 at the first line of data.
func (t *trcReader) start() error {
	columns := trcColumns[t.version]
	if columns == "" {
		return t.fail(0, "trace of version "+t.version+" has no $COLUMNS line before its data; the file is damaged")
	}
	t.columns = []byte(columns)
	return nil
}

// trcKind is what a line holds.
type trcKind uint8

const (
	trcData trcKind = iota
	trcRemote
	trcError
	trcOther
)

// line reads one line of data and says whether it holds a frame.
func (t *trcReader) line(line []byte, f *can.Frame) (bool, error) {
	if t.columns == nil {
		if err := t.start(); err != nil {
			return false, err
		}
	}
	*f = can.Frame{}
	cells := fields{line: line}
	kind, what := t.cells(&cells, f)
	switch {
	case what != "":
		return false, t.fail(cells.column(), what)
	case kind == trcOther && t.cut:
		return false, t.cutError(line)
	case kind == trcOther:
		t.ignored++
		return false, nil
	case t.cut && kind == trcData && f.Len > 0 && !twoDigits(line):
		return false, t.cutError(line)
	}
	return true, nil
}

// twoDigits says whether the last field of a line has two characters.
func twoDigits(line []byte) bool {
	line = bytes.TrimRight(line, " ")
	return len(line) > 2 && line[len(line)-3] == ' '
}

// cells reads the columns in their order. The channel comes last, so that a
// damaged line names none.
func (t *trcReader) cells(cells *fields, f *can.Frame) (kind trcKind, what string) {
	channel := []byte("1")
	for _, column := range t.columns {
		if column == 'D' || column == 'I' && kind == trcError {
			break
		}
		cell := cells.next()
		if len(cell) == 0 {
			return kind, fmt.Sprintf("column %c is missing; the line may be damaged", column)
		}
		switch column {
		case 'O':
			var ok bool
			if f.Time, ok = duration(cell, 1e6); !ok {
				return kind, "time is no number of milliseconds that 64 bits of nanoseconds hold; the line may be damaged"
			}
		case 'T':
			if kind, what = t.kind(cell, f); kind == trcOther {
				return kind, what
			}
		case 'I':
			if len(cell) == 8 && t.version < "1.1" && bytes.EqualFold(cell, []byte("FFFFFFFF")) {
				return trcOther, ""
			}
			what = trcID(cell, f)
		case 'B':
			if _, ok := number(cell, 10, 65535); !ok {
				what = "bus is no number; the line may be damaged"
			}
			channel = cell
		case 'd':
			if is, _ := direction(cell, f); !is {
				what = "direction must be Rx or Tx; the line may be damaged"
			}
		case 'l', 'L':
			what = trcLength(cell, column, f)
		}
		if what != "" {
			return kind, what
		}
	}
	if kind, what = trcPayload(cells, kind, f); what == "" {
		f.Bus, what = t.channels.index(channel)
	}
	return kind, what
}

// kind reads the type column.
func (t *trcReader) kind(cell []byte, f *can.Frame) (trcKind, string) {
	if t.version < "2" {
		if is, _ := direction(cell, f); is {
			return trcData, ""
		}
		if asciiEqual(cell, "error") {
			f.Flags |= can.Error
			return trcError, ""
		}
		return trcOther, ""
	}
	switch string(cell) {
	case "DT":
	case "FD":
		f.Flags |= can.FD
	case "FB":
		f.Flags |= can.FD | can.BRS
	case "FE":
		f.Flags |= can.FD | can.BRS | can.ESI
	case "BI":
		f.Flags |= can.FD | can.ESI
	case "RR":
		f.Flags |= can.Remote
		return trcRemote, ""
	case "ER":
		f.Flags |= can.Error
		return trcError, ""
	case "ST", "EC", "EV":
		return trcOther, ""
	default:
		return trcOther, "unknown type; the line may be damaged"
	}
	return trcData, ""
}

func trcID(cell []byte, f *can.Frame) string {
	id, ok := number(cell, 16, maxExtended)
	switch {
	case !ok || len(cell) > 8:
		return "id is no hex number of 29 bits; the line may be damaged"
	case len(cell) > 4:
		f.Flags |= can.Extended
	case id > 0x7FF:
		return "id of 4 digits has more than 11 bits; the line may be damaged"
	}
	f.ID = id
	return ""
}

// trcLength reads a length in bytes (l) or a DLC (L).
func trcLength(cell []byte, column byte, f *can.Frame) string {
	fd := f.Flags&can.FD != 0
	n, ok := number(cell, 10, can.MaxLen)
	switch {
	case ok && column == 'L' && n > 15, !ok:
		return "length is no number of a frame; the line may be damaged"
	case column == 'L' && fd:
		n = uint32(lengthOfDLC[n])
	case column == 'L':
		n = min(n, 8)
	}
	if !can.ValidLength(int(n), fd) {
		return "length is none of its kind of frame; the line may be damaged"
	}
	f.Len = uint8(n)
	return ""
}

// trcPayload reads the data, or RTR in its place.
func trcPayload(cells *fields, kind trcKind, f *can.Frame) (trcKind, string) {
	before := *cells
	if kind == trcError {
		return kind, ""
	}
	if kind == trcData && asciiEqual(cells.next(), "rtr") {
		f.Flags |= can.Remote
		kind = trcRemote
	}
	if kind == trcRemote {
		return kind, ""
	}
	*cells = before
	return kind, wholeBytes(cells, f, int(f.Len), 16)
}
