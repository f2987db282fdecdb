package reference

import (
	"slices"
	"time"
)

const (
	hour = int64(time.Hour)
	near = 3 * hour // a step of at most this is one of the same day's (choice 42)
)

// wall is the memory of an `at`, a sunrise or a sunset.
type wall struct {
	passed  int64   // at: local times up to this do not come (again)
	awaited []int64 // sun: rises (sets) that are to come
	done    []int64 // local times, or rises (sets), that have come
}

// wallAt is the wall time at t of the stream.
func (in *Interpreter) wallAt(t int64) int64 { return in.clock.Wall + t - in.clockAt }

// localAt is the local time at t, as ns since 1970 of a clock that shows it.
func (in *Interpreter) localAt(t int64) int64 {
	w := in.wallAt(t)
	if in.clock.Next != 0 && w >= in.clock.Next {
		return w + in.clock.NextOffset*1e9
	}
	return w + in.clock.Offset*1e9
}

// passedAt is the highest local time that does not come again: that of t, or
// before an hour that is repeated (table of triggers: once).
func (in *Interpreter) passedAt(t int64) int64 {
	local := in.localAt(t)
	if next := in.clock.Next; next != 0 && in.wallAt(t) >= next && in.clock.Wall < next {
		return max(local, next+in.clock.Offset*1e9-1)
	}
	return local
}

// timeOfDay is the condition `time` (choice 41).
func (in *Interpreter) timeOfDay(from, to int) truth {
	if !in.clock.Trusted {
		return unknown
	}
	minute := int(mod(in.localAt(in.now), 24*hour) / int64(time.Minute))
	if from <= to {
		return truthOf(from <= minute && minute < to)
	}
	return truthOf(minute >= from || minute < to)
}

func mod(a, b int64) int64 { return (a%b + b) % b }

// setClock takes what is known of the wall clock from now on (rule 8, choices
// 42, 43).
func (in *Interpreter) setClock(c Clock) {
	old, local, passed := in.clock, int64(0), int64(0)
	why := ""
	switch {
	case old.Trusted && !c.Trusted:
		why = "lost"
	case !old.Trusted && c.Trusted:
		why = "trusted"
	case old.Trusted:
		local, passed = in.localAt(in.now), in.passedAt(in.now)
		if d := c.Wall - in.wallAt(in.now); d >= 1e9 || d <= -1e9 {
			why = "step"
		} else if local-in.wallAt(in.now) != c.Offset*1e9 {
			why = "zone"
		}
	}
	if why != "" {
		in.write(Record{What: "clock", Why: why})
	}
	in.clock, in.clockAt = c, in.now
	for _, k := range in.cards {
		for _, d := range k.detectors {
			switch {
			case d.Op == "at" && c.Trusted:
				in.moveLocal(k, d, old.Trusted, passed)
			case d.Op == "sunrise" || d.Op == "sunset":
				in.moveSun(k, d)
			}
		}
	}
}

// moveLocal takes a new local time: what a jump of at most 3 h from the one
// shown before skips comes now, what it repeats does not come again; otherwise
// what lies behind does not come, nor what was done last and is at most 3 h
// ahead (choice 42).
func (in *Interpreter) moveLocal(k *card, d *detector, known bool, shown int64) {
	local := in.localAt(in.now)
	if known && local-shown <= near && shown-local <= near {
		d.wall.passed = max(d.wall.passed, shown)
		if at := d.nextLocal(d.wall.passed); at <= local {
			in.comes(k, d, at)
		}
		return
	}
	d.wall.passed = local
	if n := len(d.done); n > 0 && d.done[n-1] > local && d.done[n-1]-local <= near {
		d.wall.passed = d.done[n-1]
	}
}

// comes completes a wall trigger for one local time, rise or set.
func (in *Interpreter) comes(k *card, d *detector, at int64) {
	d.done = append(d.done, at)
	if d.Op == "at" {
		d.wall.passed = max(d.wall.passed, at)
	}
	in.edge(k, d, occasion{})
}

// nextLocal is the first local time of an `at` after another.
func (d *detector) nextLocal(after int64) int64 {
	day := after - mod(after, 24*hour)
	for {
		at := day + d.At
		if at > after && slices.Contains(d.Days, time.Unix(0, day).UTC().Weekday()) {
			return at
		}
		day += 24 * hour
	}
}

// wallDue is when a wall trigger comes next.
func (in *Interpreter) wallDue(d *detector) (at int64, ok bool) {
	switch {
	case !in.clock.Trusted:
		return 0, false
	case d.Op == "at":
		return in.streamTime(d.nextLocal(d.wall.passed)), true
	case len(d.awaited) > 0:
		return in.clockAt + d.awaited[0] + d.Offset - in.clock.Wall, true
	}
	return 0, false
}

// streamTime is when the local time is reached; one in a skipped hour at its
// end.
func (in *Interpreter) streamTime(local int64) int64 {
	c := in.clock
	w := local - c.Offset*1e9
	if c.Next != 0 && (w >= c.Next || in.wallAt(in.now) >= c.Next) {
		w = max(c.Next, local-c.NextOffset*1e9)
	}
	return in.clockAt + w - c.Wall
}

// wallTime completes a wall trigger in time.
func (in *Interpreter) wallTime(k *card, d *detector) {
	if d.Op == "at" {
		in.comes(k, d, d.nextLocal(d.wall.passed))
		return
	}
	sun := d.awaited[0]
	d.awaited = d.awaited[1:]
	in.comes(k, d, sun)
}

// moveSun takes new rises or sets. Those less than 12 h apart are one; one that
// was awaited and lies behind by at most 3 h comes now (choice 43).
func (in *Interpreter) moveSun(k *card, d *detector) {
	suns := in.clock.Rise
	if d.Op == "sunset" {
		suns = in.clock.Set
	}
	awaited := d.awaited
	d.awaited = nil
	for _, sun := range suns {
		same := func(o int64) bool { return max(sun-o, o-sun) < 12*hour }
		if !in.clock.Trusted || sun == 0 || slices.ContainsFunc(d.done, same) {
			continue
		}
		late := in.wallAt(in.now) - (sun + d.Offset)
		switch {
		case late < 0:
			d.awaited = append(d.awaited, sun)
		case late <= near && slices.ContainsFunc(awaited, same):
			in.comes(k, d, sun)
		default:
			d.done = append(d.done, sun) // lies behind, and does not come again
		}
	}
}
