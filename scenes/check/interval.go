package check

import (
	"strconv"

	"vignette/scenes"
	"vignette/scenes/engine"
)

// interval looks for conditions and triggers that the ranges of their signals
// decide for good.
func interval(s *subject) {
	for i, c := range s.p.Cards {
		e := &s.p.Engine.Cards[i]
		for j := range e.When {
			s.threshold(c, written(c, e, j), &e.When[j])
		}
		before := len(s.found)
		for j := range c.OnlyIf {
			s.decided(c, &c.OnlyIf[j], e.OnlyIf[j])
		}
		if len(s.found) == before {
			s.together(c, e)
		}
	}
}

// together looks for conditions that are possible each, and never at once.
func (s *subject) together(c *scenes.Card, e *engine.Card) {
	so := anywhere
	for j, cond := range e.OnlyIf {
		if so = s.expected.both(so, s.expected.where(cond, true)); len(so) == 0 {
			s.report(Warning, c.File, c.OnlyIf[j].Pos, "this and the conditions before it are never true together, so the card never fires; correct one")
			return
		}
	}
}

// decided reports the innermost parts of a condition that are always the same,
// and returns whether there were any.
func (s *subject) decided(c *scenes.Card, cond *scenes.Cond, e engine.Cond) bool {
	found := false
	for i, k := 0, 1; i < len(cond.Of); i++ {
		found = s.decided(c, &cond.Of[i], e[k:]) || found
		k += e[k].Size
	}
	if found || cond.Op == engine.Not || cond.Op == engine.InState {
		return found
	}
	if cond.Op == engine.Computed {
		return s.decidedPart(c, cond, tree(e[0].Expr))
	}
	what := "this condition"
	if cond.Signal != "" {
		what = cond.Signal + " " + s.extent(e[0].Slot) + ": this"
	}
	return s.verdict(c, cond.Pos, what, s.expected.where(e[:e[0].Size], true), s.expected.where(e[:e[0].Size], false))
}

// decidedPart is decided for the parts of an expression.
func (s *subject) decidedPart(c *scenes.Card, cond *scenes.Cond, n *node) bool {
	found := false
	for _, part := range n.of {
		if part.truth() {
			found = s.decidedPart(c, cond, part) || found
		}
	}
	if found || n.Op == engine.Invert {
		return found
	}
	what := "with the ranges of its signals this"
	if slot := n.slots(nil); len(slot) == 1 {
		what = s.p.Engine.Signals[slot[0]].Path + " " + s.extent(slot[0]) + ": this"
	}
	return s.verdict(c, cond.Expr.Places()[n.at], what, s.expected.holds(n, true), s.expected.holds(n, false))
}

// slots adds the slots that a part reads, each once.
func (n *node) slots(list []int) []int {
	if n.Op == engine.Reading {
		for _, s := range list {
			if s == n.Slot {
				return list
			}
		}
		return append(list, n.Slot)
	}
	for _, c := range n.of {
		list = c.slots(list)
	}
	return list
}

func (s *subject) verdict(c *scenes.Card, at scenes.Pos, what string, yes, no guard) bool {
	switch {
	case len(yes) == 0 && len(no) == 0:
		s.report(Warning, c.File, at, "%s is never known, so never true; correct it", what)
	case len(yes) == 0:
		s.report(Warning, c.File, at, "%s is never true; correct it", what)
	case len(no) == 0:
		s.report(Warning, c.File, at, "%s is true whenever it is known; correct it, or leave it out", what)
	default:
		return false
	}
	return true
}

// extent tells the range of a signal in words.
func (s *subject) extent(slot int) string {
	sig := s.p.Vehicle.Signal(s.p.Engine.Signals[slot].Path)
	d := sig.Expected()
	unit := ""
	if sig.Unit != "" {
		unit = " " + sig.Unit
	}
	if d.Values != nil {
		src := s.p.Sources[slot]
		text := "has the values"
		for i, x := range d.Values {
			if i > 0 {
				text += ","
			}
			text += " " + src.Text(x)
		}
		return text + unit
	}
	return "goes from " + shown(d.Low) + " to " + shown(d.High) + unit
}

func shown(x float64) string { return strconv.FormatFloat(x, 'g', 10, 64) }

// written is a trigger of the engine's as the card has it: the edges of counts
// and sequences come after all others.
func written(c *scenes.Card, e *engine.Card, j int) *scenes.Trigger {
	into, of := e.When[j].Into, 0
	if into == 0 {
		return &c.When[j]
	}
	if e.When[j].Second {
		of = 1
	}
	return &c.When[into-1].Of[of]
}

// threshold looks for a trigger that its signal's range keeps from completing.
func (s *subject) threshold(c *scenes.Card, t *scenes.Trigger, e *engine.Trigger) {
	var edge, ready set
	all := set(nil)
	switch e.Op {
	case engine.RisesAbove, engine.FallsBelow, engine.Becomes, engine.Leaves, engine.Changes:
		all = s.expected.dims[e.Slot].all
		edge, ready = detected(e)
	case engine.Avg, engine.Min, engine.Max, engine.Rate:
		all = figures(s.expected.dims[e.Slot].all, e)
		if edge, ready = from(above(e.X), inf), from(-inf, e.X); e.Below {
			edge, ready = from(-inf, below(e.X)), from(e.X, inf)
		}
	default:
		return
	}
	switch {
	case t.Op == engine.Changes:
		if len(all) == 1 && all[0].lo == all[0].hi {
			s.report(Warning, c.File, t.Pos, "%s %s: it never changes; take another signal", t.Signal.Text, s.extent(e.Slot))
		}
	case !edge.meets(all):
		s.report(Warning, c.File, t.Pos, "%s %s: this trigger never completes; correct its value", t.Signal.Text, s.extent(e.Slot))
	case !ready.meets(all):
		s.report(Warning, c.File, t.Pos, "%s %s: this trigger is never armed, so it never completes; correct its values", t.Signal.Text, s.extent(e.Slot))
	}
}

// figures is the hull of what a window's figure can be.
func figures(all set, t *engine.Trigger) set {
	lo, hi := all[0].lo, all[len(all)-1].hi
	if t.Op == engine.Rate {
		most := (hi - lo) / (float64(t.Over) / 1e9)
		return from(-most, most)
	}
	return from(lo, hi)
}

// detected is where a trigger completes, and where it is armed before.
func detected(t *engine.Trigger) (edge, ready set) {
	switch t.Op {
	case engine.RisesAbove:
		return from(above(t.X), inf), from(-inf, t.Rearm)
	case engine.FallsBelow:
		return from(-inf, below(t.X)), from(t.Rearm, inf)
	case engine.Becomes:
		return point(t.X), point(t.X).complement()
	case engine.Leaves:
		return point(t.X).complement(), point(t.X)
	}
	return everything, everything
}
