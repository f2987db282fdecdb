package trace

import "testing"

// TestAssistanceIsOfTheWholeAttempt holds that an episode carries the level of
// driver assistance which held at each of its touches, and else none.
func TestAssistanceIsOfTheWholeAttempt(t *testing.T) {
	for _, c := range []struct {
		name   string
		levels [3]uint8 // at the three moments of the attempt
		want   uint8
	}{
		{"level 0", [3]uint8{1, 1, 1}, 1},
		{"level 2 or more", [3]uint8{3, 3, 3}, 3},
		{"not told", [3]uint8{}, 0},
		{"taken over within", [3]uint8{3, 1, 1}, 0},
		{"and back", [3]uint8{3, 1, 3}, 0},
		{"told too late", [3]uint8{0, 2, 2}, 0},
		{"not told at the end", [3]uint8{2, 2, 0}, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			r := consented(t, dir, options(t))
			for i, batch := range [][]Interaction{{tap("home", "climate_tile"), {"climate", "fan", "turn", "ok"}}, {{"climate", "temperature", "swipe", "ok"}}, {{"climate", "back", "tap", "back"}}} {
				now := at([]float64{0, 3, 4.5}[i], 0)
				now.Auto = c.levels[i]
				record(t, r, now, batch...)
			}
			if eps := episodes(t, dir); len(eps) != 1 || eps[0].Auto != c.want {
				t.Errorf("episodes %+v, want assistance %d", eps, c.want)
			}
		})
	}
}
