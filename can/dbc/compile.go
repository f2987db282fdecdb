package dbc

import (
	"fmt"
	"math"
	"strings"
	"time"

	candbc "go.einride.tech/can/pkg/dbc"

	"vignette/can"
)

// compiler builds a database out of the parser's definitions.
type compiler struct {
	db           *Database
	n            *normaliser
	next         int // in n.written, of what the parser gives next
	defaultCycle time.Duration
	defaultFD    bool
}

func newCompiler(n *normaliser) *compiler {
	return &compiler{n: n, db: &Database{
		Name: n.name, ValueTables: len(n.tables), Diagnostics: n.diagnostics, byName: map[string]*Message{}, byID: map[uint64]*Message{},
	}}
}

func (c *compiler) diagnose(pos Pos, format string, args ...any) {
	c.db.Diagnostics = append(c.db.Diagnostics, Diagnostic{pos, fmt.Sprintf(format, args...)})
}

// refuse notes why a signal cannot be decoded. The first reason stays.
func (c *compiler) refuse(s *Signal, pos Pos, format string, args ...any) {
	c.diagnose(pos, format, args...)
	if s.Refused == "" {
		s.Refused = fmt.Sprintf(format, args...)
	}
}

// compile takes the definitions in: messages first, then what refers to them,
// then the checks that need everything.
func (c *compiler) compile(defs []candbc.Def) {
	for _, def := range defs {
		if d, ok := def.(*candbc.MessageDef); ok && !candbc.IsIndependentSignalsMessage(d) {
			c.addMessage(d)
		}
	}
	for i := range c.n.valueTypes {
		c.setValueType(&c.n.valueTypes[i])
	}
	for i := range c.n.values {
		c.setValues(&c.n.values[i])
	}
	for i := range c.n.comments {
		c.setComment(&c.n.comments[i])
	}
	c.setFrameAttributes()
	for _, r := range c.n.refusals {
		if s := c.find(r.at, "the definition", r.id, r.signal); s != nil {
			c.refuse(s, c.n.place(r.at), "%s", r.why)
		}
	}
	for _, x := range c.n.muxes {
		c.setExtendedMux(x)
	}
	for _, m := range c.db.Messages {
		c.setSelectors(m)
		c.checkSelectors(m)
	}
	c.setLongNames()
}

// addMessage enters a message. A second one with the same identifier is left
// out, as no frame could tell them apart; with the same name it is found by its
// identifier.
func (c *compiler) addMessage(d *candbc.MessageDef) {
	from := c.wrote(d.Pos)
	m := &Message{
		Pos: c.n.pos(from.key), ID: d.MessageID.ToCAN(), Extended: d.MessageID.IsExtended(), Length: int(d.Size),
	}
	m.Name = c.n.original(d.Name)
	m.Short = m.Name
	if other := c.db.Lookup(m.ID, m.Extended); other != nil {
		c.diagnose(m.Pos, "message %s has the id of message %s (%s) and is left out; delete one of them", m.Name, other.Name, other.Pos)
		return
	}
	if other := c.db.Message(m.Name); other != nil {
		c.diagnose(m.Pos, "message %s is defined a second time (first at %s), and its name finds the first one; rename one of them", m.Name, other.Pos)
	} else {
		c.db.byName[m.Name] = m
	}
	list := c.n.signals[from.first:from.end]
	if len(list) > 32 {
		m.byName = make(map[string]*Signal, len(list))
	}
	m.Signals = make([]*Signal, 0, len(list))
	all := make([]Signal, len(list))
	for i := range list {
		c.addSignal(m, &all[i], &list[i])
	}
	c.db.Messages = append(c.db.Messages, m)
	c.db.byID[idKey(m.ID, m.Extended)] = m
}

// setComment keeps the comments of messages and signals. One about something
// that the file does not define has nothing to stand at and is no loss.
func (c *compiler) setComment(x *comment) {
	m := c.lookup(x.id)
	if m == nil {
		return
	}
	if x.signal == "" {
		m.Comment = x.text
	} else if s := m.Signal(x.signal); s != nil {
		s.Comment = x.text
	}
}

