package trace

import (
	"fmt"
	"math"

	"github.com/tinylib/msgp/msgp"

	"vignette/scenes"
)

// How many values the flat array of an episode has: without touches, and a touch.
const (
	episodeValues = 9 + len(Metrics{})
	touchValues   = 6
)

// MarshalMsg appends the episode as one flat MessagePack array: v, policy, eid,
// cohort, week, tod, task, variant, auto, then six values a touch, then the
// metrics. msgp would generate an array for each touch, which is a byte a touch
// too much for the 12 that the contract has. It does not fail.
func (ep *Episode) MarshalMsg(b []byte) ([]byte, error) {
	b = msgp.AppendArrayHeader(b, uint32(episodeValues+touchValues*len(ep.Ev)))
	for _, v := range []uint16{uint16(ep.V), ep.Policy} {
		b = msgp.AppendUint16(b, v)
	}
	b = msgp.AppendBytes(b, ep.EID[:])
	for _, v := range []uint16{ep.Cohort, ep.Week, uint16(ep.TOD), ep.Task, ep.Variant, uint16(ep.Auto)} {
		b = msgp.AppendUint16(b, v)
	}
	for _, ev := range ep.Ev {
		for _, v := range []uint16{ev.Screen, ev.Elem, uint16(ev.Gesture), uint16(ev.DT), uint16(ev.Speed), uint16(ev.Out)} {
			b = msgp.AppendUint16(b, v)
		}
	}
	for _, v := range ep.M {
		b = msgp.AppendUint8(b, v)
	}
	return b, nil
}

// UnmarshalMsg reads what MarshalMsg wrote and returns what follows it. The
// memory of the touches is used again.
func (ep *Episode) UnmarshalMsg(b []byte) ([]byte, error) {
	n, b, err := msgp.ReadArrayHeaderBytes(b)
	if err != nil {
		return b, err
	}
	touches := (int(n) - episodeValues) / touchValues
	if int(n) != episodeValues+touches*touchValues || touches < 0 || touches > MaxEvents {
		return b, fmt.Errorf("an array of %d values", n)
	}
	r := values{b: b}
	*ep = Episode{V: r.u8(), Policy: r.u16(), EID: r.eid(), Cohort: r.u16(), Week: r.u16(), TOD: r.u8(), Task: r.u16(), Variant: r.u16(), Auto: r.u8(), Ev: ep.Ev[:0]}
	for range touches {
		ep.Ev = append(ep.Ev, Event{Screen: r.u16(), Elem: r.u16(), Gesture: r.u8(), DT: r.u8(), Speed: r.u8(), Out: r.u8()})
	}
	for i := range ep.M {
		ep.M[i] = r.u8()
	}
	return r.b, r.err
}

// Msgsize is the greatest number of bytes that MarshalMsg appends.
func (ep *Episode) Msgsize() int {
	return msgp.ArrayHeaderSize + msgp.BytesPrefixSize + len(ep.EID) + (episodeValues+touchValues*len(ep.Ev))*msgp.Uint16Size
}

// values reads values one after the other and keeps the first error.
type values struct {
	b   []byte
	err error
}

func (r *values) u16() (v uint16) {
	if r.err == nil {
		v, r.b, r.err = msgp.ReadUint16Bytes(r.b)
	}
	return v
}

func (r *values) u8() uint8 {
	v := r.u16()
	if v > math.MaxUint8 && r.err == nil {
		r.err = fmt.Errorf("%d where a byte is due", v)
	}
	return uint8(v)
}

func (r *values) eid() (id EpisodeID) {
	if r.err == nil {
		r.b, r.err = msgp.ReadExactBytes(r.b, id[:])
	}
	return id
}

// wrong names a code of an episode that this package never writes; empty: there
// is none.
func (ep *Episode) wrong() string {
	switch {
	case ep.TOD > TODEvening:
		return fmt.Sprintf("part of the day %d", ep.TOD)
	case int(ep.Auto) >= len(autoNames):
		return fmt.Sprintf("driver assistance %d", ep.Auto)
	}
	for i := range ep.Ev {
		if what := ep.Ev[i].wrong(); what != "" {
			return what
		}
	}
	for i, v := range ep.M {
		if int(v) > len(MetricTable[i].Buckets) {
			return fmt.Sprintf("%s of code %d", MetricTable[i].Name, v)
		}
	}
	return ""
}

// wrong names a code of a touch that this package never writes.
func (ev *Event) wrong() string {
	switch {
	case ev.Screen < other || ev.Elem < other:
		return fmt.Sprintf("place %d/%d", ev.Screen, ev.Elem)
	case ev.Gesture < other || int(ev.Gesture) >= len(scenes.Gestures):
		return fmt.Sprintf("gesture %d", ev.Gesture)
	case ev.Out < other || int(ev.Out) >= len(scenes.Outcomes):
		return fmt.Sprintf("outcome %d", ev.Out)
	case int(ev.DT) >= len(scenes.Gaps):
		return fmt.Sprintf("gap %d", ev.DT)
	case int(ev.Speed) >= len(scenes.Speeds):
		return fmt.Sprintf("speed %d", ev.Speed)
	}
	return ""
}
