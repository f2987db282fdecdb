package cocreate

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
)

//go:embed page.html
var pageText string

//go:embed page.css
var pageCSS string

// page is what the template shows.
type page struct {
	*Report
	Banner string
	Policy string // Content-Security-Policy: this style, and nothing else at all
	CSS    template.CSS
	Bars   []bar
	Width  int // of their picture
	Stages []tile
	Shown  []Card
	More   int // cards that are not listed
}

// bar is a week of the picture of active cards.
type bar struct {
	Week
	X, Y, Height, Gone, GoneY int
	Label                     bool
}

type tile struct{ Name, Value, Note string }

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{
	"number": number, "regret": regret, "of": of, "answer": func(a Answer) string { return a.text() },
}).Parse(pageText))

// WriteHTML writes the report as one page that needs no network and runs nothing.
func (r *Report) WriteHTML(out io.Writer) error {
	sum := sha256.Sum256([]byte(pageCSS))
	p := page{Report: r, CSS: template.CSS(pageCSS), Bars: bars(r.Weeks), Shown: r.Cards[:min(len(r.Cards), 4*shownCards)],
		Policy: fmt.Sprintf("default-src 'none'; style-src 'sha256-%s'; base-uri 'none'; form-action 'none'", base64.StdEncoding.EncodeToString(sum[:]))}
	p.Width = max(80, len(p.Bars)*barWidth+60)
	p.More = len(r.Cards) - len(p.Shown)
	if r.Unsigned {
		p.Banner = banner
	}
	draft := "not told"
	if r.Stages.Draft != nil {
		draft = fmt.Sprint(*r.Stages.Draft)
	}
	p.Stages = []tile{{"draft", draft, "in an author's directory alone"}, {"shared", fmt.Sprint(r.Stages.Shared), "in a pack of the catalogue"},
		{"adopted", fmt.Sprint(r.Stages.Adopted), "run by k or more cars in a week"}, {"in use from elsewhere", fmt.Sprint(r.Stages.Elsewhere), "in no pack of the catalogue"}}
	return pageTemplate.Execute(out, p)
}

// barWidth and barsHigh are of the picture, in pixels.
const (
	barWidth = 14
	barsHigh = 120
)

// bars draws active cards by week, with those that are not told above them.
func bars(weeks []Week) (list []bar) {
	most := 1
	for _, w := range weeks {
		most = max(most, w.Active+w.NotTold)
	}
	for i, w := range weeks {
		b := bar{Week: w, X: i * barWidth, Height: w.Active * barsHigh / most, Gone: w.NotTold * barsHigh / most, Label: i%4 == 0}
		b.Y = barsHigh - b.Height
		b.GoneY = b.Y - b.Gone
		list = append(list, b)
	}
	return list
}
