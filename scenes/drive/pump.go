// Package drive is the one pump that car and desk share: a stamped stream of
// frames and events goes in, is decoded and stepped through the engine, and
// the decision log, the journal and the calls come out.
package drive

import (
	"fmt"

	"vignette/can"
	"vignette/can/dbc"
	"vignette/scenes"
	"vignette/scenes/engine"
)

// Entry is one entry of the stamped stream: a frame, whose Bus indexes the
// profile's buses, an event, or a reload.
type Entry struct {
	IsFrame bool
	Frame   can.Frame
	Event   engine.Event
	Reload  *scenes.Program // not nil: at Event.T this program takes over
}

// Stream yields entries in stream order; io.EOF after the last one.
type Stream interface {
	Next(*Entry) error
}

// Output is where a pump's results go; nil fields are left out.
type Output struct {
	Decisions *DecisionLog
	Journal   *Journal
	Ring      *Ring // keeps the recent entries
	// Save keeps the state before each step's calls are given away.
	Save func(*engine.Program, *engine.State)
	// Calls gets each step's calls after its records were written. The slice
	// is valid until it returns.
	Calls func([]engine.Call)
	// Records gets each step's records. The slice is valid until it returns.
	Records func([]engine.Record)
}

// Stats counts what a pump has taken and what it could not use.
type Stats struct {
	Frames     uint64 // frames of the profile's buses
	Known      uint64 // of them, with an id that the bus's DBCs define
	Samples    uint64 // valid samples decoded for the cards
	Invalid    uint64 // samples that say "not available", or are no number
	Absent     uint64 // signals missing from a frame: short or multiplexed out
	OutOfRange uint64 // valid samples outside the DBC's [min|max]
	Frozen     uint64 // samples not counted since their alive counter stood still
	Errors     uint64 // error frames
	Remote     uint64 // remote frames
	Events     uint64 // entries that are not frames
	First      int64  // time of the first entry, ns
	Last       int64  // time of the newest entry, ns
}

// plan is what one message feeds.
type plan struct {
	slots    []int    // ascending
	signals  dbc.Plan // of slots
	counters []int    // slots whose alive counter it carries
	seen     bool
}

// Pump feeds one engine. It belongs to one goroutine.
type Pump struct {
	Stats Stats

	prog    *scenes.Program
	state   *engine.State
	out     Output
	buses   []can.IDs // index into plans; none: not in the DBCs
	plans   []plan
	alive   []aliveState // by slot
	decoded []dbc.Sample
	samples []engine.Sample
	effects engine.Effects
	event   engine.Event
}

// NewPump readies a program for a stream. Judged tells whether replies come as
// events and readbacks are judged, see engine.NewState.
func NewPump(prog *scenes.Program, session uint64, judged bool, out Output) *Pump {
	return NewPumpFrom(prog, prog.Engine.NewState(session, judged), out)
}

// NewPumpFrom readies a program that goes on from a state, see engine.Boot.
func NewPumpFrom(prog *scenes.Program, state *engine.State, out Output) *Pump {
	p := &Pump{
		prog: prog, state: state, out: out,
		alive: make([]aliveState, len(prog.Sources)),
	}
	p.plan()
	return p
}

// plan makes the plans of all buses.
func (p *Pump) plan() {
	p.buses, p.plans = make([]can.IDs, len(p.prog.Vehicle.Buses)), nil
	for i := range p.buses {
		p.planBus(i)
	}
}

// planBus makes a plan for every message of a bus, empty where no card asks.
func (p *Pump) planBus(bus int) {
	for _, file := range p.prog.Vehicle.Buses[bus].DBCs {
		for _, m := range file.Database.Messages {
			if p.lookup(bus, m.ID, m.Extended) == nil {
				p.buses[bus].Put(m.ID, m.Extended, len(p.plans))
				p.plans = append(p.plans, p.planOf(bus, m))
			}
		}
	}
}

func (p *Pump) planOf(bus int, m *dbc.Message) (pl plan) {
	is := func(b int, o *dbc.Message) bool { return b == bus && o.ID == m.ID && o.Extended == m.Extended }
	var fields []dbc.Field
	for i := range p.prog.Sources {
		s := &p.prog.Sources[i]
		if is(s.Bus, s.Message) {
			pl.slots, fields = append(pl.slots, i), append(fields, s.Field)
		}
		if s.Alive != nil && is(s.Alive.Bus, s.Alive.Message) {
			pl.counters = append(pl.counters, i)
		}
	}
	pl.signals = dbc.NewPlan(fields)
	return pl
}

// lookup finds the plan of an identifier; nil: not in the bus's DBCs.
func (p *Pump) lookup(bus int, id uint32, extended bool) *plan {
	i := p.buses[bus].Find(id, extended)
	if i < 0 {
		return nil
	}
	return &p.plans[i]
}

// State gives the engine's state, to be read between entries.
func (p *Pump) State() *engine.State { return p.state }

// KnownIDs counts the different known identifiers seen so far.
func (p *Pump) KnownIDs() (n int) {
	for i := range p.plans {
		if p.plans[i].seen {
			n++
		}
	}
	return n
}

// Feed takes one entry through the engine and writes what came of it. An error
// is one of writing, or a time beyond engine.MaxTime.
func (p *Pump) Feed(e *Entry) error {
	switch {
	case e.IsFrame:
		return p.Frame(&e.Frame)
	case e.Reload != nil:
		return p.Reload(e.Event.T, e.Reload)
	}
	return p.Event(&e.Event)
}

