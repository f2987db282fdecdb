package trace

import (
	"math"
	"time"
)

// Context is what the car knew at a moment. It lives in memory only; episodes
// carry buckets of it.
type Context struct {
	SpeedKmh   float64   // km/h; its sign is the direction and is ignored
	SpeedKnown bool      // false: SpeedKmh means nothing
	Parked     bool      // the car is in its drive state parked
	Auto       uint8     // driver assistance: 0 not told, 1 level 0, 2 level 1, 3 level 2 or more
	Now        time.Time // the caller's time, for gaps (of the agent: the stream's); the zero Time is an error
	Wall       time.Time // the wall clock in local time; the zero Time: nobody vouches for one
	Turn       uint64    // of the driver whose doing it is, as Recorder.Turn told before; 0: of who drives now
}

// The buckets of the time since the event before, in an episode.
const (
	DTFirst    uint8 = iota // no event before
	DTUnder0s5              // below 0.5 s
	DTUnder1s
	DTUnder2s
	DTUnder5s
	DTUnder15s
	DTFrom15s // 15 s or more
)

// The buckets of speed. Unknown has a code of its own: it is never mistaken
// for parked, and never for moving.
const (
	SpeedUnknown  uint8 = iota
	SpeedParked         // at most 0.5 km/h either way, as the profile's parked state
	SpeedUnder8         // below 8 km/h
	SpeedUnder30        // below 30 km/h
	SpeedUnder60        // below 60 km/h
	SpeedUnder100       // below 100 km/h
	SpeedFrom100        // 100 km/h or more
)

// The parts of the day, in the caller's zone. Unknown is what most studies tell.
const (
	TODUnknown   uint8 = iota
	TODNight           // 0:00 to 6:00
	TODMorning         // 6:00 to 12:00
	TODAfternoon       // 12:00 to 18:00
	TODEvening         // 18:00 to 24:00
)

// bucketDT returns the bucket of a time between two events; d is not negative.
func bucketDT(d time.Duration) uint8 {
	switch {
	case d < 500*time.Millisecond:
		return DTUnder0s5
	case d < time.Second:
		return DTUnder1s
	case d < 2*time.Second:
		return DTUnder2s
	case d < 5*time.Second:
		return DTUnder5s
	case d < 15*time.Second:
		return DTUnder15s
	}
	return DTFrom15s
}

// bucketCount returns the index in countBuckets of a count.
func bucketCount(n int) uint8 {
	switch {
	case n <= 8:
		return uint8(n)
	case n <= 16:
		return 9
	case n <= 32:
		return 10
	}
	return 11
}

// bucketTime returns the index in timeBuckets of a time, which is not negative.
func bucketTime(d time.Duration) uint8 {
	switch {
	case d == 0:
		return 0
	case d < 2*time.Second:
		return 1
	case d < 5*time.Second:
		return 2
	case d < 8*time.Second:
		return 3
	case d < 12*time.Second:
		return 4
	case d < 30*time.Second:
		return 5
	case d < time.Minute:
		return 6
	}
	return 7
}

// bucketSpeed returns the bucket of a context's speed. A speed that is no
// number is unknown.
func bucketSpeed(c Context) uint8 {
	v := math.Abs(c.SpeedKmh)
	switch {
	case !c.SpeedKnown || math.IsNaN(v) || math.IsInf(v, 0):
		return SpeedUnknown
	case v <= 0.5:
		return SpeedParked
	case v < 8:
		return SpeedUnder8
	case v < 30:
		return SpeedUnder30
	case v < 60:
		return SpeedUnder60
	case v < 100:
		return SpeedUnder100
	}
	return SpeedFrom100
}

// calendar returns week and part of the day, 0 and 0 if nobody vouches for the
// clock or it lies before 2000 or after 2654, where the week has no code.
func calendar(wall time.Time) (week uint16, tod uint8) {
	y, w := wall.ISOWeek()
	if wall.IsZero() || y < 2000 || y > 2654 {
		return 0, TODUnknown
	}
	return uint16((y-2000)*100 + w), TODNight + uint8(wall.Hour()/6)
}

// weekEnd is when the ISO week of a moment ends, in its zone.
func weekEnd(wall time.Time) time.Time {
	days := (8 - int(wall.Weekday())) % 7 // to the next Monday
	if days == 0 {
		days = 7
	}
	y, m, d := wall.Date()
	return time.Date(y, m, d+days, 0, 0, 0, 0, wall.Location())
}
