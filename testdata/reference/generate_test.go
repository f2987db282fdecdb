package reference_test

import (
	"slices"

	"pgregory.net/rapid"

	"vignette/scenes/engine"
)

const ms = int64(1e6)

// The cases go round what the words of the contract leave open: offsets change
// at no time of an event, and the sun comes from no more than 4 h away.

// Rapid prefers the first entries of a list, the more so the longer it is: the
// plain come first. Durations are few and multiples of 250 ms, so that
// deadlines coincide.
var (
	short     = rapid.SampledFrom([]int64{500 * ms, 1000 * ms, 2000 * ms, 250 * ms, 3000 * ms})
	limits    = rapid.SampledFrom([]int64{1000 * ms, 500 * ms, 3000 * ms, 250 * ms})
	long      = rapid.SampledFrom([]int64{2000 * ms, 4000 * ms, 1000 * ms, 8000 * ms, 500 * ms, 20000 * ms})
	perhaps   = rapid.SampledFrom([]int64{0, 0, 1000 * ms, 2000 * ms})
	never     = rapid.SampledFrom([]int64{0, 0, 8000 * ms, 3000 * ms})
	steps     = rapid.SampledFrom([]int64{500 * ms, 250 * ms, 1000 * ms, 0, 500 * ms, 250 * ms, 1000 * ms, 100 * ms})
	strides   = rapid.SampledFrom([]int64{2000 * ms, 3000 * ms, 4000 * ms, 10000 * ms, 70000 * ms, 1, -500 * ms, -3000 * ms})
	delays    = rapid.SampledFrom([]int64{100 * ms, 0, 250 * ms, 500 * ms})
	small     = rapid.IntRange(0, 4)
	coin      = rapid.Bool()
	eighth    = rapid.IntRange(0, 7)
	priority  = rapid.SampledFrom([]int{0, 0, 1, 5})
	stateSets = rapid.SampledFrom([]engine.StateSet{7, 7, 3, 1, 7, 6})
	ends      = rapid.SampledFrom([]engine.EndKind{engine.Restore, engine.Restore, engine.Leave, engine.SetTo})
)

// The slots of the universe that cases are drawn from, by path.
const (
	slotA = iota
	slotB
	slotD // a boolean; reads back actuator 3
	slotF // reads back actuator 0, often 1 too
	slotG // reads back actuator 1
	slotL // labels; reads back actuator 2
	slotS // the speed
)

var universe = []string{"Private.A", "Private.B", "Private.D", "Private.F", "Private.G", "Private.L", "Private.S"}

// drawProfile draws a profile without cards.
func drawProfile(t *rapid.T) *engine.Program {
	p := &engine.Program{
		Buses: []string{"pt", "body"}, Occurs: occurs,
		Signals: []engine.Signal{
			{Path: "Private.A", Type: engine.Number, StaleAfter: never.Draw(t, "stale A")},
			{Path: "Private.B", Bus: 1, Type: engine.Number},
			{Path: "Private.D", Type: engine.Bool},
			{Path: "Private.F", Type: engine.Number, StaleAfter: never.Draw(t, "stale F")},
			{Path: "Private.G", Bus: 1, Type: engine.Number},
			{Path: "Private.L", Bus: 1, Type: engine.Label, Labels: labels, StaleAfter: never.Draw(t, "stale L")},
			{Path: "Private.S", Type: engine.Number, StaleAfter: never.Draw(t, "stale S")},
		},
		States: []engine.DriveState{
			{Name: "parked", When: engine.Cond{{Op: engine.All, Size: 3}, {Op: engine.Is, Slot: slotD, A: 1, Size: 1}, {Op: engine.Between, Slot: slotS, A: 0, B: 1, Size: 1}}},
			{Name: "idling", When: engine.Cond{{Op: engine.Below, Slot: slotS, A: 2, Size: 1}}},
		},
		Actuators: []engine.Actuator{drawActuator(t, "Private.F", slotF), drawActuator(t, "Private.G", slotG), drawActuator(t, "Private.H", slotL), drawActuator(t, "Private.I", slotD)},
		Actions: []engine.Action{
			{Name: "mark", States: 7},
			{Name: "note", States: stateSets.Draw(t, "note states"), MinInterval: perhaps.Draw(t, "note interval"), HasCall: true, Within: 500 * ms},
		},
	}
	if eighth.Draw(t, "quarantine") > 4 {
		p.Quarantine = engine.Quarantine{Fires: 1 + small.Draw(t, "fires"), Within: long.Draw(t, "within")}
	}
	for _, a := range []int{2, 3} { // only numbers have steps and ramps
		p.Actuators[a].Step, p.Actuators[a].Slew, p.Actuators[a].Max = 0, 0, 0
	}
	if eighth.Draw(t, "shared readback") == 7 && p.Actuators[1].Readback >= 0 {
		p.Actuators[1].Readback = slotF
	}
	return p
}

