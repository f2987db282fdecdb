package scenes

import (
	"math"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"time"

	"vignette/scenes/engine"
	"vignette/scenes/yaml"
)

// Literal is a value as a card or profile writes it, before units.
type Literal struct {
	Pos  Pos
	Kind engine.ValueKind // None: absent
	Num  float64          // Number; 0 or 1 for Bool
	Text string           // Label
}

// String writes the literal as the card does.
func (l Literal) String() string {
	switch l.Kind {
	case engine.Bool:
		return strconv.FormatBool(l.Num == 1)
	case engine.Label:
		return l.Text
	}
	return show(l.Num)
}

// show writes a number in shortest round-trip form.
func show(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

// bare reports whether a scalar is written without quotes.
func bare(n *yaml.Node) bool {
	return n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) == 0
}

// scalar reports whether n is a scalar with a value, and notes it if not.
func (r *reader) scalar(n *yaml.Node, wanted string) bool {
	if r.shape(n, anyScalar) {
		return false
	}
	switch {
	case n.Kind == yaml.AliasNode:
		return false // noted by strict
	case n.Kind != yaml.ScalarNode:
		r.wrong(n, "%s is wanted here; found %s", wanted, describe(n))
		return false
	case n.Tag == "!!null":
		r.empty(n, wanted)
		return false
	}
	return true
}

// text reads a text that is not empty.
func (r *reader) text(n *yaml.Node) string {
	if r.shape(n, textShape) {
		return ""
	}
	if !r.scalar(n, "a text") {
		return ""
	}
	switch n.Tag {
	case "!!bool", "!!int", "!!float":
		r.wrong(n, "a text is wanted here; found %s; put it in quotes", describe(n))
		return ""
	}
	if strings.TrimSpace(n.Value) == "" {
		r.wrong(n, "the text is empty; write something")
		return ""
	}
	return n.Value
}

// pattern reads a text that matches; want tells the reader of a message what does.
func (r *reader) pattern(n *yaml.Node, p pattern, want string) string {
	if r.shapes != nil {
		r.shape(n, shape{"type": "string", "pattern": p.text, "description": want})
		return ""
	}
	if !r.scalar(n, want) {
		return ""
	}
	if !p.fits(n.Value) {
		r.wrong(n, "`%s` is not %s", n.Value, want)
		return ""
	}
	return n.Value
}

// word reads one of a few words.
func (r *reader) word(n *yaml.Node, words ...string) string {
	if r.shapes != nil {
		r.shape(n, shape{"enum": words})
		return ""
	}
	if !r.scalar(n, "one of "+quoted(words)) {
		return ""
	}
	switch {
	case slices.Contains(words, n.Value):
		return n.Value
	case len(words) == 1:
		r.wrong(n, "`%s` is not known; write `%s`, or leave the key out", n.Value, words[0])
	default:
		r.wrong(n, "`%s` is not one of %s%s", n.Value, quoted(words), hint(n.Value, words))
	}
	return ""
}

// boolean reads true or false, and nothing else that YAML may take for them.
func (r *reader) boolean(n *yaml.Node) bool {
	if r.shape(n, boolShape) {
		return false
	}
	if !r.scalar(n, "`true` or `false`") {
		return false
	}
	if !bare(n) || n.Value != "true" && n.Value != "false" {
		r.wrong(n, "`%s` is not a boolean; write `true` or `false`", n.Value)
	}
	return n.Value == "true"
}

// number reads a finite decimal number.
func (r *reader) number(n *yaml.Node) (float64, bool) {
	if r.shape(n, numShape) {
		return 0, true
	}
	if !r.scalar(n, "a number") {
		return 0, false
	}
	digits := isDecimal(n.Value)
	switch {
	case digits && !bare(n):
		r.wrong(n, "a number is wanted here; found %s; remove the quotes", describe(n))
		return 0, false
	case !digits && n.Tag != "!!int" && n.Tag != "!!float":
		r.wrong(n, "a number is wanted here; found %s", describe(n))
		return 0, false
	}
	if !digits {
		r.wrong(n, "`%s` is not a decimal number; write it like 12, -3 or 0.5, without NaN, infinity, hexadecimal or leading zeros", n.Value)
		return 0, false
	}
	x, err := strconv.ParseFloat(n.Value, 64)
	if err != nil {
		r.wrong(n, "`%s` is too large a number; correct it", n.Value)
		return 0, false
	}
	return x + 0, true // no -0
}

