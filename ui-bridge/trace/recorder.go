// Package trace records how people use the HMI: with consent, coarsened before
// it reaches the disk, and in a form that holds no text, no place and no time of
// day. It follows docs/study-cards.md. This version knows one built-in demo
// study, whose segments are marked as not for release.
package trace

import (
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Interaction is one touch as the HMI reports it, by names of the study's
// elements. What the study does not list becomes "other"; no text of it is kept.
type Interaction struct {
	Screen, Element, Gesture, Outcome string
}

// Options bound what is kept. Zero values stand for the defaults.
type Options struct {
	SegmentBytes int64 // of one segment, at least 1 KiB; default 1 MiB
	SpoolBytes   int64 // of all segments, at least SegmentBytes; default 4 MiB
}

// Counters tell what the recorder did since Open.
type Counters struct {
	Accepted        uint64 // interactions recorded
	Refused         uint64 // interactions that came without consent
	Episodes        uint64 // episodes written
	EpisodesLost    uint64 // episodes that could not be written
	ClockSteps      uint64 // episodes ended because the caller's time went back
	SegmentsRemoved uint64 // oldest segments removed for the quota
}

var (
	// ErrUnknownStudy tells that no study has the id.
	ErrUnknownStudy = errors.New("unknown study")
	// ErrClosed tells that the recorder was closed.
	ErrClosed = errors.New("the trace recorder is closed")
	// ErrNoTime tells that a Context has no time.
	ErrNoTime = errors.New("interactions without a time")
)

// Recorder keeps episodes in a directory while a study has consent. Its methods
// may be called from several goroutines.
type Recorder struct {
	mu      sync.Mutex
	dir     string
	study   *study
	consent bool
	build   builder
	spool   spool
	n       Counters
	closed  bool
}

// Open opens the recorder on a directory, which need not exist: it is created by
// the first consent. A directory that could not be used (a file, not writable, no
// parent) is an error now, found without writing. Consent given earlier holds.
// Segments left without consent, by a withdrawal that was cut short, are removed.
func Open(dir string, o Options) (*Recorder, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	if err := usable(dir); err != nil {
		return nil, fmt.Errorf("trace directory %s: %w", dir, err)
	}
	consent, err := readConsent(dir, demo.id)
	if err != nil {
		return nil, err
	}
	files, err := listSegments(dir)
	if err != nil {
		return nil, fmt.Errorf("trace directory %s: %w", dir, err)
	}
	r := &Recorder{dir: dir, study: &demo, consent: consent,
		spool: spool{dir: dir, segmentBytes: o.SegmentBytes, spoolBytes: o.SpoolBytes, files: files}}
	if !consent && len(files) > 0 {
		if err := r.spool.wipe(); err != nil {
			return nil, fmt.Errorf("remove traces without consent: %w", err)
		}
	}
	return r, nil
}

func (o Options) withDefaults() (Options, error) {
	if o.SegmentBytes == 0 {
		o.SegmentBytes = 1 << 20
	}
	if o.SpoolBytes == 0 {
		o.SpoolBytes = max(4<<20, o.SegmentBytes)
	}
	if o.SegmentBytes < 1024 {
		return o, fmt.Errorf("trace segments of %d bytes: at least 1024 are needed", o.SegmentBytes)
	}
	if o.SpoolBytes < o.SegmentBytes {
		return o, fmt.Errorf("a trace spool of %d bytes is smaller than one segment of %d", o.SpoolBytes, o.SegmentBytes)
	}
	return o, nil
}

// Study returns the id of the study that can be consented to.
func (r *Recorder) Study() string { return r.study.id }

// Recording reports whether the study has consent.
func (r *Recorder) Recording() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.consent && !r.closed
}

// Counters returns what was done since Open.
func (r *Recorder) Counters() Counters {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.n
	c.SegmentsRemoved = r.spool.removed
	c.Episodes, c.EpisodesLost = c.Episodes-r.spool.lost, c.EpisodesLost+r.spool.lost
	return c
}

