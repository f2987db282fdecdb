package canlog

import (
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"

	"vignette/can"
)

const (
	oldHeader = "Time Stamp,ID,Extended,Bus,LEN,D1,D2,D3,D4,D5,D6,D7,D8\n"
	newHeader = "Time Stamp,ID,Extended,Dir,Bus,LEN,D1,D2,D3,D4,D5,D6,D7,D8\n"
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

func TestGVRETForms(t *testing.T) {
	var fdHeader strings.Builder
	fdHeader.WriteString("Time Stamp,ID,Extended,Bus,LEN")
	for _, n := range []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12"} {
		fdHeader.WriteString(",D" + n)
	}
	tests := []struct {
		name, text string
		want       can.Frame
	}{
		{"old with trailing comma", oldHeader + "166064000,0000021A,false,0,8,FE,36,12,FE,69,05,07,AD,\n",
			frame(166064000000, 0x21A, 0, 8, 0xFE, 0x36, 0x12, 0xFE, 0x69, 0x05, 0x07, 0xAD)},
		{"old without trailing comma", oldHeader + "1,21A,false,0,1,FE,00,00,00,00,00,00,00\n", frame(1000, 0x21A, 0, 1, 0xFE)},
		{"padding is not data", oldHeader + "1,21A,false,0,1,FE,36,,,,,,,\n", frame(1000, 0x21A, 0, 1, 0xFE)},
		{"cells only up to LEN", oldHeader + "1,21A,false,0,2,FE,36\n", frame(1000, 0x21A, 0, 2, 0xFE, 0x36)},
		{"no data", oldHeader + "1,21A,false,0,0,\n", frame(1000, 0x21A, 0, 0)},
		{"new, received", newHeader + "1,18DAF110,true,Rx,0,1,FE,\n", frame(1000, 0x18DAF110, can.Extended, 1, 0xFE)},
		{"new, sent", newHeader + "1,0000021A,FALSE,Tx,0,1,0f,\n", frame(1000, 0x21A, can.Sent, 1, 0x0F)},
		{"negative time", oldHeader + "-5,21A,false,0,0,\n", frame(-5000, 0x21A, 0, 0)},
		{"fraction of a microsecond", oldHeader + "5.125,21A,false,0,0,\n", frame(5125, 0x21A, 0, 0)},
		{"negative fraction", oldHeader + "-0.5,21A,false,0,0,\n", frame(-500, 0x21A, 0, 0)},
		{"columns in another order", "Time Stamp,Bus,LEN,D1,ID,Extended\n1,0,1,FE,21A,false\n", frame(1000, 0x21A, 0, 1, 0xFE)},
		{"FD", fdHeader.String() + "\n1,21A,false,0,12,0,1,2,3,4,5,6,7,8,9,A,B\n", frame(1000, 0x21A, can.FD, 12, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)},
		{"CRLF and blank lines", strings.Replace(oldHeader, "\n", "\r\n\r\n", 1) + "1,21A,false,0,0,\r\n\n", frame(1000, 0x21A, 0, 0)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newGVRET("x.csv", strings.NewReader(tt.text))
			got, err := readAll(r)
			if err != io.EOF || len(got) != 1 || got[0] != tt.want {
				t.Errorf("got %+v, %v; want %+v, EOF", got, err, tt.want)
			}
			if !reflect.DeepEqual(r.Channels(), []string{"0"}) {
				t.Errorf("channels %q", r.Channels())
			}
		})
	}
}

