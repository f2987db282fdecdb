//go:build oracle

package drive

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"vignette/scenes"
	"vignette/scenes/engine"
	"vignette/testdata/oracle"
)

var (
	modelCases = flag.Int("model.cases", 2000, "random cases that the engine and testdata/meaning/model.py both run")
	modelSeed  = flag.Uint64("model.seed", 1, "seed of the random cases")
)

// TestModel runs random cases through the engine and through model.py, a
// reading of *Meaning* of its own, and compares the whole logs.
func TestModel(t *testing.T) {
	var wg sync.WaitGroup
	var tally modelTally
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		m := startModel(t)
		wg.Go(func() {
			defer m.close()
			for i := w; i < *modelCases && !tally.full(); i += workers {
				m.compare(&tally, *modelSeed, uint64(i))
			}
		})
	}
	wg.Wait()
	tally.report(t)
}

// Cases.

// modelCase is a profile, cards and a stream, as model.py reads them.
type modelCase struct {
	Profile modelProfile       `json:"profile"`
	Cards   []modelCard        `json:"cards"`
	Judged  bool               `json:"judged"`
	Factors map[string]float64 `json:"factors"`
	Stream  []modelEvent       `json:"stream"`
}

type object = map[string]any

type modelProfile struct {
	Schema     int                      `json:"schema"`
	ID         string                   `json:"id"`
	Version    int                      `json:"version"`
	Buses      object                   `json:"buses"`
	Signals    map[string]modelSignal   `json:"signals"`
	States     modelStates              `json:"states"`
	Actuators  map[string]modelActuator `json:"actuators"`
	Actions    map[string]modelAction   `json:"actions"`
	Quarantine object                   `json:"quarantine"`
}

type modelSignal struct {
	From    string         `json:"from"`
	Unit    string         `json:"unit,omitempty"`
	Stale   string         `json:"stale_after"`
	Values  map[string]any `json:"values,omitempty"`
	Invalid []int64        `json:"invalid,omitempty"`
}

// modelStates keeps the order of the states.
type modelStates struct {
	Parked object `json:"parked"`
	Idling object `json:"idling"`
}

type modelActuator struct {
	Type        string   `json:"type"`
	Unit        string   `json:"unit,omitempty"`
	Values      []string `json:"values,omitempty"`
	Min         *int     `json:"min,omitempty"`
	Max         *int     `json:"max,omitempty"`
	Step        int      `json:"step,omitempty"`
	Slew        string   `json:"slew,omitempty"`
	MinInterval string   `json:"min_interval,omitempty"`
	MaxLease    string   `json:"max_lease"`
	States      []string `json:"states"`
	EndStates   []string `json:"end_states,omitempty"`
	Holdoff     string   `json:"manual_holdoff"`
	Call        object   `json:"call,omitempty"`
	Readback    object   `json:"readback,omitempty"`
}

type modelAction struct {
	Params      object   `json:"params"`
	States      []string `json:"states"`
	MinInterval string   `json:"min_interval,omitempty"`
	Call        object   `json:"call,omitempty"`
}

type modelCard struct {
	Schema   int      `json:"schema"`
	ID       string   `json:"id"`
	Version  string   `json:"version"`
	Title    object   `json:"title"`
	When     []object `json:"when"`
	OnlyIf   []object `json:"only_if,omitempty"`
	Then     []object `json:"then"`
	Cooldown string   `json:"cooldown,omitempty"`
	Priority int      `json:"priority,omitempty"`
}

// modelEvent is one event of a stream. A reply knows its call by key, so that
// it finds it again in a smaller case.
type modelEvent struct {
	T     int64
	Kind  string // frame, reply, override, tick
	Raws  map[string]int64
	Key   string // of the `acted` record; empty: N as it stands
	N     uint64
	OK    bool
	Path  string
	Value any
}

// MarshalJSON writes the list that model.py reads.
func (e *modelEvent) MarshalJSON() ([]byte, error) {
	list := []any{e.T, e.Kind}
	switch e.Kind {
	case "frame":
		list = append(list, e.Raws)
	case "reply":
		list = append(list, e.N, e.outcome())
	case "override":
		list = append(list, e.Path, e.Value)
	}
	return json.Marshal(list)
}

func (e *modelEvent) outcome() string {
	if e.OK {
		return "ok"
	}
	return "error"
}

// The signals that random cases use, with the raw values that they take.
type benchSignal struct {
	path, from, unit string
	raws             []int64
	values           map[string]any
	equal            bool // whole, boolean or labelled
}

const (
	benchInvalid = -99 // a raw value that no signal accepts
	benchHalf    = "Private.Bench.Half"
	fanDriver    = "Vehicle.Cabin.HVAC.Station.Row1.Driver.FanSpeed"
	fanPassenger = "Vehicle.Cabin.HVAC.Station.Row1.Passenger.FanSpeed"
	fanRear      = "Vehicle.Cabin.HVAC.Station.Row2.Driver.FanSpeed"
	lightDriver  = "Vehicle.Cabin.Light.AmbientLight.Row1.DriverSide.Intensity"
	speedPath    = "Vehicle.Speed"
	doorPath     = "Vehicle.Cabin.Door.Row1.DriverSide.IsOpen"
	powerPath    = "Vehicle.LowVoltageSystemState"
	gearPath     = "Vehicle.Powertrain.Transmission.SelectedGear"
)

