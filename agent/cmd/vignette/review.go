package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"vignette/scenes"
	"vignette/ui-bridge/review"
	"vignette/ui-bridge/trace"
)

// reviewFlags are what vignette review was asked.
type reviewFlags struct {
	study, csv, html string
	answers, today   string
	elements         string
	asJSON           bool
	gates            listFlag
	review.Options
}

func reviews(args []string, out, errs io.Writer) error {
	fs := newFlags("review", errs, "vignette review [options] PATH", `
Makes a report for designers from what cars have released: a dataset (a directory
with study.yaml and segments/), any directory of segments, or one segment of many
episodes, as vignette traces gather writes it. Tasks are ranked by risk while
moving; of each there are counts, time, touches while moving, errors, lockout
leaks, the ways that drivers took, of scene cards regret, and what drivers said of
a card or screen when they were asked; and build A against build B.

No figure is shown with fewer than k vehicles behind it, nor one from which such a
figure follows; k is the study's, and can only be raised. The exit code is 3 if
files are damaged or a --fail-if holds or cannot be judged.`,
		"vignette review dataset/",
		"vignette review --html report.html --csv report.csv dataset/",
		"vignette review --elements elements.yaml dataset/",
		"vignette review --study demo.yaml --a 1.0 --b 1.1 all.seg",
		"vignette review --answers answers/ dataset/",
		`vignette review --fail-if "lockout_leaks > 0" --fail-if "air.errors >= 5%" dataset/`)
	var f reviewFlags
	fs.StringVar(&f.study, "study", "", "study card `FILE`; without it PATH/study.yaml")
	fs.StringVar(&f.elements, "elements", "", "registry of elements `FILE`, whose words stand for their names")
	fs.IntVar(&f.K, "k", 0, "withhold below `N` vehicles; not less than the study's k")
	fs.StringVar(&f.A, "a", "", "compare `BUILD`, as the study's cohorts name it (the first one)")
	fs.StringVar(&f.B, "b", "", "with `BUILD` (the second one)")
	fs.Var(&f.gates, "fail-if", "exit with 3 if `CONDITION` holds: FIGURE or TASK.FIGURE, an operator, a number; may be given several times")
	fs.StringVar(&f.answers, "answers", "", "answer cards in `PATH`, to show which feedback is answered, how long that took, and what is owed an answer")
	fs.StringVar(&f.today, "today", "", "with --answers: the `DATE` to which ages are counted (today)")
	fs.BoolVar(&f.asJSON, "json", false, "print the report as JSON")
	fs.StringVar(&f.csv, "csv", "", "write all numbers to `FILE`")
	fs.StringVar(&f.html, "html", "", "write one page that needs nothing else to `FILE`")
	if err := parse(fs, args); err != nil {
		return err
	}
	if fs.NArg() != 1 {
		fs.Usage()
		return errReported
	}
	return f.run(fs.Arg(0), out, errs)
}

func (f *reviewFlags) run(path string, out, errs io.Writer) error {
	defer debug.SetGCPercent(debug.SetGCPercent(50)) // counts of millions of episodes: memory before speed
	study, gates, err := f.prepare(path)
	if err != nil {
		return err
	}
	var words *scenes.Registry
	if f.elements != "" {
		if words, err = scenes.LoadRegistry(f.elements); err != nil {
			return err
		}
	}
	bag, err := readBag(path, study, errs)
	if err != nil {
		return err
	}
	if len(bag.Damaged) > 0 {
		fmt.Fprintf(errs, "vignette review: %v\n", trace.Few(bag.Damaged))
	}
	r, err := review.New(bag, f.Options)
	if err != nil {
		return err
	}
	if words != nil {
		r.Word(study, words)
	}
	failed := r.Judge(gates)
	if err := f.write(r, out); err != nil {
		return err
	}
	for _, v := range r.Verdicts {
		if v.Failed {
			fmt.Fprintf(errs, "vignette review: %s: %s\n", v, v.Why)
		}
	}
	if failed || len(bag.Damaged) > 0 {
		return errFindings
	}
	return nil
}

// readBag reads a dataset and shows how far it is.
func readBag(path string, study *scenes.Study, errs io.Writer) (bag *review.Bag, err error) {
	var p review.Progress
	meter := newMeter(errs, "review", func() (read, total int64) { return p.Read.Load(), p.Total.Load() })
	defer meter.done()
	look := time.NewTicker(200 * time.Millisecond)
	defer look.Stop()
	done := make(chan struct{})
	go func() {
		defer close(done)
		bag, err = review.Read(path, study, &p)
	}()
	for {
		select {
		case <-done:
			return bag, err
		case <-look.C:
			meter.show()
		}
	}
}

// prepare reads the study card and what depends on it.
func (f *reviewFlags) prepare(path string) (*scenes.Study, []review.Gate, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, nil, err
	}
	if f.study == "" {
		f.study = filepath.Join(path, review.StudyFile)
		if _, err := os.Stat(f.study); err != nil {
			return nil, nil, fmt.Errorf("%s: has no %s; name the study card with --study", path, review.StudyFile)
		}
	}
	for _, file := range []string{f.csv, f.html} {
		if err := apart(file, path, f.study, f.elements, f.answers); err != nil {
			return nil, nil, err
		}
	}
	if err := apart(f.csv, f.html); err != nil {
		return nil, nil, err
	}
	study, err := scenes.LoadStudy(f.study)
	if err != nil {
		return nil, nil, err
	}
	if f.answers != "" {
		if f.Answers, f.Today, err = answersAt([]string{f.answers}, f.today); err != nil {
			return nil, nil, err
		}
	} else if f.today != "" {
		return nil, nil, errors.New("--today counts how long answers are owed; name the answers with --answers")
	}
	if f.K != 0 && f.K < study.K {
		return nil, nil, &review.ErrK{Asked: f.K, Study: study.K}
	}
	var gates []review.Gate
	for _, text := range f.gates {
		g, err := review.ParseGate(text, study)
		if err != nil {
			return nil, nil, fmt.Errorf("--fail-if %w", err)
		}
		gates = append(gates, g)
	}
	return study, gates, nil
}

// write writes the report in the forms that were asked for.
func (f *reviewFlags) write(r *review.Report, out io.Writer) error {
	if f.csv != "" {
		if err := toFile(f.csv, r.WriteCSV); err != nil {
			return err
		}
	}
	if f.html != "" {
		if err := toFile(f.html, r.WriteHTML); err != nil {
			return err
		}
	}
	if f.asJSON {
		return r.WriteJSON(out)
	}
	return r.WriteText(out)
}
