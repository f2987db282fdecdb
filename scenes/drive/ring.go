package drive

import (
	"bytes"
	"encoding/binary"
	"io"
	"slices"

	"vignette/can"
	"vignette/scenes"
	"vignette/scenes/engine"
)

// Ring keeps the recent entries of a stream in bounded memory, to look at what a
// card would have made of them: the frames that carry the profile's signals, and
// what is known of occurrences, links and the wall clock. It is filled in parts;
// when all are full the oldest one gives way. It belongs to the pump's goroutine.
//
// A part is a list of frames, each
//
//	uvarint  number of the message · 2, and 1 if flags and payload are as before in this part
//	uvarint  ns since the frame before
//	flags, length, payload, unless they are as before
type Ring struct {
	buses    []can.IDs // number of a message
	messages []ringed
	parts    []part // the oldest first
	memory   [][]byte
	turn     uint32 // of the newest part
	now      int64  // time of the newest frame, ns

	clock engine.Event // the newest; Clock nil: none
	holds []int        // occurrences that hold, in order of their coming
	ends  []int        // by occurrence: its opposite, -1: none
}

// ringed is what is known of a message.
type ringed struct {
	bus      uint8
	id       uint32
	extended bool
	turn     uint32 // of the part in which it came last
	flags    can.Flags
	len      uint8
	word     uint64           // the first eight bytes of the payload
	data     [can.MaxLen]byte // where it is longer
}

// part is one part of a ring.
type part struct {
	frames []byte
	begun  int64        // time of the frame before its first, ns
	clock  engine.Event // as it was known at its beginning
	holds  []int
	events []ringEvent
}

// ringEvent is an event that came before the frame at an offset of a part.
type ringEvent struct {
	at int
	ev engine.Event
}

// Sizes of a part.
const (
	partBytes  = 64 << 10
	partEvents = 256                                      // further ones are left out
	mostFrame  = 2*binary.MaxVarintLen64 + 2 + can.MaxLen // bytes of one frame
)

// NewRing is a ring of so many bytes, at least two parts, for a stream that p
// decides over.
func NewRing(p *scenes.Program, size int) *Ring {
	r := &Ring{}
	for range max(2, size/partBytes) {
		r.memory = append(r.memory, make([]byte, 0, partBytes))
	}
	r.Begin(p)
	return r
}

// Begin empties the ring: another profile runs.
func (r *Ring) Begin(p *scenes.Program) {
	v := p.Vehicle
	*r = Ring{memory: r.memory, buses: make([]can.IDs, len(v.Buses))}
	for bus := range v.Buses {
		for _, m := range v.Messages(bus) {
			r.buses[bus].Put(m.ID, m.Extended, len(r.messages))
			r.messages = append(r.messages, ringed{bus: uint8(bus), id: m.ID, extended: m.Extended})
		}
	}
	for _, o := range p.Engine.Occurs {
		r.ends = append(r.ends, o.Opposite)
	}
	r.next()
}

// next begins a part, in the memory of the oldest one if there is no other.
func (r *Ring) next() {
	var memory []byte
	if len(r.parts) < len(r.memory) {
		memory = r.memory[len(r.parts)]
	} else {
		memory = r.parts[0].frames[:0]
		r.parts = slices.Delete(r.parts, 0, 1)
	}
	r.turn++
	r.parts = append(r.parts, part{frames: memory, begun: r.now, clock: r.clock, holds: slices.Clone(r.holds)})
}

// Frame keeps a frame. It allocates nothing, but for a part's beginning.
func (r *Ring) Frame(f *can.Frame) {
	n := r.buses[f.Bus].Find(f.ID, f.Flags&can.Extended != 0)
	if n < 0 {
		return
	}
	p := &r.parts[len(r.parts)-1]
	if len(p.frames)+mostFrame > partBytes {
		r.next()
		p = &r.parts[len(r.parts)-1]
	}
	if len(p.frames) == 0 && len(r.parts) == 1 {
		r.now, p.begun = f.Time, f.Time // the first of all
	}
	since := max(f.Time-r.now, 0)
	r.now += since
	m := &r.messages[n]
	word := binary.LittleEndian.Uint64(f.Data[:8])
	if m.turn == r.turn && m.flags == f.Flags && m.len == f.Len && m.same(f, word) {
		b := binary.AppendUvarint(p.frames, uint64(n)<<1|1)
		p.frames = binary.AppendUvarint(b, uint64(since))
		return
	}
	b := binary.AppendUvarint(p.frames, uint64(n)<<1)
	b = append(binary.AppendUvarint(b, uint64(since)), byte(f.Flags), f.Len)
	m.turn, m.flags, m.len, m.word = r.turn, f.Flags, f.Len, word
	if f.Len > 8 {
		m.data = f.Data
	}
	b = b[:len(b)+8] // there is room
	binary.LittleEndian.PutUint64(b[len(b)-8:], word)
	if b = b[:len(b)-8+min(int(f.Len), 8)]; f.Len > 8 {
		b = append(b, f.Data[8:f.Len]...)
	}
	p.frames = b
}

