package drive_test

import (
	"flag"
	"fmt"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"vignette/scenes"
	"vignette/scenes/engine"
)

// TestAnyCardsOnAnyStream: whatever cards check passes and whatever the bus, the
// services and the driver do, no rule that watch_test.go holds is broken.
func TestAnyCardsOnAnyStream(t *testing.T) {
	v, err := provingVehicle(t, provingProfile)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"rapid.checks": "3000", "rapid.nofailfile": "true"} { // -short makes a fifth of it
		if err := flag.Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
	seen := tally{counts: map[string]int{}}
	rapid.Check(t, func(rt *rapid.T) { tryAnything(rt, v, &seen) })
	if !t.Failed() && !testing.Short() {
		seen.check(t)
	}
}

// tally counts what the cases came to, so that poor cases cannot pass for
// safety.
type tally struct {
	sync.Mutex
	counts map[string]int
}

func (y *tally) add(w *watch) {
	y.Lock()
	defer y.Unlock()
	for i := range w.log {
		r := &w.log[i]
		why, _, _ := strings.Cut(r.Why, ":")
		y.counts[r.What.String()+" "+why]++
		if r.What == engine.Acted && w.log[r.Cause-1].What == engine.Ended && r.Action == "set" {
			y.counts["returned"]++
		}
	}
}

func (y *tally) check(t *testing.T) {
	t.Helper()
	for _, want := range []string{"acted ", "fired trigger[0]", "returned", "denied state", "denied interval", "denied base", "lost winner", "asked ", "confirmed ",
		"declined no", "failed error", "failed timeout", "failed readback", "ended duration", "ended state", "ended override", "ended quarantined",
		"ended error", "ended disabled", "ended user", "ended sleep", "override ", "blocked depth", "blocked cooldown", "quarantined fires", "unknown stale", "dropped reply"} {
		if y.counts[want] == 0 {
			t.Errorf("no case showed %q; they showed %v", want, y.counts)
		}
	}
}

var (
	values   = rapid.SampledFrom([]int{60, 30, 0, 80, 20, 10, 40})
	leases   = rapid.SampledFrom([]string{"10s", "2s", "500ms", "1m", "10m", "20s"})
	atEnds   = rapid.SampledFrom([]string{"", ", at_end: leave", ", at_end: {set: 10}", ""})
	goOns    = rapid.SampledFrom([]string{"", ", on_error: continue"})
	targets  = rapid.SampledFrom([]string{fan, seat, roof, fan})
	triggers = rapid.SampledFrom([]string{"event: go", "signal: Private.Bench.A, changes: true", "signal: Private.Bench.A, rises_above: 2",
		"signal: Private.Bench.B, falls_below: 2, held_for: 1s", "signal: " + fan + ", becomes: 30, unit: percent", "signal: " + fan + ", becomes: 60, unit: percent",
		"signal: " + seat + ", changes: true", "signal: Vehicle.Speed, stale_for: 3s", "button: star"})
	onlyIfs   = rapid.SampledFrom([]string{"", "{state: parked}", "{not: {state: moving}}", "{signal: Private.Bench.B, below: 3}"})
	cooldowns = rapid.SampledFrom([]string{"", "cooldown: 10s", "cooldown: 7m", "cooldown: 1h"})
	ranks     = rapid.SampledFrom([]int{0, 0, 5, -5})
	strides   = rapid.SampledFrom([]int64{100 * ms, 500 * ms, 1, 2 * second, 5 * second, 0, 61 * second, 11 * minute})
	few       = rapid.IntRange(0, 4)
	coin      = rapid.Bool()
	dice      = rapid.IntRange(0, 99)
	answers   = rapid.IntRange(0, 9)
)

