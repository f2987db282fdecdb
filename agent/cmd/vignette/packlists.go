package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"vignette/scenes"
	"vignette/scenes/pack"
	"vignette/scenes/sign"
)

// whom are the lists by which packs are judged.
type whom struct {
	trust         listFlag
	revoked, root *string

	list    scenes.Trust
	gone    scenes.Revocations
	asked   bool // a trust list was given
	day     time.Time
	dayText *string
}

// whomFlags adds the options that name the lists.
func whomFlags(fs *flag.FlagSet) *whom {
	w := &whom{}
	fs.Var(&w.trust, "trust", "trust list `FILE`, may be given several times: the manufacturer's, the driver's")
	w.revoked = fs.String("revoked", "", "signed `FILE` of what is called back")
	w.root = fs.String("root", "", "public key in `FILE` that signs the list of what is called back")
	w.dayText = fs.String("day", "", "judge as of `DATE`, such as 2026-12-31; default today")
	return w
}

// read reads the lists.
func (w *whom) read() (err error) {
	w.day = time.Now().UTC().Truncate(24 * time.Hour)
	if *w.dayText != "" {
		if w.day, err = time.Parse(time.DateOnly, *w.dayText); err != nil {
			return fmt.Errorf("--day: %q is no date; write it like 2026-12-31", *w.dayText)
		}
	}
	for _, file := range w.trust {
		list, err := scenes.LoadTrust(file)
		if err != nil {
			return err
		}
		w.list, w.asked = w.list.With(list), true
	}
	if (*w.revoked == "") != (*w.root == "") {
		return errors.New("--revoked and --root go together: a list of what is called back counts only if it is signed")
	}
	if *w.revoked == "" {
		return nil
	}
	key, err := readKey(*w.root, sign.ParsePublicKey)
	if err != nil {
		return err
	}
	w.gone, err = scenes.LoadRevocations(*w.revoked, []sign.PublicKey{key})
	return err
}

// judge tells what is known of who made a pack; it is an error if the lists
// forbid it.
func (w *whom) judge(file string, p *scenes.Pack) (scenes.Standing, error) {
	shelf := scenes.Shelf{Trust: w.list, Revoked: w.gone, Day: w.day}
	standing, err := shelf.Admit(p)
	if err != nil {
		return standing, fmt.Errorf("%s: %w", file, err)
	}
	return standing, nil
}

// packFiles lists packs, and those in directories, by name.
func packFiles(paths []string) (files []string, err error) {
	for _, path := range paths {
		entries, err := os.ReadDir(path)
		if err != nil {
			files = append(files, path)
			continue
		}
		before := len(files)
		for _, e := range entries {
			if strings.HasSuffix(e.Name(), pack.Ext) && !e.IsDir() {
				files = append(files, filepath.Join(path, e.Name()))
			}
		}
		if len(files) == before {
			return nil, fmt.Errorf("%s: has no packs (*%s)", path, pack.Ext)
		}
	}
	return files, nil
}

// eachPack opens packs one after the other, judges them and hands them on. Those
// that are refused are told of at the end.
func (w *whom) eachPack(paths []string, errs io.Writer, each func(file string, p *scenes.Pack, of scenes.Standing) error) error {
	if err := w.read(); err != nil {
		return err
	}
	files, err := packFiles(paths)
	if err != nil {
		return err
	}
	refused := 0
	for _, file := range files {
		p, _, err := scenes.LoadPack(file)
		var of scenes.Standing
		if err == nil {
			of, err = w.judge(file, p)
		}
		if err != nil {
			fmt.Fprintln(errs, err)
			refused++
			continue
		}
		if err := each(file, p, of); err != nil {
			return err
		}
	}
	if refused > 0 {
		return errReported
	}
	return nil
}
