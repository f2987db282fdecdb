// Package adapt brings cards to another vehicle: it finds what the vehicle lacks
// that they ask for, and offers what it has instead as edits of their texts. It
// chooses nothing. It is for desks.
package adapt

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"unicode/utf8"

	"vignette/scenes"
)

// File is a card or a scenario as text.
type File struct {
	Name string // in messages
	Text []byte
}

// Source is cards, and the scenarios that are told to them. What is edited in the
// cards is edited in the scenarios too.
type Source struct {
	Cards, Scenarios []File
}

// Missing is one thing that a vehicle lacks, or that is wrong with the cards.
type Missing struct {
	scenes.Lack
	Places []scenes.Diagnostic // where it is asked for, in order; at least one
	Offers []Offer
}

// Offer is something that could be taken instead: with all its edits made, the
// vehicle has what is asked for in these places.
type Offer struct {
	N     int    // 1, 2, 3 … over all that is missing
	Take  string // path, name, value, unit or duration, as it is written
	Edits []Edit
}

// Edit replaces bytes of a file.
type Edit struct {
	File     string
	From, To int    // bytes, To not included
	New      string // text
}

// mostOffers bounds the offers for one thing.
const mostOffers = 4

// Find finds what a vehicle lacks that cards ask for, in the order of their places,
// and what it offers instead. Each offer was tried: the cards compile further with
// it. The error is of cards that cannot be read.
func Find(v *scenes.Vehicle, s Source) ([]Missing, error) {
	faults, err := s.compile(v)
	if err != nil {
		return nil, err
	}
	var list []Missing
	for _, d := range faults {
		i := slices.IndexFunc(list, func(m Missing) bool {
			return d.Lack.Kind != scenes.NoLack && m.Kind == d.Lack.Kind && m.Name == d.Lack.Name && m.Of == d.Lack.Of
		})
		if i < 0 {
			i = len(list)
			list = append(list, Missing{Lack: d.Lack})
		}
		list[i].Places = append(list[i].Places, d)
	}
	n := 0
	for i := range list {
		m := &list[i]
		for _, take := range candidates(v, m) {
			edits := s.edits(m, take)
			if edits == nil || len(m.Offers) == mostOffers || !s.better(v, m, edits, faults) {
				continue
			}
			n++
			m.Offers = append(m.Offers, Offer{N: n, Take: take, Edits: edits})
		}
	}
	return list, nil
}

// compile is what is wrong with the cards in a vehicle.
func (s Source) compile(v *scenes.Vehicle) (scenes.Diagnostics, error) {
	var cards []*scenes.Card
	for _, f := range s.Cards {
		c, err := scenes.ParseCard(f.Name, f.Text)
		if err != nil {
			return nil, err
		}
		cards = append(cards, c)
	}
	_, err := scenes.Compile(v, cards)
	var faults scenes.Diagnostics
	if errors.As(err, &faults) {
		return faults, nil
	}
	return nil, err
}

// better reports whether the cards lack less with edits: the thing itself no more,
// and nothing else that they had. An offer may have limits of its own, which are
// what is missing next.
func (s Source) better(v *scenes.Vehicle, m *Missing, edits []Edit, before scenes.Diagnostics) bool {
	next, err := s.With(edits)
	if err != nil {
		return false
	}
	after, err := next.compile(v)
	if err != nil {
		return false
	}
	count := func(list scenes.Diagnostics) (of, others int) {
		for _, d := range list {
			switch k := d.Lack.Kind; {
			case k == m.Kind && d.Lack.Name == m.Name && d.Lack.Of == m.Of:
				of++
			case k != scenes.LackRange && k != scenes.LackLease:
				others++
			}
		}
		return of, others
	}
	_, had := count(before)
	of, others := count(after)
	return of == 0 && others <= had
}

// With is the source with edits made. Edits that overlap are an error.
func (s Source) With(edits []Edit) (Source, error) {
	change := func(files []File) (out []File, err error) {
		for _, f := range files {
			mine := slices.DeleteFunc(slices.Clone(edits), func(e Edit) bool { return e.File != f.Name })
			slices.SortFunc(mine, func(a, b Edit) int { return a.From - b.From })
			mine = slices.Compact(mine)
			text, at := []byte{}, 0
			for _, e := range mine {
				if e.From < at || e.To > len(f.Text) {
					return nil, errors.New(f.Name + ": two of the offers that are taken change the same place; take one")
				}
				text = append(append(text, f.Text[at:e.From]...), e.New...)
				at = e.To
			}
			out = append(out, File{f.Name, append(text, f.Text[at:]...)})
		}
		return out, nil
	}
	cards, err := change(s.Cards)
	if err != nil {
		return s, err
	}
	scenarios, err := change(s.Scenarios)
	return Source{cards, scenarios}, err
}

