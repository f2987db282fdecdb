package trace

import (
	"errors"
	"slices"

	"vignette/scenes"
)

// Reload has the recorder go on with other studies, answers and revocations. A
// study whose card is the same, byte for byte, goes on undisturbed: what waits of
// it stays, and the open attempt goes on. What waits of another text of a study,
// of one that is called back and of one that is gone is removed. With o.Stopped
// recording stops at once and what waits stays; the studies before are what they
// were when a further Reload takes them again. What the disk does not allow is
// returned and tried again each Tick; nothing leaves before.
func (r *Recorder) Reload(o Options) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return ErrClosed
	}
	return r.take(o)
}

// take is Reload; the caller holds mu.
func (r *Recorder) take(o Options) error {
	if r.newer != nil {
		o.Stopped = r.newer
	}
	if o.Stopped != nil {
		r.stop(o.Stopped)
		return nil
	}
	spools, err := r.openSpools(o.Studies)
	r.adopt(&o, spools)
	r.owed = r.trouble("read what waits", errors.Join(err, r.wipeUnwanted()))
	r.choose()
	return r.owed
}

// stop records and releases nothing from now on.
func (r *Recorder) stop(why error) {
	r.stopped = why
	r.choose()
}

// openSpools returns the spools of studies: the ones there are, and new ones with
// what waits in them. All of it is tried.
func (r *Recorder) openSpools(studies []*scenes.Study) ([]*spool, error) {
	var list []*spool
	var errs []error
	for _, study := range studies {
		s := newSpool(r.dir, study.ID, study.Panel)
		if i := slices.IndexFunc(r.spools, func(o *spool) bool { return o.dir == s.dir }); i >= 0 {
			list = append(list, r.spools[i])
			continue
		}
		torn, err := s.open()
		r.n.Torn += uint64(torn)
		list, errs = append(list, s), append(errs, err)
	}
	return list, errors.Join(errs...)
}

// adopt takes other options over. The policy of a card that is the same stays,
// since the open attempt is within it.
func (r *Recorder) adopt(o *Options, spools []*spool) {
	var active *policy
	if r.active >= 0 {
		active = r.policies[r.active]
	}
	var next []*policy
	for _, s := range o.Studies {
		i := slices.IndexFunc(r.policies, func(p *policy) bool {
			return p.study.ID == s.ID && p.study.SHA256 == s.SHA256 && p.study.Signed == s.Signed && r.car == o.Car
		})
		if i >= 0 {
			next = append(next, r.policies[i])
		} else {
			next = append(next, newPolicy(s, o.Car))
		}
	}
	r.stopped, r.revoked, r.car, r.answers = nil, o.Revoked, o.Car, o.Answers
	r.policies, r.spools = next, spools
	if r.active = slices.Index(next, active); r.active < 0 {
		r.forget()
	}
}
