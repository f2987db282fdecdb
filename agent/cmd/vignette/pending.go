package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"vignette/scenes"
	"vignette/ui-bridge/review"
	"vignette/ui-bridge/trace"
)

// owed is feedback that no answer card answers yet, or not all of it.
type owed struct {
	Study    string   `json:"study"`
	Version  int      `json:"version"`
	Feedback string   `json:"feedback"`
	Kind     string   `json:"kind"` // card, screen or element
	About    string   `json:"about"`
	Since    string   `json:"since,omitempty"` // week; none: fewer than k vehicles said something in any
	Weeks    *int     `json:"weeks"`           // that the answer is owed for; null: nobody may know
	Said     *int     `json:"said"`            // how often; null: withheld
	Choices  []string `json:"choices"`         // that no card answers
}

// answersAt reads answer cards, and the day to which it is counted how long
// answers are owed: an empty one is today.
func answersAt(paths []string, day string) (list []*scenes.Answer, today time.Time, err error) {
	today = time.Now().UTC()
	if day != "" {
		if today, err = time.Parse(time.DateOnly, day); err != nil {
			return nil, today, fmt.Errorf("--today %s: is no date; write one such as 2026-03-31", day)
		}
	}
	list, err = scenes.LoadAnswers(paths, scenes.LoadAnswer)
	return list, today, err
}

func answersPending(args []string, out, errs io.Writer) error {
	fs := newFlags("answer pending", errs, "vignette answer pending [options] --answers PATH DIR…", `
Lists the feedback that drivers gave and no answer card answers yet, the longest
owed first. DIR is a dataset (study.yaml and segments/), or several. Nothing is
listed of which fewer than k vehicles said something; the exit code is 3 if an
answer is owed for longer than --fail-after.`,
		"vignette answer pending --answers answers/ dataset/",
		"vignette answer pending --answers answers/ --fail-after 26 spring/ autumn/")
	var paths listFlag
	fs.Var(&paths, "answers", "answer cards: a file or directory `PATH`; may be given several times (required)")
	day := fs.String("today", "", "count up to `DATE` (today)")
	after := fs.Int("fail-after", 0, "exit with 3 if an answer is owed for more than `WEEKS`; 0: never")
	asJSON := fs.Bool("json", false, "print the list as JSON")
	if err := parse(fs, args); err != nil {
		return err
	}
	if *after < 0 {
		return fmt.Errorf("--fail-after %d: is no number of weeks", *after)
	}
	if fs.NArg() == 0 || len(paths) == 0 {
		fs.Usage()
		return errReported
	}
	answers, today, err := answersAt(paths, *day)
	if err != nil {
		return err
	}
	list := []owed{}
	for _, dir := range fs.Args() {
		some, err := owedBy(dir, review.Options{Answers: answers, Today: today}, errs)
		if err != nil {
			return err
		}
		list = append(list, some...)
	}
	slices.SortStableFunc(list, func(a, b owed) int {
		return cmp.Or(-cmp.Compare(weeksOwed(&a), weeksOwed(&b)), cmp.Compare(a.Study, b.Study), cmp.Compare(a.Feedback, b.Feedback))
	})
	if err := printOwed(out, list, *asJSON); err != nil {
		return err
	}
	if *after > 0 && len(list) > 0 && weeksOwed(&list[0]) > *after {
		return errFindings
	}
	return nil
}

// weeksOwed is -1 where nobody may know.
func weeksOwed(o *owed) int {
	if o.Weeks == nil {
		return -1
	}
	return *o.Weeks
}

// owedBy is what is owed to the drivers of a dataset.
func owedBy(dir string, o review.Options, errs io.Writer) (list []owed, err error) {
	study, err := scenes.LoadStudy(filepath.Join(dir, review.StudyFile))
	if err != nil {
		return nil, err
	}
	bag, err := readBag(dir, study, errs)
	if err != nil {
		return nil, err
	} else if len(bag.Damaged) > 0 {
		return nil, fmt.Errorf("%s: %w", dir, trace.Few(bag.Damaged))
	}
	r, err := review.New(bag, o)
	if err != nil {
		return nil, err
	}
	for i := range r.Tasks {
		k := &r.Tasks[i]
		if f := k.Feedback; f != nil && len(f.Owed) > 0 {
			list = append(list, owed{r.Study.ID, r.Study.Version, k.Name, f.Kind, f.About, f.Since, f.Age, k.Episodes, f.Owed})
		}
	}
	return list, nil
}

func printOwed(out io.Writer, list []owed, asJSON bool) error {
	if asJSON {
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		return enc.Encode(map[string]any{"pending": list})
	}
	for _, o := range list {
		age, said := "  fewer than k", "·"
		if o.Weeks != nil {
			age = fmt.Sprintf("%4d weeks", *o.Weeks)
		}
		if o.Said != nil {
			said = fmt.Sprint(*o.Said)
		}
		fmt.Fprintf(out, "%s  %s, version %d: %s (%s %s), said %s times; not answered: %s\n", age, o.Study, o.Version, o.Feedback, o.Kind, o.About, said, strings.Join(o.Choices, ", "))
	}
	if len(list) == 0 {
		fmt.Fprintln(out, "no answer is owed")
	}
	return nil
}
