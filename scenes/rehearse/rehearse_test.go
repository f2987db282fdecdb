package rehearse

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vignette/scenes"
	"vignette/scenes/engine"
)

const benchDBC = "VERSION \"\"\nBO_ 1 M: 8 X\n SG_ S : 0|16@1+ (0.1,0) [0|300] \"km/h\" Y\n SG_ A : 16|8@1+ (1,0) [0|255] \"\" Y\n SG_ B : 24|8@1+ (1,0) [0|255] \"\" Y\n"

const benchCar = `schema: 1
id: bench
version: 1
buses:
  pt: {dbc: [car.dbc], interface: can0}
signals:
  Vehicle.Speed: {from: pt.M.S, unit: km/h, stale_after: 1s}
  Private.A: {from: pt.M.A, stale_after: never, values: {0: false, 1: true}}
  Private.B: {from: pt.M.B, stale_after: never, values: {0: false, 1: true}}
states:
  parked: {signal: Vehicle.Speed, between: [-0.5, 0.5], unit: km/h}
actuators:
  Private.A: {type: boolean, min_interval: 0s, max_lease: 1h, states: [parked, moving], manual_holdoff: 1m, readback: {signal: Private.A, within: 2s}}
  Private.B: {type: boolean, min_interval: 0s, max_lease: 1h, states: [parked], manual_holdoff: 1m, confirm: true, readback: {signal: Private.B, within: 2s},
     call: {bus: session, service: a.b, path: /a, interface: a.b, member: Set, signature: bu, args: ["{value}", "{lease_ms}"], within: 500ms}}
actions:
  ring: {params: {}, states: [parked, moving], min_interval: 0s}
events:
  button: {names: [star], hmi: true}
clock: {trusted_by: org.freedesktop.timedate1}
`

