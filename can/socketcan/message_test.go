//go:build linux

package socketcan

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"vignette/can"
)

// kernelFrame is a frame as the kernel gives it.
func kernelFrame(size int, id uint32, length, flags byte, data ...byte) []byte {
	b := make([]byte, size)
	binary.NativeEndian.PutUint32(b, id)
	b[4], b[5] = length, flags
	copy(b[8:], data)
	return b
}

func TestDecode(t *testing.T) {
	for _, test := range []struct {
		name string
		b    []byte
		want can.Frame
	}{
		{"classic", kernelFrame(16, 0x123, 3, 0, 1, 2, 3), can.Frame{ID: 0x123, Len: 3, Data: [64]byte{1, 2, 3}}},
		{"bytes behind the length", kernelFrame(16, 0x7FF, 1, 0, 1, 2, 3), can.Frame{ID: 0x7FF, Len: 1, Data: [64]byte{1}}},
		{"extended", kernelFrame(16, 0x9FFFFFFF, 0, 0), can.Frame{ID: 0x1FFFFFFF, Flags: can.Extended}},
		{"remote", kernelFrame(16, 0x40000123, 4, 0, 9), can.Frame{ID: 0x123, Flags: can.Remote, Len: 4}},
		{"remote extended", kernelFrame(16, 0xC0000123, 8, 0), can.Frame{ID: 0x123, Flags: can.Remote | can.Extended, Len: 8}},
		{"classic flags mean nothing", kernelFrame(16, 1, 0, 3), can.Frame{ID: 1}},
		{"FD", kernelFrame(72, 0x123, 12, 0, 7), can.Frame{ID: 0x123, Flags: can.FD, Len: 12, Data: [64]byte{7}}},
		{"FD BRS", kernelFrame(72, 0x123, 64, 1, 7), can.Frame{ID: 0x123, Flags: can.FD | can.BRS, Len: 64, Data: [64]byte{7}}},
		{"FD ESI", kernelFrame(72, 0x80000001, 8, 6, 7), can.Frame{ID: 1, Flags: can.FD | can.ESI | can.Extended, Len: 8, Data: [64]byte{7}}},
		{"error", kernelFrame(16, 0x20000044, 8, 0, 0, 4), can.Frame{ID: 0x44, Flags: can.Error, Len: 8, Data: [64]byte{0, 4}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := can.Frame{Time: 42, Bus: 3, ID: 1, Flags: can.Sent, Len: 64}
			for i := range got.Data {
				got.Data[i] = 0xEE // of the frame before, in a batch used again
			}
			if err := decode(test.b, &got); err != nil {
				t.Fatal(err)
			}
			test.want.Time, test.want.Bus = 42, 3
			if got != test.want {
				t.Errorf("got %+v\nwant %+v", got, test.want)
			}
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	for _, b := range [][]byte{nil, make([]byte, 8), make([]byte, 17), kernelFrame(16, 1, 9, 0), kernelFrame(72, 1, 65, 0), make([]byte, 73)} {
		var f can.Frame
		if err := decode(b, &f); err == nil {
			t.Errorf("%d bytes of length %v: no error", len(b), b)
		}
	}
}

func TestErrorState(t *testing.T) {
	for _, test := range []struct {
		class uint32
		bits  byte
		want  State
		ok    bool
	}{
		{unix.CAN_ERR_BUSOFF, 0, BusOff, true},
		{unix.CAN_ERR_BUSOFF | unix.CAN_ERR_CRTL, unix.CAN_ERR_CRTL_TX_PASSIVE, BusOff, true},
		{unix.CAN_ERR_RESTARTED, 0, Up, true},
		{unix.CAN_ERR_CRTL, unix.CAN_ERR_CRTL_RX_PASSIVE, ErrorPassive, true},
		{unix.CAN_ERR_CRTL, unix.CAN_ERR_CRTL_TX_PASSIVE | unix.CAN_ERR_CRTL_RX_WARNING, ErrorPassive, true},
		{unix.CAN_ERR_CRTL | unix.CAN_ERR_CNT, unix.CAN_ERR_CRTL_ACTIVE, Up, true},
		{unix.CAN_ERR_CRTL, unix.CAN_ERR_CRTL_TX_WARNING, Up, true},
		{unix.CAN_ERR_CRTL, unix.CAN_ERR_CRTL_RX_OVERFLOW, 0, false},
		{unix.CAN_ERR_CRTL, unix.CAN_ERR_CRTL_UNSPEC, 0, false},
		{unix.CAN_ERR_ACK, unix.CAN_ERR_CRTL_TX_PASSIVE, 0, false},
	} {
		f := can.Frame{ID: test.class, Flags: can.Error, Len: 8, Data: [64]byte{1: test.bits}}
		if got, ok := errorState(&f); got != test.want || ok != test.ok {
			t.Errorf("class 0x%X, bits 0x%X: %v %t, want %v %t", test.class, test.bits, got, ok, test.want, test.ok)
		}
	}
}

// controlMessage is a struct cmsghdr with its data, padded, on a processor
// whose size_t has word bytes.
func controlMessage(word int, level, kind uint32, data []byte) []byte {
	b := make([]byte, word+8, 64)
	if word == 8 {
		binary.NativeEndian.PutUint64(b, uint64(len(b)+len(data)))
	} else {
		binary.NativeEndian.PutUint32(b, uint32(len(b)+len(data)))
	}
	binary.NativeEndian.PutUint32(b[word:], level)
	binary.NativeEndian.PutUint32(b[word+4:], kind)
	b = append(b, data...)
	for len(b)%word != 0 {
		b = append(b, 0xEE)
	}
	return b
}

func words32(n ...uint32) (b []byte) {
	for _, n := range n {
		b = binary.NativeEndian.AppendUint32(b, n)
	}
	return b
}

func words64(n ...uint64) (b []byte) {
	for _, n := range n {
		b = binary.NativeEndian.AppendUint64(b, n)
	}
	return b
}

func TestParseControl(t *testing.T) {
	const sol = unix.SOL_SOCKET
	for _, word := range []int{4, 8} {
		drops := controlMessage(word, sol, unix.SO_RXQ_OVFL, words32(7))
		long := controlMessage(word, sol, unix.SO_TIMESTAMPNS_NEW, words64(1_700_000_000, 123))
		short := controlMessage(word, sol, unix.SO_TIMESTAMPNS_OLD, words32(1_700_000_000, 123))
		other := controlMessage(word, 0x65, unix.SO_RXQ_OVFL, words32(9))
		odd := controlMessage(word, sol, unix.SO_TIMESTAMPNS_NEW, []byte{1, 2, 3})
		stamp := control{wall: 1_700_000_000_000_000_123, stamped: true}
		both := stamp
		both.drops, both.counted = 7, true
		for _, test := range []struct {
			name string
			b    []byte
			want control
		}{
			{"none", nil, control{}},
			{"64-bit time", long, stamp},
			{"32-bit time", short, stamp},
			{"drops", drops, control{drops: 7, counted: true}},
			{"time, drops", append(append([]byte{}, long...), drops...), both},
			{"drops, 32-bit time", append(append([]byte{}, drops...), short...), both},
			{"another level's between", append(append(append([]byte{}, drops...), other...), long...), both},
			{"time of odd size", append(append([]byte{}, odd...), drops...), control{drops: 7, counted: true}},
			{"cut in the second", append(append([]byte{}, long...), drops[:word+6]...), stamp},
			{"longer than there is", long[:len(long)-4], control{}},
			{"length below the header", make([]byte, 40), control{}},
			{"unpadded last", drops[:word+8+4], control{drops: 7, counted: true}},
		} {
			t.Run(fmt.Sprintf("%d bits/%s", word*8, test.name), func(t *testing.T) {
				if got := parseControl(test.b, word); got != test.want {
					t.Errorf("got %+v, want %+v", got, test.want)
				}
			})
		}
	}
}

func FuzzParseControl(f *testing.F) {
	f.Add(controlMessage(8, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS_NEW, words64(1, 2)), true)
	f.Add(controlMessage(4, unix.SOL_SOCKET, unix.SO_RXQ_OVFL, words32(1)), false)
	f.Fuzz(func(t *testing.T, b []byte, wide bool) {
		word := 4
		if wide {
			word = 8
		}
		c := parseControl(b, word)
		if !c.counted && c.drops != 0 || !c.stamped && c.wall != 0 {
			t.Errorf("a figure that is not there: %+v", c)
		}
	})
}

// The kernel steps through the array by its own struct mmsghdr.
func TestMessageHasTheKernelsSize(t *testing.T) {
	want := map[string]uintptr{"amd64": 64, "arm64": 64, "arm": 32, "386": 32}[runtime.GOARCH]
	if want == 0 {
		t.Fatalf("struct mmsghdr of %s is not known here: add it", runtime.GOARCH)
	}
	if got := unsafe.Sizeof(message{}); got != want {
		t.Errorf("%d bytes, want %d", got, want)
	}
}
