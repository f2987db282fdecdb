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

// signable is a kind of signed card: study cards and answer cards.
type signable struct {
	word    string // study
	what    string // says what such cards are for, a sentence
	example string // a file
	explain string // says what explain does
	load    func(paths []string) ([]scenes.Signable, error)
	signed  func(path string, keys []sign.PublicKey) (scenes.Signable, error)
	words   func(c scenes.Signable, l explain.Language) string
	revoked func(l scenes.Revocations, c scenes.Signable) bool
	// registry holds cards against the registry of elements in a file; nil: they have none.
	registry func(file string, list []scenes.Signable) (scenes.Diagnostics, error)
	more     *command // nil: none beside check, sign, verify and explain
}

var studyCards = signable{
	word:    "study",
	what:    "Study cards say what may be recorded to answer a designer's question.",
	example: "demo.yaml",
	explain: "for the driver who is\nasked: what is recorded, why, until when, and what could be learnt",
	load: func(paths []string) ([]scenes.Signable, error) {
		list, err := scenes.LoadStudies(paths, scenes.LoadStudy)
		return signables(list), err
	},
	signed: func(path string, keys []sign.PublicKey) (scenes.Signable, error) {
		return scenes.LoadSignedStudy(path, keys)
	},
	words:    func(c scenes.Signable, l explain.Language) string { return explain.Study(c.(*scenes.Study), l) },
	revoked:  func(l scenes.Revocations, c scenes.Signable) bool { return l.Has(c.(*scenes.Study)) },
	registry: registered,
	more:     &command{name: "dictionary", run: studyDictionary},
}

var answerCards = signable{
	word:    "answer",
	what:    "Answer cards tell drivers what a study that they took part in has led to.",
	example: "found.yaml",
	explain: "for the driver who\ntook part: what was found, and what was changed for it",
	load: func(paths []string) ([]scenes.Signable, error) {
		list, err := scenes.LoadAnswers(paths, scenes.LoadAnswer)
		return signables(list), err
	},
	signed: func(path string, keys []sign.PublicKey) (scenes.Signable, error) {
		return scenes.LoadSignedAnswer(path, keys)
	},
	words:   func(c scenes.Signable, l explain.Language) string { return explain.Answer(c.(*scenes.Answer), l) },
	revoked: func(l scenes.Revocations, c scenes.Signable) bool { return l.HasAnswer(c.(*scenes.Answer)) },
	more:    &command{name: "pending", run: answersPending},
}

// registered is what studies have otherwise than the registry in a file.
func registered(file string, list []scenes.Signable) (ds scenes.Diagnostics, err error) {
	g, err := scenes.LoadRegistry(file)
	if err != nil {
		return nil, err
	}
	for _, c := range list {
		ds = append(ds, c.(*scenes.Study).Registered(g)...)
	}
	return ds, nil
}

// signables are cards of one kind as cards of any.
func signables[C scenes.Signable](list []C) []scenes.Signable {
	out := make([]scenes.Signable, len(list))
	for i, c := range list {
		out[i] = c
	}
	return out
}

func studies(args []string, out, errs io.Writer) error { return studyCards.run(args, out, errs) }

func answers(args []string, out, errs io.Writer) error { return answerCards.run(args, out, errs) }

// commands are those about a kind of card.
func (k *signable) commands() []command {
	list := []command{{name: "check", run: k.check}, {name: "sign", run: k.sign}, {name: "verify", run: k.verify}, {name: "explain", run: k.explains}}
	if k.more != nil {
		list = append(list, *k.more)
	}
	return list
}

// run runs one of the commands about a kind of card.
func (k *signable) run(args []string, out, errs io.Writer) error {
	command := "vignette " + k.word
	return oneOf(k.commands(), k.word, k.what, args, out, errs,
		command+" check "+k.example,
		command+" sign --key study-root.key "+k.example,
		command+" verify --trust study-root.pub "+k.example,
		command+" explain --lang zh "+k.example)
}

