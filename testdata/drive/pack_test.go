package drive

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"go.einride.tech/can/pkg/dbc"
)

func TestPut(t *testing.T) {
	tests := []struct {
		name string
		sig  dbc.SignalDef
		raw  uint64
		want []byte
	}{
		{"little endian, aligned", dbc.SignalDef{StartBit: 0, Size: 16}, 0x1234, []byte{0x34, 0x12, 0, 0}},
		{"little endian, across bytes", dbc.SignalDef{StartBit: 4, Size: 12}, 0xABC, []byte{0xC0, 0xAB, 0, 0}},
		{"big endian, aligned", dbc.SignalDef{StartBit: 7, Size: 16, IsBigEndian: true}, 0x1234, []byte{0x12, 0x34, 0, 0}},
		{"big endian, across bytes", dbc.SignalDef{StartBit: 3, Size: 12, IsBigEndian: true}, 0xABC, []byte{0x0A, 0xBC, 0, 0}},
		{"one bit", dbc.SignalDef{StartBit: 31, Size: 1}, 1, []byte{0, 0, 0, 0x80}},
		{"high bits of a negative number are cut", dbc.SignalDef{StartBit: 8, Size: 4, IsSigned: true}, math.MaxUint64, []byte{0, 0x0F, 0, 0}},
	}
	for _, test := range tests {
		data := make([]byte, 4)
		put(data, &test.sig, test.raw)
		if !bytes.Equal(data, test.want) {
			t.Errorf("%s: %X, want %X", test.name, data, test.want)
		}
		back := logged{layout: &layout{}, data: data}
		mask := uint64(1)<<test.sig.Size - 1
		if raw, fits := back.take(&test.sig); !fits || uint64(raw)&mask != test.raw&mask {
			t.Errorf("%s: read back %X, want %X", test.name, raw, test.raw)
		}
	}
}

func TestPutClearsWhatWasThere(t *testing.T) {
	data := []byte{0xFF, 0xFF}
	put(data, &dbc.SignalDef{StartBit: 4, Size: 8}, 0)
	if !bytes.Equal(data, []byte{0x0F, 0xF0}) {
		t.Errorf("%X, want 0FF0", data)
	}
}

func TestRawOf(t *testing.T) {
	tests := []struct {
		sig      dbc.SignalDef
		float    bool
		physical float64
		want     uint64
		wantErr  bool
	}{
		{dbc.SignalDef{Size: 8, Factor: 0.5}, false, 12.5, 25, false},
		{dbc.SignalDef{Size: 8, Factor: 1, Offset: -40}, false, -40, 0, false},
		{dbc.SignalDef{Size: 8, Factor: 1, Offset: -40}, false, -41, 0, true},
		{dbc.SignalDef{Size: 8, Factor: 1}, false, 255, 255, false},
		{dbc.SignalDef{Size: 8, Factor: 1}, false, 256, 0, true},
		{dbc.SignalDef{Size: 8, Factor: 1, IsSigned: true}, false, -128, math.MaxUint64 - 127, false},
		{dbc.SignalDef{Size: 8, Factor: 1, IsSigned: true}, false, 128, 0, true},
		{dbc.SignalDef{Size: 8, Factor: 1}, false, math.NaN(), 0, true},
		{dbc.SignalDef{Size: 32, Factor: 1}, true, 1.5, 0x3FC00000, false},
	}
	for _, test := range tests {
		test.sig.Name = "Sig"
		raw, err := rawOf(&test.sig, test.float, test.physical)
		if (err != nil) != test.wantErr || err == nil && raw != test.want {
			t.Errorf("%v in %+v: %X, %v; want %X", test.physical, test.sig, raw, err, test.want)
		}
		if err != nil && !strings.Contains(err.Error(), "Sig: ") {
			t.Errorf("the error does not name the signal: %v", err)
		}
	}
}

// The check value of CRC-8/SAE-J1850 in the catalogue of parametrised CRCs.
func TestCRC8(t *testing.T) {
	if got := crc8([]byte("123456789")); got != 0x4B {
		t.Errorf("%02X, want 4B", got)
	}
}

// The first numbers of SplitMix64 from the state 0, as its authors publish.
func TestRandom(t *testing.T) {
	var r random
	for i, want := range []uint64{0xE220A8397B1DCDAF, 0x6E789E6AA1B965F4, 0x06C45D188009454F} {
		if got := r.next(); got != want {
			t.Errorf("number %d: %X, want %X", i, got, want)
		}
	}
	for range 1000 {
		if n := r.noise(3); n < -3 || n > 3 {
			t.Fatalf("noise(3) is %d", n)
		}
	}
}

func TestCourse(t *testing.T) {
	c := course{{10, 4}, {20, 8}, {40, 0}}
	for _, test := range []struct{ ms, stepped, straight int64 }{{0, 4, 4}, {10, 4, 4}, {15, 4, 6}, {20, 8, 8}, {30, 8, 4}, {40, 0, 0}, {99, 0, 0}} {
		if got := c.stepped(test.ms); got != test.stepped {
			t.Errorf("stepped(%d) is %d, want %d", test.ms, got, test.stepped)
		}
		if got := c.straight(test.ms); got != test.straight {
			t.Errorf("straight(%d) is %d, want %d", test.ms, got, test.straight)
		}
	}
}
