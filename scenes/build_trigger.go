package scenes

import (
	"time"

	"vignette/scenes/engine"
)

// triggers builds a card's triggers, the edges of counts and sequences after
// them.
func (b *builder) triggers(when []Trigger) []engine.Trigger {
	var list, edges []engine.Trigger
	for i := range when {
		list = append(list, b.trigger(&when[i]))
		for j := range when[i].Of {
			e := b.trigger(&when[i].Of[j])
			e.Into, e.Second = i+1, j == 1
			edges = append(edges, e)
		}
	}
	return append(list, edges...)
}

// trigger builds a trigger.
func (b *builder) trigger(t *Trigger) engine.Trigger {
	e := engine.Trigger{Op: t.Op, Hold: int64(t.Hold), Below: t.Below, Over: int64(t.Over), N: t.N,
		At: int64(t.At) * int64(time.Minute), Days: t.Days, Offset: int64(t.Offset)}
	switch t.Op {
	case engine.RisesAbove, engine.FallsBelow, engine.Becomes, engine.Leaves, engine.Changes:
		return b.level(e, t)
	case engine.Rate, engine.Avg, engine.Min, engine.Max:
		if s := b.signal(t.Signal); s != nil {
			e.Slot = b.slot(s.Path)
			e.X = b.figure(s, t)
		}
	case engine.StaleFor, engine.Recovered:
		if s := b.known(t.Signal); s != nil {
			e.Slot = b.slot(s.Path)
		}
	case engine.WallTime, engine.Sunrise, engine.Sunset:
		b.clock(t.ops[0])
	case engine.Occurs:
		e.Occur = b.occur(t.Occur)
	}
	return e
}

// figure is what a window's figure passes, in the signal's unit; for a rate the
// difference of two values, per second.
func (b *builder) figure(s *Signal, t *Trigger) float64 {
	in := operand{t.Pos, t.ops[0], t.Unit}
	if t.Op != engine.Rate {
		return b.compare(s, t.X, in)
	}
	zero := t.X
	zero.Num = 0
	before := len(*b.diags)
	base := b.compare(s, zero, in)
	if len(*b.diags) > before {
		return 0
	}
	return b.compare(s, t.X, in) - base
}
