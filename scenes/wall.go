package scenes

import (
	"slices"
	"strings"
	"time"

	"vignette/scenes/engine"
	"vignette/scenes/yaml"
)

// everyDay has a bit for each weekday; bit 0 is Sunday.
const everyDay = 1<<7 - 1

var (
	weekdayNames = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}
)

// maxOffset bounds the distance from sunrise and sunset.
const maxOffset = 12 * time.Hour

// timeOfDay reads a local time such as "07:30", in minutes after midnight.
func (r *reader) timeOfDay(n *yaml.Node) int {
	minutes, ok := parseTimeOfDay(r.pattern(n, timeOfDayText, `a time of day from "00:00" to "23:59", such as "07:30"`))
	if !ok {
		return 0 // noted by pattern
	}
	return minutes
}

func parseTimeOfDay(text string) (minutes int, ok bool) {
	if !isTimeOfDay(text) {
		return 0, false
	}
	digit := func(i int) int { return int(text[i] - '0') }
	return (digit(0)*10+digit(1))*60 + digit(3)*10 + digit(4), true
}

// weekdays reads a list such as [mon, fri] as bits, bit 0 for Sunday.
func (r *reader) weekdays(n *yaml.Node) (days uint8) {
	r.list(n, "`on`", func(n *yaml.Node) {
		bit := weekday(r.word(n, weekdayNames...))
		if days&bit != 0 {
			r.fault(n, "`%s` is given twice; keep one", n.Value)
		}
		days |= bit
	})
	return days
}

// weekday is the bit of a weekday's name; 0: none.
func weekday(name string) uint8 {
	for i, w := range weekdayNames {
		if w == name {
			return 1 << i
		}
	}
	return 0
}

// offset reads a duration that may be negative.
func (r *reader) offset(n *yaml.Node) time.Duration {
	const want = "a duration, such as 30m or -1.5h"
	if r.shapes != nil {
		r.shape(n, shape{"type": "string", "pattern": strings.Replace(durationText.text, "^", "^-?", 1), "description": want})
		return 0
	}
	if !r.scalar(n, want) {
		return 0
	}
	d, fault := parseOffset(n.Value)
	if fault != "" {
		r.wrong(n, "`%s` %s", n.Value, fault)
	}
	return d
}

func parseOffset(text string) (d time.Duration, fault string) {
	size, minus := strings.CutPrefix(text, "-")
	d, fault = parseDuration(size)
	switch {
	case fault != "":
		return 0, fault
	case d > maxOffset:
		return 0, "is too far; an offset is at most 12h either way"
	case minus:
		return -d, ""
	}
	return d, ""
}

// readTimeCond reads {from: "22:00", to: "06:00"}.
func readTimeCond(r *reader, n *yaml.Node, c *Cond) {
	c.op(r, n, engine.TimeOfDay)
	ok := object[Cond]{"`time`", []key[Cond]{
		{"from", required, func(r *reader, n *yaml.Node, c *Cond) { c.From = r.timeOfDay(n) }},
		{"to", required, func(r *reader, n *yaml.Node, c *Cond) { c.To = r.timeOfDay(n) }},
	}}.read(r, n, c)
	if ok && c.From == c.To {
		r.fault(n, "`time` is empty: `from` and `to` are the same; `to` is not included")
	}
}

// timeOfDay builds a time clause.
func (b *builder) timeOfDay(e *engine.Clause, c *Cond) {
	if b.inProfile {
		b.fault(c.ops[0].Pos, "a state cannot be built on the time of day; use signals")
		return
	}
	b.clock(c.ops[0])
	e.A, e.B = float64(c.From), float64(c.To)
}

// clock holds that the profile says who vouches for the wall clock.
func (b *builder) clock(at Name) {
	if b.v.TrustedBy == "" {
		b.fault(at.Pos, "`%s` needs the wall clock, but the vehicle profile has no `clock` that vouches for it; add it there", at.Text)
		b.lacks(Lack{Kind: LackClock})
	}
}

func (r *reader) readClock(n *yaml.Node, p *profile) {
	object[Vehicle]{"`clock`", []key[Vehicle]{
		{"trusted_by", required, func(r *reader, n *yaml.Node, v *Vehicle) { v.TrustedBy = r.word(n, "org.freedesktop.timedate1") }},
	}}.read(r, n, p.v)
}

// readPowerCond reads off, accessory or on.
func readPowerCond(r *reader, n *yaml.Node, c *Cond) {
	c.op(r, n, engine.Any)
	c.Power = Name{r.word(n, "off", "accessory", "on"), at(n)}
}

// power appends the clause that the power signal has one of the labels of a
// power state. It names no signal, as `state` does not.
func (b *builder) power(out engine.Cond, name Name) engine.Cond {
	w := b.v.Power
	if w == nil {
		b.fault(name.Pos, "the vehicle profile has no `power`; add it there, or use a signal")
		b.lacks(Lack{Kind: LackPower})
		return out
	}
	labels := map[string][]Name{"off": w.Off, "accessory": w.Accessory, "on": w.On}[name.Text]
	s := b.v.Signal(w.From.Text)
	if s == nil {
		return out // noted at the profile's power
	}
	if len(labels) == 0 {
		b.fault(name.Pos, "the vehicle profile's `power` has no labels for `%s`; add them there", name.Text)
		b.lacks(Lack{Kind: LackPower})
	}
	start := len(out) - 1
	for _, l := range labels {
		out = append(out, engine.Clause{Op: engine.Is, Slot: b.slot(s.Path), A: float64(slices.Index(s.Labels, l.Text)), Size: 1})
	}
	out[start].Size = len(out) - start
	return out
}
