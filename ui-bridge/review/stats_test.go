package review

import (
	"math"
	"math/rand/v2"
	"testing"

	fleet "vignette/testdata/review"
)

// TestIntervalsOfThePapers: worked examples of R. G. Newcombe, Statistics in
// Medicine 17, 1998: pages 857 (Wilson, 81 of 263) and 873 (56 of 70 and 48 of
// 80, method 10).
func TestIntervalsOfThePapers(t *testing.T) {
	near := func(got, want float64) bool { return math.Abs(got-want) < 0.00006 }
	if i := wilson(81.0/263, 263); !near(i.Low, 0.2553) || !near(i.High, 0.3662) {
		t.Errorf("81 of 263: %+v", i)
	}
	if i := wilson(0, 20); i.Low != 0 || !near(i.High, 0.1611) {
		t.Errorf("0 of 20: %+v", i)
	}
	a := &Share{Share: 48.0 / 80, Interval: wilson(48.0/80, 80)}
	b := &Share{Share: 56.0 / 70, Interval: wilson(56.0/70, 70)}
	if i := newcombe(a, b); !near(i.Low, 0.0524) || !near(i.High, 0.3339) {
		t.Errorf("56 of 70 against 48 of 80: %+v", i)
	}
}

// TestIntervalsCover: of many draws about 95 in 100 intervals hold the truth.
func TestIntervalsCover(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	const draws = 4000
	single, difference := 0, 0
	for range draws {
		drawn := func(p float64, n int) *Share {
			x := 0
			for range n {
				if r.Float64() < p {
					x++
				}
			}
			s := float64(x) / float64(n)
			return &Share{Count: x, Of: n, Share: s, Interval: wilson(s, n)}
		}
		a, b := drawn(0.03, 300), drawn(0.07, 400)
		if a.Low <= 0.03 && 0.03 <= a.High {
			single++
		}
		if d := newcombe(a, b); d.Low <= 0.04 && 0.04 <= d.High {
			difference++
		}
	}
	for name, n := range map[string]int{"share": single, "difference": difference} {
		if n < draws*93/100 || n > draws*98/100 {
			t.Errorf("%s: %d of %d intervals hold the truth", name, n, draws)
		}
	}
}

// TestBuildsAsTheyAre: the report finds the difference between two builds that
// episodes were drawn from.
func TestBuildsAsTheyAre(t *testing.T) {
	held, seen := 0, 0
	for seed := range uint64(10) {
		_, b := draw(t, fleet.Truth{Seed: seed, Episodes: 6000, Weeks: 2, K: 20, Tasks: 1, Ways: 6,
			Builds: []fleet.Build{{Name: "a", Share: 0.5, Abandoned: 0.3}, {Name: "b", Share: 0.5, Abandoned: 0.2}}})
		r, err := New(b, Options{})
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range r.Tasks[0].Figures {
			if f.Name != "abandoned" {
				continue
			}
			if f.Diff == nil {
				t.Fatalf("seed %d: withheld", seed)
			}
			seen++
			if f.Diff.Low <= -0.1 && -0.1 <= f.Diff.High {
				held++
			}
			if f.Diff.High >= 0 {
				t.Errorf("seed %d: the difference is not seen: %+v", seed, f.Diff)
			}
		}
	}
	if seen != 10 || held < 8 {
		t.Errorf("%d of %d intervals hold the truth", held, seen)
	}
}

func TestMedianBucket(t *testing.T) {
	n := func(x int) *int { return &x }
	for _, c := range []struct {
		counts []*int
		n      int
		want   int
	}{
		{[]*int{n(1), n(1), n(1)}, 3, 1},
		{[]*int{n(2), n(0), n(2)}, 4, 0}, // the lower of two
		{[]*int{n(0), n(5), n(0)}, 5, 1},
		{[]*int{nil, nil, n(90)}, 100, 2}, // wherever the 10 are
		{[]*int{nil, n(90), nil}, 100, 1},
		{[]*int{n(45), nil, nil}, 100, -1},
		{[]*int{nil, nil, nil}, 100, -1},
		{[]*int{n(0), n(0)}, 0, -1},
	} {
		if got := medianBucket(c.counts, c.n); got != c.want {
			t.Errorf("%v of %d: %d, want %d", c.counts, c.n, got, c.want)
		}
	}
}
