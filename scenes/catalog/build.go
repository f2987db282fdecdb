// Package catalog makes a static site of packs of cards that drivers can search
// and read, on any host or from a disk without a network, with a signed index of
// all its files; and checks such a site. It is for desks.
package catalog

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"vignette/scenes"
	"vignette/scenes/engine"
	"vignette/scenes/sign"
)

// Options say what catalogue is made.
type Options struct {
	Title    string             // of the site; empty: Scene cards
	Cars     []*scenes.Vehicle  // on which packs are tried; the first is the one that is shown first
	Adoption *Adoption          // nil: nobody knows
	Key      *sign.SecretKey    // signs the index; nil: it is unsigned
	Progress func(done, of int) // called from any goroutine; nil: nobody wants to know

	steps, of atomic.Int64
}

// step tells of a pack that was read or written.
func (o *Options) step() {
	if n := o.steps.Add(1); o.Progress != nil {
		o.Progress(int(n), int(o.of.Load()))
	}
}

// Result is what became of the packs.
type Result struct {
	Index   *Index
	Refused []Refusal // by file
	Bytes   int64     // of the site
}

// Build makes the site of all packs below dir, in out: a directory that is not
// there, is empty or has an earlier catalogue, which is then replaced. The same
// packs, cars, adoption and key make the same bytes.
func Build(dir, out string, o *Options) (*Result, error) {
	if o.Title == "" {
		o.Title = "Scene cards"
	}
	if len(o.Cars) > maxCars {
		return nil, fmt.Errorf("%d vehicle profiles; a catalogue takes at most %d", len(o.Cars), maxCars)
	}
	if err := free(out); err != nil {
		return nil, err
	}
	list, err := files(dir)
	if err != nil {
		return nil, err
	}
	o.of.Store(2 * int64(len(list)))
	entries, refused := readAll(list, o)
	entries, unfit := settle(entries, o.Adoption)
	refused = append(refused, unfit...)
	slices.SortFunc(refused, func(a, b Refusal) int { return strings.Compare(a.File, b.File) })
	next := strings.TrimSuffix(filepath.Clean(out), string(filepath.Separator)) + ".new"
	if err := os.RemoveAll(next); err != nil {
		return nil, err
	}
	s := &site{dir: next, o: o}
	x, err := s.write(entries)
	if err == nil {
		err = replace(out, next)
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(next))
	}
	return &Result{Index: x, Refused: refused, Bytes: s.bytes}, nil
}

// free reports what stands where a site is to be.
func free(out string) error {
	entries, err := os.ReadDir(out)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if _, err := os.Lstat(filepath.Join(out, IndexFile)); err == nil || len(entries) == 0 {
		return nil
	}
	return fmt.Errorf("%s: has files and is no catalogue; name another directory", out)
}

// replace puts a finished site in its place.
func replace(out, next string) error {
	old := next + ".old"
	if err := os.RemoveAll(old); err != nil {
		return err
	}
	if err := os.Rename(out, old); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.Rename(next, out); err != nil {
		return err
	}
	return os.RemoveAll(old)
}

// site is a site that is being written.
type site struct {
	dir string
	o   *Options

	mu    sync.Mutex
	files []File
	bytes int64
	err   error // the first
}

// put writes a file of the site.
func (s *site) put(name string, data []byte) {
	err := os.WriteFile(filepath.Join(s.dir, filepath.FromSlash(name)), data, 0o644)
	f := fileOf(name, data)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = err
	}
	s.files = append(s.files, f)
	s.bytes += f.Size
}

// write writes the site of some packs.
func (s *site) write(entries []*entry) (*Index, error) {
	for _, dir := range []string{"", "art", "data", "packs", "pages", "pictures"} {
		if err := os.MkdirAll(filepath.Join(s.dir, dir), 0o755); err != nil {
			return nil, err
		}
	}
	each(len(entries), func(i int) {
		if err := s.writePack(entries[i]); err != nil {
			s.mu.Lock()
			s.err = errors.Join(s.err, err)
			s.mu.Unlock()
		}
		s.o.step()
	})
	s.writeShared(entries)
	if s.err != nil {
		return nil, s.err
	}
	return s.writeIndex(entries)
}

// writePack writes a pack's file, picture and page.
func (s *site) writePack(e *entry) error {
	data, err := readFile(e.source)
	if err != nil {
		return err
	}
	if hash(data) != e.SHA256 {
		return fmt.Errorf("%s: has changed while the catalogue was made; begin again", e.source)
	}
	s.put(e.File, data)
	if e.Picture != "" {
		opened, err := scenes.OpenPack(e.source, data)
		if err != nil {
			return err
		}
		s.put(e.Picture, opened.Picture)
	}
	page, err := s.page(e)
	if err == nil {
		s.put(e.Page, page)
	}
	return err
}

// writeIndex writes the index of what the site has, and signs it.
func (s *site) writeIndex(entries []*entry) (*Index, error) {
	x := &Index{Head: Head{Catalog: 1, Title: s.o.Title, Engine: engine.Version, Cars: []Car{}, Packs: len(entries), Files: len(s.files)}, Files: s.files}
	for _, v := range s.o.Cars {
		x.Head.Cars = append(x.Head.Cars, Car{v.ID, v.Version, v.SHA256})
	}
	for _, e := range entries {
		x.Items = append(x.Items, e.Item)
	}
	slices.SortFunc(x.Files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	text := x.Bytes()
	s.bytes += int64(len(text))
	if err := os.WriteFile(filepath.Join(s.dir, IndexFile), text, 0o644); err != nil {
		return nil, err
	}
	if s.o.Key == nil {
		return x, nil
	}
	sig, err := s.o.Key.Sign(text, fmt.Sprintf("vignette catalog, %d packs", len(entries)))
	if err != nil {
		return nil, err
	}
	return x, os.WriteFile(filepath.Join(s.dir, SignatureFile), sig, 0o644)
}
