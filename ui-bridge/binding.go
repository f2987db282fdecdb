package uibridge

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"vignette/scenes/engine"

	"github.com/godbus/dbus/v5"
)

// Binding is the D-Bus method that the vehicle profile binds to an actuator or
// an action, or the property that is set instead.
type Binding struct {
	Bus       string // name of the bus: "system" or "session"; empty: the agent's own
	Service   string
	Path      string
	Interface string
	Member    string
	Property  bool   // Member is a property, of the one type of Signature
	Signature string // of basic types: y b n q i u x t d s, and v; and of empty arrays and dictionaries of them, such as as and a{sv}
	Args      []string
	Within    time.Duration // limit for the reply
}

// basicTypes are the D-Bus types that an argument may have.
const basicTypes = "ybnqiuxtdsv"

// isElement reports whether s is an element of a D-Bus name: letters, digits, _
// and also, at its beginning no digit unless digits may lead.
func isElement(s, also string, leads bool) bool {
	for i := range len(s) {
		c := s[i]
		digit := c >= '0' && c <= '9' && (i > 0 || leads)
		if !digit && c != '_' && (c|0x20 < 'a' || c|0x20 > 'z') && strings.IndexByte(also, c) < 0 {
			return false
		}
	}
	return s != ""
}

// isMember is a D-Bus member name.
func isMember(s string) bool { return isElement(s, "", false) }

// isInterface is a D-Bus interface name: at least two elements.
func isInterface(s string) bool {
	names := strings.Split(s, ".")
	return len(names) > 1 && !slices.ContainsFunc(names, func(s string) bool { return !isMember(s) })
}

// isBusName is a D-Bus bus name, unique or well-known.
func isBusName(s string) bool {
	unique, ok := strings.CutPrefix(s, ":")
	names := strings.Split(unique, ".")
	return len(names) > 1 && !slices.ContainsFunc(names, func(s string) bool {
		return ok && strings.Trim(s, "0123456789") != "" || !isElement(s, "-", ok)
	})
}

// Check tells what is wrong with a binding before anything is called: names that
// D-Bus does not allow (D-Bus specification, Valid Names), a signature and
// arguments that do not fit each other, templates of other names than known, or
// literals that are not of their type. known are the names that Arguments will
// be asked for.
func (b *Binding) Check(known []string) error {
	if err := b.checkNames(); err != nil {
		return err
	}
	if b.Within <= 0 {
		return fmt.Errorf("within is %v; give the time limit of the reply, above 0", b.Within)
	}
	types, err := b.types()
	if err != nil {
		return err
	}
	for i, text := range b.Args {
		if isContainer(types[i]) {
			if _, err := empty(types[i], text); err != nil {
				return b.argError(i, err)
			}
			continue
		}
		parts, err := parseTemplate(text)
		if err != nil {
			return b.argError(i, err)
		}
		if err := checkTemplate(types[i], parts, known); err != nil {
			return b.argError(i, err)
		}
	}
	return nil
}

func (b *Binding) checkNames() error {
	switch {
	case len(b.Service) > 255 || !isBusName(b.Service):
		return fmt.Errorf("service %q is not a D-Bus bus name such as org.example.Hvac1", b.Service)
	case !dbus.ObjectPath(b.Path).IsValid():
		return fmt.Errorf("path %q is not a D-Bus object path such as /org/example/Hvac1", b.Path)
	case len(b.Interface) > 255 || !isInterface(b.Interface):
		return fmt.Errorf("interface %q is not a D-Bus interface name such as org.example.Hvac1", b.Interface)
	case len(b.Member) > 255 || !isMember(b.Member):
		return fmt.Errorf("member %q is not a D-Bus name such as Set", b.Member)
	}
	return nil
}