// bench is a car with two switches, of which the second asks first.
func bench(t testing.TB, cards ...string) *scenes.Program {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"vehicle.yaml": benchCar, "car.dbc": benchDBC} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	v, err := scenes.LoadVehicle(filepath.Join(dir, "vehicle.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var list []*scenes.Card
	for i, body := range cards {
		id := string(rune('a' + i))
		c, err := scenes.ParseCard(id+".yaml", []byte(fmt.Sprintf("schema: 1\nid: %s\nversion: 1.0.0\ntitle: {en: Card %s}\n%s", id, id, body)))
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, c)
	}
	p, err := scenes.Compile(v, list)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// tell tells one scenario.
func tell(t testing.TB, p *scenes.Program, body string) Result {
	t.Helper()
	s, err := scenes.ParseScenario("s.yaml", []byte("schema: 1\ntitle: {en: A story}\n"+body))
	if err != nil {
		t.Fatal(err)
	}
	return All(p, []*scenes.Scenario{s})[0]
}

// TestOutcomes: what passes, what fails and by which records, and what cannot be told.
func TestOutcomes(t *testing.T) {
	const set = "when: [{button: star}]\nthen: [{set: Private.B, to: true, lease: 10s, at_end: {set: false}}]\nmanual: true\n"
	const standing = "given: [{signal: Vehicle.Speed, is: 0, unit: km/h}, {signal: Private.B, is: false}]\n"
	for name, c := range map[string]struct {
		card, story string
		want        Outcome
		says        string // what of the first missed expectation, or of the first fault
	}{
		"asked and agreed":  {set, standing + "steps: [{at: 1s, button: star}, {at: 3s, answer: \"yes\"}]\nexpect: [{fires: a, at: 1s}, {sets: Private.B, to: true, at: 3s}, {ends: Private.B, at: 13s}]\nuntil: 20s\n", Passed, ""},
		"asked and refused": {set, standing + "steps: [{at: 1s, button: star}, {at: 3s, answer: \"no\"}]\nexpect: [{sets: Private.B}]\nuntil: 20s\n", Failed, "asked 1s declined 3s"},
		"asked in vain":     {set, standing + "steps: [{at: 1s, button: star}]\nexpect: [{sets: Private.B, never: true}]\nuntil: 2m\n", Passed, ""},
		"by hand":           {set, standing + "steps: [{at: 1s, run: a}, {at: 2s, answer: \"yes\"}]\nexpect: [{sets: Private.B, at: 2s}]\nuntil: 20s\n", Passed, ""},
		"the driver's hand": {set, standing + "steps: [{at: 1s, hand: Private.B, to: true}, {at: 2s, button: star}]\nexpect: [{does: ring, never: true}, {sets: Private.B}]\nuntil: 20s\n", Failed, "lost 2s winner:driver"},
		"moving":            {set, strings.Replace(standing, "is: 0", "is: 50", 1) + "steps: [{at: 1s, button: star}]\nexpect: [{fires: a}, {sets: Private.B}]\nuntil: 20s\n", Failed, "denied 1s state:moving"},
		"too early":         {set, standing + "steps: [{at: 1s, button: star}]\nexpect: [{fires: a, never: true}]\nuntil: 20s\n", Failed, "fired 1s trigger[0]"},
		"silent": {"when: [{signal: Vehicle.Speed, stale_for: 5s}]\nthen: [{do: ring}]\n", "given: [{signal: Vehicle.Speed, is: 3, unit: km/h}]\nsteps: [{at: 2s, silent: Vehicle.Speed}]\nexpect: [{does: ring, within: [6s, 8s]}]\nuntil: 9s\n",
			Passed, ""},
		"by the clock": {"when: [{at: \"07:30\"}]\nonly_if: [{time: {from: \"06:00\", to: \"08:00\"}}]\nthen: [{do: ring}]\n", "clock: {local: \"2026-06-01 07:29\"}\nexpect: [{does: ring, at: 60s}]\nuntil: 2m\n", Passed, ""},
		"by the sun":   {"when: [{sunset: true, offset: -10m}]\nthen: [{do: ring}]\n", "clock: {local: \"2026-06-01 21:00\", sunset: \"21:20\"}\nexpect: [{does: ring, at: 10m}]\nuntil: 11m\n", Passed, ""},
		"no clock":     {"when: [{at: \"07:30\"}]\nthen: [{do: ring}]\n", "expect: [{fires: a}]\nuntil: 2m\n", Failed, "unknown:clock"},
		"never known": {"when: [{signal: Vehicle.Speed, rises_above: 5, rearm_below: 3, unit: km/h}]\nthen: [{do: ring}]\n", "expect: [{fires: a}]\nuntil: 5s\n", Failed,
			"unknown:Vehicle.Speed"},
		"held back": {"when: [{button: star}]\nonly_if: [{signal: Vehicle.Speed, above: 5, unit: km/h}]\nthen: [{do: ring}]\n", standing + "steps: [{at: 1s, button: star}]\nexpect: [{fires: a}]\nuntil: 5s\n", Failed,
			"blocked 1s only_if[0]"},
		"no such signal": {set, "given: [{signal: Private.C, is: 3}]\nexpect: [{fires: a}]\nuntil: 5s\n", Unable, "`Private.C` is not a signal"},
		"beyond it":      {set, "given: [{signal: Vehicle.Speed, is: 7000, unit: km/h}]\nexpect: [{fires: a}]\nuntil: 5s\n", Unable, "this car cannot show 7000 for Vehicle.Speed; its signal goes from 0 to 6553.5"},
		"no such label":  {set, "given: [{signal: Private.A, is: ON}]\nexpect: [{fires: a}]\nuntil: 5s\n", Unable, "Private.A is true or false"},
		"other card":     {set, "expect: [{fires: b}]\nuntil: 5s\n", Unable, "`b` is no card here"},
		"a whole day":    {"when: [{signal: Vehicle.Speed, rises_above: 5, rearm_below: 3, unit: km/h}]\nthen: [{do: ring}]\n", standing + "expect: [{fires: a}]\nuntil: 24h\n", Failed, ""},
	} {
		t.Run(name, func(t *testing.T) {
			r := tell(t, bench(t, c.card), c.story)
			var says []string
			for _, d := range r.Faults {
				says = append(says, d.What)
			}
			for i := range r.Missed {
				m := &r.Missed[i]
				for _, record := range m.Instead {
					says = append(says, strings.TrimSpace(fmt.Sprintf("%v %ds %s", record.What, record.T/1e9, record.Why)))
				}
				if m.Instead == nil {
					says = append(says, m.State.Why)
				}
			}
			if got := strings.Join(says, " "); r.Outcome != c.want || !strings.Contains(got, c.says) {
				t.Errorf("%v, %q; want %v, %q", r.Outcome, got, c.want, c.says)
			}
		})
	}
}

// TestChase: two cards that set what starts the other go on in time, and the end of
// the scenario ends them.
func TestChase(t *testing.T) {
	chase := func(when, to string) string {
		return "when: [{signal: Private.A, becomes: " + when + "}]\nthen: [{set: Private.A, to: " + to + ", lease: 1h, at_end: leave}]\nreentry: restart\n"
	}
	r := tell(t, bench(t, chase("true", "false"), chase("false", "true")), "given: [{signal: Private.A, is: false}]\nsteps: [{at: 1s, signal: Private.A, to: true}]\nexpect: [{fires: a, at: 1s}]\nuntil: 1h\n")
	if r.Outcome != Passed {
		t.Errorf("%+v", r)
	}
}

// TestTogether bounds what many scenarios cost: those that find no room any more
// say so.
func TestTogether(t *testing.T) {
	p := bench(t, "when: [{signal: Vehicle.Speed, rises_above: 5, rearm_below: 3, unit: km/h}]\nthen: [{do: ring}]\n")
	s, err := scenes.ParseScenario("s.yaml", []byte("schema: 1\ntitle: {en: Hours}\ngiven: [{signal: Vehicle.Speed, is: 3, unit: km/h}]\nexpect: [{fires: a, never: true}]\nuntil: 10h\n"))
	if err != nil {
		t.Fatal(err)
	}
	results := All(p, []*scenes.Scenario{s, s, s, s})
	for i, want := range []Outcome{Passed, Passed, Unable, Unable} {
		if results[i].Outcome != want {
			t.Errorf("scenario %d: %v %v, want %v", i, results[i].Outcome, results[i].Faults, want)
		}
	}
}

// TestSameAgain: a scenario told twice has the same result, whatever was told between.
func TestSameAgain(t *testing.T) {
	p := bench(t, "when: [{button: star}]\nthen: [{set: Private.A, to: true, lease: 3s}]\n")
	const story = "given: [{signal: Private.A, is: false}]\nsteps: [{at: 1s, button: star}]\nexpect: [{ends: Private.A, at: 2s}, {sets: Private.A, to: false}]\nuntil: 9s\n"
	first := tell(t, p, story)
	again := tell(t, p, story)
	if first.Outcome != Failed || len(first.Missed) != 2 || fmt.Sprint(instead(first)) != fmt.Sprint(instead(again)) {
		t.Errorf("%+v and %+v", first, again)
	}
}

func instead(r Result) (records []engine.Record) {
	for _, m := range r.Missed {
		records = append(records, m.Instead...)
	}
	return records
}
