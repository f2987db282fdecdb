package scenes

import (
	"slices"
	"strings"
	"time"

	"vignette/scenes/yaml"
)

// Screen is a registered screen and the elements told apart on it.
type Screen struct {
	ID       int
	Name     string
	Elements []Element

	pos Pos
}

// Element is a registered element: what may be told apart, who answers for it,
// why, and until when.
type Element struct {
	ID             int
	Name           string
	Owner, Purpose string
	Personal       bool      // sensitivity: personal
	Keyboard       bool      // one element for all keys, with a length class
	Toggle         bool      // each touch of it switches between two states
	Expires        time.Time // the element counts as other from then on

	pos Pos
}

// Never are the sensitivities that no study may have.
var never = []string{"sos", "medical", "adult", "pin"}

func screenKeys() object[Screen] {
	return object[Screen]{"a screen", []key[Screen]{
		{"id", required, func(r *reader, n *yaml.Node, s *Screen) { s.ID, s.pos = r.whole(n, Other+1, maxStudyID), at(n) }},
		{"name", required, func(r *reader, n *yaml.Node, s *Screen) { s.Name = r.ownName(n) }},
		{"elements", required, (*reader).readElements},
	}}
}

func elementKeys() object[Element] {
	return object[Element]{"an element", []key[Element]{
		{"id", required, func(r *reader, n *yaml.Node, e *Element) { e.ID, e.pos = r.whole(n, Other+1, maxStudyID), at(n) }},
		{"name", required, func(r *reader, n *yaml.Node, e *Element) { e.Name = r.ownName(n) }},
		{"owner", required, func(r *reader, n *yaml.Node, e *Element) { e.Owner = r.text(n) }},
		{"purpose", required, func(r *reader, n *yaml.Node, e *Element) { e.Purpose = r.text(n) }},
		{"sensitivity", required, (*reader).readSensitivity},
		{"expires", required, func(r *reader, n *yaml.Node, e *Element) { e.Expires = r.date(n) }},
		{"kind", optional, func(r *reader, n *yaml.Node, e *Element) {
			kind := r.word(n, "control", "toggle", "keyboard")
			e.Toggle, e.Keyboard = kind == "toggle", kind == "keyboard"
		}},
	}}
}

// ownName reads a screen's or element's name.
func (r *reader) ownName(n *yaml.Node) string {
	name := r.pattern(n, wordText, wordWant)
	if name == otherName {
		r.wrong(n, "`other` is what is not registered; choose another name")
	}
	return name
}

// readSensitivity refuses what no study may record.
func (r *reader) readSensitivity(n *yaml.Node, e *Element) {
	if slices.Contains(never, n.Value) && n.Kind == yaml.ScalarNode {
		r.wrong(n, "`%s`: SOS, medical, adult and PIN elements are never recorded; take the element out", n.Value)
		return
	}
	e.Personal = r.word(n, "ordinary", "personal") == "personal"
}

func (r *reader) readElements(n *yaml.Node, s *Screen) {
	table := elementKeys()
	r.list(n, "`elements`", func(n *yaml.Node) {
		var e Element
		if table.read(r, n, &e) {
			s.Elements = append(s.Elements, e)
		}
	})
}

// readScreens reads the allow-list. An element id is unique in the study.
func (r *reader) readScreens(n *yaml.Node, t *study) {
	table := screenKeys()
	screens, elements := newIDs(r, "screen"), newIDs(r, "element")
	total := 0
	r.atMost(n, maxScreens)
	r.list(n, "`screens`", func(n *yaml.Node) {
		var s Screen
		if !table.read(r, n, &s) || !screens.fresh(n, s.ID) {
			return
		}
		if t.s.screen(s.Name) != nil {
			r.fault(n, "screen `%s` is given twice; keep one", s.Name)
		}
		for i, e := range s.Elements {
			elements.fresh(&yaml.Node{Line: e.pos.Line, Column: e.pos.Column}, e.ID)
			if slices.ContainsFunc(s.Elements[:i], func(o Element) bool { return o.Name == e.Name }) {
				r.diags.add(r.file, e.pos, "element `%s` is given twice on screen `%s`; keep one", e.Name, s.Name)
			}
		}
		if total += len(s.Elements); total > maxElements {
			r.fault(n, "the study has more than %d elements; split it", maxElements)
		}
		t.s.Screens = append(t.s.Screens, s)
	})
}

