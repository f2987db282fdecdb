package drive

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/tinylib/msgp/msgp"

	"vignette/can"
	"vignette/scenes"
	"vignette/scenes/engine"
)

// The journal holds every entry of the stamped stream, so that a desk makes
// the same decisions from it as the car did. It is a stream of MessagePack
// arrays: the header, then one array an entry.
//
//	header  ["vignette-journal", 1, engine, vehicle, {dbc}, {cards}, session, time_base, judged, state, [installed]?]
//	frame   [0, t, bus, id, flags, data]
//	tick    [1, t]
//	reply   [2, t, session, n, ok]
//	hand    [3, t, actuator path, value]
//	stop    [4, t]
//	lost    [5, t, bus, frames]
//	link    [6, t, bus, state]  state: engine.Link
//	occur   [7, t, occurrence, happened now]
//	clock   [8, t, trusted, wall, offset, next, next offset, rise, rise, set, set]  see engine.Clocking
//	answer  [9, t, session, n, yes]
//	user    [10, t, user]
//	sleep   [11, t]
//	enable  [12, t, card id, on]
//	run     [13, t, card id]
//	free    [14, t, card id]
//	reload  [15, t, vehicle, {dbc}, {cards}, [installed]?]
//
// installed are the ids of the cards that start disabled; absent: none.
// state is what the session, or this file of it, started from: a Pump's
// snapshot; nil: from nothing.
const (
	journalMagic   = "vignette-journal"
	journalVersion = 1
)

// The kinds of a journal's entries.
const (
	entryFrame = iota
	entryTick
	entryReply
	entryHand
	entryStop
	entryLost
	entryLink
	entryOccur
	entryClock

	entryKinds
)

// entryFields is how many fields an entry of a kind has.
var entryFields = [entryKinds]int{6, 2, 5, 4, 2, 4, 4, 4, 11}

// Journal writes the entries of a stream.
type Journal struct {
	file   turning
	header Header
	judged bool
	buf    []byte
}

// NewJournal writes the header and returns the journal of a session that starts
// from nothing. w should be buffered.
func NewJournal(w io.Writer, h *Header, judged bool) (*Journal, error) {
	return NewJournalFrom(w, h, judged, nil)
}

// NewJournalFrom is NewJournal of a session that starts from a Pump's snapshot.
func NewJournalFrom(w io.Writer, h *Header, judged bool, snapshot []byte) (*Journal, error) {
	j := &Journal{file: turning{w: w}, header: *h, judged: judged}
	return j, j.file.write(j.head(snapshot))
}

// head is what a file of the journal begins with.
func (j *Journal) head(snapshot []byte) []byte {
	h := &j.header
	b := msgp.AppendArrayHeader(nil, 10+installed(h.Off))
	b = msgp.AppendInt(msgp.AppendString(b, journalMagic), journalVersion)
	b = msgp.AppendString(msgp.AppendString(b, h.Engine), h.Vehicle)
	b = appendHashesMsgp(appendHashesMsgp(b, h.DBCs), h.Cards)
	b = msgp.AppendString(msgp.AppendUint64(b, h.Session), h.TimeBase)
	b = msgp.AppendBool(b, j.judged)
	if snapshot == nil {
		b = msgp.AppendNil(b)
	} else {
		b = msgp.AppendBytes(b, snapshot)
	}
	return appendInstalled(b, h.Off)
}

// Frame appends a frame of a profile's bus.
func (j *Journal) Frame(f *can.Frame) error {
	b := msgp.AppendArrayHeader(j.buf[:0], 6)
	b = msgp.AppendInt64(msgp.AppendInt(b, entryFrame), f.Time)
	b = msgp.AppendUint32(msgp.AppendUint8(b, f.Bus), f.ID)
	b = msgp.AppendBytes(msgp.AppendUint8(b, uint8(f.Flags)), f.Payload())
	return j.write(b)
}

