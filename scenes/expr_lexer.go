package scenes

import (
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"vignette/scenes/yaml"
)

type tokenKind uint8

const (
	endToken    tokenKind = iota
	numberToken           // 12, 0.5, 1e3
	wordToken             // and, min, true, Vehicle.Speed
	labelToken            // "ON": text without the quotes
	signToken             // ( ) , + - * / and comparisons
)

// token is a piece of an expression.
type token struct {
	kind tokenKind
	text string
	pos  Pos
}

// exprSigns are the signs of the language.
var exprSigns = []string{"==", "!=", "<=", ">=", "<", ">", "(", ")", ",", "+", "-", "*", "/"}

// misspelt are signs of other languages and what to write here.
var misspelt = map[string]string{"&&": "and", "||": "or", "!": "not", "=": "==", "<>": "!=", "=<": "<=", "=>": ">=",
	"&": "and", "|": "or", "≤": "<=", "≥": ">=", "≠": "!=", "×": "*", "÷": "/", "−": "-", "“": "\"", "”": "\"", "（": "(", "）": ")", "，": ","}

// place is where rune i of the text stands in the file.
func (p *exprParser) place(i int) Pos { return p.places[min(i, len(p.places)-1)] }

// rest begins at the next rune of the text.
func (p *exprParser) rest() string { return string(p.text[p.i:min(len(p.text), p.i+40)]) }

// next reads the next token into p.tok. After a failure there are none.
func (p *exprParser) next() {
	for p.i < len(p.text) && unicode.IsSpace(p.text[p.i]) {
		p.i++
	}
	start := p.i
	p.tok = token{kind: endToken, pos: p.place(start)}
	if p.i == len(p.text) || p.failed {
		return
	}
	c := p.text[start]
	switch {
	case digit(c):
		p.number()
	case letter(c):
		for p.i < len(p.text) && (letter(p.text[p.i]) || digit(p.text[p.i]) || p.text[p.i] == '.') {
			p.i++
		}
		p.take(wordToken, start)
	case c == '"' || c == '\'':
		p.label(c)
	default:
		p.sign()
	}
}

// take makes the runes from start on the token.
func (p *exprParser) take(kind tokenKind, start int) {
	p.tok = token{kind, string(p.text[start:p.i]), p.place(start)}
}

func digit(c rune) bool  { return c >= '0' && c <= '9' }
func letter(c rune) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' }

// number reads a decimal number; what follows it may be its unit.
func (p *exprParser) number() {
	start := p.i
	for p.i < len(p.text) && (digit(p.text[p.i]) || p.text[p.i] == '.') {
		p.i++
	}
	if e := p.i; e+1 < len(p.text) && (p.text[e] == 'e' || p.text[e] == 'E') {
		if e++; p.text[e] == '+' || p.text[e] == '-' {
			e++
		}
		if e < len(p.text) && digit(p.text[e]) {
			for p.i = e; p.i < len(p.text) && digit(p.text[p.i]); p.i++ {
			}
		}
	}
	p.take(numberToken, start)
	if !isDecimal(p.tok.text) {
		p.fail(p.tok.pos, "`%s` is not a decimal number; write it like 12 or 0.5, without leading zeros", p.tok.text)
	}
}

// label reads a text in quotes; there are no escapes.
func (p *exprParser) label(quote rune) {
	start := p.i
	n := slices.Index(p.text[start+1:], quote)
	if n < 0 {
		p.fail(p.place(start), "the label has no closing %c; add it", quote)
		return
	}
	p.i = start + n + 2
	p.tok = token{labelToken, string(p.text[start+1 : p.i-1]), p.place(start)}
	if n == 0 {
		p.fail(p.tok.pos, "the label is empty; write one")
	}
}

func (p *exprParser) sign() {
	start, rest := p.i, p.rest()
	ours := longest(rest, exprSigns)
	if other := longest(rest, slices.Sorted(maps.Keys(misspelt))); len(other) > len(ours) {
		p.fail(p.place(start), "`%s` is not part of the language; write `%s`", other, misspelt[other])
		return
	}
	if ours == "" {
		p.fail(p.place(start), "`%c` is not part of the language", p.text[start])
		return
	}
	p.i += len(ours)
	p.take(signToken, start)
}

