package reference_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"vignette/scenes/engine"
	"vignette/testdata/reference"
)

// plainly changes a case so that files can say it: what no card can be loaded
// with goes, numbers are whole and read as they are.
func plainly(p *engine.Program) {
	for i := range p.Actuators {
		p.Actuators[i].Forbidden, p.Actuators[i].MaxLease = false, 20000*ms
	}
	for i := range p.Cards {
		p.Cards[i].Off = false
		for j := range p.Cards[i].Then {
			if v := &p.Cards[i].Then[j].Value; v.Kind == engine.Number {
				v.Num = min(v.Num, 4)
			}
		}
		for _, cond := range p.Cards[i].OnlyIf {
			for j := range cond {
				plainExpr(cond[j].Expr)
			}
		}
	}
}

// plainExpr takes units, quotients and equality of numbers out of an
// expression.
func plainExpr(e engine.Expr) {
	for i := range e {
		switch t := &e[i]; t.Op {
		case engine.Reading:
			t.X, t.Y = 1, 0
		case engine.Divide:
			t.Op = engine.Multiply
		case engine.Negate:
			if e[i-1].Op == engine.Constant { // a sign is part of a literal
				t.Op = engine.Absolute
			}
		case engine.Equal, engine.NotEqual:
			if e[i-2].Op != engine.Reading || e[i-1].Op != engine.Constant {
				t.Op = engine.Less
			}
		}
	}
}

// The two DBCs: one message each, whose first byte says as a mask which of the
// signals behind it are there, a byte each.
func dbcText(signals []string) string {
	var b, ranges strings.Builder
	fmt.Fprintf(&b, "VERSION \"\"\n\nBU_: Car\n\nBO_ 256 M: 8 Car\n SG_ Mask M : 0|8@1+ (1,0) [0|255] \"\" Car\n")
	for i, s := range signals {
		fmt.Fprintf(&b, " SG_ %s m%d : %d|8@1+ (1,0) [0|255] \"\" Car\n", s, 1<<i, 8*(i+1))
		fmt.Fprintf(&ranges, "SG_MUL_VAL_ 256 %s Mask ", s)
		sep := ""
		for mask := range 1 << len(signals) {
			if mask>>i&1 != 0 {
				fmt.Fprintf(&ranges, "%s%d-%d", sep, mask, mask)
				sep = ", "
			}
		}
		ranges.WriteString(";\n")
	}
	return b.String() + "\n" + ranges.String()
}

// onBus are the signals of each bus, in the order of their bytes.
var onBus = [][]string{{"A", "D", "F", "S"}, {"B", "G", "L"}}

type object = map[string]any

// vehicleText is a profile in the flow style of YAML, nearly JSON. It has every signal that
// cases are drawn from; those a program leaves out are never stale.
func vehicleText(v reference.Vehicle) []byte {
	signals := object{}
	for bus, names := range onBus {
		for _, name := range names {
			s := object{"from": fmt.Sprintf("%s.M.%s", []string{"pt", "body"}[bus], name), "invalid": []int{255}, "stale_after": "never"}
			switch name {
			case "D":
				s["values"] = object{"0": false, "1": true}
			case "L":
				s["values"] = object{"0": "x", "1": "y", "2": "z"}
			}
			i := slices.IndexFunc(v.Signals, func(o reference.Signal) bool { return o.Path == "Private."+name })
			if i >= 0 && v.Signals[i].StaleAfter > 0 {
				s["stale_after"] = duration(v.Signals[i].StaleAfter)
			}
			signals["Private."+name] = s
		}
	}
	actuators, actions := object{}, object{}
	for _, a := range v.Actuators {
		actuators[a.Path] = actuatorText(a)
	}
	for _, a := range v.Actions {
		o := object{"params": object{}, "states": a.States, "min_interval": duration(a.MinInterval)}
		if a.Call {
			o["call"] = callText(a.Within)
		}
		actions[a.Name] = o
	}
	profile := object{
		"schema": 1, "id": "case", "version": 1,
		"buses":   json.RawMessage(`{"pt": {"dbc": ["pt.dbc"], "interface": "can0", "fd": false}, "body": {"dbc": ["body.dbc"], "interface": "can1", "fd": false}}`),
		"signals": signals, "actuators": actuators, "actions": actions,
		"states": json.RawMessage(`{"parked": ` + asText(condText(v.States[0].When)) + `, "idling": ` + asText(condText(v.States[1].When)) + `}`),
		"events": object{"place": object{"names": []string{"home"}, "hmi": true}, "phone": object{"hmi": true}, "ignition": object{"hmi": true},
			"button": object{"names": []string{"star"}, "hmi": true}},
		"clock": object{"trusted_by": "org.freedesktop.timedate1"},
	}
	if v.Quarantine.Fires > 0 {
		profile["quarantine"] = object{"fires": v.Quarantine.Fires, "within": duration(v.Quarantine.Within)}
	}
	// The keys of `values` are numbers, which JSON has no way to write.
	return []byte(strings.NewReplacer(`"0":`, `0: `, `"1":`, `1: `, `"2":`, `2: `).Replace(asText(profile)))
}

