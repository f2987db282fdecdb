package agent

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"vignette/scenes/engine"
	uibridge "vignette/ui-bridge"
	"vignette/ui-bridge/privatebus"

	"github.com/godbus/dbus/v5"
)

// quickCard holds, acts and cools down within seconds.
const quickCard = `schema: 1
id: quick-one
version: 1.0.0
title: {en: Quick}
when:
  - {signal: Vehicle.Speed, rises_above: 50, unit: km/h, held_for: 1s}
only_if:
  - {not: {signal: Vehicle.Speed, above: 100, unit: km/h}}
then:
  - {set: Private.Lamp, to: true, lease: 1s, at_end: leave}
cooldown: 2s
`

// quickDrive runs an agent on a drive that begins at 0 km/h, is at 60 from 1 s
// to 3.4 s, and says no more until its end. It returns the bus.
func quickDrive(t *testing.T) (address string) {
	t.Helper()
	dir := t.TempDir()
	address, stop, err := privatebus.Start(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	var log bytes.Buffer
	for ms := 0; ms <= 3400; ms += 20 {
		raw := 0
		if ms >= 1000 {
			raw = 600
		}
		fmt.Fprintf(&log, "(%d.%03d000) can0 001#%02X%02X000000000000\n", 1767261600+ms/1000, ms%1000, raw&0xff, raw>>8)
	}
	log.WriteString("(1767261660.000000) can0 001#0000000000000000\n")
	vehicle := strings.Replace(driverVehicle, "confirm: true,\n     call: {bus: session, service: org.example.Lamp1, path: /org/example/Lamp1, interface: org.example.Lamp1, member: Set, signature: b, args: [\"{value}\"], within: 500ms}", "", 1)
	vehicle = strings.Replace(vehicle, "unit: km/h}", "unit: km/h, stale_after: never}", 1)
	for name, text := range map[string]string{"quick.yaml": quickCard, "vehicle.yaml": vehicle, "car.dbc": driverDBC, "drive.log": log.String()} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	c := Defaults()
	c.Vehicle, c.Cards, c.Unsigned = filepath.Join(dir, "vehicle.yaml"), []string{filepath.Join(dir, "quick.yaml")}, true
	c.Source.Log, c.Source.Speed, c.Bus = filepath.Join(dir, "drive.log"), "1x", address
	runHere(t, &c)
	return address
}

// program is another program on the bus, and the signals that it gets.
type program struct {
	*dbus.Conn
	heard chan *dbus.Signal
}

func newProgram(t *testing.T, address string) *program {
	t.Helper()
	conn, err := dbus.Connect(address, dbus.WithSignalHandler(dbus.NewSequentialSignalHandler()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	p := &program{conn, make(chan *dbus.Signal, 1024)}
	conn.Signal(p.heard)
	return p
}

func (p *program) ask(t *testing.T, method string, args ...any) {
	t.Helper()
	if err := p.Object(uibridge.AgentName, uibridge.AgentPath).CallWithContext(t.Context(), method, 0, args...).Err; err != nil {
		t.Fatal(err)
	}
}

// TestWatcherSeesWhatCardsDo follows a card through a hold, a lease and its
// cooldown, whose end no frame brings, by signals that are its watcher's alone.
func TestWatcherSeesWhatCardsDo(t *testing.T) {
	address := quickDrive(t)
	hmi, other := newProgram(t, address), newProgram(t, address)
	if err := other.AddMatchSignal(); err != nil { // every signal that is not somebody's own
		t.Fatal(err)
	}
	hmi.ask(t, uibridge.AgentInterface+".Watch", []string{})
	hmi.ask(t, uibridge.AgentInterface+".WatchCard", "quick-one")
	var states, clauses []string
	limit := time.After(30 * time.Second)
	for !slices.Contains(states, "waiting trigger[0]") {
		select {
		case s := <-hmi.heard:
			if s.Path != "/org/vignette/Agent1/card/quick_2done" {
				continue
			}
			switch s.Name {
			case "org.freedesktop.DBus.Properties.PropertiesChanged":
				m := s.Body[1].(map[string]dbus.Variant)
				if m["State"].Value() != nil {
					states = append(states, fmt.Sprint(m["State"].Value(), " ", m["Why"].Value()))
				}
			case uibridge.CardInterface + ".Clauses":
				text := ""
				for _, c := range s.Body[0].([][]any) {
					text += fmt.Sprint(c[0], "=", c[1], " ")
					if c[0] == "when[0]" && c[1] == "true" && len(clauses) == 1 && c[2].(float64) <= 0 {
						t.Errorf("the hold has %v s left", c[2])
					}
				}
				clauses = append(clauses, text)
			}
		case <-limit:
			t.Fatalf("the card was %q", states)
		}
	}
	if want := []string{"holding trigger[0]", "running lease:Private.Lamp", "cooling cooldown", "waiting trigger[0]"}; !slices.Equal(states[len(states)-4:], want) {
		t.Errorf("the card was %q, want %q at last", states, want)
	}
	const still = "only_if[0]=true only_if[0].not=false "
	if want := []string{"when[0]=false " + still, "when[0]=true " + still}; len(clauses) < 2 || !slices.Equal(clauses[:2], want) {
		t.Errorf("clauses %q, want %q", clauses, want)
	}
	name := ""
	if err := other.BusObject().Call("org.freedesktop.DBus.GetNameOwner", 0, uibridge.AgentName).Store(&name); err != nil {
		t.Fatal(err)
	}
	other.Close()
	for s := range other.heard {
		if s.Sender == name {
			t.Errorf("a program that does not watch got %s", s.Name)
		}
	}
}

// TestWatcherSeesCardsComeAndGo changes the files of cards under a running
// agent: its watcher is told of objects that come, change and go.
func TestWatcherSeesCardsComeAndGo(t *testing.T) {
	dir := t.TempDir()
	address, stop, err := privatebus.Start(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	c, err := LoadConfig("../testdata/hmi/agent.yaml")
	if err != nil {
		t.Fatal(err)
	}
	lamp, err := os.ReadFile("../testdata/hmi/cards/lamp.yaml")
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "cards", name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "cards"), 0o755); err != nil {
		t.Fatal(err)
	}
	write("lamp.yaml", string(lamp))
	c.Unsigned, c.Bus, c.Traces, c.State, c.Cards = true, address, "", "", []string{filepath.Join(dir, "cards")}
	runHere(t, c)
	hmi := newProgram(t, address)
	hmi.ask(t, uibridge.AgentInterface+".Watch", []string{})
	hmi.ask(t, uibridge.AgentInterface+".WatchCard", "lamp")
	object := func(name string) dbus.ObjectPath { return dbus.ObjectPath(uibridge.AgentPath + "/card/" + name) }
	write("second.yaml", strings.Replace(string(lamp), "id: lamp", "id: second", 1))
	hmi.await(t, "InterfacesAdded", func(s *dbus.Signal) bool {
		props := s.Body[1].(map[string]map[string]dbus.Variant)[uibridge.CardInterface]
		return s.Body[0] == object("second") && props["Version"].Value() == "1.2.0"
	})
	write("lamp.yaml", strings.Replace(string(lamp), "version: 1.2.0", "version: 1.3.0", 1))
	hmi.await(t, "PropertiesChanged", func(s *dbus.Signal) bool {
		return s.Path == object("lamp") && s.Body[1].(map[string]dbus.Variant)["Version"].Value() == "1.3.0"
	})
	hmi.ask(t, uibridge.AgentInterface+".RunCard", "second") // which is shown by its new place in the program
	hmi.await(t, "PropertiesChanged", func(s *dbus.Signal) bool {
		return s.Path == object("second") && s.Body[1].(map[string]dbus.Variant)["Why"].Value() == "lease:Private.Lamp"
	})
	if err := os.Remove(filepath.Join(dir, "cards", "lamp.yaml")); err != nil {
		t.Fatal(err)
	}
	hmi.await(t, "InterfacesRemoved", func(s *dbus.Signal) bool { return s.Body[0] == object("lamp") })
}

// await waits for a signal of a name that satisfies is.
func (p *program) await(t *testing.T, name string, is func(*dbus.Signal) bool) {
	t.Helper()
	limit := time.After(30 * time.Second)
	for {
		select {
		case s := <-p.heard:
			if strings.HasSuffix(s.Name, "."+name) && is(s) {
				return
			}
		case <-limit:
			t.Fatalf("no %s", name)
		}
	}
}

// TestNobodyWatchesNothingIsLookedAt feeds frames and decisions while nobody
// watches: no view is computed, and no timer runs.
func TestNobodyWatchesNothingIsLookedAt(t *testing.T) {
	b := newLiveBench(t, SourceConfig{})
	b.face = newFace()
	for _, item := range drivenItems(t, 5) {
		if err := b.live.feed(b.agent, &item); err != nil {
			t.Fatal(err)
		}
		b.face.settle(b.agent)
	}
	if b.face.looks != 0 || b.face.armed || b.face.idle || b.pump.Stats.Frames == 0 {
		t.Errorf("%d looks after %d frames, timer %v %v", b.face.looks, b.pump.Stats.Frames, b.face.armed, b.face.idle)
	}
}

// TestWhyFollowsCauses remembers a bounded past, newest first to stay, and
// finds the causes of other cards.
func TestWhyFollowsCauses(t *testing.T) {
	f := newFace()
	for _, id := range []string{"", "a", "b"} {
		f.of(id).limit = 4
	}
	f.note([]engine.Record{{N: 1, Card: "b", What: engine.Fired}, {N: 2, Card: "b", What: engine.Acted, Cause: 1}, {N: 3, What: engine.Override},
		{N: 4, Card: "gone", What: engine.Fired}})
	delete(f.past, "gone") // as announce does
	for n := uint64(5); n < 15; n++ {
		f.note([]engine.Record{{N: n, Card: "a", What: engine.Fired, Why: "manual", Cause: 15 - n}})
	}
	var got []uint64
	for _, r := range f.why("a") {
		got = append(got, r.N)
	}
	// a keeps 11 to 14, which name 4 (gone), 3, 2 and 1; 2 names 1.
	if want := []uint64{1, 2, 3, 11, 12, 13, 14}; !slices.Equal(got, want) {
		t.Errorf("records %v, want %v", got, want)
	}
	p := f.of("a")
	if p.counts[engine.Fired] != 10 || len(p.firings) != maxFirings || p.firings[7].N != 14 {
		t.Errorf("counted %d firings, kept %v", p.counts[engine.Fired], p.firings)
	}
	for cards, want := range map[int]int{0: 32, 10: 32, 128: 32, 129: 31, 512: 8, 1000: 8} {
		if got := historyOf(cards); got != want {
			t.Errorf("%d records of each of %d cards, want %d", got, cards, want)
		}
	}
}

// TestNeeds: what a card cannot do without are all the services that its actions
// call and, if nothing else starts it, one of those that tell of it.
func TestNeeds(t *testing.T) {
	dir := t.TempDir()
	call := func(service string) string {
		return "call: {bus: session, service: " + service + ", path: /x, interface: org.example.X, member: Set, signature: b, args: [\"{value}\"], within: 500ms}}\n"
	}
	vehicle := strings.Split(driverVehicle, "actuators:")[0] + "actuators:\n" +
		"  Private.Lamp: {type: boolean, min_interval: 0s, max_lease: 1h, states: [moving], manual_holdoff: 1m, " + call("org.example.Lamp1") +
		"  Private.Roof: {type: boolean, min_interval: 0s, max_lease: 1h, states: [moving], manual_holdoff: 1m, " + call("org.example.Roof1") +
		"events:\n  button: {names: [star], hmi: true}\n  phone: {property: {bus: system, service: org.bluez, manager: /, interface: org.bluez.Device1, member: Connected, where: {Paired: true, Icon: phone}}}\n  place: {names: [home], geoclue: true}\n"
	card := strings.Replace(driverCard, "  - {button: star}\n", "  - {phone: near}\n  - {place: {enter: home}}\n", 1)
	card = strings.Replace(card, "then:\n", "then:\n  - {set: Private.Lamp, to: false, lease: 1m, at_end: leave}\n", 1)
	for name, text := range map[string]string{"star.yaml": card, "vehicle.yaml": vehicle, "car.dbc": driverDBC} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	prog, err := Load(&Config{Unsigned: true, Vehicle: filepath.Join(dir, "vehicle.yaml"), Cards: []string{filepath.Join(dir, "star.yaml")}})
	if err != nil {
		t.Fatal(err)
	}
	lamp, roof := uibridge.Service{Bus: "session", Name: "org.example.Lamp1"}, uibridge.Service{Bus: "session", Name: "org.example.Roof1"}
	phone, place := uibridge.Service{Bus: "system", Name: "org.bluez"}, uibridge.Service{Bus: "system", Name: "org.freedesktop.GeoClue2"}
	book := newCallBook(prog, "en")
	if got := book.calls(0); !slices.Equal(got, []uibridge.Service{lamp}) {
		t.Errorf("the card calls %v", got)
	}
	if got := book.tellers(0); !slices.Equal(got, []uibridge.Service{phone, place}) {
		t.Errorf("the card is told by %v", got)
	}
	prog.Engine.Cards[0].When = append(prog.Engine.Cards[0].When, engine.Trigger{Op: engine.RisesAbove})
	if got := book.tellers(0); got != nil {
		t.Errorf("a card that a signal starts too is told by %v", got)
	}
	if got := book.services(); !slices.Equal(got, []uibridge.Service{lamp, roof, phone, place}) {
		t.Errorf("followed are %v", got)
	}
}
