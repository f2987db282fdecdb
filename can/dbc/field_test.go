package dbc

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// naiveRaw reads a signal bit by bit, as the DBC format describes it: bit b of
// byte n has the number 8n+b; little-endian counts up from the lowest bit,
// big-endian goes from the highest bit down in each byte and then to bit 7 of
// the next.
func naiveRaw(s *Signal, data []byte) (int64, bool) {
	var v uint64
	bit := s.Start
	for i := range s.Length {
		if bit/8 >= len(data) {
			return 0, false
		}
		one := uint64(data[bit/8]>>(bit%8)) & 1
		if s.BigEndian {
			v = v<<1 | one
			if bit%8 == 0 {
				bit += 15
			} else {
				bit--
			}
		} else {
			v |= one << i
			bit++
		}
	}
	if s.Signed && s.Length < 64 && v>>(s.Length-1) == 1 {
		v |= ^uint64(0) << s.Length
	}
	return int64(v), true
}

// Every start, length, byte order, sign and message length agrees with the
// bit-by-bit reading, on frames of every length.
func TestRawAgainstBitByBit(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	data := make([]byte, 64)
	checked := 0
	for _, bytes := range []int{1, 2, 5, 8, 12, 24, 64} {
		for start := range bytes * 8 {
			for length := 1; length <= 64; length++ {
				for form := range 4 {
					s := &Signal{Name: "S", Start: start, Length: length, BigEndian: form&1 != 0, Signed: form&2 != 0, Factor: 1}
					from := start
					if s.BigEndian {
						from = sawtooth(start)
					}
					if from+length > bytes*8 {
						continue
					}
					f := mustField(t, &Message{Name: "M", Length: bytes, Signals: []*Signal{s}}, s)
					for range 3 {
						for i := range data {
							data[i] = byte(rng.Uint32())
						}
						frame := data[:rng.IntN(65)]
						want, wantOK := naiveRaw(s, frame)
						got, ok := f.Raw(frame)
						if got != want || ok != wantOK {
							t.Fatalf("%+v in %d bytes of %d: got %d, %v; want %d, %v", s, len(frame), bytes, got, ok, want, wantOK)
						}
						checked++
					}
				}
			}
		}
	}
	if checked < 500_000 {
		t.Errorf("only %d readings checked", checked)
	}
}

func FuzzRaw(f *testing.F) {
	f.Add(uint16(7), uint8(64), true, true, uint8(8), []byte("12345678"))
	f.Add(uint16(3), uint8(64), false, false, uint8(9), []byte("123456789"))
	f.Fuzz(func(t *testing.T, start uint16, length uint8, big, signed bool, bytes uint8, data []byte) {
		s := &Signal{Name: "S", Start: int(start % 512), Length: int(length%64) + 1, BigEndian: big, Signed: signed, Factor: 1}
		m := &Message{Name: "M", Length: int(bytes%64) + 1, Signals: []*Signal{s}}
		from := s.Start
		if big {
			from = sawtooth(s.Start)
		}
		if from+s.Length > m.Length*8 {
			return
		}
		field := mustField(t, m, s)
		want, wantOK := naiveRaw(s, data)
		if got, ok := field.Raw(data); got != want || ok != wantOK {
			t.Fatalf("%+v of %x: got %d, %v; want %d, %v", s, data, got, ok, want, wantOK)
		}
		plan := NewPlan([]Field{field})
		if got := plan.Decode(data, nil); len(got) == 1 != wantOK || wantOK && got[0].Raw != want {
			t.Fatalf("%+v of %x: the plan has %+v; want %d, %v", s, data, got, want, wantOK)
		}
	})
}

