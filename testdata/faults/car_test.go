package faults

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"testing"
	"time"

	"vignette/can/socketcan"
)

// The actuators of the profile.
const (
	driverFan    = "Vehicle.Cabin.HVAC.Station.Row1.Driver.FanSpeed"
	passengerFan = "Vehicle.Cabin.HVAC.Station.Row1.Passenger.FanSpeed"
)

// The figures of the profile's actuators.
const (
	within   = time.Second      // of the call: more than a busy machine keeps anybody waiting
	reading  = time.Second      // of the readback
	extra    = within + reading // of {lease_ms}, beside the time left: there is no slew
	step     = 10
	maxLease = 600 * time.Millisecond // of the cards
	base     = 0.0
)

// profile is the car: two fans that follow at once.
const profile = `schema: 1
id: faults
version: 1
buses:
  b: {dbc: [bench.dbc], interface: can0}
signals:
  Vehicle.Speed: {from: b.MSpeed.Speed, unit: km/h, stale_after: 2s}
  Vehicle.Powertrain.Transmission.SelectedGear: {from: b.MGear.Gear, stale_after: 2s}
  Vehicle.Cabin.HVAC.Station.Row1.Driver.FanSpeed: {from: b.MDriverFan.DriverFan, unit: percent, stale_after: 2s}
  Vehicle.Cabin.HVAC.Station.Row1.Passenger.FanSpeed: {from: b.MPassengerFan.PassengerFan, unit: percent, stale_after: 2s}
  Private.Bench.A: {from: b.MBenchA.BenchA, stale_after: 2s}
  Private.Bench.B: {from: b.MBenchB.BenchB, stale_after: 2s}
states:
  parked: {all: [{signal: Vehicle.Powertrain.Transmission.SelectedGear, is: 126}, {signal: Vehicle.Speed, between: [-0.5, 0.5], unit: km/h}]}
actuators:
  Vehicle.Cabin.HVAC.Station.Row1.Driver.FanSpeed:
    {type: uint8, unit: percent, min: 0, max: 80, step: 10, min_interval: 0s, max_lease: 30m, states: [parked], end_states: [parked, moving], manual_holdoff: 2s,
     call: {bus: system, service: org.example.Hvac1, path: /org/example/Hvac1, interface: org.example.Hvac1,
            member: Set, signature: sdu, args: ["{actuator}", "{value}", "{lease_ms}"], within: 1s},
     readback: {signal: Vehicle.Cabin.HVAC.Station.Row1.Driver.FanSpeed, within: 1s}}
  Vehicle.Cabin.HVAC.Station.Row1.Passenger.FanSpeed:
    {type: uint8, unit: percent, min: 0, max: 80, step: 10, min_interval: 0s, max_lease: 30m, states: [parked], end_states: [parked, moving], manual_holdoff: 2s,
     call: {bus: system, service: org.example.Hvac1, path: /org/example/Hvac1, interface: org.example.Hvac1,
            member: Set, signature: sdu, args: ["{actuator}", "{value}", "{lease_ms}"], within: 1s},
     readback: {signal: Vehicle.Cabin.HVAC.Station.Row1.Passenger.FanSpeed, within: 1s}}
`

// busyCards take the fans from each other without pause.
func busyCards() (cards []string) {
	for i := 1; i <= 8; i++ {
		cards = append(cards, fanCard(fmt.Sprintf("d%d", i), "A", i, driverFan, 10*i, time.Duration(100+60*i)*time.Millisecond))
	}
	for i := 1; i <= 4; i++ {
		cards = append(cards, fanCard(fmt.Sprintf("p%d", i), "B", i, passengerFan, 20*i, time.Duration(600-90*i)*time.Millisecond))
	}
	return cards
}

// fanCard sets a fan when a bench signal becomes a number.
func fanCard(id, signal string, becomes int, fan string, value int, lease time.Duration) string {
	return fmt.Sprintf(`schema: 1
id: %s
version: 1.0.0
title: {en: Fan %s}
when:
  - {signal: Private.Bench.%s, becomes: %d}
then:
  - {set: %s, to: %d, unit: percent, lease: %dms}
reentry: restart
priority: %d
`, id, id, signal, becomes, fan, value, lease.Milliseconds(), becomes%3)
}

// car writes the frames of all signals into the agent's pipe, a hundred times a
// second. The fans show what the service has set.
type car struct {
	t       testing.TB
	file    *os.File
	service *service
	done    chan struct{}
	ended   sync.WaitGroup

	mu      sync.Mutex
	random  *rand.Rand
	playing bool // A and B change
	a, b    int
	left    int // frames until they change
}

const carTick = 10 * time.Millisecond

func newCar(t testing.TB, pipe string, s *service, seed uint64) *car {
	t.Helper()
	f, err := os.OpenFile(pipe, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	c := &car{t: t, file: f, service: s, done: make(chan struct{}), random: rand.New(rand.NewPCG(seed, 1))}
	c.ended.Go(c.drive)
	t.Cleanup(func() {
		close(c.done)
		c.ended.Wait()
		f.Close()
	})
	return c
}

func (c *car) drive() {
	tick := time.NewTicker(carTick)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			c.frames()
		case <-c.done:
			return
		}
	}
}

// play has the bench signals change, or not.
func (c *car) play(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.playing = on
	if !on {
		c.a, c.b = 0, 0
	}
}

// frames writes one frame of each signal. While nobody reads, the pipe fills up
// and frames are lost, as on a bus.
func (c *car) frames() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.left--; c.playing && c.left < 0 {
		c.a, c.b, c.left = c.random.IntN(9), c.random.IntN(5), c.random.IntN(6)
	}
	c.service.mu.Lock() // a fan's frame must not overtake a newer one
	defer c.service.mu.Unlock()
	var lines []byte
	add := func(id, value int) {
		now := socketcan.Now()
		lines = fmt.Appendf(lines, "(%010d.%09d) can0 %03X#%02X%02X\n", now/1e9, now%1e9, id, value&0xFF, value>>8)
	}
	add(0x100, 0)
	add(0x101, 126)
	add(0x10A, int(c.service.fans[driverFan].value))
	add(0x10B, int(c.service.fans[passengerFan].value))
	add(0x105, c.a)
	add(0x106, c.b)
	c.file.SetWriteDeadline(time.Now().Add(carTick / 2)) // a pipe that can be written to takes one
	if _, err := c.file.Write(lines); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		c.t.Error(err)
	}
}
