package scenes

import (
	"strings"
	"testing"
)

// refusedCards are changes to testdata/card.yaml and what they are refused with.
var refusedCards = []struct{ name, old, new, want string }{
	{"unknown key", "rises_above", "rise_above", ""},
	{"unknown key of the card", "cooldown:", "cooldwn:", ""},
	{"far unknown key", "cooldown:", "when_it_is_hot:", ""},
	{"later key", "reentry: single", "manual: true", ""},
	{"later key on_boot", "reentry: single", "on_boot: restart", ""},
	{"later reentry", "reentry: single", "reentry: restart", ""},
	{"unknown reentry", "reentry: single", "reentry: twice", ""},
	{"later trigger", `becomes: "ON"`, "stale_for: 5s", ""},
	{"later count", `{signal: Vehicle.LowVoltageSystemState, becomes: "ON"}`, "{count: {of: x, reaches: 2, within: 5s}}", ""},
	{"later at", `{signal: Vehicle.LowVoltageSystemState, becomes: "ON"}`, `{at: "07:30", on: [mon, fri]}`, ""},
	{"later condition", "{state: parked}", "{power: on}", ""},
	{"later release", "{wait: 1.5s}", "{release: Private.Bench.Lamp}", ""},
	{"missing id", "id: air-the-cabin\n", "", ""},
	{"bad id", "air-the-cabin", "Air_Cabin", ""},
	{"schema 2", "schema: 1", "schema: 2", ""},
	{"schema text", "schema: 1", `schema: "1"`, ""},
	{"version", "1.2.0", "1.2", ""},
	{"title text", "{en: Air the cabin, zh: 通风}", "Air the cabin", ""},
	{"title without en", "en: Air the cabin, zh", "zh", ""},
	{"title tag", "zh: 通风", "chinese!: 通风", ""},
	{"title number", "en: Air the cabin", "en: 5", ""},
	{"title empty", "en: Air the cabin", `en: ""`, ""},
	{"when no list", "when:\n  - {signal: Vehicle.Exterior", "when:\n    {signal: Vehicle.Exterior", ""},
	{"priority", "priority: -3", "priority: 11", ""},
	{"priority fraction", "priority: -3", "priority: 0.5", ""},
	{"duration without unit", "cooldown: 15m", "cooldown: 15", ""},
	{"duration with space", "cooldown: 15m", "cooldown: 15 m", ""},
	{"duration negative", "cooldown: 15m", "cooldown: -1s", ""},
	{"duration in days", "cooldown: 15m", "cooldown: 1d", ""},
	{"duration too fine", "cooldown: 15m", "cooldown: 0.0001us", ""},
	{"duration too long", "cooldown: 15m", "cooldown: 9000h", ""},
	{"wait of nothing", "wait: 1.5s", "wait: 0s", ""},
	{"hexadecimal", "rises_above: 90", "rises_above: 0x5A", ""},
	{"octal", "rises_above: 90", "rises_above: 090", ""},
	{"NaN", "rises_above: 90", "rises_above: .nan", ""},
	{"infinity", "rises_above: 90", "rises_above: .inf", ""},
	{"overflow", "rises_above: 90", "rises_above: 1e999", ""},
	{"number in quotes", "rises_above: 90", `rises_above: "90"`, ""},
	{"number missing", "rises_above: 90", "rises_above: ", ""},
	{"anchor", "{state: parked}", "&a {state: parked}", ""},
	{"alias", "{state: parked}", "*a", ""},
	{"anchor and alias", "  - {state: parked}", "  - &a {state: parked}\n  - *a", ""},
	{"tag", "rises_above: 90", "rises_above: !!float 90", ""},
	{"merge key", "{state: parked}", "{<<: {state: parked}}", ""},
	{"duplicate key", "{state: parked}", "{state: parked, state: idling}", ""},
	{"key no text", "{state: parked}", "{[state]: parked}", ""},
	{"second document", "derived_from: cool-down@1.0.0", "---\nschema: 1", ""},
	{"parent", "cool-down@1.0.0", "cool-down", ""},
	{"yes", "is: true", "is: yes", ""},
	{"True", "is: true", "is: True", ""},
	{"changes yes", `becomes: "ON"`, "changes: yes", ""},
	{"changes false", `becomes: "ON"`, "changes: false", ""},
	{"label unquoted on", `"ON"`, "On", ""},
	{"two edges", `becomes: "ON"`, `becomes: "ON", leaves: LOCK`, ""},
	{"no edge", `, becomes: "ON"`, "", ""},
	{"no signal", "signal: Vehicle.LowVoltageSystemState, becomes", "becomes", ""},
	{"held_for on leaves", `becomes: "ON"`, `leaves: "ON", held_for: 2s`, ""},
	{"rearm on becomes", `becomes: "ON"`, `becomes: "ON", rearm_below: 2`, ""},
	{"wrong rearm", "rearm_below", "rearm_above", ""},
	{"both rearms", "rearm_below: 86", "rearm_below: 86, rearm_above: 86", ""},
	{"rearm too high", "rearm_below: 86", "rearm_below: 95", ""},
	{"unknown signal", "signal: Vehicle.Speed,", "signal: Vehicle.Sped,", ""},
	{"far signal", "signal: Vehicle.Speed,", "signal: Private.Nothing.Like.This,", ""},
	{"unit missing", ", unit: Fahrenheit", "", ""},
	{"unit of another quantity", "unit: m/s}", "unit: Celsius}", ""},
	{"unit unknown", "unit: m/s}", "unit: kmp/h}", ""},
	{"unit of a label", `becomes: "ON"`, `becomes: "ON", unit: km/h`, ""},
	{"unit of a number without", "is_not: 127", "is_not: 127, unit: km/h", ""},
	{"unit at changes", `becomes: "ON"`, `changes: true, unit: km/h`, ""},
	{"above a label", `becomes: "ON"`, "rises_above: 3", ""},
	{"equality on fractions", "below: 5, unit: m/s", "is: 5, unit: m/s", ""},
	{"equality with a fraction", "is_not: 127", "is_not: 127.5", ""},
	{"value not listed", "is_not: 127", "is_not: 5", ""},
	{"label not listed", `"ON"`, "STRAT", ""},
	{"number for a label", `becomes: "ON"`, "becomes: 3", ""},
	{"label for a number", "is_not: 127", "is_not: park", ""},
	{"unknown state", "state: parked", "state: praked", ""},
	{"empty condition", "{state: parked}", "{}", ""},
	{"two conditions in one", "{state: parked}", "{state: parked, signal: Vehicle.Speed}", ""},
	{"two operators", "below: 5, unit: m/s", "below: 5, above: 2, unit: m/s", ""},
	{"comparison without signal", "{state: parked}", "{above: 5}", ""},
	{"between one", "below: 5, unit: m/s", "between: [5], unit: m/s", ""},
	{"between downwards", "below: 5, unit: m/s", "between: [5, 2], unit: m/s", ""},
	{"empty any", "{state: parked}", "{any: []}", ""},
	{"unknown actuator", "set: Private.Bench.Lamp", "set: Private.Bench.Lmap", ""},
	{"forbidden actuator", "set: Private.Bench.Lamp", "set: Vehicle.Chassis.Brake", ""},
	{"out of range", "to: 60", "to: 90", ""},
	{"off the grid", "to: 60", "to: 65", ""},
	{"end out of range", "{set: 10}", "{set: -10}", ""},
	{"end unknown", "at_end: leave", "at_end: stay", ""},
	{"lease too long", "lease: 10m", "lease: 31m", ""},
	{"lease missing", ", lease: 10m", "", ""},
	{"to missing", ", to: true", "", ""},
	{"set boolean to number", "to: true", "to: 1", ""},
	{"set label to boolean", "to: BRIGHT", "to: true", ""},
	{"set unknown label", "to: BRIGHT", "to: BRITE", ""},
	{"unit on a boolean", "to: true", "to: true, unit: percent", ""},
	{"set with wait key", "{wait: 1.5s}", "{wait: 1.5s, lease: 2s}", ""},
	{"two actions in one", "{wait: 1.5s}", "{wait: 1.5s, do: notify}", ""},
	{"on_error", "on_error: continue", "on_error: stop", ""},
	{"unknown action", "do: notify", "do: notfy", ""},
	{"missing parameter", ", with: {text: {en: Airing, zh-Hant: 通風}}", "", ""},
	{"unknown parameter", "{text: {en: Airing, zh-Hant: 通風}}", "{txt: {en: Airing}}", ""},
	{"parameter not localized", "{text: {en: Airing, zh-Hant: 通風}}", "{text: Airing}", ""},
	{"other parameter types", "do: notify, with: {text: {en: Airing, zh-Hant: 通風}}", "do: beep, with: {times: two, loud: 1, tone: {en: C}}", ""},
	{"unclosed bracket", "{wait: 1.5s}", "{wait: 1.5s", ""},
	{"tab", "cooldown: 15m", "\tcooldown: 15m", ""},
	{"bad UTF-8", "Airing,", "Air\xffing,", ""},
}

// Each change is refused with exactly these lines.
func TestRefusedCards(t *testing.T) {
	base, v := read(t, "card.yaml"), bench(t)
	for _, c := range refusedCards {
		t.Run(c.name, func(t *testing.T) {
			card, err := ParseCard("card.yaml", []byte(exchange(t, base, c.old, c.new)))
			if err == nil {
				_, err = Compile(v, []*Card{card})
			}
			checkDiagnostics(t, err, c.want)
		})
	}
}

// Texts that are no card at all.
func TestRefusedTexts(t *testing.T) {
	deep := strings.Repeat("[", 40) + strings.Repeat("]", 40)
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", ""},
		{"comment only", "# nothing\n", ""},
		{"list", "- a\n- b\n", ""},
		{"text", "hello\n", ""},
		{"deep", "when: " + deep, ""},
		{"long", "# " + strings.Repeat("x", maxCardBytes), ""},
		{"many values", "when: [" + strings.Repeat("1,", maxCardNodes) + "]", ""},
		{"several", "schema: 1\nid: A\nversion: 1\ntitel: {en: x}\n", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ParseCard("card.yaml", []byte(c.text))
			checkDiagnostics(t, err, c.want)
		})
	}
}
