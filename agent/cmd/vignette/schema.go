package main

import (
	"fmt"
	"io"
	"strings"

	"vignette/scenes"
	"vignette/ui-bridge/audit"
	"vignette/ui-bridge/cocreate"
	"vignette/ui-bridge/review"
)

// schemas are the published ones, by name.
var schemas = []struct {
	name string
	make func() []byte
}{
	{"card", scenes.CardSchema},
	{"scenario", scenes.ScenarioSchema},
	{"pack", scenes.PackSchema},
	{"pack-source", scenes.PackSourceSchema},
	{"trust", scenes.TrustSchema},
	{"profile", scenes.ProfileSchema},
	{"study", scenes.StudySchema},
	{"answer", scenes.AnswerSchema},
	{"revocations", scenes.RevocationsSchema},
	{"audit", audit.Schema},
	{"review", review.Schema},
	{"cocreate", cocreate.Schema},
}

func schema(args []string, out, errs io.Writer) error {
	var names []string
	for _, s := range schemas {
		names = append(names, s.name)
	}
	fs := newFlags("schema", errs, "vignette schema "+strings.Join(names, "|"), `
Prints the JSON Schema of cards, scenarios, manifests and sources of packs, trust
lists, vehicle profiles, study cards, answer cards, lists of what is called back,
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
	for _, s := range schemas {
		if s.name == fs.Arg(0) {
			_, err := out.Write(s.make())
			return err
		}
	}
	last := len(names) - 1
	return fmt.Errorf("no schema of %q; write %s or %s", fs.Arg(0), strings.Join(names[:last], ", "), names[last])
}
