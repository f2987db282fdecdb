package powercut

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// TestMarksAreSectors has a mark out and in again.
func TestMarksAreSectors(t *testing.T) {
	want := Mark{N: 7, Set: map[string]string{"consent 1": "given"}}
	b, err := want.Append()
	if err != nil || len(b) != MarkBytes {
		t.Fatalf("%d bytes, %v", len(b), err)
	}
	if got, err := ParseMark(b); err != nil || got.N != 7 || got.Done || !maps.Equal(got.Set, want.Set) {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := (&Mark{Set: map[string]string{"x": strings.Repeat("y", MarkBytes)}}).Append(); err == nil {
		t.Error("a mark longer than a sector is taken")
	}
}

// TestPromised has what stands after marks.
func TestPromised(t *testing.T) {
	set := func(value string) map[string]string { return map[string]string{"a": value, "fresh": value} }
	ask := func(n int, value string) Mark { return Mark{N: n, Set: set(value)} }
	for _, c := range []struct {
		name  string
		marks []Mark
		want  string // of register a; empty: it may hold anything
	}{
		{"nothing", nil, ""},
		{"asked for the first time", []Mark{ask(0, "1")}, ""},
		{"answered", []Mark{ask(0, "1"), {N: 0, Done: true}}, "1"},
		{"asked anew", []Mark{ask(0, "1"), {N: 0, Done: true}, ask(1, "2")}, "1 2"},
		{"asked for the same", []Mark{ask(0, "1"), {N: 0, Done: true}, ask(1, "1")}, "1"},
		{"answered anew", []Mark{ask(0, "1"), {N: 0, Done: true}, ask(1, "2"), {N: 1, Done: true}}, "2"},
	} {
		got, err := Promised(c.marks)
		if err != nil || strings.Join(got["a"], " ") != c.want {
			t.Errorf("%s: %v, %v; want %q", c.name, got["a"], err, c.want)
		}
	}
	for _, marks := range [][]Mark{{{N: 1, Done: true}}, {ask(1, "1"), ask(2, "1")}} {
		if _, err := Promised(marks); err == nil {
			t.Errorf("%+v is taken", marks)
		}
	}
}

// TestJudge has facts that are as they must be, and each thing that may be wrong.
func TestJudge(t *testing.T) {
	promised := map[string][]string{"consent 1": {"given", "none"}, "lease driver": {"40"}, "hold": {"on"}}
	fine := func() *Facts {
		return &Facts{Found: map[string]string{"consent 1": "none", "lease driver": "40", "hold": "on"}, Ended: []string{"lease driver"}, Clean: true,
			States: map[string]string{HoldResume: "holding", HoldRestart: "holding", HoldDrop: "armed"},
			Left:   map[string]float64{HoldResume: 1100, HoldRestart: 1199}, Kept: 1110}
	}
	if wrong := Judge(fine(), promised); len(wrong) > 0 {
		t.Errorf("what is fine is refused: %q", wrong)
	}
	wentOn := fine()
	wentOn.Found["hold"] = HoldsWentOn
	if wrong := Judge(wentOn, map[string][]string{"hold": {"on", HoldsWentOn}}); len(wrong) > 0 {
		t.Errorf("holds that went on before are refused: %q", wrong)
	}
	for want, change := range map[string]func(f *Facts){
		"no disk": func(f *Facts) { f.Failed = "no disk" },
		`consent 1 is "withdrawn", and was promised`: func(f *Facts) { f.Found["consent 1"] = "withdrawn" },
		`lease driver is "none", and was promised`:   func(f *Facts) { f.Found["lease driver"] = "none" },
		`hold is "", and was promised to be on`:      func(f *Facts) { delete(f.Found, "hold") },
		"its end was not called":                     func(f *Facts) { f.Ended = nil },
		"card drop is holding":                       func(f *Facts) { f.States[HoldDrop] = "holding" },
		`hold is "went on", and was promised`:        func(f *Facts) { f.Found["hold"] = HoldsWentOn },
		"card resume is armed":                       func(f *Facts) { f.States[HoldResume] = "armed" },
		"card restart is armed":                      func(f *Facts) { f.States[HoldRestart] = "armed" },
		"1150.0 s are left":                          func(f *Facts) { f.Left[HoldResume] = 1150 },
		"begins anew has 1000.0 s":                   func(f *Facts) { f.Left[HoldRestart] = 1000 },
		"begins anew has 1300.0 s":                   func(f *Facts) { f.Left[HoldRestart] = 1300 },
		"problems":                                   func(f *Facts) { f.Problems = []string{"x"} },
		"of traces":                                  func(f *Facts) { f.Trace = "x" },
		"set aside":                                  func(f *Facts) { f.Aside = []string{"x"} },
		"warned: x":                                  func(f *Facts) { f.Log = []string{"x"} },
		"did not end well":                           func(f *Facts) { f.Clean = false },
	} {
		f := fine()
		change(f)
		if wrong := Judge(f, promised); !slices.ContainsFunc(wrong, func(w string) bool { return strings.Contains(w, want) }) {
			t.Errorf("want %q: %q", want, wrong)
		}
	}
}
