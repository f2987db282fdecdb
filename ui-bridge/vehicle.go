package uibridge

import "vignette/scenes/engine"

// SetVehicle says which profile runs from now on, by its id, and which signals it
// has: Publish names them by index. Values are unknown until they are published
// anew. Watchers go on by the paths of their signals; those that are gone are told
// by the signal Unwatched.
func (br *Bridge) SetVehicle(id string, signals []string) {
	w := br.watch
	w.mu.Lock()
	defer w.mu.Unlock()
	old := w.paths
	w.name(id, signals)
	for _, one := range w.all {
		var slots []int
		for _, slot := range one.slots {
			if now, ok := w.slots[old[slot]]; ok {
				slots = append(slots, now)
			} else {
				one.gone = append(one.gone, old[slot])
			}
		}
		one.slots, one.dirty = slots, true
	}
	w.poke()
}

// name takes the profile's id and signals; mu is held, or nobody else is there yet.
func (w *watchers) name(vehicle string, signals []string) {
	w.vehicle, w.paths, w.slots = vehicle, append([]string(nil), signals...), make(map[string]int, len(signals))
	w.latest = make([]engine.Value, len(signals))
	for i, p := range w.paths {
		w.slots[p] = i
	}
}
