package trace

import (
	"crypto/rand"
	"encoding/binary"
	"slices"
	"time"
)

// Weakness names one protection that a recorder lacks.
type Weakness string

// What a recorder can lack.
const (
	PersistentID Weakness = "persistent-id" // one id for all episodes of a car
	NoGate       Weakness = "no-gate"       // attempts leave whole, whatever the dictionary has
	RawTimes     Weakness = "raw-times"     // what leaves has the times between touches in tenths of a second
	NoBound      Weakness = "no-bound"      // all attempts of a task and week leave, not one
	Unpadded     Weakness = "unpadded"      // segments are as long as their episode, leave as soon as their week is over, and tell when they were written
)

// Weaknesses are all of them.
var Weaknesses = []Weakness{PersistentID, NoGate, RawTimes, NoBound, Unpadded}

// OpenWeakened opens a recorder that lacks one protection of docs/study-cards.md,
// so that an audit of what it releases can be shown to fail. It is for simulated
// cars on a desk: the agent does not link it, and Open never weakens anything.
func OpenWeakened(dir string, o Options, w Weakness) (*Recorder, error) {
	r, err := Open(dir, o)
	if err != nil {
		return nil, err
	}
	r.weak = &weakness{lacks: w}
	rand.Read(r.weak.car[:])
	for _, s := range r.spools {
		s.every = s.every || w == NoBound
		s.unchecked = true
	}
	return r, nil
}

// weakness is what a weakened recorder does in place of a protection. Of nil,
// which all others have, every method leaves things as they are.
type weakness struct {
	lacks Weakness
	car   EpisodeID
	fine  [MaxEvents]uint8 // the times between the attempt's events
}

func (w *weakness) is(lacks Weakness) bool { return w != nil && w.lacks == lacks }

// id gives an episode the car's.
func (w *weakness) id(ep *Episode) {
	if w.is(PersistentID) {
		ep.EID = w.car
	}
}

// time notes the time before an event that is about to be added.
func (w *weakness) time(a *attempt, now time.Time) {
	if n := len(a.ep.Ev); w.is(RawTimes) && n > 0 && n < MaxEvents {
		w.fine[n] = uint8(min(now.Sub(a.last)/(100*time.Millisecond), 254)) + 1
	}
}

// gate is policy.gate, or none, or what it leaves with its times.
func (w *weakness) gate(p *policy, ep *Episode, random func() uint64) gated {
	switch {
	case w.is(NoGate):
		return gateWhole
	case !w.is(RawTimes):
		return p.gate(ep, random)
	}
	was := slices.Clone(ep.Ev)
	end := p.gate(ep, random)
	if end == gateDropped {
		return end
	}
	from := 0
	for end == gateCut && (was[from+1] != ep.Ev[1] || was[from].Elem != ep.Ev[0].Elem) {
		from++
	}
	for i := 1; i < len(ep.Ev); i++ {
		ep.Ev[i].DT = w.fine[from+i]
	}
	return end
}

// bare takes the padding, the delay after from and the missing time of an entry
// away.
func (w *weakness) bare(e *entry, segment []byte, from, wall time.Time) []byte {
	if !w.is(Unpadded) {
		return segment
	}
	e.due, e.time = from.Unix(), wall
	n, head := binary.Uvarint(segment[headerBytes:])
	return segment[:headerBytes+head+sumBytes+int(n)]
}
