// Package rehearse tells a scenario to cards, in virtual time and without frames,
// and judges what they did. The car of a rehearsal has services that obey at
// once, and signals that come as often as they must not to be stale.
package rehearse

import (
	"fmt"
	"time"

	"vignette/scenes"
	"vignette/scenes/engine"
)

// Outcome is how a rehearsal ended.
type Outcome uint8

// The outcomes.
const (
	Passed Outcome = iota
	Failed         // something that was expected did not happen, or the contrary
	Unable         // the scenario cannot be told in this car, or not of these cards
)

var outcomes = [...]string{"passed", "failed", "unable"}

// String is the word for an outcome.
func (o Outcome) String() string { return outcomes[o] }

// Result is what came of a scenario.
type Result struct {
	Scenario *scenes.Scenario
	Outcome  Outcome
	Faults   scenes.Diagnostics // Unable: why
	Missed   []Missed           // Failed: each expectation that was not met, in their order
}

// Missed is an expectation that was not met, and what happened instead.
type Missed struct {
	Expect  scenes.Expected
	Card    *scenes.Card    // the one it is about; nil: none of the cards does such a thing
	Instead []engine.Record // that tell of it, the first few; T is from the scenario's beginning
	State   engine.CardView // of the card at the end of the expectation's time
}

// Bounds of a rehearsal.
const (
	often      = 100 * time.Millisecond // how often signals come; more often not to be stale
	usualBeats = 20_000                 // in a longer scenario they come less often
	maxBeats   = 200_000                // of all scenarios together
	maxInstead = 3
	maxFaults  = 20
	session    = 1
)

// All tells scenarios to a program, each from a fresh start. Its cards count as
// enabled that are not scenes.Card.Off. What it costs is bounded: scenarios that
// are too long together are Unable from there on.
func All(p *scenes.Program, list []*scenes.Scenario) []Result {
	left := time.Duration(maxBeats)
	results := make([]Result, len(list))
	for i, s := range list {
		results[i] = run(p, s, &left)
	}
	return results
}

// run tells one scenario, for at most so many beats.
func run(p *scenes.Program, s *scenes.Scenario, left *time.Duration) Result {
	st, err := p.Stage(s)
	if err != nil {
		return unable(s, err)
	}
	r := &rehearsal{p: p, st: st, state: p.Engine.NewState(session, true), signals: make([]signal, len(p.Engine.Signals)), seen: make([]seen, len(st.Expect))}
	r.beat = r.pace()
	beats := st.Until / r.beat
	if beats > *left {
		return unable(s, fmt.Errorf("its signals would have to come %d times, and with the scenarios before it at most %d; shorten it", beats, maxBeats))
	}
	*left -= beats
	r.play()
	return r.judge(s)
}

// unable is the result of a scenario that cannot be told.
func unable(s *scenes.Scenario, err error) Result {
	faults, ok := err.(scenes.Diagnostics)
	if !ok {
		faults = scenes.Diagnostics{{File: s.File, What: err.Error()}}
	}
	return Result{Scenario: s, Outcome: Unable, Faults: faults[:min(len(faults), maxFaults)]}
}

// rehearsal is one run.
type rehearsal struct {
	p       *scenes.Program
	st      *scenes.Staged
	state   *engine.State
	beat    time.Duration
	signals []signal // by slot
	seen    []seen   // by expectation
	samples []engine.Sample
	effects engine.Effects
}

// signal is what comes of a signal.
type signal struct {
	comes bool
	num   float64
}

// seen is what was seen of an expectation until now.
type seen struct {
	met     bool
	instead []engine.Record
	looked  bool // state is that at the end of its time
	state   engine.CardView
}

// pace is how often the signals come.
func (r *rehearsal) pace() time.Duration {
	beat := max(often, r.st.Until/usualBeats)
	for i := range r.p.Engine.Signals {
		if after := time.Duration(r.p.Engine.Signals[i].StaleAfter); after > 0 {
			beat = min(beat, max(after/2, 1))
		}
	}
	for i := range r.p.Engine.Actuators {
		if a := &r.p.Engine.Actuators[i]; a.Readback >= 0 {
			beat = min(beat, max(time.Duration(a.ReadWithin)/2, 1))
		}
	}
	return beat
}

// play takes the cues, and the beats between them, through the engine.
func (r *rehearsal) play() {
	if r.st.Clock != nil {
		r.step(engine.Event{Kind: engine.EvClock, Clock: r.st.Clock})
	}
	for _, c := range r.st.Given {
		if c.Slot >= 0 {
			r.signals[c.Slot] = signal{true, c.Num}
		}
	}
	r.sound(0)
	next := r.beat
	for i := range r.st.Steps {
		c := &r.st.Steps[i]
		for ; next <= c.At; next += r.beat {
			r.sound(next)
		}
		r.cue(c)
	}
	for ; next <= r.st.Until; next += r.beat {
		r.sound(next)
	}
	r.come(r.st.Until)
	r.look(r.st.Until + 1)
}

// sound sends all signals that come, in one frame.
func (r *rehearsal) sound(at time.Duration) {
	r.come(at)
	r.samples = r.samples[:0]
	for slot, s := range r.signals {
		if s.comes {
			r.samples = append(r.samples, engine.Sample{Slot: slot, Valid: true, Num: s.num})
		}
	}
	r.step(engine.Event{T: int64(at), Kind: engine.EvFrame, Samples: r.samples})
}

