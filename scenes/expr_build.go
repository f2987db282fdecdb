package scenes

import (
	"slices"

	"vignette/scenes/engine"
)

// exprType is what a part of an expression gives.
type exprType struct {
	kind   engine.ValueKind
	of     *quantity // of a number with a unit; nil: none
	diff   bool      // the difference of two temperatures, in kelvin
	signal *Signal   // of a label
}

// points reports whether numbers of the quantity count from a zero that is set
// by agreement, as Celsius and Fahrenheit do: they cannot be added.
func (q *quantity) points() bool {
	return slices.ContainsFunc(q.units, func(u unit) bool { return u.offset != "" })
}

// point reports whether a number is such a point on a scale.
func (t exprType) point() bool { return t.of != nil && t.of.points() && !t.diff }

// expr compiles an expression into terms.
func (b *builder) expr(e *Expr) engine.Expr {
	if e == nil {
		return nil // noted by the parser
	}
	b.types = map[*exprNode]exprType{}
	t, ok := b.typeOf(e.root)
	if ok && t.kind != engine.Bool {
		b.fault(e.root.pos, "the expression gives %s; compare it, such as %s > 5%s", t, sample(e.root), unitSample(t))
		ok = false
	}
	if ok && len(e.Signals()) == 0 {
		b.fault(e.root.pos, "the expression names no signal, so it is always the same; compare one")
		ok = false
	}
	if !ok {
		return nil
	}
	return b.lower(nil, e.root, nil)
}

// String names a type for messages.
func (t exprType) String() string {
	switch {
	case t.kind == engine.Bool:
		return "true or false"
	case t.kind == engine.Label:
		return "a label"
	case t.diff:
		return "a difference of temperatures (K)"
	case t.of != nil:
		return t.of.name + " (" + t.of.units[0].name + ")"
	}
	return "a number without a unit"
}

// sample is a signal of the part for an example.
func sample(n *exprNode) string {
	if s := n.leftmost(signalNode, func(*exprNode) bool { return true }); s != nil && s == n {
		return s.signal.Text
	}
	return "…"
}

func unitSample(t exprType) string {
	switch {
	case t.diff:
		return " K"
	case t.of != nil:
		return " " + t.of.units[0].name
	}
	return ""
}

// typeOf gives the type of a part and keeps it for lower. What is wrong in the
// part is noted; ok is then false.
func (b *builder) typeOf(n *exprNode) (exprType, bool) {
	t, ok := b.infer(n)
	b.types[n] = t
	return t, ok
}

func (b *builder) infer(n *exprNode) (t exprType, ok bool) {
	var of []exprType
	ok = true
	for _, c := range n.of {
		ct, cok := b.typeOf(c)
		of, ok = append(of, ct), ok && cok
	}
	if !ok {
		return exprType{}, false
	}
	switch n.kind {
	case literalNode:
		return b.literalType(n)
	case signalNode:
		return b.signalType(n)
	case notNode:
		return exprType{kind: engine.Bool}, b.wants(engine.Bool, n.word, n.at, n.of, of)
	case signNode, absNode:
		return of[0], b.wants(engine.Number, n.word, n.at, n.of, of) && b.noPoint(n.word, n.at, of[0])
	case compareNode:
		return exprType{kind: engine.Bool}, b.comparable(n, of)
	case betweenNode:
		return exprType{kind: engine.Bool}, b.wants(engine.Number, n.word, n.at, n.of, of) && b.alike(n.word, n.at, of[0], of[1]) && b.alike(n.word, n.at, of[0], of[2])
	}
	t = of[0]
	for i, op := range n.ops {
		if t, ok = b.joinType(op, n.of[i:i+2], t, of[i+1]); !ok {
			return exprType{}, false
		}
	}
	return t, true
}

func (b *builder) literalType(n *exprNode) (exprType, bool) {
	t := exprType{kind: n.lit.Kind}
	if n.unit.Text != "" {
		q, u, _ := findUnit(n.unit.Text) // the lexer takes known units only
		t.of, t.diff = q, q.points() && u.name == "kelvin"
	}
	return t, true
}

func (b *builder) signalType(n *exprNode) (exprType, bool) {
	s := b.signal(n.signal)
	if s == nil {
		return exprType{}, false
	}
	t := exprType{kind: s.Kind}
	if s.Kind == engine.Label {
		t.signal = s
	}
	if s.Unit != "" {
		t.of, _, _ = findUnit(s.Unit)
	}
	return t, true
}

// wants holds that all operands are of a kind.
func (b *builder) wants(kind engine.ValueKind, word string, at Pos, nodes []*exprNode, of []exprType) bool {
	for i, t := range of {
		switch {
		case t.kind == kind:
			continue
		case kind == engine.Bool && t.kind == engine.Number:
			b.fault(nodes[i].pos, "`%s` takes what is true or false; this is %s: compare it, such as %s > 5%s", word, t, sample(nodes[i]), unitSample(t))
		case kind == engine.Bool:
			b.fault(nodes[i].pos, "`%s` takes what is true or false; this is %s: compare it with == or !=", word, t)
		default:
			b.fault(nodes[i].pos, "`%s` takes numbers; this is %s", word, t)
		}
		return false
	}
	return true
}

