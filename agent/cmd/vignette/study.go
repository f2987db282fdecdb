package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"vignette/scenes"
	"vignette/scenes/explain"
	"vignette/scenes/sign"
)

// studyCommands are what vignette study can do.
var studyCommands = []command{
	{"check", "check study cards", studyCheck},
	{"sign", "check study cards and sign them", studySign},
	{"verify", "check the signatures of study cards", studyVerify},
	{"dictionary", "make a dictionary of what a panel recorded", studyDictionary},
	{"explain", "put study cards into plain words for drivers", studyExplain},
}

func studies(args []string, out, errs io.Writer) error {
	if len(args) > 0 {
		for _, c := range studyCommands {
			if c.name == args[0] {
				return c.run(args[1:], out, errs)
			}
		}
	}
	fs := newFlags("study", errs, "vignette study check|sign|verify|dictionary|explain [options] FILE…", `
Study cards say what may be recorded to answer a designer's question. Each
command explains itself with --help.`,
		"vignette study check demo.yaml",
		"vignette study sign --key study-root.key demo.yaml",
		"vignette study verify --trust study-root.pub demo.yaml",
		"vignette study dictionary --study panel.yaml segments/",
		"vignette study explain --lang zh demo.yaml")
	if err := parse(fs, args); err != nil {
		return err
	}
	fs.Usage()
	return errReported
}

func studyCheck(args []string, out, errs io.Writer) error {
	fs := newFlags("study check", errs, "vignette study check [--json] PATH…", `
Checks study cards (files or directories) and says what is wrong or most likely
a mistake as file:line:col. Exit code 1 if there are errors; 3 if there are
warnings only.`,
		"vignette study check studies/",
		"vignette study check --json demo.yaml")
	asJSON := fs.Bool("json", false, "print the findings as JSON")
	if err := parse(fs, args); err != nil {
		return err
	}
	if fs.NArg() == 0 {
		fs.Usage()
		return errReported
	}
	list, err := scenes.LoadStudies(fs.Args(), scenes.LoadStudy)
	var wrong, warnings scenes.Diagnostics
	if err != nil && !errors.As(err, &wrong) {
		return err
	}
	for _, s := range list {
		warnings = append(warnings, s.Warnings()...)
	}
	if *asJSON {
		if err := printStudyFindings(out, wrong, warnings); err != nil {
			return err
		}
	} else if err != nil {
		return err
	}
	for _, w := range warnings {
		if !*asJSON {
			fmt.Fprintf(errs, "%s (warning: %s)\n", w, w.Pass)
		}
	}
	switch {
	case wrong != nil:
		return errReported
	case warnings != nil:
		return errFindings
	case !*asJSON:
		fmt.Fprintf(out, "%d study cards are fine\n", len(list))
	}
	return nil
}

// printStudyFindings prints findings as vignette check --json does.
func printStudyFindings(out io.Writer, wrong, warnings scenes.Diagnostics) error {
	type finding struct {
		scenes.Diagnostic
		Severity string `json:"severity"`
	}
	list := []finding{}
	for _, d := range wrong {
		list = append(list, finding{d, "error"})
	}
	for _, d := range warnings {
		list = append(list, finding{d, "warning"})
	}
	enc := json.NewEncoder(out)
	enc.SetIndent("", "  ")
	return enc.Encode(map[string]any{"findings": list})
}

func studySign(args []string, out, errs io.Writer) error {
	fs := newFlags("study sign", errs, "vignette study sign --key FILE STUDY…", `
Checks study cards and signs them: the signature of FILE is FILE.minisig, and its
trusted comment names the study and its version. The key is that of studies,
which cars hold apart from that of vehicle profiles; vignette sign --generate
makes one.`,
		"vignette sign --generate study-root",
		"vignette study sign --key study-root.key demo.yaml")
	key := fs.String("key", "", "sign with the secret key in `FILE` (required)")
	if err := parse(fs, args); err != nil {
		return err
	}
	if fs.NArg() == 0 || *key == "" {
		fs.Usage()
		return errReported
	}
	for _, file := range fs.Args() {
		s, err := scenes.LoadStudy(file)
		if err != nil {
			return err
		}
		if err := signWith(*key, fmt.Sprintf("study %s, version %d", s.ID, s.Version), []string{file}, out); err != nil {
			return err
		}
	}
	return nil
}

func studyVerify(args []string, out, errs io.Writer) error {
	fs := newFlags("study verify", errs, "vignette study verify --trust FILE [--revoked FILE] STUDY…", `
Checks the signatures of study cards, and the cards, as the car does. With
--revoked the signed list of studies that are called back is checked too.`,
		"vignette study verify --trust study-root.pub demo.yaml",
		"vignette study verify --trust study-root.pub --revoked revoked.yaml demo.yaml")
	trust := fs.String("trust", "", "check with the public key in `FILE` (required)")
	revoked := fs.String("revoked", "", "signed `FILE` of the studies that are called back")
	if err := parse(fs, args); err != nil {
		return err
	}
	if fs.NArg() == 0 || *trust == "" {
		fs.Usage()
		return errReported
	}
	key, err := readKey(*trust, sign.ParsePublicKey)
	if err != nil {
		return err
	}
	keys := []sign.PublicKey{key}
	var gone scenes.Revocations
	if *revoked != "" {
		if gone, err = scenes.LoadRevocations(*revoked, keys); err != nil {
			return err
		}
	}
	for _, file := range fs.Args() {
		s, err := scenes.LoadSignedStudy(file, keys)
		if err != nil {
			return err
		}
		if gone.Has(s) {
			return fmt.Errorf("%s: study %s, version %d, is called back by %s", file, s.ID, s.Version, *revoked)
		}
		fmt.Fprintf(out, "%s: study %s, version %d, signed with key %s\n", file, s.ID, s.Version, key.ID)
	}
	return nil
}

func studyExplain(args []string, out, errs io.Writer) error {
	fs := newFlags("study explain", errs, "vignette study explain [--lang TAG] PATH…", `
Puts study cards (files or directories) into plain words for the driver who is
asked: what is recorded, why, until when, and what could be learnt.`,
		"vignette study explain demo.yaml",
		"vignette study explain --lang zh studies/")
	lang := fs.String("lang", "en", "`TAG` of the language, en or zh")
	if err := parse(fs, args); err != nil {
		return err
	}
	if fs.NArg() == 0 {
		fs.Usage()
		return errReported
	}
	l, err := explain.ParseLanguage(*lang)
	if err != nil {
		return err
	}
	list, err := scenes.LoadStudies(fs.Args(), scenes.LoadStudy)
	if err != nil {
		return err
	}
	for i, s := range list {
		if i > 0 {
			fmt.Fprintln(out)
		}
		fmt.Fprint(out, explain.Study(s, l))
	}
	return nil
}