// same reports whether a frame of the same length has the payload of the one before;
// word is its first eight bytes.
func (m *ringed) same(f *can.Frame, word uint64) bool {
	if f.Len > 8 {
		return bytes.Equal(m.data[:m.len], f.Payload())
	}
	return (m.word^word)<<(8*(8-f.Len)) == 0
}

// Event keeps an event of the kinds that say how things were: occurrences, links
// and the wall clock.
func (r *Ring) Event(ev *engine.Event) {
	one := *ev
	switch ev.Kind {
	case engine.EvOccur:
		r.holds = slices.DeleteFunc(r.holds, func(o int) bool { return o == ev.Occur || o == r.ends[ev.Occur] })
		if r.ends[ev.Occur] >= 0 { // else it is a moment
			r.holds = append(r.holds, ev.Occur)
		}
	case engine.EvClock:
		clock := *ev.Clock
		one.Clock = &clock
		r.clock = one
	case engine.EvLink:
	default:
		return
	}
	if p := &r.parts[len(r.parts)-1]; len(p.events) < partEvents {
		p.events = append(p.events, ringEvent{len(p.frames), one})
	}
}

// Recent copies what the ring holds, to be replayed elsewhere.
func (r *Ring) Recent() *Recent {
	c := &Recent{messages: slices.Clone(r.messages)}
	for _, p := range r.parts {
		p.frames, p.events = slices.Clone(p.frames), slices.Clone(p.events)
		c.parts = append(c.parts, p)
	}
	for len(c.parts) > 0 && len(c.parts[0].frames) == 0 {
		c.parts = c.parts[1:]
	}
	if len(c.parts) > 0 {
		c.First = c.parts[0].begun
		c.now, c.Last = c.First, r.now
		c.asItWas(&c.parts[0])
	}
	return c
}

// Recent is the stream of a ring's entries. It begins with what was known at its
// beginning.
type Recent struct {
	First, Last int64 // ns between which it lies: of the frame before the first if there was one, and of the last

	messages []ringed
	parts    []part
	before   []engine.Event // to be given before anything else
	at       int            // offset in parts[0]
	now      int64
}

// asItWas has the stream begin with what was known at a part's beginning.
func (c *Recent) asItWas(p *part) {
	if p.clock.Clock != nil {
		clock := *p.clock.Clock
		clock.Wall += p.begun - p.clock.T
		c.before = append(c.before, engine.Event{Kind: engine.EvClock, T: p.begun, Clock: &clock})
	}
	for _, o := range p.holds {
		c.before = append(c.before, engine.Event{Kind: engine.EvOccur, T: p.begun, Occur: o})
	}
}

// Next implements Stream.
func (c *Recent) Next(e *Entry) error {
	*e = Entry{}
	if len(c.before) > 0 {
		e.Event, c.before = c.before[0], c.before[1:]
		return nil
	}
	for len(c.parts) > 0 {
		p := &c.parts[0]
		if len(p.events) > 0 && p.events[0].at <= c.at {
			e.Event, p.events = p.events[0].ev, p.events[1:]
			e.Event.T = max(e.Event.T, c.now)
			return nil
		}
		if c.at < len(p.frames) {
			c.frame(p, e)
			return nil
		}
		c.parts, c.at = c.parts[1:], 0
		if len(c.parts) > 0 {
			c.now = max(c.now, c.parts[0].begun)
		}
	}
	return io.EOF
}

// frame reads the next frame of a part.
func (c *Recent) frame(p *part, e *Entry) {
	head, n := binary.Uvarint(p.frames[c.at:])
	c.at += n
	since, n := binary.Uvarint(p.frames[c.at:])
	c.at += n
	m := &c.messages[head>>1]
	c.now += int64(since)
	if head&1 == 0 {
		m.flags, m.len = can.Flags(p.frames[c.at]), p.frames[c.at+1]
		c.at += 2
		c.at += copy(m.data[:m.len], p.frames[c.at:])
	}
	e.IsFrame = true
	e.Frame = can.Frame{Time: c.now, Bus: m.bus, ID: m.id, Flags: m.flags, Len: m.len, Data: m.data}
}