// anyCard draws a card that check passes.
func anyCard(t *rapid.T, id string) string {
	var when, then, more []string
	for range 1 + few.Draw(t, "triggers")/3 {
		when = append(when, triggers.Draw(t, "trigger"))
	}
	sets := map[string]bool{}
	for range 1 + few.Draw(t, "actions") {
		switch n := dice.Draw(t, "action"); {
		case n < 55:
			path := targets.Draw(t, "actuator")
			sets[path] = true
			end := atEnds.Draw(t, "at_end")
			if path == roof && end == "" {
				end = ", at_end: {set: 0}" // nothing reads its base
			}
			then = append(then, set(path, values.Draw(t, "value"), leases.Draw(t, "lease"), end+goOns.Draw(t, "on_error")))
		case n < 70:
			then = append(then, "wait: "+rapid.SampledFrom([]string{"1s", "300ms", "20s"}).Draw(t, "wait"))
		case n < 80:
			then = append(then, "do: tip"+goOns.Draw(t, "on_error"))
		case n < 90 && sets[fan]:
			then = append(then, "release: "+fan)
		default:
			then = append(then, "do: mark")
		}
	}
	if cond := onlyIfs.Draw(t, "only_if"); cond != "" {
		more = append(more, "only_if:", "  - "+cond)
	}
	if c := cooldowns.Draw(t, "cooldown"); c != "" {
		more = append(more, c)
	}
	more = append(more, fmt.Sprintf("priority: %d", ranks.Draw(t, "priority")), fmt.Sprintf("manual: %v", coin.Draw(t, "manual")))
	if coin.Draw(t, "restart") {
		more = append(more, "reentry: restart")
	}
	return scene(id, when, then, more...)
}

// tryAnything is one case: some cards, and a drive of some strides.
func tryAnything(t *rapid.T, v *scenes.Vehicle, seen *tally) {
	var cards []string
	for i := range 1 + few.Draw(t, "cards") {
		cards = append(cards, anyCard(t, string(rune('a'+i))))
	}
	prog, err := compileScenes(v, cards...)
	if err != nil {
		t.Fatalf("%v\n%s", err, strings.Join(cards, "\n"))
	}
	p := prove(t, prog)
	p.serve = func(*engine.Call) (int64, bool, bool) {
		switch answers.Draw(t, "answer") {
		case 7:
			return 20 * ms, false, true
		case 8:
			return 600 * ms, true, true // its limit is over
		case 9:
			return 0, false, false
		}
		return rapid.SampledFrom([]int64{50 * ms, 0, 490 * ms}).Draw(t, "after"), true, true
	}
	w := world{proving: p, T: t, alone: coin.Draw(t, "without the driver")}
	if dice.Draw(t, "base") < 90 {
		p.frame(fanID, 20)
		p.frame(seatID, 20)
	}
	p.frame(aID, 0)
	p.frame(bID, 4)
	p.gear(park)
	p.speed(0)
	for range 10 + dice.Draw(t, "strides")/2 {
		w.stride()
	}
	p.run(p.now + 2*minute*10) // every lease is over
	p.watch.over(p.now)
	if w.alone {
		p.watch.certified()
	}
	if p.watch.broken != "" {
		t.Fatalf("%s\n%s", p.watch.broken, p.log())
	}
	seen.add(p.watch)
}

// world draws what happens around the cards.
type world struct {
	*proving
	*rapid.T
	alone bool // nobody runs, frees or enables cards, and no other user comes: what a certificate assumes
}

// stride lets some time go by, with the speed's frames coming or not, and then
// something happens.
func (w *world) stride() {
	until := w.now + strides.Draw(w.T, "stride")
	if v := dice.Draw(w.T, "speed"); v < 80 {
		kmh := 0
		if v >= 60 {
			kmh = 50
		}
		for t := max(w.now, until-5*second) + 500*ms; t < until; t += 500 * ms {
			w.at(t, func() { w.speed(kmh) })
		}
		w.at(until, func() { w.speed(kmh) })
	}
	w.run(until)
	w.happen()
}

func (w *world) happen() {
	switch n := dice.Draw(w.T, "happening"); {
	case n < 20:
		w.frame(aID, few.Draw(w.T, "A"))
	case n < 35:
		w.frame(bID, few.Draw(w.T, "B"))
	case n < 50:
		w.occur("event go")
	case n < 54:
		w.occur("button star")
	case n < 62:
		w.gear(rapid.SampledFrom([]int{park, gear}).Draw(w.T, "gear"))
	case n < 68:
		w.frame(fanID, rapid.SampledFrom([]int{30, 60, 20, 100, 0}).Draw(w.T, "fan"))
	case n < 72:
		w.frame(seatID, rapid.SampledFrom([]int{20, 60, 100}).Draw(w.T, "seat"))
	case n < 75:
		w.stopped = !w.stopped
	case n < 77:
		w.deaf = !w.deaf
	case n < 79:
		w.event(engine.Event{Kind: engine.EvOverride, Actuator: few.Draw(w.T, "actuator") % 3, Value: engine.Value{Kind: engine.Number, Num: 50}})
	case n < 80:
		w.event(engine.Event{Kind: engine.EvSleep})
	case n < 81:
		w.event(engine.Event{Kind: engine.EvLost, Count: 3})
	case n < 90:
		w.answer()
	case !w.alone:
		w.driver()
	}
}

