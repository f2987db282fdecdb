package main

import (
	"fmt"
	"io"

	"vignette/scenes"
	"vignette/ui-bridge/audit"
	"vignette/ui-bridge/cocreate"
	"vignette/ui-bridge/review"
)

func schema(args []string, out, errs io.Writer) error {
	fs := newFlags("schema", errs, "vignette schema card|scenario|profile|study|answer|audit|review|cocreate", `
Prints the JSON Schema of cards, scenarios, vehicle profiles, study cards, answer cards,
certificates of audits or reports, for editors that complete and check while one
types. It is made from what the program reads or writes.`,
		"vignette schema card > card.schema.json")
	if err := parse(fs, args); err != nil {
		return err
	}
	if fs.NArg() != 1 {
		fs.Usage()
		return errReported
	}
	switch fs.Arg(0) {
	case "card":
		_, err := out.Write(scenes.CardSchema())
		return err
	case "scenario":
		_, err := out.Write(scenes.ScenarioSchema())
		return err
	case "profile":
		_, err := out.Write(scenes.ProfileSchema())
		return err
	case "study":
		_, err := out.Write(scenes.StudySchema())
		return err
	case "answer":
		_, err := out.Write(scenes.AnswerSchema())
		return err
	case "audit":
		_, err := out.Write(audit.Schema())
		return err
	case "review":
		_, err := out.Write(review.Schema())
		return err
	case "cocreate":
		_, err := out.Write(cocreate.Schema())
		return err
	}
	return fmt.Errorf("no schema of %q; write card, scenario, profile, study, answer, audit, review or cocreate", fs.Arg(0))
}
