package drive

import (
	"fmt"

	"github.com/tinylib/msgp/msgp"

	"vignette/scenes/engine"
)

// driverFields are the fields of the journal's entries that the driver brought
// about, and of sleep; their kinds are the engine's.
var driverFields = map[engine.EventKind]int{
	engine.EvAnswer: 5, engine.EvUser: 3, engine.EvSleep: 2, engine.EvEnable: 4, engine.EvRun: 3, engine.EvFree: 3,
}

// appendDriver appends an event of driverFields; card is the id of the card
// that it is about.
func appendDriver(b []byte, e *engine.Event, card string) ([]byte, bool) {
	n, ok := driverFields[e.Kind]
	if !ok {
		return b, false
	}
	b = msgp.AppendInt(msgp.AppendArrayHeader(b, uint32(n)), int(e.Kind))
	b = msgp.AppendInt64(b, e.T)
	switch e.Kind {
	case engine.EvAnswer:
		b = msgp.AppendBool(msgp.AppendUint64(msgp.AppendUint64(b, e.Session), e.Ref), e.OK)
	case engine.EvUser:
		b = msgp.AppendUint64(b, e.User)
	case engine.EvEnable:
		b = msgp.AppendBool(msgp.AppendString(b, card), e.On)
	case engine.EvRun, engine.EvFree:
		b = msgp.AppendString(b, card)
	}
	return b, true
}

// driver reads an event of driverFields whose array has n fields.
func (j *JournalReader) driver(r *fields, kind engine.EventKind, n int, ev *engine.Event) error {
	if n != driverFields[kind] {
		return fmt.Errorf("an entry of kind %d with %d fields", kind, n)
	}
	*ev = engine.Event{Kind: kind, T: r.int()}
	switch kind {
	case engine.EvAnswer:
		ev.Session, ev.Ref, ev.OK = uint64(r.int()), uint64(r.int()), r.bool()
	case engine.EvUser:
		ev.User = r.uint()
	case engine.EvEnable, engine.EvRun, engine.EvFree:
		id := r.text()
		card, ok := j.prog.Card(id)
		if r.err == nil && !ok {
			return fmt.Errorf("an event about card %s, which is not given", id)
		}
		ev.Card = card
		if kind == engine.EvEnable {
			ev.On = r.bool()
		}
	}
	return r.err
}

func (r *fields) uint() uint64 {
	if r.err != nil {
		return 0
	}
	n, err := r.m.ReadUint64()
	r.keep(err)
	return n
}
