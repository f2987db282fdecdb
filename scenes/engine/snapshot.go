package engine

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"reflect"
	"unsafe"
)

// A snapshot is a State, exact: every field in the order of its declaration,
// numbers as varints, floats as their bits, slices by their length. It fits
// the version of the engine and the program that it was made with, which the
// header of a journal names. Reflection keeps it complete when State grows.

// Snapshot appends the state, exact, to b. It is to be taken between steps.
func (s *State) Snapshot(b []byte) []byte {
	return appendPlain(b, reflect.ValueOf(s).Elem())
}

// Restore gives back the state of a snapshot. What is not a snapshot of a state
// of this program is an error.
func (p *Program) Restore(snapshot []byte) (*State, error) {
	s := &State{}
	r := plainReader{b: snapshot}
	r.read(reflect.ValueOf(s).Elem())
	switch {
	case r.err != nil:
		return nil, fmt.Errorf("engine: not a snapshot of this version: %w", r.err)
	case len(r.b) > 0:
		return nil, fmt.Errorf("engine: not a snapshot of this version: %d bytes are left over", len(r.b))
	}
	if err := p.fits(s); err != nil {
		return nil, fmt.Errorf("engine: not a snapshot of this program: %w", err)
	}
	return s, nil
}

var scratch = reflect.TypeFor[stepState]()

// appendPlain appends plain data: no pointers, maps, interfaces or functions.
// Of the step's scratch, empty between steps, only its number counts.
func appendPlain(b []byte, v reflect.Value) []byte {
	switch v.Kind() {
	case reflect.Bool:
		if v.Bool() {
			return append(b, 1)
		}
		return append(b, 0)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return binary.AppendVarint(b, v.Int())
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return binary.AppendUvarint(b, v.Uint())
	case reflect.Float64:
		return binary.LittleEndian.AppendUint64(b, math.Float64bits(v.Float()))
	case reflect.String:
		return append(binary.AppendUvarint(b, uint64(v.Len())), v.String()...)
	case reflect.Slice:
		b = binary.AppendUvarint(b, uint64(v.Len()))
		fallthrough
	case reflect.Array:
		for i := range v.Len() {
			b = appendPlain(b, v.Index(i))
		}
		return b
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type() != scratch || v.Type().Field(i).Name == "number" {
				b = appendPlain(b, v.Field(i))
			}
		}
		return b
	}
	panic("engine: a State holds " + v.Type().String() + ", which is no plain data")
}

// plainReader reads what appendPlain has written, and keeps the first error.
type plainReader struct {
	b   []byte
	err error
}

var errCut = errors.New("it is cut")

func (r *plainReader) read(v reflect.Value) {
	if r.err != nil {
		return
	}
	if !v.CanSet() { // an unexported field of our own
		v = reflect.NewAt(v.Type(), unsafe.Pointer(v.UnsafeAddr())).Elem()
	}
	switch v.Kind() {
	case reflect.Bool:
		n := r.uint()
		v.SetBool(n == 1)
		r.check(n <= 1)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		n, size := binary.Varint(r.b)
		r.skip(size)
		r.check(!v.OverflowInt(n))
		v.SetInt(n)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		n := r.uint()
		r.check(!v.OverflowUint(n))
		v.SetUint(n)
	case reflect.Float64:
		if len(r.b) < 8 {
			r.err = errCut
			return
		}
		v.SetFloat(math.Float64frombits(binary.LittleEndian.Uint64(r.b)))
		r.b = r.b[8:]
	case reflect.String:
		if n := r.length(); r.err == nil {
			v.SetString(string(r.b[:n]))
			r.b = r.b[n:]
		}
	case reflect.Slice:
		n := r.length()
		if r.err == nil && n > 0 {
			v.Set(reflect.MakeSlice(v.Type(), n, n))
		}
		fallthrough
	case reflect.Array:
		for i := range v.Len() {
			r.read(v.Index(i))
		}
	default:
		for i := range v.NumField() {
			if v.Type() != scratch || v.Type().Field(i).Name == "number" {
				r.read(v.Field(i))
			}
		}
	}
}

func (r *plainReader) uint() uint64 {
	n, size := binary.Uvarint(r.b)
	r.skip(size)
	return n
}

// length reads a length; each element takes a byte at least.
func (r *plainReader) length() int {
	n := r.uint()
	if r.err == nil && n > uint64(len(r.b)) {
		r.err = errCut
	}
	return int(n)
}

func (r *plainReader) skip(n int) {
	switch {
	case r.err != nil:
	case n <= 0:
		r.err = errCut
	default:
		r.b = r.b[n:]
	}
}

func (r *plainReader) check(ok bool) {
	if r.err == nil && !ok {
		r.err = errors.New("a number is out of range")
	}
}

