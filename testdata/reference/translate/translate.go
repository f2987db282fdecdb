// Package translate says in the words of package reference what an engine's
// program and events are, so that both can be run over the same. It is the only
// part of the reference that knows the engine, and decides nothing.
package translate

import (
	"slices"
	"time"

	"vignette/scenes/engine"
	"vignette/testdata/reference"
)

// Program is an engine's program as a vehicle and its cards.
func Program(p *engine.Program) (v reference.Vehicle, cards []reference.Card) {
	d := describer{p}
	v.Version = p.Hash
	for i := range p.Signals {
		s := &p.Signals[i]
		v.Signals = append(v.Signals, reference.Signal{Path: s.Path, Kind: reference.Kind(s.Type), Bus: p.Buses[s.Bus], Labels: s.Labels, StaleAfter: s.StaleAfter})
	}
	for _, s := range p.States {
		v.States = append(v.States, reference.State{Name: s.Name, When: d.cond(s.When, nil)})
	}
	for _, a := range p.Actuators {
		r := reference.Actuator{Path: a.Path, Min: a.Min, Max: a.Max, Step: a.Step, Slew: a.Slew, MinInterval: a.MinInterval,
			States: d.states(a.States), EndStates: d.states(a.EndStates), Holdoff: a.Holdoff, Call: a.HasCall, Within: a.Within, ReadWithin: a.ReadWithin,
			Confirm: a.Confirm, MaxLease: a.MaxLease, Forbidden: a.Forbidden, Survives: a.Survives}
		if a.Readback >= 0 {
			r.Readback = p.Signals[a.Readback].Path
		}
		v.Actuators = append(v.Actuators, r)
	}
	for _, a := range p.Actions {
		v.Actions = append(v.Actions, reference.Action{Name: a.Name, States: d.states(a.States), MinInterval: a.MinInterval, Call: a.HasCall, Within: a.Within})
	}
	for _, o := range p.Occurs {
		r := reference.Occurrence{Name: o.Name, Frees: o.Frees, OfUser: o.OfUser}
		if o.Opposite >= 0 {
			r.Opposite = p.Occurs[o.Opposite].Name
		}
		v.Occurs = append(v.Occurs, r)
	}
	v.Quarantine = reference.Quarantine{Fires: p.Quarantine.Fires, Within: p.Quarantine.Within}
	for i := range p.Cards {
		cards = append(cards, d.card(&p.Cards[i]))
	}
	return v, cards
}

type describer struct{ p *engine.Program }

var bootWords = map[engine.OnBoot]string{engine.RestartHold: "restart", engine.ResumeHold: "resume", engine.DropHold: "drop"}

func (d describer) card(c *engine.Card) reference.Card {
	r := reference.Card{ID: c.ID, Version: c.Hash, Cooldown: c.Cooldown, Priority: c.Priority, Restart: c.Restart, Manual: c.Manual, Off: c.Off,
		OnBoot: bootWords[c.OnBoot]}
	for i := range c.When {
		if c.When[i].Into == 0 {
			r.When = append(r.When, d.trigger(c, i))
		}
	}
	for _, clause := range c.OnlyIf {
		r.OnlyIf = append(r.OnlyIf, d.cond(clause, c.Names))
	}
	for _, s := range c.Then {
		switch s.Kind {
		case engine.Set:
			r.Then = append(r.Then, reference.Step{Actuator: d.p.Actuators[s.Actuator].Path, To: value(s.Value), Lease: s.Lease,
				AtEnd:    map[engine.EndKind]string{engine.Restore: "restore", engine.Leave: "leave", engine.SetTo: "set"}[s.AtEnd],
				EndValue: value(s.EndValue), Continue: s.Continue})
		case engine.Release:
			r.Then = append(r.Then, reference.Step{Release: d.p.Actuators[s.Actuator].Path, Continue: s.Continue})
		case engine.Do:
			r.Then = append(r.Then, reference.Step{Do: d.p.Actions[s.Action].Name, Continue: s.Continue})
		case engine.Wait:
			r.Then = append(r.Then, reference.Step{Wait: s.Wait, Continue: s.Continue})
		}
	}
	return r
}

