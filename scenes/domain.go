package scenes

import (
	"math"
	"slices"
	"sort"

	"vignette/scenes/engine"
)

// Domain is the values that a signal can have, in the unit of its samples.
type Domain struct {
	Low, High float64   // both included; the largest floats where nothing bounds it
	Values    []float64 // ascending: there are no others; nil: any between Low and High
	Whole     bool      // whole numbers only
}

// Carried is what the bits of a signal can carry: no sample is ever outside it.
func (s *Signal) Carried() Domain {
	d := s.Signal
	if listed, ok := s.listedDomain(); ok {
		return listed
	}
	if d.Float {
		return Domain{Low: -math.MaxFloat64, High: math.MaxFloat64}
	}
	low, high := int64(0), int64(-1) // of 64 unsigned bits the largest is -1, as Field reads it
	if d.Length < 64 {
		high = 1<<d.Length - 1
	}
	if d.Signed {
		low, high = -1<<(d.Length-1), 1<<(d.Length-1)-1
	}
	return s.span(s.field.Physical(low), s.field.Physical(high))
}

// Expected is what the DBC says that a signal has: its [min|max], or what it
// carries where that is less or the DBC gives no range. A sample outside it is
// valid all the same.
func (s *Signal) Expected() Domain {
	carried := s.Carried()
	if carried.Values != nil || s.Signal.Min >= s.Signal.Max {
		return carried
	}
	d := s.span(s.Signal.Min, s.Signal.Max)
	if d.Low, d.High = max(d.Low, carried.Low), min(d.High, carried.High); d.Low > d.High {
		return carried // the DBC's range is of another scale than its bits
	}
	return d
}

// span is the domain between two physical values in the DBC's unit.
func (s *Signal) span(a, b float64) Domain {
	a, b = s.convert.Apply(a), s.convert.Apply(b)
	bound := func(x float64) float64 { return max(-math.MaxFloat64, min(math.MaxFloat64, x)) }
	return Domain{Low: bound(min(a, b)), High: bound(max(a, b)), Whole: s.whole}
}

// listedDomain is the domain of a signal that has labels, booleans or listed
// numbers.
func (s *Signal) listedDomain() (Domain, bool) {
	values := s.distinct()
	if values == nil {
		return Domain{}, false
	}
	return Domain{Low: values[0], High: values[len(values)-1], Values: values, Whole: s.whole || s.Kind != engine.Number}, true
}

// distinct are the numbers that the profile lists, each once, ascending.
func (s *Signal) distinct() (nums []float64) {
	for _, m := range s.values {
		nums = append(nums, m.num)
	}
	sort.SliceStable(nums, func(i, j int) bool { return nums[i] < nums[j] })
	return slices.Compact(nums)
}
