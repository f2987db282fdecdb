package agent

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// staged ends the name of a card that is being installed: it is no card yet.
const staged = ".new"

// clearStaged removes what an installation that was cut short has left.
func (d *deck) clearStaged() error {
	dir := d.config.installed()
	if dir == "" {
		return nil
	}
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), staged) {
			err = errors.Join(err, os.Remove(filepath.Join(dir, e.Name())))
		}
	}
	return err
}

// The methods of uibridge.Deck.

// Problems is what is wrong with files that are not taken.
func (a *agent) Problems() []string { return a.deck.Problems() }