// types are the complete types of the signature, one an argument.
func (b *Binding) types() (types []string, err error) {
	for rest := b.Signature; rest != ""; {
		typ := firstType(rest)
		if len(typ) == 1 && !strings.Contains(basicTypes, typ) {
			return nil, fmt.Errorf("signature %q has %q, which no argument can have; use basic types (%s), or as, a{sv} and their like for empty ones",
				b.Signature, typ, basicTypes)
		}
		types, rest = append(types, typ), rest[len(typ):]
	}
	if b.Property && (len(b.Signature) != 1 || b.Signature == "v") {
		return nil, fmt.Errorf("signature %q is not the type of a property; give one type, such as d", b.Signature)
	}
	if len(types) != len(b.Args) {
		return nil, fmt.Errorf("signature %q has %d arguments, args has %d; they must be as many", b.Signature, len(types), len(b.Args))
	}
	return types, nil
}

// Arguments expands the templates of Args into values of the types of Signature:
// the arguments of method.
// vars gives the value of each name. `{name}` alone keeps the value's kind; mixed
// with text it becomes text; `{{` and `}}` are literal braces. A value that does
// not fit its type exactly is an error: nothing is wrapped, rounded or cut. A
// number in text has its shortest form that reads back the same.
func (b *Binding) Arguments(vars func(name string) (engine.Value, bool)) ([]any, error) {
	types, err := b.types()
	if err != nil {
		return nil, err
	}
	args := make([]any, len(b.Args))
	for i, text := range b.Args {
		if isContainer(types[i]) {
			if args[i], err = empty(types[i], text); err != nil {
				return nil, b.argError(i, err)
			}
			continue
		}
		parts, err := parseTemplate(text)
		if err != nil {
			return nil, b.argError(i, err)
		}
		if args[i], err = expand(types[i], parts, vars); err != nil {
			return nil, b.argError(i, err)
		}
	}
	if b.Property {
		return []any{b.Interface, b.Member, dbus.MakeVariant(args[0])}, nil
	}
	return args, nil
}

// method is what is called.
func (b *Binding) method() string {
	if b.Property {
		return "org.freedesktop.DBus.Properties.Set"
	}
	return b.Interface + "." + b.Member
}

func (b *Binding) argError(i int, err error) error {
	return fmt.Errorf("%s.%s argument %d (%s): %w", b.Interface, b.Member, i, b.Args[i], err)
}

// part is a piece of a template: literal text, or the name of a value.
type part struct {
	text string
	name bool
}

// parseTemplate splits a template at its `{name}`s.
func parseTemplate(s string) ([]part, error) {
	var parts []part
	var lit strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case strings.HasPrefix(s[i:], "{{"), strings.HasPrefix(s[i:], "}}"):
			lit.WriteByte(s[i])
			i++
		case s[i] == '}':
			return nil, fmt.Errorf("a } without its {; write }} for a brace")
		case s[i] == '{':
			end := strings.IndexByte(s[i:], '}')
			if end < 0 {
				return nil, fmt.Errorf("a { without its }; write {{ for a brace")
			}
			name := s[i+1 : i+end]
			if !isMember(name) {
				return nil, fmt.Errorf("{%s} is not a name", name)
			}
			if lit.Len() > 0 {
				parts = append(parts, part{text: lit.String()})
				lit.Reset()
			}
			parts = append(parts, part{text: name, name: true})
			i += end
		default:
			lit.WriteByte(s[i])
		}
	}
	if lit.Len() > 0 || len(parts) == 0 {
		parts = append(parts, part{text: lit.String()})
	}
	return parts, nil
}

func checkTemplate(typ string, parts []part, known []string) error {
	for _, p := range parts {
		if p.name && !slices.Contains(known, p.text) {
			return fmt.Errorf("{%s} is not known here; use one of %s", p.text, "{"+strings.Join(known, "}, {")+"}")
		}
	}
	if len(parts) > 1 && typ != "s" && typ != "v" {
		return fmt.Errorf("text around a {name} makes a string, but the signature says %s", typ)
	}
	if len(parts) == 1 && !parts[0].name {
		_, err := literal(typ[0], parts[0].text)
		return err
	}
	return nil
}

