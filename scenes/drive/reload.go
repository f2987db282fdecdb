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
		if err := p.turnJournal(); err != nil {
			return fmt.Errorf("writing the journal: %w", err)
		}
		if err := p.out.Journal.Reload(t, next); err != nil {
			return fmt.Errorf("writing the journal: %w", err)
		}
	}
	p.mark(t)
	p.Stats.Events++
	p.effects.Reset()
	state := p.prog.Engine.Reload(p.state, &next.Engine, t, &p.effects)
	p.takeOver(next, state)
	err := p.deliver()
	if p.out.Decisions != nil {
		p.out.Decisions.about.become(next) // of the next file
	}
	return err
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
	if p.out.Ring != nil && p.prog.Engine.Hash != next.Engine.Hash {
		p.out.Ring.Begin(next)
	}
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
	ids := off(next)
	b := msgp.AppendInt(msgp.AppendArrayHeader(j.buf[:0], 5+installed(ids)), int(engine.EvReload))
	b = msgp.AppendString(msgp.AppendInt64(b, t), h.Profile.SHA256)
	b = appendHashesMsgp(appendHashesMsgp(b, h.DBC), h.Cards)
	// The next file begins with a state of this program.
	j.header.become(next)
	return j.write(appendInstalled(b, ids))
}

// installed is how many fields the list of installed cards takes.
func installed(ids []string) uint32 { return uint32(min(len(ids), 1)) }

// appendInstalled appends the list of installed cards, if there is one.
func appendInstalled(b []byte, ids []string) []byte {
	if len(ids) == 0 {
		return b
	}
	b = msgp.AppendArrayHeader(b, uint32(len(ids)))
	for _, id := range ids {
		b = msgp.AppendString(b, id)
	}
	return b
}

// installed reads the list of installed cards, which are all among cards.
func (r *fields) installed(there bool, cards []scenes.Hash) (ids []string) {
	if !there || r.err != nil {
		return nil
	}
	for range r.array() {
		id := r.text()
		if r.err == nil && !slices.ContainsFunc(cards, func(h scenes.Hash) bool { return h.Name == id }) {
			r.keep(fmt.Errorf("installed card %s is none of its cards", id))
		}
		if r.err != nil {
			return nil
		}
		ids = append(ids, id)
	}
	return ids
}

// reload reads which program takes over and finds it in the library.
func (j *JournalReader) reload(r *fields, listed bool, e *Entry) error {
	e.IsFrame = false
	e.Event = engine.Event{T: r.int()}
	h := Header{Vehicle: r.text(), DBCs: r.hashes(), Cards: r.hashes()}
	h.Off = r.installed(listed, h.Cards)
	if r.err != nil {
		return r.err
	}
	next, err := j.lib.program("a reload of", &h)
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

// Use has the journal take the programs of its reloads from a library, and its
// first one too if NewJournalReader was given none.
func (j *JournalReader) Use(l *Library) (err error) {
	if j.lib = l; j.prog == nil {
		j.prog, err = l.program("made with", &j.Header)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", j.name, err)
	}
	return nil
}

// Program is what decides from the entry that was read last on.
func (j *JournalReader) Program() *scenes.Program { return j.prog }

// program finds and compiles what a journal's header or a reload names; what
// begins the errors.
func (l *Library) program(what string, h *Header) (*scenes.Program, error) {
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
		return nil, missing("%s the vehicle profile with SHA-256 %s, which is not given; name it with --versions", what, h.Vehicle)
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
			return nil, missing("%s card %s with SHA-256 %s, which is not given; name it with --versions", what, want.Name, want.SHA256)
		}
		as := *found
		as.Off = slices.Contains(h.Off, as.ID)
		cards = append(cards, &as)
	}
	p, err := scenes.Compile(vehicle, cards)
	if err != nil {
		return nil, missing("%s what does not compile here: %w", what, err)
	}
	given := p.Hashes().DBC
	if err := sameHashes(what+" another version", "DBC", h.DBCs, given); err != nil {
		return nil, &missingError{err}
	}
	return p, nil
}

// missingError tells that a journal is sound but needs what was not given.
type missingError struct{ error }

func missing(format string, args ...any) error { return &missingError{fmt.Errorf(format, args...)} }
