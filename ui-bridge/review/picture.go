package review

import (
	"fmt"
	"html"
	"html/template"
	"math"
	"strings"
	"unicode/utf8"
)

// pageWidth is that of a picture across the page.
const pageWidth = 990

// picture is an SVG while it is drawn. Its colours are the page's, by classes.
type picture struct {
	b             strings.Builder
	width, height float64
	class         string
}

// say appends markup; texts must have gone through esc.
func (p *picture) say(format string, args ...any) { fmt.Fprintf(&p.b, format+"\n", args...) }

func esc(s string) string { return html.EscapeString(s) }

func (p *picture) rect(class string, x, y, w, h float64, title string) {
	p.say(`<rect class="%s" x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="2"><title>%s</title></rect>`, class, x, y, max(w, 0), max(h, 0), esc(title))
}

func (p *picture) text(class string, x, y float64, s string) {
	p.say(`<text class="%s" x="%.1f" y="%.1f">%s</text>`, class, x, y, esc(s))
}

func (p *picture) line(class string, x1, y1, x2, y2 float64) {
	p.say(`<line class="%s" x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f"/>`, class, x1, y1, x2, y2)
}

// done is the markup of the picture; what it shows is in the label, and in the
// table beside it.
func (p *picture) done(label string) template.HTML {
	return template.HTML(fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" class="%s" role="img" aria-label="%s" viewBox="0 0 %.0f %.0f" width="%.0f" height="%.0f">`+"\n%s</svg>",
		p.class, esc(label), p.width, p.height, p.width, p.height, p.b.String()))
}

// short cuts a text to n runes.
func short(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}

// ranking draws the tasks' scores.
func ranking(tasks []Task) template.HTML {
	const row, left, right = 34.0, 230.0, 240.0
	p := &picture{width: pageWidth, height: row*float64(len(tasks)) + 8}
	most := 1.0
	for i := range tasks {
		most = max(most, score(&tasks[i]))
	}
	for i := range tasks {
		k := &tasks[i]
		y := row*float64(i) + 4
		p.text("end", left-12, y+20, short(k.Title, 32))
		class, note := "mark", "withheld"
		if leaks(k) > 0 {
			class = "hot"
		}
		if k.Risk != nil {
			p.rect(class, left, y+6, (p.width-left-right)*k.Risk.Score/most, row-14, k.Title+": "+scoreText(k.Risk))
			note = scoreText(k.Risk)
		}
		x := left + (p.width-left-right)*max(0, score(k))/most + 8
		p.text("strong", x, y+20, note)
		if what := leakNote(k); what != "" {
			p.text("hot", x+24+7*float64(utf8.RuneCountInString(note)), y+20, what)
		}
	}
	return p.done("Bars of the tasks' risk while moving, the greatest first")
}

func scoreText(r *Risk) string {
	if r.AtLeast {
		return fmt.Sprintf("at least %.1f", r.Score)
	}
	return fmt.Sprintf("%.1f", r.Score)
}

// leakNote says what is known of a task's lockout leaks; empty: there are none.
func leakNote(k *Task) string {
	for _, f := range k.Figures {
		switch {
		case f.Name != gateLeaks:
		case f.All == nil:
			return "lockout leaks: withheld"
		case f.All.Count > 0:
			return fmt.Sprintf("lockout leaks: %d", f.All.Count)
		}
	}
	return ""
}

// strip draws shares of touches by speed, side by side.
func strip(t *Table) template.HTML {
	const top, high = 22.0, 30.0
	p := &picture{width: pageWidth, height: 72, class: "strip"}
	if t.Sum == nil || *t.Sum == 0 {
		return ""
	}
	hidden := *t.Sum
	for _, b := range t.Buckets {
		if b.Count != nil {
			hidden -= *b.Count
		}
	}
	x, fast := 0.0, -1.0
	for i, b := range t.Buckets {
		if i == int(moving) {
			fast = x
		}
		if b.Count == nil || *b.Count == 0 {
			continue
		}
		w := p.width * float64(*b.Count) / float64(*t.Sum)
		p.rect(fmt.Sprintf("v%d", i), x, top, w-1, high, b.Label+": "+part(*b.Count, *t.Sum))
		if w > 48 {
			p.text("mid", x+w/2, top+high+16, part(*b.Count, *t.Sum))
		}
		x += w
	}
	if hidden > 0 {
		w := p.width * float64(hidden) / float64(*t.Sum)
		p.rect("gone", x+1, top+1, w-2, high-2, "withheld")
		if w > 60 {
			p.text("mid soft", x+w/2, top+high+16, "withheld")
		}
	}
	if fast >= 0 && hidden == 0 && fast < p.width-120 {
		p.line("axis", fast, 2, fast, top)
		p.text("soft", fast+6, 14, "moving, 8 km/h and more →")
	}
	return p.done("Shares of touches by speed, from parked to 100 km/h and more; the list below has the same numbers")
}

