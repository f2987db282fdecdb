package dbc

import "strings"

// keywords is a set of those whose loss matters to the database.
type keywords uint8

// surveyed gives such a keyword's bit; 0 for another word.
func surveyed(keyword string) keywords {
	switch keyword {
	case "BO_":
		return 1
	case "SG_":
		return 2
	case "VAL_":
		return 4
	case "SIG_VALTYPE_":
		return 8
	case "SG_MUL_VAL_":
		return 16
	case "BA_":
		return 32
	}
	return 0
}

// survey finds the definitions that begin a line of the text outside of strings,
// so that they can be held against what came out of it: the line's index, the
// keyword's place in the text, and the keyword. It ends when found says so. A
// keyword alone on its line is an item of the NS_ list, not a definition.
func survey(text string, found func(line, at int, keyword string) bool) {
	inString := false
	for number, start := 0, 0; start < len(text); number++ {
		end := len(text)
		if n := strings.IndexByte(text[start:], '\n'); n >= 0 {
			end = start + n
		}
		line := text[start:end]
		if !inString {
			if indent, keyword := definition(line); keyword != "" && !found(number, start+indent, keyword) {
				return
			}
		}
		inString = endsInString(line, inString)
		start = end + 1
	}
}

// definition recognises a surveyed keyword, followed by more, at a line's start;
// the keyword is empty if there is none.
func definition(line string) (indent int, keyword string) {
	for indent < len(line) && (line[indent] == ' ' || line[indent] == '\t' || line[indent] == '\r') {
		indent++
	}
	if indent == len(line) || line[indent] != 'B' && line[indent] != 'S' && line[indent] != 'V' {
		return 0, ""
	}
	keyword, rest := leading(line[indent:])
	if surveyed(keyword) == 0 || strings.TrimSpace(rest) == "" || refersOnly(keyword, rest) {
		return 0, ""
	}
	return indent, keyword
}

// refersOnly says whether BO_ or SG_ at a line's start names an object of a CM_
// or BA_ that began in the line before: `SG_ 1 Name`, `BO_ 1 "text"`.
func refersOnly(keyword, rest string) bool {
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
func leading(text string) (word, rest string) {
	n := 0
	for n < len(text) && (text[n] == '_' || text[n]-'0' <= 9 || text[n]|0x20-'a' <= 25) {
		n++
	}
	return text[:n], text[n:]
}

// endsInString follows the quotes of one line up to a // comment; \" does not end
// a string.
func endsInString(line string, inString bool) bool {
	for at := 0; ; {
		n := strings.IndexByte(line[at:], '"')
		if !inString && strings.Contains(line[at:at+max(n, 0)], "//") {
			return false
		}
		if n < 0 {
			return inString
		}
		if at += n; !inString || at == 0 || line[at-1] != '\\' {
			inString = !inString
		}
		at++
	}
}
