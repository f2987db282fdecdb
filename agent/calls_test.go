package agent

import (
	"path/filepath"
	"testing"

	"vignette/scenes/engine"
)

// TestCallWithoutActuators has a card's action called in a car whose profile has
// actions and no actuators.
func TestCallWithoutActuators(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "car.dbc"), readFile(t, "../testdata/hmi/car.dbc"))
	writeFile(t, filepath.Join(dir, "vehicle.yaml"), []byte(`schema: 1
id: bare
version: 1
buses:
  pt: {dbc: [car.dbc], interface: can0}
signals:
  Vehicle.Speed: {from: pt.M.S, unit: km/h, stale_after: never}
states:
  parked: {signal: Vehicle.Speed, between: [-0.5, 0.5], unit: km/h}
actions:
  say: {params: {text: string}, states: [parked, moving], min_interval: 1s,
     call: {bus: session, service: org.example.Say1, path: /org/example/Say1, interface: org.example.Say1,
            member: Say, signature: ss, args: ["{card}", "{text}"], within: 500ms}}
`))
	writeFile(t, filepath.Join(dir, "fast.yaml"), []byte(`schema: 1
id: fast
version: 1.0.0
title: {en: Fast}
when:
  - {signal: Vehicle.Speed, rises_above: 30, rearm_below: 20, unit: km/h}
then:
  - {do: say, with: {text: fast}}
cooldown: 10s
`))
	prog, err := Load(&Config{Unsigned: true, Vehicle: filepath.Join(dir, "vehicle.yaml"), Cards: []string{filepath.Join(dir, "fast.yaml")}})
	if err != nil {
		t.Fatal(err)
	}
	binding, args, err := newCallBook(prog, "en").call(&engine.Call{Kind: engine.CallDo})
	if err != nil || binding.Member != "Say" || len(args) != 2 || args[0] != "fast" || args[1] != "fast" {
		t.Errorf("%+v %v, %v; want Say(fast, fast)", binding, args, err)
	}
}
