package dbc

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// kind is what a token is.
type kind uint8

const (
	end    kind = iota // of the text
	word               // a keyword or name; may begin with a digit
	number             // decimal, with sign and exponent
	text               // in quotes
	mark               // one character
)

// token is a piece of the text with its place.
type token struct {
	kind  kind
	text  string // of text, what is between the quotes
	line  int
	col   int
	first bool // the first token of its line
}

// lexer splits the text of a DBC into tokens. White space and // comments are
// skipped. Lines and columns count from 1, columns in characters.
type lexer struct {
	name      string
	src       string
	at        int // of the byte to read next
	line, col int // of src[at]
	fresh     bool
	ahead     token
	full      bool // ahead is filled
}

func newLexer(name string, src []byte) *lexer {
	return &lexer{name: name, src: string(bytes.TrimPrefix(src, []byte("\uFEFF"))), line: 1, col: 1, fresh: true}
}

func (l *lexer) pos(t token) Pos { return Pos{l.name, t.line, t.col} }

// fail is the error of a token that does not belong where it is.
func (l *lexer) fail(t token, format string, args ...any) error {
	return Diagnostic{l.pos(t), fmt.Sprintf(format, args...)}
}

// peek returns the next token and leaves it there.
func (l *lexer) peek() (token, error) {
	if l.full {
		return l.ahead, nil
	}
	t, err := l.scan()
	if err == nil {
		l.ahead, l.full = t, true
	}
	return t, err
}

func (l *lexer) next() (token, error) {
	t, err := l.peek()
	l.full = false
	return t, err
}

// take consumes the next token if it is that mark.
func (l *lexer) take(char string) (bool, error) {
	t, err := l.peek()
	if err != nil || t.kind != mark || t.text != char {
		return false, err
	}
	l.full = false
	return true, nil
}

// advance moves n bytes on and keeps line and column.
func (l *lexer) advance(n int) {
	for _, c := range []byte(l.src[l.at : l.at+n]) {
		switch {
		case c == '\n':
			l.line, l.col, l.fresh = l.line+1, 1, true
		case c&0xC0 != 0x80: // not inside a character of UTF-8
			l.col++
		}
	}
	l.at += n
}

// skipSpace skips white space and comments.
func (l *lexer) skipSpace() {
	for l.at < len(l.src) {
		switch c := l.src[l.at]; {
		case c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f' || c == '\v' || c == 0x1A:
			l.advance(1)
		case strings.HasPrefix(l.src[l.at:], "//"):
			n := strings.IndexByte(l.src[l.at:], '\n')
			if n < 0 {
				n = len(l.src) - l.at
			}
			l.advance(n)
		default:
			return
		}
	}
}

func (l *lexer) scan() (token, error) {
	l.skipSpace()
	t := token{line: l.line, col: l.col, first: l.fresh}
	if l.at == len(l.src) {
		return t, nil
	}
	l.fresh = false
	rest := l.src[l.at:]
	if rest[0] == '"' {
		n := closingQuote(rest)
		if n < 0 {
			return t, l.fail(t, `unterminated string; close it with "`)
		}
		l.advance(n + 1)
		l.fresh = false
		t.kind, t.text = text, rest[1:n]
		return t, nil
	}
	n := numberLength(rest)
	t.kind = number
	if n == 0 || isWordByte(rest[0]) && wordLength(rest) > n {
		n, t.kind = wordLength(rest), word
	}
	if n == 0 {
		n, t.kind = 1, mark
	}
	t.text = rest[:n]
	l.advance(n)
	return t, nil
}

// closingQuote returns the index of the quote that ends the string at s[0], or
// -1; \" does not end a string.
func closingQuote(s string) int {
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s) && s[i+1] == '"':
			i++
		case s[i] == '"':
			return i
		}
	}
	return -1
}

// isWordByte holds for what names have, letters beyond ASCII included.
func isWordByte(c byte) bool {
	return c == '_' || c-'0' <= 9 || c|0x20-'a' <= 25 || c >= 0x80
}

func wordLength(s string) int {
	n := 0
	for n < len(s) && isWordByte(s[n]) {
		n++
	}
	return n
}

func digits(s string) int {
	n := 0
	for n < len(s) && s[n]-'0' <= 9 {
		n++
	}
	return n
}

// numberLength is the length of the decimal number that s begins with, or 0.
func numberLength(s string) int {
	n := 0
	if s[0] == '+' || s[0] == '-' {
		n = 1
	}
	whole := digits(s[n:])
	n += whole
	if n < len(s) && s[n] == '.' {
		fraction := digits(s[n+1:])
		if whole+fraction == 0 {
			return 0
		}
		n += 1 + fraction
	} else if whole == 0 {
		return 0
	}
	if n < len(s) && s[n]|0x20 == 'e' {
		sign := 0
		if n+1 < len(s) && (s[n+1] == '+' || s[n+1] == '-') {
			sign = 1
		}
		if exponent := digits(s[n+1+sign:]); exponent > 0 {
			n += 1 + sign + exponent
		}
	}
	return n
}

// expect consumes a mark.
func (l *lexer) expect(char, where string) error {
	t, err := l.next()
	if err == nil && (t.kind != mark || t.text != char) {
		err = l.fail(t, "expected %s in %s, found %s; correct the definition here or just before", char, where, t)
	}
	return err
}

// ident consumes a name.
func (l *lexer) ident(what string) (token, error) {
	t, err := l.next()
	if err == nil && t.kind != word && (t.kind != number || digits(t.text) == 0) {
		err = l.fail(t, "expected %s, found %s; names have letters, digits and _", what, t)
	}
	return t, err
}

// quoted consumes a string.
func (l *lexer) quoted(what string) (token, error) {
	t, err := l.next()
	if err == nil && t.kind != text {
		err = l.fail(t, "expected %s in quotes, found %s; correct the definition here or just before", what, t)
	}
	return t, err
}

// whole consumes a number without sign and fraction.
func (l *lexer) whole(what string) (uint64, token, error) {
	t, err := l.next()
	if err != nil {
		return 0, t, err
	}
	plain := strings.TrimPrefix(t.text, "+")
	if t.kind != number || digits(plain) != len(plain) {
		return 0, t, l.fail(t, "expected %s, found %s; write a whole number", what, t)
	}
	n, err := strconv.ParseUint(plain, 10, 64)
	if err != nil {
		return 0, t, l.fail(t, "%s %s has more than 64 bits; correct it", what, t.text)
	}
	return n, t, nil
}

// decimal consumes a number of any form.
func (l *lexer) decimal(what string) (float64, token, error) {
	t, err := l.next()
	if err != nil {
		return 0, t, err
	}
	if t.kind != number {
		return 0, t, l.fail(t, "expected %s, found %s; write a decimal number", what, t)
	}
	v, err := strconv.ParseFloat(t.text, 64)
	if err != nil {
		return 0, t, l.fail(t, "%s %s is too large; correct it", what, t.text)
	}
	return v, t, nil
}

// String names a token in an error.
func (t token) String() string {
	switch t.kind {
	case end:
		return "the end of the file"
	case text:
		return fmt.Sprintf("the text %.40q", t.text)
	}
	return fmt.Sprintf("%.40q", t.text)
}