func (k *signable) check(args []string, out, errs io.Writer) error {
	command := k.word + " check"
	fs := newFlags(command, errs, "vignette "+command+" [--json] PATH…", "\nChecks "+k.word+` cards (files or directories) and says what is wrong or most likely
a mistake as file:line:col. Exit code 1 if there are errors; 3 if there are
warnings only.`,
		"vignette "+command+" cards/",
		"vignette "+command+" --json "+k.example)
	asJSON := fs.Bool("json", false, "print the findings as JSON")
	elements := ""
	if k.registry != nil {
		fs.StringVar(&elements, "elements", "", "warn about ids that the registry of elements in `FILE` does not have, or has for something else")
	}
	if err := parse(fs, args); err != nil {
		return err
	}
	if fs.NArg() == 0 {
		fs.Usage()
		return errReported
	}
	list, err := k.load(fs.Args())
	var wrong, warnings scenes.Diagnostics
	if err != nil && !errors.As(err, &wrong) {
		return err
	}
	for _, c := range list {
		warnings = append(warnings, c.Warnings()...)
	}
	if elements != "" {
		others, failed := k.registry(elements, list)
		if failed != nil {
			return failed
		}
		warnings = append(warnings, others...)
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
		fmt.Fprintf(out, "%d %s cards are fine\n", len(list), k.word)
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

// name is what a card is called: study demo, version 1.
func (k *signable) name(c scenes.Signable) string {
	return fmt.Sprintf("%s %s, version %d", k.word, c.Card().ID, c.Card().Version)
}

func (k *signable) sign(args []string, out, errs io.Writer) error {
	command := "vignette " + k.word + " sign"
	fs := newFlags(k.word+" sign", errs, command+" --key FILE CARD…", "\nChecks "+k.word+` cards and signs them: the signature of FILE is FILE.minisig, and its
trusted comment names the card and its version. The key is that of studies and
answers, which cars hold apart from that of vehicle profiles; vignette sign
--generate makes one.`,
		"vignette sign --generate study-root",
		command+" --key study-root.key "+k.example)
	key := fs.String("key", "", "sign with the secret key in `FILE` (required)")
	if err := parse(fs, args); err != nil {
		return err
	}
	if fs.NArg() == 0 || *key == "" {
		fs.Usage()
		return errReported
	}
	for _, file := range fs.Args() {
		list, err := k.load([]string{file})
		if err != nil {
			return err
		}
		for _, c := range list {
			if err := signWith(*key, k.name(c), []string{c.Card().File}, out); err != nil {
				return err
			}
		}
	}
	return nil
}

func (k *signable) verify(args []string, out, errs io.Writer) error {
	command := "vignette " + k.word + " verify"
	fs := newFlags(k.word+" verify", errs, command+" --trust FILE [--revoked FILE] CARD…", "\nChecks the signatures of "+k.word+` cards, and the cards, as the car does. With
--revoked the signed list of cards that are called back is checked too.`,
		command+" --trust study-root.pub "+k.example,
		command+" --trust study-root.pub --revoked revoked.yaml "+k.example)
	trust := fs.String("trust", "", "check with the public key in `FILE` (required)")
	revoked := fs.String("revoked", "", "signed `FILE` of the cards that are called back")
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
		c, err := k.signed(file, keys)
		if err != nil {
			return err
		}
		if k.revoked(gone, c) {
			return fmt.Errorf("%s: %s, is called back by %s", file, k.name(c), *revoked)
		}
		fmt.Fprintf(out, "%s: %s, signed with key %s\n", file, k.name(c), key.ID)
	}
	return nil
}

func (k *signable) explains(args []string, out, errs io.Writer) error {
	command := "vignette " + k.word + " explain"
	fs := newFlags(k.word+" explain", errs, command+" [--lang TAG] PATH…", "\nPuts "+k.word+" cards (files or directories) into plain words "+k.explain+".",
		command+" "+k.example,
		command+" --lang zh cards/")
	lang := langFlag(fs)
	if err := parse(fs, args); err != nil {
		return err
	}
	if fs.NArg() == 0 {
		fs.Usage()
		return errReported
	}
	l := explain.Language(*lang)
	list, err := k.load(fs.Args())
	if err != nil {
		return err
	}
	for i, c := range list {
		if i > 0 {
			fmt.Fprintln(out)
		}
		fmt.Fprint(out, k.words(c, l))
	}
	return nil
}
