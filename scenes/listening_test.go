package scenes

import (
	"strings"
	"testing"

	"vignette/scenes/engine"
)

// TestFactsOfEvents holds what each value of a source says: `+` so, `-` not so, `?`
// neither.
func TestFactsOfEvents(t *testing.T) {
	num := func(x float64) engine.Value { return engine.Value{Kind: engine.Number, Num: x} }
	yes, no := engine.Value{Kind: engine.Bool, Num: 1}, engine.Value{Kind: engine.Bool}
	word := func(s string) engine.Value { return engine.Value{Kind: engine.Label, Text: s} }
	const source = "{bus: system, service: org.a.B, path: /, interface: org.a.B, member: C}"
	for _, c := range []struct {
		event  string
		facts  string // So, or So|NotSo, of each
		values []engine.Value
		want   string // a sign for each value and fact
	}{
		{"phone: {property: $}", "phone near|phone far", []engine.Value{yes, no, num(1), word("true"), {}}, "+-???"},
		{"phone: {signal: $}", "phone near|phone far", []engine.Value{yes, no, {}}, "+-?"},
		{"phone: {property: $, is: {near: [2, 3], far: [0, away]}}", "phone near|phone far", []engine.Value{num(2), num(3), num(0), word("away"), num(1), no}, "++--??"},
		{"ignition: {property: $, is: {'on': [true], 'off': [false]}}", "ignition on|ignition off", []engine.Value{yes, no, num(1)}, "+-?"},
		{"place: {names: [home, work], property: $}", "place enter home|place leave home, place enter work|place leave work",
			[]engine.Value{word("home"), word("work"), word(""), num(1)}, "+- -+ -- ??"},
		{"button: {names: [star], signal: $}", "button star", []engine.Value{word("star"), word("moon"), num(1), {}}, "+-??"},
		{"online: {property: $, is: [4]}", "event online", []engine.Value{num(4), num(3), word("4"), {}}, "+--?"},
		{"online: {property: $}", "event online", []engine.Value{yes, no, num(4)}, "+-?"},
		{"low: {property: $, below: 20}", "event low", []engine.Value{num(19.9), num(20), word("19"), {}}, "+-??"},
		{"full: {property: $, above: 80}", "event full", []engine.Value{num(80.5), num(80), yes}, "+-?"},
		{"welcome: {signal: $}", "event welcome", []engine.Value{{}, no, num(7)}, "+++"},
		{"long: {signal: $, is: [long]}", "event long", []engine.Value{word("long"), word("short"), {}}, "+-?"},
	} {
		text := strings.Replace(read(t, "bench.yaml"), "  phone: {", "  "+strings.ReplaceAll(c.event, "$", source)+"\n  other: {", 1)
		v, err := parseVehicle("bench.yaml", []byte(text), openBench(t))
		if err != nil {
			t.Errorf("%s: %v", c.event, err)
			continue
		}
		facts := v.Events[0].Facts()
		var names, got []string
		for _, f := range facts {
			names = append(names, strings.TrimSuffix(f.So+"|"+f.NotSo, "|"))
		}
		for _, value := range c.values {
			signs := ""
			for _, f := range facts {
				so, known := f.Judge(value)
				signs += map[bool]string{true: map[bool]string{true: "+", false: "-"}[so], false: "?"}[known]
			}
			got = append(got, signs)
		}
		if list := strings.Join(names, ", "); list != c.facts {
			t.Errorf("%s tells of %s, want %s", c.event, list, c.facts)
		}
		if s := strings.Join(got, ""); s != strings.ReplaceAll(c.want, " ", "") {
			t.Errorf("%s: %s, want %s", c.event, s, c.want)
		}
	}
}

// TestEverySourceIsAnOccurrence holds that a fact's texts are occurrences of the
// program, whose opposite is the other one.
func TestEverySourceIsAnOccurrence(t *testing.T) {
	v, err := LoadVehicle("../testdata/meaning/vehicle.yaml")
	if err != nil {
		t.Fatal(err)
	}
	list := v.occurrences()
	index := func(text string) int {
		for i := range list {
			if list[i].Name == text {
				return i
			}
		}
		return -1
	}
	seen := 0
	for i := range v.Events {
		for _, f := range v.Events[i].Facts() {
			so, notSo := index(f.So), index(f.NotSo)
			if so < 0 || list[so].Opposite != notSo {
				t.Errorf("%q is occurrence %d and its opposite %q is %d", f.So, so, f.NotSo, notSo)
			}
			seen++
		}
	}
	if seen < 6 {
		t.Errorf("%d facts", seen)
	}
}