// fits reports an index of the state that the program does not have.
func (p *Program) fits(s *State) error {
	switch {
	case len(s.slots) != len(p.Signals), len(s.cards) != len(p.Cards), len(s.acts) != len(p.Actuators), len(s.actions) != len(p.Actions):
		return fmt.Errorf("it is of %d signals, %d cards, %d actuators and %d actions", len(s.slots), len(s.cards), len(s.acts), len(s.actions))
	case len(s.occurred) != len(p.Occurs):
		return fmt.Errorf("it is of %d occurrences", len(s.occurred))
	case !s.wall.Sound():
		return errors.New("wall clock")
	case s.drive < 0 || s.drive > len(p.States):
		return fmt.Errorf("drive state %d", s.drive)
	}
	for i := range s.slots {
		if sig := &p.Signals[i]; sig.Type == Label && s.slots[i].seen && !(s.slots[i].num >= 0 && s.slots[i].num < float64(len(sig.Labels))) {
			return fmt.Errorf("label %v of %s", s.slots[i].num, sig.Path)
		}
	}
	for i := range s.cards {
		c := &s.cards[i]
		if len(c.triggers) != len(p.Cards[i].When) || !p.memoryFits(s, i) || c.queue.pos < 0 || c.queue.pos > len(p.Cards[i].Then) || !p.userFits(&c.userCard) {
			return fmt.Errorf("card %s", p.Cards[i].ID)
		}
	}
	for i := range s.users {
		if len(s.users[i].cards) != len(p.Cards) {
			return fmt.Errorf("user %d of %d cards", s.users[i].user, len(s.users[i].cards))
		}
		for j := range s.users[i].cards {
			if !p.userFits(&s.users[i].cards[j]) {
				return fmt.Errorf("user %d, card %s", s.users[i].user, p.Cards[j].ID)
			}
		}
	}
	return p.actsFit(s)
}

// memoryFits reports whether a card's triggers have windows and rings in which
// nothing is out of place.
func (p *Program) memoryFits(s *State, card int) bool {
	for i := range s.cards[card].triggers {
		at := s.cards[card].triggers[i].memory
		switch p.Cards[card].When[i].Op {
		case Rate, Avg, Min, Max:
			if at < 0 || at >= len(s.windows) {
				return false
			}
			if w := &s.windows[at]; w.head < 0 || w.head >= Buckets || w.n < 0 || w.n > Buckets {
				return false
			}
		case Count:
			if at < 0 || at >= len(s.rings) || s.rings[at].n < 0 || s.rings[at].n > MaxCount {
				return false
			}
		}
	}
	return true
}

func (p *Program) userFits(c *userCard) bool {
	n := len(c.fires)
	return n <= p.Quarantine.Fires && (c.fireHead == 0 || c.fireHead > 0 && c.fireHead < n)
}

// actsFit reports what of actuators, calls and timers refers to nothing.
func (p *Program) actsFit(s *State) error {
	known := func(o *origin) bool { return o.card >= 0 && o.card < len(p.Cards)+len(s.gone) }
	stands := func(o *origin) bool { return o.card >= 0 && o.card < len(p.Cards) }
	for i := range s.acts {
		a := &s.acts[i]
		ok := a.top >= 0 && a.top <= len(a.stack) && known(&a.end.origin) && known(&a.command.origin) && (a.ask.n == 0 || stands(&a.ask.origin))
		for j := range a.stack {
			ok = ok && known(&a.stack[j].origin)
		}
		if !ok && len(p.Cards) > 0 {
			return fmt.Errorf("actuator %s", p.Actuators[i].Path)
		}
	}
	for i := range s.open {
		c := &s.open[i]
		limit := len(p.Actuators)
		if c.kind == CallDo {
			limit = len(p.Actions)
		}
		if !known(&c.origin) || c.kind > CallDo || c.act < 0 || c.act >= limit {
			return fmt.Errorf("open call %d", c.n)
		}
	}
	for i := range s.timers {
		if !p.timerFits(s, &s.timers[i], known, stands) {
			return fmt.Errorf("timer %d", i)
		}
	}
	return nil
}

func (p *Program) timerFits(s *State, tm *timer, known, stands func(*origin) bool) bool {
	act := tm.act >= 0 && tm.act < len(p.Actuators)
	switch tm.kind {
	case staleness:
		return tm.card >= 0 && tm.card < len(p.Signals)
	case holds, windows, wallTimes:
		return stands(&tm.origin) && tm.index >= 0 && tm.index < len(p.Cards[tm.card].When)
	case waits:
		return stands(&tm.origin)
	case replies:
		return known(&tm.origin)
	case confirms, leases, readbacks, retries:
		return act
	}
	return false
}