func mustField(t testing.TB, m *Message, s *Signal) Field {
	t.Helper()
	f, err := m.Field(s)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// parseField parses a DBC with the given definitions and compiles signal S of
// message M.
func parseField(t testing.TB, text string) Field {
	t.Helper()
	db, err := Parse("t.dbc", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	m := db.Message("M")
	return mustField(t, m, m.Signal("S"))
}

func TestPhysical(t *testing.T) {
	float32bits := func(v float32) int64 { return int64(math.Float32bits(v)) }
	float64bits := func(v float64) int64 { return int64(math.Float64bits(v)) }
	tests := []struct {
		name, signal, more string
		raw                int64
		want               float64
	}{
		{"product is rounded before the sum", `0|16@1+ (0.1,-40)`, "", 1400, 100},
		{"signed", `0|8@1- (0.5,1)`, "", -128, -63},
		{"unsigned 64 bits above MaxInt64", `0|64@1+ (1,0)`, "", -1, 18446744073709551615},
		{"signed 64 bits", `0|64@1- (1,0)`, "", -1, -1},
		{"one signed bit keeps its sign and scale", `0|1@1- (3,0)`, "", -1, -3},
		{"float32", `0|32@1- (2,1)`, "SIG_VALTYPE_ 1 S : 1;", float32bits(1.5), 4},
		{"float64", `0|64@1- (1,0)`, "SIG_VALTYPE_ 1 S : 2;", float64bits(math.Pi), math.Pi},
		{"float64 of an unsigned signal", `0|64@1+ (1,0)`, "SIG_VALTYPE_ 1 S 2;", float64bits(-math.Pi), -math.Pi},
		{"not clamped to the range", `0|8@1+ (1,0) [0|10]`, "", 200, 200},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			signal := tt.signal
			if !strings.Contains(signal, "[") {
				signal += " [0|0]"
			}
			f := parseField(t, "BO_ 1 M: 8 X\n SG_ S : "+signal+" \"\" X\n\n"+tt.more+"\n")
			if got := f.Physical(tt.raw); got != tt.want {
				t.Errorf("Physical(%d) = %v, want %v", tt.raw, got, tt.want)
			}
		})
	}
}

// The physical value is float64(raw*factor)+offset in two roundings: a fused
// multiply-add gives another value for some of these raws, and fails here.
func TestPhysicalIsNotFused(t *testing.T) {
	f := parseField(t, "BO_ 1 M: 8 X\n SG_ S : 0|16@1+ (0.1,-40) [0|0] \"\" X\n")
	differ := 0
	for raw := range 65536 {
		product := float64(raw) * f.factor // the assignment rounds
		want := product - 40
		fused := math.FMA(float64(raw), f.factor, -40)
		if fused != want {
			differ++
		}
		if got := f.Physical(int64(raw)); got != want {
			t.Fatalf("raw %d: %v, want %v (fused %v)", raw, got, want, fused)
		}
	}
	if differ != 1983 {
		t.Errorf("%d raw values tell the two apart, want 1983", differ)
	}
}

func TestInRange(t *testing.T) {
	tests := []struct {
		limits string
		phys   float64
		want   bool
	}{
		{"[0|10]", 0, true}, {"[0|10]", 10, true}, {"[0|10]", 10.5, false}, {"[0|10]", -0.5, false},
		{"[0|0]", 99, true}, {"[5|5]", 99, true}, {"[5|-5]", 99, true},
		{"[0|10]", math.NaN(), false}, {"[0|0]", math.NaN(), false}, {"[0|10]", math.Inf(1), false}, {"[0|0]", math.Inf(1), true},
	}
	for _, tt := range tests {
		f := parseField(t, "BO_ 1 M: 8 X\n SG_ S : 0|16@1+ (1,0) "+tt.limits+" \"\" X\n")
		if got := f.InRange(tt.phys); got != tt.want {
			t.Errorf("%v in %s: %v, want %v", tt.phys, tt.limits, got, tt.want)
		}
	}
}

// The multiplexer selects by its raw value, whatever its factor and offset.
func TestMultiplexing(t *testing.T) {
	f := parseField(t, "BO_ 1 M: 8 X\n SG_ Mux M : 0|4@1+ (2,1) [0|0] \"\" X\n SG_ S m3 : 8|8@1+ (1,0) [0|0] \"\" X\n")
	tests := []struct {
		data string
		raw  int64
		ok   bool
	}{
		{"\x03\x2A", 42, true},
		{"\xF3\x2A", 42, true},
		{"\x02\x2A", 0, false},
		{"\x03", 0, false},
		{"", 0, false},
		{"\x03\x2A\x00\x00\x00\x00\x00\x00", 42, true},
	}
	for _, tt := range tests {
		if raw, ok := f.Raw([]byte(tt.data)); raw != tt.raw || ok != tt.ok {
			t.Errorf("%x: %d, %v; want %d, %v", tt.data, raw, ok, tt.raw, tt.ok)
		}
	}
}

