// Package canlog opens recordings of CAN traffic. The format is recognised by
// the content, never by the name: `.log` and `.csv` are used by everybody.
package canlog

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"vignette/can"
	"vignette/can/canlog/candump"
)

// Log is an open recording. It implements can.Reader and io.Closer.
type Log struct {
	file     *os.File
	path     string
	format   string
	size     int64
	skipped  int64 // bytes of a byte order mark
	good     int64 // decoder's offset behind the last frame
	frames   int
	err      error // what ended the reading, if not io.EOF
	decoder  decoder
	unpacker *unpacker // nil for a log that is not compressed
}

// decoder is what each format implements.
type decoder interface {
	can.Reader
	Offset() int64
}

var _ can.Reader = (*Log)(nil)
var _ io.Closer = (*Log)(nil)

// byteOrderMark is U+FEFF in UTF-8, which Windows programs put before a text.
const byteOrderMark = "\xEF\xBB\xBF"

// peekSize bounds what recognising a format may look at.
const peekSize = 4096

// Open opens the log at path and recognises its format by its first bytes.
// The error says what to do when the file is missing, a directory, empty or of
// a format that is not read.
func Open(path string) (*Log, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%s: cannot open the log: %w; check the path", path, cause(err))
	}
	return OpenFile(file, path, file)
}

// OpenFile is Open of a file that is open already. Its content comes from r: what
// somebody has looked at of a pipe is gone from the pipe. The log closes the file,
// also on an error.
func OpenFile(file *os.File, path string, r io.Reader) (*Log, error) {
	log, err := open(file, path, r)
	if err != nil {
		if e := file.Close(); e != nil {
			return nil, errors.Join(err, e)
		}
		return nil, err
	}
	return log, nil
}

// cause takes the path out of an *os.PathError, which names it once more.
func cause(err error) error {
	var p *os.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}

func open(file *os.File, path string, r io.Reader) (*Log, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("%s: cannot open the log: %w", path, cause(err))
	}
	if info.IsDir() {
		return nil, fmt.Errorf("%s: is a directory; name a log file in it", path)
	}
	log := &Log{file: file, path: path}
	if info.Mode().IsRegular() {
		log.size = info.Size()
	}
	if err := log.start(r); err != nil {
		log.release()
		return nil, err
	}
	return log, nil
}

// start recognises the compression and the format, and makes the decoder.
func (l *Log) start(file io.Reader) error {
	r, head, err := l.peek(file)
	if err != nil {
		return err
	}
	if method := packed(head); method != "" {
		if l.unpacker, err = newUnpacker(l.path, method, r); err != nil {
			return err
		}
		if r, head, err = l.peek(l.unpacker); err != nil {
			return err
		}
		if packed(head) != "" {
			return fmt.Errorf("%s: is compressed twice; unpack it once", l.path)
		}
	}
	if l.format, err = recognise(head); err != nil {
		return fmt.Errorf("%s: %w", l.path, err)
	}
	if bytes.HasPrefix(head, []byte(byteOrderMark)) {
		n, err := r.Discard(len(byteOrderMark))
		if err != nil {
			return fmt.Errorf("%s: cannot read the log: %w", l.path, cause(err))
		}
		l.skipped = int64(n)
	}
	l.decoder = newDecoder(l.format, l.path, r)
	return nil
}

// peek buffers r and returns what it begins with.
func (l *Log) peek(r io.Reader) (*bufio.Reader, []byte, error) {
	b := bufio.NewReaderSize(r, peekSize)
	head, err := b.Peek(peekSize)
	var damage *can.FormatError
	switch {
	case err == nil, err == io.EOF, errors.As(err, &damage) && len(head) > 0:
		return b, head, nil // damage comes again, behind the frames before it
	case errors.As(err, &damage):
		return nil, nil, err
	}
	return nil, nil, fmt.Errorf("%s: cannot read the log: %w", l.path, cause(err))
}

// newDecoder makes the reader of a format that recognise names.
func newDecoder(format, path string, r io.Reader) decoder {
	switch format {
	case "candump":
		return candump.NewReader(path, r)
	case "console":
		return newConsole(path, r)
	case "gvret":
		return newGVRET(path, r)
	case "csv":
		return newCSV(path, r)
	case "asc":
		return newASC(path, r)
	case "blf":
		return newBLF(path, r)
	}
	return newTRC(path, r)
}

// Format names the format: "candump", "console" (what candump prints on a
// terminal), "gvret", "csv", "asc", "blf" or "trc".
func (l *Log) Format() string { return l.format }

// Channels names the buses of the frames read so far; Frame.Bus indexes it.
func (l *Log) Channels() []string { return l.decoder.Channels() }

// Compression names what the file is compressed with: "gzip", "zstd" or "".
func (l *Log) Compression() string {
	if l.unpacker == nil {
		return ""
	}
	return l.unpacker.format
}

