package canlog

import (
	"bytes"
	"encoding/binary"
	"io"
	"time"

	"github.com/klauspost/compress/zlib"

	"vignette/can"
)

// blfPiece is how many bytes of objects go into one container, as Vector's
// own tools have it. An object may go on in the next container.
const blfPiece = 128 << 10

// blfWriter writes a Vector BLF log: CAN_MESSAGE, CAN_FD_MESSAGE and
// CAN_ERROR_EXT objects with times in nanoseconds since the start, which is
// the first frame's millisecond, in zlib containers. An error frame keeps no
// direction.
type blfWriter struct {
	w       io.WriteSeeker
	parent  *Writer
	objects []byte
	packed  bytes.Buffer
	zip     *zlib.Writer
	start   int64
	last    int64
	begun   bool
	size    uint64 // of the file
	plain   uint64 // of the file if nothing were compressed
	count   uint32
}

func newBLFWriter(w io.WriteSeeker, parent *Writer) *blfWriter {
	parent.numbers.most = 65535
	b := &blfWriter{w: w, parent: parent, objects: make([]byte, 0, blfPiece+256)}
	b.zip = zlib.NewWriter(&b.packed)
	return b
}

func (b *blfWriter) write(f *can.Frame, channel string) error {
	if err := check(f); err != nil {
		return err
	}
	if !b.begun {
		b.begun, b.start = true, startOf(f.Time)
		if err := b.header(); err != nil {
			return err
		}
		b.size, b.plain = blfFileHeader, blfFileHeader
	}
	t, err := since(b.start, f.Time)
	if err != nil {
		return err
	}
	n, err := b.parent.numbers.number(channel)
	if err != nil {
		return err
	}
	b.last = max(b.last, f.Time)
	b.count++
	b.object(f, uint64(t), uint16(n))
	for len(b.objects) >= blfPiece {
		if err := b.container(blfPiece); err != nil {
			return err
		}
	}
	return nil
}

// object appends one object. All have a size that 4 divides.
func (b *blfWriter) object(f *can.Frame, t uint64, channel uint16) {
	kind, size := uint32(blfCANMessage), uint32(blfHeaderV1+16)
	switch {
	case f.Flags&can.Error != 0:
		kind, size = blfErrorExt, blfHeaderV1+32
	case f.Flags&can.FD != 0:
		kind, size = blfFDMessage, blfHeaderV1+84
	}
	le := binary.LittleEndian
	o := append(b.objects, "LOBJ"...)
	o = le.AppendUint16(o, blfHeaderV1)
	o = le.AppendUint16(o, 1)
	o = le.AppendUint32(o, size)
	o = le.AppendUint32(o, kind)
	o = le.AppendUint32(o, 2) // nanoseconds
	o = le.AppendUint32(o, 0)
	o = le.AppendUint64(o, t)
	id := f.ID
	if f.Flags&can.Extended != 0 {
		id |= blfExtended
	}
	o = le.AppendUint16(o, channel)
	if kind == blfErrorExt {
		b.objects = b.errorExt(o, f, id)
		return
	}
	o = append(o, blfFlagByte(f), dlcOf(f.Len))
	o = le.AppendUint32(o, id)
	if kind == blfCANMessage {
		b.objects = append(o, f.Data[:8]...)
		return
	}
	o = append(o, 0, 0, 0, 0, 0, blfFDByte(f), f.Len, 0, 0, 0, 0, 0)
	b.objects = append(o, f.Data[:]...)
}

// errorExt appends the body of CAN_ERROR_EXT behind the channel.
func (b *blfWriter) errorExt(o []byte, f *can.Frame, id uint32) []byte {
	if f.Flags&can.Sent != 0 {
		b.parent.losses.direction++
	}
	o = append(o, 0, 0, 0, 0, 0, 0, 0, 0, f.Len, 0, 0, 0, 0, 0) // length, flags, ecc, position, dlc, frame length
	o = binary.LittleEndian.AppendUint32(o, id)
	return append(append(o, 0, 0, 0, 0), f.Data[:8]...)
}

func blfFlagByte(f *can.Frame) (flags byte) {
	if f.Flags&can.Remote != 0 {
		flags |= 0x80
	}
	if f.Flags&can.Sent != 0 {
		flags |= 1
	}
	return flags
}

func blfFDByte(f *can.Frame) byte {
	flags := byte(1)
	if f.Flags&can.BRS != 0 {
		flags |= 2
	}
	if f.Flags&can.ESI != 0 {
		flags |= 4
	}
	return flags
}

// container writes the first n bytes of objects.
func (b *blfWriter) container(n int) error {
	b.packed.Reset()
	b.zip.Reset(&b.packed)
	if _, err := b.zip.Write(b.objects[:n]); err != nil {
		return err
	}
	if err := b.zip.Close(); err != nil {
		return err
	}
	size := blfObjectHeader + blfContainerExtra + b.packed.Len()
	var head [blfObjectHeader + blfContainerExtra]byte
	le := binary.LittleEndian
	copy(head[:], "LOBJ")
	le.PutUint16(head[4:], blfObjectHeader)
	le.PutUint16(head[6:], 1)
	le.PutUint32(head[8:], uint32(size))
	le.PutUint32(head[12:], blfContainer)
	le.PutUint16(head[16:], 2)
	le.PutUint32(head[24:], uint32(n))
	if _, err := b.w.Write(head[:]); err != nil {
		return err
	}
	padding := size % 4 // so Vector's tools have it
	b.packed.Write(make([]byte, padding))
	if _, err := b.w.Write(b.packed.Bytes()); err != nil {
		return err
	}
	b.size += uint64(size + padding)
	b.plain += uint64(len(head) + n)
	b.objects = b.objects[:copy(b.objects, b.objects[n:])]
	return nil
}

// header writes the file's header with what is known by now.
func (b *blfWriter) header() error {
	var h [blfFileHeader]byte
	le := binary.LittleEndian
	copy(h[:], "LOGG")
	le.PutUint32(h[4:], blfFileHeader)
	copy(h[12:], []byte{2, 6, 8, 1}) // version of the format
	le.PutUint64(h[16:], b.size)
	le.PutUint64(h[24:], b.plain)
	le.PutUint32(h[32:], b.count)
	putSystemTime(h[40:], b.start)
	putSystemTime(h[56:], startOf(b.last))
	_, err := b.w.Write(h[:])
	return err
}

// putSystemTime writes a Windows SYSTEMTIME in UTC, or nothing for 0.
func putSystemTime(b []byte, ns int64) {
	if ns == 0 {
		return
	}
	t := time.Unix(0, ns).UTC()
	for i, v := range []int{t.Year(), int(t.Month()), int(t.Weekday()), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond() / 1e6} {
		binary.LittleEndian.PutUint16(b[2*i:], uint16(v))
	}
}

func (b *blfWriter) close() error {
	if len(b.objects) > 0 {
		if err := b.container(len(b.objects)); err != nil {
			return err
		}
	}
	if _, err := b.w.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return b.header()
}
