package scenes

import (
	"slices"
	"time"

	"vignette/scenes/engine"
	"vignette/scenes/yaml"
)

// Limits of a scenario.
const (
	maxScenarioBytes = 64 << 10
	maxScenarioNodes = 5_000
	maxScenario      = 24 * time.Hour
)

// Scenario is a short story of a drive at the level of VSS signals, and what the
// cards that it belongs to must do in it. It knows no frames, so it can be told in
// any car that has the signals. docs/author-a-card.md has the format.
type Scenario struct {
	File   string // as given to ParseScenario
	SHA256 string // of its bytes, hexadecimal
	Title  Texts
	Clock  *StoryClock   // nil: nobody vouches for the wall clock
	Given  []Happening   // how the car is at the beginning
	Steps  []Happening   // what happens then, in order
	Expect []Expectation // at least one
	Until  time.Duration // at which it ends
}

// StoryClock is the wall clock at the beginning of a scenario, in a time zone of
// its own.
type StoryClock struct {
	Pos             Pos
	Local           time.Time // with UTC for the zone
	Sunrise, Sunset int       // minutes after midnight of every day; -1: not told
}

// HappeningKind is the kind of a happening.
type HappeningKind uint8

// What happens to the car of a scenario.
const (
	SignalIs     HappeningKind = iota // a signal has a value from now on
	SignalSilent                      // a signal does not come any more
	Happens                           // an occurrence: place, phone, ignition, button or event
	DriverRuns                        // the driver runs a card by hand
	DriverSays                        // the driver answers the questions that are open
	DriverSets                        // the driver's hand on an actuator
)

// Happening is one thing that happens, or is so at the beginning.
type Happening struct {
	Pos   Pos
	At    time.Duration // from the beginning
	Kind  HappeningKind
	Name  Name    // signal, card or actuator
	To    Literal // SignalIs, DriverSets
	Unit  Name    // of To
	Occur Occur   // Happens
	Yes   bool    // DriverSays

	at    Name   // the key
	forms []Name // the keys that say what it is
}

// ExpectKind is the kind of an expectation.
type ExpectKind uint8

// What a scenario may expect.
const (
	Fires ExpectKind = iota // a card fires
	Sets                    // an actuator is set
	Ends                    // what was set on an actuator ends
	Does                    // an action is called
)

// Expectation is one thing that must happen, or must not.
type Expectation struct {
	Pos         Pos
	Kind        ExpectKind
	Name        Name          // card, actuator or action
	To          Literal       // Sets; None: whatever the value
	Unit        Name          // of To
	Never       bool          // it must not happen
	First, Last time.Duration // within which, both included

	forms   []Name
	windows []Name
}

var (
	localWant = `a local date and time, such as "2026-06-01 18:30"`
)

// scenarioKeys is the table of a scenario's keys.
func scenarioKeys() object[Scenario] {
	return object[Scenario]{"the scenario", []key[Scenario]{
		{"schema", required, func(r *reader, n *yaml.Node, s *Scenario) { r.schema(n) }},
		{"title", required, func(r *reader, n *yaml.Node, s *Scenario) { s.Title = r.texts(n, "`title`") }},
		{"clock", optional, func(r *reader, n *yaml.Node, s *Scenario) {
			s.Clock = &StoryClock{Pos: at(n), Sunrise: -1, Sunset: -1}
			storyClockKeys().read(r, n, s.Clock)
		}},
		{"given", optional, func(r *reader, n *yaml.Node, s *Scenario) {
			r.list(n, "`given`", func(n *yaml.Node) { s.Given = append(s.Given, r.happening(n, "a given", givenKeys())) })
		}},
		{"steps", optional, func(r *reader, n *yaml.Node, s *Scenario) {
			r.list(n, "`steps`", func(n *yaml.Node) { s.Steps = append(s.Steps, r.happening(n, "a step", stepsKeys())) })
		}},
		{"expect", required, func(r *reader, n *yaml.Node, s *Scenario) {
			r.list(n, "`expect`", func(n *yaml.Node) { s.Expect = append(s.Expect, r.expectation(n)) })
		}},
		{"until", required, func(r *reader, n *yaml.Node, s *Scenario) {
			if s.Until = r.duration(n, 1); s.Until > maxScenario {
				r.wrong(n, "`%s` is too long; a scenario ends within 24h", n.Value)
			}
		}},
	}}
}

