package scenes

import (
	"slices"

	"vignette/scenes/engine"
	"vignette/scenes/yaml"
)

// Listening is where an event comes from.
type Listening struct {
	HMI      bool // the HMI reports it; all else is empty
	GeoClue  bool // places: the driver's own, by where the car is; all else is empty
	Property bool // a D-Bus property; else a D-Bus signal

	Bus               string // system or session
	Service           string
	Path              string // the object; of a signal empty: any
	Manager           string // of a property instead of Path: the object whose ObjectManager lists the objects; any of them will do
	Interface, Member string
	Where             []Wanted // of a property with Manager: what an object must be to count
	Argument          int      // of a signal: the one that tells, from 0
}

// Wanted is a property, of the same interface, and the value that it must have.
type Wanted struct {
	Property string
	Value    Literal
}

// Fact is one thing of which an event's source tells whether it is so.
type Fact struct {
	So    string // the occurrence, as Occur.Text says it, when it becomes so
	NotSo string // when it is so no more; empty: that is no occurrence

	event *Event
	name  string // of a place or button
}

// Facts lists what an event tells of.
func (e *Event) Facts() (facts []Fact) {
	kind := e.Name.Text
	words, known := occurWords[kind]
	if !known {
		return []Fact{{So: Occur{Kind: "event", Name: e.Name}.Text(), event: e}}
	}
	names := e.Names
	if !named(kind) {
		names = []Name{{}}
	}
	for _, name := range names {
		f := Fact{So: Occur{kind, words[0], name}.Text(), event: e, name: name.Text}
		if len(words) == 2 {
			f.NotSo = Occur{kind, words[1], name}.Text()
		}
		facts = append(facts, f)
	}
	return facts
}

// Judge tells whether it is so by a value of the property or the signal's
// argument; not known: the value says neither. A text names a place or button,
// `is`, `above` and `below` say what other values mean, and without them true is
// so and false is not.
func (f *Fact) Judge(v engine.Value) (so, known bool) {
	e := f.event
	switch {
	case f.everySignal():
		return true, true
	case v.Kind == engine.None:
		return false, false
	case f.name != "":
		return v.Text == f.name, v.Kind == engine.Label
	case e.Is[0] != nil:
		so = isOne(e.Is[0], v)
		return so, so || f.NotSo == "" || isOne(e.Is[1], v)
	case e.Above.Kind == engine.Number:
		return v.Num > e.Above.Num, v.Kind == engine.Number
	case e.Below.Kind == engine.Number:
		return v.Num < e.Below.Num, v.Kind == engine.Number
	}
	return v.Num != 0, v.Kind == engine.Bool
}

// everySignal reports whether the signal alone says that it is so, whatever its
// arguments are.
func (f *Fact) everySignal() bool {
	return !f.event.Source.Property && f.NotSo == "" && f.name == "" && f.event.Is[0] == nil
}

func isOne(list []Literal, v engine.Value) bool {
	return slices.ContainsFunc(list, func(l Literal) bool { return l.Equals(v) })
}

// Equals compares exactly, the kind too.
func (l Literal) Equals(v engine.Value) bool {
	return l.Kind == v.Kind && l.Num == v.Num && l.Text == v.Text
}

// listeningKeys are the keys of a `property` or a `signal`.
func listeningKeys(property bool) object[Listening] {
	type l = Listening
	keys := []key[l]{
		{"bus", required, func(r *reader, n *yaml.Node, l *l) { l.Bus = r.word(n, "system", "session") }},
		{"service", required, func(r *reader, n *yaml.Node, l *l) {
			l.Service = r.pattern(n, busNameText, "a D-Bus name, such as org.bluez")
		}},
		{"path", optional, func(r *reader, n *yaml.Node, l *l) {
			l.Path = r.pattern(n, objectText, "a D-Bus object path, such as /org/example/Power1")
		}},
		{"interface", required, func(r *reader, n *yaml.Node, l *l) {
			l.Interface = r.pattern(n, interfaceText, "a D-Bus interface, such as org.bluez.Device1")
		}},
		{"member", required, func(r *reader, n *yaml.Node, l *l) {
			l.Member = r.pattern(n, memberText, "the name of a D-Bus property or signal, such as Connected")
		}},
	}
	if !property {
		return object[l]{"a D-Bus signal", append(keys,
			key[l]{"argument", optional, func(r *reader, n *yaml.Node, l *l) { l.Argument = r.whole(n, 0, 15) }})}
	}
	return object[l]{"a D-Bus property", append(keys,
		key[l]{"manager", optional, func(r *reader, n *yaml.Node, l *l) {
			l.Manager = r.pattern(n, objectText, "the D-Bus object path of an ObjectManager, such as /")
		}},
		key[l]{"where", optional, readWhere})}
}

