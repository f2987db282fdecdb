package dbc

import (
	"bytes"
	"unicode/utf8"
)

// entry is a definition that begins a line of the text.
type entry struct {
	keyword string
	pos     Pos
	text    []byte // from the keyword to the end of the line
}

// surveyed are the keywords whose loss matters to the database.
var surveyed = map[string]bool{
	"BO_": true, "SG_": true, "VAL_": true, "SIG_VALTYPE_": true, "SG_MUL_VAL_": true, "BA_": true,
}

// survey lists the definitions that begin a line outside of strings, so that
// they can be held against what the parser made of the text. A keyword alone on
// its line is an item of the NS_ list, not a definition.
func survey(name string, text []byte) []entry {
	text = bytes.TrimPrefix(text, []byte("\uFEFF"))
	var found []entry
	inString := false
	found = make([]entry, 0, len(text)/64)
	for number := 1; len(text) > 0; number++ {
		line, rest, _ := bytes.Cut(text, []byte("\n"))
		if !inString {
			if e, ok := definition(line); ok {
				e.pos.File, e.pos.Line = name, number
				found = append(found, e)
			}
		}
		inString = endsInString(line, inString)
		text = rest
	}
	return found
}

// definition recognises a surveyed keyword, followed by more, at a line's start.
func definition(line []byte) (entry, bool) {
	trimmed := bytes.TrimLeft(line, " \t\r")
	if len(trimmed) == 0 || bytes.IndexByte([]byte("BSV"), trimmed[0]) < 0 {
		return entry{}, false
	}
	keyword, rest := leading(trimmed)
	if !surveyed[keyword] || len(bytes.TrimSpace(rest)) == 0 || refersOnly(keyword, rest) {
		return entry{}, false
	}
	column := utf8.RuneCount(line[:len(line)-len(trimmed)]) + 1
	return entry{keyword, Pos{Column: column}, trimmed}, true
}

// refersOnly says whether BO_ or SG_ at a line's start names an object of a CM_
// or BA_ that began in the line before: `SG_ 1 Name`, `BO_ 1 "text"`.
func refersOnly(keyword string, rest []byte) bool {
	first, rest := leading(trimLeft(rest))
	number := first != "" && first[0]-'0' <= 9
	switch keyword {
	case "SG_":
		return number
	case "BO_":
		name, _ := leading(trimLeft(rest))
		return number && (name == "" || name[0]-'0' <= 9)
	}
	return false
}

// leading splits the leading letters, digits and underscores from text.
func leading(text []byte) (string, []byte) {
	n := 0
	for n < len(text) && (text[n] == '_' || text[n]-'0' <= 9 || text[n]|0x20-'a' <= 25) {
		n++
	}
	return string(text[:n]), text[n:]
}

// endsInString follows the quotes of one line up to a // comment; \" does not end
// a string.
func endsInString(line []byte, inString bool) bool {
	if !inString && bytes.IndexByte(line, '"') < 0 {
		return false
	}
	for i := 0; i < len(line); i++ {
		switch {
		case inString && line[i] == '\\' && i+1 < len(line) && line[i+1] == '"':
			i++
		case !inString && line[i] == '/' && i+1 < len(line) && line[i+1] == '/':
			return false
		case line[i] == '"':
			inString = !inString
		}
	}
	return inString
}
