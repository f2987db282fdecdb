package adapt

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vignette/scenes"
)

const otherDBC = "VERSION \"\"\nBO_ 1 M: 8 X\n SG_ S : 0|16@1+ (0.1,0) [0|300] \"km/h\" Y\n SG_ T : 16|8@1+ (1,-40) [0|0] \"C\" Y\n SG_ P : 24|4@1+ (1,0) [0|15] \"\" Y\n SG_ O : 28|4@1+ (1,0) [0|15] \"\" Y\n" +
	"BO_ 2 N: 8 X\n SG_ F : 0|8@1+ (1,0) [0|100] \"%\" Y\n"

// otherCar names the driver's side Left, cannot tell parked, blows less, and calls
// its notes otherwise.
const otherCar = `schema: 1
id: other
version: 1
buses:
  pt: {dbc: [car.dbc], interface: can0}
signals:
  Vehicle.Speed: {from: pt.M.S, unit: km/h, stale_after: never}
  Vehicle.Cabin.HVAC.AmbientAirTemperature: {from: pt.M.T, unit: Celsius, stale_after: never}
  Vehicle.LowVoltageSystemState: {from: pt.M.P, stale_after: never, values: {0: LOCK, 1: "OFF", 2: RUN}}
  Vehicle.Cabin.Seat.Row1.Left.IsOccupied: {from: pt.M.O, stale_after: never, values: {0: false, 1: true}}
  Vehicle.Cabin.HVAC.Station.Row1.Left.FanSpeed: {from: pt.N.F, unit: percent, stale_after: never}
  Vehicle.Cabin.HVAC.Station.Row2.Left.FanSpeed: {from: pt.N.F, unit: percent, stale_after: never}
states:
  idling: {signal: Vehicle.Speed, between: [-0.5, 0.5], unit: km/h}
actuators:
  Vehicle.Cabin.HVAC.Station.Row1.Left.FanSpeed: {type: uint8, unit: percent, min: 0, max: 45, step: 10, min_interval: 0s, max_lease: 5m, states: [idling, moving], manual_holdoff: 1m,
    readback: {signal: Vehicle.Cabin.HVAC.Station.Row1.Left.FanSpeed, within: 2s}}
actions:
  show_note: {params: {text: localized}, states: [idling, moving], min_interval: 0s}
  ring: {params: {}, states: [idling, moving], min_interval: 0s}
events:
  button: {names: [moon], hmi: true}
never: [Vehicle.Chassis.*]
`