// expand returns the value of one argument.
func expand(typ string, parts []part, vars func(string) (engine.Value, bool)) (any, error) {
	if len(parts) == 1 && !parts[0].name {
		return literal(typ[0], parts[0].text)
	}
	var text strings.Builder
	for _, p := range parts {
		if !p.name {
			text.WriteString(p.text)
			continue
		}
		v, ok := vars(p.text)
		if !ok || v.Kind == engine.None {
			return nil, fmt.Errorf("{%s} has no value", p.text)
		}
		if len(parts) == 1 {
			return convert(typ[0], v)
		}
		s, err := valueText(v)
		if err != nil {
			return nil, err
		}
		text.WriteString(s)
	}
	return convert(typ[0], engine.Value{Kind: engine.Label, Text: text.String()})
}

// firstType is the type that a signature begins with: an array of basic values, a
// dictionary from one to another, or else one character.
func firstType(s string) string {
	basic := func(i int) bool { return i < len(s) && strings.IndexByte(basicTypes, s[i]) >= 0 }
	switch {
	case s[0] == 'a' && basic(1):
		return s[:2]
	case len(s) > 4 && s[:2] == "a{" && basic(2) && s[2] != 'v' && basic(3) && s[4] == '}':
		return s[:5]
	}
	return s[:1]
}

func isContainer(typ string) bool { return len(typ) > 1 }

// empty gives the empty array or dictionary that an argument stands for. There is
// no template of one that has something in it.
func empty(typ, text string) (any, error) {
	want := "[]"
	if typ[1] == '{' {
		want = "{}"
	}
	if text != want {
		return nil, fmt.Errorf("an argument of type %s can only be empty; write %s", typ, want)
	}
	if want == "[]" {
		return reflect.MakeSlice(reflect.SliceOf(goTypes[typ[1]]), 0, 0).Interface(), nil
	}
	return reflect.MakeMap(reflect.MapOf(goTypes[typ[2]], goTypes[typ[3]])).Interface(), nil
}

// goTypes are the types that the library marshals as each D-Bus type.
var goTypes = map[byte]reflect.Type{'y': reflect.TypeFor[uint8](), 'b': reflect.TypeFor[bool](), 'n': reflect.TypeFor[int16](),
	'q': reflect.TypeFor[uint16](), 'i': reflect.TypeFor[int32](), 'u': reflect.TypeFor[uint32](), 'x': reflect.TypeFor[int64](),
	't': reflect.TypeFor[uint64](), 'd': reflect.TypeFor[float64](), 's': reflect.TypeFor[string](), 'v': reflect.TypeFor[dbus.Variant]()}

// integerBits maps an integer type to its width; negative is signed.
func integerBits(typ byte) (bits int, signed bool) {
	switch typ {
	case 'y':
		return 8, false
	case 'n':
		return 16, true
	case 'q':
		return 16, false
	case 'i':
		return 32, true
	case 'u':
		return 32, false
	case 'x':
		return 64, true
	case 't':
		return 64, false
	}
	return 0, false
}

// literal reads text as a value of a type; in a variant it is a string.
func literal(typ byte, text string) (any, error) {
	switch typ {
	case 's', 'v':
		return convert(typ, engine.Value{Kind: engine.Label, Text: text})
	case 'b':
		if text != "true" && text != "false" {
			return nil, fmt.Errorf("%q is not true or false", text)
		}
		return text == "true", nil
	case 'd':
		f, err := strconv.ParseFloat(text, 64)
		if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
			return nil, fmt.Errorf("%q is not a finite number", text)
		}
		return f, nil
	}
	bits, signed := integerBits(typ)
	if signed {
		n, err := strconv.ParseInt(text, 10, bits)
		if err != nil {
			return nil, fmt.Errorf("%q is not a whole number of %d bits", text, bits)
		}
		return signedOf(bits, n), nil
	}
	n, err := strconv.ParseUint(text, 10, bits)
	if err != nil {
		return nil, fmt.Errorf("%q is not a whole number from 0 of %d bits", text, bits)
	}
	return unsignedOf(bits, n), nil
}

