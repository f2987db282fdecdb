package reference_test

import (
	"slices"

	"pgregory.net/rapid"

	"vignette/scenes/engine"
)

const ms = int64(1e6)

// Durations are few and multiples of 250 ms, so that deadlines coincide.
var (
	short     = rapid.SampledFrom([]int64{250 * ms, 500 * ms, 1000 * ms, 2000 * ms, 3000 * ms})
	long      = rapid.SampledFrom([]int64{500 * ms, 1000 * ms, 2000 * ms, 4000 * ms, 8000 * ms, 20000 * ms})
	perhaps   = rapid.SampledFrom([]int64{0, 0, 0, 1000 * ms, 2000 * ms})
	steps     = rapid.SampledFrom([]int64{0, 0, 100 * ms, 250 * ms, 250 * ms, 500 * ms, 500 * ms, 500 * ms, 1000 * ms, 1000 * ms, 1000 * ms, 2000 * ms, 4000 * ms, 10000 * ms, 70000 * ms, -500 * ms, -3000 * ms})
	small     = rapid.IntRange(0, 4)
	coin      = rapid.Bool()
	dice      = rapid.IntRange(0, 11)
	permille  = rapid.IntRange(0, 999)
	priority  = rapid.SampledFrom([]int{0, 0, 0, 1, 5})
	stateSets = rapid.SampledFrom([]engine.StateSet{7, 7, 7, 7, 1, 3, 6})
)

// The slots of the universe that cases are drawn from, by path.
const (
	slotA = iota
	slotB
	slotD // a boolean
	slotF // reads back actuator 0
	slotG // reads back actuator 1
	slotL // labels
	slotS // the speed
)

// drawProgram draws a profile and one to four cards.
func drawProgram(t *rapid.T) *engine.Program {
	p := &engine.Program{
		Signals: []engine.Signal{
			{Path: "A", Type: engine.Number, StaleAfter: perhaps.Draw(t, "stale A")},
			{Path: "B", Type: engine.Number},
			{Path: "D", Type: engine.Bool},
			{Path: "F", Type: engine.Number, StaleAfter: 4 * perhaps.Draw(t, "stale F")},
			{Path: "G", Type: engine.Number},
			{Path: "L", Type: engine.Label, Labels: []string{"x", "y", "z"}, StaleAfter: 3 * perhaps.Draw(t, "stale L")},
			{Path: "S", Type: engine.Number, StaleAfter: 2 * perhaps.Draw(t, "stale S")},
		},
		States: []engine.DriveState{
			{Name: "parked", When: engine.Cond{{Op: engine.All, Size: 3}, {Op: engine.Is, Slot: slotD, A: 1, Size: 1}, {Op: engine.Between, Slot: slotS, A: 0, B: 1, Size: 1}}},
			{Name: "idling", When: engine.Cond{{Op: engine.Below, Slot: slotS, A: 2, Size: 1}}},
		},
		Actuators: []engine.Actuator{drawActuator(t, "F", slotF), drawActuator(t, "G", slotG)},
		Actions: []engine.Action{
			{Name: "mark", States: 7},
			{Name: "note", States: stateSets.Draw(t, "note states"), MinInterval: perhaps.Draw(t, "note interval"), HasCall: true, Within: 500 * ms},
		},
	}
	if coin.Draw(t, "quarantine") {
		p.Quarantine = engine.Quarantine{Fires: 1 + small.Draw(t, "fires"), Within: long.Draw(t, "within")}
	}
	for i := range rapid.IntRange(1, 4).Draw(t, "cards") {
		p.Cards = append(p.Cards, drawCard(t, p, string(rune('a'+i))))
	}
	prune(p)
	return p
}

