package canlog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"vignette/can"
	"vignette/can/canlog/internal/lines"
)

// gvretReader yields the frames of a GVRET CSV as SavvyCAN writes it (there
// FrameFileIO::saveNativeCSVFile). The columns are found by the header:
//
//	Time Stamp,ID,Extended,Bus,LEN,D1,…,D8          older SavvyCAN
//	Time Stamp,ID,Extended,Dir,Bus,LEN,D1,…,D8      newer SavvyCAN
//
// Time Stamp is in microseconds and may be negative or jump back; it is given
// on as it is. ID and the data are hex, Bus (0 to 255) and LEN decimal, Extended
// true or false, Dir Rx or Tx. Cells behind LEN are padding: empty or a byte,
// not used. LEN above 8 makes a CAN FD frame and needs that many data columns
// (SavvyCAN itself writes 8 and loses the rest; such a line is an error).
// Buses are named by their number in decimal.
type gvretReader struct {
	name     string
	lines    *lines.Reader
	columns  gvretColumns
	cells    [][]byte // of the current line, reused
	channels []string
	busIndex [256]int16 // index into channels plus 1; 0 not seen
	frames   int
	err      error // sticky
}

// gvretColumns holds the index of each column; -1 is absent.
type gvretColumns struct {
	time, id, extended, dir, bus, length int
	data                                 []int // D1, D2, …
	count                                int
}

func newGVRET(name string, r io.Reader) *gvretReader {
	return &gvretReader{name: name, lines: lines.NewReader(r)}
}

// Channels names the buses seen so far, "0", "1", …
func (g *gvretReader) Channels() []string { return g.channels }

// Offset is the number of bytes read so far.
func (g *gvretReader) Offset() int64 { return g.lines.Offset() }

// Read fills *f with the next frame; see can.Reader. An error stays.
func (g *gvretReader) Read(f *can.Frame) error {
	if g.err == nil {
		g.err = g.read(f)
	}
	return g.err
}

