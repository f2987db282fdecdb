package agent

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"vignette/can/socketcan"
	"vignette/scenes"
	"vignette/scenes/drive"
	uibridge "vignette/ui-bridge"
	"vignette/ui-bridge/privatebus"
)

// patience bounds every wait of these tests; no wait is meant to reach it.
const patience = 30 * time.Second

const deckDBC = "VERSION \"\"\nBO_ 1 M: 8 X\n SG_ S : 0|16@1+ (0.1,0) [0|300] \"km/h\" Y\n SG_ G : 16|8@1+ (1,0) [0|255] \"\" Y\n" +
	"BO_ 2 N: 8 X\n SG_ H : 0|8@1+ (1,0) [0|100] \"%\" Y\n"

const deckVehicle = `schema: 1
id: small
version: 1
buses:
  pt: {dbc: [car.dbc], interface: can0}
signals:
  Vehicle.Speed: {from: pt.M.S, unit: km/h, stale_after: never}
  Vehicle.Powertrain.Transmission.SelectedGear: {from: pt.M.G, stale_after: never}
  Private.Old: {from: pt.M.S, unit: km/h, stale_after: never}
states:
  parked: {signal: Vehicle.Powertrain.Transmission.SelectedGear, is: 126}
actuators:
  Private.Lamp: {type: boolean, min_interval: 0s, max_lease: 1h, states: [parked, moving], manual_holdoff: 1m,
     call: {bus: session, service: org.example.Lamp1, path: /org/example/Lamp1, interface: org.example.Lamp1, member: Set, signature: bu, args: ["{value}", "{lease_ms}"], within: 5s}}
  Private.Bell: {type: boolean, min_interval: 0s, max_lease: 1h, states: [parked, moving], manual_holdoff: 1m}
events:
  button: {names: [star, moon], hmi: true}
`

// deckCard is a card that sets an actuator for an hour when a button is pressed.
func deckCard(id, version, button, actuator string) string {
	return "schema: 1\nid: " + id + "\nversion: " + version + "\ntitle: {en: " + id + "}\nwhen:\n  - {button: " + button +
		"}\nthen:\n  - {set: " + actuator + ", to: true, lease: 1h, at_end: {set: false}}\nmanual: true\n"
}

// deckBench is a whole agent on fake sockets and a private bus, with files that
// change under it, an HMI that watches, and a lamp.
type deckBench struct {
	t      *testing.T
	dir    string
	config *Config
	fake   *fakeSockets
	hmi    *dbus.Conn
	agent  dbus.BusObject
	told   chan *dbus.Signal
	calls  chan string // of the lamp
	said   sayings
	cancel context.CancelFunc
	ended  chan error
}

// sayings is a log that may be read while it is written.
type sayings struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *sayings) Write(line []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(line)
}

func (s *sayings) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// lamp is the service of Private.Lamp, and of another member once the profile says so.
type lamp struct{ calls chan string }

func (l lamp) Set(on bool, lease uint32) *dbus.Error { return l.took("Set", on) }
func (l lamp) Put(on bool, lease uint32) *dbus.Error { return l.took("Put", on) }

func (l lamp) took(member string, on bool) *dbus.Error {
	l.calls <- member + map[bool]string{true: " on", false: " off"}[on]
	return nil
}

