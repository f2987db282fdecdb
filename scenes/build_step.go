package scenes

import (
	"math"
	"slices"

	"vignette/scenes/engine"
)

// step builds one entry of a card's then.
func (b *builder) step(s *Step, c *Card) engine.Step {
	e := engine.Step{Kind: s.Kind, Wait: int64(s.Wait), Continue: s.Continue}
	switch s.Kind {
	case engine.Set:
		b.set(&e, s)
	case engine.Do:
		b.do(&e, s)
	case engine.Release:
		b.release(&e, s, c)
	}
	return e
}

// set builds a set within the limits of its actuator.
func (b *builder) set(e *engine.Step, s *Step) {
	e.Lease, e.AtEnd = int64(s.Lease), s.AtEnd
	e.Actuator = slices.IndexFunc(b.v.Actuators, func(a Actuator) bool { return a.Path == s.Name.Text })
	if e.Actuator < 0 {
		b.noActuator(s.Name)
		return
	}
	a := &b.v.Actuators[e.Actuator]
	e.Value = b.value(a, s.To, s.operand())
	if s.AtEnd == engine.SetTo {
		e.EndValue = b.value(a, s.EndValue, s.operand())
	}
	if s.Lease > a.MaxLease {
		b.beyond(s.LeasePos, "lease %s is longer than the %s that the vehicle profile allows for %s; shorten it", span(s.Lease), span(a.MaxLease), a.Path)
		b.lacks(Lack{Kind: LackLease, Name: span(s.Lease), Of: a.Path, Fit: span(a.MaxLease)})
	}
}

// release builds a release of an actuator that the card sets.
func (b *builder) release(e *engine.Step, s *Step, c *Card) {
	e.Actuator = slices.IndexFunc(b.v.Actuators, func(a Actuator) bool { return a.Path == s.Name.Text })
	switch {
	case e.Actuator < 0:
		b.noActuator(s.Name)
	case !slices.ContainsFunc(c.Then, func(o Step) bool { return o.Kind == engine.Set && o.Name.Text == s.Name.Text }):
		b.fault(s.Name.Pos, "the card never sets %s; a card releases what it has set: take the release out", s.Name.Text)
	}
}

// operand says where the values of a set stand.
func (s *Step) operand() operand { return operand{at: s.Pos, op: s.forms[0], unit: s.Unit} }

func (b *builder) noActuator(name Name) {
	if entry, no := b.v.forbidden(name.Text); no {
		b.beyond(name.Pos, "%s may never be set: the vehicle profile forbids %s; take the action out", name.Text, entry)
		b.lacks(Lack{Kind: LackForbidden, Name: name.Text})
		return
	}
	var paths []string
	for i := range b.v.Actuators {
		paths = append(paths, b.v.Actuators[i].Path)
	}
	b.unknown(name.Pos, "`%s` is not an actuator of the vehicle profile%s", name.Text, orElse(hintPath(name.Text, paths), "; known are "+quoted(paths)))
	b.lacks(Lack{Kind: LackActuator, Name: name.Text})
}

// value is a literal as a value of the actuator, in its unit.
func (b *builder) value(a *Actuator, l Literal, in operand) engine.Value {
	switch {
	case a.Kind != l.Kind:
		b.wrongKind(a.Path, a.Kind, a.Labels, l)
		return engine.Value{}
	case a.Kind == engine.Number:
		return b.setting(a, l, in)
	}
	b.noUnit(a.Path, in.unit)
	if a.Kind == engine.Bool {
		return engine.Value{Kind: engine.Bool, Num: l.Num}
	}
	i := slices.Index(a.Labels, l.Text)
	if i < 0 {
		b.unknown(l.Pos, "%s", noLabel(a.Path, l.Text, a.Labels))
		b.lacks(Lack{Kind: LackValue, Name: l.Text, Of: a.Path})
		return engine.Value{}
	}
	return engine.Value{Kind: engine.Label, Num: float64(a.indexes[i]), Text: l.Text}
}

