package scenes

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"vignette/scenes/pack"
	"vignette/scenes/yaml"
)

// ManifestName is the name of a pack's manifest, and of the source that an
// author writes for it.
const ManifestName = "pack.yaml"

// Limits of a pack, beside those of its container and of the formats in it.
const (
	maxPackCards    = 32
	maxManifest     = 32 << 10
	maxManifestNode = 2_000
	maxPicture      = 256 << 10
	maxLineage      = 32
)

// Manifest says what is in a pack, by whom, and what its cards read, touch and
// need. An author's source has the same keys but for these last three.
type Manifest struct {
	File        string // as given to the function that read it
	ID, Version string
	Title       Texts
	Author      string // a handle
	Licence     string // SPDX
	Engine      string // the oldest engine that it is for; empty: any
	DerivedFrom *Parent
	Lineage     []Parent  // what the parent was derived from, the nearest first
	Expires     time.Time // 00:00 UTC of the day from which on it is not installed; zero: never
	Cards       []string  // names of files in the pack
	Scenarios   []string
	Picture     string // empty: none
	Reads       []string
	Touches     []string
	Needs       []string

	pos map[string]Pos // of what is checked later, by key or by file's name
}

// Parent is a pack that another is a remix of.
type Parent struct {
	Pack   string // id@version
	SHA256 string // of the whole file
	Author string
}

// Version is the parent's version.
func (p *Parent) Version() string {
	_, version, _ := strings.Cut(p.Pack, "@")
	return version
}

// Name is the pack and its version, cool-evening@1.0.0.
func (m *Manifest) Name() string { return m.ID + "@" + m.Version }

// Ancestors are the packs that it is derived from, the parent first.
func (m *Manifest) Ancestors() []Parent {
	if m.DerivedFrom == nil {
		return nil
	}
	return append([]Parent{*m.DerivedFrom}, m.Lineage...)
}

var (
	handleWant  = "a handle: 2 to 32 lower-case letters, digits and hyphens, not beginning with a hyphen"
	claimWant   = "a signal, an actuator, an action or a need, as vignette pack make writes them"
	versionWant = "a version of three numbers (semantic versioning), such as 1.2.0"
)

// sourceKeys are the keys that an author writes.
func sourceKeys() []key[Manifest] {
	files := func(name string, to func(m *Manifest) *[]string) func(*reader, *yaml.Node, *Manifest) {
		return func(r *reader, n *yaml.Node, m *Manifest) {
			r.list(n, "`"+name+"`", func(n *yaml.Node) { *to(m) = append(*to(m), r.fileName(n, m)) })
		}
	}
	return []key[Manifest]{
		{"schema", required, func(r *reader, n *yaml.Node, m *Manifest) { r.schema(n) }},
		{"id", required, func(r *reader, n *yaml.Node, m *Manifest) { m.ID, m.pos["id"] = r.pattern(n, idText, idWant), at(n) }},
		{"version", required, func(r *reader, n *yaml.Node, m *Manifest) { m.Version = r.pattern(n, versionText, versionWant) }},
		{"title", required, func(r *reader, n *yaml.Node, m *Manifest) { m.Title = r.texts(n, "`title`") }},
		{"author", required, func(r *reader, n *yaml.Node, m *Manifest) { m.Author = r.pattern(n, handleText, handleWant) }},
		{"licence", required, func(r *reader, n *yaml.Node, m *Manifest) {
			m.Licence = r.pattern(n, licenceText, "a licence by its SPDX name, such as CC-BY-4.0 or MIT")
		}},
		{"engine", optional, func(r *reader, n *yaml.Node, m *Manifest) {
			m.Engine, m.pos["engine"] = r.pattern(n, versionText, versionWant), at(n)
		}},
		{"derived_from", optional, func(r *reader, n *yaml.Node, m *Manifest) {
			p := r.parent(n)
			m.DerivedFrom, m.pos["derived_from"] = &p, at(n)
		}},
		{"lineage", optional, func(r *reader, n *yaml.Node, m *Manifest) {
			m.pos["lineage"] = at(n)
			r.list(n, "`lineage`", func(n *yaml.Node) { m.Lineage = append(m.Lineage, r.parent(n)) })
		}},
		{"expires", optional, func(r *reader, n *yaml.Node, m *Manifest) { m.Expires = r.date(n) }},
		{"cards", required, files("cards", func(m *Manifest) *[]string { return &m.Cards })},
		{"scenarios", optional, files("scenarios", func(m *Manifest) *[]string { return &m.Scenarios })},
		{"picture", optional, func(r *reader, n *yaml.Node, m *Manifest) { m.Picture = r.fileName(n, m) }},
	}
}

// claimKeys are the keys that the maker of a pack adds.
func claimKeys() []key[Manifest] {
	claim := func(name string, to func(m *Manifest) *[]string) key[Manifest] {
		return key[Manifest]{name, optional, func(r *reader, n *yaml.Node, m *Manifest) {
			m.pos[name] = at(n)
			r.list(n, "`"+name+"`", func(n *yaml.Node) { *to(m) = append(*to(m), r.pattern(n, claimText, claimWant)) })
		}}
	}
	return []key[Manifest]{
		claim("reads", func(m *Manifest) *[]string { return &m.Reads }),
		claim("touches", func(m *Manifest) *[]string { return &m.Touches }),
		claim("needs", func(m *Manifest) *[]string { return &m.Needs }),
	}
}

func manifestKeys() object[Manifest] {
	return object[Manifest]{"the manifest", append(sourceKeys(), claimKeys()...)}
}

