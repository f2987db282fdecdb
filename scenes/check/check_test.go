package check

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"vignette/scenes"
)

var update = flag.Bool("update", false, "write docs/checks.md from the passes")

const doc = "../../docs/checks.md"

func car(t testing.TB) *scenes.Vehicle {
	t.Helper()
	v, err := scenes.LoadVehicle("../../testdata/drive/vehicle.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// checked runs everything over cards without their heads.
func checked(t testing.TB, v *scenes.Vehicle, bodies ...string) []Finding {
	t.Helper()
	var cards []*scenes.Card
	for i, body := range bodies {
		id := string(rune('a' + i))
		c, err := scenes.ParseCard(id+".yaml", []byte(fmt.Sprintf("schema: 1\nid: %s\nversion: 1.0.0\ntitle: {en: Card %s}\n%s\n", id, id, body)))
		if list, refused := Refused(err); refused {
			return list
		}
		cards = append(cards, c)
	}
	p, err := scenes.Compile(v, cards)
	if list, refused := Refused(err); refused {
		return list
	} else if err != nil {
		t.Fatal(err)
	}
	return Run(p)
}

// TestExamples holds that each pass says of its bad examples what its text
// says, and nothing of its good ones.
func TestExamples(t *testing.T) {
	v := car(t)
	for _, p := range Passes() {
		if p.What == "" || p.Why == "" || p.Name != "dbc" && (len(p.Bad) == 0 || len(p.Good) == 0) { // a card is no example of a DBC
			t.Errorf("%s lacks a text or an example", p.Name)
		}
		for _, e := range p.Bad {
			found := checked(t, v, e.Cards...)
			if !slices.ContainsFunc(found, func(f Finding) bool { return f.Pass == p.Name && strings.HasSuffix(f.What, e.Says) }) {
				t.Errorf("%s: of\n%.1000s\nit says %v, want … %s", p.Name, strings.Join(e.Cards, "\n"), found, e.Says)
			}
		}
		for _, e := range p.Good {
			for _, f := range checked(t, v, e.Cards...) {
				if f.Severity < Note {
					t.Errorf("%s: of a good example %v", p.Name, f)
				}
			}
		}
	}
}

// TestDocument holds that docs/checks.md is what the passes say of themselves.
func TestDocument(t *testing.T) {
	want := "# The checks\n\nWhat `vignette check` looks for, pass by pass. `vignette check --explain PASS` prints a section. What is refused is an *error* and ends with exit code 1; a *warning* is most\nlikely a mistake and ends with 3; a *note* is for the author's information. The profile of the examples is\n[testdata/drive/vehicle.yaml](../testdata/drive/vehicle.yaml); the heads of their cards (`schema`, `id`, `version`, `title`) are left out. This page is written from the passes in\n`scenes/check`, and TestExamples runs its examples.\n"
	for _, p := range Passes() {
		want += "\n" + p.Doc()
	}
	if *update {
		if err := os.WriteFile(doc, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(doc); err != nil || string(got) != want {
		t.Errorf("%s is not what the passes say (%v); write it with -update", doc, err)
	}
}

// TestDriveCards: our own cards are as they should be.
func TestDriveCards(t *testing.T) {
	v := car(t)
	cards, err := scenes.LoadCards("../../testdata/drive/cards")
	if err != nil {
		t.Fatal(err)
	}
	p, err := scenes.Compile(v, cards)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range Run(p) {
		if f.Severity < Note {
			t.Error(f)
		}
	}
}

const (
	fan    = "Vehicle.Cabin.HVAC.Station.Row1.Driver.FanSpeed"
	notify = "then:\n  - {do: notify, with: {text: {en: Hello}}}\n"
	start  = "when:\n  - {signal: Vehicle.LowVoltageSystemState, becomes: START}\n"
)

func onlyIf(conditions ...string) string {
	return start + "only_if:\n  - " + strings.Join(conditions, "\n  - ") + "\n" + notify
}

// says holds exactly what the passes but hysteresis and cost say of a card.
func says(t *testing.T, v *scenes.Vehicle, card string, want ...string) {
	t.Helper()
	var got []string
	for _, f := range checked(t, v, card) {
		got = append(got, f.String())
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("of\n%s\ngot\n%s\nwant\n%s", card, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestInterval(t *testing.T) {
	v := car(t)
	soc := "Vehicle.Powertrain.TractionBattery.StateOfCharge.Current"
	says(t, v, onlyIf("{signal: "+soc+", above: 10, unit: percent}", "{state: parked}"))
	says(t, v, onlyIf("{any: [{signal: "+soc+", above: 200, unit: percent}, {signal: Vehicle.Speed, above: 5, unit: km/h}]}"),
		"a.yaml:8:12: warning: "+soc+" goes from 0 to 100 percent: this is never true; correct it [interval]")
	says(t, v, onlyIf("{not: {signal: "+soc+", above: 200, unit: percent}}"),
		"a.yaml:8:11: warning: "+soc+" goes from 0 to 100 percent: this is never true; correct it [interval]")
	says(t, v, onlyIf("{signal: "+soc+", above: -1, unit: percent}"),
		"a.yaml:8:5: warning: "+soc+" goes from 0 to 100 percent: this is true whenever it is known; correct it, or leave it out [interval]")
	says(t, v, onlyIf("expr: "+soc+" * 2 > 300 %"), // 200 at most
		"a.yaml:8:11: warning: "+soc+" goes from 0 to 100 percent: this is never true; correct it [interval]")
	says(t, v, onlyIf("expr: "+soc+" / 0 > 3 %"),
		"a.yaml:8:11: warning: "+soc+" goes from 0 to 100 percent: this is never known, so never true; correct it [interval]")
	says(t, v, onlyIf("expr: "+soc+" > 50 % and ("+soc+" > 150 % or Vehicle.Speed > 3 km/h)"),
		"a.yaml:8:80: warning: "+soc+" goes from 0 to 100 percent: this is never true; correct it [interval]")
	says(t, v, onlyIf("expr: "+soc+" > 50 % and "+soc+" < 20 %"),
		"a.yaml:8:11: warning: "+soc+" goes from 0 to 100 percent: this is never true; correct it [interval]")
	says(t, v, onlyIf("{signal: "+soc+", above: 50, unit: percent}", "expr: not ("+soc+" > 20 %)"),
		"a.yaml:9:5: warning: this and the conditions before it are never true together, so the card never fires; correct one [interval]")
	says(t, v, onlyIf("{state: idling}", "{signal: Vehicle.Speed, above: 20, unit: km/h}"),
		"a.yaml:9:5: warning: this and the conditions before it are never true together, so the card never fires; correct one [interval]")
	says(t, v, onlyIf("{state: moving}", "{signal: Vehicle.Speed, above: 20, unit: km/h}"))
	says(t, v, onlyIf("{any: [{signal: Vehicle.LowVoltageSystemState, is: ACC}, {signal: Vehicle.LowVoltageSystemState, is_not: ACC}]}"),
		"a.yaml:8:5: warning: this condition is true whenever it is known; correct it, or leave it out [interval]")
	says(t, v, "when:\n  - {signal: "+soc+", rises_above: 110, rearm_below: 100, unit: percent}\n"+notify,
		"a.yaml:6:5: warning: "+soc+" goes from 0 to 100 percent: this trigger never completes; correct its value [interval]")
	says(t, v, "when:\n  - {signal: "+soc+", falls_below: 20, rearm_above: 110, unit: percent}\n"+notify,
		"a.yaml:6:5: warning: "+soc+" goes from 0 to 100 percent: this trigger is never armed, so it never completes; correct its values [interval]")
}

func TestInstant(t *testing.T) {
	v := car(t)
	const speed = "when:\n  - {signal: Vehicle.Speed, rises_above: 90, rearm_below: 80, unit: km/h%s}\nonly_if:\n  - {signal: Vehicle.Speed, %s, unit: km/h}\n" + notify
	for _, c := range []struct{ hold, cond, want string }{
		{"", "above: 50", ""},
		{"", "below: 91", ""},
		{"", "below: 90", "a.yaml:6:5: warning: when this completes, only_if[0] is never true, so it never fires the card; a condition is looked at in the trigger's moment only [instant]"},
		{", held_for: 5s", "below: 81", ""}, // between 80 and 90 the hold goes on
		{", held_for: 5s", "below: 80", "a.yaml:6:5: warning: when this completes, only_if[0] is never true, so it never fires the card; a condition is looked at in the trigger's moment only (at the end of held_for) [instant]"},
	} {
		var want []string
		if c.want != "" {
			want = []string{c.want}
		}
		says(t, v, fmt.Sprintf(speed, c.hold, c.cond), want...)
	}
}

func TestHysteresis(t *testing.T) {
	v := car(t)
	const card = "when:\n  - {signal: Vehicle.Speed, %s, unit: km/h}\n" + notify
	says(t, v, fmt.Sprintf(card, "falls_below: 10"), "a.yaml:6:5: warning: without `rearm_above` a tremble around 10 fires the card again and again; add one [hysteresis]")
	says(t, v, fmt.Sprintf(card, "falls_below: 10, rearm_above: 10"), "a.yaml:6:5: warning: without `rearm_above` a tremble around 10 fires the card again and again; add one [hysteresis]")
	says(t, v, fmt.Sprintf(card, "falls_below: 10, held_for: 3s"), "a.yaml:6:5: note: without `rearm_above` the least tremble around 10 takes the hold back; add one on the other side of it [hysteresis]")
	says(t, v, fmt.Sprintf(card, "falls_below: 10")+"cooldown: 90s\n",
		"a.yaml:6:5: note: without `rearm_above` a tremble around 10 completes this again and again, and only the cooldown of 90s keeps the card quiet; add one [hysteresis]")
	says(t, v, "when:\n  - {signal: Vehicle.Powertrain.Transmission.SelectedGear, rises_above: 0}\n"+notify) // listed
}

func setFan(when, only string, to, priority int) string {
	if only != "" {
		only = "only_if:\n  - " + only + "\n"
	}
	return fmt.Sprintf("when:\n  - %s\n%sthen:\n  - {set: %s, to: %d, unit: percent, lease: 1m}\npriority: %d\n", when, only, fan, to, priority)
}

func TestConflict(t *testing.T) {
	v := car(t)
	const one, two = "{signal: Vehicle.LowVoltageSystemState, becomes: START}", "{signal: Vehicle.LowVoltageSystemState, becomes: ACC}"
	for _, c := range []struct {
		name, a, b string
		level      string // empty: no finding
	}{
		{"no conditions", setFan(one, "", 10, 0), setFan(two, "", 20, 0), "warning"},
		{"the same value", setFan(one, "", 10, 0), setFan(two, "", 10, 0), ""},
		{"priorities", setFan(one, "", 10, 0), setFan(two, "", 20, 1), "note"},
		{"ranges", setFan(one, "{signal: Vehicle.Speed, above: 20, unit: km/h}", 10, 0), setFan(two, "{signal: Vehicle.Speed, below: 20, unit: km/h}", 20, 0), ""},
		{"ranges that touch", setFan(one, "{signal: Vehicle.Speed, between: [20, 30], unit: km/h}", 10, 0), setFan(two, "{signal: Vehicle.Speed, between: [10, 20], unit: km/h}", 20, 0), "warning"},
		{"units", setFan(one, "{signal: Vehicle.Speed, above: 63, unit: mph}", 10, 0), setFan(two, "{signal: Vehicle.Speed, below: 101, unit: km/h}", 20, 0), ""},
		{"units that overlap", setFan(one, "{signal: Vehicle.Speed, above: 62, unit: mph}", 10, 0), setFan(two, "{signal: Vehicle.Speed, below: 101, unit: km/h}", 20, 0), "warning"},
		{"states", setFan(one, "{state: parked}", 10, 0), setFan(two, "{state: idling}", 20, 0), ""},
		{"a state and its speed", setFan(one, "{state: parked}", 10, 0), setFan(two, "{signal: Vehicle.Speed, above: 5, unit: km/h}", 20, 0), ""},
		{"a state and its opposite", setFan(one, "{state: parked}", 10, 0), setFan(two, "{not: {state: parked}}", 20, 0), ""},
		{"a state and another gear", setFan(one, "{state: idling}", 10, 0), setFan(two, "{signal: Vehicle.Powertrain.Transmission.SelectedGear, is: 127}", 20, 0), "warning"},
		{"any of two, all excluded", setFan(one, "{any: [{state: parked}, {state: idling}]}", 10, 0), setFan(two, "{signal: Vehicle.Speed, above: 5, unit: km/h}", 20, 0), ""},
		{"labels", setFan(one, "{signal: Vehicle.LowVoltageSystemState, is: START}", 10, 0), setFan(two, "expr: Vehicle.LowVoltageSystemState != 'START'", 20, 0), ""},
		{"arithmetic and its opposite", setFan(one, "expr: Vehicle.Exterior.AirTemperature - Vehicle.Cabin.HVAC.AmbientAirTemperature > 3 K", 10, 0),
			setFan(two, "expr: not Vehicle.Exterior.AirTemperature - Vehicle.Cabin.HVAC.AmbientAirTemperature > 2 K", 20, 0), ""},
		{"two signals compared", setFan(one, "expr: Vehicle.Exterior.AirTemperature > Vehicle.Cabin.HVAC.AmbientAirTemperature", 10, 0),
			setFan(two, "expr: Vehicle.Exterior.AirTemperature <= Vehicle.Cabin.HVAC.AmbientAirTemperature", 20, 0), ""},
		{"arithmetic and a range", setFan(one, "expr: Vehicle.Speed * 2 > 100 km/h", 10, 0), setFan(two, "{signal: Vehicle.Speed, below: 40, unit: km/h}", 20, 0), ""},
		{"arithmetic and a range that meets it", setFan(one, "expr: Vehicle.Speed * 2 > 100 km/h", 10, 0), setFan(two, "{signal: Vehicle.Speed, below: 60, unit: km/h}", 20, 0), "warning"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := ""
			for _, f := range checked(t, v, c.a, c.b) {
				if f.Pass == "conflict" {
					got += f.Severity.String()
				}
			}
			if got != c.level {
				t.Errorf("found %q, want %q", got, c.level)
			}
		})
	}
}

// A thousand cards over one actuator do not bury the reader.
func TestConflictsAreFew(t *testing.T) {
	v := car(t)
	var bodies []string
	for i := range 20 {
		bodies = append(bodies, setFan("{signal: Vehicle.LowVoltageSystemState, becomes: START}", "", 10+10*(i%2), 0))
	}
	list := checked(t, v, bodies...)
	if len(list) > 20*(maxConflicts+1) || !slices.ContainsFunc(list, func(f Finding) bool { return strings.Contains(f.What, "can meet 5 more cards") }) {
		t.Errorf("%d findings, or none counts the rest", len(list))
	}
}

func TestLoop(t *testing.T) {
	v := car(t)
	const light, seat = "Vehicle.Cabin.Light.AmbientLight.Row1.DriverSide.Intensity", "Vehicle.Cabin.Seat.Row1.DriverSide.HeatingCooling"
	chain := func(reads, sets string) string {
		return fmt.Sprintf("when:\n  - {signal: %s, changes: true}\nthen:\n  - {set: %s, to: 20, unit: percent, lease: 1m}\n", reads, sets)
	}
	var got []string
	for _, f := range checked(t, v, chain(fan, light), chain(light, seat), chain(seat, fan), "when:\n  - {signal: "+fan+", changes: true}\n"+notify) {
		if f.Pass == "loop" {
			got = append(got, f.String())
		}
	}
	want := "a.yaml:8:5: warning: `a` sets " + light + ", and " + light + " starts `b`; `b` sets " + seat + ", and " + seat + " starts `c`; `c` sets " + fan + ", and " + fan +
		" starts `a`: they can start each other without end (the car stops it at depth 5); start one by something that no card sets [loop]"
	if len(got) != 1 || got[0] != want {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), want)
	}
}

// TestNewerTriggers: windows, counts, sequences, silence, occurrences and the
// time of day, over the bench of the traces.
func TestNewerTriggers(t *testing.T) {
	v, err := scenes.LoadVehicle("../../testdata/meaning/vehicle.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const mark = "then:\n  - {do: mark}\n"
	when := func(trigger string, conditions ...string) string {
		only := ""
		if len(conditions) > 0 {
			only = "only_if:\n  - " + strings.Join(conditions, "\n  - ") + "\n"
		}
		return "when:\n  - " + trigger + "\n" + only + mark
	}
	for _, c := range []struct{ name, card, want string }{
		{"a mean in range", when("{signal: Private.Bench.A, avg: {above: 32766, over: 4s}}"), ""},
		{"a mean beyond", when("{signal: Private.Bench.A, avg: {above: 32767, over: 4s}}"), "a.yaml:6:5: warning: Private.Bench.A goes from -32768 to 32767: this trigger never completes; correct its value [interval]"},
		{"a least value always below", when("{signal: Private.Bench.A, min: {below: 40000, over: 4s}}"), "a.yaml:6:5: warning: Private.Bench.A goes from -32768 to 32767: this trigger is never armed, so it never completes; correct its values [interval]"},
		{"a rate in reach", when("{signal: Private.Bench.A, rate: {above: 16000, over: 4s}}"), ""},
		{"a rate beyond", when("{signal: Private.Bench.A, rate: {above: 16384, over: 4s}}"), "a.yaml:6:5: warning: Private.Bench.A goes from -32768 to 32767: this trigger never completes; correct its value [interval]"},
		{"an edge beyond", when("{count: {of: {signal: Private.Bench.A, becomes: 40000}, reaches: 2, within: 1s}}"), "a.yaml:6:18: warning: Private.Bench.A goes from -32768 to 32767: this trigger never completes; correct its value [interval]"},
		{"an edge that trembles", when("{sequence: [{signal: Private.Bench.A, changes: true}, {signal: Vehicle.Speed, rises_above: 9, unit: km/h}], within: 1s}"),
			"a.yaml:6:59: warning: without `rearm_below` a tremble around 9 fires the card again and again; add one [hysteresis]"},
		{"stale and its value", when("{signal: Vehicle.Speed, stale_for: 2s}", "{signal: Vehicle.Speed, above: 3, unit: km/h}"),
			"a.yaml:6:5: warning: when this completes, Vehicle.Speed is not known, and only_if asks for its value, so it never fires the card; ask for something else [instant]"},
		{"quiet, not yet stale, and its value", when("{signal: Vehicle.Speed, stale_for: 500ms}", "{signal: Vehicle.Speed, above: 3, unit: km/h}"), ""},
		{"stale and another way", when("{signal: Vehicle.Speed, stale_for: 2s}", "{any: [{signal: Vehicle.Speed, above: 3, unit: km/h}, {signal: Private.Bench.A, is: 1}]}"), ""},
		{"fresh and not", when("{signal: Private.Bench.B, changes: true}", "{signal: Private.Bench.A, fresh: true}", "{not: {signal: Private.Bench.A, fresh: true}}"),
			"a.yaml:9:5: warning: this and the conditions before it are never true together, so the card never fires; correct one [interval]"},
		{"times that meet", when("{event: A}", "{time: {from: \"08:00\", to: \"12:00\"}}", "{time: {from: \"11:59\", to: \"12:30\"}}"), ""},
		{"times apart", when("{event: A}", "{time: {from: \"08:00\", to: \"12:00\"}}", "{time: {from: \"12:00\", to: \"12:30\"}}"),
			"a.yaml:9:5: warning: this and the conditions before it are never true together, so the card never fires; correct one [interval]"},
		{"times apart over midnight", when("{event: A}", "{time: {from: \"22:00\", to: \"06:00\"}}", "{time: {from: \"06:00\", to: \"22:00\"}}"),
			"a.yaml:9:5: warning: this and the conditions before it are never true together, so the card never fires; correct one [interval]"},
		{"power and its signal", when("{event: A}", "{power: \"on\"}", "{signal: Vehicle.LowVoltageSystemState, is: LOCK}"),
			"a.yaml:9:5: warning: this and the conditions before it are never true together, so the card never fires; correct one [interval]"},
		{"the second edge and its condition", when("{sequence: [{event: A}, {signal: Private.Bench.A, becomes: 1}], within: 1s}", "{signal: Private.Bench.A, is: 2}"),
			"a.yaml:6:5: warning: when this completes, only_if[0] is never true, so it never fires the card; a condition is looked at in the trigger's moment only [instant]"},
		{"the first edge and its condition", when("{sequence: [{signal: Private.Bench.A, becomes: 1}, {event: A}], within: 1s}", "{signal: Private.Bench.A, is: 2}"), ""},
		{"a window that reads back what it sets", "when:\n  - {signal: " + fan + ", avg: {above: 50, over: 4s}, unit: percent}\nthen:\n  - {set: " + fan + ", to: 20, unit: percent, lease: 1m}\n",
			"a.yaml:8:5: warning: `a` sets " + fan + ", and " + fan + " starts `a`: they can start each other without end (the car stops it at depth 5); start one by something that no card sets [loop]"},
		{"silence of what it sets", "when:\n  - {signal: " + fan + ", stale_for: 4s}\nthen:\n  - {set: " + fan + ", to: 20, unit: percent, lease: 1m}\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.want == "" {
				says(t, v, c.card)
			} else {
				says(t, v, c.card, c.want)
			}
		})
	}
}
