package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"vignette/scenes"
)

func check(args []string, out, errs io.Writer) error {
	fs := newFlags("check", errs, "vignette check --vehicle F [--json] [PATH…]", `
Checks a vehicle profile and the cards in PATH (files or directories) and says
what is wrong as file:line:col. Exit code 1 if anything is.`,
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
	n, err := checkAll(*vehicle, fs.Args())
	var found scenes.Diagnostics
	if err != nil && !errors.As(err, &found) {
		return err
	}
	if *asJSON {
		return printFindings(out, found, n)
	}
	for _, d := range found {
		fmt.Fprintln(errs, d)
	}
	if len(found) > 0 {
		return errReported
	}
	fmt.Fprintf(out, "%s and %d cards are fine\n", *vehicle, n)
	return nil
}

// checkAll loads and compiles; it returns the number of cards.
func checkAll(vehicle string, paths []string) (int, error) {
	v, err := scenes.LoadVehicle(vehicle)
	if err != nil || len(paths) == 0 {
		return 0, err
	}
	cards, err := scenes.LoadCards(paths...)
	if err != nil {
		return 0, err
	}
	_, err = scenes.Compile(v, cards)
	return len(cards), err
}

func printFindings(out io.Writer, found scenes.Diagnostics, cards int) error {
	type finding struct {
		File   string `json:"file"`
		Line   int    `json:"line"`
		Column int    `json:"column"`
		What   string `json:"what"`
	}
	list := []finding{}
	for _, d := range found {
		list = append(list, finding{d.File, d.Line, d.Column, d.What})
	}
	enc := json.NewEncoder(out)
	enc.SetIndent("", "  ")
	err := enc.Encode(struct {
		Cards    int       `json:"cards"`
		Findings []finding `json:"findings"`
	}{cards, list})
	if err == nil && len(found) > 0 {
		return errReported
	}
	return err
}
