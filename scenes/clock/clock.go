// Package clock tells the engine what is known of the wall clock: the time, its
// zone's offset and the offset's next change, and when the sun rises and sets.
// The engine has no clock, no zones and no trigonometry; it takes all of that
// as events. The zone is that of the time.Time that the caller gives, so what
// zones there are is the caller's matter.
package clock

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"vignette/scenes/engine"
)

// Place is a place on the earth, in degrees north and east.
type Place struct{ Lat, Lon float64 }

// ParsePlace reads "LAT,LON" in decimal degrees, such as 52.52,13.405.
func ParsePlace(s string) (Place, error) {
	lat, lon, ok := strings.Cut(s, ",")
	p := Place{}
	var errLat, errLon error
	p.Lat, errLat = strconv.ParseFloat(lat, 64)
	p.Lon, errLon = strconv.ParseFloat(lon, 64)
	if !ok || errLat != nil || errLon != nil || !(math.Abs(p.Lat) <= 90 && math.Abs(p.Lon) <= 180) {
		return Place{}, fmt.Errorf("place %q is not LAT,LON in degrees north and east, such as 52.52,13.405", s)
	}
	return p, nil
}

// Facts is what is known at a wall time in its zone; a nil place leaves the sun
// out.
func Facts(wall time.Time, place *Place) engine.Clocking {
	_, offset := wall.Zone()
	c := engine.Clocking{Trusted: true, Wall: wall.UnixNano(), Offset: int64(offset)}
	if _, end := wall.ZoneBounds(); !end.IsZero() {
		if c.Next = end.UnixNano(); c.Next > 0 && c.Next <= engine.MaxWall {
			_, next := end.Zone()
			c.NextOffset = int64(next)
		} else {
			c.Next = 0
		}
	}
	if place != nil {
		c.Rise, c.Set = suns(c.Wall, *place)
	}
	return c
}

const (
	day = 24 * int64(time.Hour)
	// Without a sunrise or sunset near, or a change of the offset, the facts are
	// looked at again after a day.
	longest = day
	// drift is the least difference from what was told that is told anew.
	drift = 100 * int64(time.Millisecond)
	// moved is the least change of a sunrise or sunset, by a new place, that is.
	moved = int64(time.Minute)
)

// due is the wall time at which facts run out.
func due(c *engine.Clocking) int64 {
	at := c.Wall + longest
	for _, t := range [...]int64{c.Next, c.Rise[1], c.Set[1]} {
		if t > c.Wall {
			at = min(at, t)
		}
	}
	return at
}

// Keeper remembers what the engine was told, and tells what is new.
type Keeper struct {
	Place *Place // nil: unknown

	told engine.Clocking
	t    int64 // stream time of told
}

// Tell returns the event's content if at stream time t (ns) the engine should
// hear of the wall clock anew, else nil: trust came or went, the clock was put
// right by 0.1 s or more, another zone or place, or what was told has run out.
func (k *Keeper) Tell(t int64, wall time.Time, trusted bool) *engine.Clocking {
	c := engine.Clocking{}
	if trusted {
		c = Facts(wall, k.Place)
	}
	if c.Trusted == k.told.Trusted && (!c.Trusted || !k.outdated(t, &c)) {
		return nil
	}
	k.told, k.t = c, t
	return &c
}

func (k *Keeper) outdated(t int64, c *engine.Clocking) bool {
	apart := func(a, b, limit int64) bool { return a-b >= limit || b-a >= limit }
	old := &k.told
	return apart(c.Wall, old.Wall+t-k.t, drift) || c.Wall >= due(old) || c.Offset != old.Offset || c.Next != old.Next || c.NextOffset != old.NextOffset ||
		apart(c.Rise[1], old.Rise[1], moved) || apart(c.Set[1], old.Set[1], moved)
}

// Due is the stream time in ns at which what was told runs out; ok is false
// while nothing is known.
func (k *Keeper) Due() (t int64, ok bool) {
	return k.t + due(&k.told) - k.told.Wall, k.told.Trusted
}
