// Package review makes reports for designers from what cars have released: of
// each task of a study how often it was done and with how much trouble, ranked
// by risk while moving, and build A against build B. It shows no figure with
// fewer than k vehicles behind it, nor one from which such a figure follows; see
// Sheet. It is for desks.
package review

import (
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"time"

	"vignette/scenes"
)

// Report is all that is shown, in any form. A nil number is withheld.
type Report struct {
	Version  int       `json:"version"` // of this form: 1
	Study    StudyInfo `json:"study"`
	Signed   bool      `json:"signed"` // false: some of it is of an unsigned desk study, from which nobody should conclude anything
	K        int       `json:"k"`
	StudyK   int       `json:"study_k"` // K is at least this
	Weeks    int       `json:"weeks"`   // with k or more episodes of some task
	Files    *int      `json:"files"`   // nil: withheld, since cars deliver an episode a file: it would tell how many are withheld
	Damaged  int       `json:"damaged_files"`
	LeftOut  []LeftOut `json:"left_out"`
	A        string    `json:"a,omitempty"` // the builds that are compared
	B        string    `json:"b,omitempty"`
	Score    string    `json:"risk_formula"`
	Registry string    `json:"registry,omitempty"` // of elements, whose words are used; absent: none
	NoWords  []string  `json:"no_words,omitempty"` // places that it has no words for
	Tasks    []Task    `json:"tasks"`              // by risk
	Verdicts []Verdict `json:"verdicts,omitempty"`
}

// StudyInfo names the study.
type StudyInfo struct {
	ID       string `json:"id"`
	Version  int    `json:"version"`
	SHA256   string `json:"sha256"`
	Title    string `json:"title"`
	Question string `json:"question"`
	From     string `json:"from"`  // first day
	Until    string `json:"until"` // last day
}

// LeftOut is why episodes are in no figure, and how many.
type LeftOut struct {
	Reason   string `json:"reason"`
	Episodes *int   `json:"episodes"` // nil: fewer than k
}

// Task is what a report says of a task, of a scene card, or of a feedback.
type Task struct {
	Name     string    `json:"name"`
	Title    string    `json:"title"`
	Card     bool      `json:"card"`
	Feedback *Feedback `json:"feedback,omitempty"` // of what drivers are asked; nil: it is a task or a card
	Said     []string  `json:"said,omitempty"`     // of a task or card: the feedback about it, by name
	Episodes *int      `json:"episodes"`           // at most one a vehicle and week
	Vehicles *int      `json:"vehicles_at_least"`
	LeftOut  *LeftOut  `json:"left_out,omitempty"` // episodes of it that are in no figure
	Risk     *Risk     `json:"risk"`
	Builds   []Build   `json:"builds"`
	Figures  []Figure  `json:"figures"`
	Tables   []Table   `json:"tables"`
	Rate     *Rate     `json:"rate,omitempty"`
	KLM      *KLM      `json:"klm,omitempty"` // absent: no sequence of the dictionary does the whole task
	Ways     []Way     `json:"ways"`
}

// Risk is a task's score, see Report.Score.
type Risk struct {
	Score   float64 `json:"score"`
	AtLeast bool    `json:"at_least"` // a term is withheld and counts as 0 here
}

// Build is how many episodes are of a build.
type Build struct {
	Name     string `json:"name"`
	Episodes *int   `json:"episodes"`
}

// Share is so many of so many, with an interval of 95 %.
type Share struct {
	Count int     `json:"count"`
	Of    int     `json:"of"`
	Share float64 `json:"share"`
	Interval
}

// Figure is a share of a task's episodes or touches.
type Figure struct {
	Name  string    `json:"name"`
	Title string    `json:"title"`
	Of    string    `json:"of"`
	All   *Share    `json:"all"`
	A     *Share    `json:"a,omitempty"`
	B     *Share    `json:"b,omitempty"`
	Diff  *Interval `json:"b_minus_a,omitempty"`
}

// Table is a distribution.
type Table struct {
	Name    string   `json:"name"`
	Title   string   `json:"title"`
	Of      string   `json:"of"`
	Sum     *int     `json:"sum"`
	Buckets []Bucket `json:"buckets"`
	Median  string   `json:"median,omitempty"` // a bucket's label; none: it is withheld, or buckets have no order
}

// Bucket is a row of a distribution.
type Bucket struct {
	Label string `json:"label"`
	Count *int   `json:"count"`
}

