package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"vignette/scenes"
	"vignette/scenes/catalog"
	"vignette/scenes/sign"
	"vignette/ui-bridge/cocreate"
	"vignette/ui-bridge/review"
	"vignette/ui-bridge/trace"
)

// cocreateFlags are what vignette cocreate was asked.
type cocreateFlags struct {
	catalog, trust, on  string
	drafts, answers     listFlag
	csv, html, adoption string
	asJSON              bool
	k                   int
	damaged             bool
}

func cocreates(args []string, out, errs io.Writer) error {
	fs := newFlags("cocreate", errs, "vignette cocreate [options] [DATASET…]", `
Reports how drivers take part: cards by stage (draft, shared, adopted), how many
are active by week and stay so, what is taken back, what was made of shared packs,
how fast designers answer, and the DART table filled from what is really there.

It is made of what a desk has: a catalogue's index, an author's directory, answer
cards, and datasets of studies (directories with study.yaml and segments/). What
cars did is known from these studies alone, with at least k cars behind each
figure. No car tells which cards it has. Exit code 3: segments are damaged.`,
		"vignette cocreate --catalog site",
		"vignette cocreate --catalog site --drafts cards/ --answers answers/ --html participation.html study-1/ study-2/",
		"vignette cocreate --adoption adoption.json study-1/")
	var f cocreateFlags
	fs.StringVar(&f.catalog, "catalog", "", "packs that are shared: the `SITE` of vignette catalog build")
	fs.StringVar(&f.trust, "trust", "", "the catalogue's index must be signed with the public key in `FILE`")
	fs.Var(&f.drafts, "drafts", "an author's `DIR` of cards; may be given several times")
	fs.Var(&f.answers, "answers", "answer cards: `PATH` of a file or directory; may be given several times")
	fs.IntVar(&f.k, "k", 0, "withhold below `N` cars; not less than each study's k")
	fs.StringVar(&f.on, "on", "", "the `DAY` on which answers are owed, such as 2026-11-30 (today)")
	fs.BoolVar(&f.asJSON, "json", false, "print the report as JSON")
	fs.StringVar(&f.csv, "csv", "", "write all figures to `FILE`")
	fs.StringVar(&f.html, "html", "", "write one page that needs nothing else to `FILE`")
	fs.StringVar(&f.adoption, "adoption", "", "write what a catalogue may show of cards in use to `FILE`")
	if err := parse(fs, args); err != nil {
		return err
	}
	if fs.NArg() == 0 && f.catalog == "" && f.drafts == nil {
		fs.Usage()
		return errReported
	}
	if err := cmp.Or(apart(f.csv, f.html, f.adoption, f.trust), apart(f.html, f.adoption, f.trust), apart(f.adoption, f.trust)); err != nil {
		return err
	}
	in, err := f.inputs(fs.Args(), errs)
	if err != nil {
		return err
	}
	if err := f.write(in, out); err != nil {
		return err
	}
	if f.damaged {
		return errFindings
	}
	return nil
}

// inputs reads what was given.
func (f *cocreateFlags) inputs(datasets []string, errs io.Writer) (in *cocreate.Inputs, err error) {
	now := time.Now().UTC()
	in = &cocreate.Inputs{Today: time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, time.UTC)}
	if f.on != "" {
		if in.Today, err = time.Parse(time.DateOnly, f.on); err != nil {
			return nil, fmt.Errorf("--on %s: is no day; write one such as 2026-11-30", f.on)
		}
	}
	if err := f.readCatalog(in); err != nil {
		return nil, err
	}
	if f.drafts != nil {
		if in.Drafts, err = cocreate.ReadDrafts(f.drafts); err != nil {
			return nil, err
		}
	}
	if in.Answers, err = scenes.LoadAnswers(f.answers, scenes.LoadAnswer); err != nil {
		return nil, err
	}
	for _, dir := range datasets {
		s, err := f.study(dir, in, errs)
		if err != nil {
			return nil, err
		}
		for _, o := range in.Studies {
			if o.Card.ID == s.Card.ID && o.Card.Version == s.Card.Version {
				return nil, fmt.Errorf("%s: is of study %s, version %d, which %s is too; gather both into one dataset", dir, s.Card.ID, s.Card.Version, o.Card.File)
			}
		}
		in.Studies = append(in.Studies, *s)
	}
	return in, nil
}

func (f *cocreateFlags) readCatalog(in *cocreate.Inputs) (err error) {
	if f.catalog == "" {
		if f.trust != "" {
			return errors.New("--trust is of a catalogue; name it with --catalog")
		}
		return nil
	}
	var keys []sign.PublicKey
	if f.trust != "" {
		k, err := readKey(f.trust, sign.ParsePublicKey)
		if err != nil {
			return err
		}
		keys, in.Signed = []sign.PublicKey{k}, true
	}
	if in.Catalog, _, err = catalog.Open(f.catalog, keys); err != nil {
		return fmt.Errorf("%s: %w", f.catalog, err)
	}
	return nil
}

// study reads a dataset and reviews it.
func (f *cocreateFlags) study(dir string, in *cocreate.Inputs, errs io.Writer) (*cocreate.Study, error) {
	card, err := scenes.LoadStudy(filepath.Join(dir, review.StudyFile))
	if err != nil {
		return nil, err
	}
	bag, err := readBag(dir, card, errs)
	if err != nil {
		return nil, err
	}
	if len(bag.Damaged) > 0 {
		f.damaged = true
		fmt.Fprintf(errs, "vignette cocreate: %v\n", trace.Few(bag.Damaged))
	}
	r, err := review.New(bag, review.Options{K: f.k, Answers: in.Answers, Today: in.Today})
	return &cocreate.Study{Card: card, Report: r}, err
}

// write writes the report in the forms that were asked for.
func (f *cocreateFlags) write(in *cocreate.Inputs, out io.Writer) error {
	r := cocreate.New(in)
	for _, form := range []struct {
		file  string
		write func(io.Writer) error
	}{{f.csv, r.WriteCSV}, {f.html, r.WriteHTML}, {f.adoption, r.Adoption(in.Studies).Write}} {
		if form.file != "" {
			if err := toFile(form.file, form.write); err != nil {
				return err
			}
		}
	}
	if f.asJSON {
		return r.WriteJSON(out)
	}
	return r.WriteText(out)
}