// GiveConsent starts recording for a study and makes the decision durable. It
// is no error to give it twice.
func (r *Recorder) GiveConsent(study string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.check(study); err != nil {
		return err
	}
	if r.consent {
		return nil
	}
	if err := writeConsent(r.dir, r.study.id); err != nil {
		return err
	}
	r.consent = true
	return nil
}

// WithdrawConsent stops recording for a study: the decision is made durable
// first, then all segments are removed and the open episode is forgotten, before
// it returns. If that fails, recording is off all the same and the error tells
// what is left; the next Open tries again.
func (r *Recorder) WithdrawConsent(study string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.check(study); err != nil {
		return err
	}
	r.consent = false
	r.build.reset()
	if err := errors.Join(removeConsent(r.dir), r.spool.wipe()); err != nil {
		return fmt.Errorf("withdraw consent: %w", err)
	}
	return nil
}

func (r *Recorder) check(study string) error {
	if r.closed {
		return ErrClosed
	}
	if study != r.study.id {
		return fmt.Errorf("%w %q: this version has %q only", ErrUnknownStudy, study, r.study.id)
	}
	return nil
}

// Record takes a batch of interactions that arrived together: their times within
// the batch are all c.Now. It returns how many were accepted: none without
// consent, which is no error and writes nothing. An episode ends after eight
// events, after a gap above 30 s, or if c.Now went back; it is then written, and
// synced before Record returns: once, however many episodes a batch ends. With an
// error, accepted counts those taken before it.
func (r *Recorder) Record(batch []Interaction, c Context) (accepted int, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return 0, ErrClosed
	}
	if !r.consent {
		r.n.Refused += uint64(len(batch))
		return 0, nil
	}
	if c.Now.IsZero() {
		return 0, ErrNoTime
	}
	if err := r.endIfOver(c.Now); err != nil {
		return 0, err
	}
	accepted, err = r.take(batch, c)
	return accepted, errors.Join(err, r.sync())
}

// take adds interactions to the open episode, and writes each that they fill.
func (r *Recorder) take(batch []Interaction, c Context) (accepted int, err error) {
	for _, in := range batch {
		r.build.add(r.study, in, c)
		accepted++
		r.n.Accepted++
		if r.build.full() {
			if err := r.flush(); err != nil {
				return accepted, err
			}
		}
	}
	return accepted, nil
}

// Tick ends and writes an open episode whose last event is more than 30 s
// before now, so that it does not wait for the next touch.
func (r *Recorder) Tick(now time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return ErrClosed
	}
	return errors.Join(r.endIfOver(now), r.sync())
}

// Close writes the open episode and closes the segment. Consent stays given.
func (r *Recorder) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil
	}
	r.closed = true
	var err error
	if r.build.open() {
		err = r.flush()
	}
	return errors.Join(err, r.spool.close())
}

// endIfOver writes the open episode if an event at now would not belong to it.
func (r *Recorder) endIfOver(now time.Time) error {
	if !r.build.ends(now) {
		return nil
	}
	if now.Before(r.build.at[r.build.n-1]) {
		r.n.ClockSteps++
	}
	return r.flush()
}

// sync makes the episodes written safe from power loss.
func (r *Recorder) sync() error {
	if err := r.spool.sync(); err != nil {
		return fmt.Errorf("trace directory %s: %w", r.dir, err)
	}
	return nil
}

// flush writes the open episode under a fresh id and forgets it.
func (r *Recorder) flush() error {
	ep := r.build.finish()
	rand.Read(ep.EID[:])
	err := r.spool.append(ep)
	r.build.reset()
	if err != nil {
		r.n.EpisodesLost++
		return fmt.Errorf("trace directory %s: %w", r.dir, err)
	}
	r.n.Episodes++
	return nil
}
