package services

import (
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

const (
	powerName = "org.example.Power1"
	powerPath = "/org/example/Power1"
)

// TestPropertyOfAService: what is so at first is found, a change happens now, and
// a service that goes makes it unknown: what it says when it comes back is found.
func TestPropertyOfAService(t *testing.T) {
	address := startBus(t)
	power := serve(t, address, powerName)
	power.has(powerPath, powerName, "On", true)
	power.own()
	s, e := listen(t, address, "ignition: {property: {bus: system, service: org.example.Power1, path: /org/example/Power1, interface: org.example.Power1, member: On}}", false)
	e.hears(t, "found ignition on")
	power.set(powerPath, powerName, "On", false)
	e.hears(t, "now ignition off")
	power.set(powerPath, powerName, "On", false)
	power.set(powerPath, "org.example.Other1", "On", true)
	power.set(powerPath, powerName, "On", true)
	e.hears(t, "now ignition on")
	power.die()
	counter(t, s, "services_gone", 1)
	counter(t, s, "services_unknown", 1)
	again := serve(t, address, powerName)
	again.has(powerPath, powerName, "On", false)
	again.own()
	e.hears(t, "found ignition off")
	again.set(powerPath, powerName, "On", true)
	e.hears(t, "now ignition on")
	again.set(powerPath, powerName, "On", "maybe")
	counter(t, s, "services_unknown", 2)
	again.set(powerPath, powerName, "On", true)
	e.hears(t, "found ignition on")
	e.silent(t)
}

// TestInvalidatedProperty: a property that is only said to have changed is read.
func TestInvalidatedProperty(t *testing.T) {
	address := startBus(t)
	power := serve(t, address, powerName)
	power.has(powerPath, powerName, "State", uint32(1))
	power.own()
	_, e := listen(t, address, "online: {property: {bus: system, service: org.example.Power1, path: /org/example/Power1, interface: org.example.Power1, member: State}, is: [4]}\n"+
		"phone: {property: {bus: system, service: org.example.Power1, path: /org/example/Power1, interface: org.example.Power1, member: State}, is: {near: [4], far: [1, 2]}}", false)
	e.hears(t, "found phone far")
	power.has(powerPath, powerName, "State", uint32(4))
	power.emit(powerPath, propertiesInterface, "PropertiesChanged", powerName, map[string]dbus.Variant{}, []string{"State"})
	got := map[string]bool{<-e.told: true, <-e.told: true} // of two follows
	if !got["now phone near"] || !got["now event online"] {
		t.Errorf("told %v", got)
	}
	e.silent(t)
}

// TestPhonesOfAManager: near is that one of the phones is connected; what is no
// phone, or not paired, does not count.
func TestPhonesOfAManager(t *testing.T) {
	address := startBus(t)
	const device = "org.bluez.Device1"
	bluez := serve(t, address, "org.bluez")
	add := func(path, icon string, paired, connected bool) {
		bluez.has(path, device, "Icon", icon)
		bluez.has(path, device, "Paired", paired)
		bluez.has(path, device, "Connected", connected)
	}
	add("/org/bluez/hci0/a", "phone", true, false)
	add("/org/bluez/hci0/b", "audio-headset", true, true)
	add("/org/bluez/hci0/c", "phone", false, true)
	bluez.manage("/")
	bluez.own()
	_, e := listen(t, address, "phone: {property: {bus: system, service: org.bluez, manager: /, interface: org.bluez.Device1, member: Connected, where: {Paired: true, Icon: phone}}}", false)
	e.hears(t, "found phone far")
	bluez.set("/org/bluez/hci0/a", device, "Connected", true)
	e.hears(t, "now phone near")
	added := map[string]map[string]dbus.Variant{device: {"Icon": dbus.MakeVariant("phone"), "Paired": dbus.MakeVariant(true), "Connected": dbus.MakeVariant(true)}}
	bluez.emit("/", managerInterface, "InterfacesAdded", dbus.ObjectPath("/org/bluez/hci0/d"), added)
	bluez.set("/org/bluez/hci0/a", device, "Connected", false)
	bluez.set("/org/bluez/hci0/x", device, "Connected", false) // never listed
	bluez.emit("/", managerInterface, "InterfacesRemoved", dbus.ObjectPath("/org/bluez/hci0/d"), []string{device})
	e.hears(t, "now phone far")
	bluez.set("/org/bluez/hci0/c", device, "Paired", true)
	e.hears(t, "now phone near")
	e.silent(t)
}

// TestFloodOfAProperty: changes that come faster than the calm are told once, and
// the last one counts.
func TestFloodOfAProperty(t *testing.T) {
	address := startBus(t)
	power := serve(t, address, powerName)
	power.has(powerPath, powerName, "On", false)
	power.own()
	_, e := listen(t, address, "ignition: {property: {bus: system, service: org.example.Power1, path: /org/example/Power1, interface: org.example.Power1, member: On}}", false)
	e.hears(t, "found ignition off")
	begun := time.Now()
	for i := range 3000 {
		power.set(powerPath, powerName, "On", i%2 == 0)
	}
	power.set(powerPath, powerName, "On", true)
	power.set(powerPath, powerName, "Done", true)
	told, last := 0, "now ignition off"
	for last != "now ignition on" || len(e.told) > 0 || time.Since(begun) < 500*time.Millisecond {
		select {
		case last = <-e.told:
			told++
		case <-time.After(3 * calm):
			if last == "now ignition on" {
				begun = time.Time{}
			}
		}
	}
	if most := int(time.Since(begun)/calm) + 2; !begun.IsZero() && told > most {
		t.Errorf("%d changes were told, at most %d should be", told, most)
	}
	if told == 0 || told > 200 {
		t.Errorf("%d changes were told of 3000", told)
	}
}

// TestFloodOfSignals: signals beyond the bound are dropped and counted.
func TestFloodOfSignals(t *testing.T) {
	address := startBus(t)
	wheel := serve(t, address, powerName)
	wheel.own()
	s, e := listen(t, address, "button: {names: [star], signal: {bus: system, service: org.example.Power1, path: /org/example/Power1, interface: org.example.Power1, member: Pressed, argument: 1}}\n"+
		"ready: {property: {bus: system, service: org.example.Power1, path: /org/example/Power1, interface: org.example.Power1, member: Ready}}", false)
	counter(t, s, "services_faults", 1) // the property is not there: the service has appeared
	for i := 0; ; i++ {                 // until the signal is subscribed to
		wheel.emit(powerPath, powerName, "Pressed", uint32(1), "star")
		m := map[string]uint64{}
		s.Count(m)
		if m["services_told"] > 0 {
			break
		}
		if i == 10_000 {
			t.Fatal("no signal is heard")
		}
		time.Sleep(time.Millisecond)
	}
	e.hears(t, "now button star")
	for range 200 {
		wheel.emit(powerPath, powerName, "Pressed", uint32(1), "star")
	}
	counter(t, s, "services_dropped", 100)
	m := map[string]uint64{}
	if s.Count(m); m["services_told"] > 100 {
		t.Errorf("%d signals were told", m["services_told"])
	}
}
