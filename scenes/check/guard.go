package check

import (
	"fmt"
	"slices"

	"vignette/scenes"
	"vignette/scenes/engine"
)

// maxBoxes is the most boxes of a guard. One that needs more is taken for
// true anywhere: nothing is excluded by it.
const maxBoxes = 64

// guard is where a condition has a truth: a union of boxes. It may be larger
// than the condition, never smaller, so what lies outside is proven.
type guard []box

// box is a product of sets: for each of its dimensions the value lies in the
// set; the others are free, or unknown. Dimensions ascend.
type box []side

type side struct {
	dim int
	in  set
}

// dimension is something that has one value at a time: a signal, a drive
// state, the result of an arithmetic, or how two results compare (-1, 0, 1).
type dimension struct {
	all         set
	whole       bool
	left, right *node // arithmetic; right of a comparison only; else nil
}

// space is the dimensions of a program's conditions.
type space struct {
	p       *scenes.Program
	dims    []dimension
	derived map[string]int // of the arithmetic, by what it reckons
	states  map[int]guard  // of the drive states' conditions
}

// newSpace makes a space whose signals have the domains that of gives.
func newSpace(p *scenes.Program, of func(*scenes.Signal) scenes.Domain) *space {
	s := &space{p: p, derived: map[string]int{}, states: map[int]guard{}}
	for i := range p.Engine.Signals {
		d := of(p.Vehicle.Signal(p.Engine.Signals[i].Path))
		s.dims = append(s.dims, dimension{all: domainSet(d), whole: d.Whole})
	}
	s.dims = append(s.dims, dimension{all: from(0, float64(len(p.Engine.States))), whole: true})
	return s
}

// stateDim is the dimension of the drive state.
func (s *space) stateDim() int { return len(s.p.Engine.Signals) }

var (
	anywhere = guard{{}}
	nowhere  = guard(nil)
)

// atom is where one dimension lies in a set.
func (s *space) atom(dim int, in set) guard {
	d := &s.dims[dim]
	in = in.intersect(d.all)
	if d.whole {
		in = in.whole()
	}
	if len(in) == 0 {
		return nowhere
	}
	return guard{{{dim, in}}}
}

// either is where one of two guards holds.
func either(a, b guard) guard {
	if len(a)+len(b) > maxBoxes {
		return anywhere
	}
	return append(slices.Clip(a), b...)
}

// both is where two guards hold at once.
func (s *space) both(a, b guard) (out guard) {
	if len(a)*len(b) > maxBoxes*maxBoxes {
		return a
	}
	for _, x := range a {
		for _, y := range b {
			if z, ok := s.meet(x, y); ok {
				out = append(out, z)
			}
		}
	}
	if len(out) > maxBoxes {
		return a
	}
	return out
}

// meet is the common part of two boxes; ok is false where there is none.
func (s *space) meet(x, y box) (out box, ok bool) {
	derived := false
	for len(x) > 0 || len(y) > 0 {
		var next side
		switch {
		case len(y) == 0 || len(x) > 0 && x[0].dim < y[0].dim:
			next, x = x[0], x[1:]
		case len(x) == 0 || y[0].dim < x[0].dim:
			next, y = y[0], y[1:]
		default:
			next = side{x[0].dim, x[0].in.intersect(y[0].in)}
			x, y = x[1:], y[1:]
		}
		if len(next.in) == 0 {
			return nil, false
		}
		derived = derived || next.dim > s.stateDim()
		out = append(out, next)
	}
	return out, !derived || s.feasible(out)
}

// feasible reports whether the arithmetic of a box can come out as the box
// says, its signals lying where the box says.
func (s *space) feasible(b box) bool {
	for _, side := range b {
		if side.dim > s.stateDim() && !s.reach(side.dim, b).meets(side.in) {
			return false
		}
	}
	return true
}

// excludes reports whether two guards are never true at once.
func (s *space) excludes(a, b guard) bool {
	for _, x := range a {
		for _, y := range b {
			if apart(x, y) {
				continue
			}
			if _, ok := s.meet(x, y); ok {
				return false
			}
		}
	}
	return true
}