// convert turns a value into one of a D-Bus type.
func convert(typ byte, v engine.Value) (any, error) {
	switch typ {
	case 's':
		s, err := valueText(v)
		if err != nil {
			return nil, err
		}
		return s, checkText(s)
	case 'v':
		return variant(v)
	case 'b':
		if v.Kind != engine.Bool {
			return nil, fmt.Errorf("%s is no boolean", describe(v))
		}
		return v.Num != 0, nil
	}
	if v.Kind != engine.Number {
		return nil, fmt.Errorf("%s is no number, but the signature says %c", describe(v), typ)
	}
	if math.IsNaN(v.Num) || math.IsInf(v.Num, 0) {
		return nil, fmt.Errorf("%v is not a finite number", v.Num)
	}
	if typ == 'd' {
		return v.Num, nil
	}
	return integer(typ, v.Num)
}

// integer turns a whole number in range into one of an integer type.
func integer(typ byte, f float64) (any, error) {
	bits, signed := integerBits(typ)
	low, high := 0.0, math.Ldexp(1, bits) // high is exclusive
	if signed {
		low, high = -math.Ldexp(1, bits-1), math.Ldexp(1, bits-1)
	}
	if f != math.Trunc(f) {
		return nil, fmt.Errorf("%v is not whole, but the signature says %c", f, typ)
	}
	if f < low || f >= high {
		return nil, fmt.Errorf("%v is outside %v to %v, the range of %c", f, low, high-1, typ)
	}
	if signed {
		return signedOf(bits, int64(f)), nil
	}
	return unsignedOf(bits, uint64(f)), nil
}

// signedOf narrows a number that fits.
func signedOf(bits int, n int64) any {
	switch bits {
	case 16:
		return int16(n)
	case 32:
		return int32(n)
	}
	return n
}

// unsignedOf narrows a number that fits.
func unsignedOf(bits int, n uint64) any {
	switch bits {
	case 8:
		return uint8(n)
	case 16:
		return uint16(n)
	case 32:
		return uint32(n)
	}
	return n
}

// variant wraps a number as d, a boolean as b, a label as s.
func variant(v engine.Value) (dbus.Variant, error) {
	switch v.Kind {
	case engine.Number:
		if math.IsNaN(v.Num) || math.IsInf(v.Num, 0) {
			return dbus.Variant{}, fmt.Errorf("%v is not a finite number", v.Num)
		}
		return dbus.MakeVariant(v.Num), nil
	case engine.Bool:
		return dbus.MakeVariant(v.Num != 0), nil
	case engine.Label:
		if err := checkText(v.Text); err != nil {
			return dbus.Variant{}, err
		}
		return dbus.MakeVariant(v.Text), nil
	}
	return dbus.Variant{}, fmt.Errorf("there is no value")
}

// valueText is a value as text.
func valueText(v engine.Value) (string, error) {
	switch v.Kind {
	case engine.Number:
		if math.IsNaN(v.Num) || math.IsInf(v.Num, 0) {
			return "", fmt.Errorf("%v is not a finite number", v.Num)
		}
		return strconv.FormatFloat(v.Num, 'g', -1, 64), nil
	case engine.Bool:
		return strconv.FormatBool(v.Num != 0), nil
	case engine.Label:
		return v.Text, nil
	}
	return "", fmt.Errorf("there is no value")
}

func describe(v engine.Value) string {
	s, err := valueText(v)
	if err != nil {
		return err.Error()
	}
	return strconv.Quote(s)
}
