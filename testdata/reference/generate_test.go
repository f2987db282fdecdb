package reference_test

import (
	"slices"

	"pgregory.net/rapid"

	"vignette/scenes/engine"
)

const ms = int64(1e6)

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

// drawProgram draws a profile and one to four cards, and tells whether they
// make a loop.
func drawProgram(t *rapid.T) (p *engine.Program, loops bool) {
	p = &engine.Program{
		Buses: []string{"pt", "body"},
		Signals: []engine.Signal{
			{Path: "A", Type: engine.Number, StaleAfter: never.Draw(t, "stale A")},
			{Path: "B", Bus: 1, Type: engine.Number},
			{Path: "D", Type: engine.Bool},
			{Path: "F", Type: engine.Number, StaleAfter: never.Draw(t, "stale F")},
			{Path: "G", Bus: 1, Type: engine.Number},
			{Path: "L", Bus: 1, Type: engine.Label, Labels: labels, StaleAfter: never.Draw(t, "stale L")},
			{Path: "S", Type: engine.Number, StaleAfter: never.Draw(t, "stale S")},
		},
		States: []engine.DriveState{
			{Name: "parked", When: engine.Cond{{Op: engine.All, Size: 3}, {Op: engine.Is, Slot: slotD, A: 1, Size: 1}, {Op: engine.Between, Slot: slotS, A: 0, B: 1, Size: 1}}},
			{Name: "idling", When: engine.Cond{{Op: engine.Below, Slot: slotS, A: 2, Size: 1}}},
		},
		Actuators: []engine.Actuator{drawActuator(t, "F", slotF), drawActuator(t, "G", slotG), drawActuator(t, "H", slotL), drawActuator(t, "I", slotD)},
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
	for i := range cardCounts.Draw(t, "cards") {
		p.Cards = append(p.Cards, drawCard(t, p, string(rune('a'+i))))
	}
	loops = eighth.Draw(t, "loop") == 7
	if loops {
		loop(p)
	}
	prune(p)
	return p, loops
}

// loop has the first two cards pass F back and forth, so that a bus that obeys
// goes round and round.
func loop(p *engine.Program) {
	for i := range p.Cards[:min(2, len(p.Cards))] {
		c := &p.Cards[i]
		c.OnlyIf, c.Cooldown = nil, 0
		c.When[0] = engine.Trigger{Op: engine.Becomes, Slot: slotF, X: float64(i), Rearm: float64(i)}
		c.Then = []engine.Step{{Kind: engine.Set, Value: number(float64(1 - i)), Lease: 250 * ms, AtEnd: engine.Leave}}
	}
	p.Quarantine.Fires = 0
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
)

func drawCard(t *rapid.T, p *engine.Program, id string) engine.Card {
	c := engine.Card{ID: id, Priority: priority.Draw(t, "priority"), Cooldown: perhaps.Draw(t, "cooldown"),
		Restart: eighth.Draw(t, "reentry") > 5, Manual: coin.Draw(t, "manual")}
	for range triggers.Draw(t, "triggers") {
		c.When = append(c.When, drawTrigger(t))
	}
	for range clauses.Draw(t, "only_if") {
		c.OnlyIf = append(c.OnlyIf, drawCond(t, p, nil, 2))
	}
	for range actions.Draw(t, "then") {
		c.Then = append(c.Then, drawStep(t))
	}
	return c
}

var triggerSlots = rapid.SampledFrom([]int{slotA, slotB, slotF, slotL, slotD, slotS, slotB})

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
	s := engine.Step{Continue: coin.Draw(t, "on_error")}
	switch kind := eighth.Draw(t, "action"); kind {
	case 4:
		s.Kind, s.Actuator = engine.Release, targets.Draw(t, "actuator")
	default:
		s.Kind, s.Actuator, s.Lease, s.AtEnd = engine.Set, targets.Draw(t, "actuator"), long.Draw(t, "lease"), ends.Draw(t, "at_end")
		s.Value = setting(s.Actuator, small.Draw(t, "to"))
		if s.Value.Kind == engine.Number && eighth.Draw(t, "beyond") == 7 && coin.Draw(t, "range") {
			s.Value.Num += 4
		}
		if s.AtEnd == engine.SetTo {
			s.EndValue = setting(s.Actuator, small.Draw(t, "end value"))
		}
	case 5, 6:
		s.Kind, s.Action = engine.Do, kind-5
	case 7:
		s.Kind, s.Wait, s.Continue = engine.Wait, short.Draw(t, "wait"), false
	}
	return s
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
// Back-th newest call that is open, or of all, an echo is a reading of the newest command.
type stroke struct {
	engine.Event
	Back    int
	Late    bool
	Echo    bool
	Lasting bool // a step back that later times share
	Parade  bool // more users than are kept come and go
}

// drawStream draws a first frame and some two dozen events. Where cards loop,
// the bus obeys.
func drawStream(t *rapid.T, p *engine.Program, judged, loops bool) []stroke {
	list := []stroke{{Event: engine.Event{Samples: drawFrame(t, p, true)}}}
	event := rapid.Custom(func(t *rapid.T) stroke { return drawStroke(t, p, judged) })
	for range 7 {
		list = append(list, rapid.SliceOfN(event, 0, 10).Draw(t, "events")...)
	}
	at := int64(0)
	for i := range list {
		step := list[i].T
		list[i].T += at
		if loops && i > 0 && list[i].Kind == engine.EvFrame {
			list[i].Samples, list[i].Echo = []engine.Sample{{Slot: p.Actuators[0].Readback, Valid: true}}, true
		}
		if step > 0 || list[i].Lasting {
			at = list[i].T
		}
	}
	return list
}

// drawStroke draws an event; its T is the time since the one before.
func drawStroke(t *rapid.T, p *engine.Program, judged bool) stroke {
	s := stroke{Event: engine.Event{T: steps.Draw(t, "dt")}}
	kind := eighth.Draw(t, "event")
	switch {
	case kind == 3:
		drawDriver(t, p, &s)
	case kind < 4 || kind < 7 && !judged:
		s.Samples = drawFrame(t, p, false)
		s.Echo = coin.Draw(t, "echo")
	case kind < 7:
		s.Kind, s.Session, s.T = engine.EvReply, 1, delays.Draw(t, "delay")
		s.Back, s.OK, s.Late = small.Draw(t, "back")/2, eighth.Draw(t, "ok") < 6, eighth.Draw(t, "late") == 7
	default:
		drawRare(t, &s)
	}
	return s
}

// drawDriver draws what the driver does.
func drawDriver(t *rapid.T, p *engine.Program, s *stroke) {
	s.Card = small.Draw(t, "card") % len(p.Cards)
	switch eighth.Draw(t, "driver") {
	case 0, 1, 2:
		s.Kind, s.Session, s.T = engine.EvAnswer, 1, delays.Draw(t, "delay")
		s.OK, s.Late = eighth.Draw(t, "yes") < 6, eighth.Draw(t, "late") == 7
	case 3, 4:
		s.Kind = engine.EvRun
	case 5:
		s.Kind, s.On = engine.EvEnable, coin.Draw(t, "on")
	case 6:
		s.Kind = engine.EvFree
	case 7:
		s.Kind, s.Card = engine.EvRun, 0
		if coin.Draw(t, "user changes") {
			s.Kind, s.User = engine.EvUser, uint64(small.Draw(t, "user"))
			s.Parade = eighth.Draw(t, "parade") == 7 && eighth.Draw(t, "long") == 7
		}
	}
}

// drawRare draws what happens now and then: long gaps and steps back, the
// driver's report, a stop, a reply of another session.
func drawRare(t *rapid.T, s *stroke) {
	s.Kind = engine.EvTick
	switch eighth.Draw(t, "rare") {
	case 0, 1, 2:
		s.T, s.Lasting = strides.Draw(t, "stride"), coin.Draw(t, "lasting")
	case 3, 4:
		s.Kind, s.Actuator = engine.EvOverride, targets.Draw(t, "whose")
		s.Value = setting(s.Actuator, eighth.Draw(t, "hand"))
	case 5:
		s.Kind = rapid.SampledFrom([]engine.EventKind{engine.EvTick, engine.EvStop, engine.EvSleep}).Draw(t, "stop")
	case 6:
		s.Kind, s.Bus, s.Link = engine.EvLink, small.Draw(t, "bus")%2, engine.Link(eighth.Draw(t, "link")%engine.Links)
	case 7:
		if s.Kind, s.Session = engine.EvReply, 2; coin.Draw(t, "lost") {
			s.Kind, s.Count = engine.EvLost, uint64(small.Draw(t, "count"))
		}
	}
}

// drawFrame draws a frame; the first of a stream samples nearly everything.
func drawFrame(t *rapid.T, p *engine.Program, first bool) (list []engine.Sample) {
	sampled := make([]bool, len(p.Signals))
	if first {
		for i := range sampled {
			sampled[i] = eighth.Draw(t, "absent") < 7
		}
	} else {
		for range 1 + small.Draw(t, "signals")/2 {
			sampled[eighth.Draw(t, "signal")%len(sampled)] = true
		}
	}
	for slot := range p.Signals {
		if sampled[slot] {
			list = append(list, drawSample(t, &p.Signals[slot], slot, first))
		}
	}
	return list
}

func drawSample(t *rapid.T, signal *engine.Signal, slot int, valid bool) engine.Sample {
	s := engine.Sample{Slot: slot, Valid: valid || eighth.Draw(t, "valid") < 7}
	if !s.Valid {
		return s
	}
	switch signal.Type {
	case engine.Bool:
		s.Num = float64(1 - eighth.Draw(t, "value")/6)
	case engine.Label:
		s.Num = float64(small.Draw(t, "value") % 3)
	default:
		s.Num = float64(small.Draw(t, "value"))
		if eighth.Draw(t, "between") == 7 {
			s.Num += 0.5
		}
		if signal.Path == "S" && coin.Draw(t, "standing") {
			s.Num = 0
		}
	}
	return s
}