// The actuators: of numbers, of a boolean and of labels. All but the light are
// read back by the signal of their own path.
var benchActuators = []string{fanDriver, fanPassenger, fanRear, lightDriver, doorPath, powerPath}

var powerLabels = []string{"LOCK", "ACC", "ON"}

var fanRaws = []int64{0, 10, 15, 20, 25, 30, 40, 50, 55, 60, 70, 80}

var benchSignals = []benchSignal{
	{speedPath, "b.MSpeed.Speed", "km/h", []int64{0, 0, 0, 1, 5, 10, 11}, nil, true},
	{"Vehicle.AverageSpeed", "b.MMeanSpeed.MeanSpeed", "mph", []int64{0, 4, 5, 6, 7, 9}, nil, false},
	{gearPath, "b.MGear.Gear", "", []int64{126, 126, 126, 127, 0}, nil, true},
	{powerPath, "b.MPowerState.PowerState", "", []int64{0, 2, 3}, map[string]any{"0": "LOCK", "2": "ACC", "3": "ON"}, true},
	{"Vehicle.Cabin.HVAC.AmbientAirTemperature", "b.MAmbientTemp.AmbientTemp", "Celsius", []int64{29, 30, 31, 32, 33}, nil, true},
	{doorPath, "b.MDriverDoor.DriverDoor", "", []int64{0, 1}, map[string]any{"0": false, "1": true}, true},
	{fanDriver, "b.MDriverFan.DriverFan", "percent", fanRaws, nil, true},
	{fanPassenger, "b.MPassengerFan.PassengerFan", "percent", fanRaws, nil, true},
	{fanRear, "b.MRearFan.RearFan", "percent", fanRaws, nil, true},
	{"Private.Bench.A", "b.MBenchA.BenchA", "", []int64{0, 1, 2, 3}, nil, true},
	{"Private.Bench.B", "b.MBenchB.BenchB", "", []int64{0, 1, 2}, nil, true},
	{"Private.Bench.C", "b.MBenchC.BenchC", "", []int64{0, 1}, nil, true},
	{benchHalf, "b.MBenchHalf.BenchHalf", "", []int64{0, 1, 2, 3, 4, 5}, nil, false},
}

// generator makes random cases.
type generator struct {
	*rand.Rand
	c       modelCase
	signals []*benchSignal // those that the cards may name
	sets    []string       // actuators that the cards may set
	grid    bool           // all times are multiples of 250 ms
}

func pick[T any](g *generator, list ...T) T { return list[g.IntN(len(list))] }

func (g *generator) chance(percent int) bool { return g.IntN(100) < percent }

func generate(seed, number uint64) *generator {
	g := &generator{Rand: rand.New(rand.NewPCG(seed, number))}
	g.c.Judged, g.grid = g.chance(70), g.chance(50)
	g.c.Factors = map[string]float64{benchHalf: 0.5}
	for i := range benchSignals {
		if g.chance(40) {
			g.signals = append(g.signals, &benchSignals[i])
		}
	}
	if len(g.signals) == 0 {
		g.signals = append(g.signals, &benchSignals[9])
	}
	g.sets = append([]string{}, benchActuators...)
	g.Shuffle(len(g.sets), func(i, j int) { g.sets[i], g.sets[j] = g.sets[j], g.sets[i] })
	g.sets = g.sets[:1+g.IntN(3)]
	g.profile()
	for _, id := range []string{"a", "b", "c", "d", "e", "f"}[:1+g.IntN(6)] {
		g.c.Cards = append(g.c.Cards, g.card(id))
	}
	return g
}

func (g *generator) profile() {
	p := modelProfile{Schema: 1, ID: "bench", Version: 1,
		Buses:      object{"b": object{"dbc": []string{"bench.dbc"}, "interface": "can0", "fd": false}},
		Signals:    map[string]modelSignal{},
		Actuators:  map[string]modelActuator{},
		Actions:    map[string]modelAction{},
		Quarantine: object{"fires": pick(g, 2, 4, 8, 50, 50), "within": pick(g, "2s", "5s", "20s", "60s")},
	}
	still := object{"signal": speedPath, "between": []any{-0.5, 0.5}, "unit": "km/h"}
	p.States = modelStates{object{"all": []object{{"signal": gearPath, "is": 126}, still}}, still}
	for i := range benchSignals {
		s := &benchSignals[i]
		m := modelSignal{From: s.from, Unit: s.unit, Stale: pick(g, "never", "never", "never", "1s", "2s", "5s"), Values: s.values}
		if s.values == nil {
			m.Invalid = []int64{benchInvalid}
		}
		p.Signals[s.path] = m
	}
	for _, path := range benchActuators {
		p.Actuators[path] = g.actuator(path)
	}
	p.Actions["notify"] = g.action(object{"text": "localized"}, []string{"{lang}", "{text}"})
	p.Actions["tip"] = g.action(object{"text": "localized"}, []string{"{lang}", "{text}"})
	p.Actions["mark"] = modelAction{Params: object{}, States: g.states()}
	g.c.Profile = p
}

