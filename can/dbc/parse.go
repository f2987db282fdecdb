package dbc

import (
	"bytes"
	"fmt"
	"sort"
	"strings"
	"text/scanner"

	candbc "go.einride.tech/can/pkg/dbc"
)

// Parse turns the text of a DBC file into a database; name is used in errors.
// Text that is not UTF-8 is read as cp1252; that is the only change made to it.
//
// The error is a Diagnostic: text that the parser rejects, a message or signal
// that it would lose, or a message identifier or name defined twice. Smaller
// faults leave a usable database and are in its Diagnostics; signals that they
// concern have Refused set.
func Parse(name string, text []byte) (*Database, error) {
	text = toUTF8(text)
	defs, err := parseText(name, text)
	if err != nil {
		return nil, err
	}
	c := newCompiler(name)
	entries := survey(name, text)
	if err := c.checkLost(entries, defs); err != nil {
		return nil, err
	}
	if err := c.compile(entries, defs); err != nil {
		return nil, err
	}
	sort.SliceStable(c.db.Diagnostics, func(i, j int) bool {
		a, b := c.db.Diagnostics[i].Pos, c.db.Diagnostics[j].Pos
		return a.Line < b.Line || a.Line == b.Line && a.Column < b.Column
	})
	return c.db, nil
}

// parseText runs can-go's parser. Its panics other than its own parse errors
// come back as errors too: no text may take the program down.
func parseText(name string, text []byte) (defs []candbc.Def, err error) {
	p := candbc.NewParser(name, text)
	defer func() {
		if r := recover(); r != nil {
			defs, err = nil, Diagnostic{Pos{name, 1, 1}, fmt.Sprintf("the DBC parser failed (%v); the file is damaged or no DBC", r)}
		}
	}()
	if perr := p.Parse(); perr != nil {
		pos := position(name, perr.Position())
		return nil, Diagnostic{pos, perr.Reason() + "; " + advice(perr.Reason(), lineOf(text, pos.Line))}
	}
	return p.Defs(), nil
}

// position converts the parser's position; the parser leaves it empty where the
// text ends.
func position(name string, p scanner.Position) Pos {
	return Pos{name, max(p.Line, 1), max(p.Column, 1)}
}

func lineOf(text []byte, number int) string {
	for ; number > 1; number-- {
		_, rest, found := bytes.Cut(text, []byte("\n"))
		if !found {
			return ""
		}
		text = rest
	}
	line, _, _ := bytes.Cut(text, []byte("\n"))
	return strings.TrimSpace(string(line))
}

// advice says what to do about a reason of can-go's parser, whose words alone
// do not tell the author of a DBC what to change.
func advice(reason, line string) string {
	switch {
	case strings.Contains(line, "//") && strings.HasPrefix(reason, "expected"):
		return "DBC has no // comments, delete the comment"
	case strings.HasPrefix(reason, "invalid multiplexer value"), strings.HasPrefix(reason, "expected multiplexer"):
		return "write M, or m and a number; extended multiplexing (m0M) is not supported yet"
	case strings.HasPrefix(reason, "invalid standard ID"):
		return "a 29-bit id is written with 2147483648 (bit 31) added"
	case strings.HasPrefix(reason, "invalid extended ID"):
		return "a 29-bit id with bit 31 set is at most 2684354559"
	case strings.HasPrefix(reason, "invalid identifier"):
		return "names have letters, digits and _ and do not begin with a digit"
	case strings.HasPrefix(reason, "unterminated string"):
		return `close it with "`
	case strings.HasPrefix(reason, "expected int") && beginsDefinition(line):
		return "the definition before may lack its ;"
	case strings.HasPrefix(reason, "expected int"), strings.HasPrefix(reason, "invalid float"):
		return "write a plain decimal number here, without a leading + or 0"
	case strings.HasPrefix(reason, "expected token"):
		return "the definition here or just before is not complete"
	}
	return "correct the definition here or just before"
}

// beginsDefinition says whether a line begins with a keyword that ends in an
// underscore and needs no number behind it.
func beginsDefinition(line string) bool {
	keyword, _ := word([]byte(line))
	return strings.HasSuffix(keyword, "_") && keyword != "SG_"
}
