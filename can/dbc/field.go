package dbc

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// Field is the compiled decode plan of one signal. It is a plain value: copy it
// freely. Raw, Physical and InRange allocate nothing. Plan decodes several at once.
type Field struct {
	scaled
	mux      []muxStep // conditions, all to be met; shared and never written
	min, max float64
	ranged   bool
}

// scaled is where a signal's bits lie and what number they are.
type scaled struct {
	bits   bitSlice
	factor float64
	offset float64
	form   form
}

// form is how raw bits are a number.
type form uint8

const (
	integer  form = iota // that an int64 holds
	unsigned             // of 64 bits
	single               // IEEE 754, 32 bits
	double               // IEEE 754, 64 bits
)

func formOf(s *Signal) form {
	switch {
	case s.Float && s.Length == 32:
		return single
	case s.Float:
		return double
	case s.Length == 64 && !s.Signed:
		return unsigned
	}
	return integer
}

// Field compiles the decode plan of s, which must be a signal of m. The error
// says why a signal is refused, with its place in the file.
func (m *Message) Field(s *Signal) (Field, error) {
	if !slices.Contains(m.Signals, s) {
		return Field{}, Diagnostic{s.Pos, fmt.Sprintf("signal %s is no signal of message %s; take it from Message.Signal", s.Name, m.Name)}
	}
	if s.Refused != "" {
		return Field{}, Diagnostic{s.Pos, s.Refused}
	}
	return Field{
		scaled: scaled{newBitSlice(m, s), s.Factor, s.Offset, formOf(s)},
		mux:    muxChain(m, s),
		min:    s.Min, max: s.Max, ranged: s.Min < s.Max,
	}, nil
}

// Raw extracts the raw value from a frame's data. ok is false when the signal
// is absent: the frame is too short for it or for its multiplexers, or a
// multiplexer selects another one. Signed values are sign-extended; unsigned
// ones of 64 bits and the bits of IEEE floats are kept as bits.
func (f *Field) Raw(data []byte) (raw int64, ok bool) {
	if !selected(f.mux, data) {
		return 0, false
	}
	return f.bits.extract(data)
}

// Physical is the physical value of raw: exactly float64(raw*factor) + offset,
// rounded after the product on every processor. raw is read the way Raw gives
// it: an unsigned value of 64 bits as uint64, an IEEE float by its bits.
func (f *Field) Physical(raw int64) float64 { return f.physical(raw) }

func (x *scaled) physical(raw int64) float64 {
	n := float64(raw)
	if x.form != integer {
		n = x.form.number(raw)
	}
	return float64(n*x.factor) + x.offset
}

// number is raw as a number, before factor and offset.
func (f form) number(raw int64) float64 {
	switch f {
	case single:
		return float64(math.Float32frombits(uint32(raw)))
	case double:
		return math.Float64frombits(uint64(raw))
	case unsigned:
		return float64(uint64(raw))
	}
	return float64(raw)
}

// InRange reports whether a physical value lies within the DBC's [min|max],
// bounds included. A signal without a range (min not below max) holds every
// number. NaN is never in range.
func (f *Field) InRange(phys float64) bool {
	if !f.ranged {
		return !math.IsNaN(phys)
	}
	return phys >= f.min && phys <= f.max
}

// bitSlice says where the bits of a signal lie. Eight bytes are loaded at once
// from base where the frame has them; else the bytes are gathered one by one.
type bitSlice struct {
	mask        uint64 // as many ones as bits
	sign        uint64 // the highest of them where signed; else 0
	first, last uint8  // bytes that hold bits
	base        uint8  // of the eight bytes loaded at once
	wide        bool   // spans nine bytes, or base is of no use: always gather
	shift       uint8  // from the loaded word's bit 0 to the signal's
	tail        uint8  // from the gathered bytes' bit 0 to the signal's
	big         bool
}

// newBitSlice expects geometry that was checked: within the message, 64 bytes.
func newBitSlice(m *Message, s *Signal) bitSlice {
	from := s.Start // in bits from the first one, as the byte order counts them
	if s.BigEndian {
		from = sawtooth(s.Start)
	}
	to := from + s.Length - 1
	b := bitSlice{
		mask: ^uint64(0) >> (64 - s.Length), first: uint8(from / 8), last: uint8(to / 8), big: s.BigEndian,
	}
	if s.Signed && !s.Float {
		b.sign = 1 << (s.Length - 1)
	}
	base := from / 8
	if base+8 > m.Length {
		base = max(0, m.Length-8)
	}
	b.base, b.wide = uint8(base), int(b.last)-base >= 8
	if s.BigEndian {
		b.shift = uint8(63 - (to-base*8)&63)
		b.tail = uint8(7 - to%8)
	} else {
		b.shift = uint8((from - base*8) & 63)
		b.tail = uint8(from % 8)
	}
	return b
}

// sawtooth turns a DBC bit number (byte*8 + bit, bit 7 sent first) into the
// distance from the frame's first bit.
func sawtooth(bit int) int { return bit/8*8 + 7 - bit%8 }

// extract returns the bits, sign-extended where signed; ok is false when data
// is too short.
func (b *bitSlice) extract(data []byte) (raw int64, ok bool) {
	if int(b.last) >= len(data) {
		return 0, false
	}
	var v uint64
	switch end := int(b.base) + 8; {
	case b.wide || end > len(data):
		v = b.gather(data)
	case b.big:
		v = binary.BigEndian.Uint64(data[b.base:end]) >> (b.shift & 63)
	default:
		v = binary.LittleEndian.Uint64(data[b.base:end]) >> (b.shift & 63)
	}
	return b.trim(v), true
}

// trim cuts the bits above the signal off and extends its sign.
func (b *bitSlice) trim(v uint64) int64 { return int64(v&b.mask^b.sign) - int64(b.sign) }

// gather collects the bits byte by byte; at most nine bytes hold them.
func (b *bitSlice) gather(data []byte) uint64 {
	if b.big {
		var high, low uint64 // low is the last byte
		for _, c := range data[b.first:b.last] {
			high = high<<8 | uint64(c)
		}
		low = uint64(data[b.last]) >> b.tail
		return high<<(8-b.tail) | low
	}
	v := uint64(data[b.first]) >> b.tail
	shift := 8 - b.tail
	for _, c := range data[int(b.first)+1 : int(b.last)+1] {
		v |= uint64(c) << shift
		shift += 8
	}
	return v
}