func drawActuator(t *rapid.T, path string, readback int) engine.Actuator {
	a := engine.Actuator{
		Path: path, Min: 0, Max: 4, Step: 1, Slew: rapid.SampledFrom([]float64{0, 1, 2, 4}).Draw(t, "slew"),
		MinInterval: perhaps.Draw(t, "min_interval"), States: stateSets.Draw(t, "states"), Holdoff: long.Draw(t, "holdoff"), Readback: -1,
	}
	a.EndStates = a.States
	if coin.Draw(t, "end states") {
		a.EndStates = stateSets.Draw(t, "end_states")
	}
	if dice.Draw(t, "step") == 0 {
		a.Step = 0
	}
	if a.HasCall = dice.Draw(t, "call") > 0; a.HasCall {
		a.Within = short.Draw(t, "within")
	}
	if dice.Draw(t, "readback") > 1 {
		a.Readback, a.ReadWithin = readback, short.Draw(t, "read within")
	}
	return a
}

func drawCard(t *rapid.T, p *engine.Program, id string) engine.Card {
	c := engine.Card{ID: id, Priority: priority.Draw(t, "priority"), Cooldown: perhaps.Draw(t, "cooldown")}
	for range 1 + dice.Draw(t, "triggers")/5 {
		c.When = append(c.When, drawTrigger(t))
	}
	for range dice.Draw(t, "only_if") / 6 {
		c.OnlyIf = append(c.OnlyIf, drawCond(t, p, nil, 2))
	}
	for range 1 + dice.Draw(t, "then")/4 {
		c.Then = append(c.Then, drawStep(t))
	}
	return c
}

var triggerSlots = rapid.SampledFrom([]int{slotA, slotA, slotA, slotB, slotB, slotB, slotD, slotF, slotL, slotS})

func drawTrigger(t *rapid.T) engine.Trigger {
	g := engine.Trigger{Slot: triggerSlots.Draw(t, "trigger slot"), Op: engine.TriggerOp(small.Draw(t, "trigger op"))}
	switch g.Slot {
	case slotD, slotL:
		g.Op = engine.Becomes + g.Op%3
		g.X = float64(small.Draw(t, "x") % 2)
	default:
		g.X = float64(1 + small.Draw(t, "x")/2)
	}
	g.Rearm = g.X
	switch gap := float64(small.Draw(t, "gap") / 2); g.Op {
	case engine.RisesAbove:
		g.Rearm -= gap
	case engine.FallsBelow:
		g.Rearm += gap
	case engine.Changes:
		g.X, g.Rearm = 0, 0
	}
	if g.Op <= engine.Becomes {
		g.Hold = perhaps.Draw(t, "held_for")
	}
	return g
}

