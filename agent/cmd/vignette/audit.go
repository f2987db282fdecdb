package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"vignette/scenes/sign"
	"vignette/ui-bridge/audit"
)

func audits(args []string, out, errs io.Writer) error {
	if len(args) > 0 && args[0] == "verify" {
		return auditVerify(args[1:], out, errs)
	}
	fs := newFlags("audit", errs, "vignette audit [options] DIR…\n       vignette audit verify --trust FILE [--dataset DIR] CERTIFICATE", `
Runs the attacks of docs/study-cards.md against a dataset: a directory with
study.yaml and segments/, as a server has it. Directories with the same study card
are one dataset; those with others are attacked each, and vehicles are linked from
one to the other too. DIR/truth.jsonl, which simulated fleets have, says whose each
episode is; attacks that need it are not run without, and what was not run has not
passed. Exit code 0 if every attack was run and met its mark, 3 if not.
docs/audit.md says what each figure means.`,
		"vignette audit fleet/",
		"vignette audit --trust study-root.pub --out audit.json --key auditor.key --page audit.html fleet/",
		"vignette audit spring/ summer/",
		"vignette audit verify --trust auditor.pub --dataset fleet/ audit.json")
	truth := fs.String("truth", "", "ground truth `FILE` of a single DIR (DIR/truth.jsonl if it is there)")
	trust := fs.String("trust", "", "check the study cards' signatures, study.yaml.minisig, with the public key in `FILE`")
	seed := fs.Uint64("seed", 1, "draw samples by this `NUMBER`")
	var canaries listFlag
	fs.Var(&canaries, "canary", "`TEXT` of 4 bytes or more that was pushed through the recorders; may be given again")
	certificate := fs.String("out", "", "write the certificate to `FILE`, in JSON")
	key := fs.String("key", "", "sign it with the secret key in `FILE`: FILE.minisig of --out")
	page := fs.String("page", "", "write a page for people to `FILE`, in HTML")
	asJSON := fs.Bool("json", false, "print the certificate instead of a table")
	if err := parse(fs, args); err != nil {
		return err
	}
	if fs.NArg() == 0 || *key != "" && *certificate == "" {
		fs.Usage()
		return errReported
	}
	if err := apart(*certificate, *page, *key, *truth, *trust); err != nil {
		return err
	}
	if err := apart(*page, *key, *truth, *trust); err != nil {
		return err
	}
	for _, dir := range fs.Args() {
		if err := errors.Join(outside(dir, *certificate), outside(dir, *page)); err != nil {
			return err
		}
	}
	var keys []sign.PublicKey
	if *trust != "" {
		k, err := readKey(*trust, sign.ParsePublicKey)
		if err != nil {
			return err
		}
		keys = append(keys, k)
	}
	secret, err := secretKey(*key)
	if err != nil {
		return err
	}
	o := audit.Options{Seed: *seed, Canaries: canaries}
	if isTerminal(errs) {
		o.Progress = func(name string) { fmt.Fprintf(errs, "\raudit: %s\x1b[K", name) }
		defer fmt.Fprint(errs, "\r\x1b[K")
	}
	list, err := audit.Load(fs.Args(), *truth, keys)
	if err != nil {
		return err
	}
	c, err := audit.Run(list, o, time.Now())
	if err != nil {
		return err
	}
	w := auditWriter{c: c, out: *certificate, key: secret, page: *page}
	if err := w.write(); err != nil {
		return err
	}
	if err := w.print(out, *asJSON); err != nil {
		return err
	}
	if w.c.Verdict != audit.Pass {
		return errFindings
	}
	return nil
}

// outside refuses a result within the dataset, whose hash it would change.
func outside(dir, file string) error {
	if file == "" {
		return nil
	}
	from, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	to, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	if strings.HasPrefix(to, from+string(filepath.Separator)) {
		return fmt.Errorf("%s: lies within the dataset, which a certificate must not change; write it elsewhere", file)
	}
	return nil
}

// auditWriter writes what comes out of an audit.
type auditWriter struct {
	c         *audit.Certificate
	out, page string
	key       *sign.SecretKey // nil: the certificate is not signed
}

func (w auditWriter) write() error {
	text, err := w.c.JSON()
	if err == nil && w.out != "" {
		err = writeWhole(w.out, text)
	}
	if err != nil {
		return err
	}
	if w.key != nil {
		sig, err := w.c.Sign(text, *w.key)
		if err == nil {
			err = writeWhole(w.out+".minisig", sig)
		}
		if err != nil {
			return err
		}
	}
	if w.page == "" {
		return nil
	}
	return toFile(w.page, func(out io.Writer) error { return audit.Page(out, w.c) })
}

func (w auditWriter) print(out io.Writer, asJSON bool) error {
	if !asJSON {
		return audit.Table(out, w.c)
	}
	text, err := w.c.JSON()
	if err == nil {
		_, err = out.Write(text)
	}
	return err
}

func auditVerify(args []string, out, errs io.Writer) error {
	fs := newFlags("audit verify", errs, "vignette audit verify --trust FILE [--dataset DIR] CERTIFICATE", `
Checks a certificate's signature, CERTIFICATE.minisig, and that its verdict follows
from its figures; with --dataset also that it is of that dataset. Exit code 0 if
the certificate holds and its verdict is pass, 3 if it holds and says otherwise.`,
		"vignette audit verify --trust auditor.pub audit.json",
		"vignette audit verify --trust auditor.pub --dataset fleet/ audit.json")
	trust := fs.String("trust", "", "check with the public key in `FILE` (required)")
	var datasets listFlag
	fs.Var(&datasets, "dataset", "hold it against the dataset in `DIR`; of several, give each")
	if err := parse(fs, args); err != nil {
		return err
	}
	if fs.NArg() != 1 || *trust == "" {
		fs.Usage()
		return errReported
	}
	file := fs.Arg(0)
	key, err := readKey(*trust, sign.ParsePublicKey)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	sig, err := os.ReadFile(file + ".minisig")
	if err != nil {
		return err
	}
	c, err := audit.Verify(text, sig, []sign.PublicKey{key})
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if len(datasets) > 0 {
		if err := c.Is(datasets); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	fmt.Fprintf(out, "%s: %s, %s, signed with key %s\n", file, c.Verdict, c.Studies(), key.ID)
	if c.Verdict != audit.Pass {
		return errFindings
	}
	return nil
}
