package scenes

import (
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"vignette/scenes/engine"
	"vignette/scenes/yaml"
)

// Actuator is what a card may set, and its limits.
type Actuator struct {
	Path        string
	Pos         Pos
	Type        string // VSS data type
	Kind        engine.ValueKind
	Unit        string   // VSS's name; empty: none
	Labels      []string // for Label
	Min, Max    float64  // for Number
	Step        float64  // for Number; 0: any value
	Slew        float64  // units per second; 0: at once
	MinInterval time.Duration
	MaxLease    time.Duration
	States      engine.StateSet
	EndStates   engine.StateSet
	Holdoff     time.Duration // manual_holdoff
	Confirm     time.Duration // within which the driver must agree to a set; 0: need not
	Survives    bool          // survive_sleep: its leases outlive sleep and a clean stop
	Call        *Binding      // nil: decided and logged, goes nowhere
	Readback    string        // path of the signal; empty: none
	ReadWithin  time.Duration

	indexes []int // for Label: the engine's index of each label
}

// actuatorText is an actuator as the profile writes it.
type actuatorText struct {
	Actuator
	path, unit, typ   Name
	values            []Name
	min, max, step    Literal
	slewPos           Pos
	states, endStates []Name
	confirm           bool
	within            Name // the key confirm_within
	call              *bindingText
	readback          Name
}

// integers are the whole VSS data types with their ranges.
var integers = map[string][2]float64{
	"int8": {math.MinInt8, math.MaxInt8}, "uint8": {0, math.MaxUint8},
	"int16": {math.MinInt16, math.MaxInt16}, "uint16": {0, math.MaxUint16},
	"int32": {math.MinInt32, math.MaxInt32}, "uint32": {0, math.MaxUint32},
}

var actuatorTypes = []string{"boolean", "int8", "uint8", "int16", "uint16", "int32", "uint32", "float", "double", "string"}

func actuatorKeys() object[actuatorText] {
	type a = actuatorText
	return object[a]{"an actuator", []key[a]{
		{"type", required, func(r *reader, n *yaml.Node, a *a) { a.typ = Name{r.word(n, actuatorTypes...), at(n)} }},
		{"unit", optional, func(r *reader, n *yaml.Node, a *a) { a.unit = r.name(n) }},
		{"values", optional, func(r *reader, n *yaml.Node, a *a) { a.values = r.names(n, "`values`") }},
		{"min", optional, func(r *reader, n *yaml.Node, a *a) { a.min = r.numeral(n) }},
		{"max", optional, func(r *reader, n *yaml.Node, a *a) { a.max = r.numeral(n) }},
		{"step", optional, func(r *reader, n *yaml.Node, a *a) { a.step = r.numeral(n) }},
		{"slew", optional, readSlew},
		{"min_interval", optional, func(r *reader, n *yaml.Node, a *a) { a.MinInterval = r.duration(n, 0) }},
		{"max_lease", required, func(r *reader, n *yaml.Node, a *a) { a.MaxLease = r.duration(n, 1) }},
		{"states", required, func(r *reader, n *yaml.Node, a *a) { a.states = r.names(n, "`states`") }},
		{"end_states", optional, func(r *reader, n *yaml.Node, a *a) { a.endStates = r.names(n, "`end_states`") }},
		{"manual_holdoff", required, func(r *reader, n *yaml.Node, a *a) { a.Holdoff = r.duration(n, 0) }},
		{"confirm", optional, func(r *reader, n *yaml.Node, a *a) { a.confirm = r.boolean(n) }},
		{"confirm_within", optional, func(r *reader, n *yaml.Node, a *a) { a.Confirm, a.within = r.duration(n, 1), r.key(n) }},
		{"survive_sleep", optional, func(r *reader, n *yaml.Node, a *a) { a.Survives = r.boolean(n) }},
		{"call", optional, func(r *reader, n *yaml.Node, a *a) { a.call = r.binding(n) }},
		{"readback", optional, readReadback},
	}}
}

// notYet reads a boolean that must be false in this version.
func (r *reader) notYet(n *yaml.Node, what string) {
	if r.boolean(n) {
		r.fault(n, "`%s` is part of the format, but it is not supported by this version yet; write false, or leave it out", what)
	}
}

