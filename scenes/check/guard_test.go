package check

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"vignette/scenes"
	"vignette/scenes/engine"
)

// writer writes random conditions over the bench of the traces.
type writer struct{ *rand.Rand }

func (w writer) pick(words ...string) string { return words[w.IntN(len(words))] }

func (w writer) x() string { return fmt.Sprint(w.IntN(9) - 4) }

func (w writer) condition(depth int) string {
	switch k := w.IntN(10); {
	case depth > 0 && k < 3:
		return fmt.Sprintf("{%s: [%s, %s]}", w.pick("all", "any"), w.condition(depth-1), w.condition(depth-1))
	case depth > 0 && k == 3:
		return "{not: " + w.condition(depth-1) + "}"
	case k == 4:
		return "{state: " + w.pick("parked", "idling", "moving") + "}"
	case k == 5:
		return fmt.Sprintf("{signal: Vehicle.LowVoltageSystemState, %s: %s}", w.pick("is", "is_not"), w.pick(`"ON"`, "ACC"))
	case k < 8:
		return `{expr: "` + w.truth(2) + `"}`
	}
	signal := w.pick("Private.Bench.A", "Private.Bench.B", "Private.Bench.Half")
	a, b := w.IntN(9)-4, w.IntN(4)
	return fmt.Sprintf("{signal: %s, %s}", signal, w.pick(fmt.Sprint("above: ", a), fmt.Sprint("below: ", a), fmt.Sprintf("between: [%d, %d]", a, a+b)))
}

func (w writer) truth(depth int) string {
	switch k := w.IntN(8); {
	case depth > 0 && k < 2:
		return "(" + w.truth(depth-1) + w.pick(" and ", " or ") + w.truth(depth-1) + ")"
	case depth > 0 && k == 2:
		return "not (" + w.truth(depth-1) + ")"
	case k == 3:
		return w.pick("Vehicle.Cabin.Door.Row1.DriverSide.IsOpen", "Vehicle.Cabin.Door.Row1.DriverSide.IsOpen == (Private.Bench.A > 0)", "Private.Bench.A == 1",
			"Vehicle.LowVoltageSystemState != 'ON'", "Vehicle.Speed >= Vehicle.AverageSpeed", "Vehicle.AverageSpeed > 2 km/h")
	case k == 4:
		return "between(" + w.number(1) + ", " + w.x() + ", " + w.number(1) + ")"
	}
	return w.number(2) + w.pick(" < ", " <= ", " > ", " >= ") + w.number(1)
}

func (w writer) number(depth int) string {
	switch k := w.IntN(8); {
	case depth > 0 && k < 3:
		return "(" + w.number(depth-1) + w.pick(" + ", " - ", " * ", " / ") + w.number(depth-1) + ")"
	case depth > 0 && k == 3:
		return w.pick("min", "max") + "(" + w.number(depth-1) + ", " + w.number(depth-1) + ")"
	case depth > 0 && k == 4:
		return w.pick("abs", "-") + "(" + w.number(depth-1) + ")"
	case k == 5:
		return w.x()
	}
	return w.pick("Private.Bench.A", "Private.Bench.B", "Private.Bench.Half")
}

// program compiles a card for each condition, which is its only one.
func program(t *testing.T, v *scenes.Vehicle, conditions ...string) *scenes.Program {
	t.Helper()
	var cards []*scenes.Card
	for i, cond := range conditions {
		c, err := scenes.ParseCard("c", []byte(fmt.Sprintf("schema: 1\nid: c%d\nversion: 1.0.0\ntitle: {en: C}\nwhen:\n  - {signal: Private.Bench.C, changes: true}\nonly_if:\n  - %s\nthen:\n  - {do: mark}\n", i, cond)))
		if err != nil {
			return nil // an expression of literals only, or one too large
		}
		cards = append(cards, c)
	}
	p, err := scenes.Compile(v, cards)
	if err != nil {
		if !strings.Contains(err.Error(), "names no signal") && !strings.Contains(err.Error(), "whole") {
			t.Fatal(err)
		}
		return nil
	}
	return p
}

// drawn is a value of each slot, NaN for unknown.
func (w writer) drawn(p *scenes.Program) (values []float64) {
	for i := range p.Engine.Signals {
		d := p.Vehicle.Signal(p.Engine.Signals[i].Path).Carried()
		x := float64(w.IntN(9) - 4)
		switch {
		case w.IntN(8) == 0:
			x = math.NaN()
		case d.Values != nil:
			x = d.Values[w.IntN(len(d.Values))]
		case !d.Whole:
			x = float64(w.IntN(33)-16) / 4
		case strings.HasSuffix(p.Engine.Signals[i].Path, "Gear") && w.IntN(2) == 0:
			x = 126
		}
		values = append(values, x)
	}
	return values
}

