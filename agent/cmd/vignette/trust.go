package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"vignette/scenes"
	"vignette/scenes/sign"
)

func trust(args []string, out, errs io.Writer) error {
	list := []command{{name: "add", run: trustAdd}, {name: "list", run: trustList}, {name: "remove", run: trustRemove}, {name: "revoke", run: trustRevoke}}
	return oneOf(list, "trust", "A trust list names authors of packs and their keys. Whoever is not in it may be\nimported, but is marked; whoever looks like one in it is refused.", args, out, errs,
		"vignette trust add --list trust.yaml mei mei.pub",
		"vignette trust list --list trust.yaml")
}

// listOption adds the option that names the list.
const listOption = "trust list `FILE` (required)"

// loadTrust reads a trust list; one that is not there has nobody.
func loadTrust(file string) (scenes.Trust, error) {
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		return scenes.Trust{}, nil
	}
	return scenes.LoadTrust(file)
}

// publicKey reads a key that is given as its line or as a file.
func publicKey(text string) (sign.PublicKey, error) {
	if k, err := sign.ParsePublicKey([]byte(text)); err == nil {
		return k, nil
	}
	return readKey(text, sign.ParsePublicKey)
}

func trustAdd(args []string, out, errs io.Writer) error {
	fs := newFlags("trust add", errs, "vignette trust add --list FILE [--until DATE] AUTHOR KEY", `
Adds an author and his key (a file, or its line RW…) to a trust list, which is
made if it is not there. Have the key from the author, not from a pack. A handle
that looks like another in the list is refused.`,
		"vignette trust add --list trust.yaml mei mei.pub",
		"vignette trust add --list trust.yaml --until 2027-12-31 jo RWQBAgMEBQYHCA…")
	file := fs.String("list", "", listOption)
	until := fs.String("until", "", "trust until `DATE`")
	if err := parse(fs, args); err != nil {
		return err
	}
	if fs.NArg() != 2 || *file == "" {
		fs.Usage()
		return errReported
	}
	list, err := loadTrust(*file)
	if err != nil {
		return err
	}
	key, err := publicKey(fs.Arg(1))
	if err != nil {
		return err
	}
	a := scenes.TrustedAuthor{Author: fs.Arg(0), Key: key}
	if *until != "" {
		if a.Until, err = time.Parse(time.DateOnly, *until); err != nil {
			return fmt.Errorf("--until: %q is no date; write it like 2027-12-31", *until)
		}
	}
	if err := list.Fault(a); err != nil {
		return fmt.Errorf("%s: %w", *file, err)
	}
	list.Authors = append(list.Authors, a)
	if err := writeTrust(*file, list); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s: %s with key %s is trusted\n", *file, a.Author, key.ID)
	return err
}

// writeTrust writes a trust list that can be read.
func writeTrust(file string, list scenes.Trust) error {
	if len(list.Authors) == 0 {
		return os.Remove(file)
	}
	if _, err := scenes.ParseTrust(file, list.Text()); err != nil {
		return err
	}
	return writeWhole(file, list.Text())
}

func trustList(args []string, out, errs io.Writer) error {
	fs := newFlags("trust list", errs, "vignette trust list --list FILE [--json]", "Shows a trust list.", "vignette trust list --list trust.yaml")
	file := fs.String("list", "", listOption)
	asJSON := fs.Bool("json", false, "print an object an author, one a line")
	if err := parse(fs, args); err != nil {
		return err
	}
	if fs.NArg() != 0 || *file == "" {
		fs.Usage()
		return errReported
	}
	list, err := scenes.LoadTrust(*file)
	if err != nil {
		return err
	}
	for _, a := range list.Authors {
		until := ""
		if !a.Until.IsZero() {
			until = a.Until.Format(time.DateOnly)
		}
		if *asJSON {
			if err := json.NewEncoder(out).Encode(map[string]string{"author": a.Author, "key": a.Key.Line(), "until": until}); err != nil {
				return err
			}
			continue
		}
		if until != "" {
			until = " until " + until
		}
		fmt.Fprintf(out, "%s, key %s%s\n  %s\n", a.Author, a.Key.ID, until, a.Key.Line())
	}
	return nil
}

func trustRemove(args []string, out, errs io.Writer) error {
	fs := newFlags("trust remove", errs, "vignette trust remove --list FILE AUTHOR", "Takes an author, with all his keys, out of a trust list.",
		"vignette trust remove --list trust.yaml mei")
	file := fs.String("list", "", listOption)
	if err := parse(fs, args); err != nil {
		return err
	}
	if fs.NArg() != 1 || *file == "" {
		fs.Usage()
		return errReported
	}
	list, err := scenes.LoadTrust(*file)
	if err != nil {
		return err
	}
	var left scenes.Trust
	for _, a := range list.Authors {
		if a.Author != fs.Arg(0) {
			left.Authors = append(left.Authors, a)
		}
	}
	if len(left.Authors) == len(list.Authors) {
		return fmt.Errorf("%s: has no author %s", *file, fs.Arg(0))
	}
	if err := writeTrust(*file, left); err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s: %s is not trusted any more\n", *file, fs.Arg(0))
	return err
}

func trustRevoke(args []string, out, errs io.Writer) error {
	fs := newFlags("trust revoke", errs, "vignette trust revoke --list FILE [--pack ID@VERSION] [--sign SECRET] KEY", `
Calls an author's key back, with all that it has signed; with --pack a pack of
his up to that version only. The list is that of study cards that are called back
(docs/study-cards.md); its version grows, and cars take it only signed.`,
		"vignette trust revoke --list revoked.yaml --sign root.key mei.pub",
		"vignette trust revoke --list revoked.yaml --pack cool-evening@1.0.3 --sign root.key mei.pub")
	file := fs.String("list", "", "`FILE` of what is called back (required)")
	name := fs.String("pack", "", "call back `ID@VERSION` and what is older")
	secret := fs.String("sign", "", "sign the list with the secret key in `SECRET`")
	if err := parse(fs, args); err != nil {
		return err
	}
	if fs.NArg() != 1 || *file == "" {
		fs.Usage()
		return errReported
	}
	key, err := publicKey(fs.Arg(0))
	if err != nil {
		return err
	}
	if _, err := secretKey(*secret); err != nil {
		return err // before the list grows
	}
	list, err := revocations(*file)
	if err != nil {
		return err
	}
	what := "key " + key.ID.String()
	if *name == "" {
		list.Keys = append(list.Keys, key)
	} else {
		id, version, _ := strings.Cut(*name, "@")
		list.Packs = append(list.Packs, scenes.RevokedPack{ID: id, Key: key, Version: version})
		what = *name + " of " + what
	}
	list.Version++
	if _, err := scenes.ParseRevocations(*file, list.Text()); err != nil {
		return err
	}
	if err := writeWhole(*file, list.Text()); err != nil {
		return err
	}
	fmt.Fprintf(out, "%s: version %d calls back %s\n", *file, list.Version, what)
	if *secret == "" {
		return nil
	}
	return signWith(*secret, fmt.Sprintf("called back, version %d", list.Version), []string{*file}, out)
}

// revocations reads a list of what is called back; one that is not there is empty.
func revocations(file string) (scenes.Revocations, error) {
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		return scenes.Revocations{}, nil
	}
	return scenes.LoadRevocations(file, nil)
}