func TestShortFrameKeepsWhatFits(t *testing.T) {
	db, err := Parse("t.dbc", []byte("BO_ 1 M: 8 X\n SG_ A : 0|8@1+ (1,0) [0|0] \"\" X\n SG_ B : 39|16@0+ (1,0) [0|0] \"\" X\n"))
	if err != nil {
		t.Fatal(err)
	}
	m := db.Messages[0]
	a, b := mustField(t, m, m.Signal("A")), mustField(t, m, m.Signal("B"))
	data := []byte{1, 2, 3, 4, 5, 6}
	for n := range len(data) + 1 {
		_, okA := a.Raw(data[:n])
		rawB, okB := b.Raw(data[:n])
		if okA != (n >= 1) || okB != (n >= 6) || okB && rawB != 0x0506 {
			t.Errorf("%d bytes: A %v, B %v %#x", n, okA, okB, rawB)
		}
	}
}

func TestFieldRefuses(t *testing.T) {
	db, err := Parse("t.dbc", []byte("BO_ 1 M: 1 X\n SG_ S : 4|8@1+ (1,0) [0|0] \"\" X\n"))
	if err != nil {
		t.Fatal(err)
	}
	m := db.Messages[0]
	_, err = m.Field(m.Signals[0])
	const want = "t.dbc:2:2: signal S (4|8) runs out of message M, which has 1 bytes; correct the start bit, the length or the byte order"
	if err == nil || err.Error() != want {
		t.Errorf("error %v\nwant  %s", err, want)
	}
	if _, err := m.Field(&Signal{Name: "S"}); err == nil || !strings.Contains(err.Error(), "signal S is no signal of message M; take it from Message.Signal") {
		t.Errorf("foreign signal: %v", err)
	}
}

func TestDecodeAllocatesNothing(t *testing.T) {
	f := parseField(t, "BO_ 1 M: 8 X\n SG_ Mux M : 0|4@1+ (1,0) [0|0] \"\" X\n SG_ S m3 : 15|16@0- (0.1,-40) [0|0] \"\" X\n")
	data := []byte{3, 1, 2, 3, 4, 5, 6, 7}
	sum := 0.0
	allocs := testing.AllocsPerRun(1000, func() {
		raw, ok := f.Raw(data)
		if phys := f.Physical(raw); ok && f.InRange(phys) {
			sum += phys
		}
	})
	if allocs != 0 || sum == 0 {
		t.Errorf("%v allocations, want 0; sum %v", allocs, sum)
	}
}

// BenchmarkDecode decodes the eight signals of a message, one by one and by a
// plan; an operation is a frame.
func BenchmarkDecode(b *testing.B) {
	var text strings.Builder
	text.WriteString("BO_ 1 M: 8 X\n")
	for i := range 4 {
		fmt.Fprintf(&text, " SG_ L%d : %d|7@1- (0.1,-40) [0|0] \"\" X\n SG_ B%d : %d|8@0+ (0.5,0) [0|100] \"\" X\n", i, i*8+1, i, i*8+39)
	}
	db, err := Parse("t.dbc", []byte(text.String()))
	if err != nil {
		b.Fatal(err)
	}
	m := db.Messages[0]
	var fields []Field
	for _, s := range m.Signals {
		fields = append(fields, mustField(b, m, s))
	}
	data := []byte{1, 2, 3, 4, 5, 6, 7, 8}
	sum := 0.0
	b.Run("fields", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			for i := range fields {
				if raw, ok := fields[i].Raw(data); ok {
					sum += fields[i].Physical(raw)
				}
			}
			data[0]++
		}
	})
	plan, samples := NewPlan(fields), make([]Sample, 0, len(fields))
	b.Run("plan", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			samples = plan.Decode(data, samples[:0])
			sum += samples[0].Physical
			data[0]++
		}
	})
}