// fired is which cards fire with these values, and the drive state.
func fired(p *scenes.Program, values []float64) (cards []bool, drive int) {
	s := p.Engine.NewState(0, false)
	var out engine.Effects
	var before, after []engine.Sample
	for slot, x := range values {
		path := p.Engine.Signals[slot].Path
		first, known := x, !math.IsNaN(x)
		if !known {
			first = 0
		}
		if path == "Private.Bench.C" {
			first, x, known = 0, 1, true
		}
		before = append(before, engine.Sample{Slot: slot, Valid: true, Num: first})
		after = append(after, engine.Sample{Slot: slot, Valid: known, Num: x})
	}
	p.Engine.Step(s, &engine.Event{T: 0, Samples: before}, &out)
	out.Reset()
	p.Engine.Step(s, &engine.Event{T: 1, Samples: after}, &out)
	cards = make([]bool, len(p.Cards))
	for _, r := range out.Records {
		if r.What == engine.Fired {
			cards[slices.IndexFunc(p.Cards, func(c *scenes.Card) bool { return c.ID == r.Card })] = true
		}
	}
	return cards, s.DriveState()
}

// holds reports whether a point lies in a guard.
func (s *space) contains(g guard, values []float64, drive int) bool {
	var at box
	for slot, x := range values {
		if !math.IsNaN(x) {
			at = append(at, side{slot, point(x)})
		}
	}
	at = append(at, side{s.stateDim(), point(float64(drive))})
	for _, b := range g {
		in := true
		for _, want := range b {
			if want.dim > s.stateDim() {
				in = in && s.reach(want.dim, at).meets(want.in)
				continue
			}
			i := slices.IndexFunc(at, func(a side) bool { return a.dim == want.dim })
			in = in && i >= 0 && at[i].in.meets(want.in)
		}
		if in {
			return true
		}
	}
	return false
}

// What the guards exclude never happens: wherever the engine finds a condition
// true, the guard has it, and two guards that exclude each other are never
// true at once.
func TestGuardsAreSound(t *testing.T) {
	v, err := scenes.LoadVehicle("../../testdata/meaning/vehicle.yaml")
	if err != nil {
		t.Fatal(err)
	}
	truths, never, exclusive := 0, 0, 0
	for seed := range uint64(900) {
		w := writer{rand.New(rand.NewPCG(seed, 2))}
		one, two := w.condition(2), w.condition(2)
		p := program(t, v, one, two, "{not: "+one+"}")
		if p == nil {
			continue
		}
		s := newSpace(p, (*scenes.Signal).Carried)
		a, b := s.onlyIf(&p.Engine.Cards[0]), s.onlyIf(&p.Engine.Cards[1])
		no := s.where(p.Engine.Cards[0].OnlyIf[0], false)
		apart := s.excludes(a, b)
		if apart {
			exclusive++
		}
		if len(a) == 0 {
			never++
		}
		for range 25 {
			values := w.drawn(p)
			fires, drive := fired(p, values)
			if i := slices.IndexFunc(p.Engine.Signals, func(g engine.Signal) bool { return g.Path == "Private.Bench.C" }); i >= 0 {
				values[i] = 1
			}
			switch {
			case fires[0] && !s.contains(a, values, drive):
				t.Fatalf("seed %d: %s is true at %v in state %d, outside its guard", seed, one, values, drive)
			case fires[2] && !s.contains(no, values, drive):
				t.Fatalf("seed %d: %s is false at %v in state %d, outside its guard", seed, one, values, drive)
			case fires[0] && fires[1] && apart:
				t.Fatalf("seed %d: %s and %s are both true at %v, but should exclude each other", seed, one, two, values)
			}
			if fires[0] {
				truths++
			}
		}
	}
	if truths < 2000 || never < 12 || exclusive < 30 {
		t.Errorf("%d truths, %d never true, %d pairs exclusive: too few to say anything", truths, never, exclusive)
	}
}

func TestSets(t *testing.T) {
	a := set{{1, 2}, {4, 6}, {8, 9}}
	for _, c := range []struct {
		name      string
		got, want set
	}{
		{"intersect", a.intersect(set{{2, 5}, {9, 12}}), set{{2, 2}, {4, 5}, {9, 9}}},
		{"complement twice", a.complement().complement(), a},
		{"complement of all", everything.complement(), nil},
		{"complement of none", set(nil).complement(), everything},
		{"a set and its complement", a.intersect(a.complement()), nil},
		{"whole", set{{0.5, 0.75}, {1.5, 3.5}}.whole(), set{{2, 3}}},
		{"crossed", from(2, 1), nil},
		{"from minus infinity", from(-inf, 3), set{{-math.MaxFloat64, 3}}},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%s is %v, want %v", c.name, c.got, c.want)
		}
	}
	if a.meets(set{{3, 3.5}, {7, 7}}) || !a.meets(set{{3, 3.5}, {6, 7}}) {
		t.Error("sets meet where they share a number")
	}
}
