package uibridge

import (
	"fmt"
	"math"

	"vignette/scenes/engine"

	"github.com/godbus/dbus/v5"
)

// ValueOf is a D-Bus value as profiles and cards write it: a number of any type,
// a boolean, or a text, object paths among them. None: it is of another type.
func ValueOf(x any) engine.Value {
	number := func(f float64) engine.Value { return engine.Value{Kind: engine.Number, Num: f} }
	switch x := x.(type) {
	case dbus.Variant:
		return ValueOf(x.Value())
	case bool:
		v := engine.Value{Kind: engine.Bool}
		if x {
			v.Num = 1
		}
		return v
	case string:
		return engine.Value{Kind: engine.Label, Text: x}
	case dbus.ObjectPath:
		return engine.Value{Kind: engine.Label, Text: string(x)}
	case uint8:
		return number(float64(x))
	case int16:
		return number(float64(x))
	case uint16:
		return number(float64(x))
	case int32:
		return number(float64(x))
	case uint32:
		return number(float64(x))
	case int64:
		return number(float64(x))
	case uint64:
		return number(float64(x))
	case float64:
		return number(x)
	}
	return engine.Value{}
}

// maxWhole is the greatest number up to which a double holds every whole one.
const maxWhole = 1 << 53

// fromVariant is what a caller sends as a value: a finite number that a double
// holds exactly, a boolean or a bounded text.
func fromVariant(sent dbus.Variant) (engine.Value, error) {
	v := ValueOf(sent)
	switch x := sent.Value().(type) {
	case dbus.Variant, dbus.ObjectPath:
		v = engine.Value{}
	case int64:
		if x > maxWhole || x < -maxWhole {
			return v, fmt.Errorf("%w: %d is beyond the whole numbers that a double holds", ErrInvalidValue, x)
		}
	case uint64:
		if x > maxWhole {
			return v, fmt.Errorf("%w: %d is beyond the whole numbers that a double holds", ErrInvalidValue, x)
		}
	}
	switch {
	case v.Kind == engine.None:
		return v, fmt.Errorf("%w: type %s; send a number, a boolean or a string", ErrInvalidValue, sent.Signature())
	case v.Kind == engine.Label:
		return v, bounded("value", v.Text)
	case math.IsNaN(v.Num) || math.IsInf(v.Num, 0):
		return v, fmt.Errorf("%w: %v is not a finite number", ErrInvalidValue, v.Num)
	}
	return v, nil
}
