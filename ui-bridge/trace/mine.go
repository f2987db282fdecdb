package trace

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"time"
)

// ErrUnknownTrace tells that the present driver has no such trace.
var ErrUnknownTrace = errors.New("no such trace of the present driver; it may have left the car")

// Trace is one episode of the present driver that has not left the car.
type Trace struct {
	ID    string // of the episode, hexadecimal
	Study string
	Task  string
	Week  string // such as 2026-W10
	Due   time.Time
}

// Traces are the present driver's episodes that have not left, by study and id.
func (r *Recorder) Traces() []Trace {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []Trace
	r.mine(func(p *policy, s *spool, i int) bool {
		e := &s.list[i]
		list = append(list, Trace{ID: hex.EncodeToString(e.ep.EID[:]), Study: p.study.ID, Task: taskName(p.study, e.ep.Task),
			Week: weekName(e.ep.Week), Due: time.Unix(e.due, 0).UTC()})
		return true
	})
	sort.SliceStable(list, func(i, j int) bool {
		a, b := &list[i], &list[j]
		return cmp.Or(cmp.Compare(a.Study, b.Study), cmp.Compare(a.ID, b.ID)) < 0
	})
	return list
}

// mine calls yield with each of the present driver's segments until it returns
// false.
func (r *Recorder) mine(yield func(p *policy, s *spool, i int) bool) {
	for n, s := range r.spools {
		for i := range s.list {
			if r.user != 0 && s.list[i].user == r.user && !yield(r.policies[n], s, i) {
				return
			}
		}
	}
}

// findMine finds a trace by its id.
func (r *Recorder) findMine(id string) (p *policy, s *spool, i int, err error) {
	err = ErrUnknownTrace
	r.mine(func(pi *policy, si *spool, ii int) bool {
		if hex.EncodeToString(si.list[ii].ep.EID[:]) != id {
			return true
		}
		p, s, i, err = pi, si, ii, nil
		return false
	})
	return p, s, i, err
}

// ShowTrace puts a trace into words, and returns the exact bytes that would leave.
func (r *Recorder) ShowTrace(id string) (text string, segment []byte, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p, s, i, err := r.findMine(id)
	if err != nil {
		return "", nil, err
	}
	if segment, err = os.ReadFile(filepath.Join(s.dir, s.list[i].name())); err != nil {
		return "", nil, err
	}
	var b bytes.Buffer
	err = Put(&b, segment, p.study)
	return b.String(), segment, err
}

// DeleteTrace removes a trace for good.
func (r *Recorder) DeleteTrace(id string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return ErrClosed
	}
	p, s, i, err := r.findMine(id)
	if err != nil {
		return err
	}
	ep := s.list[i].ep
	if err := s.removeAt(i); err != nil {
		return fmt.Errorf("remove a trace: %w", err)
	}
	return r.forgetGiven(p, &ep)
}
