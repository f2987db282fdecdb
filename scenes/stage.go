package scenes

import (
	"math"
	"slices"
	"time"

	"vignette/scenes/engine"
)

// Staged is a scenario as a program's car can tell it.
type Staged struct {
	Given  []Cue            // all SignalIs
	Steps  []Cue            // in order
	Clock  *engine.Clocking // at the beginning; nil: nobody vouches for it
	Expect []Expected       // parallel to Scenario.Expect
	Until  time.Duration
}

// Cue is a happening for the engine.
type Cue struct {
	At    time.Duration
	Kind  HappeningKind
	Slot  int          // of SignalIs and SignalSilent; -1: no card asks for the signal
	Num   float64      // SignalIs: as engine.Sample.Num
	Event engine.Event // of the others, without its time; DriverSays: with OK alone
}

// Expected is an expectation for the engine's records.
type Expected struct {
	*Expectation
	Value engine.Value // Sets: in the actuator's unit; Kind None: any
}

// Stage checks a scenario against a program's vehicle and cards. The error is
// Diagnostics: what the car has not, or cannot show.
func (p *Program) Stage(s *Scenario) (*Staged, error) {
	var diags Diagnostics
	b := builder{v: p.Vehicle, file: s.File, diags: &diags}
	st := &Staged{Until: s.Until, Clock: s.Clock.clocking()}
	for i := range s.Given {
		st.Given = append(st.Given, b.cue(p, &s.Given[i]))
	}
	for i := range s.Steps {
		st.Steps = append(st.Steps, b.cue(p, &s.Steps[i]))
	}
	for i := range s.Expect {
		e := &s.Expect[i]
		x := Expected{Expectation: e}
		switch e.Kind {
		case Fires:
			b.ofPack(p, e.Name)
		case Sets, Ends:
			x.Value = b.aim(e.Name, e.To, e.Pos, e.Unit)
		case Does:
			if !slices.ContainsFunc(p.Vehicle.Actions, func(a Action) bool { return a.Name == e.Name.Text }) {
				b.unknown(e.Name.Pos, "`%s` is not an action of the vehicle profile", e.Name.Text)
			}
		}
		st.Expect = append(st.Expect, x)
	}
	return st, diags.err()
}

// cue is a happening for the engine.
func (b *builder) cue(p *Program, h *Happening) Cue {
	c := Cue{At: h.At, Kind: h.Kind, Slot: -1}
	switch h.Kind {
	case SignalIs, SignalSilent:
		s := b.known(h.Name)
		if s == nil {
			return c
		}
		c.Slot = slices.IndexFunc(p.Engine.Signals, func(e engine.Signal) bool { return e.Path == s.Path })
		if h.Kind == SignalIs {
			c.Num = b.shown(s, h)
		}
	case Happens:
		c.Event = engine.Event{Kind: engine.EvOccur, OK: true, Occur: b.occur(h.Occur)}
	case DriverRuns:
		c.Event = engine.Event{Kind: engine.EvRun, Card: b.ofPack(p, h.Name)}
	case DriverSays:
		c.Event = engine.Event{Kind: engine.EvAnswer, OK: h.Yes}
	case DriverSets:
		c.Event = engine.Event{Kind: engine.EvOverride, Value: b.aim(h.Name, h.To, h.Pos, h.Unit)}
		c.Event.Actuator, _ = p.Actuator(h.Name.Text)
	}
	return c
}

// shown is a value of a scenario as the signal's sample, if its bits can carry it.
func (b *builder) shown(s *Signal, h *Happening) float64 {
	in := operand{h.Pos, h.Name, h.Unit}
	switch {
	case s.Kind != h.To.Kind:
		b.wrongKind(s.Path, s.Kind, s.Labels, h.To)
		return 0
	case s.Kind != engine.Number:
		return b.equal(s, h.To, in)
	}
	x, ok := b.inUnit(s.Path, s.Unit, h.To, in)
	if d := s.Carried(); ok && (x < d.Low || x > d.High || d.Whole && x != math.Trunc(x) || d.Values != nil && !slices.Contains(d.Values, x)) {
		b.beyond(h.To.Pos, "this car cannot show %s for %s; %s", show(x), s.Path, carries(d))
	}
	return x
}

// carries says what a signal can show.
func carries(d Domain) string {
	switch {
	case d.Values != nil:
		texts := make([]string, len(d.Values))
		for i, x := range d.Values {
			texts[i] = show(x)
		}
		return "its signal has " + quoted(texts)
	case d.Whole:
		return "its signal has whole numbers from " + show(d.Low) + " to " + show(d.High)
	}
	return "its signal goes from " + show(d.Low) + " to " + show(d.High)
}

// ofPack finds a card that a scenario names.
func (b *builder) ofPack(p *Program, name Name) int {
	i, ok := p.Card(name.Text)
	if !ok {
		var ids []string
		for _, c := range p.Cards {
			ids = append(ids, c.ID)
		}
		b.unknown(name.Pos, "`%s` is no card here%s", name.Text, orElse(hint(name.Text, ids), "; there are "+quoted(ids)))
		return 0
	}
	return i
}

// aim is a value of an actuator that a scenario names; no literal is no value.
func (b *builder) aim(name Name, to Literal, at Pos, unit Name) engine.Value {
	a := b.v.Actuator(name.Text)
	switch {
	case a == nil:
		b.noActuator(name)
	case to.Kind != engine.None:
		return b.value(a, to, operand{at, name, unit})
	}
	return engine.Value{}
}

// clocking is what the engine is told of a story's clock.
func (c *StoryClock) clocking() *engine.Clocking {
	if c == nil {
		return nil
	}
	k := &engine.Clocking{Trusted: true, Wall: c.Local.UnixNano()}
	midnight := c.Local.Truncate(24 * time.Hour).UnixNano()
	around := func(minutes int) (times [2]int64) {
		if minutes < 0 {
			return times
		}
		at := midnight + int64(minutes)*int64(time.Minute)
		if at > k.Wall {
			at -= int64(24 * time.Hour)
		}
		return [2]int64{at, at + int64(24*time.Hour)}
	}
	k.Rise, k.Set = around(c.Sunrise), around(c.Sunset)
	return k
}
