package services

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"vignette/scenes/engine"

	"github.com/godbus/dbus/v5"
)

// TestObjectsTakeAnything: whatever a service signals, in whatever order and
// before or after it could be read, objects stay bounded, and without having been
// read they say nothing unless a signal has said it.
func TestObjectsTakeAnything(t *testing.T) {
	const device = "org.bluez.Device1"
	random := rand.New(rand.NewPCG(1, 2))
	path := func() dbus.ObjectPath { return dbus.ObjectPath(fmt.Sprint("/d", random.IntN(2*maxObjects))) }
	values := []any{true, false, "x", uint32(1), []string{"a"}, map[string]dbus.Variant{}, 1.5}
	list := func() map[string]dbus.Variant {
		l := map[string]dbus.Variant{}
		for _, name := range []string{"Connected", "Paired", "Other"} {
			if random.IntN(2) == 0 {
				l[name] = dbus.MakeVariant(values[random.IntN(len(values))])
			}
		}
		return l
	}
	iface := func() string { return []string{device, device, device, "org.bluez.Other1"}[random.IntN(4)] }
	bodies := []func() []any{
		func() []any { return []any{iface(), list(), []string{}} },
		func() []any { return []any{iface(), list(), []string{"Connected", "Other"}} },
		func() []any { return []any{path(), map[string]map[string]dbus.Variant{iface(): list()}} },
		func() []any { return []any{path(), []string{iface()}} },
		func() []any { return nil },
		func() []any { return []any{values[random.IntN(len(values))]} },
	}
	members := []string{propertiesInterface + ".PropertiesChanged", managerInterface + ".InterfacesAdded", managerInterface + ".InterfacesRemoved", "org.example.Other"}
	for _, of := range []string{"path: /d0", "manager: /, where: {Paired: true}"} {
		event := eventsOf(t, "phone: {property: {bus: system, service: org.bluez, interface: org.bluez.Device1, member: Connected, "+of+"}}")[0]
		source, facts := &event.Source, []fact{{Fact: event.Facts()[0]}}
		for _, loaded := range []bool{false, true} {
			o := &objects{}
			if loaded {
				o.loaded, o.managed = true, map[dbus.ObjectPath]map[string]engine.Value{}
			}
			taken, refused := 0, 0
			for range 20_000 {
				s := &dbus.Signal{Path: path(), Name: members[random.IntN(len(members))], Body: bodies[random.IntN(len(bodies))]()}
				if _, err := o.take(s, source); err != nil {
					refused++
				} else {
					taken++
				}
				_, known := o.judge(facts, source)
				if len(o.managed) > maxObjects || known[0] && !o.loaded {
					t.Fatalf("%d objects, known is %v, read is %v after %v", len(o.managed), known[0], o.loaded, s)
				}
			}
			if full := source.Manager != "" && loaded; taken == 0 || refused == 0 || (len(o.managed) > maxObjects/2) != full {
				t.Errorf("%s, read before is %v: %d signals were taken, %d refused, and %d objects are kept", of, loaded, taken, refused, len(o.managed))
			}
		}
	}
}
