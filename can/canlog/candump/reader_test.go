package candump

import (
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"vignette/can"
)

// frame builds the expected frame of a table.
func frame(time int64, id uint32, flags can.Flags, length uint8, data ...byte) can.Frame {
	f := can.Frame{Time: time, ID: id, Flags: flags, Len: length}
	copy(f.Data[:], data)
	return f
}

// readAll reads to the first error.
func readAll(r can.Reader) ([]can.Frame, error) {
	var frames []can.Frame
	for {
		var f can.Frame
		if err := r.Read(&f); err != nil {
			return frames, err
		}
		frames = append(frames, f)
	}
}

func TestReadForms(t *testing.T) {
	tests := []struct {
		name, line string
		want       can.Frame
	}{
		{"classic", "(1436509052.249713) vcan0 044#2A366C2BBA", frame(1436509052249713000, 0x44, 0, 5, 0x2A, 0x36, 0x6C, 0x2B, 0xBA)},
		{"nanoseconds", "(1.000000001) can0 7FF#00", frame(1000000001, 0x7FF, 0, 1)},
		{"empty data", "(0.000000) can0 001#", frame(0, 1, 0, 0)},
		{"lower case hex", "(0.000000) can0 0ab#dE", frame(0, 0xAB, 0, 1, 0xDE)},
		{"extended", "(0.000000) can0 18DAF110#01", frame(0, 0x18DAF110, can.Extended, 1, 1)},
		{"extended of a small number", "(0.000000) can0 00000001#01", frame(0, 1, can.Extended, 1, 1)},
		{"error frame", "(0.000000) can0 20000080#0000000000000000", frame(0, 0x80, can.Error, 8)},
		{"remote", "(0.000000) can0 123#R", frame(0, 0x123, can.Remote, 0)},
		{"remote with length", "(0.000000) can0 00000123#R8", frame(0, 0x123, can.Remote|can.Extended, 8)},
		{"remote with raw dlc", "(0.000000) can0 123#R8_F", frame(0, 0x123, can.Remote, 8)},
		{"raw dlc", "(0.000000) can0 123#1122334455667788_9", frame(0, 0x123, 0, 8, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88)},
		{"fd", "(0.000000) can0 123##0AB", frame(0, 0x123, can.FD, 1, 0xAB)},
		{"fd flags", "(0.000000) can0 123##3", frame(0, 0x123, can.FD|can.BRS|can.ESI, 0)},
		{"fd with the FDF bit", "(0.000000) can0 123##5AB", frame(0, 0x123, can.FD|can.BRS, 1, 0xAB)},
		{"fd of 12 bytes", "(0.000000) can0 123##1000102030405060708090A0B", frame(0, 0x123, can.FD|can.BRS, 12, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)},
		{"received", "(0.000000) can0 123#AB R", frame(0, 0x123, 0, 1, 0xAB)},
		{"sent", "(0.000000) can0 123#AB T", frame(0, 0x123, can.Sent, 1, 0xAB)},
		{"sent without data", "(0.000000) can0 123# T", frame(0, 0x123, can.Sent, 0)},
		{"separators", "(0.000000) can0 123#AB.CD", frame(0, 0x123, 0, 2, 0xAB, 0xCD)},
		{"padded interface", "(0.000000)  can0 123#AB", frame(0, 0x123, 0, 1, 0xAB)},
		{"trailing blank", "(0.000000) can0 123#AB ", frame(0, 0x123, 0, 1, 0xAB)},
		{"largest time", "(9223372035.999999999) can0 123#", frame(9223372035999999999, 0x123, 0, 0)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, end := range []string{"\n", "\r\n", "\n\n\r\n"} {
				r := NewReader("x.log", strings.NewReader(tt.line+end))
				got, err := readAll(r)
				if err != io.EOF || len(got) != 1 || got[0] != tt.want {
					t.Fatalf("%q: got %+v, %v; want %+v, EOF", tt.line+end, got, err, tt.want)
				}
				if want := []string{"can0"}; tt.name != "classic" && !reflect.DeepEqual(r.Channels(), want) {
					t.Errorf("channels %q, want %q", r.Channels(), want)
				}
			}
		})
	}
}

