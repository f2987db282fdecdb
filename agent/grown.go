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

// profilesName is the file of a state directory that remembers the newest
// version of each profile that was taken, a line each: its id and version.
const profilesName = "profiles"

// maxProfiles bounds the file; a car has one profile, and may get another id
// once or twice in its life.
const maxProfiles = 64

// grown holds that the version of a profile only grows, since an older one
// that was signed once may allow what has been forbidden since. It remembers
// the version before the profile is used.
func grown(dir string, v *scenes.Vehicle, log uibridge.Logger) error {
	path := filepath.Join(dir, profilesName)
	text, err := os.ReadFile(path)
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
			log.Error("a line of the profiles taken cannot be read and counts no more", "file", path, "line", line)
		case id != v.ID:
			lines = append(lines, line)
		case version > v.Version:
			return fmt.Errorf("%s: version %d of profile %s, but this car has had version %d; a version only grows: install one of %d or more", v.File, v.Version, id, version, version)
		case version == v.Version:
			return nil
		}
	}
	if lines = append(lines, v.ID+" "+strconv.Itoa(v.Version)); len(lines) > maxProfiles {
		return fmt.Errorf("%s: %d profiles were taken, at most %d; clear the file", path, len(lines), maxProfiles)
	}
	return replaceFile(path, strings.Join(lines, "\n")+"\n")
}

// replaceFile writes a file anew, so that after a power loss it is the old one
// or the new one.
func replaceFile(path, text string) error {
	f, err := os.OpenFile(path+".new", os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return errors.Join(os.Rename(path+".new", path), syncDir(filepath.Dir(path)))
}
