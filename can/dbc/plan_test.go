package dbc

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// randomSignals are signals of a message, some in the same place: up to two
// levels of multiplexers, both byte orders, signs and floats.
func randomSignals(rng *rand.Rand, m *Message) {
	var selectors []*Signal
	for i := range 1 + rng.IntN(12) {
		s := &Signal{Name: fmt.Sprint("S", i), Length: 1 + rng.IntN(64), BigEndian: rng.IntN(2) == 0, Signed: rng.IntN(2) == 0,
			Factor: 0.1, Offset: -40}
		if s.Float = rng.IntN(8) == 0; s.Float {
			s.Length = 32 + 32*rng.IntN(2)
		}
		if len(selectors) > 0 && rng.IntN(2) == 0 {
			s.selector = selectors[rng.IntN(len(selectors))]
			first := rng.Uint64N(4)
			s.MuxRanges = []MuxRange{{first, first + rng.Uint64N(2)}}
		} else if rng.IntN(3) == 0 && !s.Float {
			s.Length = 2
			selectors = append(selectors, s)
		}
		if s.Length > 8*m.Length {
			continue
		}
		from := rng.IntN(8*m.Length - s.Length + 1)
		if s.Start = from; s.BigEndian {
			s.Start = sawtooth(from)
		}
		m.Signals = append(m.Signals, s)
	}
}

// A plan gives what its fields give one by one, on frames of every length.
func TestPlanIsItsFields(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	lengths := []int{1, 3, 7, 8, 8, 8, 9, 12, 64}
	samples, absent := 0, 0
	for range 3000 {
		m := &Message{Name: "M", Length: lengths[rng.IntN(len(lengths))]}
		randomSignals(rng, m)
		var fields []Field
		for _, s := range m.Signals {
			fields = append(fields, mustField(t, m, s))
		}
		plan := NewPlan(fields)
		for range 10 {
			data := make([]byte, rng.IntN(m.Length+2))
			for i := range data {
				data[i] = byte(rng.Uint32())
			}
			got := plan.Decode(data, nil)
			samples += len(got)
			for i := range fields {
				raw, ok := fields[i].Raw(data)
				if !ok {
					absent++
					continue
				}
				if len(got) == 0 || got[0].Index != i || got[0].Raw != raw ||
					math.Float64bits(got[0].Physical) != math.Float64bits(fields[i].Physical(raw)) {
					t.Fatalf("%+v of %x: field %d has %d, the plan %+v", m.Signals[i], data, i, raw, got)
				}
				got = got[1:]
			}
			if len(got) > 0 {
				t.Fatalf("the plan has more: %+v", got)
			}
		}
	}
	if samples < 50_000 || absent < 50_000 {
		t.Errorf("only %d samples and %d absent ones compared", samples, absent)
	}
}

func TestPlanAllocatesNothing(t *testing.T) {
	db, err := Parse("t.dbc", []byte("BO_ 1 M: 12 X\n SG_ Mux M : 0|4@1+ (1,0) [0|0] \"\" X\n SG_ S m3 : 15|16@0- (0.1,-40) [0|0] \"\" X\n"+
		" SG_ T : 60|32@1- (0.1,-40) [0|0] \"\" X\n"))
	if err != nil {
		t.Fatal(err)
	}
	m := db.Messages[0]
	for _, names := range [][]string{{"Mux", "S"}, {"Mux", "S", "T"}} { // in the first eight bytes, and beyond
		var fields []Field
		for _, name := range names {
			fields = append(fields, mustField(t, m, m.Signal(name)))
		}
		plan, samples := NewPlan(fields), make([]Sample, 0, len(fields))
		data := []byte{3, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}
		decoded := 0
		allocs := testing.AllocsPerRun(1000, func() {
			samples = plan.Decode(data, samples[:0])
			decoded += len(samples)
		})
		if allocs != 0 || decoded != 1001*len(names) {
			t.Errorf("%v: %v allocations, want 0; %d samples", names, allocs, decoded)
		}
	}
}
