package explain

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"vignette/scenes"
	"vignette/scenes/engine"
)

func (l Language) triggers(list []scenes.Trigger) (lines []string) {
	for i := range list {
		lines = append(lines, l.trigger(&list[i]))
	}
	return l.ended(lines, sayOr)
}

// trigger says when a trigger completes.
func (l Language) trigger(t *scenes.Trigger) string {
	if edge := l.edge(t); edge != "" {
		return edge + l.rearm(t) + l.held(t)
	}
	path := t.Signal.Text
	name, x := l.signal(path), l.value(path, t.X.String(), t.Unit.Text)
	switch t.Op {
	case engine.Leaves:
		return l.say(sayLeaves, name, x)
	case engine.Changes:
		return l.say(sayChanges, name)
	case engine.StaleFor:
		return l.say(sayStale, name, l.duration(t.Over))
	case engine.Recovered:
		return l.say(sayBack, name)
	case engine.Rate, engine.Avg, engine.Min, engine.Max:
		return l.window(t, name, x)
	case engine.Count:
		return l.say(sayCount, strconv.Itoa(t.N), l.duration(t.Over), l.trigger(&t.Of[0]))
	case engine.Sequence:
		return l.say(saySequence, l.trigger(&t.Of[0]), l.duration(t.Over), l.trigger(&t.Of[1]))
	case engine.Occurs:
		return l.occurs(&t.Occur)
	}
	return l.wall(t)
}

// edge says what a trigger on a signal's value waits for; empty: it is another one.
func (l Language) edge(t *scenes.Trigger) string {
	path := t.Signal.Text
	name, x := l.signal(path), l.value(path, t.X.String(), t.Unit.Text)
	switch t.Op {
	case engine.RisesAbove:
		return l.say(sayRises, name, x)
	case engine.FallsBelow:
		return l.say(sayFalls, name, x)
	case engine.Becomes:
		return l.say(sayBecomes, name, x)
	}
	return ""
}

func (l Language) held(t *scenes.Trigger) string {
	if t.Hold == 0 {
		return ""
	}
	return l.say(sayHeld, l.duration(t.Hold))
}

// rearm says from where on a threshold can be passed again.
func (l Language) rearm(t *scenes.Trigger) string {
	at := l.value(t.Signal.Text, t.Rearm.String(), t.Unit.Text)
	switch {
	case t.Rearm.Kind == engine.None:
		return ""
	case t.Op == engine.FallsBelow:
		return l.say(sayRearmHi, at)
	}
	return l.say(sayRearmLow, at)
}

// window says which figure of a window passes its bound.
func (l Language) window(t *scenes.Trigger, name, x string) string {
	over := l.duration(t.Over)
	figure := map[engine.TriggerOp]phrase{engine.Avg: sayAvg, engine.Min: sayMin, engine.Max: sayMax}[t.Op]
	switch {
	case t.Op == engine.Rate && t.Below:
		return l.say(sayRateDown, name, x, over)
	case t.Op == engine.Rate:
		return l.say(sayRateUp, name, x, over)
	case t.Below:
		return l.say(sayFalls, l.say(sayOver, l.say(figure, name), over), x)
	}
	return l.say(sayRises, l.say(sayOver, l.say(figure, name), over), x)
}

// occurs says what happens outside the bus.
func (l Language) occurs(o *scenes.Occur) string {
	switch o.Kind + " " + o.Word {
	case "place enter":
		return l.say(sayEnter, o.Name.Text)
	case "place leave":
		return l.say(sayGo, o.Name.Text)
	case "phone near":
		return l.say(sayNear)
	case "phone far":
		return l.say(sayFar)
	case "ignition on":
		return l.say(sayIgnOn)
	case "ignition off":
		return l.say(sayIgnOff)
	case "button ":
		return l.say(sayButton, o.Name.Text)
	}
	return l.say(sayEvent, o.Name.Text)
}

// wall says at which local time, or how far from which move of the sun.
func (l Language) wall(t *scenes.Trigger) string {
	if t.Op == engine.WallTime {
		return l.say(sayAt, clock(t.At)) + l.days(t.Days)
	}
	sun := sayName(l, t.Op)
	switch {
	case t.Offset > 0:
		return l.say(sayAfter, l.duration(t.Offset), sun)
	case t.Offset < 0:
		return l.say(sayBefore, l.duration(-t.Offset), sun)
	}
	return sun
}

func sayName(l Language, op engine.TriggerOp) string {
	if op == engine.Sunrise {
		return l.say(saySunrise)
	}
	return l.say(saySunset)
}

// days names some of the days of the week; all of them need no word.
func (l Language) days(set uint8) string {
	var names []string
	for i, day := range weekdays {
		if set>>i&1 != 0 {
			names = append(names, day[l])
		}
	}
	if len(names) == 0 || len(names) == len(weekdays) {
		return ""
	}
	return l.say(sayOnDays, l.join(names, phrase{" and ", "、"}))
}

// clock writes minutes after midnight.
func clock(minutes int) string { return fmt.Sprintf("%02d:%02d", minutes/60, minutes%60) }

// duration writes a duration in its largest units, exactly.
func (l Language) duration(d time.Duration) string {
	var parts []string
	for _, u := range spans {
		if n := d / u.of; n > 0 {
			parts = append(parts, strconv.FormatInt(int64(n), 10)+" "+u.name[l])
			d -= n * u.of
		}
	}
	if parts == nil {
		return "0 " + phrase{"s", "秒"}[l]
	}
	return strings.Join(parts, " ")
}

// spans are the units of durations, the largest first.
var spans = []struct {
	of   time.Duration
	name phrase
}{
	{time.Hour, phrase{"h", "小时"}}, {time.Minute, phrase{"min", "分钟"}}, {time.Second, phrase{"s", "秒"}},
	{time.Millisecond, phrase{"ms", "毫秒"}}, {time.Microsecond, phrase{"µs", "微秒"}}, {time.Nanosecond, phrase{"ns", "纳秒"}},
}