func TestGVRETErrors(t *testing.T) {
	const good = "1,21A,false,0,1,FE,\n"
	const cut = "last line has no newline: the log may be cut in mid-line; 1 frames were read before it; add the newline if the line is whole, or delete the line"
	tests := []struct{ name, text, want string }{
		{"column missing", "Time Stamp,ID,Extended,LEN,D1\n", `x.csv:1: the header has no column "bus"; a GVRET CSV needs Time Stamp, ID, Extended, Bus and LEN`},
		{"column unknown", "Time Stamp,ID,Extended,Foo,LEN,D1\n", `x.csv:1:24: unknown column "Foo"; a GVRET CSV has Time Stamp, ID, Extended, Dir, Bus, LEN, D1, D2, … in order`},
		{"column twice", "Time Stamp,ID,ID\n", `x.csv:1:15: column "ID" is there twice; delete one`},
		{"data column missing", "Time Stamp,ID,Extended,Bus,LEN,D1,D3\n", `x.csv:1:35: unknown column "D3"; a GVRET CSV has Time Stamp, ID, Extended, Dir, Bus, LEN, D1, D2, … in order`},
		{"time", oldHeader + "x,21A,false,0,1,FE,\n", "x.csv:2:1: Time Stamp is no number of microseconds that 64 bits of nanoseconds hold"},
		{"time empty", oldHeader + ",21A,false,0,1,FE,\n", "x.csv:2:1: Time Stamp is no number of microseconds"},
		{"time too large", oldHeader + "9223372036854776,21A,false,0,1,FE,\n", "x.csv:2:1: Time Stamp is no number of microseconds that 64 bits of nanoseconds hold"},
		{"time with four decimals", oldHeader + "1.0000,21A,false,0,1,FE,\n", "x.csv:2:1: Time Stamp is no number of microseconds"},
		{"id", oldHeader + "1,21G,false,0,1,FE,\n", "x.csv:2:3: ID has a character that is no hex digit"},
		{"id empty", oldHeader + "1,,false,0,1,FE,\n", "x.csv:2:3: ID needs 1 to 8 hex digits"},
		{"id of 30 bits", oldHeader + "1,20000000,true,0,1,FE,\n", "x.csv:2:3: ID has more than 29 bits"},
		{"id not extended", oldHeader + "1,800,false,0,1,FE,\n", "x.csv:2:3: ID has more than 11 bits and Extended is false; set Extended to true if it is a 29-bit id"},
		{"extended", oldHeader + "1,21A,maybe,0,1,FE,\n", "x.csv:2:7: Extended must be true or false"},
		{"direction", newHeader + "1,21A,false,0,0,1,FE,\n", "x.csv:2:13: Dir must be Rx or Tx"},
		{"bus", oldHeader + "1,21A,false,256,1,FE,\n", "x.csv:2:13: Bus must be a number from 0 to 255"},
		{"length 9", oldHeader + "1,21A,false,0,9,FE,\n", "x.csv:2:15: LEN must be 0 to 8, or 12, 16, 20, 24, 32, 48 or 64 with CAN FD"},
		{"FD cut to 8 bytes", oldHeader + "1,21A,false,0,64,0,1,2,3,4,5,6,7,\n", "x.csv:2:15: LEN is larger than the number of data columns, so bytes are lost; record with a tool that writes all of them"},
		{"byte missing", oldHeader + "1,21A,false,0,2,FE,\n", "x.csv:2:20: data byte is missing, LEN asks for more; the line may be damaged"},
		{"byte no hex", oldHeader + "1,21A,false,0,2,FE,G1\n", "x.csv:2:20: data byte needs one or two hex digits"},
		{"padding no hex", oldHeader + "1,21A,false,0,1,FE,G1\n", "x.csv:2:20: data byte needs one or two hex digits"},
		{"too few cells", oldHeader + "1,21A,false\n", "x.csv:2:12: line has 3 cells, the header asks for 5 before the data; the line may be damaged"},
		{"too many cells", oldHeader + "1,21A,false,0,1,0,1,2,3,4,5,6,7,8\n", "x.csv:2:33: line has more cells than the header's 13; the line may be damaged"},
		{"no newline", oldHeader + good + "1,21A,false,0,1,FE,", "x.csv:3:20: " + cut},
		{"cut in mid-line", oldHeader + good + "1,21", "x.csv:3:5: " + cut},
		{"overlong", oldHeader + strings.Repeat("1", 5000) + "\n", "x.csv:2: line is longer than 4096 bytes: this is no CAN log; check the file"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newGVRET("x.csv", strings.NewReader(tt.text))
			frames, err := readAll(r)
			var format *can.FormatError
			if !errors.As(err, &format) || err.Error() != tt.want {
				t.Fatalf("error %v\nwant  %s", err, tt.want)
			}
			if want := strings.Count(tt.text, good); len(frames) != want {
				t.Errorf("%d frames before the error, want %d", len(frames), want)
			}
			var f can.Frame
			if again := r.Read(&f); again != err {
				t.Errorf("second Read returned %v, want the same error", again)
			}
		})
	}
}

