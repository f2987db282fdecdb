package canlog

import (
	"bufio"
	"encoding/base64"
	"io"
	"strconv"

	"vignette/can"
)

// csvWriter writes python-can's CSV. It has no place for channels, which all
// are 0 when they are read, for the direction, or for the marks of CAN FD; a
// length above 8 tells a CAN FD frame.
type csvWriter struct {
	w       *bufio.Writer
	parent  *Writer
	line    []byte
	channel string
	begun   bool
}

func newCSVWriter(w io.Writer, parent *Writer) *csvWriter {
	return &csvWriter{w: bufio.NewWriterSize(w, 64<<10), parent: parent, line: make([]byte, 0, 256)}
}

func (c *csvWriter) begin(channel string) error {
	c.begun, c.channel = true, channel
	c.parent.numbers.names, c.parent.numbers.numbers = []string{channel}, []int{0}
	_, err := c.w.WriteString(pythonCSV + "\n")
	return err
}

func (c *csvWriter) write(f *can.Frame, channel string) error {
	if err := check(f); err != nil {
		return err
	}
	if !c.begun {
		if err := c.begin(channel); err != nil {
			return err
		}
	}
	c.count(f, channel)
	b := append(appendSeconds(c.line[:0], f.Time), ",0x"...)
	b = strconv.AppendUint(b, uint64(f.ID), 16)
	for _, flag := range [...]can.Flags{can.Extended, can.Remote, can.Error} {
		mark := byte('0')
		if f.Flags&flag != 0 {
			mark = '1'
		}
		b = append(b, ',', mark)
	}
	b = append(strconv.AppendUint(append(b, ','), uint64(f.Len), 10), ',')
	if f.Flags&can.Remote == 0 {
		b = base64.StdEncoding.AppendEncode(b, f.Payload())
	}
	c.line = append(b, '\n')
	_, err := c.w.Write(c.line)
	return err
}

// count notes what the format has no place for.
func (c *csvWriter) count(f *can.Frame, channel string) {
	l := &c.parent.losses
	if channel != c.channel {
		l.channel++
	}
	if f.Flags&can.Sent != 0 {
		l.direction++
	}
	if f.Flags&(can.BRS|can.ESI) != 0 || f.Flags&can.FD != 0 && f.Len <= 8 {
		l.kind++
	}
}

func (c *csvWriter) close() error { return c.w.Flush() }
