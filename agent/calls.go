package agent

import (
	"slices"

	"vignette/scenes"
	"vignette/scenes/engine"
	uibridge "vignette/ui-bridge"
	"vignette/ui-bridge/services"
)

// callBook turns the engine's calls into the profile's D-Bus calls.
type callBook struct {
	prog      *scenes.Program
	lang      string
	actuators []*uibridge.Binding // by engine index; nil: no call
	actions   []*uibridge.Binding
}

func newCallBook(p *scenes.Program, lang string) *callBook {
	b := &callBook{prog: p, lang: lang}
	for i := range p.Vehicle.Actuators {
		b.actuators = append(b.actuators, bridgeBinding(p.Vehicle.Actuators[i].Call))
	}
	for i := range p.Vehicle.Actions {
		b.actions = append(b.actions, bridgeBinding(p.Vehicle.Actions[i].Call))
	}
	return b
}

func bridgeBinding(b *scenes.Binding) *uibridge.Binding {
	if b == nil {
		return nil
	}
	return &uibridge.Binding{Bus: b.Bus, Service: b.Service, Path: b.Path, Interface: b.Interface, Member: b.Member,
		Property: b.Property, Signature: b.Signature, Args: b.Args, Within: b.Within}
}

// services are those that the bindings call or events come from, each once.
func (b *callBook) services() (list []uibridge.Service) {
	for _, binding := range slices.Concat(b.actuators, b.actions) {
		list = withService(list, binding)
	}
	for i := range b.prog.Vehicle.Events {
		list = withSource(list, &b.prog.Vehicle.Events[i])
	}
	return list
}

// calls are the services that a card's actions call.
func (b *callBook) calls(card int) (list []uibridge.Service) {
	then := b.prog.Engine.Cards[card].Then
	for i := range then {
		switch step := &then[i]; step.Kind {
		case engine.Set:
			list = withService(list, b.actuators[step.Actuator])
		case engine.Do:
			list = withService(list, b.actions[step.Action])
		}
	}
	return list
}

// tellers are the services that tell of what starts a card, if nothing else
// starts it: one of them is enough.
func (b *callBook) tellers(card int) (list []uibridge.Service) {
	when := b.prog.Engine.Cards[card].When
	for i := range when {
		t := &when[i]
		if t.Into != 0 {
			break // edges of the triggers before
		}
		if t.Op != engine.Occurs {
			return nil
		}
		e := eventOf(b.prog.Vehicle, b.prog.Engine.Occurs[t.Occur].Name)
		if e == nil || e.Source.HMI {
			return nil
		}
		list = withSource(list, e)
	}
	return list
}

func withService(list []uibridge.Service, b *uibridge.Binding) []uibridge.Service {
	if b == nil {
		return list
	}
	return once(list, uibridge.Service{Bus: b.Bus, Name: b.Service})
}

func withSource(list []uibridge.Service, e *scenes.Event) []uibridge.Service {
	switch {
	case e.Source.HMI:
		return list
	case e.Source.GeoClue:
		return once(list, uibridge.Service{Bus: "system", Name: services.GeoClue})
	}
	return once(list, uibridge.Service{Bus: e.Source.Bus, Name: e.Source.Service})
}

func once(list []uibridge.Service, s uibridge.Service) []uibridge.Service {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// call gives the binding and arguments of one call.
func (b *callBook) call(c *engine.Call) (*uibridge.Binding, []any, error) {
	vars := func(name string) (engine.Value, bool) {
		switch name {
		case "card":
			return text(c.CardID), true
		case "actuator":
			return text(b.prog.Engine.Actuators[c.Actuator].Path), true
		case "value":
			return c.Value, true
		case "lease_ms":
			return engine.Value{Kind: engine.Number, Num: float64(c.LeaseMS)}, true
		}
		return engine.Value{}, false
	}
	var binding *uibridge.Binding
	if c.Kind == engine.CallDo { // of a profile that may have no actuators
		binding = b.actions[c.Action]
		card := b.prog.Cards[c.Card]
		vars = b.doVars(card, &card.Then[c.Step])
	} else {
		binding = b.actuators[c.Actuator]
	}
	args, err := binding.Arguments(vars)
	return binding, args, err
}

// doVars gives the parameters of a do action as its card states them.
func (b *callBook) doVars(card *scenes.Card, step *scenes.Step) func(string) (engine.Value, bool) {
	return func(name string) (engine.Value, bool) {
		switch name {
		case "card":
			return text(card.ID), true
		case "lang":
			return text(b.lang), true
		}
		for _, a := range step.With {
			if a.Name.Text != name {
				continue
			}
			if a.Texts != nil {
				return text(a.Texts.In(b.lang)), true
			}
			return engine.Value{Kind: a.Value.Kind, Num: a.Value.Num, Text: a.Value.Text}, true
		}
		return engine.Value{}, false
	}
}

func text(s string) engine.Value { return engine.Value{Kind: engine.Label, Text: s} }