// storyClockKeys say what the wall clock shows.
func storyClockKeys() object[StoryClock] {
	return object[StoryClock]{"the clock", []key[StoryClock]{
		{"local", required, func(r *reader, n *yaml.Node, c *StoryClock) {
			text := r.pattern(n, localText, localWant)
			local, err := time.Parse("2006-01-02 15:04", text)
			if err != nil && text != "" {
				r.wrong(n, "`%s` is no day of the calendar; correct it", text)
			}
			c.Local = local
		}},
		{"sunrise", optional, func(r *reader, n *yaml.Node, c *StoryClock) { c.Sunrise = r.timeOfDay(n) }},
		{"sunset", optional, func(r *reader, n *yaml.Node, c *StoryClock) { c.Sunset = r.timeOfDay(n) }},
	}}
}

// happens is the key that says of what kind a happening is.
func happens(name string, kind HappeningKind, read func(*reader, *yaml.Node, *Happening)) key[Happening] {
	return key[Happening]{name, optional, func(r *reader, n *yaml.Node, h *Happening) {
		h.Kind = kind
		h.forms = append(h.forms, r.key(n))
		read(r, n, h)
	}}
}

// happensAs is a key that a trigger has too.
func happensAs(name string, read func(*reader, *yaml.Node, *Trigger)) key[Happening] {
	return happens(name, Happens, func(r *reader, n *yaml.Node, h *Happening) {
		var t Trigger
		read(r, n, &t)
		h.Occur = t.Occur
	})
}

// givenKeys is the table of what is so at the beginning.
func givenKeys() []key[Happening] {
	return []key[Happening]{
		{"signal", required, func(r *reader, n *yaml.Node, h *Happening) { h.Name = r.name(n) }},
		happens("is", SignalIs, func(r *reader, n *yaml.Node, h *Happening) { h.To = r.literal(n) }),
		{"unit", optional, func(r *reader, n *yaml.Node, h *Happening) { h.Unit = r.name(n) }},
	}
}

// stepsKeys is the table of what happens then.
func stepsKeys() []key[Happening] {
	name := func(r *reader, n *yaml.Node, h *Happening) { h.Name = r.name(n) }
	return []key[Happening]{
		{"at", required, func(r *reader, n *yaml.Node, h *Happening) { h.At, h.at = r.duration(n, 0), Name{n.Value, at(n)} }},
		happens("signal", SignalIs, name),
		{"to", optional, func(r *reader, n *yaml.Node, h *Happening) { h.To = r.literal(n) }},
		{"unit", optional, func(r *reader, n *yaml.Node, h *Happening) { h.Unit = r.name(n) }},
		happens("silent", SignalSilent, name),
		happensAs("place", readPlace),
		happensAs("phone", func(r *reader, n *yaml.Node, t *Trigger) { t.Occur = r.occurWord(n, "near", "far") }),
		happensAs("ignition", func(r *reader, n *yaml.Node, t *Trigger) { t.Occur = r.occurWord(n, "on", "off") }),
		happensAs("button", readNamedOccur),
		happensAs("event", readNamedOccur),
		happens("run", DriverRuns, name),
		happens("answer", DriverSays, func(r *reader, n *yaml.Node, h *Happening) { h.Yes = r.word(n, "yes", "no") == "yes" }),
		happens("hand", DriverSets, name),
	}
}

// happening reads a given or a step.
func (r *reader) happening(n *yaml.Node, what string, keys []key[Happening]) Happening {
	h := Happening{Pos: at(n)}
	if !(object[Happening]{what, keys}).read(r, n, &h) {
		return h
	}
	valued := h.Kind == SignalIs || h.Kind == DriverSets
	switch {
	case len(h.forms) == 0:
		r.fault(n, "%s says nothing; give its key, such as `is` of a given or `signal` of a step", what)
	case len(h.forms) > 1:
		r.diags.add(r.file, h.forms[1].Pos, "`%s` and `%s` are in one step; give one, and write an entry for each", h.forms[0].Text, h.forms[1].Text)
	case valued && h.To.Kind == engine.None:
		r.fault(n, "`%s` has no `to`; add the value", h.forms[0].Text)
	case !valued && (h.To.Kind != engine.None || h.Unit.Text != ""):
		r.fault(n, "`to` and `unit` belong to `signal` and `hand`; leave them out")
	}
	return h
}

