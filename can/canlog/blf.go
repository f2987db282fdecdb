package canlog

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"time"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zlib"

	"vignette/can"
)

// Object types and sizes of Vector's binary log, as python-can's blf.py and
// Wireshark's wiretap/blf.c name them. All numbers are little-endian.
const (
	blfCANMessage     = 1
	blfContainer      = 10
	blfErrorExt       = 73
	blfCANMessage2    = 86
	blfFDMessage      = 100
	blfFDMessage64    = 101
	blfFileHeader     = 144 // bytes of the file header as written; Vector allows more
	blfObjectHeader   = 16  // LOBJ, header size, header version, object size, type
	blfHeaderV1       = 32  // with flags, client, version, time
	blfContainerExtra = 16  // method, size unpacked, both padded
	blfExtended       = 1 << 31
	blfTenMicros      = 1 // time unit; else nanoseconds
)

// blfMaxContainer is the most bytes that one container may hold unpacked.
// Vector writes 128 KiB. Containers are streamed, so this and unpackRatio, which
// holds for the whole log, bound time, not memory.
const blfMaxContainer = 64 << 20

// blfBuffer holds the object being read; frames are far smaller.
const blfBuffer = 64 << 10

// blfReader yields the frames of a Vector BLF log: containers, zlib or plain,
// whose contents, one behind the other, are a stream of objects. CAN messages,
// CAN FD messages of both forms and error frames are read; objects of other
// kinds are counted in Ignored.
//
// Times are the objects' own plus the file's start time, which has
// milliseconds and is taken as UTC, as python-can does. Channels are named by
// their number. A classic DLC above 8 carries 8 bytes. An error frame keeps
// id and data as they were recorded. An id of more than 11 bits is extended
// with or without its mark: the samples of Vector's own library lack it.
type blfReader struct {
	name     string
	src      blfSource
	buf      []byte
	pos, end int   // unread bytes of the object stream are buf[pos:end]
	start    int64 // of the recording, ns
	size     uint64
	began    bool
	channels channelNames
	digits   []byte
	frames   int
	ignored  uint64
	packed   *bufio.Reader // zlib reads through it, within the container
	inflate  io.ReadCloser
	at       int64 // where in the file the open container begins
	late     error // comes after the bytes that were read with it
	left     int64 // bytes of the open container not unpacked yet
	unpacked int64 // bytes of all containers
	zipped   bool
	open     bool
	err      error
}

// blfSource counts what is read of the file, and cuts containers out of it.
type blfSource struct {
	r      *bufio.Reader
	offset int64
	left   int64 // bytes of the container not read yet
}

// Read implements io.Reader within the container.
func (s *blfSource) Read(p []byte) (int, error) {
	if s.left == 0 {
		return 0, io.EOF
	}
	n, err := s.r.Read(p[:min(int64(len(p)), s.left)])
	s.left -= int64(n)
	s.offset += int64(n)
	return n, noCut(err)
}