// Event appends an event that is not a frame; name is the path of an override's
// actuator, the occurrence, or the id of the card that an event is about.
func (j *Journal) Event(e *engine.Event, name string) error {
	b := j.buf[:0]
	switch e.Kind {
	case engine.EvTick:
		b = msgp.AppendInt64(msgp.AppendInt(msgp.AppendArrayHeader(b, 2), entryTick), e.T)
	case engine.EvStop:
		b = msgp.AppendInt64(msgp.AppendInt(msgp.AppendArrayHeader(b, 2), entryStop), e.T)
	case engine.EvReply:
		b = msgp.AppendInt64(msgp.AppendInt(msgp.AppendArrayHeader(b, 5), entryReply), e.T)
		b = msgp.AppendBool(msgp.AppendUint64(msgp.AppendUint64(b, e.Session), e.Ref), e.OK)
	case engine.EvOverride:
		b = msgp.AppendInt64(msgp.AppendInt(msgp.AppendArrayHeader(b, 4), entryHand), e.T)
		b = appendValueMsgp(msgp.AppendString(b, name), e.Value)
	case engine.EvLost:
		b = msgp.AppendInt64(msgp.AppendInt(msgp.AppendArrayHeader(b, 4), entryLost), e.T)
		b = msgp.AppendUint64(msgp.AppendInt(b, e.Bus), e.Count)
	case engine.EvLink:
		b = msgp.AppendInt64(msgp.AppendInt(msgp.AppendArrayHeader(b, 4), entryLink), e.T)
		b = msgp.AppendInt(msgp.AppendInt(b, e.Bus), int(e.Link))
	case engine.EvOccur:
		b = msgp.AppendInt64(msgp.AppendInt(msgp.AppendArrayHeader(b, 4), entryOccur), e.T)
		b = msgp.AppendBool(msgp.AppendString(b, name), e.OK)
	case engine.EvClock:
		b = appendClock(msgp.AppendInt64(msgp.AppendInt(msgp.AppendArrayHeader(b, 11), entryClock), e.T), e.Clock)
	default:
		var ok bool
		if b, ok = appendDriver(b, e, name); !ok {
			return fmt.Errorf("drive: event kind %d has no place in a journal", e.Kind)
		}
	}
	return j.write(b)
}

func (j *Journal) write(b []byte) error {
	j.buf = b
	return j.file.write(b)
}

// JournalReader reads a journal back as a stream.
type JournalReader struct {
	Header Header
	Judged bool
	State  []byte // what the session started from, a Pump's snapshot; nil: from nothing

	name string
	m    *msgp.Reader
	n    int // entries read
	prog *scenes.Program
	lib  *Library
}

// NewJournalReader reads the header. The name stands in error messages; prog is
// what the journal was made with, nil where Use is to find it.
func NewJournalReader(name string, r io.Reader, prog *scenes.Program) (*JournalReader, error) {
	j := &JournalReader{name: name, m: msgp.NewReader(r), prog: prog}
	if err := j.readHeader(); err != nil {
		return nil, fmt.Errorf("%s: not a journal of this version: %w", name, cut(err))
	}
	return j, nil
}

// IsJournal reports whether a file's first bytes are those of a journal.
func IsJournal(start []byte) bool {
	for fields := range uint32(2) {
		if bytes.HasPrefix(start, msgp.AppendString(msgp.AppendArrayHeader(nil, 10+fields), journalMagic)) {
			return true
		}
	}
	return false
}