func (g *generator) states() []string {
	return pick(g, []string{"parked", "idling", "moving"}, []string{"parked", "idling", "moving"}, []string{"parked"}, []string{"parked", "idling"})
}

func (g *generator) actuator(path string) modelActuator {
	low, high := 0, 80
	a := modelActuator{Type: "uint8", Unit: "percent", Min: &low, Max: &high, Step: pick(g, 0, 10, 10, 10, 20), Slew: pick(g, "", "20/s", "40/s")}
	switch path {
	case doorPath:
		a = modelActuator{Type: "boolean"}
	case powerPath:
		a = modelActuator{Type: "string", Values: powerLabels}
	}
	a.MaxLease, a.MinInterval, a.States, a.Holdoff = "30m", pick(g, "", "0s", "500ms", "2s"), g.states(), pick(g, "0s", "2s", "5s", "20s")
	if g.chance(30) {
		a.EndStates = g.states()
	}
	if g.chance(85) {
		a.Call = g.call([]string{"{actuator}", "{value}", "{lease_ms}"})
		a.Call["signature"] = map[string]string{"uint8": "sdu", "boolean": "sbu", "string": "ssu"}[a.Type]
	}
	if path != lightDriver && g.chance(90) {
		a.Readback = object{"signal": path, "within": pick(g, "500ms", "1s", "2s", "2s")}
	}
	return a
}

func (g *generator) action(params object, args []string) modelAction {
	a := modelAction{Params: params, States: g.states(), MinInterval: pick(g, "", "0s", "1s", "5s")}
	if g.chance(70) {
		a.Call = g.call(args)
		a.Call["signature"] = "ss"
	}
	return a
}

func (g *generator) call(args []string) object {
	return object{"bus": "system", "service": "org.example.A1", "path": "/org/example/A1", "interface": "org.example.A1",
		"member": "Set", "args": args, "within": pick(g, "250ms", "500ms", "1s", "3s")}
}

func (g *generator) card(id string) modelCard {
	c := modelCard{Schema: 1, ID: id, Version: "1.0.0", Title: object{"en": id}, Cooldown: pick(g, "", "", "0s", "500ms", "2s", "5s"),
		Priority: pick(g, 0, 0, 0, 0, 1, 5, -3)}
	for range pick(g, 1, 1, 2, 3) {
		c.When = append(c.When, g.trigger())
	}
	for range pick(g, 0, 0, 0, 1, 2) {
		c.OnlyIf = append(c.OnlyIf, g.condition(2))
	}
	for range 1 + g.IntN(4) {
		c.Then = append(c.Then, g.step())
	}
	return c
}

func (g *generator) signal() (*benchSignal, object) {
	s := pick(g, g.signals...)
	o := object{"signal": s.path}
	if s.unit != "" {
		o["unit"] = s.unit
	}
	return s, o
}

// limit is a number among a signal's values, in the profile's unit.
func (g *generator) limit(s *benchSignal) float64 {
	v := float64(pick(g, s.raws...))
	if s.path == benchHalf {
		v /= 2
	}
	return v
}

// equal is a value that the signal can be.
func (g *generator) equal(s *benchSignal) any {
	raw := pick(g, s.raws...)
	if s.values != nil {
		return s.values[fmt.Sprint(raw)]
	}
	return raw
}

func (g *generator) trigger() object {
	s, o := g.signal()
	kinds := []string{"changes"}
	if s.values == nil {
		kinds = append(kinds, "rises_above", "falls_below", "rises_above", "falls_below")
	}
	if s.equal {
		kinds = append(kinds, "becomes", "leaves", "becomes")
	}
	kind := pick(g, kinds...)
	switch kind {
	case "changes":
		o["changes"] = true
		delete(o, "unit")
	case "becomes", "leaves":
		o[kind] = g.equal(s)
	default:
		x := g.limit(s)
		o[kind] = x
		band := map[string]string{"rises_above": "rearm_below", "falls_below": "rearm_above"}[kind]
		sign := map[string]float64{"rises_above": -1, "falls_below": 1}[kind]
		if g.chance(50) {
			o[band] = x + sign*float64(g.IntN(3))
		}
	}
	if kind != "changes" && kind != "leaves" && g.chance(35) {
		o["held_for"] = pick(g, "250ms", "500ms", "1s", "2s", "5s")
	}
	return o
}

func (g *generator) condition(depth int) object {
	if depth > 0 && g.chance(40) {
		kind := pick(g, "all", "any", "not")
		if kind == "not" {
			return object{kind: g.condition(depth - 1)}
		}
		var list []object
		for range 1 + g.IntN(3) {
			list = append(list, g.condition(depth-1))
		}
		return object{kind: list}
	}
	if g.chance(25) {
		return object{"state": pick(g, "parked", "idling", "moving")}
	}
	s, o := g.signal()
	if s.equal && (s.values != nil || g.chance(30)) {
		o[pick(g, "is", "is_not")] = g.equal(s)
		return o
	}
	if g.chance(30) {
		low := g.limit(s)
		o["between"] = []float64{low, low + float64(g.IntN(5))}
		return o
	}
	o[pick(g, "above", "below")] = g.limit(s)
	return o
}

