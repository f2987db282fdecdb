package review

import (
	"fmt"
	"time"

	"vignette/ui-bridge/trace"
)

// Rate is so many touches while moving in an hour of moving. Cars release buckets
// of both, so it is known between two ends only. It is made of the two tables as
// they are shown, so it tells nothing that they do not.
type Rate struct {
	Name  string `json:"name"`
	Title string `json:"title"`
	All   *Range `json:"all"` // nil: it is withheld, nobody moved, or it may be anything
}

// Range is where a figure lies.
type Range struct {
	Low  float64  `json:"low"`
	High *float64 `json:"high"` // nil: nobody knows how high
}

// longestAttempt is what an attempt takes at most; see trace.EndTooLong.
const longestAttempt = time.Hour

// movingRate is a task's.
func movingRate(k *Task) *Rate {
	touches, moving := k.table("moving_touches"), k.table("moving_time")
	if touches == nil || moving == nil {
		return nil
	}
	r := &Rate{Name: "touches_per_moving_hour", Title: "touches while moving in an hour of moving"}
	r.All = rangeOf(touches, moving)
	return r
}

// rangeOf holds touches by their buckets against time by its.
func rangeOf(touches, moving *Table) *Range {
	if touches.Sum == nil || moving.Sum == nil {
		return nil
	}
	least, most, bounded := ends(touches, trace.MetricMoving)
	shortest, longest, _ := ends(moving, trace.MetricMovingTime)
	if longest == 0 {
		return nil
	}
	r := &Range{Low: least / longest * 3600}
	switch {
	case bounded && most == 0:
		r.High = &most
	case bounded && shortest > 0:
		high := most / shortest * 3600
		r.High = &high
	case least == 0:
		return nil // it may be anything
	}
	return r
}

// ends are the least and the greatest sum that a table's values may have: those
// that are withheld lie in the withheld buckets, wherever that is least or most.
// Bounded is false where the highest bucket of counts may have any.
func ends(s *Table, metric int) (low, high float64, bounded bool) {
	buckets := trace.MetricTable[metric].Buckets
	first, last, hidden := -1, -1, *s.Sum
	bounded = true
	count := func(n, from, to int) {
		if n == 0 {
			return
		}
		low += float64(n) * buckets[from].From
		switch {
		case buckets[to].Name == "0 s":
		case to < len(buckets)-1 && metric == trace.MetricMoving:
			high += float64(n) * (buckets[to+1].From - 1)
		case to < len(buckets)-1:
			high += float64(n) * buckets[to+1].From
		case metric == trace.MetricMoving:
			bounded = false
		default:
			high += float64(n) * longestAttempt.Seconds()
		}
	}
	for i, b := range s.Buckets {
		if b.Count != nil {
			hidden -= *b.Count
			count(*b.Count, i, i)
			continue
		}
		if last = i; first < 0 {
			first = i
		}
	}
	if first >= 0 {
		count(hidden, first, last)
	}
	return low, high, bounded
}

// table finds a distribution.
func (k *Task) table(name string) *Table {
	for i := range k.Tables {
		if k.Tables[i].Name == name {
			return &k.Tables[i]
		}
	}
	return nil
}

// String is a range in words.
func (r *Range) String() string {
	switch {
	case r == nil:
		return withheld
	case r.High == nil:
		return fmt.Sprintf("%.0f or more", r.Low)
	}
	return fmt.Sprintf("%.0f to %.0f", r.Low, *r.High)
}
