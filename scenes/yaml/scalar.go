package yaml

import (
	"strconv"
	"unicode/utf8"
)

// plain reads a scalar without quotes.
func (p *parser) plain() *Node {
	n := p.node(ScalarNode, 0, "", p.line, p.col())
	p.buf = p.buf[:0]
	var space string // before what follows in its line
	breaks := 0      // lines that ended since the last text
	for !p.mark('-') && !p.mark('.') && !p.at('#') {
		from := p.i
		for !p.gap(0) && !(p.at(':') && p.gap(1)) && !p.breaksFlow(p.text[p.i]) {
			p.i++
		}
		if p.i > from {
			p.buf = append(p.buf, space...)
			p.fold(breaks)
			p.buf = append(p.buf, p.text[from:p.i]...)
			breaks = 0
		}
		if p.end() || !p.gap(0) {
			break
		}
		space, breaks = p.spaces(breaks)
		if p.flow == 0 && p.col() <= p.indent+1 {
			break
		}
	}
	n.Value = string(p.buf)
	n.Tag = tag(n.Value)
	p.keyOK = breaks > 0
	return n
}

// spaces passes over space and line ends within a plain scalar.
func (p *parser) spaces(breaks int) (space string, lines int) {
	from := p.i
	for {
		for p.blank(0) {
			if p.at('\t') && breaks > 0 && p.col() <= p.indent+1 {
				p.failHere("a tab cannot indent; use spaces")
			}
			p.i++
		}
		if breaks == 0 {
			space = p.text[from:p.i]
		}
		if !p.newline() {
			return space, breaks
		}
		breaks, space = breaks+1, ""
	}
}

// fold writes line ends: one is a space, of more the first is none.
func (p *parser) fold(breaks int) {
	if breaks == 1 {
		p.buf = append(p.buf, ' ')
	}
	p.breaks(breaks - 1)
}

func (p *parser) breaks(n int) {
	for ; n > 0; n-- {
		p.buf = append(p.buf, '\n')
	}
}

// quoted reads a scalar in quotes.
func (p *parser) quoted(quote byte) *Node {
	style := DoubleQuotedStyle
	if quote == '\'' {
		style = SingleQuotedStyle
	}
	n := p.node(ScalarNode, style, "!!str", p.line, p.col())
	p.buf = p.buf[:0]
	p.advance(1)
	for {
		if p.mark('-') || p.mark('.') {
			p.failHere("a document ends within quotes, which line %d opens; close them before", n.Line)
		}
		if p.end() {
			p.fail(n.Line, n.Column, "the quote is not closed; add `%c`", quote)
		}
		joined := p.run(quote)
		if p.at(quote) {
			break
		}
		p.gaps(joined)
	}
	p.advance(1)
	p.keyOK = false
	n.Value = string(p.buf)
	return n
}

// run reads text in quotes up to a space, line end or the quote; joined says that
// a backslash ended the line.
func (p *parser) run(quote byte) (joined bool) {
	for !p.gap(0) {
		switch c := p.text[p.i]; {
		case c == quote && quote == '\'' && p.peek(1) == quote:
			p.advance(2)
			p.buf = append(p.buf, c)
		case c == quote:
			return false
		case c == '\\' && quote == '"':
			p.advance(1)
			if p.newline() {
				return true
			}
			p.escape()
		default:
			p.advance(1)
			p.buf = append(p.buf, c)
		}
	}
	return false
}

// gaps reads space and line ends within quotes.
func (p *parser) gaps(joined bool) {
	from, breaks := p.i, 0
	for {
		for p.blank(0) {
			p.i++
		}
		if breaks == 0 && !joined && !p.lineEnd(0) {
			p.buf = append(p.buf, p.text[from:p.i]...)
		}
		if !p.newline() {
			break
		}
		breaks++
	}
	if joined {
		p.breaks(breaks)
		return
	}
	p.fold(breaks)
}

