package canlog

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"

	"vignette/can"
)

// randomFrame makes a frame of any kind that a bus or a controller gives.
func randomFrame(rng *rand.Rand, t int64) can.Frame {
	f := can.Frame{Time: t}
	if rng.IntN(2) == 0 {
		f.Flags |= can.Extended
		f.ID = rng.Uint32N(maxExtended + 1)
	} else {
		f.ID = rng.Uint32N(0x800)
	}
	f.Len = uint8(rng.IntN(9))
	if rng.IntN(2) == 0 {
		f.Flags |= can.Sent
	}
	switch rng.IntN(6) {
	case 0:
		f.Flags |= can.Remote
		return f
	case 1:
		f.Flags = can.Error
		f.ID = rng.Uint32N(maxExtended + 1)
	case 2, 3:
		f.Flags |= can.FD
		f.Len = lengthOfDLC[rng.IntN(16)]
		f.Flags |= []can.Flags{0, can.BRS, can.ESI, can.BRS | can.ESI}[rng.IntN(4)]
	}
	for i := range f.Len {
		f.Data[i] = byte(rng.Uint32())
	}
	return f
}

// randomFrames makes n frames in the order of their times, from start.
func randomFrames(seed uint64, n int, start int64) []can.Frame {
	rng := rand.New(rand.NewPCG(seed, 1))
	out := make([]can.Frame, n)
	for i := range out {
		out[i] = randomFrame(rng, start)
		start += []int64{0, 1, 1000, 1e6, rng.Int64N(1e9)}[rng.IntN(5)]
	}
	return out
}

