package agent

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"vignette/scenes"
	"vignette/scenes/engine"
	uibridge "vignette/ui-bridge"
)

// The methods of uibridge.Handler. They are called from the bridge's
// goroutines and hand over to the loop.

// Replied queues a call's outcome. The queue is larger than the number of
// calls that can be open.
func (a *agent) Replied(n uint64, ok bool, detail string) {
	a.replies <- reply{n, ok, detail}
}

// Override reports the driver's hand on an actuator and waits until it counts.
func (a *agent) Override(actuator string, v engine.Value) error {
	return a.do(func() error {
		i, ok := a.prog.Actuator(actuator)
		if !ok {
			return fmt.Errorf("%w: the profile has no actuator %s", uibridge.ErrUnknownActuator, actuator)
		}
		if err := fits(&a.prog.Vehicle.Actuators[i], v); err != nil {
			return fmt.Errorf("%w: %s: %w", uibridge.ErrInvalidValue, actuator, err)
		}
		return a.tell(engine.Event{Kind: engine.EvOverride, Actuator: i, Value: v})
	})
}

// fits reports a value that is of another kind than the actuator's, or no
// label of it. The driver's hand is not held to the range that cards have.
func fits(spec *scenes.Actuator, v engine.Value) error {
	switch {
	case v.Kind != spec.Kind:
		return fmt.Errorf("want a value of type %s", spec.Type)
	case v.Kind == engine.Number && (math.IsNaN(v.Num) || math.IsInf(v.Num, 0)):
		return errors.New("want a finite number")
	case v.Kind == engine.Label && !slices.Contains(spec.Labels, v.Text):
		return fmt.Errorf("%q is none of %s", v.Text, strings.Join(spec.Labels, ", "))
	}
	return nil
}
