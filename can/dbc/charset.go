package dbc

import (
	"unicode/utf8"
)

// cp1252 holds the characters of Windows code page 1252 from 0x80 to 0x9F; the
// rest of the page is Latin-1. The five bytes that the page leaves undefined
// map to the C1 controls of the same number, as the WHATWG encoding standard has it.
var cp1252 = [32]rune{
	0x20AC, 0x81, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
	0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x8D, 0x017D, 0x8F,
	0x90, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
	0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x9D, 0x017E, 0x0178,
}

// toUTF8 returns text as it is when it is UTF-8, and otherwise reads the whole
// of it as cp1252, which is what DBC editors on Windows write. Every byte
// becomes one character, so columns stay the same.
func toUTF8(text []byte) []byte {
	if utf8.Valid(text) {
		return text
	}
	out := make([]byte, 0, len(text)+len(text)/8)
	for _, c := range text {
		r := rune(c)
		if c >= 0x80 && c <= 0x9F {
			r = cp1252[c-0x80]
		}
		out = utf8.AppendRune(out, r)
	}
	return out
}
