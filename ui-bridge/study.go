package uibridge

import (
	"fmt"
	"maps"
	"time"

	"vignette/ui-bridge/trace"

	"github.com/godbus/dbus/v5"
)

// maxInteractions bounds one batch.
const maxInteractions = 256

// Studies is what the agent does about study cards and interaction traces:
// org.vignette.Trace1.
type Studies interface {
	// Consent gives (yes) or withdraws the present driver's consent for a study.
	Consent(study string, yes bool) error
	// Interactions takes what the driver touched, and returns how many were
	// recorded: without consent none, which is no error.
	Interactions(batch []trace.Interaction) (accepted int, err error)
	// TraceStatus is what the properties of org.vignette.Trace1 show.
	TraceStatus() trace.Status
	// Offers are the studies as the present driver sees them.
	Offers() ([]trace.Offer, error)
	// ExplainStudy puts a study into words for the driver; lang is a BCP-47 tag.
	ExplainStudy(study, lang string) (string, error)
	// ConsentHistory are the present driver's decisions, the newest last.
	ConsentHistory() ([]trace.Decision, error)
	// Traces are the present driver's traces that have not left the car.
	Traces() ([]trace.Trace, error)
	// ShowTrace shows one in words and in the bytes that would leave.
	ShowTrace(id string) (text string, segment []byte, err error)
	// DeleteTrace removes one for good.
	DeleteTrace(id string) error
	// Feedback is what the present driver can be asked, and whether the car is parked.
	Feedback() (list []trace.Ask, parked bool, err error)
	// GiveFeedback is what the driver says when asked.
	GiveFeedback(study, name, choice string) error
	// Answers are the answers to the present driver, and whether the car is parked.
	Answers() (list []trace.Told, parked bool, err error)
	// AnswerSeen notes that the driver has dismissed one.
	AnswerSeen(id string) error
}

// interaction is one element of Record's batch, (ssss) on the wire.
type interaction struct {
	Screen, Element, Gesture, Outcome string
}

// exported is one element of ExportTraces, (say) on the wire.
type exported struct {
	ID      string
	Segment []byte
}

// traceMethods are the methods of org.vignette.Trace1.
func (br *Bridge) traceMethods() map[string]any {
	return map[string]any{"GiveConsent": br.onGiveConsent, "WithdrawConsent": br.onWithdrawConsent, "Record": br.onRecord,
		"Studies": br.onStudies, "ExplainStudy": br.onExplainStudy, "ConsentHistory": br.onConsentHistory,
		"Traces": br.onTraces, "ShowTrace": br.onShowTrace, "DeleteTrace": br.onDeleteTrace, "ExportTraces": br.onExportTraces,
		"Feedback": br.onFeedback, "GiveFeedback": br.onGiveFeedback, "Answers": br.onAnswers, "AnswerSeen": br.onAnswerSeen}
}

// traceProperties are the properties of org.vignette.Trace1.
func traceProperties(s trace.Status) map[string]dbus.Variant {
	return map[string]dbus.Variant{"Study": dbus.MakeVariant(s.Study), "Recording": dbus.MakeVariant(s.Recording),
		"Problem": dbus.MakeVariant(s.Problem), "NewAnswers": dbus.MakeVariant(uint32(s.NewAnswers))}
}

// tracesSince are the properties that are others than they were.
func tracesSince(was, now trace.Status) map[string]dbus.Variant {
	before, props := traceProperties(was), traceProperties(now)
	maps.DeleteFunc(props, func(name string, v dbus.Variant) bool { return v.Value() == before[name].Value() })
	return props
}

// TracesChanged has watchers told if the properties of org.vignette.Trace1 are
// others by now. It asks the Handler and does not block on the bus.
func (br *Bridge) TracesChanged() { br.lookAtTraces() }

// lookAtTraces asks for the status, and has watchers told of what is another than
// it was when it was asked for last: whoever reads it is told of the next change.
func (br *Bridge) lookAtTraces() trace.Status {
	br.looking.Lock() // what is asked later is told later
	defer br.looking.Unlock()
	now := br.opt.Handler.TraceStatus()
	w := br.watch
	w.mu.Lock()
	defer w.mu.Unlock()
	if now == w.traces {
		return now
	}
	changed := tracesSince(w.traces, now)
	w.traces = now
	for _, one := range w.all {
		maps.Copy(one.traces, changed)
	}
	w.poke()
	return now
}

