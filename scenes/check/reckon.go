package check

import (
	"fmt"
	"math"

	"vignette/scenes/engine"
)

var inf = math.Inf(1)

// node is a part of an expression as a tree.
type node struct {
	engine.Term
	at  int // index of its term
	of  []*node
	key string // what it reckons, the same for the same
}

// tree is the tree of an expression that the engine has checked.
func tree(e engine.Expr) *node {
	var stack []*node
	for i, t := range e {
		n := &node{Term: t, at: i}
		k := len(stack) - operands(t.Op)
		n.of = append(n.of, stack[k:]...)
		n.key = fmt.Sprint(t.Op, t.Slot, t.X, t.Y)
		for _, c := range n.of {
			n.key += "(" + c.key + ")"
		}
		stack = append(stack[:k], n)
	}
	return stack[0]
}

func operands(op engine.TermOp) int {
	switch {
	case op == engine.Constant || op == engine.Reading:
		return 0
	case op == engine.Negate || op == engine.Absolute || op == engine.Invert:
		return 1
	case op == engine.Inside:
		return 3
	}
	return 2
}

// truth reports whether a part gives true or false and no number; of a reading
// the comparison that it stands in says.
func (n *node) truth() bool {
	switch n.Op {
	case engine.Invert, engine.Both, engine.Either, engine.Less, engine.LessEqual, engine.Greater, engine.GreaterEqual,
		engine.Equal, engine.NotEqual, engine.Inside:
		return true
	}
	return false
}

// holds is where a part that gives true or false is the one or the other.
func (s *space) holds(n *node, truth bool) guard {
	switch n.Op {
	case engine.Constant:
		return s.constant((n.X != 0) == truth)
	case engine.Reading:
		return s.atom(n.Slot, point(number(truth)))
	case engine.Invert:
		return s.holds(n.of[0], !truth)
	case engine.Both, engine.Either:
		a, b := s.holds(n.of[0], truth), s.holds(n.of[1], truth)
		if (n.Op == engine.Both) == truth {
			return s.both(a, b)
		}
		return either(a, b)
	case engine.Inside:
		low, high := s.compare(engine.LessEqual, n.of[1], n.of[0], truth), s.compare(engine.LessEqual, n.of[0], n.of[2], truth)
		if truth {
			return s.both(low, high)
		}
		return either(low, high)
	case engine.Equal, engine.NotEqual:
		if n.of[0].truth() || n.of[1].truth() {
			return s.same(n.of[0], n.of[1], (n.Op == engine.Equal) == truth)
		}
	}
	return s.compare(n.Op, n.of[0], n.of[1], truth)
}

func number(truth bool) float64 {
	if truth {
		return 1
	}
	return 0
}

// same is where two truths are equal, or are not.
func (s *space) same(a, b *node, equal bool) guard {
	return either(s.both(s.holds(a, true), s.holds(b, equal)), s.both(s.holds(a, false), s.holds(b, !equal)))
}

// orders are the results of comparing two numbers for which an operator is true.
var orders = map[engine.TermOp]set{
	engine.Less: {{-1, -1}}, engine.LessEqual: {{-1, 0}}, engine.Greater: {{1, 1}}, engine.GreaterEqual: {{0, 1}},
	engine.Equal: {{0, 0}}, engine.NotEqual: {{-1, -1}, {1, 1}},
}

var mirrored = map[engine.TermOp]engine.TermOp{engine.Less: engine.Greater, engine.LessEqual: engine.GreaterEqual, engine.Greater: engine.Less,
	engine.GreaterEqual: engine.LessEqual, engine.Equal: engine.Equal, engine.NotEqual: engine.NotEqual}

// compare is where a comparison of two numbers is true, or false.
func (s *space) compare(op engine.TermOp, a, b *node, truth bool) guard {
	if a.Op == engine.Constant && b.Op != engine.Constant {
		a, b, op = b, a, mirrored[op]
	}
	dim, in := s.derive(a, b), orders[op]
	if b.Op == engine.Constant && a.Op != engine.Constant {
		dim, in = s.derive(a, nil), beside(op, b.X)
	}
	if !truth {
		in = in.complement()
	}
	g := s.atom(dim, in)
	if len(g) == 1 && dim > s.stateDim() && !s.feasible(g[0]) {
		return nowhere
	}
	return g
}

