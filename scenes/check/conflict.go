package check

import (
	"fmt"
	"slices"

	"vignette/scenes/engine"
)

// maxConflicts is how many conflicts of one card with others are told in full.
const maxConflicts = 5

// command is a card's first set of an actuator to a value.
type command struct {
	card, step int
	value      engine.Value
}

// conflict looks for cards that can command one actuator differently while the
// conditions of both are true.
func conflict(s *subject) {
	guards := make([]guard, len(s.p.Cards))
	for i := range s.p.Cards {
		guards[i] = s.possible.onlyIf(&s.p.Engine.Cards[i])
	}
	for act := range s.p.Engine.Actuators {
		commands := s.commands(act)
		for i, later := range commands {
			told, more := 0, 0
			for _, earlier := range commands[:i] {
				if earlier.card == later.card || earlier.value == later.value || s.possible.excludes(guards[earlier.card], guards[later.card]) {
					continue
				}
				if told++; told > maxConflicts {
					more++
					continue
				}
				s.fight(act, earlier, later)
			}
			if more > 0 {
				s.report(Note, s.p.Cards[later.card].File, s.p.Cards[later.card].Then[later.step].Pos, "`%s` can meet %d more cards over this actuator", s.p.Cards[later.card].ID, more)
			}
		}
	}
}

// commands are the cards' sets of an actuator, by card id, each value once.
func (s *subject) commands(act int) (list []command) {
	for i := range s.p.Engine.Cards {
		for j, step := range s.p.Engine.Cards[i].Then {
			c := command{i, j, step.Value}
			if step.Kind == engine.Set && step.Actuator == act && !slices.ContainsFunc(list, func(o command) bool { return o.card == i && o.value == c.value }) {
				list = append(list, c)
			}
		}
	}
	return list
}

// fight reports two commands that can meet.
func (s *subject) fight(act int, a, b command) {
	one, two := s.p.Cards[a.card], s.p.Cards[b.card]
	at := two.Then[b.step].Pos
	other := one.Then[a.step].Pos
	what := fmt.Sprintf("`%s` sets %s to %s while `%s` (%s:%d:%d) may set it to %s", two.ID, s.p.Engine.Actuators[act].Path, value(b.value),
		one.ID, one.File, other.Line, other.Column, value(a.value))
	switch {
	case one.Priority == two.Priority:
		s.report(Warning, two.File, at, "%s, both with priority %d: the one that comes first keeps it; give them priorities, or conditions that exclude each other", what, one.Priority)
	case one.Priority > two.Priority:
		s.report(Note, two.File, at, "%s: `%s` wins by its priority, %d over %d", what, one.ID, one.Priority, two.Priority)
	default:
		s.report(Note, two.File, at, "%s: `%s` wins by its priority, %d over %d", what, two.ID, two.Priority, one.Priority)
	}
}

// value writes a command's value.
func value(v engine.Value) string {
	switch v.Kind {
	case engine.Bool:
		return fmt.Sprint(v.Num == 1)
	case engine.Label:
		return v.Text
	}
	return shown(v.Num)
}

// loop looks for cards that can start each other without end: what one sets is
// read back by a signal that a trigger of the next one follows.
func loop(s *subject) {
	next := make([][]feed, len(s.p.Cards))
	for i := range s.p.Cards {
		next[i] = s.feeds(i)
	}
	for i := range s.p.Cards {
		if path := shortest(next, i); path != nil && least(path) == i {
			s.circle(i, path)
		}
	}
}

// feed is that a card's set moves a signal which starts another card.
type feed struct {
	slot, act, step, to int
}

// feeds are the cards that a card can start through its actuators, by id.
func (s *subject) feeds(card int) (list []feed) {
	for j, step := range s.p.Engine.Cards[card].Then {
		if step.Kind != engine.Set {
			continue
		}
		act := &s.p.Engine.Actuators[step.Actuator]
		for to := range s.p.Engine.Cards {
			for _, t := range s.p.Engine.Cards[to].When {
				if !t.Op.Follows() {
					continue
				}
				slot := t.Slot
				if slot == act.Readback || s.p.Engine.Signals[slot].Path == act.Path {
					list = append(list, feed{slot, step.Actuator, j, to})
					break
				}
			}
		}
	}
	return list
}

// shortest is the shortest way from a card back to itself; nil: none.
func shortest(next [][]feed, start int) []feed {
	from := make([]*feed, len(next)) // how each card was reached
	prev := make([]int, len(next))
	queue := []int{start}
	for len(queue) > 0 {
		card := queue[0]
		queue = queue[1:]
		for i := range next[card] {
			f := &next[card][i]
			if from[f.to] != nil {
				continue
			}
			from[f.to], prev[f.to] = f, card
			if f.to == start {
				return back(from, prev, start)
			}
			queue = append(queue, f.to)
		}
	}
	return nil
}

// back is the way that led to start.
func back(from []*feed, prev []int, start int) (path []feed) {
	for card := start; ; {
		path = append(path, *from[card])
		if card = prev[card]; card == start {
			slices.Reverse(path)
			return path
		}
	}
}

// least is the smallest card of a circle, which tells of it.
func least(path []feed) int {
	card := path[0].to
	for _, f := range path {
		card = min(card, f.to)
	}
	return card
}

func (s *subject) circle(start int, path []feed) {
	text, card := "", start
	for i, f := range path {
		if i > 0 {
			text += "; "
		}
		text += fmt.Sprintf("`%s` sets %s, and %s starts `%s`", s.p.Cards[card].ID, s.p.Engine.Actuators[f.act].Path,
			s.p.Engine.Signals[f.slot].Path, s.p.Cards[f.to].ID)
		card = f.to
	}
	c := s.p.Cards[start]
	s.report(Warning, c.File, c.Then[path[0].step].Pos, "%s: they can start each other without end (the car stops it at depth %d); start one by something that no card sets", text, engine.MaxDepth)
}
