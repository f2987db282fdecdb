package trace

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// usable checks, without writing, that dir is a directory in which files can be
// made, or that it can be created in its parent.
func usable(dir string) error {
	if dir == "" {
		return errors.New("no directory given")
	}
	info, err := os.Stat(dir)
	switch {
	case err == nil && !info.IsDir():
		return errors.New("is a file; name a directory")
	case err == nil:
		return explainAccess("it", dir)
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	parent := filepath.Dir(filepath.Clean(dir))
	info, err = os.Stat(parent)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("its parent %s does not exist; create it first", parent)
	case err != nil:
		return err
	case !info.IsDir():
		return fmt.Errorf("its parent %s is a file", parent)
	}
	return explainAccess("its parent", parent)
}

func explainAccess(what, dir string) error {
	if err := writable(dir); err != nil {
		return fmt.Errorf("%s is not writable (%w); give the agent's user the right to write there", what, err)
	}
	return nil
}

// makeDir creates a directory and makes its name durable; one that is there is
// no error.
func makeDir(dir string) error {
	err := os.Mkdir(dir, 0o700)
	if errors.Is(err, fs.ErrExist) {
		return nil
	} else if err != nil {
		return err
	}
	return syncDir(filepath.Dir(filepath.Clean(dir)))
}

// replace puts a file in place of one that may be there, so that after power
// loss at any moment it is the old one or the new one.
func replace(path string, text []byte) error {
	if err := writeSynced(path+newSuffix, text); err != nil {
		return err
	}
	if err := os.Rename(path+newSuffix, path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// newSuffix ends the name of a file that is not in its place yet.
const newSuffix = ".new"

// clearStaged removes files that a kill or power loss has kept from their places.
// What the disk refuses stays: nobody reads it, and the next replace begins it anew.
func clearStaged(dir string) {
	entries, _ := os.ReadDir(dir) // none: the directory is not there yet, which Open allows
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), newSuffix) {
			os.Remove(filepath.Join(dir, e.Name()))
		}
	}
}

func writeSynced(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, fsync(f), f.Close())
}

// fsync makes a file or a directory's entries durable; tests of power cuts see it.
var fsync = (*os.File).Sync

// syncDir makes a directory's entries durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(fsync(d), d.Close())
}
