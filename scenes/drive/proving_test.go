package drive_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vignette/can"
	"vignette/scenes"
	"vignette/scenes/drive"
	"vignette/scenes/engine"
)

// provingProfile is a car to break rules on. The frames are those of the bench
// of the hand-worked traces; BenchC is the counter of the speed's sender.
const provingProfile = `schema: 1
id: proving-ground
version: 1
buses: {b: {dbc: [bench.dbc], interface: can0, fd: false}}
signals:
  Vehicle.Speed: {from: b.MSpeed.Speed, unit: km/h, stale_after: 1s, alive: b.MBenchC.BenchC}
  Vehicle.Powertrain.Transmission.SelectedGear: {from: b.MGear.Gear, stale_after: never}
  Vehicle.Cabin.HVAC.Station.Row1.Driver.FanSpeed: {from: b.MDriverFan.DriverFan, unit: percent, stale_after: never}
  Vehicle.Cabin.HVAC.Station.Row1.Passenger.FanSpeed: {from: b.MPassengerFan.PassengerFan, unit: percent, stale_after: never}
  Private.Bench.A: {from: b.MBenchA.BenchA, stale_after: never}
  Private.Bench.B: {from: b.MBenchB.BenchB, stale_after: never}
states:
  parked: {all: [{signal: Vehicle.Powertrain.Transmission.SelectedGear, is: 126}, {signal: Vehicle.Speed, between: [-0.5, 0.5], unit: km/h}]}
  idling: {signal: Vehicle.Speed, between: [-0.5, 0.5], unit: km/h}
actuators:
  # fan: in any state, 2 s between starts
  Vehicle.Cabin.HVAC.Station.Row1.Driver.FanSpeed:
    {type: uint8, unit: percent, min: 0, max: 80, step: 10, slew: 20/s, min_interval: 2s, max_lease: 30m,
     states: [parked, idling, moving], manual_holdoff: 10m,
     call: {bus: system, service: org.example.Hvac1, path: /org/example/Hvac1, interface: org.example.Hvac1,
            member: Set, signature: sdu, args: ["{actuator}", "{value}", "{lease_ms}"], within: 500ms},
     readback: {signal: Vehicle.Cabin.HVAC.Station.Row1.Driver.FanSpeed, within: 2s}}
  # seat: parked only, ended in any state
  Vehicle.Cabin.HVAC.Station.Row1.Passenger.FanSpeed:
    {type: uint8, unit: percent, min: 0, max: 80, step: 10, min_interval: 0s, max_lease: 10m,
     states: [parked], end_states: [parked, idling, moving], manual_holdoff: 5m,
     call: {bus: system, service: org.example.Hvac1, path: /org/example/Hvac1, interface: org.example.Hvac1,
            member: Set, signature: sdu, args: ["{actuator}", "{value}", "{lease_ms}"], within: 500ms},
     readback: {signal: Vehicle.Cabin.HVAC.Station.Row1.Passenger.FanSpeed, within: 2s}}
  # roof: standing only, its ends too; the driver must agree
  Vehicle.Cabin.Sunroof.Position:
    {type: uint8, min: 0, max: 80, step: 10, min_interval: 0s, max_lease: 10m, confirm: true, confirm_within: 5s,
     states: [parked, idling], manual_holdoff: 1m,
     call: {bus: system, service: org.example.Roof1, path: /org/example/Roof1, interface: org.example.Roof1,
            member: Set, signature: sdu, args: ["{actuator}", "{value}", "{lease_ms}"], within: 500ms}}
actions:
  tip:
    {params: {}, states: [parked], min_interval: 5s,
     call: {bus: session, service: org.example.Hmi1, path: /org/example/Hmi1, interface: org.example.Hmi1,
            member: Tip, signature: s, args: ["{lang}"], within: 500ms}}
  mark: {params: {}, states: [parked, idling, moving], min_interval: 0s}
events:
  ignition: {signal: {bus: system, service: org.example.Power1, path: /org/example/Power1, interface: org.example.Power1, member: Ignition}}
  button: {names: [star], hmi: true}
  go: {hmi: true}
never: [Vehicle.Chassis.*]
quarantine: {fires: 5, within: 60s}
`

const (
	fan  = "Vehicle.Cabin.HVAC.Station.Row1.Driver.FanSpeed"
	seat = "Vehicle.Cabin.HVAC.Station.Row1.Passenger.FanSpeed"
	roof = "Vehicle.Cabin.Sunroof.Position"
)

