// Package dbc turns the text of a DBC file into a database of messages and
// signals with decode plans of its own. The text, cp1252 or UTF-8, is first read
// statement by statement; its messages are rewritten from what editors write into
// the narrower language of can-go's pkg/dbc, which parses them. Then every definition is counted against the text,
// so that none is lost in silence, checked and compiled.
package dbc

import (
	"fmt"
	"time"
)

// Database is what one DBC file defines. It is immutable after Parse.
//
// The pseudo message VECTOR__INDEPENDENT_SIG_MSG, where editors keep signals
// that no message carries, is left out.
type Database struct {
	Name        string       // as given to Parse
	Messages    []*Message   // in file order
	ValueTables int          // VAL_TABLE_ definitions
	Diagnostics []Diagnostic // what was not taken from the text as it stands, by position

	byName map[string]*Message
	byID   map[uint64]*Message
}

// Message is one message of the bus.
type Message struct {
	Pos      Pos
	ID       uint32 // 11 or, with Extended, 29 bits
	Extended bool
	Name     string        // SystemMessageLongSymbol, or the name on the BO_ line
	Short    string        // the name on the BO_ line, which has at most 32 characters in many editors
	Length   int           // bytes; over 64 for messages that a transport protocol carries
	Cycle    time.Duration // GenMsgCycleTime, the attribute's default included; 0 unknown
	Comment  string        // CM_
	FD       bool          // CAN FD by VFrameFormat, or by a length over 8 that CAN FD has
	Signals  []*Signal     // in file order

	byName map[string]*Signal // long and short names, where there are many; else nil
}

// Signal is one signal of a message.
type Signal struct {
	Pos         Pos
	Name        string // SystemSignalLongSymbol, or the name on the SG_ line
	Short       string // the name on the SG_ line
	Start       int    // as in the file: lowest bit with little-endian, highest with BigEndian
	Length      int    // bits, 1 to 64
	BigEndian   bool   // Motorola byte order
	Signed      bool
	Float       bool // IEEE 754 by SIG_VALTYPE_; Length is 32 or 64
	Factor      float64
	Offset      float64
	Min, Max    float64 // physical; a range only where Min < Max
	Unit        string
	Multiplexer bool             // M: its raw value selects the multiplexed signals
	Multiplexed bool             // m: present when the raw value of Selector is in one of MuxRanges
	MuxValue    uint64           // the N of mN
	MuxRanges   []MuxRange       // of SG_MUL_VAL_, or N alone
	Comment     string           // CM_
	Values      map[int64]string // VAL_: raw value to its name; nil without
	Refused     string           // why Message.Field refuses the signal; empty if it does not

	selector *Signal // the multiplexer
	bare     bool    // m without a number
}

// Pos is a place in a DBC file. Line and Column count from 1; columns count
// characters.
type Pos struct {
	File         string
	Line, Column int
}

// String formats as file:line:column.
func (p Pos) String() string { return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Column) }

// Diagnostic says what is wrong at a place of the file, then what to do. Those
// in Database.Diagnostics leave the rest of the database usable. Parse returns
// one as its error.
type Diagnostic struct {
	Pos  Pos
	What string
}

// Error formats as file:line:column: what.
func (d Diagnostic) Error() string { return d.Pos.String() + ": " + d.What }

// Message returns the message of that long or short name, or nil.
func (db *Database) Message(name string) *Message { return db.byName[name] }

// Lookup returns the message with that identifier, or nil. 11-bit and 29-bit
// identifiers of the same number are different messages.
func (db *Database) Lookup(id uint32, extended bool) *Message { return db.byID[idKey(id, extended)] }

func idKey(id uint32, extended bool) uint64 {
	key := uint64(id)
	if extended {
		key |= 1 << 32
	}
	return key
}

// Signal returns the signal of that long or short name, or nil. If the file
// defines a name twice in the message, it is the first one; the others are in
// Diagnostics.
func (m *Message) Signal(name string) *Signal {
	if m.byName != nil {
		return m.byName[name]
	}
	for _, s := range m.Signals {
		if s.Name == name || s.Short == name {
			return s
		}
	}
	return nil
}
