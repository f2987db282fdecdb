package check

import (
	"slices"
	"strings"
)

// Passes are all checks, in the order of docs/checks.md. Those of an error
// come first: where one of them finds something, the others do not run.
func Passes() []Pass {
	return []Pass{
		{Name: "format", What: "A file is a card or a profile as the format says.",
			Why: "A key that nobody reads, a value of another kind or a repeated key would be ignored by a lenient reader, and the driver would wonder. All of it is refused, with its place.",
			Bad: []Example{{[]string{`when:
  - {signal: Vehicle.Speed, rises_abov: 90, unit: km/h}
then:
  - {do: notify, with: {text: {en: Fast}}}`}, "unknown key `rises_abov` in a trigger; did you mean `rises_above`?"}},
			Good: []Example{{[]string{`when:
  - {signal: Vehicle.Speed, rises_above: 90, rearm_below: 85, unit: km/h}
then:
  - {do: notify, with: {text: {en: Fast}}}`}, ""}}},
		{Name: "names", What: "Signals, actuators, actions, states, labels and parameters are the profile's.",
			Why: "A card for another car, or a slip of the pen, must not wait for a signal that never comes. The nearest name that the profile has is suggested.",
			Bad: []Example{{[]string{`when:
  - {signal: Vehicle.Sped, rises_above: 90, rearm_below: 85, unit: km/h}
then:
  - {do: notify, with: {text: {en: Fast}}}`}, "`Vehicle.Sped` is not a signal of the vehicle profile; did you mean `Vehicle.Speed`?"}},
			Good: []Example{{[]string{`when:
  - {signal: Vehicle.LowVoltageSystemState, becomes: START}
then:
  - {do: notify, with: {text: {en: Hello}}}`}, ""}}},
		{Name: "types", What: "Values fit their signals, actuators and parameters: kind, unit, whole numbers.",
			Why: "90 km/h is not 90 mph, and a temperature is neither. Units of one quantity are converted; different quantities, and numbers with and without unit, are refused. Equality is for whole, boolean and labelled values, because a fraction misses it.",
			Bad: []Example{{[]string{`when:
  - {signal: Vehicle.Speed, rises_above: 20, rearm_below: 15, unit: Celsius}
then:
  - {do: notify, with: {text: {en: Fast}}}`}, "Vehicle.Speed is a speed (km/h); Celsius is a temperature"},
				{[]string{`when:
  - {signal: Vehicle.LowVoltageSystemState, becomes: "ON"}
only_if:
  - expr: Vehicle.Speed + Vehicle.Exterior.AirTemperature > 50 km/h
then:
  - {do: notify, with: {text: {en: Odd}}}`}, "they do not mix"}},
			Good: []Example{{[]string{`when:
  - {signal: Vehicle.Speed, rises_above: 56, rearm_below: 53, unit: mph}
only_if:
  - expr: Vehicle.Cabin.HVAC.AmbientAirTemperature > Vehicle.Exterior.AirTemperature + 5 K
then:
  - {do: notify, with: {text: {en: Fast and warm}}}`}, ""}}},
		{Name: "limits", What: "What a card sets is what the profile allows: range, step, lease, and nothing that `never` names.",
			Why: "The gate in the car would deny it anyway; the author learns it here.",
			Bad: []Example{{[]string{`when:
  - {signal: Vehicle.LowVoltageSystemState, becomes: "ON"}
then:
  - {set: Vehicle.Cabin.HVAC.Station.Row1.Driver.FanSpeed, to: 90, unit: percent, lease: 1m}`}, "90 percent is outside the range of Vehicle.Cabin.HVAC.Station.Row1.Driver.FanSpeed, 0 to 80; choose a value in it"}},
			Good: []Example{{[]string{`when:
  - {signal: Vehicle.LowVoltageSystemState, becomes: "ON"}
then:
  - {set: Vehicle.Cabin.HVAC.Station.Row1.Driver.FanSpeed, to: 80, unit: percent, lease: 1m}`}, ""}}},
		{Name: "dbc", What: "All that the profile's DBC files define can be used.",
			Why: "A definition that cannot be decoded is left out and the rest of the file is used; the author should know which. `vignette dbc` tells more."},
		{Name: "cost", What: "A card, and all cards together, stay within the profile's `budget`.",
			Why: "Each card has a certificate, computed when it is compiled: bytes of state, most operations in a step, most effects in an hour. An operation is a detector that takes a sample, a clause or term of an expression that is evaluated, a card that is judged, or an action that is decided. The sum is what the costliest message of the bus brings. Over budget a card is refused with the figure; a card that nothing holds back to a number of firings an hour is pointed out.",
			Bad: []Example{{[]string{`when:
  - {signal: Vehicle.Speed, rises_above: 90, rearm_below: 85, unit: km/h}
only_if:
` + strings.Repeat("  - expr: "+strings.Repeat("Vehicle.Speed + ", 30)+"Vehicle.Speed > 0 km/h\n", 33) + `then:
  - {do: notify, with: {text: {en: Fast}}}`}, "the profile's budget allows 2000; make it smaller"}},
			Good: []Example{{[]string{`when:
  - {signal: Vehicle.Speed, rises_above: 90, rearm_below: 85, unit: km/h}
then:
  - {do: notify, with: {text: {en: Fast}}}
cooldown: 1m`}, ""}}},
		{Name: "interval", What: "Conditions and triggers that the ranges of their signals decide for good: never true, always true, never completing.",
			Why:    "A threshold beyond what the signal can reach is a slip of the pen or of the unit. The ranges are the DBC's [min|max], listed values and labels; arithmetic is followed through expressions. What the pass says holds for every sample within these ranges.",
			Limits: "A sample outside the DBC's range is logged and valid, so a car may still surprise. Two clauses of an `expr` that reckon with one signal twice are taken for independent.",
			Bad: []Example{{[]string{`when:
  - {signal: Vehicle.LowVoltageSystemState, becomes: "ON"}
only_if:
  - {signal: Vehicle.Powertrain.TractionBattery.StateOfCharge.Current, above: 120, unit: percent}
then:
  - {do: notify, with: {text: {en: Full}}}`}, "this is never true; correct it"},
				{[]string{`when:
  - {signal: Vehicle.LowVoltageSystemState, becomes: "ON"}
only_if:
  - {signal: Vehicle.Exterior.AirTemperature, below: 5, unit: Celsius}
  - expr: Vehicle.Exterior.AirTemperature > 30 Celsius
then:
  - {do: notify, with: {text: {en: Weather}}}`}, "this and the conditions before it are never true together, so the card never fires; correct one"}},
			Good: []Example{{[]string{`when:
  - {signal: Vehicle.LowVoltageSystemState, becomes: "ON"}
only_if:
  - {signal: Vehicle.Powertrain.TractionBattery.StateOfCharge.Current, above: 80, unit: percent}
then:
  - {do: notify, with: {text: {en: Nearly full}}}`}, ""}}},
		{Name: "instant", What: "Triggers whose own moment excludes a condition: two moments that would have to be one.",
			Why:    "A trigger is a moment and a condition is looked at in that moment only. `becomes: -1` together with `is: 126` on the same signal asks the gear to be in two places at once, and the card stays silent for ever. So does a sequence or a count whose edges the bus cannot bring within the time allowed, and a clause about the value of a signal that has just gone stale.",
			Limits: "How fast a message comes is what its DBC says; without a cycle time nothing is said of its edges.",
			Bad: []Example{{[]string{`when:
  - {signal: Vehicle.Powertrain.Transmission.SelectedGear, becomes: -1}
only_if:
  - {state: parked}
then:
  - {do: notify, with: {text: {en: Reversing}}}`}, "when this completes, only_if[0] is never true, so it never fires the card; a condition is looked at in the trigger's moment only"},
				{[]string{`when:
  - {count: {of: {signal: Vehicle.Body.Windshield.Front.Wiping.Mode, becomes: FAST}, reaches: 5, within: 500ms}}
then:
  - {do: notify, with: {text: {en: What a rain}}}`}, "message WIPER_Status comes every 100ms, so these edges need 800ms and are never within 500ms: two moments that would have to be one; allow more time"}},
			Good: []Example{{[]string{`when:
  - {signal: Vehicle.Powertrain.Transmission.SelectedGear, becomes: 126}
only_if:
  - {state: parked}
then:
  - {do: notify, with: {text: {en: Parked}}}`}, ""}}},
		{Name: "hysteresis", What: "Thresholds without a rearm value.",
			Why: "A measured value trembles. Without `rearm_below` (or `rearm_above`) each crossing fires anew; with `held_for` each takes the hold back. With a cooldown or a hold it is a note, else a warning.",
			Bad: []Example{{[]string{`when:
  - {signal: Vehicle.Speed, rises_above: 90, unit: km/h}
then:
  - {do: notify, with: {text: {en: Fast}}}`}, "without `rearm_below` a tremble around 90 fires the card again and again; add one"}},
			Good: []Example{{[]string{`when:
  - {signal: Vehicle.Speed, rises_above: 90, rearm_below: 85, unit: km/h}
then:
  - {do: notify, with: {text: {en: Fast}}}`}, ""}}},
		{Name: "conflict", What: "Pairs of cards that can command one actuator differently at once.",
			Why:    "The arbiter decides in the car, by priority, then by who came first. With equal priorities that is chance, and a warning; with different ones it is a note. Cards whose `only_if` exclude each other, whatever the signals' bits can carry, do not conflict, nor do cards that set the same value.",
			Limits: "Conditions are compared as they are at one moment. A lease outlives the moment of its card, so excluding cards can still meet over a lease that runs on. Arithmetic over several signals, and conditions of more than 64 cases, exclude nothing unless their ranges do.",
			Bad: []Example{{[]string{`when:
  - {signal: Vehicle.LowVoltageSystemState, becomes: "ON"}
then:
  - {set: Vehicle.Cabin.HVAC.Station.Row1.Driver.FanSpeed, to: 80, unit: percent, lease: 1m}`, `when:
  - {signal: Vehicle.Cabin.Seat.Row1.PassengerSide.OccupancyStatus, becomes: OCCUPIED}
then:
  - {set: Vehicle.Cabin.HVAC.Station.Row1.Driver.FanSpeed, to: 20, unit: percent, lease: 1m}`}, "both with priority 0: the one that comes first keeps it; give them priorities, or conditions that exclude each other"}},
			Good: []Example{{[]string{`when:
  - {signal: Vehicle.LowVoltageSystemState, becomes: "ON"}
only_if:
  - {state: parked}
then:
  - {set: Vehicle.Cabin.HVAC.Station.Row1.Driver.FanSpeed, to: 80, unit: percent, lease: 1m}`, `when:
  - {signal: Vehicle.Cabin.Seat.Row1.PassengerSide.OccupancyStatus, becomes: OCCUPIED}
only_if:
  - {signal: Vehicle.Speed, above: 20, unit: km/h}
then:
  - {set: Vehicle.Cabin.HVAC.Station.Row1.Driver.FanSpeed, to: 20, unit: percent, lease: 1m}`}, ""}}},
		{Name: "loop", What: "Cards that can start each other without end, through an actuator and the signal that reads it back.",
			Why:    "One card sets the fan, the fan's readback starts the next card, which sets it again. In the car such a chain is blocked at depth 5 and by the quarantine; better that it never begins. The circle is named card by card.",
			Limits: "It sees the readback of an actuator and the signal of the same path. What a fan does to the temperature it cannot know. Conditions are not weighed: a circle is named even if they break it.",
			Bad: []Example{{[]string{`when:
  - {signal: Vehicle.Cabin.HVAC.Station.Row1.Driver.FanSpeed, rises_above: 50, rearm_below: 40, unit: percent}
then:
  - {set: Vehicle.Cabin.HVAC.Station.Row1.Driver.FanSpeed, to: 20, unit: percent, lease: 1m}`}, "they can start each other without end (the car stops it at depth 5); start one by something that no card sets"}},
			Good: []Example{{[]string{`when:
  - {signal: Vehicle.Cabin.HVAC.Station.Row1.Driver.FanSpeed, rises_above: 50, rearm_below: 40, unit: percent}
then:
  - {do: notify, with: {text: {en: The fan is loud}}}`}, ""}}},
	}
}

