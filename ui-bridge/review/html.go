package review

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"
)

//go:embed page.html
var pageText string

//go:embed page.css
var pageCSS string

// page is what the template shows.
type page struct {
	R       *Report
	Policy  string // Content-Security-Policy: this style, and nothing else at all
	CSS     template.CSS
	Ranks   []taskPage
	Ranking template.HTML
	Tasks   []taskPage
}

// taskPage is a task on the page.
type taskPage struct {
	K         *Task
	ID        string
	Leaks     string
	Dialogue  []string // what drivers say of it, or were answered
	AB        bool
	Tiles     []tile
	Flow      template.HTML
	Strip     template.HTML
	StripNote string
	Key       []keyEntry
	Charts    []chart
	Hidden    []string // titles of tables of which nothing is shown
	Compared  template.HTML
	Steps     string // the keystroke-level model's path
}

// tile is a figure in large type.
type tile struct {
	Name, Value, Note string
	Hot               bool
}

type keyEntry struct{ Class, Label, Value string }

type chart struct {
	T       *Table
	Picture template.HTML
}

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"number":   number,
	"score":    func(r *Risk) string { return scoreOr(r) },
	"share":    func(s *Share) string { return shareText(s, false) },
	"ratio":    ratio,
	"diff":     func(f Figure) string { return diffText(&f) },
	"pct":      func(k *Task, name string) string { return shareText(k.figure(name), false) },
	"count":    func(k *Task, name string) string { return ratio(k.figure(name)) },
	"lostness": func(w Way) string { return lostnessOf(&w) },
}).Parse(pageText))

// WriteHTML writes the report as one page that needs no network and runs nothing.
func (r *Report) WriteHTML(out io.Writer) error {
	sum := sha256.Sum256([]byte(pageCSS))
	p := page{R: r, CSS: template.CSS(pageCSS),
		Policy: fmt.Sprintf("default-src 'none'; style-src 'sha256-%s'; base-uri 'none'; form-action 'none'", base64.StdEncoding.EncodeToString(sum[:]))}
	var ranked []Task
	for i := range r.Tasks {
		t := r.taskPage(&r.Tasks[i], fmt.Sprintf("task-%d", i+1))
		p.Tasks = append(p.Tasks, t)
		if !t.K.Card && t.K.Feedback == nil {
			p.Ranks, ranked = append(p.Ranks, t), append(ranked, r.Tasks[i])
		}
	}
	p.Ranking = ranking(ranked)
	return pageTemplate.Execute(out, p)
}

func (r *Report) taskPage(k *Task, id string) taskPage {
	t := taskPage{K: k, ID: id, Dialogue: r.Dialogue(k), AB: r.compares(k), Leaks: leakNote(k), Tiles: k.tiles(), Flow: drawFlow(k)}
	for i := range k.Tables {
		table := &k.Tables[i]
		if table.Name == "speed" {
			t.Strip, t.Key = strip(table), key(table)
			t.StripNote = "Of " + number(table.Sum) + " touches; a car at rest on the left, the motorway on the right."
		} else if picture := bars(table); picture != "" {
			t.Charts = append(t.Charts, chart{table, picture})
		} else {
			t.Hidden = append(t.Hidden, table.Title)
		}
	}
	if k.KLM != nil {
		t.Steps = strings.Join(k.KLM.Path, " → ")
	}
	if t.AB {
		t.Compared = compared(k)
	}
	return t
}

// figure finds a figure's share of all, nil if it is withheld.
func (k *Task) figure(name string) *Share {
	for i := range k.Figures {
		if k.Figures[i].Name == name {
			return k.Figures[i].All
		}
	}
	return nil
}

// tiles are a task's figures that matter most.
func (k *Task) tiles() []tile {
	list := []tile{{Name: "episodes", Value: number(k.Episodes), Note: "one a vehicle and week, at most"}}
	if k.Episodes == nil {
		return list
	}
	names := []struct{ name, title string }{{"touched_moving", "touched while moving"}, {"over_12s_moving", "12 s or more of it moving"}, {"errors", "met an error"}, {"abandoned", "did not reach the end"}}
	switch {
	case k.Card:
		names = names[:1]
		names[0].name, names[0].title = "regret", "taken back within a minute"
	case k.Feedback != nil:
		names = names[:0]
		for _, f := range k.Figures {
			names = append(names, struct{ name, title string }{f.Name, f.Title})
		}
	}
	for _, n := range names {
		s := k.figure(n.name)
		t := tile{Name: n.title, Value: "withheld"}
		if s != nil {
			t.Value, t.Note = percent(s.Share), fmt.Sprintf("%.1f to %.1f, n = %d", 100*s.Low, 100*s.High, s.Of)
		}
		list = append(list, t)
	}
	if k.Card || k.Feedback != nil {
		return list
	}
	for _, t := range k.Tables {
		if t.Name == "time" && t.Median != "" {
			list = append(list, tile{Name: "median time on task", Value: t.Median})
		}
	}
	leak := tile{Name: "lockout leaks (must be 0)", Value: "withheld", Hot: leaks(k) > 0}
	if s := k.figure(gateLeaks); s != nil {
		leak.Value, leak.Note = number(&s.Count), fmt.Sprintf("of %d episodes", s.Of)
	}
	return append(list, leak)
}

// key are a strip's numbers in words.
func key(t *Table) (list []keyEntry) {
	for i, b := range t.Buckets {
		e := keyEntry{fmt.Sprintf("v%d", i), b.Label, "withheld"}
		switch {
		case b.Count == nil:
			e.Class = "gone"
		case *b.Count == 0 || t.Sum == nil:
			continue
		default:
			e.Value = part(*b.Count, *t.Sum)
		}
		list = append(list, e)
	}
	return list
}

func ratio(s *Share) string {
	if s == nil {
		return withheld
	}
	return fmt.Sprintf("%d of %d", s.Count, s.Of)
}

func scoreOr(r *Risk) string {
	if r == nil {
		return withheld
	}
	return scoreText(r)
}

func lostnessOf(w *Way) string {
	if w.Lostness == nil || w.Cut {
		return ""
	}
	return fmt.Sprintf("%.2f", *w.Lostness)
}