func TestReadErrors(t *testing.T) {
	const good = "(0.000000) can0 123#AB\n"
	const lengths = "; the line may be damaged"
	tests := []struct{ name, log, want string }{
		{"no log", "hello\n", "x.log:1:1: expected `(seconds.fraction) interface ID#DATA`; check that the file is a candump log"},
		{"no seconds", "(.000000) can0 123#\n", "x.log:1:2: expected the digits of the seconds after `(`"},
		{"negative time", "(-1.000000) can0 123#\n", "x.log:1:2: expected the digits of the seconds after `(`"},
		{"no fraction", "(1) can0 123#\n", "x.log:1:3: expected `.` after the seconds"},
		{"three digits", "(1.000) can0 123#\n", "x.log:1:4: fraction of the time needs 6 digits (microseconds) or 9 digits (nanoseconds)"},
		{"no digits", "(1.) can0 123#\n", "x.log:1:4: fraction of the time needs 6 digits (microseconds) or 9 digits (nanoseconds)"},
		{"ten digits", "(1.0000000000) can0 123#\n", "x.log:1:4: fraction of the time needs 6 digits (microseconds) or 9 digits (nanoseconds)"},
		{"time too large", "(9223372036.000000) can0 123#\n", "x.log:1:2: time is too large; seconds go up to 9223372035 (year 2262)"},
		{"time not closed", "(1.000000 can0 123#\n", "x.log:1:10: expected `) ` after the time"},
		{"only a time", "(1.000000)\n", "x.log:1:10: expected `) ` after the time"},
		{"only a time and a blank", "(1.000000) \n", "x.log:1:12: expected an interface name and a frame after the time"},
		{"only an interface", "(1.000000) can0\n", "x.log:1:16: expected an id of 3 or 8 hex digits and `#`"},
		{"control character", "(1.000000) ca\x01n0 123#\n", "x.log:1:14: interface name has a control character; names have printable characters only"},
		{"id of 4 digits", "(1.000000) can0 1234#\n", "x.log:1:17: id needs 3 hex digits (11 bits) or 8 (29 bits)"},
		{"id of 9 digits", "(1.000000) can0 123456789#\n", "x.log:1:17: id needs 3 hex digits (11 bits) or 8 (29 bits)"},
		{"id not hex", "(1.000000) can0 12G#\n", "x.log:1:19: expected an id of 3 or 8 hex digits and `#`"},
		{"id above 7FF", "(1.000000) can0 800#\n", "x.log:1:17: 11-bit id is larger than 7FF; write a 29-bit id with 8 digits"},
		{"id with bit 30", "(1.000000) can0 40000001#\n", "x.log:1:17: id has bits above the 29 of an id and the error bit 20000000; candump never writes them"},
		{"CAN XL", "(1.000000) can0 00123#81:00:00000000#AB\n", "x.log:1:17: id has 5 hex digits, as CAN XL logs have: CAN XL is not supported, record classic CAN or CAN FD"},
		{"half a byte", "(1.000000) can0 123#ABC\n", "x.log:1:23: data ends in the middle of a byte; each byte has two hex digits"},
		{"half a byte and direction", "(1.000000) can0 123#ABC R\n", "x.log:1:23: data ends in the middle of a byte; each byte has two hex digits"},
		{"data not hex", "(1.000000) can0 123#AX\n", "x.log:1:22: data has a character that is no hex digit"},
		{"nine bytes", "(1.000000) can0 123#112233445566778899\n", "x.log:1:37: classic CAN frame has more than 8 bytes; CAN FD frames are written with `##` and a flag digit"},
		{"fd without flags", "(1.000000) can0 123##\n", "x.log:1:22: expected the flag digit of a CAN FD frame after `##`"},
		{"fd with unknown flag", "(1.000000) can0 123##8\n", "x.log:1:22: CAN FD flag digit has an unknown bit; 1 is BRS, 2 ESI, 4 FDF"},
		{"fd of 9 bytes", "(1.000000) can0 123##0112233445566778899\n", "x.log:1:23: CAN FD frames have 0 to 8, 12, 16, 20, 24, 32, 48 or 64 bytes" + lengths},
		{"fd of 65 bytes", "(1.000000) can0 123##0" + strings.Repeat("00", 65) + "\n", "x.log:1:151: CAN FD frame has more than 64 bytes"},
		{"fd error frame", "(1.000000) can0 20000001##0\n", "x.log:1:26: an error frame cannot be a CAN FD frame"},
		{"remote error frame", "(1.000000) can0 20000001#R\n", "x.log:1:26: an error frame cannot be a remote request"},
		{"remote of 9", "(1.000000) can0 123#R9\n", "x.log:1:22: length of a remote request is one digit, 0 to 8"},
		{"raw dlc of 8", "(1.000000) can0 123#1122334455667788_8\n", "x.log:1:37: `_` gives a raw DLC of 9 to F and only follows a length of 8"},
		{"raw dlc of short frame", "(1.000000) can0 123#11_9\n", "x.log:1:23: `_` gives a raw DLC of 9 to F and only follows a length of 8"},
		{"direction unknown", "(1.000000) can0 123#11 X\n", "x.log:1:24: expected the end of the line, or the direction R or T"},
		{"more behind direction", "(1.000000) can0 123#11 R 12\n", "x.log:1:24: expected the end of the line, or the direction R or T"},
		{"no newline", good + "(0.000000) can0 123#AB", "x.log:2:23: last line has no newline: the log may be cut in mid-line; 1 frames were read before it; add the newline if the line is whole, or delete the line"},
		{"cut in mid-line", good + "(0.000000) ca", "x.log:2:14: last line has no newline: the log may be cut in mid-line; 1 frames were read before it; add the newline if the line is whole, or delete the line"},
		{"overlong", good + strings.Repeat("A", 4097) + "\n", "x.log:2: line is longer than 4096 bytes: this is no CAN log; check the file"},
		{"overlong without end", good + strings.Repeat("A", 200000), "x.log:2: line is longer than 4096 bytes: this is no CAN log; check the file"},
		{"drop line damaged", good + "DROPCOUNT: dropped x\n", "x.log:2:1: expected `(seconds.fraction) interface ID#DATA` or a whole DROPCOUNT line; check that the file is a candump log"},
		{"drop line with more", good + "DROPCOUNT: dropped 3 CAN frames on 'can0' socket (total drops 7) x\n", "x.log:2:1: expected `(seconds.fraction) interface ID#DATA` or a whole DROPCOUNT line; check that the file is a candump log"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := NewReader("x.log", strings.NewReader(tt.log))
			frames, err := readAll(r)
			var format *can.FormatError
			if !errors.As(err, &format) || err.Error() != tt.want {
				t.Fatalf("error %v\nwant  %s", err, tt.want)
			}
			if want := strings.Count(tt.log, good); len(frames) != want {
				t.Errorf("%d frames before the error, want %d", len(frames), want)
			}
			var f can.Frame
			if again := r.Read(&f); again != err {
				t.Errorf("second Read returned %v, want the same error", again)
			}
		})
	}
}

