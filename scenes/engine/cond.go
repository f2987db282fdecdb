package engine

// truth is Kleene's: and is min, or is max, not is yes-x.
type truth int8

const (
	no truth = iota
	maybe
	yes
)

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

// eval gives the truth of c over the state's slots.
func (c Cond) eval(s *State) truth {
	if len(c) == 0 {
		return yes
	}
	n := &c[0]
	s.step.ops++
	switch n.Op {
	case All, Any, Not:
		return c.combine(s)
	case InState:
		return truthOf(s.drive == n.State)
	case Fresh:
		return truthOf(s.slots[n.Slot].known)
	case TimeOfDay:
		return s.wall.between(s.now, n)
	case Computed:
		return n.Expr.eval(s)
	}
	v := &s.slots[n.Slot]
	if !v.known {
		return maybe
	}
	switch n.Op {
	case Above:
		return truthOf(v.num > n.A)
	case Below:
		return truthOf(v.num < n.A)
	case Between:
		return truthOf(n.A <= v.num && v.num <= n.B)
	case Is:
		return truthOf(v.num == n.A)
	default: // IsNot
		return truthOf(v.num != n.A)
	}
}

func (c Cond) combine(s *State) truth {
	op := c[0].Op
	result := yes
	if op == Any {
		result = no
	}
	for i := 1; i < c[0].Size; i += c[i].Size {
		t := c[i:].eval(s)
		switch op {
		case All:
			result = min(result, t)
		case Any:
			result = max(result, t)
		default: // Not has one child
			return yes - t
		}
	}
	return result
}

// driveState tests the states in order: the first true one holds; one that is
// unknown before it, or none, is moving.
func (p *Program) driveState(s *State) int {
	for i := range p.States {
		switch p.States[i].When.eval(s) {
		case yes:
			return i
		case maybe:
			return len(p.States)
		}
	}
	return len(p.States)
}
