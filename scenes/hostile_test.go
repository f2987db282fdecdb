package scenes

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// within is far more than any text of 64 KiB may take to be read or refused.
const within = 5 * time.Second

// hostile are cards that are made to hurt, and a part of what each is refused
// with, at a place.
var hostile = []struct{ name, text, want string }{
	{"aliases that multiply", laughs(), "anchor `&a` is not allowed"},
	{"an alias of itself", "schema: &a [*a]\n", "anchor `&a` is not allowed"},
	{"a merge of merges", "a: &a {x: 1}\nb: {<<: [*a, *a, *a]}\n", "merge key `<<` is not allowed"},
	{"16,000 keys", keys(16_000), "card.yaml: is longer than 64 KiB"},
	{"10,000 keys", keys(10_000), "card.yaml: is longer than 64 KiB"},
	{"5,000 keys", keys(5_000), "too many values"},
	{"2,000 keys", keys(2_000), "unknown key `k0` in the card"},
	{"10,000 keys in one line", "{" + strings.Repeat("a,", 10_000) + "}", "too many values"},
	{"2,000 keys in one line", "{" + strings.Repeat("a,", 2_000) + "}", "duplicate key `a`"},
	{"a long list", "when: [" + strings.Repeat("1,", 20_000) + "]", "too many values"},
	{"brackets", strings.Repeat("[", 60_000), "nested more than 24 deep"},
	{"braces", strings.Repeat("{a: ", 15_000), "nested more than 24 deep"},
	{"dashes", strings.Repeat("- ", 30_000), "nested more than 24 deep"},
	{"indentation", stairs(300), "nested more than 24 deep"},
	{"conditions deep in conditions", card("only_if: [" + strings.Repeat("{not: ", 30) + "{state: parked}" + strings.Repeat("}", 30) + "]"), "nested more than 24 deep"},
	{"an expression of brackets", card("only_if: [{expr: \"" + strings.Repeat("(", 60_000) + "\"}]"), "nests more than 10 deep"},
	{"an expression of signs", card("only_if: [{expr: \"" + strings.Repeat("-", 60_000) + "1 > 2\"}]"), "nests more than 10 deep"},
	{"an expression of nots", card("only_if: [{expr: \"" + strings.Repeat("not ", 15_000) + "true\"}]"), "nests more than 10 deep"},
	{"an expression of sums", card("only_if: [{expr: \"" + strings.Repeat("1+", 30_000) + "1 > 2\"}]"), "more than 64 operands"},
	{"an expression of units", card("only_if: [{expr: \"" + strings.Repeat("1 km/h+", 8_000) + "1 km/h > 2 km/h\"}]"), "more than 64 operands"},
	{"an endless word", card("only_if: [{expr: \"" + strings.Repeat("a", 60_000) + "\"}]"), "is neither a signal nor a word"},
	{"an endless number", card("only_if: [{expr: \"" + strings.Repeat("9", 60_000) + " > 1\"}]"), "too large a number"},
	{"not a number", card("cooldown: .nan"), "`.nan` is not a duration"},
	{"not a number to rise above", trigger("rises_above: .NaN, unit: km/h"), "`.NaN` is not a decimal number"},
	{"infinity to rise above", trigger("rises_above: -.inf, unit: km/h"), "`-.inf` is not a decimal number"},
	{"infinity by exponent", trigger("rises_above: 1e309, unit: km/h"), "too large a number"},
	{"infinity by unit", trigger("rises_above: 1.7e308, unit: kn"), "is too large a number in km/h"},
	{"infinity in an expression", card("only_if: [{expr: Vehicle.Speed < 1e309 km/h}]"), "too large a number"},
	{"a number of many digits", trigger("rises_above: 0." + strings.Repeat("1", 50_000) + ", unit: km/h, held_for: 1d"), "`1d` is not a duration"},
	{"the year 10000", trigger("becomes: 10000-01-01"), "is a number"},
	{"a date as a duration", card("cooldown: 9999-12-31"), "`9999-12-31` is not a duration"},
	{"base 60", card("cooldown: 190:20:30"), "`190:20:30` is not a duration"},
	{"longer than a year", card("cooldown: 99999999999999999999h"), "longest duration"},
	{"a duration of many digits", card("cooldown: 0." + strings.Repeat("0", 20_000) + "1s"), "finer than a nanosecond"},
	{"a homoglyph id", id("hоt-cabin"), "is not an id"}, // the o is Cyrillic
	{"a full-width id", id("ｈｏｔ"), "is not an id"},
	{"an id with a joiner", id("hot\u200dcabin"), "is not an id"},
	{"an id that turns around", id("\u202egnp"), "is not an id"},
	{"a path as id", id("../../etc/passwd"), "is not an id"},
	{"an absolute id", id("/dev/null"), "is not an id"},
	{"a dot as id", id("."), "is not an id"},
	{"an option as id", id("-rf"), "is not an id"},
	{"an id with a NUL", id("\"a\\0b\""), "is not an id"},
	{"an id with a newline", id("\"a\\nb\""), "is not an id"},
	{"an id of 65", id(strings.Repeat("a", 65)), "is not an id"},
	{"a path as parent", card("derived_from: ../x@1.0.0"), "is not a card and its version"},
	{"a path trick as signal", strings.Replace(trigger("changes: true"), "Vehicle.Speed", "../../Vehicle.Speed", 1), "is not a signal of the vehicle profile"},
	{"a homoglyph signal", strings.Replace(trigger("changes: true"), "Vehicle.Speed", "Vehicle.Sреed", 1), "is not a signal of the vehicle profile"},
	{"a NUL", "schema: 1\x00\n", "the control character U+0000 is not allowed"},
	{"a byte order mark twice", "\ufeff\ufeffschema: 1\n", ""},
	{"UTF-16", "\xff\xfes\x00c\x00", "is not UTF-8 text"},
	{"a surrogate", "schema: \xed\xa0\x80\n", "is not UTF-8 text"},
	{"an overlong slash", "schema: \xc0\xaf\n", "is not UTF-8 text"},
	{"a tag that builds", "schema: !!python/object/apply:os.system [ls]\n", "tag `!!python/object/apply:os.system` is not allowed"},
	{"binary", "schema: !!binary aGVsbG8=\n", "tag `!!binary` is not allowed"},
	{"documents", strings.Repeat("---\nschema: 1\n", 4_000), "a second document begins"},
	{"a directive", "%TAG ! tag:evil,2000:\n---\nschema: !x 1\n", "directives such as %YAML are not read"},
	{"a complex key", "? {a: b}\n: 1\n", "keys with `?` are not read"},
}

