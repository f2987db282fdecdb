package drive

import (
	"fmt"
	"math"
	"strconv"

	"vignette/scenes/engine"
	"vignette/testdata/reference"
	"vignette/testdata/reference/translate"
)

// record gives the n of a record by its number in the trace, once the timers
// due by t, which may write it, have run.
func (r *traceRun) record(t int64, number string) (uint64, error) {
	if err := r.step(&engine.Event{T: t, Kind: engine.EvTick}); err != nil {
		return 0, err
	}
	n, err := strconv.Atoi(number)
	if err != nil {
		return 0, err
	}
	if n < len(r.real) {
		return r.real[n], nil
	}
	return math.MaxUint64, nil
}

// driver makes an event that the driver brings about: a word and its arguments.
func (r *traceRun) driver(ev *engine.Event, f []string) (err error) {
	kinds := map[string]engine.EventKind{"answer": engine.EvAnswer, "user": engine.EvUser, "sleep": engine.EvSleep,
		"enable": engine.EvEnable, "disable": engine.EvEnable, "run": engine.EvRun, "free": engine.EvFree}
	ev.Kind = kinds[f[0]]
	switch f[0] {
	case "answer":
		ev.Session, ev.OK = r.session, f[2] == "yes"
		ev.Ref, err = r.record(ev.T, f[1])
	case "user":
		ev.User, err = strconv.ParseUint(f[1], 10, 64)
	case "enable", "disable", "run", "free":
		var ok bool
		if ev.Card, ok = r.prog.Card(f[1]); !ok {
			return fmt.Errorf("no card %s", f[1])
		}
		ev.On = f[0] == "enable"
	}
	return err
}

// boot ends the session and begins another from what was kept, on the same
// kernel boot or on another, with the cards of a directory if one is named. The
// records of the new session count from 1.
func (r *traceRun) boot(f []string) {
	kept, saved, same := r.prog.Engine.Keep(r.pump.State()), r.ref.Save(), f[0] == "same"
	if len(f) > 1 {
		r.compile(f[1])
	}
	r.session++
	r.real, r.shown = []uint64{0}, map[uint64]int{}
	vehicle, cards := translate.Program(&r.prog.Engine)
	r.ref = reference.Boot(saved, vehicle, cards, r.session, r.judged, same)
	state := r.prog.Engine.Boot(kept, r.session, r.judged, same)
	r.pump = NewPumpFrom(r.prog, state, Output{Records: r.take})
}
