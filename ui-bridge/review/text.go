package review

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// withheld is how texts and tables show a number that is withheld.
const withheld = "·"

// Legend says what a report's marks and figures mean.
func (r *Report) Legend() []string {
	return []string{
		fmt.Sprintf("%s is withheld: fewer than k = %d vehicles are behind it, or such a number would follow from it.", withheld, r.K),
		"A vehicle gives at most one episode a task and week, so an episode count is at most vehicles × weeks.",
		"Cars release only what the dictionary has, whole or cut to two touches. Rare trouble is what it lacks: shares of whole attempts have less of it than the road.",
		"Intervals are of 95 % (Wilson; B against A Newcombe). They take episodes for independent: several weeks of one car make them too narrow.",
		"* marks a difference whose interval leaves out zero; of twenty without any difference one is marked by chance.",
		"Touches while moving in an hour of moving lie between two ends, since cars release buckets of both; the ends have no interval.",
		"Keystroke-level model: " + klmFormula + ". It is for somebody practised who does nothing else.",
		"Cars release buckets, not times: a median is the bucket it lies in. Moving is 8 km/h or faster. Screening figures: none is an NHTSA pass.",
	}
}

// Banner warns of what the report is made of; empty: nothing is wrong.
func (r *Report) Banner() string {
	if !r.Signed {
		return "Unsigned desk study, not for release: it shows that the line works. Draw no conclusions from it."
	}
	return ""
}

// WriteText writes the report for a terminal.
func (r *Report) WriteText(out io.Writer) error {
	w := &printer{w: out}
	w.line("%s, version %d: %s", r.Study.ID, r.Study.Version, r.Study.Title)
	w.line("%s", r.Study.Question)
	w.line("%s to %s, %d weeks with data, %s files, k = %d%s", r.Study.From, r.Study.Until, r.Weeks, number(r.Files), r.K, raised(r))
	if b := r.Banner(); b != "" {
		w.line("%s", b)
	}
	if l := r.unworded(); l != "" {
		w.line("%s", l)
	}
	for _, l := range r.NotCounted() {
		w.line("not counted: %s", l)
	}
	for i := range r.Tasks {
		w.task(r, &r.Tasks[i])
	}
	w.line("")
	w.line("%s", r.Score)
	for _, l := range r.Legend() {
		w.line("%s", l)
	}
	for _, v := range r.Verdicts {
		w.line("%s: %s", v, v.Why)
	}
	return w.err
}

// String is a verdict's first words.
func (v Verdict) String() string {
	if v.Failed {
		return "FAILED if " + v.Gate
	}
	return "passed, not " + v.Gate
}

func raised(r *Report) string {
	if r.K > r.StudyK {
		return fmt.Sprintf(" (the study's is %d)", r.StudyK)
	}
	return ""
}

// NotCounted says what is in no figure.
func (r *Report) NotCounted() (list []string) {
	say := func(where string, l *LeftOut) {
		n := fmt.Sprintf("fewer than %d", r.K)
		if l.Episodes != nil {
			n = strconv.Itoa(*l.Episodes)
		}
		list = append(list, where+n+" episodes "+l.Reason)
	}
	for i := range r.LeftOut {
		say("", &r.LeftOut[i])
	}
	if r.Damaged > 0 {
		list = append(list, fmt.Sprintf("what comes after the damage in %d damaged files", r.Damaged))
	}
	for i := range r.Tasks {
		if r.Tasks[i].LeftOut != nil {
			say(r.Tasks[i].Name+": ", r.Tasks[i].LeftOut)
		}
	}
	return list
}

// printer writes lines and keeps the first error.
type printer struct {
	w   io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format+"\n", args...)
	}
}

// task writes what is known of a task.
func (p *printer) task(r *Report, k *Task) {
	p.line("")
	what := "task"
	switch {
	case k.Card:
		what = "card"
	case k.Feedback != nil:
		what = "feedback on " + k.Feedback.Kind + " " + k.Feedback.About + ","
	}
	p.line("%s %s (%s): %s episodes%s", what, k.Name, k.Title, number(k.Episodes), riskText(k.Risk))
	for _, line := range r.Dialogue(k) {
		p.line("  %s", line)
	}
	for _, b := range k.Builds {
		p.line("  build %-20s %s", b.Name, number(b.Episodes))
	}
	compared := r.compares(k)
	if len(k.Figures) > 0 {
		head := fmt.Sprintf("  %-15s %-31s", "", "all")
		if compared {
			head += fmt.Sprintf(" %-27s %-27s %s", "A "+r.A, "B "+r.B, "B - A")
		}
		p.line("%s", strings.TrimRight(head, " "))
	}
	for _, f := range k.Figures {
		text := fmt.Sprintf("  %-15s %-31s", f.Name, shareText(f.All, true))
		if compared {
			text += fmt.Sprintf(" %-27s %-27s %s", shareText(f.A, false), shareText(f.B, false), diffText(&f))
		}
		p.line("%s", strings.TrimRight(text, " "))
	}
	for _, t := range k.Tables {
		p.table(&t)
	}
	if k.Rate != nil {
		p.line("  %s: %s", k.Rate.Title, k.Rate.All)
	}
	if k.KLM != nil {
		p.line("  keystroke-level model: %.2f s for %s", k.KLM.Seconds, k.KLM.Text())
	}
	p.ways(k)
}

