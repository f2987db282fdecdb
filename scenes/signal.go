package scenes

import (
	"math"
	"slices"
	"sort"
	"strconv"
	"time"

	"vignette/can/dbc"
	"vignette/scenes/engine"
	"vignette/scenes/yaml"
)

// Signal is one signal of the profile: a VSS path and the DBC signal behind it.
type Signal struct {
	Path       string
	Pos        Pos
	Bus        int // index into Vehicle.Buses
	Message    *dbc.Message
	Signal     *dbc.Signal
	DBCUnit    string // unit of the DBC's physical value as the profile says; empty: none
	Unit       string // unit of the samples, VSS's name; empty: none
	Kind       engine.ValueKind
	Labels     []string      // for Label: Sample.Num is an index into it
	StaleAfter time.Duration // 0: never

	whole   bool // every sample is a whole number
	listed  bool // every sample is one of mapped
	convert Conversion
	field   dbc.Field
	values  []mapped // by raw value; nil: every raw value is taken
	invalid []int64  // raw values, sorted
	alive   *Counter
}

// Counter is a counter whose standing still tells that a signal is frozen.
type Counter struct {
	Bus     int // index into Vehicle.Buses
	Message *dbc.Message
	Signal  *dbc.Signal
	Field   dbc.Field
}

// mapped is one raw value with the number that stands for it.
type mapped struct {
	raw int64
	num float64
}

// signalText is a signal as the profile writes it.
type signalText struct {
	path       Name
	from       Name
	unit       Name
	values     []valueText
	valuesPos  Pos
	invalid    []rawText
	alive      Name
	stale      time.Duration
	staleGiven bool
}

type rawText struct {
	text string
	pos  Pos
}

type valueText struct {
	raw rawText
	to  Literal
}

func signalKeys() object[signalText] {
	return object[signalText]{"a signal", []key[signalText]{
		{"from", required, func(r *reader, n *yaml.Node, s *signalText) { s.from = r.name(n) }},
		{"unit", optional, func(r *reader, n *yaml.Node, s *signalText) { s.unit = r.name(n) }},
		{"stale_after", optional, readStale},
		{"values", optional, readValues},
		{"invalid", optional, func(r *reader, n *yaml.Node, s *signalText) {
			r.list(n, "`invalid`", func(n *yaml.Node) {
				if _, ok := r.number(n); ok {
					s.invalid = append(s.invalid, rawText{n.Value, at(n)})
				}
			})
		}},
		{"alive", optional, func(r *reader, n *yaml.Node, s *signalText) { s.alive = r.name(n) }},
	}}
}

func readStale(r *reader, n *yaml.Node, s *signalText) {
	s.staleGiven = true
	if r.shape(n, staleShape) {
		return
	}
	if n.Kind == yaml.ScalarNode && n.Value == "never" {
		return
	}
	s.stale = r.duration(n, 1)
}

// readValues reads the mapping from raw values to numbers, booleans or labels.
func readValues(r *reader, n *yaml.Node, s *signalText) {
	s.valuesPos = at(n)
	r.named(n, "`values`", func(name, value *yaml.Node) {
		if _, ok := r.number(name); !ok {
			return
		}
		to := r.literal(value)
		if len(s.values) > 0 && to.Kind != engine.None && s.values[0].to.Kind != to.Kind {
			r.fault(value, "`values` mixes numbers, booleans and labels; use one kind (labels in quotes)")
			return
		}
		if to.Kind != engine.None {
			s.values = append(s.values, valueText{rawText{name.Value, at(name)}, to})
		}
	})
	if n.Kind == yaml.MappingNode && len(n.Content) == 0 {
		r.fault(n, "`values` is empty; list the raw values, or leave it out")
	}
}

func (r *reader) readSignals(n *yaml.Node, p *profile) {
	r.named(n, "`signals`", func(name, value *yaml.Node) {
		s := signalText{path: Name{r.pattern(name, pathText, pathWant), at(name)}}
		if signalKeys().read(r, value, &s) && s.path.Text != "" {
			p.signals = append(p.signals, s)
		} else {
			p.v.faulty[name.Value] = true
		}
	})
}

// resolveSignals finds each signal in its DBC and compiles how it is sampled.
func (p *profile) resolveSignals() {
	for _, t := range p.signals {
		if s, ok := p.signal(t); ok {
			p.v.Signals = append(p.v.Signals, s)
		} else {
			p.v.faulty[s.Path] = true
		}
	}
	sort.SliceStable(p.v.Signals, func(i, j int) bool { return p.v.Signals[i].Path < p.v.Signals[j].Path })
	for i := range p.v.Signals {
		p.v.signals[p.v.Signals[i].Path] = &p.v.Signals[i]
	}
}

