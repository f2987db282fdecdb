package reference_test

import (
	"pgregory.net/rapid"

	"vignette/scenes/engine"
)

// The wall clock of cases is about dawn at the stream's zero: 06:29:58, an hour
// east of UTC.
const (
	dawn   = 1774762198 * int64(1e9) // 2026-03-29T05:29:58Z, a Sunday
	minute = 60 * 1000 * ms
	hour   = 60 * minute
)

var (
	ats     = rapid.SampledFrom([]int64{6*hour + 30*minute, 6*hour + 31*minute, 7*hour + 30*minute, 5*hour + 30*minute, 9*hour + 30*minute, 3*hour + 29*minute, 0})
	days    = rapid.SampledFrom([]uint8{127, 127, 1, 2, 64})
	offsets = rapid.SampledFrom([]int64{0, 0, 1000 * ms, -1000 * ms, minute, hour, -hour, 12 * hour})
	drifts  = rapid.SampledFrom([]int64{0, 0, 400 * ms, 1000 * ms, -1000 * ms, minute, -minute, hour, -hour, 177 * minute, -177 * minute, 191 * minute, -191 * minute})
	zones   = rapid.SampledFrom([]int64{3600, 3600, 7200, 0})
	changes = rapid.SampledFrom([]int64{0, 0, 1000 * ms, 3000 * ms, minute})
	places  = rapid.SampledFrom([]int64{0, 0, -minute, minute, 1000 * ms, -hour, hour, 4 * hour})
)

// drawWallTrigger draws what the wall clock brings.
func drawWallTrigger(t *rapid.T) engine.Trigger {
	switch eighth.Draw(t, "wall") / 2 {
	case 2:
		return engine.Trigger{Op: engine.Sunrise, Offset: offsets.Draw(t, "offset")}
	case 3:
		return engine.Trigger{Op: engine.Sunset, Offset: offsets.Draw(t, "offset")}
	}
	return engine.Trigger{Op: engine.WallTime, At: ats.Draw(t, "at"), Days: days.Draw(t, "on")}
}

// drawClock draws what is known of the wall clock at a time that is added later.
func drawClock(t *rapid.T, p *engine.Program) *engine.Clocking {
	c := &engine.Clocking{}
	if eighth.Draw(t, "trusted") == 7 && !has(p, engine.WallTime, engine.WallTime) {
		return c
	}
	c.Trusted, c.Wall, c.Offset = true, dawn+drifts.Draw(t, "drift"), zones.Draw(t, "zone")
	if has(p, engine.WallTime, engine.WallTime) {
		c.Wall, c.Offset = dawn+(c.Wall-dawn)%(20*minute), 3600
	}
	if next := changes.Draw(t, "next"); next > 0 {
		c.Next, c.NextOffset = c.Wall+next, c.Offset+rapid.SampledFrom([]int64{3600, -3600}).Draw(t, "change")
	}
	if eighth.Draw(t, "sun") < 7 {
		c.Rise = suns(c.Wall, dawn+5000*ms+places.Draw(t, "place"))
		c.Set = suns(c.Wall, dawn+9000*ms+places.Draw(t, "evening"))
	}
	return c
}

// suns are the latest and the next of what comes every 24 h.
func suns(wall, one int64) [2]int64 {
	for one > wall {
		one -= 24 * hour
	}
	for one+24*hour <= wall {
		one += 24 * hour
	}
	return [2]int64{one, one + 24*hour}
}

// at puts a clock at a time of the stream.
func at(c *engine.Clocking, t int64) *engine.Clocking {
	moved := *c
	if !c.Trusted {
		return &moved
	}
	moved.Wall += t
	if c.Next != 0 {
		moved.Next += t
	}
	if c.Rise[0] != 0 {
		moved.Rise, moved.Set = suns(moved.Wall, c.Rise[0]), suns(moved.Wall, c.Set[0])
	}
	return &moved
}
