// Package candump reads and writes the log format of can-utils' candump, as
// `candump -l` writes it to a file and `candump -L` to standard output. It
// follows parse_canframe and sprint_canframe in can-utils' lib.c.
package candump

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"vignette/can"
	"vignette/can/canlog/internal/lines"
)

// Reader yields the frames of a candump log. It implements can.Reader.
//
// One line holds one frame, `(seconds.fraction) interface ID#DATA`:
//
//   - the fraction has 6 digits (µs) or 9 digits (ns) and is kept exactly;
//   - an id of 3 hex digits has 11 bits, one of 8 has 29 bits; 8 digits with
//     bit 0x20000000 are an error frame, whose ID holds the error class;
//   - `ID#R` and `ID#R4` are remote requests, `ID##FDATA` is CAN FD with the
//     flag nibble F (1 BRS, 2 ESI, 4 FDF as newer can-utils add);
//   - `.` may part bytes, `_9` to `_F` may follow 8 bytes (a raw DLC over 8,
//     checked and not kept: the frame has 8 bytes all the same);
//   - ` R` or ` T` may follow (candump -x): T sets can.Sent;
//   - `DROPCOUNT:` lines (candump -d) are added up in Dropped.
//
// Blank lines and CRLF are allowed. Anything else ends the reading with a
// *can.FormatError, and so does a last line without a newline: it may be cut
// in its data and then reads as a shorter frame.
type Reader struct {
	name     string
	lines    *lines.Reader
	channels []string
	frames   int
	dropped  uint64
	whole    bool  // the newest line is whole and has been read over
	err      error // sticky
}

var _ can.Reader = (*Reader)(nil)

// NewReader returns a Reader of the log r; name is used in errors.
func NewReader(name string, r io.Reader) *Reader {
	return &Reader{name: name, lines: lines.NewReader(r)}
}

// Channels names the interfaces seen so far, in order of first appearance.
func (r *Reader) Channels() []string { return r.channels }

// Dropped is the number of frames that the recorder says it lost, taken from
// the DROPCOUNT lines read so far.
func (r *Reader) Dropped() uint64 { return r.dropped }

// Offset is the number of bytes read so far.
func (r *Reader) Offset() int64 { return r.lines.Offset() }

// Read fills *f with the next frame. It returns io.EOF at the end of a whole
// log, *can.FormatError where the log is damaged, and the source's own error,
// wrapped, where reading fails. An error stays: Read returns it again, unless
// Resume steps over it.
func (r *Reader) Read(f *can.Frame) error {
	if r.err != nil {
		return r.err
	}
	for {
		line, err := r.lines.Next()
		r.whole = err == nil
		if err != nil {
			r.err = r.lineError(line, err)
			return r.err
		}
		if len(line) == 0 {
			continue
		}
		if line[0] == 'D' {
			if r.err = r.readDrop(line); r.err != nil {
				return r.err
			}
			continue
		}
		channel, col, what := parseLine(line, f)
		if what != "" {
			r.err = r.formatError(col+1, what)
			return r.err
		}
		if f.Bus, what = r.bus(channel); what != "" {
			r.err = r.formatError(0, what)
			return r.err
		}
		r.frames++
		return nil
	}
}

// Resume has Read go on behind a line that is damaged, and reports whether it
// can: where the newest error is of one line. It is for a live source, which a
// bad line does not end; a recording's damage does end it.
func (r *Reader) Resume() bool {
	if !r.whole {
		return false
	}
	r.err = nil
	return true
}

// bus returns the index of a channel and adds it when it is new. Logs have few
// channels, so a linear search beats a map and allocates nothing.
func (r *Reader) bus(channel []byte) (uint8, string) {
	for i, name := range r.channels {
		if name == string(channel) {
			return uint8(i), ""
		}
	}
	if len(r.channels) == 256 {
		return 0, "more than 256 interfaces in one log: this is no candump log; check the file"
	}
	r.channels = append(r.channels, string(channel))
	return uint8(len(r.channels) - 1), ""
}

func (r *Reader) formatError(col int, what string) error {
	return &can.FormatError{File: r.name, Line: r.lines.Number(), Column: col, What: what}
}

// lineError turns an error of the line reader into the reader's own.
func (r *Reader) lineError(line []byte, err error) error {
	switch {
	case err == io.EOF:
		return io.EOF
	case errors.Is(err, lines.ErrCut):
		return r.formatError(len(line)+1, fmt.Sprintf("%v; %d frames were read before it; "+
			"add the newline if the line is whole, or delete the line", err, r.frames))
	case errors.Is(err, lines.ErrTooLong):
		return r.formatError(0, err.Error())
	}
	var damage *can.FormatError
	if errors.As(err, &damage) { // of the compression around the text
		return err
	}
	return fmt.Errorf("%s: read after %d frames: %w", r.name, r.frames, err)
}

// readDrop adds up a line that `candump -d` writes into the log:
// `DROPCOUNT: dropped 3 CAN frames on 'can0' socket (total drops 7)`.
func (r *Reader) readDrop(line []byte) error {
	words := append(strings.Split(string(line), " "), make([]string, 11)...)
	n, err := strconv.ParseUint(words[2], 10, 64)
	total, totalErr := strconv.ParseUint(strings.TrimSuffix(words[10], ")"), 10, 64)
	whole := fmt.Sprintf("DROPCOUNT: dropped %d CAN %s on %s socket (total drops %d)", n, words[4], words[6], total)
	if err != nil || totalErr != nil || whole != string(line) {
		return r.formatError(1, "expected `(seconds.fraction) interface ID#DATA` or a whole DROPCOUNT line; check that the file is a candump log")
	}
	r.dropped += n
	return nil
}
