package agent

import (
	"time"

	"vignette/can/socketcan"
	"vignette/scenes"
	uibridge "vignette/ui-bridge"
)

// source is where frames come from: a recording or live buses. It belongs to
// the goroutine of the agent's loop.
type source interface {
	// due fires when wake has something to do.
	due() <-chan time.Time
	// wake feeds what is due. The error is io.EOF at the end of a recording.
	wake(a *agent) error
	// batches are what came from live buses, for take; nil for a recording.
	batches() <-chan []socketcan.Item
	// take feeds a batch and gives it back; !ok: batches is closed.
	take(a *agent, batch []socketcan.Item, ok bool) error
	// settle is called after each turn of the loop: it arms due.
	settle(a *agent)
	// stamp is now on the stream's time base, not below newest.
	stamp(newest int64) int64
	// count adds what the source itself lost to the agent's counters.
	count(counters map[string]uint64)
	// known tells whether the state of every bus is.
	known() bool
	// buses are the car's buses as they are now.
	buses() []uibridge.BusNow
	// reprofile goes on with the messages of another profile of the same buses.
	// If it fails nothing has changed.
	reprofile(v *scenes.Vehicle) error
	// report says what the run came to.
	report(a *agent)
	Close() error
}
