package dbc

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
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
	text  string // of a text, what is between the quotes
	at    int    // index of its first byte in lexer.src
	kind  kind
	first bool // the first token of its line
}

// lexer splits the text of a DBC into tokens. White space and // comments are
// skipped.
type lexer struct {
	name  string
	src   string
	lines []int // index in src of each line's first byte
	at    int   // of the byte to read next
	fresh bool  // nothing of the line was read yet
	ahead token
	full  bool // ahead is filled

	counted counted
}

func newLexer(name string, src []byte) *lexer {
	l := &lexer{name: name, src: string(bytes.TrimPrefix(src, []byte("\uFEFF"))), fresh: true, counted: counted{line: -1}}
	l.lines = make([]int, 1, 1+strings.Count(l.src, "\n"))
	for at := 0; ; {
		n := strings.IndexByte(l.src[at:], '\n')
		if n < 0 {
			return l
		}
		at += n + 1
		l.lines = append(l.lines, at)
	}
}

// line is the index in lines of the line that holds a byte of src.
func (l *lexer) line(at int) int {
	low, high := 0, len(l.lines) // lines[low] <= at < lines[high]
	for high-low > 1 {
		if mid := (low + high) / 2; l.lines[mid] <= at {
			low = mid
		} else {
			high = mid
		}
	}
	return low
}

// place is the position of a byte of src. A line is not counted from its start
// again for a place further on: it may be the whole file.
func (l *lexer) place(at int) Pos {
	line := l.line(at)
	if line != l.counted.line || at < l.counted.at {
		l.counted = counted{line, l.lines[line], 1}
	}
	l.counted.column += utf8.RuneCountInString(l.src[l.counted.at:at])
	l.counted.at = at
	return Pos{l.name, line + 1, l.counted.column}
}

// counted is the place that was asked for last.
type counted struct{ line, at, column int }

func (l *lexer) pos(t token) Pos { return l.place(t.at) }

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

// skipSpace skips white space and comments.
func (l *lexer) skipSpace() {
	for l.at < len(l.src) {
		switch c := l.src[l.at]; {
		case c == '\n':
			l.fresh = true
		case c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v' || c == 0x1A:
		case c == '/' && strings.HasPrefix(l.src[l.at:], "//"):
			n := strings.IndexByte(l.src[l.at:], '\n')
			if n < 0 {
				n = len(l.src) - l.at
			}
			l.at += n
			continue
		default:
			return
		}
		l.at++
	}
}

func (l *lexer) scan() (token, error) {
	l.skipSpace()
	t := token{at: l.at, first: l.fresh}
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
		l.at += n + 1
		t.kind, t.text = text, rest[1:n]
		return t, nil
	}
	n := wordLength(rest)
	t.kind = word
	if c := rest[0]; c-'0' <= 9 || n == 0 {
		if d := numberLength(rest); d >= n {
			n, t.kind = d, number
		}
	}
	if n == 0 {
		n, t.kind = 1, mark
	}
	t.text = rest[:n]
	l.at += n
	return t, nil
}

// closingQuote returns the index of the quote that ends the string at s[0], or
// -1; \" does not end a string.
func closingQuote(s string) int {
	for at := 1; ; at++ {
		n := strings.IndexByte(s[at:], '"')
		if n < 0 {
			return -1
		}
		if at += n; s[at-1] != '\\' {
			return at
		}
	}
}

// wordBytes are what names have, letters beyond ASCII included.
var wordBytes = func() (is [256]bool) {
	for i := range is {
		c := byte(i)
		is[i] = c == '_' || c-'0' <= 9 || c|0x20-'a' <= 25 || c >= 0x80
	}
	return is
}()

func wordLength(s string) int {
	n := 0
	for n < len(s) && wordBytes[s[n]] {
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