// Offset says how many bytes have been decoded and how many the file had when
// it was opened; total is 0 when that is unknown, as for a pipe. For a
// compressed log both are those of the compressed file.
func (l *Log) Offset() (read, total int64) {
	if l.unpacker != nil {
		return l.unpacker.in.n, l.size
	}
	return l.skipped + l.decoder.Offset(), l.size
}

// Good is the number of bytes up to the end of the last frame that was read:
// after a *can.FormatError, the damage is behind it. For a compressed log these
// are bytes of the unpacked text; in a BLF log, whose frames are in compressed
// containers, bytes of the file that were needed to read the frame.
func (l *Log) Good() int64 { return l.skipped + l.good }

// Ignored is the number of lines or objects read so far that hold no frame:
// statistics, chip states, comments of other tools, objects of other buses.
func (l *Log) Ignored() uint64 {
	if d, ok := l.decoder.(interface{ Ignored() uint64 }); ok {
		return d.Ignored()
	}
	return 0
}

// Dropped is the number of frames that the recorder says it lost, as far as
// the log has been read and the format tells.
func (l *Log) Dropped() uint64 {
	if d, ok := l.decoder.(interface{ Dropped() uint64 }); ok {
		return d.Dropped()
	}
	return 0
}

// Read fills *f with the next frame; see can.Reader. A log without a single
// frame is a *can.FormatError, not a plain io.EOF.
func (l *Log) Read(f *can.Frame) error {
	err := l.decoder.Read(f)
	if err == nil {
		l.frames++
		l.good = l.decoder.Offset()
		return nil
	}
	if err == io.EOF && l.frames == 0 {
		err = &can.FormatError{File: l.path, What: "has no frames; record again"}
	}
	if err != io.EOF {
		l.err = err
	}
	return err
}

// Frames is the number of frames read so far.
func (l *Log) Frames() int { return l.frames }

// Err is the error that ended the reading: nil before the end and at the end
// of a whole log, a *can.FormatError at damage.
func (l *Log) Err() error { return l.err }

// Close closes the file.
func (l *Log) Close() error {
	l.release()
	return l.file.Close()
}

// release frees what unpacking holds.
func (l *Log) release() {
	if l.unpacker != nil {
		l.unpacker.close()
	}
}

// others are formats that users try and that this version does not read, by
// the bytes they begin with.
var others = []struct{ magic, advice string }{
	{"PK\x03\x04", "is a zip archive; unpack it first"},
	{"MDF ", "is an ASAM MDF log, which is not supported; export it as ASC, BLF or candump"},
	{"***BUSMASTER", "is a BUSMASTER log, which is not supported; export it as ASC, BLF or candump"},
	{"\xD4\xC3\xB2\xA1", "is a pcap capture, which is not supported; export it as ASC, BLF or candump"},
	{"\x0A\x0D\x0D\x0A", "is a pcapng capture, which is not supported; export it as ASC, BLF or candump"},
	{"\xFF\xFE", "is UTF-16 text; save it as UTF-8"},
	{"\xFE\xFF", "is UTF-16 text; save it as UTF-8"},
}

// recognise names the format of a log that begins with head.
func recognise(head []byte) (string, error) {
	if len(head) == 0 {
		return "", errors.New("has no frames: empty file; record again")
	}
	for _, o := range others {
		if bytes.HasPrefix(head, []byte(o.magic)) {
			return "", errors.New(o.advice)
		}
	}
	text := bytes.TrimPrefix(head, []byte(byteOrderMark))
	if bytes.HasPrefix(text, []byte("LOGG")) {
		return "blf", nil
	}
	text = bytes.TrimLeft(text, "\r\n")
	line, _, _ := bytes.Cut(text, []byte("\n"))
	line = bytes.TrimSpace(line)
	lower := bytes.ToLower(line)
	switch {
	case len(line) == 0 && len(head) < peekSize:
		return "", errors.New("has no frames: only blank lines; record again")
	case isConsole(line):
		return "console", nil
	case isCandump(line):
		return "candump", nil
	case bytes.HasPrefix(lower, []byte("time stamp,")) && bytes.Contains(lower, []byte(",extended")):
		return "gvret", nil
	case isASC(lower):
		return "asc", nil
	case isTRC(text):
		return "trc", nil
	case isCSV(line):
		return "csv", nil
	}
	return "", fmt.Errorf("content is no known CAN log (it begins with %q); supported are %s", excerpt(line), supported)
}

const supported = "candump, SavvyCAN's GVRET CSV, python-can's CSV, Vector ASC and BLF and PEAK TRC"

// isCandump says whether a line begins like one of a candump log.
func isCandump(line []byte) bool {
	if bytes.HasPrefix(line, []byte("DROPCOUNT: ")) {
		return true
	}
	return len(line) > 1 && line[0] == '(' && line[1] >= '0' && line[1] <= '9'
}

func excerpt(line []byte) []byte {
	if len(line) > 32 {
		return line[:32]
	}
	return line
}