// loop has the first two cards pass F back and forth, so that a bus that obeys
// goes round and round.
func loop(p *engine.Program, cards []engine.Card) {
	for i := range cards[:min(2, len(cards))] {
		c := &cards[i]
		c.OnlyIf, c.Cooldown = nil, 0
		c.When = []engine.Trigger{{Op: engine.Becomes, Slot: slotF, X: float64(i)}}
		c.Then = []engine.Step{{Kind: engine.Set, Value: number(float64(1 - i)), Lease: 250 * ms, AtEnd: engine.Leave}}
	}
	p.Quarantine = engine.Quarantine{}
	a := &p.Actuators[0]
	a.States, a.MinInterval, a.Readback, a.ReadWithin = 7, 0, slotF, 3000*ms
}

func drawActuator(t *rapid.T, path string, readback int) engine.Actuator {
	a := engine.Actuator{
		Path: path, Min: 0, Max: 4, Step: 1, Slew: slews.Draw(t, "slew"), MinInterval: perhaps.Draw(t, "min_interval"),
		States: stateSets.Draw(t, "states"), Holdoff: long.Draw(t, "holdoff"), HasCall: true, Readback: -1,
		Survives: eighth.Draw(t, "survives") > 4, MaxLease: 20000 * ms,
	}
	if eighth.Draw(t, "max_lease") == 7 {
		a.MaxLease = 8000 * ms
	}
	if eighth.Draw(t, "confirm") > 5 {
		a.Confirm = long.Draw(t, "confirm_within")
	}
	a.Forbidden = eighth.Draw(t, "forbidden") == 7 && eighth.Draw(t, "never") > 5
	a.EndStates = a.States
	if coin.Draw(t, "end states") {
		a.EndStates = stateSets.Draw(t, "end_states")
	}
	if eighth.Draw(t, "step") == 7 {
		a.Step = 0
	}
	if eighth.Draw(t, "call") == 7 {
		a.HasCall = false
	} else {
		a.Within = limits.Draw(t, "within")
	}
	if eighth.Draw(t, "readback") < 7 {
		a.Readback, a.ReadWithin = readback, limits.Draw(t, "read within")
	}
	return a
}

var (
	cardCounts = rapid.SampledFrom([]int{2, 3, 1, 4})
	slews      = rapid.SampledFrom([]float64{0, 1, 2, 4, 3})
	triggers   = rapid.SampledFrom([]int{1, 1, 2, 3})
	clauses    = rapid.SampledFrom([]int{0, 0, 1, 2})
	actions    = rapid.SampledFrom([]int{1, 2, 2, 3})
	onBoots    = rapid.SampledFrom([]engine.OnBoot{engine.RestartHold, engine.RestartHold, engine.ResumeHold, engine.DropHold})
)

func drawCard(t *rapid.T, id string) engine.Card {
	c := engine.Card{ID: id, Priority: priority.Draw(t, "priority"), Cooldown: perhaps.Draw(t, "cooldown"),
		Restart: eighth.Draw(t, "reentry") > 5, Manual: coin.Draw(t, "manual"), OnBoot: onBoots.Draw(t, "on_boot"),
		Off: eighth.Draw(t, "off") == 7 && coin.Draw(t, "installed")}
	var edges []engine.Trigger
	for i := range triggers.Draw(t, "triggers") {
		trigger, of := drawTrigger(t)
		for j := range of {
			of[j].Into, of[j].Second = i+1, j == 1
		}
		c.When, edges = append(c.When, trigger), append(edges, of...)
	}
	c.When = append(c.When, edges...)
	for range clauses.Draw(t, "only_if") {
		c.OnlyIf = append(c.OnlyIf, drawCond(t, nil, 2))
	}
	for range actions.Draw(t, "then") {
		c.Then = append(c.Then, drawStep(t))
	}
	return c
}

var triggerSlots = rapid.SampledFrom([]int{slotA, slotB, slotF, slotL, slotD, slotS, slotB})

// The occurrences, in the compiler's order.
var occurs = []engine.Occurrence{
	{Name: "button star", Opposite: -1}, {Name: "ignition on", Opposite: 2, Frees: true}, {Name: "ignition off", Opposite: 1},
	{Name: "phone near", Opposite: 4}, {Name: "phone far", Opposite: 3},
	{Name: "place enter home", Opposite: 6, OfUser: true}, {Name: "place leave home", Opposite: 5, OfUser: true},
}

