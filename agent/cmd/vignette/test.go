package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"vignette/scenes"
	"vignette/scenes/explain"
	"vignette/scenes/pack"
	"vignette/scenes/rehearse"
)

func tests(args []string, out, errs io.Writer) error {
	fs := newFlags("test", errs, "vignette test --vehicle F [--lang TAG] [--json] PATH…", `
Tells scenarios to cards, in virtual time and without a recording, and says
whether the cards did what the scenarios expect, else what happened instead. PATH
is a card, a scenario, a directory of them, or a pack, which has both. All cards
are in one car. Exit code 1 if a scenario fails; 3 if none does, but some cannot
be told in this car.`,
		"vignette test --vehicle car.yaml cards/warm-seat.yaml scenarios/warm-seat.yaml",
		"vignette test --vehicle car.yaml --lang zh cool-evening.vpack")
	vehicle := fs.String("vehicle", "", "vehicle profile `FILE` (required)")
	lang := langFlag(fs)
	asJSON := fs.Bool("json", false, "print the results as JSON")
	if err := parse(fs, args); err != nil {
		return err
	}
	if fs.NArg() == 0 || *vehicle == "" {
		fs.Usage()
		return errReported
	}
	l := explain.Language(*lang)
	v, err := scenes.LoadVehicle(*vehicle)
	if err != nil {
		return err
	}
	troupe, err := gatherTroupe(fs.Args())
	if err != nil {
		return err
	}
	p, err := scenes.Compile(v, troupe.cards)
	if err != nil {
		return err
	}
	results := rehearse.All(p, troupe.scenarios)
	if *asJSON {
		err = printRehearsals(out, results, l)
	} else {
		for i := range results {
			fmt.Fprint(out, explain.Rehearsal(&results[i], l))
		}
	}
	if err != nil {
		return err
	}
	return rehearsed(results)
}

// troupe is the cards and scenarios that paths name.
type troupe struct {
	cards     []*scenes.Card
	scenarios []*scenes.Scenario
}

// scenarioText finds a key that every scenario has and no card.
var scenarioText = regexp.MustCompile(`(?m)^[\s{]*"?expect"?\s*:`)

// gatherTroupe reads cards, scenarios and packs. There must be some of both.
func gatherTroupe(paths []string) (t troupe, err error) {
	for _, path := range paths {
		files, err := scenes.SignedFiles(path)
		if err != nil {
			return t, err
		}
		for _, file := range files {
			if err := t.add(file); err != nil {
				return t, err
			}
		}
	}
	switch {
	case len(t.cards) == 0:
		return t, errors.New("no card is named; name a card or a pack")
	case len(t.scenarios) == 0:
		return t, errors.New("no scenario is named; name one, or write one as docs/author-a-card.md shows")
	}
	return t, nil
}

// add reads one file.
func (t *troupe) add(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	switch {
	case strings.HasSuffix(file, pack.Ext):
		p, err := scenes.OpenPack(file, text)
		if err != nil {
			return err
		}
		for _, c := range p.Cards {
			c.Off = false // the question is what it does once it is enabled
		}
		t.cards, t.scenarios = append(t.cards, p.Cards...), append(t.scenarios, p.Scenarios...)
	case scenarioText.Match(text):
		s, err := scenes.ParseScenario(filepath.Clean(file), text)
		if err != nil {
			return err
		}
		t.scenarios = append(t.scenarios, s)
	default:
		c, err := scenes.ParseCard(filepath.Clean(file), text)
		if err != nil {
			return err
		}
		t.cards = append(t.cards, c)
	}
	return nil
}

// rehearsed is the end of a command that has told scenarios.
func rehearsed(results []rehearse.Result) error {
	worst := rehearse.Passed
	for _, r := range results {
		if r.Outcome == rehearse.Failed || worst == rehearse.Passed {
			worst = r.Outcome
		}
	}
	switch worst {
	case rehearse.Failed:
		return errReported
	case rehearse.Unable:
		return errFindings
	}
	return nil
}

// printRehearsals prints results as JSON.
func printRehearsals(out io.Writer, results []rehearse.Result, l explain.Language) error {
	type result struct {
		Scenario string   `json:"scenario"`
		Title    string   `json:"title"`
		Outcome  string   `json:"outcome"`
		Text     []string `json:"text"`
	}
	list := []result{}
	for i := range results {
		r := &results[i]
		list = append(list, result{r.Scenario.File, r.Scenario.Title.In(l.Tag()), r.Outcome.String(),
			strings.Split(strings.TrimSuffix(explain.Rehearsal(r, l), "\n"), "\n")})
	}
	enc := json.NewEncoder(out)
	enc.SetIndent("", "  ")
	return enc.Encode(list)
}