func (j *JournalReader) readHeader() error {
	r := fields{m: j.m}
	n := r.array()
	if r.err == nil && n != 10 && n != 11 {
		return fmt.Errorf("its header has %d fields, not 10 or 11", n)
	}
	if magic := r.text(); r.err == nil && magic != journalMagic {
		return fmt.Errorf("it begins with %q", magic)
	}
	if v := r.int(); r.err == nil && v != journalVersion {
		return fmt.Errorf("journal version %d; this program reads version %d", v, journalVersion)
	}
	h := &j.Header
	h.Engine, h.Vehicle = r.text(), r.text()
	h.DBCs, h.Cards = r.hashes(), r.hashes()
	h.Session, h.TimeBase = uint64(r.int()), r.text()
	j.Judged = r.bool()
	j.State = r.bytesOrNil()
	if h.Off = r.installed(n == 11, h.Cards); r.err != nil {
		return r.err
	}
	if j.prog != nil && j.Fits(j.prog) == nil {
		j.prog, r.err = withOff(j.prog, h.Off)
	}
	return r.err
}

// Next implements Stream. A journal that is cut, as power loss leaves it, or
// damaged gives its entries up to there, then a *JournalDamage.
func (j *JournalReader) Next(e *Entry) error {
	if _, err := j.m.NextType(); err == io.EOF {
		return io.EOF
	}
	err := j.entry(e)
	var missing *missingError
	switch {
	case err == nil:
		j.n++
		return nil
	case errors.As(err, &missing):
		return fmt.Errorf("%s: entry %d: %w", j.name, j.n+1, err)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		err = nil
	}
	return &JournalDamage{Name: j.name, Entries: j.n, What: err}
}

// JournalDamage tells that a journal cannot be read any further.
type JournalDamage struct {
	Name    string
	Entries int   // read before, which are good
	What    error // nil: the journal is cut
}

// Error implements error.
func (d *JournalDamage) Error() string {
	if d.What == nil {
		return fmt.Sprintf("%s: the journal is cut after %d entries", d.Name, d.Entries)
	}
	return fmt.Sprintf("%s: entry %d is damaged: %v", d.Name, d.Entries+1, d.What)
}

func (j *JournalReader) entry(e *Entry) error {
	r := fields{m: j.m}
	n := r.array()
	kind := r.int()
	e.Reload = nil
	if engine.EventKind(kind) == engine.EvReload && (n == 5 || n == 6) {
		return j.reload(&r, n == 6, e)
	}
	if _, ok := driverFields[engine.EventKind(kind)]; ok {
		e.IsFrame = false
		return j.driver(&r, engine.EventKind(kind), n, &e.Event)
	}
	if r.err == nil && (kind < 0 || kind >= entryKinds || n != entryFields[kind]) {
		return fmt.Errorf("an entry of kind %d with %d fields", kind, n)
	}
	t := r.int()
	if kind == entryFrame {
		e.IsFrame = true
		return j.frame(&r, t, &e.Frame)
	}
	e.IsFrame = false
	e.Event = engine.Event{T: t}
	ev := &e.Event
	switch kind {
	case entryTick:
		ev.Kind = engine.EvTick
	case entryStop:
		ev.Kind = engine.EvStop
	case entryReply:
		ev.Kind, ev.Session, ev.Ref, ev.OK = engine.EvReply, uint64(r.int()), uint64(r.int()), r.bool()
	case entryHand:
		ev.Kind = engine.EvOverride
		path := r.text()
		ev.Value = r.value()
		act, ok := j.prog.Actuator(path)
		if r.err == nil && !ok {
			return fmt.Errorf("an override of %s, which no card sets", path)
		}
		ev.Actuator = act
	case entryLost:
		bus, count := r.int(), r.int()
		if r.err == nil && (!j.hasBus(bus) || count < 0) {
			return fmt.Errorf("%d frames lost of bus %d", count, bus)
		}
		ev.Kind, ev.Bus, ev.Count = engine.EvLost, int(bus), uint64(count)
	case entryLink:
		bus, link := r.int(), r.int()
		if r.err == nil && (!j.hasBus(bus) || link < 0 || link >= int64(engine.Links)) {
			return fmt.Errorf("link state %d of bus %d", link, bus)
		}
		ev.Kind, ev.Bus, ev.Link = engine.EvLink, int(bus), engine.Link(link)
	case entryOccur:
		text, happened := r.text(), r.bool()
		i, ok := j.prog.Occurrence(text)
		if r.err == nil && !ok {
			return fmt.Errorf("an occurrence %q, which the profile does not bind", text)
		}
		ev.Kind, ev.Occur, ev.OK = engine.EvOccur, i, happened
	case entryClock:
		ev.Kind, ev.Clock = engine.EvClock, r.clock()
		if r.err == nil && !ev.Clock.Sound() {
			return errors.New("a wall clock out of all bounds")
		}
	}
	return r.err
}

