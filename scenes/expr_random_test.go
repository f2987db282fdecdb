package scenes

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"vignette/scenes/engine"
)

// kleene is a value of the second evaluator: a number of 53 bits, or a truth
// as 1, 0 or -1 for unknown; num nil is an unknown number.
type kleene struct {
	num   *big.Float
	truth int
}

func float53() *big.Float { return new(big.Float).SetPrec(53) }

// round is what a float64 makes of a result: unknown beyond its range.
func round(x *big.Float) kleene {
	f, _ := x.Float64()
	if math.IsInf(f, 0) {
		return kleene{}
	}
	return kleene{num: float53().SetFloat64(f)}
}

// exprMaker writes random expressions, each with its value by arithmetic that
// shares nothing with the engine's.
type exprMaker struct {
	*rand.Rand
	signals map[string]kleene // in the signal's own unit
	nodes   int
}

// maker is a quantity that the maker can write: signals, their unit, and
// literals with the exact conversion into it.
var makers = map[string]struct {
	signals []string
	units   []string
	scale   []string
	offset  []string
}{
	"":      {[]string{"Private.N", "Private.M", "Private.Half"}, []string{""}, []string{"1"}, []string{"0"}},
	"speed": {[]string{"Private.Kmh", "Private.Mph"}, []string{" km/h", " mph", "m/s"}, []string{"1", "1609344/1000000", "36/10"}, []string{"0", "0", "0"}},
	"point": {[]string{"Private.Inside", "Private.Outside"}, []string{" Celsius", " °F"}, []string{"1", "5/9"}, []string{"0", "-160/9"}},
	"diff":  {nil, []string{" K"}, []string{"1"}, []string{"0"}},
}

func rational(s string) *big.Float {
	r, _ := new(big.Rat).SetString(s)
	f, _ := r.Float64()
	return float53().SetFloat64(f)
}

// leaf is a signal or a literal of a quantity. Every comparison holds a signal
// of it in front, so that its unit is that of the signals.
func (m *exprMaker) leaf(q string) (string, kleene) {
	m.nodes++
	k := makers[q]
	if len(k.signals) > 0 && m.IntN(2) == 0 {
		return m.signal(q)
	}
	text := strconv.FormatFloat(float64(m.IntN(400)-200)/4, 'f', -1, 64)
	if m.IntN(20) == 0 {
		text = []string{"1e200", "-1e300", "0", "1e-200"}[m.IntN(4)]
	}
	x, _ := strconv.ParseFloat(text, 64)
	i := m.IntN(len(k.units))
	v := float53().SetFloat64(x)
	if i > 0 {
		v = float53().Mul(v, rational(k.scale[i]))
		v = float53().Add(v, rational(k.offset[i]))
	}
	return text + k.units[i], kleene{num: v}
}

func (m *exprMaker) signal(q string) (string, kleene) {
	k := makers[q]
	name := k.signals[m.IntN(len(k.signals))]
	return name, m.signals[name]
}

// number writes a number of a quantity.
func (m *exprMaker) number(q string, depth int) (string, kleene) {
	if depth <= 1 || m.nodes > 40 {
		return m.leaf(q)
	}
	m.nodes++
	switch m.IntN(7) {
	case 0:
		return m.leaf(q)
	case 1:
		return m.sum(q, depth)
	case 2:
		return m.product(q, depth)
	case 3:
		word := []string{"min", "max"}[m.IntN(2)]
		a, x := m.number(q, depth-1)
		b, y := m.number(q, depth-1)
		if x.num == nil || y.num == nil {
			return word + "(" + a + ", " + b + ")", kleene{}
		}
		if (x.num.Cmp(y.num) < 0) != (word == "min") {
			x = y
		}
		return word + "(" + a + ", " + b + ")", x
	case 4:
		if q == "point" {
			break
		}
		a, x := m.number(q, depth-1)
		if x.num != nil {
			x.num = float53().Abs(x.num)
		}
		return "abs(" + a + ")", x
	case 5:
		if q == "point" {
			break
		}
		a, x := m.number(q, depth-2)
		if x.num != nil {
			x.num = float53().Neg(x.num)
		}
		return "-(" + a + ")", x
	}
	a, x := m.number(q, depth-1)
	return "(" + a + ")", x
}

