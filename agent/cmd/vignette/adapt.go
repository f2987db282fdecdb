package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"vignette/scenes"
	"vignette/scenes/adapt"
	"vignette/scenes/explain"
	"vignette/scenes/pack"
	"vignette/scenes/remix"
)

func adapts(args []string, out, errs io.Writer) error {
	fs := newFlags("adapt", errs, "vignette adapt --vehicle F [--take N,… -o NEW] [--author HANDLE] [--id ID] [--lang TAG] [--json] CARD|PACK|DIR", `
Says what a vehicle lacks that a card, a pack or the source of a pack asks for, and
offers what it has instead: the same signal at another seat, the nearest value that
may be set, another state. Each offer has a number. --take makes the edits of those
that you choose and writes a remix to NEW: a card, or the source of a pack (which
needs your --author). Nothing is changed that you do not take. Exit code 3 if
something is missing, or still is.`,
		"vignette adapt --vehicle car.yaml cool-evening.vpack",
		"vignette adapt --vehicle car.yaml --take 1,3 --author jo -o my-evening cool-evening.vpack",
		"vignette pack make --key jo.key my-evening")
	vehicle := fs.String("vehicle", "", "vehicle profile `FILE` (required)")
	take := fs.String("take", "", "the numbers of the offers to take, as `N,…`")
	name := fs.String("o", "", "write the remix to `NEW`")
	author := fs.String("author", "", "your `HANDLE`, of a remix of a pack")
	id := fs.String("id", "", "`ID` of the remix; default that of its parent with the vehicle's, or with your handle")
	lang := langFlag(fs)
	asJSON := fs.Bool("json", false, "print what is missing and offered as JSON")
	if err := parse(fs, args); err != nil {
		return err
	}
	if fs.NArg() != 1 || *vehicle == "" || (*take == "") != (*name == "") {
		fs.Usage()
		return errReported
	}
	l := explain.Language(*lang)
	v, err := scenes.LoadVehicle(*vehicle)
	if err != nil {
		return err
	}
	w, err := openWork(fs.Arg(0), *author, *id, v)
	if err != nil {
		return err
	}
	list, err := adapt.Find(v, w.source)
	if err != nil {
		return err
	}
	if *take != "" {
		if w.source, err = taken(w.source, list, *take); err != nil {
			return err
		}
		if list, err = adapt.Find(v, w.source); err != nil {
			return err
		}
		if err := w.write(*name); err != nil {
			return err
		}
	}
	if *asJSON {
		err = printMissingJSON(out, list, l)
	} else {
		printMissing(out, list, *name, l)
	}
	if err == nil && len(list) > 0 {
		return errFindings
	}
	return err
}

// work is what is adapted, and how it is written.
type work struct {
	source adapt.Source
	write  func(name string) error
}

// openWork reads a card, a pack or the source of one.
func openWork(path, author, id string, v *scenes.Vehicle) (*work, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		s, err := remix.Read(path)
		if err != nil {
			return nil, err
		}
		return workOnSource(s), nil
	case strings.HasSuffix(path, pack.Ext):
		return workOnPack(path, author, id)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	c, err := scenes.ParseCard(path, text)
	if err != nil {
		return nil, err
	}
	if id == "" {
		id = c.ID + "-" + v.ID
	}
	w := &work{source: adapt.Source{Cards: []adapt.File{{Name: path, Text: text}}}}
	w.write = func(name string) error {
		text, err := scenes.EditHead(name, w.source.Cards[0].Text, id, "1.0.0", c.ID+"@"+c.Version)
		if err != nil {
			return err
		}
		if err := apart(name, path); err != nil {
			return err
		}
		return writeWhole(name, text)
	}
	return w, nil
}

// workOnPack has a remix of a pack adapted. Without an author it can be looked at.
func workOnPack(path, author, id string) (*work, error) {
	p, _, err := scenes.LoadPack(path)
	if err != nil {
		return nil, err
	}
	maker := author
	if maker == "" {
		maker = p.Manifest.Author
	}
	s, _, err := remix.Of(p, maker, id)
	if err != nil {
		return nil, err
	}
	w := workOnSource(s)
	if author == "" {
		w.write = func(string) error {
			return errors.New("a remix of a pack has an author; give your handle with --author")
		}
	}
	return w, nil
}

// workOnSource has the source of a pack adapted, into a directory of its own.
func workOnSource(s *remix.Source) *work {
	w := &work{}
	for _, name := range s.Manifest.Cards {
		w.source.Cards = append(w.source.Cards, adapt.File{Name: name, Text: s.Files[name]})
	}
	for _, name := range s.Manifest.Scenarios {
		w.source.Scenarios = append(w.source.Scenarios, adapt.File{Name: name, Text: s.Files[name]})
	}
	w.write = func(name string) error {
		for _, f := range slices.Concat(w.source.Cards, w.source.Scenarios) {
			s.Files[f.Name] = f.Text
		}
		return s.Write(name)
	}
	return w
}

// taken makes the edits of the offers with these numbers.
func taken(s adapt.Source, list []adapt.Missing, numbers string) (adapt.Source, error) {
	var edits []adapt.Edit
	for word := range strings.SplitSeq(numbers, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(word))
		found := false
		for _, m := range list {
			for _, o := range m.Offers {
				if o.N == n {
					found, edits = true, append(edits, o.Edits...)
				}
			}
		}
		if err != nil || !found {
			return s, fmt.Errorf("--take: there is no offer %q; leave --take out to see them", word)
		}
	}
	return s.With(edits)
}

// lacking says in words what is missing.
func lacking(m *adapt.Missing, l explain.Language) string {
	d := &m.Places[0]
	if what := explain.Missing(d, l); what != "" {
		return what
	}
	return d.What
}

func printMissing(out io.Writer, list []adapt.Missing, name string, l explain.Language) {
	if name != "" {
		fmt.Fprintf(out, "%s: written\n", name)
	}
	if len(list) == 0 {
		fmt.Fprintln(out, "nothing is missing")
	}
	for i := range list {
		m := &list[i]
		fmt.Fprintf(out, "%s:%d:%d: %s\n", m.Places[0].File, m.Places[0].Line, m.Places[0].Column, lacking(m, l))
		for _, o := range m.Offers {
			fmt.Fprintf(out, "  %d  %s\n", o.N, o.Take)
		}
	}
}

func printMissingJSON(out io.Writer, list []adapt.Missing, l explain.Language) error {
	type place struct {
		File   string `json:"file"`
		Line   int    `json:"line"`
		Column int    `json:"column"`
	}
	type edit struct {
		File string `json:"file"`
		From int    `json:"from"`
		To   int    `json:"to"`
		New  string `json:"new"`
	}
	type offer struct {
		N     int    `json:"n"`
		Take  string `json:"take"`
		Edits []edit `json:"edits"`
	}
	type missing struct {
		What   string  `json:"what"`
		Places []place `json:"places"`
		Offers []offer `json:"offers"`
	}
	all := []missing{}
	for i := range list {
		m := missing{What: lacking(&list[i], l), Places: []place{}, Offers: []offer{}}
		for _, d := range list[i].Places {
			m.Places = append(m.Places, place{d.File, d.Line, d.Column})
		}
		for _, o := range list[i].Offers {
			one := offer{N: o.N, Take: o.Take}
			for _, e := range o.Edits {
				one.Edits = append(one.Edits, edit(e))
			}
			m.Offers = append(m.Offers, one)
		}
		all = append(all, m)
	}
	enc := json.NewEncoder(out)
	enc.SetIndent("", "  ")
	return enc.Encode(all)
}
