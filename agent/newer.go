package agent

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"sort"
	"strconv"
	"strings"

	"vignette/scenes"
	"vignette/scenes/habit"
	uibridge "vignette/ui-bridge"
	"vignette/ui-bridge/trace"
)

// A system that is rolled back leaves files that a newer version of the agent has
// written. They are not half read, and not lost: what such a file is for is off, or
// begins from nothing beside it, until the newer version runs again and finds it.

// errNewer tells that a file is of a newer version.
var errNewer = errors.New("written by a newer version of the agent, which finds it again; until then it is left as it is")

// newerHead bounds how much of a file is read to tell its version.
const newerHead = 512

// newerYAML reports whether a text of ours in YAML says a schema above the first.
func newerYAML(text []byte) bool {
	for line := range strings.Lines(string(text)) {
		if number, ok := strings.CutPrefix(line, "schema:"); ok {
			n, err := strconv.Atoi(strings.TrimSpace(number))
			return err == nil && n > 1
		}
	}
	return false
}

// notNewer is the error of a file of ours in YAML, or of a pack, that a newer
// version has written and that would be replaced.
func notNewer(file string) error {
	head, err := readHead(file)
	if err != nil {
		return nil // there is nothing to lose
	}
	pack := strings.HasPrefix(string(head), "vignette pack ") && !strings.HasPrefix(string(head), "vignette pack 1\n")
	if pack || newerYAML(head) {
		return fmt.Errorf("%w: %s: %w", uibridge.ErrUnsupported, file, errNewer)
	}
	return nil
}

// newerFiles tells of the files of a newer version that a start has found, each as
// file: what, in the order of their names. Cards are told of as cards.
func newerFiles(c *Config) (list []string) {
	if c.State != "" {
		for pattern, newer := range map[string]func([]byte) bool{
			"state.?" + fromFuture: func([]byte) bool { return true },
			habitsName + "*":       habit.Newer,
			placesName + "*":       newerYAML,
		} {
			files, err := filepath.Glob(filepath.Join(c.State, pattern))
			if err != nil {
				panic(err) // of the pattern
			}
			for _, file := range files {
				if head, err := readHead(file); err == nil && newer(head) {
					list = append(list, fmt.Sprintf("%s: %v", file, errNewer))
				}
			}
		}
	}
	if c.Traces != "" {
		if err := trace.Newer(c.Traces); err != nil {
			list = append(list, err.Error())
		}
	}
	sort.Strings(list)
	return list
}

// readHead reads the beginning of a file.
func readHead(name string) ([]byte, error) {
	f, err := scenes.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, newerHead))
}
