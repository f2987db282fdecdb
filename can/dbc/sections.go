package dbc

import (
	"math"
	"strconv"
	"strings"
)

// version is `VERSION "text"`.
func (n *normaliser) version(key token) error {
	_, err := n.quoted("the version")
	return err
}

// newSymbols is `NS_ :` and the keywords that the file may use; a line that
// has more than such words begins a statement.
func (n *normaliser) newSymbols(token) error {
	if err := n.expect(":", "NS_"); err != nil {
		return err
	}
	for {
		t, err := n.peek()
		if err != nil || t.kind != word || t.first && !n.onlySymbols(t) {
			return err
		}
		n.full = false
	}
}

// onlySymbols says whether a line holds nothing but keywords.
func (n *normaliser) onlySymbols(t token) bool {
	line, _, _ := strings.Cut(n.src[n.at:], "\n")
	line, _, _ = strings.Cut(line, "//")
	for _, symbol := range append(strings.Fields(line), t.text) {
		if _, ok := sectionOf(symbol); !ok && !strings.HasSuffix(symbol, "_") {
			return false
		}
	}
	return true
}

// nodes is `BU_: name name …`; the list may go over several lines.
func (n *normaliser) nodes(token) error {
	if err := n.expect(":", "BU_"); err != nil {
		return err
	}
	for {
		t, err := n.peek()
		if err != nil {
			return err
		}
		separator := t.kind == mark && (t.text == "," || t.text == ";")
		isName := t.kind == word && t.text != "VERSION" && !isKeyword(t.text) || t.kind == number
		if !separator && (!isName || t.first && looksLikeSection(t.text)) {
			return nil
		}
		n.full = false
	}
}

// looksLikeSection holds for words such as FOO_.
func looksLikeSection(w string) bool {
	return strings.HasSuffix(w, "_") && strings.ToUpper(w) == w
}

// message is `BO_ id name: length transmitter`.
func (n *normaliser) message(key token) error {
	id, at, err := n.whole("a message id")
	if err != nil {
		return err
	}
	name, err := n.ident("the message's name")
	if err != nil {
		return err
	}
	if err := n.expect(":", "BO_"); err != nil {
		return err
	}
	size, _, err := n.whole("the message's length")
	if err != nil {
		return err
	}
	if err := n.transmitter(); err != nil {
		return err
	}
	n.inMessage = true
	if id > math.MaxUint32 {
		return n.fail(key, "message id %s has more than 32 bits; correct it", at.text)
	}
	frame, ok := frameID(id)
	if n.dropping = !ok; n.dropping {
		n.leftOut[id] = true
		n.keep(key)
		n.diagnose(Diagnostic{n.pos(at), "message " + name.text + " has the id " + at.text +
			", which no frame can have (29 bits at most, beside bit 31); the message is left out"})
		return nil
	}
	n.write(key)
	n.putWhole(uint64(frame))
	n.put(n.alias(name.text))
	n.putMark(":")
	n.putWhole(size)
	n.put("X")
	return nil
}

// transmitter consumes the name behind a message's length, if there is one.
func (n *normaliser) transmitter() error {
	t, err := n.peek()
	if err == nil && !t.first && (t.kind == word && !isKeyword(t.text) || t.kind == number) {
		n.full = false
	}
	if err == nil {
		_, err = n.take(";")
	}
	return err
}

// isKeyword holds for keywords that no node can be named like.
func isKeyword(w string) bool {
	if !looksLikeSection(w) {
		return false
	}
	_, ok := sectionOf(w)
	return ok
}

// signal is `SG_ name mux : start|length@order sign (factor,offset) [min|max] "unit" receivers`.
func (n *normaliser) signal(key token) error {
	name, err := n.ident("the signal's name")
	if err != nil {
		return err
	}
	if !n.inMessage {
		return n.fail(key, "signal %s stands outside of any message; move it below its BO_ line", name.text)
	}
	s := signalText{key: key, name: name.text}
	if err := n.muxMark(&s); err != nil {
		return err
	}
	if err := n.layout(&s); err != nil {
		return err
	}
	if err := n.scaling(&s); err != nil {
		return err
	}
	if n.dropping {
		n.keep(key)
	} else {
		n.signals = append(n.signals, s)
		n.written[len(n.written)-1].end = len(n.signals)
	}
	return n.receivers()
}

