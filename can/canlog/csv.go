package canlog

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"math"
	"strings"

	"vignette/can"
)

// csvReader yields the frames of two kinds of CSV:
//
//	timestamp,arbitration_id,extended,remote,error,dlc,data   python-can's, data in base64
//	time,id,data                                              plain, data in hex
//
// Times are seconds, ids hex with or without 0x. Plain CSV may have the columns
// channel, extended and dlc too, in any order, and may lack the header: then it
// has time, id and data. There an id is extended if the column says so, or if
// it has 8 digits or more than 11 bits; blanks, `_` and `-` may part the bytes.
// A length above 8 makes a CAN FD frame. Without a channel column there is one
// channel, "0".
type csvReader struct {
	textLog
	columns csvColumns
	cells   [][]byte
	begun   bool
}

// csvColumns holds the index of each column; -1 is absent.
type csvColumns struct {
	time, id, extended, remote, isError, dlc, channel, data int
	count                                                   int
	base64                                                  bool
}

const pythonCSV = "timestamp,arbitration_id,extended,remote,error,dlc,data"

func newCSV(name string, r io.Reader) *csvReader {
	return &csvReader{textLog: newTextLog(name, r)}
}

// isCSV says whether a log begins with a header of this reader or, without
// one, with a time, an id and data.
func isCSV(line []byte) bool {
	if c, _, what := csvHeader(line); what == "" && c.time >= 0 {
		return true
	}
	return isPlainRow(line)
}

func isPlainRow(line []byte) bool {
	cells := splitCells(nil, line)
	if len(cells) != 3 || bytes.IndexByte(line, '.') < 0 {
		return false
	}
	var f can.Frame
	_, ok := duration(bytes.TrimSpace(cells[0]), 1e9)
	return ok && csvPlainID(bytes.TrimSpace(cells[1]), &f) == "" && csvHex(cells[2], &f) == ""
}

// csvHeader finds the columns by name. A line that is no header gives no time
// column; what names a column that is wrong.
func csvHeader(line []byte) (c csvColumns, cell int, what string) {
	c = csvColumns{-1, -1, -1, -1, -1, -1, -1, -1, 0, false}
	text := strings.ToLower(strings.ReplaceAll(string(line), " ", ""))
	c.base64 = text == pythonCSV
	named := map[string]*int{"timestamp": &c.time, "time": &c.time, "t": &c.time, "arbitration_id": &c.id, "id": &c.id, "can_id": &c.id,
		"extended": &c.extended, "remote": &c.remote, "error": &c.isError, "dlc": &c.dlc, "len": &c.dlc, "length": &c.dlc,
		"channel": &c.channel, "bus": &c.channel, "data": &c.data}
	for i, name := range strings.Split(text, ",") {
		c.count = i + 1
		slot := named[name]
		switch {
		case slot == nil:
			return csvColumns{time: -1}, i, fmt.Sprintf("unknown column %q; plain CSV has time, id and data, and may have channel, extended and dlc", name)
		case *slot >= 0:
			return csvColumns{time: -1}, i, fmt.Sprintf("column %q is there twice; delete one", name)
		}
		*slot = i
	}
	if c.time < 0 || c.id < 0 || c.data < 0 {
		return csvColumns{time: -1}, 0, "the header needs the columns time, id and data"
	}
	return c, 0, ""
}

