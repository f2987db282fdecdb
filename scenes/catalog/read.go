package catalog

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"vignette/scenes"
	"vignette/scenes/adapt"
	"vignette/scenes/explain"
	containers "vignette/scenes/pack"
	"vignette/scenes/rehearse"
)

// Refusal is a pack that has no place in the catalogue, and why.
type Refusal struct {
	File string
	Err  error
}

func (r Refusal) String() string {
	text := r.Err.Error()
	if strings.HasPrefix(text, r.File) {
		return text
	}
	return r.File + ": " + text
}

// files lists the packs below a directory, by path.
func files(dir string) (list []string, err error) {
	err = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() && filepath.Ext(path) == containers.Ext {
			list = append(list, path)
		}
		return err
	})
	if err == nil && len(list) > maxPacks {
		return nil, fmt.Errorf("%s: has %d packs; a catalogue has at most %d", dir, len(list), maxPacks)
	}
	return list, err
}

// perProcessor is how many files are worked on at a time for each processor: they
// wait for the disk in turn.
const perProcessor = 4

// each runs do for 0 to n-1, some at a time.
func each(n int, do func(i int)) {
	var next atomic.Int64
	var wait sync.WaitGroup
	for range min(n, perProcessor*runtime.GOMAXPROCS(0)) {
		wait.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	wait.Wait()
}

// readAll reads the packs of some files and tries them on the cars. Those that
// cannot be read are refused one by one.
func readAll(list []string, o *Options) (packs []*entry, refused []Refusal) {
	read, errs := make([]*entry, len(list)), make([]error, len(list))
	each(len(list), func(i int) {
		read[i], errs[i] = readPack(list[i], o)
		o.step()
	})
	for i, err := range errs {
		if err != nil {
			refused = append(refused, Refusal{list[i], err})
		} else {
			packs = append(packs, read[i])
		}
	}
	return packs, refused
}

// readFile reads a pack's file, no more of it than a pack may have.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(err, fmt.Errorf("%s: is no file", path))
	}
	data, err := io.ReadAll(io.LimitReader(f, containers.MaxBytes+1))
	if err == nil && len(data) > containers.MaxBytes {
		return nil, fmt.Errorf("%s: is longer than %d KiB, which no pack is", path, containers.MaxBytes>>10)
	}
	return data, err
}

func readPack(path string, o *Options) (*entry, error) {
	data, err := readFile(path)
	if err != nil {
		return nil, err
	}
	opened, err := scenes.OpenPack(path, data)
	if err != nil {
		return nil, err
	}
	p := describe(opened, path, len(data))
	for _, c := range opened.Cards {
		c.Off = false // a rehearsal is of cards that are enabled
	}
	for _, v := range o.Cars {
		p.on = append(p.on, try(opened, v))
	}
	return p, p.finish()
}

// describe is what is known of a pack without a car.
func describe(opened *scenes.Pack, path string, size int) *entry {
	m := opened.Manifest
	p := &entry{source: path, Item: Item{Pack: m.ID, Version: m.Version, SHA256: opened.SHA256, Size: size, Author: m.Author, Licence: m.Licence,
		Engine: m.Engine, Title: Title{m.Title.In("en"), m.Title.In("zh")}, Scenarios: len(m.Scenarios), Cards: []Member{},
		Reads: some(m.Reads), Touches: some(m.Touches), Needs: some(m.Needs)}}
	if opened.Signed {
		p.Key = opened.Key.ID.String()
	}
	if !m.Expires.IsZero() {
		p.Expires = m.Expires.Format(time.DateOnly)
	}
	if d := m.DerivedFrom; d != nil {
		p.DerivedFrom = &Parent{Pack: d.Pack, SHA256: d.SHA256, Author: d.Author}
	}
	for _, c := range opened.Cards {
		p.Item.Cards = append(p.Item.Cards, Member{c.ID, c.Version, c.SHA256})
		p.cards = append(p.cards, cardOf(c))
	}
	p.hasPicture = opened.Picture != nil
	return p
}

// some is a list that is there even if it is empty.
func some(list []string) []string {
	if list == nil {
		return []string{}
	}
	return slices.Clone(list)
}

// try holds a pack's cards to a car, and tells them their scenarios there.
func try(p *scenes.Pack, v *scenes.Vehicle) (t trial) {
	program, err := scenes.Compile(v, p.Cards)
	if err != nil {
		t.Lacks = lacks(p, v, err)
		return t
	}
	t.Runs = true
	for _, r := range explain.ReachOf(program) {
		for i, l := range languages {
			_, text, _ := strings.Cut(r.Text(l), "\n")
			t.Reach[i] = append(t.Reach[i], parts(text)...)
		}
	}
	for _, r := range rehearse.All(program, p.Scenarios) {
		if r.Outcome == rehearse.Passed {
			t.Passed++
			continue
		}
		fail := r.Scenario.Title.In("en") + ": " + r.Outcome.String()
		if len(r.Faults) > 0 {
			fail += ": " + r.Faults[0].What
		}
		t.Fails = append(t.Fails, fail)
	}
	return t
}

// mostLacks bounds what a page says about why cards do not fit a car.
const mostLacks = 5

// lacks is what a car lacks for the cards of a pack, which do not compile for it, and
// what vignette adapt would offer instead.
func lacks(p *scenes.Pack, v *scenes.Vehicle, why error) (list []lack) {
	var cards adapt.Source
	for _, f := range p.Files {
		if slices.Contains(p.Manifest.Cards, f.Name) {
			cards.Cards = append(cards.Cards, adapt.File{Name: f.Name, Text: f.Data})
		}
	}
	missing, err := adapt.Find(v, cards)
	if err != nil || len(missing) == 0 { // it is not of the car
		return []lack{{What: [2]string{why.Error(), why.Error()}}}
	}
	for i := range missing[:min(mostLacks, len(missing))] {
		m := &missing[i]
		var l lack
		for lang, of := range languages {
			l.What[lang] = cmp.Or(explain.Missing(&m.Places[0], of), m.Places[0].What)
		}
		for _, o := range m.Offers {
			l.Instead = append(l.Instead, o.Take)
		}
		list = append(list, l)
	}
	if n := len(missing) - mostLacks; n > 0 {
		list = append(list, lack{What: [2]string{fmt.Sprintf("and %d more", n), fmt.Sprintf("另有 %d 项", n)}})
	}
	return list
}