func (j *JournalReader) hasBus(bus int64) bool {
	return bus >= 0 && int(bus) < len(j.prog.Vehicle.Buses)
}

func (j *JournalReader) frame(r *fields, t int64, f *can.Frame) error {
	bus, id, flags := r.int(), r.int(), r.int()
	if r.err != nil {
		return r.err
	}
	if !j.hasBus(bus) || id != int64(uint32(id)) || flags != int64(uint8(flags)) {
		return fmt.Errorf("a frame of bus %d, id %d, flags %d", bus, id, flags)
	}
	f.Time, f.Bus, f.ID, f.Flags = t, uint8(bus), uint32(id), can.Flags(flags)
	n, err := j.m.ReadBytesHeader()
	if err != nil {
		return err
	}
	if n > can.MaxLen {
		return fmt.Errorf("a frame of %d bytes", n)
	}
	f.Len = uint8(n)
	_, err = j.m.ReadFull(f.Data[:n])
	return err
}

// fields reads fields one after another and keeps the first error.
type fields struct {
	m   *msgp.Reader
	err error
}

func (r *fields) array() int {
	n, err := r.m.ReadArrayHeader()
	r.keep(err)
	return int(n)
}

func (r *fields) int() int64 {
	if r.err != nil {
		return 0
	}
	n, err := r.m.ReadInt64()
	r.keep(err)
	return n
}

func (r *fields) text() string {
	if r.err != nil {
		return ""
	}
	s, err := r.m.ReadString()
	r.keep(err)
	return s
}

func (r *fields) bool() bool {
	if r.err != nil {
		return false
	}
	b, err := r.m.ReadBool()
	r.keep(err)
	return b
}

func (r *fields) hashes() (list []scenes.Hash) {
	if r.err != nil {
		return nil
	}
	n, err := r.m.ReadMapHeader()
	r.keep(err)
	for range n {
		list = append(list, scenes.Hash{Name: r.text(), SHA256: r.text()})
		if r.err != nil {
			return nil
		}
	}
	return list
}

func (r *fields) value() engine.Value {
	if r.err != nil {
		return engine.Value{}
	}
	kind, err := r.m.NextType()
	r.keep(err)
	switch kind {
	case msgp.StrType:
		return engine.Value{Kind: engine.Label, Text: r.text()}
	case msgp.BoolType:
		if r.bool() {
			return engine.Value{Kind: engine.Bool, Num: 1}
		}
		return engine.Value{Kind: engine.Bool}
	}
	f, err := r.m.ReadFloat64()
	r.keep(err)
	return engine.Value{Kind: engine.Number, Num: f}
}

// appendClock appends what is known of the wall clock.
func appendClock(b []byte, c *engine.Clocking) []byte {
	b = msgp.AppendBool(b, c.Trusted)
	for _, x := range [...]int64{c.Wall, c.Offset, c.Next, c.NextOffset, c.Rise[0], c.Rise[1], c.Set[0], c.Set[1]} {
		b = msgp.AppendInt64(b, x)
	}
	return b
}

func (r *fields) clock() *engine.Clocking {
	c := &engine.Clocking{Trusted: r.bool()}
	for _, x := range [...]*int64{&c.Wall, &c.Offset, &c.Next, &c.NextOffset, &c.Rise[0], &c.Rise[1], &c.Set[0], &c.Set[1]} {
		*x = r.int()
	}
	return c
}

func (r *fields) keep(err error) {
	if r.err == nil {
		r.err = err
	}
}