// Read fills *f with the next frame; see can.Reader. An error stays.
func (c *csvReader) Read(f *can.Frame) error {
	for c.err == nil {
		var line []byte
		if line, c.err = c.next(); c.err != nil {
			break
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		if !c.begun {
			c.begun = true
			if header, _, what := csvHeader(line); what == "" {
				c.columns = header
				continue
			}
			c.columns = csvColumns{0, 1, -1, -1, -1, -1, -1, 2, 3, false}
		}
		if c.err = c.row(line, f); c.err == nil {
			c.frames++
			return nil
		}
	}
	return c.err
}

// row reads one line of cells.
func (c *csvReader) row(line []byte, f *can.Frame) error {
	c.cells = splitCells(c.cells[:0], line)
	if len(c.cells) != c.columns.count {
		return c.fail(0, fmt.Sprintf("line has %d cells where %d are needed; the line may be damaged", len(c.cells), c.columns.count))
	}
	for i := range c.cells {
		c.cells[i] = bytes.TrimSpace(c.cells[i])
	}
	*f = can.Frame{}
	if cell, what := c.parse(f); what != "" {
		return c.fail(c.column(cell), what)
	}
	if c.cut && (c.columns.dlc < 0 || c.columns.data != c.columns.count-1 || f.Len == 0 || f.Flags&can.Remote != 0) {
		return c.cutError(line)
	}
	return nil
}

// column is the 1-based byte at which a cell begins, blanks left out.
func (c *csvReader) column(cell int) int {
	col := 1
	for i := range cell {
		col += len(c.cells[i]) + 1
	}
	return col
}

// parse fills *f from the cells. It returns the cell that is wrong.
func (c *csvReader) parse(f *can.Frame) (cell int, what string) {
	k := &c.columns
	var ok bool
	if f.Time, ok = duration(c.cells[k.time], 1e9); !ok {
		return k.time, "time is no number of seconds that 64 bits of nanoseconds hold"
	}
	for _, mark := range [...]struct {
		cell int
		flag can.Flags
	}{{k.remote, can.Remote}, {k.isError, can.Error}, {k.extended, can.Extended}} {
		if mark.cell >= 0 && !csvMark(c.cells[mark.cell], mark.flag, f) {
			return mark.cell, "must be 0 or 1, or false or true"
		}
	}
	if f.Flags&can.Error != 0 {
		f.Flags &^= can.Extended | can.Remote
	}
	if what := c.id(f); what != "" {
		return k.id, what
	}
	if cell, what := c.payload(f); what != "" {
		return cell, what
	}
	name := []byte("0")
	if k.channel >= 0 {
		if name = c.cells[k.channel]; len(name) == 0 {
			return k.channel, "channel is empty"
		}
	}
	f.Bus, what = c.channels.index(name)
	return k.channel, what
}

func csvMark(cell []byte, flag can.Flags, f *can.Frame) bool {
	switch {
	case string(cell) == "1" || asciiEqual(cell, "true"):
		f.Flags |= flag
		return true
	}
	return string(cell) == "0" || asciiEqual(cell, "false")
}

func (c *csvReader) id(f *can.Frame) string {
	cell := c.cells[c.columns.id]
	if c.columns.extended < 0 {
		return csvPlainID(cell, f)
	}
	id, ok := number(csvDigits(cell), 16, maxExtended)
	switch {
	case !ok:
		return "id is no hex number of 29 bits"
	case f.Flags&(can.Extended|can.Error) == 0 && id > 0x7FF:
		return "id has more than 11 bits and extended is 0"
	}
	f.ID = id
	return ""
}

func csvDigits(cell []byte) []byte {
	if len(cell) > 2 && cell[0] == '0' && cell[1]|0x20 == 'x' {
		return cell[2:]
	}
	return cell
}

// csvPlainID reads an id that tells by itself whether it is extended.
func csvPlainID(cell []byte, f *can.Frame) string {
	digits := csvDigits(cell)
	id, ok := number(digits, 16, maxExtended)
	if !ok {
		return "id is no hex number of 29 bits"
	}
	if f.Flags&can.Error == 0 && (id > 0x7FF || len(digits) == 8) {
		f.Flags |= can.Extended
	}
	f.ID = id
	return ""
}

// payload reads data and DLC, which must agree.
func (c *csvReader) payload(f *can.Frame) (cell int, what string) {
	k := &c.columns
	read := csvHex
	if k.base64 {
		read = csvBase64
	}
	if what := read(c.cells[k.data], f); what != "" {
		return k.data, what
	}
	remote := f.Flags&can.Remote != 0
	if k.dlc >= 0 {
		n, ok := number(c.cells[k.dlc], 10, can.MaxLen)
		if !ok || remote && n > 8 || !remote && n != uint32(f.Len) || remote && f.Len > 0 {
			return k.dlc, "dlc does not agree with the data; the line may be damaged"
		}
		f.Len = uint8(n)
	}
	if f.Len > 8 {
		f.Flags |= can.FD
	}
	if !can.ValidLength(int(f.Len), true) || f.Len > 8 && f.Flags&can.Error != 0 {
		return k.data, "data has a length that no frame has"
	}
	return 0, ""
}

// strictBase64 refuses what an encoder does not write.
var strictBase64 = base64.StdEncoding.Strict()

func csvBase64(cell []byte, f *can.Frame) string {
	if len(cell) > base64.StdEncoding.EncodedLen(can.MaxLen) {
		return "data has more than 64 bytes"
	}
	var out [can.MaxLen + 3]byte
	n, err := strictBase64.Decode(out[:], cell)
	if err != nil || n > can.MaxLen {
		return "data is no base64 of at most 64 bytes; the line may be damaged"
	}
	f.Len = uint8(copy(f.Data[:], out[:n]))
	return ""
}

func csvHex(cell []byte, f *can.Frame) string {
	cell = csvDigits(cell)
	n := 0
	for i := 0; i < len(cell); {
		if n > 0 && (cell[i] == ' ' || cell[i] == '_' || cell[i] == '-') || n == 0 && cell[i] == ' ' {
			i++
			continue
		}
		if i+2 > len(cell) {
			return "data ends in the middle of a byte; each byte has two hex digits"
		}
		v, ok := number(cell[i:i+2], 16, math.MaxUint8)
		if !ok {
			return "data has a character that is no hex digit"
		}
		if n == can.MaxLen {
			return "data has more than 64 bytes"
		}
		f.Data[n] = byte(v)
		n++
		i += 2
	}
	f.Len = uint8(n)
	return ""
}