func (g *generator) step() object {
	var o object
	switch g.IntN(8) {
	case 0:
		return object{"wait": pick(g, "250ms", "500ms", "1s", "2s")}
	case 1, 2:
		name := pick(g, "notify", "tip", "mark")
		o = object{"do": name}
		if name != "mark" {
			o["with"] = object{"text": object{"en": "x"}}
		}
	default:
		path := pick(g, g.sets...)
		o = object{"set": path, "to": g.command(path), "lease": pick(g, "500ms", "1s", "2s", "5s", "10s", "20s")}
		if path != doorPath && path != powerPath {
			o["unit"] = "percent"
		}
		if end := pick(g, any(nil), any(nil), any("restore"), any("leave"), any(object{"set": g.command(path)})); end != nil {
			o["at_end"] = end
		}
	}
	if g.chance(40) {
		o["on_error"] = "continue"
	}
	return o
}

// command is a value that an actuator can be set to.
func (g *generator) command(path string) any {
	switch path {
	case doorPath:
		return g.chance(50)
	case powerPath:
		return pick(g, powerLabels...)
	}
	return 20 * g.IntN(5)
}

// Running a case.

// modelRun is a case in the engine.
type modelRun struct {
	traceRun
	acted []engine.Record // calls and other acts, in order
}

func newModelRun(dir string, c *modelCase) (*modelRun, error) {
	prog, err := compileCase(dir, c)
	if err != nil {
		return nil, err
	}
	r := &modelRun{traceRun: traceRun{prog: prog, shown: map[uint64]int{}, real: []uint64{0}}}
	r.pump = NewPump(prog, 1, c.Judged, Output{Records: func(records []engine.Record) {
		for i := range records {
			if records[i].What == engine.Acted {
				r.acted = append(r.acted, records[i])
			}
		}
		r.take(records)
	}})
	return r, nil
}

var quotedNumber = regexp.MustCompile(`"(-?\d+)":`)

// compileCase loads a case's profile and cards.
func compileCase(dir string, c *modelCase) (*scenes.Program, error) {
	file := filepath.Join(dir, "vehicle.yaml")
	if err := os.WriteFile(file, profileText(c), 0o644); err != nil {
		return nil, err
	}
	v, err := scenes.LoadVehicle(file)
	if err != nil {
		return nil, err
	}
	var cards []*scenes.Card
	for i := range c.Cards {
		card, err := scenes.ParseCard(c.Cards[i].ID+".json", mustJSON(&c.Cards[i]))
		if err != nil {
			return nil, err
		}
		cards = append(cards, card)
	}
	return scenes.Compile(v, cards)
}

// profileText is the profile as the loader wants it: JSON, but raw values are
// keys without quotes.
func profileText(c *modelCase) []byte {
	return append(quotedNumber.ReplaceAll(mustJSON(&c.Profile), []byte("$1: ")), '\n')
}

func mustJSON(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return b
}

// actKey names an act without its number.
func actKey(rec *engine.Record) string {
	return fmt.Sprint(rec.T, rec.Card, rec.Action, rec.Actuator)
}

// feedEvent steps the engine; a reply looks up its record first.
func (r *modelRun) feedEvent(e *modelEvent) error {
	ev := engine.Event{T: e.T}
	switch e.Kind {
	case "tick":
		ev.Kind = engine.EvTick
	case "reply":
		ev.Kind, ev.Session, ev.OK = engine.EvReply, 1, e.OK
		if e.Key != "" {
			e.N = 999999
		}
		for i := range r.acted {
			if e.Key == actKey(&r.acted[i]) {
				e.N = r.acted[i].N
			}
		}
		ev.Ref = e.N
	case "override":
		act, ok := r.prog.Actuator(e.Path)
		if !ok {
			return fmt.Errorf("no actuator %s", e.Path)
		}
		ev.Kind, ev.Actuator, ev.Value = engine.EvOverride, act, overrideValue(e.Value)
	default:
		ev.Kind = engine.EvFrame
		for slot := range r.prog.Sources {
			if raw, ok := e.Raws[r.prog.Sources[slot].Path]; ok {
				num, valid, _ := r.prog.Sources[slot].Sample([]byte{byte(raw), byte(raw >> 8)})
				ev.Samples = append(ev.Samples, engine.Sample{Slot: slot, Valid: valid, Num: num})
			}
		}
	}
	return r.pump.step(&ev)
}

// overrideValue is the value of a report of the HMI.
func overrideValue(v any) engine.Value {
	switch v := v.(type) {
	case bool:
		if v {
			return engine.Value{Kind: engine.Bool, Num: 1}
		}
		return engine.Value{Kind: engine.Bool}
	case string:
		return engine.Value{Kind: engine.Label, Num: float64(slices.Index(powerLabels, v)), Text: v}
	}
	return engine.Value{Kind: engine.Number, Num: v.(float64)}
}

