package remix

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"vignette/scenes"
)

// Member is a pack of a family: one that was given, or an ancestor that others name.
type Member struct {
	Pack   string `json:"pack"` // id@version
	Author string `json:"author"`
	SHA256 string `json:"sha256"`
	Parent string `json:"parent,omitempty"` // its SHA-256; empty: none that is known
	File   string `json:"file,omitempty"`   // empty: it is not among those that were given
}

// Family are packs and what they are derived from.
type Family struct {
	Members []Member // parents before their remixes
	Faults  []string // what contradicts itself

	by map[string]*Member // by SHA-256
}

// Add adds a pack and the ancestors that it names.
func (f *Family) Add(file string, p *scenes.Pack) {
	if f.by == nil {
		f.by = map[string]*Member{}
	}
	line := append([]scenes.Parent{{Pack: p.Manifest.Name(), SHA256: p.SHA256, Author: p.Manifest.Author}}, p.Manifest.Ancestors()...)
	for i, a := range line {
		m := f.by[a.SHA256]
		if m == nil {
			m = &Member{Pack: a.Pack, Author: a.Author, SHA256: a.SHA256}
			f.by[a.SHA256] = m
		}
		if m.Pack != a.Pack || m.Author != a.Author {
			f.fault("%s names %s by %s as an ancestor, but the pack with that SHA-256 is %s by %s", file, a.Pack, a.Author, m.Pack, m.Author)
		}
		if i == 0 {
			m.Pack, m.Author, m.File = a.Pack, a.Author, file // its own word counts
		}
		if i+1 == len(line) {
			break
		}
		switch parent := line[i+1].SHA256; {
		case m.Parent != "" && m.Parent != parent:
			f.fault("%s says that %s is derived from %s, another pack says otherwise", file, a.Pack, line[i+1].Pack)
		case f.descends(parent, a.SHA256):
			f.fault("%s says that %s is derived from %s, but that is derived from it", file, a.Pack, line[i+1].Pack)
		default:
			m.Parent = parent
		}
	}
}

func (f *Family) fault(format string, args ...any) {
	f.Faults = append(f.Faults, fmt.Sprintf(format, args...))
}

// descends reports whether a pack is another or derived from it.
func (f *Family) descends(pack, from string) bool {
	for ; pack != ""; pack = f.by[pack].Parent {
		if pack == from {
			return true
		}
		if f.by[pack] == nil {
			return false
		}
	}
	return false
}

// Close puts the members in order; none can be added after that.
func (f *Family) Close() {
	f.walk(func(m *Member, _ []bool) { f.Members = append(f.Members, *m) })
}

// walk visits the members, parents first; last says of each generation whether it
// is the last of its siblings.
func (f *Family) walk(each func(m *Member, last []bool)) {
	of := map[string][]*Member{}
	for _, m := range f.by {
		of[m.Parent] = append(of[m.Parent], m)
	}
	var visit func(parent string, last []bool)
	visit = func(parent string, last []bool) {
		siblings := of[parent]
		slices.SortFunc(siblings, func(a, b *Member) int {
			return cmp.Or(cmp.Compare(a.Pack, b.Pack), cmp.Compare(a.Author, b.Author), cmp.Compare(a.SHA256, b.SHA256))
		})
		for i, m := range siblings {
			now := append(slices.Clone(last), i == len(siblings)-1)
			each(m, now)
			visit(m.SHA256, now)
		}
	}
	visit("", nil)
}

// Text draws the family as a tree.
func (f *Family) Text() string {
	var b strings.Builder
	f.walk(func(m *Member, last []bool) {
		for i, l := range last[1:] {
			leaf := i == len(last)-2
			b.WriteString(map[[2]bool]string{{true, true}: "└─ ", {true, false}: "├─ ", {false, true}: "   ", {false, false}: "│  "}[[2]bool{leaf, l}])
		}
		where := m.File
		if where == "" {
			where = "not here, sha256 " + m.SHA256[:16] + "…"
		}
		fmt.Fprintf(&b, "%s by %s (%s)\n", m.Pack, m.Author, where)
	})
	return b.String()
}
