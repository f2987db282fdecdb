package scenes

import (
	"slices"
	"strings"

	"vignette/scenes/engine"
	"vignette/scenes/yaml"
)

// Event is one entry of the profile's events: what tells of a place, a phone, a
// button, the ignition, or anything else by its own name.
type Event struct {
	Name   Name
	Names  []Name // of the places or buttons that it tells of
	Source Listening

	// What the source's value means; see Fact.Judge.
	Is           [2][]Literal // values of the first word, or of the event; of the second word
	Above, Below Literal      // None: absent

	// Only while it is read.
	sources int    // property, signal, hmi, geoclue
	words   []Name // that is has as keys
	is      Pos
}

// Occur is something that happens, as a trigger names it: by its kind, which is
// a key of a trigger, a word, a name, or both.
type Occur struct {
	Kind, Word string
	Name       Name
}

// Text is the occurrence as journals and the engine name it, such as `place
// enter home`, `phone near` or `event welcome`.
func (o Occur) Text() string {
	text := o.Kind
	for _, part := range []string{o.Word, o.Name.Text} {
		if part != "" {
			text += " " + part
		}
	}
	return text
}

// The kinds of occurrence that have a profile key of their own, and their words;
// the second ends the first. All but phone and ignition go by names too.
var occurWords = map[string][]string{
	"place": {"enter", "leave"}, "phone": {"near", "far"}, "ignition": {"on", "off"}, "button": {""},
}

// named reports whether occurrences of a kind go by names that the profile lists.
func named(kind string) bool { return kind == "place" || kind == "button" }

// occurWord reads the word of a phone or ignition trigger.
func (r *reader) occurWord(n *yaml.Node, words ...string) Occur {
	return Occur{Kind: r.key(n).Text, Word: r.word(n, words...), Name: Name{Pos: at(n)}}
}

// readPlace reads {enter: name} or {leave: name}.
func readPlace(r *reader, n *yaml.Node, t *Trigger) {
	t.Occur.Kind = "place"
	word := func(name string) key[Trigger] {
		return key[Trigger]{name, optional, func(r *reader, n *yaml.Node, t *Trigger) {
			if t.Occur.Word != "" {
				r.diags.add(r.file, r.key(n).Pos, "`enter` and `leave` are in one trigger; give one, and write a trigger for each")
			}
			t.Occur.Word, t.Occur.Name = name, Name{r.pattern(n, nameText, nameWant), at(n)}
		}}
	}
	if (object[Trigger]{"`place`", []key[Trigger]{word("enter"), word("leave")}}).read(r, n, t) && t.Occur.Word == "" {
		r.fault(n, "`place` says nothing; write {enter: NAME} or {leave: NAME}")
	}
}

// readNamedOccur reads the name of a button or an event.
func readNamedOccur(r *reader, n *yaml.Node, t *Trigger) {
	t.Occur = Occur{Kind: r.key(n).Text, Name: Name{r.pattern(n, nameText, nameWant), at(n)}}
}

// readEvents reads the profile's events.
func (r *reader) readEvents(n *yaml.Node, p *profile) {
	r.named(n, "`events`", func(name, value *yaml.Node) {
		e := Event{Name: Name{r.pattern(name, nameText, nameWant), at(name)}}
		if !eventKeys().read(r, value, &e) {
			return
		}
		if e.sources != 1 {
			r.fault(value, "an event listens to one `property` or one `signal`, or says `hmi: true` or `geoclue: true`; give one")
			return
		}
		switch {
		case named(e.Name.Text) && len(e.Names) == 0:
			r.fault(value, "`%s` has no `names`; list those that it tells of", e.Name.Text)
		case !named(e.Name.Text) && len(e.Names) > 0:
			r.diags.add(r.file, e.Names[0].Pos, "`names` belongs to `place` and `button`; leave it out")
		}
		r.checkMeaning(value, &e)
		p.v.Events = append(p.v.Events, e)
	})
}