// drawTrigger draws a trigger and the edges that go into it.
func drawTrigger(t *rapid.T) (engine.Trigger, []engine.Trigger) {
	switch eighth.Draw(t, "trigger") {
	case 4:
		g := engine.Trigger{Op: engine.StaleFor, Slot: triggerSlots.Draw(t, "silent"), Over: long.Draw(t, "stale_for")}
		if coin.Draw(t, "recovered") {
			g = engine.Trigger{Op: engine.Recovered, Slot: g.Slot}
		}
		return g, nil
	case 5:
		return drawWindow(t), nil
	case 7:
		return drawWallTrigger(t), nil
	case 6:
		if coin.Draw(t, "counts") {
			return engine.Trigger{Op: engine.Count, N: 1 + small.Draw(t, "reaches"), Over: long.Draw(t, "within")}, []engine.Trigger{drawEdge(t, false)}
		}
		return engine.Trigger{Op: engine.Sequence, Over: long.Draw(t, "within")}, []engine.Trigger{drawEdge(t, false), drawEdge(t, false)}
	}
	return drawEdge(t, true), nil
}

// drawWindow draws a window over a number.
func drawWindow(t *rapid.T) engine.Trigger {
	g := engine.Trigger{
		Op: engine.Rate + engine.TriggerOp(eighth.Draw(t, "figure")/2), Slot: rapid.SampledFrom([]int{slotA, slotB, slotF}).Draw(t, "window of"),
		X: rapid.SampledFrom([]float64{1, 2, 0, 1.5, 3, -1}).Draw(t, "figure above"), Below: coin.Draw(t, "below"), Over: long.Draw(t, "over"),
	}
	return g
}

// drawEdge draws an edge, with held_for where it may.
func drawEdge(t *rapid.T, held bool) engine.Trigger {
	if eighth.Draw(t, "edge") > 5 {
		return engine.Trigger{Op: engine.Occurs, Occur: eighth.Draw(t, "occurrence") % len(occurs)}
	}
	g := engine.Trigger{Slot: triggerSlots.Draw(t, "trigger slot"), Op: engine.TriggerOp(small.Draw(t, "trigger op"))}
	switch g.Slot {
	case slotD, slotL:
		g.Op = engine.Becomes + g.Op%3
		g.X = float64(small.Draw(t, "x") % 2)
	default:
		g.X = float64(1 + small.Draw(t, "x")/2)
	}
	switch gap := float64(small.Draw(t, "gap") / 2); g.Op {
	case engine.RisesAbove:
		g.Rearm = g.X - gap
	case engine.FallsBelow:
		g.Rearm = g.X + gap
	case engine.Changes:
		g.X = 0
	}
	if g.Op <= engine.Becomes && held {
		g.Hold = perhaps.Draw(t, "held_for")
	}
	return g
}

func drawCond(t *rapid.T, out engine.Cond, depth int) engine.Cond {
	start := len(out)
	op := engine.CondOp(rapid.IntRange(0, 8).Draw(t, "cond"))
	if depth == 0 && op >= engine.All {
		op -= 3
	}
	out = append(out, engine.Clause{Op: op})
	if eighth.Draw(t, "fresh") == 7 {
		op = []engine.CondOp{engine.Computed, engine.Fresh, engine.TimeOfDay}[small.Draw(t, "or time")%3]
		out[start].Op = op
	}
	switch op {
	case engine.Computed:
		out[start].Expr = drawTruth(t, nil, 2)
		if !slices.ContainsFunc(out[start].Expr, func(t engine.Term) bool { return t.Op == engine.Reading }) {
			out[start].Expr = engine.Expr{{Op: engine.Reading, Slot: slotD, X: 1}}
		}
	case engine.TimeOfDay:
		from, long := ats.Draw(t, "from")/minute, rapid.SampledFrom([]int64{1, 60, 180, 1200}).Draw(t, "long")
		out[start].A, out[start].B = float64(from), float64((from+long)%1440)
	case engine.Fresh:
		out[start].Slot = triggerSlots.Draw(t, "fresh slot")
	case engine.InState:
		out[start].State = small.Draw(t, "state") % 3
	case engine.Not:
		out = drawCond(t, out, depth-1)
	case engine.All, engine.Any:
		for range 1 + small.Draw(t, "of")%2 {
			out = drawCond(t, out, depth-1)
		}
	default:
		c := &out[start]
		c.Slot = triggerSlots.Draw(t, "cond slot")
		if (c.Slot == slotD || c.Slot == slotL) && op <= engine.Between {
			c.Op = engine.IsNot
		}
		c.A = float64(small.Draw(t, "a"))
		if c.Slot == slotD || c.Slot == slotL {
			c.A = float64(int(c.A) % 2)
		}
		if c.Op == engine.Between {
			c.B = c.A + 2
		}
	}
	out[start].Size = len(out) - start
	return out
}

