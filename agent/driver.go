package agent

import (
	"fmt"
	"strings"

	"vignette/scenes/engine"
	uibridge "vignette/ui-bridge"
)

// happening is an event that the HMI tells of; done gets what came of taking it.
type happening struct {
	event engine.Event
	done  chan error
}

// happen hands an event over to the loop, which stamps it, and waits until the
// engine has taken it.
func (a *agent) happen(ev engine.Event) error {
	h := happening{ev, make(chan error, 1)}
	select {
	case a.happenings <- h:
		return <-h.done
	case <-a.ended:
		return uibridge.ErrClosing
	}
}

// take takes an event that the HMI tells of.
func (a *agent) take(h happening) error {
	h.event.T = a.stamp()
	err := a.pump.Event(&h.event)
	h.done <- err
	return err
}

// The methods of uibridge.Driver. An answer to a question that is not open, and
// a deed that changes nothing, are the engine's to record.

// Answer answers the question of a record of this session.
func (a *agent) Answer(n uint64, yes bool) error {
	return a.happen(engine.Event{Kind: engine.EvAnswer, Session: a.session, Ref: n, OK: yes})
}

// EnableCard enables or disables a card.
func (a *agent) EnableCard(card string, on bool) error {
	return a.ofCard(engine.Event{Kind: engine.EvEnable, On: on}, card)
}

// RunCard runs a card by hand, if it says `manual: true`.
func (a *agent) RunCard(card string) error {
	err := a.ofCard(engine.Event{Kind: engine.EvRun}, card)
	if i, ok := a.prog.Card(card); err == nil && ok && !a.prog.Engine.Cards[i].Manual {
		return fmt.Errorf("%w: card %s is not for running by hand; it has no manual: true", uibridge.ErrInvalidValue, card)
	}
	return err
}

// FreeCard frees a card from quarantine.
func (a *agent) FreeCard(card string) error {
	return a.ofCard(engine.Event{Kind: engine.EvFree}, card)
}

func (a *agent) ofCard(ev engine.Event, id string) error {
	i, ok := a.prog.Card(id)
	if !ok {
		return fmt.Errorf("%w: no card %s is loaded", uibridge.ErrUnknownCard, id)
	}
	ev.Card = i
	return a.happen(ev)
}

// SetUser says who drives.
func (a *agent) SetUser(user uint64) error {
	return a.happen(engine.Event{Kind: engine.EvUser, User: user})
}

// Occur takes an occurrence that the profile leaves to the HMI.
func (a *agent) Occur(what string, now bool) error {
	i, ok := a.prog.Occurrence(what)
	if !ok {
		return fmt.Errorf("%w: the profile's events have no %q; they have %s", uibridge.ErrUnknownEvent, what, a.prog.Occurrences())
	}
	kind, name, _ := strings.Cut(what, " ")
	for _, e := range a.prog.Vehicle.Events {
		own := e.Name.Text == kind || kind == "event" && e.Name.Text == name
		if own && !e.Source.HMI {
			return fmt.Errorf("%w: %s comes from %s, not from the HMI", uibridge.ErrUnknownEvent, what, e.Source.Service)
		}
	}
	return a.happen(engine.Event{Kind: engine.EvOccur, Occur: i, OK: now})
}
