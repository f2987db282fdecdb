package scenes

import (
	"fmt"
	"strings"
	"testing"

	"vignette/scenes/engine"
)

// worstCard has a trigger for everything that one message carries, conditions
// that are all evaluated, and actions that nothing makes wait.
func worstCard(id string, triggers, conditions, actions int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "schema: 1\nid: %s\nversion: 1.0.0\ntitle: {en: Worst}\nwhen:\n", id)
	for range triggers {
		b.WriteString("  - {signal: Private.Bench.Torque, changes: true}\n  - {signal: Vehicle.Speed, rises_above: 1, unit: km/h}\n")
	}
	b.WriteString("only_if:\n")
	for range conditions {
		b.WriteString("  - {any: [{not: {state: idling}}, {signal: Vehicle.Speed, above: 0, unit: km/h}]}\n")
		b.WriteString("  - expr: Vehicle.Speed + Vehicle.Speed > 0 km/h or abs(Private.Bench.Torque) > 1 Nm\n")
	}
	b.WriteString("then:\n")
	for range actions {
		b.WriteString("  - {do: beep, with: {times: 1, loud: true, tone: A}, on_error: continue}\n")
	}
	b.WriteString("  - {set: Private.Bench.Heat, to: 20, unit: Celsius, lease: 1m, at_end: leave, on_error: continue}\n")
	return b.String()
}

// A card's operations are counted in the engine, step by step: the costliest
// step of a worst-case card is within its certificate, and reaches it but for
// the leases that end in no step that also fires.
func TestWorstCaseWithinCertificate(t *testing.T) {
	v := bench(t)
	v.Budget = Budget{}
	for _, k := range []struct{ triggers, conditions, actions int }{{1, 1, 1}, {5, 3, 2}, {40, 20, 30}} {
		c, err := ParseCard("worst.yaml", []byte(worstCard("worst", k.triggers, k.conditions, k.actions)))
		if err != nil {
			t.Fatal(err)
		}
		p, err := Compile(v, []*Card{c})
		if err != nil {
			t.Fatal(err)
		}
		cards, total := p.Costs()
		most := costliest(p)
		states := 0
		for _, s := range p.Engine.States {
			states += len(s.When)
		}
		if most > total.OpsPerStep || most-states > cards[0].OpsPerStep {
			t.Errorf("%+v: a step took %d operations, %d of them for the states; certified are %d and %d in all", k, most, states, cards[0].OpsPerStep, total.OpsPerStep)
		}
		if most < total.OpsPerStep-1 {
			t.Errorf("%+v: the costliest step took %d operations, so %d is too much of a certificate", k, most, total.OpsPerStep)
		}
		if cards[0].EffectsPerHour != 5*60*(k.actions+2) {
			t.Errorf("%+v: %d effects an hour", k, cards[0].EffectsPerHour)
		}
	}
}

// costliest is the most operations of a step of a drive that parks, starts and
// shakes.
func costliest(p *Program) int {
	s := p.Engine.NewState(0, false)
	var out engine.Effects
	for i := range 40 {
		var samples []engine.Sample
		for slot := range p.Sources {
			x := float64(i % 2 * 50)
			if strings.HasSuffix(p.Sources[slot].Path, "SelectedGear") {
				x = 126
			}
			samples = append(samples, engine.Sample{Slot: slot, Valid: i%7 != 6, Num: x})
		}
		out.Reset()
		p.Engine.Step(s, &engine.Event{T: int64(i) * 400_000_000, Samples: samples}, &out)
	}
	return s.Operations()
}

// Over the budget a card, or all cards together, are refused with the figure.
func TestBudget(t *testing.T) {
	v := bench(t)
	var cards []*Card
	for i := range 8 {
		c, err := ParseCard(fmt.Sprintf("w%d.yaml", i), []byte(worstCard(fmt.Sprintf("w%d", i), 3, 2, 4)))
		if err != nil {
			t.Fatal(err)
		}
		cards = append(cards, c)
	}
	one, err := Compile(v, cards[:1])
	if err != nil {
		t.Fatal(err)
	}
	cost, total := one.Costs()
	for _, c := range []struct {
		budget Budget
		cards  []*Card
		want   string
	}{
		{Budget{}, cards, ""},
		{Budget{OpsPerStep: total.OpsPerStep, StateBytes: total.StateBytes}, cards[:1], ""},
		{Budget{OpsPerStep: cost[0].OpsPerStep - 1}, cards[:1], fmt.Sprintf("w0.yaml:2:5: card `w0` can take %d operations in one step; the profile's budget allows %d; make it smaller", cost[0].OpsPerStep, cost[0].OpsPerStep-1)},
		{Budget{StateBytes: 100}, cards[:1], fmt.Sprintf("w0.yaml:2:5: card `w0` can take %d bytes of state; the profile's budget allows 100; make it smaller", cost[0].StateBytes)},
		{Budget{StateBytes: 3 * cost[0].StateBytes}, cards[:4], fmt.Sprintf("bench.yaml: the 4 cards together can take %d bytes of state; the profile's budget allows %d; take some out, the costliest are `w0`, `w1` and `w2`", 4*cost[0].StateBytes, 3*cost[0].StateBytes)},
		{Budget{OpsPerStep: 8 * total.OpsPerStep}, cards, ""},
		{Budget{OpsPerStep: 5 * total.OpsPerStep}, cards, "together can take"},
	} {
		v.Budget = c.budget
		_, err := Compile(v, c.cards)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("with %+v for %d cards: %v, want %s", c.budget, len(c.cards), err, c.want)
		}
	}
}

// What a card can do in an hour is bounded by the least of cooldown, quarantine
// and holds.
func TestEffectsPerHour(t *testing.T) {
	for _, c := range []struct {
		holds      []int64
		cooldown   int64
		quarantine engine.Quarantine
		want       int
	}{
		{[]int64{0}, 0, engine.Quarantine{}, 0},
		{[]int64{0}, 10 * minim, engine.Quarantine{}, 12},
		{[]int64{0}, 7 * minim, engine.Quarantine{}, 18}, // at 0, 7, … 56 min
		{[]int64{0}, 10 * minim, engine.Quarantine{Fires: 2, Within: 60 * minim}, 4},
		{[]int64{30 * minim}, 10 * minim, engine.Quarantine{}, 4},
		{[]int64{30 * minim, 20 * minim}, 0, engine.Quarantine{}, 10},
		{[]int64{30 * minim, 0}, 0, engine.Quarantine{}, 0},
	} {
		card := engine.Card{ID: "a", Cooldown: c.cooldown, Then: []engine.Step{{Kind: engine.Set}, {Kind: engine.Wait}}}
		for _, h := range c.holds {
			card.When = append(card.When, engine.Trigger{Hold: h})
		}
		p := engine.Program{Cards: []engine.Card{card}, Quarantine: c.quarantine}
		if got := p.Cost(0).EffectsPerHour; got != c.want {
			t.Errorf("%+v: %d effects an hour, want %d", c, got, c.want)
		}
	}
}
