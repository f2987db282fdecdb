package engine

import (
	"slices"
	"testing"
)

// Reads has what a card names and what it only asks about.
func TestReads(t *testing.T) {
	p := deciding(t)
	for card, want := range [][]int{{0, 4}, {0, 1, 4}, {2, 3}, {0, 1, 3, 4}, nil} {
		if got := p.Reads(card); !slices.Equal(got, want) {
			t.Errorf("card %s reads %v, want %v", p.Cards[card].ID, got, want)
		}
	}
}
