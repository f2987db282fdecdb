package catalog

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"strings"

	"vignette/scenes/explain"
)

//go:embed pages.html
var pagesText string

//go:embed catalog.css
var styleText []byte

//go:embed catalog.js
var scriptText []byte

// policy is every page's Content-Security-Policy: the site's own files, from a
// host or a disk, and no network otherwise.
const policy = "default-src 'none'; script-src 'self' file:; style-src 'self' file:; img-src 'self' file:; base-uri 'none'; form-action 'none'"

var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"both":   func(en, zh string) Title { return Title{en, zh} },
	"need":   need,
	"policy": func() string { return policy },
	"name":   plainName,
	"kib":    func(n int) string { return fmt.Sprintf("%.1f KiB", float64(n)/1024) },
	"tag":    func(i int) string { return languages[i].Tag() },
}).Parse(pagesText))

// plainName is a path's or action's plain name in a language.
func plainName(name string, lang int) string { return languages[lang].Name(name) }

// needs are what cards need of a car, by the first word.
var needs = map[string]Title{"state": {"the state", "状态："}, "power": {"the power state", "电源状态"}, "clock": {"the time", "时间"},
	"sun": {"sunrise and sunset", "日出日落"}, "place": {"the place", "地点："}, "phone": {"a phone that comes near", "手机靠近"}, "ignition": {"the ignition", "点火开关"},
	"button": {"the button", "按键："}, "event": {"the event", "事件："}}

// need puts a need into words.
func need(claim string) Title {
	kind, name, _ := strings.Cut(claim, " ")
	t, ok := needs[kind]
	if !ok {
		return Title{claim, claim}
	}
	if kind == "state" {
		return Title{t.En + " " + languages[0].State(name), t.Zh + languages[1].State(name)}
	}
	return Title{strings.TrimSpace(t.En + " " + name), t.Zh + name}
}

// render runs one of the templates.
func render(name string, data any) ([]byte, error) {
	var b bytes.Buffer
	err := templates.ExecuteTemplate(&b, name, data)
	return b.Bytes(), err
}

// packPage is what a pack's page shows.
type packPage struct {
	*entry
	Site     string
	Langs    []int
	Art      string // below the site
	On       []onCar
	Topics   []topic
	Above    []*entry // parents, the nearest last
	Lost     *Parent  // the oldest ancestor's parent, which is not here
	Family   []branch // remixes
	More     int      // remixes that are not listed
	Versions []*entry
	Version  string
}

// onCar is a trial with its car's name.
type onCar struct {
	trial
	Car string
}

// branch is a remix in a family tree.
type branch struct {
	*entry
	Below []branch
}

// Limits of a family tree on a page.
const (
	mostAbove  = 32
	mostFamily = 60
	mostDeep   = 12
)

// page is the page of a pack.
func (s *site) page(e *entry) ([]byte, error) {
	p := packPage{entry: e, Site: s.o.Title, Langs: []int{0, 1}, Art: e.drawn, Versions: e.others, Version: e.Item.Version}
	if e.Picture != "" {
		p.Art = e.Picture
	}
	for i, t := range e.on {
		p.On = append(p.On, onCar{t, s.o.Cars[i].ID})
	}
	for i := range topics {
		if e.topics&(1<<i) != 0 {
			p.Topics = append(p.Topics, topics[i])
		}
	}
	at := e
	for ; at.parent != nil && len(p.Above) < mostAbove; at = at.parent {
		p.Above = append([]*entry{at.parent}, p.Above...)
	}
	if at.parent == nil {
		p.Lost = at.DerivedFrom
	}
	room := mostFamily
	p.Family = e.family(&room, 1)
	p.More = max(0, e.remixCount()-mostFamily)
	return render("pack", &p)
}

// family is the tree of remixes, as far as there is room.
func (e *entry) family(room *int, deep int) (list []branch) {
	for _, r := range e.remixes {
		if *room == 0 || deep > mostDeep {
			break
		}
		*room--
		list = append(list, branch{r, r.family(room, deep+1)})
	}
	return list
}

// remixCount counts the remixes and theirs, each version.
func (e *entry) remixCount() (n int) {
	list := []*entry{e}
	for len(list) > 0 {
		e, list = list[len(list)-1], list[:len(list)-1]
		n += len(e.remixes)
		list = append(list, e.remixes...)
	}
	return n
}

// Keys is how many keys there are under the author's name.
func (e *entry) Keys() int { return e.keys }

// In is what a card's page shows of its words in a language.
func (w *cardWords) In(lang int) []part { return w.Parts[lang] }

// Words are the cards.
func (e *entry) Words() []cardWords { return e.cards }

// In is a title in a language.
func (t Title) In(lang int) string {
	if languages[lang] == explain.Chinese {
		return t.Zh
	}
	return t.En
}

// allPages lists every page, so many each.
const perList = 500

// listPage is one page of the plain list.
type listPage struct {
	Site     string
	At, Of   int // from 1
	Packs    []*entry
	Previous string
	Next     string
}

func listName(i int) string {
	return fmt.Sprintf("all-%d.html", i)
}

// front is the page that searches.
type front struct {
	Site   string
	Data   []string // scripts
	Cars   []string
	Topics []topic
	Packs  int
	All    string // the plain list's first page
	Signed bool
}

// wordsOf are a pack's words for a search, by weight.
func (e *entry) wordsOf(add func(weight int, text string)) {
	add(inTitle, e.Title.En+" "+e.Title.Zh)
	add(inNames, e.Pack+" "+e.Author)
	for i := range e.cards {
		c := &e.cards[i]
		add(inTitle, c.Title[0]+" "+c.Title[1])
		add(inNames, c.ID)
		for lang := range languages {
			for _, p := range c.Parts[lang] {
				add(inWords, strings.Join(p.Lines, " "))
			}
		}
	}
	for _, names := range [][]string{e.Touches, e.Reads, e.Needs} {
		for _, n := range names {
			add(inWords, n)
			for lang := range languages {
				add(inWords, plainName(n, lang))
			}
		}
	}
	for i := range topics {
		if e.topics&(1<<i) != 0 {
			add(inWords, topics[i].Title.En+" "+topics[i].Title.Zh)
		}
	}
}