// other is that car.
func other(t testing.TB) *scenes.Vehicle {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"vehicle.yaml": otherCar, "car.dbc": otherDBC} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	v, err := scenes.LoadVehicle(filepath.Join(dir, "vehicle.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// foreign is a card of another car that asks for all that this one lacks.
const foreign = `schema: 1
id: airing
version: 1.0.0
title: {en: Airing}
when:
  - {signal: Vehicle.LowVoltageSystemState, becomes: "ON"}
  - {button: star}
only_if:
  - {state: parked}
  - {signal: Vehicle.Cabin.Seat.Row1.DriverSide.IsOccupied, is: true}
  - {signal: Vehicle.Cabin.HVAC.AmbientAirTemperature, above: 30, unit: Celsiu}
  - {expr: "Vehicle.Cabin.HVAC.Station.Row1.Driver.FanSpeed < 20 percent"}
then:
  - {set: Vehicle.Cabin.HVAC.Station.Row1.Driver.FanSpeed, to: 80, unit: percent, lease: 30m}
  - {do: notify, with: {text: {en: Airing}}}
`

const story = `schema: 1
title: {en: A hot cabin}
given:
  - {signal: Vehicle.LowVoltageSystemState, is: "OFF"}
  - {signal: Vehicle.Speed, is: 0, unit: km/h}
  - {signal: Vehicle.Cabin.Seat.Row1.DriverSide.IsOccupied, is: true}
  - {signal: Vehicle.Cabin.HVAC.AmbientAirTemperature, is: 38, unit: Celsius}
  - {signal: Vehicle.Cabin.HVAC.Station.Row1.Driver.FanSpeed, is: 10, unit: percent}
steps:
  - {at: 2s, signal: Vehicle.LowVoltageSystemState, to: "ON"}
expect:
  - {fires: airing, at: 2s}
  - {sets: Vehicle.Cabin.HVAC.Station.Row1.Driver.FanSpeed, to: 80, unit: percent, at: 2s}
  - {does: notify}
until: 10s
`

// offered are what is missing and offered, a line each.
func offered(list []Missing) (lines []string) {
	for _, m := range list {
		var takes []string
		for _, o := range m.Offers {
			takes = append(takes, fmt.Sprintf("%d=%s×%d", o.N, o.Take, len(o.Edits)))
		}
		lines = append(lines, fmt.Sprintf("%d:%d %s%s: %s", m.Places[0].Line, m.Places[0].Column, m.Name, map[bool]string{true: " of " + m.Of}[m.Of != ""], strings.Join(takes, " ")))
	}
	return lines
}

// TestAdapt takes every first offer until nothing is missing: cards and scenario
// then fit, and nothing else in their texts has changed.
func TestAdapt(t *testing.T) {
	v := other(t)
	s := Source{[]File{{"airing.yaml", []byte(foreign)}}, []File{{"story.yaml", []byte(story)}}}
	rounds := [][]string{{
		"6:54 ON of Vehicle.LowVoltageSystemState: 1=OFF×2 2=RUN×2 3=LOCK×2",
		"7:14 button star: 4=button moon×1",
		"9:13 parked: 5=idling×1",
		"10:14 Vehicle.Cabin.Seat.Row1.DriverSide.IsOccupied: 6=Vehicle.Cabin.Seat.Row1.Left.IsOccupied×2",
		"11:73 Celsiu of Vehicle.Cabin.HVAC.AmbientAirTemperature: 7=Celsius×1",
		"12:13 Vehicle.Cabin.HVAC.Station.Row1.Driver.FanSpeed: 8=Vehicle.Cabin.HVAC.Station.Row1.Left.FanSpeed×2 9=Vehicle.Cabin.HVAC.Station.Row2.Left.FanSpeed×2",
		"14:11 Vehicle.Cabin.HVAC.Station.Row1.Driver.FanSpeed: 10=Vehicle.Cabin.HVAC.Station.Row1.Left.FanSpeed×2",
		"15:10 notify: 11=show_note×2",
	}, {
		"14:62 80 of Vehicle.Cabin.HVAC.Station.Row1.Left.FanSpeed: 1=40×2",
		"14:88 30m of Vehicle.Cabin.HVAC.Station.Row1.Left.FanSpeed: 2=5m×1",
	}, nil}
	for i, want := range rounds {
		list, err := Find(v, s)
		if err != nil {
			t.Fatal(err)
		}
		if got := offered(list); !slices.Equal(got, want) {
			t.Fatalf("round %d:\n%s\nwant\n%s", i, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		var edits []Edit
		for _, m := range list {
			take := 0
			if m.Name == "ON" {
				take = 1 // RUN
			}
			edits = append(edits, m.Offers[take].Edits...)
		}
		if s, err = s.With(edits); err != nil {
			t.Fatal(err)
		}
	}
	want := strings.NewReplacer(`becomes: "ON"`, `becomes: "RUN"`, "star", "moon", "state: parked", "state: idling", "Row1.DriverSide", "Row1.Left", "Row1.Driver", "Row1.Left", "Celsiu}", "Celsius}",
		"to: 80", "to: 40", "30m", "5m", "notify", "show_note", `to: "ON"`, `to: "RUN"`)
	if got := string(s.Cards[0].Text); got != want.Replace(foreign) {
		t.Errorf("the card is\n%s", got)
	}
	if got := string(s.Scenarios[0].Text); got != want.Replace(story) {
		t.Errorf("the scenario is\n%s", got)
	}
}

// TestAdaptSilently: a card that fits has nothing missing, one whose mistakes are
// its own is offered nothing, and overlapping edits are refused.
func TestAdaptSilently(t *testing.T) {
	v := other(t)
	fits := "schema: 1\nid: a\nversion: 1.0.0\ntitle: {en: A}\nwhen: [{button: moon}]\nthen: [{do: ring}]\n"
	if list, err := Find(v, Source{Cards: []File{{"a.yaml", []byte(fits)}}}); err != nil || list != nil {
		t.Errorf("%v, %v", list, err)
	}
	wrong := strings.Replace(fits, "{do: ring}", "{do: ring, with: {tone: 3}}", 1)
	if list, err := Find(v, Source{Cards: []File{{"a.yaml", []byte(wrong)}}}); err != nil || len(list) != 1 || list[0].Offers != nil || list[0].Kind != scenes.NoLack {
		t.Errorf("%v, %v", list, err)
	}
	forbidden := strings.Replace(fits, "{do: ring}", "{set: Vehicle.Chassis.Brake.FanSpeed, to: 20, unit: percent, lease: 1m}", 1)
	list, err := Find(v, Source{Cards: []File{{"a.yaml", []byte(forbidden)}}})
	if err != nil || len(list) != 1 || list[0].Kind != scenes.LackForbidden || list[0].Offers != nil {
		t.Errorf("%v, %v", offered(list), err)
	}
	if _, err := Find(v, Source{Cards: []File{{"a.yaml", []byte("no card")}}}); err == nil {
		t.Error("what is no card has an answer")
	}
	s := Source{Cards: []File{{"a.yaml", []byte(fits)}}}
	if _, err := s.With([]Edit{{"a.yaml", 0, 5, "x"}, {"a.yaml", 4, 6, "y"}}); err == nil || !strings.Contains(err.Error(), "the same place") {
		t.Errorf("overlapping edits: %v", err)
	}
}
