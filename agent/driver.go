package agent

import (
	"fmt"
	"strings"

	"vignette/scenes"
	"vignette/scenes/engine"
	uibridge "vignette/ui-bridge"
)

// task is work for the loop's goroutine; done gets its error.
type task struct {
	work func() error
	done chan error
}

// do has the loop's goroutine, which owns the agent, run work between two
// entries of the stream, and returns its error. Any other goroutine may call it.
func (a *agent) do(work func() error) error {
	t := task{work, make(chan error, 1)}
	select {
	case a.tasks <- t:
		return <-t.done
	case <-a.ended:
		return uibridge.ErrClosing
	}
}

// run runs a task. Its error is its caller's; the one that run returns is of
// taking an event, which ends the agent.
func (a *agent) run(t task) error {
	t.done <- t.work()
	return a.broken
}

// tell feeds an event that happens now.
func (a *agent) tell(ev engine.Event) error {
	ev.T = a.stamp()
	if l := a.habits.learner; l != nil && ev.Kind == engine.EvOccur && ev.OK {
		l.Occurred(ev.T, a.prog.Engine.Occurs[ev.Occur].Name)
	}
	if err := a.pump.Event(&ev); err != nil {
		a.broken = err
	}
	return a.broken
}

// The methods of uibridge.Driver. An answer to a question that is not open, and
// a deed that changes nothing, are the engine's to record.

// Answer answers the question of a record of this session.
func (a *agent) Answer(n uint64, yes bool) error {
	return a.do(func() error {
		return a.tell(engine.Event{Kind: engine.EvAnswer, Session: a.session, Ref: n, OK: yes})
	})
}

// EnableCard enables or disables a card. When it returns that is on the disk; an
// error after the card is found tells that it is so for as long as the power is on.
func (a *agent) EnableCard(card string, on bool) error {
	return a.ofCard(engine.Event{Kind: engine.EvEnable, On: on}, card)
}

// RunCard runs a card by hand, if it says `manual: true`.
func (a *agent) RunCard(card string) error {
	return a.do(func() error {
		i, err := a.card(card)
		if err != nil {
			return err
		}
		err = a.tell(engine.Event{Kind: engine.EvRun, Card: i})
		if err == nil && !a.prog.Engine.Cards[i].Manual {
			err = fmt.Errorf("%w: card %s is not for running by hand; it has no manual: true", uibridge.ErrInvalidValue, card)
		}
		return err
	})
}

// FreeCard frees a card from quarantine.
func (a *agent) FreeCard(card string) error {
	return a.ofCard(engine.Event{Kind: engine.EvFree}, card)
}

func (a *agent) ofCard(ev engine.Event, id string) error {
	err := a.do(func() (err error) {
		if ev.Card, err = a.card(id); err != nil {
			return err
		}
		if ev.Kind == engine.EvEnable && ev.On {
			if err := a.mayEnable(a.prog.Cards[ev.Card]); err != nil {
				return err
			}
		}
		return a.tell(ev)
	})
	if err != nil {
		return err
	}
	if err := a.settle(); err != nil {
		return fmt.Errorf("it is so now, but may not be after the power was off: %w", err)
	}
	return nil
}

// card finds a card of the running program.
func (a *agent) card(id string) (int, error) {
	i, ok := a.prog.Card(id)
	if !ok {
		return 0, fmt.Errorf("%w: no card %s is loaded", uibridge.ErrUnknownCard, id)
	}
	return i, nil
}

// SetUser says who drives.
func (a *agent) SetUser(user uint64) error {
	if a.recorder != nil {
		a.recorder.SetUser(user)
		defer a.tellOfTraces()
	}
	return a.do(func() error {
		a.habits.nowDrives(user, a.prog.Vehicle, a.logHabits)
		if user == a.pump.State().User() {
			return nil
		}
		if err := a.tell(engine.Event{Kind: engine.EvUser, User: user}); err != nil {
			return err
		}
		return a.greet(user)
	})
}

// greet has the places told anew: they are each user's own.
func (a *agent) greet(user uint64) error {
	if a.services != nil {
		a.services.UserChanged()
	}
	if err := a.places.load(user); err != nil {
		a.log.Error("a user's places are lost", "error", err)
	}
	return a.places.look(a.occurred)
}

// Occur takes an occurrence that the profile leaves to the HMI.
func (a *agent) Occur(what string, now bool) error {
	return a.do(func() error {
		i, err := a.ofHMI(what)
		if err != nil {
			return err
		}
		return a.tell(engine.Event{Kind: engine.EvOccur, Occur: i, OK: now})
	})
}

// ofHMI finds an occurrence that is the HMI's to tell of.
func (a *agent) ofHMI(what string) (int, error) {
	i, ok := a.prog.Occurrence(what)
	if !ok {
		return 0, fmt.Errorf("%w: the profile's events have no %q; they have %s", uibridge.ErrUnknownEvent, what, a.prog.Occurrences())
	}
	switch e := eventOf(a.prog.Vehicle, what); {
	case e == nil || e.Source.HMI:
	case e.Source.GeoClue:
		return 0, fmt.Errorf("%w: %s comes from where the car is; say where it is with SetPlace", uibridge.ErrUnknownEvent, what)
	default:
		return 0, fmt.Errorf("%w: %s comes from %s, not from the HMI", uibridge.ErrUnknownEvent, what, e.Source.Service)
	}
	return i, nil
}

// eventOf is the entry of the profile's events that an occurrence comes from.
func eventOf(v *scenes.Vehicle, what string) *scenes.Event {
	kind, name, _ := strings.Cut(what, " ")
	for i := range v.Events {
		if e := &v.Events[i]; e.Name.Text == kind || kind == "event" && e.Name.Text == name {
			return e
		}
	}
	return nil
}