// readWhere reads what an object must be to count.
func readWhere(r *reader, n *yaml.Node, l *Listening) {
	r.named(n, "`where`", func(name, value *yaml.Node) {
		l.Where = append(l.Where, Wanted{r.pattern(name, memberText, "the name of a D-Bus property, such as Paired"), r.literal(value)})
	})
}

// readListening reads a `property` or a `signal`.
func readListening(property bool) func(r *reader, n *yaml.Node, e *Event) {
	return func(r *reader, n *yaml.Node, e *Event) {
		e.sources++
		s := &e.Source
		if s.Property = property; !listeningKeys(property).read(r, n, s) {
			return
		}
		switch {
		case property && (s.Path == "") == (s.Manager == ""):
			r.fault(n, "a D-Bus property is that of one object, `path`, or of each that an ObjectManager lists, `manager`; give one of them")
		case s.Manager == "" && s.Where != nil:
			r.fault(n, "`where` chooses among the objects of a `manager`; leave it out")
		}
	}
}

// readIs reads the values that make it so: a list, or of an event of two words a
// list for each.
func readIs(r *reader, n *yaml.Node, e *Event) {
	e.is = at(n)
	values := func(word int) func(r *reader, n *yaml.Node, e *Event) {
		return func(r *reader, n *yaml.Node, e *Event) { r.values(n, e, word) }
	}
	if n.Kind != yaml.MappingNode {
		values(0)(r, n, e)
		return
	}
	var keys []key[Event]
	for _, kind := range []string{"phone", "ignition"} {
		for i, word := range occurWords[kind] {
			keys = append(keys, key[Event]{word, optional, func(r *reader, n *yaml.Node, e *Event) {
				e.words = append(e.words, Name{word, at(n)})
				values(i)(r, n, e)
			}})
		}
	}
	object[Event]{"`is`", keys}.read(r, n, e)
}

// values reads the values of one word; none is given twice.
func (r *reader) values(n *yaml.Node, e *Event, word int) {
	r.list(n, "`is`", func(n *yaml.Node) {
		l := r.literal(n)
		for _, list := range e.Is {
			if slices.ContainsFunc(list, func(o Literal) bool { return o.Kind == l.Kind && o.Num == l.Num && o.Text == l.Text }) {
				r.fault(n, "`%s` is given twice; keep one", n.Value)
			}
		}
		e.Is[word] = append(e.Is[word], l)
	})
}

// checkMeaning holds that what a source says about values fits the event.
func (r *reader) checkMeaning(n *yaml.Node, e *Event) {
	kind := e.Name.Text
	words := occurWords[kind]
	bounds := e.Above.Kind != engine.None || e.Below.Kind != engine.None
	fault := func(pos Pos, format string, args ...any) { r.diags.add(r.file, pos, format, args...) }
	switch {
	case (e.Source.HMI || e.Source.GeoClue) && (e.Is[0] != nil || e.Is[1] != nil || bounds):
		r.fault(n, "`is`, `above` and `below` belong to a `property` or a `signal`; leave them out")
	case e.Source.GeoClue && kind != "place":
		r.fault(n, "`geoclue` tells of places; use it in `place`")
	case named(kind) && (e.Is[0] != nil || e.Is[1] != nil):
		fault(e.is, "the value names the %s by itself; leave `is` out", kind)
	case bounds && words != nil:
		r.fault(n, "`above` and `below` belong to events of a name of your own; use `is` here")
	case bounds && (!e.Source.Property || e.Is[0] != nil || e.Above.Kind == e.Below.Kind):
		r.fault(n, "give one of `is`, `above` and `below`; the last two belong to a `property`")
	case words == nil && e.words != nil:
		fault(e.words[0].Pos, "`%s` has no words of its own; write the values as a list: `is: [1, 2]`", kind)
	case !named(kind) && words != nil && (e.Is[0] != nil || e.Is[1] != nil):
		r.checkWords(e, words)
	}
}

// checkWords holds that the words of `is` are those of the event, and both.
func (r *reader) checkWords(e *Event, words []string) {
	var given []string
	for _, w := range e.words {
		given = append(given, w.Text)
		if !slices.Contains(words, w.Text) {
			r.diags.add(r.file, w.Pos, "`%s` is no word of `%s`; its words are %s", w.Text, e.Name.Text, quoted(words))
			return
		}
	}
	if len(given) != 2 {
		r.diags.add(r.file, e.is, "`%s` is %s; say which values mean each: `is: {%s: […], %s: […]}`", e.Name.Text, quoted(words), words[0], words[1])
	}
}