// layout is `: start|length@order sign`.
func (n *normaliser) layout(s *signalText) error {
	if err := n.expect(":", "SG_"); err != nil {
		return err
	}
	start, _, err := n.whole("the start bit")
	if err != nil {
		return err
	}
	if err := n.expect("|", "SG_"); err != nil {
		return err
	}
	length, _, err := n.whole("the length in bits")
	if err != nil {
		return err
	}
	if err := n.expect("@", "SG_"); err != nil {
		return err
	}
	order, at, err := n.whole("the byte order")
	if err != nil {
		return err
	}
	if order > 1 {
		return n.fail(at, "byte order %s is unknown; write 1 for little-endian or 0 for big-endian", at.text)
	}
	sign, err := n.next()
	if err != nil {
		return err
	}
	if sign.kind != mark || sign.text != "+" && sign.text != "-" {
		return n.fail(sign, "expected + or - for the signal's sign, found %s; correct it", sign)
	}
	s.start, s.length, s.bigEndian, s.signed = start, length, order == 0, sign.text == "-"
	return nil
}

var scalingPieces = [...]struct{ mark, number string }{
	{"(", "the factor"}, {",", "the offset"}, {")", ""}, {"[", "the minimum"}, {"|", "the maximum"}, {"]", ""},
}

// scaling is `(factor,offset) [min|max] "unit"`.
func (n *normaliser) scaling(s *signalText) error {
	figures := 0
	for _, p := range scalingPieces {
		if err := n.expect(p.mark, "SG_"); err != nil {
			return err
		}
		if p.number == "" {
			continue
		}
		x, err := n.figure(p.number)
		if err != nil {
			return err
		}
		s.scale[figures] = x
		figures++
	}
	t, err := n.quoted("the unit")
	s.unit = oneLine(t.text)
	return err
}

// oneLine makes the line ends in a text blanks, and \" a plain quote.
func oneLine(text string) string {
	return strings.ReplaceAll(strings.ReplaceAll(text, "\n", " "), `\"`, `"`)
}

// receivers consumes names and commas. Those on the next line belong to the
// signal only behind a comma: else a missing list would swallow what follows.
func (n *normaliser) receivers() error {
	comma := false
	for {
		t, err := n.peek()
		if err != nil {
			return err
		}
		isComma := t.kind == mark && (t.text == "," || t.text == ";")
		isName := t.kind == word && !isKeyword(t.text) || t.kind == number
		if !isComma && (!isName || t.first && !comma) {
			return nil
		}
		comma = isComma && t.text == ","
		n.full = false
	}
}

// valueTable is `VAL_TABLE_ name number "text" … ;`.
func (n *normaliser) valueTable(token) error {
	name, err := n.ident("the table's name")
	if err != nil {
		return err
	}
	values, err := n.pairs()
	if err != nil {
		return err
	}
	if err := n.finish("VAL_TABLE_"); err != nil {
		return err
	}
	if _, ok := n.tables[name.text]; ok {
		return n.fail(name, "VAL_TABLE_ %s is defined a second time", name.text)
	}
	n.tables[name.text] = values
	return nil
}

// pairs are `number "text"` as many as there are. All that the file has are one
// behind the other in n.names.
func (n *normaliser) pairs() ([]valueName, error) {
	from := len(n.names)
	for {
		t, err := n.peek()
		if err != nil || t.kind != number {
			return n.names[from:len(n.names):len(n.names)], err
		}
		v, _, err := n.decimal("the value")
		if err != nil {
			return nil, err
		}
		name, err := n.quoted("the value's name")
		if err != nil {
			return nil, err
		}
		n.names = append(n.names, valueName{v, name.text, t.at})
	}
}