// writeLog writes frames of channels "1" to "3" and returns the file.
func writeLog(t testing.TB, format string, frames []can.Frame, channels int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "log."+format)
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	w, err := NewWriter(format, file)
	if err != nil {
		t.Fatal(err)
	}
	for i := range frames {
		if err := w.Write(&frames[i], fmt.Sprint(1+i%channels)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// held is what a format can hold of a frame.
func held(format string, f can.Frame, start int64) can.Frame {
	isError := f.Flags&can.Error != 0
	switch format {
	case "asc":
		f.Time -= start
		if isError {
			return can.Frame{Time: f.Time, Flags: can.Error}
		}
	case "csv":
		f.Flags &^= can.Sent | can.BRS | can.ESI | can.FD
		if f.Len > 8 {
			f.Flags |= can.FD
		}
	}
	return f
}

func TestRoundTrip(t *testing.T) {
	for _, format := range []string{"candump", "asc", "blf", "csv"} {
		for seed, start := range []int64{0, 1_500_000_000, 1767261607_123456789, 4294967296_000000001, 9_220_000_000_000000001} {
			frames := randomFrames(uint64(seed), 5000, start)
			channels := 3
			if format == "csv" {
				channels = 1
			}
			log, err := Open(writeLog(t, format, frames, channels))
			if err != nil {
				t.Fatal(err)
			}
			got, err := readAll(log)
			if err != io.EOF || len(got) != len(frames) || log.Format() != format || log.Ignored() > 1 {
				t.Fatalf("%s: %d frames of %d, %v", format, len(got), len(frames), err)
			}
			for i, f := range got {
				want := held(format, frames[i], startOf(start))
				name := log.Channels()[f.Bus]
				if format != "csv" && name != fmt.Sprint(1+i%channels) {
					t.Fatalf("%s: frame %d is on channel %s", format, i, name)
				}
				if f.Bus = 0; f != want {
					t.Fatalf("%s: frame %d\n%+v, want\n%+v", format, i, f, want)
				}
			}
			if err := log.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestLossesAreCounted reads back what was written, from several channels and
// of every kind of frame: what differs is just what the writer counted.
func TestLossesAreCounted(t *testing.T) {
	frames := randomFrames(17, 10000, 1767261607_000000000)
	for i := range frames {
		if f := &frames[i]; f.Flags&can.Error != 0 && i%2 == 0 {
			f.Flags |= can.Sent
		}
	}
	for _, format := range []string{"candump", "asc", "blf", "csv"} {
		path := filepath.Join(t.TempDir(), "log")
		file, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		w, err := NewWriter(format, file)
		if err != nil {
			t.Fatal(err)
		}
		for i := range frames {
			if err := w.Write(&frames[i], fmt.Sprint(i%3)); err != nil {
				t.Fatal(err)
			}
		}
		if err := errors.Join(w.Close(), file.Close()); err != nil {
			t.Fatal(err)
		}
		if got := lostOf(t, path, frames, len(w.Start()) > 0, w); got != w.losses {
			t.Errorf("%s: lost %+v, counted %+v", format, got, w.losses)
		}
	}
}

// lostOf counts what a recording of frames on channels 0 to 2 has lost of them.
func lostOf(t *testing.T, path string, frames []can.Frame, fromZero bool, w *Writer) (lost losses) {
	t.Helper()
	log, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	got, err := readAll(log)
	if err != io.EOF || len(got) != len(frames) {
		t.Fatalf("%d frames of %d, %v", len(got), len(frames), err)
	}
	const marks = can.FD | can.BRS | can.ESI
	for i, g := range got {
		f := frames[i]
		if fromZero {
			g.Time += frames[0].Time
		}
		name := fmt.Sprint(i % 3)
		if k := slices.Index(w.numbers.names, name); k >= 0 {
			name = fmt.Sprint(w.numbers.numbers[k])
		}
		if log.Channels()[g.Bus] != name {
			lost.channel++
		}
		if (f.Flags^g.Flags)&can.Sent != 0 {
			lost.direction++
		}
		if (f.Flags^g.Flags)&marks != 0 {
			lost.kind++
		}
		if f.Flags&can.Error != 0 && (f.ID != g.ID || f.Data != g.Data) {
			lost.errorData++
			g.ID, g.Len, g.Data = f.ID, f.Len, f.Data
		}
		g.Bus, g.Flags = f.Bus, g.Flags&^(marks|can.Sent)|f.Flags&(marks|can.Sent)
		if g != f {
			t.Fatalf("frame %d\n%+v, was\n%+v", i, g, f)
		}
	}
	return lost
}

func TestWriterLosses(t *testing.T) {
	frames := []can.Frame{{Flags: can.Sent}, {Flags: can.FD, Len: 8}, {Flags: can.Error, ID: 4}}
	for format, want := range map[string]string{
		"candump": "", "blf": "",
		"asc": "1 frames lost class and data of the error: the format has no place for it",
		"csv": "2 frames lost the channel: the format has no place for it; 1 frames lost the direction (sent): the format has no place for it; " +
			"1 frames lost marks of CAN FD: the format has no place for it",
	} {
		file, err := os.Create(filepath.Join(t.TempDir(), "x"))
		if err != nil {
			t.Fatal(err)
		}
		w, err := NewWriter(format, file)
		if err != nil {
			t.Fatal(err)
		}
		for i := range frames {
			if err := w.Write(&frames[i], fmt.Sprintf("can%d", i)); err != nil {
				t.Fatal(err)
			}
		}
		if got := strings.Join(w.Losses(), "; "); got != want {
			t.Errorf("%s: %s\nwant %s", format, got, want)
		}
		numbers := strings.Join(w.Channels(), " ")
		if format == "csv" && numbers != "can0 → 0" {
			t.Errorf("%s: channels %s", format, numbers)
		}
		if (format == "asc" || format == "blf") && numbers != "can0 → 1 can1 → 2 can2 → 3" {
			t.Errorf("%s: channels %s", format, numbers)
		}
		bad := can.Frame{ID: 0x800}
		if err := w.Write(&bad, "can0"); err == nil {
			t.Errorf("%s took an 11-bit id of 12 bits", format)
		}
		if err := file.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestChannelNumbers(t *testing.T) {
	c := channelNumbers{most: 4}
	for _, tt := range []struct {
		name string
		want int
	}{{"can1", 2}, {"2", 1}, {"vcan1", 3}, {"can1", 2}, {"x", 4}, {"y", 0}} {
		n, err := c.number(tt.name)
		if n != tt.want || (err != nil) != (tt.want == 0) {
			t.Errorf("%s: %d, %v; want %d", tt.name, n, err, tt.want)
		}
	}
}

// pack compresses a file and returns the new path.
func pack(t testing.TB, path, method string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	var w io.WriteCloser = gzip.NewWriter(&out)
	if method == "zstd" {
		if w, err = zstd.NewWriter(&out); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return write(t, "packed", out.String())
}

func TestPacked(t *testing.T) {
	frames := randomFrames(7, 20000, 1767261607_000000000)
	for _, format := range []string{"candump", "asc", "blf", "csv"} {
		path := writeLog(t, format, frames, 1)
		for _, method := range []string{"gzip", "zstd"} {
			whole := pack(t, path, method)
			log, err := Open(whole)
			if err != nil {
				t.Fatal(err)
			}
			got, err := readAll(log)
			if err != io.EOF || len(got) != len(frames) || log.Compression() != method {
				t.Errorf("%s in %s: %d frames, %v", format, method, len(got), err)
			}
			if read, total := log.Offset(); read != total {
				t.Errorf("%s in %s: offset %d of %d", format, method, read, total)
			}
			if err := log.Close(); err != nil {
				t.Error(err)
			}
			text, err := os.ReadFile(whole)
			if err != nil {
				t.Fatal(err)
			}
			cut, err := Open(write(t, "cut", string(text[:len(text)-300])))
			if err != nil {
				t.Fatal(err)
			}
			got, err = readAll(cut)
			var damage *can.FormatError
			if !errors.As(err, &damage) || len(got) == 0 || len(got) == len(frames) {
				t.Errorf("%s in cut %s: %d frames, %v", format, method, len(got), err)
			}
			if err := cut.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// allocated is how many bytes run allocates in all.
func allocated(run func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	run()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// endOfLog reads a log to its end and returns what ended it.
func endOfLog(t *testing.T, path string) (err error) {
	t.Helper()
	log, err := Open(path)
	if err != nil {
		return err
	}
	var f can.Frame
	for err == nil {
		err = log.Read(&f)
	}
	if e := log.Close(); e != nil {
		t.Error(e)
	}
	return err
}

// TestBombs reads what unpacks to far more than any log, in bounded memory.
func TestBombs(t *testing.T) {
	line := "(1.000000) can0 123#00\n"
	bomb := write(t, "bomb", strings.Repeat(line, 64<<20/len(line)))
	for _, method := range []string{"gzip", "zstd"} {
		path := pack(t, bomb, method)
		if n := allocated(func() {
			if err := endOfLog(t, path); err == io.EOF || !strings.Contains(err.Error(), "limit 250 to 1") {
				t.Errorf("%s: %v", method, err)
			}
		}); n > 24<<20 {
			t.Errorf("%s: %d bytes allocated", method, n)
		}
	}
	var zeros bytes.Buffer
	z := zlib.NewWriter(&zeros)
	if _, err := z.Write(make([]byte, 16<<20)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		size uint32
		want string
	}{
		{1 << 30, "container unpacks to 1073741824 bytes, more than the limit of 67108864"},
		{1 << 10, "container unpacks to more bytes than it says"},
		{16 << 20, "no object begins here"},
	} {
		path := write(t, "bomb.blf", string(blfFile(zeros.Bytes(), 2, tt.size)))
		if n := allocated(func() {
			if err := endOfLog(t, path); err == io.EOF || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%d: %v", tt.size, err)
			}
		}); n > 1<<20 {
			t.Errorf("%d: %d bytes allocated", tt.size, n)
		}
	}
}

// TestBLFOfBombs reads a log of containers that are well-formed, hold objects
// that are no frames, and unpack to a thousand times their size.
func TestBLFOfBombs(t *testing.T) {
	content := make([]byte, 1<<20)
	copy(content, "LOBJ\x10\x00\x01\x00\x00\x00\x10\x00\x06\x00\x00\x00")
	var packed bytes.Buffer
	z := zlib.NewWriter(&packed)
	if _, err := z.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	file := blfFile(packed.Bytes(), 2, 1<<20)
	container := file[blfFileHeader:]
	for range 99 {
		file = append(file, container...)
	}
	err := endOfLog(t, write(t, "bombs.blf", string(file)))
	if err == io.EOF || !strings.Contains(err.Error(), "(limit 250 to 1): no log does") {
		t.Error(err)
	}
}

// blfFile makes a file of one container.
func blfFile(content []byte, method uint16, unpacked uint32) []byte {
	le := binary.LittleEndian
	b := make([]byte, blfFileHeader)
	copy(b, "LOGG")
	le.PutUint32(b[4:], blfFileHeader)
	b = le.AppendUint16(le.AppendUint16(append(b, "LOBJ"...), blfObjectHeader), 1)
	b = le.AppendUint32(b, uint32(blfObjectHeader+blfContainerExtra+len(content)))
	b = le.AppendUint32(b, blfContainer)
	b = le.AppendUint16(b, method)
	b = append(b, make([]byte, 6)...)
	b = le.AppendUint32(b, unpacked)
	return append(append(b, 0, 0, 0, 0), content...)
}

// TestCutAnywhere cuts logs at each of their last bytes: all that comes out
// are the first frames as they were, and an error but for a whole log.
func TestCutAnywhere(t *testing.T) {
	frames := randomFrames(3, 40, 0)
	for _, format := range []string{"candump", "asc", "csv", "blf"} {
		text, err := os.ReadFile(writeLog(t, format, frames, 1))
		if err != nil {
			t.Fatal(err)
		}
		for n := len(text) - 1; n > max(len(text)-600, 160); n-- {
			r := newDecoder(format, "log", bytes.NewReader(text[:n]))
			var f can.Frame
			read := 0
			var err error
			for err = r.Read(&f); err == nil; err = r.Read(&f) {
				want := held(format, frames[read], 0)
				if f.Bus = 0; f != want {
					t.Fatalf("%s cut at %d: frame %d\n%+v, want\n%+v", format, n, read, f, want)
				}
				read++
			}
			if err == io.EOF && format == "blf" {
				t.Fatalf("blf cut at %d of %d: no error", n, len(text))
			}
		}
	}
}

func TestReadersAllocateNothing(t *testing.T) {
	frames := randomFrames(9, 40000, 0)
	for _, format := range []string{"asc", "blf", "csv"} {
		log, err := Open(writeLog(t, format, frames, 1))
		if err != nil {
			t.Fatal(err)
		}
		var f can.Frame
		for range 20000 {
			if err := log.Read(&f); err != nil {
				t.Fatal(err)
			}
		}
		if n := testing.AllocsPerRun(15000, func() {
			if err := log.Read(&f); err != nil {
				t.Fatal(err)
			}
		}); n != 0 {
			t.Errorf("%s: %v allocations a frame", format, n)
		}
		if err := log.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestTRCAllocatesNothing(t *testing.T) {
	line := "      1      2501.000 DT 2      00C8 Tx -  8    09 08 07 06 05 04 03 02\n"
	r := newTRC("log", strings.NewReader(";$FILEVERSION=2.1\n;$COLUMNS=N,O,T,B,I,d,R,L,D\n"+strings.Repeat(line, 2000)))
	var f can.Frame
	if n := testing.AllocsPerRun(1900, func() {
		if err := r.Read(&f); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations a frame", n)
	}
}
