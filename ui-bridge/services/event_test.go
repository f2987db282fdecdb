package services

import (
	"fmt"
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
	_, e := listen(t, address, "phone: {property: {bus: system, service: org.example.Power1, path: /org/example/Power1, interface: org.example.Power1, member: State}, is: {near: [4], far: [1, 2]}}", false)
	e.hears(t, "found phone far")
	power.has(powerPath, powerName, "State", uint32(4))
	power.emit(powerPath, propertiesInterface, "PropertiesChanged", powerName, map[string]dbus.Variant{}, []string{"State"})
	e.hears(t, "now phone near")
	e.silent(t)
}

// TestEventOfOneWord: what has no opposite is told when it becomes so, and nothing
// of how it was found.
func TestEventOfOneWord(t *testing.T) {
	address := startBus(t)
	power := serve(t, address, powerName)
	power.has(powerPath, powerName, "Level", 90.0)
	power.own()
	_, e := listen(t, address, "low: {property: {bus: system, service: org.example.Power1, path: /org/example/Power1, interface: org.example.Power1, member: Level}, below: 20}", false)
	untilHeard(t, e, func() {
		power.set(powerPath, powerName, "Level", 90.0)
		power.set(powerPath, powerName, "Level", 19.5)
	}, "now event low")
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

// TestTooManyObjects: of a manager with more objects than are looked at nothing is
// known, whatever else it tells; that is counted.
func TestTooManyObjects(t *testing.T) {
	address := startBus(t)
	const device = "org.bluez.Device1"
	bluez := serve(t, address, "org.bluez")
	for i := range maxObjects + 1 {
		bluez.has(fmt.Sprintf("/org/bluez/hci0/d%d", i), device, "Connected", true)
	}
	bluez.manage("/")
	bluez.own()
	s, e := listen(t, address, "phone: {property: {bus: system, service: org.bluez, manager: /, interface: org.bluez.Device1, member: Connected}}\n"+
		"button: {names: [a, b], property: {bus: system, service: org.bluez, path: /org/bluez/hci0/d0, interface: org.bluez.Key1, member: Key}}", false)
	counter(t, s, "services_faults", 1)
	one := map[string]map[string]dbus.Variant{device: {"Connected": dbus.MakeVariant(true)}}
	bluez.emit("/", managerInterface, "InterfacesAdded", dbus.ObjectPath("/org/bluez/hci0/new"), one)
	bluez.set("/org/bluez/hci0/new", device, "Connected", true)
	bluez.emit("/", managerInterface, "InterfacesRemoved", dbus.ObjectPath("/org/bluez/hci0/new"), []string{device})
	untilListens(t, e, func(i int) { // what was told before is taken
		bluez.set("/org/bluez/hci0/d0", "org.bluez.Key1", "Key", string("ab"[i%2]))
	})
	e.silent(t)
}

// listenToKey listens to a property of a service, which is one of some buttons.
func listenToKey(t *testing.T, names string) (*service, *ear) {
	t.Helper()
	address := startBus(t)
	power := serve(t, address, powerName)
	power.has(powerPath, powerName, "Key", "a")
	power.own()
	_, e := listen(t, address, "button: {names: ["+names+"], property: {bus: system, service: org.example.Power1, path: /org/example/Power1, interface: org.example.Power1, member: Key}}", false)
	return power, e
}

// TestFloodOfAProperty: of changes that come faster than the calm the latest is
// told, also where some are lost and the property is read instead.
func TestFloodOfAProperty(t *testing.T) {
	power, e := listenToKey(t, "a, b, c, d, last")
	untilListens(t, e, func(i int) { // these are none of the flood's names
		power.set(powerPath, powerName, "Key", string("ab"[i%2]))
	})
	begun := time.Now()
	for i := range 3000 {
		power.set(powerPath, powerName, "Key", string("cd"[i%2]))
	}
	power.set(powerPath, powerName, "Key", "last")
	told := 0
	for last := ""; last != "now button last"; {
		select {
		case last = <-e.told:
		case <-time.After(patience):
			t.Fatal("the last value was not told")
		}
		if last != "now button a" && last != "now button b" {
			told++
		}
	}
	if most := int(time.Since(begun)/calm) + 1; told > most {
		t.Errorf("%d changes were told in %v, at most %d should be", told, time.Since(begun), most)
	}
}

// TestFloodOfInvalidations: a service that only says that a property is another
// now is asked for it no more often than the calm allows.
func TestFloodOfInvalidations(t *testing.T) {
	power, e := listenToKey(t, "a, b")
	begun := time.Now()
	invalid := func(i int) {
		power.has(powerPath, powerName, "Key", string("ab"[i%2]))
		power.emit(powerPath, propertiesInterface, "PropertiesChanged", powerName, map[string]dbus.Variant{}, []string{"Key"})
	}
	for i := range 1000 {
		invalid(i)
	}
	untilListens(t, e, invalid)
	power.mu.Lock()
	defer power.mu.Unlock()
	if most := int(time.Since(begun)/calm) + 2; power.asked > most {
		t.Errorf("asked %d times in %v, at most %d should be", power.asked, time.Since(begun), most)
	}
}

// TestFloodOfSignals: signals beyond the bound are dropped and counted.
func TestFloodOfSignals(t *testing.T) {
	address := startBus(t)
	wheel := serve(t, address, powerName)
	wheel.own()
	s, e := listen(t, address, "button: {names: [star], signal: {bus: system, service: org.example.Power1, path: /org/example/Power1, interface: org.example.Power1, member: Pressed, argument: 1}}", false)
	press := func() { wheel.emit(powerPath, powerName, "Pressed", uint32(1), "star") }
	untilHeard(t, e, press, "now button star")
	wheel.emit(powerPath, powerName, "Pressed", uint32(1), "moon") // no name of the profile
	wheel.emit(powerPath, powerName, "Pressed", uint32(1))         // without a name
	counter(t, s, "services_unknown", 1)
	for range 200 {
		press()
	}
	counter(t, s, "services_dropped", 100)
	m := map[string]uint64{}
	if s.Count(m); m["services_told"] > 100 {
		t.Errorf("%d signals were told", m["services_told"])
	}
}

// untilHeard does something until it is told: a signal is not heard before it is
// subscribed to.
func untilHeard(t *testing.T, e *ear, do func(), want string) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); ; {
		select {
		case got := <-e.told:
			if got != want {
				t.Fatalf("told %q, want %q", got, want)
			}
			return
		case <-tick.C:
			do()
		}
		if time.Now().After(deadline) {
			t.Fatalf("%q was not told", want)
		}
	}
}