// escapes are the characters that letters after a backslash stand for.
const escapes = "0\x00a\x07b\bt\t\t\tn\nv\vf\fr\re\x1b  \"\"''\\\\N\u0085_\u00A0L\u2028P\u2029"

// escape reads what follows a backslash.
func (p *parser) escape() {
	c, width := utf8.DecodeRuneInString(p.text[p.i:])
	letter := true // every other one of escapes
	found := false
	for _, e := range escapes {
		if letter {
			found = e == c
		} else if found {
			p.advance(width)
			p.buf = utf8.AppendRune(p.buf, e)
			return
		}
		letter = !letter
	}
	length := 0
	switch c {
	case 'x':
		length = 2
	case 'u':
		length = 4
	case 'U':
		length = 8
	default:
		p.failHere("`\\` and this character are no escape sequence; write `\\\\` for a backslash, or use single quotes")
	}
	end := min(p.i+1+length, len(p.text))
	x, err := strconv.ParseUint(p.text[p.i+1:end], 16, 32)
	if end < p.i+1+length || err != nil || x > utf8.MaxRune || !utf8.ValidRune(rune(x)) {
		p.failHere("the escape sequence `\\%c` needs %d hexadecimal digits of a character; correct it", c, length)
	}
	p.i = end
	p.buf = utf8.AppendRune(p.buf, rune(x))
}

// literal reads a scalar that begins with | or >.
func (p *parser) literal(sign byte) *Node {
	style := LiteralStyle
	if sign == '>' {
		style = FoldedStyle
	}
	n := p.node(ScalarNode, style, "!!str", p.line, p.col())
	p.buf = p.buf[:0]
	p.advance(1)
	keep, indent := p.header()
	trailing := p.indentation(&indent)
	var ended, shifted bool // the last line has an end; it is indented more
	for p.col()-1 == indent && !p.end() {
		blank := p.blank(0)
		switch {
		case sign == '>' && !shifted && !blank && ended:
			if trailing == 0 {
				p.buf = append(p.buf, ' ')
			}
		case ended:
			p.buf = append(p.buf, '\n')
		}
		p.breaks(trailing)
		shifted = blank
		from := p.i
		p.comment()
		p.buf = append(p.buf, p.text[from:p.i]...)
		ended = p.newline()
		trailing = p.indentation(&indent)
	}
	if keep != '-' && ended {
		p.buf = append(p.buf, '\n')
	}
	if keep == '+' {
		p.breaks(trailing)
	}
	p.keyOK = true
	n.Value = string(p.buf)
	return n
}

// header reads what may follow | or > in its line: how line ends at the end are
// kept, + or -, and how much the text is indented; 0: as its first line.
func (p *parser) header() (keep byte, indent int) {
	for range 2 {
		switch c := p.peek(0); {
		case keep == 0 && (c == '+' || c == '-'):
			keep = c
		case indent == 0 && c >= '1' && c <= '9':
			indent = int(c-'0') + max(p.indent, 0)
		default:
			continue
		}
		p.advance(1)
	}
	for p.blank(0) {
		p.i++
	}
	if p.at('#') {
		p.comment()
	}
	if !p.lineEnd(0) {
		p.failHere("text begins in the line after `|` or `>`; write it there, or put it in quotes")
	}
	p.newline()
	return keep, indent
}

// indentation passes over the space that indents a line, and over empty lines,
// which it counts. An indent of 0 becomes that of the first line.
func (p *parser) indentation(indent *int) (breaks int) {
	most := 0
	for {
		for (*indent == 0 || p.col()-1 < *indent) && p.at(' ') {
			p.i++
		}
		column := p.col() - 1
		most = max(most, column)
		if (*indent == 0 || column < *indent) && p.at('\t') {
			p.failHere("a tab cannot indent; use spaces")
		}
		if !p.newline() {
			break
		}
		breaks++
	}
	if *indent == 0 {
		*indent = max(most, p.indent+1, 1)
	}
	return breaks
}
