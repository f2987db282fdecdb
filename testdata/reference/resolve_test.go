package reference_test

import (
	"slices"

	"vignette/scenes/engine"
	"vignette/testdata/reference"
)

// resolve makes the event of a stroke from what the log holds so far.
func (c *comparison) resolve(s *stroke) engine.Event {
	ev := s.Event
	if ev.Session != 0 {
		ev.Session += c.session - 1
	}
	switch ev.Kind {
	case engine.EvFrame:
		ev.Samples = c.samples(s)
	case engine.EvOverride:
		if ev.Actuator >= len(c.p.Actuators) {
			ev.Kind = engine.EvTick
		}
	case engine.EvAnswer:
		if ev.Ref = c.question(s.Late); ev.Ref == 0 && !s.Late {
			ev.Kind = engine.EvTick
		}
	case engine.EvFree, engine.EvEnable, engine.EvRun:
		c.choose(&ev)
	}
	if ev.Kind == engine.EvReply {
		ev.Ref = 1 << 40
		if acts := c.acts(s.Late); len(acts) > 0 {
			ev.Ref = acts[max(0, len(acts)-1-s.Back)]
		} else if !s.Late {
			ev.Kind = engine.EvTick
		}
	}
	return ev
}

// choose finds the card of an event: where one is in quarantine or disabled it
// is that one.
func (c *comparison) choose(ev *engine.Event) {
	if len(c.p.Cards) == 0 {
		ev.Kind = engine.EvTick
		return
	}
	ev.Card %= len(c.p.Cards)
	switch {
	case ev.Kind == engine.EvFree:
		ev.Card = c.cardThatIs("quarantined", "fires", ev.Card)
	case ev.Kind == engine.EvEnable && ev.On:
		ev.Card = c.cardThatIs("user", "disabled", ev.Card)
	}
}

// samples makes the universe's samples those of the program.
func (c *comparison) samples(s *stroke) (list []engine.Sample) {
	for _, sample := range s.Samples {
		if sample.Slot = slotOf(c.p, universe[sample.Slot]); sample.Slot < 0 {
			continue
		}
		for a := range c.p.Actuators {
			if s.Echo && c.p.Actuators[a].Readback == sample.Slot {
				c.echo(&sample, c.p.Actuators[a].Path)
			}
		}
		list = append(list, sample)
	}
	return list
}

// question is the n of the newest `asked`, one that is open unless any will do.
func (c *comparison) question(any bool) uint64 {
	for _, r := range slices.Backward(c.log) {
		if r.What == "asked" && (any || !slices.ContainsFunc(c.log, func(o reference.Record) bool {
			return o.Cause == r.N && (o.What == "confirmed" || o.What == "declined")
		})) {
			return r.N
		}
	}
	return 0
}

// cardThatIs is the newest card with such a record; otherwise i.
func (c *comparison) cardThatIs(what, why string, i int) int {
	for _, r := range slices.Backward(c.log) {
		if at := slices.IndexFunc(c.p.Cards, func(card engine.Card) bool { return card.ID == r.Card }); r.What == what && r.Why == why && at >= 0 {
			return at
		}
	}
	return i
}

// acts lists the acts so far, all or those whose call is open.
func (c *comparison) acts(all bool) (list []uint64) {
	for _, r := range c.log {
		if r.What == "acted" && (all || c.calls(r)) {
			list = append(list, r.N)
		}
	}
	if all {
		return list
	}
	return slices.DeleteFunc(list, func(n uint64) bool {
		return slices.ContainsFunc(c.log, func(r reference.Record) bool {
			return r.Cause == n && (r.What == "replied" || r.What == "failed" && r.Why != "readback")
		})
	})
}

// calls tells whether an act has a call.
func (c *comparison) calls(r reference.Record) bool {
	return slices.ContainsFunc(c.p.Actuators, func(a engine.Actuator) bool { return a.Path == r.Actuator && a.HasCall }) ||
		slices.ContainsFunc(c.p.Actions, func(a engine.Action) bool { return a.Name == r.Action && a.HasCall })
}

func (c *comparison) echo(s *engine.Sample, path string) {
	for _, r := range slices.Backward(c.log) {
		if r.What == "acted" && r.Actuator == path && s.Valid {
			s.Num = r.Value.Num
			if r.Value.Kind == reference.Label {
				s.Num = float64(slices.Index(labels, r.Value.Label))
			}
			return
		}
	}
}
