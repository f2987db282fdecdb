package scenes

import (
	"math"
	"slices"

	"vignette/scenes/engine"
)

// carriers are the operands that give a part its unit. A quotient of two of a
// kind has none: in a product they are what comes after the last such division.
func (b *builder) carriers(n *exprNode) []*exprNode {
	from := 0
	for i, op := range n.ops {
		if op.op == engine.Divide && b.types[n.of[i+1]].of != nil {
			from = i + 2
		}
	}
	return n.of[from:]
}

// leaves visits the signals and literals that give a part its unit.
func (b *builder) leaves(n *exprNode, each func(*exprNode)) {
	if b.types[n].of == nil {
		return
	}
	if len(n.of) == 0 {
		each(n)
	}
	for _, c := range b.carriers(n) {
		b.leaves(c, each)
	}
}

// unitFor is the unit in which parts are compared, added or divided: that of
// the first signal, else of the first literal; nil where they have none.
// Temperatures are in Celsius, so that their differences are in kelvin.
func (b *builder) unitFor(nodes ...*exprNode) *unit {
	var signal, literal *unit
	for _, n := range nodes {
		b.leaves(n, func(leaf *exprNode) {
			name, first := leaf.unit.Text, &literal
			if leaf.kind == signalNode {
				name, first = b.v.Signal(leaf.signal.Text).Unit, &signal
			}
			if q, u, _ := findUnit(name); *first == nil {
				*first = u
				if q.points() {
					*first = &q.units[0]
				}
			}
		})
	}
	if signal != nil {
		return signal
	}
	return literal
}

// lower appends the terms of a part; its numbers are to be in unit to, if they
// have one.
func (b *builder) lower(out engine.Expr, n *exprNode, to *unit) engine.Expr {
	switch n.kind {
	case literalNode:
		return append(out, engine.Term{Op: engine.Constant, X: b.constant(n, to)})
	case signalNode:
		return append(out, b.reading(n, to))
	case compareNode:
		return b.lowerComparison(out, n)
	case betweenNode:
		to = b.unitFor(n.of...)
		for _, c := range n.of {
			out = b.lower(out, c, to)
		}
		return append(out, engine.Term{Op: engine.Inside})
	case foldNode:
		return b.lowerFold(out, n, to)
	}
	op := map[exprKind]engine.TermOp{notNode: engine.Invert, signNode: engine.Negate, absNode: engine.Absolute}[n.kind]
	return append(b.lower(out, n.of[0], to), engine.Term{Op: op})
}

// lowerFold joins operands from left to right. Where one is divided by one of
// its kind, the two and what stands before them have a unit among themselves.
func (b *builder) lowerFold(out engine.Expr, n *exprNode, to *unit) engine.Expr {
	units := slices.Repeat([]*unit{to}, len(n.of))
	from := 0
	for i, op := range n.ops {
		if op.op == engine.Divide && b.types[n.of[i+1]].of != nil {
			u := b.unitFor(n.of[from : i+2]...)
			for ; from < i+2; from++ {
				units[from] = u
			}
		}
	}
	out = b.lower(out, n.of[0], units[0])
	for i, op := range n.ops {
		out = append(b.lower(out, n.of[i+1], units[i+1]), engine.Term{Op: op.op})
	}
	return out
}

func (b *builder) lowerComparison(out engine.Expr, n *exprNode) engine.Expr {
	to := b.unitFor(n.of...)
	if op := n.ops[0].op; op == engine.Equal || op == engine.NotEqual {
		b.checkEquality(n, to)
	}
	for i, c := range n.of {
		if other := b.types[n.of[1-i]].signal; c.kind == literalNode && other != nil {
			out = append(out, engine.Term{Op: engine.Constant, X: float64(slices.Index(other.Labels, c.lit.Text))})
			continue
		}
		out = b.lower(out, c, to)
	}
	return append(out, engine.Term{Op: n.ops[0].op})
}

// checkEquality holds that equality is asked of whole numbers only, and of a
// signal only with a value that it can have.
func (b *builder) checkEquality(n *exprNode, to *unit) {
	if b.types[n.of[0]].kind != engine.Number {
		return
	}
	for i, c := range n.of {
		other := n.of[1-i]
		if c.kind == signalNode && other.kind == literalNode {
			s := b.v.Signal(c.signal.Text)
			if x := b.constant(other, to); s.whole && b.wholeSignal(s, to) {
				b.listed(s, x, other.pos)
				return
			}
		}
	}
	for _, c := range n.of {
		if !b.whole(c, to) {
			b.fault(c.pos, "`%s`: this is not always a whole number, so equality would miss it; compare with < and >, or use between(x, low, high)", n.word)
			return
		}
	}
}

// whole reports whether a part is a whole number whatever the signals are.
func (b *builder) whole(n *exprNode, to *unit) bool {
	switch n.kind {
	case literalNode:
		x := b.constant(n, to)
		return x == math.Trunc(x)
	case signalNode:
		return b.wholeSignal(b.v.Signal(n.signal.Text), to)
	}
	return !slices.ContainsFunc(n.ops, func(op exprOp) bool { return op.op == engine.Divide }) &&
		!slices.ContainsFunc(n.of, func(c *exprNode) bool { return !b.whole(c, to) })
}

// wholeSignal reports whether a signal is always whole in a unit.
func (b *builder) wholeSignal(s *Signal, to *unit) bool {
	return s.whole && (s.Unit == "" || to == nil || s.Unit == to.name)
}

// constant is a number, a truth or, as 0, a label in the unit wanted.
func (b *builder) constant(n *exprNode, to *unit) float64 {
	_, from, ok := findUnit(n.unit.Text)
	if !ok || to == nil || b.types[n].diff {
		return n.lit.Num // kelvin, of which a difference is, is as large as Celsius
	}
	x := convert(from, to).Apply(n.lit.Num)
	if math.IsInf(x, 0) {
		b.fault(n.pos, "%s %s is too large a number in %s", show(n.lit.Num), n.unit.Text, to.name)
	}
	return x
}

// reading is a signal in the unit wanted.
func (b *builder) reading(n *exprNode, to *unit) engine.Term {
	s := b.v.Signal(n.signal.Text)
	t := engine.Term{Op: engine.Reading, Slot: b.slot(s.Path), X: 1}
	if _, from, ok := findUnit(s.Unit); ok && to != nil {
		c := convert(from, to)
		t.X, t.Y = c.Scale, c.Offset
	}
	return t
}
