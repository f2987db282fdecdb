package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/godbus/dbus/v5"
	"golang.org/x/sys/unix"

	"vignette/testdata/vm/powercut"
)

// Where things are in the guest. All that the agent keeps is on the disk.
const (
	mounted = "/disk"
	bus     = "unix:path=/run/bus"
	frames  = "/run/frames"
	etc     = mounted + "/etc"
	state   = mounted + "/state"
	traces  = mounted + "/traces"
	study   = "demo"
)

const (
	driverFan    = "Vehicle.Cabin.HVAC.Station.Row1.Driver.FanSpeed"
	leaseValue   = 40
	changingCard = "changing" // comes with the car, and is replaced by newer versions
	hvac         = "org.example.Hvac1"
)

// plainCards come with the car and are enabled and disabled.
var plainCards = []string{"c1", "c2", "c3"}

// installable are the ids of cards that are installed and removed.
var installable = []string{"i1", "i2"}

// profile is the car's. Its calls may take long: the desk may have other work.
const profile = `schema: 1
id: power
version: 1
buses:
  b: {dbc: [bench.dbc], interface: can0}
signals:
  Vehicle.Speed: {from: b.MSpeed.Speed, unit: km/h, stale_after: 30s}
  Vehicle.Powertrain.Transmission.SelectedGear: {from: b.MGear.Gear, stale_after: 30s}
  Vehicle.Cabin.HVAC.Station.Row1.Driver.FanSpeed: {from: b.MDriverFan.DriverFan, unit: percent, stale_after: 30s}
  Private.Bench.A: {from: b.MBenchA.BenchA, stale_after: 30s}
  Private.Bench.B: {from: b.MBenchB.BenchB, stale_after: 30s}
states:
  parked: {all: [{signal: Vehicle.Powertrain.Transmission.SelectedGear, is: 126}, {signal: Vehicle.Speed, between: [-0.5, 0.5], unit: km/h}]}
events:
  place: {names: [home], geoclue: true}
actuators:
  Vehicle.Cabin.HVAC.Station.Row1.Driver.FanSpeed:
    {type: uint8, unit: percent, min: 0, max: 80, step: 10, min_interval: 0s, max_lease: 30m, states: [parked], end_states: [parked, moving], manual_holdoff: 0s,
     call: {bus: system, service: org.example.Hvac1, path: /org/example/Hvac1, interface: org.example.Hvac1,
            member: Set, signature: sdu, args: ["{actuator}", "{value}", "{lease_ms}"], within: 1m},
     readback: {signal: Vehicle.Cabin.HVAC.Station.Row1.Driver.FanSpeed, within: 1m}}
`

const configuration = `vehicle: vehicle.yaml
cards: [cards]
bus: "` + bus + `"
source: {pipe: ` + frames + `}
state: ` + state + `
decisions: {file: ` + mounted + `/decisions}
journal: ` + mounted + `/journal
traces: ` + traces + `
studies: {cards: [study.yaml], build: "1.0", market: demo, display: wide}
`

// card is a card's text.
func card(id, version, when, then string) string {
	return fmt.Sprintf("schema: 1\nid: %s\nversion: %s\ntitle: {en: Card %s}\n%s", id, version, id, when+then)
}

const setFan = "then:\n  - {set: " + driverFan + ", to: 40, unit: percent, lease: 20m}\n"

// plain is a card that never fires.
func plain(id, version string) string {
	return card(id, version, "when:\n  - {signal: Private.Bench.A, becomes: 99}\n", setFan)
}

// install writes the car's files onto the disk, synced, as its maker did.
func install() error {
	for _, dir := range []string{etc, etc + "/cards"} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
	}
	files := map[string]string{"vehicle.yaml": profile, "agent.yaml": configuration}
	for _, name := range []string{"bench.dbc", "study.yaml"} {
		text, err := os.ReadFile("/car/" + name)
		if err != nil {
			return err
		}
		files[name] = string(text)
	}
	files["cards/lease.yaml"] = card(powercut.LeaseCard, "1.0.0", "when:\n  - {signal: Private.Bench.A, becomes: 1}\n", setFan+"reentry: restart\n")
	for _, id := range powercut.Holds {
		files["cards/"+id+".yaml"] = card(id, "1.0.0", fmt.Sprintf("when:\n  - {signal: Private.Bench.B, becomes: 1, held_for: %ds}\n", powercut.HoldSeconds),
			setFan+"on_boot: "+id+"\n")
	}
	for _, id := range append(plainCards, changingCard) {
		files["cards/"+id+".yaml"] = plain(id, "1.0.0")
	}
	for name, text := range files {
		if err := replaceFile(filepath.Join(etc, name), text); err != nil {
			return err
		}
	}
	return nil
}

// replaceFile writes a file as updaters do: whole or not at all, and on the disk
// when it returns.
func replaceFile(name, text string) error {
	f, err := os.OpenFile(name+".part", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Sync(), f.Close(), os.Rename(name+".part", name)); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(name))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// car writes frames of all signals into the agent's pipe, and takes the calls for
// its fan, which follows at once.
type car struct {
	pipe *os.File
	conn *dbus.Conn
	stop chan struct{}
	gone sync.WaitGroup

	mu    sync.Mutex
	a, b  int
	fan   float64
	calls []bool // whether each set a lease; else it ended one
}

// carTick is how often each frame comes.
const carTick = 20 * time.Millisecond

func startCar() (*car, error) {
	if err := unix.Mkfifo(frames, 0o600); err != nil && !errors.Is(err, os.ErrExist) {
		return nil, err
	}
	pipe, err := os.OpenFile(frames, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	conn, err := dbus.Connect(bus)
	if err != nil {
		return nil, err
	}
	c := &car{pipe: pipe, conn: conn, stop: make(chan struct{})}
	set := func(fan string, value float64, ms uint32) *dbus.Error {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.fan = value
		c.calls = append(c.calls, ms > 0)
		return nil
	}
	if err := conn.ExportMethodTable(map[string]any{"Set": set}, "/org/example/Hvac1", hvac); err != nil {
		return nil, err
	}
	if r, err := conn.RequestName(hvac, dbus.NameFlagDoNotQueue); err != nil || r != dbus.RequestNameReplyPrimaryOwner {
		return nil, fmt.Errorf("%s: %d, %w", hvac, r, err)
	}
	c.gone.Go(c.drive)
	return c, nil
}

func (c *car) close() error {
	close(c.stop)
	c.gone.Wait()
	return errors.Join(c.conn.Close(), c.pipe.Close())
}

func (c *car) drive() {
	tick := time.NewTicker(carTick)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			c.write()
		case <-c.stop:
			return
		}
	}
}

// write writes a frame of each signal; while nobody reads they are lost, as on a
// bus.
func (c *car) write() {
	c.mu.Lock()
	defer c.mu.Unlock()
	var lines []byte
	for _, f := range [][2]int{{0x100, 0}, {0x101, 126}, {0x10A, int(c.fan)}, {0x105, c.a}, {0x106, c.b}} {
		lines = fmt.Appendf(lines, "(0000000000.000000000) can0 %03X#%02X%02X\n", f[0], f[1]&0xFF, f[1]>>8)
	}
	_ = c.pipe.SetWriteDeadline(time.Now().Add(carTick / 2))
	_, _ = c.pipe.Write(lines)
}

// bench sets the signals that cards wait for.
func (c *car) bench(a, b int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.a, c.b = a, b
}

// called counts the calls that set a lease, or end one.
func (c *car) called(sets bool) (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, set := range c.calls {
		if set == sets {
			n++
		}
	}
	return n
}