var triggerWords = map[engine.TriggerOp]string{engine.RisesAbove: "rises_above", engine.FallsBelow: "falls_below", engine.Becomes: "becomes",
	engine.Leaves: "leaves", engine.Changes: "changes", engine.StaleFor: "stale_for", engine.Recovered: "recovered", engine.Rate: "rate",
	engine.Avg: "avg", engine.Min: "min", engine.Max: "max", engine.Count: "count", engine.Sequence: "sequence", engine.Occurs: "occurs",
	engine.WallTime: "at", engine.Sunrise: "sunrise", engine.Sunset: "sunset"}

// trigger is one of a card's, with the edges that go into it.
func (d describer) trigger(c *engine.Card, i int) reference.Trigger {
	t := &c.When[i]
	r := reference.Trigger{Op: triggerWords[t.Op], Rearm: t.Rearm, HeldFor: t.Hold, Below: t.Below, Over: t.Over, Reaches: t.N, At: t.At, Offset: t.Offset}
	switch t.Op {
	case engine.Count, engine.Sequence:
		for _, second := range []bool{false, true} {
			for j := range c.When {
				if c.When[j].Into == i+1 && c.When[j].Second == second {
					r.Of = append(r.Of, d.trigger(c, j))
				}
			}
		}
	case engine.Occurs:
		r.Occur = d.p.Occurs[t.Occur].Name
	case engine.WallTime:
		for day := range 7 {
			if t.Days>>day&1 != 0 {
				r.Days = append(r.Days, time.Weekday(day))
			}
		}
	case engine.Sunrise, engine.Sunset:
	case engine.Rate, engine.Avg, engine.Min, engine.Max:
		r.Signal, r.X = d.p.Signals[t.Slot].Path, reference.Num(t.X)
	default:
		r.Signal, r.X = d.p.Signals[t.Slot].Path, d.sampled(t.Slot, t.X)
	}
	return r
}

var condWords = map[engine.CondOp]string{engine.Above: "above", engine.Below: "below", engine.Between: "between", engine.Is: "is",
	engine.IsNot: "is_not", engine.InState: "state", engine.All: "all", engine.Any: "any", engine.Not: "not",
	engine.Fresh: "fresh", engine.TimeOfDay: "time", engine.Computed: "expr"}

// cond makes a tree of a condition in prefix order. Names are the slots that
// its card names.
func (d describer) cond(c engine.Cond, names []int) reference.Cond {
	n := c[0]
	r := reference.Cond{Op: condWords[n.Op]}
	switch n.Op {
	case engine.InState:
		r.State = d.state(n.State)
	case engine.All, engine.Any, engine.Not:
		for rest := c[1:n.Size]; len(rest) > 0; rest = rest[rest[0].Size:] {
			r.Of = append(r.Of, d.cond(rest, names))
		}
	case engine.TimeOfDay:
		r.From, r.To = int(n.A), int(n.B)
	case engine.Computed:
		r.Expr = d.expr(n.Expr)
	case engine.Fresh:
		r.Signal = d.p.Signals[n.Slot].Path
	default:
		r.Signal, r.A, r.B = d.p.Signals[n.Slot].Path, d.sampled(n.Slot, n.A), d.sampled(n.Slot, n.B)
		r.Unnamed = !slices.Contains(names, n.Slot)
	}
	return r
}

var termWords = map[engine.TermOp]string{engine.Constant: "number", engine.Reading: "signal", engine.Negate: "negate", engine.Absolute: "abs",
	engine.Invert: "not", engine.Add: "+", engine.Subtract: "-", engine.Multiply: "*", engine.Divide: "/", engine.Least: "min", engine.Greatest: "max",
	engine.Less: "<", engine.LessEqual: "<=", engine.Greater: ">", engine.GreaterEqual: ">=", engine.Equal: "==", engine.NotEqual: "!=",
	engine.Both: "and", engine.Either: "or", engine.Inside: "between"}

