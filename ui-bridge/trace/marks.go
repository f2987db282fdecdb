package trace

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// The files of marks, beside the consents that they hang on: no driver without a
// decision has a line. None of it ever leaves the car.
const (
	seenFile  = "answers-seen"   // which answers were dismissed
	givenFile = "feedback-given" // which feedback was given in which week
	maxMarks  = 1024             // of a file
)

func markHead(file string) string { return "vignette-" + file + " 1\n" }

// mark is something that a driver did and the car keeps a note of.
type mark struct {
	of   string // an answer's id; a feedback's name, STUDY@VERSION/NAME
	n    int    // the answer's version; the week
	what string // SHA-256 of what was read, hexadecimal; the choice
	user uint64
}

func (m *mark) line() string {
	return fmt.Sprintf("%s %d %s %d\n", m.of, m.n, m.what, m.user)
}

// parseMark reads a line; one that this package would not write is refused.
func parseMark(line string) (m mark, ok bool) {
	f := strings.Split(strings.TrimSuffix(line, "\n"), " ")
	if len(f) != 4 {
		return m, false
	}
	m.of, m.what = f[0], f[2]
	m.n, _ = strconv.Atoi(f[1]) // what is no number does not come out as written
	m.user, _ = strconv.ParseUint(f[3], 10, 64)
	return m, m.line() == line
}

func parseMarks(file string, text []byte) (list []mark, ok bool) {
	return parsed(markHead(file), text, maxMarks, parseMark)
}

// marks are those of one file, the newest last.
type marks struct {
	dir, file string
	list      []mark
	unsaved   bool // the disk has not taken the last change
}

// read reads the marks. A file that is not exactly what this package writes holds
// none: damaged tells.
func (s *marks) read() (damaged bool, err error) {
	text, err := os.ReadFile(filepath.Join(s.dir, s.file))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	} else if err != nil {
		return false, fmt.Errorf("read %s: %w", s.file, err)
	}
	list, ok := parseMarks(s.file, text)
	s.list = list
	return !ok, nil
}

// save makes marks durable, which then are the ones that count.
func (s *marks) save(list []mark) error {
	lines := make([]string, len(list))
	for i := range list {
		lines[i] = list[i].line()
	}
	if err := replace(filepath.Join(s.dir, s.file), sealed(markHead(s.file), lines)); err != nil {
		return fmt.Errorf("write %s: %w", s.file, err)
	}
	s.list, s.unsaved = list, false
	return nil
}

// add makes one more mark; of too many the oldest goes. It counts at once, whatever
// the disk says.
func (s *marks) add(m mark) error {
	s.list, s.unsaved = append(s.list, m), true
	return s.save(s.list[max(0, len(s.list)-maxMarks):])
}

// remove removes the marks that a condition holds for. They are gone at once,
// whatever the disk says.
func (s *marks) remove(which func(*mark) bool) error {
	list := slices.DeleteFunc(slices.Clone(s.list), func(m mark) bool { return which(&m) })
	if len(list) == len(s.list) {
		return nil
	}
	s.list, s.unsaved = list, true
	return s.save(list)
}
