package habit

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"vignette/scenes"
	"vignette/scenes/engine"
	"vignette/scenes/explain"
)

// When a habit is offered; docs/RATIONALE.md says why so.
const (
	minTimes   = 5  // hits
	minDays    = 3  // different days of them
	ofTen      = 8  // of ten occasions, at least so many were hits
	timesBase  = 3  // and so many times as often as hands on that actuator come anyway
	maxDrafts  = 8  // offered at once
	maxRefused = 64 // remembered; of more, the oldest goes
	draftLease = 60 // s
	draftRest  = 60 // s of cooldown
	idPrefix   = "habit-"
)

// Draft is a scene card that would do what the driver does by hand.
type Draft struct {
	ID    string       // of the card
	Title scenes.Texts // en and zh
	Why   scenes.Texts // what was seen, in words
	Times int          // how often the hand followed
	Of    int          // of how many occasions
	Days  int          // on how many different days
	Text  string       // the card
}

// found is a habit that may be offered.
type found struct {
	pair           *pair
	quarter        int // anyTime: at any time of the day
	times, of, day int
}

// Drafts are what may be offered now, at most one an actuator and maxDrafts in
// all, the surest first: the hand must have followed at least minTimes, on minDays
// different days, ofTen times of ten, and far more often than by chance. Of
// several occasions for a hand, the one that it follows surest is taken.
func (l *Learner) Drafts() ([]Draft, error) {
	var list []found
	for i := range l.pairs {
		if f, ok := l.judge(&l.pairs[i]); ok {
			list = append(list, f)
		}
	}
	sort.SliceStable(list, func(i, j int) bool { return surer(list[i], list[j]) < 0 })
	var drafts []Draft
	seen := map[uint16]bool{}
	for i := range list {
		if f := &list[i]; !seen[f.pair.actuator] && len(drafts) < maxDrafts {
			seen[f.pair.actuator] = true
			d, err := l.v.draft(f)
			if err != nil {
				return nil, err
			}
			drafts = append(drafts, d)
		}
	}
	return drafts, nil
}

// judge holds a pair against the bounds: at any time of the day, or else in the
// quarter in which it is surest.
func (l *Learner) judge(p *pair) (best found, ok bool) {
	if slices.Contains(l.refused, refusal{p.actuator, p.setting}) {
		return best, false
	}
	n := &l.counts[p.occasion].n
	if f := (found{p, anyTime, total(p.hits), total(*n), int(p.days[anyTime])}); l.sure(&f) {
		return f, true
	}
	if l.v.vehicle.TrustedBy == "" {
		return best, false // no card may ask for the time
	}
	for q := range quarters {
		f := found{p, q, int(p.hits[q]), int(n[q]), int(p.days[q])}
		if l.sure(&f) && (!ok || surer(f, best) < 0) {
			best, ok = f, true
		}
	}
	return best, ok
}

// sure reports whether a habit may be offered.
func (l *Learner) sure(f *found) bool {
	base := float64(l.acts[f.pair.actuator].hands) * float64(Window) / float64(max(l.watched, int64(Window))) // hands expected in a window
	return f.times >= minTimes && f.day >= minDays && f.times*10 >= f.of*ofTen && float64(f.times) >= timesBase*base*float64(f.of)
}

// surer orders habits: by share, then times, then without a condition, then the
// order of the vocabulary.
func surer(a, b found) int {
	return cmp.Or(b.times*a.of-a.times*b.of, b.times-a.times, b.quarter-a.quarter,
		cmp.Compare(a.pair.occasion, b.pair.occasion), cmp.Compare(a.pair.actuator, b.pair.actuator), cmp.Compare(a.pair.setting, b.pair.setting))
}

// Dismiss has what a draft does not offered any more, on whatever occasion; false:
// there is no such draft.
func (l *Learner) Dismiss(id string) bool {
	for i := range l.pairs {
		f, ok := l.judge(&l.pairs[i])
		if !ok || l.v.id(&f) != id {
			continue
		}
		if len(l.refused) == maxRefused {
			l.refused = slices.Delete(l.refused, 0, 1)
		}
		l.refused = append(l.refused, refusal{f.pair.actuator, f.pair.setting})
		l.changed = true
		return true
	}
	return false
}

