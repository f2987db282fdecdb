// Package trace records how people use the HMI to answer the question of a study
// card: with consent, coarsened and held against the card's dictionary before it
// reaches the disk, and in a form that holds no text, no place and no time of
// day. It follows docs/study-cards.md.
package trace

import (
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"vignette/scenes"
)

// Interaction is one touch as the HMI reports it, by names of the study's
// elements. What the study does not list becomes "other"; no text of it is kept.
type Interaction struct {
	Screen, Element, Gesture, Outcome string
}

// Options say what may be recorded.
type Options struct {
	Studies []*scenes.Study    // each id once
	Answers []*scenes.Answer   // each id once
	Revoked scenes.Revocations // studies and answers that are called back
	// Stopped is not nil if a study card or the list of those called back was
	// refused, by its signature above all: then nothing is recorded and nothing
	// leaves, and the cards are not looked at.
	Stopped error
	Car     Car
	// OutboxSegments bounds each outbox, 512 bytes a segment; 0 stands for 1024.
	OutboxSegments int
}

// Counters tell what the recorder did since Open.
type Counters struct {
	Accepted   uint64 // interactions recorded
	Refused    uint64 // interactions that came without consent, or without a clock that is vouched for
	Outside    uint64 // interactions that belong to no task
	Other      uint64 // recorded interactions on something that is not registered
	Attempts   uint64 // attempts at tasks that ended
	Gated      uint64 // attempts of which the dictionary has nothing
	Cut        uint64 // attempts cut to a known pair
	NotSampled uint64 // attempts that were not the week's one of their task
	Episodes   uint64 // episodes written
	Lost       uint64 // episodes that could not be written
	ClockSteps uint64 // attempts ended because the caller's time went back
	Dropped    uint64 // attempts forgotten since the driver changed or the study ended
	Released   uint64 // segments moved into the outbox
	Removed    uint64 // segments removed from a full outbox
	Torn       uint64 // files that could not be read: segments are removed, a record of dismissed answers or given feedback counts as empty
	// Feedback counts what drivers said when they were asked, FeedbackRefused what
	// came without consent, in a moving car, again in the week, or is not asked.
	Feedback, FeedbackRefused uint64
}

var (
	// ErrUnknownStudy tells that no study has the id.
	ErrUnknownStudy = errors.New("unknown study")
	// ErrClosed tells that the recorder was closed.
	ErrClosed = errors.New("the trace recorder is closed")
	// ErrNoTime tells that a Context has no time.
	ErrNoTime = errors.New("interactions without a time")
	// ErrNoDriver tells that it is not known who drives, or that it is a guest.
	ErrNoDriver = errors.New("nobody knows who drives, or it is a guest; consent is a driver's own")
	// ErrOtherDriver tells that another driver has come since something was said.
	ErrOtherDriver = errors.New("another driver has come since this was said; it does not count")
	// ErrNotParked tells that consent is given in a parked car only.
	ErrNotParked = errors.New("the car is not parked; ask when it is")
	// ErrNotNow tells that a study cannot be consented to: it is over, called
	// back, older than one before, or another one is going on.
	ErrNotNow = errors.New("the study is not open to consent")
)

// Recorder keeps episodes in a directory while a driver consents to a study. Its
// methods may be called from several goroutines.
type Recorder struct {
	mu       sync.Mutex
	dir      string
	stopped  error
	newer    error // the directory is of a newer version: it stays stopped
	revoked  scenes.Revocations
	policies []*policy
	spools   []*spool  // of policies
	boxes    [2]outbox // of studies and of panels
	car      Car
	answers  []*scenes.Answer
	consents consents
	seen     marks // which answers were dismissed
	given    marks // which feedback was given
	damaged  bool
	user     uint64 // 0: a guest, or nobody knows
	turn     uint64 // which driver since Open, from 1 on; any change begins another
	wall     time.Time
	active   int // index of the policy that is recorded, -1 for none
	attempt  attempt
	firings  []*firing   // of watched cards, at most one each
	watches  atomic.Bool // the active policy watches cards; any goroutine
	n        Counters
	owed     error // why the disk does not have what was decided; tried again each Tick
	closed   bool
	chance   [8]byte
	weak     *weakness // nil, always in a car: see OpenWeakened
}

