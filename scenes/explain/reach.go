package explain

import (
	"cmp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"vignette/scenes"
	"vignette/scenes/engine"
)

// Reach is all that a card can do to a car: every actuator it may set and every
// action it may call, and every signal it reads.
type Reach struct {
	Card    string   `json:"card"`
	Version string   `json:"version"`
	Touches []Touch  `json:"touches"` // actuators by path, then actions by name
	Reads   []string `json:"reads"`   // paths, sorted

	title scenes.Texts
}

// Touch is one actuator that a card may set, or one action that it may call.
type Touch struct {
	Actuator string   `json:"actuator,omitempty"`
	Action   string   `json:"action,omitempty"`
	Min      string   `json:"min,omitempty"`     // least number set, in the actuator's unit
	Max      string   `json:"max,omitempty"`     // greatest
	Values   []string `json:"values,omitempty"`  // labels or booleans set
	Unit     string   `json:"unit,omitempty"`    // VSS's name
	Lease    string   `json:"lease,omitempty"`   // longest lease, as Go writes durations
	Ends     []string `json:"ends,omitempty"`    // restore, leave, or the value set at the end
	States   []string `json:"states"`            // drive states in which the profile allows it
	Always   bool     `json:"always,omitempty"`  // States are all there are
	Hourly   int      `json:"hourly,omitempty"`  // most often within an hour; 0: as often as its triggers complete
	Confirm  bool     `json:"confirm,omitempty"` // the driver is asked first

	lease    time.Duration
	min, max float64
}

// ReachOf tells what each card of a program can do, by card id.
func ReachOf(p *scenes.Program) (list []Reach) {
	for i, c := range p.Cards {
		r := Reach{Card: c.ID, Version: c.Version, title: c.Title, Reads: []string{}}
		for _, slot := range p.Engine.Reads(i) {
			r.Reads = append(r.Reads, p.Engine.Signals[slot].Path)
		}
		firings := p.Engine.FiringsPerHour(i)
		for j := range c.Then {
			r.add(p, &c.Then[j], &p.Engine.Cards[i].Then[j], firings)
		}
		sort.SliceStable(r.Touches, func(i, j int) bool {
			a, b := &r.Touches[i], &r.Touches[j]
			return cmp.Or(cmp.Compare(a.Action, b.Action), cmp.Compare(a.Actuator, b.Actuator)) < 0
		})
		list = append(list, r)
	}
	return list
}

// add adds one step of a card that fires at most so often an hour.
func (r *Reach) add(p *scenes.Program, s *scenes.Step, e *engine.Step, firings int) {
	switch s.Kind {
	case engine.Set:
		a := &p.Vehicle.Actuators[e.Actuator]
		t := r.touch(Touch{Actuator: a.Path, Unit: a.Unit})
		t.states(p.Vehicle, a.States)
		t.value(e.Value)
		t.lease = max(t.lease, s.Lease)
		t.Lease = t.lease.String()
		t.end(e)
		t.Confirm = a.Confirm > 0
		t.often(firings, a.MinInterval)
	case engine.Do:
		a := &p.Vehicle.Actions[e.Action]
		t := r.touch(Touch{Action: a.Name})
		t.states(p.Vehicle, a.States)
		t.often(firings, a.MinInterval)
	}
}

// touch finds the entry of the same actuator or action, or begins one.
func (r *Reach) touch(t Touch) *Touch {
	for i := range r.Touches {
		if r.Touches[i].Actuator == t.Actuator && r.Touches[i].Action == t.Action {
			return &r.Touches[i]
		}
	}
	r.Touches = append(r.Touches, t)
	return &r.Touches[len(r.Touches)-1]
}

func (t *Touch) states(v *scenes.Vehicle, set engine.StateSet) {
	t.States, t.Always = []string{}, true
	for i := range len(v.States) + 1 {
		name := "moving"
		if i < len(v.States) {
			name = v.States[i].Name
		}
		if set.Has(i) {
			t.States = append(t.States, name)
		} else {
			t.Always = false
		}
	}
}

// value widens the range or the list by a value that is set.
func (t *Touch) value(v engine.Value) {
	switch v.Kind {
	case engine.Number:
		if t.Min == "" {
			t.min, t.max = v.Num, v.Num
		}
		t.min, t.max = min(t.min, v.Num), max(t.max, v.Num)
		t.Min, t.Max = number(t.min), number(t.max)
	case engine.Bool:
		t.Values = insert(t.Values, strconv.FormatBool(v.Num == 1))
	case engine.Label:
		t.Values = insert(t.Values, v.Text)
	}
}

func (t *Touch) end(e *engine.Step) {
	switch e.AtEnd {
	case engine.Restore:
		t.Ends = insert(t.Ends, "restore")
	case engine.Leave:
		t.Ends = insert(t.Ends, "leave")
	case engine.SetTo:
		switch e.EndValue.Kind {
		case engine.Bool:
			t.Ends = insert(t.Ends, strconv.FormatBool(e.EndValue.Num == 1))
		case engine.Label:
			t.Ends = insert(t.Ends, e.EndValue.Text)
		default:
			t.Ends = insert(t.Ends, number(e.EndValue.Num))
		}
	}
}

// often adds one more time a firing, bounded by the least interval.
func (t *Touch) often(firings int, interval time.Duration) {
	if t.Hourly = t.Hourly + firings; interval > 0 {
		bound := perHour(interval)
		if t.Hourly == 0 || t.Hourly > bound {
			t.Hourly = bound
		}
	}
}