// setting holds a number within range and on the grid of min, min+step, ….
func (b *builder) setting(a *Actuator, l Literal, in operand) engine.Value {
	x, ok := b.inUnit(a.Path, a.Unit, l, in)
	if !ok {
		return engine.Value{}
	}
	_, whole := integers[a.Type]
	shown := show(x)
	if a.Unit != "" {
		shown += " " + a.Unit
	}
	before := len(*b.diags)
	switch {
	case x < a.Min || x > a.Max:
		b.beyond(l.Pos, "%s is outside the range of %s, %s to %s; choose a value in it", shown, a.Path, show(a.Min), show(a.Max))
	case a.Step > 0 && !onGrid(a, x):
		b.beyond(l.Pos, "%s is not a step of %s, which goes from %s in steps of %s; choose one", shown, a.Path, show(a.Min), show(a.Step))
	case whole && x != math.Trunc(x):
		b.fault(l.Pos, "%s takes whole numbers (%s), not %s; round it", a.Path, a.Type, shown)
	}
	if len(*b.diags) > before {
		b.lacks(Lack{Kind: LackRange, Name: l.String(), Of: a.Path, Fit: a.fit(x, in.unit.Text)})
	}
	return engine.Value{Kind: engine.Number, Num: x}
}

// fit is the nearest value that an actuator allows, in a card's unit; empty: it is
// no round number there.
func (a *Actuator) fit(x float64, unit string) string {
	x = min(max(x, a.Min), a.Max)
	step := a.Step
	if _, whole := integers[a.Type]; whole && step == 0 {
		step = 1
	}
	if step > 0 {
		x = min(a.Min+float64(math.Round((x-a.Min)/step)*step), a.Min+float64(math.Floor((a.Max-a.Min)/step)*step))
	}
	if unit != "" && unit != a.Unit {
		_, from, _ := findUnit(a.Unit)
		_, to, _ := findUnit(unit)
		x = convert(from, to).Apply(x)
	}
	if text := show(x); len(text) <= 12 {
		return text
	}
	return ""
}

// onGrid reports whether x is min plus a whole number of steps, within what
// the rounding of decimals can cause.
func onGrid(a *Actuator, x float64) bool {
	k := (x - a.Min) / a.Step
	return math.Abs(k-math.Round(k)) <= 1e-9*max(1, math.Abs(k))
}

// do builds a do, its arguments checked against the action's parameters.
func (b *builder) do(e *engine.Step, s *Step) {
	e.Action = slices.IndexFunc(b.v.Actions, func(a Action) bool { return a.Name == s.Name.Text })
	if e.Action < 0 {
		var names []string
		for _, a := range b.v.Actions {
			names = append(names, a.Name)
		}
		b.unknown(s.Name.Pos, "`%s` is not an action of the vehicle profile%s", s.Name.Text, orElse(hint(s.Name.Text, names), "; known are "+quoted(names)))
		b.lacks(Lack{Kind: LackAction, Name: s.Name.Text})
		return
	}
	a := &b.v.Actions[e.Action]
	var params []string
	for _, p := range a.Params {
		params = append(params, p.Name)
	}
	for _, arg := range s.With {
		i := slices.Index(params, arg.Name.Text)
		if i < 0 {
			b.unknown(arg.Name.Pos, "`%s` is not a parameter of %s%s", arg.Name.Text, a.Name, orElse(hint(arg.Name.Text, params), "; known are "+quoted(params)))
			continue
		}
		b.argument(arg, a.Params[i])
	}
	for _, p := range params {
		if !slices.ContainsFunc(s.With, func(g Arg) bool { return g.Name.Text == p }) {
			at := s.withPos
			if at == (Pos{}) {
				at = s.Pos
			}
			b.fault(at, "%s needs the parameter `%s`; add it to `with`", a.Name, p)
		}
	}
}

// argument checks the type of an argument.
func (b *builder) argument(g Arg, p Param) {
	wanted := map[string]engine.ValueKind{"string": engine.Label, "number": engine.Number, "boolean": engine.Bool}
	switch {
	case p.Type == "localized" && g.Texts == nil:
		b.fault(g.Value.Pos, "`%s` is a text by language; write {en: %v}", p.Name, g.Value)
	case p.Type != "localized" && g.Texts != nil:
		b.fault(g.Name.Pos, "`%s` is one %s, not a text by language", p.Name, p.Type)
	case p.Type != "localized" && g.Value.Kind != wanted[p.Type]:
		b.fault(g.Value.Pos, "`%s` is a %s; `%v` is none", p.Name, p.Type, g.Value)
	}
}
