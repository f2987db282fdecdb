package dbc

import (
	"errors"
	"math"
	"sort"
	"strconv"
	"strings"

	candbc "go.einride.tech/can/pkg/dbc"
)

// normaliser reads the text of a DBC statement by statement. Messages it rewrites
// into the narrower language that can-go's parser reads right, and remembers where
// each came from; their signals and what refers to them it keeps itself. It follows
// the DBC file format description (Vector, 2010) and takes what editors write
// beside it:
//
//   - // comments, numbers such as +1, 007 and .5, missing semicolons, signals
//     without receivers, VAL_ with the name of a table
//   - names that begin with a digit, are long or hold letters beyond ASCII;
//     can-go gets an alias
//   - 29-bit identifiers without bit 31, m, mNM and SG_MUL_VAL_
//   - attributes before their definition, of any name
//
// Sections without meaning for decoding are passed over; sections that DBC does
// not have are passed over with a diagnostic.
type normaliser struct {
	*lexer
	out     []byte       // BO_ for can-go
	written []written    // what is in out, in its order
	signals []signalText // in the order of the file

	diagnostics []Diagnostic
	kept        []keywords // by line: statements that were taken, or passed over knowingly or with a diagnostic
	known       int        // sections that DBC has
	inMessage   bool       // the last statement was BO_ or SG_
	dropping    bool       // the message of these signals is left out

	aliases    map[string]string // alias to name
	aliasOf    map[string]string // name to alias
	muxes      []extendedMux
	tables     map[string][]valueName
	pending    []namedTable // VAL_ that name a table
	names      []valueName  // of all VAL_ and VAL_TABLE_
	values     []signalValues
	valueTypes []valueType
	comments   []comment
	refusals   []refusal
	leftOut    map[uint64]bool // ids of messages that no frame can have
	attribute  map[string]*attribute
	later      []attributeValue // of attributes that may be defined further on
	set        []attributeValue // in the form of their definition
}

// written is a message in the text for can-go.
type written struct {
	offset     int   // there
	key        token // where it came from
	first, end int   // its signals in normaliser.signals
}

// signalText is a signal as the file writes it. can-go does not see signals: it
// would read every piece a second time, and lose those behind one without
// receivers.
type signalText struct {
	key               token
	name, unit        string
	start, length     uint64
	bigEndian, signed bool
	selector          bool       // M
	mux               *muxMark   // of an m
	scale             [4]float64 // factor, offset, minimum, maximum
}

// valueName is one pair of a VAL_ or VAL_TABLE_.
type valueName struct {
	value float64
	name  string
	at    int
}

// signalValues is a VAL_.
type signalValues struct {
	key    token
	id     uint32
	signal string
	names  []valueName
}

// namedTable is a VAL_ that takes its names from a VAL_TABLE_.
type namedTable struct {
	signalValues
	table token
}

// valueType is a SIG_VALTYPE_: 0 integer, 1 and 2 IEEE floats of 32 and 64 bits.
type valueType struct {
	key    token
	id     uint32
	signal string
	form   uint64
}

// comment is a CM_ of a message or a signal.
type comment struct {
	id           uint32
	signal, text string // signal is empty for a message's
}

// refusal is a signal that a statement makes impossible to decode.
type refusal struct {
	at     int
	id     uint32
	signal string
	why    string
}

// write begins a message in the text for can-go.
func (n *normaliser) write(key token) *written {
	n.out = append(n.out, '\n')
	n.written = append(n.written, written{offset: len(n.out), key: key, first: len(n.signals), end: len(n.signals)})
	n.put(key.text)
	return &n.written[len(n.written)-1]
}

// put writes a name or a number, which a blank parts from the next.
func (n *normaliser) put(word string) { n.out = append(append(n.out, word...), ' ') }

// putMark writes a mark, which needs none.
func (n *normaliser) putMark(mark string) { n.out = append(n.out, mark...) }

func (n *normaliser) putWhole(v uint64) { n.out = append(strconv.AppendUint(n.out, v, 10), ' ') }

// figure reads a number of any form.
func (n *normaliser) figure(what string) (float64, error) {
	t, err := n.peek()
	if err == nil && t.kind == number && isPlain(t.text) {
		n.full = false
		return strconv.ParseFloat(t.text, 64)
	}
	v, _, err := n.decimal(what)
	return v, err
}