func (br *Bridge) onGiveConsent(study string) *dbus.Error {
	return br.named("study", study, func() error { return br.opt.Handler.Consent(study, true) })
}

func (br *Bridge) onWithdrawConsent(study string) *dbus.Error {
	return br.named("study", study, func() error { return br.opt.Handler.Consent(study, false) })
}

func (br *Bridge) onRecord(batch []interaction) (uint32, *dbus.Error) {
	var accepted int
	err := br.guard(func() error {
		list, err := checkBatch(batch)
		if err != nil {
			return err
		}
		accepted, err = br.opt.Handler.Interactions(list)
		return err
	})
	return uint32(accepted), err
}

// checkBatch holds a batch to its bounds.
func checkBatch(batch []interaction) ([]trace.Interaction, error) {
	if len(batch) > maxInteractions {
		return nil, fmt.Errorf("%w: %d interactions, at most %d fit one batch", ErrLimit, len(batch), maxInteractions)
	}
	list := make([]trace.Interaction, len(batch))
	for i, in := range batch {
		for _, s := range [...]string{in.Screen, in.Element, in.Gesture, in.Outcome} {
			if err := bounded(fmt.Sprintf("interaction %d", i), s); err != nil {
				return nil, err
			}
		}
		list[i] = trace.Interaction(in)
	}
	return list, nil
}

// listed runs an incoming call that returns a list of dictionaries.
func listed[T any](br *Bridge, get func() ([]T, error), dictionary func(*T) map[string]dbus.Variant) ([]map[string]dbus.Variant, *dbus.Error) {
	out := []map[string]dbus.Variant{}
	err := br.guard(func() error {
		list, err := get()
		for i := range list {
			out = append(out, dictionary(&list[i]))
		}
		return err
	})
	return out, err
}

func (br *Bridge) onStudies() ([]map[string]dbus.Variant, *dbus.Error) {
	return listed(br, br.opt.Handler.Offers, func(o *trace.Offer) map[string]dbus.Variant {
		s := o.Study
		mode := "fleet"
		if s.Panel {
			mode = "panel"
		}
		m := map[string]dbus.Variant{"id": dbus.MakeVariant(s.ID), "version": dbus.MakeVariant(uint32(s.Version)),
			"title": dbus.MakeVariant(map[string]string(s.Title)), "question": dbus.MakeVariant(map[string]string(s.Question)),
			"purpose": dbus.MakeVariant(map[string]string(s.Purpose)), "mode": dbus.MakeVariant(mode), "k": dbus.MakeVariant(uint32(s.K)),
			"from": dbus.MakeVariant(s.From.Format(time.DateOnly)), "until": dbus.MakeVariant(s.Until.AddDate(0, 0, -1).Format(time.DateOnly)),
			"signed": dbus.MakeVariant(s.Signed), "state": dbus.MakeVariant(o.State)}
		addTime(m, "consent_until", o.Until)
		return m
	})
}

func (br *Bridge) onConsentHistory() ([]map[string]dbus.Variant, *dbus.Error) {
	return listed(br, br.opt.Handler.ConsentHistory, func(d *trace.Decision) map[string]dbus.Variant {
		m := map[string]dbus.Variant{"study": dbus.MakeVariant(d.Study), "version": dbus.MakeVariant(uint32(d.Version)),
			"sha256": dbus.MakeVariant(d.SHA256), "given": dbus.MakeVariant(d.Given)}
		addTime(m, "at", d.At)
		addTime(m, "until", d.Until)
		return m
	})
}

func (br *Bridge) onTraces() ([]map[string]dbus.Variant, *dbus.Error) {
	return listed(br, br.opt.Handler.Traces, func(t *trace.Trace) map[string]dbus.Variant {
		return map[string]dbus.Variant{"id": dbus.MakeVariant(t.ID), "study": dbus.MakeVariant(t.Study), "task": dbus.MakeVariant(t.Task),
			"week": dbus.MakeVariant(t.Week), "leaves": dbus.MakeVariant(t.Due.Format(time.RFC3339))}
	})
}

