package scenes

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Deck is the cards of files and directories, each as it was last good: a file
// that does not load keeps the version that ran before, a file that is gone has
// no card. It belongs to one goroutine.
type Deck struct {
	// Read is told the text of each card that could be read, before it is
	// compiled; nil: nobody wants it.
	Read func(c *Card, text []byte)

	paths     []string
	installed string // directory of installed cards, which start disabled; empty: none
	files     []*deckFile
	unlisted  Diagnostics // paths that cannot be listed
}

// deckFile is one file of a deck.
type deckFile struct {
	path   string
	off    bool
	sum    string // of the bytes that were read last; empty: they could not be
	card   *Card  // as read last; nil: what was read is no card
	good   *Card  // as it was last taken; nil: it never was
	faults Diagnostics
}

// NewDeck is the deck of card files and directories, and of a directory of
// installed cards, which may be empty or missing. Nothing is read before Scan.
func NewDeck(paths []string, installed string) *Deck {
	return &Deck{paths: paths, installed: installed}
}

// Scan reads what has changed since the last Scan, by content.
func (d *Deck) Scan() {
	d.unlisted = nil
	var files []*deckFile
	add := func(path string, off bool) {
		if !slices.ContainsFunc(files, func(f *deckFile) bool { return f.path == path }) {
			files = append(files, d.file(path, off))
		}
	}
	for _, path := range d.list(d.paths) {
		add(path, false)
	}
	if d.installed != "" && isDir(d.installed) {
		var none Diagnostics // an empty directory is no fault here
		for _, path := range cardFiles([]string{d.installed}, &none) {
			add(path, true)
		}
	}
	d.files = slices.DeleteFunc(files, func(f *deckFile) bool { return !d.read(f) })
}

// list lists the files to read. Of a directory that cannot be listed, but is
// there, those are kept that were in it.
func (d *Deck) list(paths []string) (files []string) {
	for _, path := range paths {
		var faults Diagnostics
		files = append(files, cardFiles([]string{path}, &faults)...)
		d.unlisted = append(d.unlisted, faults...)
		if _, err := os.ReadDir(path); err == nil || errors.Is(err, fs.ErrNotExist) {
			continue
		}
		for _, f := range d.files {
			if filepath.Dir(f.path) == filepath.Clean(path) {
				files = append(files, f.path)
			}
		}
	}
	slices.Sort(files)
	return files
}

// file finds what is known of a file.
func (d *Deck) file(path string, off bool) *deckFile {
	for _, f := range d.files {
		if f.path == path && f.off == off {
			return f
		}
	}
	return &deckFile{path: path, off: off}
}

// read reads a file and reports whether it is there.
func (d *Deck) read(f *deckFile) bool {
	text, err := load(f.path, maxCardBytes)
	if err != nil {
		f.sum, f.card, f.faults = "", nil, nil
		f.faults.merge(f.path, err)
		if _, err := os.Stat(f.path); errors.Is(err, fs.ErrNotExist) {
			d.unlisted = append(d.unlisted, f.faults...)
			return false
		}
		return true
	}
	sum := hash(text)
	if sum == f.sum {
		return true
	}
	f.sum, f.card, f.faults = sum, nil, nil
	c, err := ParseCard(f.path, text)
	if err != nil {
		f.faults.merge(f.path, err)
		return true
	}
	c.Off = f.off
	if f.card = c; d.Read != nil {
		d.Read(c, text)
	}
	return true
}

// Compile compiles the cards for a vehicle: of each file what it holds now, else
// what was good, else nothing. It returns everything that is wrong in any of
// them; p is nil where the cards that are left fit the vehicle each, but not
// together.
func (d *Deck) Compile(v *Vehicle) (p *Program, faults Diagnostics) {
	faults = slices.Clone(d.unlisted)
	use := make([]*Card, len(d.files)) // nil: the file has no card
	for i, f := range d.files {
		faults = append(faults, f.faults...)
		if use[i] = f.card; use[i] == nil {
			use[i] = f.good
		}
	}
	for {
		if d.demoteTwins(use, &faults) {
			continue
		}
		p, err := Compile(v, slices.DeleteFunc(slices.Clone(use), func(c *Card) bool { return c == nil }))
		if err == nil {
			return p, sortedFaults(faults)
		}
		var found Diagnostics
		found.merge(v.File, err)
		demoted := false
		for i, f := range d.files {
			if slices.ContainsFunc(found, func(one Diagnostic) bool { return use[i] != nil && one.File == f.path }) {
				d.demote(use, i)
				demoted = true
			}
		}
		faults = append(faults, found...)
		if !demoted {
			return nil, sortedFaults(faults)
		}
	}
}

// demote takes a file's last good version, or none if that is what was used.
func (d *Deck) demote(use []*Card, i int) {
	if use[i] == d.files[i].good {
		use[i] = nil
		return
	}
	use[i] = d.files[i].good
}

// demoteTwins finds a card whose id another file has, and reports whether there
// was one. The file whose card ran under the id keeps it, else the first file.
func (d *Deck) demoteTwins(use []*Card, faults *Diagnostics) bool {
	for j, b := range use {
		for i, a := range use[:j] {
			if a == nil || b == nil || a.ID != b.ID {
				continue
			}
			first, second := i, j
			if !d.had(i, a.ID) && d.had(j, a.ID) && !d.files[j].off {
				first, second = j, i
			}
			c := use[second]
			faults.add(c.File, c.Pos, "card id `%s` is already used by %s; give each card its own", c.ID, d.files[first].path)
			d.demote(use, second)
			return true
		}
	}
	return false
}

// had reports whether a file's card was taken under an id.
func (d *Deck) had(i int, id string) bool { return d.files[i].good != nil && d.files[i].good.ID == id }

// Took tells that a program of Compile runs: what it has is good.
func (d *Deck) Took(p *Program) {
	for _, f := range d.files {
		f.good = nil
		for _, c := range p.Cards {
			if c.File == f.path {
				f.good = c
			}
		}
	}
}

// Files are the files that were found, in the order in which they count.
func (d *Deck) Files() (paths []string) {
	for _, f := range d.files {
		paths = append(paths, f.path)
	}
	return paths
}

// Hashes are the contents that the files hold, or held when they were good.
func (d *Deck) Hashes() (sums []string) {
	for _, f := range d.files {
		for _, c := range []*Card{f.card, f.good} {
			if c != nil {
				sums = append(sums, c.SHA256)
			}
		}
	}
	return sums
}

// Installed are the files of installed cards by id. A file that is no card counts
// under its name, so that it can be removed.
func (d *Deck) Installed() map[string]string {
	files := map[string]string{}
	for _, f := range d.files {
		if !f.off {
			continue
		}
		name := filepath.Base(f.path)
		id := strings.TrimSuffix(name, filepath.Ext(name))
		if c := cmp.Or(f.card, f.good); c != nil {
			id = c.ID
		}
		files[id] = f.path
	}
	return files
}

// CameWithCar reports whether a file that is not installed holds a card of an id,
// or held it when it was good.
func (d *Deck) CameWithCar(id string) bool {
	is := func(c *Card) bool { return c != nil && c.ID == id }
	return slices.ContainsFunc(d.files, func(f *deckFile) bool { return !f.off && (is(f.card) || is(f.good)) })
}

// sortedFaults orders diagnostics by file and place, each once.
func sortedFaults(faults Diagnostics) Diagnostics {
	var sorted Diagnostics
	if err := faults.err(); errors.As(err, &sorted) {
		return sorted
	}
	return nil
}
