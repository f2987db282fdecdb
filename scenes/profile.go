package scenes

import (
	"fmt"
	"slices"
	"time"

	"vignette/scenes/engine"
	"vignette/scenes/yaml"
)

// maxStates is the most drive states: engine.StateSet has a bit for each and
// one for moving.
const maxStates = 63

func (r *reader) readStates(n *yaml.Node, p *profile) {
	r.named(n, "`states`", func(name, value *yaml.Node) {
		s := State{Name: r.pattern(name, nameText, nameWant), Pos: at(name)}
		before := len(r.diags)
		if s.Name == moving {
			r.fault(name, "`moving` is what holds when no other state does; choose another name")
		}
		s.When = r.cond(value)
		if len(r.diags) == before {
			p.v.States = append(p.v.States, s)
		} else {
			p.v.faulty[name.Value] = true
		}
	})
	if len(p.v.States) > maxStates {
		r.fault(n, "there are more than %d states; leave some out", maxStates)
	}
}

// resolveStates checks the conditions of the states against the signals.
func (p *profile) resolveStates() {
	for i := range p.v.States {
		b := builder{v: p.v, file: p.file, diags: &p.diags, slot: func(string) int { return 0 }, inProfile: true}
		b.cond(nil, &p.v.States[i].When)
	}
}

func powerKeys() object[Power] {
	return object[Power]{"`power`", []key[Power]{
		{"from", required, func(r *reader, n *yaml.Node, w *Power) { w.From = r.name(n) }},
		{"off", optional, func(r *reader, n *yaml.Node, w *Power) { w.Off = r.names(n, "`off`") }},
		{"accessory", optional, func(r *reader, n *yaml.Node, w *Power) { w.Accessory = r.names(n, "`accessory`") }},
		{"on", required, func(r *reader, n *yaml.Node, w *Power) { w.On = r.names(n, "`on`") }},
	}}
}

// names reads a list of texts.
func (r *reader) names(n *yaml.Node, what string) []Name {
	var names []Name
	r.list(n, what, func(n *yaml.Node) {
		if name := r.name(n); name.Text != "" {
			names = append(names, name)
		}
	})
	return names
}

func (r *reader) readPower(n *yaml.Node, p *profile) {
	var w Power
	if powerKeys().read(r, n, &w) {
		p.v.Power = &w
	}
}

func (r *reader) readAssistance(n *yaml.Node, p *profile) {
	level := func(i int) func(*reader, *yaml.Node, *Assistance) {
		return func(r *reader, n *yaml.Node, a *Assistance) { a.Levels[i] = r.names(n, fmt.Sprintf("`level_%d`", i)) }
	}
	table := object[Assistance]{"`assistance`", []key[Assistance]{
		{"from", required, func(r *reader, n *yaml.Node, a *Assistance) { a.From = r.name(n) }},
		{"level_0", required, level(0)},
		{"level_1", optional, level(1)},
		{"level_2", optional, level(2)},
	}}
	var a Assistance
	if table.read(r, n, &a) {
		p.v.Assistance = &a
	}
}

// resolvePower checks that the power signal has the labels, each once.
func (p *profile) resolvePower() {
	if w := p.v.Power; w != nil {
		p.resolveLabels(w.From, slices.Concat(w.Off, w.Accessory, w.On))
	}
}

// resolveAssistance checks that the signal has the labels, each once.
func (p *profile) resolveAssistance() {
	if a := p.v.Assistance; a != nil {
		p.resolveLabels(a.From, slices.Concat(a.Levels[:]...))
	}
}

// resolveLabels checks that a signal has labels, each once.
func (p *profile) resolveLabels(from Name, names []Name) {
	s := p.v.Signal(from.Text)
	switch {
	case s == nil && p.v.faulty[from.Text]:
		return
	case s == nil:
		p.diags.add(p.file, from.Pos, "%s", p.v.noSignal(from.Text))
		return
	case s.Kind != engine.Label:
		p.diags.add(p.file, from.Pos, "%s has no labels; give it `values` with labels", s.Path)
		return
	}
	var seen []string
	for _, name := range names {
		switch {
		case !slices.Contains(s.Labels, name.Text):
			p.diags.add(p.file, name.Pos, "%s", noLabel(s.Path, name.Text, s.Labels))
		case slices.Contains(seen, name.Text):
			p.diags.add(p.file, name.Pos, "`%s` is given twice; give each label once", name.Text)
		}
		seen = append(seen, name.Text)
	}
}

func noLabel(path, label string, labels []string) string {
	return "`" + label + "` is never a value of " + path + orElse(hint(label, labels), "; its values are "+quoted(labels))
}

func (r *reader) readNever(n *yaml.Node, p *profile) {
	r.list(n, "`never`", func(n *yaml.Node) {
		if path := r.pattern(n, neverText, neverWant); path != "" {
			p.v.Never = append(p.v.Never, Name{path, at(n)})
		}
	})
}

func (r *reader) readBudget(n *yaml.Node, p *profile) {
	object[Budget]{"`budget`", []key[Budget]{
		{"state_bytes", optional, func(r *reader, n *yaml.Node, b *Budget) { b.StateBytes = r.whole(n, 1, maxProfile) }},
		{"ops_per_step", optional, func(r *reader, n *yaml.Node, b *Budget) { b.OpsPerStep = r.whole(n, 1, maxProfile) }},
	}}.read(r, n, &p.v.Budget)
}

func (r *reader) readQuarantine(n *yaml.Node, p *profile) {
	type q = engine.Quarantine
	object[q]{"`quarantine`", []key[q]{
		{"fires", required, func(r *reader, n *yaml.Node, q *q) { q.Fires = r.whole(n, 1, 1000) }},
		{"within", required, func(r *reader, n *yaml.Node, q *q) { q.Within = int64(r.duration(n, time.Nanosecond)) }},
	}}.read(r, n, &p.v.Quarantine)
}