// addTime adds a time that is known.
func addTime(m map[string]dbus.Variant, key string, t time.Time) {
	if !t.IsZero() {
		m[key] = dbus.MakeVariant(t.UTC().Format(time.RFC3339))
	}
}

func (br *Bridge) onExplainStudy(study, lang string) (text string, fault *dbus.Error) {
	fault = br.named("study", study, func() (err error) {
		text, err = br.opt.Handler.ExplainStudy(study, lang)
		return err
	})
	return text, fault
}

func (br *Bridge) onShowTrace(id string) (text string, segment []byte, fault *dbus.Error) {
	fault = br.named("trace", id, func() (err error) {
		text, segment, err = br.opt.Handler.ShowTrace(id)
		return err
	})
	return text, segment, fault
}

func (br *Bridge) onDeleteTrace(id string) *dbus.Error {
	return br.named("trace", id, func() error { return br.opt.Handler.DeleteTrace(id) })
}

func (br *Bridge) onExportTraces() ([]exported, *dbus.Error) {
	out := []exported{}
	err := br.guard(func() error {
		list, err := br.opt.Handler.Traces()
		for i := range list {
			var segment []byte
			if _, segment, err = br.opt.Handler.ShowTrace(list[i].ID); err != nil {
				break
			}
			out = append(out, exported{list[i].ID, segment})
		}
		return err
	})
	return out, err
}

// choice is one element of Feedback's choices, (sa{ss}) on the wire.
type choice struct {
	Name string
	Text map[string]string
}

func (br *Bridge) onFeedback() ([]map[string]dbus.Variant, *dbus.Error) {
	var parked bool
	get := func() (list []trace.Ask, err error) {
		list, parked, err = br.opt.Handler.Feedback()
		return list, err
	}
	return listed(br, get, func(a *trace.Ask) map[string]dbus.Variant {
		var choices []choice
		for _, c := range a.Task.Choices {
			choices = append(choices, choice{c.Name, c.Text})
		}
		kind, target := a.Task.About()
		return map[string]dbus.Variant{"study": dbus.MakeVariant(a.Study), "name": dbus.MakeVariant(a.Task.Name), "kind": dbus.MakeVariant(kind),
			"about": dbus.MakeVariant(target), "ask": dbus.MakeVariant(map[string]string(a.Task.Title)), "choices": dbus.MakeVariant(choices),
			"given": dbus.MakeVariant(a.Given), "open": dbus.MakeVariant(parked && !a.Given)}
	})
}

func (br *Bridge) onGiveFeedback(study, name, choice string) *dbus.Error {
	return br.named("study", study, func() error {
		if err := bounded("feedback", name+choice); err != nil {
			return err
		}
		return br.opt.Handler.GiveFeedback(study, name, choice)
	})
}

func (br *Bridge) onAnswers() ([]map[string]dbus.Variant, *dbus.Error) {
	var parked bool
	get := func() (list []trace.Told, err error) {
		list, parked, err = br.opt.Handler.Answers()
		return list, err
	}
	return listed(br, get, func(t *trace.Told) map[string]dbus.Variant {
		a := t.Answer
		m := map[string]dbus.Variant{"id": dbus.MakeVariant(a.ID), "version": dbus.MakeVariant(uint32(a.Version)), "study": dbus.MakeVariant(a.Study),
			"title": dbus.MakeVariant(map[string]string(a.Title)), "said": dbus.MakeVariant(map[string]string(a.Said)),
			"changed": dbus.MakeVariant(map[string]string(a.Changed)), "date": dbus.MakeVariant(a.Date.Format(time.DateOnly)),
			"signed": dbus.MakeVariant(a.Signed), "seen": dbus.MakeVariant(t.Seen), "quiet": dbus.MakeVariant(t.Quiet), "yours": dbus.MakeVariant(t.Yours),
			"parked": dbus.MakeVariant(parked)}
		if t.Weeks >= 0 {
			m["weeks"] = dbus.MakeVariant(uint32(t.Weeks))
		}
		return m
	})
}

func (br *Bridge) onAnswerSeen(id string) *dbus.Error {
	return br.named("answer", id, func() error { return br.opt.Handler.AnswerSeen(id) })
}
