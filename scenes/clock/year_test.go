package clock

import (
	"io"
	"slices"
	"testing"
	"time"

	"vignette/scenes/drive"
	"vignette/scenes/engine"
)

// Over more than a year in zones with every kind of change, an `at` comes once a
// day: at the first minute in which the local date and time are the wanted ones
// or later. The engine has the events of Stream; the expectation looks at every
// minute with Go's own zones.
func TestAYearOfMornings(t *testing.T) {
	for _, c := range []struct{ zone, start string }{
		{"Europe/Berlin", "2026-01-01T00:00:30Z"},
		{"America/New_York", "2026-01-01T00:00:30Z"},
		{"Australia/Lord_Howe", "2026-01-01T00:00:30Z"}, // by half an hour
		{"America/Sao_Paulo", "2018-01-01T00:00:30Z"},   // midnight is skipped and repeated
		{"Pacific/Apia", "2011-06-01T00:00:30Z"},        // a whole day is skipped
		{"Africa/Casablanca", "2026-01-01T00:00:30Z"},
		{"Asia/Kathmandu", "2026-01-01T00:00:30Z"},
		{"America/Caracas", "2016-01-01T00:00:30Z"},
	} {
		t.Run(c.zone, func(t *testing.T) {
			start := at(t, c.start).In(zone(t, c.zone))
			minutes := []int{0, 30, 90, 120, 150, 180, 725, 1439}
			got, shown := mornings(t, start, minutes), everyMinute(start)
			for i, m := range minutes {
				if want := firsts(shown, m); !slices.Equal(got[i], want) {
					t.Errorf("%02d:%02d: %s", m/60, m%60, difference(start, got[i], want))
				}
			}
		})
	}
}

const yearOfMinutes = 400 * 24 * 60

// mornings are the wall times, in minutes since start, at which a card for each
// local time fires.
func mornings(t *testing.T, start time.Time, minutes []int) [][]int {
	t.Helper()
	p := &engine.Program{Actions: []engine.Action{{Name: "note", States: 1}}}
	for i, m := range minutes {
		p.Cards = append(p.Cards, engine.Card{ID: string(rune('a' + i)), Then: []engine.Step{{Kind: engine.Do}},
			When: []engine.Trigger{{Op: engine.WallTime, At: int64(m) * 60e9, Days: 0x7F}}})
	}
	if err := p.Build(); err != nil {
		t.Fatal(err)
	}
	inner := ticks{0, yearOfMinutes * 60}
	stream := NewStream(&inner, func(int64) (time.Time, error) { return start, nil }, nil)
	s, out, e := p.NewState(1, false), engine.Effects{}, drive.Entry{}
	for {
		if err := stream.Next(&e); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		p.Step(s, &e.Event, &out)
	}
	got := make([][]int, len(minutes))
	for _, r := range out.Records {
		if r.What == engine.Fired {
			i := int(r.Card[0] - 'a')
			// The stream begins half a minute before a whole one.
			got[i] = append(got[i], int((r.T+30e9)/60e9))
		}
	}
	return got
}

// everyMinute is the local time, in minutes since a day long past, at the start
// and then at each whole minute of a year.
func everyMinute(start time.Time) (shown []int) {
	for i := range yearOfMinutes + 1 {
		x := start
		if i > 0 {
			x = x.Add(time.Duration(i)*time.Minute - 30*time.Second)
		}
		_, offset := x.Zone()
		shown = append(shown, int((x.Unix()+int64(offset))/60))
	}
	return shown
}

// firsts are the minutes in which local time first reaches minute m of a day.
func firsts(shown []int, m int) (list []int) {
	reached := shown[0] // the latest so far
	for i, now := range shown {
		if now <= reached {
			continue
		}
		if next := nextMinute(reached, m); next <= now {
			list = append(list, i)
		}
		reached = now
	}
	return list
}

// nextMinute is the first minute m of a day after reached.
func nextMinute(reached, m int) int {
	next := reached/1440*1440 + m
	if next <= reached {
		next += 1440
	}
	return next
}

// difference is the first one.
func difference(start time.Time, got, want []int) string {
	for i := range max(len(got), len(want)) {
		when := func(list []int) string {
			if i >= len(list) {
				return "nothing"
			}
			return start.Add(time.Duration(list[i])*time.Minute - 30*time.Second).String()
		}
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			return when(got) + ", want " + when(want)
		}
	}
	return "none"
}
