package audit

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strconv"
	"strings"
)

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"value": valueText, "chance": chanceText, "mark": markText, "count": count, "times": timesChance, "day": dayText, "class": class, "signed": signedText, "numbered": numbered,
}).Parse(pageText))

// Page writes a certificate as a page for people: one file, without scripts, that
// asks nothing of the network.
func Page(w io.Writer, c *Certificate) error { return page.Execute(w, c) }

// section is an attack on the page, with an id of its own.
type section struct {
	ID     string
	Attack Attack
}

// numbered is an attack on a dataset by its place.
func numbered(dataset int, a Attack) section {
	return section{fmt.Sprintf("%s-%d", a.ID, dataset+1), a}
}

// Simulated reports whether some of the data are of no real drivers.
func (c *Certificate) Simulated() bool {
	for _, d := range c.Datasets {
		if slices.ContainsFunc(d.Dataset.Directories, func(at Directory) bool { return at.Simulated != nil }) {
			return true
		}
	}
	return false
}

// class is a verdict as a style's class.
func class(v Verdict) string { return strings.ReplaceAll(string(v), " ", "-") }

func dayText(c *Certificate) string { return c.Made.Format("2 January 2006, 15:04 UTC") }

// percent writes a share with the digits that matter.
func percent(v float64) string {
	digits := 1
	if v != 0 && v < 0.01 {
		digits = 3
	}
	return strconv.FormatFloat(100*v, 'f', digits, 64) + "\u00a0%"
}

func figure(f Figure, v float64) string {
	if f.Unit == "share" {
		return percent(v)
	}
	return fmt.Sprintf("%s %s", count(int(v)), f.Unit)
}

// count writes a number in groups of three digits.
func count(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func valueText(f Figure) string {
	switch {
	case f.Value == nil:
		return "not measured"
	case f.Low != nil && f.High != nil:
		return fmt.Sprintf("%s (%s to %s)", figure(f, *f.Value), percent(*f.Low), percent(*f.High))
	}
	return figure(f, *f.Value)
}

func chanceText(f Figure) string {
	switch {
	case f.Chance == nil && f.Mark > 0:
		return "–"
	case f.Chance == nil:
		return "none expected"
	}
	text := percent(*f.Chance)
	if f.ChanceOf != "" {
		text += " " + f.ChanceOf
	}
	for _, c := range f.Chances {
		text += ", " + percent(c.Value) + " " + c.Of
	}
	return text
}

// timesChance says how often better than by lot a figure is; empty where that
// says nothing.
func timesChance(f Figure) string {
	if f.Value == nil || f.Chance == nil || *f.Chance == 0 || f.Sense == atLeast {
		return ""
	}
	return strings.TrimSpace(strconv.FormatFloat(*f.Value / *f.Chance, 'f', 1, 64) + " × chance " + f.ChanceOf)
}

func markText(f Figure) string {
	if f.Unit != "share" && f.Mark == 0 {
		return "none"
	}
	return f.Sense + " " + figure(f, f.Mark)
}

// Table writes the attacks as text for a terminal.
func Table(w io.Writer, c *Certificate) error {
	var b strings.Builder
	episodes, n := 0, 0
	say := func(list []Attack) {
		for _, a := range list {
			n++
			fmt.Fprintf(&b, "%-8s %s\n", a.Verdict, a.Name)
			for _, f := range a.Figures {
				fmt.Fprintf(&b, "  %-8s %s: %s; chance %s; mark %s", f.Verdict, f.Name, valueText(f), chanceText(f), markText(f))
				if f.Why != "" {
					fmt.Fprintf(&b, "; %s", f.Why)
				}
				b.WriteByte('\n')
			}
		}
	}
	for _, d := range c.Datasets {
		for _, at := range d.Dataset.Directories {
			fmt.Fprintf(&b, "%s: study %s, version %d, its card is %s\n", at.Name, d.Study.ID, d.Study.Version, signedText(at))
		}
		say(d.Attacks)
		episodes += d.Dataset.Episodes
	}
	say(c.Across)
	fmt.Fprintf(&b, "%s: %d attacks on %d episodes of %s\n", c.Verdict, n, episodes, c.Studies())
	_, err := io.WriteString(w, b.String())
	return err
}

// signedText is what is known of the signature of a directory's study card.
func signedText(d Directory) string {
	switch d.Signature {
	case Checked:
		return "signed with key " + d.SignedBy
	case NotChecked:
		return "signed, and the signature was not checked"
	}
	return "unsigned"
}
