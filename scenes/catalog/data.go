package catalog

import (
	"bytes"
	"fmt"
)

// row is a pack in the browser's list, an array there. catalog.js names its fields.
type row [17]any

// perChunk is how many packs a script of the list has.
const perChunk = 1000

// rowOf is a pack as the list shows it.
func rowOf(e *entry) row {
	runs, passed := 0, 0
	for i, v := range e.Cars {
		if v.Runs {
			runs |= 1 << i
		}
		if v.Runs && v.Passed == e.Scenarios {
			passed |= 1 << i
		}
	}
	cars := 0
	if e.Adopted != nil {
		cars = e.Adopted.Cars
	}
	picture := e.Picture
	if picture == "" {
		picture = e.drawn
	}
	signed := 0
	if e.Key != "" {
		signed = 1
	}
	return row{e.Title.En, e.Title.Zh, e.summary[0].When, e.summary[0].Then, e.summary[1].When, e.summary[1].Then,
		e.Author, e.Page, picture, e.topics, runs, passed, e.Scenarios, e.Remixes, cars, signed, e.Needs}
}

// script is a script that hands JSON to catalog.js.
func script(what string, v any) []byte {
	return bytes.Join([][]byte{[]byte("vignette." + what + "("), marshal(v), []byte(");\n")}, nil)
}

// writeShared writes all that is not one pack's: the page that searches with its
// data, the plain list, style, script and drawn pictures.
func (s *site) writeShared(entries []*entry) {
	var newest []*entry
	for _, e := range entries {
		if e.Newest {
			newest = append(newest, e)
		}
	}
	f := front{Site: s.o.Title, Topics: topics, Packs: len(newest), All: listName(1), Signed: s.o.Key != nil}
	for _, v := range s.o.Cars {
		f.Cars = append(f.Cars, v.ID)
	}
	data := func(name string, text []byte) {
		s.put(name, text)
		f.Data = append(f.Data, name)
	}
	for i := 0; i < len(newest); i += perChunk {
		var rows []row
		for _, e := range newest[i:min(i+perChunk, len(newest))] {
			rows = append(rows, rowOf(e))
		}
		data(fmt.Sprintf("data/list-%d.js", i/perChunk), script("list", rows))
	}
	words := map[string]Title{}
	for _, e := range newest {
		for _, claim := range e.Needs {
			words[claim] = need(claim)
		}
	}
	data("data/needs.js", script("needs", words))
	x := inverted{postings: map[string][]int32{}}
	for doc, e := range newest {
		e.wordsOf(func(weight int, text string) { x.add(doc, weight, text) })
	}
	for i, c := range x.chunks() {
		data(fmt.Sprintf("data/words-%d.js", i), script("words", c))
	}
	s.put("catalog.css", styleText)
	s.put("catalog.js", scriptText)
	for name, picture := range drawings() {
		s.put(name, picture)
	}
	s.putPage("index.html", "front", &f)
	s.writeLists(entries)
}

// writeLists writes the plain list of all packs, in any version.
func (s *site) writeLists(entries []*entry) {
	of := max(1, (len(entries)+perList-1)/perList)
	for i := range of {
		p := listPage{Site: s.o.Title, At: i + 1, Of: of, Packs: entries[i*perList : min((i+1)*perList, len(entries))]}
		if i > 0 {
			p.Previous = listName(i)
		}
		if i+1 < of {
			p.Next = listName(i + 2)
		}
		s.putPage(listName(i+1), "all", &p)
	}
}

// putPage writes a page made by a template.
func (s *site) putPage(name, template string, data any) {
	text, err := render(template, data)
	if err != nil {
		s.mu.Lock()
		s.err = err
		s.mu.Unlock()
		return
	}
	s.put(name, text)
}
