package remix

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"path"
	"slices"
	"strings"

	"vignette/scenes"
)

// Merged is a remix with a later version of its parent brought in.
type Merged struct {
	*Source
	// Changed are the files that differ from those of the remix, by name.
	Changed []string
	// Conflicts say where both have changed something, as file:line: what.
	Conflicts []string
}

// Merge brings what changed between two versions of a parent, base and next, into
// a remix of the first. Lines that only one of the two has changed are taken from
// it; where both have, both are written, between marks, and it is a conflict. The
// remix keeps its ids, version and author. Without conflicts the result is a
// source that a pack can be made of; if not, that is an error.
func Merge(base, next *scenes.Pack, mine *Source) (*Merged, error) {
	from := mine.Manifest.DerivedFrom
	switch {
	case from == nil || from.SHA256 != base.SHA256:
		return nil, fmt.Errorf("%s: is no remix of %s (sha256 %s); give the pack that its `derived_from` names", mine.Manifest.File, base.Manifest.Name(), base.SHA256)
	case base.Manifest.ID != next.Manifest.ID || base.Signed != next.Signed || base.Signed && !base.Key.Same(next.Key):
		return nil, fmt.Errorf("%s is no later version of %s: the id or the key is another", next.Manifest.Name(), base.Manifest.Name())
	case scenes.CompareVersions(next.Manifest.Version, base.Manifest.Version) <= 0:
		return nil, fmt.Errorf("%s is no later version than %s", next.Manifest.Name(), base.Manifest.Name())
	}
	was, now, have, err := alike(base, next, mine)
	if err != nil {
		return nil, err
	}
	m := &Merged{Source: &Source{Files: map[string][]byte{}}}
	for _, name := range slices.Sorted(maps.Keys(union(was, now, have))) {
		m.file(name, was[name], now[name], have[name])
	}
	m.Manifest = mergedManifest(base.Manifest, next, mine.Manifest, m.Files)
	for name, text := range m.all() {
		if before := mine.all()[name]; !bytes.Equal(before, text) || before == nil {
			m.Changed = append(m.Changed, name)
		}
	}
	slices.Sort(m.Changed)
	if m.Conflicts == nil {
		_, err = scenes.MakePack(m.Manifest.ID, m.FS(), nil)
	}
	return m, err
}

// Update writes what has changed into the remix's directory, each file whole or
// not at all. Files that the parent has taken out stay on the disk; pack.yaml does
// not name them any more.
func (m *Merged) Update(dir string) error {
	all := m.all()
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	for _, name := range m.Changed {
		if err == nil {
			err = root.MkdirAll(path.Dir(name), 0o755)
		}
		if err == nil {
			err = root.WriteFile(name+".new", all[name], 0o644)
		}
		if err == nil {
			err = root.Rename(name+".new", name)
		}
	}
	return errors.Join(err, root.Close())
}

// alike are the files of the two versions and of the remix, with the remix's ids
// and versions in all of them, so that they do not differ in these.
func alike(base, next *scenes.Pack, mine *Source) (was, now, have map[string][]byte, err error) {
	names := map[string]string{}
	heads := map[string]head{} // by the parent's ids
	have = maps.Clone(mine.Files)
	for i, name := range base.Manifest.Cards {
		old := cardIn(base, name)
		h := head{old.ID + "-" + mine.Manifest.Author, firstVersion, old.ID + "@" + old.Version}
		if text, kept := mine.Files[name]; kept && slices.Contains(mine.Manifest.Cards, name) {
			c, err := scenes.ParseCard(name, text)
			if err != nil {
				return nil, nil, nil, err
			}
			h.id, h.version = c.ID, c.Version
		} else if len(base.Manifest.Cards) == 1 && i == 0 {
			h.id = mine.Manifest.ID
		}
		names[old.ID], heads[old.ID] = h.id, h
	}
	for _, c := range next.Cards {
		h, known := heads[c.ID]
		if !known {
			h = head{c.ID + "-" + mine.Manifest.Author, firstVersion, ""}
		}
		h.parent = c.ID + "@" + c.Version
		names[c.ID], heads[c.ID] = h.id, h
	}
	headOf := func(c *scenes.Card) head { return heads[c.ID] }
	if was, err = renamed(base, names, headOf); err != nil {
		return nil, nil, nil, err
	}
	if now, err = renamed(next, names, headOf); err != nil {
		return nil, nil, nil, err
	}
	for _, name := range base.Manifest.Cards {
		if text, kept := have[name]; kept {
			h := heads[cardIn(base, name).ID]
			if have[name], err = scenes.EditHead(name, text, h.id, h.version, h.parent); err != nil {
				return nil, nil, nil, err
			}
		}
	}
	return was, now, have, nil
}