// valueNames is `VAL_ id signal number "text" … ;`, `VAL_ id signal table ;` or
// `VAL_ variable number "text" … ;`.
func (n *normaliser) valueNames(key token) error {
	first, err := n.peek()
	if err != nil {
		return err
	}
	if first.kind == word { // an environment variable, which decoding does not need
		n.keep(key)
		return n.skip()
	}
	id, _, drop, err := n.reference()
	if err != nil {
		return err
	}
	signal, err := n.ident("the signal's name")
	if err != nil {
		return err
	}
	table, err := n.peek()
	if err != nil {
		return err
	}
	if table.kind == word && !n.begins(table) {
		n.full = false
		n.pending = append(n.pending, namedTable{signalValues{key: key, id: id, signal: signal.text}, table})
		return n.finish("VAL_")
	}
	values, err := n.pairs()
	if err != nil {
		return err
	}
	if err := n.finish("VAL_"); err != nil {
		return err
	}
	if drop {
		n.keep(key)
		return nil
	}
	n.values = append(n.values, signalValues{key, id, signal.text, values})
	return nil
}

// resolveTables gives the VAL_ that name a table its values.
func (n *normaliser) resolveTables() {
	for _, p := range n.pending {
		values, ok := n.tables[p.table.text]
		if !ok {
			n.keep(p.key)
			n.diagnose(Diagnostic{n.pos(p.table), "VAL_ of signal " + p.signal + " takes its names from the table " + p.table.text +
				", which the file does not define; the signal's values have no names"})
			continue
		}
		p.names = values
		n.values = append(n.values, p.signalValues)
	}
}

// signalType is `SIG_VALTYPE_ id signal : type;` with 0 integer, 1 and 2 IEEE floats.
func (n *normaliser) signalType(key token) error {
	id, _, drop, err := n.reference()
	if err != nil {
		return err
	}
	signal, err := n.ident("the signal's name")
	if err != nil {
		return err
	}
	if _, err := n.take(":"); err != nil {
		return err
	}
	form, at, err := n.whole("the value type")
	if err != nil {
		return err
	}
	if err := n.finish("SIG_VALTYPE_"); err != nil {
		return err
	}
	switch {
	case drop:
		n.keep(key)
	case form > 2:
		n.keep(key)
		n.refusals = append(n.refusals, refusal{at.at, id, signal.text, "signal " + signal.text + " has the value type " +
			strconv.FormatUint(form, 10) + " by SIG_VALTYPE_; known are 0 integer, 1 float of 32 bits and 2 float of 64 bits"})
	default:
		n.valueTypes = append(n.valueTypes, valueType{key, id, signal.text, form})
	}
	return nil
}

// remark is `CM_ object "text";`. Those of messages and signals are kept.
func (n *normaliser) remark(key token) error {
	object, err := n.peek()
	if err != nil {
		return err
	}
	var about comment
	keep := false
	if object.kind == word {
		n.full = false
		about, keep, err = n.commentObject(object)
	}
	if err != nil {
		return err
	}
	words, err := n.quoted("the comment")
	if err != nil {
		return err
	}
	if keep {
		about.text = oneLine(words.text)
		n.comments = append(n.comments, about)
	}
	return n.finish("CM_")
}

// commentObject reads what a comment is about and says whether it is kept.
func (n *normaliser) commentObject(object token) (about comment, keep bool, err error) {
	switch object.text {
	case "BU_", "EV_":
		_, err := n.ident("a name")
		return about, false, err
	case "BO_", "SG_":
	default:
		return about, false, n.fail(object, "CM_ is about %s; known are BU_, BO_, SG_ and EV_", object)
	}
	id, _, drop, err := n.reference()
	if err != nil || object.text == "BO_" {
		return comment{id: id}, !drop, err
	}
	signal, err := n.ident("the signal's name")
	return comment{id: id, signal: signal.text}, !drop, err
}
