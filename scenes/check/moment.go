package check

import (
	"slices"
	"time"

	"vignette/scenes"
	"vignette/scenes/engine"
)

// hysteresis looks for thresholds that noise crosses again and again.
func hysteresis(s *subject) {
	for i, c := range s.p.Cards {
		for j := range s.p.Engine.Cards[i].When {
			t, e := written(c, &s.p.Engine.Cards[i], j), &s.p.Engine.Cards[i].When[j]
			if e.Op != engine.RisesAbove && e.Op != engine.FallsBelow || e.Rearm != e.X {
				continue
			}
			if s.p.Vehicle.Signal(t.Signal.Text).Carried().Values != nil {
				continue // listed numbers do not tremble
			}
			key := "rearm_below"
			if e.Op == engine.FallsBelow {
				key = "rearm_above"
			}
			switch {
			case t.Hold > 0:
				s.report(Note, c.File, t.Pos, "without `%s` the least tremble around %v takes the hold back; add one on the other side of it", key, t.X)
			case c.Cooldown > 0:
				s.report(Note, c.File, t.Pos, "without `%s` a tremble around %v completes this again and again, and only the cooldown of %s keeps the card quiet; add one", key, t.X, plainly(c.Cooldown))
			default:
				s.report(Warning, c.File, t.Pos, "without `%s` a tremble around %v fires the card again and again; add one", key, t.X)
			}
		}
	}
}

// plainly writes a duration without what is zero.
func plainly(d time.Duration) string {
	switch {
	case d%time.Hour == 0:
		return shown(d.Hours()) + "h"
	case d%time.Minute == 0:
		return shown(d.Minutes()) + "m"
	case d < time.Second:
		return shown(float64(d)/1e6) + "ms"
	}
	return shown(d.Seconds()) + "s"
}

// instant looks for conditions that the very moment of a trigger excludes: two
// moments that would have to be one.
func instant(s *subject) {
	for i, c := range s.p.Cards {
		e := &s.p.Engine.Cards[i]
		for j := range c.When {
			s.apart(c, e, j)
		}
		so := s.expected.onlyIf(e)
		if len(so) == 0 {
			continue // never true at any moment: interval says so
		}
		for j := range c.When {
			if s.silent(&e.When[j], so) {
				s.report(Warning, c.File, c.When[j].Pos, "when this completes, %s is not known, and only_if asks for its value, so it never fires the card; ask for something else", c.When[j].Signal.Text)
				continue
			}
			at := s.moment(last(e, j))
			if len(at) == 0 || !s.expected.excludes(at, so) {
				continue
			}
			s.report(Warning, c.File, c.When[j].Pos, "when this completes, %s is never true, so it never fires the card; a condition is looked at in the trigger's moment only%s",
				s.excluded(c, e, at), clauseHint(&e.When[j]))
		}
	}
}

func clauseHint(t *engine.Trigger) string {
	if t.Hold > 0 {
		return " (at the end of held_for)"
	}
	return ""
}

// moment is where a trigger's signal lies when it completes: beyond its
// threshold, and after held_for at least not back at the rearm value.
func (s *subject) moment(t *engine.Trigger) guard {
	switch t.Op {
	case engine.RisesAbove, engine.FallsBelow, engine.Becomes, engine.Leaves:
	default:
		return anywhere
	}
	edge, ready := detected(t)
	if t.Hold > 0 {
		edge = ready.complement()
	}
	return s.expected.atom(t.Slot, edge)
}

// last is the edge with which a trigger completes: its own, or that of its
// count or the second of its sequence.
func last(e *engine.Card, j int) *engine.Trigger {
	t := &e.When[j]
	for k := range e.When {
		if edge := &e.When[k]; edge.Into == j+1 && (t.Op == engine.Count || edge.Second) {
			return edge
		}
	}
	return t
}

// silent reports whether a trigger completes when its signal is unknown, and
// all ways of the conditions ask for its value.
func (s *subject) silent(t *engine.Trigger, so guard) bool {
	if t.Op != engine.StaleFor {
		return false
	}
	if after := s.p.Engine.Signals[t.Slot].StaleAfter; after == 0 || t.Over < after {
		return false
	}
	return !slices.ContainsFunc(so, func(b box) bool {
		return !slices.ContainsFunc(b, func(side side) bool { return side.dim == t.Slot })
	})
}

// apart looks for counts and sequences whose edges would have to come in one
// frame: a message brings each signal once a cycle.
func (s *subject) apart(c *scenes.Card, e *engine.Card, j int) {
	t := &e.When[j]
	if t.Op != engine.Count && t.Op != engine.Sequence {
		return
	}
	var slots []int
	for k := range e.When {
		if edge := &e.When[k]; edge.Into == j+1 && edge.Op <= engine.Changes {
			slots = append(slots, edge.Slot)
		}
	}
	frames := time.Duration(1) // between the two edges of a sequence
	switch {
	case t.Op == engine.Count && len(slots) == 1:
		frames = time.Duration(t.N - 1)
		if edge := last(e, j); edge.Op != engine.Changes {
			frames *= 2 // there and back
		}
	case t.Op == engine.Sequence && len(slots) == 2 && s.oneMessage(slots[0], slots[1]):
	default:
		return
	}
	cycle := s.p.Sources[slots[0]].Message.Cycle
	if least := frames * cycle; least > time.Duration(t.Over) {
		s.report(Warning, c.File, c.When[j].Pos, "message %s comes every %s, so these edges need %s and are never within %s: two moments that would have to be one; allow more time",
			s.p.Sources[slots[0]].Message.Name, plainly(cycle), plainly(least), plainly(time.Duration(t.Over)))
	}
}

// oneMessage reports whether two slots come in the same message.
func (s *subject) oneMessage(a, b int) bool {
	x, y := &s.p.Sources[a], &s.p.Sources[b]
	return x.Bus == y.Bus && x.Message == y.Message
}

// excluded names the condition that a moment excludes.
func (s *subject) excluded(c *scenes.Card, e *engine.Card, at guard) string {
	for k, cond := range e.OnlyIf {
		if s.expected.excludes(at, s.expected.where(cond, true)) {
			return "only_if[" + shown(float64(k)) + "]"
		}
	}
	return "only_if as a whole"
}
