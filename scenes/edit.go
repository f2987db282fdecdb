package scenes

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"vignette/scenes/yaml"
)

// EditHead writes a card's id, version and parent (derived_from) into its text
// and leaves all else as it is, comments too. file is its name in messages. The
// error is Diagnostics.
func EditHead(file string, text []byte, id, version, parent string) ([]byte, error) {
	for _, k := range [][2]string{{"id", id}, {"version", version}, {"derived_from", parent}} {
		var err error
		if text, err = editKey(file, text, k[0], k[1]); err != nil {
			return nil, err
		}
	}
	return text, nil
}

// editKey gives a key of a document's mapping a value of one plain word; a key
// that is not there comes after version.
func editKey(file string, text []byte, key, value string) ([]byte, error) {
	r := &reader{file: file}
	root := r.document(text, maxCardNodes)
	if root == nil || !r.mapping(root, "the card") {
		return nil, r.diags.err()
	}
	var after *yaml.Node
	for i := 0; i+1 < len(root.Content); i += 2 {
		switch name, n := root.Content[i], root.Content[i+1]; name.Value {
		case key:
			return ReplaceWord(file, text, at(n), n.Value, value)
		case "version":
			after = n
		}
	}
	if after == nil {
		return nil, Diagnostics{{File: file, What: "has no `version`; add it"}}
	}
	if root.Style&yaml.FlowStyle != 0 {
		return ReplaceWord(file, text, at(after), after.Value, after.Value+`", "`+key+`": "`+value)
	}
	lines := strings.SplitAfter(string(text), "\n")
	line := strings.Repeat(" ", root.Column-1) + key + ": " + value + "\n"
	return []byte(strings.Join(lines[:after.Line], "") + line + strings.Join(lines[after.Line:], "")), nil
}

// ReplaceWord replaces a scalar that stands at a place of a text, plain or in
// quotes. The error is Diagnostics.
func ReplaceWord(file string, text []byte, at Pos, old, with string) ([]byte, error) {
	i := 0
	for line := 1; line < at.Line; line++ {
		i += strings.IndexByte(string(text[i:]), '\n') + 1
	}
	for range at.Column - 1 {
		_, n := utf8.DecodeRune(text[i:])
		i += n
	}
	for _, quote := range []string{"", `"`, "'"} {
		if rest, ok := strings.CutPrefix(string(text[i:]), quote+old+quote); ok {
			if quote == "'" || strings.Contains(with, `"`) {
				quote = `"`
			}
			return []byte(string(text[:i]) + quote + with + quote + rest), nil
		}
	}
	return nil, Diagnostics{{File: file, Line: at.Line, Column: at.Column, What: fmt.Sprintf("`%s` is written in a way that cannot be edited here; write it as one plain word", old)}}
}

// Renamed is the scenario's text with the ids of cards replaced. The error is
// Diagnostics.
func (s *Scenario) Renamed(text []byte, names map[string]string) ([]byte, error) {
	var words []Name
	for _, h := range append(append([]Happening(nil), s.Given...), s.Steps...) {
		if h.Kind == DriverRuns {
			words = append(words, h.Name)
		}
	}
	for _, e := range s.Expect {
		if e.Kind == Fires {
			words = append(words, e.Name)
		}
	}
	// From the end, so that places before it stay.
	for len(words) > 0 {
		last := 0
		for i, w := range words {
			if p := words[last].Pos; w.Pos.Line > p.Line || w.Pos.Line == p.Line && w.Pos.Column > p.Column {
				last = i
			}
		}
		w := words[last]
		words = append(words[:last], words[last+1:]...)
		with, ok := names[w.Text]
		if !ok {
			continue
		}
		var err error
		if text, err = ReplaceWord(s.File, text, w.Pos, w.Text, with); err != nil {
			return nil, err
		}
	}
	return text, nil
}
