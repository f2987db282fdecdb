package agent

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"vignette/can/socketcan"
)

// TestBatchingDecidesNothing: however the arrivals of one drive are cut into
// batches, taken by the loop or found waiting when it wakes, on one, two or
// eight processors, the decision log and the journal have the same bytes.
func TestBatchingDecidesNothing(t *testing.T) {
	items := arrivals(t)
	var decisions, journal string
	for round := range 12 {
		processors := []int{1, 2, 8}[round%3]
		before := runtime.GOMAXPROCS(processors)
		b := newLiveBench(t, SourceConfig{})
		b.arrive(t, items, rand.New(rand.NewPCG(uint64(round), 0)))
		runtime.GOMAXPROCS(before)
		switch {
		case round == 0:
			decisions, journal = b.decisions.String(), b.journal.String()
		case b.decisions.String() != decisions:
			t.Fatalf("round %d on %d processors decides otherwise:\n%s\nwant\n%s", round, processors, b.decisions.String(), decisions)
		case b.journal.String() != journal:
			t.Fatalf("round %d on %d processors: another journal", round, processors)
		}
	}
	if n := len(decisions); n < 5000 {
		t.Errorf("a decision log of %d bytes shows nothing:\n%s", n, decisions)
	}
}

// arrivals are our drive's first minutes with losses and links that go, all in
// the future, so that no tick of the real clock comes between.
func arrivals(t *testing.T) []socketcan.Item {
	t.Helper()
	items := drivenItems(t, 120)
	for i := range items {
		items[i].Frame.Time += 3600e9
	}
	for i := len(items) - 1; i > 0; i -= len(items) / 10 {
		at := items[i].Frame
		items = slices.Insert(items, i, socketcan.Item{Kind: socketcan.Lost, Count: uint64(i), Frame: at},
			socketcan.Item{Kind: socketcan.Link, State: socketcan.Down, Frame: at}, socketcan.Item{Kind: socketcan.Link, State: socketcan.Up, Frame: at})
	}
	return items
}

// arrive sends items in batches of 1 to 400 from another goroutine, and takes
// them as the agent's loop does.
func (b *liveBench) arrive(t *testing.T, items []socketcan.Item, r *rand.Rand) {
	t.Helper()
	list := slices.Clone(items) // taking them raises their times
	var batches [][]socketcan.Item
	for len(list) > 0 {
		n := min(1+r.IntN(400), len(list))
		batches, list = append(batches, list[:n]), list[n:]
	}
	go func() {
		for _, batch := range batches {
			b.fake.batch <- batch
		}
	}()
	wakes := 0
	for b.fake.given < len(batches) {
		var err error
		if r.IntN(4) == 0 {
			err = b.live.wake(b.agent)
			wakes++
		} else {
			err = b.live.take(b.agent, <-b.fake.batch, true)
		}
		if err != nil {
			t.Fatal(fmt.Errorf("after %d batches: %w", b.fake.given, err))
		}
		b.live.settle(b.agent)
	}
	if wakes == 0 || len(batches) < 50 {
		t.Errorf("%d batches and %d wakes show nothing", len(batches), wakes)
	}
}
