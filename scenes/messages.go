package scenes

import (
	"cmp"
	"slices"

	"vignette/can/dbc"
)

// Messages lists the messages of a bus that carry a signal of the profile or
// its alive counter, 11-bit identifiers first, ascending: what a live bus has
// to let through. It is the whole profile and not only what the cards read,
// since a signal that is sent on change must be known when a screen or a new
// card comes to ask for it.
func (v *Vehicle) Messages(bus int) (list []*dbc.Message) {
	for i := range v.Signals {
		s := v.Signals[i].source()
		if s.Bus == bus {
			list = append(list, s.Message)
		}
		if s.Alive != nil && s.Alive.Bus == bus {
			list = append(list, s.Alive.Message)
		}
	}
	slices.SortFunc(list, func(a, b *dbc.Message) int {
		switch {
		case a.Extended == b.Extended:
			return cmp.Compare(a.ID, b.ID)
		case a.Extended:
			return 1
		}
		return -1
	})
	return slices.Compact(list)
}