// expectKeys is the table of an expectation's keys.
func expectKeys() object[Expectation] {
	form := func(name string, kind ExpectKind) key[Expectation] {
		return key[Expectation]{name, optional, func(r *reader, n *yaml.Node, e *Expectation) {
			e.Kind, e.Name = kind, r.name(n)
			e.forms = append(e.forms, r.key(n))
		}}
	}
	return object[Expectation]{"an expectation", []key[Expectation]{
		form("fires", Fires), form("sets", Sets), form("ends", Ends), form("does", Does),
		{"to", optional, func(r *reader, n *yaml.Node, e *Expectation) { e.To = r.literal(n) }},
		{"unit", optional, func(r *reader, n *yaml.Node, e *Expectation) { e.Unit = r.name(n) }},
		{"never", optional, func(r *reader, n *yaml.Node, e *Expectation) { e.Never = true; r.onlyTrue(n) }},
		{"at", optional, func(r *reader, n *yaml.Node, e *Expectation) {
			e.First = r.duration(n, 0)
			e.Last = e.First
			e.windows = append(e.windows, r.key(n))
		}},
		{"within", optional, func(r *reader, n *yaml.Node, e *Expectation) {
			e.windows = append(e.windows, r.key(n))
			var ends []time.Duration
			r.list(n, "`within`", func(n *yaml.Node) { ends = append(ends, r.duration(n, 0)) })
			if len(ends) != 2 || ends[0] > ends[1] {
				if r.shapes == nil {
					r.fault(n, "`within` takes two times, both included, such as [10s, 12s]")
				}
				return
			}
			e.First, e.Last = ends[0], ends[1]
		}},
	}}
}

// expectation reads one thing that is expected.
func (r *reader) expectation(n *yaml.Node) Expectation {
	e := Expectation{Pos: at(n)}
	if !expectKeys().read(r, n, &e) {
		return e
	}
	switch {
	case len(e.forms) == 0:
		r.fault(n, "the expectation says nothing; give `fires`, `sets`, `ends` or `does`")
	case len(e.forms) > 1:
		r.diags.add(r.file, e.forms[1].Pos, "`%s` and `%s` are in one expectation; give one, and write an entry for each", e.forms[0].Text, e.forms[1].Text)
	case len(e.windows) > 1:
		r.diags.add(r.file, e.windows[1].Pos, "`at` and `within` exclude each other; keep one")
	case e.Kind != Sets && (e.To.Kind != engine.None || e.Unit.Text != ""):
		r.fault(n, "`to` and `unit` belong to `sets`; leave them out")
	}
	return e
}

// times holds that a scenario's times are in order and within it, and gives an
// expectation without a time the whole of it.
func (r *reader) times(s *Scenario) {
	for i := range s.Steps {
		h := &s.Steps[i]
		switch {
		case h.At > s.Until:
			r.diags.add(r.file, h.at.Pos, "`at`: %s is after the end, `until`; put the end later", h.at.Text)
		case i > 0 && h.At < s.Steps[i-1].At:
			r.diags.add(r.file, h.at.Pos, "`at`: %s comes before the step above; put the steps in order", h.at.Text)
		}
	}
	for i := range s.Given {
		first := slices.IndexFunc(s.Given, func(h Happening) bool { return h.Name.Text == s.Given[i].Name.Text })
		if first < i {
			r.diags.add(r.file, s.Given[i].Name.Pos, "`%s` is given twice; keep one", s.Given[i].Name.Text)
		}
	}
	for i := range s.Expect {
		e := &s.Expect[i]
		if e.windows == nil {
			e.Last = s.Until
		}
		if e.Last > s.Until {
			r.diags.add(r.file, e.windows[0].Pos, "`%s` reaches beyond the end, `until`; put the end later", e.windows[0].Text)
		}
	}
}

// ParseScenario reads one scenario from text; file is its name in messages. It
// checks all that can be checked without cards and vehicle. The error is Diagnostics.
func ParseScenario(file string, text []byte) (*Scenario, error) {
	r := &reader{file: file}
	if len(text) > maxScenarioBytes {
		r.diags.add(file, Pos{}, "%s", tooLong(maxScenarioBytes))
		return nil, r.diags.err()
	}
	s := &Scenario{File: file, SHA256: hash(text)}
	if root := r.document(text, maxScenarioNodes); root != nil && scenarioKeys().read(r, root, s) {
		r.times(s)
	}
	if err := r.diags.err(); err != nil {
		return nil, err
	}
	return s, nil
}

// LoadScenario reads a scenario from a file. The error is Diagnostics.
func LoadScenario(path string) (*Scenario, error) {
	text, err := load(path, maxScenarioBytes)
	if err != nil {
		return nil, err
	}
	return ParseScenario(path, text)
}