// id names the card of a habit: the same habit has the same.
func (v *Vocabulary) id(f *found) string {
	h := fnv.New64a()
	h.Write([]byte(v.body(f)))
	return idPrefix + strconv.FormatUint(h.Sum64(), 36)
}

// draft writes the card of a habit, and puts it into words.
func (v *Vocabulary) draft(f *found) (Draft, error) {
	d := Draft{ID: v.id(f), Times: f.times, Of: f.of, Days: f.day, Title: scenes.Texts{}, Why: scenes.Texts{}}
	text := func() string {
		return fmt.Sprintf("schema: 1\nid: %s\nversion: 1.0.0\ntitle: {en: %q, zh: %q}\n%s", d.ID, d.Title["en"], d.Title["zh"], v.body(f))
	}
	d.Title["en"], d.Title["zh"] = d.ID, d.ID
	c, err := scenes.ParseCard(d.ID, []byte(text()))
	if err != nil {
		return d, fmt.Errorf("a draft is no card: %w", err)
	}
	for _, lang := range []explain.Language{explain.English, explain.Chinese} {
		d.Title[lang.Tag()], d.Why[lang.Tag()] = explain.Habit(c, f.times, f.of, f.day, lang)
	}
	d.Text = text()
	return d, nil
}

// body is the card's text behind its title.
func (v *Vocabulary) body(f *found) string {
	var b strings.Builder
	fmt.Fprintf(&b, "when:\n  - %s\n", v.trigger(&v.occasions[f.pair.occasion]))
	if q := f.quarter; q != anyTime {
		fmt.Fprintf(&b, "only_if:\n  - {time: {from: \"%02d:00\", to: \"%02d:00\"}}\n", 24/quarters*q, 24/quarters*(q+1)%24)
	}
	a := &v.actuators[f.pair.actuator]
	lease := "1m"
	if m := a.spec.MaxLease; m < draftLease*time.Second {
		lease = strconv.FormatInt(m.Microseconds(), 10) + "us"
	}
	fmt.Fprintf(&b, "then:\n  - {set: %s, to: %s%s, lease: %s, at_end: leave}\ncooldown: %ds\n",
		a.spec.Path, literal(a.value(f.pair.setting)), unit(a.spec.Unit), lease, draftRest)
	return b.String()
}

// trigger writes an occasion as a card's trigger.
func (v *Vocabulary) trigger(o *occasion) string {
	if o.signal < 0 {
		return occurrence(o.occur)
	}
	s := &v.vehicle.Signals[o.signal]
	value := engine.Value{Kind: s.Kind, Num: o.value}
	if s.Kind == engine.Label {
		value.Text = s.Labels[int(o.value)]
	}
	key, rearm := "becomes", ""
	switch o.op {
	case engine.RisesAbove:
		key, rearm = "rises_above", ", rearm_below: "+number(o.rearm)
	case engine.FallsBelow:
		key, rearm = "falls_below", ", rearm_above: "+number(o.rearm)
	}
	return fmt.Sprintf("{signal: %s, %s: %s%s%s}", s.Path, key, literal(value), rearm, unit(s.Unit))
}

// occurrence writes an occurrence, such as `place enter home`, as a trigger.
func occurrence(text string) string {
	kind, rest, _ := strings.Cut(text, " ")
	if word, name, ok := strings.Cut(rest, " "); ok && kind == "place" {
		return fmt.Sprintf("{place: {%s: %q}}", word, name)
	}
	return fmt.Sprintf("{%s: %q}", kind, strings.TrimSpace(rest))
}

func unit(name string) string {
	if name == "" {
		return ""
	}
	return ", unit: " + strconv.Quote(name)
}

// literal writes a value as cards do.
func literal(v engine.Value) string {
	switch v.Kind {
	case engine.Bool:
		return strconv.FormatBool(v.Num != 0)
	case engine.Label:
		return strconv.Quote(v.Text)
	}
	return number(v.Num)
}

func number(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }
