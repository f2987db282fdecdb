package engine

import (
	"math"
	"math/rand/v2"
	"testing"
)

// naive is a window as the text has it: all samples kept, each figure made
// anew over the last 16 whole parts since the first sample.
type naive struct {
	op       TriggerOp
	part     int64
	x        float64
	below    bool
	at       []int64
	num      []float64
	detector detector
}

// before is the value just before t.
func (n *naive) before(t int64) float64 {
	x := n.num[0]
	for i, at := range n.at {
		if at < t {
			x = n.num[i]
		}
	}
	return x
}

// figure is the window's at the end of part k, counted from 1.
func (n *naive) figure(k int64) float64 {
	end := n.at[0] + k*n.part
	start := end - Buckets*n.part
	if n.op == Rate {
		return (n.before(end) - n.before(start)) / (float64(end-start) / 1e9)
	}
	sum, lo, hi := 0.0, math.Inf(1), math.Inf(-1)
	since, value := start, n.before(start)
	atStart := false
	for i, at := range n.at {
		if at < start || at >= end {
			continue
		}
		// A value that a sample replaces at once held for no time.
		atStart = atStart || at == start
		if at > since || !atStart {
			lo, hi = min(lo, value), max(hi, value)
		}
		sum += value * float64(at-since)
		since, value = at, n.num[i]
		lo, hi = min(lo, value), max(hi, value)
	}
	sum += value * float64(end-since)
	lo, hi = min(lo, value), max(hi, value)
	switch n.op {
	case Min:
		return lo
	case Max:
		return hi
	}
	return sum / float64(end-start)
}

// completions are the times at which the window completes until t.
func (n *naive) completions(t int64) (list []int64) {
	for k := int64(Buckets); n.at[0]+k*n.part <= t; k++ {
		x := n.figure(k)
		beyond := x > n.x && !n.below || x < n.x && n.below
		if beyond && n.detector == armed {
			list = append(list, n.at[0]+k*n.part)
		}
		n.detector = armed
		if beyond {
			n.detector = passed
		}
	}
	return list
}

// The windows of the engine, in bounded memory, complete where the naive ones
// do. Values are whole and thresholds are not met exactly by a mean.
func TestWindowsNaively(t *testing.T) {
	completed := map[TriggerOp]int{}
	for seed := range uint64(600) {
		r := rand.New(rand.NewPCG(seed, 2))
		n := naive{op: Rate + TriggerOp(seed%4), part: 1 + int64(r.IntN(20))*int64(r.IntN(20)), below: r.IntN(2) == 0}
		n.x = float64(r.IntN(9)) - 0.5001
		if n.op == Rate {
			n.x = (n.x - 4) * 1e9 / float64(Buckets*n.part)
		}
		p := &Program{Signals: []Signal{{Path: "A", Type: Number}}, Actions: []Action{{Name: "note", States: 1}},
			Cards: []Card{{ID: "a", When: []Trigger{{Op: n.op, X: n.x, Below: n.below, Over: Buckets * n.part}}, Names: []int{0}, Then: []Step{{Kind: Do}}}}}
		if err := p.Build(); err != nil {
			t.Fatal(err)
		}
		s := p.NewState(1, false)
		var out Effects
		at := int64(r.IntN(1000))
		for range 80 {
			num := float64(r.IntN(10))
			n.at, n.num = append(n.at, at), append(n.num, num)
			p.Step(s, &Event{T: at, Samples: []Sample{{0, true, num}}}, &out)
			switch r.IntN(6) {
			case 0: // a frame of the same time
			case 1, 2:
				at = n.at[0] + (at-n.at[0])/n.part*n.part + n.part*int64(1+r.IntN(3)) // at a part's very start
			case 3:
				at += int64(r.IntN(int(40*n.part + 1)))
			default:
				at += int64(r.IntN(int(n.part + 1)))
			}
		}
		p.Step(s, &Event{T: at, Kind: EvTick}, &out)
		var got []int64
		for _, rec := range out.Records {
			if rec.What == Fired {
				got = append(got, rec.T)
			}
		}
		want := n.completions(at)
		completed[n.op] += len(want)
		if len(got) != len(want) {
			t.Fatalf("seed %d, %v x %v below %v part %d: got %v, want %v\nsamples %v %v", seed, n.op, n.x, n.below, n.part, got, want, n.at, n.num)
		}
		for i := range got {
			if got[i] != want[i] {
				t.Fatalf("seed %d, %v: got %v, want %v", seed, n.op, got, want)
			}
		}
	}
	for op := Rate; op <= Max; op++ {
		if completed[op] < 50 {
			t.Errorf("operator %d completed %d times in all: too few to show anything", op, completed[op])
		}
	}
}

// A constant value has itself as its mean, whatever the parts: no rounding
// lifts it over a threshold that it equals.
func TestConstantMean(t *testing.T) {
	for _, x := range []float64{0.1, 20, 1.0 / 3, 1e15 + 0.3, -7.7} {
		for _, over := range []int64{1e9, 999_999_999, 7, 123_456_789_012} {
			tr := &Trigger{Op: Avg, Over: over}
			w := window{on: true, value: x}
			w.open()
			for i := int64(1); i <= 40; i++ {
				w.sumTo(w.start + tr.part()/3)
				w.closePart(tr, i*tr.part())
			}
			if got := w.judge(tr); got != x {
				t.Errorf("the mean of %v over %d ns is %v", x, over, got)
			}
		}
	}
}