func (m *exprMaker) sum(q string, depth int) (string, kleene) {
	right := q
	left := q
	minus := m.IntN(2) == 0
	if q == "point" {
		right = "diff"
	} else if q == "diff" && m.IntN(2) == 0 {
		left, right, minus = "point", "point", true
	}
	a, x := m.number(left, depth-2)
	if left == "point" && right == "point" {
		a, x = m.signal("point")
	}
	b, y := m.number(right, depth-2)
	if right == "point" || m.IntN(2) == 0 {
		b = "(" + b + ")"
	} else {
		b, y = m.leaf(right)
	}
	op, v := " + ", float53()
	if minus {
		op = " - "
	}
	text := "(" + a + op + b + ")"
	switch {
	case x.num == nil || y.num == nil:
		return text, kleene{}
	case minus:
		v.Sub(x.num, y.num)
	default:
		v.Add(x.num, y.num)
	}
	return text, round(v)
}

func (m *exprMaker) product(q string, depth int) (string, kleene) {
	if q == "point" {
		return m.leaf(q)
	}
	left, right, divide := q, "", m.IntN(2) == 0
	if q == "" && divide && m.IntN(2) == 0 {
		left, right = "speed", "speed"
	}
	a, x := m.number(left, depth-2)
	if left != q {
		a, x = m.signal(left)
	}
	b, y := m.number(right, depth-2)
	op := "*"
	if divide {
		op = "/"
	}
	text := "((" + a + ") " + op + " (" + b + "))"
	switch {
	case x.num == nil || y.num == nil || divide && y.num.Sign() == 0:
		return text, kleene{}
	case divide:
		return text, round(float53().Quo(x.num, y.num))
	}
	return text, round(float53().Mul(x.num, y.num))
}

// truth writes a condition.
func (m *exprMaker) truth(depth int) (string, int) {
	m.nodes++
	switch k := m.IntN(8); {
	case depth > 3 && m.nodes < 30 && k < 3:
		a, x := m.truth(depth - 2)
		b, y := m.truth(depth - 2)
		if k == 0 {
			return "(" + a + " and " + b + ")", conjunction(x, y)
		}
		return "(" + a + " or " + b + ")", opposite(conjunction(opposite(x), opposite(y)))
	case depth > 3 && k < 4:
		a, x := m.truth(depth - 2)
		return "not (" + a + ")", opposite(x)
	case k == 4:
		return "Private.Yes", m.signals["Private.Yes"].truth
	case k == 5:
		v := m.signals["Private.Label"]
		if v.truth < 0 {
			return `Private.Label != "GREEN"`, -1
		}
		return `Private.Label != "GREEN"`, truthInt(v.num.Sign() == 0)
	}
	q := []string{"", "speed", "point", "diff"}[m.IntN(4)]
	return m.comparison(q, depth)
}

func (m *exprMaker) comparison(q string, depth int) (string, int) {
	var a string
	var x kleene
	if q == "diff" {
		one, p := m.signal("point")
		two, o := m.signal("point")
		a = "(" + one + " - " + two + ")"
		if p.num != nil && o.num != nil {
			x = round(float53().Sub(p.num, o.num))
		}
	} else {
		a, x = m.signal(q)
	}
	b, y := m.number(q, depth-1)
	if m.IntN(5) == 0 {
		c, z := m.number(q, depth-1)
		low, high := -1, -1
		if x.num != nil && y.num != nil {
			low = truthInt(y.num.Cmp(x.num) <= 0)
		}
		if x.num != nil && z.num != nil {
			high = truthInt(x.num.Cmp(z.num) <= 0)
		}
		return "between(" + a + ", " + b + ", " + c + ")", conjunction(low, high)
	}
	ops := map[string]func(int) bool{"<": func(c int) bool { return c < 0 }, "<=": func(c int) bool { return c <= 0 },
		">": func(c int) bool { return c > 0 }, ">=": func(c int) bool { return c >= 0 }}
	op := []string{"<", "<=", ">", ">="}[m.IntN(4)]
	if x.num == nil || y.num == nil {
		return a + op + b, -1
	}
	return a + " " + op + " " + b, truthInt(ops[op](x.num.Cmp(y.num)))
}

func truthInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func opposite(x int) int {
	if x < 0 {
		return x
	}
	return 1 - x
}

func conjunction(x, y int) int {
	switch {
	case x == 0 || y == 0:
		return 0
	case x < 0 || y < 0:
		return -1
	}
	return 1
}

// Random expressions over random samples mean the same to the engine as to an
// evaluator of its own that computes with math/big.
func TestExprAgainstBigFloats(t *testing.T) {
	v := exprVehicle(t)
	seen := [3]int{}
	for seed := range uint64(2000) {
		m := &exprMaker{Rand: rand.New(rand.NewPCG(seed, 1))}
		samples := m.draw()
		text, want := m.truth(8)
		got, ok := runExpr(t, v, text, samples)
		if !ok {
			continue // names no signal
		}
		seen[want+1]++
		if got != want {
			t.Fatalf("seed %d: %s\nwith %v is %d, want %d", seed, text, samples, got, want)
		}
	}
	if seen[0] < 200 || seen[1] < 300 || seen[2] < 300 {
		t.Errorf("unknown, false and true came %v times", seen)
	}
}

// draw makes a sample of each signal; one in ten is unknown.
func (m *exprMaker) draw() map[string]float64 {
	samples := map[string]float64{}
	m.signals = map[string]kleene{}
	for _, name := range []string{"Private.N", "Private.M", "Private.Half", "Private.Kmh", "Private.Mph", "Private.Inside", "Private.Outside", "Private.Yes", "Private.Label"} {
		x := float64(m.IntN(240)-120) / 8
		switch name {
		case "Private.Yes", "Private.Label":
			x = float64(m.IntN(2))
		}
		if m.IntN(10) == 0 {
			m.signals[name] = kleene{truth: -1}
			continue
		}
		samples[name] = x
		m.signals[name] = kleene{num: float53().SetFloat64(x), truth: int(x)}
	}
	if v := m.signals["Private.Label"]; v.num != nil && v.num.Sign() != 0 {
		m.signals["Private.Label"] = kleene{num: float53(), truth: 1} // index 1 is GREEN: != is false
		samples["Private.Label"] = 0
	} else if v.num != nil {
		m.signals["Private.Label"] = kleene{num: float53().SetInt64(1), truth: 1}
		samples["Private.Label"] = 1
	}
	return samples
}

// runExpr gives the truth that the engine finds: 1, 0 or -1 for unknown.
func runExpr(t *testing.T, v *Vehicle, text string, samples map[string]float64) (truth int, ok bool) {
	t.Helper()
	quoted := "'" + strings.ReplaceAll(text, "'", "''") + "'"
	a, errA := ParseCard("a", []byte(exprCard(quoted)))
	b, errB := ParseCard("b", []byte(strings.Replace(exprCard("'not ("+strings.ReplaceAll(text, "'", "''")+")'"), "id: a", "id: b", 1)))
	if errA != nil || errB != nil {
		t.Fatalf("%s: %v %v", text, errA, errB)
	}
	p, err := Compile(v, []*Card{a, b})
	if err != nil && strings.Contains(err.Error(), "names no signal") {
		return 0, false
	}
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	s := p.Engine.NewState(0, false)
	var out engine.Effects
	frame := func(at int64, samples ...engine.Sample) {
		out.Reset()
		p.Engine.Step(s, &engine.Event{T: at, Kind: engine.EvFrame, Samples: samples}, &out)
	}
	var all, later []engine.Sample
	for slot := range p.Sources {
		path := p.Sources[slot].Path
		x, known := samples[path]
		all = append(all, engine.Sample{Slot: slot, Valid: true, Num: x})
		if path == "Private.Go" {
			x, known = 1, true
		}
		later = append(later, engine.Sample{Slot: slot, Valid: known, Num: x})
	}
	frame(0, all...)
	frame(1, later...)
	said := ""
	for _, r := range out.Records {
		if r.What == engine.Fired || r.What == engine.Blocked {
			said += fmt.Sprint(r.Card, " ", r.What, " ")
		}
	}
	truths := map[string]int{"a fired b blocked ": 1, "a blocked b fired ": 0, "a blocked b blocked ": -1}
	truth, ok = truths[said]
	if !ok {
		t.Fatalf("%s: the records say %q", text, said)
	}
	return truth, true
}
