package drive

import (
	"errors"
	"fmt"
	"math"

	"github.com/tinylib/msgp/msgp"

	"vignette/scenes/engine"
)

// SavedSchema is the schema of the saved state that this version writes. A
// change of what is saved is another schema; every older one stays readable.
// Schema 1 had neither an end's index nor why a lease is over.
const SavedSchema = 2

// ErrFuture is a saved state whose schema is newer than this version knows: the
// system was rolled back.
var ErrFuture = errors.New("it was saved by a newer version")

// Saved is the state as a state file keeps it: what outlives the process, and
// whose time it is in.
type Saved struct {
	Engine   string // version that saved it
	BootID   string // of the kernel
	TimeBase string // of its times; BootTime counts as long as the kernel runs
	Kept     engine.Kept
}

// AppendSaved appends a saved state in MessagePack:
//
//	saved     [schema, engine, boot id, time base, profile, session, now, user, [user…], [actuator…], [hold…]]
//	user      [user, [[id, hash, disabled, quarantined, fired, fired at, [fires]]…]]
//	actuator  [path, base, start?, started, hand?, until, end until, command, hull?, low, high, end?, end, card, index, top, [lease…]]
//	lease     [card, hash, driver, priority, index, value, deadline, at end, end value, over]
//	hold      [card, hash, trigger, deadline]
func AppendSaved(b []byte, s *Saved) []byte {
	k := &s.Kept
	b = msgp.AppendInt(msgp.AppendArrayHeader(b, 11), SavedSchema)
	b = msgp.AppendString(msgp.AppendString(msgp.AppendString(b, s.Engine), s.BootID), s.TimeBase)
	b = msgp.AppendUint64(msgp.AppendString(b, k.Profile), k.Session)
	b = msgp.AppendUint64(msgp.AppendInt64(b, k.Now), k.User)
	b = msgp.AppendArrayHeader(b, uint32(len(k.Users)))
	for i := range k.Users {
		b = appendUser(b, &k.Users[i])
	}
	b = msgp.AppendArrayHeader(b, uint32(len(k.Actuators)))
	for i := range k.Actuators {
		b = appendActuator(b, &k.Actuators[i])
	}
	b = msgp.AppendArrayHeader(b, uint32(len(k.Holds)))
	for _, h := range k.Holds {
		b = msgp.AppendString(msgp.AppendString(msgp.AppendArrayHeader(b, 4), h.Card), h.Hash)
		b = msgp.AppendInt64(msgp.AppendInt(b, h.Trigger), h.Deadline)
	}
	return b
}

func appendUser(b []byte, u *engine.KeptUser) []byte {
	b = msgp.AppendUint64(msgp.AppendArrayHeader(b, 2), u.User)
	b = msgp.AppendArrayHeader(b, uint32(len(u.Cards)))
	for i := range u.Cards {
		c := &u.Cards[i]
		b = msgp.AppendString(msgp.AppendString(msgp.AppendArrayHeader(b, 7), c.ID), c.Hash)
		b = msgp.AppendBool(msgp.AppendBool(msgp.AppendBool(b, c.Disabled), c.Quarantined), c.HasFired)
		b = msgp.AppendArrayHeader(msgp.AppendInt64(b, c.FiredAt), uint32(len(c.Fires)))
		for _, t := range c.Fires {
			b = msgp.AppendInt64(b, t)
		}
	}
	return b
}

func appendActuator(b []byte, a *engine.KeptActuator) []byte {
	b = appendKeptValue(msgp.AppendString(msgp.AppendArrayHeader(b, 17), a.Path), a.Base)
	b = msgp.AppendInt64(msgp.AppendBool(b, a.HasStart), a.Started)
	b = msgp.AppendInt64(msgp.AppendBool(b, a.HasHand), a.HandEnds)
	b = appendKeptValue(msgp.AppendInt64(b, a.EndUntil), a.Command)
	b = msgp.AppendFloat64(msgp.AppendFloat64(msgp.AppendBool(b, a.HasHull), a.Low), a.High)
	b = appendKeptValue(msgp.AppendBool(b, a.HasEnd), a.End)
	b = msgp.AppendInt(msgp.AppendInt(msgp.AppendString(b, a.EndCard), a.EndIndex), a.Top)
	b = msgp.AppendArrayHeader(b, uint32(len(a.Leases)))
	for i := range a.Leases {
		l := &a.Leases[i]
		b = msgp.AppendString(msgp.AppendString(msgp.AppendArrayHeader(b, 10), l.Card), l.Hash)
		b = msgp.AppendInt(msgp.AppendInt(msgp.AppendBool(b, l.Driver), l.Priority), l.Index)
		b = msgp.AppendInt64(appendKeptValue(b, l.Value), l.Deadline)
		b = msgp.AppendString(appendKeptValue(msgp.AppendInt(b, int(l.AtEnd)), l.EndValue), l.Over)
	}
	return b
}

// appendKeptValue appends [kind, number, text]: a label's number too.
func appendKeptValue(b []byte, v engine.Value) []byte {
	b = msgp.AppendInt(msgp.AppendArrayHeader(b, 3), int(v.Kind))
	return msgp.AppendString(msgp.AppendFloat64(b, v.Num), v.Text)
}