// noPoint refuses what makes no sense of temperatures.
func (b *builder) noPoint(word string, at Pos, t exprType) bool {
	if t.point() {
		b.fault(at, "`%s` of a temperature depends on where the scale has its zero; use a difference, such as a - b", word)
		return false
	}
	return true
}

// alike holds that two numbers can be compared.
func (b *builder) alike(word string, at Pos, x, y exprType) bool {
	switch {
	case x.of == y.of && x.diff == y.diff:
		return true
	case x.of == y.of:
		b.fault(at, "`%s`: the left side is %s, the right side %s; write a difference in K, and a temperature in Celsius or Fahrenheit", word, x, y)
	case x.of == nil || y.of == nil:
		with := x
		if with.of == nil {
			with = y
		}
		b.fault(at, "`%s`: the left side is %s, the right side %s; give both a unit, such as 5%s", word, x, y, unitSample(with))
	default:
		b.fault(at, "`%s`: the left side is %s, the right side %s; they do not mix", word, x, y)
	}
	return false
}

// comparable holds that the sides of a comparison go together. Equality is of
// labels, booleans and numbers that are always whole (lower checks that).
func (b *builder) comparable(n *exprNode, of []exprType) bool {
	equality := n.word == "==" || n.word == "!="
	x, y := of[0], of[1]
	switch {
	case x.kind == engine.Number && y.kind == engine.Number:
		return b.alike(n.word, n.at, x, y)
	case !equality:
		return b.wants(engine.Number, n.word, n.at, n.of, of)
	case x.kind != y.kind:
		b.fault(n.at, "`%s`: the left side is %s, the right side %s; they are never equal", n.word, x, y)
		return false
	case x.kind == engine.Label:
		return b.comparableLabels(n, x, y)
	}
	return true
}

func (b *builder) comparableLabels(n *exprNode, x, y exprType) bool {
	s, l := x.signal, n.of[1].lit
	if s == nil {
		s, l = y.signal, n.of[0].lit
	}
	switch {
	case x.signal != nil && y.signal != nil:
		b.fault(n.at, "`%s`: labels of two signals cannot be compared; compare each with a label in quotes", n.word)
	case s == nil:
		b.fault(n.at, "`%s`: neither side is a signal; compare one with a label", n.word)
	case !slices.Contains(s.Labels, l.Text):
		b.unknown(l.Pos, "%s", noLabel(s.Path, l.Text, s.Labels))
		b.lacks(Lack{Kind: LackValue, Name: l.Text, Of: s.Path})
	default:
		return true
	}
	return false
}

// joinType is the type of two operands and the operator between them.
func (b *builder) joinType(op exprOp, nodes []*exprNode, x, y exprType) (exprType, bool) {
	of := []exprType{x, y}
	if op.op == engine.Both || op.op == engine.Either {
		return exprType{kind: engine.Bool}, b.wants(engine.Bool, op.word, op.pos, nodes, of)
	}
	if !b.wants(engine.Number, op.word, op.pos, nodes, of) {
		return exprType{}, false
	}
	switch op.op {
	case engine.Add, engine.Subtract:
		return b.sumType(op, x, y)
	case engine.Multiply, engine.Divide:
		return b.productType(op, x, y)
	}
	return x, b.alike(op.word, op.pos, x, y)
}

// sumType: of temperatures only a difference can be added or taken away; two
// temperatures differ by a difference.
func (b *builder) sumType(op exprOp, x, y exprType) (exprType, bool) {
	switch {
	case x.of != y.of || !x.point() && !y.point():
		return x, b.alike(op.word, op.pos, x, y)
	case x.point() && y.diff:
		return x, true
	case op.op == engine.Add && y.point() && x.diff:
		return y, true
	case op.op == engine.Subtract && x.point() && y.point():
		x.diff = true
		return x, true
	}
	b.fault(op.pos, "`%s`: the left side is %s, the right side %s; only a difference can be added to a temperature or taken from it, such as a + 2 K or a + (b - a) / 2", op.word, x, y)
	return exprType{}, false
}

// productType: a unit may be multiplied or divided by a number without one;
// dividing two of a kind gives a number without unit.
func (b *builder) productType(op exprOp, x, y exprType) (exprType, bool) {
	switch {
	case x.point() || y.point():
		t := x
		if !t.point() {
			t = y
		}
		return exprType{}, b.noPoint(op.word, op.pos, t)
	case y.of == nil:
		return x, true
	case op.op == engine.Multiply && x.of == nil:
		return y, true
	case op.op == engine.Divide && x.of == y.of && x.diff == y.diff:
		return exprType{kind: engine.Number}, true
	}
	what, do := "multiplied", "one side of `*` has no unit"
	if op.op == engine.Divide {
		what, do = "divided", "divide by a number without unit, or by one of the same kind"
	}
	b.fault(op.pos, "`%s`: %s and %s cannot be %s; %s", op.word, x, y, what, do)
	return exprType{}, false
}