// Frame decodes one frame and steps the engine. It allocates nothing unless a
// decision needs room.
func (p *Pump) Frame(f *can.Frame) error {
	if f.Time > engine.MaxTime || f.Time < -engine.MaxTime {
		return outOfTime(f.Time)
	}
	if p.out.Journal != nil {
		if err := p.journalFrame(f); err != nil {
			return fmt.Errorf("writing the journal: %w", err)
		}
	}
	if p.out.Ring != nil {
		p.out.Ring.Frame(f)
	}
	p.mark(f.Time)
	p.Stats.Frames++
	p.decode(f)
	p.event = engine.Event{T: f.Time, Kind: engine.EvFrame, Samples: p.samples}
	return p.step(&p.event)
}

// Event steps the engine by an event that is not a frame.
func (p *Pump) Event(ev *engine.Event) error {
	if ev.T > engine.MaxTime || ev.T < -engine.MaxTime {
		return outOfTime(ev.T)
	}
	if p.out.Journal != nil {
		if err := p.journalEvent(ev); err != nil {
			return fmt.Errorf("writing the journal: %w", err)
		}
	}
	if p.out.Ring != nil {
		p.out.Ring.Event(ev)
	}
	p.mark(ev.T)
	p.Stats.Events++
	return p.step(ev)
}

func (p *Pump) journalFrame(f *can.Frame) error {
	if err := p.turnJournal(); err != nil {
		return err
	}
	return p.out.Journal.Frame(f)
}

func (p *Pump) journalEvent(ev *engine.Event) error {
	if err := p.turnJournal(); err != nil {
		return err
	}
	return p.out.Journal.Event(ev, p.subject(ev))
}

// turnJournal has the journal go on in a new file if that is due: it begins with
// the state before the entry that comes.
func (p *Pump) turnJournal() error {
	j := p.out.Journal
	if !j.file.due() {
		return nil
	}
	return j.file.turn(j.head(p.Snapshot()))
}

// subject names what an event is about, where it is about something: the
// indexes of another compilation may differ.
func (p *Pump) subject(ev *engine.Event) string {
	switch ev.Kind {
	case engine.EvOverride:
		return p.prog.Engine.Actuators[ev.Actuator].Path
	case engine.EvOccur:
		return p.prog.Engine.Occurs[ev.Occur].Name
	case engine.EvEnable, engine.EvRun, engine.EvFree:
		return p.prog.Engine.Cards[ev.Card].ID
	}
	return ""
}

func outOfTime(t int64) error {
	return fmt.Errorf("an entry at %s s: times go up to %s s either way (the year 2116); mend the recording's times", AppendSeconds(nil, t), AppendSeconds(nil, engine.MaxTime))
}

func (p *Pump) mark(t int64) {
	if p.Stats.Frames+p.Stats.Events == 0 {
		p.Stats.First = t
	}
	p.Stats.Last = t
}

func (p *Pump) step(ev *engine.Event) error {
	p.effects.Reset()
	p.prog.Engine.Step(p.state, ev, &p.effects)
	return p.deliver()
}

// deliver gives a step's effects away.
func (p *Pump) deliver() error {
	if len(p.effects.Records) == 0 {
		return nil
	}
	if p.out.Decisions != nil {
		if err := p.out.Decisions.Write(p.effects.Records); err != nil {
			return fmt.Errorf("writing the decision log: %w", err)
		}
	}
	if p.out.Records != nil {
		p.out.Records(p.effects.Records)
	}
	if p.out.Save != nil && len(p.effects.Calls) > 0 {
		p.out.Save(&p.prog.Engine, p.state)
	}
	if p.out.Calls != nil && len(p.effects.Calls) > 0 {
		p.out.Calls(p.effects.Calls)
	}
	return nil
}

// decode fills p.samples with what the frame says of the program's signals.
func (p *Pump) decode(f *can.Frame) {
	p.samples = p.samples[:0]
	if f.Flags&(can.Error|can.Remote) != 0 {
		if f.Flags&can.Error != 0 {
			p.Stats.Errors++
		} else {
			p.Stats.Remote++
		}
		return
	}
	plan := p.lookup(int(f.Bus), f.ID, f.Flags&can.Extended != 0)
	if plan == nil {
		return
	}
	p.Stats.Known++
	plan.seen = true
	for _, slot := range plan.counters {
		if raw, ok := p.prog.Sources[slot].Alive.Field.Raw(f.Payload()); ok {
			p.alive[slot].count(raw)
		}
	}
	p.decoded = plan.signals.Decode(f.Payload(), p.decoded[:0])
	p.Stats.Absent += uint64(len(plan.slots) - len(p.decoded))
	for i := range p.decoded {
		p.take(plan.slots[p.decoded[i].Index], &p.decoded[i])
	}
}

// take judges one signal of a frame.
func (p *Pump) take(slot int, decoded *dbc.Sample) {
	src := &p.prog.Sources[slot]
	if src.Alive != nil && p.alive[slot].frozen() {
		p.Stats.Frozen++
		return
	}
	num, valid := src.Convert(decoded.Raw, decoded.Physical)
	if !valid {
		p.Stats.Invalid++
		p.samples = append(p.samples, engine.Sample{Slot: slot})
		return
	}
	p.Stats.Samples++
	if !src.Field.InRange(decoded.Physical) {
		p.Stats.OutOfRange++
	}
	p.samples = append(p.samples, engine.Sample{Slot: slot, Valid: true, Num: num})
}

// Time is the entry's time in ns of the stream.
func (e *Entry) Time() int64 {
	if e.IsFrame {
		return e.Frame.Time
	}
	return e.Event.T
}
