package yaml

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestRefusals holds what is said of what is not read: the place, what is wrong,
// and what to do.
func TestRefusals(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "1:1: is empty; a YAML mapping is expected"},
		{"a comment", "# a\n", "1:1: is empty; a YAML mapping is expected"},
		{"only a mark", "---\n", "1:1: is empty; a YAML mapping is expected"},
		{"not UTF-8", "a: é\xff", "1:5: is not UTF-8 text; save the file as UTF-8"},
		{"control character", "a: é\nb: \x07", "2:4: the control character U+0007 is not allowed; remove it"},
		{"old Mac", "a: 1\rb: 2", "1:5: the line break U+000D is not read; end lines with a newline"},
		{"line separator", "a: x\u2028", "1:5: the line break U+2028 is not read; end lines with a newline"},
		{"next line", "a: x\u0085", "1:5: the line break U+0085 is not read; end lines with a newline"},
		{"byte order mark", "a: 1\n\uFEFFb: 2", "2:1: the byte order mark U+FEFF is read at the beginning only; remove it"},
		{"directive", "%YAML 1.1\n---\na: b", "1:1: directives such as %YAML are not read; leave the line out"},
		{"second document", "a: 1\n---\nb: 2", "2:1: a second document begins; write one document a file"},
		{"second document after an end", "a: 1\n...\n---\n", "3:1: a second document begins; write one document a file"},
		{"anchor", "a: &x 1", "1:4: anchor `&x` is not allowed; write the value where it is used"},
		{"alias", "a: [*x]", "1:5: alias `*x` is not allowed; write the value out"},
		{"tag", "a: !!int 1", "1:4: tag `!!int` is not allowed; leave it out"},
		{"all of them", "a: &x !y b\nc: *x\n", "1:4: anchor `&x` is not allowed; write the value where it is used\n1:7: tag `!y` is not allowed; leave it out\n2:4: alias `*x` is not allowed; write the value out"},
		{"complex key", "? a\n: b", "1:1: keys with `?` are not read; write `key: value`"},
		{"question in brackets", "[who?]", "1:5: `,` or `]` is missing before this; line 1 opens with `[`"},
		{"question first in brackets", "[?]", "1:2: a `?` in brackets is not read; put the text in quotes"},
		{"no key", ": a", "1:1: a `:` has no key before it; write `key: value`"},
		{"no colon", "a: 1\nb\n", "2:1: a key must be followed by `:` and a space in its line; write `key: value`"},
		{"no space", "a: 1\nb:2\n", "2:1: a key must be followed by `:` and a space in its line; write `key: value`"},
		{"two colons", "a: b: c", "1:5: a `:` is one too many in this line; put the text in quotes, or begin a new line with the key"},
		{"key of two lines", "a\nb: c", "2:2: a `:` cannot follow text of more than one line; put the text in quotes, or its key on one line"},
		{"long key", strings.Repeat("k", 1025) + ": 1", "1:1026: the key before this `:` has more than 1024 characters; shorten it"},
		{"list in a line", "a: - b", "1:4: a list's entry cannot begin here; write `-` on a line of its own, or the list in brackets"},
		{"list among keys", "a: 1\n- b", "2:1: a list's entry begins where a key is expected; indent it, or give the list a key"},
		{"entry in no list", "a:\n    b: 1\n  - c", "3:3: no list has its entries in this column; indent `-` as the entries before it, or begin those with `-` too"},
		{"key in no mapping", "a:\n    b: 1\n  c: 2", "3:3: is not indented as the lines before it; begin it in the column of the key or entry that it follows"},
		{"more after quotes", `a: "b" c`, "1:8: more text follows a value that has ended; put the whole in quotes, or begin a new line"},
		{"tab first", "a:\n\tb: 1", "2:1: a tab cannot indent; use spaces"},
		{"tab in a text of lines", "a: b\n\tc", "2:1: a tab cannot indent; use spaces"},
		{"tab after a hyphen", "-\ta", "1:2: a tab cannot indent; use spaces"},
		{"tab in a block", "a: |\n\tb", "2:1: a tab cannot indent; use spaces"},
		{"open list", "a: [b,\nc", "1:4: `[` is not closed; add `]`"},
		{"open mapping", "{a: b", "1:1: `{` is not closed; add `}`"},
		{"no comma", "[\"a\"\n\"b\"]", "2:1: `,` or `]` is missing before this; line 1 opens with `[`"},
		{"wrong bracket", "[a}", "1:3: `,` or `]` is missing before this; line 1 opens with `[`"},
		{"closed too often", "a: ]", "1:4: `]` closes nothing; remove it, or open it before"},
		{"two commas", "[a,,b]", "1:4: a `,` has no value before it; remove it, or put the text in quotes"},
		{"entry in brackets", "[- a]", "1:2: an entry with `-` cannot be in brackets; separate entries by commas"},
		{"block in brackets", "[|\na]", "1:2: text with `|` cannot be in brackets; put it in quotes"},
		{"document in brackets", "[a,\n---\n]", "2:1: a document ends within brackets; close them before"},
		{"document in quotes", "a: '\n---\n'", "2:1: a document ends within quotes, which line 1 opens; close them before"},
		{"at", "a: @b", "1:4: a text cannot begin with this character; put it in quotes"},
		{"open quote", "a: 'b\nc", "1:4: the quote is not closed; add `'`"},
		{"unknown escape", `a: "\q"`, "1:6: `\\` and this character are no escape sequence; write `\\\\` for a backslash, or use single quotes"},
		{"half an escape", `a: "\u12"`, "1:6: the escape sequence `\\u` needs 4 hexadecimal digits of a character; correct it"},
		{"half a pair", `a: "\ud83d\ude00"`, "1:6: the escape sequence `\\u` needs 4 hexadecimal digits of a character; correct it"},
		{"block below its key", "a:\n|\n b", "2:1: `|` must stand in the line of its key or entry; write `key: |`"},
		{"block below its entry", "-\n>\n b", "2:1: `>` must stand in the line of its key or entry; write `key: >`"},
		{"text after a block's sign", "a: | b", "1:6: text begins in the line after `|` or `>`; write it there, or put it in quotes"},
		{"deep", strings.Repeat("[", 26), "1:26: is nested more than 24 deep; flatten it"},
		{"many", "[" + strings.Repeat("1,", 100_000) + "]", "1:200000: the file has too many values; split it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, faults := Parse(c.text, wide)
			var got []string
			for _, f := range faults {
				got = append(got, f.Error())
			}
			if strings.Join(got, "\n") != c.want {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), c.want)
			}
		})
	}
}

