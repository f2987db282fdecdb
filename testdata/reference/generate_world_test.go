package reference_test

import (
	"fmt"
	"slices"

	"pgregory.net/rapid"

	"vignette/scenes/engine"
)

// world is what a case is drawn in: a first program, and those that may take
// over from it.
type world struct {
	programs []*engine.Program
	loops    bool
	turns    bool  // there are snapshots, reloads and restarts
	restless bool  // the state is restored from a snapshot before every event
	used     []int // slots of the universe that a program follows
}

// drawWorld draws a profile with one to four cards, and in half of the cases
// some versions of both.
func drawWorld(t *rapid.T) *world {
	w := &world{}
	profile := drawProfile(t)
	profile.Hash = "profile 0"
	var cards []engine.Card
	for i := range cardCounts.Draw(t, "cards") {
		cards = append(cards, version(drawCard(t, string(rune('a'+i))), 0))
	}
	if w.loops = eighth.Draw(t, "loop") == 7; w.loops {
		loop(profile, cards)
	}
	w.programs = append(w.programs, assemble(profile, cards))
	if w.turns = coin.Draw(t, "turns"); w.turns && !w.loops {
		w.restless = eighth.Draw(t, "restless") == 7
		for i := range small.Draw(t, "versions") {
			profile, cards = drawVersion(t, profile, cards, 1+i)
			w.programs = append(w.programs, assemble(profile, cards))
		}
	}
	for slot, signal := range profile.Signals {
		if slices.ContainsFunc(w.programs, func(p *engine.Program) bool { return slotOf(p, signal.Path) >= 0 }) {
			w.used = append(w.used, slot)
		}
	}
	return w
}

// drawVersion draws what may take over: cards that are kept, changed, removed
// and added, or another profile.
func drawVersion(t *rapid.T, profile *engine.Program, cards []engine.Card, n int) (*engine.Program, []engine.Card) {
	if eighth.Draw(t, "other profile") > 4 {
		profile = drawProfile(t)
		profile.Hash = fmt.Sprint("profile ", n)
		if eighth.Draw(t, "without I") > 4 {
			profile.Actuators = profile.Actuators[:3]
		}
	}
	var next []engine.Card
	for _, c := range cards {
		switch eighth.Draw(t, "card's fate") {
		case 7:
		case 5, 6:
			next = append(next, version(drawCard(t, c.ID), n))
		default:
			next = append(next, c)
		}
	}
	id := rapid.SampledFrom([]string{"aa", "0", "b", "e"}).Draw(t, "added")
	if coin.Draw(t, "adds") && !slices.ContainsFunc(next, func(c engine.Card) bool { return c.ID == id }) {
		next = append(next, version(drawCard(t, id), n))
	}
	return profile, next
}

func version(c engine.Card, n int) engine.Card {
	c.Hash = fmt.Sprint(c.ID, " ", n)
	return c
}

// assemble makes a program of a profile and those of the cards that it allows.
func assemble(profile *engine.Program, cards []engine.Card) *engine.Program {
	p := *profile
	p.Signals, p.Actuators = slices.Clone(p.Signals), slices.Clone(p.Actuators)
	p.States = slices.Clone(p.States)
	for i := range p.States {
		p.States[i].When = cloneCond(p.States[i].When)
	}
	p.Cards = nil
	for _, c := range cards {
		if !slices.ContainsFunc(c.Then, func(s engine.Step) bool { return s.Actuator >= len(p.Actuators) }) {
			p.Cards = append(p.Cards, cloneCard(c))
		}
	}
	slices.SortFunc(p.Cards, func(a, b engine.Card) int {
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	prune(&p)
	return &p
}

func cloneCard(c engine.Card) engine.Card {
	c.When, c.Then, c.OnlyIf = slices.Clone(c.When), slices.Clone(c.Then), slices.Clone(c.OnlyIf)
	for i := range c.OnlyIf {
		c.OnlyIf[i] = cloneCond(c.OnlyIf[i])
	}
	return c
}

func cloneCond(c engine.Cond) engine.Cond {
	c = slices.Clone(c)
	for i := range c {
		c[i].Expr = slices.Clone(c[i].Expr)
	}
	return c
}

// slotOf finds a signal by its path; -1: the program does not follow it.
func slotOf(p *engine.Program, path string) int {
	return slices.IndexFunc(p.Signals, func(s engine.Signal) bool { return s.Path == path })
}

// watchesClock tells whether a card has a wall trigger.
func (w *world) watchesClock() bool {
	return slices.ContainsFunc(w.programs, func(p *engine.Program) bool {
		return slices.ContainsFunc(p.Cards, func(c engine.Card) bool {
			return slices.ContainsFunc(c.When, func(w engine.Trigger) bool { return w.Op >= engine.WallTime && w.Op <= engine.Sunset })
		})
	})
}
