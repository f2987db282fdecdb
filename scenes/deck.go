package scenes

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"vignette/scenes/pack"
)

// Deck is the cards of files and directories, each file as it was last good: one
// that does not load keeps what ran before, one that is gone has no cards. A file
// has one card or, among the installed ones, may be a pack, whose cards run all or
// none. It belongs to one goroutine.
type Deck struct {
	// Read is told the text of each card that could be read, before it is
	// compiled; nil: nobody wants it.
	Read func(c *Card, text []byte)
	// Bars says why a pack that could be read has no cards nevertheless; nil: each
	// may have its.
	Bars func(p *Pack) error
	// Most bounds the cards that run together; 0: nothing does.
	Most int

	paths     []string
	installed string // directory of installed cards, which start disabled; empty: none
	files     []*deckFile
	unlisted  Diagnostics // paths that cannot be listed
}

// deckFile is one file of a deck.
type deckFile struct {
	path   string
	off    bool
	sum    string  // of the bytes that were read last; empty: they could not be
	now    content // as read last; empty: what was read is no card
	good   content // as it was last taken; empty: it never was
	faults Diagnostics
}

// content is what a file holds: nothing, a card, or a pack and its cards.
type content struct {
	cards []*Card
	pack  *Pack
}

// has reports whether there is a card of an id in it.
func (c content) has(id string) bool {
	return slices.ContainsFunc(c.cards, func(o *Card) bool { return o.ID == id })
}

// or is the content, or another one where it is empty.
func (c content) or(o content) content {
	if c.cards == nil {
		return o
	}
	return c
}

