package trace

import (
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"vignette/scenes"
)

// Offer is a study as the present driver sees it.
type Offer struct {
	Study *scenes.Study
	// State is on (consented and recorded), off (can be consented to), changed
	// (the driver said yes to another version, and is asked again), expired (the
	// driver's yes has run out), busy (another study is on), guest, or why it is
	// closed: stopped, revoked, older, no_clock, early, over.
	State string
	Until time.Time // on: when the driver's yes runs out
}

// Status is what the HMI shows all the time.
type Status struct {
	Study      string // that is recorded, or else the first one that can be consented to; empty: there is none
	Recording  bool
	Problem    string // why nothing is recorded at all; empty: nothing is wrong
	NewAnswers int    // that the driver has not dismissed and did not ask to be left alone with
}

// Status returns the present one.
func (r *Recorder) Status() Status {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := Status{Study: r.study(), Recording: r.recording()}
	if err := r.problem(); err != nil {
		s.Problem = err.Error()
	}
	for _, t := range r.told() {
		if !t.Seen && !t.Quiet {
			s.NewAnswers++
		}
	}
	return s
}

// Study returns the id of the study that is recorded, or else of the first one
// that can be consented to; empty: there is none.
func (r *Recorder) Study() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.study()
}

func (r *Recorder) study() string {
	offers := r.offers()
	for _, state := range []string{"on", "changed", "expired", "off"} {
		if i := slices.IndexFunc(offers, func(o Offer) bool { return o.State == state }); i >= 0 {
			return offers[i].Study.ID
		}
	}
	return ""
}

// Studies are all studies, by id.
func (r *Recorder) Studies() []Offer {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.offers()
}

func (r *Recorder) offers() (list []Offer) {
	for i := range r.policies {
		o := Offer{Study: r.policies[i].study}
		d, decided := r.consents.latest(o.Study.ID, r.user)
		o.State = r.closedTo(o.Study)
		switch {
		case o.State != "":
		case r.user == 0:
			o.State = "guest"
		case i == r.active:
			o.State, o.Until = "on", d.Until
		case r.active >= 0:
			o.State = "busy"
		case decided && d.Given && d.SHA256 != o.Study.SHA256:
			o.State = "changed"
		case decided && d.Given:
			o.State = "expired"
		default:
			o.State = "off"
		}
		list = append(list, o)
	}
	return list
}

// find returns the index of a study.
func (r *Recorder) find(study string) (int, error) {
	if r.closed {
		return 0, ErrClosed
	}
	i := slices.IndexFunc(r.policies, func(p *policy) bool { return p.study.ID == study })
	if i < 0 && r.stopped != nil {
		return 0, fmt.Errorf("%w: %w", ErrNotNow, r.stopped)
	} else if i < 0 {
		return 0, fmt.Errorf("%w %q", ErrUnknownStudy, study)
	}
	return i, nil
}

// GiveConsent is the present driver's yes to a study, in a parked car: it is
// durable when it returns, and holds until the study's end, but no longer than
// scenes.ConsentWeeks. It is no error to give it twice. One study goes on at a
// time.
func (r *Recorder) GiveConsent(study string, c Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	i, err := r.find(study)
	if err != nil {
		return err
	}
	r.wall = c.Wall
	r.choose()
	s := r.policies[i].study
	switch why := r.closedTo(s); {
	case r.elses(c):
		return ErrOtherDriver
	case r.user == 0:
		return ErrNoDriver
	case why != "":
		return fmt.Errorf("%w: %s", ErrNotNow, closedWords[why])
	case !c.Parked:
		return ErrNotParked
	case r.active == i:
		return nil
	case r.active >= 0:
		return fmt.Errorf("%w: one question at a time; %s is still going on", ErrNotNow, r.policies[r.active].study.ID)
	}
	until := c.Wall.AddDate(0, 0, 7*scenes.ConsentWeeks)
	if s.Until.Before(until) {
		until = s.Until
	}
	d := Decision{Study: s.ID, Version: s.Version, SHA256: s.SHA256, User: r.user, Given: true, At: seconds(c.Wall), Until: seconds(until)}
	if s.Panel {
		rand.Read(d.Driver[:])
	}
	if err := r.decide(d); err != nil {
		return err
	}
	r.choose()
	return nil
}

// closedWords say why a study is closed.
var closedWords = map[string]string{
	"stopped":  "recording is stopped",
	"revoked":  "the manufacturer has called it back",
	"older":    "it is an older version than one that was decided on",
	"no_clock": "nobody vouches for the wall clock, so nobody knows whether it is still going on",
	"early":    "it has not begun",
	"over":     "it is over",
}

// seconds is a time as decisions have it.
func seconds(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

func (r *Recorder) decide(d Decision) error {
	if err := r.consents.add(d, r.damaged); err != nil {
		return err
	}
	r.damaged = false
	return nil
}

// save writes the decisions that the disk did not take before.
func (r *Recorder) save() error {
	if err := r.consents.save(r.consents.list, r.damaged); err != nil {
		return err
	}
	r.damaged = false
	return nil
}

// WithdrawConsent is the present driver's no, at any time and while driving too:
// the decision is made durable first, then the driver's segments that have not
// left are removed and the open attempt is forgotten, before it returns. If that
// fails, recording is off all the same, nothing leaves, and the error tells what is
// left; each Tick and the next Open try again. A study that is no longer asked can
// be taken back too.
func (r *Recorder) WithdrawConsent(study string, c Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	d, decided := r.consents.latest(study, r.user)
	i, err := r.find(study)
	switch {
	case errors.Is(err, ErrClosed):
		return err
	case r.user == 0:
		return ErrNoDriver
	case err != nil && !decided:
		return err
	case !d.Given:
		return nil // nothing to take back
	}
	if err == nil && r.active == i {
		r.attempt.reset()
		r.firings = nil
	}
	d.Given, d.At, d.Until, d.Driver = false, time.Time{}, time.Time{}, Pseudonym{}
	if !c.Wall.IsZero() {
		d.At = seconds(c.Wall)
	}
	saved := r.decide(d)
	if saved != nil {
		r.consents.remember(d)
	}
	r.choose()
	wiped := errors.Join(r.wipe(study), r.given.remove(func(m *mark) bool { return m.user == r.user && m.study() == study }))
	if r.consents.unsaved {
		saved = r.save() // what was wiped may have made room
	}
	if err = errors.Join(saved, wiped); err != nil {
		r.owed = fmt.Errorf("withdraw consent: %w", err)
		return r.owed
	}
	return nil
}

// wipe removes the present driver's segments of a study.
func (r *Recorder) wipe(study string) error {
	i := slices.IndexFunc(r.policies, func(p *policy) bool { return p.study.ID == study })
	if i >= 0 {
		return r.spools[i].remove(func(e *entry) bool { return e.user == r.user })
	}
	var errs []error
	for _, top := range spoolTops {
		s := &spool{dir: filepath.Join(r.dir, top, study)}
		_, err := s.open()
		errs = append(errs, err, s.remove(func(e *entry) bool { return e.user == r.user }))
	}
	return errors.Join(errs...)
}

// ConsentHistory are the present driver's decisions, the newest last.
func (r *Recorder) ConsentHistory() []Decision {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []Decision
	for _, d := range r.consents.list {
		if d.User == r.user && r.user != 0 {
			list = append(list, d)
		}
	}
	return list
}