func (g *gvretReader) read(f *can.Frame) error {
	for {
		line, err := g.lines.Next()
		if err != nil {
			return g.lineError(line, err)
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		if g.columns.count == 0 {
			if err := g.readHeader(line); err != nil {
				return err
			}
			continue
		}
		return g.readFrame(line, f)
	}
}

func (g *gvretReader) lineError(line []byte, err error) error {
	switch {
	case err == io.EOF:
		return io.EOF
	case errors.Is(err, lines.ErrCut):
		return g.fail(len(line)+1, fmt.Sprintf("%v; %d frames were read before it; "+
			"add the newline if the line is whole, or delete the line", err, g.frames))
	case errors.Is(err, lines.ErrTooLong):
		return g.fail(0, err.Error())
	}
	var damage *can.FormatError
	if errors.As(err, &damage) { // of the compression around the text
		return err
	}
	return fmt.Errorf("%s: read after %d frames: %w", g.name, g.frames, err)
}

func (g *gvretReader) fail(col int, what string) error {
	return &can.FormatError{File: g.name, Line: g.lines.Number(), Column: col, What: what}
}

// readHeader finds the columns by their names, whatever their order and case.
func (g *gvretReader) readHeader(line []byte) error {
	c := gvretColumns{time: -1, id: -1, extended: -1, dir: -1, bus: -1, length: -1}
	named := map[string]*int{"time stamp": &c.time, "id": &c.id, "extended": &c.extended,
		"dir": &c.dir, "bus": &c.bus, "len": &c.length}
	col := 1
	for i, cell := range strings.Split(string(line), ",") {
		name := strings.ToLower(strings.TrimSpace(cell))
		c.count = i + 1
		slot := named[name]
		switch {
		case slot != nil && *slot >= 0:
			return g.fail(col, fmt.Sprintf("column %q is there twice; delete one", cell))
		case slot != nil:
			*slot = i
		case name == "d"+strconv.Itoa(len(c.data)+1):
			c.data = append(c.data, i)
		case name != "":
			return g.fail(col, fmt.Sprintf("unknown column %q; a GVRET CSV has Time Stamp, ID, Extended, Dir, Bus, LEN, D1, D2, … in order", cell))
		}
		col += len(cell) + 1
	}
	for _, name := range []string{"time stamp", "id", "extended", "bus", "len"} {
		if *named[name] < 0 {
			return g.fail(0, fmt.Sprintf("the header has no column %q; a GVRET CSV needs Time Stamp, ID, Extended, Bus and LEN", name))
		}
	}
	if len(c.data) > can.MaxLen {
		return g.fail(0, "the header has more than 64 data columns; CAN FD frames have 64 bytes at most")
	}
	g.columns = c
	return nil
}

// readFrame parses one line of cells.
func (g *gvretReader) readFrame(line []byte, f *can.Frame) error {
	g.cells = splitCells(g.cells[:0], line)
	c := &g.columns
	needed := max(c.time, c.id, c.extended, c.dir, c.bus, c.length) + 1
	if len(g.cells) < needed {
		return g.fail(len(line)+1, fmt.Sprintf("line has %d cells, the header asks for %d before the data; the line may be damaged", len(g.cells), needed))
	}
	if extra := len(g.cells) - c.count; extra > 1 || extra == 1 && len(g.cells[c.count]) > 0 {
		return g.fail(g.column(line, c.count), fmt.Sprintf("line has more cells than the header's %d; the line may be damaged", c.count))
	}
	*f = can.Frame{}
	steps := [...]struct {
		cell  int
		parse func(*gvretReader, []byte, *can.Frame) string
	}{
		{c.time, (*gvretReader).parseTime},
		{c.extended, (*gvretReader).parseExtended},
		{c.id, (*gvretReader).parseID},
		{c.dir, (*gvretReader).parseDir},
		{c.length, (*gvretReader).parseLen},
		{c.bus, (*gvretReader).parseBus},
	}
	for _, s := range steps {
		if s.cell < 0 {
			continue
		}
		if what := s.parse(g, g.cells[s.cell], f); what != "" {
			return g.fail(g.column(line, s.cell), what)
		}
	}
	if cell, what := g.parseData(f); what != "" {
		return g.fail(g.column(line, cell), what)
	}
	g.frames++
	return nil
}

// column is the 1-based byte at which a cell of line begins.
func (g *gvretReader) column(line []byte, cell int) int {
	col := 1
	for i := 0; i < cell && i < len(g.cells); i++ {
		col += len(g.cells[i]) + 1
	}
	return min(col, len(line)+1)
}

func splitCells(cells [][]byte, line []byte) [][]byte {
	for {
		i := bytes.IndexByte(line, ',')
		if i < 0 {
			return append(cells, line)
		}
		cells = append(cells, line[:i])
		line = line[i+1:]
	}
}

// parseTime reads microseconds, negative or not, with up to 3 digits of a
// fraction, as exact nanoseconds.
func (g *gvretReader) parseTime(cell []byte, f *can.Frame) string {
	const wrong = "Time Stamp is no number of microseconds"
	digits, negative := bytes.CutPrefix(cell, []byte("-"))
	whole, fraction, point := bytes.Cut(digits, []byte("."))
	if len(whole) == 0 || len(fraction) > 3 || point && len(fraction) == 0 {
		return wrong
	}
	us, ok := decimal(whole, math.MaxInt64/1000-1)
	if !ok {
		return wrong + " that 64 bits of nanoseconds hold"
	}
	ns := us * 1000
	unit := int64(100)
	for _, d := range fraction {
		if d < '0' || d > '9' {
			return wrong
		}
		ns += int64(d-'0') * unit
		unit /= 10
	}
	if negative {
		ns = -ns
	}
	f.Time = ns
	return ""
}

func (g *gvretReader) parseExtended(cell []byte, f *can.Frame) string {
	switch {
	case asciiEqual(cell, "true"):
		f.Flags |= can.Extended
	case !asciiEqual(cell, "false"):
		return "Extended must be true or false"
	}
	return ""
}

func (g *gvretReader) parseID(cell []byte, f *can.Frame) string {
	if len(cell) == 0 || len(cell) > 8 {
		return "ID needs 1 to 8 hex digits"
	}
	for _, c := range cell {
		v, ok := nibble(c)
		if !ok {
			return "ID has a character that is no hex digit"
		}
		f.ID = f.ID<<4 | uint32(v)
	}
	switch {
	case f.ID > 0x1FFFFFFF:
		return "ID has more than 29 bits"
	case f.Flags&can.Extended == 0 && f.ID > 0x7FF:
		return "ID has more than 11 bits and Extended is false; set Extended to true if it is a 29-bit id"
	}
	return ""
}

func (g *gvretReader) parseDir(cell []byte, f *can.Frame) string {
	switch {
	case asciiEqual(cell, "tx"):
		f.Flags |= can.Sent
	case !asciiEqual(cell, "rx"):
		return "Dir must be Rx or Tx"
	}
	return ""
}

func (g *gvretReader) parseLen(cell []byte, f *can.Frame) string {
	n, ok := decimal(cell, can.MaxLen)
	if !ok || !can.ValidLength(int(n), true) {
		return "LEN must be 0 to 8, or 12, 16, 20, 24, 32, 48 or 64 with CAN FD"
	}
	f.Len = uint8(n)
	if n > 8 {
		f.Flags |= can.FD
	}
	return ""
}

func (g *gvretReader) parseBus(cell []byte, f *can.Frame) string {
	n, ok := decimal(cell, 255)
	if !ok {
		return "Bus must be a number from 0 to 255"
	}
	if g.busIndex[n] == 0 {
		g.channels = append(g.channels, strconv.Itoa(int(n)))
		g.busIndex[n] = int16(len(g.channels))
	}
	f.Bus = uint8(g.busIndex[n] - 1)
	return ""
}

// parseData reads the data columns. It returns the cell that is wrong.
func (g *gvretReader) parseData(f *can.Frame) (cell int, what string) {
	if int(f.Len) > len(g.columns.data) {
		return g.columns.length, "LEN is larger than the number of data columns, so bytes are lost; record with a tool that writes all of them"
	}
	for i, c := range g.columns.data {
		if c >= len(g.cells) || len(g.cells[c]) == 0 {
			if i < int(f.Len) {
				return c, "data byte is missing, LEN asks for more; the line may be damaged"
			}
			continue
		}
		v, ok := hexByte(g.cells[c])
		if !ok {
			return c, "data byte needs one or two hex digits"
		}
		if i < int(f.Len) {
			f.Data[i] = v
		}
	}
	return 0, ""
}

// decimal reads digits only, up to limit.
func decimal(cell []byte, limit int64) (int64, bool) {
	var n int64
	for _, c := range cell {
		if c < '0' || c > '9' {
			return 0, false
		}
		d := int64(c - '0')
		if n > (limit-d)/10 {
			return 0, false
		}
		n = n*10 + d
	}
	return n, len(cell) > 0
}

func hexByte(cell []byte) (byte, bool) {
	if len(cell) == 0 || len(cell) > 2 {
		return 0, false
	}
	var b byte
	for _, c := range cell {
		v, ok := nibble(c)
		if !ok {
			return 0, false
		}
		b = b<<4 | v
	}
	return b, true
}

func nibble(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10, true
	}
	return 0, false
}

// asciiEqual compares without regard to case; want is lower case.
func asciiEqual(cell []byte, want string) bool {
	if len(cell) != len(want) {
		return false
	}
	for i, c := range cell {
		if c|0x20 != want[i] {
			return false
		}
	}
	return true
}
