package agent

import (
	"context"
	"fmt"
	"time"

	"vignette/scenes/clock"
	"vignette/scenes/engine"
	uibridge "vignette/ui-bridge"
	"vignette/ui-bridge/services"
)

// listen begins to listen to the services that the profile names, and to login1,
// instead of those of a profile before. Where replies are assumed nothing is
// listened to: the decisions are those of the recording.
func (a *agent) listen() error {
	if a.services != nil {
		a.services.Close()
	}
	if !a.judged {
		return nil
	}
	v := a.prog.Vehicle
	o := services.Options{Events: v.Events, Login: a.config.Sleep == login1, Logger: a.log}
	if a.wall != nil {
		if o.TrustedBy = v.TrustedBy; o.TrustedBy == "" {
			a.wall.zone = nil
		}
	}
	if err := a.places.use(v.Events, a.pump.State().User()); err != nil {
		a.log.Error("a user's places are lost", "error", err)
	}
	a.services = services.Listen(a.bridge, heard{a}, o)
	return a.places.look(a.occurred)
}

// heard is the agent as the services' sink: all is work for the loop.
type heard struct{ *agent }

// Occurred takes an occurrence.
func (h heard) Occurred(text string, now bool) error {
	return h.do(func() error { return h.occurred(text, now) })
}

// occurred feeds an occurrence by its text.
func (a *agent) occurred(text string, now bool) error {
	i, ok := a.prog.Occurrence(text)
	if !ok {
		return fmt.Errorf("%w: the profile's events have no %q", uibridge.ErrUnknownEvent, text)
	}
	return a.tell(engine.Event{Kind: engine.EvOccur, Occur: i, OK: now})
}

// Clocked takes the zone of a wall clock that can be trusted; nil: it cannot.
func (h heard) Clocked(zone *time.Location) error {
	return h.do(func() error {
		if h.wall == nil {
			return nil
		}
		h.wall.zone = zone
		return h.lookAtClock()
	})
}

// Located takes where the car is: for the driver's places, and for the sun, which
// is told of no more than the tenth of a degree.
func (h heard) Located(fix *services.Fix) error {
	return h.do(func() error {
		if fix != nil && h.wall != nil {
			lat, lon := fix.Coarse()
			h.wall.keeper.Place = &clock.Place{Lat: lat, Lon: lon}
		}
		return h.places.locate(fix, h.occurred)
	})
}

// Sleep ends what does not outlive sleep, waits for the answers, and writes out
// what was kept back.
func (h heard) Sleep(ctx context.Context) error {
	if err := h.do(func() error { h.enter(sleeping); return h.tell(engine.Event{Kind: engine.EvSleep}) }); err != nil {
		return err
	}
	err := h.bridge.Drain(ctx)
	if tidied := h.do(func() error { return h.tidy() }); err == nil {
		err = tidied
	}
	return err
}

// Woke takes that the car is awake again.
func (h heard) Woke() error {
	return h.do(func() error { h.enter(ready); return nil })
}

// Shutdown stops the agent in good order.
func (h heard) Shutdown() { h.quit() }
