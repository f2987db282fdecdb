package main

import (
	"vignette/ui-bridge/trace"

	"github.com/godbus/dbus/v5"
)

const gearPath = "Vehicle.Powertrain.Transmission.SelectedGear"

// driver is who touches the screen: a fixed story, told by what happens.
type driver struct {
	gear  any
	turns int
}

// idlePlay is what the driver does unprompted, one line after another.
var idlePlay = [][]trace.Interaction{
	{{Screen: "home", Element: "climate_tile", Gesture: "tap", Outcome: "ok"}, {Screen: "climate", Element: "fan", Gesture: "turn", Outcome: "ok"}},
	{{Screen: "climate", Element: "temperature", Gesture: "swipe", Outcome: "ok"}},
	{{Screen: "climate", Element: "back", Gesture: "tap", Outcome: "back"}, {Screen: "home", Element: "media_tile", Gesture: "tap", Outcome: "ok"}},
	{{Screen: "media", Element: "volume", Gesture: "turn", Outcome: "ok"}, {Screen: "media", Element: "next", Gesture: "tap", Outcome: "noop"}},
	{{Screen: "media", Element: "back", Gesture: "tap", Outcome: "back"}, {Screen: "home", Element: "cards_tile", Gesture: "tap", Outcome: "ok"}},
	{{Screen: "cards", Element: "card", Gesture: "tap", Outcome: "ok"}, {Screen: "cards", Element: "why", Gesture: "tap", Outcome: "ok"}},
	{{Screen: "navigation", Element: "keyboard", Gesture: "tap", Outcome: "blocked"}},
}

// idle is the next unprompted touch.
func (d *driver) idle() []trace.Interaction {
	d.turns++
	return idlePlay[(d.turns-1)%len(idlePlay)]
}

// asked is the reaction to a call of the agent.
func (d *driver) asked(c received) []trace.Interaction {
	switch c.method {
	case "Notify":
		return []trace.Interaction{{Screen: "notice", Element: "dismiss", Gesture: "tap", Outcome: "ok"}}
	case "ShowTip":
		return []trace.Interaction{{Screen: "notice", Element: "open", Gesture: "tap", Outcome: "ok"},
			{Screen: "notice", Element: "dismiss", Gesture: "swipe", Outcome: "ok"}}
	}
	return nil
}

// values is the reaction to a change of gear.
func (d *driver) values(v map[string]dbus.Variant) []trace.Interaction {
	gear := v[gearPath].Value()
	if gear == d.gear {
		return nil
	}
	d.gear = gear
	return []trace.Interaction{{Screen: "home", Element: "navigation_tile", Gesture: "tap", Outcome: "ok"},
		{Screen: "navigation", Element: "zoom", Gesture: "swipe", Outcome: "ok"}}
}