// whole reads a whole number within [lo, hi].
func (r *reader) whole(n *yaml.Node, lo, hi int) int {
	if r.shapes != nil {
		r.shape(n, shape{"type": "integer", "minimum": lo, "maximum": hi})
		return lo
	}
	x, ok := r.number(n)
	if !ok {
		return lo
	}
	if x != math.Trunc(x) || x < float64(lo) || x > float64(hi) {
		r.wrong(n, "`%s` is not a whole number from %d to %d", n.Value, lo, hi)
		return lo
	}
	return int(x)
}

// literal reads a number, a boolean or a label.
func (r *reader) literal(n *yaml.Node) Literal {
	if r.shape(n, anyScalar) {
		return Literal{}
	}
	if !r.scalar(n, "a number, a boolean or a label") {
		return Literal{}
	}
	switch n.Tag {
	case "!!bool":
		l := Literal{Pos: at(n), Kind: engine.Bool}
		if r.boolean(n) {
			l.Num = 1
		}
		return l
	case "!!int", "!!float":
		return r.numeral(n)
	}
	if bare(n) && isDecimal(n.Value) {
		return r.numeral(n) // too large for YAML
	}
	if n.Value == "" {
		r.wrong(n, "the label is empty; write one")
		return Literal{}
	}
	return Literal{Pos: at(n), Kind: engine.Label, Text: n.Value}
}

// numeral reads a number as a literal.
func (r *reader) numeral(n *yaml.Node) Literal {
	x, ok := r.number(n)
	if !ok {
		return Literal{}
	}
	return Literal{Pos: at(n), Kind: engine.Number, Num: x}
}

var (
	durationUnit = map[string]time.Duration{"us": time.Microsecond, "ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour}
)

// span writes a duration the way cards do, without what is zero.
func span(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}

const durationWant = "a duration: a decimal number with us, ms, s, m or h, such as 20s or 1.5m"

// maxDuration bounds every duration of a card or profile: one year.
const maxDuration = 365 * 24 * time.Hour

// duration reads a duration of at least least, exact to the nanosecond.
func (r *reader) duration(n *yaml.Node, least time.Duration) time.Duration {
	if r.shape(n, spanShape) {
		return 0
	}
	if !r.scalar(n, durationWant) {
		return 0
	}
	d, fault := parseDuration(n.Value)
	switch {
	case fault != "":
		r.wrong(n, "`%s` %s", n.Value, fault)
		return 0
	case d < least:
		r.wrong(n, "`%s` is too short; it must be above 0", n.Value)
	}
	return d
}

// decimals is what the digits after a decimal point are of a unit of at most an
// hour; exact is false where that is no whole number.
func decimals(digits string, unit uint64) (part uint64, exact bool) {
	digits = strings.TrimRight(digits, "0")
	if len(digits) > 18 { // an hour in ns is 2^13 · 3² · 5^11: more than 13 digits are never exact
		return 0, false
	}
	ten := uint64(1)
	for i := range digits {
		part, ten = 10*part+uint64(digits[i]-'0'), 10*ten
	}
	high, low := bits.Mul64(part, unit)
	part, rest := bits.Div64(high, low, ten)
	return part, rest == 0
}

// parseDuration reads a duration exactly; fault says what is wrong with it.
func parseDuration(text string) (d time.Duration, fault string) {
	if !isDuration(text) {
		return 0, "is not " + durationWant
	}
	number, name := cutDuration(text)
	before, after, _ := strings.Cut(number, ".")
	whole, err := strconv.ParseUint(before, 10, 64)
	unit := uint64(durationUnit[name])
	part, exact := decimals(after, unit)
	switch {
	case !exact:
		return 0, "is finer than a nanosecond; round it"
	case err != nil || whole > uint64(maxDuration)/unit || whole*unit+part > uint64(maxDuration):
		return 0, "is longer than a year (8760h), the longest duration"
	}
	return time.Duration(whole*unit + part), ""
}