// edits replace what is missing in all its places, and in the scenarios.
func (s Source) edits(m *Missing, take string) (list []Edit) {
	for _, d := range m.Places {
		e, ok := s.edit(d, m, take)
		if !ok {
			return nil
		}
		list = append(list, e)
	}
	for _, f := range s.Scenarios {
		story, err := scenes.ParseScenario(f.Name, f.Text)
		if err != nil {
			continue // its own fault, told by whoever tries it
		}
		for _, at := range mentions(story, m) {
			if e, ok := s.edit(scenes.Diagnostic{File: f.Name, Line: at.Line, Column: at.Column}, m, take); ok {
				list = append(list, e)
			}
		}
	}
	return list
}

// mentions are the places of a scenario that name what is missing.
func mentions(story *scenes.Scenario, m *Missing) (places []scenes.Pos) {
	note := func(kind scenes.LackKind, name scenes.Name, to scenes.Literal) {
		switch {
		case m.Kind == kind && name.Text == m.Name:
			places = append(places, name.Pos)
		case (m.Kind == scenes.LackValue || m.Kind == scenes.LackRange) && name.Text == m.Of && to.String() == m.Name:
			places = append(places, to.Pos)
		}
	}
	for _, list := range [][]scenes.Happening{story.Given, story.Steps} {
		for _, h := range list {
			switch h.Kind {
			case scenes.SignalIs, scenes.SignalSilent:
				note(scenes.LackSignal, h.Name, h.To)
			case scenes.DriverSets:
				note(scenes.LackActuator, h.Name, h.To)
			case scenes.Happens:
				if m.Kind == scenes.LackEvent && h.Occur.Kind+" "+h.Occur.Name.Text == m.Name {
					places = append(places, h.Occur.Name.Pos)
				}
			}
		}
	}
	for _, e := range story.Expect {
		kind := scenes.LackActuator
		if e.Kind == scenes.Does {
			kind = scenes.LackAction
		}
		note(kind, e.Name, e.To)
	}
	return places
}

// edit replaces what is missing at a place: a word as it is, or within quotes; a
// value with its quotes, if it has any.
func (s Source) edit(d scenes.Diagnostic, m *Missing, take string) (Edit, bool) {
	for _, f := range slices.Concat(s.Cards, s.Scenarios) {
		if f.Name != d.File {
			continue
		}
		at := offset(f.Text, d.Line, d.Column)
		rest := string(f.Text[min(at, len(f.Text)):])
		quote := ""
		if strings.HasPrefix(rest, `"`) || strings.HasPrefix(rest, "'") {
			quote = rest[:1]
		}
		was := m.Name
		switch m.Kind {
		case scenes.LackRange, scenes.LackLease: // however it is written
			was = rest[:max(0, strings.IndexAny(rest, ",]} \t\n#"))]
		case scenes.LackValue:
			if was = quote + was + quote; take != "true" && take != "false" {
				take = cmp.Or(quote, `"`) + take + cmp.Or(quote, `"`)
			}
		case scenes.LackEvent: // its name alone
			was, take = was[strings.LastIndexByte(was, ' ')+1:], take[strings.LastIndexByte(take, ' ')+1:]
			fallthrough
		default:
			at, rest = at+len(quote), rest[len(quote):]
		}
		return Edit{d.File, at, at + len(was), take}, was != "" && strings.HasPrefix(rest, was)
	}
	return Edit{}, false
}

// offset is the byte at a line and column, both from 1, the column in characters.
func offset(text []byte, line, column int) int {
	at := 0
	for ; line > 1; line-- {
		i := strings.IndexByte(string(text[at:]), '\n')
		if i < 0 {
			return len(text)
		}
		at += i + 1
	}
	for ; column > 1 && at < len(text); column-- {
		_, n := utf8.DecodeRune(text[at:])
		at += n
	}
	return at
}
