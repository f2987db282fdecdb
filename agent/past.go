package agent

import (
	"cmp"
	"slices"
	"sort"

	"vignette/scenes/engine"
	uibridge "vignette/ui-bridge"
)

// Bounds of what is remembered of the records, for people who ask why.
const (
	maxPast   = 4096 // records of all cards together, but never fewer than …
	leastPast = 8    // … of one
	mostPast  = 32   // of one card
	maxWhy    = 128  // records of one answer
)

// historyOf is how many records of each of n cards are remembered.
func historyOf(n int) int { return min(mostPast, max(leastPast, maxPast/max(n, 1))) }

// past is what is remembered of the records about one card.
type past struct {
	limit   int
	records []engine.Record // the newest, by ascending n
	firings []uibridge.Firing
	counts  [engine.KindsOfRecord]uint64
}

// of finds or begins what is remembered of a card; "" is what is about none.
func (f *face) of(card string) *past {
	p := f.past[card]
	if p == nil {
		p = &past{limit: mostPast}
		f.past[card] = p
	}
	return p
}

// note remembers what was decided. A card that is new, or gone and still
// spoken of, is remembered until the next announce says otherwise.
func (f *face) note(records []engine.Record) {
	for i := range records {
		f.of(records[i].Card).note(&records[i])
	}
}

func (p *past) note(r *engine.Record) {
	p.counts[r.What]++
	p.records = latest(p.records, *r, p.limit)
	if r.What == engine.Fired {
		p.firings = latest(p.firings, uibridge.Firing{T: r.T, N: r.N, Why: r.Why}, maxFirings)
	}
}

// latest appends to a list of the newest, which has a limit.
func latest[T any](list []T, one T, limit int) []T {
	if len(list) >= limit {
		list = slices.Delete(list, 0, len(list)-limit+1)
	}
	return append(list, one)
}

// why lists the newest records about a card and, as far as they are remembered,
// those that led to them, by ascending n.
func (f *face) why(card string) []engine.Record {
	list := slices.Clone(f.of(card).records)
	for i := 0; i < len(list) && len(list) < maxWhy; i++ {
		n := list[i].Cause
		if n == 0 || slices.ContainsFunc(list, func(r engine.Record) bool { return r.N == n }) {
			continue
		}
		for _, p := range f.past {
			if at, ok := slices.BinarySearchFunc(p.records, n, func(r engine.Record, n uint64) int { return cmp.Compare(r.N, n) }); ok {
				list = append(list, p.records[at])
			}
		}
	}
	sort.SliceStable(list, func(i, j int) bool { return list[i].N < list[j].N })
	return list
}