// Way is an order of touches that attempts took.
type Way struct {
	Steps     []string `json:"steps"`           // none: all others together, whole or cut
	Words     []string `json:"words,omitempty"` // the same in the words of the registry; absent: there is none
	Cut       bool     `json:"cut"`             // two touches of longer attempts
	Done      bool     `json:"done"`
	Lostness  *float64 `json:"lostness,omitempty"`
	Sequences int      `json:"sequences"` // of the dictionary: they differ in pace and speed
	Count     *int     `json:"count"`
}

// Options choose what a report shows. None of them lets it show more.
type Options struct {
	K int // above the study's k; 0: the study's
	// Answers are answer cards, and Today the day to which it is counted how long an
	// answer to feedback is owed. Without Today nobody asked.
	Answers []*scenes.Answer
	Today   time.Time
	A, B    string // builds to compare; empty: the study's first two
}

// ErrK tells that somebody wanted a k below the study's.
type ErrK struct{ Asked, Study int }

func (e *ErrK) Error() string {
	return fmt.Sprintf("k = %d is below the study's %d, which is what drivers were told; k may be raised, never lowered", e.Asked, e.Study)
}

// New makes the report of a bag.
func New(b *Bag, o Options) (*Report, error) {
	r := &Report{Version: 1, Study: info(b.Study), Signed: b.Signed, StudyK: b.Study.K, K: max(o.K, b.Study.K),
		Damaged: len(b.Damaged), LeftOut: []LeftOut{}, Score: riskFormula}
	if o.K != 0 && o.K < b.Study.K {
		return nil, &ErrK{o.K, b.Study.K}
	}
	if err := r.choose(b, o); err != nil {
		return nil, err
	}
	r.Weeks = b.weeks(r.K)
	for i, n := range b.left {
		if n > 0 {
			l := LeftOut{Reason: reasonNames[i]}
			if n >= r.K {
				l.Episodes = &n
			}
			r.LeftOut = append(r.LeftOut, l)
		}
	}
	if err := checkAnswers(b.Study, o.Answers); err != nil {
		return nil, err
	}
	for _, t := range sheets(b, r.K) {
		k := r.taskOf(t)
		if k.Feedback = feedbackOf(b.Study, t.task); k.Feedback != nil {
			k.Feedback.Since = k.firstWeek()
			if !o.Today.IsZero() {
				k.answer(b.Study, o.Answers, o.Today)
			}
		}
		r.Tasks = append(r.Tasks, k)
	}
	r.Tasks = order(r.Tasks)
	if r.tellsAll() {
		r.Files = &b.Files
	}
	return r, nil
}

// tellsAll reports whether the report says of all episodes how many there are.
func (r *Report) tellsAll() bool {
	untold := func(l LeftOut) bool { return l.Episodes == nil }
	return !slices.ContainsFunc(r.LeftOut, untold) && !slices.ContainsFunc(r.Tasks, func(k Task) bool {
		return k.Episodes == nil || k.LeftOut != nil && untold(*k.LeftOut)
	})
}

// sheets makes and suppresses the sheets of all tasks: for the study's k, and then,
// of what that shows, for a k that was raised. So what is shown for a raised k is
// part of what is shown without, and both together tell nothing more.
func sheets(b *Bag, k int) []*taskSheet {
	list := make([]*taskSheet, len(b.Study.Tasks))
	tasks, weeks := b.split()
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	var wait sync.WaitGroup
	for i := range list {
		wait.Go(func() {
			slots <- struct{}{}
			list[i] = newTaskSheet(b, i, tasks[i], weeks, b.Study.K)
			list[i].Suppress()
			if k > b.Study.K {
				list[i].K = k
				list[i].Suppress()
			}
			<-slots
		})
	}
	wait.Wait()
	return list
}

func info(s *scenes.Study) StudyInfo {
	return StudyInfo{s.ID, s.Version, s.SHA256, s.Title.In("en"), s.Question.In("en"), s.From.Format(time.DateOnly),
		s.Until.AddDate(0, 0, -1).Format(time.DateOnly)}
}

// weeks counts the weeks of which a task has k episodes or more.
func (b *Bag) weeks(k int) int {
	type cell struct{ task, week uint16 }
	n := map[cell]int{}
	for t, c := range b.count {
		n[cell{t.task, t.week}] += int(c)
	}
	weeks := map[uint16]bool{}
	for c, m := range n {
		if m >= k {
			weeks[c.week] = true
		}
	}
	return len(weeks)
}

