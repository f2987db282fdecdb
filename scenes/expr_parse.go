package scenes

import (
	"slices"
	"strconv"
	"strings"

	"vignette/scenes/engine"
)

// exprParser is a recursive-descent parser of one expression. It notes the
// first thing that is wrong and then reads no further.
type exprParser struct {
	*reader
	text   []rune
	places []Pos // of each rune, and of the end
	i      int   // the next rune
	tok    token
	nodes  int
	failed bool
}

var (
	exprWords   = []string{"and", "or", "not", "true", "false", "min", "max", "abs", "between"}
	comparisons = []string{"==", "!=", "<", "<=", ">", ">="}
	termOf      = map[string]engine.TermOp{"and": engine.Both, "or": engine.Either, "+": engine.Add, "-": engine.Subtract,
		"*": engine.Multiply, "/": engine.Divide, "min": engine.Least, "max": engine.Greatest, "==": engine.Equal, "!=": engine.NotEqual,
		"<": engine.Less, "<=": engine.LessEqual, ">": engine.Greater, ">=": engine.GreaterEqual,
		"not": engine.Invert, "abs": engine.Absolute, "between": engine.Inside}
)

// fail notes what is wrong, once.
func (p *exprParser) fail(at Pos, format string, args ...any) {
	if !p.failed {
		p.diags.add(p.file, at, format, args...)
	}
	p.failed = true
	p.tok = token{pos: at}
}

// node counts a node and takes the depth of its operands.
func (p *exprParser) node(n *exprNode) *exprNode {
	n.depth = 1
	for _, c := range n.of {
		n.depth = max(n.depth, c.depth+1)
	}
	if p.nodes += max(1, len(n.ops)); n.kind == foldNode && n.ops[0].word == n.word {
		p.nodes -= len(n.ops) - 1 // a call of min or max counts once
	}
	switch {
	case p.nodes > maxExprNodes:
		p.fail(n.pos, "the expression has more than %d operands, operators and functions; split it into several conditions", maxExprNodes)
	case n.depth > maxExprDepth:
		p.tooDeep(n.pos)
	}
	return n
}

func (p *exprParser) tooDeep(at Pos) {
	p.fail(at, "the expression nests more than %d deep; split it into several conditions", maxExprDepth)
}

// joined reads operands that the words join, as one node.
func (p *exprParser) joined(level int, operand func(int) *exprNode, words ...string) *exprNode {
	n := operand(level)
	if !slices.Contains(words, p.tok.text) || p.tok.kind != wordToken && p.tok.kind != signToken {
		return n
	}
	fold := &exprNode{kind: foldNode, pos: n.pos, of: []*exprNode{n}, at: p.tok.pos}
	for !p.failed && (p.tok.kind == wordToken || p.tok.kind == signToken) && slices.Contains(words, p.tok.text) {
		fold.ops = append(fold.ops, exprOp{termOf[p.tok.text], p.tok.text, p.tok.pos})
		p.next()
		fold.of = append(fold.of, operand(level))
	}
	return p.node(fold)
}

func (p *exprParser) condition(level int) *exprNode { return p.joined(level, p.and, "or") }
func (p *exprParser) and(level int) *exprNode       { return p.joined(level, p.not, "and") }
func (p *exprParser) sum(level int) *exprNode       { return p.joined(level, p.product, "+", "-") }
func (p *exprParser) product(level int) *exprNode   { return p.joined(level, p.signed, "*", "/") }

func (p *exprParser) not(level int) *exprNode {
	return p.prefixed(level, "not", notNode, p.not, p.comparison)
}
func (p *exprParser) signed(level int) *exprNode {
	if minus := p.tok; minus.kind == signToken && minus.text == "-" && p.i < len(p.text) && digit(p.text[p.i]) {
		p.next()
		n := p.numeral() // -40 Celsius is a temperature, not the opposite of one
		n.pos, n.lit.Pos, n.lit.Num = minus.pos, minus.pos, 0-n.lit.Num
		return n
	}
	return p.prefixed(level, "-", signNode, p.signed, p.primary)
}

// prefixed reads an operand that a word or sign may stand before.
func (p *exprParser) prefixed(level int, word string, kind exprKind, again, operand func(int) *exprNode) *exprNode {
	if p.tok.text != word || p.tok.kind != wordToken && p.tok.kind != signToken {
		return operand(level)
	}
	n := &exprNode{kind: kind, pos: p.tok.pos, at: p.tok.pos, word: word}
	if level >= maxExprDepth {
		p.tooDeep(n.pos)
		return n
	}
	p.next()
	n.of = []*exprNode{again(level + 1)}
	return p.node(n)
}

func (p *exprParser) comparison(level int) *exprNode {
	n := p.sum(level)
	if p.tok.kind != signToken || !slices.Contains(comparisons, p.tok.text) {
		return n
	}
	op := exprOp{termOf[p.tok.text], p.tok.text, p.tok.pos}
	p.next()
	return p.node(&exprNode{kind: compareNode, pos: n.pos, word: op.word, at: op.pos, ops: []exprOp{op}, of: []*exprNode{n, p.sum(level)}})
}