// The identifiers of bench.dbc; each message has one signal of 16 bit.
const (
	speedID = 256
	gearID  = 257
	aID     = 261
	bID     = 262
	countID = 263
	fanID   = 266
	seatID  = 267
)

const (
	park = 126
	gear = 127 // any other
)

// ms and second are in ns of the stream.
const (
	ms     = int64(1e6)
	second = int64(1e9)
	minute = 60 * second
)

// readbackID is the message that reads an actuator back.
var readbackID = map[string]uint32{fan: fanID, seat: seatID}

// scene is a card: its triggers and actions as YAML lines, and more keys.
func scene(id string, when, then []string, more ...string) string {
	lines := []string{"schema: 1", "id: " + id, "version: 1.0.0", "title: {en: Card}", "when:"}
	for _, t := range when {
		lines = append(lines, "  - {"+t+"}")
	}
	lines = append(append(lines, more...), "then:")
	for _, s := range then {
		lines = append(lines, "  - {"+s+"}")
	}
	return strings.Join(lines, "\n") + "\n"
}

func set(path string, value int, lease, more string) string {
	unit := ", unit: percent"
	if path == roof {
		unit = ""
	}
	return fmt.Sprintf("set: %s, to: %d%s, lease: %s%s", path, value, unit, lease, more)
}

// provingVehicle loads a profile text beside the bench's DBC.
func provingVehicle(t testing.TB, profile string) (*scenes.Vehicle, error) {
	t.Helper()
	dir := t.TempDir()
	text, err := os.ReadFile("../../testdata/meaning/bench.dbc")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"bench.dbc": string(text), "vehicle.yaml": profile} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return scenes.LoadVehicle(filepath.Join(dir, "vehicle.yaml"))
}

