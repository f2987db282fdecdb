package scenes

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// tale is a scenario that has everything.
const tale = `schema: 1
title: {en: A tale}
clock: {local: "2026-06-01 18:30", sunrise: "05:10", sunset: "21:20"}
given:
  - {signal: Vehicle.Speed, is: 0, unit: km/h}
  - {signal: Private.Door, is: true}
steps:
  - {at: 5s, signal: Vehicle.Speed, to: 20.5, unit: km/h}
  - {at: 5s, silent: Private.Door}
  - {at: 6s, place: {enter: home}}
  - {at: 6s, phone: near}
  - {at: 6s, ignition: "on"}
  - {at: 6s, button: star}
  - {at: 6s, event: welcome}
  - {at: 7s, run: cool-down}
  - {at: 8s, answer: "yes"}
  - {at: 9s, hand: Vehicle.Fan, to: 3}
expect:
  - {fires: cool-down, at: 5s}
  - {sets: Vehicle.Fan, to: 4, unit: percent, within: [5s, 6s]}
  - {ends: Vehicle.Fan, never: true, within: [0s, 4s]}
  - {does: notify}
until: 10s
`

func TestScenario(t *testing.T) {
	s, err := ParseScenario("tale.yaml", []byte(tale))
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Given) != 2 || len(s.Steps) != 10 || len(s.Expect) != 4 || s.Until != 10*time.Second || s.Clock == nil {
		t.Fatalf("%+v", s)
	}
	if h := s.Steps[0]; h.Kind != SignalIs || h.Name.Text != "Vehicle.Speed" || h.To.Num != 20.5 || h.Unit.Text != "km/h" || h.At != 5*time.Second {
		t.Errorf("the first step: %+v", h)
	}
	for i, want := range []string{"place enter home", "phone near", "ignition on", "button star", "event welcome"} {
		if got := s.Steps[2+i].Occur.Text(); got != want || s.Steps[2+i].Kind != Happens {
			t.Errorf("step %d: %q, want %q", 2+i, got, want)
		}
	}
	for i, want := range []HappeningKind{DriverRuns, DriverSays, DriverSets} {
		if got := s.Steps[7+i].Kind; got != want {
			t.Errorf("step %d: %v, want %v", 7+i, got, want)
		}
	}
	if !s.Steps[8].Yes {
		t.Error("the answer is no")
	}
	if e := s.Expect[1]; e.Kind != Sets || e.First != 5*time.Second || e.Last != 6*time.Second || e.To.Num != 4 {
		t.Errorf("the second expectation: %+v", e)
	}
	if e := s.Expect[3]; e.First != 0 || e.Last != s.Until {
		t.Errorf("an expectation without a time: %+v", e)
	}
	if c := s.Clock; c.Local.Format("2006-01-02 15:04") != "2026-06-01 18:30" || c.Sunrise != 5*60+10 || c.Sunset != 21*60+20 {
		t.Errorf("the clock: %+v", c)
	}
}

func TestScenarioRefuses(t *testing.T) {
	for _, c := range []struct{ old, now, want string }{
		{"schema: 1", "schema: 2", "schema 2 is not known"},
		{"title: {en: A tale}\n", "", "the scenario has no `title`; add it"},
		{"2026-06-01 18:30", "2026-06-31 18:30", "is no day of the calendar"},
		{"2026-06-01 18:30", "18:30", "is not a local date and time"},
		{"signal: Private.Door, is", "signal: Vehicle.Speed, is", "tale.yaml:6:14: `Vehicle.Speed` is given twice; keep one"},
		{"is: true", "to: true", "unknown key `to` in a given"},
		{", is: true", "", "a given says nothing"},
		{"to: 20.5, ", "", "tale.yaml:8:5: `signal` has no `to`; add the value"},
		{"silent: Private.Door", "silent: Private.Door, to: 3", "`to` and `unit` belong to `signal` and `hand`"},
		{"button: star", "button: star, event: x", "`button` and `event` are in one step"},
		{"{at: 6s, phone: near}", "{at: 4s, phone: near}", "`at`: 4s comes before the step above; put the steps in order"},
		{"at: 9s, hand", "at: 11s, hand", "`at`: 11s is after the end, `until`"},
		{"answer: \"yes\"", "answer: maybe", "`maybe` is not one of"},
		{"does: notify", "", "the expectation says nothing"},
		{"does: notify", "does: notify, fires: x", "are in one expectation"},
		{"does: notify", "does: notify, to: 3", "`to` and `unit` belong to `sets`"},
		{"does: notify", "does: notify, at: 11s", "`at` reaches beyond the end"},
		{"does: notify", "does: notify, at: 1s, within: [1s, 2s]", "`at` and `within` exclude each other"},
		{"[5s, 6s]", "[6s, 5s]", "`within` takes two times"},
		{"[5s, 6s]", "[6s]", "`within` takes two times"},
		{"never: true", "never: false", "write `true`, or leave the key out"},
		{"until: 10s", "until: 25h", "a scenario ends within 24h"},
		{"until: 10s", "until: 0s", "it must be above 0"},
		{"steps:\n", "steps: []\nother:\n", "is empty; give at least one entry"},
	} {
		bad := strings.Replace(tale, c.old, c.now, 1)
		if bad == tale {
			t.Fatalf("%q is not in the tale", c.old)
		}
		_, err := ParseScenario("tale.yaml", []byte(bad))
		var ds Diagnostics
		if !errors.As(err, &ds) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q for %q: %v; want %q", c.now, c.old, err, c.want)
		}
	}
	if _, err := ParseScenario("tale.yaml", []byte(tale+strings.Repeat("#", maxScenarioBytes))); err == nil || !strings.Contains(err.Error(), "longer than 64 KiB") {
		t.Errorf("a long one: %v", err)
	}
}

// FuzzScenario: whatever a scenario's bytes are, they are a scenario within its
// limits, or diagnostics that say where.
func FuzzScenario(f *testing.F) {
	files, err := filepath.Glob("../testdata/drive/scenarios/*.yaml")
	if err != nil || files == nil {
		f.Fatalf("%v %v", files, err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Add([]byte(tale))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := ParseScenario("s.yaml", text)
		if err != nil {
			var ds Diagnostics
			if !errors.As(err, &ds) || s != nil {
				t.Fatalf("%v, %v", s, err)
			}
			return
		}
		last := time.Duration(0)
		for _, h := range s.Steps {
			if h.At < last || h.At > s.Until {
				t.Fatalf("a step at %v after one at %v, until %v", h.At, last, s.Until)
			}
			last = h.At
		}
		for _, e := range s.Expect {
			if e.First < 0 || e.First > e.Last || e.Last > s.Until || e.Name.Text == "" {
				t.Fatalf("%+v", e)
			}
		}
		if s.Until <= 0 || s.Until > maxScenario || len(s.Expect) == 0 {
			t.Fatalf("%+v", s)
		}
	})
}
