package candump

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"vignette/can"
)

func TestWriteForms(t *testing.T) {
	tests := []struct {
		f    can.Frame
		want string
	}{
		{frame(1436509052249713000, 0x44, 0, 2, 0x2A, 0x36), "(1436509052.249713) vcan0 044#2A36\n"},
		{frame(1, 0x7FF, 0, 0), "(0.000000001) vcan0 7FF#\n"},
		{frame(0, 1, can.Extended, 1, 0xFF), "(0.000000) vcan0 00000001#FF\n"},
		{frame(0, 0x80, can.Error, 0), "(0.000000) vcan0 20000080#\n"},
		{frame(0, 0x123, can.Remote, 0), "(0.000000) vcan0 123#R\n"},
		{frame(0, 0x123, can.Remote, 8), "(0.000000) vcan0 123#R8\n"},
		{frame(0, 0x123, can.FD|can.BRS|can.ESI|can.Sent, 1, 0xAB), "(0.000000) vcan0 123##3AB T\n"},
	}
	for _, tt := range tests {
		var out bytes.Buffer
		w := NewWriter(&out)
		if err := w.Write(&tt.f, "vcan0"); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil || out.String() != tt.want {
			t.Errorf("wrote %q, %v; want %q", out.String(), err, tt.want)
		}
	}
}

func TestWriteErrors(t *testing.T) {
	tests := []struct {
		f       can.Frame
		channel string
		want    string
	}{
		{frame(-1, 1, 0, 0), "can0", "time -1 ns is outside of 0 to 9223372035 s"},
		{frame(0, 0x800, 0, 0), "can0", "id 0x800 has more than 11 bits and the frame is not extended"},
		{frame(0, 0x20000000, can.Extended, 0), "can0", "id 0x20000000 has more than 29 bits"},
		{frame(0, 1, 0, 9), "can0", "length 9 is not one of a classic CAN frame"},
		{frame(0, 1, can.FD, 9), "can0", "length 9 is not one of a CAN FD frame"},
		{frame(0, 1, can.FD|can.Remote, 0), "can0", "a CAN FD frame cannot be a remote request or an error frame"},
		{frame(0, 1, can.Error|can.Remote, 0), "can0", "an error frame cannot be a remote request or extended"},
		{frame(0, 1, can.BRS, 0), "can0", "BRS and ESI belong to CAN FD frames"},
		{frame(0, 1, 0, 0), "", "the channel has no name"},
		{frame(0, 1, 0, 0), "can 0", `channel name "can 0" has a space or a control character`},
	}
	for _, tt := range tests {
		var out bytes.Buffer
		w := NewWriter(&out)
		err := w.Write(&tt.f, tt.channel)
		if want := "candump: write frame: " + tt.want; err == nil || err.Error() != want {
			t.Errorf("%+v: %v; want %s", tt.f, err, want)
		}
		if err := w.Flush(); err != nil || out.Len() != 0 {
			t.Errorf("wrote %q, %v; want nothing", out.String(), err)
		}
	}
}

// randomFrame is any frame that the format can carry.
func randomFrame(rng *rand.Rand) can.Frame {
	f := can.Frame{Time: rng.Int64N(maxSecond * 1_000_000_000), ID: rng.Uint32() & stdIDMax}
	if rng.IntN(2) == 0 {
		f.Time -= f.Time % 1000
	}
	fdLengths := []uint8{0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 20, 24, 32, 48, 64}
	f.Len = uint8(rng.IntN(9))
	switch rng.IntN(6) {
	case 0:
		f.Flags = can.Error
	case 1:
		f.Flags = can.Remote
	case 2:
		f.Flags = can.FD | can.Flags(rng.IntN(4))*can.BRS
		f.Len = fdLengths[rng.IntN(len(fdLengths))]
	}
	if f.Flags&can.Error == 0 && rng.IntN(2) == 0 {
		f.Flags |= can.Extended
	}
	if f.Flags&(can.Error|can.Extended) != 0 {
		f.ID = rng.Uint32() & idMask
	}
	if rng.IntN(4) == 0 {
		f.Flags |= can.Sent
	}
	if f.Flags&can.Remote == 0 {
		for i := range f.Payload() {
			f.Data[i] = byte(rng.Uint32())
		}
	}
	return f
}

// What the writer writes, the reader reads back bit for bit.
func TestRoundTrip(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	const count = 50000
	frames := make([]can.Frame, count)
	var log bytes.Buffer
	w := NewWriter(&log)
	for i := range frames {
		frames[i] = randomFrame(rng)
		frames[i].Bus = uint8(min(i, rng.IntN(3)))
		if i < 3 {
			frames[i].Bus = uint8(i)
		}
		if err := w.Write(&frames[i], fmt.Sprintf("can%d", frames[i].Bus)); err != nil {
			t.Fatalf("frame %d: %v", i, err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	got, err := readAll(NewReader("x.log", &log))
	if err != io.EOF || len(got) != count {
		t.Fatalf("read %d of %d frames, %v", len(got), count, err)
	}
	for i := range got {
		if got[i] != frames[i] {
			t.Fatalf("frame %d: read %+v, wrote %+v", i, got[i], frames[i])
		}
	}
}

func TestWriteAllocatesNothing(t *testing.T) {
	w := NewWriter(io.Discard)
	f := frame(1436509052249713000, 0x44, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8)
	allocs := testing.AllocsPerRun(1000, func() {
		if err := w.Write(&f, "vcan0"); err != nil {
			t.Fatal(err)
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations a frame, want 0", allocs)
	}
}

// FuzzLine: the parser never panics, and a line that it takes is read the same
// after it was written again.
func FuzzLine(f *testing.F) {
	for _, line := range []string{
		"(1436509052.249713) vcan0 044#2A366C2BBA", "(1.000000001) can0 18DAF110##3AB T",
		"(0.000000) can0 123#R8_F", "(0.000000) can0 20000080#00.11", "(0.000000) c 123#1122334455667788_9 R",
		"DROPCOUNT: dropped 3 CAN frames on 'can0' socket (total drops 7)",
	} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		r := NewReader("f", strings.NewReader(line+"\n"))
		var first can.Frame
		if err := r.Read(&first); err != nil {
			return
		}
		var log bytes.Buffer
		w := NewWriter(&log)
		if err := w.Write(&first, r.Channels()[0]); err != nil {
			t.Fatalf("%q read as %+v cannot be written: %v", line, first, err)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		var second can.Frame
		if err := NewReader("f", &log).Read(&second); err != nil || second != first {
			t.Fatalf("%q read as %+v, after writing as %+v, %v", line, first, second, err)
		}
	})
}
