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
	file    *os.File
	path    string
	format  string
	size    int64
	skipped int64 // bytes of a byte order mark
	frames  int
	decoder decoder
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
	log, err := open(file, path)
	if err != nil {
		return nil, errors.Join(err, file.Close())
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

func open(file *os.File, path string) (*Log, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("%s: cannot open the log: %w", path, cause(err))
	}
	if info.IsDir() {
		return nil, fmt.Errorf("%s: is a directory; name a log file in it", path)
	}
	r := bufio.NewReaderSize(file, peekSize)
	head, err := r.Peek(peekSize)
	if err != nil && err != io.EOF {
		return nil, fmt.Errorf("%s: cannot read the log: %w", path, cause(err))
	}
	log := &Log{file: file, path: path}
	if info.Mode().IsRegular() {
		log.size = info.Size()
	}
	if log.format, err = recognise(head); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if bytes.HasPrefix(head, []byte(byteOrderMark)) {
		n, err := r.Discard(len(byteOrderMark))
		if err != nil {
			return nil, fmt.Errorf("%s: cannot read the log: %w", path, cause(err))
		}
		log.skipped = int64(n)
	}
	switch log.format {
	case "candump":
		log.decoder = candump.NewReader(path, r)
	case "gvret":
		log.decoder = newGVRET(path, r)
	}
	return log, nil
}

// Format names the format: "candump" or "gvret".
func (l *Log) Format() string { return l.format }

// Channels names the buses of the frames read so far; Frame.Bus indexes it.
func (l *Log) Channels() []string { return l.decoder.Channels() }

// Offset says how many bytes have been decoded and how many the file had when
// it was opened; total is 0 when that is unknown, as for a pipe.
func (l *Log) Offset() (read, total int64) { return l.skipped + l.decoder.Offset(), l.size }

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
		return nil
	}
	if err == io.EOF && l.frames == 0 {
		return &can.FormatError{File: l.path, What: "has no frames; record again"}
	}
	return err
}

// Close closes the file.
func (l *Log) Close() error { return l.file.Close() }

// others are formats that users try and that this version does not read, by
// the bytes they begin with.
var others = []struct{ magic, advice string }{
	{"\x1F\x8B", "is compressed with gzip; unpack it first"},
	{"\x28\xB5\x2F\xFD", "is compressed with zstd; unpack it first"},
	{"PK\x03\x04", "is a zip archive; unpack it first"},
	{"LOGG", "is a Vector BLF log, which is not supported; export it as candump or GVRET CSV"},
	{"date ", "is a Vector ASC log, which is not supported; export it as candump or GVRET CSV"},
	{";$FILEVERSION", "is a PEAK TRC log, which is not supported; export it as candump or GVRET CSV"},
	{"MDF ", "is an ASAM MDF log, which is not supported; export it as candump or GVRET CSV"},
	{"***BUSMASTER", "is a BUSMASTER log, which is not supported; export it as candump or GVRET CSV"},
	{"\xD4\xC3\xB2\xA1", "is a pcap capture, which is not supported; export it as candump or GVRET CSV"},
	{"\x0A\x0D\x0D\x0A", "is a pcapng capture, which is not supported; export it as candump or GVRET CSV"},
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
	text = bytes.TrimLeft(text, "\r\n")
	line, _, _ := bytes.Cut(text, []byte("\n"))
	line = bytes.TrimSpace(line)
	lower := bytes.ToLower(line)
	switch {
	case len(line) == 0 && len(head) < peekSize:
		return "", errors.New("has no frames: only blank lines; record again")
	case isCandump(line):
		return "candump", nil
	case bytes.HasPrefix(lower, []byte("time stamp,")) && bytes.Contains(lower, []byte(",extended")):
		return "gvret", nil
	}
	return "", fmt.Errorf("content is no known CAN log (it begins with %q); supported are candump -l and SavvyCAN's GVRET CSV", excerpt(line))
}

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
