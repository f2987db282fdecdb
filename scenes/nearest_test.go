package scenes

import "testing"

func TestNearest(t *testing.T) {
	names := []string{"rises_above", "falls_below", "becomes", "ON"}
	for written, want := range map[string]string{
		"rise_above": "rises_above", "raises_above": "rises_above", "RISES_ABOVE": "rises_above", "falls_belwo": "falls_below",
		"becoms": "becomes", "on": "ON", "off": "", "quite_another": "", "": "",
	} {
		if got := nearest(written, names); got != want {
			t.Errorf("nearest to %q is %q, want %q", written, got, want)
		}
	}
}

func TestEdits(t *testing.T) {
	for _, c := range []struct {
		a, b        string
		limit, want int
	}{
		{"", "", 9, 0}, {"abc", "abc", 9, 0}, {"abc", "abd", 9, 1}, {"abc", "acb", 9, 1}, {"abc", "", 9, 3},
		{"kitten", "sitting", 9, 3}, {"kitten", "sitting", 2, 2}, {"ab", "xyzuvw", 3, 3},
	} {
		if got := min(edits(c.a, c.b, c.limit), c.limit); got != c.want {
			t.Errorf("from %q to %q is %d edits, want %d", c.a, c.b, got, c.want)
		}
	}
}

// A path of another branch is found by its last word.
func TestHintPath(t *testing.T) {
	paths := []string{"Vehicle.Cabin.HVAC.Station.Row1.Driver.FanSpeed", "Vehicle.Cabin.HVAC.Station.Row1.Passenger.FanSpeed",
		"Vehicle.Cabin.HVAC.Station.Row2.Driver.FanSpeed", "Vehicle.Cabin.HVAC.Station.Row2.Passenger.FanSpeed", "Vehicle.Speed"}
	for written, want := range map[string]string{
		"Vehicle.Sped":          "; did you mean `Vehicle.Speed`?",
		"Vehicle.HVAC.fanspeed": "; did you mean `" + paths[0] + "` or `" + paths[1] + "` or `" + paths[2] + "`?",
		"Private.Nothing":       "",
		"":                      "",
	} {
		if got := hintPath(written, paths); got != want {
			t.Errorf("for %q it says %q, want %q", written, got, want)
		}
	}
}