// runCase runs a whole case in the engine.
func runCase(dir string, c *modelCase) ([]string, error) {
	r, err := newModelRun(dir, c)
	if err != nil {
		return nil, err
	}
	for i := range c.Stream {
		if err := r.feedEvent(&c.Stream[i]); err != nil {
			return nil, err
		}
	}
	return r.got, nil
}

// The world that a random case is driven in: it answers calls and moves the
// actuators, well or badly.

type world struct {
	*generator
	run    *modelRun
	now    int64
	seen   int              // acts looked at
	open   []*engine.Record // calls not answered yet
	past   []*engine.Record // answered or given up
	at     map[string]int64 // where an actuator stands
	target map[string]int64
}

// drive makes the case's stream in lock step with the engine.
func (g *generator) drive(dir string) ([]string, error) {
	run, err := newModelRun(dir, &g.c)
	if err != nil {
		return nil, err
	}
	w := &world{generator: g, run: run, at: map[string]int64{}, target: map[string]int64{}}
	if g.chance(90) {
		w.first()
		if err := w.settle(); err != nil {
			return nil, err
		}
	}
	for range 40 + g.IntN(260) {
		w.event()
		if err := w.settle(); err != nil {
			return nil, err
		}
	}
	w.now += 100e9
	w.add(modelEvent{Kind: "tick"})
	return run.got, w.settle()
}

// settle feeds the event that was added last and notes what was acted.
func (w *world) settle() error {
	e := &w.c.Stream[len(w.c.Stream)-1]
	if err := w.run.feedEvent(e); err != nil {
		return err
	}
	for ; w.seen < len(w.run.acted); w.seen++ {
		rec := w.run.acted[w.seen]
		if rec.Actuator != "" {
			w.target[rec.Actuator] = int64(rec.Value.Num)
			if rec.Value.Kind == engine.Label { // the raw values of the labels are 0, 2, 3
				w.target[rec.Actuator] = []int64{0, 2, 3}[slices.Index(powerLabels, rec.Value.Text)]
			}
		}
		if w.calls(&rec) {
			w.open = append(w.open, &rec)
		}
	}
	return nil
}

// calls reports whether an act waits for a reply.
func (w *world) calls(rec *engine.Record) bool {
	if rec.Actuator != "" {
		return w.c.Profile.Actuators[rec.Actuator].Call != nil
	}
	return w.c.Profile.Actions[rec.Action].Call != nil
}

func (w *world) add(e modelEvent) {
	e.T = w.now
	w.c.Stream = append(w.c.Stream, e)
}

// first is one frame with every signal, parked.
func (w *world) first() {
	raws := map[string]int64{}
	for i := range benchSignals {
		raws[benchSignals[i].path] = benchSignals[i].raws[0]
	}
	w.add(modelEvent{Kind: "frame", Raws: raws})
}

// pass lets one of these times pass, in ms; where the case is on the grid of
// its durations, only a multiple of 250 ms, so that much happens at once.
func (w *world) pass(times ...int64) {
	ms := pick(w.generator, times...)
	if w.grid {
		ms -= ms % 250
	}
	w.now += ms * int64(time.Millisecond)
}

func (w *world) event() {
	if len(w.open) > 0 && w.c.Judged && w.chance(60) {
		w.pass(0, 0, 50, 100, 250)
		w.reply()
		return
	}
	w.pass(0, 0, 0, 100, 250, 250, 250, 500, 500, 1000, 1000, 2000)
	switch n := w.IntN(100); {
	case n < 2:
		back := w.now
		w.now = max(0, w.now-pick(w.generator, int64(250e6), 1e9, 5e9))
		w.frame()
		w.now = back
		if w.chance(30) {
			w.now -= min(back, 250e6)
		}
	case n < 3 && w.chance(30):
		w.now += 20e9
		w.add(modelEvent{Kind: "tick"})
	case n < 10:
		w.add(modelEvent{Kind: "tick"})
	case n < 13 && w.c.Judged:
		w.override()
	case n < 40 && w.c.Judged && (len(w.open) > 0 || w.chance(5)):
		w.reply()
	default:
		w.frame()
	}
}

func (w *world) override() {
	path := pick(w.generator, w.sets...)
	value := w.command(path)
	if _, number := value.(int); number {
		value = float64(pick(w.generator, fanRaws...))
	}
	w.add(modelEvent{Kind: "override", Path: path, Value: value})
}

func (w *world) reply() {
	e := modelEvent{Kind: "reply", N: 999999, OK: w.chance(75)}
	switch {
	case len(w.open) > 0 && w.chance(93):
		i := w.IntN(len(w.open))
		if w.chance(60) {
			i = len(w.open) - 1
		}
		e.Key = actKey(w.open[i])
		w.past = append(w.past, w.open[i])
		w.open = slices.Delete(w.open, i, i+1)
	case len(w.past) > 0 && w.chance(80):
		e.Key = actKey(pick(w.generator, w.past...))
	case w.chance(50):
		e.N = uint64(w.IntN(30))
	}
	w.add(e)
}

