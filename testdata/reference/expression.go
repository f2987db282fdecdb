package reference

import (
	"math"
	"slices"
)

// Expr is an expression (*Expressions*). Op is the operator as it is written,
// `number` for a literal, `signal` for a reading or one of min, max, abs,
// between, not and negate. Truths are 0 and 1.
type Expr struct {
	Op             string
	Number         float64 // number
	Signal         string  // signal, whose value × Factor + Offset is in the expression's unit
	Factor, Offset float64
	Of             []Expr
}

// signals lists the signals that an expression reads.
func (e *Expr) signals() (paths []string) {
	if e == nil {
		return nil
	}
	if e.Op == "signal" {
		paths = append(paths, e.Signal)
	}
	for i := range e.Of {
		paths = append(paths, e.Of[i].signals()...)
	}
	return paths
}

// known is a result that may be unknown.
type known struct {
	x  float64
	ok bool
}

// evaluate computes an expression: a result is unknown if an operand is, except
// as `and`, `or` and `between` have it, or if it is no finite number (choices
// 102, 103).
func (in *Interpreter) evaluate(e Expr) known {
	var of []known
	for _, operand := range e.Of {
		of = append(of, in.evaluate(operand))
	}
	switch e.Op {
	case "number":
		return known{e.Number, true}
	case "signal":
		return in.reading(e)
	case "and":
		return and(of[0], of[1])
	case "or":
		return not(and(not(of[0]), not(of[1])))
	case "not":
		return not(of[0])
	case "between":
		return and(compute("<=", of[1], of[0]), compute("<=", of[0], of[2]))
	case "abs", "negate":
		return compute(e.Op, of[0], of[0])
	}
	return compute(e.Op, of[0], of[1])
}

// reading is a signal's value in the expression's unit (choice 105).
func (in *Interpreter) reading(e Expr) known {
	s := in.signal(e.Signal)
	if !s.known {
		return known{}
	}
	x := s.value.Num
	if s.Kind == Label {
		x = float64(slices.Index(s.Labels, s.value.Label))
	}
	return finite(float64(x*e.Factor) + e.Offset)
}

func finite(x float64) known {
	return known{x, !math.IsNaN(x) && !math.IsInf(x, 0)}
}

func not(x known) known { return known{1 - x.x, x.ok} }

// and is Kleene's.
func and(x, y known) known {
	if x.ok && x.x == 0 || y.ok && y.x == 0 {
		return known{0, true}
	}
	return known{1, x.ok && y.ok}
}

// compute is one operation on known operands (choice 108).
func compute(op string, a, b known) known {
	if !a.ok || !b.ok {
		return known{}
	}
	x, y := a.x, b.x
	truth := func(t bool) known {
		if t {
			return known{1, true}
		}
		return known{0, true}
	}
	switch op {
	case "negate":
		return known{-x, true}
	case "abs":
		return known{math.Abs(x), true}
	case "+":
		return finite(x + y)
	case "-":
		return finite(x - y)
	case "*":
		return finite(x * y)
	case "/":
		return finite(x / y)
	case "min":
		return known{min(x, y), true}
	case "max":
		return known{max(x, y), true}
	case "<":
		return truth(x < y)
	case "<=":
		return truth(x <= y)
	case ">":
		return truth(x > y)
	case ">=":
		return truth(x >= y)
	case "==":
		return truth(x == y)
	case "!=":
		return truth(x != y)
	}
	panic("no operator is called " + op)
}
