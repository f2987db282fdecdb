package scenes

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"vignette/scenes/engine"
)

const (
	fan   = "Vehicle.Cabin.HVAC.Station.Row1.Driver.FanSpeed"
	sec   = int64(time.Second)
	minim = 60 * sec
)

// benchProgram compiles testdata/card.yaml on the bench profile.
func benchProgram(t *testing.T) *Program {
	t.Helper()
	c, err := ParseCard("card.yaml", []byte(read(t, "card.yaml")))
	if err != nil {
		t.Fatal(err)
	}
	p, err := Compile(bench(t), []*Card{c})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestVehicle(t *testing.T) {
	v := bench(t)
	if v.ID != "bench" || v.Version != 2 || len(v.SHA256) != 64 || len(v.Signals) != 11 || len(v.Actuators) != 4 || len(v.Actions) != 2 {
		t.Errorf("profile is %+v", v)
	}
	if b := v.Buses[0]; b.Interface != "can0" || b.FD || b.DBCs[0].File != "bench.dbc" || b.DBCs[0].SHA256 != hash([]byte(read(t, "bench.dbc"))) {
		t.Errorf("bus is %+v", b)
	}
	for path, want := range map[string]time.Duration{
		"Vehicle.Speed": 500 * time.Millisecond, // as given
		"Vehicle.Cabin.Door.Row1.DriverSide.IsOpen": 0,               // never
		"Private.Bench.Torque":                      time.Second,     // ten cycles of 10 ms are less
		"Private.Bench.Light":                       5 * time.Second, // ten cycles of 500 ms
		"Private.Bench.Cell":                        time.Second,     // cycle unknown
	} {
		if got := v.Signal(path).StaleAfter; got != want {
			t.Errorf("%s goes stale after %v, want %v", path, got, want)
		}
	}
	a := v.Actuator(fan)
	if a.Slew != 20 || a.MaxLease != 30*time.Minute || a.States != 0b111 || a.EndStates != 0b111 || a.Holdoff != 10*time.Minute {
		t.Errorf("fan is %+v", a)
	}
	want := Binding{"system", "org.example.Hvac1", "/org/example/Hvac1", "org.example.Hvac1", "Set", false, "sdu",
		[]string{"{actuator}", "{value}", "{lease_ms}"}, 500 * time.Millisecond}
	if !reflect.DeepEqual(*a.Call, want) {
		t.Errorf("the fan's call is %+v", *a.Call)
	}
	if lamp := v.Actuator("Private.Bench.Lamp"); lamp.States != 0b001 || lamp.EndStates != 0b101 || lamp.Call != nil {
		t.Errorf("lamp is %+v", lamp)
	}
}

func TestCompile(t *testing.T) {
	p := benchProgram(t)
	var paths []string
	for i, s := range p.Engine.Signals {
		paths = append(paths, s.Path)
		if p.Sources[i].Path != s.Path {
			t.Errorf("source %d is %s, slot is %s", i, p.Sources[i].Path, s.Path)
		}
	}
	const light, door, gear = "Private.Bench.Light", "Vehicle.Cabin.Door.Row1.DriverSide.IsOpen", "Vehicle.Powertrain.Transmission.SelectedGear"
	wantPaths := []string{light, door, fan, "Vehicle.Exterior.AirTemperature", "Vehicle.LowVoltageSystemState", gear, "Vehicle.Speed"}
	if !reflect.DeepEqual(paths, wantPaths) {
		t.Fatalf("slots are %v, want %v", paths, wantPaths)
	}
	f := func(x float64) float64 { return float64(x*(5.0/9)) + -160.0/9 }
	five := float64(5 * 3.6)
	want := engine.Card{
		ID: "air-the-cabin",
		When: []engine.Trigger{
			{Op: engine.RisesAbove, Slot: 3, X: f(90), Rearm: f(86), Hold: 20 * sec},
			{Op: engine.Becomes, Slot: 4, X: 3},
		},
		OnlyIf: []engine.Cond{
			{{Op: engine.InState, State: 0, Size: 1}},
			{{Op: engine.Not, Size: 2}, {Op: engine.Is, Slot: 1, A: 1, Size: 1}},
			{{Op: engine.Any, Size: 3}, {Op: engine.Below, Slot: 6, A: five, Size: 1}, {Op: engine.IsNot, Slot: 5, A: 127, Size: 1}},
		},
		Then: []engine.Step{
			{Kind: engine.Set, Actuator: 3, Value: engine.Value{Kind: engine.Number, Num: 60}, Lease: 10 * minim,
				AtEnd: engine.SetTo, EndValue: engine.Value{Kind: engine.Number, Num: 10}},
			{Kind: engine.Wait, Wait: 3 * sec / 2},
			{Kind: engine.Do, Action: 1, Continue: true},
			{Kind: engine.Set, Actuator: 2, Value: engine.Value{Kind: engine.Label, Num: 0, Text: "BRIGHT"}, Lease: 60 * minim, AtEnd: engine.Leave},
			{Kind: engine.Set, Actuator: 1, Value: engine.Value{Kind: engine.Bool, Num: 1}, Lease: minim},
		},
		Cooldown: 15 * minim, Priority: -3, Hash: p.Cards[0].SHA256, Names: []int{1, 3, 4, 5, 6},
	}
	if got := p.Engine.Cards[0]; !reflect.DeepEqual(got, want) {
		t.Errorf("card is\n%+v\nwant\n%+v", got, want)
	}
	checkActuators(t, p)
}

// checkActuators holds that only what a card sets is read back.
func checkActuators(t *testing.T, p *Program) {
	want := []engine.Actuator{
		{Path: "Private.Bench.Heat", Min: 16, Max: 28, Step: 0.5, States: 1, EndStates: 1, Holdoff: minim, Readback: -1, MaxLease: 60 * minim},
		{Path: "Private.Bench.Lamp", States: 1, EndStates: 5, Readback: -1, MaxLease: 60 * minim},
		{Path: "Private.Bench.Light", States: 1, EndStates: 1, Holdoff: minim, Readback: 0, ReadWithin: sec, MaxLease: 60 * minim},
		{Path: fan, Max: 80, Step: 10, Slew: 20, MinInterval: 2 * sec, States: 7, EndStates: 7, Holdoff: 10 * minim,
			HasCall: true, Within: sec / 2, Readback: 2, ReadWithin: 2 * sec, MaxLease: 30 * minim},
	}
	if !reflect.DeepEqual(p.Engine.Actuators, want) {
		t.Errorf("actuators are\n%+v\nwant\n%+v", p.Engine.Actuators, want)
	}
	if i, ok := p.Actuator(fan); !ok || i != 3 {
		t.Errorf("the fan has index %d, %v", i, ok)
	}
	bare, err := Compile(p.Vehicle, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(bare.Engine.Signals) != 2 || bare.Engine.Actuators[3].Readback != -1 {
		t.Errorf("without cards %d slots are followed, and the fan is read back by %d", len(bare.Engine.Signals), bare.Engine.Actuators[3].Readback)
	}
}

func TestHashes(t *testing.T) {
	p := benchProgram(t)
	want := Hashes{
		Profile: Hash{"bench", hash([]byte(read(t, "bench.yaml")))},
		DBC:     []Hash{{"bench.dbc", hash([]byte(read(t, "bench.dbc")))}},
		Cards:   []Hash{{"air-the-cabin", hash([]byte(read(t, "card.yaml")))}},
	}
	if got := p.Hashes(); !reflect.DeepEqual(got, want) {
		t.Errorf("hashes are %+v, want %+v", got, want)
	}
}

// A card written as JSON compiles to the same program, but for its hash.
func TestJSONCard(t *testing.T) {
	var tree map[string]any
	if err := yaml.Unmarshal([]byte(read(t, "card.yaml")), &tree); err != nil {
		t.Fatal(err)
	}
	text, err := json.MarshalIndent(tree, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	c, err := ParseCard("card.json", text)
	if err != nil {
		t.Fatal(err)
	}
	p := benchProgram(t)
	q, err := Compile(p.Vehicle, []*Card{c})
	if err != nil {
		t.Fatal(err)
	}
	q.Engine.Cards[0].Hash = p.Engine.Cards[0].Hash
	if !reflect.DeepEqual(p.Engine, q.Engine) {
		t.Errorf("JSON compiles to\n%+v\nYAML to\n%+v", q.Engine, p.Engine)
	}
}

func TestDuplicateIDs(t *testing.T) {
	text := []byte(read(t, "card.yaml"))
	a, errA := ParseCard("a.yaml", text)
	b, errB := ParseCard("b.yaml", text)
	if errA != nil || errB != nil {
		t.Fatal(errA, errB)
	}
	_, err := Compile(bench(t), []*Card{a, b})
	checkDiagnostics(t, err, "b.yaml:2:5: card id `air-the-cabin` is already used by a.yaml; give each card its own")
}

// Everything that is wrong is said at once, by file and position.
func TestAllDiagnostics(t *testing.T) {
	text := read(t, "card.yaml")
	text = exchange(t, text, "to: 60", "to: 65")
	text = exchange(t, text, "state: parked", "state: prked")
	text = exchange(t, text, "unit: m/s", "unit: V")
	c, err := ParseCard("card.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	_, err = Compile(bench(t), []*Card{c})
	checkDiagnostics(t, err, strings.Join([]string{
		"card.yaml:9:13: `prked` is not a state of the vehicle profile; did you mean `parked`?",
		"card.yaml:11:52: Vehicle.Speed is a speed (km/h); V is a voltage",
		"card.yaml:13:64: 65 percent is not a step of " + fan + ", which goes from 0 in steps of 10; choose one",
	}, "\n"))
}

func TestTexts(t *testing.T) {
	ts := Texts{"en": "Air", "zh": "通风", "zh-hant": "通風"}
	for lang, want := range map[string]string{"en": "Air", "zh": "通风", "zh-CN": "通风", "zh-Hant": "通風", "zh-Hant-TW": "通風", "de": "Air", "": "Air"} {
		if got := ts.In(lang); got != want {
			t.Errorf("in %q the text is %q, want %q", lang, got, want)
		}
	}
}
