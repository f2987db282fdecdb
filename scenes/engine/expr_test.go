package engine

import (
	"math"
	"slices"
	"strings"
	"testing"
)

// stateOf is a state with these slots; NaN stands for unknown.
func stateOf(nums ...float64) *State {
	s := &State{}
	for _, x := range nums {
		s.slots = append(s.slots, slot{num: x, known: !math.IsNaN(x)})
	}
	return s
}

func TestExprTruth(t *testing.T) {
	nan := math.NaN()
	a, b := Term{Op: Reading, Slot: 0, X: 1}, Term{Op: Reading, Slot: 1, X: 1}
	zero := Term{Op: Constant}
	op := func(o TermOp) Term { return Term{Op: o} }
	for _, c := range []struct {
		name string
		e    Expr
		a, b float64
		want truth
	}{
		{"known", Expr{a, b, op(Less)}, 1, 2, yes},
		{"unknown", Expr{a, b, op(Less)}, 1, nan, maybe},
		{"divided by zero", Expr{a, b, op(Divide), zero, op(Greater)}, 1, 0, maybe},
		{"zero by zero", Expr{a, b, op(Divide), zero, op(Greater)}, 0, 0, maybe},
		{"overflow", Expr{a, b, op(Multiply), zero, op(Greater)}, 1e200, 1e200, maybe},
		{"no way back from infinity", Expr{{Op: Constant, X: 1}, a, b, op(Multiply), op(Divide), zero, op(GreaterEqual)}, 1e200, 1e200, maybe},
		{"conversion overflows", Expr{{Op: Reading, X: 1e308}, zero, op(Greater)}, 1e308, 0, maybe},
		{"min with unknown", Expr{a, b, op(Least), zero, op(Less)}, -1, nan, maybe},
		{"false and unknown", Expr{a, b, op(Both)}, 0, nan, no},
		{"unknown and true", Expr{a, b, op(Both)}, nan, 1, maybe},
		{"unknown or true", Expr{a, b, op(Either)}, nan, 1, yes},
		{"unknown or false", Expr{a, b, op(Either)}, nan, 0, maybe},
		{"not unknown", Expr{a, op(Invert)}, nan, 0, maybe},
		{"not false", Expr{a, op(Invert)}, 0, 0, yes},
		{"between, one end unknown and the other false", Expr{a, {Op: Constant, X: 2}, b, op(Inside)}, 1, nan, no},
		{"between, one end unknown", Expr{a, {Op: Constant, X: 0}, b, op(Inside)}, 1, nan, maybe},
		{"between, both included", Expr{a, a, a, op(Inside)}, 1, 1, yes},
	} {
		if err := c.e.check(2); err != nil {
			t.Errorf("%s: %v", c.name, err)
		} else if got := c.e.eval(stateOf(c.a, c.b)); got != c.want {
			t.Errorf("%s is %d, want %d", c.name, got, c.want)
		}
	}
}

// Build refuses an expression that would leave its stack.
func TestExprCheck(t *testing.T) {
	one := Term{Op: Constant, X: 1}
	for _, c := range []struct {
		e    Expr
		want string
	}{
		{nil, "gives 0 values"},
		{Expr{one, one}, "gives 2 values"},
		{Expr{one, {Op: Add}}, "lacks operands"},
		{Expr{{Op: Reading, Slot: 2}}, "is none"},
		{Expr{{Op: Reading, Slot: -1}}, "is none"},
		{Expr{{Op: termOps}}, "is none"},
		{slices.Repeat(Expr{one}, MaxExprStack+1), "at once"},
	} {
		p := Program{Signals: make([]Signal, 2), Cards: []Card{{ID: "a", When: []Trigger{{}}, Then: []Step{{Kind: Wait}},
			OnlyIf: []Cond{{{Op: Not, Size: 2}, {Op: Computed, Size: 1, Expr: c.e}}}}}}
		if err := p.Build(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want %s", c.e, err, c.want)
		}
		p = Program{Signals: make([]Signal, 2), States: []DriveState{{Name: "s", When: Cond{{Op: Computed, Size: 1, Expr: c.e}}}}}
		if err := p.Build(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("in a state, %v: %v, want %s", c.e, err, c.want)
		}
	}
}

func TestExprAllocatesNothing(t *testing.T) {
	e := Expr{{Op: Reading, X: 1.5, Y: 2}, {Op: Constant, X: 3}, {Op: Multiply}, {Op: Reading, Slot: 1, X: 1}, {Op: Greater}}
	s := stateOf(1, 2)
	if n := testing.AllocsPerRun(100, func() { e.eval(s) }); n != 0 {
		t.Errorf("%v allocations an evaluation", n)
	}
}

func BenchmarkExpr(b *testing.B) {
	e := Expr{{Op: Reading, X: 1}, {Op: Constant, X: 3}, {Op: Multiply}, {Op: Reading, Slot: 1, X: 1}, {Op: Greater}}
	s := stateOf(1, 2)
	for b.Loop() {
		e.eval(s)
	}
}