// lookup returns the message of an id as DBCs have it: with bit 31 for 29 bits.
func (c *compiler) lookup(id uint32) *Message {
	return c.db.Lookup(candbc.MessageID(id).ToCAN(), candbc.MessageID(id).IsExtended())
}

// addSignal enters the signal s of a message.
func (c *compiler) addSignal(m *Message, s *Signal, d *signalText) {
	*s = Signal{
		Pos: c.n.pos(d.key), Name: d.name,
		BigEndian: d.bigEndian, Signed: d.signed,
		Factor: d.scale[0], Offset: d.scale[1], Min: d.scale[2], Max: d.scale[3], Unit: d.unit,
		Multiplexer: d.selector, Multiplexed: d.mux != nil,
	}
	s.Short = s.Name
	setMarks(d.mux, s)
	if other := m.Signal(s.Name); other != nil {
		c.refuse(s, s.Pos, "signal %s is defined a second time in message %s (first at line %d); rename one of them", s.Name, m.Name, other.Pos.Line)
	} else if m.byName != nil {
		m.byName[s.Name] = s
	}
	m.Signals = append(m.Signals, s)
	switch {
	case d.length < 1 || d.length > 64:
		c.refuse(s, s.Pos, "signal %s has a length of %d bits; it must be 1 to 64", s.Name, d.length)
	case d.start >= can.MaxLen*8:
		c.refuse(s, s.Pos, "signal %s starts at bit %d; a CAN frame has bits 0 to 511", s.Name, d.start)
	default:
		s.Start, s.Length = int(d.start), int(d.length)
		c.checkFit(m, s)
	}
	if s.Factor == 0 {
		c.refuse(s, s.Pos, "signal %s has the factor 0, so every raw value is the same; correct the factor", s.Name)
	}
}

// checkFit refuses a signal whose bits run out of its message.
func (c *compiler) checkFit(m *Message, s *Signal) {
	from := s.Start
	if s.BigEndian {
		from = sawtooth(s.Start)
	}
	bits := 8 * min(m.Length, can.MaxLen)
	if from+s.Length > bits {
		c.refuse(s, s.Pos, "signal %s (%d|%d) runs out of message %s, which has %d bytes; correct the start bit, the length or the byte order", s.Name, s.Start, s.Length, m.Name, m.Length)
	}
}

// findMessage returns the message that a definition refers to, or says that
// there is none; signals without a message are no part of the database.
func (c *compiler) findMessage(at int, what string, id uint32) *Message {
	if id == loneSignals {
		return nil
	}
	m := c.lookup(id)
	if m == nil {
		c.diagnose(c.n.place(at), "%s is for message id %d, which the file does not define; correct the id or delete the line", what, id)
	}
	return m
}

// find returns the signal that a definition refers to, or says that there is none.
func (c *compiler) find(at int, what string, id uint32, name string) *Signal {
	m := c.findMessage(at, what, id)
	if m == nil {
		return nil
	}
	s := m.Signal(name)
	if s == nil {
		c.diagnose(c.n.place(at), "%s is for signal %s, which message %s does not have; correct the name or delete the line", what, name, m.Name)
	}
	return s
}

func (c *compiler) setValueType(x *valueType) {
	s := c.find(x.key.at, "SIG_VALTYPE_", x.id, x.signal)
	if s == nil || x.form == 0 {
		return
	}
	bits := 32 * int(x.form)
	s.Float = true
	if s.Length != bits {
		c.refuse(s, c.n.pos(x.key), "signal %s is a float of %d bits by SIG_VALTYPE_ and has %d bits; correct one of them", s.Name, bits, s.Length)
	}
}

// setValues enters a signal's value names.
func (c *compiler) setValues(x *signalValues) {
	s := c.find(x.key.at, "VAL_", x.id, x.signal)
	if s == nil {
		return
	}
	if s.Values == nil {
		s.Values = make(map[int64]string, len(x.names))
	}
	for i := range x.names {
		v := &x.names[i]
		name := oneLine(v.name)
		if v.value != math.Trunc(v.value) || math.Abs(v.value) > 1<<53 {
			c.diagnose(c.n.place(v.at), "VAL_ of signal %s names %v, which is no whole number that can be kept exactly; the name %q is left out", s.Name, v.value, name)
			continue
		}
		raw := int64(v.value)
		if first, ok := s.Values[raw]; ok && first != name {
			c.diagnose(c.n.place(v.at), "VAL_ of signal %s names %d twice, %q and %q; the first is kept", s.Name, raw, first, name)
			continue
		}
		s.Values[raw] = name
	}
}

