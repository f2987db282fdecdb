package scenes

import (
	"slices"

	"vignette/scenes/yaml"
)

// maxRegistered is how many elements a registry has at most.
const maxRegistered = 16_384

// Registry is a manufacturer's list of the screens and elements of an HMI, in
// words: the one place that says what an id means. Study cards have its ids and
// names; see Study.Registered.
type Registry struct {
	File    string // as given to LoadRegistry
	ID      string
	Version int // only grows
	Title   Texts
	Screens []RegisteredScreen // in the order of the file
}

// RegisteredScreen is a screen of a registry. An id means one thing for good:
// screens and elements that are gone stay in the list.
type RegisteredScreen struct {
	ID       int
	Name     string
	Title    Texts // what people call it
	Elements []RegisteredElement

	pos Pos
}

// RegisteredElement is an element of a screen. Its id is unique in the registry.
type RegisteredElement struct {
	ID    int
	Name  string // on its screen once
	Title Texts

	pos Pos
}

func registryKeys() object[Registry] {
	return object[Registry]{"the registry", []key[Registry]{
		{"schema", required, func(r *reader, n *yaml.Node, g *Registry) { r.schema(n) }},
		{"kind", required, func(r *reader, n *yaml.Node, g *Registry) { r.word(n, "elements") }},
		{"id", required, func(r *reader, n *yaml.Node, g *Registry) { g.ID = r.pattern(n, idText, idWant) }},
		{"version", required, func(r *reader, n *yaml.Node, g *Registry) { g.Version = r.whole(n, 1, maxStudyID) }},
		{"title", required, func(r *reader, n *yaml.Node, g *Registry) { g.Title = r.bothTexts(n, "`title`") }},
		{"screens", required, (*reader).readRegistered},
	}}
}

func registeredScreenKeys() object[RegisteredScreen] {
	return object[RegisteredScreen]{"a registered screen", []key[RegisteredScreen]{
		{"id", required, func(r *reader, n *yaml.Node, s *RegisteredScreen) {
			s.ID, s.pos = r.whole(n, Other+1, maxStudyID), at(n)
		}},
		{"name", required, func(r *reader, n *yaml.Node, s *RegisteredScreen) { s.Name = r.ownName(n) }},
		{"title", required, func(r *reader, n *yaml.Node, s *RegisteredScreen) { s.Title = r.bothTexts(n, "`title`") }},
		{"elements", required, func(r *reader, n *yaml.Node, s *RegisteredScreen) {
			table := registeredElementKeys()
			r.list(n, "`elements`", func(n *yaml.Node) {
				var e RegisteredElement
				if table.read(r, n, &e) {
					s.Elements = append(s.Elements, e)
				}
			})
		}},
	}}
}

func registeredElementKeys() object[RegisteredElement] {
	return object[RegisteredElement]{"a registered element", []key[RegisteredElement]{
		{"id", required, func(r *reader, n *yaml.Node, e *RegisteredElement) {
			e.ID, e.pos = r.whole(n, Other+1, maxStudyID), at(n)
		}},
		{"name", required, func(r *reader, n *yaml.Node, e *RegisteredElement) { e.Name = r.ownName(n) }},
		{"title", required, func(r *reader, n *yaml.Node, e *RegisteredElement) { e.Title = r.bothTexts(n, "`title`") }},
	}}
}

// readRegistered reads the screens. Ids are given once, names once on each screen.
func (r *reader) readRegistered(n *yaml.Node, g *Registry) {
	table := registeredScreenKeys()
	screens, elements := newIDs(r, "screen"), newIDs(r, "element")
	total := 0
	r.list(n, "`screens`", func(n *yaml.Node) {
		var s RegisteredScreen
		if !table.read(r, n, &s) || !screens.fresh(n, s.ID) {
			return
		}
		if slices.ContainsFunc(g.Screens, func(o RegisteredScreen) bool { return o.Name == s.Name }) {
			r.fault(n, "screen `%s` is given twice; keep one", s.Name)
		}
		for i, e := range s.Elements {
			elements.fresh(&yaml.Node{Line: e.pos.Line, Column: e.pos.Column}, e.ID)
			if slices.ContainsFunc(s.Elements[:i], func(o RegisteredElement) bool { return o.Name == e.Name }) {
				r.diags.add(r.file, e.pos, "element `%s` is given twice on screen `%s`; keep one", e.Name, s.Name)
			}
		}
		if total += len(s.Elements); total > maxRegistered {
			r.fault(n, "the registry has more than %d elements; split it by HMI", maxRegistered)
		}
		g.Screens = append(g.Screens, s)
	})
}

// ParseRegistry reads a registry from text; file is its name in messages. The
// error is Diagnostics.
func ParseRegistry(file string, text []byte) (*Registry, error) {
	r := &reader{file: file}
	g := &Registry{File: file}
	if len(text) > maxStudyBytes {
		r.diags.add(file, Pos{}, "%s", tooLong(maxStudyBytes))
	} else if root := r.document(text, 8*maxStudyNodes); root != nil && r.mapping(root, "the registry") {
		registryKeys().read(r, root, g)
	}
	if err := r.diags.err(); err != nil {
		return nil, err
	}
	return g, nil
}

// LoadRegistry reads a registry: for desks, no car has one.
func LoadRegistry(path string) (*Registry, error) {
	text, err := load(path, maxStudyBytes)
	if err != nil {
		return nil, err
	}
	return ParseRegistry(path, text)
}

// RegistrySchema is the JSON Schema of registries, see CardSchema.
func RegistrySchema() []byte {
	return document("elements", "A registry of screens and elements of Vignette", func(r *reader, n *yaml.Node) { registryKeys().read(r, n, &Registry{}) })
}

// Screen finds a screen by its id, nil if there is none.
func (g *Registry) Screen(id int) *RegisteredScreen {
	for i := range g.Screens {
		if g.Screens[i].ID == id {
			return &g.Screens[i]
		}
	}
	return nil
}

// Element finds an element by its id, with its screen; nil if there is none.
func (g *Registry) Element(id int) (*RegisteredScreen, *RegisteredElement) {
	for i := range g.Screens {
		s := &g.Screens[i]
		for j := range s.Elements {
			if s.Elements[j].ID == id {
				return s, &s.Elements[j]
			}
		}
	}
	return nil, nil
}

// Registered is what a study has otherwise than a registry: ids that are not in
// it, and such as mean something else there.
func (s *Study) Registered(g *Registry) Diagnostics {
	var ds Diagnostics
	warn := func(at Pos, format string, args ...any) { ds.found("registry", s.File, at, format, args...) }
	for i := range s.Screens {
		screen := &s.Screens[i]
		switch known := g.Screen(screen.ID); {
		case known == nil:
			warn(screen.pos, "screen `%s`: the id %d is not in the registry %s; add it there", screen.Name, screen.ID, g.File)
		case known.Name != screen.Name:
			warn(screen.pos, "screen `%s`: the id %d is `%s` in the registry %s; an id means one thing in all studies", screen.Name, screen.ID, known.Name, g.File)
		}
		for _, e := range screen.Elements {
			switch on, known := g.Element(e.ID); {
			case known == nil:
				warn(e.pos, "element `%s/%s`: the id %d is not in the registry %s; add it there", screen.Name, e.Name, e.ID, g.File)
			case on.Name != screen.Name || known.Name != e.Name:
				warn(e.pos, "element `%s/%s`: the id %d is `%s/%s` in the registry %s; an id means one thing in all studies", screen.Name, e.Name, e.ID, on.Name, known.Name, g.File)
			}
		}
	}
	_ = ds.err() // sorted in place
	return ds
}