func (p *exprParser) primary(level int) *exprNode {
	t := p.tok
	switch {
	case p.failed:
	case t.kind == numberToken:
		return p.numeral()
	case t.kind == labelToken:
		p.next()
		return p.node(&exprNode{pos: t.pos, lit: Literal{Pos: t.pos, Kind: engine.Label, Text: t.text}})
	case t.kind == wordToken:
		return p.word(level)
	case t.kind == signToken && t.text == "(":
		if level >= maxExprDepth {
			p.tooDeep(t.pos)
			break
		}
		p.next()
		n := p.condition(level + 1)
		p.closing(t)
		return n
	case t.kind == endToken:
		p.fail(t.pos, "the expression ends too early; give a signal, a number, a label in quotes, or (")
	default:
		p.fail(t.pos, "`%s` cannot stand here; give a signal, a number, a label in quotes, or (", t.text)
	}
	return &exprNode{pos: t.pos}
}

// closing reads the bracket that closes open.
func (p *exprParser) closing(open token) {
	if p.failed {
		return
	}
	if p.tok.kind != signToken || p.tok.text != ")" {
		what := "the expression ends here"
		if p.tok.kind != endToken {
			what = "found `" + p.tok.text + "`"
		}
		p.fail(p.tok.pos, "`(` at %d:%d is not closed; add `)` (%s)", open.pos.Line, open.pos.Column, what)
		return
	}
	p.next()
}

// numeral reads a number with its unit.
func (p *exprParser) numeral() *exprNode {
	t := p.tok
	if p.failed {
		return &exprNode{pos: t.pos}
	}
	x, err := strconv.ParseFloat(t.text, 64)
	if err != nil {
		p.fail(t.pos, "`%s` is too large a number; correct it", t.text)
	}
	n := &exprNode{pos: t.pos, lit: Literal{Pos: t.pos, Kind: engine.Number, Num: x}}
	n.unit = p.unit()
	p.next()
	return p.node(n)
}

// word reads a boolean, a function or a signal.
func (p *exprParser) word(level int) *exprNode {
	t := p.tok
	p.next()
	switch t.text {
	case "true", "false":
		n := &exprNode{pos: t.pos, lit: Literal{Pos: t.pos, Kind: engine.Bool}}
		if t.text == "true" {
			n.lit.Num = 1
		}
		return p.node(n)
	case "min", "max", "abs", "between":
		return p.call(level, t)
	}
	if isPath(t.text) {
		return p.node(&exprNode{kind: signalNode, pos: t.pos, signal: Name{t.text, t.pos}})
	}
	switch {
	case p.failed:
	case t.text == "state" || t.text == "power" || t.text == "time":
		p.fail(t.pos, "`%s` is not part of an expression; write a condition of its own beside it, such as {state: parked}", t.text)
	case p.tok.text == "(":
		p.fail(t.pos, "`%s` is not a function%s", t.text, orElse(hint(t.text, exprWords), "; known are `min`, `max`, `abs` and `between`"))
	default:
		p.fail(t.pos, "`%s` is neither a signal nor a word of the language%s; labels stand in quotes", t.text, lowerCase(t.text))
	}
	return &exprNode{pos: t.pos}
}

// lowerCase hints at a word of the language in capitals.
func lowerCase(word string) string {
	if lower := strings.ToLower(word); slices.Contains(exprWords, lower) {
		return "; write `" + lower + "`"
	}
	return ""
}

// call reads the operands of a function.
func (p *exprParser) call(level int, name token) *exprNode {
	n := &exprNode{pos: name.pos, word: name.text, at: name.pos}
	open := p.tok
	if p.failed || open.kind != signToken || open.text != "(" {
		p.fail(name.pos, "`%s` is a function; write %s", name.text, written[name.text])
		return n
	}
	if level >= maxExprDepth {
		p.tooDeep(name.pos)
		return n
	}
	for more := true; more && !p.failed; more = p.tok.kind == signToken && p.tok.text == "," {
		p.next()
		n.of = append(n.of, p.condition(level+1))
	}
	p.closing(open)
	if p.failed {
		return n
	}
	switch k := len(n.of); {
	case name.text == "abs" && k == 1:
		n.kind = absNode
	case name.text == "between" && k == 3:
		n.kind = betweenNode
	case (name.text == "min" || name.text == "max") && k > 1:
		n.kind = foldNode
		for range n.of[1:] {
			n.ops = append(n.ops, exprOp{termOf[name.text], name.text, name.pos})
		}
	default:
		p.fail(name.pos, "`%s` has %d operands; write %s", name.text, k, written[name.text])
		return n
	}
	return p.node(n)
}

// written says how each function is written.
var written = map[string]string{"min": "min(x, y, …)", "max": "max(x, y, …)", "abs": "abs(x)", "between": "between(x, low, high)"}