func (w *world) frame() {
	raws := map[string]int64{}
	for range pick(w.generator, 1, 1, 1, 2, 3) {
		if w.chance(40) {
			path := pick(w.generator, w.sets...)
			if path != lightDriver {
				raws[path] = w.readback(path)
				continue
			}
		}
		s := pick(w.generator, w.signals...)
		if w.chance(12) {
			s = &benchSignals[pick(w.generator, 0, 2)]
		}
		raws[s.path] = pick(w.generator, s.raws...)
		if w.chance(4) {
			raws[s.path] = benchInvalid
		}
	}
	w.add(modelEvent{Kind: "frame", Raws: raws})
}

// readback moves an actuator: along its ramp, to its end, not at all, or away.
func (w *world) readback(path string) int64 {
	at, target := w.at[path], w.target[path]
	if path == doorPath || path == powerPath {
		if w.chance(40) {
			target = pick(w.generator, int64(0), 1, 2, 3)
		}
		return target
	}
	switch n := w.IntN(100); {
	case n < 40:
		at = target
	case n < 65:
		at += max(-20, min(20, target-at))
	case n < 80:
	case n < 92:
		at = max(0, target+pick(w.generator, int64(-20), -10, -5, 5, 10, 20))
	default:
		at = pick(w.generator, fanRaws...)
	}
	w.at[path] = at
	return at
}

// The model.

type model struct {
	t   *testing.T
	dir string
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
	err bytes.Buffer
}

// startModel starts model.py.
func startModel(t *testing.T) *model {
	m := &model{t: t, dir: t.TempDir()}
	copyFile(t, filepath.Join(meaningDir, "bench.dbc"), filepath.Join(m.dir, "bench.dbc"))
	m.cmd = exec.Command(oracle.Interpreter(), filepath.Join(meaningDir, "model.py"))
	m.cmd.Stderr = &m.err
	in, err := m.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := m.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	m.in, m.out = in, bufio.NewReaderSize(out, 1<<20)
	if err := m.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return m
}

func (m *model) close() {
	m.in.Close()
	if err := m.cmd.Wait(); err != nil {
		m.t.Errorf("model.py: %v\n%s", err, &m.err)
	}
}

// modelAnswer is the model's log of a case, and the rare places that the case
// came to.
type modelAnswer struct {
	Log   []string `json:"log"`
	Marks []string `json:"marks"`
}

// run asks the model for its answer to a case.
func (m *model) run(c *modelCase) (a modelAnswer, err error) {
	if _, err := m.in.Write(append(mustJSON(c), '\n')); err != nil {
		return a, err
	}
	line, err := m.out.ReadBytes('\n')
	if err != nil {
		return a, fmt.Errorf("model.py ended on a case: %w", err)
	}
	return a, json.Unmarshal(line, &a)
}

// compare makes a case, runs it on both sides and notes a difference.
func (m *model) compare(tally *modelTally, seed, number uint64) {
	g := generate(seed, number)
	got, err := g.drive(m.dir)
	if err != nil {
		m.t.Errorf("case %d of seed %d: %v", number, seed, err)
		return
	}
	want, err := m.run(&g.c)
	if err != nil {
		m.t.Errorf("case %d of seed %d: %v", number, seed, err)
		tally.stop()
		return
	}
	class := difference(got, want.Log)
	if tally.add(&g.c, got, want.Marks, class) {
		tally.found(fmt.Sprintf("case %d of seed %d, %s:\n%s", number, seed, class, m.trace(m.minimise(&g.c, class))))
	}
}

// figures are the parts of a line that a class leaves out: time, n, card, and
// which signal, card or actuator it was.
var figures = regexp.MustCompile(`^\S+ \d+ \S+ | (actuator|cause|value|lease)=\S+|:\S+|\[\d\]`)

// difference classes the first lines that differ; empty: none do.
func difference(got, want []string) string {
	at := func(log []string, i int) string {
		if i < len(log) {
			return log[i]
		}
		return "0 0 - nothing"
	}
	for i := range max(len(got), len(want)) {
		a, b := at(got, i), at(want, i)
		if a == b {
			continue
		}
		short, other := figures.ReplaceAllString(a, ""), figures.ReplaceAllString(b, "")
		if short == other {
			return short + ": " + differingKeys(strings.Fields(a), strings.Fields(b))
		}
		return "engine " + short + ", model " + other
	}
	return ""
}

// differingKeys names the words of two lines that differ.
func differingKeys(a, b []string) string {
	var keys []string
	for i := range min(len(a), len(b)) {
		if a[i] == b[i] {
			continue
		}
		key, _, _ := strings.Cut(a[i], "=")
		if i < 3 {
			key = []string{"t", "n", "card"}[i]
		}
		keys = append(keys, key)
	}
	if len(a) != len(b) {
		keys = append(keys, "number of keys")
	}
	return strings.Join(keys, " ")
}

