package scenes

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"vignette/scenes/engine"
)

// exprCar has a signal of each kind, and lengths in two units.
const exprCar = `schema: 1
id: x
version: 1
buses:
  b: {dbc: [x.dbc]}
signals:
  Private.Go: {from: b.M0.Go, stale_after: never}
  Private.N: {from: b.M1.S, stale_after: never}
  Private.M: {from: b.M2.S, stale_after: never}
  Private.Half: {from: b.M3.S, stale_after: never}
  Private.Listed: {from: b.M4.S, values: {1: 10, 2: 20}, stale_after: never}
  Private.Kmh: {from: b.M5.S, unit: km/h, stale_after: never}
  Private.Mph: {from: b.M6.S, unit: mph, stale_after: never}
  Private.Inside: {from: b.M7.S, unit: Celsius, stale_after: never}
  Private.Outside: {from: b.M8.S, unit: Fahrenheit, stale_after: never}
  Private.Long: {from: b.M9.S, unit: km, stale_after: never}
  Private.Short: {from: b.M10.S, unit: mm, stale_after: never}
  Private.Yes: {from: b.M11.S, values: {0: false, 1: true}, stale_after: never}
  Private.Label: {from: b.M12.S, values: {0: RED, 1: GREEN, 2: "it's"}, stale_after: never}
  Private.Fan: {from: b.M13.S, unit: percent, stale_after: never}
actions:
  mark: {params: {}, states: [moving]}
`

