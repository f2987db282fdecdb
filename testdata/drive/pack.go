package drive

import (
	"fmt"
	"math"

	"go.einride.tech/can/pkg/dbc"
)

// rawOf turns a physical value into the bits of the signal. A value that the
// signal cannot carry is an error: the simulation is wrong then.
func rawOf(s *dbc.SignalDef, float bool, physical float64) (uint64, error) {
	if float {
		return uint64(math.Float32bits(float32(physical))), nil
	}
	raw := math.Round((physical - s.Offset) / s.Factor)
	low, high := 0.0, math.Ldexp(1, int(s.Size))-1
	if s.IsSigned {
		low, high = -math.Ldexp(1, int(s.Size)-1), math.Ldexp(1, int(s.Size)-1)-1
	}
	if !(raw >= low && raw <= high) {
		return 0, fmt.Errorf("%s: %v does not fit into %d bits", s.Name, physical, s.Size)
	}
	return uint64(int64(raw)), nil
}

// put writes the signal's low Size bits of raw into data. Bit numbers are
// those of the DBC: bit b is bit b%8 of byte b/8; a big-endian signal starts
// at its most significant bit and runs towards the lower bits of a byte.
func put(data []byte, s *dbc.SignalDef, raw uint64) {
	bit := int(s.StartBit)
	for i := range int(s.Size) {
		shift := i
		if s.IsBigEndian {
			shift = int(s.Size) - 1 - i
		}
		mask := byte(1) << (bit % 8)
		data[bit/8] &^= mask
		if raw>>shift&1 == 1 {
			data[bit/8] |= mask
		}
		bit = nextBit(bit, s.IsBigEndian)
	}
}

// nextBit is the bit that follows in the signal's own order.
func nextBit(bit int, bigEndian bool) int {
	switch {
	case !bigEndian:
		return bit + 1
	case bit%8 == 0:
		return bit + 15
	}
	return bit - 1
}

// crc8 is the CRC-8 of SAE J1850: polynomial 0x1D, start 0xFF, final XOR 0xFF.
func crc8(data []byte) byte {
	crc := byte(0xFF)
	for _, b := range data {
		crc ^= b
		for range 8 {
			if crc&0x80 != 0 {
				crc = crc<<1 ^ 0x1D
			} else {
				crc <<= 1
			}
		}
	}
	return crc ^ 0xFF
}

// random is SplitMix64 (Steele, Lea, Flood 2014): small, and the same on
// every machine.
type random uint64

func (r *random) next() uint64 {
	*r += 0x9E3779B97F4A7C15
	z := uint64(*r)
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return z ^ z>>31
}

// upTo returns a number from 0 to n, both included.
func (r *random) upTo(n int64) int64 { return int64(r.next() % uint64(n+1)) }

// noise returns a number from -n to n, small ones more often.
func (r *random) noise(n int64) int64 {
	plus := r.upTo(n)
	return plus - r.upTo(n)
}