func actuatorText(a reference.Actuator) object {
	o := object{"type": "double", "min_interval": duration(a.MinInterval), "max_lease": duration(a.MaxLease), "states": a.States,
		"end_states": a.EndStates, "manual_holdoff": duration(a.Holdoff), "survive_sleep": a.Survives, "confirm": a.Confirm > 0}
	switch a.Path {
	case "Private.H":
		o["type"], o["values"] = "string", labels
	case "Private.I":
		o["type"] = "boolean"
	default:
		o["min"], o["max"] = a.Min, a.Max
	}
	if a.Step > 0 {
		o["step"] = a.Step
	}
	if a.Slew > 0 {
		o["slew"] = fmt.Sprintf("%v/s", a.Slew)
	}
	if a.Confirm > 0 {
		o["confirm_within"] = duration(a.Confirm)
	}
	if a.Call {
		o["call"] = callText(a.Within)
	}
	if a.Readback != "" {
		o["readback"] = object{"signal": a.Readback, "within": duration(a.ReadWithin)}
	}
	return o
}

func callText(within int64) object {
	return object{"bus": "system", "service": "org.example.Car1", "path": "/org/example/Car1", "interface": "org.example.Car1",
		"member": "Set", "within": duration(within)}
}

func asText(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// duration is a time in the card's words.
func duration(ns int64) string { return strconv.FormatFloat(float64(ns)/1e6, 'f', -1, 64) + "ms" }

// cardText is a card as JSON.
func cardText(c reference.Card) []byte {
	o := object{"schema": 1, "id": c.ID, "version": "1.0.0", "title": object{"en": "A case's card"}, "priority": c.Priority,
		"cooldown": duration(c.Cooldown), "manual": c.Manual, "reentry": "single", "on_boot": c.OnBoot}
	if c.Restart {
		o["reentry"] = "restart"
	}
	var when, only, then []object
	for _, t := range c.When {
		when = append(when, triggerText(t))
	}
	for _, clause := range c.OnlyIf {
		only = append(only, condText(clause))
	}
	for _, s := range c.Then {
		then = append(then, stepText(s))
	}
	o["when"], o["then"] = when, then
	if only != nil {
		o["only_if"] = only
	}
	return []byte(asText(o))
}

func plainValue(v reference.Value) any {
	switch v.Kind {
	case reference.Bool:
		return v.Num != 0
	case reference.Label:
		return v.Label
	}
	return v.Num
}

func triggerText(t reference.Trigger) object {
	o := object{}
	if t.Signal != "" {
		o["signal"] = t.Signal
	}
	if t.HeldFor > 0 {
		o["held_for"] = duration(t.HeldFor)
	}
	switch t.Op {
	case "rises_above":
		o[t.Op], o["rearm_below"] = t.X.Num, t.Rearm
	case "falls_below":
		o[t.Op], o["rearm_above"] = t.X.Num, t.Rearm
	case "becomes", "leaves":
		o[t.Op] = plainValue(t.X)
	case "changes", "recovered":
		o[t.Op] = true
	case "stale_for":
		o[t.Op] = duration(t.Over)
	case "rate", "avg", "min", "max":
		beyond := map[bool]string{false: "above", true: "below"}[t.Below]
		o[t.Op] = object{beyond: t.X.Num, "over": duration(t.Over)}
	case "count":
		o[t.Op] = object{"of": triggerText(t.Of[0]), "reaches": t.Reaches, "within": duration(t.Over)}
	case "sequence":
		o[t.Op], o["within"] = []object{triggerText(t.Of[0]), triggerText(t.Of[1])}, duration(t.Over)
	case "occurs":
		words := strings.Fields(t.Occur)
		if len(words) == 3 {
			return object{words[0]: object{words[1]: words[2]}}
		}
		return object{words[0]: words[1]}
	case "at":
		o[t.Op] = clockText(int(t.At / minute))
		var days []string
		for _, day := range t.Days {
			days = append(days, strings.ToLower(day.String()[:3]))
		}
		o["on"] = days
	case "sunrise", "sunset":
		o[t.Op] = true
		if t.Offset != 0 {
			o["offset"] = duration(t.Offset)
		}
	}
	return o
}

func clockText(minutes int) string { return fmt.Sprintf("%02d:%02d", minutes/60, minutes%60) }

func condText(c reference.Cond) object {
	o := object{}
	if c.Signal != "" {
		o["signal"] = c.Signal
	}
	switch c.Op {
	case "above", "below":
		o[c.Op] = c.A.Num
	case "between":
		o[c.Op] = []float64{c.A.Num, c.B.Num}
	case "is", "is_not":
		o[c.Op] = plainValue(c.A)
	case "fresh":
		o[c.Op] = true
	case "time":
		o[c.Op] = object{"from": clockText(c.From), "to": clockText(c.To)}
	case "state":
		o[c.Op] = c.State
	case "expr":
		o[c.Op] = exprText(*c.Expr)
	case "not":
		o[c.Op] = condText(c.Of[0])
	default:
		var of []object
		for _, clause := range c.Of {
			of = append(of, condText(clause))
		}
		o[c.Op] = of
	}
	return o
}

// exprText writes an expression with every bracket.
func exprText(e reference.Expr) string {
	var of []string
	for _, operand := range e.Of {
		of = append(of, exprText(operand))
	}
	switch e.Op {
	case "number":
		return strconv.FormatFloat(e.Number, 'f', -1, 64)
	case "signal":
		return e.Signal
	case "negate":
		return "(-" + of[0] + ")"
	case "not":
		return "(not " + of[0] + ")"
	case "min", "max", "abs", "between":
		return e.Op + "(" + strings.Join(of, ", ") + ")"
	case "==", "!=":
		if i, err := strconv.Atoi(of[1]); err == nil && of[0] == "Private.L" {
			of[1] = `"` + labels[i] + `"`
		}
	}
	return "(" + of[0] + " " + e.Op + " " + of[1] + ")"
}

func stepText(s reference.Step) object {
	o := object{}
	switch {
	case s.Release != "":
		o["release"] = s.Release
	case s.Do != "":
		o["do"] = s.Do
	case s.Wait > 0:
		o["wait"] = duration(s.Wait)
	default:
		o["set"], o["to"], o["lease"] = s.Actuator, plainValue(s.To), duration(s.Lease)
		if o["at_end"] = s.AtEnd; s.AtEnd == "set" {
			o["at_end"] = object{"set": plainValue(s.EndValue)}
		}
	}
	if s.Continue {
		o["on_error"] = "continue"
	}
	return o
}
