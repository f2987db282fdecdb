package trace

import (
	"errors"
	"slices"
	"time"

	"vignette/scenes"
	"vignette/scenes/engine"
)

// maxDeeds bounds what is remembered of one firing; of more, the oldest goes.
const maxDeeds = 32

// firing is an attempt of a watched card, in memory: it begins with the first
// thing that a firing of the card does, and ends undone, or left alone
// scenes.RegretWithin after the last thing. Until it has done anything it is no
// attempt.
type firing struct {
	task    *task
	fired   uint64 // n of its `fired` record
	led     uint64 // n of the record that led to the next action: fired, or confirmed
	deeds   []deed
	first   time.Time // of the first deed
	ep      Episode
	weekEnd time.Time
}

// deed is one thing that a firing did.
type deed struct {
	n        uint64 // of its `acted` record
	actuator string // empty: an action that nothing can take back but disabling the card
	value    engine.Value
	at       time.Time
	inForce  bool // the actuator's newest command is this one
}

func (f *firing) begun() bool { return len(f.deeds) > 0 }

// fresh reports whether the firing's last deed is recent enough to be taken back.
func (f *firing) fresh(now time.Time) bool {
	d := now.Sub(f.deeds[len(f.deeds)-1].at)
	return d >= 0 && d <= scenes.RegretWithin
}

// WatchesCards reports whether the study that is recorded watches scene cards:
// only then are records of decisions wanted. It waits for nothing.
func (r *Recorder) WatchesCards() bool { return r.watches.Load() }

// Decided takes a record of the decision log, made while user drove; c.Now is the
// record's own time. From records it knows whether the driver took back what a
// watched card did, within scenes.RegretWithin and while it was in force: by hand
// (`override` with another value), or by disabling the card. A firing by hand is
// the driver's own deed and is not watched. Strings of rec are kept no longer than
// the attempt.
func (r *Recorder) Decided(rec *engine.Record, user uint64, c Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.closed:
		return ErrClosed
	case c.Now.IsZero():
		return ErrNoTime
	}
	r.wall = c.Wall
	r.choose()
	if r.active < 0 || user != r.user {
		return nil
	}
	return errors.Join(r.endFirings(c.Now), r.follow(rec, c))
}

// follow is what a record is to the firings that are open.
func (r *Recorder) follow(rec *engine.Record, c Context) error {
	switch rec.What {
	case engine.Fired:
		return r.fired(rec)
	case engine.Confirmed:
		if f := r.firingOf(rec.Card); f != nil {
			f.led = rec.N
		}
	case engine.Acted:
		r.acted(rec, c)
	case engine.Failed:
		r.failed(rec.Cause)
	case engine.Override:
		return r.undo(c, func(f *firing) bool { return f.undoneBy(rec, c.Now) })
	case engine.User:
		return r.undo(c, func(f *firing) bool { return rec.Why == "disabled" && f.task.card == rec.Card })
	}
	return nil
}

// fired ends the card's attempt before, and readies the next one.
func (r *Recorder) fired(rec *engine.Record) error {
	err := r.endIf(func(f *firing) bool { return f.task.card == rec.Card })
	p := r.policies[r.active]
	if i, ok := p.cards[rec.Card]; ok && rec.Why != "manual" {
		r.firings = append(r.firings, &firing{task: &p.tasks[i], fired: rec.N, led: rec.N})
	}
	return err
}

// firingOf is the card's firing; nil: none is followed.
func (r *Recorder) firingOf(card string) *firing {
	for _, f := range r.firings {
		if f.task.card == card {
			return f
		}
	}
	return nil
}

// acted notes the newest command of an actuator, and what a watched card did.
func (r *Recorder) acted(rec *engine.Record, c Context) {
	var again *deed // of an earlier deed, back in force since a lease above it has ended
	f := r.firingOf(rec.Card)
	for _, o := range r.firings {
		for i := range o.deeds {
			if d := &o.deeds[i]; d.actuator == rec.Actuator && d.actuator != "" {
				d.inForce = false
				if o == f {
					again = d
				}
			}
		}
	}
	switch {
	case f == nil || rec.Action == "end":
	case rec.Cause == f.led || rec.Cause == f.fired:
		f.do(r.policies[r.active], deed{n: rec.N, actuator: rec.Actuator, value: rec.Value, at: c.Now, inForce: true}, c)
	case again != nil:
		again.n, again.inForce = rec.N, true
	}
}

// do notes a deed; the first one begins the attempt.
func (f *firing) do(p *policy, d deed, c Context) {
	if !f.begun() {
		f.first, f.weekEnd = c.Now, weekEnd(c.Wall)
		f.ep = p.newEpisode(f.task, c)
		f.ep.Ev = []Event{{Screen: other, Elem: other, Gesture: scenes.Fired, DT: DTFirst, Speed: bucketSpeed(c), Out: outOK}}
	}
	if len(f.deeds) == maxDeeds {
		f.deeds = slices.Delete(f.deeds, 0, 1)
	}
	f.deeds = append(f.deeds, d)
}

// failed forgets a deed that was not done after all.
func (r *Recorder) failed(n uint64) {
	for _, f := range r.firings {
		f.deeds = slices.DeleteFunc(f.deeds, func(d deed) bool { return d.n == n })
	}
}

// undoneBy reports whether the driver's hand took a deed back.
func (f *firing) undoneBy(hand *engine.Record, now time.Time) bool {
	return slices.ContainsFunc(f.deeds, func(d deed) bool {
		return d.inForce && d.actuator == hand.Actuator && d.value != hand.Value && now.Sub(d.at) <= scenes.RegretWithin
	})
}

// undo ends the attempts that a condition holds for as undone.
func (r *Recorder) undo(c Context, which func(*firing) bool) error {
	return r.endIf(func(f *firing) bool {
		if !f.begun() || !which(f) {
			return false
		}
		if c.Auto != f.ep.Auto {
			f.ep.Auto = 0 // it is of the whole attempt, or not told
		}
		f.ep.Ev = append(f.ep.Ev, Event{Screen: other, Elem: other, Gesture: scenes.Undone, DT: bucketDT(c.Now.Sub(f.first)), Speed: bucketSpeed(c), Out: outOK})
		return true
	})
}

// endFirings ends the attempts that nobody can take back any more.
func (r *Recorder) endFirings(now time.Time) error {
	return r.endIf(func(f *firing) bool {
		return f.begun() && (!f.fresh(now) || now.Sub(f.first) > episodeMost)
	})
}

// endIf ends the firings that a condition holds for, and writes those that are
// attempts. The error is the first of those that could not be written.
func (r *Recorder) endIf(which func(*firing) bool) (err error) {
	for i := 0; i < len(r.firings); i++ {
		f := r.firings[i]
		if !which(f) {
			continue
		}
		r.firings = slices.Delete(r.firings, i, i+1)
		i--
		if !f.begun() {
			continue
		}
		if failed := r.end(&f.ep, f.weekEnd); err == nil {
			err = failed
		}
	}
	return err
}
