package drive

import (
	"fmt"

	"github.com/tinylib/msgp/msgp"

	"vignette/scenes"
	"vignette/scenes/engine"
)

// maxSnapshot bounds a snapshot in a journal, in bytes.
const maxSnapshot = 64 << 20

// Snapshot gives the pump's state, exact: the engine's, and what was seen of
// the alive counters. It fits the program that it was taken of.
//
//	snapshot  [engine's snapshot, [now, last, seen, used, …]]
func (p *Pump) Snapshot() []byte {
	b := msgp.AppendBytes(msgp.AppendArrayHeader(nil, 2), p.state.Snapshot(nil))
	b = msgp.AppendArrayHeader(b, uint32(4*len(p.alive)))
	for _, a := range p.alive {
		b = msgp.AppendInt64(msgp.AppendInt64(b, a.now), a.last)
		b = msgp.AppendBool(msgp.AppendBool(b, a.seen), a.used)
	}
	return b
}

// RestorePump readies a program that goes on from a snapshot of it. What is no
// snapshot of this program is an error.
func RestorePump(prog *scenes.Program, snapshot []byte, out Output) (*Pump, error) {
	state, alive, err := parseSnapshot(prog, snapshot)
	if err != nil {
		return nil, fmt.Errorf("drive: the snapshot is of another version or damaged: %w", err)
	}
	p := NewPumpFrom(prog, state, out)
	p.alive = alive
	return p, nil
}

func parseSnapshot(prog *scenes.Program, b []byte) (state *engine.State, alive []aliveState, err error) {
	n, b, err := msgp.ReadArrayHeaderBytes(b)
	if err == nil && n != 2 {
		err = fmt.Errorf("%d parts", n)
	}
	if err != nil {
		return nil, nil, err
	}
	inner, b, err := msgp.ReadBytesZC(b)
	if err != nil {
		return nil, nil, err
	}
	if state, err = prog.Engine.Restore(inner); err != nil {
		return nil, nil, err
	}
	n, b, err = msgp.ReadArrayHeaderBytes(b)
	if err == nil && int(n) != 4*len(prog.Sources) {
		err = fmt.Errorf("%d fields of alive counters", n)
	}
	if err != nil {
		return nil, nil, err
	}
	alive = make([]aliveState, len(prog.Sources))
	for i := range alive {
		a := &alive[i]
		if a.now, b, err = msgp.ReadInt64Bytes(b); err == nil {
			a.last, b, err = msgp.ReadInt64Bytes(b)
		}
		if err == nil {
			a.seen, b, err = msgp.ReadBoolBytes(b)
		}
		if err == nil {
			a.used, b, err = msgp.ReadBoolBytes(b)
		}
		if err != nil {
			return nil, nil, err
		}
	}
	if len(b) > 0 {
		return nil, nil, fmt.Errorf("%d bytes are left over", len(b))
	}
	return state, alive, nil
}

// NewPump readies the journal's program for its entries, from the state that
// the journal begins with.
func (j *JournalReader) NewPump(out Output) (*Pump, error) {
	if j.State == nil {
		return NewPump(j.prog, j.Header.Session, j.Judged, out), nil
	}
	p, err := RestorePump(j.prog, j.State, out)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", j.name, err)
	}
	return p, nil
}

// bytesOrNil reads bytes, or nil.
func (r *fields) bytesOrNil() []byte {
	if r.err != nil {
		return nil
	}
	if r.m.IsNil() {
		r.keep(r.m.ReadNil())
		return nil
	}
	n, err := r.m.ReadBytesHeader()
	r.keep(err)
	if r.err == nil && n > maxSnapshot {
		r.keep(fmt.Errorf("a state of %d bytes", n))
	}
	if r.err != nil {
		return nil
	}
	b := make([]byte, 0, min(n, 1<<16)) // grows as bytes really come
	for len(b) < int(n) {
		part := make([]byte, min(int(n)-len(b), 1<<16))
		if _, err := r.m.ReadFull(part); err != nil {
			r.keep(err)
			return nil
		}
		b = append(b, part...)
	}
	return b
}
