package review

import "math"

// z is the normal quantile of a two-sided interval of 95 %.
const z = 1.959963984540054

// Interval is a two-sided interval of 95 % for a share or a difference of shares.
type Interval struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// wilson is Wilson's score interval for x of n (E. B. Wilson, Probable inference,
// JASA 22, 1927), n > 0. It is honest for few and for extreme shares, where the
// textbook's interval leaves [0, 1].
func wilson(share float64, n int) Interval {
	t := z * z / float64(n)
	middle := (share + t/2) / (1 + t)
	half := z / (1 + t) * math.Sqrt(share*(1-share)/float64(n)+t/(4*float64(n)))
	return Interval{max(0, middle-half), min(1, middle+half)}
}

// newcombe is the interval for the difference b - a of two independent shares,
// made of their Wilson intervals (R. G. Newcombe, Statistics in Medicine 17,
// 1998, method 10).
func newcombe(a, b *Share) Interval {
	d := b.Share - a.Share
	return Interval{
		d - math.Hypot(b.Share-b.Low, a.High-a.Share),
		d + math.Hypot(b.High-b.Share, a.Share-a.Low),
	}
}

// medianBucket is the bucket of the median of n values of which some buckets'
// counts are withheld (nil): -1 if it depends on these. Of an even number it is
// the lower of the two in the middle.
func medianBucket(counts []*int, n int) int {
	first, last, hidden := -1, -1, n
	for i, c := range counts {
		if c != nil {
			hidden -= *c
			continue
		}
		if last = i; first < 0 {
			first = i
		}
	}
	median := func(at int) int { // with all that is withheld in one bucket
		sum := 0
		for i, c := range counts {
			if c != nil {
				sum += *c
			} else if i == at {
				sum += hidden
			}
			if n > 0 && 2*sum >= n {
				return i
			}
		}
		return -1
	}
	if m := median(first); m == median(last) {
		return m
	}
	return -1
}
