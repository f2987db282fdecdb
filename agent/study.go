package agent

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"vignette/scenes/engine"
	words "vignette/scenes/explain"
	"vignette/ui-bridge/trace"
)

// errNoTraces tells that there is no directory for traces.
var errNoTraces = errors.New("this agent keeps no traces: its configuration names no directory")

// studies is the recorder of interaction traces with what tells it of time and
// decisions, so that the loop never waits for the disk on its behalf. nil: no
// traces.
type studies struct {
	*trace.Recorder
	files studyFiles
	news  chan news
	lost  atomic.Uint64 // records that found news full
	wg    sync.WaitGroup
}

// news is that time has passed, or a record of the decision log. Both come by one
// channel, in their order: a minute that has passed cannot overtake a hand within it.
type news struct {
	trace.Context
	user uint64
	rec  engine.Record // What means nothing where N is 0: time has passed
}

// maxNews bounds what waits for a recorder that waits for the disk.
const maxNews = 256

// openStudies opens the recorder. A study card that is refused stops recording,
// not the agent: cards for the driver go on.
func (a *agent) openStudies() error {
	c := a.config
	if c.Traces == "" {
		return nil
	}
	s := &studies{files: studyFiles{config: c, log: a.log}, news: make(chan news, maxNews)}
	var err error
	if s.Recorder, err = trace.Open(c.Traces, s.files.read()); err != nil {
		return err
	}
	if err := s.Problem(); err != nil {
		a.log.Error("recording of traces is stopped", "error", err)
	}
	s.wg.Go(func() {
		for n := range s.news {
			if err := s.take(&n); err != nil {
				a.log.Error("writing traces", "error", err)
			}
			a.bridge.TracesChanged()
		}
	})
	a.recorder = s
	a.closers = append(a.closers, s)
	return nil
}

// take tells the recorder.
func (s *studies) take(n *news) error {
	if n.rec.N == 0 {
		return s.Tick(n.Context)
	}
	return s.Decided(&n.rec, n.user, n.Context)
}

// Close ends the telling and the recorder.
func (s *studies) Close() error {
	close(s.news)
	s.wg.Wait()
	return s.Recorder.Close()
}

// moment is what the car knows now; the loop's goroutine asks.
func (a *agent) moment() trace.Context {
	now := a.stamp()
	c := trace.Context{Now: time.Unix(0, now), Wall: a.vouched(), Parked: a.parked()}
	if a.speed >= 0 {
		v := a.monitor.Value(a.speed, now)
		c.SpeedKmh, c.SpeedKnown = v.Num, v.Kind != engine.None
	}
	if a.auto >= 0 {
		c.Auto = a.prog.Vehicle.Assistance.Level(a.monitor.Value(a.auto, now).Text)
	}
	return c
}

// vouched is the wall clock if somebody vouches for it, else the zero time. On
// a desk (--unsigned) a recording vouches for its own times, and the machine for
// those of live buses.
func (a *agent) vouched() time.Time {
	if wall, offset, ok := a.pump.State().Wall(); ok {
		return time.Unix(0, wall).In(time.FixedZone("", int(offset)))
	}
	switch {
	case !a.config.Unsigned:
		return time.Time{}
	case a.config.Source.Log != "":
		return time.Unix(0, a.stamp()).UTC()
	}
	return time.Now()
}

// tickStudies tells the recorder that time has passed; one that is still busy
// hears it the next time.
func (a *agent) tickStudies(m map[string]uint64) {
	if a.recorder == nil {
		return
	}
	select {
	case a.recorder.news <- news{Context: a.moment()}:
	default:
	}
	t := a.recorder.Counters()
	m["decisions_unwatched"] = a.recorder.lost.Load()
	m["interactions"], m["interactions_refused"], m["interactions_outside"], m["interactions_other"] = t.Accepted, t.Refused, t.Outside, t.Other
	m["attempts"], m["attempts_gated"], m["attempts_cut"], m["attempts_not_sampled"], m["attempts_dropped"] = t.Attempts, t.Gated, t.Cut, t.NotSampled, t.Dropped
	m["attempts_clock_steps"] = t.ClockSteps
	m["feedback"], m["feedback_refused"] = t.Feedback, t.FeedbackRefused
	m["episodes"], m["episodes_lost"], m["episodes_released"], m["episodes_removed"], m["episodes_torn"] = t.Episodes, t.Lost, t.Released, t.Removed, t.Torn
}

// tellStudies gives the recorder the records that tell whether a card's deed was
// taken back, if its study watches cards.
func (a *agent) tellStudies(records []engine.Record) {
	if a.recorder == nil || !a.recorder.WatchesCards() {
		return
	}
	c := a.moment()
	for i := range records {
		switch r := &records[i]; r.What {
		case engine.Fired, engine.Confirmed, engine.Acted, engine.Failed, engine.Override, engine.User:
			c.Now = time.Unix(0, r.T)
			select {
			case a.recorder.news <- news{c, a.pump.State().User(), *r}:
			default:
				a.recorder.lost.Add(1)
			}
		}
	}
}

// The methods of uibridge.Studies.