// Open opens the recorder on a directory, which need not exist: it is created by
// the first consent. A directory that could not be used (a file, not writable, no
// parent) is an error now, found without writing; one on a disk that is read-only
// for now is not. Consent given earlier holds once its driver is known. Segments
// whose consent no longer stands, by a withdrawal that was cut short or by another
// version of the card, are removed; what the disk refuses of it is Problem's, and
// tried again each Tick.
func Open(dir string, o Options) (*Recorder, error) {
	if err := usable(dir); err != nil {
		return nil, fmt.Errorf("trace directory %s: %w", dir, err)
	}
	if o.OutboxSegments == 0 {
		o.OutboxSegments = 1024
	}
	r := &Recorder{dir: dir, active: -1, turn: 1, newer: Newer(dir), consents: consents{dir: dir}, seen: marks{dir: dir, file: seenFile}, given: marks{dir: dir, file: givenFile}}
	for i, name := range []string{"outbox", "panel-outbox"} {
		r.boxes[i] = outbox{dir: filepath.Join(dir, name), most: o.OutboxSegments, random: r.random}
	}
	switch err := r.consents.read(); {
	case errors.Is(err, errConsents):
		r.damaged = true
	case err != nil:
		return nil, err
	}
	for _, s := range []*marks{&r.seen, &r.given} {
		if damaged, err := s.read(); err != nil {
			return nil, err
		} else if damaged {
			r.n.Torn++
		}
	}
	if r.newer == nil {
		clearStaged(dir)
	}
	r.take(o) // what the disk does not allow is tried again each Tick, see owed
	return r, nil
}

// random is a random number from the system.
func (r *Recorder) random() uint64 {
	rand.Read(r.chance[:])
	return binary.LittleEndian.Uint64(r.chance[:])
}

// Problem tells why nothing is recorded at all; nil: nothing is wrong.
func (r *Recorder) Problem() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.problem()
}

func (r *Recorder) problem() error {
	switch {
	case r.stopped != nil:
		return r.stopped
	case r.damaged:
		return errConsents
	}
	return r.owed
}

// Recording reports whether what the driver touches may be recorded now.
func (r *Recorder) Recording() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.recording()
}

func (r *Recorder) recording() bool { return r.active >= 0 && !r.closed }

// Counters returns what was done since Open.
func (r *Recorder) Counters() Counters {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.n
	c.Removed = r.boxes[0].removed + r.boxes[1].removed
	return c
}

// SetUser says who drives from now on; 0 is a guest or nobody known. A change
// ends recording at once: the open attempt is forgotten, and another driver's
// consent counts only for that driver.
func (r *Recorder) SetUser(user uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if user == r.user {
		return
	}
	r.user = user
	r.turn++
	r.forget()
	r.choose()
}

// Turn tells the present driver from those before and after, for a Context that is
// put together before it is used: what one did is not taken for another's.
func (r *Recorder) Turn() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.turn
}

// elses reports whether a context is of another driver's turn.
func (r *Recorder) elses(c Context) bool { return c.Turn != 0 && c.Turn != r.turn }

// Wall is the wall clock as the recorder was told it last; the zero Time: nobody
// vouches for one.
func (r *Recorder) Wall() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.wall
}

// forget drops the open attempts.
func (r *Recorder) forget() {
	for _, f := range r.firings {
		if f.begun() {
			r.n.Dropped++
		}
	}
	r.firings = nil
	if r.attempt.open() {
		r.n.Dropped++
	}
	r.attempt.reset()
}

