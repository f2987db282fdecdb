package trace

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"vignette/scenes"
)

var (
	// ErrNoConsent tells that the present driver has not said yes to the study, or
	// that the yes is over.
	ErrNoConsent = errors.New("the driver has not said yes to this study")
	// ErrUnknownFeedback tells that the study does not ask this, or has no such choice.
	ErrUnknownFeedback = errors.New("the study does not ask this")
	// ErrGiven tells that the driver has said so this week.
	ErrGiven = errors.New("given already in this week; each question counts once a week")
)

// Ask is what the present driver can be asked, see scenes.Task.Choices.
type Ask struct {
	Study string
	Task  *scenes.Task
	Given bool // by the driver, in this week
}

// Feedback is what the study that is recorded asks its driver: nothing without
// consent, and for a guest.
func (r *Recorder) Feedback(c Context) (list []Ask) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wall = c.Wall
	r.choose()
	if !r.recording() {
		return nil
	}
	p := r.policies[r.active]
	for i := range p.study.Tasks {
		if k := &p.study.Tasks[i]; p.asks(k, c.Wall) {
			list = append(list, Ask{p.study.ID, k, r.gave(k)})
		}
	}
	return list
}

// asks reports whether a task is a feedback, and what it is about is still
// registered.
func (p *policy) asks(k *scenes.Task, wall time.Time) bool {
	kind, target := k.About()
	screen, element, _ := strings.Cut(target, "/")
	at, _ := p.place(screen, element, wall)
	return len(k.Choices) > 0 && (kind != "element" || at.elem != other)
}

// gave reports whether the present driver has answered a question of the active
// study in this week: the mark tells, and, if a power loss took the mark, the
// segment.
func (r *Recorder) gave(k *scenes.Task) bool {
	p, s := r.policies[r.active], r.spools[r.active]
	week, _ := calendar(r.wall)
	of := feedbackName(p.study, k)
	return slices.ContainsFunc(r.given.list, func(m mark) bool { return m.of == of && m.n == int(week) && m.user == r.user }) ||
		slices.ContainsFunc(s.list, func(e entry) bool { return int(e.ep.Task) == k.ID && e.ep.Week == week && e.user == r.user })
}

// feedbackName is what a feedback's marks go by.
func feedbackName(s *scenes.Study, k *scenes.Task) string {
	return fmt.Sprintf("%s@%d/%s", s.ID, s.Version, k.Name)
}

// GiveFeedback is the present driver's choice when a study asks what they think of
// a card or a screen: in a parked car, with consent, once a week. It goes the way
// of an episode: through the dictionary, the draw of the week, the spool and the
// delay. It is durable when it returns.
func (r *Recorder) GiveFeedback(study, name, choice string, c Context) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.wall = c.Wall
	r.choose()
	k, as, err := r.mayGive(study, name, choice, c)
	if err != nil {
		r.n.FeedbackRefused++
		return err
	}
	p := r.policies[r.active]
	ep := p.newEpisode(&task{id: uint16(k.ID)}, c)
	ep.Auto = 0 // the car is parked
	ep.Ev = []Event{{Screen: uint16(k.Start.Screen), Elem: uint16(k.Start.Element), Gesture: uint8(scenes.Chosen + as.ID - 1), DT: DTFirst, Speed: SpeedParked, Out: outOK}}
	if err := r.end(&ep, weekEnd(c.Wall)); err != nil {
		return err
	}
	r.n.Feedback++
	if err := r.given.add(mark{feedbackName(p.study, k), int(ep.Week), as.Name, r.user}); err != nil {
		r.owed = r.trouble("note a feedback", err)
		return r.owed
	}
	return nil
}

// mayGive finds what is chosen, and refuses what may not be.
func (r *Recorder) mayGive(study, name, choice string, c Context) (*scenes.Task, *scenes.Choice, error) {
	i, err := r.find(study)
	if err != nil {
		return nil, nil, err
	}
	p := r.policies[i]
	at := slices.IndexFunc(p.study.Tasks, func(k scenes.Task) bool { return k.Name == name && p.asks(&k, c.Wall) })
	switch why := r.closedTo(p.study); {
	case r.elses(c):
		return nil, nil, ErrOtherDriver
	case r.user == 0:
		return nil, nil, ErrNoDriver
	case why != "":
		return nil, nil, fmt.Errorf("%w: %s", ErrNotNow, closedWords[why])
	case r.active != i:
		return nil, nil, ErrNoConsent
	case !c.Parked:
		return nil, nil, ErrNotParked
	case at < 0:
		return nil, nil, ErrUnknownFeedback // what was said instead is nobody's to keep
	}
	k := &p.study.Tasks[at]
	as := k.Choice(choice)
	if as == nil {
		return nil, nil, fmt.Errorf("%w: %s has no such choice", ErrUnknownFeedback, k.Name)
	} else if r.gave(k) {
		return nil, nil, ErrGiven
	}
	return k, as, nil
}

// forgetGiven has a trace's mark go with it.
func (r *Recorder) forgetGiven(p *policy, ep *Episode) error {
	return r.given.remove(func(m *mark) bool {
		_, name, _ := strings.Cut(m.of, "/")
		return m.user == r.user && m.n == int(ep.Week) && name == taskName(p.study, ep.Task) && m.study() == p.study.ID
	})
}

// study is that of a feedback's mark.
func (m *mark) study() string {
	study, _, _ := strings.Cut(m.of, "@")
	return study
}

// firstGiven is the Monday of the first week in which a driver gave feedback that
// an answer answers; zero: never, or after the answer's day.
func (s *marks) firstGiven(a *scenes.Answer, user uint64) (first time.Time) {
	for _, m := range s.list {
		of, name, _ := strings.Cut(m.of, "/")
		monday := weekStart(uint16(m.n))
		answered := slices.ContainsFunc(a.Versions, func(v int) bool { return of == fmt.Sprintf("%s@%d", a.Study, v) })
		if m.user == user && answered && a.AnswersFeedback(name, m.what) && !monday.After(a.Date) && (first.IsZero() || monday.Before(first)) {
			first = monday
		}
	}
	return first
}

// weekStart is the Monday of an ISO week, (year - 2000) * 100 + number, in UTC.
func weekStart(week uint16) time.Time {
	fourth := time.Date(2000+int(week)/100, time.January, 4, 0, 0, 0, 0, time.UTC) // it is in week 1
	return fourth.AddDate(0, 0, 7*(int(week)%100-1)-(int(fourth.Weekday())+6)%7)
}