// minimiser drops events, cards and parts of cards while the difference stays.
type minimiser struct {
	*model
	class string
	least *modelCase
}

func (m *model) minimise(c *modelCase, class string) *modelCase {
	z := &minimiser{m, class, c}
	for size := -1; size != z.least.size(); {
		size = z.least.size()
		z.dropEvents()
		z.dropCards()
		z.dropSamples()
	}
	z.try(z.least.prune())
	return z.least
}

// try takes a smaller case if it still differs in the same way.
func (z *minimiser) try(c *modelCase) bool {
	got, err := runCase(z.dir, c)
	if err != nil {
		return false
	}
	want, err := z.run(c)
	if err != nil || difference(got, want.Log) != z.class {
		return false
	}
	z.least = c
	return true
}

// change tries a copy of the least case with a change.
func (z *minimiser) change(change func(*modelCase)) bool {
	c := cloneCase(z.least)
	change(c)
	return z.try(c)
}

func (z *minimiser) dropEvents() {
	for n := max(1, len(z.least.Stream)/2); n > 0; n /= 2 {
		for i := 0; i+n <= len(z.least.Stream); {
			if !z.change(func(c *modelCase) { c.Stream = slices.Delete(c.Stream, i, i+n) }) {
				i += n
			}
		}
	}
}

func (z *minimiser) dropCards() {
	for i := len(z.least.Cards) - 1; i >= 0 && len(z.least.Cards) > 1; i-- {
		z.change(func(c *modelCase) { c.Cards = slices.Delete(c.Cards, i, i+1) })
	}
	parts := []func(*modelCard) *[]object{
		func(c *modelCard) *[]object { return &c.When },
		func(c *modelCard) *[]object { return &c.OnlyIf },
		func(c *modelCard) *[]object { return &c.Then },
	}
	for i := range z.least.Cards {
		for _, part := range parts {
			// A card without triggers or actions does not load: try says no.
			for k := len(*part(&z.least.Cards[i])) - 1; k >= 0; k-- {
				z.change(func(c *modelCase) { list := part(&c.Cards[i]); *list = slices.Delete(*list, k, k+1) })
			}
		}
		z.change(func(c *modelCase) { c.Cards[i].Cooldown = "" })
		z.change(func(c *modelCase) { c.Cards[i].Priority = 0 })
	}
}

func (z *minimiser) dropSamples() {
	for i := range z.least.Stream {
		for _, path := range slices.Sorted(maps.Keys(z.least.Stream[i].Raws)) {
			if len(z.least.Stream[i].Raws) > 1 {
				z.change(func(c *modelCase) { delete(c.Stream[i].Raws, path) })
			}
		}
	}
}

// prune leaves out what neither the cards nor the stream name. Text is enough
// to tell: a path is named in quotes.
func (c *modelCase) prune() *modelCase {
	d := cloneCase(c)
	named := func(text []byte) func(string) bool {
		return func(name string) bool { return bytes.Contains(text, mustJSON(name)) }
	}
	set := named(mustJSON(d.Cards))
	d.Profile.Actuators = keep(d.Profile.Actuators, set)
	d.Profile.Actions = keep(d.Profile.Actions, set)
	text := slices.Concat(mustJSON(d.Cards), mustJSON(d.Profile.Actuators), mustJSON(d.Profile.States))
	d.Profile.Signals = keep(d.Profile.Signals, named(text))
	for i := range d.Stream {
		d.Stream[i].Raws = keep(d.Stream[i].Raws, named(text))
	}
	return d
}

func keep[V any](m map[string]V, wanted func(string) bool) map[string]V {
	kept := map[string]V{}
	for k, v := range m {
		if wanted(k) {
			kept[k] = v
		}
	}
	return kept
}

func (c *modelCase) size() int { return len(c.Stream) + len(mustJSON(c.Cards)) }

func cloneCase(c *modelCase) *modelCase {
	d := *c
	d.Stream = slices.Clone(c.Stream)
	for i := range d.Stream {
		d.Stream[i].Raws = maps.Clone(d.Stream[i].Raws)
	}
	d.Cards = slices.Clone(c.Cards)
	for i := range d.Cards {
		card := &d.Cards[i]
		card.When, card.OnlyIf, card.Then = slices.Clone(card.When), slices.Clone(card.OnlyIf), slices.Clone(card.Then)
	}
	return &d
}

// trace writes a case as a hand-worked trace is written, with the model's log.
func (m *model) trace(c *modelCase) string {
	var b strings.Builder
	got, err := runCase(m.dir, c)
	if err != nil {
		m.t.Error(err)
	}
	want, err := m.run(c)
	if err != nil {
		m.t.Error(err)
	}
	mode := "plain"
	if c.Judged {
		mode = "judged"
	}
	fmt.Fprintf(&b, "The engine's log:\n%s\n-- mode --\n%s\n-- show --\nlive known unknown\n-- vehicle.yaml --\n", strings.Join(got, "\n"), mode)
	b.WriteString(breakAfter.ReplaceAllString(string(profileText(c)), "},\n\""))
	for i := range c.Cards {
		fmt.Fprintf(&b, "-- cards/%s.yaml --\n%s\n", c.Cards[i].ID, mustJSON(&c.Cards[i]))
	}
	b.WriteString("-- stream --\n")
	for i := range c.Stream {
		b.WriteString(c.line(&c.Stream[i]) + "\n")
	}
	return b.String() + "-- log --\n" + strings.Join(want.Log, "\n") + "\n"
}