func readSlew(r *reader, n *yaml.Node, a *actuatorText) {
	const want = "a rate: a decimal number of the actuator's units with /s, such as 20/s"
	text := r.pattern(n, slewText, want)
	if text == "" {
		return // noted by pattern
	}
	a.slewPos = at(n)
	var err error
	if a.Slew, err = strconv.ParseFloat(strings.TrimSuffix(text, "/s"), 64); err != nil || a.Slew == 0 {
		r.fault(n, "`%s` cannot be a rate; give a number above 0", n.Value)
	}
}

func readReadback(r *reader, n *yaml.Node, a *actuatorText) {
	object[actuatorText]{"a readback", []key[actuatorText]{
		{"signal", required, func(r *reader, n *yaml.Node, a *actuatorText) { a.readback = r.name(n) }},
		{"within", required, func(r *reader, n *yaml.Node, a *actuatorText) { a.ReadWithin = r.duration(n, 1) }},
	}}.read(r, n, a)
}

func (r *reader) readActuators(n *yaml.Node, p *profile) {
	r.named(n, "`actuators`", func(name, value *yaml.Node) {
		a := actuatorText{path: Name{r.pattern(name, pathText, pathWant), at(name)}}
		if actuatorKeys().read(r, value, &a) && a.path.Text != "" {
			p.actuators = append(p.actuators, a)
		}
	})
}

// resolveActuators checks each actuator against never, states and signals.
func (p *profile) resolveActuators() {
	for i := range p.actuators {
		t := &p.actuators[i]
		a := &t.Actuator
		a.Path, a.Pos, a.Type = t.path.Text, t.path.Pos, t.typ.Text
		if entry, no := p.v.forbidden(a.Path); no {
			p.diags.add(p.file, a.Pos, "%s may never be set: `never` names %s; take the actuator out", a.Path, entry)
		}
		p.setType(t)
		p.setConfirm(t)
		a.States = p.stateSet(t.states)
		a.EndStates = a.States
		if t.endStates != nil {
			a.EndStates = p.stateSet(t.endStates)
		}
		texts := []string{"actuator", "card"}
		if a.Kind == engine.Label {
			texts = append(texts, "value")
		}
		a.Call = p.checkBinding(t.call, []string{"actuator", "value", "lease_ms", "card"}, texts)
		p.setReadback(t)
		p.v.Actuators = append(p.v.Actuators, *a)
	}
	sort.SliceStable(p.v.Actuators, func(i, j int) bool { return p.v.Actuators[i].Path < p.v.Actuators[j].Path })
}

// confirmWithin is how long the driver has to agree where the profile does not say.
const confirmWithin = 30 * time.Second

// setConfirm checks that confirm_within goes with confirm.
func (p *profile) setConfirm(t *actuatorText) {
	switch {
	case t.confirm && t.Confirm == 0:
		t.Confirm = confirmWithin
	case !t.confirm && t.within.Text != "":
		p.diags.add(p.file, t.within.Pos, "`confirm_within` belongs to `confirm: true`; add that, or leave it out")
		t.Confirm = 0
	}
}

// setType checks what belongs to the actuator's type: a range and unit to
// numbers, values to strings, neither to booleans.
func (p *profile) setType(t *actuatorText) {
	a := &t.Actuator
	switch a.Type {
	case "boolean":
		a.Kind = engine.Bool
	case "string":
		a.Kind = engine.Label
		p.setLabels(t)
	default:
		a.Kind = engine.Number
		p.setRange(t)
	}
	if a.Kind != engine.Label && t.values != nil {
		p.diags.add(p.file, t.values[0].Pos, "`values` belongs to type string; leave it out")
	}
	if a.Kind == engine.Number {
		return
	}
	for _, k := range []Name{{"unit", t.unit.Pos}, {"min", t.min.Pos}, {"max", t.max.Pos}, {"step", t.step.Pos}, {"slew", t.slewPos}} {
		if k.Pos != (Pos{}) {
			p.diags.add(p.file, k.Pos, "`%s` belongs to numbers, not to type %s; leave it out", k.Text, a.Type)
		}
	}
}

