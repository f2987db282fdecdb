package scenes

import (
	"strings"
	"testing"
)

// refusedCards are changes to testdata/card.yaml and what they are refused with.
var refusedCards = []struct{ name, old, new, want string }{
	{"unknown key", "rises_above", "rise_above", "card.yaml:6:47: unknown key `rise_above` in a trigger; did you mean `rises_above`?"},
	{"unknown key of the card", "cooldown:", "cooldwn:", "card.yaml:18:1: unknown key `cooldwn` in the card; did you mean `cooldown`?"},
	{"far unknown key", "cooldown:", "when_it_is_hot:", "card.yaml:18:1: unknown key `when_it_is_hot` in the card; known are `schema`, `id`, `version`, `title`, `when`, `only_if`, `then`, `reentry`, …"},
	{"manual yes", "reentry: single", "manual: yes", "card.yaml:20:9: `manual`: `yes` is not a boolean; write `true` or `false`"},
	{"on_boot unknown", "reentry: single", "on_boot: resumes", "card.yaml:20:10: `on_boot`: `resumes` is not one of `restart`, `resume` and `drop`; did you mean `resume`?"},
	{"reentry unknown", "reentry: single", "reentry: queue", "card.yaml:20:10: `reentry`: `queue` is not one of `single` and `restart`"},
	{"unknown reentry", "reentry: single", "reentry: twice", "card.yaml:20:10: `reentry`: `twice` is not one of `single` and `restart`"},
	{"release of another's", "{set: Private.Bench.Lamp, to: true, lease: 1m}", "{release: Private.Bench.Lamp}", "card.yaml:17:15: the card never sets Private.Bench.Lamp; a card releases what it has set: take the release out"},
	{"release unknown", "{wait: 1.5s}", "{release: Private.Bench.Lmap}", "card.yaml:14:15: `Private.Bench.Lmap` is not an actuator of the vehicle profile; did you mean `Private.Bench.Lamp`?"},
	{"release with a lease", "{wait: 1.5s}", "{release: Private.Bench.Lamp, lease: 2s}", "card.yaml:14:35: `lease` does not belong to `release`; leave it out"},
	{"missing id", "id: air-the-cabin\n", "", "card.yaml:1:1: the card has no `id`; add it"},
	{"bad id", "air-the-cabin", "Air_Cabin", "card.yaml:2:5: `id`: `Air_Cabin` is not an id: lower-case letters, digits and hyphens, at most 64, not beginning with a hyphen"},
	{"schema 2", "schema: 1", "schema: 2", `card.yaml:1:9: schema 2 is not known; this version reads schema 1`},
	{"schema text", "schema: 1", `schema: "1"`, "card.yaml:1:9: `schema`: a number is wanted here; found the text `1`; remove the quotes"},
	{"version", "1.2.0", "1.2", "card.yaml:3:10: `version`: `1.2` is not a version of three numbers (semantic versioning), such as 1.2.0"},
	{"title text", "{en: Air the cabin, zh: 通风}", "Air the cabin", "card.yaml:4:8: `title` must be a text by language; write {en: Air the cabin}"},
	{"title without en", "en: Air the cabin, zh", "zh", "card.yaml:4:8: `title` has no English text; add `en`"},
	{"title tag", "zh: 通风", "chinese!: 通风", "card.yaml:4:28: `chinese!` is not a language tag (BCP-47), such as en or zh-Hant"},
	{"title number", "en: Air the cabin", "en: 5", "card.yaml:4:13: `en`: a text is wanted here; found the number `5`; put it in quotes"},
	{"title empty", "en: Air the cabin", `en: ""`, "card.yaml:4:13: `en`: the text is empty; write something"},
	{"when no list", "when:\n  - {signal: Vehicle.Exterior", "when:\n    {signal: Vehicle.Exterior", "card.yaml:7:3: no list has its entries in this column; indent `-` as the entries before it, or begin those with `-` too"},
	{"priority", "priority: -3", "priority: 11", "card.yaml:19:11: `priority`: `11` is not a whole number from -10 to 10"},
	{"priority fraction", "priority: -3", "priority: 0.5", "card.yaml:19:11: `priority`: `0.5` is not a whole number from -10 to 10"},
	{"duration without unit", "cooldown: 15m", "cooldown: 15", "card.yaml:18:11: `cooldown`: `15` is not a duration: a decimal number with us, ms, s, m or h, such as 20s or 1.5m"},
	{"duration with space", "cooldown: 15m", "cooldown: 15 m", "card.yaml:18:11: `cooldown`: `15 m` is not a duration: a decimal number with us, ms, s, m or h, such as 20s or 1.5m"},
	{"duration negative", "cooldown: 15m", "cooldown: -1s", "card.yaml:18:11: `cooldown`: `-1s` is not a duration: a decimal number with us, ms, s, m or h, such as 20s or 1.5m"},
	{"duration in days", "cooldown: 15m", "cooldown: 1d", "card.yaml:18:11: `cooldown`: `1d` is not a duration: a decimal number with us, ms, s, m or h, such as 20s or 1.5m"},
	{"duration too fine", "cooldown: 15m", "cooldown: 0.0001us", "card.yaml:18:11: `cooldown`: `0.0001us` is finer than a nanosecond; round it"},
	{"duration too long", "cooldown: 15m", "cooldown: 9000h", "card.yaml:18:11: `cooldown`: `9000h` is longer than a year (8760h), the longest duration"},
	{"wait of nothing", "wait: 1.5s", "wait: 0s", "card.yaml:14:12: `wait`: `0s` is too short; it must be above 0"},
	{"hexadecimal", "rises_above: 90", "rises_above: 0x5A", "card.yaml:6:60: `rises_above`: `0x5A` is not a decimal number; write it like 12, -3 or 0.5, without NaN, infinity, hexadecimal or leading zeros"},
	{"octal", "rises_above: 90", "rises_above: 090", "card.yaml:6:60: `rises_above`: `090` is not a decimal number; write it like 12, -3 or 0.5, without NaN, infinity, hexadecimal or leading zeros"},
	{"NaN", "rises_above: 90", "rises_above: .nan", "card.yaml:6:60: `rises_above`: `.nan` is not a decimal number; write it like 12, -3 or 0.5, without NaN, infinity, hexadecimal or leading zeros"},
	{"infinity", "rises_above: 90", "rises_above: .inf", "card.yaml:6:60: `rises_above`: `.inf` is not a decimal number; write it like 12, -3 or 0.5, without NaN, infinity, hexadecimal or leading zeros"},
	{"overflow", "rises_above: 90", "rises_above: 1e999", "card.yaml:6:60: `rises_above`: `1e999` is too large a number; correct it"},
	{"number in quotes", "rises_above: 90", `rises_above: "90"`, "card.yaml:6:60: `rises_above`: a number is wanted here; found the text `90`; remove the quotes"},
	{"number missing", "rises_above: 90", "rises_above: ", "card.yaml:6:47: `rises_above` has no value; give a number"},
	{"anchor", "{state: parked}", "&a {state: parked}", "card.yaml:9:5: anchor `&a` is not allowed; write the value where it is used"},
	{"alias", "{state: parked}", "*a", "card.yaml:9:5: alias `*a` is not allowed; write the value out"},
	{"anchor and alias", "  - {state: parked}", "  - &a {state: parked}\n  - *a", "card.yaml:9:5: anchor `&a` is not allowed; write the value where it is used\ncard.yaml:10:5: alias `*a` is not allowed; write the value out"},
	{"tag", "rises_above: 90", "rises_above: !!float 90", "card.yaml:6:60: tag `!!float` is not allowed; leave it out"},
	{"merge key", "{state: parked}", "{<<: {state: parked}}", "card.yaml:9:6: merge key `<<` is not allowed; write the values out"},
	{"duplicate key", "{state: parked}", "{state: parked, state: idling}", "card.yaml:9:21: duplicate key `state`, first given at line 9; keep one"},
	{"key no text", "{state: parked}", "{[state]: parked}", `card.yaml:9:6: a key must be a plain word; found a list`},
	{"second document", "derived_from: cool-down@1.0.0", "---\nschema: 1", `card.yaml:21:1: a second document begins; write one document a file`},
	{"parent", "cool-down@1.0.0", "cool-down", "card.yaml:21:15: `derived_from`: `cool-down` is not a card and its version, such as cool-down@1.0.0"},
	{"yes", "is: true", "is: yes", "card.yaml:10:67: Vehicle.Cabin.Door.Row1.DriverSide.IsOpen is true or false; write `true` or `false`, not `yes`"},
	{"True", "is: true", "is: True", "card.yaml:10:67: `is`: `True` is not a boolean; write `true` or `false`"},
	{"changes yes", `becomes: "ON"`, "changes: yes", "card.yaml:7:54: `changes`: `yes` says nothing; write `true`, or leave the key out"},
	{"changes false", `becomes: "ON"`, "changes: false", "card.yaml:7:54: `changes`: `false` says nothing; write `true`, or leave the key out"},
	{"label unquoted on", `"ON"`, "On", "card.yaml:7:54: `On` is never a value of Vehicle.LowVoltageSystemState; did you mean `ON`?"},
	{"two edges", `becomes: "ON"`, `becomes: "ON", leaves: LOCK`, "card.yaml:7:60: `becomes` and `leaves` are in one trigger; give one, and write a trigger for each"},
	{"no edge", `, becomes: "ON"`, "", "card.yaml:7:5: the trigger says nothing about its signal; give `rises_above`, `falls_below`, `becomes`, `leaves`, `changes: true`, `stale_for`, `recovered: true`, `rate`, `avg`, `min` or `max`"},
	{"no signal", "signal: Vehicle.LowVoltageSystemState, becomes", "becomes", "card.yaml:7:5: the trigger has no `signal`; add it"},
	{"held_for on leaves", `becomes: "ON"`, `leaves: "ON", held_for: 2s`, "card.yaml:7:59: `held_for` does not go with `leaves`; use it with rises_above, falls_below or becomes"},
	{"rearm on becomes", `becomes: "ON"`, `becomes: "ON", rearm_below: 2`, "card.yaml:7:60: `rearm_below` does not belong to `becomes`; leave it out"},
	{"wrong rearm", "rearm_below", "rearm_above", "card.yaml:6:64: `rearm_above` does not belong to `rises_above`; use `rearm_below`"},
	{"both rearms", "rearm_below: 86", "rearm_below: 86, rearm_above: 86", "card.yaml:6:81: `rearm_below` and `rearm_above` exclude each other; keep one"},
	{"rearm too high", "rearm_below: 86", "rearm_below: 95", "card.yaml:6:77: `rearm_below` 95 is above `rises_above` 90; it must be at most that"},
	{"unknown signal", "signal: Vehicle.Speed,", "signal: Vehicle.Sped,", "card.yaml:11:21: `Vehicle.Sped` is not a signal of the vehicle profile; did you mean `Vehicle.Speed`?"},
	{"far signal", "signal: Vehicle.Speed,", "signal: Private.Nothing.Like.This,", "card.yaml:11:21: `Private.Nothing.Like.This` is not a signal of the vehicle profile; add it there, or name another"},
	{"unit missing", ", unit: Fahrenheit", "", "card.yaml:6:5: `unit` is missing: Vehicle.Exterior.AirTemperature has the unit Celsius; add unit: Celsius"},
	{"unit of another quantity", "unit: m/s}", "unit: Celsius}", `card.yaml:11:52: Vehicle.Speed is a speed (km/h); Celsius is a temperature`},
	{"unit unknown", "unit: m/s}", "unit: kmp/h}", "card.yaml:11:52: `kmp/h` is not a known unit; did you mean `km/h`?"},
	{"unit of a label", `becomes: "ON"`, `becomes: "ON", unit: km/h`, "card.yaml:7:66: Vehicle.LowVoltageSystemState has no unit; leave `unit` out"},
	{"unit of a number without", "is_not: 127", "is_not: 127, unit: km/h", "card.yaml:11:132: Vehicle.Powertrain.Transmission.SelectedGear has no unit in the vehicle profile; leave `unit` out, or give it one there"},
	{"unit at changes", `becomes: "ON"`, `changes: true, unit: km/h`, "card.yaml:7:66: `changes` compares with nothing that has a unit; leave `unit` out"},
	{"above a label", `becomes: "ON"`, "rises_above: 3", "card.yaml:7:45: `rises_above`: Vehicle.LowVoltageSystemState has labels, which are neither above nor below; use `is`, `is_not`, `becomes` or `leaves`"},
	{"equality on fractions", "below: 5, unit: m/s", "is: 5, unit: m/s", "card.yaml:11:36: `is`: Vehicle.Speed is not always a whole number, so equality would miss it; compare with a range"},
	{"equality with a fraction", "is_not: 127", "is_not: 127.5", `card.yaml:11:121: Vehicle.Powertrain.Transmission.SelectedGear is always a whole number, never 127.5; correct the value`},
	{"value not listed", "is_not: 127", "is_not: 5", "card.yaml:11:121: Vehicle.Powertrain.Transmission.SelectedGear is never 5; its values are `-1`, `0`, `126` and `127`"},
	{"label not listed", `"ON"`, "STRAT", "card.yaml:7:54: `STRAT` is never a value of Vehicle.LowVoltageSystemState; did you mean `START`?"},
	{"number for a label", `becomes: "ON"`, "becomes: 3", "card.yaml:7:54: Vehicle.LowVoltageSystemState has labels, not `3`; its values are `LOCK`, `OFF`, `ACC`, `ON` and `START` (in quotes where needed)"},
	{"label for a number", "is_not: 127", "is_not: park", "card.yaml:11:121: Vehicle.Powertrain.Transmission.SelectedGear is a number; `park` is none"},
	{"unknown state", "state: parked", "state: praked", "card.yaml:9:13: `praked` is not a state of the vehicle profile; did you mean `parked`?"},
	{"empty condition", "{state: parked}", "{}", "card.yaml:9:5: the condition says nothing; give `state`, `power`, `time`, `expr`, `all`, `any`, `not`, or a `signal` with `above`, `below`, `between`, `is`, `is_not` or `fresh`"},
	{"two conditions in one", "{state: parked}", "{state: parked, signal: Vehicle.Speed}", "card.yaml:9:5: `signal` and `unit` belong to a comparison; combine with `all` or `any`"},
	{"two operators", "below: 5, unit: m/s", "below: 5, above: 2, unit: m/s", "card.yaml:11:46: `below` and `above` are in one condition; give one, and combine with `all` or `any`"},
	{"comparison without signal", "{state: parked}", "{above: 5}", "card.yaml:9:5: the condition has no `signal`; add it"},
	{"between one", "below: 5, unit: m/s", "between: [5], unit: m/s", "card.yaml:11:45: `between` takes two numbers, both included, such as [10, 20]"},
	{"between downwards", "below: 5, unit: m/s", "between: [5, 2], unit: m/s", "card.yaml:11:45: `between` runs from 5 down to 2; put the smaller number first"},
	{"empty any", "{state: parked}", "{any: []}", "card.yaml:9:11: `any` is empty; give at least one entry"},
	{"unknown actuator", "set: Private.Bench.Lamp", "set: Private.Bench.Lmap", "card.yaml:17:11: `Private.Bench.Lmap` is not an actuator of the vehicle profile; did you mean `Private.Bench.Lamp`?"},
	{"forbidden actuator", "set: Private.Bench.Lamp", "set: Vehicle.Chassis.Brake", `card.yaml:17:11: Vehicle.Chassis.Brake may never be set: the vehicle profile forbids Vehicle.Chassis.*; take the action out`},
	{"out of range", "to: 60", "to: 90", `card.yaml:13:64: 90 percent is outside the range of Vehicle.Cabin.HVAC.Station.Row1.Driver.FanSpeed, 0 to 80; choose a value in it`},
	{"off the grid", "to: 60", "to: 65", `card.yaml:13:64: 65 percent is not a step of Vehicle.Cabin.HVAC.Station.Row1.Driver.FanSpeed, which goes from 0 in steps of 10; choose one`},
	{"end out of range", "{set: 10}", "{set: -10}", `card.yaml:13:109: -10 percent is outside the range of Vehicle.Cabin.HVAC.Station.Row1.Driver.FanSpeed, 0 to 80; choose a value in it`},
	{"end unknown", "at_end: leave", "at_end: stay", "card.yaml:16:63: `at_end`: `stay` is not one of `restore` and `leave`"},
	{"lease too long", "lease: 10m", "lease: 31m", `card.yaml:13:90: lease 31m is longer than the 30m that the vehicle profile allows for Vehicle.Cabin.HVAC.Station.Row1.Driver.FanSpeed; shorten it`},
	{"lease missing", ", lease: 10m", "", "card.yaml:13:5: the set has no `lease`; add how long it may last, such as lease: 10m"},
	{"to missing", ", to: true", "", "card.yaml:17:5: the set has no `to`; add the value"},
	{"set boolean to number", "to: true", "to: 1", "card.yaml:17:35: Private.Bench.Lamp is true or false; write `true` or `false`, not `1`"},
	{"set label to boolean", "to: BRIGHT", "to: true", "card.yaml:16:36: Private.Bench.Light has labels, not `true`; its values are `DARK` and `BRIGHT` (in quotes where needed)"},
	{"set unknown label", "to: BRIGHT", "to: BRITE", "card.yaml:16:36: `BRITE` is never a value of Private.Bench.Light; its values are `DARK` and `BRIGHT`"},
	{"unit on a boolean", "to: true", "to: true, unit: percent", "card.yaml:17:47: Private.Bench.Lamp has no unit; leave `unit` out"},
	{"set with wait key", "{wait: 1.5s}", "{wait: 1.5s, lease: 2s}", "card.yaml:14:18: `lease` does not belong to `wait`; leave it out"},
	{"two actions in one", "{wait: 1.5s}", "{wait: 1.5s, do: notify}", "card.yaml:14:18: `wait` and `do` are in one action; give one, and write an entry for each"},
	{"on_error", "on_error: continue", "on_error: stop", "card.yaml:15:69: `on_error`: `stop` is not known; write `continue`, or leave the key out"},
	{"unknown action", "do: notify", "do: notfy", "card.yaml:15:10: `notfy` is not an action of the vehicle profile; did you mean `notify`?"},
	{"missing parameter", ", with: {text: {en: Airing, zh-Hant: 通風}}", "", "card.yaml:15:5: notify needs the parameter `text`; add it to `with`"},
	{"unknown parameter", "{text: {en: Airing, zh-Hant: 通風}}", "{txt: {en: Airing}}", "card.yaml:15:24: notify needs the parameter `text`; add it to `with`\ncard.yaml:15:25: `txt` is not a parameter of notify; did you mean `text`?"},
	{"parameter not localized", "{text: {en: Airing, zh-Hant: 通風}}", "{text: Airing}", "card.yaml:15:31: `text` is a text by language; write {en: Airing}"},
	{"other parameter types", "do: notify, with: {text: {en: Airing, zh-Hant: 通風}}", "do: beep, with: {times: two, loud: 1, tone: {en: C}}", "card.yaml:15:30: `times` is a number; `two` is none\ncard.yaml:15:41: `loud` is a boolean; `1` is none\ncard.yaml:15:44: `tone` is one string, not a text by language"},
	{"unclosed bracket", "{wait: 1.5s}", "{wait: 1.5s", "card.yaml:15:5: `,` or `}` is missing before this; line 14 opens with `{`"},
	{"tab", "cooldown: 15m", "\tcooldown: 15m", `card.yaml:18:1: a tab cannot indent; use spaces`},
	{"bad UTF-8", "Airing,", "Air\xffing,", `card.yaml:15:39: is not UTF-8 text; save the file as UTF-8`},
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
		{"empty", "", `card.yaml:1:1: is empty; a YAML mapping is expected`},
		{"comment only", "# nothing\n", `card.yaml:1:1: is empty; a YAML mapping is expected`},
		{"list", "- a\n- b\n", `card.yaml:1:1: the card must be a mapping, such as {key: value}; found a list`},
		{"text", "hello\n", "card.yaml:1:1: the card must be a mapping, such as {key: value}; found the text `hello`"},
		{"deep", "when: " + deep, `card.yaml:1:31: is nested more than 24 deep; flatten it`},
		{"very deep", strings.Repeat("[", 60000), "card.yaml:1:26: is nested more than 24 deep; flatten it"},
		{"long", "# " + strings.Repeat("x", maxCardBytes), `card.yaml: is longer than 64 KiB, the most that is read; split it`},
		{"many values", "when: [" + strings.Repeat("1,", maxCardNodes) + "]", `card.yaml:1:10002: the file has too many values; split it`},
		{"several", "schema: 1\nid: A\nversion: 1\ntitel: {en: x}\n", "card.yaml:1:1: the card has no `when`; add it\ncard.yaml:1:1: the card has no `then`; add it\ncard.yaml:2:5: `id`: `A` is not an id: lower-case letters, digits and hyphens, at most 64, not beginning with a hyphen\ncard.yaml:3:10: `version`: `1` is not a version of three numbers (semantic versioning), such as 1.2.0\ncard.yaml:4:1: unknown key `titel` in the card; did you mean `title`?"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := ParseCard("card.yaml", []byte(c.text))
			checkDiagnostics(t, err, c.want)
		})
	}
}