func drawCond(t *rapid.T, p *engine.Program, out engine.Cond, depth int) engine.Cond {
	start := len(out)
	op := engine.CondOp(rapid.IntRange(0, 8).Draw(t, "cond"))
	if depth == 0 && op >= engine.All {
		op -= 3
	}
	out = append(out, engine.Clause{Op: op})
	switch op {
	case engine.InState:
		out[start].State = small.Draw(t, "state") % 3
	case engine.Not:
		out = drawCond(t, p, out, depth-1)
	case engine.All, engine.Any:
		for range 1 + small.Draw(t, "of")%2 {
			out = drawCond(t, p, out, depth-1)
		}
	default:
		c := &out[start]
		c.Slot = triggerSlots.Draw(t, "cond slot")
		if (c.Slot == slotD || c.Slot == slotL) && op <= engine.Between {
			c.Op = engine.IsNot
		}
		c.A = float64(small.Draw(t, "a"))
		if p.Signals[c.Slot].Type != engine.Number {
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
	s := engine.Step{Continue: dice.Draw(t, "on_error") < 3}
	switch kind := dice.Draw(t, "action"); {
	case kind < 8:
		s.Kind, s.Actuator, s.Lease = engine.Set, kind/6, long.Draw(t, "lease")
		s.Value = engine.Value{Kind: engine.Number, Num: float64(small.Draw(t, "to"))}
		s.AtEnd = rapid.SampledFrom([]engine.EndKind{engine.Restore, engine.Restore, engine.Leave, engine.SetTo}).Draw(t, "at_end")
		if s.AtEnd == engine.SetTo {
			s.EndValue = engine.Value{Kind: engine.Number, Num: float64(small.Draw(t, "end value"))}
		}
	case kind < 10:
		s.Kind, s.Action = engine.Do, kind%2
	default:
		s.Kind, s.Wait, s.Continue = engine.Wait, short.Draw(t, "wait"), false
	}
	return s
}

// prune leaves out the signals that nothing follows (choice 1) and lists what
// each card names, as the compiler does.
func prune(p *engine.Program) {
	used := make([]bool, len(p.Signals))
	conds := func(list []engine.Cond, do func(*int)) {
		for _, c := range list {
			for i := range c {
				if c[i].Op <= engine.IsNot {
					do(&c[i].Slot)
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
				do(&p.Cards[i].When[j].Slot)
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
		for j := range c.When {
			note(&c.When[j].Slot)
		}
		conds(c.OnlyIf, note)
		slices.Sort(c.Names)
		c.Names = slices.Compact(c.Names)
	}
}

// stroke is an event before it is known what the log holds: a reply names the
// Back-th newest act, an echo is a reading of the newest command.
type stroke struct {
	engine.Event
	Back int
	Echo bool
}

// drawStream draws up to 40 events, the first of them a frame.
func drawStream(t *rapid.T, p *engine.Program, judged bool) []stroke {
	first := stroke{Event: engine.Event{Samples: drawFrame(t, p, true)}}
	list := append([]stroke{first}, rapid.SliceOfN(rapid.Custom(func(t *rapid.T) stroke { return drawStroke(t, p, judged) }), 1, 40).Draw(t, "events")...)
	at := int64(0)
	for i := range list {
		step := list[i].T
		list[i].T += at
		if step > 0 || list[i].Back == 0 {
			at = list[i].T
		}
	}
	return list
}

// drawStroke draws an event; its T is the time since the one before.
func drawStroke(t *rapid.T, p *engine.Program, judged bool) stroke {
	s := stroke{Event: engine.Event{T: steps.Draw(t, "dt")}}
	switch kind := permille.Draw(t, "event"); {
	case kind < 700 || kind < 850 && !judged:
		s.Samples = drawFrame(t, p, false)
		s.Echo = coin.Draw(t, "echo")
	case kind < 850:
		s.Kind, s.Session = engine.EvReply, 1
		s.Back, s.OK = small.Draw(t, "back")/2, dice.Draw(t, "ok") > 2
	case kind < 950:
		s.Kind = engine.EvTick
	case kind < 990:
		s.Kind, s.Actuator = engine.EvOverride, kind%2
		s.Value = engine.Value{Kind: engine.Number, Num: float64(small.Draw(t, "hand") + kind/985)}
	default:
		s.Kind = engine.EvStop
	}
	return s
}

// drawFrame draws a frame; the first of a stream samples nearly everything.
func drawFrame(t *rapid.T, p *engine.Program, first bool) (list []engine.Sample) {
	mask := rapid.IntRange(0, 1<<len(p.Signals)-1).Draw(t, "signals")
	if first {
		mask |= rapid.IntRange(0, 1<<len(p.Signals)-1).Draw(t, "first signals")
	} else {
		mask &= rapid.IntRange(0, 1<<len(p.Signals)-1).Draw(t, "fewer signals")
	}
	for slot := range p.Signals {
		if mask>>slot&1 == 0 {
			continue
		}
		s := engine.Sample{Slot: slot, Valid: first || dice.Draw(t, "valid") > 0}
		if s.Valid {
			s.Num = float64(small.Draw(t, "value"))
			switch p.Signals[slot].Type {
			case engine.Bool:
				s.Num = float64(int(s.Num+1) / 2 % 2)
			case engine.Label:
				s.Num = float64(int(s.Num) % 3)
			}
		}
		list = append(list, s)
	}
	return list
}
