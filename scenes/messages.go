package scenes

import (
	"slices"
	"sort"

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
	sort.SliceStable(list, func(i, j int) bool {
		a, b := list[i], list[j]
		return !a.Extended && b.Extended || a.Extended == b.Extended && a.ID < b.ID
	})
	return slices.Compact(list)
}
