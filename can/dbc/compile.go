package dbc

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	candbc "go.einride.tech/can/pkg/dbc"

	"vignette/can"
)

// compiler builds a database out of the parser's definitions.
type compiler struct {
	db           *Database
	defaultCycle time.Duration
	defaultFD    bool
}

func newCompiler(name string) *compiler {
	return &compiler{db: &Database{
		Name: name, byName: map[string]*Message{}, byID: map[uint64]*Message{},
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
func (c *compiler) compile(entries []entry, defs []candbc.Def) error {
	for _, def := range defs {
		if d, ok := def.(*candbc.MessageDef); ok && !candbc.IsIndependentSignalsMessage(d) {
			if err := c.addMessage(d); err != nil {
				return err
			}
		}
	}
	for _, def := range defs {
		switch d := def.(type) {
		case *candbc.SignalValueTypeDef:
			c.setValueType(d)
		case *candbc.ValueDescriptionsDef:
			c.setValues(d)
		case *candbc.AttributeDefaultValueDef:
			c.setDefault(d)
		}
	}
	c.setFrameAttributes(defs)
	for _, e := range entries {
		if e.keyword == "SG_MUL_VAL_" {
			c.checkExtendedMux(e)
		}
	}
	for _, m := range c.db.Messages {
		c.checkMessage(m)
	}
	c.setLongNames(defs)
	return nil
}

// addMessage enters a message; its identifier and name must be new.
func (c *compiler) addMessage(d *candbc.MessageDef) error {
	pos := position(c.db.Name, d.Pos)
	if d.Size > math.MaxUint16 {
		return Diagnostic{pos, fmt.Sprintf("message %s has a length of %d bytes; CAN FD ends at 64, transport protocols at 65535", d.Name, d.Size)}
	}
	m := &Message{
		Pos: pos, ID: d.MessageID.ToCAN(), Extended: d.MessageID.IsExtended(),
		Name: string(d.Name), Short: string(d.Name), Length: int(d.Size),
	}
	if other := c.db.Lookup(m.ID, m.Extended); other != nil {
		return Diagnostic{pos, fmt.Sprintf("message %s has the id of message %s (%s); delete one of them", m.Name, other.Name, other.Pos)}
	}
	if other := c.db.Message(m.Name); other != nil {
		return Diagnostic{pos, fmt.Sprintf("message %s is defined a second time (first at %s); rename one of them", m.Name, other.Pos)}
	}
	for i := range d.Signals {
		c.addSignal(m, &d.Signals[i])
	}
	c.db.Messages = append(c.db.Messages, m)
	c.db.byName[m.Name] = m
	c.db.byID[idKey(m.ID, m.Extended)] = m
	return nil
}

func (c *compiler) addSignal(m *Message, d *candbc.SignalDef) {
	s := &Signal{
		Pos: position(c.db.Name, d.Pos), Name: string(d.Name), Short: string(d.Name),
		BigEndian: d.IsBigEndian, Signed: d.IsSigned,
		Factor: d.Factor, Offset: d.Offset, Min: d.Minimum, Max: d.Maximum, Unit: d.Unit,
		Multiplexer: d.IsMultiplexerSwitch, Multiplexed: d.IsMultiplexed, MuxValue: d.MultiplexerSwitch,
	}
	if other := m.Signal(s.Name); other != nil {
		c.refuse(s, s.Pos, "signal %s is defined a second time in message %s (first at line %d); rename one of them", s.Name, m.Name, other.Pos.Line)
	}
	m.Signals = append(m.Signals, s)
	switch {
	case d.Size < 1 || d.Size > 64:
		c.refuse(s, s.Pos, "signal %s has a length of %d bits; it must be 1 to 64", s.Name, d.Size)
	case d.StartBit >= can.MaxLen*8:
		c.refuse(s, s.Pos, "signal %s starts at bit %d; a CAN frame has bits 0 to 511", s.Name, d.StartBit)
	default:
		s.Start, s.Length = int(d.StartBit), int(d.Size)
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
func (c *compiler) findMessage(pos Pos, what string, id candbc.MessageID) *Message {
	if id == candbc.IndependentSignalsMessageID {
		return nil
	}
	m := c.db.Lookup(id.ToCAN(), id.IsExtended())
	if m == nil {
		c.diagnose(pos, "%s is for message id %d, which the file does not define; correct the id or delete the line", what, uint32(id))
	}
	return m
}

// find returns the signal that a definition refers to, or says that there is none.
func (c *compiler) find(pos Pos, what string, id candbc.MessageID, name candbc.Identifier) *Signal {
	m := c.findMessage(pos, what, id)
	if m == nil {
		return nil
	}
	s := m.Signal(string(name))
	if s == nil {
		c.diagnose(pos, "%s is for signal %s, which message %s does not have; correct the name or delete the line", what, name, m.Name)
	}
	return s
}

func (c *compiler) setValueType(d *candbc.SignalValueTypeDef) {
	pos := position(c.db.Name, d.Pos)
	s := c.find(pos, "SIG_VALTYPE_", d.MessageID, d.SignalName)
	if s == nil || d.SignalValueType == candbc.SignalValueTypeInt {
		return
	}
	bits := 32
	if d.SignalValueType == candbc.SignalValueTypeFloat64 {
		bits = 64
	}
	s.Float = true
	if s.Length != bits {
		c.refuse(s, pos, "signal %s is a float of %d bits by SIG_VALTYPE_ and has %d bits; correct one of them", s.Name, bits, s.Length)
	}
}

// setValues enters a signal's value names; those of environment variables are
// no part of the database.
func (c *compiler) setValues(d *candbc.ValueDescriptionsDef) {
	if d.ObjectType == candbc.ObjectTypeEnvironmentVariable {
		return
	}
	s := c.find(position(c.db.Name, d.Pos), "VAL_", d.MessageID, d.SignalName)
	if s == nil {
		return
	}
	if s.Values == nil {
		s.Values = make(map[int64]string, len(d.ValueDescriptions))
	}
	for _, v := range d.ValueDescriptions {
		pos := position(c.db.Name, v.Pos)
		if v.Value != math.Trunc(v.Value) || math.Abs(v.Value) > 1<<53 {
			c.diagnose(pos, "VAL_ of signal %s names %v, which is no whole number that can be kept exactly; the name %q is left out", s.Name, v.Value, v.Description)
			continue
		}
		raw := int64(v.Value)
		if first, ok := s.Values[raw]; ok && first != v.Description {
			c.diagnose(pos, "VAL_ of signal %s names %d twice, %q and %q; the first is kept", s.Name, raw, first, v.Description)
			continue
		}
		s.Values[raw] = v.Description
	}
}

const (
	cycleAttribute  = "GenMsgCycleTime" // ms
	formatAttribute = "VFrameFormat"    // StandardCAN, ExtendedCAN, …, StandardCAN_FD, ExtendedCAN_FD
)

func (c *compiler) setDefault(d *candbc.AttributeDefaultValueDef) {
	switch d.AttributeName {
	case cycleAttribute:
		c.defaultCycle = c.cycle(position(c.db.Name, d.Pos), d.DefaultIntValue, d.DefaultFloatValue)
	case formatAttribute:
		c.defaultFD = isFD(d.DefaultStringValue, d.DefaultIntValue)
	}
}

// setFrameAttributes gives every message its cycle time and frame format.
func (c *compiler) setFrameAttributes(defs []candbc.Def) {
	for _, m := range c.db.Messages {
		m.Cycle = c.defaultCycle
		m.FD = c.defaultFD || hasFDLength(m)
	}
	for _, def := range defs {
		d, ok := def.(*candbc.AttributeValueForObjectDef)
		if !ok || d.ObjectType != candbc.ObjectTypeMessage || (d.AttributeName != cycleAttribute && d.AttributeName != formatAttribute) {
			continue
		}
		pos := position(c.db.Name, d.Pos)
		m := c.findMessage(pos, "BA_ "+string(d.AttributeName), d.MessageID)
		switch {
		case m == nil:
		case d.AttributeName == cycleAttribute:
			m.Cycle = c.cycle(pos, d.IntValue, d.FloatValue)
		default:
			m.FD = isFD(d.StringValue, d.IntValue) || hasFDLength(m)
		}
	}
}

func hasFDLength(m *Message) bool { return m.Length > 8 && can.ValidLength(m.Length, true) }

// cycle converts milliseconds; a value that is no cycle time is reported.
func (c *compiler) cycle(pos Pos, whole int64, fraction float64) time.Duration {
	ms := float64(whole) + fraction // the parser fills one of them
	const day = 24 * 60 * 60 * 1000
	if ms < 0 || ms > day {
		c.diagnose(pos, "%s of %v ms is no cycle time; it is taken as unknown", cycleAttribute, ms)
		return 0
	}
	return time.Duration(math.Round(float64(ms * 1e6)))
}

// isFD says whether a VFrameFormat is CAN FD: by its name, or by its number (14
// and 15) in files that define the attribute as a number.
func isFD(name string, number int64) bool {
	return strings.HasSuffix(name, "_FD") || number == 14 || number == 15
}

const (
	longMessageAttribute = "SystemMessageLongSymbol"
	longSignalAttribute  = "SystemSignalLongSymbol"
)

// setLongNames gives messages and signals the names over 32 characters that
// editors keep in attributes. It comes last, as all else refers to the short ones.
func (c *compiler) setLongNames(defs []candbc.Def) {
	for _, def := range defs {
		d, ok := def.(*candbc.AttributeValueForObjectDef)
		if !ok || d.StringValue == "" {
			continue
		}
		pos := position(c.db.Name, d.Pos)
		switch {
		case d.AttributeName == longMessageAttribute && d.ObjectType == candbc.ObjectTypeMessage:
			c.renameMessage(pos, d)
		case d.AttributeName == longSignalAttribute && d.ObjectType == candbc.ObjectTypeSignal:
			c.renameSignal(pos, d)
		}
	}
}

func (c *compiler) renameMessage(pos Pos, d *candbc.AttributeValueForObjectDef) {
	m := c.findMessage(pos, longMessageAttribute, d.MessageID)
	if m == nil {
		return
	}
	if other := c.db.Message(d.StringValue); other != nil && other != m {
		c.diagnose(pos, "%s gives message %s the name of another one, %q; it keeps its short name", longMessageAttribute, m.Short, d.StringValue)
		return
	}
	m.Name = d.StringValue
	c.db.byName[m.Name] = m
}

func (c *compiler) renameSignal(pos Pos, d *candbc.AttributeValueForObjectDef) {
	s := c.find(pos, longSignalAttribute, d.MessageID, d.SignalName)
	if s == nil {
		return
	}
	m := c.db.Lookup(d.MessageID.ToCAN(), d.MessageID.IsExtended())
	if other := m.Signal(d.StringValue); other != nil && other != s {
		c.diagnose(pos, "%s gives signal %s the name of another one, %q; it keeps its short name", longSignalAttribute, s.Short, d.StringValue)
		return
	}
	s.Name = d.StringValue
}

// checkMessage refuses multiplexed signals whose multiplexer cannot be used.
func (c *compiler) checkMessage(m *Message) {
	var switches []*Signal
	for _, s := range m.Signals {
		if s.Multiplexer {
			switches = append(switches, s)
		}
	}
	for _, s := range m.Signals {
		if !s.Multiplexed || s.Refused != "" {
			continue
		}
		switch {
		case len(switches) == 0:
			c.refuse(s, s.Pos, "signal %s is multiplexed and message %s has no multiplexer; mark the multiplexer with M", s.Name, m.Name)
		case len(switches) > 1:
			c.refuse(s, s.Pos, "signal %s is multiplexed and message %s has %d multiplexers; extended multiplexing is not supported yet", s.Name, m.Name, len(switches))
		case switches[0].Refused != "":
			c.refuse(s, s.Pos, "signal %s is multiplexed by %s, which is refused; correct %s first", s.Name, switches[0].Name, switches[0].Name)
		case switches[0].Float:
			c.refuse(s, s.Pos, "signal %s is multiplexed by %s, which is a float; a multiplexer is a whole number", s.Name, switches[0].Name)
		}
	}
}

// checkExtendedMux judges `SG_MUL_VAL_ id signal multiplexer a-b, c-d;`. A
// line that says what the signal's mN says anyway changes nothing; any other
// needs extended multiplexing, and its signal is refused.
func (c *compiler) checkExtendedMux(e entry) {
	fields := strings.Fields(string(bytes.TrimRight(e.text, "; \t\r")))
	if len(fields) < 5 {
		c.diagnose(e.pos, "SG_MUL_VAL_ is not complete; write SG_MUL_VAL_ id signal multiplexer first-last;")
		return
	}
	id, err := strconv.ParseUint(fields[1], 10, 32)
	if err != nil {
		c.diagnose(e.pos, "SG_MUL_VAL_ has %q where the message id belongs; correct it", fields[1])
		return
	}
	s := c.find(e.pos, "SG_MUL_VAL_", candbc.MessageID(id), candbc.Identifier(fields[2]))
	if s == nil {
		return
	}
	m := c.db.Lookup(candbc.MessageID(id).ToCAN(), candbc.MessageID(id).IsExtended())
	mux := m.multiplexer()
	same := fmt.Sprintf("%d-%d", s.MuxValue, s.MuxValue)
	if s.Multiplexed && mux != nil && mux.Name == fields[3] && strings.Join(fields[4:], "") == same {
		return
	}
	c.refuse(s, e.pos, "signal %s of message %s uses extended multiplexing (SG_MUL_VAL_), which is not supported yet", s.Name, m.Name)
}
