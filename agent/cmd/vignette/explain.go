package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"vignette/scenes"
	"vignette/scenes/explain"
)

func explainCards(args []string, out, errs io.Writer) error {
	fs := newFlags("explain", errs, "vignette explain [--lang TAG] PATH…", `
Puts cards (files or directories) into plain words, made from the cards
themselves: when, only if, then. No vehicle profile is needed.`,
		"vignette explain my-card.yaml",
		"vignette explain --lang zh cards/")
	lang := langFlag(fs)
	if err := parse(fs, args); err != nil {
		return err
	}
	if fs.NArg() == 0 {
		fs.Usage()
		return errReported
	}
	l := explain.Language(*lang)
	cards, err := scenes.LoadCards(fs.Args()...)
	if err != nil {
		return err
	}
	for i, c := range cards {
		if i > 0 {
			fmt.Fprintln(out)
		}
		fmt.Fprint(out, explain.Card(c, l))
	}
	return nil
}

func reach(args []string, out, errs io.Writer) error {
	fs := newFlags("reach", errs, "vignette reach --vehicle F [--against OLD] [--lang TAG] [--json] PATH…", `
Says what cards (files or directories) can touch in a car: every actuator and
action, with which values, in which states of the car, for how long and how
often at most, and which signals they read. With --against it says what has
changed since the older card of the same id. Exit code 3 with --against: a card
can do something that the older one could not.`,
		"vignette reach --vehicle car.yaml my-card.yaml",
		"vignette reach --vehicle car.yaml --against old/my-card.yaml my-card.yaml")
	vehicle := fs.String("vehicle", "", "vehicle profile `FILE` (required)")
	against := fs.String("against", "", "older card `FILE`, or a directory of older cards")
	lang := langFlag(fs)
	asJSON := fs.Bool("json", false, "print the reports as JSON")
	if err := parse(fs, args); err != nil {
		return err
	}
	if fs.NArg() == 0 || *vehicle == "" {
		fs.Usage()
		return errReported
	}
	l := explain.Language(*lang)
	now, err := reachOf(*vehicle, fs.Args()...)
	if err != nil {
		return err
	}
	var older []explain.Reach
	if *against != "" {
		if older, err = reachOf(*vehicle, *against); err != nil {
			return err
		}
	}
	reports, err := compared(now, older, *against)
	if err != nil {
		return err
	}
	if *asJSON {
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		err = enc.Encode(reports)
	} else {
		printReach(out, reports, l)
	}
	if err == nil && slices.ContainsFunc(reports, reachReport.wider) {
		return errFindings
	}
	return err
}

func reachOf(vehicle string, cards ...string) ([]explain.Reach, error) {
	p, err := load(vehicle, cards)
	if err != nil {
		return nil, err
	}
	return explain.ReachOf(p), nil
}

// reachReport is what a card can touch, and what differs from its older
// version where there is one.
type reachReport struct {
	explain.Reach
	Against string           `json:"against,omitempty"` // id and version of the older card
	Changes []explain.Change `json:"changes,omitempty"`

	older *explain.Reach
}

// wider reports whether the card touches anything new or otherwise.
func (r reachReport) wider() bool {
	return slices.ContainsFunc(r.Changes, func(c explain.Change) bool { return c.Wider })
}

// compared pairs cards with their older versions by id.
func compared(now, older []explain.Reach, against string) (list []reachReport, err error) {
	found := false
	for i := range now {
		r := reachReport{Reach: now[i]}
		for j := range older {
			if older[j].Card == now[i].Card {
				found = true
				r.older, r.Against = &older[j], older[j].Card+"@"+older[j].Version
				r.Changes = explain.Compare(&older[j], &now[i])
			}
		}
		list = append(list, r)
	}
	if against != "" && !found {
		var ids []string
		for i := range older {
			ids = append(ids, older[i].Card)
		}
		return nil, fmt.Errorf("%s: has no older version of a card given; its ids are %s", against, strings.Join(ids, ", "))
	}
	return list, nil
}

func printReach(out io.Writer, reports []reachReport, l explain.Language) {
	for i := range reports {
		if i > 0 {
			fmt.Fprintln(out)
		}
		r := &reports[i]
		fmt.Fprint(out, r.Text(l))
		if r.older != nil {
			fmt.Fprint(out, explain.CompareText(r.older, r.Changes, l))
		}
	}
}