// noCut makes the end of the file inside of a container an error.
func noCut(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// discard skips n bytes of the file.
func (s *blfSource) discard(n int64) error {
	for n > 0 {
		k, err := s.r.Discard(int(min(n, 1<<20)))
		s.offset += int64(k)
		if n -= int64(k); err != nil {
			return noCut(err)
		}
	}
	return nil
}

func newBLF(name string, r io.Reader) *blfReader {
	return &blfReader{name: name, src: blfSource{r: bufio.NewReaderSize(r, 64<<10)}, buf: make([]byte, blfBuffer)}
}

// Channels names the channels of the frames read so far.
func (b *blfReader) Channels() []string { return b.channels.names }

// Offset is the number of bytes of the file read so far.
func (b *blfReader) Offset() int64 { return b.src.offset }

// Ignored is the number of objects that hold no frame.
func (b *blfReader) Ignored() uint64 { return b.ignored }

// Read fills *f with the next frame; see can.Reader. An error stays.
func (b *blfReader) Read(f *can.Frame) error {
	if b.err == nil && !b.began {
		b.began = true
		b.err = b.fileHeader()
	}
	for b.err == nil {
		var is bool
		if is, b.err = b.object(f); is && b.err == nil {
			b.frames++
			return nil
		}
	}
	return b.err
}

// fail words damage; the offset is that of the file.
func (b *blfReader) fail(what string) error {
	where := fmt.Sprintf("byte %d", b.src.offset)
	if b.open {
		where = fmt.Sprintf("container at byte %d", b.at)
	}
	return &can.FormatError{File: b.name, What: fmt.Sprintf("%s: %s; %d frames were read before it", where, what, b.frames)}
}

// broken words what reading the file or unpacking returned.
func (b *blfReader) broken(err error) error {
	var deep *can.FormatError
	switch {
	case errors.As(err, &deep):
		return err
	case errors.Is(err, io.ErrUnexpectedEOF), err == io.EOF:
		return b.fail("the log ends in the middle of an object: it is cut")
	case errors.Is(err, zlib.ErrHeader), errors.Is(err, zlib.ErrChecksum), errors.Is(err, zlib.ErrDictionary), isCorrupt(err):
		return b.fail("compressed data is damaged (" + err.Error() + ")")
	}
	return fmt.Errorf("%s: read after %d frames: %w", b.name, b.frames, err)
}

// fileHeader reads LOGG, the header's size, the file's size and the start.
func (b *blfReader) fileHeader() error {
	h := b.buf[:blfFileHeader]
	n, err := io.ReadFull(b.src.r, h[:72])
	b.src.offset += int64(n)
	if err != nil {
		return b.broken(err)
	}
	size := int64(binary.LittleEndian.Uint32(h[4:]))
	if size < 72 || size > blfBuffer {
		return b.fail(fmt.Sprintf("header size %d is none of a BLF file", size))
	}
	if err := b.src.discard(size - 72); err != nil {
		return b.broken(err)
	}
	b.size = binary.LittleEndian.Uint64(h[16:])
	b.start = systemTime(h[40:56])
	return nil
}

// systemTime reads a Windows SYSTEMTIME as UTC: year, month, day of the week,
// day, hour, minute, second, millisecond, 16 bits each. One that is no date from
// 1970 to 2262 is 0, as recorders leave it where they know none.
func systemTime(b []byte) int64 {
	var v [8]int
	for i := range v {
		v[i] = int(binary.LittleEndian.Uint16(b[2*i:]))
	}
	t := time.Date(v[0], time.Month(v[1]), v[3], v[4], v[5], v[6], v[7]*1e6, time.UTC)
	if v[0] < 1970 || t.Unix() > math.MaxInt64/1_000_000_000-1 || int(t.Month()) != v[1] || t.Day() != v[3] || t.Hour() != v[4] || t.Minute() != v[5] || t.Second() != v[6] || v[7] > 999 {
		return 0
	}
	return t.UnixNano()
}

// need makes n bytes of the object stream available, n at most blfBuffer. At
// the end it returns io.EOF and leaves what there is.
func (b *blfReader) need(n int) error {
	for b.end-b.pos < n {
		if !b.open {
			if err := b.nextContainer(); err != nil {
				return err
			}
		}
		if b.pos > 0 {
			copy(b.buf, b.buf[b.pos:b.end])
			b.end -= b.pos
			b.pos = 0
		}
		if err := b.fill(); err != nil {
			return err
		}
	}
	return nil
}

// fill reads from the open container and closes it at its end.
func (b *blfReader) fill() error {
	if b.late != nil {
		return b.broken(b.late)
	}
	var src io.Reader = &b.src
	if b.zipped {
		src = b.inflate
	}
	n, err := src.Read(b.buf[b.end:])
	b.end += n
	if b.left -= int64(n); b.left < 0 {
		return b.fail("container unpacks to more bytes than it says: it is damaged or made to exhaust memory")
	}
	if b.unpacked += int64(n); tooMuch(b.unpacked, b.src.offset) {
		return b.fail(tooMuchText("containers unpack", b.unpacked, b.src.offset))
	}
	if err == io.EOF {
		if b.left > 0 {
			return b.fail("container unpacks to fewer bytes than it says: it is damaged")
		}
		return b.closeContainer()
	}
	if err != nil && n == 0 {
		return b.broken(err)
	}
	b.late = err
	return nil
}

func (b *blfReader) closeContainer() error {
	b.open = false
	if err := b.src.discard(b.src.left); err != nil {
		return b.broken(err)
	}
	return nil
}

// nextContainer opens the next one. A frame outside of any container is given
// to the stream as it is.
func (b *blfReader) nextContainer() error {
	head, err := b.topObject()
	if err != nil {
		return err
	}
	b.at = b.src.offset
	size := int64(binary.LittleEndian.Uint32(head[8:]))
	if size < blfObjectHeader {
		return b.fail(fmt.Sprintf("object has a size of %d bytes: it is damaged", size))
	}
	if binary.LittleEndian.Uint32(head[12:]) != blfContainer {
		b.src.left, b.left, b.zipped, b.open = size, size, false, true
		return nil
	}
	headSize := int64(binary.LittleEndian.Uint16(head[4:]))
	if headSize != blfObjectHeader || size < blfObjectHeader+blfContainerExtra {
		return b.fail(fmt.Sprintf("container has a header of %d bytes and %d in all: it is damaged", headSize, size))
	}
	method, unpacked := binary.LittleEndian.Uint16(head[16:]), int64(binary.LittleEndian.Uint32(head[24:]))
	if err := b.src.discard(blfObjectHeader + blfContainerExtra); err != nil {
		return b.broken(err)
	}
	b.src.left = size - blfObjectHeader - blfContainerExtra
	return b.openContainer(method, unpacked)
}

// topObject looks at the head of the next object of the file, a container's.
func (b *blfReader) topObject() ([]byte, error) {
	for skipped := 0; ; skipped++ {
		head, err := b.src.r.Peek(blfObjectHeader + blfContainerExtra)
		switch {
		case len(head) >= 4 && string(head[:4]) == "LOBJ":
			if err != nil {
				return nil, b.broken(noCut(err))
			}
			return head, nil
		case err == io.EOF && len(bytes.Trim(head, "\x00")) == 0:
			return nil, b.fileEnd(int64(len(head)))
		case err != nil && err != io.EOF:
			return nil, b.broken(err)
		case skipped == 8:
			return nil, b.fail("no object begins here: the log is damaged")
		}
		if err := b.src.discard(1); err != nil { // padding, whose length depends on the writer
			return nil, b.broken(err)
		}
	}
}

// fileEnd compares the file's end with the header. A recorder that was
// switched off leaves the header's size at 0 or at the header alone.
func (b *blfReader) fileEnd(rest int64) error {
	if err := b.src.discard(rest); err != nil {
		return b.broken(err)
	}
	if b.size > uint64(b.src.offset) {
		return b.fail(fmt.Sprintf("the log is cut here: its header says %d bytes", b.size))
	}
	return io.EOF
}

// openContainer starts to unpack the container that src stands on.
func (b *blfReader) openContainer(method uint16, unpacked int64) error {
	b.open, b.zipped, b.left = true, method == 2, unpacked
	switch {
	case unpacked > blfMaxContainer:
		return b.fail(fmt.Sprintf("container unpacks to %d bytes, more than the limit of %d", unpacked, int64(blfMaxContainer)))
	case method == 0:
		b.left = b.src.left
		return nil
	case method != 2:
		return b.fail(fmt.Sprintf("container is compressed with method %d; only zlib (2) is known", method))
	}
	if b.inflate == nil {
		b.packed = bufio.NewReaderSize(&b.src, 64<<10)
		z, err := zlib.NewReader(b.packed)
		if err != nil {
			return b.broken(err)
		}
		b.inflate = z
		return nil
	}
	b.packed.Reset(&b.src)
	if err := b.inflate.(zlib.Resetter).Reset(b.packed, nil); err != nil {
		return b.broken(err)
	}
	return nil
}

// object reads the next object of the stream and says whether it is a frame.
func (b *blfReader) object(f *can.Frame) (bool, error) {
	if err := b.align(); err != nil {
		return false, err
	}
	if err := b.need(blfObjectHeader); err != nil {
		return false, b.inside(err)
	}
	head := b.buf[b.pos:]
	headSize, version := binary.LittleEndian.Uint16(head[4:]), binary.LittleEndian.Uint16(head[6:])
	size, kind := binary.LittleEndian.Uint32(head[8:]), binary.LittleEndian.Uint32(head[12:])
	least := blfLeast(kind)
	switch {
	case size < blfObjectHeader:
		return false, b.fail(fmt.Sprintf("object has a size of %d bytes: it is damaged", size))
	case least == 0:
		b.ignored++
		return false, b.skip(int64(size))
	case size > blfBuffer/2:
		return false, b.fail(fmt.Sprintf("frame object has %d bytes: it is damaged", size))
	}
	if err := b.need(int(size)); err != nil {
		return false, b.inside(err)
	}
	object := b.buf[b.pos : b.pos+int(size)]
	b.pos += int(size)
	if headSize < blfHeaderV1 || int(headSize)+least > len(object) || version != 1 && version != 2 {
		return false, b.fail(fmt.Sprintf("object of type %d has %d bytes, a header of %d and version %d: it is damaged", kind, size, headSize, version))
	}
	*f = can.Frame{}
	if what := b.time(object, f); what != "" {
		return false, b.fail(what)
	}
	if what := b.frame(kind, object, int(headSize), f); what != "" {
		return false, b.fail(what)
	}
	return true, nil
}

// blfLeast is the least size of a frame's body, 0 for an object that is none.
func blfLeast(kind uint32) int {
	switch kind {
	case blfCANMessage, blfCANMessage2:
		return 16
	case blfErrorExt:
		return 32
	case blfFDMessage:
		return 20
	case blfFDMessage64:
		return 40
	}
	return 0
}

// inside turns the end of the stream within an object into damage.
func (b *blfReader) inside(err error) error {
	if err == io.EOF {
		return b.broken(io.ErrUnexpectedEOF)
	}
	return err
}

// align moves to the next LOBJ. Objects are padded, and by how much depends on
// their type and writer.
func (b *blfReader) align() error {
	for skipped := 0; ; skipped++ {
		if err := b.need(4); err != nil {
			if err == io.EOF && len(bytes.Trim(b.buf[b.pos:b.end], "\x00")) > 0 {
				return b.fail("the log ends in the middle of an object: it is cut")
			}
			return err
		}
		if string(b.buf[b.pos:b.pos+4]) == "LOBJ" {
			return nil
		}
		if skipped == 8 {
			return b.fail("no object begins here: the log is damaged")
		}
		b.pos++
	}
}

// skip passes over n bytes of the stream.
func (b *blfReader) skip(n int64) error {
	for {
		k := min(n, int64(b.end-b.pos))
		b.pos += int(k)
		if n -= k; n == 0 {
			return nil
		}
		if err := b.need(1); err != nil {
			return b.inside(err)
		}
	}
}

// time sets the frame's time from the object's header.
func (b *blfReader) time(object []byte, f *can.Frame) string {
	stamp := binary.LittleEndian.Uint64(object[24:])
	if binary.LittleEndian.Uint32(object[16:]) == blfTenMicros {
		if stamp > math.MaxInt64/10_000 {
			return "time is more than 64 bits of nanoseconds hold"
		}
		stamp *= 10_000
	}
	if stamp > uint64(math.MaxInt64-b.start) {
		return "time is more than 64 bits of nanoseconds hold"
	}
	f.Time = b.start + int64(stamp)
	return ""
}

// frame reads the body of a frame's object, which begins at body.
func (b *blfReader) frame(kind uint32, object []byte, body int, f *can.Frame) (what string) {
	o := object[body:]
	channel := binary.LittleEndian.Uint16(o)
	id := binary.LittleEndian.Uint32(o[4:])
	switch kind {
	case blfErrorExt:
		id = binary.LittleEndian.Uint32(o[16:])
		f.Flags = can.Error
		f.Len = min(o[10], 8)
		copy(f.Data[:f.Len], o[24:32])
	case blfFDMessage64:
		channel = uint16(o[0])
		what = fd64(object, body, f)
	case blfFDMessage:
		what = fdMessage(o, f)
	default:
		f.Len = min(o[3], 8)
		blfFlags(o[2], f)
		if f.Flags&can.Remote == 0 {
			copy(f.Data[:f.Len], o[8:16])
		}
	}
	if what != "" {
		return what
	}
	f.ID = id & maxExtended
	if f.Flags&can.Error == 0 && (id&blfExtended != 0 || f.ID > 0x7FF) {
		f.Flags |= can.Extended
	}
	return b.channel(channel, f)
}

// channel names the frame's channel.
func (b *blfReader) channel(n uint16, f *can.Frame) (what string) {
	b.digits = strconv.AppendUint(b.digits[:0], uint64(n), 10)
	f.Bus, what = b.channels.index(b.digits)
	return what
}

// blfFlags reads the flags of CAN_MESSAGE and CAN_FD_MESSAGE.
func blfFlags(flags byte, f *can.Frame) {
	if flags&0x80 != 0 {
		f.Flags |= can.Remote
	}
	if flags&1 != 0 {
		f.Flags |= can.Sent
	}
}

// fdMessage reads CAN_FD_MESSAGE, whose EDL bit tells FD from classic.
func fdMessage(o []byte, f *can.Frame) string {
	blfFlags(o[2], f)
	return fdBody(o[3], o[14], o[13]&1 != 0, o[13]&2 != 0, o[13]&4 != 0, o[20:], f)
}

// fd64 reads CAN_FD_MESSAGE_64, whose data may be cut: what is missing up to
// the valid length is zero, as in Vector's own library.
func fd64(object []byte, body int, f *can.Frame) string {
	o := object[body:]
	flags := binary.LittleEndian.Uint32(o[12:])
	if flags&0x10 != 0 {
		f.Flags |= can.Remote
	}
	if o[34] != 0 {
		f.Flags |= can.Sent
	}
	end := len(object)
	if ext := int(o[35]); ext != 0 {
		end = min(end, max(ext, body+40))
	}
	var data [can.MaxLen]byte
	copy(data[:], object[body+40:end])
	return fdBody(o[1], o[2], flags&0x1000 != 0, flags&0x2000 != 0, flags&0x4000 != 0, data[:], f)
}

// fdBody fills in length, data and flags of either FD object.
func fdBody(dlc, valid byte, fd, brs, esi bool, data []byte, f *can.Frame) string {
	remote := f.Flags&can.Remote != 0
	if remote || !fd {
		f.Len = min(dlc, 8)
	} else {
		f.Len = lengthOfDLC[min(dlc, 15)]
		f.Flags |= can.FD
		if brs {
			f.Flags |= can.BRS
		}
		if esi {
			f.Flags |= can.ESI
		}
	}
	if remote {
		return ""
	}
	n := int(min(valid, f.Len))
	if n > len(data) {
		return "object is too short for its data: it is damaged"
	}
	copy(f.Data[:n], data)
	return ""
}

// isCorrupt says whether err is of deflate data that are none.
func isCorrupt(err error) bool {
	var corrupt flate.CorruptInputError
	return errors.As(err, &corrupt)
}