// beside is the numbers for which a comparison with x is true.
func beside(op engine.TermOp, x float64) set {
	switch op {
	case engine.Less:
		return from(-inf, below(x))
	case engine.LessEqual:
		return from(-inf, x)
	case engine.Greater:
		return from(above(x), inf)
	case engine.GreaterEqual:
		return from(x, inf)
	case engine.Equal:
		return point(x)
	}
	return point(x).complement()
}

// derive is the dimension of a part, or of how two parts compare.
func (s *space) derive(a, b *node) int {
	if b == nil && a.Op == engine.Reading && a.X == 1 && a.Y == 0 {
		return a.Slot
	}
	key := a.key
	if b != nil {
		key += " against " + b.key
	}
	dim, ok := s.derived[key]
	if !ok {
		dim = len(s.dims)
		s.derived[key] = dim
		s.dims = append(s.dims, dimension{all: everything, left: a, right: b, whole: b != nil})
	}
	return dim
}

// reach is where a derived dimension can lie while the signals lie in the box.
func (s *space) reach(dim int, b box) set {
	d := &s.dims[dim]
	if d.left == nil {
		return d.all
	}
	x := s.reckon(d.left, b)
	if d.right == nil || len(x) == 0 {
		return x
	}
	y := s.reckon(d.right, b)
	if len(y) == 0 {
		return nil
	}
	var out set
	xl, xh, yl, yh := x[0].lo, x[len(x)-1].hi, y[0].lo, y[len(y)-1].hi
	for _, o := range []struct {
		order float64
		can   bool
	}{{-1, xl < yh}, {0, xl <= yh && yl <= xh}, {1, xh > yl}} {
		if o.can {
			out = append(out, span{o.order, o.order})
		}
	}
	return out
}

// reckon is the hull of what an arithmetic can give while the signals lie in
// the box; empty where it never gives a number. Operations are done on the
// ends as the engine does them: rounding never crosses another's rounding.
func (s *space) reckon(n *node, b box) set {
	switch n.Op {
	case engine.Constant:
		return point(n.X)
	case engine.Reading:
		return hull(s.side(n.Slot, b), func(x float64) float64 { return float64(x*n.X) + n.Y })
	}
	var of []set
	for _, c := range n.of {
		in := s.reckon(c, b)
		if len(in) == 0 {
			return nil
		}
		of = append(of, in)
	}
	x := of[0]
	switch n.Op {
	case engine.Negate:
		return hull(x, func(x float64) float64 { return -x })
	case engine.Absolute:
		out := hull(x, math.Abs)
		if x[0].lo <= 0 && x[len(x)-1].hi >= 0 {
			out[0].lo = 0
		}
		return out
	}
	return corners(n.Op, x, of[1])
}

// side is where a signal lies in a box.
func (s *space) side(slot int, b box) set {
	for _, side := range b {
		if side.dim == slot {
			return side.in
		}
	}
	return s.dims[slot].all
}

// hull is from the least to the greatest of a monotone function, or of |x|.
func hull(in set, f func(float64) float64) set {
	if len(in) == 0 {
		return nil
	}
	a, b := f(in[0].lo), f(in[len(in)-1].hi)
	return from(min(a, b), max(a, b))
}

// corners is the hull of an operation on two hulls. A result beyond the
// greatest float64 is unknown, so the hull ends there.
func corners(op engine.TermOp, x, y set) set {
	xs, ys := [2]float64{x[0].lo, x[len(x)-1].hi}, [2]float64{y[0].lo, y[len(y)-1].hi}
	if op == engine.Divide && ys[0] <= 0 && ys[1] >= 0 {
		if ys[0] == 0 && ys[1] == 0 {
			return nil
		}
		return everything
	}
	lo, hi := inf, -inf
	for _, a := range xs {
		for _, b := range ys {
			r := result(op, a, b)
			lo, hi = min(lo, r), max(hi, r)
		}
	}
	return from(lo, hi)
}

func result(op engine.TermOp, a, b float64) float64 {
	switch op {
	case engine.Add:
		return a + b
	case engine.Subtract:
		return a - b
	case engine.Multiply:
		return float64(a * b)
	case engine.Divide:
		return a / b
	case engine.Least:
		return min(a, b)
	}
	return max(a, b) // Greatest
}
