//go:build oracle

package agent

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vignette/can"
	"vignette/can/socketcan"
	"vignette/ui-bridge/privatebus"
)

// These tests run the agent on live buses that say nothing, beside
// python-dbusmock's stand-ins of a head unit's services, or real ones, on a bus
// of its own.

// systemPython is the interpreter that Debian's python3-dbusmock is for.
const systemPython = "/usr/bin/python3"

// awaited is how long what must come is waited for.
const awaited = 30 * time.Second

// headUnit is a directory, a bus, and an agent.
type headUnit struct {
	*bench
	address string
	frames  chan []socketcan.Item
	said    bytes.Buffer // by the agent, and read when it has ended
}

// newHeadUnit readies an agent with fragments of docs/bindings.md and cards, by
// their triggers; whole cards say `then` themselves.
func newHeadUnit(t *testing.T, parts []string, cards map[string]string) *headUnit {
	t.Helper()
	dir := t.TempDir()
	address, stop, err := privatebus.Start(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	open := openSockets
	t.Cleanup(func() { openSockets = open })
	frames := make(chan []socketcan.Item, 1)
	openSockets = func(socketcan.Options) (sockets, error) { return &fakeSockets{batch: frames}, nil }
	c := Defaults()
	c.Vehicle, c.Unsigned, c.Bus, c.State = profileOf(t, dir, parts...), true, address, filepath.Join(dir, "state")
	c.Decisions, c.Journal = DecisionsConfig{File: filepath.Join(dir, "d.jsonl"), Format: "jsonl"}, filepath.Join(dir, "j.msgp")
	for id, text := range cards {
		if !strings.Contains(text, "then:") {
			text = markCard(id, text)
		}
		path := filepath.Join(dir, id+".yaml")
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		c.Cards = append(c.Cards, path)
	}
	return &headUnit{bench: &bench{t, dir, &c, stop}, address: address, frames: frames}
}

// environment has programs find the bus as the system's and the session's.
func (h *headUnit) environment() []string {
	return append(os.Environ(), "DBUS_SYSTEM_BUS_ADDRESS="+h.address, "DBUS_SESSION_BUS_ADDRESS="+h.address)
}

// program runs beside the agent until the test has ended.
func (h *headUnit) program(name string, args ...string) {
	h.t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = h.environment()
	out, err := os.CreateTemp(h.dir, "said-*")
	if err != nil {
		h.t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait() // it was killed
		out.Close()
		if h.t.Failed() {
			h.t.Logf("%s %s said:\n%s", name, strings.Join(args, " "), readFile(h.t, out.Name()))
		}
	})
}

// mock runs a template of python-dbusmock and waits for its name.
func (h *headUnit) mock(template, service, parameters string) {
	h.t.Helper()
	h.program(systemPython, "-m", "dbusmock", "--template", template, "-p", parameters)
	h.await(service)
}

// await waits for a name on the bus.
func (h *headUnit) await(service string) {
	h.t.Helper()
	h.until(service+" is on the bus", func() bool {
		return strings.Contains(h.busctl("call", "org.freedesktop.DBus", "/", "org.freedesktop.DBus", "NameHasOwner", "s", service), "true")
	})
}

// busctl runs systemd's busctl and returns what it prints.
func (h *headUnit) busctl(args ...string) string {
	h.t.Helper()
	return h.output("busctl", append([]string{"--address=" + h.address}, args...)...)
}