func TestGVRETBusesInOrder(t *testing.T) {
	r := newGVRET("x.csv", strings.NewReader(oldHeader+"1,1,false,2,0,\n1,1,false,0,0,\n1,1,false,2,0,\n"))
	frames, err := readAll(r)
	if err != io.EOF || len(frames) != 3 {
		t.Fatalf("%d frames, %v", len(frames), err)
	}
	if frames[0].Bus != 0 || frames[1].Bus != 1 || frames[2].Bus != 0 || !reflect.DeepEqual(r.Channels(), []string{"2", "0"}) {
		t.Errorf("buses %d %d %d of %q", frames[0].Bus, frames[1].Bus, frames[2].Bus, r.Channels())
	}
}

func TestGVRETTimeMayJumpBack(t *testing.T) {
	r := newGVRET("x.csv", strings.NewReader(oldHeader+"10,1,false,0,0,\n-3,1,false,0,0,\n"))
	frames, err := readAll(r)
	if err != io.EOF || len(frames) != 2 || frames[0].Time != 10000 || frames[1].Time != -3000 {
		t.Errorf("%+v, %v", frames, err)
	}
}

func TestGVRETReadAllocatesNothing(t *testing.T) {
	r := newGVRET("x.csv", strings.NewReader(oldHeader+strings.Repeat("166064000,0000021A,false,0,8,FE,36,12,FE,69,05,07,AD,\n", 20000)))
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

// FuzzGVRET: no text makes the reader panic, and every frame it gives is one
// that a bus can carry.
func FuzzGVRET(f *testing.F) {
	f.Add(oldHeader + "166064000,0000021A,false,0,8,FE,36,12,FE,69,05,07,AD,\n")
	f.Add(newHeader + "-1.5,18DAF110,true,Tx,3,1,FE,\n")
	f.Add("Time Stamp,Bus,LEN,D1,ID,Extended\n1,0,1,FE,21A,false\n")
	f.Fuzz(func(t *testing.T, text string) {
		r := newGVRET("f.csv", strings.NewReader(text))
		for {
			var fr can.Frame
			err := r.Read(&fr)
			if err != nil {
				var format *can.FormatError
				if err != io.EOF && !errors.As(err, &format) {
					t.Fatalf("%T: %v", err, err)
				}
				return
			}
			limit := uint32(0x7FF)
			if fr.Flags&can.Extended != 0 {
				limit = 0x1FFFFFFF
			}
			if fr.ID > limit || !can.ValidLength(int(fr.Len), fr.Flags&can.FD != 0) || int(fr.Bus) >= len(r.Channels()) {
				t.Fatalf("impossible frame %+v", fr)
			}
		}
	})
}

func BenchmarkGVRETRead(b *testing.B) {
	const line = "166064000,0000021A,false,0,8,FE,36,12,FE,69,05,07,AD,\n"
	r := newGVRET("x.csv", io.MultiReader(strings.NewReader(oldHeader), &endless{text: strings.Repeat(line, 1<<12)}))
	b.ReportAllocs()
	b.SetBytes(int64(len(line)))
	var f can.Frame
	for b.Loop() {
		if err := r.Read(&f); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds()/1e6, "Mframes/s")
}

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