func exprVehicle(t testing.TB) *Vehicle {
	t.Helper()
	db := "VERSION \"\"\nNS_ :\nBS_:\nBU_: A\nBO_ 100 M0: 8 A\n SG_ Go : 0|32@1+ (1,0) [0|0] \"\" A\n"
	for i := 1; i <= 13; i++ {
		factor := "1"
		if i == 3 || i == 8 {
			factor = "0.5"
		}
		db += fmt.Sprintf("BO_ %d M%d: 8 A\n SG_ S : 0|16@1- (%s,0) [0|0] \"\" A\n", 100+i, i, factor)
	}
	v, err := parseVehicle("x.yaml", []byte(exprCar), func(string) ([]byte, error) { return []byte(db), nil })
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// exprCard is a card with an expression, written as YAML writes it.
func exprCard(expr string) string {
	return "schema: 1\nid: a\nversion: 1.0.0\ntitle: {en: A}\nwhen:\n  - {signal: Private.Go, changes: true}\nonly_if:\n  - expr: " + expr + "\nthen:\n  - {do: mark}\n"
}

func compileExpr(v *Vehicle, yaml string) (*Program, error) {
	c, err := ParseCard("c", []byte(exprCard(yaml)))
	if err != nil {
		return nil, err
	}
	return Compile(v, []*Card{c})
}

// Columns count from the `expr` line's own: the expression begins in column 11.
func TestExprErrors(t *testing.T) {
	v := exprVehicle(t)
	deep := strings.Repeat("(", 11) + "Private.N" + strings.Repeat(")", 11) + " > 1"
	for _, c := range []struct{ expr, want string }{
		{"Private.N >", "22: the expression ends too early; give a signal, a number, a label in quotes, or ("},
		{"Private.N > )", "23: `)` cannot stand here; give a signal, a number, a label in quotes, or ("},
		{"Private.N 5", "21: `5` does not continue the expression; join conditions with `and` or `or`"},
		{"1 < Private.N <= 3", "25: `<=` does not continue the expression; join conditions with `and` or `or`, and write between(x, low, high) for a range"},
		{"Private.N = 5", "21: `=` is not part of the language; write `==`"},
		{"Private.N ≤ 5", "21: `≤` is not part of the language; write `<=`"},
		{"Private.N => 5", "21: `=>` is not part of the language; write `>=`"},
		{"Private.N > 1 || Private.Yes", "25: `||` is not part of the language; write `or`"},
		{"(Private.N > 1", "25: `(` at 8:11 is not closed; add `)` (the expression ends here)"},
		{"(Private.N > 1 Private.M", "26: `(` at 8:11 is not closed; add `)` (found `Private.M`)"},
		{"Private.N > 1 AND Private.Yes", "25: `AND` does not continue the expression; join conditions with `and` or `or`"},
		{"Private.N ^ 2 > 1", "21: `^` is not part of the language"},
		{"Private.N > 0x10", "24: `x10` is not a known unit; use VSS's names, such as km/h, Celsius or percent"},
		{"Private.N > 01", "23: `01` is not a decimal number; write it like 12 or 0.5, without leading zeros"},
		{"Private.N > 1.", "23: `1.` is not a decimal number; write it like 12 or 0.5, without leading zeros"},
		{"Private.N > 1e400", "23: `1e400` is too large a number; correct it"},
		{"Private.N > nan", "23: `nan` is neither a signal nor a word of the language; labels stand in quotes"},
		{"Private.N > inf", "23: `inf` is neither a signal nor a word of the language; labels stand in quotes"},
		{"Private.Kmh > 5 kmp/h", "27: `kmp/h` is not a known unit; did you mean `km/h`?"},
		{"Private.Kmh > 5", "23: `>`: the left side is a speed (km/h), the right side a number without a unit; give both a unit, such as 5 km/h"},
		{"Private.N > 5 km/h", "21: `>`: the left side is a number without a unit, the right side a speed (km/h); give both a unit, such as 5 km/h"},
		{"Private.Kmh + Private.Inside > 5 km/h", "23: `+`: the left side is a speed (km/h), the right side a temperature (Celsius); they do not mix"},
		{"Private.Fan * Private.Kmh > 5 km/h", "23: `*`: a ratio (percent) and a speed (km/h) cannot be multiplied; one side of `*` has no unit"},
		{"Private.Kmh / Private.Fan > 5 km/h", "23: `/`: a speed (km/h) and a ratio (percent) cannot be divided; divide by a number without unit, or by one of the same kind"},
		{"1 / Private.Kmh > 5", "13: `/`: a number without a unit and a speed (km/h) cannot be divided; divide by a number without unit, or by one of the same kind"},
		{"Private.Inside + Private.Outside > 5 Celsius", "26: `+`: the left side is a temperature (Celsius), the right side a temperature (Celsius); only a difference can be added to a temperature or taken from it, such as a + 2 K or a + (b - a) / 2"},
		{"Private.Inside - Private.Outside > 5 Celsius", "44: `>`: the left side is a difference of temperatures (K), the right side a temperature (Celsius); write a difference in K, and a temperature in Celsius or Fahrenheit"},
		{"Private.Inside > 280 K", "26: `>`: the left side is a temperature (Celsius), the right side a difference of temperatures (K); write a difference in K, and a temperature in Celsius or Fahrenheit"},
		{"Private.Inside * 2 > 5 Celsius", "26: `*` of a temperature depends on where the scale has its zero; use a difference, such as a - b"},
		{"abs(Private.Inside) > 5 Celsius", "11: `abs` of a temperature depends on where the scale has its zero; use a difference, such as a - b"},
		{"5 K - Private.Inside < 5 Celsius", "15: `-`: the left side is a difference of temperatures (K), the right side a temperature (Celsius); only a difference can be added to a temperature or taken from it, such as a + 2 K or a + (b - a) / 2"},
		{"Private.Half == 1", "11: `==`: this is not always a whole number, so equality would miss it; compare with < and >, or use between(x, low, high)"},
		{"Private.N / 2 == 1", "11: `==`: this is not always a whole number, so equality would miss it; compare with < and >, or use between(x, low, high)"},
		{"Private.Kmh == Private.Mph", "26: `==`: this is not always a whole number, so equality would miss it; compare with < and >, or use between(x, low, high)"},
		{"Private.N == 1.5", "24: Private.N is always a whole number, never 1.5; correct the value"},
		{"15 == Private.Listed", "11: Private.Listed is never 15; its values are `10` and `20`"},
		{"Private.Label == \"BLUE\"", "28: `BLUE` is never a value of Private.Label; its values are `RED`, `GREEN` and `it's`"},
		{"Private.Label == RED", "28: `RED` is neither a signal nor a word of the language; labels stand in quotes"},
		{"Private.Label == 1", "25: `==`: the left side is a label, the right side a number without a unit; they are never equal"},
		{"Private.Label < \"RED\"", "11: `<` takes numbers; this is a label"},
		{"Private.Label == Private.Label", "25: `==`: labels of two signals cannot be compared; compare each with a label in quotes"},
		{"Private.N > 1 and 'a' == 'b'", "33: `==`: neither side is a signal; compare one with a label"},
		{"Private.Label", "11: the expression gives a label; compare it, such as Private.Label > 5"},
		{"Private.Yes + 1 > 1", "11: `+` takes numbers; this is true or false"},
		{"Private.Yes == 1", "23: `==`: the left side is true or false, the right side a number without a unit; they are never equal"},
		{"Private.N + 1", "11: the expression gives a number without a unit; compare it, such as … > 5"},
		{"not Private.Kmh", "15: `not` takes what is true or false; this is a speed (km/h): compare it, such as Private.Kmh > 5 km/h"},
		{"Private.N > 1 and Private.Label", "29: `and` takes what is true or false; this is a label: compare it with == or !="},
		{"min(Private.N) > 1", "11: `min` has 1 operands; write min(x, y, …)"},
		{"between(Private.N, 1) ", "11: `between` has 2 operands; write between(x, low, high)"},
		{"abs Private.N > 1", "11: `abs` is a function; write abs(x)"},
		{"abs() > 1", "15: `)` cannot stand here; give a signal, a number, a label in quotes, or ("},
		{"median(Private.N, 2) > 1", "11: `median` is not a function; known are `min`, `max`, `abs` and `between`"},
		{"betwen(Private.N, 2, 3)", "11: `betwen` is not a function; did you mean `between`?"},
		{"state == 'parked' and Private.Yes", "11: `state` is not part of an expression; write a condition of its own beside it, such as {state: parked}"},
		{"Private.Nn > 1", "11: `Private.Nn` is not a signal of the vehicle profile; did you mean `Private.N`?"},
		{"Private.Label == \"RED", "28: the label has no closing \"; add it"},
		{"Private.Label == ''", "28: the label is empty; write one"},
		{"true or 1 < 2", "11: the expression names no signal, so it is always the same; compare one"},
		{"Private.Long > 1e308 km", "0"},
		{"Private.Short > 1e308 km", "27: 1" + strings.Repeat("0", 308) + " km is too large a number in mm"},
		{deep, "21: the expression nests more than 10 deep; split it into several conditions"},
		{strings.Repeat("-", 12) + "Private.N > 1", "21: the expression nests more than 10 deep; split it into several conditions"},
		{strings.Repeat("abs(", 10) + "Private.N" + strings.Repeat(")", 10) + " > 1", "11: the expression nests more than 10 deep; split it into several conditions"},
		{strings.Repeat("Private.N + ", 31) + "Private.N > 1", "0"}, // 32 + 31 + 1 + 1 = 65
	} {
		_, err := compileExpr(v, c.expr)
		want := "c:8:" + c.want
		switch {
		case c.want == "0" && strings.Contains(c.expr, "+"):
			want = "c:8:11: the expression has more than 64 operands, operators and functions; split it into several conditions"
		case c.want == "0":
			if err != nil {
				t.Errorf("%s: %v", c.expr, err)
			}
			continue
		}
		var ds Diagnostics
		if !errors.As(err, &ds) || ds.Error() != want {
			t.Errorf("%s\ngot  %v\nwant %s", c.expr, err, want)
		}
	}
}

// The same mistake is found in its place however YAML writes the text.
func TestExprPlaces(t *testing.T) {
	v := exprVehicle(t)
	for _, c := range []struct{ yaml, want string }{
		{"Private.N > nope", "c:8:23"},
		{"'Private.N > nope'", "c:8:24"},
		{"'Private.Label == ''RED'' and nope'", "c:8:41"},
		{`"Private.N > nope"`, "c:8:24"},
		{`"Private.Label == \"RED\" and nope"`, "c:8:41"},
		{`"Private\u002eN > nope"`, "c:8:29"},
		{"Private.N > 5\n      and nope", "c:9:11"},
		{"|\n      Private.N > 5\n      and nope\n", "c:10:11"},
		{">-\n      Private.N > 5\n\n      and nope\n", "c:11:11"},
		{"\"Private.N > 5 \\\n      and nope\"", "c:9:11"},
		{"Private.Inside > 5 °C and nope", "c:8:37"},
		{"'Private.N >'", "c:8:23"},
		{"|\n      Private.N >\n", "c:9:18"},
	} {
		_, err := compileExpr(v, c.yaml)
		if err == nil || !strings.HasPrefix(err.Error(), c.want+":") {
			t.Errorf("%q: %v, want %s", c.yaml, err, c.want)
		}
	}
}

// What the compiler makes of units, signs and chains.
func TestExprTerms(t *testing.T) {
	v := exprVehicle(t)
	mile := 1.609344
	for _, c := range []struct {
		expr string
		want engine.Expr
	}{
		{"Private.Kmh > 5 m/s", engine.Expr{{Op: engine.Reading, Slot: 1, X: 1}, {Op: engine.Constant, X: 18}, {Op: engine.Greater}}},
		{"5 mph < Private.Kmh", engine.Expr{{Op: engine.Constant, X: 5 * mile}, {Op: engine.Reading, Slot: 1, X: 1}, {Op: engine.Less}}},
		{"Private.Long > Private.Short", engine.Expr{{Op: engine.Reading, Slot: 1, X: 1}, {Op: engine.Reading, Slot: 2, X: 1e-6}, {Op: engine.Greater}}},
		{"2 * Private.Short / Private.Long > 1", engine.Expr{{Op: engine.Constant, X: 2}, {Op: engine.Reading, Slot: 2, X: 1}, {Op: engine.Multiply},
			{Op: engine.Reading, Slot: 1, X: 1e6}, {Op: engine.Divide}, {Op: engine.Constant, X: 1}, {Op: engine.Greater}}},
		{"Private.Kmh / 2 km/h * Private.Short > 1 m", engine.Expr{{Op: engine.Reading, Slot: 1, X: 1}, {Op: engine.Constant, X: 2}, {Op: engine.Divide},
			{Op: engine.Reading, Slot: 2, X: 1}, {Op: engine.Multiply}, {Op: engine.Constant, X: 1000}, {Op: engine.Greater}}},
		{"Private.Inside < -40 °F", engine.Expr{{Op: engine.Reading, Slot: 1, X: 1}, {Op: engine.Constant, X: -40}, {Op: engine.Less}}},
		{"Private.Inside - 5 K > 0 Celsius", engine.Expr{{Op: engine.Reading, Slot: 1, X: 1}, {Op: engine.Constant, X: 5}, {Op: engine.Subtract}, {Op: engine.Constant}, {Op: engine.Greater}}},
		{"Private.Label != 'GREEN'", engine.Expr{{Op: engine.Reading, Slot: 1, X: 1}, {Op: engine.Constant, X: 1}, {Op: engine.NotEqual}}},
		{"min(Private.N, 2, 3) <= -Private.N", engine.Expr{{Op: engine.Reading, Slot: 1, X: 1}, {Op: engine.Constant, X: 2}, {Op: engine.Least}, {Op: engine.Constant, X: 3},
			{Op: engine.Least}, {Op: engine.Reading, Slot: 1, X: 1}, {Op: engine.Negate}, {Op: engine.LessEqual}}},
		{"between(Private.Fan, 10 %, 0.5 ratio)", engine.Expr{{Op: engine.Reading, Slot: 0, X: 1}, {Op: engine.Constant, X: 10}, {Op: engine.Constant, X: 50}, {Op: engine.Inside}}},
	} {
		p, err := compileExpr(v, c.expr)
		if err != nil {
			t.Errorf("%s: %v", c.expr, err)
			continue
		}
		got := p.Engine.Cards[0].OnlyIf[0][0].Expr
		if fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%s is\n%v\nwant\n%v", c.expr, got, c.want)
		}
		if places := p.Cards[0].OnlyIf[0].Expr.Places(); len(places) != len(got) {
			t.Errorf("%s has %d places for %d terms", c.expr, len(places), len(got))
		}
	}
}

