package check

import (
	"math"
	"slices"

	"vignette/scenes"
)

// span is the float64s from lo to hi, both included. A bound that is not
// included is written as its neighbour.
type span struct{ lo, hi float64 }

// set is a set of float64s: spans ascending, none touching the next.
type set []span

var everything = set{{-math.MaxFloat64, math.MaxFloat64}}

func above(x float64) float64 { return math.Nextafter(x, math.Inf(1)) }
func below(x float64) float64 { return math.Nextafter(x, math.Inf(-1)) }

// from is lo to hi, empty where they are crossed.
func from(lo, hi float64) set {
	lo, hi = max(lo, -math.MaxFloat64), min(hi, math.MaxFloat64)
	if lo > hi {
		return nil
	}
	return set{{lo, hi}}
}

func point(x float64) set { return from(x, x) }

func (s set) intersect(t set) (out set) {
	for i, j := 0, 0; i < len(s) && j < len(t); {
		if lo, hi := max(s[i].lo, t[j].lo), min(s[i].hi, t[j].hi); lo <= hi {
			out = append(out, span{lo, hi})
		}
		if s[i].hi < t[j].hi {
			i++
		} else {
			j++
		}
	}
	return out
}

func (s set) complement() (out set) {
	lo := -math.MaxFloat64
	for _, p := range s {
		if lo < p.lo {
			out = append(out, span{lo, below(p.lo)})
		}
		if p.hi == math.MaxFloat64 {
			return out
		}
		lo = above(p.hi)
	}
	return append(out, span{lo, math.MaxFloat64})
}

func (s set) meets(t set) bool {
	for i, j := 0, 0; i < len(s) && j < len(t); {
		switch {
		case s[i].hi < t[j].lo:
			i++
		case t[j].hi < s[i].lo:
			j++
		default:
			return true
		}
	}
	return false
}

// whole keeps the whole numbers of a set: its spans begin and end with them.
func (s set) whole() (out set) {
	for _, p := range s {
		if lo, hi := math.Ceil(p.lo), math.Floor(p.hi); lo <= hi {
			out = append(out, span{lo, hi})
		}
	}
	return out
}

// domainSet is a signal's domain as a set.
func domainSet(d scenes.Domain) (s set) {
	for _, x := range d.Values {
		s = append(s, span{x, x})
	}
	if d.Values == nil {
		s = from(d.Low, d.High)
	}
	return slices.Clip(s)
}
