package reference

import "math"

// Expr is a part of an expression, as a tree. Op is the card's own word: a
// sign such as + or <=, and, or, not, min, max, abs, between, "opposite" for a
// sign before a number; "signal" reads Signal, times Scale plus Offset;
// "literal" is Num or Label.
type Expr struct {
	Op            string
	Signal        string
	Scale, Offset float64
	Num           float64
	Label         string
	Of            []Expr
}

// figure is what a part gives; truths are 1 and 0.
type figure struct {
	known bool
	num   float64
	label string
}

// reckon evaluates a part (choices 102, 103 and 108).
func (in *Interpreter) reckon(e Expr) figure {
	var of []figure
	for _, part := range e.Of {
		of = append(of, in.reckon(part))
	}
	switch e.Op {
	case "literal":
		return figure{true, e.Num, e.Label}
	case "signal":
		s := in.signal(e.Signal)
		if !s.known {
			return figure{}
		}
		if e.Scale == 1 && e.Offset == 0 {
			return figure{true, s.value.Num, s.value.Label}
		}
		product := e.Scale * s.value.Num
		return number(float64(product) + e.Offset)
	case "and":
		return kleene(min(of[0].truth(), of[1].truth()))
	case "or":
		return kleene(max(of[0].truth(), of[1].truth()))
	case "not":
		return kleene(yes - of[0].truth())
	case "between":
		return kleene(min(ordered("<=", of[1], of[0]), ordered("<=", of[0], of[2])))
	case "<", "<=", ">", ">=", "==", "!=":
		return kleene(ordered(e.Op, of[0], of[1]))
	}
	for _, f := range of {
		if !f.known {
			return figure{}
		}
	}
	return number(arithmetic(e.Op, of))
}

func arithmetic(op string, of []figure) float64 {
	a, b := of[0].num, of[len(of)-1].num
	switch op {
	case "+":
		return a + b
	case "-":
		return a - b
	case "*":
		return a * b
	case "/":
		return a / b
	case "min":
		if b < a {
			return b
		}
		return a
	case "max":
		if b > a {
			return b
		}
		return a
	case "abs":
		return math.Abs(a)
	case "opposite":
		return -a
	}
	panic("no operation is called " + op)
}

// number is a result, unknown if it is no finite number.
func number(x float64) figure {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return figure{}
	}
	return figure{known: true, num: x}
}

func (f figure) truth() truth {
	if !f.known {
		return unknown
	}
	return truthOf(f.num == 1)
}

func kleene(t truth) figure {
	return figure{known: t != unknown, num: map[truth]float64{yes: 1}[t]}
}

// ordered compares two figures.
func ordered(op string, a, b figure) truth {
	if !a.known || !b.known {
		return unknown
	}
	switch op {
	case "<":
		return truthOf(a.num < b.num)
	case "<=":
		return truthOf(a.num <= b.num)
	case ">":
		return truthOf(a.num > b.num)
	case ">=":
		return truthOf(a.num >= b.num)
	case "==":
		return truthOf(a == b)
	}
	return truthOf(a != b)
}

// signals lists the signals that a part reads.
func (e Expr) signals() (paths []string) {
	if e.Op == "signal" {
		paths = append(paths, e.Signal)
	}
	for _, of := range e.Of {
		paths = append(paths, of.signals()...)
	}
	return paths
}
