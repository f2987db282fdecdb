package yaml

// value reads a value that is no block collection.
func (p *parser) value() *Node {
	switch c := p.peek(0); {
	case c == '[' && !p.end():
		return p.list()
	case c == '{':
		return p.object()
	case c == '"', c == '\'':
		return p.quoted(c)
	case c == '*':
		return p.alias()
	case (c == '|' || c == '>') && p.flow == 0:
		return p.literal(c)
	}
	p.plainBegins()
	return p.plain()
}

// plainBegins fails where no plain scalar can begin.
func (p *parser) plainBegins() {
	c := p.peek(0)
	switch {
	case p.end():
		p.failHere("the text ends where a value is expected; close what is open")
	case p.flow > 0 && (p.mark('-') || p.mark('.')):
		p.failHere("a document ends within brackets; close them before")
	case c == '?' && p.flow > 0:
		p.failHere("a `?` in brackets is not read; put the text in quotes")
	case c == '?' && p.gap(1):
		p.failHere("keys with `?` are not read; write `key: value`")
	case c == '-' && p.gap(1):
		p.failHere("an entry with `-` cannot be in brackets; separate entries by commas")
	case c == ',':
		p.failHere("a `,` has no value before it; remove it, or put the text in quotes")
	case c == '|', c == '>':
		p.failHere("text with `%c` cannot be in brackets; put it in quotes", c)
	case c == '%', c == '@', c == '`':
		p.failHere("a text cannot begin with this character; put it in quotes")
	case c == '\t', c == ']', c == '}', c == ':' && (p.flow > 0 || p.gap(1)):
		p.unexpected()
	}
}

// list reads a list in brackets.
func (p *parser) list() *Node {
	n := p.node(SequenceNode, FlowStyle, "!!seq", p.line, p.col())
	p.open()
	for !p.closed(n, '[', ']') {
		line, column, from := p.line, p.col(), p.i
		e := p.entry()
		if p.colon(from, line, true) {
			pair := p.node(MappingNode, FlowStyle, "!!map", line, column)
			pair.Content = append(pair.Content, e, p.valueOf(']'))
			e = pair
		}
		n.Content = append(n.Content, e)
		p.separated(n, '[', ']')
	}
	return n
}

// object reads a mapping in braces.
func (p *parser) object() *Node {
	n := p.node(MappingNode, FlowStyle, "!!map", p.line, p.col())
	p.open()
	for !p.closed(n, '{', '}') {
		line, from := p.line, p.i
		key := p.entry()
		var value *Node
		if p.colon(from, line, true) {
			value = p.valueOf('}')
			p.separated(n, '{', '}')
		} else {
			p.skip()
			value = p.null(p.line, p.col())
			p.separated(n, '{', '}')
		}
		n.Content = append(n.Content, key, value)
	}
	return n
}

func (p *parser) open() {
	p.flow++
	p.advance(1)
}

// closed passes over the bracket that closes a collection, if it comes next.
func (p *parser) closed(n *Node, open, bracket byte) bool {
	p.skip()
	if p.end() {
		p.fail(n.Line, n.Column, "`%c` is not closed; add `%c`", open, bracket)
	}
	if !p.at(bracket) {
		return false
	}
	p.advance(1)
	p.flow--
	p.keyOK = false
	return true
}

// separated passes over the comma behind an entry; there is none before the
// closing bracket.
func (p *parser) separated(n *Node, open, bracket byte) {
	switch p.skip(); {
	case p.at(','):
		p.advance(1)
	case !p.at(bracket) && !p.end():
		p.failHere("`,` or `%c` is missing before this; line %d opens with `%c`", bracket, n.Line, open)
	}
}

// entry reads a value in a collection in brackets.
func (p *parser) entry() *Node {
	p.enter(p.line, p.col())
	defer p.leave()
	line, column := p.line, p.col()
	if c := byte(0); p.properties() {
		if c = p.peek(0); c == ',' || c == ']' || c == '}' || c == ':' {
			return p.null(line, column)
		}
	}
	return p.value()
}

// valueOf reads what follows a colon, which comes next.
func (p *parser) valueOf(bracket byte) *Node {
	line, column := p.line, p.col()
	p.advance(1)
	p.skip()
	if p.at(',') || p.at(bracket) {
		if bracket == '}' {
			line, column = p.line, p.col()
		}
		return p.null(line, column)
	}
	return p.entry()
}

// properties passes over anchors and tags, and notes them.
func (p *parser) properties() (any bool) {
	for p.at('&') || p.at('!') {
		any = true
		line, column := p.line, p.col()
		if p.at('&') {
			p.note(line, column, "anchor `%s` is not allowed; write the value where it is used", p.word())
		} else {
			p.note(line, column, "tag `%s` is not allowed; leave it out", p.word())
		}
		p.skip()
	}
	return any
}

// word passes over what is not space and no bracket or comma.
func (p *parser) word() string {
	from := p.i
	for p.i++; !p.gap(0) && !p.breaksFlow(p.peek(0)); p.i++ {
	}
	return p.text[from:p.i]
}

// alias notes an alias.
func (p *parser) alias() *Node {
	n := p.node(AliasNode, 0, "", p.line, p.col())
	n.Value = p.word()[1:]
	p.note(n.Line, n.Column, "alias `*%s` is not allowed; write the value out", n.Value)
	p.keyOK = false
	return n
}

// breaksFlow reports whether c ends a plain scalar in brackets.
func (p *parser) breaksFlow(c byte) bool {
	switch c {
	case ',', '?', '[', ']', '{', '}':
		return p.flow > 0
	}
	return false
}