func (p *profile) signal(t signalText) (Signal, bool) {
	s := Signal{Path: t.path.Text, Pos: t.path.Pos, Kind: engine.Number, DBCUnit: t.unit.Text}
	var ok bool
	if s.Bus, s.Message, s.Signal, ok = p.resolve(t.from); !ok {
		return s, false
	}
	var err error
	if s.field, err = s.Message.Field(s.Signal); err != nil {
		p.diags.add(p.file, t.from.Pos, "signal cannot be decoded: %v", err)
		return s, false
	}
	before := len(p.diags)
	p.setUnit(&s, t.unit)
	p.setStale(&s, t)
	p.setValues(&s, t)
	p.setAlive(&s, t.alive)
	d := s.Signal
	s.whole = s.Kind != engine.Number || s.values == nil && !d.Float && s.convert.identity() &&
		d.Factor == math.Trunc(d.Factor) && d.Offset == math.Trunc(d.Offset) || s.listed
	return s, len(p.diags) == before
}

// setUnit chooses the unit of the samples: the profile's own where VSS uses
// it, else the first one of its quantity.
func (p *profile) setUnit(s *Signal, name Name) {
	s.convert = Conversion{Scale: 1}
	if name.Text == "" {
		return
	}
	q, u, ok := findUnit(name.Text)
	if !ok {
		p.diags.add(p.file, name.Pos, "%s", unknownUnit(name.Text))
		return
	}
	to := u
	if !u.vss {
		to = &q.units[0]
	}
	s.Unit, s.convert = to.name, convert(u, to)
}

func unknownUnit(name string) string {
	return "`" + name + "` is not a known unit" + orElse(hint(name, unitNames()), "; use VSS's names, such as km/h, Celsius or percent")
}

// setStale takes the profile's limit, or else ten cycles, at least a second.
func (p *profile) setStale(s *Signal, t signalText) {
	s.StaleAfter = t.stale
	if !t.staleGiven {
		s.StaleAfter = max(time.Second, 10*s.Message.Cycle)
	}
}

// setValues compiles `values` and `invalid`.
func (p *profile) setValues(s *Signal, t signalText) {
	if s.Signal.Float && (t.values != nil || t.invalid != nil) {
		p.diags.add(p.file, t.path.Pos, "%s is an IEEE float; `values` and `invalid` need whole raw values, leave them out", t.from.Text)
		return
	}
	for _, i := range t.invalid {
		if raw, ok := p.raw(s, i); ok {
			s.invalid = append(s.invalid, raw)
		}
	}
	sort.SliceStable(s.invalid, func(i, j int) bool { return s.invalid[i] < s.invalid[j] })
	if t.values == nil {
		return
	}
	s.Kind, s.listed = t.values[0].to.Kind, true
	if s.Kind != engine.Number && t.unit.Text != "" {
		p.diags.add(p.file, t.unit.Pos, "`values` gives %s, which have no unit; leave `unit` out", kindName(s.Kind))
	}
	for _, v := range t.values {
		raw, ok := p.raw(s, v.raw)
		if !ok {
			continue
		}
		num := s.convert.Apply(v.to.Num)
		if s.Kind == engine.Label {
			num = float64(s.label(v.to.Text))
		}
		s.listed = s.listed && num == math.Trunc(num)
		s.values = append(s.values, mapped{raw, num})
	}
	sort.SliceStable(s.values, func(i, j int) bool { return s.values[i].raw < s.values[j].raw })
}

// label returns the index of a label, new ones at the end.
func (s *Signal) label(text string) int {
	if i := slices.Index(s.Labels, text); i >= 0 {
		return i
	}
	s.Labels = append(s.Labels, text)
	return len(s.Labels) - 1
}

// raw reads a raw value and checks that the DBC signal can carry it.
func (p *profile) raw(s *Signal, t rawText) (int64, bool) {
	if !isWhole(t.text) { // -0 is none
		p.diags.add(p.file, t.pos, "raw value %s is not a whole number; write it like 3", t.text)
		return 0, false
	}
	d := s.Signal
	sign, fits := "unsigned", false
	var raw int64
	if d.Signed {
		var err error
		raw, err = strconv.ParseInt(t.text, 10, d.Length)
		sign, fits = "signed", err == nil
	} else {
		u, err := strconv.ParseUint(t.text, 10, d.Length)
		raw, fits = int64(u), err == nil
	}
	if !fits {
		p.diags.add(p.file, t.pos, "raw value %s does not fit signal %s, which has %d bits, %s; correct it", t.text, d.Name, d.Length, sign)
	}
	return raw, fits
}

// setAlive finds the counter that tells whether the signal is frozen.
func (p *profile) setAlive(s *Signal, from Name) {
	if from.Text == "" {
		return
	}
	bus, m, d, ok := p.resolve(from)
	if !ok {
		return
	}
	field, err := m.Field(d)
	if err != nil {
		p.diags.add(p.file, from.Pos, "counter cannot be decoded: %v", err)
		return
	}
	s.alive = &Counter{bus, m, d, field}
}

// kindName names a kind of value in the plural.
func kindName(k engine.ValueKind) string {
	switch k {
	case engine.Bool:
		return "booleans"
	case engine.Label:
		return "labels"
	}
	return "numbers"
}