func TestChannelsInOrder(t *testing.T) {
	log := "(0.000000) vcan1 001#\n(0.000000) can0 001#\n(0.000000) vcan1 001#\n"
	r := NewReader("x.log", strings.NewReader(log))
	frames, err := readAll(r)
	if err != io.EOF || len(frames) != 3 {
		t.Fatalf("%d frames, %v", len(frames), err)
	}
	if got := []uint8{frames[0].Bus, frames[1].Bus, frames[2].Bus}; !reflect.DeepEqual(got, []uint8{0, 1, 0}) {
		t.Errorf("buses %v", got)
	}
	if got := r.Channels(); !reflect.DeepEqual(got, []string{"vcan1", "can0"}) {
		t.Errorf("channels %q", got)
	}
}

func TestTooManyChannels(t *testing.T) {
	var log strings.Builder
	for i := range 257 {
		log.WriteString("(0.000000) can" + string(rune('0'+i%10)) + strings.Repeat("x", i/10) + " 001#\n")
	}
	frames, err := readAll(NewReader("x.log", strings.NewReader(log.String())))
	const want = "x.log:257: more than 256 interfaces in one log: this is no candump log; check the file"
	if len(frames) != 256 || err == nil || err.Error() != want {
		t.Errorf("%d frames, %v; want 256 and %s", len(frames), err, want)
	}
}

