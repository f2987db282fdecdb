package uibridge

import (
	"errors"
	"maps"

	"github.com/godbus/dbus/v5"
)

// onGetAll returns the properties of an object's interface; one without
// properties has an empty dictionary.
func (br *Bridge) onGetAll(msg dbus.Message, iface string) (map[string]dbus.Variant, *dbus.Error) {
	var props map[string]dbus.Variant
	var failed *dbus.Error
	path, _ := msg.Headers[dbus.FieldPath].Value().(dbus.ObjectPath)
	err := br.guard(func() (err error) {
		if path == AgentPath {
			props, err = br.properties(iface)
			return err
		}
		props, failed, err = br.cardProperties(path, iface)
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case failed != nil:
		return nil, failed
	case props == nil:
		return nil, dbus.NewError("org.freedesktop.DBus.Error.UnknownInterface", []any{"no interface " + iface})
	}
	return props, nil
}

func (br *Bridge) onGet(msg dbus.Message, iface, name string) (dbus.Variant, *dbus.Error) {
	props, err := br.onGetAll(msg, iface)
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
func (br *Bridge) onSet(msg dbus.Message, iface, name string, _ dbus.Variant) *dbus.Error {
	if _, err := br.onGet(msg, iface, name); err != nil {
		return err
	}
	return dbus.NewError("org.freedesktop.DBus.Error.PropertyReadOnly", []any{iface + "." + name + " is read-only"})
}

// properties are those of an interface of the agent's object, nil if it has no
// such interface.
func (br *Bridge) properties(iface string) (map[string]dbus.Variant, error) {
	switch iface {
	case AgentInterface:
		return br.agentProperties()
	case TraceInterface:
		return traceProperties(br.lookAtTraces()), nil
	case propertiesOf, introspectable, objectManager, peer:
		return map[string]dbus.Variant{}, nil
	}
	return nil, nil
}

// agentProperties are those of Agent1.
func (br *Bridge) agentProperties() (map[string]dbus.Variant, error) {
	if err := br.look(""); err != nil {
		return nil, err
	}
	w := br.watch
	w.mu.Lock()
	now, vehicle := w.agent, w.vehicle
	w.mu.Unlock()
	return map[string]dbus.Variant{
		"Version":  dbus.MakeVariant(br.opt.Version),
		"Session":  dbus.MakeVariant(br.opt.Session),
		"Vehicle":  dbus.MakeVariant(vehicle),
		"User":     dbus.MakeVariant(now.User),
		"Asks":     dbus.MakeVariant(now.asks()),
		"Habits":   dbus.MakeVariant(now.Habits),
		"Buses":    dbus.MakeVariant(now.buses()),
		"Counters": dbus.MakeVariant(br.Counters()),
		"Problems": dbus.MakeVariant(br.opt.Handler.Problems()),
		"Status":   dbus.MakeVariant(now.status()),
	}, nil
}

// status is how the agent itself is.
func (now *AgentNow) status() map[string]dbus.Variant {
	return map[string]dbus.Variant{"state": dbus.MakeVariant(now.State), "since": dbus.MakeVariant(now.Since.Seconds()), "up": dbus.MakeVariant(now.Up.Seconds())}
}

// asks are the open questions to the driver, with the keys of Decisions, and
// left: the seconds until no answer is no.
func (now *AgentNow) asks() []map[string]dbus.Variant {
	list := make([]map[string]dbus.Variant, 0, len(now.Asks))
	for i := range now.Asks {
		a := &now.Asks[i]
		m := map[string]dbus.Variant{"n": dbus.MakeVariant(a.N), "card": dbus.MakeVariant(a.Card), "actuator": dbus.MakeVariant(a.Actuator),
			"lease": dbus.MakeVariant(float64(a.Lease) / 1e9), "left": dbus.MakeVariant(secondsLeft(a.Until - now.At))}
		if v, err := variant(a.Value); err == nil {
			m["value"] = v
		}
		list = append(list, m)
	}
	return list
}

// buses are the car's buses by name.
func (now *AgentNow) buses() map[string]map[string]dbus.Variant {
	all := map[string]map[string]dbus.Variant{}
	for _, b := range now.Buses {
		m := map[string]dbus.Variant{}
		if b.Link != "" {
			m["interface"], m["link"], m["frames_lost"] = dbus.MakeVariant(b.Interface), dbus.MakeVariant(b.Link), dbus.MakeVariant(b.Lost)
		}
		all[b.Name] = m
	}
	return all
}

// cardProperties are those of an interface of a card, nil if it has no such
// interface; failed if there is no such card.
func (br *Bridge) cardProperties(path dbus.ObjectPath, iface string) (props map[string]dbus.Variant, failed *dbus.Error, err error) {
	w := br.watch
	w.mu.Lock()
	c := w.card(path)
	w.mu.Unlock()
	if c == nil {
		return nil, unknownObject(path), nil
	}
	switch iface {
	case propertiesOf, introspectable, peer:
		return map[string]dbus.Variant{}, nil, nil
	case CardInterface:
	default:
		return nil, nil, nil
	}
	if err := br.look(c.ID); err != nil {
		return nil, nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if c = w.card(path); c == nil {
		return nil, unknownObject(path), nil
	}
	return c.properties(allAspects), nil, nil
}

// isClosing reports whether an error says that the agent ends.
func isClosing(err error) bool { return errors.Is(err, ErrClosing) }

// Counters are the figures of the property Counters: those of Options.Counters
// and calls, calls_failed, calls_overflowed, incoming_busy, incoming_unanswered,
// watchers, decisions_dropped, signals_dropped, bus_losses, reconnects and
// name_taken.
func (br *Bridge) Counters() map[string]uint64 {
	c := map[string]uint64{}
	if br.opt.Counters != nil {
		maps.Copy(c, br.opt.Counters())
	}
	br.calls.counters(c)
	br.watch.counters(c)
	br.in.counters(c)
	c["signals_dropped"] = br.signalsDropped.Load()
	c["bus_losses"] = br.busLosses.Load()
	c["reconnects"] = br.reconnects.Load()
	c["name_taken"] = br.nameTaken.Load()
	return c
}
