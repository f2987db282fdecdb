package scenes

import (
	"fmt"

	"vignette/scenes/engine"
)

// Clause is a part of a card whose truth can be looked at by itself.
type Clause struct {
	Name    string // as its place in the card: when[0], when[1].sequence[0], only_if[0].any[1].not
	Trigger int    // index for engine.TriggerTruth; -1: a clause of only_if
	OnlyIf  int    // and …
	Node    int    // … place for engine.ClauseTruth
}

// Clauses lists a card's triggers, their edges, and the conditions of only_if
// with all that they combine, in the order of the card.
func (p *Program) Clauses(card int) (list []Clause) {
	c := p.Cards[card]
	edge := len(c.When)
	for i := range c.When {
		name := fmt.Sprintf("when[%d]", i)
		list = append(list, Clause{Name: name, Trigger: i})
		for j := range c.When[i].Of {
			of := name + ".count.of"
			if c.When[i].Op == engine.Sequence {
				of = fmt.Sprintf("%s.sequence[%d]", name, j)
			}
			list = append(list, Clause{Name: of, Trigger: edge})
			edge++
		}
	}
	for i := range c.OnlyIf {
		list = append(list, clauses(&c.OnlyIf[i], p.Engine.Cards[card].OnlyIf[i], i, 0, fmt.Sprintf("only_if[%d]", i))...)
	}
	return list
}

// clauses lists a condition at a place of clause i, and those that it combines.
func clauses(c *Cond, built engine.Cond, i, node int, name string) []Clause {
	list := []Clause{{Name: name, Trigger: -1, OnlyIf: i, Node: node}}
	at := node + 1
	for j := range c.Of {
		of := name + ".not"
		switch c.Op {
		case engine.All:
			of = fmt.Sprintf("%s.all[%d]", name, j)
		case engine.Any:
			of = fmt.Sprintf("%s.any[%d]", name, j)
		}
		list = append(list, clauses(&c.Of[j], built, i, at, of)...)
		at += built[at].Size
	}
	return list
}
