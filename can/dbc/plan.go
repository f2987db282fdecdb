package dbc

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// Plan decodes several signals of one message in one pass over a frame's data.
// It is immutable; Decode allocates nothing where samples has room.
type Plan struct {
	groups []group
	fields int
	inWord bool // all bits lie in the first eight bytes
}

// group are signals side by side that the same multiplexers select.
type group struct {
	when    []muxStep
	signals []planned
}

type planned struct {
	scaled
	index int
}

// Unconditional reports whether nothing but a frame's length says which fields
// it has: none is multiplexed.
func (p *Plan) Unconditional() bool {
	return len(p.groups) == 0 || len(p.groups) == 1 && len(p.groups[0].when) == 0
}

// Sample is what one frame says of one signal.
type Sample struct {
	Index    int     // into the fields that NewPlan was given
	Raw      int64   // as Field.Raw gives it
	Physical float64 // as Field.Physical gives it
}

// NewPlan makes the plan of fields that are of messages with one identifier.
func NewPlan(fields []Field) Plan {
	p := Plan{fields: len(fields), inWord: true}
	for i := range fields {
		f := &fields[i]
		if last := len(p.groups) - 1; last < 0 || !slices.EqualFunc(p.groups[last].when, f.mux, muxStep.equal) {
			p.groups = append(p.groups, group{when: f.mux})
		}
		g := &p.groups[len(p.groups)-1]
		g.signals = append(g.signals, planned{f.scaled, i})
		p.inWord = p.inWord && f.bits.base == 0 && !f.bits.wide
	}
	return p
}

// equal says whether two conditions are the same.
func (x muxStep) equal(o muxStep) bool { return x.bits == o.bits && slices.Equal(x.ranges, o.ranges) }

// Decode appends a sample for every signal that the data of a frame has, in the
// order of the fields. Those that are missing are absent in it: the frame is too
// short for them, or a multiplexer selects others.
func (p *Plan) Decode(data []byte, samples []Sample) []Sample {
	samples = slices.Grow(samples, p.fields)
	var word uint64
	if len(data) >= 8 {
		word = binary.LittleEndian.Uint64(data)
	} else {
		for i, c := range data {
			word |= uint64(c) << (8 * i)
		}
	}
	for i := range p.groups {
		switch g := &p.groups[i]; {
		case len(g.when) > 0 && !selected(g.when, data):
		case p.inWord:
			samples = g.fromWord(word, len(data), samples)
		default:
			samples = g.fromBytes(data, samples)
		}
	}
	return samples
}

// fromWord takes signals from the frame's first eight bytes, of which it has n.
// samples has room for them.
func (g *group) fromWord(little uint64, n int, samples []Sample) []Sample {
	big := bits.ReverseBytes64(little)
	room, used := samples[len(samples):cap(samples)], 0
	for i := range g.signals {
		s := &g.signals[i]
		if int(s.bits.last) >= n {
			continue
		}
		word := little
		if s.bits.big {
			word = big
		}
		raw := s.bits.trim(word >> (s.bits.shift & 63))
		room[used] = Sample{s.index, raw, s.physical(raw)}
		used++
	}
	return samples[:len(samples)+used]
}

// fromBytes takes signals from wherever they lie.
func (g *group) fromBytes(data []byte, samples []Sample) []Sample {
	for i := range g.signals {
		s := &g.signals[i]
		if raw, ok := s.bits.extract(data); ok {
			samples = append(samples, Sample{s.index, raw, s.physical(raw)})
		}
	}
	return samples
}
