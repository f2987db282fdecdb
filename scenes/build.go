package scenes

import (
	"math"
	"slices"

	"vignette/scenes/engine"
)

// builder checks what a file says against the vehicle and builds the engine's
// form of it.
type builder struct {
	v         *Vehicle
	file      string
	diags     *Diagnostics
	slot      func(path string) int
	inProfile bool  // states cannot be built on states
	names     []int // slots that the card names
	types     map[*exprNode]exprType
}

// fault notes something that does not fit its signal, actuator or action.
func (b *builder) fault(at Pos, format string, args ...any) {
	b.diags.found("types", b.file, at, format, args...)
}

// unknown notes a name that the profile does not have.
func (b *builder) unknown(at Pos, format string, args ...any) {
	b.diags.found("names", b.file, at, format, args...)
}

// beyond notes what the profile does not allow.
func (b *builder) beyond(at Pos, format string, args ...any) {
	b.diags.found("limits", b.file, at, format, args...)
}

// card builds a card.
func (b *builder) card(c *Card) engine.Card {
	b.names = nil
	e := engine.Card{ID: c.ID, Cooldown: int64(c.Cooldown), Priority: c.Priority,
		Restart: c.Restart, Manual: c.Manual, OnBoot: c.OnBoot, Hash: c.SHA256, Off: c.Off}
	e.When = b.triggers(c.When)
	for i := range c.OnlyIf {
		e.OnlyIf = append(e.OnlyIf, b.cond(nil, &c.OnlyIf[i]))
	}
	for i := range c.Then {
		e.Then = append(e.Then, b.step(&c.Then[i], c))
	}
	slices.Sort(b.names)
	e.Names = slices.Compact(b.names)
	return e
}

// operand says where the values of a comparison or a set stand.
type operand struct {
	at   Pos  // of the whole
	op   Name // the key, such as above
	unit Name
}

// signal finds a signal that the file names.
func (b *builder) signal(name Name) *Signal {
	s := b.known(name)
	if s != nil {
		b.names = append(b.names, b.slot(name.Text))
	}
	return s
}

// known finds a signal for what is about knowing it, so that it need not be
// valid before the card is live.
func (b *builder) known(name Name) *Signal {
	s := b.v.Signal(name.Text)
	if s == nil && !b.v.faulty[name.Text] {
		b.unknown(name.Pos, "%s", b.v.noSignal(name.Text))
		b.lacks(Lack{Kind: LackSignal, Name: name.Text})
	}
	return s
}

// level builds a trigger on a signal's value.
func (b *builder) level(e engine.Trigger, t *Trigger) engine.Trigger {
	s := b.signal(t.Signal)
	if s == nil {
		return e
	}
	e.Slot = b.slot(s.Path)
	in := operand{t.Pos, t.ops[0], t.Unit}
	switch t.Op {
	case engine.Changes:
		if t.Unit.Text != "" {
			b.fault(t.Unit.Pos, "`changes` compares with nothing that has a unit; leave `unit` out")
		}
	case engine.Becomes, engine.Leaves:
		e.X = b.equal(s, t.X, in)
	default:
		before := len(*b.diags)
		e.X = b.compare(s, t.X, in)
		e.Rearm = e.X
		if t.Rearm.Kind != engine.None && len(*b.diags) == before {
			e.Rearm = b.compare(s, t.Rearm, in)
		}
		b.checkRearm(t)
	}
	return e
}

// checkRearm holds that a trigger re-arms on the other side of X.
func (b *builder) checkRearm(t *Trigger) {
	switch {
	case t.Rearm.Kind == engine.None:
	case t.Op == engine.RisesAbove && t.Rearm.Num > t.X.Num:
		b.fault(t.Rearm.Pos, "`rearm_below` %v is above `rises_above` %v; it must be at most that", t.Rearm, t.X)
	case t.Op == engine.FallsBelow && t.Rearm.Num < t.X.Num:
		b.fault(t.Rearm.Pos, "`rearm_above` %v is below `falls_below` %v; it must be at least that", t.Rearm, t.X)
	}
}

// cond appends a condition in prefix order.
func (b *builder) cond(out engine.Cond, c *Cond) engine.Cond {
	start := len(out)
	out = append(out, engine.Clause{Op: c.Op})
	if c.Power.Text != "" {
		return b.power(out, c.Power)
	}
	switch c.Op {
	case engine.All, engine.Any, engine.Not:
		for i := range c.Of {
			out = b.cond(out, &c.Of[i])
		}
	case engine.InState:
		out[start].State = b.state(c.State)
	case engine.Fresh:
		if s := b.known(c.path); s != nil {
			out[start].Slot = b.slot(s.Path)
		}
	case engine.TimeOfDay:
		b.timeOfDay(&out[start], c)
	case engine.Computed:
		out[start].Expr = b.expr(c.Expr)
	default:
		b.comparison(&out[start], c)
	}
	out[start].Size = len(out) - start
	return out
}

// state finds the drive state that a condition names.
func (b *builder) state(name Name) int {
	if b.inProfile {
		b.fault(name.Pos, "a state cannot be built on a state; use signals")
		return 0
	}
	i, ok := b.v.state(name.Text)
	if !ok {
		b.unknown(name.Pos, "%s", noState(b.v, name.Text))
		b.lacks(Lack{Kind: LackState, Name: name.Text})
	}
	return i
}

