package catalog

import (
	"bytes"
	"cmp"
	"maps"
	"slices"
	"strings"
	"unicode"
)

// How much a word of a field weighs in a search. Postings carry it in two bits.
const (
	inWords = iota + 1 // what the cards do, and what they read and touch
	inNames            // the author and the id
	inTitle
)

// stopWords are not indexed: they are in nearly every card. catalog.js has the
// same list.
var stopWords = map[string]bool{"a": true, "again": true, "an": true, "and": true, "at": true, "be": true, "by": true, "for": true, "has": true, "in": true,
	"is": true, "it": true, "most": true, "of": true, "on": true, "once": true, "only": true, "or": true, "so": true, "that": true, "the": true, "then": true,
	"to": true, "was": true, "what": true, "when": true, "will": true, "with": true}

// tokens gives each word of a text to add: runs of letters and digits in lower
// case, and of scripts that are written without spaces each two neighbouring
// characters and the last one of a run. catalog.js reads queries the same way.
func tokens(text string, add func(token string)) {
	word := func(w string) {
		if w = strings.ToLower(w); w != "" && !stopWords[w] {
			add(w)
		}
	}
	start := -1 // of a word
	var last rune
	for i, r := range text {
		dense := isDense(r)
		if start >= 0 && (dense || !isWord(r)) {
			word(text[start:i])
			start = -1
		}
		switch {
		case dense && last != 0:
			add(string([]rune{last, r}))
		case !dense && last != 0:
			add(string(last))
		}
		if last = 0; dense {
			last = r
		} else if start < 0 && isWord(r) {
			start = i
		}
	}
	if start >= 0 {
		word(text[start:])
	}
	if last != 0 {
		add(string(last))
	}
}

func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.Is(unicode.Nd, r) }

// isDense reports whether a character is of a script without spaces: Han with its
// extensions, kana.
func isDense(r rune) bool {
	return r >= 0x3041 && r <= 0x30FF && r != 0x30FB || r >= 0x3400 && r <= 0x9FFF || r >= 0xF900 && r <= 0xFAFF || r >= 0x20000 && r <= 0x3FFFF
}

// inverted is a search index: for each word the documents that have it.
type inverted struct {
	postings map[string][]int32 // document*4 + weight, ascending
}

// add adds a document's text; documents come in ascending order. The greatest
// weight of a word in a document counts.
func (x *inverted) add(doc int, weight int, text string) {
	tokens(text, func(token string) {
		list := x.postings[token]
		entry := int32(doc*4 + weight)
		if n := len(list); n > 0 && int(list[n-1])>>2 == doc {
			list[n-1] = max(list[n-1], entry)
			return
		}
		x.postings[token] = append(list, entry)
	})
}

// digits write numbers below 64; those from 32 on are continued.
const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// appendNumber writes a number in digits of 5 bits, the lowest first; all but the
// last have 32 added.
func appendNumber(b []byte, n uint32) []byte {
	for ; n >= 32; n >>= 5 {
		b = append(b, digits[32+n&31])
	}
	return append(b, digits[n])
}

// chunk is a part of the index: so many words, in order, and their postings.
type chunk struct {
	Words    string `json:"words"`    // between spaces
	Postings string `json:"postings"` // between commas, of each word the differences of documents, *4 + weight
}

// mostChunk bounds a chunk, in bytes of postings.
const mostChunk = 512 << 10

// chunks writes the index for the browser. Words are in the order of UTF-16, which
// is that of strings there.
func (x *inverted) chunks() (list []chunk) {
	var words []string
	var postings []byte
	flush := func() {
		if len(words) > 0 {
			list = append(list, chunk{strings.Join(words, " "), string(bytes.TrimSuffix(postings, []byte(",")))})
			words, postings = nil, nil
		}
	}
	for _, w := range slices.SortedFunc(maps.Keys(x.postings), compareUTF16) {
		words = append(words, w)
		before := int32(0)
		for _, p := range x.postings[w] {
			postings = appendNumber(postings, uint32((p>>2-before)<<2|p&3))
			before = p >> 2
		}
		if postings = append(postings, ','); len(postings) > mostChunk {
			flush()
		}
	}
	flush()
	return list
}

// compareUTF16 orders strings as JavaScript does: by UTF-16 units, of which those
// of characters beyond U+FFFF come before U+E000.
func compareUTF16(a, b string) int {
	ra, rb := []rune(a), []rune(b)
	for i := range min(len(ra), len(rb)) {
		x, y := ra[i], rb[i]
		if x == y {
			continue
		}
		if (x > 0xFFFF) != (y > 0xFFFF) {
			return cmp.Compare(first16(x), first16(y))
		}
		return cmp.Compare(x, y)
	}
	return cmp.Compare(len(ra), len(rb))
}

// first16 is a character's first UTF-16 unit.
func first16(r rune) rune {
	if r > 0xFFFF {
		return 0xD800 + (r-0x10000)>>10
	}
	return r
}