const (
	cycleAttribute  = "GenMsgCycleTime" // ms
	formatAttribute = "VFrameFormat"    // StandardCAN, ExtendedCAN, …, StandardCAN_FD, ExtendedCAN_FD
)

func (c *compiler) setDefault(v *attributeValue) {
	switch v.name {
	case cycleAttribute:
		c.defaultCycle = c.cycle(c.n.pos(v.key), v.value)
	case formatAttribute:
		c.defaultFD = isFD(v.text, v.value)
	}
}

// setFrameAttributes gives every message its cycle time and frame format.
func (c *compiler) setFrameAttributes() {
	for i := range c.n.set {
		if c.n.set[i].preset {
			c.setDefault(&c.n.set[i])
		}
	}
	for _, m := range c.db.Messages {
		m.Cycle = c.defaultCycle
		m.FD = c.defaultFD || hasFDLength(m)
	}
	for i := range c.n.set {
		v := &c.n.set[i]
		if v.preset || v.object != "BO_" || (v.name != cycleAttribute && v.name != formatAttribute) {
			continue
		}
		m := c.findMessage(v.key.at, "BA_ "+v.name, v.id)
		switch {
		case m == nil:
		case v.name == cycleAttribute:
			m.Cycle = c.cycle(c.n.pos(v.key), v.value)
		default:
			m.FD = isFD(v.text, v.value) || hasFDLength(m)
		}
	}
}

func hasFDLength(m *Message) bool { return m.Length > 8 && can.ValidLength(m.Length, true) }

// cycle converts milliseconds; a value that is no cycle time is reported.
func (c *compiler) cycle(pos Pos, ms float64) time.Duration {
	const day = 24 * 60 * 60 * 1000
	if ms < 0 || ms > day {
		c.diagnose(pos, "%s of %v ms is no cycle time; it is taken as unknown", cycleAttribute, ms)
		return 0
	}
	return time.Duration(math.Round(float64(ms * 1e6)))
}

// isFD says whether a VFrameFormat is CAN FD: by its name, or by its number (14
// and 15) in files that define the attribute as a number.
func isFD(name string, number float64) bool {
	return strings.HasSuffix(name, "_FD") || number == 14 || number == 15
}

const (
	longMessageAttribute = "SystemMessageLongSymbol"
	longSignalAttribute  = "SystemSignalLongSymbol"
)

// setLongNames gives messages and signals the names over 32 characters that
// editors keep in attributes. It comes last, as all else refers to the short ones.
func (c *compiler) setLongNames() {
	for i := range c.n.set {
		switch v := &c.n.set[i]; {
		case v.preset || v.text == "":
		case v.name == longMessageAttribute && v.object == "BO_":
			c.renameMessage(v)
		case v.name == longSignalAttribute && v.object == "SG_":
			c.renameSignal(v)
		}
	}
}

func (c *compiler) renameMessage(v *attributeValue) {
	m := c.findMessage(v.key.at, longMessageAttribute, v.id)
	if m == nil {
		return
	}
	if other := c.db.Message(v.text); other != nil && other != m {
		c.diagnose(c.n.pos(v.key), "%s gives message %s the name of another one, %q; it keeps its short name", longMessageAttribute, m.Short, v.text)
		return
	}
	m.Name = v.text
	c.db.byName[m.Name] = m
}

func (c *compiler) renameSignal(v *attributeValue) {
	s := c.find(v.key.at, longSignalAttribute, v.id, v.signal)
	if s == nil {
		return
	}
	m := c.lookup(v.id)
	if other := m.Signal(v.text); other != nil && other != s {
		c.diagnose(c.n.pos(v.key), "%s gives signal %s the name of another one, %q; it keeps its short name", longSignalAttribute, s.Short, v.text)
		return
	}
	s.Name = v.text
	if m.byName != nil {
		m.byName[s.Name] = s
	}
}