// apart reports whether two boxes have a dimension in which they do not meet;
// most pairs of cards are told so without making their common part.
func apart(x, y box) bool {
	for i, j := 0, 0; i < len(x) && j < len(y); {
		switch {
		case x[i].dim < y[j].dim:
			i++
		case x[i].dim > y[j].dim:
			j++
		case !x[i].in.meets(y[j].in):
			return true
		default:
			i, j = i+1, j+1
		}
	}
	return false
}

// where is the guard of a condition's truth: where it is true, or where it is false.
func (s *space) where(c engine.Cond, truth bool) guard {
	if len(c) == 0 {
		return s.constant(truth)
	}
	n := &c[0]
	switch n.Op {
	case engine.All, engine.Any:
		return s.joined(c, truth)
	case engine.Not:
		return s.where(c[1:], !truth)
	case engine.InState:
		return s.inState(n.State, truth)
	case engine.Computed:
		return s.holds(tree(n.Expr), truth)
	case engine.Above, engine.Below, engine.Between, engine.Is, engine.IsNot:
		return s.lies(n.Slot, compared(n), truth)
	case engine.Fresh:
		return s.lies(s.named("known "+fmt.Sprint(n.Slot), from(0, 1)), point(1), truth)
	case engine.TimeOfDay:
		return s.lies(s.named("time", from(0, below(24*60))), daytime(n), truth)
	}
	return anywhere // nothing is known of it
}

// lies is where a dimension lies in a set, or does not.
func (s *space) lies(dim int, in set, truth bool) guard {
	if !truth {
		in = in.complement()
	}
	return s.atom(dim, in)
}

// named is a dimension that is no signal and no arithmetic.
func (s *space) named(key string, all set) int {
	dim, ok := s.derived[key]
	if !ok {
		dim = len(s.dims)
		s.derived[key] = dim
		s.dims = append(s.dims, dimension{all: all})
	}
	return dim
}

// daytime is the local times of a clause, in minutes after midnight.
func daytime(n *engine.Clause) set {
	if n.A <= n.B {
		return from(n.A, below(n.B))
	}
	return from(n.B, below(n.A)).complement()
}

func (s *space) constant(truth bool) guard {
	if truth {
		return anywhere
	}
	return nowhere
}

// joined is all or any; where all is false is where any part is false.
func (s *space) joined(c engine.Cond, truth bool) guard {
	and := (c[0].Op == engine.All) == truth
	out := s.constant(and)
	for i := 1; i < c[0].Size; i += c[i].Size {
		part := s.where(c[i:], truth)
		if and {
			out = s.both(out, part)
		} else {
			out = either(out, part)
		}
	}
	return out
}

// compared is where a comparison of a signal with constants is true.
func compared(n *engine.Clause) set {
	switch n.Op {
	case engine.Above:
		return from(above(n.A), inf)
	case engine.Below:
		return from(-inf, below(n.A))
	case engine.Between:
		return from(n.A, n.B)
	case engine.Is:
		return point(n.A)
	}
	return point(n.A).complement() // IsNot
}

// inState is where the drive state is i: there the profile's condition for it
// is true too. Of moving no more is known.
func (s *space) inState(i int, truth bool) guard {
	in := point(float64(i))
	if !truth {
		return s.atom(s.stateDim(), in.complement())
	}
	out := s.atom(s.stateDim(), in)
	if i == len(s.p.Engine.States) {
		return out
	}
	if _, ok := s.states[i]; !ok {
		s.states[i] = s.where(s.p.Engine.States[i].When, true)
	}
	return s.both(out, s.states[i])
}

// onlyIf is where all of a card's conditions are true.
func (s *space) onlyIf(c *engine.Card) guard {
	out := anywhere
	for _, cond := range c.OnlyIf {
		out = s.both(out, s.where(cond, true))
	}
	return out
}