// cue has one thing happen.
func (r *rehearsal) cue(c *scenes.Cue) {
	r.come(c.At)
	switch e := c.Event; c.Kind {
	case scenes.SignalIs:
		if c.Slot >= 0 {
			r.signals[c.Slot] = signal{true, c.Num}
			r.step(engine.Event{T: int64(c.At), Kind: engine.EvFrame, Samples: []engine.Sample{{Slot: c.Slot, Valid: true, Num: c.Num}}})
		}
	case scenes.SignalSilent:
		if c.Slot >= 0 {
			r.signals[c.Slot].comes = false
		}
	case scenes.DriverSays:
		for _, ask := range r.p.Engine.Asks(r.state, nil) { // an answer may open another
			r.step(engine.Event{T: int64(c.At), Kind: engine.EvAnswer, Session: session, Ref: ask.N, OK: e.OK})
		}
	case scenes.DriverSets:
		e.T = int64(c.At)
		r.step(e)
		r.obey(e.Actuator, e.Value)
	default:
		e.T = int64(c.At)
		r.step(e)
	}
}

// come takes the engine to a time, a timer after another, so that the answer to
// what a timer leads to comes at that timer's time.
func (r *rehearsal) come(to time.Duration) {
	for {
		at, ok := r.state.Deadline()
		if !ok || at > int64(to) {
			return
		}
		r.step(engine.Event{T: at, Kind: engine.EvTick})
	}
}

// step takes one event through the engine, and then what the services answer to
// what it led to.
func (r *rehearsal) step(ev engine.Event) {
	r.look(time.Duration(ev.T))
	r.effects.Reset()
	r.p.Engine.Step(r.state, &ev, &r.effects)
	r.note(r.effects.Records)
	for _, record := range r.effects.Records {
		if i, ok := r.p.Actuator(record.Actuator); ok && record.What == engine.Acted {
			r.obey(i, record.Value)
		}
	}
	for _, c := range append([]engine.Call(nil), r.effects.Calls...) {
		r.step(engine.Event{T: ev.T, Kind: engine.EvReply, Session: session, Ref: c.N, OK: true})
	}
}

// obey has an actuator's readback show a value from the next beat on: never at
// once, so that no two cards can chase each other without time going by.
func (r *rehearsal) obey(actuator int, v engine.Value) {
	if slot := r.p.Engine.Actuators[actuator].Readback; slot >= 0 && v.Kind != engine.None {
		r.signals[slot] = signal{true, v.Num}
	}
}

// note looks for what is expected in what was decided.
func (r *rehearsal) note(records []engine.Record) {
	for i := range records {
		for j := range r.st.Expect {
			e, s := &r.st.Expect[j], &r.seen[j]
			at := time.Duration(records[i].T)
			within := e.First <= at && at <= e.Last
			switch {
			case within && is(e, &records[i]):
				s.met = true
				if e.Never && len(s.instead) < maxInstead {
					s.instead = append(s.instead, records[i])
				}
			case !e.Never && len(s.instead) < maxInstead && at <= e.Last && r.about(e, &records[i]):
				s.instead = append(s.instead, records[i])
			}
		}
	}
}

// is reports whether a record is what is expected.
func is(e *scenes.Expected, r *engine.Record) bool {
	switch name := e.Name.Text; e.Kind {
	case scenes.Fires:
		return r.What == engine.Fired && r.Card == name
	case scenes.Sets:
		return r.What == engine.Acted && r.Action == "set" && r.Actuator == name && (e.Value.Kind == engine.None || r.Value == e.Value)
	case scenes.Ends:
		return r.What == engine.Ended && r.Actuator == name
	default:
		return r.What == engine.Acted && r.Action == name
	}
}

// about reports whether a record tells why what is expected does not happen.
func (r *rehearsal) about(e *scenes.Expected, record *engine.Record) bool {
	c := r.card(e)
	if c == nil || record.Card != c.ID {
		return false
	}
	switch record.What {
	case engine.Fired:
		return e.Kind == scenes.Fires
	case engine.Blocked, engine.Cancelled, engine.Quarantined:
		return true
	case engine.Acted, engine.Denied, engine.Lost, engine.Failed, engine.Asked, engine.Declined, engine.Ended:
		return e.Kind != scenes.Fires && (record.Actuator == e.Name.Text || record.Action == e.Name.Text)
	}
	return false
}

// card is the card that an expectation is about: the one that it names, or the
// first that does such a thing.
func (r *rehearsal) card(e *scenes.Expected) *scenes.Card {
	for _, c := range r.p.Cards {
		if e.Kind == scenes.Fires && c.ID == e.Name.Text {
			return c
		}
		for i := range c.Then {
			if e.Kind != scenes.Fires && c.Then[i].Name.Text == e.Name.Text {
				return c
			}
		}
	}
	return nil
}

// look keeps how the card of each expectation was when its time was over.
func (r *rehearsal) look(now time.Duration) {
	for j := range r.st.Expect {
		e, s := &r.st.Expect[j], &r.seen[j]
		if s.looked || now <= e.Last {
			continue
		}
		s.looked = true
		if c := r.card(e); c != nil && s.met == e.Never {
			i, _ := r.p.Card(c.ID)
			s.state = r.p.Engine.View(r.state, i, max(r.state.Now(), int64(e.Last)))
		}
	}
}

// judge is the result.
func (r *rehearsal) judge(s *scenes.Scenario) Result {
	res := Result{Scenario: s}
	for j := range r.st.Expect {
		e, seen := r.st.Expect[j], &r.seen[j]
		if seen.met != e.Never {
			continue
		}
		res.Outcome = Failed
		res.Missed = append(res.Missed, Missed{Expect: e, Card: r.card(&e), Instead: seen.instead, State: seen.state})
	}
	return res
}
