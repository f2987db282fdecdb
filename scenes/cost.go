package scenes

import (
	"fmt"
	"sort"

	"vignette/can/dbc"
	"vignette/scenes/engine"
)

// Costs are the certificates of the cards, by card id, and what all cost
// together: their state, and the costliest step that a message, a timer or a
// change of the drive state can bring.
func (p *Program) Costs() (cards []engine.Cost, total engine.Cost) {
	for i := range p.Engine.Cards {
		cards = append(cards, p.Engine.Cost(i))
	}
	return cards, p.Engine.Total(p.messages())
}

// messages numbers the messages of the slots: those of one number come in one
// frame.
func (p *Program) messages() []int {
	type place struct {
		bus     int
		message *dbc.Message
	}
	numbers := map[place]int{}
	list := make([]int, len(p.Sources))
	for i := range p.Sources {
		at := place{p.Sources[i].Bus, p.Sources[i].Message}
		if _, known := numbers[at]; !known {
			numbers[at] = len(numbers)
		}
		list[i] = numbers[at]
	}
	return list
}

// checkBudget holds each card and all together to the profile's budget.
func (p *Program) checkBudget(diags *Diagnostics) {
	budget := p.Vehicle.Budget
	if budget == (Budget{}) {
		return
	}
	cards, total := p.Costs()
	for i, c := range p.Cards {
		if over := budget.exceeded(cards[i]); over != "" {
			diags.found("cost", c.File, c.Pos, "card `%s` %s; make it smaller", c.ID, over)
		}
	}
	if over := budget.exceeded(total); over != "" && len(*diags) == 0 {
		diags.found("cost", p.Vehicle.File, Pos{}, "the %d cards together %s; take some out, the costliest are %s", len(cards), over, quoted(p.costliest(cards)))
	}
}

// exceeded says in what a cost is over the budget; empty: in nothing.
func (b Budget) exceeded(c engine.Cost) string {
	switch {
	case b.OpsPerStep > 0 && c.OpsPerStep > b.OpsPerStep:
		return fmt.Sprintf("can take %d operations in one step; the profile's budget allows %d", c.OpsPerStep, b.OpsPerStep)
	case b.StateBytes > 0 && c.StateBytes > b.StateBytes:
		return fmt.Sprintf("can take %d bytes of state; the profile's budget allows %d", c.StateBytes, b.StateBytes)
	}
	return ""
}

// costliest are the ids of three cards with the most operations.
func (p *Program) costliest(cards []engine.Cost) (ids []string) {
	order := make([]int, len(cards))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(i, j int) bool { return cards[order[i]].OpsPerStep > cards[order[j]].OpsPerStep })
	for _, i := range order[:min(3, len(order))] {
		ids = append(ids, p.Cards[i].ID)
	}
	return ids
}
