package scenes

import (
	"slices"
	"strings"

	"vignette/scenes/engine"
)

// Limits of an expression.
const (
	maxExprDepth = 10
	maxExprNodes = 64
)

// Expr is the expression of an `expr` condition: arithmetic, comparisons and
// and/or/not over signals and literals. It has no loops and calls nothing out.
//
//	condition  = and { "or" and }
//	and        = not { "and" not }
//	not        = "not" not | comparison
//	comparison = sum [ ( "==" | "!=" | "<" | "<=" | ">" | ">=" ) sum ]
//	sum        = product { ( "+" | "-" ) product }
//	product    = sign { ( "*" | "/" ) sign }
//	sign       = "-" number [ unit ] | "-" sign | primary
//	primary    = number [ unit ] | "true" | "false" | label | signal
//	           | "(" condition ")" | function "(" condition { "," condition } ")"
//
// Functions are min, max (two operands or more), abs (one) and between (three:
// value, low, high, both included). A label is in single or double quotes.
type Expr struct {
	Text string // as written, in one line
	root *exprNode
}

// exprKind is the kind of a node.
type exprKind uint8

const (
	literalNode exprKind = iota
	signalNode
	notNode
	signNode
	absNode
	foldNode    // operands joined by ops, left to right: and, or, sum, product, min, max
	compareNode // two operands
	betweenNode // three operands
)

// exprNode is a node of an expression as written.
type exprNode struct {
	kind   exprKind
	pos    Pos // where it begins
	signal Name
	lit    Literal
	unit   Name
	word   string // not, abs, between, a comparison, or the first of ops, as written
	at     Pos    // of the word
	ops    []exprOp
	of     []*exprNode
	depth  int // 1: a leaf
}

// exprOp is an operator between two operands of a fold or comparison.
type exprOp struct {
	op   engine.TermOp
	word string
	pos  Pos
}

// Signals are the signals that the expression names, in the order of the text.
func (e *Expr) Signals() (names []Name) {
	if e == nil {
		return nil
	}
	e.root.walk(func(n *exprNode) {
		if n.kind == signalNode {
			names = append(names, n.signal)
		}
	})
	return names
}

// Places are where each term of the compiled expression begins in the card, in
// the order of the terms.
func (e *Expr) Places() (places []Pos) {
	e.root.postfix(func(n *exprNode, _ int) { places = append(places, n.pos) })
	return places
}

func (n *exprNode) walk(each func(*exprNode)) {
	each(n)
	for _, c := range n.of {
		c.walk(each)
	}
}

// postfix visits the terms in the order of evaluation. A fold of k operands
// comes k-1 times, with the place of its operator.
func (n *exprNode) postfix(each func(n *exprNode, op int)) {
	for i, c := range n.of {
		c.postfix(each)
		if n.kind == foldNode && i > 0 {
			each(n, i-1)
		}
	}
	if n.kind != foldNode {
		each(n, 0)
	}
}

// leftmost is the first node of a kind in the order of the text.
func (n *exprNode) leftmost(kind exprKind, fits func(*exprNode) bool) *exprNode {
	if n.kind == kind && fits(n) {
		return n
	}
	for _, c := range n.of {
		if found := c.leftmost(kind, fits); found != nil {
			return found
		}
	}
	return nil
}

// readExpr reads the text of an `expr` condition.
func readExpr(r *reader, text string, places []Pos) *Expr {
	p := exprParser{reader: r, text: []rune(text), places: places}
	p.next()
	root := p.condition(0)
	if p.failed {
		return nil
	}
	if p.tok.kind != endToken {
		p.fail(p.tok.pos, "`%s` does not continue the expression; join conditions with `and` or `or`%s", p.tok.text, chained(root, p.tok.text))
		return nil
	}
	return &Expr{strings.Join(strings.Fields(text), " "), root}
}

// chained hints at comparisons that were written in a chain.
func chained(before *exprNode, word string) string {
	if before.kind == compareNode && slices.Contains(comparisons, word) {
		return ", and write between(x, low, high) for a range"
	}
	return ""
}
