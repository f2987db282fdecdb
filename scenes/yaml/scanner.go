package yaml

import (
	"strings"
	"unicode/utf8"
)

// parser is a document while it is read.
type parser struct {
	text    string
	i       int // of the next byte
	line    int // of i, from 1
	counted int // byte of this line whose column is known
	column  int // that column, from 1, in characters
	indent  int // column, from 0, of the block collection that is read; -1: none
	flow    int // brackets and braces that are open
	depth   int
	nodes   int
	keyOK   bool // a key of a block mapping, or an entry of a block sequence, may begin here
	limits  Limits
	faults  []Fault
	buf     []byte // of the scalar that is read
	slab    []Node // of nodes that are not in use yet
}

// characters refuses a text with what no document may have.
func (p *parser) characters() {
	const bom = '\uFEFF'
	if strings.HasPrefix(p.text, string(bom)) {
		p.text = p.text[len(string(bom)):]
	}
	line, start := 1, 0
	for i := 0; i < len(p.text); {
		c, n := rune(p.text[i]), 1
		if c >= utf8.RuneSelf {
			c, n = utf8.DecodeRuneInString(p.text[i:])
		}
		what := ""
		switch {
		case c == '\n':
			line, start = line+1, i+1
		case c == '\t' || c >= ' ' && c <= '~':
		case c == utf8.RuneError && n == 1:
			what = "is not UTF-8 text; save the file as UTF-8"
		case c == '\r' && i+1 < len(p.text) && p.text[i+1] == '\n':
		case c == '\r', c == '\u0085', c == '\u2028', c == '\u2029':
			what = "the line break U+%04X is not read; end lines with a newline"
		case c < 0xA0, c == '\uFFFE', c == '\uFFFF':
			what = "the control character U+%04X is not allowed; remove it"
		case c == bom: // in lines the library skips what it should not
			what = "the byte order mark U+%04X is read at the beginning only; remove it"
		}
		if what != "" {
			at := 1 + utf8.RuneCountInString(p.text[start:i])
			if strings.Contains(what, "%") {
				p.fail(line, at, what, c)
			}
			p.fail(line, at, "%s", what)
		}
		i += n
	}
}

// peek is the byte k after the next; 0 is none.
func (p *parser) peek(k int) byte {
	if p.i+k < len(p.text) {
		return p.text[p.i+k]
	}
	return 0
}

func (p *parser) at(c byte) bool { return p.i < len(p.text) && p.text[p.i] == c }
func (p *parser) end() bool      { return p.i >= len(p.text) }

// blank, lineEnd and gap tell of the byte k after the next: space or tab, the end
// of a line or of the text, any of these.
func (p *parser) blank(k int) bool   { c := p.peek(k); return c == ' ' || c == '\t' }
func (p *parser) lineEnd(k int) bool { c := p.peek(k); return c == '\n' || c == '\r' || c == 0 }
func (p *parser) gap(k int) bool     { return p.blank(k) || p.lineEnd(k) }

// col is the column of the next byte, from 1, in characters.
func (p *parser) col() int {
	p.column += utf8.RuneCountInString(p.text[p.counted:p.i])
	p.counted = p.i
	return p.column
}

// advance passes over n bytes of the line.
func (p *parser) advance(n int) { p.i += n }

// newline passes over the end of a line, if there is one.
func (p *parser) newline() bool {
	switch {
	case p.at('\n'):
		p.i++
	case p.at('\r'):
		p.i += 2
	default:
		return false
	}
	p.line, p.counted, p.column = p.line+1, p.i, 1
	return true
}

// mark reports whether a document begins (---) or ends (...) here.
func (p *parser) mark(c byte) bool {
	return p.peek(0) == c && p.peek(1) == c && p.peek(2) == c && p.gap(3) && p.col() == 1
}

// skip passes over space, comments and line ends to what comes next.
func (p *parser) skip() {
	for {
		for p.at(' ') || p.at('\t') && (p.flow > 0 || !p.keyOK) {
			p.i++
		}
		if p.at('#') {
			p.comment()
		}
		if !p.newline() {
			return
		}
		if p.flow == 0 {
			p.keyOK = true
		}
	}
}

// comment passes over the rest of the line.
func (p *parser) comment() {
	for !p.lineEnd(0) {
		p.i++
	}
}

// node makes a node.
func (p *parser) node(kind Kind, style Style, tag string, line, column int) *Node {
	if p.nodes++; p.nodes > p.limits.Nodes {
		p.fail(line, column, "the file has too many values; split it")
	}
	if len(p.slab) == 0 {
		p.slab = make([]Node, min(64, 8+p.nodes))
	}
	n := &p.slab[0]
	p.slab = p.slab[1:]
	*n = Node{Kind: kind, Style: style, Tag: tag, Line: line, Column: column}
	return n
}

// null makes the value that is left out.
func (p *parser) null(line, column int) *Node {
	return p.node(ScalarNode, 0, "!!null", line, column)
}

// enter counts one more level of values; leave one less.
func (p *parser) enter(line, column int) {
	if p.depth++; p.depth > p.limits.Depth+1 {
		p.fail(line, column, "is nested more than %d deep; flatten it", p.limits.Depth)
	}
}

func (p *parser) leave() { p.depth-- }
