package adapt

import (
	"cmp"
	"slices"
	"strings"

	"vignette/scenes"
	"vignette/scenes/engine"
)

// candidates are what a vehicle has that could stand for what it lacks, the
// nearest first. They are tried before they are offered.
func candidates(v *scenes.Vehicle, m *Missing) []string {
	switch m.Kind {
	case scenes.LackSignal:
		var paths []string
		for i := range v.Signals {
			paths = append(paths, v.Signals[i].Path)
		}
		return alike(m.Name, paths)
	case scenes.LackActuator:
		var paths []string
		for i := range v.Actuators {
			paths = append(paths, v.Actuators[i].Path)
		}
		return alike(m.Name, paths)
	case scenes.LackAction:
		var names []string
		for _, a := range v.Actions {
			names = append(names, a.Name)
		}
		return names
	case scenes.LackState:
		var names []string // that are proven here; moving is what is left when none is
		for _, s := range v.States {
			names = append(names, s.Name)
		}
		return names
	case scenes.LackValue:
		return values(v, m)
	case scenes.LackEvent:
		return events(v, m.Name)
	case scenes.LackRange, scenes.LackLease, scenes.LackUnit:
		if m.Fit != "" {
			return []string{m.Fit}
		}
	}
	return nil
}

// alike are the paths with the same leaf at another branch, those first that share
// most of their parts; sides that two trees name differently count as the same.
func alike(path string, paths []string) []string {
	parts := strings.Split(sides.Replace(path), ".")
	shared := map[string]int{}
	var list []string
	for _, p := range paths {
		other := strings.Split(sides.Replace(p), ".")
		if other[len(other)-1] != parts[len(parts)-1] {
			continue
		}
		for _, part := range parts {
			if slices.Contains(other, part) {
				shared[p] += 2
			}
		}
		shared[p] -= len(other)
		list = append(list, p)
	}
	slices.SortStableFunc(list, func(a, b string) int { return cmp.Or(cmp.Compare(shared[b], shared[a]), cmp.Compare(a, b)) })
	return list
}

// sides are the names that versions of VSS give to one side of the car. The
// driver's is the left one where nobody says otherwise: whoever takes an offer
// looks at it.
var sides = strings.NewReplacer("DriverSide", "Left", "PassengerSide", "Right", "Driver", "Left", "Passenger", "Right")

// values are those of a signal or actuator that has no such one.
func values(v *scenes.Vehicle, m *Missing) (list []string) {
	kind, labels := engine.None, []string(nil)
	if a := v.Actuator(m.Of); a != nil {
		kind, labels = a.Kind, a.Labels
	} else if s := v.Signal(m.Of); s != nil {
		kind, labels = s.Kind, s.Labels
	}
	switch kind {
	case engine.Label:
		list = slices.Clone(labels)
		slices.SortStableFunc(list, func(a, b string) int { return cmp.Compare(unlike(a, m.Name), unlike(b, m.Name)) })
	case engine.Bool:
		list = []string{"true", "false"}
	}
	return list
}

// unlike is how much of two words differs: the characters before and after what
// they begin and end with alike.
func unlike(a, b string) int {
	a, b = strings.ToLower(a), strings.ToLower(b)
	for a != "" && b != "" && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	for a != "" && b != "" && a[len(a)-1] == b[len(b)-1] {
		a, b = a[:len(a)-1], b[:len(b)-1]
	}
	return len(a) + len(b)
}

// events are those of the same kind that a vehicle tells of.
func events(v *scenes.Vehicle, text string) (list []string) {
	kind, _, _ := strings.Cut(text, " ")
	for _, e := range v.Events {
		if e.Name.Text == kind {
			for _, n := range e.Names {
				list = append(list, kind+" "+n.Text)
			}
		} else if kind == "event" && e.Names == nil {
			list = append(list, kind+" "+e.Name.Text)
		}
	}
	return list
}
