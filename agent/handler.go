package agent

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"vignette/scenes"
	"vignette/scenes/engine"
	uibridge "vignette/ui-bridge"
	"vignette/ui-bridge/trace"
)

var errNoTraces = errors.New("this agent keeps no traces: its configuration names no directory")

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

// Consent gives or withdraws consent for a study.
func (a *agent) Consent(study string, yes bool) error {
	switch {
	case a.recorder == nil:
		return errNoTraces
	case yes:
		return a.recorder.GiveConsent(study)
	}
	return a.recorder.WithdrawConsent(study)
}

// Interactions records what the driver touched, if there is consent.
func (a *agent) Interactions(batch []trace.Interaction) (int, error) {
	if a.recorder == nil {
		return 0, nil
	}
	kmh, known := a.speedNow()
	return a.recorder.Record(batch, trace.Context{SpeedKmh: kmh, SpeedKnown: known, Now: time.Now()})
}

// Recording tells which study there is and whether it is being recorded.
func (a *agent) Recording() (string, bool) {
	if a.recorder == nil {
		return "", false
	}
	return a.recorder.Study(), a.recorder.Recording()
}

// speedNow is the speed that interaction traces bucket.
func (a *agent) speedNow() (kmh float64, known bool) {
	kmh = math.Float64frombits(a.speed.Load())
	return kmh, !math.IsNaN(kmh)
}
