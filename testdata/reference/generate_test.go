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
)

func drawCard(t *rapid.T, p *engine.Program, id string) engine.Card {
	c := engine.Card{ID: id, Priority: priority.Draw(t, "priority"), Cooldown: perhaps.Draw(t, "cooldown"),
		Restart: eighth.Draw(t, "reentry") > 5, Manual: coin.Draw(t, "manual")}
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
		c.OnlyIf = append(c.OnlyIf, drawCond(t, p, nil, 2))
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

// The wall clock of cases is about dawn at the stream's zero: 06:29:58, an hour
// east of UTC.
const (
	dawn   = 1774762198 * int64(1e9) // 2026-03-29T05:29:58Z, a Sunday
	minute = 60 * 1000 * ms
	hour   = 60 * minute
)

var (
	ats     = rapid.SampledFrom([]int64{6*hour + 30*minute, 6*hour + 31*minute, 7*hour + 30*minute, 5*hour + 30*minute, 9*hour + 30*minute, 3*hour + 29*minute, 0})
	days    = rapid.SampledFrom([]uint8{127, 127, 1, 2, 64})
	offsets = rapid.SampledFrom([]int64{0, 0, 1000 * ms, -1000 * ms, minute, hour, -hour, 12 * hour})
	drifts  = rapid.SampledFrom([]int64{0, 0, 400 * ms, 1000 * ms, -1000 * ms, minute, -minute, hour, -hour, 177 * minute, -177 * minute, 191 * minute, -191 * minute})
	zones   = rapid.SampledFrom([]int64{3600, 3600, 7200, 0})
	changes = rapid.SampledFrom([]int64{0, 0, 1000 * ms, 3000 * ms, minute})
	places  = rapid.SampledFrom([]int64{0, 0, -minute, minute, 1000 * ms, -hour, hour, 4 * hour})
)

// drawWallTrigger draws what the wall clock brings.
func drawWallTrigger(t *rapid.T) engine.Trigger {
	switch eighth.Draw(t, "wall") / 2 {
	case 2:
		return engine.Trigger{Op: engine.Sunrise, Offset: offsets.Draw(t, "offset")}
	case 3:
		return engine.Trigger{Op: engine.Sunset, Offset: offsets.Draw(t, "offset")}
	}
	return engine.Trigger{Op: engine.WallTime, At: ats.Draw(t, "at"), Days: days.Draw(t, "on")}
}

// drawClock draws what is known of the wall clock at a time that is added later.
func drawClock(t *rapid.T, p *engine.Program) *engine.Clocking {
	c := &engine.Clocking{}
	if eighth.Draw(t, "trusted") == 7 && !has(p, engine.WallTime, engine.WallTime) {
		return c
	}
	c.Trusted, c.Wall, c.Offset = true, dawn+drifts.Draw(t, "drift"), zones.Draw(t, "zone")
	if has(p, engine.WallTime, engine.WallTime) {
		c.Wall, c.Offset = dawn+(c.Wall-dawn)%(20*minute), 3600
	}
	if next := changes.Draw(t, "next"); next > 0 {
		c.Next, c.NextOffset = c.Wall+next, c.Offset+rapid.SampledFrom([]int64{3600, -3600}).Draw(t, "change")
	}
	if eighth.Draw(t, "sun") < 7 {
		c.Rise = suns(c.Wall, dawn+5000*ms+places.Draw(t, "place"))
		c.Set = suns(c.Wall, dawn+9000*ms+places.Draw(t, "evening"))
	}
	return c
}

// suns are the latest and the next of what comes every 24 h.
func suns(wall, one int64) [2]int64 {
	for one > wall {
		one -= 24 * hour
	}
	for one+24*hour <= wall {
		one += 24 * hour
	}
	return [2]int64{one, one + 24*hour}
}

// at puts a clock at a time of the stream.
func at(c *engine.Clocking, t int64) *engine.Clocking {
	moved := *c
	if !c.Trusted {
		return &moved
	}
	moved.Wall += t
	if c.Next != 0 {
		moved.Next += t
	}
	if c.Rise[0] != 0 {
		moved.Rise, moved.Set = suns(moved.Wall, c.Rise[0]), suns(moved.Wall, c.Set[0])
	}
	return &moved
}

// drawWindow draws a window over a number.
func drawWindow(t *rapid.T) engine.Trigger {
	g := engine.Trigger{
		Op: engine.Rate + engine.TriggerOp(eighth.Draw(t, "figure")/2), Slot: rapid.SampledFrom([]int{slotA, slotB}).Draw(t, "window of"),
		X: rapid.SampledFrom([]float64{1, 2, 0, 1.5, 3, -1}).Draw(t, "figure above"), Below: coin.Draw(t, "below"), Over: long.Draw(t, "over"),
	}
	if g.Op == engine.Avg {
		g.X += 0.0137 // the text says nothing of rounding: no mean comes so near
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

func drawCond(t *rapid.T, p *engine.Program, out engine.Cond, depth int) engine.Cond {
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

// drawTruth draws an expression that is true or false, in postfix order.
func drawTruth(t *rapid.T, out engine.Expr, depth int) engine.Expr {
	kind := eighth.Draw(t, "truth")
	if depth == 0 && kind > 3 {
		kind -= 4
	}
	switch kind {
	case 0:
		return append(out, engine.Term{Op: engine.Reading, Slot: slotD, X: 1})
	case 1:
		label := float64(small.Draw(t, "label") % 3)
		return append(out, engine.Term{Op: engine.Reading, Slot: slotL, X: 1}, engine.Term{Op: engine.Constant, X: label},
			engine.Term{Op: engine.Equal + engine.TermOp(small.Draw(t, "equal")%2)})
	case 4:
		return append(drawTruth(t, out, depth-1), engine.Term{Op: engine.Invert})
	case 5, 6:
		out = drawTruth(t, drawTruth(t, out, depth-1), depth-1)
		return append(out, engine.Term{Op: engine.Both + engine.TermOp(kind-5)})
	case 7:
		out = drawNumber(t, drawNumber(t, drawNumber(t, out, 1), 1), 1)
		return append(out, engine.Term{Op: engine.Inside})
	}
	out = drawNumber(t, drawNumber(t, out, 2), 2)
	return append(out, engine.Term{Op: engine.Less + engine.TermOp(eighth.Draw(t, "compare")%6)})
}

// drawNumber draws an expression that is a number.
func drawNumber(t *rapid.T, out engine.Expr, depth int) engine.Expr {
	kind := eighth.Draw(t, "number")
	if depth == 0 {
		kind %= 3
	}
	switch kind {
	case 0:
		return append(out, engine.Term{Op: engine.Constant, X: float64(small.Draw(t, "constant"))})
	case 1, 2:
		return append(out, engine.Term{Op: engine.Reading, Slot: rapid.SampledFrom([]int{slotA, slotB, slotF, slotS, slotG}).Draw(t, "reads"),
			X: rapid.SampledFrom([]float64{1, 1, 0.1, 1e308}).Draw(t, "factor"), Y: float64(small.Draw(t, "shift") / 3)})
	case 3:
		return append(drawNumber(t, out, depth-1), engine.Term{Op: engine.Negate + engine.TermOp(small.Draw(t, "sign")%2)})
	}
	out = drawNumber(t, drawNumber(t, out, depth-1), depth-1)
	return append(out, engine.Term{Op: engine.Add + engine.TermOp(eighth.Draw(t, "operator")%6)})
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
	reached := int64(0)
	for i := range list {
		step := list[i].T
		list[i].T += reached
		if c := list[i].Clock; c != nil {
			list[i].Clock = at(c, list[i].T)
		}
		if loops && i > 0 && list[i].Kind == engine.EvFrame {
			list[i].Samples, list[i].Echo = []engine.Sample{{Slot: p.Actuators[0].Readback, Valid: true}}, true
		}
		if step > 0 || list[i].Lasting {
			reached = list[i].T
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
	case kind == 2 && watchesClock(p):
		s.Kind, s.Clock = engine.EvClock, drawClock(t, p)
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
	case 3:
		s.Kind = engine.EvRun
	case 4:
		s.Kind, s.Clock = engine.EvClock, drawClock(t, p)
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

// watchesClock tells whether a card has a wall trigger.
func watchesClock(p *engine.Program) bool {
	return has(p, engine.WallTime, engine.Sunset)
}

// has tells whether a card has a trigger of those from first to last.
func has(p *engine.Program, first, last engine.TriggerOp) bool {
	return slices.ContainsFunc(p.Cards, func(c engine.Card) bool {
		return slices.ContainsFunc(c.When, func(w engine.Trigger) bool { return w.Op >= first && w.Op <= last })
	})
}

// drawRare draws what happens now and then: long gaps and steps back, the
// driver's report, a stop, a reply of another session.
func drawRare(t *rapid.T, s *stroke) {
	s.Kind = engine.EvTick
	switch eighth.Draw(t, "rare") {
	case 0:
		s.T, s.Lasting = strides.Draw(t, "stride"), coin.Draw(t, "lasting")
	case 3:
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
	default:
		s.Kind, s.Occur, s.OK = engine.EvOccur, eighth.Draw(t, "occurs")%len(occurs), eighth.Draw(t, "found") < 6
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
			list = append(list, drawSample(t, &p.Signals[slot], slot, first || recovers(p, slot)))
		}
	}
	return list
}

// recovers tells whether a trigger waits for a signal to recover that its bus
// alone can silence.
func recovers(p *engine.Program, slot int) bool {
	return p.Signals[slot].StaleAfter == 0 && slices.ContainsFunc(p.Cards, func(c engine.Card) bool {
		return slices.ContainsFunc(c.When, func(w engine.Trigger) bool { return w.Op == engine.Recovered && w.Slot == slot })
	})
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
		if signal.Path == "Private.S" && coin.Draw(t, "standing") {
			s.Num = 0
		}
	}
	return s
}