var breakAfter = regexp.MustCompile(`\},"`)

// line is an event as a trace writes it.
func (c *modelCase) line(e *modelEvent) string {
	b := string(AppendSeconds(nil, e.T)) + " "
	switch e.Kind {
	case "reply":
		return b + fmt.Sprintf("reply %d %s", e.N, e.outcome())
	case "override":
		return b + fmt.Sprintf("override %s %v", e.Path, e.Value)
	case "tick":
		return b + "tick"
	}
	var pairs []string
	for _, path := range slices.Sorted(maps.Keys(e.Raws)) {
		raw := e.Raws[path]
		value := any(raw)
		switch signal := c.Profile.Signals[path]; {
		case raw == benchInvalid:
			value = "invalid"
		case signal.Values != nil:
			value = signal.Values[fmt.Sprint(raw)]
		case c.Factors[path] != 0:
			value = float64(raw) * c.Factors[path]
		}
		pairs = append(pairs, fmt.Sprintf("%s=%v", path, value))
	}
	return b + strings.Join(pairs, " ")
}

// modelTally counts what was compared, and by kind of record how often.
type modelTally struct {
	mu      sync.Mutex
	cases   int
	judged  int
	events  int
	records map[string]int
	classes map[string]int
	marks   map[string]int
	traces  []string
	stopped bool
}

const maxTraces = 6

// add counts a case; true: its class of difference is new and should be shown.
func (y *modelTally) add(c *modelCase, got, marks []string, class string) bool {
	y.mu.Lock()
	defer y.mu.Unlock()
	if y.records == nil {
		y.records, y.classes, y.marks = map[string]int{}, map[string]int{}, map[string]int{}
	}
	y.cases++
	y.events += len(c.Stream)
	if c.Judged {
		y.judged++
	}
	for _, line := range got {
		y.records[recordKind(line)]++
	}
	for _, mark := range marks {
		y.marks[mark]++
	}
	if class == "" {
		return false
	}
	y.classes[class]++
	return y.classes[class] == 1 && len(y.classes) <= maxTraces
}

var whyOf = regexp.MustCompile(`^\S+ \d+ \S+ (blocked|failed|ended|denied|lost|cancelled) why=([a-z_]+)`)

// recordKind is what a line records, with the first word of why where that
// tells what was exercised.
func recordKind(line string) string {
	if m := whyOf.FindStringSubmatch(line); m != nil {
		return m[1] + " " + m[2]
	}
	return strings.Fields(line)[3]
}

// seenKinds are what 2,000 random cases must have brought, so that a poorer
// generator cannot pass for agreement.
var seenKinds = []string{
	"acted", "blocked cooldown", "blocked depth", "blocked not_live", "blocked only_if", "blocked quarantined", "blocked reentry",
	"cancelled rearmed", "cancelled unknown", "clock", "denied base", "denied interval", "denied range", "denied state", "dropped",
	"ended duration", "ended error", "ended override", "ended quarantined", "ended state", "ended timeout", "failed error",
	"failed readback", "failed timeout", "fired", "held", "known", "live", "lost winner", "override", "quarantined", "replied", "unknown",
}

func (y *modelTally) found(trace string) {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.traces = append(y.traces, trace)
}

func (y *modelTally) stop() {
	y.mu.Lock()
	defer y.mu.Unlock()
	y.stopped = true
}

func (y *modelTally) full() bool {
	y.mu.Lock()
	defer y.mu.Unlock()
	return y.stopped
}

// seenMarks are rare places where the two once differed, to be seen in 2,000
// cases too.
var seenMarks = []string{"older-call", "readback-of-the-ended", "timers:leases", "timers:replies"}

func (y *modelTally) report(t *testing.T) {
	t.Logf("%d cases, %d of them judged; %d events", y.cases, y.judged, y.events)
	for _, counts := range []map[string]int{y.records, y.marks} {
		for _, kind := range slices.Sorted(maps.Keys(counts)) {
			t.Logf("%8d %s", counts[kind], kind)
		}
	}
	for _, kind := range seenKinds {
		if y.cases >= 2000 && y.records[kind] == 0 {
			t.Errorf("no record of %s in %d cases: the cases are too poor", kind, y.cases)
		}
	}
	for _, mark := range seenMarks {
		if y.cases >= 2000 && y.marks[mark] == 0 {
			t.Errorf("no case in %d came to %s: the cases are too poor", y.cases, mark)
		}
	}
	for _, class := range slices.Sorted(maps.Keys(y.classes)) {
		t.Errorf("%d cases differ: %s", y.classes[class], class)
	}
	for _, trace := range y.traces {
		t.Error(trace)
	}
}