// answer answers the newest question, if there is one, or one that is over.
func (w *world) answer() {
	i := len(w.watch.log) - 1
	for i >= 0 && w.watch.log[i].What != engine.Asked {
		i--
	}
	w.event(engine.Event{Kind: engine.EvAnswer, Session: 1, Ref: uint64(i + 1), OK: dice.Draw(w.T, "yes") < 70})
}

func (w *world) driver() {
	card := few.Draw(w.T, "card") % len(w.prog.Cards)
	switch few.Draw(w.T, "driver") {
	case 0:
		w.event(engine.Event{Kind: engine.EvRun, Card: card})
	case 1:
		w.event(engine.Event{Kind: engine.EvEnable, Card: card, On: coin.Draw(w.T, "on")})
	case 2:
		w.event(engine.Event{Kind: engine.EvFree, Card: card})
	case 3:
		w.user()
	default:
		w.occur(rapid.SampledFrom([]string{"ignition off", "ignition on"}).Draw(w.T, "ignition"))
	}
}

// user has another user drive; the watch is told whose cards are off.
func (w *world) user() {
	w.event(engine.Event{Kind: engine.EvUser, User: uint64(few.Draw(w.T, "user"))})
	for i := range w.prog.Cards {
		s := w.pump.State()
		if id := w.prog.Cards[i].ID; !s.Enabled(i) || s.Quarantined(i) {
			w.watch.off[id] = true
		}
	}
}

// TestWatchSees: the watch sees what it is there for. The cards run under the
// profile's limits, and the watch is told stricter ones.
func TestWatchSees(t *testing.T) {
	v, err := provingVehicle(t, strings.Replace(provingProfile, "fires: 5", "fires: 1000", 1))
	if err != nil {
		t.Fatal(err)
	}
	build := func() *scenes.Program {
		prog, err := compileScenes(v, scene("a", onGo, []string{set(fan, 80, "1m", "")}))
		if err != nil {
			t.Fatal(err)
		}
		return prog
	}
	for want, tighten := range map[string]func(p *engine.Program){
		"":                       func(*engine.Program) {},
		"is not within 0 and 60": func(p *engine.Program) { p.Actuators[0].Max = 60 },
		"is not on the grid":     func(p *engine.Program) { p.Actuators[0].Step = 50 },
		"in drive state 2":       func(p *engine.Program) { p.Actuators[0].States = 3 },
		"min_interval is 5000":   func(p *engine.Program) { p.Actuators[0].MinInterval = 5 * second },
		"keeps cards off":        func(p *engine.Program) { p.Actuators[0].Holdoff = 20 * minute },
		"did not agree":          func(p *engine.Program) { p.Actuators[0].Confirm = second },
		"a lease of 60000":       func(p *engine.Program) { p.Actuators[0].MaxLease = 30 * second },
		"may never be set":       func(p *engine.Program) { p.Actuators[0].Forbidden = true },
		"may be sent up to 500":  func(p *engine.Program) { p.Actuators[0].Within = 400 * ms },
		"its certificate says":   func(p *engine.Program) { p.Cards[0].Cooldown = 20 * minute },
	} {
		told := &firstFault{}
		strict := build()
		tighten(&strict.Engine)
		p := proveAgainst(told, build(), strict)
		p.stand(100 * second)
		p.every(3*second, 2*second, 8*second, func(int) { p.occur("event go") })
		p.at(15*second, func() { p.frame(fanID, 0) })
		p.every(100*second, 620*second, 1000*second, func(int) { p.occur("event go") })
		p.run(2000 * second)
		p.watch.certified()
		p.watched()
		if !strings.Contains(told.text, want) || want == "" && told.text != "" {
			t.Errorf("told %q, want %q", told.text, want)
		}
	}
}

// firstFault keeps the first thing that a trial fails with.
type firstFault struct{ text string }

func (*firstFault) Helper() {}

func (f *firstFault) Fatalf(format string, args ...any) {
	if f.text == "" {
		f.text = fmt.Sprintf(format, args...)
	}
}
