package trace

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// finish ends the open attempt.
func (r *Recorder) finish(how Ending) error {
	defer r.attempt.reset()
	return r.end(r.attempt.finish(how), r.attempt.weekEnd)
}

// end ends an attempt, of touches or of a card: its episode is held against the
// dictionary, and written if the draw makes it the one of its task and week.
func (r *Recorder) end(ep *Episode, weekEnd time.Time) error {
	r.n.Attempts++
	p, s := r.policies[r.active], r.spools[r.active]
	if s.panel {
		return r.finishPanel(s, ep)
	}
	switch r.weak.gate(p, ep, r.random) {
	case gateDropped:
		r.n.Gated++
		return nil
	case gateCut:
		r.n.Cut++
	}
	key := r.random()
	if ep.Week <= s.closed {
		r.n.NotSampled++
		return nil
	}
	if i := s.slot(ep.Task, ep.Week); i >= 0 && s.list[i].key >= key {
		r.n.NotSampled++
		return nil
	}
	return r.kept(r.keep(s, ep, key, weekEnd, nil))
}

// finishPanel keeps an attempt of a test driver as it is, under the pseudonym of
// the driver's consent.
func (r *Recorder) finishPanel(s *spool, ep *Episode) error {
	if len(s.list) >= maxPanel {
		r.n.NotSampled++
		return nil
	}
	d, _ := r.consents.latest(r.policies[r.active].study.ID, r.user)
	return r.kept(r.keep(s, ep, r.random(), r.wall, &d.Driver))
}

// kept counts what became of an episode.
func (r *Recorder) kept(err error) error {
	if err != nil {
		r.n.Lost++
		return r.trouble("write an episode", err)
	}
	r.n.Episodes++
	return nil
}

// keep writes an episode under a fresh id, to leave at a random time after from.
func (r *Recorder) keep(s *spool, ep *Episode, key uint64, from time.Time, driver *Pseudonym) error {
	rand.Read(ep.EID[:])
	r.weak.id(ep)
	text := unsignedText
	if r.policies[r.active].study.Signed {
		text = signedText
	}
	segment, err := newSegment(text, ep, driver)
	if err != nil {
		return err
	}
	delay := time.Duration(r.random() % uint64(maxDelay))
	e := entry{user: r.user, key: key, due: from.Add(delay).Unix(), ep: *ep}
	segment = r.weak.bare(&e, segment, from, r.wall)
	e.ep.Ev = slices.Clone(ep.Ev) // the attempt's own is used again
	return s.add(e, segment)
}

// wipeUnwanted removes the segments of studies whose driver has not consented to
// exactly this card, and all of studies that were called back or are asked no
// more. All of it is tried.
func (r *Recorder) wipeUnwanted() error {
	var errs []error
	for i, s := range r.spools {
		study := r.policies[i].study
		errs = append(errs, s.remove(func(e *entry) bool {
			return r.revoked.Has(study) || int(e.ep.Policy) != study.Version || !r.consents.stands(study, e.user)
		}))
	}
	errs = append(errs, r.given.remove(func(m *mark) bool {
		d, _ := r.consents.latest(m.study(), m.user)
		return !d.Given // a withdrawal that was cut short
	}))
	return errors.Join(errors.Join(errs...), r.removeStrangers())
}

// trouble says where something went wrong; nil stays nil.
func (r *Recorder) trouble(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("trace directory %s: %s: %w", r.dir, what, err)
}

// settle tries again what the disk did not take: decisions, and what is to be
// removed.
func (r *Recorder) settle() error {
	var err error
	if r.consents.unsaved {
		err = r.save()
	}
	if r.given.unsaved {
		err = errors.Join(err, r.given.save(r.given.list))
	}
	for _, s := range r.spools {
		err = errors.Join(err, s.sweep())
	}
	if r.owed != nil && r.stopped == nil {
		err = errors.Join(err, r.removeStrangers())
	}
	return r.trouble("settle what was decided", err)
}

// removeStrangers removes the spools of studies that are no longer asked.
func (r *Recorder) removeStrangers() (err error) {
	for _, top := range spoolTops {
		top = filepath.Join(r.dir, top)
		entries, readErr := os.ReadDir(top)
		if !errors.Is(readErr, fs.ErrNotExist) {
			err = errors.Join(err, readErr)
		}
		for _, e := range entries {
			dir := filepath.Join(top, e.Name())
			if e.IsDir() && !slices.ContainsFunc(r.spools, func(s *spool) bool { return s.dir == dir }) {
				err = errors.Join(err, removeSegments(dir))
			}
		}
	}
	return err
}

// removeSegments removes the files of a spool but for its closed week.
func removeSegments(dir string) error {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if e.Name() != closedFile && !e.IsDir() {
			err = errors.Join(err, os.Remove(filepath.Join(dir, e.Name())))
		}
	}
	return err
}

// boxOf is the index of a spool's outbox: panels have one of their own.
func boxOf(s *spool) int {
	if s.panel {
		return 1
	}
	return 0
}

// releaseDue moves what is due into the outbox.
func (r *Recorder) releaseDue() error {
	if r.wall.IsZero() || r.stopped != nil {
		return nil
	}
	for _, s := range r.spools {
		for {
			due, err := s.release(r.wall, &r.boxes[boxOf(s)], &r.n)
			if err != nil {
				return r.trouble("release a segment", err)
			}
			if !due {
				break
			}
		}
	}
	return nil
}
