package trace

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"vignette/scenes"
)

// ErrUnknownAnswer tells that the present driver has no such answer.
var ErrUnknownAnswer = errors.New("no such answer to the present driver")

// Told is an answer to the present driver.
type Told struct {
	Answer *scenes.Answer
	Seen   bool // the driver has dismissed these words
	Quiet  bool // it is there to be found, and is not announced: the driver has taken the consent back, or it answers feedback that the driver did not give
	Yours  bool // it answers feedback that the driver gave
	// Weeks is how many whole weeks went by from the Monday of the week of the driver's
	// feedback, or else of the driver's yes, to the answer's date; -1: nobody knows.
	Weeks int
}

// Answers are what studies have led to that the present driver took part in, by
// id: those that the car's HMI build has, also to who has withdrawn since. There
// are none for a guest, and none while recording is stopped.
func (r *Recorder) Answers() []Told {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.told()
}

// told is Answers; the caller holds mu.
func (r *Recorder) told() (list []Told) {
	if r.user == 0 || r.stopped != nil {
		return nil
	}
	for _, a := range r.answers {
		if r.revoked.HasAnswer(a) || !a.At(r.car.Build) || a.Version < r.seen.newest(a.ID) || !r.consents.tookPart(a, r.user) {
			continue
		}
		d, _ := r.consents.latest(a.Study, r.user)
		since := r.given.firstGiven(a, r.user)
		t := Told{Answer: a, Seen: r.seen.has(a, r.user), Yours: !since.IsZero(), Weeks: -1}
		t.Quiet = !d.Given || len(a.Feedback) > 0 && !t.Yours
		if since.IsZero() {
			since = r.consents.firstYes(a, r.user)
		}
		if !since.IsZero() && !since.After(a.Date) {
			t.Weeks = int(a.Date.Sub(since) / week)
		}
		list = append(list, t)
	}
	return list
}

const week = 7 * 24 * time.Hour

// firstYes is the Monday of the week in which a driver first said yes to what an
// answer answers; zero: nobody knows.
func (c *consents) firstYes(a *scenes.Answer, user uint64) time.Time {
	i := slices.IndexFunc(c.list, func(d Decision) bool { return d.User == user && d.Given && a.Answers(d.Study, d.Version) })
	if i < 0 {
		return time.Time{}
	}
	first, _ := calendar(c.list[i].At)
	return weekStart(first)
}

// tookPart reports whether a driver has ever said yes to what an answer answers;
// a withdrawal is of such a yes.
func (c *consents) tookPart(a *scenes.Answer, user uint64) bool {
	return slices.ContainsFunc(c.list, func(d Decision) bool { return d.User == user && a.Answers(d.Study, d.Version) })
}

// AnswerSeen notes that the present driver has dismissed an answer; it is durable
// when it returns. It is no error to dismiss one twice.
func (r *Recorder) AnswerSeen(id string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	list := r.told()
	i := slices.IndexFunc(list, func(t Told) bool { return t.Answer.ID == id })
	switch {
	case r.closed:
		return ErrClosed
	case r.user == 0:
		return ErrNoDriver
	case i < 0:
		return fmt.Errorf("%w: %q", ErrUnknownAnswer, id)
	case list[i].Seen:
		return nil
	}
	return r.seen.addSeen(list[i].Answer, r.user, r.answers)
}

// newest is the highest version of an answer that anybody dismissed: no card
// below it counts any more.
func (s *marks) newest(answer string) (version int) {
	for i := range s.list {
		if s.list[i].of == answer {
			version = max(version, s.list[i].n)
		}
	}
	return version
}

// has reports whether a driver has dismissed the words of an answer.
func (s *marks) has(a *scenes.Answer, user uint64) bool {
	return slices.ContainsFunc(s.list, func(m mark) bool { return m.of == a.ID && m.user == user && m.what == a.Words })
}

// addSeen makes a mark durable, one an answer and driver. Of too many one goes
// that is of no answer in the car.
func (s *marks) addSeen(a *scenes.Answer, user uint64, inCar []*scenes.Answer) error {
	list := slices.DeleteFunc(slices.Clone(s.list), func(m mark) bool { return m.of == a.ID && m.user == user })
	list = append(list, mark{a.ID, a.Version, a.Words, user})
	if len(list) > maxMarks {
		i := slices.IndexFunc(list, func(m mark) bool {
			return !slices.ContainsFunc(inCar, func(a *scenes.Answer) bool { return a.ID == m.of })
		})
		if i < 0 {
			return fmt.Errorf("%d dismissed answers are kept already, each of an answer that is in the car", maxMarks)
		}
		list = slices.Delete(list, i, i+1)
	}
	return s.save(list)
}
