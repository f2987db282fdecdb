package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/godbus/dbus/v5"
)

// answer is what came of a study, as the agent tells it.
type answer struct {
	id                   string
	title, said, changed map[string]string // by language
	seen, quiet, parked  bool
	weeks                uint32 // that it took
	timed                bool   // weeks is known
}

// newAnswer reads an entry of Answers.
func newAnswer(r map[string]dbus.Variant) answer {
	texts := func(key string) map[string]string { t, _ := r[key].Value().(map[string]string); return t }
	flag := func(key string) bool { b, _ := r[key].Value().(bool); return b }
	id, _ := r["id"].Value().(string)
	weeks, timed := r["weeks"].Value().(uint32)
	return answer{id, texts("title"), texts("said"), texts("changed"), flag("seen"), flag("quiet"), flag("parked"), weeks, timed}
}

// statusChanged takes a change of a property: new answers are shown.
func (h *hmi) statusChanged(body []any) error {
	var face string
	var changed map[string]dbus.Variant
	var gone []string
	if err := dbus.Store(body, &face, &changed, &gone); err != nil {
		return fmt.Errorf("PropertiesChanged: %w", err)
	}
	n, _ := changed["NewAnswers"].Value().(uint32)
	if face != traceFace || n == 0 {
		return nil
	}
	h.unread = true
	return h.showAnswers()
}

// lookForAnswers asks how many there are that the driver has not dismissed.
func (h *hmi) lookForAnswers() error {
	var n dbus.Variant
	if err := h.call(agentName, agentPath, "org.freedesktop.DBus.Properties.Get", traceFace, "NewAnswers").Store(&n); gone(err) {
		return nil
	} else if err != nil {
		return fmt.Errorf("ask for new answers: %w", err)
	}
	if count, _ := n.Value().(uint32); count == 0 {
		return nil
	}
	h.unread = true
	return h.showAnswers()
}

// showAnswers shows what came of studies, once the car is parked, and tells the
// agent that the driver has dismissed it. To one who has withdrawn nothing is
// announced.
func (h *hmi) showAnswers() error {
	if !h.unread {
		return nil
	}
	var list []map[string]dbus.Variant
	if err := h.call(agentName, agentPath, traceFace+".Answers").Store(&list); gone(err) {
		return nil
	} else if err != nil {
		return fmt.Errorf("read the answers: %w", err)
	}
	for _, r := range list {
		a := newAnswer(r)
		if a.seen || a.quiet {
			continue
		}
		if !a.parked {
			return nil // looked at again with the next tick
		}
		h.panel.answer(&a, h.o.lang)
		if err := h.call(agentName, agentPath, traceFace+".AnswerSeen", a.id).Err; gone(err) {
			return nil
		} else if err != nil {
			return fmt.Errorf("dismiss the answer %s: %w", a.id, err)
		}
		h.sum.Answers = append(h.sum.Answers, a.id)
	}
	h.unread = false
	return nil
}

// gone reports whether a call failed since the agent is ending, which the bus tells
// too, or has no time now: the next tick tries again.
func gone(err error) bool {
	var fault dbus.Error
	return errors.As(err, &fault) && slices.Contains([]string{"org.freedesktop.DBus.Error.NoReply", "org.freedesktop.DBus.Error.ServiceUnknown", "org.vignette.Error.Closing", "org.vignette.Error.Busy"}, fault.Name)
}

// answer shows what came of a study.
func (p *panel) answer(a *answer, lang string) {
	p.line(fmt.Sprintf("%s: %s", p.words["answer"], visible(in(a.title, lang))))
	p.line(fmt.Sprintf("  %s: %s", p.words["said"], visible(in(a.said, lang))))
	p.line(fmt.Sprintf("  %s: %s", p.words["changed"], visible(in(a.changed, lang))))
	if a.timed {
		p.line(fmt.Sprintf("  %s: %d", p.words["took"], a.weeks))
	}
}

// in is a text in the driver's language, or in English, which every text has.
func in(texts map[string]string, lang string) string {
	if t, ok := texts[lang]; ok {
		return t
	}
	return texts["en"]
}
