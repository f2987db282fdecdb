package canlog

import (
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"vignette/can"
	"vignette/can/canlog/candump"
)

// Writer writes a recording. A frame that the format cannot carry is an error;
// a property of frames that it has no place for is told by Losses.
type Writer struct {
	frames  frameWriter
	losses  losses
	numbers channelNumbers
	start   string
}

// frameWriter is what each format implements.
type frameWriter interface {
	write(f *can.Frame, channel string) error
	close() error
}

// Formats names the formats that NewWriter takes.
const Formats = "candump, asc, blf or csv"

// FormatOf names the format for a file's extension: .log is candump.
func FormatOf(path string) (string, error) {
	switch ext := strings.ToLower(filepath.Ext(path)); ext {
	case ".log":
		return "candump", nil
	case ".asc", ".blf", ".csv":
		return ext[1:], nil
	}
	return "", fmt.Errorf("%s: no format goes with this name; end it with .log, .asc, .blf or .csv, or name the format: %s", path, Formats)
}

// NewWriter writes in one of Formats to w. BLF goes back to its header at the
// end. The caller ends with Close.
func NewWriter(format string, w io.WriteSeeker) (*Writer, error) {
	writer := &Writer{}
	switch format {
	case "candump":
		writer.frames = candumpFrames{candump.NewWriter(w)}
	case "asc":
		writer.frames = newASCWriter(w, writer)
	case "blf":
		writer.frames = newBLFWriter(w, writer)
	case "csv":
		writer.frames = newCSVWriter(w, writer)
	default:
		return nil, fmt.Errorf("unknown format %q; use %s", format, Formats)
	}
	return writer, nil
}

// Write appends one frame of the named channel.
func (w *Writer) Write(f *can.Frame, channel string) error { return w.frames.write(f, channel) }

// Close writes what is buffered and the format's end. It does not close the file.
func (w *Writer) Close() error { return w.frames.close() }

// Losses says which properties of how many frames the format had no place for.
func (w *Writer) Losses() []string { return w.losses.text() }

// Channels says which number each channel got, as `can0 → 1`, where the format
// has numbers and they differ from the names.
func (w *Writer) Channels() []string { return w.numbers.text() }

// Start is the date that the times in the recording count from, in UTC, where
// the format has no Unix times and readers need not add the date: ASC. Else it
// is empty.
func (w *Writer) Start() string { return w.start }

// candumpFrames is package candump's writer.
type candumpFrames struct{ w *candump.Writer }

func (c candumpFrames) write(f *can.Frame, channel string) error { return c.w.Write(f, channel) }
func (c candumpFrames) close() error                             { return c.w.Flush() }

// losses counts frames by what was lost of them.
type losses struct{ channel, direction, kind, errorData int }

func (l *losses) text() []string {
	var out []string
	for _, k := range []struct {
		n    int
		what string
	}{{l.channel, "the channel"}, {l.direction, "the direction (sent)"}, {l.kind, "marks of CAN FD"}, {l.errorData, "class and data of the error"}} {
		if k.n > 0 {
			out = append(out, fmt.Sprintf("%d frames lost %s: the format has no place for it", k.n, k.what))
		}
	}
	return out
}

// check says why no recording can carry f, or nil.
func check(f *can.Frame) error {
	fd := f.Flags&can.FD != 0
	switch {
	case f.ID > maxExtended:
		return fmt.Errorf("write frame: id %#x has more than 29 bits", f.ID)
	case f.ID > 0x7FF && f.Flags&(can.Extended|can.Error) == 0:
		return fmt.Errorf("write frame: id %#x has more than 11 bits and the frame is not extended", f.ID)
	case !can.ValidLength(int(f.Len), fd):
		return fmt.Errorf("write frame: length %d is none of its kind of frame", f.Len)
	case fd && f.Flags&(can.Remote|can.Error) != 0:
		return fmt.Errorf("write frame: a CAN FD frame cannot be a remote request or an error frame")
	case f.Flags&can.Error != 0 && f.Flags&(can.Remote|can.Extended) != 0:
		return fmt.Errorf("write frame: an error frame cannot be a remote request or extended")
	case !fd && f.Flags&(can.BRS|can.ESI) != 0:
		return fmt.Errorf("write frame: BRS and ESI belong to CAN FD frames")
	}
	return nil
}

// unixSince is 1990: times from it on are taken as Unix time, as python-can
// does, and earlier ones as counted from the start of the recording.
const unixSince = 631152000 * 1_000_000_000

// startOf is the start of a recording whose first frame came at t: that
// millisecond, or 0 for times that are no Unix time.
func startOf(t int64) int64 {
	if t < unixSince {
		return 0
	}
	return t - t%1_000_000
}

// since is the time from start to t, which must not be negative.
func since(start, t int64) (int64, error) {
	if t < start {
		return 0, fmt.Errorf("write frame: time %d ns is before the start of the recording (%d ns), which the format cannot hold; write candump", t, start)
	}
	return t - start, nil
}

// channelNumbers gives channels the numbers from 1 that ASC and BLF have. A
// name that is a number keeps it, `can0` becomes 1 (the digits at its end, and
// one more, as python-can does); where that is taken, the lowest free one.
type channelNumbers struct {
	names   []string
	numbers []int
	most    int
}

func (c *channelNumbers) number(name string) (int, error) {
	for i, n := range c.names {
		if n == name {
			return c.numbers[i], nil
		}
	}
	n := c.wanted(name)
	if n == 0 {
		for n = 1; c.taken(n); n++ {
		}
	}
	if n > c.most {
		return 0, fmt.Errorf("write frame: channel %q gets number %d, the format has %d", name, n, c.most)
	}
	c.names = append(c.names, name)
	c.numbers = append(c.numbers, n)
	return n, nil
}

// wanted is the number that a name asks for, 0 if it has none or it is taken.
func (c *channelNumbers) wanted(name string) int {
	digits := len(name)
	for digits > 0 && name[digits-1]-'0' <= 9 {
		digits--
	}
	n, err := strconv.Atoi(name[digits:])
	if err != nil {
		return 0
	}
	if digits > 0 || n == 0 {
		n++
	}
	if n > c.most || c.taken(n) {
		return 0
	}
	return n
}

func (c *channelNumbers) taken(n int) bool {
	for _, have := range c.numbers {
		if have == n {
			return true
		}
	}
	return false
}

func (c *channelNumbers) text() []string {
	var out []string
	for i, name := range c.names {
		if n := strconv.Itoa(c.numbers[i]); n != name {
			out = append(out, name+" → "+n)
		}
	}
	return out
}

const hexDigits = "0123456789ABCDEF"

// appendHex appends bytes as pairs of digits, each behind a blank.
func appendHex(b, data []byte) []byte {
	for _, v := range data {
		b = append(b, ' ', hexDigits[v>>4], hexDigits[v&15])
	}
	return b
}

// appendSeconds appends a time with 6 digits of a fraction, or with 9 if it is
// not in whole microseconds.
func appendSeconds(b []byte, ns int64) []byte {
	if ns < 0 {
		b = append(b, '-')
		ns = -ns
	}
	b = strconv.AppendInt(b, ns/1e9, 10)
	b = append(b, '.')
	fraction, unit := ns%1e9, int64(1e8)
	least := int64(1)
	if fraction%1000 == 0 {
		least = 1000
	}
	for ; unit >= least; unit /= 10 {
		b = append(b, '0'+byte(fraction/unit%10))
	}
	return b
}
