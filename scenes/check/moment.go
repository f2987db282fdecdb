package check

import (
	"time"

	"vignette/scenes"
	"vignette/scenes/engine"
)

// hysteresis looks for thresholds that noise crosses again and again.
func hysteresis(s *subject) {
	for i, c := range s.p.Cards {
		for j := range c.When {
			t, e := &c.When[j], &s.p.Engine.Cards[i].When[j]
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
	}
	return shown(d.Seconds()) + "s"
}

// instant looks for conditions that the very moment of a trigger excludes: two
// moments that would have to be one.
func instant(s *subject) {
	for i, c := range s.p.Cards {
		e := &s.p.Engine.Cards[i]
		so := s.expected.onlyIf(e)
		if len(so) == 0 {
			continue // never true at any moment: interval says so
		}
		for j := range c.When {
			at := s.moment(&e.When[j])
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
	edge, ready := detected(t)
	if t.Hold > 0 {
		edge = ready.complement()
	}
	return s.expected.atom(t.Slot, edge)
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
