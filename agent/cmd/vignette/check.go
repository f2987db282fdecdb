package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"vignette/can/dbc"
	"vignette/scenes"
	"vignette/scenes/check"
	"vignette/scenes/engine"
)

func checks(args []string, out, errs io.Writer) error {
	fs := newFlags("check", errs, "vignette check --vehicle F [--json | --sarif] [PATH…]\n       vignette check --explain PASS", `
Checks a vehicle profile and the cards in PATH (files or directories) and says
what is wrong or most likely a mistake as file:line:col, with the pass that found
it. Exit code 1 if there are errors; 3 if there are warnings only.`,
		"vignette check --vehicle car.yaml cards/",
		"vignette check --vehicle car.yaml --sarif my-card.yaml",
		"vignette check --explain conflict")
	vehicle := fs.String("vehicle", "", "vehicle profile `FILE` (required)")
	asJSON := fs.Bool("json", false, "print the findings and what each card costs as JSON")
	asSARIF := fs.Bool("sarif", false, "print the findings as SARIF 2.1.0")
	pass := fs.String("explain", "", "print what `PASS` looks for: "+strings.Join(check.Names(), ", "))
	if err := parse(fs, args); err != nil {
		return err
	}
	if *pass != "" && (fs.NArg() > 0 || *vehicle != "" || *asJSON || *asSARIF) {
		fs.Usage()
		return errReported
	} else if *pass != "" {
		return explainPass(*pass, out)
	}
	if *vehicle == "" || *asJSON && *asSARIF {
		fs.Usage()
		return errReported
	}
	found, err := checkAll(*vehicle, fs.Args())
	switch {
	case err != nil:
		return err
	case *asJSON:
		err = printJSON(out, found)
	case *asSARIF:
		err = printSARIF(out, found.findings)
	default:
		for _, f := range found.findings {
			fmt.Fprintln(errs, f)
		}
		if worst, some := check.Worst(found.findings); !some || worst == check.Note {
			fmt.Fprintf(out, "%s and %d cards are fine\n", *vehicle, found.cards)
		}
	}
	if err != nil {
		return err
	}
	return verdict(found.findings)
}

// verdict is the end of a check: exit code 1, 3 or 0.
func verdict(list []check.Finding) error {
	switch worst, some := check.Worst(list); {
	case some && worst == check.Error:
		return errReported
	case some && worst == check.Warning:
		return errFindings
	}
	return nil
}

func explainPass(name string, out io.Writer) error {
	p, ok := check.Find(name)
	if !ok {
		return fmt.Errorf("no pass is called %q; the passes are %s", name, strings.Join(check.Names(), ", "))
	}
	fmt.Fprint(out, p.Doc())
	return nil
}

// losses is the end of a command that has notes to give: exit code 3.
func losses(notes []dbc.Diagnostic) error {
	if len(notes) > 0 {
		return errFindings
	}
	return nil
}

// checked is what a check found.
type checked struct {
	cards    int
	findings []check.Finding
	costs    []cardCost
	total    *engine.Cost // nil where cards could not be compiled
}

// cardCost is a card's certificate.
type cardCost struct {
	Card           string `json:"card"`
	StateBytes     int    `json:"state_bytes"`
	OpsPerStep     int    `json:"ops_per_step"`
	EffectsPerHour int    `json:"effects_per_hour,omitempty"` // absent: nothing bounds them
}

// checkAll loads, compiles and runs all passes.
func checkAll(vehicle string, paths []string) (c checked, err error) {
	v, err := scenes.LoadVehicle(vehicle)
	if err != nil {
		return c, c.refused(err)
	}
	for i := range v.Buses {
		for _, d := range v.Buses[i].DBCs {
			c.lost(d.Database.Diagnostics)
		}
	}
	if len(paths) == 0 {
		return c, nil
	}
	p, n, err := scenes.Check(v, paths...)
	if c.cards = n; err != nil {
		return c, c.refused(err)
	}
	c.findings = append(c.findings, check.Run(p)...)
	costs, total := p.Costs()
	for i, cost := range costs {
		c.costs = append(c.costs, cardCost{p.Cards[i].ID, cost.StateBytes, cost.OpsPerStep, cost.EffectsPerHour})
	}
	c.total = &total
	return c, nil
}

// refused takes in what scenes refuses; any other error is returned.
func (c *checked) refused(err error) error {
	list, ok := check.Refused(err)
	if !ok {
		return err
	}
	c.findings = append(c.findings, list...)
	return nil
}

// lost takes in what a DBC loses without being unusable.
func (c *checked) lost(list []dbc.Diagnostic) {
	for _, d := range list {
		c.findings = append(c.findings, check.Finding{
			Diagnostic: scenes.Diagnostic{File: d.Pos.File, Line: d.Pos.Line, Column: d.Pos.Column, What: d.What, Pass: "dbc"}, Severity: check.Warning})
	}
}

func printJSON(out io.Writer, c checked) error {
	type finding struct {
		File     string `json:"file"`
		Line     int    `json:"line"`
		Column   int    `json:"column"`
		Severity string `json:"severity"`
		Pass     string `json:"pass"`
		What     string `json:"what"`
	}
	type total struct {
		StateBytes int `json:"state_bytes"`
		OpsPerStep int `json:"ops_per_step"`
	}
	list := []finding{}
	for _, f := range c.findings {
		list = append(list, finding{f.File, f.Line, f.Column, f.Severity.String(), f.Pass, f.What})
	}
	var sum *total
	if c.total != nil {
		sum = &total{c.total.StateBytes, c.total.OpsPerStep}
	}
	enc := json.NewEncoder(out)
	enc.SetIndent("", "  ")
	return enc.Encode(struct {
		Cards    int        `json:"cards"`
		Findings []finding  `json:"findings"`
		Costs    []cardCost `json:"costs,omitempty"`
		Total    *total     `json:"total,omitempty"`
	}{c.cards, list, c.costs, sum})
}
