package trace

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// ErrNewer tells that a newer version has written to a trace directory: the system
// was rolled back. Recording is off, what waits stays and nothing leaves, until that
// version runs again.
var ErrNewer = errors.New("written by a newer version; recording is off until that one runs again")

// Newer is ErrNewer if a newer version has written to a trace directory, and
// names a file of it.
func Newer(dir string) error {
	heads := map[string]string{filepath.Join(dir, consentFile): consentHead, filepath.Join(dir, seenFile): markHead(seenFile), filepath.Join(dir, givenFile): markHead(givenFile)}
	for file, head := range heads {
		if isNewer(file, head) {
			return fmt.Errorf("%s: %w", file, ErrNewer)
		}
	}
	for _, top := range spoolTops {
		studies, err := os.ReadDir(filepath.Join(dir, top))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil // Open tells
		}
		for _, study := range studies {
			if file := newerIn(filepath.Join(dir, top, study.Name())); file != "" {
				return fmt.Errorf("%s: %w", file, ErrNewer)
			}
		}
	}
	return nil
}

// newerIn names a file of a spool that a newer version has written; empty: there
// is none.
func newerIn(dir string) string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return ""
	}
	for _, e := range entries {
		file, heads := filepath.Join(dir, e.Name()), headers
		if e.Name() == closedFile {
			heads = []string{closedHead}
		}
		if isNewer(file, heads...) {
			return file
		}
	}
	return ""
}

// isNewer reports whether a file begins as one of some heads does, but with a
// higher number. A head is a word and a number, and what follows counts for nothing.
func isNewer(file string, heads ...string) bool {
	f, err := os.Open(file)
	if err != nil {
		return false
	}
	defer f.Close()
	var text [headerBytes]byte
	n, err := io.ReadFull(f, text[:])
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return false
	}
	for _, head := range heads {
		word, ours, _ := strings.Cut(head, " ")
		if theirs, ok := strings.CutPrefix(string(text[:n]), word+" "); ok && leading(theirs) > leading(ours) {
			return true
		}
	}
	return false
}

// leading is the number that a text begins with; 0: it does not.
func leading(text string) int {
	end := strings.IndexFunc(text, func(r rune) bool { return r < '0' || r > '9' })
	if end < 0 {
		end = len(text)
	}
	n, _ := strconv.Atoi(text[:end])
	return n
}