// owns reports whether a diagnostic is about a file or, where it is a pack, what
// is in it.
func (f *deckFile) owns(d *Diagnostic) bool {
	return d.File == f.path || strings.HasPrefix(d.File, f.path+"/")
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
		packs, err := filepath.Glob(filepath.Join(d.installed, "*"+pack.Ext))
		d.unlisted.merge(d.installed, err)
		for _, path := range packs {
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
	limit := int64(maxCardBytes)
	if IsPackFile(f.path) {
		limit = pack.MaxBytes
	}
	text, err := load(f.path, limit)
	if err != nil {
		f.sum, f.now, f.faults = "", content{}, nil
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
	f.sum, f.now, f.faults = sum, content{}, nil
	if IsPackFile(f.path) {
		err = d.readPack(f, text)
	} else {
		err = d.readCard(f, text)
	}
	if err != nil {
		f.faults.merge(f.path, err)
	}
	return true
}

// IsPackFile reports whether a file in a directory of installed cards is taken for a
// pack, by its name.
func IsPackFile(path string) bool { return filepath.Ext(path) == pack.Ext }

func (d *Deck) readCard(f *deckFile, text []byte) error {
	c, err := ParseCard(f.path, text)
	if err != nil {
		return err
	}
	c.Off = f.off
	d.tell(c, text)
	f.now.cards = []*Card{c}
	return nil
}

// readPack reads a pack; of its bytes nothing is kept.
func (d *Deck) readPack(f *deckFile, data []byte) error {
	p, err := OpenPack(f.path, data)
	if err != nil {
		return err
	}
	if filepath.Base(f.path) != PackFileName(p.Manifest.ID) {
		return fmt.Errorf("holds the pack %s; call it %s", p.Manifest.ID, PackFileName(p.Manifest.ID))
	}
	for _, c := range p.Cards {
		d.tell(c, p.File(strings.TrimPrefix(c.File, f.path+"/")))
	}
	p.Files, p.Picture, p.Scenarios = nil, nil, nil
	f.now = content{p.Cards, p}
	return nil
}

func (d *Deck) tell(c *Card, text []byte) {
	if d.Read != nil {
		d.Read(c, text)
	}
}

// Compile compiles the cards for a vehicle: of each file what it holds now, else
// what was good, else nothing. It returns everything that is wrong in any of
// them; p is nil where the cards that are left fit the vehicle each, but not
// together.
func (d *Deck) Compile(v *Vehicle) (p *Program, faults Diagnostics) {
	faults = slices.Clone(d.unlisted)
	use := make([]content, len(d.files)) // empty: the file has no cards
	for i, f := range d.files {
		faults = append(faults, f.faults...)
		if use[i] = d.allowed(f.now, f, &faults); use[i].cards == nil {
			use[i] = d.allowed(f.good, f, &faults)
		}
	}
	for {
		if d.demoteTwins(use, &faults) || d.demoteMany(use, &faults) {
			continue
		}
		var cards []*Card
		for _, c := range use {
			cards = append(cards, c.cards...)
		}
		p, err := Compile(v, cards)
		if err == nil {
			return p, sortedFaults(faults)
		}
		var found Diagnostics
		found.merge(v.File, err)
		demoted := false
		for i, f := range d.files {
			if use[i].cards != nil && slices.ContainsFunc(found, func(one Diagnostic) bool { return f.owns(&one) }) {
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

// allowed is what a file held at some time, or nothing if it is a pack that is barred.
func (d *Deck) allowed(c content, f *deckFile, faults *Diagnostics) content {
	if c.pack == nil || d.Bars == nil {
		return c
	}
	if err := d.Bars(c.pack); err != nil {
		faults.merge(f.path, err)
		return content{}
	}
	return c
}

// demote takes a file's last good version, or none if that is what was used.
func (d *Deck) demote(use []content, i int) {
	good := d.files[i].good
	if good.cards == nil || use[i].cards[0] == good.cards[0] {
		use[i] = content{}
		return
	}
	use[i] = good
}

// demoteTwins finds a card whose id another file has, and reports whether there
// was one. The file whose card ran under the id keeps it, else the first file.
func (d *Deck) demoteTwins(use []content, faults *Diagnostics) bool {
	for j := range use {
		for i := range use[:j] {
			for _, c := range use[j].cards {
				if !use[i].has(c.ID) {
					continue
				}
				first, second := i, j
				if !d.files[i].good.has(c.ID) && d.files[j].good.has(c.ID) && !d.files[j].off {
					first, second = j, i
				}
				k := slices.IndexFunc(use[second].cards, func(o *Card) bool { return o.ID == c.ID })
				twin := use[second].cards[k]
				faults.add(twin.File, twin.Pos, "card id `%s` is already used by %s; give each card its own", twin.ID, d.files[first].path)
				d.demote(use, second)
				return true
			}
		}
	}
	return false
}

// demoteMany demotes files until no more cards are left than may run together,
// those first that hold what does not run yet, and of them the last. It reports
// whether there were too many.
func (d *Deck) demoteMany(use []content, faults *Diagnostics) bool {
	all := 0
	for i := range use {
		all += len(use[i].cards)
	}
	left := all
	for d.Most > 0 && left > d.Most {
		last, lastRuns := -1, true
		for i, f := range d.files {
			runs := use[i].cards != nil && f.good.cards != nil && use[i].cards[0] == f.good.cards[0]
			if fewer := runs || len(use[i].cards) > len(f.good.cards); fewer && (lastRuns || !runs) {
				last, lastRuns = i, runs
			}
		}
		left -= len(use[last].cards)
		d.demote(use, last)
		left += len(use[last].cards)
		faults.add(d.files[last].path, Pos{}, "there are %d cards, at most %d run; take some out", all, d.Most)
	}
	return left < all
}

// Took tells that a program of Compile runs: what it has is good.
func (d *Deck) Took(p *Program) {
	for _, f := range d.files {
		was := f.good
		f.good = content{}
		for _, c := range []content{was, f.now} {
			if c.cards != nil && slices.Contains(p.Cards, c.cards[0]) {
				f.good = c
			}
		}
	}
}

// Packs are the packs that are installed and could be read once, by file: their
// cards run if nothing bars them.
func (d *Deck) Packs() (list []*Pack) {
	for _, f := range d.files {
		if p := f.now.or(f.good).pack; p != nil {
			list = append(list, p)
		}
	}
	return list
}

// Loose are the cards that came without a pack, with the car or installed by
// themselves: the files that they are in, by id.
func (d *Deck) Loose() map[string]string {
	files := map[string]string{}
	for _, f := range d.files {
		for _, c := range f.now.or(f.good).cards {
			if !IsPackFile(f.path) {
				files[c.ID] = f.path
			}
		}
	}
	return files
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
		for _, c := range slices.Concat(f.now.cards, f.good.cards) {
			sums = append(sums, c.SHA256)
		}
	}
	return sums
}

// Installed are the files of installed cards by id, those of packs left out. A
// file that is no card counts under its name, so that it can be removed.
func (d *Deck) Installed() map[string]string {
	files := map[string]string{}
	for _, f := range d.files {
		if !f.off || IsPackFile(f.path) {
			continue
		}
		name := filepath.Base(f.path)
		id := strings.TrimSuffix(name, filepath.Ext(name))
		if cards := f.now.or(f.good).cards; cards != nil {
			id = cards[0].ID
		}
		files[id] = f.path
	}
	return files
}

// CameWithCar reports whether a file that is not installed holds a card of an id,
// or held it when it was good.
func (d *Deck) CameWithCar(id string) bool {
	return slices.ContainsFunc(d.files, func(f *deckFile) bool { return !f.off && (f.now.has(id) || f.good.has(id)) })
}

// sortedFaults orders diagnostics by file and place, each once.
func sortedFaults(faults Diagnostics) Diagnostics {
	var sorted Diagnostics
	if err := faults.err(); errors.As(err, &sorted) {
		return sorted
	}
	return nil
}