// Dialogue is what drivers say of a task or card; and of a feedback, which answers
// it has had, how long they took, and what is owed one.
func (r *Report) Dialogue(k *Task) (lines []string) {
	for i := range r.Tasks {
		if o := &r.Tasks[i]; slices.Contains(k.Said, o.Name) {
			var said []string
			for _, f := range o.Figures {
				said = append(said, f.Title+": "+shareText(f.All, false))
			}
			lines = append(lines, fmt.Sprintf("drivers said of %s %s, %s times: %s", o.Feedback.Kind, o.Feedback.About, number(o.Episodes), strings.Join(said, ", ")))
		}
	}
	if k.Feedback == nil {
		return lines
	}
	for _, a := range k.Feedback.Answers {
		lines = append(lines, "answered by "+a.String())
	}
	if len(k.Feedback.Owed) > 0 {
		lines = append(lines, fmt.Sprintf("not answered%s: %s", age(k.Feedback), strings.Join(k.Feedback.Owed, ", ")))
	}
	return lines
}

// String is an answer in words.
func (a *Answer) String() string {
	text := fmt.Sprintf("%s, version %d, on %s", a.ID, a.Version, a.Date)
	if len(a.Choices) > 0 {
		text += " (" + strings.Join(a.Choices, ", ") + ")"
	}
	if a.Weeks != nil {
		text += fmt.Sprintf(", %d weeks after it was first said", *a.Weeks)
	}
	return text
}

func age(f *Feedback) string {
	if f.Age == nil {
		return ""
	}
	return fmt.Sprintf(" for %d weeks", *f.Age)
}

// compares reports whether a task's figures are told apart by build.
func (r *Report) compares(k *Task) bool {
	return r.A != "" && slices.ContainsFunc(k.Builds, func(b Build) bool { return b.Name == r.A }) &&
		slices.ContainsFunc(k.Builds, func(b Build) bool { return b.Name == r.B })
}

func (p *printer) table(t *Table) {
	var parts []string
	for _, b := range t.Buckets {
		if b.Count == nil || *b.Count > 0 {
			parts = append(parts, b.Label+": "+number(b.Count))
		}
	}
	median := ""
	if t.Median != "" {
		median = "; median " + t.Median
	}
	p.line("  %s (%s %s)%s", t.Title, number(t.Sum), t.Of, median)
	if len(parts) > 0 {
		p.line("    %s", strings.Join(parts, ", "))
	}
}

// mostTextWays is how many ways a text lists.
const mostTextWays = 8

func (p *printer) ways(k *Task) {
	if len(k.Ways) > 0 {
		p.line("  ways")
	}
	for i, w := range k.Ways {
		if len(w.Steps) > 0 && i >= mostTextWays {
			continue
		}
		p.line("    %7s  %s%s", number(w.Count), w.Text(), lostnessNote(&w))
	}
}

// Text is a way in words.
func (w *Way) Text() string { return w.text(w.shown()) }

func (w *Way) text(steps []string) string {
	switch {
	case len(w.Steps) == 0 && w.Cut:
		return "other pairs together"
	case len(w.Steps) == 0:
		return "other ways together"
	case w.Cut:
		return "… " + strings.Join(steps, " → ") + " …"
	}
	return strings.Join(steps, " → ")
}

func lostnessNote(w *Way) string {
	if w.Lostness == nil || w.Cut {
		return ""
	}
	return fmt.Sprintf(" (lostness %.2f)", *w.Lostness)
}

func number(n *int) string {
	if n == nil {
		return withheld
	}
	return strconv.Itoa(*n)
}

func percent(x float64) string { return strconv.FormatFloat(100*x, 'f', 1, 64) + " %" }

func riskText(r *Risk) string {
	switch {
	case r == nil:
		return ""
	case r.AtLeast:
		return fmt.Sprintf(", risk at least %.1f", r.Score)
	}
	return fmt.Sprintf(", risk %.1f", r.Score)
}

// shareText is a share with its interval.
func shareText(s *Share, counts bool) string {
	if s == nil {
		return withheld
	}
	text := fmt.Sprintf("%s (%.1f–%.1f)", percent(s.Share), 100*s.Low, 100*s.High)
	if counts {
		text = fmt.Sprintf("%d/%d %s", s.Count, s.Of, text)
	}
	return text
}

// diffText is B against A in percentage points; * marks what leaves out zero.
func diffText(f *Figure) string {
	if f.Diff == nil {
		return withheld
	}
	text := fmt.Sprintf("%s (%s to %s)", points(f.B.Share-f.A.Share), points(f.Diff.Low), points(f.Diff.High))
	if f.Diff.Low > 0 || f.Diff.High < 0 {
		text += " *"
	}
	return text
}

// points is a difference of shares in percentage points.
func points(x float64) string {
	text := fmt.Sprintf("%+.1f", 100*x)
	if text == "-0.0" || text == "+0.0" {
		return "0.0"
	}
	return strings.Replace(text, "-", "−", 1)
}
