package reference

import "math"

// parts is how many a window has (choice 35).
const parts = 16

// reading is a valid sample in a window.
type reading struct {
	occasion
	value float64
}

// part is the length of one, rounded up to whole ns.
func (d *detector) part() int64 { return (d.Over + parts - 1) / parts }

// windowEnd is the end of the next part to be judged. After 16 parts without a
// sample nothing can change, and nothing is judged until the next one.
func (in *Interpreter) windowEnd(d *detector) (at int64, ok bool) {
	if len(d.window) == 0 {
		return 0, false
	}
	begin, last := d.window[0].t, d.window[len(d.window)-1].t
	next := max(d.judged+1, d.passed+1, parts)
	quiet := (last-begin)/d.part() + 1 + parts // by the end of this part all are without a sample
	if int64(next) > quiet {
		return 0, false
	}
	return begin + int64(next)*d.part(), true
}

// judge compares the figure of the last 16 whole parts with x; the first one
// only sets the trigger.
func (in *Interpreter) judge(c *card, d *detector) {
	first := d.judged == 0
	d.judged = int((in.now - d.window[0].t) / d.part())
	figure := d.figure(in.now)
	beyond := figure > d.X.Num
	if d.Below {
		beyond = figure < d.X.Num
	}
	completes := beyond && d.armed && !first
	d.armed = !beyond
	if completes {
		in.edge(c, d, d.newestCause(in.now))
	}
}

// figure is the window's that ends at end.
func (d *detector) figure(end int64) float64 {
	start := end - parts*d.part()
	switch d.Op {
	case "rate":
		return (d.before(end) - d.before(start)) / (float64(end-start) / 1e9)
	case "avg":
		return d.area(start, end) / float64(end-start)
	}
	figure := math.NaN()
	for _, v := range d.values(start, end) {
		if math.IsNaN(figure) || d.Op == "min" && v < figure || d.Op == "max" && v > figure {
			figure = v
		}
	}
	return figure
}

// before is the value just before t; before the first sample, that one's.
func (d *detector) before(t int64) float64 {
	v := d.window[0].value
	for _, r := range d.window {
		if r.t < t {
			v = r.value
		}
	}
	return v
}

// area is the integral of the value over [start, end), a value holding until
// the next sample.
func (d *detector) area(start, end int64) (sum float64) {
	for i, r := range d.window {
		until := end
		if i+1 < len(d.window) {
			until = min(end, d.window[i+1].t)
		}
		if from := max(start, r.t); until > from {
			sum += float64(r.value * float64(until-from))
		}
	}
	return sum
}

// values are those of [start, end): the samples, and the value with which it
// begins unless a sample comes at that very time.
func (d *detector) values(start, end int64) (list []float64) {
	begins := false
	for _, r := range d.window {
		if r.t >= start && r.t < end {
			list = append(list, r.value)
			begins = begins || r.t == start
		}
	}
	if !begins {
		list = append(list, d.before(start))
	}
	return list
}

// newestCause is the newest cause of a sample in the window.
func (d *detector) newestCause(end int64) (newest occasion) {
	for _, r := range d.window {
		if r.t >= end-parts*d.part() && r.t < end && r.cause > newest.cause {
			newest = r.occasion
		}
	}
	return newest
}