// Whatever the text, it is compiled or refused at a place in it.
func FuzzExpr(f *testing.F) {
	for _, seed := range []string{"Private.N > 1", "between(Private.Kmh, 1 mph, 2 km/h) and not Private.Yes", "Private.Label == 'RED' or abs(-Private.N/2) >= 1e3",
		"Private.Inside + 2 K < 70 °F", "min(1,2,3)<max(Private.N,4)", "((((", "1 1/min", "Private.N > 5 hp(M)"} {
		f.Add(seed)
	}
	v := exprVehicle(f)
	f.Fuzz(func(t *testing.T, text string) {
		r := &reader{file: "c"}
		places := make([]Pos, len([]rune(text))+1)
		for i := range places {
			places[i] = Pos{1, i + 1}
		}
		e := readExpr(r, text, places)
		if e == nil {
			checkFuzzed(t, r.diags.err())
			if len(r.diags) != 1 {
				t.Fatalf("%q: no expression, and %d reasons", text, len(r.diags))
			}
			return
		}
		b := builder{v: v, diags: &r.diags, file: "c", slot: func(string) int { return 0 }}
		terms := b.expr(e)
		if (terms == nil) != (len(r.diags) > 0) && len(r.diags) == 0 {
			t.Fatalf("%q: no terms and no reason", text)
		}
		if len(r.diags) == 0 && len(terms) != len(e.Places()) {
			t.Fatalf("%q: %d terms at %d places", text, len(terms), len(e.Places()))
		}
		checkFuzzed(t, r.diags.err())
	})
}