func drawStep(t *rapid.T) engine.Step {
	s := engine.Step{Continue: coin.Draw(t, "on_error")}
	switch kind := eighth.Draw(t, "action"); kind {
	case 4:
		s.Kind, s.Actuator = engine.Release, targets.Draw(t, "actuator")
	case 5, 6:
		s.Kind, s.Action = engine.Do, kind-5
	case 7:
		s.Kind, s.Wait, s.Continue = engine.Wait, short.Draw(t, "wait"), false
	default:
		drawSet(t, &s)
	}
	return s
}

// drawSet draws a set, now and then beyond the range.
func drawSet(t *rapid.T, s *engine.Step) {
	s.Kind, s.Actuator, s.Lease, s.AtEnd = engine.Set, targets.Draw(t, "actuator"), long.Draw(t, "lease"), ends.Draw(t, "at_end")
	s.Value = setting(s.Actuator, small.Draw(t, "to"))
	if s.Value.Kind == engine.Number && eighth.Draw(t, "beyond") == 7 && coin.Draw(t, "range") {
		s.Value.Num += 4
	}
	if s.AtEnd == engine.SetTo {
		s.EndValue = setting(s.Actuator, small.Draw(t, "end value"))
	}
}

var (
	labels  = []string{"x", "y", "z"}
	targets = rapid.SampledFrom([]int{0, 0, 1, 2, 3})
)

func number(x float64) engine.Value { return engine.Value{Kind: engine.Number, Num: x} }

// setting is a value of an actuator.
func setting(actuator, i int) engine.Value {
	switch actuator {
	case 2:
		return engine.Value{Kind: engine.Label, Num: float64(i % 3), Text: labels[i%3]}
	case 3:
		return engine.Value{Kind: engine.Bool, Num: float64(i % 2)}
	}
	return number(float64(i))
}

// ownReleases makes releases of what the card does not set sets of it: a card
// releases only what it sets (choice 64).
func ownReleases(c *engine.Card) {
	for i := range c.Then {
		s := &c.Then[i]
		if s.Kind == engine.Release && !slices.ContainsFunc(c.Then, func(o engine.Step) bool { return o.Kind == engine.Set && o.Actuator == s.Actuator }) {
			*s = engine.Step{Kind: engine.Do, Continue: s.Continue}
		}
	}
}

// prune leaves out the signals that nothing follows (choice 1) and lists what
// each card names, as the compiler does.
func prune(p *engine.Program) {
	for i := range p.Cards {
		ownReleases(&p.Cards[i])
	}
	used := make([]bool, len(p.Signals))
	conds := func(list []engine.Cond, do func(*int)) {
		for _, c := range list {
			for i := range c {
				if c[i].Op <= engine.IsNot || c[i].Op == engine.Fresh {
					do(&c[i].Slot)
				}
				for j := range c[i].Expr {
					if c[i].Expr[j].Op == engine.Reading {
						do(&c[i].Expr[j].Slot)
					}
				}
			}
		}
	}
	all := func(do func(*int)) {
		for i := range p.States {
			conds([]engine.Cond{p.States[i].When}, do)
		}
		for i := range p.Cards {
			for j := range p.Cards[i].When {
				if w := &p.Cards[i].When[j]; w.Op <= engine.Max {
					do(&w.Slot)
				}
			}
			conds(p.Cards[i].OnlyIf, do)
		}
		for i := range p.Actuators {
			if p.Actuators[i].Readback >= 0 {
				do(&p.Actuators[i].Readback)
			}
		}
	}
	for i := range p.Actuators {
		if !slices.ContainsFunc(p.Cards, func(c engine.Card) bool {
			return slices.ContainsFunc(c.Then, func(s engine.Step) bool { return s.Kind == engine.Set && s.Actuator == i })
		}) {
			p.Actuators[i].Readback, p.Actuators[i].ReadWithin = -1, 0
		}
	}
	all(func(slot *int) { used[*slot] = true })
	moved := make([]int, len(p.Signals))
	var kept []engine.Signal
	for i, s := range p.Signals {
		if moved[i] = len(kept); used[i] {
			kept = append(kept, s)
		}
	}
	p.Signals = kept
	all(func(slot *int) { *slot = moved[*slot] })
	for i := range p.Cards {
		c := &p.Cards[i]
		note := func(slot *int) { c.Names = append(c.Names, *slot) }
		for _, w := range c.When {
			if w.Op <= engine.Max && w.Op != engine.Recovered && w.Op != engine.StaleFor {
				note(&w.Slot)
			}
		}
		for _, cond := range c.OnlyIf {
			for j := range cond {
				if cond[j].Op <= engine.IsNot {
					note(&cond[j].Slot)
				}
				for _, term := range cond[j].Expr {
					if term.Op == engine.Reading {
						note(&term.Slot)
					}
				}
			}
		}
		slices.Sort(c.Names)
		c.Names = slices.Compact(c.Names)
	}
}