// compileScenes compiles cards for a profile.
func compileScenes(v *scenes.Vehicle, cards ...string) (*scenes.Program, error) {
	var list []*scenes.Card
	for i, text := range cards {
		c, err := scenes.ParseCard(fmt.Sprintf("card%d.yaml", i), []byte(text))
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return scenes.Compile(v, list)
}

// fataler is a test or a case of a property.
type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

// proving is a car under trial: compiled cards behind the pump, services that
// answer as told, a bus that obeys, and a watch over everything that comes out.
type proving struct {
	fataler
	prog  *scenes.Program
	pump  *drive.Pump
	watch *watch
	now   int64
	todo  []happening // by time
	calls []engine.Call

	serve   func(c *engine.Call) (after int64, ok, answers bool) // nil: yes, after 50 ms
	late    int64                                                // from an accepted call to its readback, ns
	deaf    bool                                                 // the bus does not follow the calls
	stopped bool                                                 // the speed's counter stands still
	counter int
	truth   truth
}

// happening is something that the world does at a time of the stream.
type happening struct {
	at int64
	do func()
}

func prove(t fataler, prog *scenes.Program) *proving { return proveAgainst(t, prog, prog) }

// proveAgainst has the watch hold a program to the limits of another.
func proveAgainst(t fataler, prog, limits *scenes.Program) *proving {
	p := &proving{fataler: t, prog: prog, late: 300 * ms, watch: newWatch(limits)}
	p.watch.truth = &p.truth
	p.pump = drive.NewPump(prog, 1, true, drive.Output{Records: p.watch.records, Calls: p.called})
	return p
}

// proveCards compiles cards for the proving profile and puts them on trial.
func proveCards(t testing.TB, cards ...string) *proving {
	t.Helper()
	v, err := provingVehicle(t, provingProfile)
	if err != nil {
		t.Fatal(err)
	}
	prog, err := compileScenes(v, cards...)
	if err != nil {
		t.Fatal(err)
	}
	return prove(t, prog)
}

// at plans what the world does.
func (p *proving) at(t int64, do func()) {
	i := len(p.todo)
	for i > 0 && p.todo[i-1].at > t {
		i--
	}
	p.todo = slices.Insert(p.todo, i, happening{t, do})
}

// every plans the same again and again, up to a time.
func (p *proving) every(period, from, to int64, do func(i int)) {
	for i, t := 0, from; t <= to; i, t = i+1, t+period {
		p.at(t, func() { do(i) })
	}
}

// run lets the world go on to a time, with a tick at each deadline, as an agent
// on live buses makes them.
func (p *proving) run(until int64) {
	p.Helper()
	for {
		next, do := until, p.tick
		if len(p.todo) > 0 && p.todo[0].at <= until {
			next, do = p.todo[0].at, p.todo[0].do
		}
		if at, ok := p.pump.State().Deadline(); ok && at < next {
			p.now = max(p.now, at)
			p.tick()
			continue
		}
		p.now = next
		if len(p.todo) > 0 && p.todo[0].at <= until {
			p.todo = p.todo[1:]
			do()
			continue
		}
		p.tick()
		return
	}
}

func (p *proving) tick() { p.event(engine.Event{Kind: engine.EvTick}) }

// event feeds an event now.
func (p *proving) event(ev engine.Event) {
	p.Helper()
	ev.T = p.now
	if err := p.pump.Event(&ev); err != nil {
		p.Fatalf("%v", err)
	}
	p.watched()
}

// frame feeds the frame of a message now.
func (p *proving) frame(id uint32, value int) {
	p.Helper()
	f := can.Frame{Time: p.now, ID: id, Len: 2, Data: [64]byte{byte(value), byte(value >> 8)}}
	if err := p.pump.Frame(&f); err != nil {
		p.Fatalf("%v", err)
	}
	p.watched()
}

func (p *proving) watched() {
	p.Helper()
	if p.watch.broken != "" {
		p.Fatalf("at %s s: %s\n%s", drive.AppendSeconds(nil, p.now), p.watch.broken, p.log())
	}
}

// log is the end of the decision log so far, without what only tells of signals.
func (p *proving) log() string {
	var b []byte
	for i := max(0, len(p.watch.log)-40); i < len(p.watch.log); i++ {
		if r := &p.watch.log[i]; r.What != engine.Known && r.What != engine.Unknown {
			b = drive.AppendRecordJSON(b, r)
		}
	}
	return string(b)
}

// speed sends the counter of the speed's sender, then the speed.
func (p *proving) speed(v int) {
	p.Helper()
	if !p.stopped {
		p.counter++
	}
	p.truth.speedAt(p.now, v, !p.stopped)
	p.frame(countID, p.counter%1000)
	p.frame(speedID, v)
}

func (p *proving) gear(v int) {
	p.Helper()
	p.truth.gearAt(p.now, v)
	p.frame(gearID, v)
}

// occur feeds an occurrence of the profile.
func (p *proving) occur(text string) {
	p.Helper()
	i, ok := p.prog.Occurrence(text)
	if !ok {
		p.Fatalf("the profile has no occurrence %q", text)
	}
	p.event(engine.Event{Kind: engine.EvOccur, Occur: i, OK: true})
}

// called takes a step's calls: watches them, answers, and has the bus follow.
func (p *proving) called(calls []engine.Call) {
	p.calls = append(p.calls, calls...)
	for i := range calls {
		c := calls[i]
		p.watch.call(&c)
		after, ok, answers := 50*ms, true, true
		if p.serve != nil {
			after, ok, answers = p.serve(&c)
		}
		if !answers {
			continue
		}
		p.at(p.now+after, func() { p.event(engine.Event{Kind: engine.EvReply, Session: 1, Ref: c.N, OK: ok}) })
		if c.Kind == engine.CallDo || p.deaf || !ok {
			continue
		}
		if id, read := readbackID[p.prog.Engine.Actuators[c.Actuator].Path]; read {
			p.at(p.now+after+p.late, func() { p.frame(id, int(c.Value.Num)) })
		}
	}
}

// stand parks the car: known readbacks, a gear, and a speed of 0 ten times a
// second up to a time.
func (p *proving) stand(until int64) {
	p.Helper()
	p.frame(fanID, 20)
	p.frame(seatID, 20)
	p.frame(aID, 0)
	p.frame(bID, 0)
	p.gear(park)
	p.every(100*ms, p.now, until, func(int) { p.speed(0) })
	p.run(p.now)
}

// count counts the records of a kind, of a card and with a reason; empty: any.
func (p *proving) count(what engine.What, card, why string) (n int) {
	for i := range p.watch.log {
		r := &p.watch.log[i]
		if r.What == what && (card == "" || r.Card == card) && (why == "" || r.Why == why) {
			n++
		}
	}
	return n
}

// sets counts the calls that set an actuator, by card or of all.
func (p *proving) sets(path, card string) (n int) {
	for i := range p.calls {
		c := &p.calls[i]
		if c.Kind == engine.CallSet && p.prog.Engine.Actuators[c.Actuator].Path == path && (card == "" || p.prog.Engine.Cards[c.Card].ID == card) {
			n++
		}
	}
	return n
}

// held reports whether any lease has not ended.
func (p *proving) held() bool { return len(p.watch.held) > 0 }