// output is what a program says that must end well.
func (h *headUnit) output(name string, args ...string) string {
	h.t.Helper()
	out, err := h.ask(name, args...)
	if err != nil {
		h.t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return out
}

// ask runs a program to its end and returns what it says.
func (h *headUnit) ask(name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Env = h.environment()
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// until waits until something is so.
func (h *headUnit) until(what string, so func() bool) {
	h.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(awaited); !so(); <-tick.C {
		if time.Now().After(deadline) {
			h.t.Fatalf("it did not come that %s; the decision log is\n%s", what, h.decided())
		}
	}
}

// decided is the decision log so far.
func (h *headUnit) decided() string {
	text, err := os.ReadFile(filepath.Join(h.dir, "d.jsonl"))
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// records waits until the decision log has a text so many times.
func (h *headUnit) records(text string, times int) {
	h.t.Helper()
	h.until(fmt.Sprintf("%s is there %d times", text, times), func() bool { return strings.Count(h.decided(), text) >= times })
	if n := strings.Count(h.decided(), text); n != times {
		h.t.Errorf("%s is in the decision log %d times, want %d", text, n, times)
	}
}

// asked waits until a mock has told the agent what is so at the start: the answer
// goes before all that a test changes from then on.
func (h *headUnit) asked(what string) {
	h.t.Helper()
	h.until("the agent asks for "+what, func() bool {
		for _, file := range glob(h.t, filepath.Join(h.dir, "said-*")) {
			if strings.Contains(string(readFile(h.t, file)), what) {
				return true
			}
		}
		return false
	})
}

// fires waits until a card has fired so often.
func (h *headUnit) fires(card string, times int) {
	h.t.Helper()
	h.records(fmt.Sprintf(`"card":"%s","what":"fired"`, card), times)
}

// start runs the agent; end, which must be called, stops it, holds that it ended
// well and that its journal decides the same.
func (h *headUnit) start() (end func()) {
	h.t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- Run(ctx, h.config, slog.New(slog.NewTextHandler(&h.said, nil))) }()
	h.await("org.vignette.Agent1")
	h.t.Cleanup(stop)
	return func() {
		h.t.Helper()
		stop()
		h.ended(done)
	}
}

// ended waits for the agent's end.
func (h *headUnit) ended(done <-chan error) {
	h.t.Helper()
	select {
	case err := <-done:
		if err != nil {
			h.t.Error(err)
		}
	case <-time.After(awaited):
		h.t.Fatal("the agent does not stop")
	}
	if replay := h.replay(); !bytes.Equal(replay, h.file("d.jsonl")) {
		h.t.Errorf("the journal's replay differs:\n%s\nagent:\n%s", replay, h.decided())
	}
	if h.t.Failed() {
		h.t.Logf("the agent said:\n%s", h.said.Bytes())
	}
}

// TestPhoneOfBlueZ pairs and connects phones of python-dbusmock's bluez5.
func TestPhoneOfBlueZ(t *testing.T) {
	h := newHeadUnit(t, []string{fragment(t, "org.bluez")}, map[string]string{"near": "{phone: near}", "far": "{phone: far}"})
	h.mock("bluez5", "org.bluez", "{}")
	mock := func(method, signature string, args ...string) {
		h.busctl(append([]string{"call", "org.bluez", "/org/bluez", "org.bluez.Mock", method, signature}, args...)...)
	}
	mock("AddAdapter", "ss", "hci0", "car")
	// icon: the template's PairDevice tells of the icon and does not keep it.
	icon := func(address string) {
		h.busctl("call", "org.bluez", "/org/bluez/hci0/dev_"+strings.ReplaceAll(address, ":", "_"), "org.freedesktop.DBus.Mock", "UpdateProperties", "sa{sv}",
			"org.bluez.Device1", "1", "Icon", "s", "phone")
	}
	const phone, other = "11:22:33:44:55:66", "66:55:44:33:22:11"
	mock("AddDevice", "sss", "hci0", phone, "phone")
	mock("PairDevice", "ssi", "hci0", phone, "5898764")
	icon(phone)
	mock("ConnectDevice", "ss", "hci0", phone)
	end := h.start()
	h.asked("GetManagedObjects")
	mock("DisconnectDevice", "ss", "hci0", phone)
	h.fires("far", 1)
	mock("AddDevice", "sss", "hci0", other, "another")
	icon(other)
	mock("ConnectDevice", "ss", "hci0", other) // not paired yet
	mock("PairDevice", "ssi", "hci0", other, "5898764")
	h.fires("near", 1)
	mock("ConnectDevice", "ss", "hci0", phone)
	mock("DisconnectDevice", "ss", "hci0", other)
	mock("DisconnectDevice", "ss", "hci0", phone)
	h.fires("far", 2)
	h.fires("near", 1)
	end()
}

// TestNetworkAndPower is told by python-dbusmock's networkmanager and upower.
func TestNetworkAndPower(t *testing.T) {
	h := newHeadUnit(t, []string{fragment(t, "NetworkManager"), fragment(t, "UPower")},
		map[string]string{"online": "{event: online}", "portal": "{event: portal}", "supply": "{event: on-battery}", "low": "{event: battery-low}"})
	h.mock("networkmanager", "org.freedesktop.NetworkManager", "{}") // it has full access
	h.mock("upower", "org.freedesktop.UPower", "{}")
	const display = "/org/freedesktop/UPower/devices/DisplayDevice"
	set := func(service, path, iface, property, signature, value string) {
		h.busctl("set-property", service, path, iface, property, signature, value)
	}
	set("org.freedesktop.UPower", display, "org.freedesktop.UPower.Device", "Percentage", "d", "80")
	end := h.start()
	connectivity := func(state string) {
		set("org.freedesktop.NetworkManager", "/org/freedesktop/NetworkManager", "org.freedesktop.NetworkManager", "Connectivity", "u", state)
	}
	h.asked("GetAll /org/freedesktop/NetworkManager org.freedesktop.NetworkManager")
	h.asked("GetAll " + display)
	connectivity("2")
	h.fires("portal", 1)
	connectivity("4")
	h.fires("online", 1)
	set("org.freedesktop.UPower", "/org/freedesktop/UPower", "org.freedesktop.UPower", "OnBattery", "b", "true")
	h.fires("supply", 1)
	set("org.freedesktop.UPower", display, "org.freedesktop.UPower.Device", "Percentage", "d", "19.5")
	h.fires("low", 1)
	set("org.freedesktop.UPower", display, "org.freedesktop.UPower.Device", "Percentage", "d", "18")
	connectivity("2")
	h.fires("portal", 2)
	connectivity("4")
	h.fires("online", 2)
	h.fires("low", 1)
	end()
}

// TestAnotherProfileIsListenedTo changes the profile under the running agent: what the
// new one binds is heard.
func TestAnotherProfileIsListenedTo(t *testing.T) {
	h := newHeadUnit(t, []string{fragment(t, "org.bluez")}, map[string]string{"near": "{phone: near}", "online": "{event: online}"})
	h.mock("networkmanager", "org.freedesktop.NetworkManager", "{}")
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- Run(ctx, h.config, slog.New(slog.NewTextHandler(&h.said, nil))) }()
	h.await("org.vignette.Agent1")
	next := profileOf(t, t.TempDir(), fragment(t, "org.bluez"), fragment(t, "NetworkManager"))
	text, err := os.ReadFile(next)
	if err != nil {
		t.Fatal(err)
	}
	text = bytes.Replace(text, []byte("version: 1\n"), []byte("version: 2\n"), 1)
	if err := os.WriteFile(h.config.Vehicle, text, 0o644); err != nil {
		t.Fatal(err)
	}
	parked := can.Frame{Time: socketcan.Now(), ID: 1, Len: 8} // as profileOf says it: faster than 250 km/h
	binary.LittleEndian.PutUint16(parked.Data[:], 3000)
	h.frames <- []socketcan.Item{{Kind: socketcan.Received, Frame: parked}}
	h.records(`"what":"reload","why":"profile"`, 1)
	h.until("the card fires", func() bool {
		for _, state := range []string{"1", "4"} {
			h.busctl("set-property", "org.freedesktop.NetworkManager", "/org/freedesktop/NetworkManager", "org.freedesktop.NetworkManager", "Connectivity", "u", state)
		}
		return strings.Contains(h.decided(), `"card":"online","what":"fired"`)
	})
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestClockOfTimedate1 has python-dbusmock's timedated vouch for the clock, and
// change the zone.
func TestClockOfTimedate1(t *testing.T) {
	h := newHeadUnit(t, []string{fragment(t, "trusted_by")}, map[string]string{"day": "{at: \"07:30\"}"})
	h.mock("timedated", "org.freedesktop.timedate1", `{"Timezone": "Europe/Berlin"}`)
	end := h.start()
	h.records(`"what":"clock","why":"trusted"`, 1)
	h.busctl("call", "org.freedesktop.timedate1", "/org/freedesktop/timedate1", "org.freedesktop.timedate1", "SetTimezone", "sb", "Asia/Kathmandu", "false")
	h.records(`"what":"clock","why":"zone"`, 1)
	h.busctl("call", "org.freedesktop.timedate1", "/org/freedesktop/timedate1", "org.freedesktop.timedate1", "SetTimezone", "sb", "Mars/Olympus_Mons", "false")
	h.records(`"what":"clock","why":"lost"`, 1)
	end()
}

// lampCard holds the lamp while nobody takes it away.
const lampCard = `schema: 1
id: lamp
version: 1.0.0
title: {en: Lamp}
when:
  - {phone: near}
then:
  - {set: Private.Lamp, to: true, lease: 1h, at_end: {set: false}}
manual: true
`

// TestSleepOfLogin1 puts the car to sleep by python-dbusmock's logind, whose list of
// inhibitors is the witness, and then has the system shut down.
func TestSleepOfLogin1(t *testing.T) {
	h := newHeadUnit(t, []string{fragment(t, "org.bluez")}, map[string]string{"lamp": lampCard})
	h.mock("logind", "org.freedesktop.login1", "{}")
	login := func(args ...string) string {
		return h.busctl(append([]string{"call", "org.freedesktop.login1", "/org/freedesktop/login1"}, args...)...)
	}
	inhibitors := func(want int) {
		t.Helper()
		h.until(fmt.Sprintf("there are %d inhibitors", want), func() bool {
			return strings.HasPrefix(login("org.freedesktop.login1.Manager", "ListInhibitors"), fmt.Sprintf("a(ssssuu) %d", want))
		})
	}
	prepare := func(what, begins string) {
		login("org.freedesktop.DBus.Mock", "EmitSignal", "sssav", "org.freedesktop.login1.Manager", "PrepareFor"+what, "b", "1", "b", begins)
	}
	ctx, stop := context.WithCancel(context.Background())
	t.Cleanup(stop)
	done := make(chan error, 1)
	go func() { done <- Run(ctx, h.config, slog.New(slog.NewTextHandler(&h.said, nil))) }()
	inhibitors(1)
	h.busctl("call", "org.vignette.Agent1", "/org/vignette/Agent1", "org.vignette.Agent1", "RunCard", "s", "lamp")
	h.records(`"what":"acted"`, 1)
	prepare("Sleep", "true")
	inhibitors(0)
	h.records(`"what":"ended","why":"sleep"`, 1)
	prepare("Sleep", "false")
	inhibitors(1)
	h.busctl("call", "org.vignette.Agent1", "/org/vignette/Agent1", "org.vignette.Agent1", "RunCard", "s", "lamp")
	h.records(`"what":"acted"`, 3)
	prepare("Shutdown", "true")
	h.ended(done)
	h.records(`"what":"ended","why":"stop"`, 1)
	inhibitors(0)
}
