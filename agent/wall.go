package agent

import (
	"time"

	"vignette/scenes/clock"
	"vignette/scenes/engine"
)

// wallClock is the wall clock of live buses, of which the engine is told by
// events. A recording has none: its stream's time is not the present.
type wallClock struct {
	keeper clock.Keeper
	zone   *time.Location // nil: nothing vouches for the clock
}

// sampling bounds how long reading both clocks may take for them to count as of
// one time.
const sampling = 20 * time.Millisecond

// followClock has the clock looked at whenever somebody sets it.
func (a *agent) followClock() error {
	c, err := openClockSet(func() { _ = a.do(a.lookAtClock) }) // its error ends the loop
	if err == nil {
		a.closers = append(a.closers, c)
	}
	return err
}

// lookAtClock tells the engine what is new about the wall clock.
func (a *agent) lookAtClock() error {
	if a.wall == nil {
		return nil
	}
	t, now := a.stamp(), time.Now()
	if a.stamp()-t > int64(sampling) {
		return nil // the next second will do
	}
	if a.wall.zone != nil {
		now = now.In(a.wall.zone)
	}
	c := a.wall.keeper.Tell(t, now, a.wall.zone != nil)
	if c == nil {
		return nil
	}
	if err := a.pump.Event(&engine.Event{T: t, Kind: engine.EvClock, Clock: c}); err != nil {
		a.broken = err
	}
	return a.broken
}