// cardIn is the card in a file of a pack.
func cardIn(p *scenes.Pack, name string) *scenes.Card {
	i := slices.IndexFunc(p.Cards, func(c *scenes.Card) bool { return strings.HasSuffix(c.File, "/"+name) })
	return p.Cards[i] // ReadPack has read every file that the manifest names
}

func union(all ...map[string][]byte) map[string]bool {
	names := map[string]bool{}
	for _, files := range all {
		for name := range files {
			names[name] = true
		}
	}
	return names
}

// file merges one file; nil is one that is not there.
func (m *Merged) file(name string, was, now, have []byte) {
	same := func(a, b []byte) bool { return (a == nil) == (b == nil) && bytes.Equal(a, b) }
	keep := func(text []byte) {
		if text != nil {
			m.Files[name] = text
		}
	}
	switch {
	case same(was, now), same(now, have):
		keep(have)
	case same(was, have):
		keep(now)
	case have == nil:
		m.conflict(name, 1, "the parent has changed it, you have taken it out; it stays out")
	case now == nil:
		m.conflict(name, 1, "the parent has taken it out, you have changed it; it stays as you have it")
		keep(have)
	case bytes.IndexByte(have, 0) >= 0 || bytes.IndexByte(now, 0) >= 0:
		m.conflict(name, 1, "both have changed it; it stays as you have it")
		keep(have)
	default:
		lines, conflicts := merge3(split(was), split(have), split(now))
		for _, line := range conflicts {
			m.conflict(name, line, "both have changed this; keep one and take the marks out")
		}
		keep([]byte(strings.Join(lines, "")))
	}
}

func (m *Merged) conflict(name string, line int, what string) {
	m.Conflicts = append(m.Conflicts, fmt.Sprintf("%s:%d: %s", name, line, what))
}

// mergedManifest is the remix's manifest with the new parent, with what only the
// parent has changed, and with the files that are there now.
func mergedManifest(base *scenes.Manifest, next *scenes.Pack, mine *scenes.Manifest, files map[string][]byte) *scenes.Manifest {
	m, now := *mine, next.Manifest
	derive(&m, next)
	if maps.Equal(base.Title, mine.Title) {
		m.Title = now.Title
	}
	if base.Licence == mine.Licence {
		m.Licence = now.Licence
	}
	if scenes.CompareVersions(now.Engine, m.Engine) > 0 {
		m.Engine = now.Engine
	}
	there := func(of func(*scenes.Manifest) []string) (list []string) {
		for _, name := range append(slices.Clone(of(mine)), of(now)...) {
			if files[name] != nil && !slices.Contains(list, name) {
				list = append(list, name)
			}
		}
		return list
	}
	m.Cards = there(func(m *scenes.Manifest) []string { return m.Cards })
	m.Scenarios = there(func(m *scenes.Manifest) []string { return m.Scenarios })
	if m.Picture == base.Picture {
		m.Picture = now.Picture
	}
	if files[m.Picture] == nil {
		m.Picture = ""
	}
	return &m
}
