package agent

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"vignette/scenes"
	uibridge "vignette/ui-bridge"
)

// The files of a state directory that remember the newest versions that were
// taken, a line each: an id and its version.
const (
	profilesName = "profiles" // of vehicle profiles
	revokedName  = "revoked"  // of the list of studies and answers that are called back
)

// maxProfiles bounds a file; a car has one profile, and may get another id once
// or twice in its life.
const maxProfiles = 64

// versioned is a signed file whose version only grows, since an older one that
// was signed once may allow what has been forbidden since.
type versioned struct {
	file    string
	what    string // what it is, for people
	id      string // in the file of versions
	version int
}

// older is the error of a version below one that the car has had.
func (v *versioned) older(had int) error {
	return fmt.Errorf("%s: version %d of %s, but this car has had version %d; a version only grows: install one of %d or more", v.file, v.version, v.what, had, had)
}

// grown holds that a version only grows, and remembers it in the file at path
// before what has it is used.
func grown(path string, v versioned, log uibridge.Logger) error {
	text, err := scenes.ReadFile(path)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	var lines []string
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		id, number, ok := strings.Cut(line, " ")
		version, err := strconv.Atoi(number)
		switch {
		case !ok || err != nil:
			log.Error("a line of the versions taken cannot be read; it is kept, and counts for nothing", "file", path, "line", line)
			lines = append(lines, line)
		case id != v.id:
			lines = append(lines, line)
		case version > v.version:
			return v.older(version)
		case version == v.version:
			return nil
		}
	}
	if lines = append(lines, v.id+" "+strconv.Itoa(v.version)); len(lines) > maxProfiles {
		return fmt.Errorf("%s: %d versions were taken, at most %d; clear the file", path, len(lines), maxProfiles)
	}
	return replaceFile(path, strings.Join(lines, "\n")+"\n")
}

// replaceFile writes a file anew, mode 0600, so that after a kill or power loss it
// is the old one or the new one. What is left of the new one goes with the next
// start, see openDeck.
func replaceFile(path, text string) error {
	staged := path + ".new"
	f, err := os.OpenFile(staged, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(staged, path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(staged))
	}
	return syncDir(filepath.Dir(path))
}
