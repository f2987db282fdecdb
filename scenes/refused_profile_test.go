package scenes

import (
	"errors"
	"strings"
	"testing"
)

// refusedProfiles are changes to testdata/bench.yaml and what they are refused with.
var refusedProfiles = []struct{ name, old, new, want string }{
	{"unknown key", "quarantine:", "quarantne:", "bench.yaml:49:1: unknown key `quarantne` in the vehicle profile; did you mean `quarantine`?"},
	{"missing id", "id: bench\n", "", "bench.yaml:1:1: the vehicle profile has no `id`; add it"},
	{"version text", "version: 2", "version: two", "bench.yaml:3:10: `version`: a number is wanted here; found the text `two`"},
	{"version nought", "version: 2", "version: 0", "bench.yaml:3:10: `version`: `0` is not a whole number from 1 to 2147483647"},
	{"no bus", "  b: {dbc: [{file: bench.dbc}], interface: can0, fd: false}", "  {}", "bench.yaml:5:3: `buses` is empty; name at least one bus"},
	{"bus without dbc", "{dbc: [{file: bench.dbc}], interface: can0, fd: false}", "{interface: can0}", "bench.yaml:5:6: a bus has no `dbc`; add it"},
	{"dbc no list", "[{file: bench.dbc}]", "bench.dbc", "bench.yaml:5:12: `dbc` must be a list, such as [a, b]; found the text `bench.dbc`"},
	{"dbc missing", "file: bench.dbc", "file: bank.dbc", `bench.yaml:5:20: DBC file bank.dbc: cannot be read: no such file or directory`},
	{"hash malformed", "file: bench.dbc", "file: bench.dbc, sha256: abc", "bench.yaml:5:39: `sha256`: `abc` is not a SHA-256: 64 hexadecimal digits in lower case"},
	{"hash differs", "file: bench.dbc", "file: bench.dbc, sha256: " + strings.Repeat("0", 64), `bench.yaml:5:39: bench.dbc has SHA-256 eb06f514d67c30a7d0b9fc005fa6cce649b4c1eba0344202c18fd03a3182ef2c, but the profile says 0000000000000000000000000000000000000000000000000000000000000000; take the right file, or correct the profile`},
	{"interface twice", "  b: {dbc: [{file: bench.dbc}], interface: can0, fd: false}", "  b: {dbc: [bench.dbc], interface: can0}\n  c: {dbc: [bench.dbc], interface: can0}", "bench.yaml:6:36: interface can0 already belongs to bus `b`; give each bus its own"},
	{"message in two files", "dbc: [{file: bench.dbc}]", "dbc: [bench.dbc, bench.dbc]", `bench.yaml:5:24: bench.dbc defines message Motion (id 0x100), which bench.dbc defines too; keep it in one`},
	{"fd yes", "fd: false", "fd: no", "bench.yaml:5:54: `fd`: `no` is not a boolean; write `true` or `false`"},
	{"bad path", "Private.Bench.Big:", "Bench.Big:", "bench.yaml:15:3: `Bench.Big` is not a VSS path, such as Vehicle.Speed or Private.Vendor.Name"},
	{"from with two parts", "from: b.Body.Big", "from: Body.Big", "bench.yaml:15:29: `Body.Big` does not name a signal of a DBC; write bus.Message.Signal"},
	{"unknown bus", "from: b.Body.Big", "from: body.Body.Big", "bench.yaml:15:29: `body` is not a bus of this profile; known are `b`"},
	{"unknown message", "from: b.Body.Big", "from: b.Bodi.Big", "bench.yaml:15:29: bus `b` has no message `Bodi`; did you mean `Body`?"},
	{"unknown signal", "from: b.Body.Big", "from: b.Body.Bif", "bench.yaml:15:29: message Body has no signal `Bif`; did you mean `Big`?"},
	{"far signal", "from: b.Body.Big", "from: b.Body.Temperature", "bench.yaml:15:29: message Body has no signal `Temperature`; known are `Door`, `Power`, `Outside`, `Fan`, `Light` and `Big`"},
	{"unknown unit", "unit: mph", "unit: mhp", "bench.yaml:7:47: `mhp` is not a known unit; did you mean `mph`?"},
	{"stale_after a word", "stale_after: never", "stale_after: ever", "bench.yaml:10:108: `stale_after`: `ever` is not a duration: a decimal number with us, ms, s, m or h, such as 20s or 1.5m"},
	{"stale_after nought", "stale_after: never", "stale_after: 0s", "bench.yaml:10:108: `stale_after`: `0s` is too short; it must be above 0"},
	{"raw too large", "{3: BRIGHT, 0: DARK}", "{256: BRIGHT, 0: DARK}", `bench.yaml:14:54: raw value 256 does not fit signal Light, which has 8 bits, unsigned; correct it`},
	{"raw negative", "{3: BRIGHT, 0: DARK}", "{-1: BRIGHT, 0: DARK}", `bench.yaml:14:54: raw value -1 does not fit signal Light, which has 8 bits, unsigned; correct it`},
	{"raw a fraction", "invalid: [7]", "invalid: [7.5]", `bench.yaml:8:120: raw value 7.5 is not a whole number; write it like 3`},
	{"raw signed too small", "[-400, 32767]", "[-40000, 32767]", `bench.yaml:9:69: raw value -40000 does not fit signal Torque, which has 16 bits, signed; correct it`},
	{"raw twice", "{3: BRIGHT, 0: DARK}", "{3: BRIGHT, 0: DARK, 3.0: GREY}", `bench.yaml:14:74: raw value 3.0 is not a whole number; write it like 3`},
	{"raw duplicate key", "{3: BRIGHT, 0: DARK}", "{3: BRIGHT, 3: DARK}", "bench.yaml:14:65: duplicate key `3`, first given at line 14; keep one"},
	{"values mixed", "{3: BRIGHT, 0: DARK}", "{3: BRIGHT, 0: 1}", "bench.yaml:14:68: `values` mixes numbers, booleans and labels; use one kind (labels in quotes)"},
	{"values empty", "{3: BRIGHT, 0: DARK}", "{}", "bench.yaml:14:53: `values` is empty; list the raw values, or leave it out"},
	{"unit on labels", "{from: b.Body.Light,", "{from: b.Body.Light, unit: percent,", "bench.yaml:14:51: `values` gives labels, which have no unit; leave `unit` out"},
	{"values on a float", "{from: b.Cells.Wide,", "{from: b.Cells.Wide, invalid: [0],", "bench.yaml:17:3: b.Cells.Wide is an IEEE float; `values` and `invalid` need whole raw values, leave them out"},
	{"alive unknown", "alive: b.Motion.Counter", "alive: b.Motion.Count", "bench.yaml:7:79: message Motion has no signal `Count`; did you mean `Counter`?"},
	{"assistance unknown signal", "quarantine:", "assistance: {from: Private.Bench.Ligt, level_0: [DARK]}\nquarantine:", "bench.yaml:49:20: `Private.Bench.Ligt` is not a signal of the vehicle profile; did you mean `Private.Bench.Light`?"},
	{"assistance no labels", "quarantine:", "assistance: {from: Vehicle.Speed, level_0: [DARK]}\nquarantine:", "bench.yaml:49:20: Vehicle.Speed has no labels; give it `values` with labels"},
	{"assistance unknown label", "quarantine:", "assistance: {from: Private.Bench.Light, level_0: [DIM]}\nquarantine:", "bench.yaml:49:51: `DIM` is never a value of Private.Bench.Light; its values are `BRIGHT` and `DARK`"},
	{"assistance label twice", "quarantine:", "assistance: {from: Private.Bench.Light, level_0: [DARK], level_2: [DARK]}\nquarantine:", "bench.yaml:49:68: `DARK` is given twice; give each label once"},
	{"assistance without level 0", "quarantine:", "assistance: {from: Private.Bench.Light, level_2: [BRIGHT]}\nquarantine:", "bench.yaml:49:13: `assistance` has no `level_0`; add it"},
	{"assistance level 3", "quarantine:", "assistance: {from: Private.Bench.Light, level_0: [DARK], level_3: [BRIGHT]}\nquarantine:", "bench.yaml:49:58: unknown key `level_3` in `assistance`; did you mean `level_0`?"},
	{"power unknown signal", "power: {from: Vehicle.LowVoltageSystemState", "power: {from: Vehicle.LowVoltageSystem", "bench.yaml:18:15: `Vehicle.LowVoltageSystem` is not a signal of the vehicle profile; did you mean `Vehicle.LowVoltageSystemState`?"},
	{"power no labels", "power: {from: Vehicle.LowVoltageSystemState", "power: {from: Vehicle.Speed", "bench.yaml:18:15: Vehicle.Speed has no labels; give it `values` with labels"},
	{"power unknown label", "accessory: [ACC]", "accessory: [ACCU]", "bench.yaml:18:78: `ACCU` is never a value of Vehicle.LowVoltageSystemState; did you mean `ACC`?"},
	{"power label twice", "accessory: [ACC]", "accessory: [ACC, LOCK]", "bench.yaml:18:83: `LOCK` is given twice; give each label once"},
	{"state moving", "  idling: {signal", "  moving: {signal", "bench.yaml:21:3: `moving` is what holds when no other state does; choose another name\nbench.yaml:33:22: `idling` is not a state of the vehicle profile; known are `parked` and `moving`\nbench.yaml:42:56: `idling` is not a state of the vehicle profile; known are `parked` and `moving`"},
	{"state on a state", "  idling: {signal: Vehicle.Speed, between: [-0.5, 0.5], unit: km/h}", "  idling: {state: parked}", `bench.yaml:21:19: a state cannot be built on a state; use signals`},
	{"state with a bad unit", "  idling: {signal: Vehicle.Speed, between: [-0.5, 0.5], unit: km/h}", "  idling: {signal: Vehicle.Speed, between: [-0.5, 0.5], unit: V}", `bench.yaml:21:63: Vehicle.Speed is a speed (km/h); V is a voltage`},
	{"state with an unknown signal", "  idling: {signal: Vehicle.Speed,", "  idling: {signal: Vehicle.Spede,", "bench.yaml:21:20: `Vehicle.Spede` is not a signal of the vehicle profile; did you mean `Vehicle.Speed`?"},
	{"actuator in never", "  Private.Bench.Lamp: {", "  Vehicle.ADAS.Lamp: {", "bench.yaml:38:3: Vehicle.ADAS.Lamp may never be set: `never` names Vehicle.ADAS.*; take the actuator out"},
	{"actuator in never by name", "  Private.Bench.Lamp: {", "  Vehicle.Body.Hood.IsOpen: {", "bench.yaml:38:3: Vehicle.Body.Hood.IsOpen may never be set: `never` names Vehicle.Body.Hood.IsOpen; take the actuator out"},
	{"confirm yes", "    confirm: false", "    confirm: yes", "bench.yaml:34:14: `confirm`: `yes` is not a boolean; write `true` or `false`"},
	{"survive_sleep one", "survive_sleep: false", "survive_sleep: 1", "bench.yaml:32:20: `survive_sleep`: `1` is not a boolean; write `true` or `false`"},
	{"confirm_within alone", "    confirm: false", "    confirm_within: 5s", "bench.yaml:34:5: `confirm_within` belongs to `confirm: true`; add that, or leave it out"},
	{"confirm_within nought", "    confirm: false", "    confirm: true\n    confirm_within: 0s", "bench.yaml:35:21: `confirm_within`: `0s` is too short; it must be above 0"},
	{"type", "type: uint8", "type: uint7", "bench.yaml:24:11: `type`: `uint7` is not one of `boolean`, `int8`, `uint8`, `int16`, `uint16`, `int32`, `uint32`, `float`, …; did you mean `uint8`?"},
	{"min missing", "    min: 0\n", "", "bench.yaml:23:3: an actuator of type uint8 needs `min` and `max`; add them"},
	{"min above max", "    min: 0\n", "    min: 90\n", `bench.yaml:26:10: min 90 is above max 80; exchange them`},
	{"step nought", "    step: 10\n", "    step: 0\n", `bench.yaml:28:11: step 0 is not above 0; correct it, or leave it out`},
	{"step a fraction", "    step: 10\n", "    step: 0.5\n", `bench.yaml:28:11: 0.5 does not fit type uint8; correct it`},
	{"max beyond the type", "    max: 80\n", "    max: 300\n", `bench.yaml:27:10: 300 does not fit type uint8; correct it`},
	{"slew", "slew: 20/s", "slew: 20", "bench.yaml:29:11: `slew`: `20` is not a rate: a decimal number of the actuator's units with /s, such as 20/s"},
	{"slew nought", "slew: 20/s", "slew: 0/s", "bench.yaml:29:11: `0/s` cannot be a rate; give a number above 0"},
	{"max_lease missing", "    max_lease: 30m\n", "", "bench.yaml:24:5: an actuator has no `max_lease`; add it"},
	{"holdoff missing", "    manual_holdoff: 10m\n", "", "bench.yaml:24:5: an actuator has no `manual_holdoff`; add it"},
	{"states missing", "    states: [parked, idling, moving]\n    confirm", "    confirm", "bench.yaml:24:5: an actuator has no `states`; add it"},
	{"states empty", "    states: [parked, idling, moving]\n    confirm", "    states: []\n    confirm", "bench.yaml:33:13: `states` is empty; give at least one entry"},
	{"states unknown", "end_states: [parked, moving]", "end_states: [parked, flying]", "bench.yaml:38:93: `flying` is not a state of the vehicle profile; known are `parked`, `idling` and `moving`"},
	{"actuator unit", "    unit: percent\n", "    unit: precent\n", "bench.yaml:25:11: `precent` is not a known unit; did you mean `percent`?"},
	{"readback in another unit", "    unit: percent\n", "    unit: Celsius\n", `bench.yaml:37:24: Vehicle.Cabin.HVAC.Station.Row1.Driver.FanSpeed is in percent, but the actuator is in Celsius; give the actuator the unit of its readback`},
	{"readback of another kind", "readback: {signal: Private.Bench.Light", "readback: {signal: Vehicle.Speed", `bench.yaml:39:135: Vehicle.Speed gives numbers, but the actuator takes labels; read back a signal of the same kind`},
	{"readback unknown", "readback: {signal: Private.Bench.Light", "readback: {signal: Private.Bench.Lihgt", "bench.yaml:39:135: `Private.Bench.Lihgt` is not a signal of the vehicle profile; did you mean `Private.Bench.Light`?"},
	{"label not read back", "values: [DARK, BRIGHT]", "values: [DARK, BRIGHTER]", "bench.yaml:39:54: `BRIGHTER` is never a value of Private.Bench.Light; did you mean `BRIGHT`?"},
	{"label twice", "values: [DARK, BRIGHT]", "values: [DARK, DARK]", "bench.yaml:39:54: `DARK` is given twice; keep one"},
	{"string without values", "values: [DARK, BRIGHT], ", "", "bench.yaml:39:3: an actuator of type string needs `values`, the list of texts that may be set; add it"},
	{"boolean with min", "{type: boolean,", "{type: boolean, min: 0,", "bench.yaml:38:44: `min` belongs to numbers, not to type boolean; leave it out"},
	{"boolean with values", "{type: boolean,", "{type: boolean, values: [a],", "bench.yaml:38:48: `values` belongs to type string; leave it out"},
	{"bus of a call", "call: {bus: system", "call: {bus: systemd", "bench.yaml:36:17: `bus`: `systemd` is not one of `system` and `session`; did you mean `system`?"},
	{"service", "service: org.example.Hvac1,", "service: hvac,", "bench.yaml:36:34: `service`: `hvac` is not a D-Bus name, such as org.example.Hvac1"},
	{"object path", "path: /org/example/Hvac1", "path: org/example/Hvac1", "bench.yaml:36:59: `path`: `org/example/Hvac1` is not a D-Bus object path, such as /org/example/Hvac1"},
	{"interface", "interface: org.example.Hvac1", "interface: Hvac1", "bench.yaml:36:90: `interface`: `Hvac1` is not a D-Bus interface, such as org.example.Hvac1"},
	{"member", "member: Set", "member: Set-Fan", "bench.yaml:36:117: `member`: `Set-Fan` is not a D-Bus method, such as SetFan"},
	{"neither member nor property", "member: Set, ", "", "bench.yaml:36:11: a call has no `member`; add it, or `property` for a property to set"},
	{"member and property", "member: Set, ", "member: Set, property: Fan, ", "bench.yaml:36:122: `member` and `property` are in one call; give one"},
	{"property", "member: Set, ", "property: Fan-Speed, ", "bench.yaml:36:119: `property`: `Fan-Speed` is not a D-Bus property, such as FanSpeed"},
	{"property of three values", "member: Set, ", "property: Fan, ", "bench.yaml:36:135: signature `sdu` is not the type of a property; give the one type that the property has, such as d"},
	{"within missing", `"{lease_ms}"], within: 500ms`, `"{lease_ms}"]`, "bench.yaml:36:11: a call has no `within`; add it"},
	{"signature too short", "signature: sdu", "signature: sd", "bench.yaml:36:133: signature `sd` has 2 types, but `args` has 3; give one argument for each type"},
	{"signature wrong", "signature: sdu", "signature: szu", "bench.yaml:36:133: signature `szu` is not valid: `z` is not a type"},
	{"signature with an array", "signature: sdu", "signature: sdas", "bench.yaml:36:171: an argument of type `as` can only be empty; write []"},
	{"signature with an array of arrays", "signature: sdu", "signature: sdaas", "bench.yaml:36:133: type `aas` of signature `sdaas` is not supported by this version yet; use y, b, n, q, i, u, x, t, d, s or v, and arrays and dictionaries of them for empty ones"},
	{"empty list for a dictionary", `signature: sdu, args: ["{actuator}", "{value}", "{lease_ms}"]`, `signature: 'sda{sv}', args: ["{actuator}", "{value}", []]`, "bench.yaml:36:176: an argument of type `a{sv}` can only be empty; write {}"},
	{"list in an argument", `"{lease_ms}"]`, `[1]]`, "bench.yaml:36:170: a text, a number or a boolean is wanted here; found a list"},
	{"signature not closed", "signature: sdu", "signature: sd(u", "bench.yaml:36:133: signature `sd(u` is not valid: a struct is empty or not closed"},
	{"signature dictionary", "signature: sdu", "signature: 'sda{vs}'", "bench.yaml:36:133: signature `sda{vs}` is not valid: a dictionary's key must be a basic type"},
	{"signature array of nothing", "signature: sdu", "signature: sda", "bench.yaml:36:133: signature `sda` is not valid: a type is missing at its end"},
	{"text as a number", "signature: sdu", "signature: udu", "bench.yaml:36:145: `{actuator}` is a text, but its type in the signature is u; use s or v"},
	{"text of an action as a number", "signature: ss", "signature: sd", "bench.yaml:42:241: `{text}` is a text, but its type in the signature is d; use s or v"},
	{"placeholder unknown", `"{lease_ms}"`, `"{lease}"`, "bench.yaml:36:170: placeholder `{lease}` is not known here; known are `actuator`, `value`, `lease_ms` and `card`"},
	{"placeholder of an action", `"{lang}"`, `"{value}"`, "bench.yaml:42:231: placeholder `{value}` is not known here; known are `lang`, `card` and `text`"},
	{"brace open", `"{lease_ms}"`, `"{lease_ms"`, "bench.yaml:36:170: `{lease_ms` has a brace without its partner; write placeholders like {value}"},
	{"action named set", "  beep:", "  set:", "bench.yaml:43:3: `set` has a meaning of its own in the decision log; choose another name"},
	{"param named lang", "tone: string", "lang: string", "bench.yaml:43:49: `{lang}` has a meaning of its own in calls; choose another name"},
	{"param type", "tone: string", "tone: text", "bench.yaml:43:55: `tone`: `text` is not one of `localized`, `string`, `number` and `boolean`"},
	{"event without source", `phone: {property: {bus: system, service: org.bluez, manager: /, interface: org.bluez.Device1, member: Connected, where: {Paired: true, Icon: phone}}}`, `phone: {}`, "bench.yaml:45:10: an event listens to one `property` or one `signal`, or says `hmi: true` or `geoclue: true`; give one"},
	{"event of two sources", `Icon: phone}}}`, `Icon: phone}}, hmi: true}`, "bench.yaml:45:10: an event listens to one `property` or one `signal`, or says `hmi: true` or `geoclue: true`; give one"},
	{"event key", `{property: {bus: system,`, `{property: {buss: system,`, "bench.yaml:45:22: unknown key `buss` in a D-Bus property; did you mean `bus`?"},
	{"event without interface", `interface: org.bluez.Device1, `, ``, "bench.yaml:45:21: a D-Bus property has no `interface`; add it"},
	{"event of no object", `manager: /, `, ``, "bench.yaml:45:21: a D-Bus property is that of one object, `path`, or of each that an ObjectManager lists, `manager`; give one of them"},
	{"event of two objects", `manager: /, `, `manager: /, path: /org/bluez, `, "bench.yaml:45:21: a D-Bus property is that of one object, `path`, or of each that an ObjectManager lists, `manager`; give one of them"},
	{"where without manager", `manager: /, `, `path: /org/bluez, `, "bench.yaml:45:21: `where` chooses among the objects of a `manager`; leave it out"},
	{"where is no list", `where: {Paired: true, Icon: phone}`, `where: [Paired]`, "bench.yaml:45:123: `where` must be a mapping, such as {key: value}; found a list"},
	{"signal of a manager", `phone: {property: {bus: system, service: org.bluez, manager: /, interface: org.bluez.Device1, member: Connected, where: {Paired: true, Icon: phone}}}`, `phone: {signal: {bus: system, service: org.bluez, manager: /, interface: org.bluez.Device1, member: Seen}}`, "bench.yaml:45:53: unknown key `manager` in a D-Bus signal; known are `bus`, `service`, `path`, `interface`, `member` and `argument`"},
	{"argument too far", `phone: {property: {bus: system, service: org.bluez, manager: /, interface: org.bluez.Device1, member: Connected, where: {Paired: true, Icon: phone}}}`, `phone: {signal: {bus: system, service: org.bluez, interface: org.bluez.Device1, member: Seen, argument: 16}}`, "bench.yaml:45:107: `argument`: `16` is not a whole number from 0 to 15"},
	{"service of an event", `service: org.bluez`, `service: bluez`, "bench.yaml:45:44: `service`: `bluez` is not a D-Bus name, such as org.bluez"},
	{"is with one word", `Icon: phone}}}`, `Icon: phone}}, is: {near: [1]}}`, "bench.yaml:45:157: `phone` is `near` and `far`; say which values mean each: `is: {near: […], far: […]}`"},
	{"is with a foreign word", `Icon: phone}}}`, `Icon: phone}}, is: {near: [1], off: [2]}}`, "bench.yaml:45:174: `off` is no word of `phone`; its words are `near` and `far`"},
	{"is with an unknown word", `Icon: phone}}}`, `Icon: phone}}, is: {nearby: [1], far: [2]}}`, "bench.yaml:45:158: unknown key `nearby` in `is`; did you mean `near`?"},
	{"is without words", `Icon: phone}}}`, `Icon: phone}}, is: [1]}`, "bench.yaml:45:157: `phone` is `near` and `far`; say which values mean each: `is: {near: […], far: […]}`"},
	{"is twice", `Icon: phone}}}`, `Icon: phone}}, is: {near: [1, 2], far: [2]}}`, "bench.yaml:45:178: `2` is given twice; keep one"},
	{"is with words of another", `  phone: {property`, `  online: {is: {near: [1], far: [2]}, property`, "bench.yaml:45:23: `online` has no words of its own; write the values as a list: `is: [1, 2]`"},
	{"above of a phone", `Icon: phone}}}`, `Icon: phone}}, above: 20}`, "bench.yaml:45:10: `above` and `below` belong to events of a name of your own; use `is` here"},
	{"above and below", `  phone: {property`, `  low: {above: 2, below: 1, property`, "bench.yaml:45:8: give one of `is`, `above` and `below`; the last two belong to a `property`"},
	{"below of a signal", `phone: {property: {bus: system, service: org.bluez, manager: /, interface: org.bluez.Device1, member: Connected, where: {Paired: true, Icon: phone}}}`, `low: {below: 2, signal: {bus: system, service: org.bluez, interface: org.bluez.Device1, member: Seen}}`, "bench.yaml:45:8: give one of `is`, `above` and `below`; the last two belong to a `property`"},
	{"is of a place", `  phone: {property`, `  place: {names: [home], is: [home], property`, "bench.yaml:45:30: the value names the place by itself; leave `is` out"},
	{"is of the HMI", `phone: {property: {bus: system, service: org.bluez, manager: /, interface: org.bluez.Device1, member: Connected, where: {Paired: true, Icon: phone}}}`, `phone: {hmi: true, is: {near: [1], far: [2]}}`, "bench.yaml:45:10: `is`, `above` and `below` belong to a `property` or a `signal`; leave them out"},
	{"geoclue of a phone", `phone: {property: {bus: system, service: org.bluez, manager: /, interface: org.bluez.Device1, member: Connected, where: {Paired: true, Icon: phone}}}`, `phone: {geoclue: true}`, "bench.yaml:45:10: `geoclue` tells of places; use it in `place`"},
	{"geoclue false", `phone: {property: {bus: system, service: org.bluez, manager: /, interface: org.bluez.Device1, member: Connected, where: {Paired: true, Icon: phone}}}`, `place: {names: [home], geoclue: false}`, "bench.yaml:45:35: `geoclue`: `false` says nothing; write `true`, or leave the key out"},
	{"place without names", `phone: {property: {bus: system, service: org.bluez, manager: /, interface: org.bluez.Device1, member: Connected, where: {Paired: true, Icon: phone}}}`, `place: {geoclue: true}`, "bench.yaml:45:10: `place` has no `names`; list those that it tells of"},
	{"names of a phone", `  phone: {property`, `  phone: {names: [mine], property`, "bench.yaml:45:19: `names` belongs to `place` and `button`; leave it out"},
	{"clock of another service", `trusted_by: org.freedesktop.timedate1`, `trusted_by: org.example.Clock1`, "bench.yaml:46:21: `trusted_by`: `org.example.Clock1` is not known; write `org.freedesktop.timedate1`, or leave the key out"},
	{"clock", "trusted_by:", "trusted:", "bench.yaml:46:8: `clock` has no `trusted_by`; add it\nbench.yaml:46:9: unknown key `trusted` in `clock`; known are `trusted_by`"},
	{"never in the middle", "Vehicle.ADAS.*", "Vehicle.*.ADAS", "bench.yaml:47:28: `Vehicle.*.ADAS` is not a VSS path, with .* at its end for all below it, such as Vehicle.ADAS.*"},
	{"budget", "state_bytes: 65536", "state_bytes: -1", "bench.yaml:48:23: `state_bytes`: `-1` is not a whole number from 1 to 2147483647"},
	{"quarantine", "fires: 5", "fires: 0", "bench.yaml:49:21: `fires`: `0` is not a whole number from 1 to 1000"},
	{"quarantine half", "fires: 5, ", "", "bench.yaml:49:13: `quarantine` has no `fires`; add it"},
}

