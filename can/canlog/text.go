package canlog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"

	"vignette/can"
	"vignette/can/canlog/internal/lines"
)

// textLog is what the readers of blank- or comma-separated text share: lines,
// channels, sticky errors, and the count of lines that hold no frame.
type textLog struct {
	name     string
	lines    *lines.Reader
	channels channelNames
	frames   int
	ignored  uint64
	cut      bool // the current line is the last one and has no newline
	err      error
}

func newTextLog(name string, r io.Reader) textLog {
	return textLog{name: name, lines: lines.NewReader(r)}
}

// Channels names the channels of the frames read so far.
func (t *textLog) Channels() []string { return t.channels.names }

// Offset is the number of bytes read so far.
func (t *textLog) Offset() int64 { return t.lines.Offset() }

// Ignored is the number of lines with events that are no frames.
func (t *textLog) Ignored() uint64 { return t.ignored }

// next returns the next line. A last line without a newline is returned too,
// with cut set: the format says whether such a line is whole by itself.
func (t *textLog) next() ([]byte, error) {
	line, err := t.lines.Next()
	switch {
	case err == nil || err == io.EOF:
		return line, err
	case errors.Is(err, lines.ErrCut):
		t.cut = true
		return line, nil
	case errors.Is(err, lines.ErrTooLong), errors.Is(err, lines.ErrTooLongEvent):
		return nil, t.fail(0, err.Error())
	}
	var damage *can.FormatError
	if errors.As(err, &damage) { // of the compression around the text
		return nil, err
	}
	return nil, fmt.Errorf("%s: read after %d frames: %w", t.name, t.frames, err)
}

// cutError refuses a last line that may have been longer.
func (t *textLog) cutError(line []byte) error {
	return t.fail(len(line)+1, fmt.Sprintf("%v; %d frames were read before it; "+
		"add the newline if the line is whole, or delete the line", lines.ErrCut, t.frames))
}

func (t *textLog) fail(col int, what string) error {
	return &can.FormatError{File: t.name, Line: t.lines.Number(), Column: col, What: what}
}

// channelNames numbers channels in order of first appearance.
type channelNames struct {
	names []string
	last  int // index found last: neighbours mostly share the channel
}

const tooManyChannels = "more than 256 channels in one log; check the file"

// index finds a channel and adds it when it is new.
func (c *channelNames) index(name []byte) (uint8, string) {
	if c.last < len(c.names) && c.names[c.last] == string(name) {
		return uint8(c.last), ""
	}
	for i, n := range c.names {
		if n == string(name) {
			c.last = i
			return uint8(i), ""
		}
	}
	if len(c.names) == 256 {
		return 0, tooManyChannels
	}
	c.names = append(c.names, string(name))
	c.last = len(c.names) - 1
	return uint8(c.last), ""
}

// fields walks over the fields of a line, which blanks part.
type fields struct {
	line       []byte
	start, pos int // the field returned last is line[start:pos]
}

// next returns the next field, empty at the end of the line.
func (f *fields) next() []byte {
	i := f.pos
	for i < len(f.line) && (f.line[i] == ' ' || f.line[i] == '\t') {
		i++
	}
	f.start = i
	for i < len(f.line) && f.line[i] != ' ' && f.line[i] != '\t' {
		i++
	}
	f.pos = i
	return f.line[f.start:i]
}

// column is the 1-based byte of the field returned last.
func (f *fields) column() int { return f.start + 1 }

// number is an unsigned integer in base 10 or 16, up to limit.
func number(cell []byte, base, limit uint32) (uint32, bool) {
	var n uint64
	for _, c := range cell {
		d, ok := nibble(c)
		if !ok || uint32(d) >= base {
			return 0, false
		}
		if n = n*uint64(base) + uint64(d); n > uint64(limit) {
			return 0, false
		}
	}
	return uint32(n), len(cell) > 0
}

// wholeBytes reads n data bytes that blanks part. If what is not empty, it
// says what is wrong with the field that f stands on.
func wholeBytes(f *fields, frame *can.Frame, n int, base uint32) (what string) {
	for i := range n {
		cell := f.next()
		if len(cell) == 0 {
			return "data byte is missing, the length asks for more; the line may be damaged"
		}
		v, ok := number(cell, base, 255)
		if !ok || base == 16 && len(cell) > 2 {
			return "data byte is no number from 0 to 255; the line may be damaged"
		}
		frame.Data[i] = byte(v)
	}
	return ""
}

// duration reads a decimal number of units of unit nanoseconds (a power of ten
// from 1000) as exact nanoseconds; digits below a nanosecond are rounded. It
// takes a sign and the exponents that Python writes for small numbers.
func duration(cell []byte, unit int64) (int64, bool) {
	digits, negative := bytes.CutPrefix(cell, []byte("-"))
	var ns int64
	i := 0
	for ; i < len(digits) && digits[i]-'0' <= 9; i++ {
		d := int64(digits[i]-'0') * unit
		if ns > (math.MaxInt64-unit-d)/10 {
			return 0, false
		}
		ns = ns*10 + d
	}
	whole := i
	if i < len(digits) && digits[i] == '.' {
		i++
		for scale := unit / 10; i < len(digits) && digits[i]-'0' <= 9; i++ {
			d := int64(digits[i] - '0')
			ns += d * scale
			if scale == 0 && d >= 5 && i == whole+1+zeros(unit) {
				ns++
			}
			scale /= 10
		}
	}
	switch {
	case whole == 0:
		return 0, false
	case i < len(digits):
		return exponent(cell, unit)
	case negative:
		return -ns, true
	}
	return ns, true
}

// zeros is the number of zeros of a power of ten.
func zeros(unit int64) int {
	n := 0
	for ; unit >= 10; unit /= 10 {
		n++
	}
	return n
}

// exponent reads the rare number with an exponent, as 1e-05.
func exponent(cell []byte, unit int64) (int64, bool) {
	if bytes.IndexByte(cell, 'e') < 0 {
		return 0, false
	}
	v, err := strconv.ParseFloat(string(cell), 64)
	v = math.Round(v * float64(unit))
	if err != nil || math.Abs(v) > 1<<62 || v != v {
		return 0, false
	}
	return int64(v), true
}

// lengthOfDLC is the number of data bytes of a DLC (ISO 11898-1).
var lengthOfDLC = [16]uint8{0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64}

// dlcOf is the DLC of a length that can.ValidLength allows.
func dlcOf(length uint8) uint8 {
	for dlc, n := range lengthOfDLC {
		if n == length {
			return uint8(dlc)
		}
	}
	return 15
}

const maxExtended = 0x1FFFFFFF

// plainID reads an id; an x behind it marks 29 bits.
func plainID(cell []byte, base uint32, f *can.Frame) string {
	if n := len(cell); n > 0 && cell[n-1]|0x20 == 'x' {
		cell = cell[:n-1]
		f.Flags |= can.Extended
	}
	id, ok := number(cell, base, math.MaxUint32)
	switch {
	case !ok:
		return "id is no number in the log's base; log with numbers for ids, not names"
	case f.Flags&can.Extended == 0 && id > 0x7FF:
		return "id has more than 11 bits and no x behind it; the line may be damaged"
	case id > maxExtended:
		return "id has more than 29 bits"
	}
	f.ID = id
	return ""
}
