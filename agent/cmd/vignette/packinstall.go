package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"vignette/scenes"
)

func packInstall(args []string, out, errs io.Writer) error {
	fs := newFlags("pack install", errs, "vignette pack install [--trust FILE]… [--revoked FILE --root FILE] PACK DIR", `
Installs a pack in a directory of installed cards, a car's (STATE/cards) or a copy
of it, by the car's own rules: nothing called back, expired, older than what was
there, by an impostor, or with the id of another's card. Its cards start disabled.
An agent that runs on the directory takes the pack by itself.
Exit code 3 if it is installed, but its author is not trusted by the lists that
were given.`,
		"vignette pack install --trust oem.yaml --trust mine.yaml cool-evening.vpack state/cards")
	w := whomFlags(fs)
	if err := parse(fs, args); err != nil {
		return err
	}
	if fs.NArg() != 2 {
		fs.Usage()
		return errReported
	}
	if err := w.read(); err != nil {
		return err
	}
	standing, err := w.install(fs.Arg(0), fs.Arg(1), out, errs)
	if err == nil && w.asked && standing != scenes.Trusted {
		return errFindings
	}
	return err
}

// observePacks is told how far an installation is; a test ends the process there.
var observePacks = func(point string) {}

// install installs a pack in a directory.
func (w *whom) install(file, dir string, out, errs io.Writer) (scenes.Standing, error) {
	p, data, err := scenes.LoadPack(file)
	if err != nil {
		return 0, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return 0, err
	}
	release, err := hold(dir)
	if err != nil {
		return 0, err
	}
	defer release()
	shelf, err := openShelf(dir, errs)
	if err != nil {
		return 0, err
	}
	shelf.Trust, shelf.Revoked, shelf.Day = w.list, w.gone, w.day
	standing, err := shelf.Admit(p)
	if err != nil {
		return standing, fmt.Errorf("%s: %w", file, err)
	}
	if err := scenes.PutPack(dir, p, data, &shelf.Ledger, observePacks); err != nil {
		return standing, err
	}
	known := "author " + standing.String()
	if !w.asked {
		known = signedBy(p)
	}
	_, err = fmt.Fprintf(out, "%s by %s (%s) is installed in %s; its cards start disabled\n", p.Manifest.Name(), p.Manifest.Author, known, dir)
	return standing, err
}

// hold keeps other runs of this program off a directory of installed cards: each
// reads the ledger and writes it anew, so of two at once one's would be lost.
func hold(dir string) (release func() error, err error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(d.Fd()), unix.LOCK_EX); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: cannot be locked: %w", dir, err), d.Close())
	}
	return d.Close, nil
}

// openShelf reads what is installed in a directory, and tells of what cannot be
// read there.
func openShelf(dir string, errs io.Writer) (*scenes.Shelf, error) {
	if err := scenes.ClearStaged(dir); err != nil {
		return nil, err
	}
	shelf, faults, err := scenes.LoadShelf(dir)
	for _, fault := range faults {
		fmt.Fprintf(errs, "%s (it installs nothing)\n", fault)
	}
	return shelf, err
}

func packRemove(args []string, out, errs io.Writer) error {
	fs := newFlags("pack remove", errs, "vignette pack remove ID DIR", `
Removes a pack from a directory of installed cards. Its highest version and its
cards' ids stay in the ledger beside it, so that nobody brings an older version or
another's card of the same id.`,
		"vignette pack remove cool-evening state/cards")
	if err := parse(fs, args); err != nil {
		return err
	}
	if fs.NArg() != 2 {
		fs.Usage()
		return errReported
	}
	id, dir := fs.Arg(0), fs.Arg(1)
	release, err := hold(dir)
	if err != nil {
		return err
	}
	defer release()
	shelf, err := openShelf(dir, errs)
	if err != nil {
		return err
	}
	for _, p := range shelf.Installed {
		if p.Manifest.ID == id {
			if err := scenes.RemoveInstalled(dir, scenes.PackFileName(id)); err != nil {
				return err
			}
			_, err := fmt.Fprintf(out, "%s is removed from %s\n", p.Manifest.Name(), dir)
			return err
		}
	}
	return fmt.Errorf("%s: no pack %s is installed", dir, id)
}
