package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"vignette/can/dbc"
	"vignette/scenes"
)

func check(args []string, out, errs io.Writer) error {
	fs := newFlags("check", errs, "vignette check --vehicle F [--json] [PATH…]", `
Checks a vehicle profile and the cards in PATH (files or directories) and says
what is wrong as file:line:col. Exit code 1 if anything is; 3 if all is usable
but a DBC has definitions that could not be used.`,
		"vignette check --vehicle car.yaml cards/",
		"vignette check --vehicle car.yaml --json my-card.yaml")
	vehicle := fs.String("vehicle", "", "vehicle profile `FILE` (required)")
	asJSON := fs.Bool("json", false, "print the findings as JSON")
	if err := parse(fs, args); err != nil {
		return err
	}
	if *vehicle == "" {
		fs.Usage()
		return errReported
	}
	n, notes, err := checkAll(*vehicle, fs.Args())
	var found scenes.Diagnostics
	if err != nil && !errors.As(err, &found) {
		return err
	}
	if *asJSON {
		return printFindings(out, found, notes, n)
	}
	for _, note := range notes {
		fmt.Fprintln(errs, "note:", note)
	}
	for _, d := range found {
		fmt.Fprintln(errs, d)
	}
	if len(found) > 0 {
		return errReported
	}
	fmt.Fprintf(out, "%s and %d cards are fine\n", *vehicle, n)
	return losses(notes)
}

// losses is the end of a command that has notes to give: exit code 3.
func losses(notes []dbc.Diagnostic) error {
	if len(notes) > 0 {
		return errFindings
	}
	return nil
}

// checkAll loads and compiles; it returns the number of cards, and what the
// profile's DBCs lose without being unusable.
func checkAll(vehicle string, paths []string) (n int, notes []dbc.Diagnostic, err error) {
	v, err := scenes.LoadVehicle(vehicle)
	if err != nil {
		return 0, nil, err
	}
	for i := range v.Buses {
		for _, d := range v.Buses[i].DBCs {
			notes = append(notes, d.Database.Diagnostics...)
		}
	}
	if len(paths) == 0 {
		return 0, notes, nil
	}
	n, err = scenes.Check(v, paths...)
	return n, notes, err
}

func printFindings(out io.Writer, found scenes.Diagnostics, notes []dbc.Diagnostic, cards int) error {
	type finding struct {
		File   string `json:"file"`
		Line   int    `json:"line"`
		Column int    `json:"column"`
		What   string `json:"what"`
	}
	list, lost := []finding{}, []finding{}
	for _, n := range notes {
		lost = append(lost, finding{n.Pos.File, n.Pos.Line, n.Pos.Column, n.What})
	}
	for _, d := range found {
		list = append(list, finding{d.File, d.Line, d.Column, d.What})
	}
	enc := json.NewEncoder(out)
	enc.SetIndent("", "  ")
	err := enc.Encode(struct {
		Cards    int       `json:"cards"`
		Findings []finding `json:"findings"`
		Losses   []finding `json:"losses"` // of DBCs that are usable all the same
	}{cards, list, lost})
	switch {
	case err != nil:
		return err
	case len(found) > 0:
		return errReported
	}
	return losses(notes)
}
