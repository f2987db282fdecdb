package agent

import (
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"vignette/scenes"
	words "vignette/scenes/explain"
	"vignette/scenes/sign"
	"vignette/ui-bridge/trace"
)

// errNoTraces tells that there is no directory for traces.
var errNoTraces = errors.New("this agent keeps no traces: its configuration names no directory")

// studies is the recorder of interaction traces with what ticks it, so that the
// loop never waits for the disk on its behalf. nil: no traces.
type studies struct {
	*trace.Recorder
	ticks chan trace.Context
	wg    sync.WaitGroup
}

// openStudies opens the recorder. A study card that is refused stops recording,
// not the agent: cards for the driver go on.
func (a *agent) openStudies() error {
	c := a.config
	if c.Traces == "" {
		return nil
	}
	list, revoked, stopped := loadStudies(c)
	if stopped != nil {
		a.log.Error("recording of traces is stopped", "error", stopped)
	}
	r, err := trace.Open(c.Traces, trace.Options{Studies: list, Revoked: revoked, Stopped: stopped,
		Car: trace.Car{Build: c.Studies.Build, Market: c.Studies.Market, Display: c.Studies.Display}})
	if err != nil {
		return err
	}
	if err := r.Problem(); err != nil && stopped == nil {
		a.log.Error("recording of traces", "error", err)
	}
	s := &studies{Recorder: r, ticks: make(chan trace.Context, 1)}
	s.wg.Go(func() {
		for now := range s.ticks {
			if err := r.Tick(now); err != nil {
				a.log.Error("writing traces", "error", err)
			}
		}
	})
	a.recorder = s
	a.closers = append(a.closers, s)
	return nil
}

// Close ends the ticking and the recorder.
func (s *studies) Close() error {
	close(s.ticks)
	s.wg.Wait()
	return s.Recorder.Close()
}

// loadStudies reads the study cards and those called back. Their keys are apart
// from those of the vehicle profile.
func loadStudies(c *Config) ([]*scenes.Study, scenes.Revocations, error) {
	read := scenes.LoadStudy
	var keys []sign.PublicKey
	if !c.Unsigned && (len(c.Studies.Cards) > 0 || c.Studies.Revoked != "") {
		if len(c.Studies.Trust) == 0 {
			return nil, nil, errors.New("studies.trust is missing: name the minisign public key that study cards are signed with, or start with --unsigned on a desk")
		}
		var err error
		if keys, err = readKeys(c.Studies.Trust); err != nil {
			return nil, nil, err
		}
		read = func(path string) (*scenes.Study, error) { return scenes.LoadSignedStudy(path, keys) }
	}
	list, err := scenes.LoadStudies(c.Studies.Cards, read)
	if err != nil {
		return nil, nil, err
	}
	var revoked scenes.Revocations
	if c.Studies.Revoked != "" {
		if revoked, err = scenes.LoadRevocations(c.Studies.Revoked, keys); err != nil {
			return nil, nil, err
		}
	}
	return list, revoked, nil
}

// moment is what the car knows now; the loop's goroutine asks.
func (a *agent) moment() trace.Context {
	c := trace.Context{Now: time.Now(), Wall: a.vouched(), Parked: a.parked()}
	c.SpeedKmh = math.Float64frombits(a.speed.Load())
	c.SpeedKnown = !math.IsNaN(c.SpeedKmh)
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
	case a.recorder.ticks <- a.moment():
	default:
	}
	t := a.recorder.Counters()
	m["interactions"], m["interactions_refused"], m["interactions_outside"], m["interactions_other"] = t.Accepted, t.Refused, t.Outside, t.Other
	m["attempts"], m["attempts_gated"], m["attempts_cut"], m["attempts_not_sampled"], m["attempts_dropped"] = t.Attempts, t.Gated, t.Cut, t.NotSampled, t.Dropped
	m["attempts_clock_steps"] = t.ClockSteps
	m["episodes"], m["episodes_lost"], m["episodes_released"], m["episodes_removed"], m["episodes_torn"] = t.Episodes, t.Lost, t.Released, t.Removed, t.Torn
}

// The methods of uibridge.Studies.

// Consent gives or withdraws consent for a study.
func (a *agent) Consent(study string, yes bool) error {
	if a.recorder == nil {
		return errNoTraces
	}
	now, err := a.momentOfLoop()
	if err != nil {
		return err
	}
	if yes {
		return a.recorder.GiveConsent(study, now)
	}
	return a.recorder.WithdrawConsent(study, now)
}

// momentOfLoop asks the loop for the moment.
func (a *agent) momentOfLoop() (now trace.Context, err error) {
	err = a.do(func() error {
		now = a.moment()
		return nil
	})
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

// Recording tells which study there is, whether it is being recorded, and why
// nothing can be.
func (a *agent) Recording() (study string, on bool, problem string) {
	if a.recorder == nil {
		return "", false, ""
	}
	if err := a.recorder.Problem(); err != nil {
		problem = err.Error()
	}
	return a.recorder.Study(), a.recorder.Recording(), problem
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
