// Package check looks for what is legal in scene cards and yet most likely a
// mistake: conditions that are never true, thresholds without hysteresis, cards
// that fight or start each other. Each pass has a name, a text and examples;
// what makes a card unusable is refused by scenes.Compile and has a name here too.
package check

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"sort"

	"vignette/scenes"
)

// Severity says how much a finding matters.
type Severity uint8

// The severities: a card with an error is refused; a warning is most likely a
// mistake; a note says what the author may want to know.
const (
	Error Severity = iota
	Warning
	Note
)

var severityNames = [...]string{"error", "warning", "note"}

// String is the word for a severity, which SARIF shares.
func (s Severity) String() string { return severityNames[s] }

// Finding is one thing that a pass found in a card or profile.
type Finding struct {
	scenes.Diagnostic
	Severity Severity
}

// String is file:line:col: severity: what [pass].
func (f Finding) String() string {
	d := f.Diagnostic
	d.What = fmt.Sprintf("%s: %s [%s]", f.Severity, d.What, d.Pass)
	return d.String()
}

// passes are what Run runs, by the names of Passes; what the others find scenes
// refuses. They are apart from their texts, which a car does not need.
var passes = []struct {
	name string
	run  func(*subject)
}{{"cost", cost}, {"interval", interval}, {"instant", instant}, {"hysteresis", hysteresis}, {"conflict", conflict}, {"loop", loop}}

// Pass is what there is to say about one check.
type Pass struct {
	Name   string
	What   string // one sentence
	Why    string
	Limits string // what it does not see; empty: nothing known
	Bad    []Example
	Good   []Example
}

// Example is cards without their heads, and what a pass says of them; empty:
// nothing.
type Example struct {
	Cards []string
	Says  string
}

// subject is what a run of all passes looks at.
type subject struct {
	p        *scenes.Program
	expected *space // signals as their DBC says
	possible *space // signals as their bits can carry
	pass     string
	found    []Finding
}

func (s *subject) report(level Severity, file string, at scenes.Pos, format string, args ...any) {
	s.found = append(s.found, Finding{scenes.Diagnostic{File: file, Line: at.Line, Column: at.Column,
		What: fmt.Sprintf(format, args...), Pass: s.pass}, level})
}

// Run runs all passes over a compiled program. Findings are by file and
// position.
func Run(p *scenes.Program) []Finding {
	s := &subject{p: p, expected: newSpace(p, (*scenes.Signal).Expected), possible: newSpace(p, (*scenes.Signal).Carried)}
	for _, pass := range passes {
		s.pass = pass.name
		pass.run(s)
	}
	return sorted(s.found)
}

// Refused are the findings that an error of scenes carries; ok is false for
// any other error.
func Refused(err error) (list []Finding, ok bool) {
	var found scenes.Diagnostics
	if !errors.As(err, &found) {
		return nil, false
	}
	for _, d := range found {
		if d.Pass == "" {
			d.Pass = "format" // a file that cannot be read
		}
		list = append(list, Finding{d, Error})
	}
	return sorted(list), true
}

func sorted(list []Finding) []Finding {
	sort.SliceStable(list, func(i, j int) bool {
		a, b := &list[i], &list[j]
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column),
			cmp.Compare(a.Severity, b.Severity), cmp.Compare(a.Pass, b.Pass)) < 0
	})
	return slices.Compact(list)
}

// Worst is the severity that matters most; ok is false where nothing was found.
func Worst(list []Finding) (worst Severity, ok bool) {
	for _, f := range list {
		if !ok || f.Severity < worst {
			worst, ok = f.Severity, true
		}
	}
	return worst, ok
}