// comparison builds the comparison of a signal.
func (b *builder) comparison(e *engine.Clause, c *Cond) {
	s := b.signal(c.path)
	if s == nil {
		return
	}
	e.Slot = b.slot(s.Path)
	in := operand{c.Pos, c.ops[0], c.Unit}
	switch c.Op {
	case engine.Is, engine.IsNot:
		e.A = b.equal(s, c.A, in)
	case engine.Between:
		before := len(*b.diags)
		if e.A = b.compare(s, c.A, in); len(*b.diags) == before {
			e.B = b.compare(s, c.B, in)
		}
	default:
		e.A = b.compare(s, c.A, in)
	}
}

// compare is a number in the signal's unit, for greater and smaller.
func (b *builder) compare(s *Signal, l Literal, in operand) float64 {
	if s.Kind != engine.Number {
		b.fault(in.op.Pos, "`%s`: %s has %s, which are neither above nor below; use `is`, `is_not`, `becomes` or `leaves`", in.op.Text, s.Path, kindName(s.Kind))
		return 0
	}
	x, _ := b.inUnit(s.Path, s.Unit, l, in)
	return x
}

// equal is a value of the signal, for equality.
func (b *builder) equal(s *Signal, l Literal, in operand) float64 {
	switch {
	case s.Kind == engine.Label && l.Kind == engine.Label:
		b.noUnit(s.Path, in.unit)
		i := slices.Index(s.Labels, l.Text)
		if i < 0 {
			b.unknown(l.Pos, "%s", noLabel(s.Path, l.Text, s.Labels))
			b.lacks(Lack{Kind: LackValue, Name: l.Text, Of: s.Path})
		}
		return float64(i)
	case s.Kind != l.Kind:
		b.wrongKind(s.Path, s.Kind, s.Labels, l)
		return 0
	case s.Kind == engine.Bool:
		b.noUnit(s.Path, in.unit)
		return l.Num
	}
	return b.equalNumber(s, l, in)
}

// equalNumber holds that equality is asked of whole values only.
func (b *builder) equalNumber(s *Signal, l Literal, in operand) float64 {
	x, ok := b.inUnit(s.Path, s.Unit, l, in)
	switch {
	case !ok:
	case !s.whole:
		b.fault(in.op.Pos, "`%s`: %s is not always a whole number, so equality would miss it; compare with a range", in.op.Text, s.Path)
	default:
		b.listed(s, x, l.Pos)
	}
	return x
}

// listed holds that a signal of whole numbers can have a value.
func (b *builder) listed(s *Signal, x float64, at Pos) {
	switch {
	case x != math.Trunc(x):
		b.fault(at, "%s is always a whole number, never %s; correct the value", s.Path, show(x))
		b.lacks(Lack{Kind: LackValue, Name: show(x), Of: s.Path})
	case s.values != nil && !slices.ContainsFunc(s.values, func(m mapped) bool { return m.num == x }):
		b.fault(at, "%s is never %s; its values are %s", s.Path, show(x), quoted(s.numbers()))
		b.lacks(Lack{Kind: LackValue, Name: show(x), Of: s.Path})
	}
}

// numbers are the values that the profile lists, as text, ascending.
func (s *Signal) numbers() []string {
	var texts []string
	for _, x := range s.distinct() {
		texts = append(texts, show(x))
	}
	return texts
}

// wrongKind says that a value is of another kind than its signal or actuator.
func (b *builder) wrongKind(path string, kind engine.ValueKind, labels []string, l Literal) {
	switch kind {
	case engine.Bool:
		b.fault(l.Pos, "%s is true or false; write `true` or `false`, not `%v`", path, l)
	case engine.Label:
		b.fault(l.Pos, "%s has labels, not `%v`; its values are %s (in quotes where needed)", path, l, quoted(labels))
	default:
		b.fault(l.Pos, "%s is a number; `%v` is none", path, l)
	}
	b.lacks(Lack{Kind: LackValue, Name: l.String(), Of: path})
}

// noUnit holds that no unit is given to what has none.
func (b *builder) noUnit(path string, unit Name) {
	if unit.Text != "" {
		b.fault(unit.Pos, "%s has no unit; leave `unit` out", path)
		b.lacks(Lack{Kind: LackUnit, Name: unit.Text, Of: path})
	}
}

// inUnit converts a literal into the unit of a signal or actuator.
func (b *builder) inUnit(path, want string, l Literal, in operand) (float64, bool) {
	switch {
	case want == "" && in.unit.Text == "":
		return l.Num, true
	case want == "":
		b.fault(in.unit.Pos, "%s has no unit in the vehicle profile; leave `unit` out, or give it one there", path)
		b.lacks(Lack{Kind: LackUnit, Name: in.unit.Text, Of: path})
		return 0, false
	case in.unit.Text == "":
		b.fault(in.at, "`unit` is missing: %s has the unit %s; add unit: %s", path, want, want)
		b.lacks(Lack{Kind: LackUnit, Of: path})
		return 0, false
	}
	wantQ, to, _ := findUnit(want)
	q, from, ok := findUnit(in.unit.Text)
	switch {
	case !ok:
		b.fault(in.unit.Pos, "%s", unknownUnit(in.unit.Text))
		b.lacks(Lack{Kind: LackUnit, Name: in.unit.Text, Of: path, Fit: nearest(in.unit.Text, unitNames())})
		return 0, false
	case q != wantQ:
		b.fault(in.unit.Pos, "%s is %s (%s); %s is %s", path, wantQ.name, want, in.unit.Text, q.name)
		b.lacks(Lack{Kind: LackUnit, Name: in.unit.Text, Of: path})
		return 0, false
	}
	x := convert(from, to).Apply(l.Num)
	if math.IsInf(x, 0) {
		b.fault(l.Pos, "%v %s is too large a number in %s", l, in.unit.Text, want)
		return 0, false
	}
	return x, true
}
