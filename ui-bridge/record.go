package uibridge

import (
	"fmt"

	"vignette/scenes/engine"

	"github.com/godbus/dbus/v5"
)

// dictionaries turns decision records into aa{sv}, with the keys of the
// decision log; absent ones are left out.
func dictionaries(records []engine.Record) []map[string]dbus.Variant {
	out := make([]map[string]dbus.Variant, len(records))
	for i := range records {
		out[i] = dictionary(&records[i])
	}
	return out
}

func dictionary(r *engine.Record) map[string]dbus.Variant {
	m := map[string]dbus.Variant{
		"t":    dbus.MakeVariant(seconds(r.T)),
		"n":    dbus.MakeVariant(r.N),
		"what": dbus.MakeVariant(r.What.String()),
	}
	for _, s := range [...]struct{ key, text string }{
		{"card", r.Card}, {"why", r.Why}, {"action", r.Action}, {"actuator", r.Actuator}} {
		if s.text != "" {
			m[s.key] = dbus.MakeVariant(s.text)
		}
	}
	if v, err := variant(r.Value); err == nil {
		m["value"] = v
	}
	if r.Lease != 0 {
		m["lease"] = dbus.MakeVariant(float64(r.Lease) / 1e9)
	}
	if r.Cause != 0 {
		m["cause"] = dbus.MakeVariant(r.Cause)
	}
	return m
}

// seconds writes nanoseconds as seconds with nine decimals.
func seconds(ns int64) string {
	sign := ""
	u := uint64(ns)
	if ns < 0 {
		sign, u = "-", -u
	}
	return fmt.Sprintf("%s%d.%09d", sign, u/1e9, u%1e9)
}