func eventKeys() object[Event] {
	number := func(to func(e *Event) *Literal) func(r *reader, n *yaml.Node, e *Event) {
		return func(r *reader, n *yaml.Node, e *Event) {
			if x, ok := r.number(n); ok {
				*to(e) = Literal{Pos: at(n), Kind: engine.Number, Num: x}
			}
		}
	}
	return object[Event]{"an event", []key[Event]{
		{"property", optional, readListening(true)},
		{"signal", optional, readListening(false)},
		{"hmi", optional, func(r *reader, n *yaml.Node, e *Event) { e.sources++; e.Source.HMI = true; r.onlyTrue(n) }},
		{"geoclue", optional, func(r *reader, n *yaml.Node, e *Event) { e.sources++; e.Source.GeoClue = true; r.onlyTrue(n) }},
		{"names", optional, func(r *reader, n *yaml.Node, e *Event) {
			r.list(n, "`names`", func(n *yaml.Node) {
				name := Name{r.pattern(n, nameText, nameWant), at(n)}
				if name.Text != "" && slices.ContainsFunc(e.Names, func(o Name) bool { return o.Text == name.Text }) {
					r.fault(n, "`%s` is given twice; keep one", name.Text)
				}
				e.Names = append(e.Names, name)
			})
		}},
		{"is", optional, readIs},
		{"above", optional, number(func(e *Event) *Literal { return &e.Above })},
		{"below", optional, number(func(e *Event) *Literal { return &e.Below })},
	}}
}

// occurrences lists all that the profile's events can tell of, in its order.
func (v *Vehicle) occurrences() (list []engine.Occurrence) {
	for _, e := range v.Events {
		words, known := occurWords[e.Name.Text]
		if !known {
			list = append(list, engine.Occurrence{Name: Occur{Kind: "event", Name: e.Name}.Text(), Opposite: -1})
			continue
		}
		names := e.Names
		if !named(e.Name.Text) {
			names = []Name{{}}
		}
		for _, name := range names {
			first := len(list)
			for i, word := range words {
				o := engine.Occurrence{Name: Occur{e.Name.Text, word, name}.Text(), Opposite: first + 1 - i,
					OfUser: e.Name.Text == "place", Frees: e.Name.Text == "ignition" && word == "on"}
				if len(words) == 1 {
					o.Opposite = -1
				}
				list = append(list, o)
			}
		}
	}
	return list
}

// Occurrences lists the occurrences by their texts, for messages.
func (p *Program) Occurrences() string {
	var names []string
	for _, o := range p.Engine.Occurs {
		names = append(names, o.Name)
	}
	return quoted(names)
}

// Occurrence returns the index of an occurrence by its text, see Occur.Text.
func (p *Program) Occurrence(text string) (int, bool) {
	i := slices.IndexFunc(p.Engine.Occurs, func(o engine.Occurrence) bool { return o.Name == text })
	return i, i >= 0
}

// occur finds the occurrence that a trigger names among what the profile binds.
func (b *builder) occur(o Occur) int {
	list := b.v.occurrences()
	if i := slices.IndexFunc(list, func(e engine.Occurrence) bool { return e.Name == o.Text() }); i >= 0 {
		return i
	}
	var names []string
	for _, e := range b.v.Events {
		switch {
		case o.Kind == e.Name.Text:
			for _, n := range e.Names {
				names = append(names, n.Text)
			}
		case o.Kind == "event" && occurWords[e.Name.Text] == nil:
			names = append(names, e.Name.Text)
		}
	}
	switch {
	case o.Kind != "event" && !slices.ContainsFunc(b.v.Events, func(e Event) bool { return e.Name.Text == o.Kind }):
		b.fault(o.Name.Pos, "the vehicle profile's `events` has no `%s`; add it there, or use another trigger", o.Kind)
	default:
		b.fault(o.Name.Pos, "`%s` is no %s of the vehicle profile's `events`%s", o.Name.Text, o.Kind, orElse(hint(o.Name.Text, names), "; it has "+quoted(names)))
	}
	b.lacks(Lack{Kind: LackEvent, Name: strings.TrimSuffix(o.Kind+" "+o.Name.Text, " ")})
	return 0
}
