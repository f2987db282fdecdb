package scenes

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"
)

// Pos is a place in a file: line and column from 1, the column in characters.
// The zero Pos means the file as a whole.
type Pos struct {
	Line   int `json:"line"`
	Column int `json:"column"`
}

// Diagnostic is one thing that is wrong in a card, a profile or a DBC.
type Diagnostic struct {
	File   string `json:"file"`
	Line   int    `json:"line,omitempty"`   // from 1; 0: the file as a whole
	Column int    `json:"column,omitempty"` // from 1, in characters; 0: the line as a whole
	What   string `json:"what"`             // what is wrong, then what to do
	Pass   string `json:"pass,omitempty"`   // the check that found it: format, types, names, limits or cost
	Lack   Lack   `json:"-"`                // what the vehicle does not have, where that is what is wrong
}

// String formats the diagnostic as file:line:column: what.
func (d Diagnostic) String() string {
	switch {
	case d.Line == 0:
		return d.File + ": " + d.What
	case d.Column == 0:
		return fmt.Sprintf("%s:%d: %s", d.File, d.Line, d.What)
	}
	return fmt.Sprintf("%s:%d:%d: %s", d.File, d.Line, d.Column, d.What)
}

// Diagnostics is everything that is wrong, by file and position. As an error
// it is one line for each.
type Diagnostics []Diagnostic

// Error returns the diagnostics, one a line.
func (ds Diagnostics) Error() string {
	lines := make([]string, len(ds))
	for i, d := range ds {
		lines[i] = d.String()
	}
	return strings.Join(lines, "\n")
}

// add appends one diagnostic at a place of a file.
func (ds *Diagnostics) add(file string, at Pos, format string, args ...any) {
	ds.found("format", file, at, format, args...)
}

// found appends what a pass found.
func (ds *Diagnostics) found(pass, file string, at Pos, format string, args ...any) {
	*ds = append(*ds, Diagnostic{File: file, Line: at.Line, Column: at.Column, What: clip(fmt.Sprintf(format, args...)), Pass: pass})
}

// maxWhat is the most characters of a message; it may quote what it found.
const maxWhat = 1000

// clip takes the middle out of a message that nobody would read.
func clip(what string) string {
	if len(what) <= maxWhat {
		return what
	}
	c := []rune(what)
	return string(c[:min(len(c), maxWhat/2)]) + " … " + string(c[max(len(c)-maxWhat/4, 0):])
}

// merge appends the diagnostics that err carries; any other error becomes a
// diagnostic of the file as a whole.
func (ds *Diagnostics) merge(file string, err error) {
	var more Diagnostics
	switch {
	case err == nil:
	case errors.As(err, &more):
		*ds = append(*ds, more...)
	default:
		ds.add(file, Pos{}, "%v", err)
	}
}

// err sorts the diagnostics by file and position and returns them as an error,
// nil when there are none.
func (ds Diagnostics) err() error {
	if len(ds) == 0 {
		return nil
	}
	sort.SliceStable(ds, func(i, j int) bool {
		a, b := &ds[i], &ds[j]
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column)) < 0
	})
	return slices.Compact(ds)
}