func packSourceKeys() object[Manifest] {
	return object[Manifest]{"the pack's source", sourceKeys()}
}

// fileName reads the name of a file of the pack, which may be given once.
func (r *reader) fileName(n *yaml.Node, m *Manifest) string {
	if r.shape(n, shape{"type": "string", "description": "a file of the pack, such as cards/cool-evening.yaml"}) || !r.scalar(n, "a file name") {
		return ""
	}
	if err := pack.CheckName(n.Value); err != nil {
		r.fault(n, "%v", err)
		return ""
	}
	if _, twice := m.pos[n.Value]; twice || n.Value == ManifestName {
		r.fault(n, "file `%s` is named twice; name each once", n.Value)
	}
	m.pos[n.Value] = at(n)
	return n.Value
}

// parent reads a pack that another is derived from.
func (r *reader) parent(n *yaml.Node) (p Parent) {
	object[Parent]{"a parent", []key[Parent]{
		{"pack", required, func(r *reader, n *yaml.Node, p *Parent) {
			p.Pack = r.pattern(n, parentText, "a pack and its version, such as cool-down@1.0.0")
		}},
		{"sha256", required, func(r *reader, n *yaml.Node, p *Parent) {
			p.SHA256 = r.pattern(n, hashText, "a SHA-256 of 64 lower-case hexadecimal digits")
		}},
		{"author", required, func(r *reader, n *yaml.Node, p *Parent) { p.Author = r.pattern(n, handleText, handleWant) }},
	}}.read(r, n, &p)
	return p
}

// checkLineage checks what several keys say together.
func (m *Manifest) checkLineage(r *reader) {
	if m.DerivedFrom == nil {
		if m.Lineage != nil {
			r.diags.add(r.file, m.pos["lineage"], "`lineage` is of the parent's parents, but there is no `derived_from`; add it")
		}
		return
	}
	if len(m.Lineage) > maxLineage {
		r.diags.add(r.file, m.pos["lineage"], "`lineage` names %d packs, at most %d are read; leave out the oldest", len(m.Lineage), maxLineage)
	}
	line := m.Ancestors()
	for i, p := range line {
		twin := func(o Parent) bool { return o.SHA256 == p.SHA256 || o.Pack == p.Pack && o.Author == p.Author }
		if p.Pack == m.Name() && p.Author == m.Author || slices.ContainsFunc(line[:i], twin) {
			r.diags.add(r.file, m.pos["derived_from"], "the lineage is a loop: `%s` of %s is in it twice; name each ancestor once", p.Pack, p.Author)
		}
	}
}

// readManifest reads a manifest or a source by its keys.
func readManifest(file string, text []byte, keys object[Manifest]) (*Manifest, error) {
	r := &reader{file: file}
	if len(text) > maxManifest {
		r.diags.add(file, Pos{}, "%s", tooLong(maxManifest))
		return nil, r.diags.err()
	}
	m := &Manifest{File: file, pos: map[string]Pos{}}
	if root := r.document(text, maxManifestNode); root != nil && keys.read(r, root, m) {
		m.checkLineage(r)
		if len(m.Cards) > maxPackCards {
			r.diags.add(file, m.pos["id"], "the pack has %d cards, at most %d are allowed; make two packs", len(m.Cards), maxPackCards)
		}
	}
	if err := r.diags.err(); err != nil {
		return nil, err
	}
	return m, nil
}

// ParseManifest reads a pack's manifest from text; file is its name in messages.
// The error is Diagnostics.
func ParseManifest(file string, text []byte) (*Manifest, error) {
	return readManifest(file, text, manifestKeys())
}

// ParsePackSource reads what an author writes of a pack: a manifest without what
// its cards read, touch and need. The error is Diagnostics.
func ParsePackSource(file string, text []byte) (*Manifest, error) {
	return readManifest(file, text, packSourceKeys())
}

// Text is the manifest as YAML, in one form only.
func (m *Manifest) Text() []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "schema: 1\nid: %s\nversion: %s\ntitle: {", m.ID, m.Version)
	for i, lang := range slices.Sorted(maps.Keys(m.Title)) {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s: %s", lang, strconv.Quote(m.Title[lang]))
	}
	fmt.Fprintf(&b, "}\nauthor: %s\nlicence: %s\n", m.Author, m.Licence)
	if m.Engine != "" {
		fmt.Fprintf(&b, "engine: %s\n", m.Engine)
	}
	if m.DerivedFrom != nil {
		fmt.Fprintf(&b, "derived_from: %s\n", m.DerivedFrom.text())
	}
	if m.Lineage != nil {
		b.WriteString("lineage:\n")
		for _, p := range m.Lineage {
			fmt.Fprintf(&b, "  - %s\n", p.text())
		}
	}
	if !m.Expires.IsZero() {
		fmt.Fprintf(&b, "expires: %s\n", m.Expires.Format(time.DateOnly))
	}
	for _, l := range []struct {
		key  string
		list []string
	}{{"cards", m.Cards}, {"scenarios", m.Scenarios}, {"picture", nil}, {"reads", m.Reads}, {"touches", m.Touches}, {"needs", m.Needs}} {
		switch {
		case l.key == "picture" && m.Picture != "":
			fmt.Fprintf(&b, "picture: %s\n", m.Picture)
		case l.list != nil:
			fmt.Fprintf(&b, "%s: [%s]\n", l.key, strings.Join(l.list, ", "))
		}
	}
	return []byte(b.String())
}

func (p Parent) text() string {
	return fmt.Sprintf("{pack: %s, sha256: %s, author: %s}", p.Pack, p.SHA256, p.Author)
}
