package services

import (
	"vignette/scenes/engine"

	"github.com/godbus/dbus/v5"
)

// valueOf is a D-Bus value as profiles write them: numbers of any type, booleans,
// and texts, object paths among them. None: of another type.
func valueOf(x any) engine.Value {
	number := func(f float64) engine.Value { return engine.Value{Kind: engine.Number, Num: f} }
	switch x := x.(type) {
	case dbus.Variant:
		return valueOf(x.Value())
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
