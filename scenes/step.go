package scenes

import (
	"sort"
	"time"

	"vignette/scenes/engine"
	"vignette/scenes/yaml"
)

// Step is one entry of a card's then: set, do, wait or release.
type Step struct {
	Pos      Pos
	Kind     engine.StepKind
	Name     Name    // actuator of a set or release, action of a do
	To       Literal // set
	Unit     Name    // of To and EndValue
	Lease    time.Duration
	LeasePos Pos
	AtEnd    engine.EndKind
	EndValue Literal // for engine.SetTo
	With     []Arg   // do, by name
	Wait     time.Duration
	Continue bool // on_error: continue

	withPos Pos
	forms   []Name // set, do, wait and release that were given, by their keys
	extra   []extraKey
}

// extraKey is a key that only one kind of step has.
type extraKey struct {
	kind engine.StepKind
	key  Name
}

// stepKeys is the table of the keys of a set, do, wait or release.
func stepKeys() object[Step] {
	of := func(name string, kind engine.StepKind, read func(*reader, *yaml.Node, *Step)) key[Step] {
		return key[Step]{name, optional, func(r *reader, n *yaml.Node, s *Step) {
			s.extra = append(s.extra, extraKey{kind, r.key(n)})
			read(r, n, s)
		}}
	}
	form := func(kind engine.StepKind, read func(*reader, *yaml.Node, *Step)) func(*reader, *yaml.Node, *Step) {
		return func(r *reader, n *yaml.Node, s *Step) {
			s.Kind = kind
			s.forms = append(s.forms, r.key(n))
			read(r, n, s)
		}
	}
	name := func(r *reader, n *yaml.Node, s *Step) { s.Name = r.name(n) }
	return object[Step]{"an action", []key[Step]{
		{"set", optional, form(engine.Set, name)},
		of("to", engine.Set, func(r *reader, n *yaml.Node, s *Step) { s.To = r.literal(n) }),
		of("unit", engine.Set, func(r *reader, n *yaml.Node, s *Step) { s.Unit = r.name(n) }),
		of("lease", engine.Set, func(r *reader, n *yaml.Node, s *Step) { s.Lease, s.LeasePos = r.duration(n, 1), at(n) }),
		of("at_end", engine.Set, readAtEnd),
		{"do", optional, form(engine.Do, name)},
		of("with", engine.Do, readWith),
		{"wait", optional, form(engine.Wait, func(r *reader, n *yaml.Node, s *Step) { s.Wait = r.duration(n, 1) })},
		{"release", optional, form(engine.Release, name)},
		{"on_error", optional, func(r *reader, n *yaml.Node, s *Step) { s.Continue = r.word(n, "continue") != "" }},
	}}
}

// readAtEnd reads restore, leave or {set: value}.
func readAtEnd(r *reader, n *yaml.Node, s *Step) {
	if n.Kind == yaml.MappingNode {
		s.AtEnd = engine.SetTo
		object[Step]{"`at_end`", []key[Step]{
			{"set", required, func(r *reader, n *yaml.Node, s *Step) { s.EndValue = r.literal(n) }},
		}}.read(r, n, s)
		return
	}
	if r.word(n, "restore", "leave") == "leave" {
		s.AtEnd = engine.Leave
	}
}

// readWith reads the arguments of a do, texts by language or single values.
func readWith(r *reader, n *yaml.Node, s *Step) {
	s.withPos = at(n)
	r.named(n, "`with`", func(name, value *yaml.Node) {
		a := Arg{Name: Name{name.Value, at(name)}}
		if value.Kind == yaml.MappingNode {
			a.Texts = r.texts(value, "`"+name.Value+"`")
		} else {
			a.Value = r.literal(value)
		}
		s.With = append(s.With, a)
	})
	sort.SliceStable(s.With, func(i, j int) bool { return s.With[i].Name.Text < s.With[j].Name.Text })
}

// step reads a set, do, wait or release.
func (r *reader) step(n *yaml.Node) Step {
	s := Step{Pos: at(n)}
	if !stepKeys().read(r, n, &s) {
		return s
	}
	switch {
	case len(s.forms) == 0:
		r.fault(n, "the action says nothing; give `set`, `do`, `wait` or `release`")
		return s
	case len(s.forms) > 1:
		r.diags.add(r.file, s.forms[1].Pos, "`%s` and `%s` are in one action; give one, and write an entry for each", s.forms[0].Text, s.forms[1].Text)
		return s
	}
	for _, k := range s.extra {
		if k.kind != s.Kind {
			r.diags.add(r.file, k.key.Pos, "`%s` does not belong to `%s`; leave it out", k.key.Text, s.forms[0].Text)
		}
	}
	if s.Kind == engine.Set && s.To.Kind == engine.None {
		r.fault(n, "the set has no `to`; add the value")
	}
	if s.Kind == engine.Set && s.Lease == 0 {
		r.fault(n, "the set has no `lease`; add how long it may last, such as lease: 10m")
	}
	return s
}
