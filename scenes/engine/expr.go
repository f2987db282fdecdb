package engine

import (
	"fmt"
	"math"
)

// MaxExprStack is the most values that an expression may hold at once.
const MaxExprStack = 16

// TermOp is the operation of one term of an expression.
type TermOp uint8

// The terms. Those from Negate on take their operands from what the terms
// before them gave.
const (
	Constant TermOp = iota // X
	Reading                // float64(value*X) + Y of the slot; X 1 and Y 0: the value itself
	Negate
	Absolute
	Invert // not
	Add
	Subtract
	Multiply
	Divide
	Least    // min
	Greatest // max
	Less
	LessEqual
	Greater
	GreaterEqual
	Equal
	NotEqual
	Both    // and, Kleene's
	Either  // or, Kleene's
	Inside  // three operands: the second <= the first <= the third
	termOps // their number
)

// operands is how many values a term takes.
func (op TermOp) operands() int {
	switch {
	case op <= Reading:
		return 0
	case op <= Invert:
		return 1
	case op == Inside:
		return 3
	}
	return 2
}

// Term is one operation of an expression.
type Term struct {
	Op   TermOp
	Slot int     // Reading
	X, Y float64 // Constant, Reading
}

// Expr is an expression in postfix order: operands first. It gives one truth;
// truths are 0 and 1. A slot that is unknown makes what reads it unknown, as
// does a result that is no finite number.
type Expr []Term

// check reports an expression that cannot be evaluated.
func (e Expr) check(slots int) error {
	depth := 0
	for i, t := range e {
		if t.Op >= termOps || t.Op == Reading && (t.Slot < 0 || t.Slot >= slots) {
			return fmt.Errorf("engine: term %d of an expression is none", i)
		}
		if depth -= t.Op.operands(); depth < 0 {
			return fmt.Errorf("engine: term %d of an expression lacks operands", i)
		}
		if depth++; depth > MaxExprStack {
			return fmt.Errorf("engine: an expression holds more than %d values at once", MaxExprStack)
		}
	}
	if depth != 1 {
		return fmt.Errorf("engine: an expression gives %d values; want 1", depth)
	}
	return nil
}

// operand is a number or truth that may be unknown.
type operand struct {
	x     float64
	known bool
}

// eval gives the truth of an expression that check has passed.
func (e Expr) eval(s *State) truth {
	var stack [MaxExprStack]operand
	top := -1
	s.step.ops += len(e)
	for i := range e {
		t := &e[i]
		switch t.Op.operands() {
		case 0:
			top++
			stack[top] = t.load(s)
		case 1:
			stack[top] = t.unary(stack[top])
		case 2:
			top--
			stack[top] = t.binary(stack[top], stack[top+1])
		default:
			top -= 2
			stack[top] = inside(stack[top], stack[top+1], stack[top+2])
		}
	}
	if v := stack[0]; v.known {
		return truthOf(v.x != 0)
	}
	return maybe
}

// finite is x, unknown where it is no finite number.
func finite(x float64) operand {
	return operand{x, !math.IsNaN(x) && !math.IsInf(x, 0)}
}

func decided(b bool) operand {
	if b {
		return operand{1, true}
	}
	return operand{0, true}
}

func (t *Term) load(s *State) operand {
	if t.Op == Constant {
		return operand{t.X, true}
	}
	v := &s.slots[t.Slot]
	switch {
	case !v.known:
		return operand{}
	case t.X == 1 && t.Y == 0:
		return operand{v.num, true}
	}
	return finite(float64(v.num*t.X) + t.Y)
}

func (t *Term) unary(v operand) operand {
	switch {
	case !v.known:
		return v
	case t.Op == Negate:
		v.x = -v.x
	case t.Op == Absolute:
		v.x = math.Abs(v.x)
	default: // Invert
		v.x = 1 - v.x
	}
	return v
}

func (t *Term) binary(a, b operand) operand {
	switch t.Op {
	case Both:
		return both(a, b)
	case Either:
		return either(a, b)
	}
	if !a.known || !b.known {
		return operand{}
	}
	switch t.Op {
	case Add:
		return finite(a.x + b.x)
	case Subtract:
		return finite(a.x - b.x)
	case Multiply:
		return finite(float64(a.x * b.x))
	case Divide:
		return finite(a.x / b.x)
	case Least:
		return operand{min(a.x, b.x), true}
	case Greatest:
		return operand{max(a.x, b.x), true}
	case Less:
		return decided(a.x < b.x)
	case LessEqual:
		return decided(a.x <= b.x)
	case Greater:
		return decided(a.x > b.x)
	case GreaterEqual:
		return decided(a.x >= b.x)
	case Equal:
		return decided(a.x == b.x)
	default: // NotEqual
		return decided(a.x != b.x)
	}
}

func both(a, b operand) operand {
	switch {
	case a.known && a.x == 0, b.known && b.x == 0:
		return operand{0, true}
	case a.known && b.known:
		return operand{1, true}
	}
	return operand{}
}

func either(a, b operand) operand {
	switch {
	case a.known && a.x != 0, b.known && b.x != 0:
		return operand{1, true}
	case a.known && b.known:
		return operand{0, true}
	}
	return operand{}
}

// inside is low <= x and x <= high, so that one end may decide alone.
func inside(x, low, high operand) operand {
	from, to := operand{}, operand{}
	if x.known && low.known {
		from = decided(low.x <= x.x)
	}
	if x.known && high.known {
		to = decided(x.x <= high.x)
	}
	return both(from, to)
}

// check reports a clause whose expression cannot be evaluated.
func (c *Clause) check(slots int) error {
	if c.Op != Computed {
		return nil
	}
	return c.Expr.check(slots)
}

// reads lists the slots that a clause reads itself, without those that it
// combines.
func (c *Clause) reads() []int {
	switch {
	case c.Op <= IsNot || c.Op == Fresh:
		return []int{c.Slot}
	case c.Op != Computed:
		return nil
	}
	var slots []int
	for _, t := range c.Expr {
		if t.Op == Reading {
			slots = append(slots, t.Slot)
		}
	}
	return slots
}