// isPlain says whether a number is of a form that every parser reads: -1, 0.25.
func isPlain(text string) bool {
	text = strings.TrimPrefix(text, "-")
	whole := digits(text)
	if whole == 0 || len(text) > 20 || whole > 1 && text[0] == '0' {
		return false
	}
	return whole == len(text) || text[whole] == '.' && len(text) > whole+1 && digits(text[whole+1:]) == len(text)-whole-1
}

// normalise rewrites the text; the error is a Diagnostic.
func normalise(name string, src []byte) (*normaliser, error) {
	n := &normaliser{
		lexer: newLexer(name, src), aliases: map[string]string{}, aliasOf: map[string]string{},
		tables: map[string][]valueName{}, leftOut: map[uint64]bool{}, attribute: map[string]*attribute{},
	}
	n.kept = make([]keywords, len(n.lines))
	n.out = make([]byte, 0, len(src)+64)
	n.signals = make([]signalText, 0, len(n.lines))
	for {
		t, err := n.next()
		if err != nil {
			return nil, err
		}
		if t.kind == end {
			break
		}
		if err := n.statement(t); err != nil {
			return nil, err
		}
	}
	if n.known == 0 {
		return nil, Diagnostic{Pos{name, 1, 1}, "this is no DBC: it has none of the sections of one; give a DBC file"}
	}
	n.resolveTables()
	n.setAttributes()
	return n, nil
}

// wroteAt is the index in written of what stands in the text for can-go at an
// offset, or last before it; -1 before the first.
func (n *normaliser) wroteAt(offset int) int {
	return sort.Search(len(n.written), func(i int) bool { return n.written[i].offset > offset }) - 1
}

func (n *normaliser) diagnose(d Diagnostic) { n.diagnostics = append(n.diagnostics, d) }

// keep notes that a statement was taken, or passed over knowingly or with a
// diagnostic.
func (n *normaliser) keep(key token) { n.kept[n.line(key.at)] |= surveyed(key.text) }

// statement reads what a keyword begins.
func (n *normaliser) statement(key token) error {
	if key.kind == mark && key.text == ";" {
		return nil
	}
	if key.kind != word {
		return n.fail(key, "expected a definition such as BO_ or VAL_, found %s; correct the definition here or just before", key)
	}
	s, ok := sectionOf(key.text)
	if !ok {
		n.diagnose(Diagnostic{n.pos(key), key.text + " is no section of a DBC; it is passed over, and nothing that it may say about messages and signals is used"})
		n.inMessage = false
		return n.skip()
	}
	n.known++
	n.inMessage = n.inMessage && key.text == "SG_"
	err := s.read(n, key)
	if err == nil || s.vital {
		return err
	}
	var d Diagnostic
	if !errors.As(err, &d) || strings.HasPrefix(d.What, "unterminated") {
		return err
	}
	d.What += "; " + s.loss
	n.diagnose(d)
	n.keep(key)
	return n.skip()
}

// section says how a keyword's statement is read. Where it is vital, its errors
// make the file unusable; elsewhere they are diagnostics that tell the loss.
type section struct {
	read  func(*normaliser, token) error
	vital bool
	loss  string
}

// sectionOf returns how the statements of a keyword are read.
func sectionOf(key string) (section, bool) {
	switch key {
	case "VERSION":
		return section{(*normaliser).version, false, "the version is left out; decoding does not need it"}, true
	case "NS_":
		return section{(*normaliser).newSymbols, false, "the list is passed over; decoding does not need it"}, true
	case "BU_":
		return section{(*normaliser).nodes, false, "the nodes are left out; decoding does not need them"}, true
	case "BO_":
		return section{(*normaliser).message, true, ""}, true
	case "SG_":
		return section{(*normaliser).signal, true, ""}, true
	case "VAL_TABLE_":
		return section{(*normaliser).valueTable, false, "the table is left out; raw values keep their numbers only"}, true
	case "VAL_":
		return section{(*normaliser).valueNames, false, "these names of values are left out; the signal is decoded all the same"}, true
	case "SIG_VALTYPE_":
		return section{(*normaliser).signalType, true, ""}, true
	case "SG_MUL_VAL_":
		return section{(*normaliser).muxValues, false, "what it says about multiplexing is not used"}, true
	case "CM_":
		return section{(*normaliser).remark, false, "the comment is left out; decoding does not need it"}, true
	case "BA_DEF_":
		return section{(*normaliser).attributeDef, false, "the attribute is left out"}, true
	case "BA_DEF_DEF_":
		return section{(*normaliser).attributeDefault, false, "the default is left out"}, true
	case "BA_":
		return section{(*normaliser).attributeValue, false, "the attribute's value is left out"}, true
	case "BS_", "EV_", "ENVVAR_DATA_", "EV_DATA_", "BO_TX_BU_", "SIG_GROUP_", "SGTYPE_", "SGTYPE_VAL_", "BA_DEF_SGTYPE_",
		"BA_SGTYPE_", "SIG_TYPE_REF_", "SIGTYPE_VALTYPE_", "BA_DEF_REL_", "BA_REL_", "BA_DEF_DEF_REL_", "BU_SG_REL_",
		"BU_EV_REL_", "BU_BO_REL_", "CAT_DEF_", "CAT_", "FILTER", "NS_DESC_":
		return section{(*normaliser).passOver, false, "it is passed over; decoding does not need it"}, true
	}
	return section{}, false
}

// passOver skips a section without meaning for decoding.
func (n *normaliser) passOver(token) error { return n.skip() }

// skip passes over the rest of a statement: to its ; or to the next statement.
func (n *normaliser) skip() error {
	for {
		t, err := n.peek()
		if err != nil || t.kind == end || n.begins(t) {
			return err
		}
		n.full = false
		if t.kind == mark && t.text == ";" {
			return nil
		}
	}
}

// begins says whether a token begins a statement: a keyword at a line's start
// that does not only name an object of the statement before.
func (n *normaliser) begins(t token) bool {
	if !t.first || t.kind != word {
		return false
	}
	_, known := sectionOf(t.text)
	if !known {
		return false
	}
	if t.text != "BO_" && t.text != "SG_" {
		return true
	}
	line := n.src[n.at:min(len(n.src), n.at+200)]
	if i := strings.IndexByte(line, '\n'); i >= 0 {
		line = line[:i]
	}
	return !refersOnly(t.text, line)
}

// finish consumes the ; of a statement, or finds that the next one begins.
func (n *normaliser) finish(what string) error {
	t, err := n.peek()
	if err != nil || t.kind == end || n.begins(t) {
		return err
	}
	if t.kind == mark && t.text == ";" {
		n.full = false
		return nil
	}
	return n.fail(t, "expected ; after %s, found %s; correct the definition here or just before", what, t)
}

// alias is a name in a form that can-go reads. Names that look like an alias
// get one too, so that none is taken for another.
func (n *normaliser) alias(name string) string {
	if !strings.HasPrefix(name, "alias") && len(name) <= 128 && isASCIIName(name) {
		return name
	}
	alias, ok := n.aliasOf[name]
	if !ok {
		alias = "alias" + strconv.Itoa(len(n.aliases))
		n.aliases[alias], n.aliasOf[name] = name, alias
	}
	return alias
}

// isASCIIName holds for letters, digits and _, the first no digit.
func isASCIIName(name string) bool {
	for i := range len(name) {
		if name[i] >= 0x80 || !wordBytes[name[i]] {
			return false
		}
	}
	return name[0]-'0' > 9
}

// original is the name behind an alias.
func (n *normaliser) original(name candbc.Identifier) string {
	if len(n.aliases) > 0 {
		if original, ok := n.aliases[string(name)]; ok {
			return original
		}
	}
	return string(name)
}

const (
	extendedBit = 1 << 31
	loneSignals = 0xC0000000 // id of VECTOR__INDEPENDENT_SIG_MSG
	loneOlder   = 0x40000000 // the same in older files
)

// frameID gives a message id the form that can-go reads: bit 31 for what needs
// 29 bits. ok is false when no frame can have the id.
func frameID(id uint64) (uint32, bool) {
	switch {
	case id > math.MaxUint32:
		return 0, false
	case id == loneSignals || id == loneOlder:
		return loneSignals, true
	case id&extendedBit != 0:
		return uint32(id), id&^extendedBit <= 0x1FFFFFFF
	case id <= 0x7FF:
		return uint32(id), true
	}
	return uint32(id | extendedBit), id <= 0x1FFFFFFF
}

// reference consumes a message id in a statement that refers to a message. drop
// is set when that message was left out, and said so.
func (n *normaliser) reference() (id uint32, at token, drop bool, err error) {
	raw, at, err := n.lexer.whole("a message id")
	if err != nil {
		return 0, at, false, err
	}
	if n.leftOut[raw] {
		return 0, at, true, nil
	}
	id, ok := frameID(raw)
	if !ok {
		return 0, at, false, n.fail(at, "message id %s is none that a frame can have; a 29-bit id with bit 31 added is at most 2684354559", at.text)
	}
	return id, at, false, nil
}
