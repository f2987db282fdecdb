package scenes

import (
	"testing"

	"vignette/scenes/engine"
)

// exampleCard is the card that docs/scene-cards.md shows.
const exampleCard = `schema: 1
id: hot-cabin-vent            # ^[a-z0-9][a-z0-9-]{0,63}$
version: 1.2.0
title: {en: Air the hot cabin, zh: 高温通风}
when:                         # one trigger or more; any of them starts the card
  - {signal: Vehicle.Cabin.HVAC.AmbientAirTemperature, rises_above: 32, rearm_below: 30, unit: Celsius, held_for: 20s}
only_if:                      # all must be true at the moment the trigger completes
  - {state: parked}
  - {signal: Vehicle.Powertrain.TractionBattery.StateOfCharge.Current, above: 20, unit: percent}
then:                         # in order, each waits for the one before
  - {set: Vehicle.Cabin.HVAC.Station.Row1.Driver.FanSpeed, to: 60, unit: percent, lease: 10m, at_end: restore}
  - {wait: 2s}
  - {do: notify, with: {text: {en: Airing the cabin, zh: 正在通风}}, on_error: continue}
reentry: single               # default; or restart
cooldown: 15m                 # default 0
priority: 0                   # −10 … 10, breaks ties between automatic cards
manual: true                  # default false: the driver may also run it by hand
on_boot: restart              # default; what holds do after a reboot: restart, resume, drop
derived_from: cool-down@1.0.0 # a remix names its parent
`

// The example compiles on the demonstration car.
func TestExampleCard(t *testing.T) {
	c, err := ParseCard("hot-cabin-vent.yaml", []byte(exampleCard))
	if err != nil {
		t.Fatal(err)
	}
	if c.Title.In("zh-CN") != "高温通风" || c.Version != "1.2.0" || c.DerivedFrom != "cool-down@1.0.0" ||
		!c.Manual || c.Restart || c.OnBoot != engine.RestartHold {
		t.Errorf("card is %+v", c)
	}
	v, err := LoadVehicle("../testdata/drive/vehicle.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Compile(v, []*Card{c}); err != nil {
		t.Error(err)
	}
}
