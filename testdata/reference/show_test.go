package reference_test

import (
	"fmt"
	"strings"

	"vignette/scenes/engine"
	"vignette/testdata/reference"
	"vignette/testdata/reference/translate"
)

// describe shows a program.
func describe(p *engine.Program) string {
	v, cards := translate.Program(p)
	var b strings.Builder
	fmt.Fprintln(&b, v.Version)
	for _, a := range v.Actuators {
		fmt.Fprintf(&b, "%+v\n", a)
	}
	fmt.Fprintf(&b, "%+v\n%+v\n%+v\n", v.Signals, v.Actions, v.Quarantine)
	for _, c := range cards {
		fmt.Fprintf(&b, "%s, version %s, prio %d cooldown %d manual %v restart %v on_boot %s\n", c.ID, c.Version, c.Priority, c.Cooldown, c.Manual, c.Restart, c.OnBoot)
		for _, w := range c.When {
			fmt.Fprintf(&b, "  when %+v\n", w)
		}
		for _, w := range c.OnlyIf {
			fmt.Fprintf(&b, "  only_if %+v\n", w)
		}
		for _, w := range c.Then {
			fmt.Fprintf(&b, "  then %+v\n", w)
		}
	}
	return b.String()
}

// eventLine shows an event with what it has.
func eventLine(ev reference.Event) string {
	line := fmt.Sprintf("%.9g %s", float64(ev.T)/1e9, ev.Kind)
	for _, s := range ev.Samples {
		if s.Valid {
			line += fmt.Sprintf(" %s=%s", s.Signal, s.Value.JSON())
		} else {
			line += " " + s.Signal + "=invalid"
		}
	}
	switch ev.Kind {
	case "reply", "answer":
		line += fmt.Sprintf(" %d of session %d, %v", ev.Ref, ev.Session, ev.OK)
	case "override":
		line += " " + ev.Actuator + " " + ev.Value.JSON()
	case "user":
		line += fmt.Sprint(" ", ev.User)
	case "clock":
		line += fmt.Sprintf(" %+v", ev.Clock)
	case "lost":
		line += " " + ev.Bus + " " + ev.Value.JSON()
	default:
		line += " " + ev.Bus + ev.Link + ev.Card + ev.Occur
	}
	return line
}
