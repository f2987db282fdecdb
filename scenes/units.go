package scenes

import (
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Conversion turns a value of one unit into another: float64(x*Scale) + Offset,
// rounded after the product on every processor.
type Conversion struct {
	Scale, Offset float64
}

// Apply converts x. The conversion of a unit to itself leaves x as it is.
func (c Conversion) Apply(x float64) float64 {
	if c.Scale == 1 && c.Offset == 0 {
		return x
	}
	return float64(x*c.Scale) + c.Offset
}

// identity reports whether the conversion leaves values as they are.
func (c Conversion) identity() bool { return c.Scale == 1 && c.Offset == 0 }

// unit is a unit of measure. One of it is scale of the quantity's first unit,
// plus offset; both are exact fractions.
type unit struct {
	name    string // VSS's own name where VSS 6.0 has one
	vss     bool   // a unit of VSS 6.0: signals keep it
	scale   string
	offset  string // empty: 0
	aliases []string
}

// quantity is a dimension with its units; the first is the one that signals
// are converted to when the profile's unit is none of VSS 6.0.
type quantity struct {
	name  string // "a speed"
	units []unit
}

// quantities are the dimensions that signals may have. Scales are the SI
// definitions of the units; the names are those of the COVESA Vehicle Signal
// Specification 6.0.
var quantities = []quantity{
	{"a speed", []unit{
		{"km/h", true, "1", "", []string{"kph", "KPH", "kmh", "kmph", "KMH", "Km/h", "KM/H"}},
		{"m/s", false, "3.6", "", []string{"mps"}},
		{"mph", false, "1.609344", "", []string{"MPH", "mi/h"}},
		{"kn", false, "1.852", "", []string{"kt", "knots"}},
	}},
	{"a temperature", []unit{
		{"Celsius", true, "1", "", []string{"celsius", "°C", "degC", "deg C", "DegC", "C"}},
		{"Fahrenheit", false, "5/9", "-160/9", []string{"fahrenheit", "°F", "degF", "deg F", "DegF", "F"}},
		{"kelvin", false, "1", "-273.15", []string{"Kelvin", "K"}},
	}},
	{"a ratio", []unit{
		{"percent", true, "1", "", []string{"%", "Percent", "pct"}},
		{"ratio", false, "100", "", nil},
		{"permille", false, "0.1", "", []string{"‰"}},
	}},
	{"an angle", []unit{
		{"degrees", true, "1", "", []string{"degree", "deg", "°", "Degrees"}},
		{"rad", false, "57.29577951308232", "", []string{"radian", "radians"}},
	}},
	{"a rate of rotation", []unit{
		{"degrees/s", true, "1", "", []string{"degree/s", "deg/s", "°/s"}},
		{"rpm", true, "6", "", []string{"RPM", "1/min", "U/min", "rev/min"}},
		{"rad/s", true, "57.29577951308232", "", []string{"radians/s"}},
	}},
	{"a torque", []unit{
		{"Nm", true, "1", "", []string{"N.m", "N*m", "N·m"}},
		{"lbf.ft", false, "1.3558179483314004", "", []string{"ft-lb", "lb-ft"}},
	}},
	{"a force", []unit{{"N", true, "1", "", nil}, {"kN", false, "1000", "", nil}}},
	{"a pressure", []unit{
		{"kPa", true, "1", "", []string{"kpa"}},
		{"Pa", true, "0.001", "", nil},
		{"hPa", false, "0.1", "", nil},
		{"mbar", false, "0.1", "", nil},
		{"bar", false, "100", "", []string{"Bar"}},
		{"MPa", false, "1000", "", nil},
		{"psi", false, "6.894757293168362", "", []string{"PSI"}},
	}},
	{"an acceleration", []unit{
		{"m/s^2", true, "1", "", []string{"m/s2", "m/s²", "m/s/s", "m/s**2"}},
		{"cm/s^2", false, "0.01", "", []string{"cm/s2", "cm/s²"}},
		{"g0", false, "9.80665", "", []string{"gn"}},
	}},
	{"a voltage", []unit{
		{"V", true, "1", "", []string{"volt", "Volt", "volts"}},
		{"mV", false, "0.001", "", nil},
		{"kV", false, "1000", "", nil},
	}},
	{"a current", []unit{
		{"A", true, "1", "", []string{"ampere", "Amp", "amp", "Amps"}},
		{"mA", false, "0.001", "", nil},
	}},
	{"a charge", []unit{{"Ah", true, "1", "", nil}, {"mAh", false, "0.001", "", nil}, {"As", false, "1/3600", "", nil}}},
	{"a resistance", []unit{{"Ohm", false, "1", "", []string{"ohm", "Ω"}}, {"kOhm", false, "1000", "", []string{"kohm", "kΩ"}}}},
	{"a power", []unit{
		{"kW", true, "1", "", nil},
		{"W", true, "0.001", "", []string{"watt", "Watt"}},
		{"PS", false, "0.73549875", "", []string{"hp(M)"}},
		{"hp", false, "0.7456998715822702", "", []string{"HP"}},
	}},
	{"an energy", []unit{
		{"kWh", true, "1", "", []string{"KWh", "kwh"}},
		{"Wh", false, "0.001", "", nil},
		{"J", false, "1/3600000", "", nil},
		{"kJ", false, "1/3600", "", nil},
		{"MJ", false, "1/3.6", "", nil},
	}},
	{"a mass", []unit{
		{"kg", true, "1", "", nil},
		{"g", false, "0.001", "", nil},
		{"t", false, "1000", "", nil},
		{"lb", false, "0.45359237", "", []string{"lbs"}},
	}},
	{"a length", []unit{
		{"m", true, "1", "", []string{"meter", "metre"}},
		{"mm", true, "0.001", "", nil},
		{"cm", true, "0.01", "", nil},
		{"km", true, "1000", "", nil},
		{"inch", true, "0.0254", "", []string{"in", "inches"}},
		{"ft", false, "0.3048", "", []string{"feet"}},
		{"mi", false, "1609.344", "", []string{"mile", "miles"}},
	}},
	{"a volume", []unit{
		{"l", true, "1", "", []string{"L", "liter", "litre"}},
		{"cm^3", true, "0.001", "", []string{"cm3", "cm³", "ccm"}},
		{"ml", false, "0.001", "", []string{"mL"}},
		{"m^3", false, "1000", "", []string{"m3", "m³"}},
		{"gal", false, "3.785411784", "", []string{"gallon"}},
	}},
	{"a time", []unit{
		{"s", true, "1", "", []string{"sec", "seconds"}},
		{"ms", true, "0.001", "", nil},
		{"min", true, "60", "", []string{"minutes"}},
		{"h", true, "3600", "", []string{"hours", "hr"}},
		{"us", false, "0.000001", "", []string{"µs", "μs"}},
		{"day", false, "86400", "", []string{"days"}},
	}},
	{"a date and time", []unit{{"iso8601", true, "1", "", nil}}},
	{"a frequency", []unit{
		{"cpm", true, "1", "", nil},
		{"bpm", true, "1", "", nil},
		{"Hz", false, "60", "", []string{"hertz"}},
		{"kHz", false, "60000", "", nil},
	}},
	{"a consumption", []unit{{"l/100km", true, "1", "", []string{"L/100km"}}, {"ml/100km", false, "0.001", "", nil}}},
	{"a fuel economy", []unit{
		{"km/l", true, "1", "", []string{"km/L"}},
		{"mpg", false, "0.4251437074976", "", nil},
	}},
	{"an energy consumption", []unit{{"kWh/100km", true, "1", "", nil}, {"Wh/km", false, "0.1", "", nil}}},
	{"an emission", []unit{{"g/km", true, "1", "", nil}}},
	{"a mass flow", []unit{{"g/s", true, "1", "", nil}, {"kg/h", false, "1/3.6", "", nil}}},
	{"a sound level", []unit{{"dB", false, "1", "", nil}}},
	{"a signal strength", []unit{{"dBm", false, "1", "", nil}}},
	{"an illuminance", []unit{{"lx", false, "1", "", []string{"lux"}}}},
	{"a concentration", []unit{{"ppm", false, "1", "", nil}}},
}

// findUnit returns the quantity and the unit of a name or alias, compared exactly.
func findUnit(name string) (q *quantity, u *unit, ok bool) {
	for i := range quantities {
		for j := range quantities[i].units {
			if u := &quantities[i].units[j]; u.name == name || slices.Contains(u.aliases, name) {
				return &quantities[i], u, true
			}
		}
	}
	return nil, nil, false
}

// unitNames are the names of all units, without aliases.
func unitNames() []string {
	var names []string
	for _, q := range quantities {
		for _, u := range q.units {
			names = append(names, u.name)
		}
	}
	return names
}

// unitSpellings are the names and aliases of all units.
var unitSpellings = sync.OnceValue(func() (names []string) {
	for _, q := range quantities {
		for _, u := range q.units {
			names = append(append(names, u.name), u.aliases...)
		}
	}
	return names
})

// convert returns the conversion between two units of one quantity, each
// constant the float64 nearest to the exact fraction; TestConversions holds that.
func convert(from, to *unit) Conversion {
	if from == to {
		return Conversion{Scale: 1}
	}
	a, b, over := readFraction(from.offset), readFraction(to.offset), readFraction(to.scale).inverse()
	offset := fraction{a.num*b.den - b.num*a.den, a.den * b.den}
	return Conversion{Scale: readFraction(from.scale).times(over).float(), Offset: offset.times(over).float()}
}

// fraction is an exact number, of the size that the table's units need.
type fraction struct{ num, den int64 }

// readFraction reads a constant of the table: "3.6", "5/9", "-160/9"; "" is 0.
func readFraction(s string) fraction {
	num, den, ok := strings.Cut(s, "/")
	if ok {
		return readFraction(num).times(readFraction(den).inverse())
	}
	x := fraction{0, 1}
	whole, decimals, _ := strings.Cut(num, ".")
	for range decimals {
		x.den *= 10
	}
	x.num, _ = strconv.ParseInt(whole+decimals, 10, 64) // "": 0
	return x
}

func (x fraction) inverse() fraction { return fraction{x.den, x.num} }

// times takes out common factors first, so that the product is as small as it can be.
func (x fraction) times(y fraction) fraction {
	x, y = fraction{x.num, y.den}.reduced(), fraction{y.num, x.den}.reduced()
	return fraction{x.num * y.num, x.den * y.den}
}

func (x fraction) reduced() fraction {
	a, b := x.num, x.den
	for b != 0 {
		a, b = b, a%b
	}
	return fraction{x.num / a, x.den / a}
}

// float is the nearest float64 where both parts are float64s, as those of the
// table are: a division is rounded once.
func (x fraction) float() float64 { return float64(x.num) / float64(x.den) }
