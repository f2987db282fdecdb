package engine

import (
	"fmt"
	"strconv"
)

// MaxDepth is the causal depth at which a completion is blocked: a completion
// that no act caused has depth 0, one caused by a firing's act one more than
// that firing (*Meaning* 13).
const MaxDepth = 5

// triggerRef names one trigger of one card.
type triggerRef struct{ card, trigger int }

// index is what Build derives from a Program so that a frame touches only the
// cards that read what it carries.
type index struct {
	triggers  [][]triggerRef // by slot: the triggers it feeds, by card, then position
	occurs    [][]triggerRef // by occurrence: likewise
	silent    []triggerRef   // the StaleFor triggers
	wall      []triggerRef   // the WallTime, Sunrise and Sunset triggers
	namedBy   [][]int        // by slot: the cards that name it
	readbacks [][]int        // by slot: the actuators it reads back
	inState   []bool         // by slot: a drive state reads it
	why       whyTable
}

// whyTable holds every reason that can appear in a record, made once.
type whyTable struct {
	first, recovered, stale, invalid, asleep, unknown []string // by slot
	winner                                            []string // by card
	state                                             []string // by drive state, moving last
	trigger, onlyIf, then                             []string // by position
	asked, lease, end                                 []string // by actuator
	frames                                            []string // by bus
}

// Build checks the program's indices and derives its tables. It must be called
// once, before NewState.
func (p *Program) Build() error {
	if len(p.States) >= 64 {
		return fmt.Errorf("engine: %d drive states; at most 63", len(p.States))
	}
	x := &p.idx
	x.triggers = make([][]triggerRef, len(p.Signals))
	x.occurs = make([][]triggerRef, len(p.Occurs))
	x.namedBy = make([][]int, len(p.Signals))
	x.readbacks = make([][]int, len(p.Signals))
	x.inState = make([]bool, len(p.Signals))
	for i, st := range p.States {
		for _, c := range st.When {
			if c.Op == InState || c.Op == TimeOfDay {
				return fmt.Errorf("engine: drive state %s refers to a drive state or the time of day", p.States[i].Name)
			}
			if err := c.check(len(p.Signals)); err != nil {
				return err
			}
			for _, slot := range c.reads() {
				x.inState[slot] = true
			}
		}
	}
	for i, a := range p.Actuators {
		if a.Readback >= 0 {
			x.readbacks[a.Readback] = append(x.readbacks[a.Readback], i)
		}
	}
	for i := range p.Cards {
		if err := p.indexCard(i); err != nil {
			return err
		}
	}
	p.nameReasons()
	return nil
}

func (p *Program) indexCard(i int) error {
	c := &p.Cards[i]
	if i > 0 && p.Cards[i-1].ID >= c.ID {
		return fmt.Errorf("engine: cards out of order: %s before %s", p.Cards[i-1].ID, c.ID)
	}
	if len(c.When) == 0 || len(c.Then) == 0 {
		return fmt.Errorf("engine: card %s has no trigger or no action", c.ID)
	}
	for j, t := range c.When {
		if fault := t.fault(c.When); fault != "" {
			return fmt.Errorf("engine: card %s, trigger %d: %s", c.ID, j, fault)
		}
		p.indexTrigger(&t, triggerRef{i, j})
	}
	for _, cond := range c.OnlyIf {
		for k := range cond {
			if err := cond[k].check(len(p.Signals)); err != nil {
				return err
			}
		}
	}
	for _, slot := range c.Names {
		p.idx.namedBy[slot] = append(p.idx.namedBy[slot], i)
	}
	return nil
}

// fault says what is wrong with a trigger that no step could take; empty:
// nothing.
func (t *Trigger) fault(when []Trigger) string {
	windowed := t.Op >= StaleFor && t.Op <= Sequence
	switch {
	case windowed && t.Over <= 0:
		return "no time"
	case t.Op == Count && (t.N < 1 || t.N > MaxCount):
		return "a count out of range"
	case t.Op == WallTime && (t.Days&0x7F == 0 || t.At < 0 || t.At >= day):
		return "no time of any day"
	case t.Into < 0 || t.Into > len(when):
		return "an edge of no trigger"
	case t.Into > 0 && when[t.Into-1].Op != Count && when[t.Into-1].Op != Sequence:
		return "an edge of neither a count nor a sequence"
	}
	return ""
}

// indexTrigger notes what feeds a trigger.
func (p *Program) indexTrigger(t *Trigger, ref triggerRef) {
	x := &p.idx
	if t.Op.hasSlot() {
		x.triggers[t.Slot] = append(x.triggers[t.Slot], ref)
	}
	switch t.Op {
	case StaleFor:
		x.silent = append(x.silent, ref)
	case Occurs:
		x.occurs[t.Occur] = append(x.occurs[t.Occur], ref)
	case WallTime, Sunrise, Sunset:
		x.wall = append(x.wall, ref)
	}
}

func (p *Program) nameReasons() {
	w := &p.idx.why
	for _, s := range p.Signals {
		w.first = append(w.first, "first:"+s.Path)
		w.recovered = append(w.recovered, "recovered:"+s.Path)
		w.stale = append(w.stale, "stale:"+s.Path)
		w.invalid = append(w.invalid, "invalid:"+s.Path)
		w.asleep = append(w.asleep, "asleep:"+s.Path)
		w.unknown = append(w.unknown, "unknown:"+s.Path)
	}
	for _, bus := range p.Buses {
		w.frames = append(w.frames, "frames:"+bus)
	}
	for _, a := range p.Actuators {
		w.asked = append(w.asked, "asked:"+a.Path)
		w.lease = append(w.lease, "lease:"+a.Path)
		w.end = append(w.end, "end:"+a.Path)
	}
	triggers, clauses, actions := 0, 0, 0
	for _, c := range p.Cards {
		w.winner = append(w.winner, "winner:"+c.ID)
		triggers, clauses, actions = max(triggers, len(c.When)), max(clauses, len(c.OnlyIf)), max(actions, len(c.Then))
	}
	for _, s := range p.States {
		w.state = append(w.state, "state:"+s.Name)
	}
	w.state = append(w.state, "state:moving")
	for i := range triggers {
		w.trigger = append(w.trigger, "trigger["+strconv.Itoa(i)+"]")
	}
	for i := range clauses {
		w.onlyIf = append(w.onlyIf, "only_if["+strconv.Itoa(i)+"]")
	}
	for i := range actions {
		w.then = append(w.then, "then["+strconv.Itoa(i)+"]")
	}
}