// laughs is the billion laughs: nine levels of nine aliases.
func laughs() string {
	var b strings.Builder
	b.WriteString("a: &a [x,x,x,x,x,x,x,x,x]\n")
	for c := 'b'; c < 'k'; c++ {
		fmt.Fprintf(&b, "%c: &%c [%s]\n", c, c, strings.TrimSuffix(strings.Repeat("*"+string(c-1)+",", 9), ","))
	}
	return b.String()
}

func keys(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "k%d: 1\n", i)
	}
	return b.String()
}

func stairs(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}

// card is a good card with one more line.
func card(line string) string {
	return "schema: 1\nid: a\nversion: 1.0.0\ntitle: {en: A}\nwhen: [{signal: Vehicle.Speed, changes: true}]\nthen: [{wait: 1s}]\n" + line + "\n"
}

func id(id string) string { return strings.Replace(card(""), "id: a", "id: "+id, 1) }

func trigger(what string) string {
	return strings.Replace(card(""), "changes: true", what, 1)
}

// Each is refused, soon, with a message at a place and of a length that a
// person can read.
func TestHostileCards(t *testing.T) {
	v := bench(t)
	for _, c := range hostile {
		t.Run(c.name, func(t *testing.T) {
			start := time.Now()
			card, err := ParseCard("card.yaml", []byte(c.text))
			if err == nil {
				_, err = Compile(v, []*Card{card})
			}
			if took := time.Since(start); took > within {
				t.Errorf("it took %v", took)
			}
			var ds Diagnostics
			if !errors.As(err, &ds) || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("refused with %.300v, want %s", err, c.want)
			}
			for _, d := range ds {
				if len(d.What) > 4*maxWhat {
					t.Errorf("a message of %d bytes: %.100s …", len(d.What), d.What)
				}
			}
		})
	}
}

// A directory of hostile names is read like any other.
func TestHostileFileNames(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"..yaml", "-rf.yaml", "a\nb.yaml", "ünï.yaml", "x; rm.yaml"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(card("")), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("loop.yaml", filepath.Join(dir, "loop.yaml")); err != nil {
		t.Fatal(err)
	}
	_, err := LoadCards(dir)
	var ds Diagnostics
	if !errors.As(err, &ds) || len(ds) != 5 || !strings.Contains(err.Error(), "loop.yaml: cannot be read: too many levels of symbolic links") {
		t.Errorf("%d findings in %v; want the loop, and four times the same id", len(ds), err)
	}
}
