package scenes

import (
	"slices"
	"strings"

	"vignette/scenes/engine"
)

// Program is a vehicle profile and its cards, compiled for the engine, with
// where the engine's samples come from.
type Program struct {
	Engine  engine.Program
	Sources []Source // parallel to Engine.Signals
	Vehicle *Vehicle
	Cards   []*Card // parallel to Engine.Cards
}

// Compile checks the cards against the vehicle and compiles them. The engine
// learns the signals that a card names, that a state reads, and that read back
// an actuator which a card sets. The error is Diagnostics.
func Compile(v *Vehicle, cards []*Card) (*Program, error) {
	var diags Diagnostics
	p := &Program{Vehicle: v, Cards: slices.Clone(cards)}
	for i := range v.Buses {
		p.Engine.Buses = append(p.Engine.Buses, v.Buses[i].Name)
	}
	sortCards(p.Cards, &diags)
	slots := slotPaths(v, p.Cards)
	for _, path := range slots {
		s := v.Signal(path)
		p.Sources = append(p.Sources, s.source())
		p.Engine.Signals = append(p.Engine.Signals, engine.Signal{
			Path: path, Bus: s.Bus, StaleAfter: int64(s.StaleAfter), Type: s.Kind, Labels: s.Labels})
	}
	b := builder{v: v, diags: &diags, slot: func(path string) int {
		i, _ := slices.BinarySearch(slots, path)
		return i
	}}
	p.compileVehicle(&b)
	for _, c := range p.Cards {
		b.file = c.File
		p.Engine.Cards = append(p.Engine.Cards, b.card(c))
	}
	if err := diags.err(); err != nil {
		return nil, err
	}
	if err := p.Engine.Build(); err != nil {
		return nil, err
	}
	p.checkBudget(&diags)
	if err := diags.err(); err != nil {
		return nil, err
	}
	return p, nil
}

// slotPaths lists the signals that the engine follows, sorted. Names that the
// profile does not have are left out; they are reported where they stand.
func slotPaths(v *Vehicle, cards []*Card) []string {
	var paths []string
	var walk func(c *Cond)
	walk = func(c *Cond) {
		paths = append(paths, c.Signal)
		if c.Power.Text != "" && v.Power != nil {
			paths = append(paths, v.Power.From.Text)
		}
		for _, name := range c.Expr.Signals() {
			paths = append(paths, name.Text)
		}
		for i := range c.Of {
			walk(&c.Of[i])
		}
	}
	for i := range v.States {
		walk(&v.States[i].When)
	}
	for _, c := range cards {
		for _, t := range c.When {
			paths = append(paths, t.Signal.Text)
			for _, edge := range t.Of {
				paths = append(paths, edge.Signal.Text)
			}
		}
		for i := range c.OnlyIf {
			walk(&c.OnlyIf[i])
		}
		for _, s := range c.Then {
			if a := v.Actuator(s.Name.Text); s.Kind == engine.Set && a != nil {
				paths = append(paths, a.Readback)
			}
		}
	}
	slices.Sort(paths)
	paths = slices.Compact(paths)
	return slices.DeleteFunc(paths, func(path string) bool { return v.Signal(path) == nil })
}

// compileVehicle compiles states, actuators, actions and quarantine.
func (p *Program) compileVehicle(b *builder) {
	v := p.Vehicle
	b.file, b.inProfile = v.File, true
	for i := range v.States {
		p.Engine.States = append(p.Engine.States, engine.DriveState{Name: v.States[i].Name, When: b.cond(nil, &v.States[i].When)})
	}
	b.inProfile = false
	for i := range v.Actuators {
		a := &v.Actuators[i]
		e := engine.Actuator{Path: a.Path, Min: a.Min, Max: a.Max, Step: a.Step, Slew: a.Slew, MinInterval: int64(a.MinInterval), States: a.States,
			EndStates: a.EndStates, Holdoff: int64(a.Holdoff), Readback: -1,
			Confirm: int64(a.Confirm), MaxLease: int64(a.MaxLease), Survives: a.Survives}
		if a.Call != nil {
			e.HasCall, e.Within = true, int64(a.Call.Within)
		}
		if a.Readback != "" && p.sets(a.Path) {
			e.Readback, e.ReadWithin = b.slot(a.Readback), int64(a.ReadWithin)
		}
		p.Engine.Actuators = append(p.Engine.Actuators, e)
	}
	for _, a := range v.Actions {
		e := engine.Action{Name: a.Name, States: a.States, MinInterval: int64(a.MinInterval)}
		if a.Call != nil {
			e.HasCall, e.Within = true, int64(a.Call.Within)
		}
		p.Engine.Actions = append(p.Engine.Actions, e)
	}
	p.Engine.Quarantine = v.Quarantine
	p.Engine.Occurs = v.occurrences()
	p.Engine.Hash = v.Contents()
}

// Actuator returns the index of the actuator of that path.
func (p *Program) Actuator(path string) (int, bool) {
	i := slices.IndexFunc(p.Engine.Actuators, func(a engine.Actuator) bool { return a.Path == path })
	return i, i >= 0
}

// Card returns the index of the card of that id.
func (p *Program) Card(id string) (int, bool) {
	return slices.BinarySearchFunc(p.Engine.Cards, id, func(c engine.Card, id string) int { return strings.Compare(c.ID, id) })
}

// sets reports whether a card sets the actuator.
func (p *Program) sets(path string) bool {
	return slices.ContainsFunc(p.Cards, func(c *Card) bool {
		return slices.ContainsFunc(c.Then, func(s Step) bool { return s.Kind == engine.Set && s.Name.Text == path })
	})
}

// Hash names a file or card by the SHA-256 of its bytes, hexadecimal.
type Hash struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
}

// Hashes are the contents that decided, for the decision log's header.
type Hashes struct {
	Profile Hash   `json:"profile"` // by the profile's id
	DBC     []Hash `json:"dbc"`     // in the order of the buses and their files
	Cards   []Hash `json:"cards"`   // by id
}

// Contents names the profile and its DBC files by what is in them, as the
// engine's Program.Hash does.
func (v *Vehicle) Contents() string {
	all := v.SHA256
	for _, b := range v.Buses {
		for _, d := range b.DBCs {
			all += d.SHA256
		}
	}
	return hash([]byte(all))
}

// Hashes returns the hashes of profile, DBC files and cards.
func (p *Program) Hashes() Hashes {
	h := Hashes{Profile: Hash{p.Vehicle.ID, p.Vehicle.SHA256}}
	for _, b := range p.Vehicle.Buses {
		for _, d := range b.DBCs {
			h.DBC = append(h.DBC, Hash{d.File, d.SHA256})
		}
	}
	for _, c := range p.Cards {
		h.Cards = append(h.Cards, Hash{c.ID, c.SHA256})
	}
	return h
}
