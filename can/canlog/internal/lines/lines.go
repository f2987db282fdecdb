// Package lines cuts a text log into lines without allocating per line. Every
// text format of canlog reads through it, so that all of them judge an
// overlong line and a log cut in mid-line alike.
package lines

import (
	"bytes"
	"errors"
	"io"
)

// MaxLength is the most bytes a line may have, its newline not counted. The
// longest lines of the supported formats, CAN FD in CSV, stay below 300.
const MaxLength = 4096

// MaxLongLength is the most bytes of a line of NewLongReader: Vector's ASC has
// whole diagnostic and J1939 transfers of 4 KiB in hex in one line.
const MaxLongLength = 32768

// The errors that Next returns beside io.EOF and those of the source.
var (
	// ErrTooLong says that the line has more than MaxLength bytes.
	ErrTooLong = errors.New("line is longer than 4096 bytes: this is no CAN log; check the file")
	// ErrTooLongEvent says the same of NewLongReader and MaxLongLength.
	ErrTooLongEvent = errors.New("line is longer than 32768 bytes: this is no CAN log; check the file")
	// ErrCut says that the last line does not end with a newline. A line cut in
	// the middle of its data can read as a shorter frame, so it is never taken.
	ErrCut = errors.New("last line has no newline: the log may be cut in mid-line")
)

const bufferSize = 64 << 10

// Reader yields the lines of a source in order.
type Reader struct {
	src        io.Reader
	buf        []byte
	start, end int   // the unread bytes are buf[start:end]
	number     int   // of the line returned last, 1-based
	offset     int64 // bytes handed out
	srcErr     error // what the source ended with
	most       int   // bytes of a line
	tooLong    error
}

// NewReader returns a Reader of r's lines.
func NewReader(r io.Reader) *Reader {
	return &Reader{src: r, buf: make([]byte, bufferSize), most: MaxLength, tooLong: ErrTooLong}
}

// NewLongReader returns a Reader of r's lines that may have MaxLongLength bytes.
func NewLongReader(r io.Reader) *Reader {
	return &Reader{src: r, buf: make([]byte, bufferSize), most: MaxLongLength, tooLong: ErrTooLongEvent}
}

// Number is the 1-based number of the line that Next returned last.
func (l *Reader) Number() int { return l.number }

// Offset is the number of bytes of the source in the lines returned so far.
func (l *Reader) Offset() int64 { return l.offset }

// Next returns the next line without its newline and without a carriage return
// before it. The slice is valid until the next call. At the end of the source
// it returns io.EOF, or ErrCut with the rest if bytes without a newline remain.
func (l *Reader) Next() ([]byte, error) {
	scanned := 0
	for {
		pending := l.buf[l.start:l.end]
		if i := bytes.IndexByte(pending[scanned:], '\n'); i >= 0 {
			return l.take(scanned+i, 1)
		}
		scanned = len(pending)
		if scanned > l.most+1 {
			l.number++
			return nil, l.tooLong
		}
		if l.srcErr != nil {
			return l.finish()
		}
		l.fill()
	}
}

// take hands out n bytes and steps over the newline behind them.
func (l *Reader) take(n, newline int) ([]byte, error) {
	line := l.buf[l.start : l.start+n]
	l.start += n + newline
	l.offset += int64(n + newline)
	l.number++
	if n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	if len(line) > l.most {
		return nil, l.tooLong
	}
	return line, nil
}

// finish returns what is left once the source has ended.
func (l *Reader) finish() ([]byte, error) {
	if l.start == l.end || l.srcErr != io.EOF {
		return nil, l.srcErr
	}
	line, err := l.take(l.end-l.start, 0)
	if err == nil {
		err = ErrCut
	}
	return line, err
}

// fill moves the unread bytes to the front and reads behind them.
func (l *Reader) fill() {
	copy(l.buf, l.buf[l.start:l.end])
	l.end -= l.start
	l.start = 0
	for tries := 0; tries < 100; tries++ {
		n, err := l.src.Read(l.buf[l.end:])
		l.end += n
		l.srcErr = err
		if n > 0 || err != nil {
			return
		}
	}
	l.srcErr = io.ErrNoProgress
}