func newDeckBench(t *testing.T) *deckBench {
	t.Helper()
	b := &deckBench{t: t, dir: t.TempDir(), told: make(chan *dbus.Signal, 256), calls: make(chan string, 64)}
	address, stop, err := privatebus.Start(context.Background(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	b.write("car/vehicle.yaml", deckVehicle)
	b.write("car/car.dbc", deckDBC)
	b.write("cards/a.yaml", deckCard("a", "1.0.0", "star", "Private.Lamp"))
	c := Defaults()
	c.Vehicle, c.Cards, c.Unsigned, c.Bus = b.path("car/vehicle.yaml"), []string{b.path("cards")}, true, address
	c.Decisions, c.Journal, c.State = DecisionsConfig{File: b.path("d.jsonl"), Format: "jsonl"}, b.path("j.msgp"), b.path("state")
	b.config = &c
	if b.hmi, err = dbus.Connect(address, dbus.WithSignalHandler(dbus.NewSequentialSignalHandler())); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.hmi.Close() })
	b.hmi.Signal(b.told)
	if err := b.hmi.Export(lamp{b.calls}, "/org/example/Lamp1", "org.example.Lamp1"); err != nil {
		t.Fatal(err)
	}
	if _, err := b.hmi.RequestName("org.example.Lamp1", 0); err != nil {
		t.Fatal(err)
	}
	b.fake = &fakeSockets{}
	open := openSockets
	openSockets = func(socketcan.Options) (sockets, error) { return b.fake, nil }
	t.Cleanup(func() { openSockets = open })
	b.agent = b.hmi.Object(uibridge.AgentName, uibridge.AgentPath)
	return b
}

func (b *deckBench) path(name string) string { return filepath.Join(b.dir, name) }

