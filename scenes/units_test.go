package scenes

import (
	"math"
	"math/big"
	"strings"
	"testing"
)

// Every name stands for one unit, and every constant can be read.
func TestUnitTable(t *testing.T) {
	seen := map[string]string{}
	for _, q := range quantities {
		for _, u := range q.units {
			for _, name := range append([]string{u.name}, u.aliases...) {
				if other, twice := seen[name]; twice {
					t.Errorf("%s names %s and %s", name, other, u.name)
				}
				seen[name] = u.name
			}
			if u.scale == "" || exactly(t, u.scale).Sign() <= 0 {
				t.Errorf("%s has the scale %q", u.name, u.scale)
			}
		}
		if exactly(t, q.units[0].scale).Cmp(big.NewRat(1, 1)) != 0 || q.units[0].offset != "" {
			t.Errorf("%s is not measured in its first unit", q.name)
		}
	}
}

func TestConvert(t *testing.T) {
	for _, c := range []struct {
		x        float64
		from, to string
		want     float64
	}{
		{100, "km/h", "km/h", 100},
		{0.1, "Celsius", "°C", 0.1},
		{60, "mph", "km/h", 96.56064},
		{10, "m/s", "km/h", 36},
		{32, "degF", "Celsius", 0},
		{212, "Fahrenheit", "celsius", 100},
		{0, "kelvin", "Celsius", -273.15},
		{0.5, "ratio", "percent", 50},
		{1, "rad", "degrees", 57.29577951308232},
		{60, "rpm", "degrees/s", 360},
		{1, "psi", "kPa", 6.894757293168362},
		{1000, "Pa", "kPa", 1},
		{2.5, "km", "m", 2500},
		{1, "inch", "mm", 25.4},
		{90, "min", "h", 1.5},
		{3.6, "MJ", "kWh", 1},
		{2, "Hz", "cpm", 120},
		{1500, "W", "kW", 1.5},
		{250, "cm^3", "l", 0.25},
	} {
		qa, from, okA := findUnit(c.from)
		qb, to, okB := findUnit(c.to)
		if !okA || !okB || qa != qb {
			t.Fatalf("%s and %s are not units of one quantity", c.from, c.to)
		}
		if got := convert(from, to).Apply(c.x); math.Abs(got-c.want) > 1e-12*math.Abs(c.want)+1e-14 {
			t.Errorf("%v %s is %v %s, want %v", c.x, c.from, got, c.to, c.want)
		}
	}
}

// There and back again is within the rounding of float64.
func TestConvertBack(t *testing.T) {
	for _, q := range quantities {
		for i := range q.units {
			for j := range q.units {
				there, back := convert(&q.units[i], &q.units[j]), convert(&q.units[j], &q.units[i])
				for _, x := range []float64{-40, 0, 0.1, 1, 37.5, 1e6} {
					if got := back.Apply(there.Apply(x)); math.Abs(got-x) > 1e-9*max(1, math.Abs(x))*max(1, math.Abs(back.Scale)) {
						t.Errorf("%v %s by way of %s is %v", x, q.units[i].name, q.units[j].name, got)
					}
				}
			}
		}
	}
}

// The product is rounded before the sum: fused, 1400 × 0.1 − 40 would be
// 100.00000000000001.
func TestConvertIsNotFused(t *testing.T) {
	c := Conversion{Scale: 0.1, Offset: -40}
	fused := 0
	for raw := range 65536 {
		x := float64(raw)
		product := x * 0.1
		if got := c.Apply(x); got != product-40 {
			t.Fatalf("raw %d converts to %v, want %v", raw, got, product-40)
		}
		if math.FMA(x, 0.1, -40) != product-40 {
			fused++
		}
	}
	if fused != 1983 {
		t.Errorf("fusing would change %d of the values, want 1983", fused)
	}
}

// exactly reads a constant of the table.
func exactly(t *testing.T, s string) *big.Rat {
	t.Helper()
	x := new(big.Rat)
	num, den, divided := strings.Cut(s, "/")
	if s == "" {
		return x
	}
	if _, ok := x.SetString(num); !ok {
		t.Fatalf("%q is no number", s)
	}
	if divided {
		y, ok := new(big.Rat).SetString(den)
		if !ok {
			t.Fatalf("%q is no fraction", s)
		}
		x.Quo(x, y)
	}
	return x
}

// TestConversions: between any two units of a quantity both constants are the
// float64s nearest to the exact ones.
func TestConversions(t *testing.T) {
	pairs := 0
	for _, q := range quantities {
		for i := range q.units {
			for j := range q.units {
				from, to := &q.units[i], &q.units[j]
				over := new(big.Rat).Inv(exactly(t, to.scale))
				offset := new(big.Rat).Sub(exactly(t, from.offset), exactly(t, to.offset))
				var want Conversion
				want.Scale, _ = new(big.Rat).Mul(exactly(t, from.scale), over).Float64()
				want.Offset, _ = offset.Mul(offset, over).Float64()
				if got := convert(from, to); got != want {
					t.Errorf("%s to %s: %v, want %v", from.name, to.name, got, want)
				}
				pairs++
			}
		}
	}
	if pairs < 200 {
		t.Errorf("%d pairs only", pairs)
	}
}
