package canlog

import (
	"bufio"
	"io"
	"strconv"
	"time"

	"vignette/can"
)

// ascWriter writes a Vector ASC log in hex with absolute times, as python-can
// does: seconds since the start, which is the first frame's millisecond and
// stands in the date lines, in UTC. Times that are no Unix time are written as
// they are. An error frame keeps neither class nor data.
type ascWriter struct {
	w      *bufio.Writer
	parent *Writer
	line   []byte
	begun  bool
	start  int64
}

func newASCWriter(w io.Writer, parent *Writer) *ascWriter {
	parent.numbers.most = 65535
	return &ascWriter{w: bufio.NewWriterSize(w, 64<<10), parent: parent, line: make([]byte, 0, 512)}
}

func (a *ascWriter) begin(t int64) error {
	a.begun, a.start = true, startOf(t)
	date := time.Unix(0, a.start).UTC().Format("Mon Jan 02 15:04:05.000 2006")
	if a.start != 0 {
		a.parent.start = date
	}
	_, err := a.w.WriteString("date " + date + "\nbase hex  timestamps absolute\ninternal events logged\n" +
		"Begin Triggerblock " + date + "\n 0.000000 Start of measurement\n")
	return err
}

func (a *ascWriter) write(f *can.Frame, channel string) error {
	if err := check(f); err != nil {
		return err
	}
	if !a.begun {
		if err := a.begin(f.Time); err != nil {
			return err
		}
	}
	t, err := since(a.start, f.Time)
	if err != nil {
		return err
	}
	n, err := a.parent.numbers.number(channel)
	if err != nil {
		return err
	}
	b := append(a.line[:0], ' ')
	b = append(appendSeconds(b, t), ' ')
	switch {
	case f.Flags&can.Error != 0:
		b = a.errorFrame(strconv.AppendInt(b, int64(n), 10), f)
	case f.Flags&can.FD != 0:
		b = appendASCFD(b, f, n)
	default:
		b = appendASCClassic(strconv.AppendInt(b, int64(n), 10), f)
	}
	a.line = append(b, '\n')
	_, err = a.w.Write(a.line)
	return err
}

// errorFrame appends an error frame, which has no direction, class or data.
func (a *ascWriter) errorFrame(b []byte, f *can.Frame) []byte {
	if f.Flags&can.Sent != 0 {
		a.parent.losses.direction++
	}
	if f.ID != 0 || f.Len != 0 {
		a.parent.losses.errorData++
	}
	return append(b, "  ErrorFrame"...)
}

func appendASCID(b []byte, f *can.Frame) []byte {
	b = append(b, ' ')
	for shift := 28; shift >= 0; shift -= 4 {
		if digit := f.ID >> shift; digit != 0 || shift == 0 {
			b = append(b, hexDigits[digit&15])
		}
	}
	if f.Flags&can.Extended != 0 {
		b = append(b, 'x')
	}
	return b
}

func ascDirection(f *can.Frame) string {
	if f.Flags&can.Sent != 0 {
		return " Tx"
	}
	return " Rx"
}

func appendASCClassic(b []byte, f *can.Frame) []byte {
	b = append(appendASCID(append(b, ' '), f), ascDirection(f)...)
	if f.Flags&can.Remote != 0 {
		return append(b, ' ', 'r', ' ', '0'+f.Len)
	}
	return appendHex(append(b, ' ', 'd', ' ', '0'+f.Len), f.Payload())
}

// appendASCFD appends a CANFD line. Behind the data come duration, length in
// bits, flags, CRC and four bit timings. The data length has two columns:
// can-utils' asc2log looks for it so.
func appendASCFD(b []byte, f *can.Frame, channel int) []byte {
	b = strconv.AppendInt(append(b, "CANFD "...), int64(channel), 10)
	b = append(appendASCID(append(b, ascDirection(f)...), f), ' ')
	flags := uint64(ascEDL)
	brs, esi := byte('0'), byte('0')
	if f.Flags&can.BRS != 0 {
		brs, flags = '1', flags|ascBRS
	}
	if f.Flags&can.ESI != 0 {
		esi, flags = '1', flags|ascESI
	}
	dlc := dlcOf(f.Len)
	b = append(b, brs, ' ', esi, ' ', "0123456789abcdef"[dlc&15], ' ')
	if f.Len < 10 {
		b = append(b, ' ')
	}
	b = appendHex(strconv.AppendUint(b, uint64(f.Len), 10), f.Payload())
	b = strconv.AppendUint(append(b, " 0 0 "...), flags, 16)
	return append(b, " 0 0 0 0 0"...)
}

func (a *ascWriter) close() error {
	if _, err := a.w.WriteString("End TriggerBlock\n"); err != nil {
		return err
	}
	return a.w.Flush()
}
