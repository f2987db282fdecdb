package yaml

import "unicode/utf8"

// maxKey is the most characters that a key may have, by the YAML specification.
const maxKey = 1024

// block reads a value by indentation, which begins right of the column indent (or
// at it, for entries of a list as a mapping's value). Where there is none it is
// null, at the given place.
func (p *parser) block(indent int, listOK bool, line, column int) *Node {
	if p.outside(indent, listOK) {
		return p.null(line, column)
	}
	p.enter(p.line, p.col())
	defer p.leave()
	start, first := p.line, p.col()
	if p.properties() {
		if p.outside(indent, listOK) {
			return p.null(line, column)
		}
		if p.line != start {
			start, first = p.line, p.col()
		}
	}
	if p.at('-') && p.gap(1) {
		return p.sequence()
	}
	keyOK, from := p.keyOK, p.i
	n := p.value()
	if p.colon(from, start, keyOK) {
		return p.mapping(n, start, first)
	}
	return n
}

// outside reports whether what comes next is no part of a collection's value.
func (p *parser) outside(indent int, listOK bool) bool {
	if p.end() || p.mark('-') || p.mark('.') {
		return true
	}
	column := p.col() - 1
	return column < indent || column == indent && !(listOK && p.at('-') && p.gap(1))
}

// colon reports whether the value read since byte from, of line start, is a key.
func (p *parser) colon(from, start int, keyOK bool) bool {
	for p.line == start && p.blank(0) {
		p.i++
	}
	if !p.at(':') || p.flow == 0 && !p.gap(1) {
		return false
	}
	switch {
	case p.line != start:
		p.failHere("a `:` cannot follow text of more than one line; put the text in quotes, or its key on one line")
	case !keyOK:
		p.failHere("a `:` is one too many in this line; put the text in quotes, or begin a new line with the key")
	case utf8.RuneCountInString(p.text[from:p.i]) > maxKey:
		p.failHere("the key before this `:` has more than %d characters; shorten it", maxKey)
	}
	return true
}

// sequence reads a list whose entries begin with hyphens.
func (p *parser) sequence() *Node {
	if !p.keyOK {
		p.failHere("a list's entry cannot begin here; write `-` on a line of its own, or the list in brackets")
	}
	outer, column := p.indent, p.col()-1
	p.indent = column
	n := p.node(SequenceNode, 0, "!!seq", p.line, column+1)
	for p.at('-') && p.gap(1) && p.col()-1 == column && p.keyOK && !p.end() {
		p.advance(1)
		line, at := p.line, p.col()
		p.skip()
		n.Content = append(n.Content, p.block(column, false, line, at))
		p.skip()
	}
	p.indent = outer
	p.dedent(column, outer)
	return n
}

// dedent holds that what follows a collection at a column is of one around it.
func (p *parser) dedent(column, outer int) {
	if p.end() || p.mark('-') || p.mark('.') {
		return
	}
	if c := p.col() - 1; c > column || c == column && c != outer {
		p.unexpected()
	}
}

// mapping reads a mapping by indentation, whose first key was read. A colon
// comes next.
func (p *parser) mapping(key *Node, line, column int) *Node {
	outer := p.indent
	p.indent = column - 1
	n := p.node(MappingNode, 0, "!!map", line, column)
	for {
		p.advance(1)
		line, at := p.line, p.col()
		p.keyOK = false
		p.skip()
		n.Content = append(n.Content, key, p.block(column-1, true, line, at))
		p.skip()
		if p.end() || p.mark('-') || p.mark('.') || p.col() < column {
			break
		}
		if p.col() > column || !p.keyOK {
			p.unexpected()
		}
		key = p.key()
	}
	p.indent = outer
	return n
}

// key reads a key of a block mapping, but its first.
func (p *parser) key() *Node {
	p.enter(p.line, p.col())
	defer p.leave()
	p.properties()
	line, column, from := p.line, p.col(), p.i
	if p.at('-') && p.gap(1) {
		p.failHere("a list's entry begins where a key is expected; indent it, or give the list a key")
	}
	if p.at('|') || p.at('>') {
		p.unexpected()
	}
	n := p.value()
	if !p.colon(from, line, true) {
		p.fail(line, column, "a key must be followed by `:` and a space in its line; write `key: value`")
	}
	return n
}

// unexpected fails with what has no place here.
func (p *parser) unexpected() {
	switch {
	case p.at('\t'):
		p.failHere("a tab cannot indent; use spaces")
	case p.at(']') || p.at('}'):
		p.failHere("`%c` closes nothing; remove it, or open it before", p.peek(0))
	case p.at(':') && p.gap(1):
		p.failHere("a `:` has no key before it; write `key: value`")
	case p.at('|') || p.at('>'):
		p.failHere("`%c` must stand in the line of its key or entry; write `key: %c`", p.peek(0), p.peek(0))
	case p.at('-') && p.gap(1):
		p.failHere("no list has its entries in this column; indent `-` as the entries before it, or begin those with `-` too")
	case p.keyOK:
		p.failHere("is not indented as the lines before it; begin it in the column of the key or entry that it follows")
	}
	p.failHere("more text follows a value that has ended; put the whole in quotes, or begin a new line")
}
