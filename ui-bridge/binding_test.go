package uibridge

import (
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"vignette/scenes/engine"

	"github.com/godbus/dbus/v5"
)

// vars are the values that the tests' templates name.
func vars(name string) (engine.Value, bool) {
	switch name {
	case "value":
		return number(60), true
	case "half":
		return number(0.5), true
	case "tenth":
		return number(0.1), true
	case "minus":
		return number(-1), true
	case "big":
		return number(300), true
	case "huge":
		return number(1 << 53), true
	case "over":
		return number(math.Ldexp(1, 64)), true
	case "nan":
		return number(math.NaN()), true
	case "inf":
		return number(math.Inf(1)), true
	case "yes":
		return engine.Value{Kind: engine.Bool, Num: 1}, true
	case "label":
		return engine.Value{Kind: engine.Label, Num: 2, Text: "ECO"}, true
	case "zh":
		return engine.Value{Kind: engine.Label, Text: "高温通风"}, true
	case "nul":
		return engine.Value{Kind: engine.Label, Text: "a\x00b"}, true
	case "absent":
		return engine.Value{}, true
	}
	return engine.Value{}, false
}

func one(signature, arg string) *Binding {
	b := binding("Set", signature, time.Second)
	b.Args = []string{arg}
	return b
}

func TestArgumentsFitTheirTypes(t *testing.T) {
	for _, c := range []struct {
		signature, arg string
		want           any
	}{
		{"y", "{value}", uint8(60)}, {"n", "{minus}", int16(-1)}, {"q", "{big}", uint16(300)}, {"i", "{minus}", int32(-1)},
		{"u", "{value}", uint32(60)}, {"x", "{minus}", int64(-1)}, {"t", "{huge}", uint64(1 << 53)}, {"d", "{tenth}", 0.1},
		{"b", "{yes}", true}, {"b", "false", false}, {"s", "{tenth}", "0.1"}, {"s", "{value}", "60"}, {"s", "{yes}", "true"},
		{"s", "{label}", "ECO"}, {"s", "{zh}", "高温通风"}, {"s", "to {value}!", "to 60!"}, {"s", "{{{value}}}", "{60}"}, {"s", "", ""},
		{"y", "255", uint8(255)}, {"x", "-9223372036854775808", int64(math.MinInt64)}, {"t", "18446744073709551615", uint64(math.MaxUint64)},
		{"d", "-40.5", -40.5}, {"v", "{value}", dbus.MakeVariant(60.0)}, {"v", "{yes}", dbus.MakeVariant(true)},
		{"v", "{label}", dbus.MakeVariant("ECO")}, {"v", "text", dbus.MakeVariant("text")},
		{"as", "[]", []string{}}, {"ay", "[]", []byte{}}, {"a{sv}", "{}", map[string]dbus.Variant{}}, {"a{ud}", "{}", map[uint32]float64{}},
	} {
		got, err := one(c.signature, c.arg).Arguments(vars)
		if err != nil {
			t.Errorf("%s %q: %v", c.signature, c.arg, err)
		} else if len(got) != 1 || !reflect.DeepEqual(got[0], c.want) {
			t.Errorf("%s %q: got %T %v, want %T %v", c.signature, c.arg, got[0], got[0], c.want, c.want)
		}
	}
}

func TestArgumentsThatDoNotFitAreErrors(t *testing.T) {
	for _, c := range []struct{ signature, arg, want string }{
		{"y", "{big}", "300 is outside 0 to 255"}, {"y", "{minus}", "-1 is outside"}, {"y", "{half}", "0.5 is not whole"},
		{"t", "{over}", "is outside"}, {"d", "{nan}", "not a finite number"}, {"d", "{inf}", "not a finite number"},
		{"s", "{nan}", "not a finite number"}, {"v", "{nan}", "not a finite number"}, {"u", "{label}", `"ECO" is no number`},
		{"u", "{yes}", `"true" is no number`}, {"b", "{value}", `"60" is no boolean`}, {"s", "{nul}", "UTF-8 without NUL"},
		{"v", "{nul}", "UTF-8 without NUL"}, {"s", "{absent}", "{absent} has no value"}, {"s", "{other}", "{other} has no value"},
		{"y", "256", "not a whole number from 0 of 8 bits"}, {"n", "40000", "not a whole number of 16 bits"}, {"d", "NaN", "not a finite"},
		{"d", "", "not a finite"}, {"b", "yes", "not true or false"}, {"s", "{value", "without its }"}, {"s", "value}", "without its {"},
		{"s", "{a b}", "is not a name"}, {"u", "{value}0", "is no number"}, {"as", "x", "can only be empty; write []"},
		{"as", "{}", "write []"}, {"a{sv}", "[]", "write {}"}, {"a(ss)", "[]", "no argument can have"}, {"aas", "[]", "no argument can have"}, {"a", "[]", "no argument can have"},
	} {
		got, err := one(c.signature, c.arg).Arguments(vars)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s %q: got %v, error %v, want %q", c.signature, c.arg, got, err, c.want)
		}
	}
}

