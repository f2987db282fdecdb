package cocreate

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"vignette/ui-bridge/review"
)

// told is what is known of a card in a week.
type told int

const (
	quiet    told = iota // nobody ran it
	withheld             // some did, or it is kept back to protect another figure
	active               // k or more cars ran it
)

// byMonday is what is known of a card by week, of all studies: the most of them.
func (c *Card) byMonday() map[time.Time]told {
	weeks := map[time.Time]told{}
	for _, u := range c.Uses {
		for _, w := range u.Weeks {
			day, ok := review.ParseWeek(w.Week)
			if !ok {
				continue
			}
			now := quiet
			switch {
			case w.Cars == nil:
				now = withheld
			case *w.Cars > 0:
				now = active
			}
			if was, ok := weeks[day]; !ok || now > was {
				weeks[day] = now
			}
		}
	}
	return weeks
}

// weeks counts active cards by week.
func weeks(list []Card) []Week {
	counts := map[time.Time]*Week{}
	for i := range list {
		for day, what := range list[i].byMonday() {
			w := counts[day]
			if w == nil {
				w = &Week{Week: label(day)}
				counts[day] = w
			}
			switch what {
			case active:
				w.Active++
			case withheld:
				w.NotTold++
			}
		}
	}
	out := []Week{}
	for _, day := range slices.SortedFunc(maps.Keys(counts), time.Time.Compare) {
		out = append(out, *counts[day])
	}
	return out
}

func label(day time.Time) string {
	year, week := day.ISOWeek()
	return weekLabel(year, week)
}

// keptAfter are the weeks after which it is asked who is still in use.
var keptAfter = []int{1, 2, 4, 8}

// retention counts, of the cards that were active in some week, those that were
// again so many weeks after the first of them.
func retention(list []Card) []Kept {
	out := []Kept{}
	for _, after := range keptAfter {
		k := Kept{After: after}
		for i := range list {
			weeks := list[i].byMonday()
			var first time.Time
			for day, what := range weeks {
				if what == active && (first.IsZero() || cmp.Compare(day.Unix(), first.Unix()) < 0) {
					first = day
				}
			}
			what, ok := weeks[first.AddDate(0, 0, 7*after)]
			switch {
			case first.IsZero() || !ok: // never active, or the study was over
			case what == withheld:
				k.NotTold++
			default:
				k.Of++
				if what == active {
					k.Active++
				}
			}
		}
		out = append(out, k)
	}
	return out
}