func (p *profile) setLabels(t *actuatorText) {
	if len(t.values) == 0 {
		p.diags.add(p.file, t.path.Pos, "an actuator of type string needs `values`, the list of texts that may be set; add it")
	}
	for i, v := range t.values {
		if slices.Contains(t.Labels, v.Text) {
			p.diags.add(p.file, v.Pos, "`%s` is given twice; keep one", v.Text)
		}
		t.Labels, t.indexes = append(t.Labels, v.Text), append(t.indexes, i)
	}
}

// setRange checks unit, min, max and step of a number.
func (p *profile) setRange(t *actuatorText) {
	a := &t.Actuator
	if t.unit.Text != "" {
		_, u, ok := findUnit(t.unit.Text)
		if !ok {
			p.diags.add(p.file, t.unit.Pos, "%s", unknownUnit(t.unit.Text))
			return
		}
		a.Unit = u.name
	}
	if t.min.Kind == engine.None || t.max.Kind == engine.None {
		p.diags.add(p.file, t.path.Pos, "an actuator of type %s needs `min` and `max`; add them", a.Type)
		return
	}
	a.Min, a.Max, a.Step = t.min.Num, t.max.Num, t.step.Num
	if a.Min > a.Max {
		p.diags.add(p.file, t.min.Pos, "min %v is above max %v; exchange them", t.min, t.max)
	}
	if t.step.Kind != engine.None && a.Step <= 0 {
		p.diags.add(p.file, t.step.Pos, "step %v is not above 0; correct it, or leave it out", t.step)
	}
	limits, whole := integers[a.Type]
	for _, l := range []Literal{t.min, t.max, t.step} {
		if whole && l.Kind != engine.None && (l.Num != math.Trunc(l.Num) || l.Num < limits[0] || l.Num > limits[1]) {
			p.diags.add(p.file, l.Pos, "%v does not fit type %s; correct it", l, a.Type)
		}
	}
}

// stateSet turns names of states into a set.
func (p *profile) stateSet(names []Name) engine.StateSet {
	var set engine.StateSet
	for _, n := range names {
		i, ok := p.v.state(n.Text)
		switch {
		case ok:
			set |= 1 << i
		case !p.v.faulty[n.Text]:
			p.diags.add(p.file, n.Pos, "%s", noState(p.v, n.Text))
		}
	}
	return set
}

func noState(v *Vehicle, name string) string {
	return "`" + name + "` is not a state of the vehicle profile" + orElse(hint(name, v.stateNames()), "; known are "+quoted(v.stateNames()))
}

// setReadback checks that the readback's signal can be compared with what is
// set: same kind, same unit, and for labels a value for each.
func (p *profile) setReadback(t *actuatorText) {
	if t.readback.Text == "" {
		return
	}
	a, s := &t.Actuator, p.v.Signal(t.readback.Text)
	a.Readback = t.readback.Text
	switch {
	case s == nil && p.v.faulty[a.Readback], t.unit.Text != "" && a.Unit == "":
		return // noted where it stands
	case s == nil:
		p.diags.add(p.file, t.readback.Pos, "%s", p.v.noSignal(t.readback.Text))
	case s.Kind != a.Kind:
		p.diags.add(p.file, t.readback.Pos, "%s gives %s, but the actuator takes %s; read back a signal of the same kind",
			s.Path, kindName(s.Kind), kindName(a.Kind))
	case s.Unit != a.Unit:
		p.diags.add(p.file, t.readback.Pos, "%s is in %s, but the actuator is in %s; give the actuator the unit of its readback",
			s.Path, unitOr(s.Unit), unitOr(a.Unit))
	case a.Kind == engine.Label:
		for i, l := range a.Labels {
			if a.indexes[i] = slices.Index(s.Labels, l); a.indexes[i] < 0 {
				p.diags.add(p.file, t.values[i].Pos, "%s", noLabel(s.Path, l, s.Labels))
			}
		}
	}
}

func unitOr(unit string) string { return orElse(unit, "no unit") }