// Each change is refused with exactly these lines.
func TestRefusedProfiles(t *testing.T) {
	base, open := read(t, "bench.yaml"), openBench(t)
	for _, c := range refusedProfiles {
		t.Run(c.name, func(t *testing.T) {
			_, err := parseVehicle("bench.yaml", []byte(exchange(t, base, c.old, c.new)), open)
			checkDiagnostics(t, err, c.want)
		})
	}
}

// A DBC that cannot be used is refused where the profile names it.
func TestRefusedDBC(t *testing.T) {
	open := func(string) ([]byte, error) { return []byte("BO_ nonsense"), nil }
	_, err := parseVehicle("bench.yaml", []byte(read(t, "bench.yaml")), open)
	var ds Diagnostics
	if !errors.As(err, &ds) || ds[0].Line != 5 || ds[0].Column != 20 ||
		!strings.HasPrefix(ds[0].What, "DBC file cannot be used: bench.dbc:1:") {
		t.Errorf("got %v, want it refused at bench.yaml:5:20", err)
	}
}

// What cannot be opened is refused by name.
func TestRefusedFiles(t *testing.T) {
	_, err := LoadVehicle("testdata/none.yaml")
	checkDiagnostics(t, err, "testdata/none.yaml: cannot be read: no such file or directory")
	_, err = LoadVehicle("testdata")
	checkDiagnostics(t, err, "testdata: cannot be read: is a directory")
	_, err = LoadCards("testdata/none.yaml", "testdata/card.yaml")
	checkDiagnostics(t, err, "testdata/none.yaml: cannot be read: no such file or directory")
	_, err = LoadCards(t.TempDir())
	var ds Diagnostics
	if !errors.As(err, &ds) || ds[0].What != "directory has no cards; name one with *.yaml, *.yml or *.json files" {
		t.Errorf("an empty directory gives %v", err)
	}
}