func part(n, of int) string {
	x := 100 * float64(n) / float64(of)
	if x >= 9.95 {
		return fmt.Sprintf("%.0f %%", x)
	}
	return fmt.Sprintf("%.1f %%", x)
}

// bars draws a distribution.
func bars(t *Table) template.HTML {
	const bottom, top, low = 150.0, 22.0, 178.0
	p := &picture{width: 420, height: low}
	if t.Sum == nil || *t.Sum == 0 {
		return ""
	}
	most, last := 0, 0
	for i, b := range t.Buckets {
		if b.Count == nil {
			last = i
		} else if *b.Count > 0 {
			most, last = max(most, *b.Count), i
		}
	}
	if most == 0 {
		return ""
	}
	buckets := t.Buckets[:last+1]
	step := p.width / float64(len(buckets))
	w := min(step-4, 46)
	for i, b := range buckets {
		x := step*float64(i) + (step-w)/2
		middle := x + w/2
		switch {
		case b.Count == nil:
			p.rect("gone", x, bottom-14, w, 14, b.Label+": withheld")
			p.text("mid soft", middle, bottom-19, withheld)
		default:
			class := "weak"
			if b.Label == t.Median {
				class = "mark"
			}
			h := (bottom - top) * float64(*b.Count) / float64(most)
			p.rect(class, x, bottom-h, w, h, b.Label+": "+part(*b.Count, *t.Sum))
			if *b.Count > 0 {
				p.text("mid", middle, bottom-h-5, strings.TrimSuffix(part(*b.Count, *t.Sum), " %"))
			}
		}
		label := []string{strings.ReplaceAll(b.Label, " s", "")}
		if len(b.Label) > 8 && step < 60 {
			label = strings.SplitN(b.Label, " to ", 2)
		}
		p.text("mid soft", middle, bottom+17, short(strings.Join(label, "–"), max(4, int(step/6.2))))
	}
	p.line("axis", 0, bottom+.5, p.width, bottom+.5)
	return p.done(t.Title + ": a bar for each bucket, in per cent; the table below has the numbers")
}

// compared draws the shares of two builds with their intervals.
func compared(k *Task) template.HTML {
	var list []Figure
	most := 0.05
	for _, f := range k.Figures {
		if f.A == nil && f.B == nil || f.All != nil && f.All.Count == 0 {
			continue
		}
		list = append(list, f)
		for _, s := range []*Share{f.A, f.B} {
			if s != nil {
				most = max(most, s.High)
			}
		}
	}
	if len(list) == 0 {
		return ""
	}
	most = nice(most)
	const row, left, right, top = 34.0, 300.0, 190.0, 26.0
	p := &picture{width: pageWidth, height: top + row*float64(len(list)) + 26}
	at := func(share float64) float64 { return left + (p.width-left-right)*share/most }
	end := top + row*float64(len(list))
	for i := 0.0; i <= 4; i++ {
		x := at(most * i / 4)
		p.line("grid", x, top, x, end)
		p.text("mid soft", x, end+18, strings.Replace(percent(most*i/4), ".0 ", " ", 1))
	}
	p.text("ta strong", left, 14, "○ A")
	p.text("tb strong", left+40, 14, "● B")
	p.text("soft end", p.width-4, 14, "B − A, points")
	for i, f := range list {
		y := top + row*float64(i)
		p.text("end", left-14, y+21, short(f.Title, 42))
		p.interval("a", at, f.A, y+12, "A")
		p.interval("b", at, f.B, y+22, "B")
		if f.Diff == nil {
			p.text("soft end", p.width-4, y+21, "withheld")
			continue
		}
		class := "end soft"
		if f.Diff.Low > 0 || f.Diff.High < 0 {
			class = "end strong"
		}
		p.text(class, p.width-4, y+21, strings.TrimSuffix(diffText(&f), " *"))
	}
	return p.done("Shares of build A and of build B with intervals of 95 %, a row for each figure; the table below has the numbers")
}

func (p *picture) interval(class string, at func(float64) float64, s *Share, y float64, name string) {
	if s == nil {
		return
	}
	p.line(class, at(s.Low), y, at(s.High), y)
	p.say(`<circle class="%s" cx="%.1f" cy="%.1f" r="4.5"><title>%s: %s</title></circle>`, class, at(s.Share), y, name, esc(shareText(s, true)))
}

// nice is the next round share of which the quarters are round too.
func nice(x float64) float64 {
	for _, s := range []float64{0.04, 0.08, 0.1, 0.2, 0.4, 0.6, 0.8} {
		if x <= s {
			return s
		}
	}
	return math.Max(1, x)
}
