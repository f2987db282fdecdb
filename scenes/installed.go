package scenes

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"vignette/scenes/pack"
)

// A directory of installed cards holds cards as files of their own, packs as
// their one file each, and the ledger of packs.

// LedgerName is the name of the ledger's file, beside the packs.
const LedgerName = "packs.ledger"

// staged ends the name of a file that is being installed: it is none yet.
const staged = ".new"

// PackFileName is the name of the file that a pack is installed in.
func PackFileName(id string) string { return id + pack.Ext }

// PutInstalled writes a file of a directory of installed cards: staged and
// synced, then under its name, so that a kill or a power loss at any point leaves
// the old file or the new one. observe is told how far it is: begin, staged,
// renamed, synced; a test ends the process there.
func PutInstalled(dir, name string, text []byte, observe func(point string)) error {
	if err := errors.Join(os.MkdirAll(dir, 0o700), syncDir(filepath.Dir(dir))); err != nil {
		return err
	}
	observe("begin")
	err := inside(dir, func(root *os.Root) error {
		f, err := root.OpenFile(name+staged, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
		if err != nil {
			return err
		}
		_, err = f.Write(text)
		if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
			return errors.Join(err, root.Remove(name+staged))
		}
		observe("staged")
		return root.Rename(name+staged, name)
	})
	if err != nil {
		return err
	}
	observe("renamed")
	defer observe("synced")
	return syncDir(dir)
}

// RemoveInstalled removes a file of a directory of installed cards.
func RemoveInstalled(dir, name string) error {
	err := inside(dir, func(root *os.Root) error { return root.Remove(name) })
	return errors.Join(err, syncDir(dir))
}

// ClearStaged removes what installations that were cut short have left; a
// directory that is not there has nothing.
func ClearStaged(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), staged) {
			err = errors.Join(err, RemoveInstalled(dir, e.Name()))
		}
	}
	return err
}

// inside does something in a directory and nowhere else.
func inside(dir string, do func(*os.Root) error) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	return errors.Join(do(root), root.Close())
}

// syncDir brings a directory's names to the disk.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// PutPack installs a pack that Shelf.Admit has let in: its name and cards go into
// the ledger first, then its file is replaced. observe is as PutInstalled's, with
// "noted" between the two.
func PutPack(dir string, p *Pack, data []byte, ledger *Ledger, observe func(point string)) error {
	if ledger.Note(p) {
		if err := PutInstalled(dir, LedgerName, ledger.Text(), observe); err != nil {
			return err
		}
	}
	observe("noted")
	return PutInstalled(dir, PackFileName(p.Manifest.ID), data, observe)
}

// LoadLedger reads the ledger of a directory of installed cards, which is empty
// where there is none yet.
func LoadLedger(dir string) (Ledger, error) {
	path := filepath.Join(dir, LedgerName)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return Ledger{}, nil
	}
	text, err := load(path, maxLedgerBytes)
	if err != nil {
		return Ledger{}, err
	}
	return ParseLedger(path, text)
}

// LoadPack reads a pack from a file. Errors are those of OpenPack.
func LoadPack(path string) (*Pack, []byte, error) {
	data, err := load(path, pack.MaxBytes)
	if err != nil {
		return nil, nil, err
	}
	p, err := OpenPack(path, data)
	return p, data, err
}

// LoadShelf reads what is installed in a directory, which need not be there yet:
// packs, cards that are files of their own, and the ledger. faults tell of files
// that cannot be read, which install nothing; err says that the ledger cannot.
func LoadShelf(dir string) (s *Shelf, faults []error, err error) {
	s = &Shelf{Cards: map[string]string{}}
	if s.Ledger, err = LoadLedger(dir); err != nil {
		return nil, nil, err
	}
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil, nil
	}
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		switch {
		case strings.HasSuffix(path, pack.Ext):
			p, _, err := LoadPack(path)
			if err == nil && PackFileName(p.Manifest.ID) != e.Name() {
				err = fmt.Errorf("%s: holds the pack %s, whose file is called %s; rename it", path, p.Manifest.Name(), PackFileName(p.Manifest.ID))
			}
			if err != nil {
				faults = append(faults, err)
				continue
			}
			s.Installed = append(s.Installed, p)
		case IsCardFile(path) && !e.IsDir():
			cards, err := LoadCards(path)
			if err != nil {
				faults = append(faults, err)
				continue
			}
			s.Cards[cards[0].ID] = path
		}
	}
	return s, faults, err
}
