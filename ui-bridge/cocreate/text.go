package cocreate

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strconv"
	"strings"

	"vignette/ui-bridge/review"
	"vignette/ui-bridge/shape"
)

// Schema is the JSON Schema of reports, made from their Go types.
func Schema() []byte {
	return shape.Of(reflect.TypeFor[Report](), "urn:vignette:cocreate:1", "A report of vignette cocreate", nil)
}

// WriteJSON writes the report as JSON; docs/schema/cocreate.schema.json says what
// is in it.
func (r *Report) WriteJSON(out io.Writer) error {
	enc := json.NewEncoder(out)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(r)
}

const banner = "Some of it is of an unsigned desk study, not for release: it shows that the line works. Draw no conclusions from it."

// shownCards is how many cards the text lists, of those that studies watched; the CSV
// has all.
const shownCards = 30

// number writes a count, · if it is withheld.
func number(n *int) string {
	if n == nil {
		return "·"
	}
	return strconv.Itoa(*n)
}

// regret writes a share with its interval.
func regret(s *review.Share) string {
	if s == nil {
		return "·"
	}
	return fmt.Sprintf("%.1f %% (%.1f–%.1f)", 100*s.Share, 100*s.Low, 100*s.High)
}

// lines writes lines and keeps the first error.
type lines struct {
	w   io.Writer
	err error
}

func (l *lines) line(format string, args ...any) {
	if l.err == nil {
		_, l.err = fmt.Fprintf(l.w, format+"\n", args...)
	}
}

// WriteText writes the report for a terminal.
func (r *Report) WriteText(out io.Writer) error {
	w := &lines{w: out}
	k := "no studies"
	if r.K != nil {
		k = fmt.Sprintf("k = %d", *r.K)
	}
	w.line("Participation on %s, %s", r.Date, k)
	if r.Unsigned {
		w.line("%s", banner)
	}
	draft := "not told"
	if r.Stages.Draft != nil {
		draft = fmt.Sprint(*r.Stages.Draft)
	}
	w.line("\nCards: %s draft, %d shared, %d adopted; %d in use from elsewhere", draft, r.Stages.Shared, r.Stages.Adopted, r.Stages.Elsewhere)
	r.cardLines(w)
	if len(r.Weeks) > 0 {
		w.line("\nActive cards by week (k or more cars ran them; in brackets those of which it is not told)")
		for _, x := range r.Weeks {
			w.line("  %s  %4d  (%d)", x.Week, x.Active, x.NotTold)
		}
		w.line("\nActive again after their first week")
		for _, x := range r.Retention {
			w.line("  after %d weeks  %s  (%d not told)", x.After, of(x.Active, x.Of), x.NotTold)
		}
	}
	x := &r.Remixes
	w.line("\nRemixes: %d of %d packs, %d of another author's, %d of them adopted; %d generations; %d authors, %d remix others, %d are remixed",
		x.Remixes, x.Packs, x.OfOthers, x.Adopted, x.Deepest, x.Authors, x.Remixers, x.Remixed)
	for _, o := range x.Most[:min(len(x.Most), 10)] {
		w.line("  %-40s %-20s %4d direct, %4d in all, by %d others", o.Pack, o.Author, o.Direct, o.All, o.Authors)
	}
	w.line("\nAnswers: %s studies answered, %d owed, %d still running; median %s days", of(r.Answers.Answered, r.Answers.Studies), r.Answers.Owed, r.Answers.Running, number(r.Answers.Median))
	for _, a := range r.Answers.List {
		w.line("  %-24s until %s  %s", a.Study, a.Until, a.text())
	}
	for _, l := range r.DART {
		w.line("\n%s: %s", l.Name, l.Asks)
		for _, f := range l.Facts {
			w.line("  %-52s %s", f.What, f.Value)
		}
	}
	w.line("\nWhat nobody here can know")
	for _, u := range r.Unknown {
		w.line("  - %s", u)
	}
	return w.err
}

func (a *Answer) text() string {
	if a.Days == nil {
		return "no answer yet"
	}
	return fmt.Sprintf("answered %s, %d days later", a.First, *a.Days)
}

func (r *Report) cardLines(w *lines) {
	var watched []*Card
	for i := range r.Cards {
		if len(r.Cards[i].Uses) > 0 {
			watched = append(watched, &r.Cards[i])
		}
	}
	for _, c := range watched[:min(len(watched), shownCards)] {
		w.line("  %-9s %-32s %d packs, %d remixes%s", c.Stage, c.ID, c.Packs, c.Remixes, authorsText(c.Authors))
		for _, u := range c.Uses {
			w.line("            in %s: %s firings, a week in %s cars or more, taken back %s", u.Study, number(u.Firings), number(u.Cars), regret(u.Regret))
		}
	}
	if n := len(watched) - shownCards; n > 0 {
		w.line("  and %d more that studies watched; the CSV has all cards", n)
	}
}

func authorsText(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return ", by " + strings.Join(list[:min(3, len(list))], ", ")
}

// csvHead are the columns of WriteCSV.
var csvHead = []string{"table", "item", "stage", "study", "figure", "value", "of", "low", "high", "withheld"}

// WriteCSV writes all of the report's figures, one a line; shares are from 0 to 1.
// A line with a 1 in withheld has no numbers.
func (r *Report) WriteCSV(out io.Writer) error {
	w := csv.NewWriter(out)
	w.Write(csvHead)
	row := func(table, item, stage, study, figure string, n *int, of int) {
		line := []string{table, item, stage, study, figure, "", "", "", "", "1"}
		if n != nil {
			line[5], line[9] = strconv.Itoa(*n), ""
			if of > 0 {
				line[6] = strconv.Itoa(of)
			}
		}
		w.Write(line)
	}
	for i := range r.Cards {
		c := &r.Cards[i]
		row("card", c.ID, c.Stage, "", "packs", &c.Packs, 0)
		row("card", c.ID, c.Stage, "", "remixes", &c.Remixes, 0)
		for _, u := range c.Uses {
			row("card", c.ID, c.Stage, u.Study, "firings", u.Firings, 0)
			row("card", c.ID, c.Stage, u.Study, "cars_at_least", u.Cars, 0)
			line := []string{"card", c.ID, c.Stage, u.Study, "regret", "", "", "", "", "1"}
			if s := u.Regret; s != nil {
				line = []string{"card", c.ID, c.Stage, u.Study, "regret", float(s.Share), strconv.Itoa(s.Of), float(s.Low), float(s.High), ""}
			}
			w.Write(line)
			for _, x := range u.Weeks {
				row("card", c.ID, c.Stage, u.Study, x.Week, x.Cars, 0)
			}
		}
	}
	for _, x := range r.Weeks {
		row("week", x.Week, "", "", "active", &x.Active, 0)
		row("week", x.Week, "", "", "not_told", &x.NotTold, 0)
	}
	for _, x := range r.Retention {
		row("retention", strconv.Itoa(x.After), "", "", "active", &x.Active, x.Of)
	}
	for _, o := range r.Remixes.Most {
		row("origin", o.Pack, "", "", "remixes", &o.All, 0)
		row("origin", o.Pack, "", "", "authors", &o.Authors, 0)
	}
	for _, a := range r.Answers.List {
		row("answer", a.Study, "", a.Study, "days", a.Days, 0)
	}
	w.Flush()
	return w.Error()
}

func float(x float64) string { return strconv.FormatFloat(x, 'f', 5, 64) }