// perHour is how many moments at least d apart fit into an hour.
func perHour(d time.Duration) int { return int((time.Hour + d - 1) / d) }

func number(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

func insert(list []string, s string) []string {
	if !slices.Contains(list, s) {
		list = append(list, s)
		slices.Sort(list)
	}
	return list
}

// Text is the report in plain words, a line each.
func (r *Reach) Text(l Language) string {
	var b strings.Builder
	b.WriteString(oneLine(r.title.In(l.Tag())) + " (" + r.Card + " " + r.Version + ")\n")
	section(&b, sayTouches[l], r.lines(l))
	if len(r.Reads) > 0 {
		var names []string
		for _, path := range r.Reads {
			names = append(names, l.signal(path)+" – "+path)
		}
		section(&b, sayReads[l], names)
	}
	return b.String()
}

func (r *Reach) lines(l Language) (lines []string) {
	for i := range r.Touches {
		lines = append(lines, r.Touches[i].text(l))
	}
	if lines == nil {
		lines = []string{sayNothing[l]}
	}
	return lines
}

func (t *Touch) text(l Language) string {
	s := l.action(t.Action)
	if t.Actuator != "" {
		s = l.say(sayCanSet, l.signal(t.Actuator), t.span(l), l.duration(t.lease)) + l.say(sayCanEnd, t.after(l))
	}
	where := sayInAny[l]
	if !t.Always {
		var names []string
		for _, name := range t.States {
			names = append(names, l.state(name))
		}
		where = l.say(sayInStates, l.join(names, sayOrIn))
	}
	s += phrase{"; ", "；"}[l] + where
	if t.Confirm {
		s += phrase{"; ", "；"}[l] + sayAsks[l]
	}
	if t.Hourly > 0 {
		s += phrase{"; ", "；"}[l] + l.say(sayOften, strconv.Itoa(t.Hourly))
	}
	return s
}

// span names the values that are set.
func (t *Touch) span(l Language) string {
	if t.Min == "" {
		var names []string
		for _, v := range t.Values {
			names = append(names, l.value(t.Actuator, v, ""))
		}
		return l.join(names, sayOrIn)
	}
	if t.Min == t.Max {
		return withUnit(t.Min, t.Unit)
	}
	return l.say(sayTo, withUnit(t.Min, t.Unit), withUnit(t.Max, t.Unit))
}

// after names what the leases' ends do.
func (t *Touch) after(l Language) string {
	var ends []string
	for _, e := range t.Ends {
		switch e {
		case "restore":
			ends = append(ends, sayEndBack[l])
		case "leave":
			ends = append(ends, sayEndLeave[l])
		default:
			ends = append(ends, l.say(sayEndValue, l.value(t.Actuator, e, t.Unit)))
		}
	}
	return l.join(ends, sayOrIn)
}

// Change is one difference in what a card can touch.
type Change struct {
	Touch Touch  `json:"touch"`         // as it is now, or was where it is gone
	Was   *Touch `json:"was,omitempty"` // nil: new
	Gone  bool   `json:"gone,omitempty"`
	Wider bool   `json:"wider,omitempty"` // more than it was: new, another value, state or end, longer, or more often
}

// Compare lists how a card's reach differs from an older one's: what is new or
// different in the order of the new card, then what is gone.
func Compare(old, now *Reach) (changes []Change) {
	find := func(r *Reach, t *Touch) *Touch {
		for i := range r.Touches {
			if r.Touches[i].Actuator == t.Actuator && r.Touches[i].Action == t.Action {
				return &r.Touches[i]
			}
		}
		return nil
	}
	for i := range now.Touches {
		t := &now.Touches[i]
		if was := find(old, t); was == nil {
			changes = append(changes, Change{Touch: *t, Wider: true})
		} else if was.text(English) != t.text(English) {
			changes = append(changes, Change{Touch: *t, Was: was, Wider: t.wider(was)})
		}
	}
	for i := range old.Touches {
		if t := &old.Touches[i]; find(now, t) == nil {
			changes = append(changes, Change{Touch: *t, Gone: true})
		}
	}
	return changes
}

// wider reports whether t can do anything that was could not.
func (t *Touch) wider(was *Touch) bool {
	beyond := func(now, old []string) bool {
		return slices.ContainsFunc(now, func(s string) bool { return !slices.Contains(old, s) })
	}
	return t.Min != "" && (was.Min == "" || t.min < was.min || t.max > was.max) || beyond(t.Values, was.Values) || t.lease > was.lease ||
		beyond(t.Ends, was.Ends) || beyond(t.States, was.States) || was.Confirm && !t.Confirm || was.Hourly != 0 && (t.Hourly == 0 || t.Hourly > was.Hourly)
}

// CompareText puts the differences into plain words, a line each.
func CompareText(old *Reach, changes []Change, l Language) string {
	var lines []string
	for i := range changes {
		c := &changes[i]
		switch {
		case c.Gone:
			lines = append(lines, l.say(sayGone, c.Touch.text(l)))
		case c.Was == nil:
			lines = append(lines, l.say(sayNew, c.Touch.text(l)))
		default:
			lines = append(lines, l.say(sayWas, c.Touch.text(l), c.Was.text(l)))
		}
	}
	if lines == nil {
		lines = []string{sayUnchanged[l]}
	}
	var b strings.Builder
	section(&b, l.say(sayChanged, old.Card+" "+old.Version), lines)
	return b.String()
}
