package dbc

import (
	"errors"
	"math"
	"sort"
	"strconv"
	"strings"
	"text/scanner"

	candbc "go.einride.tech/can/pkg/dbc"
)

// normaliser rewrites the text of a DBC into the narrower language that
// can-go's parser reads right, statement by statement, and remembers where each
// piece came from. It follows the DBC file format description (Vector, 2010) and
// takes what editors write beside it:
//
//   - // comments, numbers such as +1, 007 and .5, missing semicolons, signals
//     without receivers, VAL_ with the name of a table
//   - names that begin with a digit, are long or hold letters beyond ASCII;
//     can-go gets an alias
//   - 29-bit identifiers without bit 31, m, mNM and SG_MUL_VAL_
//   - attributes before their definition, of any name
//
// Sections without meaning for decoding are passed over; sections that DBC does
// not have are passed over with a diagnostic. What can-go never sees is kept here.
type normaliser struct {
	*lexer
	out     sheet // VERSION, BO_, SG_, VAL_, SIG_VALTYPE_, CM_
	defs    sheet // BA_DEF_
	presets sheet // BA_DEF_DEF_
	values  sheet // BA_

	diagnostics []Diagnostic
	accounted   map[lineKey]bool // statements that were passed over knowingly, or with a diagnostic
	known       int              // sections that DBC has
	inMessage   bool             // the last statement was BO_ or SG_
	dropping    bool             // the message of these signals is left out

	aliases   map[string]string // alias to name
	aliasOf   map[string]string // name to alias
	marks     map[Pos]muxMark   // of SG_ lines that can-go cannot read
	muxes     []extendedMux
	tables    map[string][]valueName
	pending   []namedTable // VAL_ that name a table
	refusals  []refusal
	leftOut   map[uint64]bool // ids of messages that no frame can have
	attribute map[string]*attribute
	later     []attributeValue
}

// valueName is one pair of a VAL_ or VAL_TABLE_.
type valueName struct {
	value float64
	name  string
	at    token
}

// namedTable is a VAL_ that takes its names from a VAL_TABLE_.
type namedTable struct {
	key, id, signal, table token
	frame                  uint32
}

// refusal is a signal that a statement makes impossible to decode.
type refusal struct {
	pos    Pos
	id     uint32
	signal string
	why    string
}

// sheet is canonical text with the origin of its pieces.
type sheet struct {
	text    []byte
	origins []origin
}

type origin struct {
	offset, line, col int
}

// at notes that what follows comes from a token.
func (s *sheet) at(t token) *sheet {
	s.origins = append(s.origins, origin{len(s.text), t.line, t.col})
	return s
}

func (s *sheet) put(words ...string) *sheet {
	for _, w := range words {
		s.text = append(append(s.text, w...), ' ')
	}
	return s
}

func (s *sheet) whole(n uint64) *sheet {
	s.text = append(strconv.AppendUint(s.text, n, 10), ' ')
	return s
}

// number writes a float so that it is read back bit for bit.
func (s *sheet) number(v float64) *sheet {
	s.text = append(strconv.AppendFloat(s.text, v, 'g', -1, 64), ' ')
	return s
}

func (s *sheet) quoted(v string) *sheet {
	s.text = append(append(append(s.text, '"'), v...), '"', ' ')
	return s
}

func (s *sheet) newline() { s.text = append(s.text, '\n') }

// join appends another sheet.
func (s *sheet) join(o sheet) {
	for _, from := range o.origins {
		s.origins = append(s.origins, origin{len(s.text) + from.offset, from.line, from.col})
	}
	s.text = append(s.text, o.text...)
}

// normalise rewrites the text; the error is a Diagnostic.
func normalise(name string, src []byte) (*normaliser, error) {
	n := &normaliser{
		lexer: newLexer(name, src), accounted: map[lineKey]bool{}, aliases: map[string]string{}, aliasOf: map[string]string{},
		marks: map[Pos]muxMark{}, tables: map[string][]valueName{}, leftOut: map[uint64]bool{}, attribute: map[string]*attribute{},
	}
	n.out.text = make([]byte, 0, len(src)+len(src)/4)
	n.out.origins = make([]origin, 0, len(src)/40)
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
	n.writeAttributes()
	n.out.join(n.defs)
	n.out.join(n.presets)
	n.out.join(n.values)
	return n, nil
}

// position is where the parser's text came from.
func (n *normaliser) position(p scanner.Position) Pos {
	i := sort.Search(len(n.out.origins), func(i int) bool { return n.out.origins[i].offset > p.Offset }) - 1
	if i < 0 {
		return Pos{n.name, 1, 1}
	}
	return Pos{n.name, n.out.origins[i].line, n.out.origins[i].col}
}

func (n *normaliser) diagnose(d Diagnostic) { n.diagnostics = append(n.diagnostics, d) }

// account notes that a statement will not come out of the parser.
func (n *normaliser) account(key token) { n.accounted[lineKey{key.text, key.line}] = true }

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
	n.account(key)
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
		return section{(*normaliser).valueType, true, ""}, true
	case "SG_MUL_VAL_":
		return section{(*normaliser).muxValues, false, "what it says about multiplexing is not used"}, true
	case "CM_":
		return section{(*normaliser).comment, false, "the comment is left out; decoding does not need it"}, true
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
	line := n.src[n.at:]
	if i := strings.IndexByte(line[:min(len(line), 200)], '\n'); i >= 0 {
		line = line[:i]
	}
	return !refersOnly(t.text, []byte(line[:min(len(line), 200)]))
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
	if !strings.HasPrefix(name, "alias") && len(name) <= 128 && candbc.Identifier(name).Validate() == nil {
		return name
	}
	alias, ok := n.aliasOf[name]
	if !ok {
		alias = "alias" + strconv.Itoa(len(n.aliases))
		n.aliases[alias], n.aliasOf[name] = name, alias
	}
	return alias
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
