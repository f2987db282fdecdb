// Package drive is Vignette's own drive: an invented electric car on two
// buses, one classic CAN and one CAN FD, from unlocking to locking. It is
// simulated, not recorded, and the same bytes come out on every machine: all
// simulation is integer arithmetic, floats are only subtracted and divided.
//
// The story the car plays is in story.go, its physics in car.go, its bus
// timing and planted faults in schedule.go and faults.go.
package drive

import (
	"bufio"
	_ "embed"
	"fmt"
	"io"
)

// Seconds is the length of the whole drive.
const Seconds = 660

// Start is the absolute time of the drive's first instant, in seconds since
// 1970 (2026-01-01 10:00:00 UTC).
const Start = 1767261600

//go:embed powertrain.dbc
var powertrainDBC []byte

//go:embed body.dbc
var bodyDBC []byte

// Generate writes the first seconds of the drive to w as a log in the format
// of candump -l, both buses in one file in order of time.
func Generate(w io.Writer, seconds int) error {
	if seconds < 1 || seconds > Seconds {
		return fmt.Errorf("%d seconds asked for; the drive has 1 to %d", seconds, Seconds)
	}
	traffic, err := newTraffic()
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(w, 1<<16)
	car := newCar()
	for ms := int64(0); ms < int64(seconds)*1000; ms += tickMS {
		car.step(ms)
		if err := traffic.tick(ms, car, out); err != nil {
			return err
		}
	}
	if err := traffic.flush(int64(seconds)*1_000_000, out); err != nil {
		return err
	}
	return out.Flush()
}
