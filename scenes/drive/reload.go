package drive

import (
	"fmt"
	"slices"

	"github.com/tinylib/msgp/msgp"

	"vignette/scenes"
	"vignette/scenes/engine"
)

// Reload has another program take over at t: other cards, or another profile.
// What ends is ended by the old program, so the calls that Output.Calls gets are
// of the old program's bindings; from the next entry on the new one decides.
// A profile with other buses is refused: it needs a new session.
func (p *Pump) Reload(t int64, next *scenes.Program) error {
	if !slices.Equal(busList(p.prog), busList(next)) {
		return fmt.Errorf("%s has other buses than %s, which is running: %v instead of %v; start anew",
			next.Vehicle.File, p.prog.Vehicle.File, busList(next), busList(p.prog))
	}
	if p.out.Journal != nil {
		if err := p.out.Journal.Reload(t, next); err != nil {
			return fmt.Errorf("writing the journal: %w", err)
		}
	}
	p.mark(t)
	p.Stats.Events++
	p.effects.Reset()
	state := p.prog.Engine.Reload(p.state, &next.Engine, t, &p.effects)
	p.takeOver(next, state)
	return p.deliver()
}

// busList names a program's buses and their interfaces.
func busList(p *scenes.Program) (list []string) {
	for i := range p.Vehicle.Buses {
		list = append(list, p.Vehicle.Buses[i].Name+"="+p.Vehicle.Buses[i].Interface)
	}
	return list
}

// takeOver makes next the pump's program. What was seen of a signal's alive counter
// goes on where the signal does.
func (p *Pump) takeOver(next *scenes.Program, state *engine.State) {
	was, alive := p.prog, p.alive
	p.prog, p.state = next, state
	p.alive = make([]aliveState, len(next.Sources))
	for i := range next.Sources {
		for old := range was.Sources {
			if was.Engine.Hash == next.Engine.Hash && was.Sources[old].Path == next.Sources[i].Path {
				p.alive[i] = alive[old]
			}
		}
	}
	p.plan()
}

// Reload appends that a program takes over at t.
func (j *Journal) Reload(t int64, next *scenes.Program) error {
	h := next.Hashes()
	b := msgp.AppendInt(msgp.AppendArrayHeader(j.buf[:0], 5), int(engine.EvReload))
	b = msgp.AppendString(msgp.AppendInt64(b, t), h.Profile.SHA256)
	return j.write(appendHashesMsgp(appendHashesMsgp(b, h.DBC), h.Cards))
}

// reload reads which program takes over and finds it in the library.
func (j *JournalReader) reload(r *fields, e *Entry) error {
	e.IsFrame = false
	e.Event = engine.Event{T: r.int()}
	h := Header{Vehicle: r.text(), DBCs: r.hashes(), Cards: r.hashes()}
	if r.err != nil {
		return r.err
	}
	next, err := j.lib.program(&h)
	if err != nil {
		return err
	}
	e.Reload, j.prog = next, next
	return nil
}

// Library holds the versions of profiles and cards that a journal with reloads
// may need, by content.
type Library struct {
	vehicles []*scenes.Vehicle
	cards    []*scenes.Card
}

// Add adds a profile, or nil, and cards.
func (l *Library) Add(v *scenes.Vehicle, cards ...*scenes.Card) {
	if v != nil {
		l.vehicles = append(l.vehicles, v)
	}
	l.cards = append(l.cards, cards...)
}

// Use has the journal take the programs of its reloads from a library.
func (j *JournalReader) Use(l *Library) { j.lib = l }

// program finds and compiles what a reload names.
func (l *Library) program(h *Header) (*scenes.Program, error) {
	if l == nil {
		l = &Library{}
	}
	var vehicle *scenes.Vehicle
	for _, v := range l.vehicles {
		if v.SHA256 == h.Vehicle {
			vehicle = v
		}
	}
	if vehicle == nil {
		return nil, missing("a reload of the vehicle profile with SHA-256 %s, which is not given; name it with --versions", h.Vehicle)
	}
	var cards []*scenes.Card
	for _, want := range h.Cards {
		var found *scenes.Card
		for _, c := range l.cards {
			if c.SHA256 == want.SHA256 && c.ID == want.Name {
				found = c
			}
		}
		if found == nil {
			return nil, missing("a reload of card %s with SHA-256 %s, which is not given; name it with --versions", want.Name, want.SHA256)
		}
		cards = append(cards, found)
	}
	p, err := scenes.Compile(vehicle, cards)
	if err != nil {
		return nil, missing("a reload that does not compile here: %w", err)
	}
	given := p.Hashes().DBC
	if err := sameHashes("a reload", "DBC", h.DBCs, given); err != nil {
		return nil, &missingError{err}
	}
	return p, nil
}

// missingError tells that a journal is sound but needs what was not given.
type missingError struct{ error }

func missing(format string, args ...any) error { return &missingError{fmt.Errorf(format, args...)} }