func TestCheckBinding(t *testing.T) {
	known := []string{"actuator", "value", "lease_ms"}
	good := Binding{Bus: "session", Service: "org.example.Hvac1", Path: "/org/example/Hvac1", Interface: "org.example.Hvac1",
		Member: "Set", Signature: "svu", Args: []string{"{actuator}", "{value}", "{lease_ms}"}, Within: time.Second}
	if err := good.Check(known); err != nil {
		t.Error(err)
	}
	for _, c := range []struct {
		change func(*Binding)
		want   string
	}{
		{func(b *Binding) { b.Service = "Hvac" }, `service "Hvac"`},
		{func(b *Binding) { b.Path = "org/example" }, `path "org/example"`},
		{func(b *Binding) { b.Interface = "org.9x" }, `interface "org.9x"`},
		{func(b *Binding) { b.Member = "Set.It" }, `member "Set.It"`},
		{func(b *Binding) { b.Property = true }, `signature "svu" is not the type of a property; give one type, such as d`},
		{func(b *Binding) { b.Property, b.Signature, b.Args = true, "v", b.Args[1:2] }, `signature "v" is not the type of a property`},
		{func(b *Binding) { b.Within = 0 }, "within is 0s"},
		{func(b *Binding) { b.Signature = "sv" }, "has 2 arguments, args has 3"},
		{func(b *Binding) { b.Signature = "a{s" }, `signature "a{s"`},
		{func(b *Binding) { b.Args = []string{"{actuator}", "{wert}", "{lease_ms}"} }, "{wert} is not known here; use one of {actuator}, {value}, {lease_ms}"},
		{func(b *Binding) { b.Args = []string{"{actuator}", "{value}", "{lease_ms} ms"} }, "makes a string"},
		{func(b *Binding) { b.Args = []string{"{actuator}", "{value}", "soon"} }, `"soon" is not a whole number`},
		{func(b *Binding) { b.Args = []string{"{actuator}", "{value", "1"} }, "without its }"},
	} {
		b := good
		c.change(&b)
		if err := b.Check(known); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}
}

// TestPropertyIsSet binds a property: the service gets its one value in a variant.
func TestPropertyIsSet(t *testing.T) {
	address, _ := startBus(t)
	got := make(chan string, 8)
	service := client(t, address)
	set := func(iface, name string, v dbus.Variant) *dbus.Error {
		got <- iface + "." + name + " = " + v.String()
		return nil
	}
	if err := service.ExportMethodTable(map[string]any{"Set": set}, "/org/example/Hvac1", "org.freedesktop.DBus.Properties"); err != nil {
		t.Fatal(err)
	}
	if _, err := service.RequestName(serviceName, dbus.NameFlagDoNotQueue); err != nil {
		t.Fatal(err)
	}
	a := newAgent()
	br := connect(t, address, a)
	for n, c := range []struct{ signature, arg, want string }{
		{"y", "{value}", "org.example.Hvac1.FanSpeed = @y 0x3c"},
		{"d", "{value}", "org.example.Hvac1.FanSpeed = @d 60"},
		{"b", "{yes}", "org.example.Hvac1.FanSpeed = true"},
		{"s", "to {label}", `org.example.Hvac1.FanSpeed = "to ECO"`},
	} {
		b := one(c.signature, c.arg)
		b.Member, b.Property = "FanSpeed", true
		args, err := b.Arguments(vars)
		if err != nil {
			t.Fatal(err)
		}
		br.Call(uint64(n), b, args)
		if out := receive(t, a.answers, "answer"); !out.ok {
			t.Errorf("%s: %s", c.want, out.detail)
		}
		if text := receive(t, got, c.want); text != c.want {
			t.Errorf("set %s, want %s", text, c.want)
		}
	}
}

// FuzzArguments: whatever the template and number, an argument is an error or a
// value that D-Bus carries, of the right type, and equal to the number.
func FuzzArguments(f *testing.F) {
	f.Add("y", "{value}", 60.0)
	f.Add("s", "a{{b}}{value}", 0.1)
	f.Add("v", "{value}", -1e300)
	f.Add("x", "-5", 0.0)
	f.Fuzz(func(t *testing.T, signature, arg string, v float64) {
		b := one(signature, arg)
		args, err := b.Arguments(func(string) (engine.Value, bool) { return number(v), true })
		if err != nil {
			return
		}
		if got := dbus.SignatureOf(args...).String(); got != signature {
			t.Fatalf("signature %q became %q", signature, got)
		}
		if n, ok := args[0].(uint8); ok && arg == "{value}" && float64(n) != v {
			t.Fatalf("%v became %d", v, n)
		}
		if n, ok := args[0].(int64); ok && arg == "{value}" && float64(n) != v {
			t.Fatalf("%v became %d", v, n)
		}
	})
}