// expr makes a tree of an expression in postfix order.
func (d describer) expr(terms engine.Expr) *reference.Expr {
	var stack []reference.Expr
	for _, t := range terms {
		e := reference.Expr{Op: termWords[t.Op]}
		operands := 2
		switch t.Op {
		case engine.Constant:
			operands, e.Number = 0, t.X
		case engine.Reading:
			operands, e.Signal, e.Factor, e.Offset = 0, d.p.Signals[t.Slot].Path, t.X, t.Y
		case engine.Negate, engine.Absolute, engine.Invert:
			operands = 1
		case engine.Inside:
			operands = 3
		}
		rest := len(stack) - operands
		e.Of = slices.Clone(stack[rest:])
		stack = append(stack[:rest], e)
	}
	return &stack[0]
}

func (d describer) state(i int) string {
	if i == len(d.p.States) {
		return reference.Moving
	}
	return d.p.States[i].Name
}

func (d describer) states(set engine.StateSet) (names []string) {
	for i := 0; i <= len(d.p.States); i++ {
		if set.Has(i) {
			names = append(names, d.state(i))
		}
	}
	return names
}

// sampled is the number of a slot as a value.
func (d describer) sampled(slot int, num float64) reference.Value {
	s := &d.p.Signals[slot]
	v := reference.Value{Kind: reference.Kind(s.Type), Num: num}
	if s.Type == engine.Label {
		v.Num, v.Label = 0, s.Labels[int(num)]
	}
	return v
}

func value(v engine.Value) reference.Value {
	r := reference.Value{Kind: reference.Kind(v.Kind), Num: v.Num, Label: v.Text}
	if v.Kind == engine.Label {
		r.Num = 0
	}
	return r
}

var eventWords = map[engine.EventKind]string{engine.EvFrame: "frame", engine.EvTick: "tick", engine.EvReply: "reply", engine.EvOverride: "override", engine.EvStop: "stop",
	engine.EvLost: "lost", engine.EvLink: "link", engine.EvAnswer: "answer", engine.EvUser: "user", engine.EvSleep: "sleep",
	engine.EvEnable: "disable", engine.EvRun: "run", engine.EvFree: "free", engine.EvOccur: "found", engine.EvClock: "clock"}

// Event is an event of that program.
func Event(p *engine.Program, ev *engine.Event) reference.Event {
	d := describer{p}
	r := reference.Event{T: ev.T, Session: ev.Session, Ref: ev.Ref, OK: ev.OK,
		Kind: eventWords[ev.Kind], User: ev.User}
	for _, s := range ev.Samples {
		r.Samples = append(r.Samples, reference.Sample{Signal: p.Signals[s.Slot].Path, Valid: s.Valid, Value: d.sampled(s.Slot, s.Num)})
	}
	switch ev.Kind {
	case engine.EvLost:
		r.Bus, r.Value = p.Buses[ev.Bus], reference.Num(float64(ev.Count))
	case engine.EvLink:
		r.Bus, r.Link = p.Buses[ev.Bus], ev.Link.String()
	case engine.EvEnable, engine.EvRun, engine.EvFree:
		r.Card = p.Cards[ev.Card].ID
		if ev.Kind == engine.EvEnable && ev.On {
			r.Kind = "enable"
		}
	case engine.EvOccur:
		r.Occur = p.Occurs[ev.Occur].Name
		if ev.OK {
			r.Kind = "occur"
		}
	case engine.EvClock:
		r.Clock = reference.Clock{Trusted: ev.Clock.Trusted, Wall: ev.Clock.Wall, Offset: ev.Clock.Offset, Next: ev.Clock.Next,
			NextOffset: ev.Clock.NextOffset, Rise: ev.Clock.Rise, Set: ev.Clock.Set}
	case engine.EvOverride:
		r.Actuator, r.Value = p.Actuators[ev.Actuator].Path, value(ev.Value)
	}
	return r
}