// untilListens does something until anything is told.
func untilListens(t *testing.T, e *ear, do func(i int)) {
	t.Helper()
	for i, begun := 0, time.Now(); time.Since(begun) < patience; i++ {
		do(i)
		select {
		case <-e.told:
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
	t.Fatal("nothing was told")
}

// TestPlacesOfAService: a text names where the car is; for another user it is told
// anew, as found.
func TestPlacesOfAService(t *testing.T) {
	address := startBus(t)
	navi := serve(t, address, powerName)
	navi.has(powerPath, powerName, "Place", "home")
	navi.own()
	s, e := listen(t, address, "place: {names: [home, work], property: {bus: system, service: org.example.Power1, path: /org/example/Power1, interface: org.example.Power1, member: Place}}", false)
	e.hears(t, "found place leave work", "found place enter home")
	navi.set(powerPath, powerName, "Place", "work")
	e.hears(t, "now place leave home", "now place enter work")
	s.UserChanged()
	e.hears(t, "found place leave home", "found place enter work")
	navi.set(powerPath, powerName, "Place", "")
	e.hears(t, "now place leave work")
	e.silent(t)
}

// TestSignalsOfTwoWords: a signal is what happens; of the places that it does not
// name it tells where the car is not.
func TestSignalsOfTwoWords(t *testing.T) {
	address := startBus(t)
	navi := serve(t, address, powerName)
	navi.own()
	_, e := listen(t, address, "place: {names: [home, work], signal: {bus: system, service: org.example.Power1, interface: org.example.Power1, member: At}}", false)
	at := func(name string) func() { return func() { navi.emit(powerPath, powerName, "At", name) } }
	untilHeard(t, e, at("home"), "found place leave work")
	e.hears(t, "now place enter home")
	at("work")()
	e.hears(t, "now place leave home", "now place enter work")
}
