package audit

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// estimate is a share with its 95 % interval.
type estimate struct {
	value, low, high float64
	n                int
}

// scored is one try of an attack: how right it was, from 0 to 1, and whose car it
// was about. A try that ends in several answers that cannot be told apart scores
// the share of right ones among them: what a choice by lot reaches on average.
type scored struct {
	car   int
	score float64
}

// z95 is the 97.5 % point of the normal distribution.
const z95 = 1.959964

// mean is the mean score with an interval that takes the cars as drawn, not the
// tries: those of one car are alike. It is the ratio estimator of cluster samples
// (Cochran, Sampling Techniques, 3rd edition, 6.3); where all scores are the same,
// Wilson's interval.
func mean(tries []scored) estimate {
	n := float64(len(tries))
	if n == 0 {
		return estimate{}
	}
	sum, perCar := 0.0, map[int]*[2]float64{} // scores, tries
	for _, t := range tries {
		c := perCar[t.car]
		if c == nil {
			c = new([2]float64)
			perCar[t.car] = c
		}
		c[0] += t.score
		c[1]++
	}
	for _, car := range sortedKeys(perCar) {
		sum += perCar[car][0]
	}
	p, square := sum/n, 0.0
	for _, car := range sortedKeys(perCar) {
		c := perCar[car]
		square += math.Pow(c[0]-p*c[1], 2)
	}
	clusters := float64(len(perCar))
	if clusters < 2 || square == 0 {
		return wilson(p, len(tries))
	}
	half := z95 * math.Sqrt(square*clusters/(clusters-1)) / n
	return estimate{p, math.Max(0, p-half), math.Min(1, p+half), len(tries)}
}

// wilson is Wilson's interval of a share p of n.
func wilson(p float64, n int) estimate {
	if n == 0 {
		return estimate{}
	}
	m, z2 := float64(n), z95*z95
	mid := (p + z2/(2*m)) / (1 + z2/m)
	half := z95 / (1 + z2/m) * math.Sqrt(p*(1-p)/m+z2/(4*m*m))
	return estimate{p, math.Max(0, mid-half), math.Min(1, mid+half), n}
}

// leastOrdered is how many values the greatest and the least have to be of to hold
// their median with 95 %: 1 - 2 × 0.5ⁿ.
const leastOrdered = 6

// median is the median of shares with its 95 % interval by order statistics, which
// asks nothing of their distribution (Conover, Practical Nonparametric Statistics,
// 3.2); of fewer than leastOrdered it may be anything. It sorts the shares.
func median(values []float64) estimate {
	n := len(values)
	if n == 0 {
		return estimate{}
	}
	slices.Sort(values)
	if n < leastOrdered {
		return estimate{(values[(n-1)/2] + values[n/2]) / 2, 0, 1, n}
	}
	half := z95 * math.Sqrt(float64(n)) / 2
	at := func(i float64) float64 { return values[min(max(int(i), 0), n-1)] }
	return estimate{(values[(n-1)/2] + values[n/2]) / 2, at(math.Floor(float64(n)/2 - half)), at(math.Ceil(float64(n)/2 + half)), n}
}

// sample draws at most n of list, in their order, by a seed.
func sample[T any](list []T, n int, seed uint64) []T {
	if len(list) <= n {
		return list
	}
	r := rand.New(rand.NewPCG(seed, uint64(len(list))))
	var out []T
	for i, one := range list { // Knuth, The Art of Computer Programming 2, 3.4.2, algorithm S
		if r.IntN(len(list)-i) < n-len(out) {
			out = append(out, one)
		}
	}
	return out
}

// sortedKeys are a map's keys in order, so that sums and choices do not depend on
// the order of iteration.
func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