// TestTabs: a tab is space where it does not indent.
func TestTabs(t *testing.T) {
	for _, text := range []string{"a:\tb\n", "a: b\t\n", "a: \"b\"\t# c\n", "a: [\tb,\n\tc]\n", "a: b\tc\n", "a: |\n  b\n  \tc\n", "a: 'b\n\tc'\n", "{\n\t\"a\": 1\n}\n"} {
		if n, faults := Parse(text, wide); n == nil || faults != nil {
			t.Errorf("%q: %v", text, faults)
		}
		compare(t, text)
	}
}

// TestDepth: what is as deep as the limit allows is read.
func TestDepth(t *testing.T) {
	for depth, want := range map[int]bool{24: true, 25: false} {
		for _, text := range []string{strings.Repeat("[", depth) + "a" + strings.Repeat("]", depth), strings.Repeat("- ", depth) + "a", strings.Repeat("{a: ", depth) + "b" + strings.Repeat("}", depth)} {
			if n, faults := Parse(text, wide); (n != nil && faults == nil) != want {
				t.Errorf("%s: %v", text, faults)
			}
		}
	}
}

// hostile are texts of n bytes or so that are hard on a reader.
var hostile = map[string]func(n int) string{
	"brackets":        func(n int) string { return strings.Repeat("[", n) },
	"braces":          func(n int) string { return strings.Repeat("{a: ", n/4) },
	"dashes":          func(n int) string { return strings.Repeat("- ", n/2) },
	"entries":         func(n int) string { return strings.Repeat("-\n", n/2) },
	"keys":            func(n int) string { return strings.Repeat("a:\n", n/3) },
	"colons":          func(n int) string { return strings.Repeat("a: ", n/3) },
	"commas":          func(n int) string { return "[" + strings.Repeat("a,", n/2) + "]" },
	"pairs":           func(n int) string { return "[" + strings.Repeat("é: b,", n/6) + "]" },
	"quotes":          func(n int) string { return strings.Repeat("'", n) },
	"double quotes":   func(n int) string { return strings.Repeat("\"", n) },
	"quoted lines":    func(n int) string { return "'" + strings.Repeat("a\n \n", n/4) + "'" },
	"escapes":         func(n int) string { return "\"" + strings.Repeat("\\t\\\n", n/4) + "\"" },
	"comments":        func(n int) string { return strings.Repeat("#\n", n/2) + "a" },
	"a long comment":  func(n int) string { return "a #" + strings.Repeat("é", n/2) },
	"a long line":     func(n int) string { return "a: " + strings.Repeat("é ", n/3) },
	"lines":           func(n int) string { return strings.Repeat("a\n", n/2) },
	"empty lines":     func(n int) string { return "a" + strings.Repeat("\n", n) + "b" },
	"space":           func(n int) string { return "a" + strings.Repeat(" ", n) + "b" },
	"a block":         func(n int) string { return "a: >\n" + strings.Repeat(" é\n\n", n/5) },
	"a block's space": func(n int) string { return "a: |\n" + strings.Repeat(strings.Repeat(" ", 1000)+"\n", n/1000) },
	"a long indent":   func(n int) string { return strings.Repeat(" ", n) + "a" },
	"anchors":         func(n int) string { return strings.Repeat("&a ", n/3) },
	"aliases":         func(n int) string { return "[" + strings.Repeat("*a,", n/3) + "]" },
	"ends":            func(n int) string { return "a\n" + strings.Repeat("...\n", n/4) },
	"documents":       func(n int) string { return strings.Repeat("---\n", n/4) },
	"a number":        func(n int) string { return strings.Repeat("1", n) },
	"underscores":     func(n int) string { return "0" + strings.Repeat("_", n) },
	"a wide key":      func(n int) string { return strings.Repeat("é", n/2) + ": a" },
	"wide keys":       func(n int) string { return "{" + strings.Repeat("é ", n/3) + ": a}" },
}

