package trace

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

const consentFile = "consent"

// consentText is the whole content of the consent file of a study.
func consentText(study string) string { return "vignette-consent 1\n" + study + "\n" }

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

// readConsent reports whether a study has consent. A consent file that is not
// exactly what this package writes is an error: nothing is guessed from it.
func readConsent(dir, study string) (bool, error) {
	path := filepath.Join(dir, consentFile)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	} else if err != nil {
		return false, fmt.Errorf("read the consent: %w", err)
	}
	if string(b) != consentText(study) {
		return false, fmt.Errorf("%s: not a consent of this program for study %q; remove the file, which counts as no consent", path, study)
	}
	return true, nil
}

// writeConsent makes the decision durable: it is whole or absent after power
// loss at any moment. It creates the directory.
func writeConsent(dir, study string) error {
	err := os.Mkdir(dir, 0o700)
	if err == nil {
		err = syncDir(filepath.Dir(filepath.Clean(dir)))
	} else if errors.Is(err, fs.ErrExist) {
		err = nil
	}
	if err != nil {
		return fmt.Errorf("create the trace directory: %w", err)
	}
	path := filepath.Join(dir, consentFile)
	if err := writeSynced(path+".new", consentText(study)); err != nil {
		return fmt.Errorf("write the consent: %w", err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		return fmt.Errorf("write the consent: %w", err)
	}
	if err := syncDir(dir); err != nil {
		return fmt.Errorf("write the consent: %w", err)
	}
	return nil
}

func writeSynced(path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Sync(), f.Close())
}

// removeConsent makes a withdrawal durable; none given is no error.
func removeConsent(dir string) error {
	err := os.Remove(filepath.Join(dir, consentFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	return syncDir(dir)
}
