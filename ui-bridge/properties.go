package uibridge

import (
	"maps"

	"github.com/godbus/dbus/v5"
)

// onGetAll returns the properties of an interface; one without properties has
// an empty dictionary.
func (br *Bridge) onGetAll(iface string) (map[string]dbus.Variant, *dbus.Error) {
	var props map[string]dbus.Variant
	err := br.guard(func() error {
		props = br.properties(iface)
		return nil
	})
	if err == nil && props == nil {
		return nil, dbus.NewError("org.freedesktop.DBus.Error.UnknownInterface", []any{"no interface " + iface})
	}
	return props, err
}

func (br *Bridge) onGet(iface, name string) (dbus.Variant, *dbus.Error) {
	props, err := br.onGetAll(iface)
	if err != nil {
		return dbus.Variant{}, err
	}
	v, ok := props[name]
	if !ok {
		return dbus.Variant{}, dbus.NewError("org.freedesktop.DBus.Error.UnknownProperty", []any{"no property " + iface + "." + name})
	}
	return v, nil
}

// onSet refuses: every property is read-only.
func (br *Bridge) onSet(iface, name string, _ dbus.Variant) *dbus.Error {
	if _, err := br.onGet(iface, name); err != nil {
		return err
	}
	return dbus.NewError("org.freedesktop.DBus.Error.PropertyReadOnly", []any{iface + "." + name + " is read-only"})
}

// properties are those of an interface, nil if the object has no such interface.
func (br *Bridge) properties(iface string) map[string]dbus.Variant {
	switch iface {
	case AgentInterface:
		return map[string]dbus.Variant{
			"Version":  dbus.MakeVariant(br.opt.Version),
			"Session":  dbus.MakeVariant(br.opt.Session),
			"Vehicle":  dbus.MakeVariant(br.opt.Vehicle),
			"Counters": dbus.MakeVariant(br.Counters()),
		}
	case TraceInterface:
		study, on := br.opt.Handler.Recording()
		return map[string]dbus.Variant{"Study": dbus.MakeVariant(study), "Recording": dbus.MakeVariant(on)}
	case "org.freedesktop.DBus.Properties", "org.freedesktop.DBus.Introspectable", "org.freedesktop.DBus.Peer":
		return map[string]dbus.Variant{}
	}
	return nil
}

// Counters are the figures of the property Counters: those of Options.Counters
// and calls, calls_failed, calls_overflowed, incoming_busy, watchers,
// decisions_dropped, signals_dropped, bus_losses, reconnects and name_taken.
func (br *Bridge) Counters() map[string]uint64 {
	c := map[string]uint64{}
	if br.opt.Counters != nil {
		maps.Copy(c, br.opt.Counters())
	}
	br.calls.counters(c)
	br.watch.counters(c)
	c["incoming_busy"] = br.busy.Load()
	c["signals_dropped"] = br.signalsDropped.Load()
	c["bus_losses"] = br.busLosses.Load()
	c["reconnects"] = br.reconnects.Load()
	c["name_taken"] = br.nameTaken.Load()
	return c
}