// TestHostileTexts: a text of 1 MiB is read or refused soon, whatever is in it,
// and one twice as long in not much more than twice the time.
func TestHostileTexts(t *testing.T) {
	const most = 10 * time.Second // on a slow machine with others; a quadratic reader takes minutes
	for name, text := range hostile {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			n, faults := Parse(text(1<<20), Limits{Depth: 24, Nodes: 1 << 20})
			if took := time.Since(start); took > most {
				t.Errorf("it took %v", took)
			}
			if n == nil && len(faults) == 0 {
				t.Error("neither a value nor a fault")
			}
		})
	}
}

// TestPrefixes: a text that is cut anywhere is read or refused.
func TestPrefixes(t *testing.T) {
	for _, text := range features {
		for i := range text {
			if n, faults := Parse(text[:i], wide); n == nil && len(faults) == 0 {
				t.Errorf("%q: neither a value nor a fault", text[:i])
			}
		}
	}
}

func BenchmarkParse(b *testing.B) {
	text := fmt.Sprintf("schema: 1\nid: a\nversion: 1.0.0\ntitle: {en: A, zh: 甲}\nwhen:\n%sthen: [{wait: 1s}] # enough\n", strings.Repeat("  - {signal: Vehicle.Speed, changes: true}\n", 10))
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, faults := Parse(text, wide); faults != nil {
			b.Fatal(faults)
		}
	}
}