// ParseSaved reads a saved state of this or an older schema. A newer one is
// ErrFuture.
func ParseSaved(b []byte) (*Saved, error) {
	r := savedReader{b: b}
	n := r.list()
	schema := r.int()
	switch {
	case r.err != nil:
		return nil, fmt.Errorf("not a saved state: %w", r.err)
	case schema > SavedSchema:
		return nil, fmt.Errorf("schema %d, this version knows %d: %w", schema, SavedSchema, ErrFuture)
	case schema < 1 || n != 11:
		return nil, fmt.Errorf("not a saved state: schema %d of %d parts", schema, n)
	}
	r.schema = schema
	s := r.saved()
	if r.err == nil && len(r.b) > 0 {
		r.err = fmt.Errorf("%d bytes are left over", len(r.b))
	}
	if r.err != nil {
		return nil, fmt.Errorf("not a saved state: %w", r.err)
	}
	return s, nil
}

// savedReader reads a saved state and keeps the first error.
type savedReader struct {
	b      []byte
	schema int64
	err    error
}

// list reads a list's length; each entry takes a byte at least.
func (r *savedReader) list() int {
	if r.err != nil {
		return 0
	}
	n, rest, err := msgp.ReadArrayHeaderBytes(r.b)
	if err == nil && int64(n) > int64(len(rest)) {
		err = msgp.ErrShortBytes
	}
	r.b, r.err = rest, err
	if err != nil {
		return 0
	}
	return int(n)
}

// tuple reads the head of a list of n parts.
func (r *savedReader) tuple(n int) {
	if got := r.list(); r.err == nil && got != n {
		r.err = fmt.Errorf("%d parts where %d belong", got, n)
	}
}

func take[T any](r *savedReader, read func([]byte) (T, []byte, error)) (x T) {
	if r.err == nil {
		x, r.b, r.err = read(r.b)
	}
	return x
}

func (r *savedReader) int() int64   { return take(r, msgp.ReadInt64Bytes) }
func (r *savedReader) uint() uint64 { return take(r, msgp.ReadUint64Bytes) }
func (r *savedReader) bool() bool   { return take(r, msgp.ReadBoolBytes) }
func (r *savedReader) text() string { return take(r, msgp.ReadStringBytes) }

// float reads a finite number.
func (r *savedReader) float() float64 {
	x := take(r, msgp.ReadFloat64Bytes)
	if r.err == nil && (math.IsNaN(x) || math.IsInf(x, 0)) {
		r.err = fmt.Errorf("%v is no value", x)
	}
	return x
}

// small reads a number from 0 to limit.
func (r *savedReader) small(limit int) int {
	n := r.int()
	if r.err == nil && (n < 0 || n > int64(limit)) {
		r.err = fmt.Errorf("%d where 0 to %d belongs", n, limit)
	}
	return int(n)
}

// older is how many fields actuators and leases of schema 1 had less.
func (r *savedReader) older() int {
	if r.schema > 1 {
		return 0
	}
	return 1
}

func (r *savedReader) value() engine.Value {
	r.tuple(3)
	return engine.Value{Kind: engine.ValueKind(r.small(int(engine.Label))), Num: r.float(), Text: r.text()}
}

func (r *savedReader) saved() *Saved {
	s := &Saved{Engine: r.text(), BootID: r.text(), TimeBase: r.text()}
	s.Kept = engine.Kept{Profile: r.text(), Session: r.uint(), Now: r.int(), User: r.uint()}
	for range r.list() {
		s.Kept.Users = append(s.Kept.Users, r.user())
	}
	for range r.list() {
		s.Kept.Actuators = append(s.Kept.Actuators, r.actuator())
	}
	for range r.list() {
		r.tuple(4)
		s.Kept.Holds = append(s.Kept.Holds, engine.KeptHold{Card: r.text(), Hash: r.text(), Trigger: r.small(1 << 16), Deadline: r.int()})
	}
	return s
}

func (r *savedReader) user() engine.KeptUser {
	r.tuple(2)
	u := engine.KeptUser{User: r.uint()}
	for range r.list() {
		r.tuple(7)
		c := engine.KeptCard{ID: r.text(), Hash: r.text(), Disabled: r.bool(), Quarantined: r.bool(), HasFired: r.bool(), FiredAt: r.int()}
		for range r.list() {
			c.Fires = append(c.Fires, r.int())
		}
		u.Cards = append(u.Cards, c)
	}
	return u
}

func (r *savedReader) actuator() engine.KeptActuator {
	r.tuple(17 - r.older())
	a := engine.KeptActuator{Path: r.text(), Base: r.value(), HasStart: r.bool(), Started: r.int(), HasHand: r.bool(), HandEnds: r.int(),
		EndUntil: r.int(), Command: r.value(), HasHull: r.bool(), Low: r.float(), High: r.float(), HasEnd: r.bool(), End: r.value(), EndCard: r.text()}
	if r.schema > 1 {
		a.EndIndex = r.small(1 << 16)
	}
	a.Top = r.small(1 << 16)
	for range r.list() {
		r.tuple(10 - r.older())
		l := engine.KeptLease{Card: r.text(), Hash: r.text(), Driver: r.bool(), Priority: int(r.int()), Index: r.small(1 << 16),
			Value: r.value(), Deadline: r.int(), AtEnd: engine.EndKind(r.small(int(engine.SetTo))), EndValue: r.value()}
		if r.schema > 1 {
			l.Over = r.text()
		}
		a.Leases = append(a.Leases, l)
	}
	if r.err == nil && a.Top > len(a.Leases) {
		r.err = fmt.Errorf("lease %d of %d is in force", a.Top, len(a.Leases))
	}
	return a
}