// Consent gives or withdraws consent for a study. A no waits for nothing: neither
// for a loop that is busy, nor for a driver to come who did not say it.
func (a *agent) Consent(study string, yes bool) error {
	if a.recorder == nil {
		return errNoTraces
	}
	if yes {
		return a.driverSays(func(now trace.Context) error { return a.recorder.GiveConsent(study, now) })
	}
	defer a.tellOfTraces()
	return a.recorder.WithdrawConsent(study, trace.Context{Wall: a.recorder.Wall()})
}

// driverSays tells the recorder what the driver says at this moment, and watchers
// what is different by it.
func (a *agent) driverSays(say func(now trace.Context) error) error {
	if a.recorder == nil {
		return errNoTraces
	}
	now, err := a.momentOfLoop()
	if err != nil {
		return err
	}
	defer a.tellOfTraces()
	return say(now)
}

// momentOfLoop asks the loop for the moment, of the driver who drives when it is
// asked: another may have come when it answers.
func (a *agent) momentOfLoop() (now trace.Context, err error) {
	turn := a.recorder.Turn()
	err = a.do(func() error {
		now = a.moment()
		return nil
	})
	now.Turn = turn
	return now, err
}

// Interactions records what the driver touched, if there is consent.
func (a *agent) Interactions(batch []trace.Interaction) (int, error) {
	if a.recorder == nil {
		return 0, nil
	}
	now, err := a.momentOfLoop()
	if err != nil {
		return 0, err
	}
	n, err := a.recorder.Record(batch, now)
	if err != nil {
		a.log.Error("writing traces", "error", err)
	}
	return n, err
}

// TraceStatus is what the HMI shows all the time.
func (a *agent) TraceStatus() trace.Status {
	if a.recorder == nil {
		return trace.Status{}
	}
	return a.recorder.Status()
}

// Answers are the answers to the present driver, and whether the car is parked.
func (a *agent) Answers() ([]trace.Told, bool, error) {
	if a.recorder == nil {
		return nil, false, errNoTraces
	}
	now, err := a.momentOfLoop()
	if err != nil {
		return nil, false, err
	}
	return a.recorder.Answers(), now.Parked, nil
}

// AnswerSeen notes that the present driver has dismissed an answer.
func (a *agent) AnswerSeen(id string) error {
	if a.recorder == nil {
		return errNoTraces
	}
	defer a.tellOfTraces()
	return a.recorder.AnswerSeen(id)
}

// Feedback is what the present driver can be asked, and whether the car is parked.
func (a *agent) Feedback() ([]trace.Ask, bool, error) {
	if a.recorder == nil {
		return nil, false, errNoTraces
	}
	now, err := a.momentOfLoop()
	if err != nil {
		return nil, false, err
	}
	return a.recorder.Feedback(now), now.Parked, nil
}

// GiveFeedback is what the present driver says when asked.
func (a *agent) GiveFeedback(study, name, choice string) error {
	return a.driverSays(func(now trace.Context) error { return a.recorder.GiveFeedback(study, name, choice, now) })
}

// tellOfTraces has watchers told what is different about traces. Any goroutine
// but the loop's may call it: it waits for the loop, before which there is no
// bridge, and not for the disk on the loop's behalf.
func (a *agent) tellOfTraces() {
	if a.recorder == nil {
		return
	}
	if err := a.do(func() error { return nil }); err == nil {
		a.bridge.TracesChanged()
	}
}

// Offers are the studies as the present driver sees them.
func (a *agent) Offers() ([]trace.Offer, error) {
	if a.recorder == nil {
		return nil, errNoTraces
	}
	return a.recorder.Studies(), nil
}

// ExplainStudy puts a study into words for the driver.
func (a *agent) ExplainStudy(study, lang string) (string, error) {
	list, err := a.Offers()
	if err != nil {
		return "", err
	}
	l, err := words.ParseLanguage(lang)
	if err != nil {
		return "", err
	}
	for _, o := range list {
		if o.Study.ID == study {
			return words.Study(o.Study, l), nil
		}
	}
	return "", fmt.Errorf("%w %q", trace.ErrUnknownStudy, study)
}

// ConsentHistory are the present driver's decisions.
func (a *agent) ConsentHistory() ([]trace.Decision, error) {
	if a.recorder == nil {
		return nil, errNoTraces
	}
	return a.recorder.ConsentHistory(), nil
}

// Traces are the present driver's traces that have not left the car.
func (a *agent) Traces() ([]trace.Trace, error) {
	if a.recorder == nil {
		return nil, errNoTraces
	}
	return a.recorder.Traces(), nil
}

// ShowTrace shows a trace in words and in the bytes that would leave.
func (a *agent) ShowTrace(id string) (text string, segment []byte, err error) {
	if a.recorder == nil {
		return "", nil, errNoTraces
	}
	return a.recorder.ShowTrace(id)
}

// DeleteTrace removes a trace for good.
func (a *agent) DeleteTrace(id string) error {
	if a.recorder == nil {
		return errNoTraces
	}
	return a.recorder.DeleteTrace(id)
}