// longest is the longest of the words that text begins with, or empty.
func longest(text string, words []string) (best string) {
	for _, w := range words {
		if len(w) > len(best) && strings.HasPrefix(text, w) {
			best = w
		}
	}
	return best
}

// unit reads the unit behind a number, the longest that fits; absent where the
// number ends the text or something else follows.
func (p *exprParser) unit() Name {
	for p.i < len(p.text) && unicode.IsSpace(p.text[p.i]) {
		p.i++
	}
	at, rest := p.place(p.i), p.rest()
	spellings := slices.DeleteFunc(slices.Clone(unitSpellings()), func(name string) bool { return !strings.HasPrefix(rest, name) || !ends(rest[len(name):]) })
	if best := longest(rest, spellings); best != "" {
		p.i += utf8.RuneCountInString(best)
		return Name{best, at}
	}
	word := rest[:len(rest)-len(strings.TrimLeftFunc(rest, func(c rune) bool {
		return unicode.IsLetter(c) || digit(c) || c == '°' || c == '%' || c == '/' || c == '^'
	}))]
	if c, _ := utf8.DecodeRuneInString(word); word == "" || c == '/' || c == '^' || slices.Contains(exprWords, strings.ToLower(word)) || word == "Vehicle" || word == "Private" {
		return Name{}
	}
	p.fail(at, "%s", unknownUnit(word))
	return Name{}
}

// ends reports whether a unit may end before rest: letters and digits would go on with it.
func ends(rest string) bool {
	c, _ := utf8.DecodeRuneInString(rest)
	return rest == "" || !unicode.IsLetter(c) && !unicode.IsDigit(c) && c != '_' && c != '^' && c != '²' && c != '³'
}

// scalarPlaces gives each character of a scalar its place in the file, and one
// more for its end. White space has the place of what follows it.
func (r *reader) scalarPlaces(n *yaml.Node) []Pos {
	w := walker{text: r.source, pos: Pos{1, 1}}
	w.seek(at(n))
	switch {
	case n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0:
		w.step()
	case n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0:
		w.seek(Pos{n.Line + 1, 1})
	}
	text := []rune(n.Value)
	places := make([]Pos, len(text)+1)
	for i, c := range text {
		if !unicode.IsSpace(c) {
			w.space()
			places[i] = w.pos
			w.character(n.Style)
		}
	}
	places[len(text)] = w.pos
	for i := len(text) - 1; i >= 0; i-- {
		if unicode.IsSpace(text[i]) {
			places[i] = places[i+1]
		}
	}
	return places
}

// walker goes through a file by characters.
type walker struct {
	text string // the rest
	pos  Pos
}

func (w *walker) step() rune {
	c, n := utf8.DecodeRuneInString(w.text)
	w.text = w.text[n:]
	w.pos.Column++
	if c == '\n' {
		w.pos = Pos{w.pos.Line + 1, 1}
	}
	return c
}

func (w *walker) seek(to Pos) {
	for w.text != "" && (w.pos.Line < to.Line || w.pos.Line == to.Line && w.pos.Column < to.Column) {
		w.step()
	}
}

func (w *walker) space() {
	for w.text != "" {
		if c, _ := utf8.DecodeRuneInString(w.text); !unicode.IsSpace(c) && !strings.HasPrefix(w.text, "\\\n") {
			return
		}
		w.step()
	}
}

// character passes over one character of a scalar as its style writes it.
func (w *walker) character(style yaml.Style) {
	c := w.step()
	extra := 0
	switch {
	case style&yaml.SingleQuotedStyle != 0 && c == '\'':
		extra = 1
	case style&yaml.DoubleQuotedStyle != 0 && c == '\\':
		extra = map[rune]int{'x': 2, 'u': 4, 'U': 8}[w.step()]
	}
	for range extra {
		w.step()
	}
}
