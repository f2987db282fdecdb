//go:build linux

package socketcan

import (
	"time"

	"golang.org/x/sys/unix"
)

// stepSize is the change of the offset between the clocks, in nanoseconds, from
// which the wall clock counts as set anew rather than slewed or badly sampled.
const stepSize = int64(time.Millisecond)

// sampleWidth is how far apart, in nanoseconds, the two readings around a
// sample may be before it is tried again: the thread was held up in between.
const sampleWidth = int64(50 * time.Microsecond)

// Now is CLOCK_BOOTTIME, the clock of every Frame.Time here, in nanoseconds: it
// goes on while the machine sleeps and is never set.
func Now() int64 {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &t); err != nil {
		panic("CLOCK_BOOTTIME: " + err.Error()) // since Linux 2.6.39
	}
	return t.Nano()
}

// clock carries the kernel's receive times, which are wall time and may step,
// to CLOCK_BOOTTIME. Every time it gives lies between the one before and the
// last sample. All its fields are nanoseconds.
type clock struct {
	offset int64 // CLOCK_BOOTTIME minus CLOCK_REALTIME at the last sample
	before int64 // the offset until the wall clock was last set
	now    int64 // CLOCK_BOOTTIME of the last sample
	last   int64 // the last time given
}

// newClock starts at this moment, before which no time of it will be.
func newClock() clock {
	boot, wall := sample()
	return clock{offset: boot - wall, before: boot - wall, now: boot, last: boot}
}

// sample reads both clocks as of one moment.
func sample() (boot, wall int64) {
	width := int64(0)
	for try := range 3 {
		first := Now()
		w := time.Now().UnixNano()
		second := Now()
		if try == 0 || second-first < width {
			width, boot, wall = second-first, second, w+(second-first)/2
		}
		if width <= sampleWidth {
			break
		}
	}
	return boot, wall
}

// set takes a sample, to be done after the frames it is to serve were read.
func (c *clock) set(boot, wall int64) {
	offset := boot - wall
	if abs(offset-c.offset) > stepSize {
		c.before = c.offset
	}
	c.offset, c.now = offset, max(boot, c.now)
}

// carry gives the receive time wall on CLOCK_BOOTTIME. A frame that was queued
// before the wall clock was set would fall out of what is possible: it is
// carried by the offset of then.
func (c *clock) carry(wall int64) int64 {
	t := wall + c.offset
	if !c.possible(t) && c.possible(wall+c.before) {
		t = wall + c.before
	}
	c.last = min(max(t, c.last), c.now)
	return c.last
}

// possible reports whether t may be the next time, but for the noise of sampling.
func (c *clock) possible(t int64) bool {
	return t >= c.last-stepSize && t <= c.now+stepSize
}

// moment is the time of the last sample, for what carries no time of its own.
func (c *clock) moment() int64 {
	c.last = max(c.last, c.now)
	return c.last
}

func abs(n int64) int64 {
	if n < 0 {
		return -n
	}
	return n
}