// choose finds the study that may be recorded now: of several to which the
// driver's yes holds, since one of them was not in the car for a while, that of
// the newest yes. A change of it forgets the open attempt.
func (r *Recorder) choose() {
	was, newest := r.active, -1
	r.active = -1
	for i, p := range r.policies {
		if r.user == 0 || r.closedTo(p.study) != "" || !r.consents.holds(p.study, r.user, r.wall) {
			continue
		}
		if at := r.consents.index(p.study.ID, r.user); at > newest {
			r.active, newest = i, at
		}
	}
	if r.active != was {
		r.forget()
	}
	r.watches.Store(r.active >= 0 && len(r.policies[r.active].cards) > 0)
}

// closedTo says why a study is not open now; empty: it is.
func (r *Recorder) closedTo(s *scenes.Study) string {
	switch {
	case r.stopped != nil:
		return "stopped"
	case r.revoked.Has(s):
		return "revoked"
	case s.Version < r.consents.newest(s.ID):
		return "older"
	case r.wall.IsZero():
		return "no_clock"
	case r.wall.Before(s.From):
		return "early"
	case !r.wall.Before(s.Until):
		return "over"
	}
	return ""
}

// Record takes a batch of interactions that arrived together: their times within
// the batch are all c.Now. It returns how many were recorded: none without
// consent, or of a driver before, which is no error and writes nothing, and none that belong to no task
// of the study. An attempt at a task begins with its start and ends with its end,
// when its screens are left, after a gap above 30 s, or if c.Now went back. The
// error is the first of those of attempts that could not be written; what was
// recorded counts all the same.
func (r *Recorder) Record(batch []Interaction, c Context) (accepted int, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.closed:
		return 0, ErrClosed
	case c.Now.IsZero():
		return 0, ErrNoTime
	}
	r.wall = c.Wall
	r.choose()
	if r.active < 0 || r.elses(c) {
		r.n.Refused += uint64(len(batch))
		return 0, nil
	}
	err = r.endIfOver(c.Now)
	for i := range batch {
		took, failed := r.touch(&batch[i], c)
		if took {
			accepted++
			r.n.Accepted++
		}
		if err == nil {
			err = failed
		}
	}
	return accepted, err
}

// touch takes one interaction into the open attempt, or into a new one if a task
// starts with it. The error is that of an attempt that ended and could not be
// written; the interaction is taken all the same.
func (r *Recorder) touch(in *Interaction, c Context) (took bool, err error) {
	p := r.policies[r.active]
	at, terms := p.place(in.Screen, in.Element, c.Wall)
	if r.attempt.open() && !r.attempt.task.covers(at) {
		err = r.finish(EndLeft)
	}
	if !r.attempt.open() {
		i, starts := p.starts[at]
		if !starts {
			r.n.Outside++
			return false, err
		}
		r.attempt.begin(p, &p.tasks[i], c)
	}
	if at.screen == other || at.elem == other {
		r.n.Other++
	}
	r.weak.time(&r.attempt, c.Now)
	r.attempt.add(in, at, terms, c)
	if at == r.attempt.task.end && (at != r.attempt.task.start || r.attempt.touches() > 1) {
		err = errors.Join(err, r.finish(EndReached))
	}
	return true, err
}

// Tick is what time brings: an attempt whose last touch is more than 30 s ago
// ends, and a card's that can be taken back no more, a study that is over is not
// recorded any more, what the disk did not take before is tried again, and what is
// due goes into the outbox.
func (r *Recorder) Tick(c Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return ErrClosed
	}
	r.wall = c.Wall
	r.choose()
	err := errors.Join(r.endIfOver(c.Now), r.endFirings(c.Now))
	if r.owed = r.settle(); r.owed != nil { // nothing leaves before
		return errors.Join(err, r.owed)
	}
	return errors.Join(err, r.releaseDue())
}

// Close forgets the open attempt, which nobody has ended. Consent stays given.
func (r *Recorder) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	r.forget()
	return nil
}

// endIfOver ends the open attempt if an event at now would not belong to it.
func (r *Recorder) endIfOver(now time.Time) error {
	how, over := r.attempt.over(now)
	if !over {
		return nil
	}
	if how == EndClock {
		r.n.ClockSteps++
	}
	return r.finish(how)
}
