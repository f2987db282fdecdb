// Package remix makes sources of other people's packs, keeps who made what, and
// brings a parent's later changes into a remix. It is for desks.
package remix

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"time"

	"vignette/scenes"
	"vignette/scenes/pack"
)

// maxAncestors is how many packs the parent's lineage can name.
const maxAncestors = 32

// firstVersion is that of a remix: it is a new thing.
const firstVersion = "1.0.0"

// Source is an author's source: pack.yaml and the files that it names.
type Source struct {
	Manifest *scenes.Manifest
	Files    map[string][]byte // but pack.yaml
}

// Of makes a source of a pack, for an author who changes it: with an id of his own
// for the pack and each card, and the parent and its lineage named. The oldest
// ancestor that finds no room in the lineage is returned; nil: all do.
func Of(p *scenes.Pack, author, id string) (*Source, *scenes.Parent, error) {
	if id == "" {
		id = p.Manifest.ID + "-" + author
	}
	names := map[string]string{}
	for _, c := range p.Cards {
		names[c.ID] = c.ID + "-" + author
	}
	if len(p.Cards) == 1 {
		names[p.Cards[0].ID] = id
	}
	m := *p.Manifest
	m.ID, m.Version, m.Author = id, firstVersion, author
	m.Reads, m.Touches, m.Needs = nil, nil, nil
	m.Expires = time.Time{}
	forgotten := derive(&m, p)
	found, err := renamed(p, names, func(c *scenes.Card) head { return head{names[c.ID], firstVersion, c.ID + "@" + c.Version} })
	if err != nil {
		return nil, nil, err
	}
	s := &Source{Manifest: &m, Files: found}
	if _, err := scenes.MakePack(id, s.FS(), nil); err != nil {
		return nil, nil, err
	}
	return s, forgotten, nil
}

// derive names a pack as the parent of a manifest, and its lineage.
func derive(m *scenes.Manifest, p *scenes.Pack) (forgotten *scenes.Parent) {
	m.DerivedFrom = &scenes.Parent{Pack: p.Manifest.Name(), SHA256: p.SHA256, Author: p.Manifest.Author}
	m.Lineage = p.Manifest.Ancestors()
	if len(m.Lineage) > maxAncestors {
		forgotten = &m.Lineage[maxAncestors]
		m.Lineage = m.Lineage[:maxAncestors]
	}
	return forgotten
}

// head is what begins a card.
type head struct{ id, version, parent string }

// renamed are the files of a pack with other heads of cards, and with the cards'
// new ids in its scenarios.
func renamed(p *scenes.Pack, names map[string]string, headOf func(c *scenes.Card) head) (map[string][]byte, error) {
	files := map[string][]byte{}
	for _, f := range p.Files {
		if f.Name != scenes.ManifestName {
			files[f.Name] = f.Data
		}
	}
	for _, name := range p.Manifest.Cards {
		c, err := scenes.ParseCard(name, files[name])
		if err != nil {
			return nil, err
		}
		h := headOf(c)
		if files[name], err = scenes.EditHead(name, files[name], h.id, h.version, h.parent); err != nil {
			return nil, err
		}
	}
	for _, name := range p.Manifest.Scenarios {
		s, err := scenes.ParseScenario(name, files[name])
		if err != nil {
			return nil, err
		}
		if files[name], err = s.Renamed(files[name], names); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// Write writes a source into a directory that is not there yet.
func (s *Source) Write(dir string) error {
	staged := filepath.Clean(dir) + ".new"
	if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is there already; name a new directory", dir)
	}
	if err := os.RemoveAll(staged); err != nil {
		return err
	}
	if err := s.put(staged); err != nil {
		return errors.Join(err, os.RemoveAll(staged))
	}
	return os.Rename(staged, dir)
}

// put writes the files into a directory, and nowhere else.
func (s *Source) put(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	for name, text := range s.all() {
		if err == nil {
			err = root.MkdirAll(path.Dir(name), 0o755)
		}
		if err == nil {
			err = root.WriteFile(name, text, 0o644)
		}
	}
	return errors.Join(err, root.Close())
}

// all are the files, pack.yaml among them.
func (s *Source) all() map[string][]byte {
	all := map[string][]byte{scenes.ManifestName: s.Manifest.Text()}
	for name, text := range s.Files {
		all[name] = text
	}
	return all
}

// Read reads a source from a directory.
func Read(dir string) (*Source, error) {
	root := os.DirFS(dir)
	text, err := fs.ReadFile(root, scenes.ManifestName)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	m, err := scenes.ParsePackSource(filepath.Join(dir, scenes.ManifestName), text)
	if err != nil {
		return nil, err
	}
	s := &Source{Manifest: m, Files: map[string][]byte{}}
	for _, name := range named(m) {
		f, err := root.Open(name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", dir, err)
		}
		if s.Files[name], err = readAll(f, pack.MaxBytes); err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Join(dir, name), err)
		}
	}
	return s, nil
}

// named are the files that a manifest names.
func named(m *scenes.Manifest) []string {
	list := append(append([]string(nil), m.Cards...), m.Scenarios...)
	if m.Picture != "" {
		list = append(list, m.Picture)
	}
	return list
}
