package scenes

import (
	"slices"

	"vignette/scenes/engine"
)

// Claims are what cards read, touch and need of a vehicle, each sorted and once.
type Claims struct {
	// Reads are the paths of the signals.
	Reads []string
	// Touches are the paths of actuators and the names of actions.
	Touches []string
	// Needs are what else the vehicle profile must have: `state parked`, `power`,
	// `clock`, `sun`, `place home`, `phone`, `ignition`, `button star` and `event
	// welcome`.
	Needs []string
}

// Claims tells what a card reads, touches and needs, whatever the vehicle.
func (c *Card) Claims() Claims { return ClaimsOf([]*Card{c}) }

// ClaimsOf tells what cards read, touch and need together.
func ClaimsOf(cards []*Card) Claims {
	var l Claims
	for _, c := range cards {
		for i := range c.When {
			l.trigger(&c.When[i])
		}
		for i := range c.OnlyIf {
			l.cond(&c.OnlyIf[i])
		}
		for i := range c.Then {
			if c.Then[i].Name.Text != "" {
				l.Touches = append(l.Touches, c.Then[i].Name.Text)
			}
		}
	}
	for _, list := range []*[]string{&l.Reads, &l.Touches, &l.Needs} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	return l
}

func (l *Claims) trigger(t *Trigger) {
	if t.Signal.Text != "" {
		l.Reads = append(l.Reads, t.Signal.Text)
	}
	for i := range t.Of {
		l.trigger(&t.Of[i])
	}
	switch t.Op {
	case engine.WallTime:
		l.Needs = append(l.Needs, "clock")
	case engine.Sunrise, engine.Sunset:
		l.Needs = append(l.Needs, "clock", "sun")
	case engine.Occurs:
		need := t.Occur.Kind
		if t.Occur.Name.Text != "" {
			need += " " + t.Occur.Name.Text
		}
		l.Needs = append(l.Needs, need)
	}
}

func (l *Claims) cond(c *Cond) {
	if c.Signal != "" {
		l.Reads = append(l.Reads, c.Signal)
	}
	for _, name := range c.Expr.Signals() {
		l.Reads = append(l.Reads, name.Text)
	}
	switch {
	case c.State.Text != "":
		l.Needs = append(l.Needs, "state "+c.State.Text)
	case c.Power.Text != "":
		l.Needs = append(l.Needs, "power")
	case c.Op == engine.TimeOfDay:
		l.Needs = append(l.Needs, "clock")
	}
	for i := range c.Of {
		l.cond(&c.Of[i])
	}
}