// write writes a file as editors do: beside it, then over it.
func (b *deckBench) write(name, text string) {
	b.t.Helper()
	path := b.path(name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(path+"~", []byte(text), 0o644); err != nil {
		b.t.Fatal(err)
	}
	if err := os.Rename(path+"~", path); err != nil {
		b.t.Fatal(err)
	}
}

func (b *deckBench) remove(name string) {
	b.t.Helper()
	if err := os.Remove(b.path(name)); err != nil {
		b.t.Fatal(err)
	}
}

// start starts an agent and watches it.
func (b *deckBench) start() {
	b.t.Helper()
	b.fake.batch = make(chan []socketcan.Item, 64)
	if err := b.hmi.AddMatchSignal(dbus.WithMatchInterface("org.freedesktop.DBus"), dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, uibridge.AgentName)); err != nil {
		b.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	b.cancel, b.ended = cancel, make(chan error, 1)
	ran := make(chan struct{})
	go func() {
		defer close(ran)
		b.ended <- Run(ctx, b.config, slog.New(slog.NewTextHandler(&b.said, nil)))
	}()
	b.t.Cleanup(func() {
		cancel()
		<-ran
	})
	b.await("the agent's name", func(s *dbus.Signal) bool {
		if s.Name != "org.freedesktop.DBus.NameOwnerChanged" || s.Body[0] != uibridge.AgentName || s.Body[2] == "" {
			return false
		}
		var owner string // not an agent that ran before
		err := b.hmi.BusObject().Call("org.freedesktop.DBus.GetNameOwner", 0, uibridge.AgentName).Store(&owner)
		return err == nil && owner == s.Body[2]
	})
	b.call("Watch", []string{})
}

// await waits for a signal.
func (b *deckBench) await(what string, is func(*dbus.Signal) bool) {
	b.t.Helper()
	late := time.After(patience)
	for {
		select {
		case s := <-b.told:
			if is(s) {
				return
			}
		case err := <-b.ended:
			b.t.Fatalf("waiting for %s the agent ended: %v\n%s", what, err, b.said.String())
		case <-late:
			b.t.Fatalf("no %s\n%s", what, b.said.String())
		}
	}
}

// decided waits for a decision with these keys, such as "card", "a", "what", "acted".
func (b *deckBench) decided(keys ...string) {
	b.t.Helper()
	b.await(strings.Join(keys, " "), func(s *dbus.Signal) bool {
		if s.Name != uibridge.AgentInterface+".Decisions" {
			return false
		}
		return slices.ContainsFunc(s.Body[0].([]map[string]dbus.Variant), func(r map[string]dbus.Variant) bool {
			for i := 0; i < len(keys); i += 2 {
				if v, ok := r[keys[i]]; !ok || v.Value() != keys[i+1] {
					return false
				}
			}
			return true
		})
	})
}

// lamp waits for what the lamp is told.
func (b *deckBench) lamp(want string) {
	b.t.Helper()
	select {
	case got := <-b.calls:
		if got != want {
			b.t.Errorf("the lamp was told %s, want %s", got, want)
		}
	case <-time.After(patience):
		b.t.Fatalf("the lamp was not told %s\n%s", want, b.said.String())
	}
}

// call calls a method of Agent1 that must not fail.
func (b *deckBench) call(member string, args ...any) *dbus.Call {
	b.t.Helper()
	call := b.agent.Call(uibridge.AgentInterface+"."+member, 0, args...)
	if call.Err != nil {
		b.t.Fatalf("%s: %v\n%s", member, call.Err, b.said.String())
	}
	return call
}

// problems reads the property Problems until it is as wanted: one text in each.
func (b *deckBench) problems(want ...string) {
	b.t.Helper()
	var got []string
	for end := time.Now().Add(patience); time.Now().Before(end); {
		v, err := b.agent.GetProperty(uibridge.AgentInterface + ".Problems")
		if err != nil {
			b.t.Fatal(err)
		}
		got = v.Value().([]string)
		if slices.EqualFunc(got, want, strings.Contains) {
			return
		}
	}
	b.t.Fatalf("the problems are %q, want %q", got, want)
}

// problemsLike waits until one of the problems holds a text.
func (b *deckBench) problemsLike(want string) {
	b.t.Helper()
	var got []string
	for end := time.Now().Add(patience); time.Now().Before(end); {
		v, err := b.agent.GetProperty(uibridge.AgentInterface + ".Problems")
		if err != nil {
			b.t.Fatal(err)
		}
		got = v.Value().([]string)
		if slices.ContainsFunc(got, func(one string) bool { return strings.Contains(one, want) }) {
			return
		}
	}
	b.t.Fatalf("the problems are %q, want %q in one", got, want)
}

// frame sends a frame of message M.
func (b *deckBench) frame(kmh float64, gear byte) {
	item := socketcan.Item{Kind: socketcan.Received}
	raw := uint16(kmh * 10)
	item.Frame.ID, item.Frame.Len, item.Frame.Time = 1, 8, socketcan.Now()
	item.Frame.Data[0], item.Frame.Data[1], item.Frame.Data[2] = byte(raw), byte(raw>>8), gear
	b.fake.batch <- []socketcan.Item{item}
}

// end stops the agent.
func (b *deckBench) end() {
	b.t.Helper()
	b.cancel()
	if err := <-b.ended; err != nil {
		b.t.Fatalf("%v\n%s", err, b.said.String())
	}
}

// stop stops the agent, and holds that its journal, with the versions that it
// kept, gives the decision log again.
func (b *deckBench) stop() string {
	b.t.Helper()
	b.end()
	decisions, err := os.ReadFile(b.path("d.jsonl"))
	if err != nil {
		b.t.Fatal(err)
	}
	if got := b.replay(); got != string(decisions) {
		b.t.Errorf("the journal's replay decides\n%s\nthe agent decided\n%s", got, decisions)
	}
	return string(decisions)
}

// replay replays the journal from the kept versions alone.
func (b *deckBench) replay() string {
	b.t.Helper()
	text, err := os.ReadFile(b.path("j.msgp"))
	if err != nil {
		b.t.Fatal(err)
	}
	j, err := drive.NewJournalReader("j.msgp", bytes.NewReader(text), nil)
	if err != nil {
		b.t.Fatal(err)
	}
	vehicles, cards, err := scenes.LoadVersions(b.path("state/versions"))
	if err != nil {
		b.t.Fatal(err)
	}
	lib := &drive.Library{}
	lib.Add(nil, cards...)
	for _, v := range vehicles {
		lib.Add(v)
	}
	if err := j.Use(lib); err != nil {
		b.t.Fatal(err)
	}
	var out bytes.Buffer
	log, err := drive.NewDecisionLog(&out, drive.JSONLines, &j.Header)
	if err != nil {
		b.t.Fatal(err)
	}
	pump, err := j.NewPump(drive.Output{Decisions: log})
	if err != nil {
		b.t.Fatal(err)
	}
	for e := (drive.Entry{}); ; {
		if err := j.Next(&e); err == io.EOF {
			return out.String()
		} else if err != nil {
			b.t.Fatal(err)
		}
		if err := pump.Feed(&e); err != nil {
			b.t.Fatal(err)
		}
	}
}