// choose finds the builds to compare.
func (r *Report) choose(b *Bag, o Options) error {
	known := b.Builds[1:]
	for _, name := range []string{o.A, o.B} {
		if name != "" && !slices.Contains(known, name) {
			return fmt.Errorf("the study has no build %q; its cohorts are of builds %q", name, known)
		}
	}
	r.A, r.B = o.A, o.B
	for _, name := range known { // the first ones that are not taken
		if r.A == "" && name != r.B {
			r.A = name
		} else if r.B == "" && name != r.A {
			r.B = name
		}
	}
	if r.A == r.B && r.A != "" {
		return fmt.Errorf("build %q is compared with itself; choose two", r.A)
	}
	if r.A == "" || r.B == "" {
		r.A, r.B = "", ""
		if o.A != "" || o.B != "" {
			return fmt.Errorf("the study tells %d build apart, so there is nothing to compare", len(known))
		}
	}
	return nil
}

// taskOf is what may be said of a task.
func (r *Report) taskOf(t *taskSheet) Task {
	k := Task{Name: t.task.Name, Title: t.task.Title.In("en"), Card: t.dict.of == ofCard,
		Builds: []Build{}, Figures: []Figure{}, Tables: []Table{}, Ways: []Way{}}
	if t.leftOut != nil {
		k.LeftOut = &LeftOut{Reason: "of builds, or of whole or cut attempts, with few vehicles"}
		if slices.Max(t.leftOut) >= t.K {
			n := 0
			for _, w := range t.leftOut {
				n += w
			}
			k.LeftOut.Episodes = &n
		}
	}
	if t.base < 0 {
		return k
	}
	k.Episodes = t.get(t.base)
	for i, cell := range t.builds {
		k.Builds = append(k.Builds, Build{t.blocks[i], t.get(cell)})
	}
	a, b := slices.Index(t.blocks, r.A), slices.Index(t.blocks, r.B)
	for i := range t.figures {
		k.Figures = append(k.Figures, t.figure(&t.figures[i], a, b))
	}
	for i := range t.tables {
		k.Tables = append(k.Tables, t.table(&t.tables[i]))
	}
	k.Rate, k.KLM = movingRate(&k), t.dict.klm.report()
	k.Ways = t.wayList()
	k.Risk = risk(&k)
	return k
}

// share is a triple's, nil if any of it is withheld or it has none. Touches of
// one episode are not independent: the interval takes them for one trial.
func (t *taskSheet) share(c triple, episodes int) *Share {
	yes, no, base := t.get(c.yes), t.get(c.no), t.get(c.base)
	if yes == nil || no == nil || base == nil || *base == 0 {
		return nil
	}
	s := &Share{Count: *yes, Of: *base, Share: float64(*yes) / float64(*base)}
	trials := *base
	if episodes > 0 {
		trials = min(trials, episodes)
	}
	s.Interval = wilson(s.Share, trials)
	return s
}

// figure is a figure's share of all and of two blocks, which may be -1.
func (t *taskSheet) figure(f *figureCells, a, b int) Figure {
	trials := func(cell int) int {
		if n := t.get(cell); f.of == ofTouches && n != nil {
			return *n
		}
		return 0
	}
	out := Figure{Name: f.name, Title: f.title, Of: f.of, All: t.share(f.all, trials(t.base))}
	if a < 0 || b < 0 || len(f.blocks) == 0 {
		return out
	}
	out.A, out.B = t.share(f.blocks[a], trials(t.builds[a])), t.share(f.blocks[b], trials(t.builds[b]))
	if out.A != nil && out.B != nil {
		d := newcombe(out.A, out.B)
		out.Diff = &d
	}
	return out
}

func (t *taskSheet) table(c *tableCells) Table {
	out := Table{Name: c.name, Title: c.title, Of: c.of, Sum: t.get(c.sum)}
	var counts []*int
	for i, cell := range c.cells {
		n := t.get(cell)
		counts = append(counts, n)
		out.Buckets = append(out.Buckets, Bucket{c.labels[i], n})
	}
	if c.median && out.Sum != nil {
		if m := medianBucket(counts, *out.Sum); m >= 0 {
			out.Median = c.labels[m]
		}
	}
	return out
}

// wayList lists the ways that are shown, and after them all others together.
func (t *taskSheet) wayList() []Way {
	list := []Way{}
	for _, c := range t.ways {
		rest := t.get(c.sum)
		if rest == nil {
			continue
		}
		for i, cell := range c.cells {
			n := t.get(cell)
			if n == nil {
				continue
			}
			w := &t.dict.ways[c.ways[i]]
			out := Way{Steps: w.Steps, Cut: w.cut, Done: w.done, Sequences: w.sequences, Count: n}
			if l := w.lostness; !math.IsNaN(l) {
				out.Lostness = &l
			}
			*rest -= *n
			list = append(list, out)
		}
		if *rest > 0 {
			list = append(list, Way{Steps: []string{}, Cut: !c.whole, Count: rest})
		}
	}
	return list
}
