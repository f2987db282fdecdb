package canlog

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"

	"vignette/can"
)

// Bounds of what a compressed log may unpack to. Logs of a quiet bus, where
// only times change, stay below 100 to 1; what goes beyond was made to exhaust
// the reader.
const (
	unpackFree   = 16 << 20 // bytes that any file may unpack to
	unpackRatio  = 250      // beyond, unpacked to packed
	unpackWindow = 32 << 20 // most memory of a zstd frame's window
)

// tooMuch says whether packed bytes came to more than a log does.
func tooMuch(unpacked, packed int64) bool {
	return unpacked > unpackFree && unpacked/unpackRatio > packed
}

func tooMuchText(what string, unpacked, packed int64) string {
	return fmt.Sprintf("%s %d bytes to more than %d (limit %d to 1): no log does", what, packed, unpacked, unpackRatio)
}

// packed names the compression of a file that begins with head, or "".
func packed(head []byte) string {
	switch {
	case bytes.HasPrefix(head, []byte("\x1F\x8B")):
		return "gzip"
	case bytes.HasPrefix(head, []byte("\x28\xB5\x2F\xFD")):
		return "zstd"
	}
	return ""
}

// counter counts the bytes read through it.
type counter struct {
	r io.Reader
	n int64
}

func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// unpacker reads a compressed log. Its memory does not depend on the file.
type unpacker struct {
	name   string
	format string
	in     *counter
	out    io.Reader
	n      int64
	close  func()
	late   error // comes after the bytes that were read with it
}

// newUnpacker opens the compressed stream in, of packed's format.
func newUnpacker(name, format string, in io.Reader) (*unpacker, error) {
	u := &unpacker{name: name, format: format, in: &counter{r: in}, close: func() {}}
	if format == "gzip" {
		z, err := gzip.NewReader(u.in)
		if err != nil {
			return nil, u.fail(err)
		}
		u.out = z
		return u, nil
	}
	z, err := zstd.NewReader(u.in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(unpackWindow))
	if err != nil {
		return nil, u.fail(err)
	}
	u.out, u.close = z, z.Close
	return u, nil
}

// Read implements io.Reader within the bounds.
func (u *unpacker) Read(p []byte) (int, error) {
	if u.late != nil {
		return 0, u.late
	}
	n, err := u.out.Read(p)
	u.n += int64(n)
	if tooMuch(u.n, u.in.n) {
		return 0, &can.FormatError{File: u.name, What: tooMuchText(u.format+" unpacks", u.n, u.in.n) + "; unpack it by hand if you trust it"}
	}
	if err != nil && err != io.EOF {
		err = u.fail(err)
	}
	u.late = err
	if n > 0 {
		return n, nil
	}
	return n, err
}

// fail words an error of the compressed stream: damage, or what reading it
// returned.
func (u *unpacker) fail(err error) error {
	var corrupt flate.CorruptInputError
	what := ""
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), err == io.EOF:
		what = "is cut"
	case errors.Is(err, zstd.ErrWindowSizeExceeded):
		what = fmt.Sprintf("has a window of more than %d MiB; pack it again without --long", unpackWindow>>20)
	case errors.Is(err, gzip.ErrHeader), errors.Is(err, gzip.ErrChecksum), errors.As(err, &corrupt), u.format == "zstd" && !u.source(err):
		what = "is damaged (" + err.Error() + ")"
	default:
		return err
	}
	return &can.FormatError{File: u.name, What: fmt.Sprintf("%s data %s at about byte %d of the file", u.format, what, u.in.n)}
}

// source says whether err came from the file and not from what is in it.
func (u *unpacker) source(err error) bool {
	var path interface{ Timeout() bool } // *fs.PathError
	return errors.As(err, &path)
}
