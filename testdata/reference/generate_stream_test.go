package reference_test

import (
	"pgregory.net/rapid"

	"vignette/scenes/engine"
)

// stroke is an event, or a turn, before it is known what the log holds: a reply
// names the Back-th newest call that is open, or of all, an echo is a reading of
// the newest command. Its slots are the universe's, its session 1 is the present
// one.
type stroke struct {
	engine.Event
	Back    int
	Late    bool
	Echo    bool
	Lasting bool // a step back that later times share
	Parade  bool // more users than are kept come and go
	Turn    turn
	Next    int  // reload, restart: the program that takes over
	Clean   bool // restart: after a clean stop
	Other   bool // restart: of the kernel too …
	Power   bool // … by a loss of power
	Age     int  // restart: how many writes are lost
}

// turn is what is more than an event.
type turn int

const (
	noTurn turn = iota
	snapshot
	reload
	restart
)

// drawStream draws a first frame and some two dozen events. Where cards loop,
// the bus obeys.
func drawStream(t *rapid.T, w *world, judged bool) []stroke {
	list := []stroke{{Event: engine.Event{Samples: drawFrame(t, w, true)}}}
	event := rapid.Custom(func(t *rapid.T) stroke { return drawStroke(t, w, judged) })
	for range 7 {
		list = append(list, rapid.SliceOfN(event, 0, 10).Draw(t, "events")...)
	}
	reached, highest := int64(0), int64(0)
	for i := range list {
		step := list[i].T
		if list[i].Turn == restart {
			reached = highest // a kernel's time goes on
		}
		list[i].T += reached
		if c := list[i].Clock; c != nil {
			list[i].Clock = at(c, list[i].T)
		}
		if w.loops && i > 0 && list[i].Kind == engine.EvFrame {
			list[i].Samples, list[i].Echo = []engine.Sample{{Slot: slotF, Valid: true}}, true
		}
		if step > 0 || list[i].Lasting {
			reached = list[i].T
		}
		highest = max(highest, reached)
		if list[i].Other {
			reached, highest = step, step
		}
	}
	return list
}

// drawStroke draws an event; its T is the time since the one before.
func drawStroke(t *rapid.T, w *world, judged bool) stroke {
	s := stroke{Event: engine.Event{T: steps.Draw(t, "dt")}}
	kind := eighth.Draw(t, "event")
	switch {
	case w.turns && eighth.Draw(t, "turn") == 7:
		drawTurn(t, w, &s)
	case kind == 3:
		drawDriver(t, &s)
	case kind == 2 && w.watchesClock():
		s.Kind, s.Clock = engine.EvClock, drawClock(t)
	case kind < 4 || kind < 7 && !judged:
		s.Samples = drawFrame(t, w, false)
		s.Echo = coin.Draw(t, "echo")
	case kind < 7:
		s.Kind, s.Session, s.T = engine.EvReply, 1, delays.Draw(t, "delay")
		s.Back, s.OK, s.Late = small.Draw(t, "back")/2, eighth.Draw(t, "ok") < 6, eighth.Draw(t, "late") == 7
	default:
		drawRare(t, &s)
	}
	return s
}

// drawDriver draws what the driver does.
func drawDriver(t *rapid.T, s *stroke) {
	s.Card = small.Draw(t, "card")
	switch eighth.Draw(t, "driver") {
	case 0, 1, 2:
		s.Kind, s.Session, s.T = engine.EvAnswer, 1, delays.Draw(t, "delay")
		s.OK, s.Late = eighth.Draw(t, "yes") < 6, eighth.Draw(t, "late") == 7
	case 3:
		s.Kind = engine.EvRun
	case 4:
		s.Kind, s.Clock = engine.EvClock, drawClock(t)
	case 5:
		s.Kind, s.On = engine.EvEnable, coin.Draw(t, "on")
	case 6:
		s.Kind = engine.EvFree
		if coin.Draw(t, "ignition") { // its cycle frees too
			s.Kind, s.Occur, s.OK = engine.EvOccur, 1+small.Draw(t, "off")%2, true
		}
	case 7:
		s.Kind, s.Card = engine.EvRun, 0
		if coin.Draw(t, "user changes") {
			s.Kind, s.User = engine.EvUser, uint64(small.Draw(t, "user"))
			s.Parade = eighth.Draw(t, "parade") == 7 && eighth.Draw(t, "long") == 7
		}
	}
}

// drawTurn draws a snapshot, a reload or a restart.
func drawTurn(t *rapid.T, w *world, s *stroke) {
	s.Kind, s.Next = engine.EvTick, small.Draw(t, "next")%len(w.programs)
	switch eighth.Draw(t, "turn kind") {
	case 0:
		s.Turn = snapshot
	case 1, 2, 3:
		s.Turn = reload
	default:
		s.Turn = restart
		s.Other = coin.Draw(t, "other boot")
		s.Power, s.Age = s.Other && coin.Draw(t, "power"), small.Draw(t, "age")
		s.Clean = eighth.Draw(t, "clean") > 5
	}
}

// drawRare draws what happens now and then: long gaps and steps back, the
// driver's report, a stop, a reply of another session.
func drawRare(t *rapid.T, s *stroke) {
	s.Kind = engine.EvTick
	switch eighth.Draw(t, "rare") {
	case 0:
		s.T, s.Lasting = strides.Draw(t, "stride"), coin.Draw(t, "lasting")
	case 3:
		s.Kind, s.Actuator = engine.EvOverride, targets.Draw(t, "whose")
		s.Value = setting(s.Actuator, eighth.Draw(t, "hand"))
	case 5:
		s.Kind = rapid.SampledFrom([]engine.EventKind{engine.EvTick, engine.EvStop, engine.EvSleep}).Draw(t, "stop")
	case 6:
		s.Kind, s.Bus, s.Link = engine.EvLink, small.Draw(t, "bus")%2, engine.Link(eighth.Draw(t, "link")%engine.Links)
	case 7:
		if s.Kind, s.Session = engine.EvReply, 2; coin.Draw(t, "lost") {
			s.Kind, s.Count = engine.EvLost, uint64(small.Draw(t, "count"))
		}
	default:
		s.Kind, s.Occur, s.OK = engine.EvOccur, eighth.Draw(t, "occurs")%len(occurs), eighth.Draw(t, "found") < 6
	}
}

// drawFrame draws a frame; the first of a stream samples nearly everything.
func drawFrame(t *rapid.T, w *world, first bool) (list []engine.Sample) {
	sampled := make([]bool, len(w.used))
	if first {
		for i := range sampled {
			sampled[i] = eighth.Draw(t, "absent") < 7
		}
	} else {
		for range 1 + small.Draw(t, "signals")/2 {
			sampled[eighth.Draw(t, "signal")%len(sampled)] = true
		}
	}
	for i, slot := range w.used {
		if sampled[i] {
			list = append(list, drawSample(t, slot, first))
		}
	}
	return list
}

func drawSample(t *rapid.T, slot int, valid bool) engine.Sample {
	s := engine.Sample{Slot: slot, Valid: valid || eighth.Draw(t, "valid") < 7}
	if !s.Valid {
		return s
	}
	switch slot {
	case slotD:
		s.Num = float64(1 - eighth.Draw(t, "value")/6)
	case slotL:
		s.Num = float64(small.Draw(t, "value") % 3)
	default:
		s.Num = float64(small.Draw(t, "value"))
		if eighth.Draw(t, "between") == 7 {
			s.Num += 0.5
		}
		if slot == slotS && coin.Draw(t, "standing") {
			s.Num = 0
		}
	}
	return s
}
