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
		return fmt.Errorf("trace directory %s: write an episode: %w", r.dir, err)
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
// exactly this card, and all of studies that were called back or are asked no more.
func (r *Recorder) wipeUnwanted() error {
	for i, s := range r.spools {
		study := r.policies[i].study
		err := s.remove(func(e *entry) bool {
			return r.revoked.Has(study) || int(e.ep.Policy) != study.Version || !r.consents.stands(study, e.user)
		})
		if err != nil {
			return fmt.Errorf("remove traces without consent: %w", err)
		}
	}
	return r.removeStrangers()
}

// removeStrangers removes the spools of studies that are no longer asked.
func (r *Recorder) removeStrangers() (err error) {
	for _, top := range spoolTops {
		top = filepath.Join(r.dir, top)
		entries, readErr := os.ReadDir(top)
		if errors.Is(readErr, fs.ErrNotExist) {
			continue
		}
		err = errors.Join(err, readErr)
		for _, e := range entries {
			dir := filepath.Join(top, e.Name())
			if !slices.ContainsFunc(r.spools, func(s *spool) bool { return s.dir == dir }) {
				err = errors.Join(err, removeSegments(dir))
			}
		}
	}
	return err
}

// removeSegments removes the segments of a spool; its closed week stays.
func removeSegments(dir string) error {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		if e.Name() != closedFile {
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
			moved, err := s.release(r.wall, &r.boxes[boxOf(s)])
			if err != nil {
				return fmt.Errorf("trace directory %s: release a segment: %w", r.dir, err)
			}
			if !moved {
				break
			}
			r.n.Released++
		}
	}
	return nil
}
