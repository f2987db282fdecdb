package fleet

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"vignette/scenes"
	"vignette/ui-bridge/trace"
)

// tells is what a dataset tells beyond what it may.
type tells struct {
	ids     bool // two episodes have one id
	ungated bool // an episode is not in the dictionary, its times aside
	times   bool // a gap is no bucket
	many    bool // a car has two episodes of a task and week
	sizes   bool // segments have several
	written bool // segments tell when they were written
	undelay bool // an episode has left with the first trip after its week, as most would not
}

// TestEachWeaknessIsItsOwn holds that a weakened recorder lacks one protection
// and no other, and that the recorder of the shipped agent lacks none.
func TestEachWeaknessIsItsOwn(t *testing.T) {
	s := study(t, "study.yaml")
	for weakness, want := range map[trace.Weakness]tells{
		"":                 {},
		trace.PersistentID: {ids: true},
		trace.NoGate:       {ungated: true},
		trace.RawTimes:     {times: true},
		trace.NoBound:      {many: true},
		trace.Unpadded:     {sizes: true, written: true, undelay: true},
	} {
		dir, _ := simulate(t, Options{Study: s, Cars: 12, Weeks: 3, Seed: 5, Weakness: weakness})
		if got := tellsOf(t, s, dir); got != want {
			t.Errorf("%q: %+v, want %+v", weakness, got, want)
		}
	}
}

func tellsOf(t *testing.T, s *scenes.Study, dir string) (is tells) {
	t.Helper()
	all, truth := episodes(t, dir), readTruth(t, dir)
	if len(truth) < 50 {
		t.Fatalf("%d episodes", len(truth))
	}
	for _, ep := range all {
		is.times = is.times || slices.ContainsFunc(ep.Ev, func(e trace.Event) bool { return e.DT > trace.DTFrom15s })
	}
	ids, slots, soon, known := map[string]int{}, map[string]int{}, 0, dictionary(s)
	for _, one := range truth {
		ep := all[one.File]
		ids[one.EID]++
		slots[fmt.Sprint(one.Car, ep.Task, ep.Week)]++
		is.ids = is.ids || ids[one.EID] > 1
		is.many = is.many || slots[fmt.Sprint(one.Car, ep.Task, ep.Week)] > 1
		is.ungated = is.ungated || !known[sequence(ep.Task, ep.Ev, is.times)]
		if one.Released.Sub(weekAfter(one.At)) < 12*time.Hour {
			soon++
		}
		info, err := os.Stat(filepath.Join(dir, one.File))
		if err != nil {
			t.Fatal(err)
		}
		is.sizes = is.sizes || info.Size() != 512
		is.written = is.written || !info.ModTime().Equal(time.Unix(0, 0))
	}
	is.undelay = soon > len(truth)/3
	return is
}

// weekAfter is the first moment of the week after.
func weekAfter(at time.Time) time.Time {
	at = at.In(zone)
	for at = at.Truncate(time.Hour).Add(-time.Duration(at.Hour())*time.Hour).AddDate(0, 0, 1); at.Weekday() != time.Monday; {
		at = at.AddDate(0, 0, 1)
	}
	return at
}

// dictionary is a study's sequences, as sequence gives them.
func dictionary(s *scenes.Study) map[string]bool {
	known := map[string]bool{}
	for _, q := range s.Dictionary {
		var events []trace.Event
		for _, e := range q.Events {
			events = append(events, trace.Event(e))
		}
		known[sequence(uint16(q.Task), events, false)] = true
	}
	return known
}

// sequence names a task and its touches; tenths says that gaps are 1 and the
// tenths of a second.
func sequence(task uint16, events []trace.Event, tenths bool) string {
	events = slices.Clone(events)
	for i := range events {
		if tenths && i > 0 {
			events[i].DT = bucket(events[i].DT - 1)
		}
	}
	return fmt.Sprint(task, events)
}

// bucket is the one of a time in tenths of a second.
func bucket(tenths uint8) uint8 {
	for i, edge := range []uint8{5, 10, 20, 50, 150} {
		if tenths < edge {
			return trace.DTUnder0s5 + uint8(i)
		}
	}
	return trace.DTFrom15s
}

func TestUnknownWeakness(t *testing.T) {
	_, err := Simulate(filepath.Join(t.TempDir(), "fleet"), Options{Study: study(t, "study.yaml"), Cars: 1, Weeks: 1, Weakness: "no-gates"})
	if err == nil || err.Error() != `no weakness is called "no-gates"; there are ["persistent-id" "no-gate" "raw-times" "no-bound" "unpadded"]` {
		t.Error(err)
	}
}