func TestDropLinesAreCounted(t *testing.T) {
	log := "(0.000000) can0 001#\n" +
		"DROPCOUNT: dropped 3 CAN frames on 'can0' socket (total drops 3)\n" +
		"(0.000000) can0 001#\n" +
		"DROPCOUNT: dropped 1 CAN frame on 'can0' socket (total drops 4)\r\n"
	r := NewReader("x.log", strings.NewReader(log))
	frames, err := readAll(r)
	if err != io.EOF || len(frames) != 2 || r.Dropped() != 4 {
		t.Errorf("%d frames, %d dropped, %v; want 2, 4, EOF", len(frames), r.Dropped(), err)
	}
	if r.Offset() != int64(len(log)) {
		t.Errorf("offset %d, want %d", r.Offset(), len(log))
	}
}

// A source may hand out any number of bytes at a time.
func TestSmallReads(t *testing.T) {
	log := strings.Repeat("(1.000000) can0 123#AB\r\n", 10000)
	for name, src := range map[string]io.Reader{
		"one byte": iotest.OneByteReader(strings.NewReader(log)),
		"half":     iotest.HalfReader(strings.NewReader(log)),
		"data err": iotest.DataErrReader(strings.NewReader(log)),
	} {
		frames, err := readAll(NewReader("x.log", src))
		if err != io.EOF || len(frames) != 10000 {
			t.Errorf("%s: %d frames, %v", name, len(frames), err)
		}
	}
}

func TestSourceErrorIsWrapped(t *testing.T) {
	src := io.MultiReader(strings.NewReader("(1.000000) can0 123#AB\n(1.0"), iotest.ErrReader(iotest.ErrTimeout))
	frames, err := readAll(NewReader("x.log", src))
	if len(frames) != 1 || !errors.Is(err, iotest.ErrTimeout) || err.Error() != "x.log: read after 1 frames: timeout" {
		t.Errorf("%d frames, %v", len(frames), err)
	}
}

func TestReadAllocatesNothing(t *testing.T) {
	log := strings.Repeat(benchmarkLine, 20000)
	r := NewReader("x.log", strings.NewReader(log))
	var f can.Frame
	if err := r.Read(&f); err != nil {
		t.Fatal(err)
	}
	allocs := testing.AllocsPerRun(10000, func() {
		if err := r.Read(&f); err != nil {
			t.Fatal(err)
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations a frame, want 0", allocs)
	}
}

const benchmarkLine = "(1436509052.249713) vcan0 123#2A366C2BBA010203\n"

// endless repeats a text for ever.
type endless struct {
	text string
	pos  int
}

func (e *endless) Read(p []byte) (int, error) {
	n := copy(p, e.text[e.pos:])
	e.pos = (e.pos + n) % len(e.text)
	return n, nil
}

func BenchmarkCandumpRead(b *testing.B) {
	r := NewReader("x.log", &endless{text: strings.Repeat(benchmarkLine, 1<<12)})
	b.ReportAllocs()
	b.SetBytes(int64(len(benchmarkLine)))
	var f can.Frame
	for b.Loop() {
		if err := r.Read(&f); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds()/1e6, "Mframes/s")
}

// TestResume goes on behind lines that are damaged, and not behind an end.
func TestResume(t *testing.T) {
	r := NewReader("pipe", strings.NewReader("nonsense\n(1.000000) can0 101#01\n(1.000000) can0 10\n(2.000000) can0 102#\n(3.0"))
	var f can.Frame
	for i, want := range []uint32{0, 0x101, 0, 0x102} {
		err := r.Read(&f)
		if want == 0 && (err == nil || !r.Resume()) || want != 0 && (err != nil || f.ID != want) {
			t.Errorf("line %d: frame %03X, %v", i+1, f.ID, err)
		}
	}
	if err := r.Read(&f); err == nil || r.Resume() {
		t.Errorf("a cut line: %v, and it goes on", err)
	}
}
