// Package translate says in the words of package reference what an engine's
// program and events are, so that both can be run over the same. It is the only
// part of the reference that knows the engine, and decides nothing.
package translate

import (
	"vignette/scenes/engine"
	"vignette/testdata/reference"
)

// Program is an engine's program as a vehicle and its cards.
func Program(p *engine.Program) (v reference.Vehicle, cards []reference.Card) {
	d := describer{p}
	for i := range p.Signals {
		s := &p.Signals[i]
		v.Signals = append(v.Signals, reference.Signal{Path: s.Path, Kind: reference.Kind(s.Type), Bus: p.Buses[s.Bus], Labels: s.Labels, StaleAfter: s.StaleAfter})
	}
	for _, s := range p.States {
		v.States = append(v.States, reference.State{Name: s.Name, When: d.cond(s.When)})
	}
	for _, a := range p.Actuators {
		r := reference.Actuator{Path: a.Path, Min: a.Min, Max: a.Max, Step: a.Step, Slew: a.Slew, MinInterval: a.MinInterval,
			States: d.states(a.States), EndStates: d.states(a.EndStates), Holdoff: a.Holdoff, Call: a.HasCall, Within: a.Within, ReadWithin: a.ReadWithin}
		if a.Readback >= 0 {
			r.Readback = p.Signals[a.Readback].Path
		}
		v.Actuators = append(v.Actuators, r)
	}
	for _, a := range p.Actions {
		v.Actions = append(v.Actions, reference.Action{Name: a.Name, States: d.states(a.States), MinInterval: a.MinInterval, Call: a.HasCall, Within: a.Within})
	}
	v.Quarantine = reference.Quarantine{Fires: p.Quarantine.Fires, Within: p.Quarantine.Within}
	for i := range p.Cards {
		cards = append(cards, d.card(&p.Cards[i]))
	}
	return v, cards
}

type describer struct{ p *engine.Program }

func (d describer) card(c *engine.Card) reference.Card {
	r := reference.Card{ID: c.ID, Cooldown: c.Cooldown, Priority: c.Priority}
	for _, t := range c.When {
		op := map[engine.TriggerOp]string{engine.RisesAbove: "rises_above", engine.FallsBelow: "falls_below", engine.Becomes: "becomes",
			engine.Leaves: "leaves", engine.Changes: "changes"}[t.Op]
		r.When = append(r.When, reference.Trigger{Op: op, Signal: d.p.Signals[t.Slot].Path, X: d.sampled(t.Slot, t.X), Rearm: t.Rearm, HeldFor: t.Hold})
	}
	for _, c := range c.OnlyIf {
		r.OnlyIf = append(r.OnlyIf, d.cond(c))
	}
	for _, s := range c.Then {
		switch s.Kind {
		case engine.Set:
			r.Then = append(r.Then, reference.Step{Actuator: d.p.Actuators[s.Actuator].Path, To: value(s.Value), Lease: s.Lease,
				AtEnd:    map[engine.EndKind]string{engine.Restore: "restore", engine.Leave: "leave", engine.SetTo: "set"}[s.AtEnd],
				EndValue: value(s.EndValue), Continue: s.Continue})
		case engine.Do:
			r.Then = append(r.Then, reference.Step{Do: d.p.Actions[s.Action].Name, Continue: s.Continue})
		case engine.Wait:
			r.Then = append(r.Then, reference.Step{Wait: s.Wait, Continue: s.Continue})
		}
	}
	return r
}

// cond makes a tree of a condition in prefix order.
func (d describer) cond(c engine.Cond) reference.Cond {
	n := c[0]
	r := reference.Cond{Op: map[engine.CondOp]string{engine.Above: "above", engine.Below: "below", engine.Between: "between", engine.Is: "is",
		engine.IsNot: "is_not", engine.InState: "state", engine.All: "all", engine.Any: "any", engine.Not: "not"}[n.Op]}
	switch n.Op {
	case engine.InState:
		r.State = d.state(n.State)
	case engine.All, engine.Any, engine.Not:
		for rest := c[1:n.Size]; len(rest) > 0; rest = rest[rest[0].Size:] {
			r.Of = append(r.Of, d.cond(rest))
		}
	default:
		r.Signal, r.A, r.B = d.p.Signals[n.Slot].Path, d.sampled(n.Slot, n.A), d.sampled(n.Slot, n.B)
	}
	return r
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

// Event is an event of that program.
func Event(p *engine.Program, ev *engine.Event) reference.Event {
	d := describer{p}
	r := reference.Event{T: ev.T, Session: ev.Session, Ref: ev.Ref, OK: ev.OK,
		Kind: map[engine.EventKind]string{engine.EvFrame: "frame", engine.EvTick: "tick", engine.EvReply: "reply", engine.EvOverride: "override", engine.EvStop: "stop",
			engine.EvLost: "lost", engine.EvLink: "link"}[ev.Kind]}
	for _, s := range ev.Samples {
		r.Samples = append(r.Samples, reference.Sample{Signal: p.Signals[s.Slot].Path, Valid: s.Valid, Value: d.sampled(s.Slot, s.Num)})
	}
	switch ev.Kind {
	case engine.EvLost:
		r.Bus, r.Value = p.Buses[ev.Bus], reference.Num(float64(ev.Count))
	case engine.EvLink:
		r.Bus, r.Link = p.Buses[ev.Bus], ev.Link.String()
	case engine.EvOverride:
		r.Actuator, r.Value = p.Actuators[ev.Actuator].Path, value(ev.Value)
	}
	return r
}