// Find returns the pass of that name.
func Find(name string) (Pass, bool) {
	list := Passes()
	i := slices.IndexFunc(list, func(p Pass) bool { return p.Name == name })
	if i < 0 {
		return Pass{}, false
	}
	return list[i], true
}

// Names are the names of all passes.
func Names() (names []string) {
	for _, p := range Passes() {
		names = append(names, p.Name)
	}
	return names
}

// Doc is the pass as a section of Markdown.
func (p *Pass) Doc() string {
	var b strings.Builder
	b.WriteString("## " + p.Name + "\n\n" + p.What + "\n\n" + p.Why + "\n")
	if p.Limits != "" {
		b.WriteString("\nWhat it does not see: " + p.Limits + "\n")
	}
	examples(&b, "Bad", p.Bad)
	examples(&b, "Good", p.Good)
	return b.String()
}

// maxShown is the most lines of an example that its text shows.
const maxShown = 16

func examples(b *strings.Builder, title string, list []Example) {
	for _, e := range list {
		b.WriteString("\n" + title)
		if e.Says != "" {
			b.WriteString(", with the message “… " + e.Says + "”")
		}
		b.WriteString(":\n")
		for _, card := range e.Cards {
			lines := strings.Split(strings.TrimRight(card, "\n"), "\n")
			if len(lines) > maxShown {
				lines = append(lines[:4:4], "  … (the same, more than thirty times)", lines[len(lines)-2], lines[len(lines)-1])
			}
			for i, l := range lines {
				if len(l) > 160 {
					l = l[:60] + " … " + l[len(l)-60:]
				}
				lines[i] = "    " + l
			}
			b.WriteString("\n" + strings.Join(lines, "\n") + "\n")
		}
	}
}