// screen returns the screen of a name, or nil.
func (s *Study) screen(name string) *Screen {
	for i := range s.Screens {
		if s.Screens[i].Name == name {
			return &s.Screens[i]
		}
	}
	return nil
}

// element returns the element of a name, or nil.
func (s *Screen) element(name string) *Element {
	for i := range s.Elements {
		if s.Elements[i].Name == name {
			return &s.Elements[i]
		}
	}
	return nil
}

// Names returns the names of a screen and an element by their ids: `other` for
// Other, `?` for one that the study does not have.
func (s *Study) Names(screen, element int) (string, string) {
	i := slices.IndexFunc(s.Screens, func(c Screen) bool { return c.ID == screen })
	if i < 0 {
		return unnamed(screen), unnamed(element)
	}
	for _, e := range s.Screens[i].Elements {
		if e.ID == element {
			return s.Screens[i].Name, e.Name
		}
	}
	return s.Screens[i].Name, unnamed(element)
}

const otherName = "other"

func unnamed(id int) string {
	if id == Other {
		return otherName
	}
	return "?"
}

// taskText is a task while its places are texts.
type taskText struct {
	Task
	start, end Name
	screens    []Name
}

func taskKeys() object[taskText] {
	return object[taskText]{"a task", []key[taskText]{
		{"id", required, func(r *reader, n *yaml.Node, t *taskText) { t.ID, t.pos = r.whole(n, 1, maxStudyID), at(n) }},
		{"name", required, func(r *reader, n *yaml.Node, t *taskText) { t.Task.Name = r.ownName(n) }},
		{"title", required, func(r *reader, n *yaml.Node, t *taskText) { t.Title = r.bothTexts(n, "`title`") }},
		{"start", required, func(r *reader, n *yaml.Node, t *taskText) { t.start = r.name(n) }},
		{"end", required, func(r *reader, n *yaml.Node, t *taskText) { t.end = r.name(n) }},
		{"screens", required, func(r *reader, n *yaml.Node, t *taskText) { t.screens = r.names(n, "`screens`") }},
	}}
}

// resolveTasks finds the elements that tasks begin and end at.
func (t *study) resolveTasks() {
	for i := range t.tasks {
		k := &t.tasks[i]
		if k.Card != "" {
			t.s.Tasks = append(t.s.Tasks, k.Task)
			continue
		}
		if len(k.Choices) > 0 {
			t.resolveFeedback(k)
			t.s.Tasks = append(t.s.Tasks, k.Task)
			continue
		}
		k.Start, k.End = t.place(k.start), t.place(k.end)
		for _, o := range t.s.Tasks {
			if o.Start.Element == k.Start.Element && o.Start.Element > Other && len(o.Choices) == 0 {
				t.diags.add(t.file, k.start.Pos, "task `%s` begins at `%s` too; begin each task at an element of its own", o.Name, k.start.Text)
			}
		}
		for _, name := range k.screens {
			if s := t.s.screen(name.Text); s != nil {
				k.Screens = append(k.Screens, s.ID)
			} else {
				t.diags.add(t.file, name.Pos, "%s", t.noScreen(name.Text))
			}
		}
		t.s.Tasks = append(t.s.Tasks, k.Task)
	}
}

// place finds an element by its text, SCREEN/ELEMENT.
func (t *study) place(at Name) Place {
	screen, element, ok := strings.Cut(at.Text, "/")
	s := t.s.screen(screen)
	switch {
	case !ok:
		t.diags.add(t.file, at.Pos, "`%s` is no element; write SCREEN/ELEMENT, such as climate/fan", at.Text)
	case s == nil:
		t.diags.add(t.file, at.Pos, "%s", t.noScreen(screen))
	case s.element(element) == nil:
		var names []string
		for _, e := range s.Elements {
			names = append(names, e.Name)
		}
		t.diags.add(t.file, at.Pos, "screen `%s` has no element `%s`%s", screen, element, orElse(hint(element, names), "; its elements are "+quoted(names)))
	default:
		return Place{Screen: s.ID, Element: s.element(element).ID, Name: at}
	}
	return Place{Name: at}
}

func (t *study) noScreen(name string) string {
	var names []string
	for _, s := range t.s.Screens {
		names = append(names, s.Name)
	}
	return "the study has no screen `" + name + "`" + orElse(hint(name, names), "; its screens are "+quoted(names))
}
