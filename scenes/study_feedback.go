package scenes

import (
	"slices"
	"strings"

	"vignette/scenes/yaml"
)

// Chosen is the gesture of a feedback's first choice, as Gestures has it; those of
// the others follow. No touch has them.
const (
	Chosen     = 13
	MaxChoices = 6 // of one feedback
)

// Choice is one of the answers that drivers can give to a feedback's question.
type Choice struct {
	ID   int // from 1 to MaxChoices: its gesture is Chosen+ID-1
	Name string
	Text Texts
}

// Choice returns the choice of a name, or nil.
func (t *Task) Choice(name string) *Choice {
	for i := range t.Choices {
		if t.Choices[i].Name == name {
			return &t.Choices[i]
		}
	}
	return nil
}

// About says what a feedback is about: card CARD, screen SCREEN or element
// SCREEN/ELEMENT.
func (t *Task) About() (kind, target string) {
	switch {
	case t.AboutCard != "":
		return "card", t.AboutCard
	case t.Start.Element == Other:
		return "screen", t.Start.Name.Text
	}
	return "element", t.Start.Name.Text
}

// feedbackKeys are those of what drivers are asked about a watched card, a screen
// or an element: a task whose attempts are the choices made.
func feedbackKeys() object[taskText] {
	return object[taskText]{"a feedback", []key[taskText]{
		{"id", required, func(r *reader, n *yaml.Node, t *taskText) { t.ID, t.pos = r.whole(n, 1, maxStudyID), at(n) }},
		{"name", required, func(r *reader, n *yaml.Node, t *taskText) { t.Task.Name = r.ownName(n) }},
		{"card", optional, func(r *reader, n *yaml.Node, t *taskText) { t.end = r.name(n) }},
		{"at", optional, func(r *reader, n *yaml.Node, t *taskText) { t.start = r.name(n) }},
		{"ask", required, func(r *reader, n *yaml.Node, t *taskText) { t.Title = r.bothTexts(n, "`ask`") }},
		{"choices", required, (*reader).readChoices},
	}}
}

func (r *reader) readChoices(n *yaml.Node, t *taskText) {
	table := object[Choice]{"a choice", []key[Choice]{
		{"id", required, func(r *reader, n *yaml.Node, c *Choice) { c.ID = r.whole(n, 1, MaxChoices) }},
		{"name", required, func(r *reader, n *yaml.Node, c *Choice) { c.Name = r.ownName(n) }},
		{"text", required, func(r *reader, n *yaml.Node, c *Choice) { c.Text = r.bothTexts(n, "`text`") }},
	}}
	ids := newIDs(r, "choice")
	r.list(n, "`choices`", func(n *yaml.Node) {
		var c Choice
		if !table.read(r, n, &c) || !ids.fresh(n, c.ID) {
			return
		}
		if t.Choice(c.Name) != nil {
			r.fault(n, "choice `%s` is given twice; keep one", c.Name)
		}
		t.Choices = append(t.Choices, c)
	})
	if n.Kind == yaml.SequenceNode && len(n.Content) == 1 {
		r.wrong(n, "has one entry; a question has two answers at least")
	}
}

// resolveFeedback finds what a feedback is about.
func (t *study) resolveFeedback(k *taskText) {
	card := func(o taskText) bool { return o.Card == k.end.Text }
	switch {
	case (k.end.Text == "") == (k.start.Text == ""):
		t.diags.add(t.file, k.pos, "feedback `%s` is about one thing; give it either `card` or `at`", k.Task.Name)
	case k.end.Text != "":
		k.AboutCard, k.Start = k.end.Text, Place{Screen: Other, Element: Other}
		if !slices.ContainsFunc(t.tasks, card) {
			t.diags.add(t.file, k.end.Pos, "the study watches no card `%s`; add it to `cards`", k.end.Text)
		}
	case strings.Contains(k.start.Text, "/"):
		k.Start = t.place(k.start)
	default:
		if s := t.s.screen(k.start.Text); s != nil {
			k.Start = Place{Screen: s.ID, Element: Other, Name: k.start}
		} else {
			t.diags.add(t.file, k.start.Pos, "%s", t.noScreen(k.start.Text))
		}
	}
}

// checkChosen holds an event of a feedback's sequence to what its task can be: one
// choice, made in a parked car.
func (t *study) checkChosen(k *Task, j int, e StudyEvent, text Name) {
	want := StudyEvent{Screen: uint16(k.Start.Screen), Elem: uint16(k.Start.Element), Gesture: e.Gesture, Speed: speedParked, Out: outcomeOK}
	if i := slices.IndexFunc(k.Choices, func(c Choice) bool { return Chosen+c.ID-1 == int(e.Gesture) }); k.Start.Screen == 0 || j == 0 && i >= 0 && e == want {
		return // the first is noted
	}
	place := k.Start.Name.Text
	switch kind, _ := k.About(); kind {
	case "card":
		place = "other/other"
	case "screen":
		place += "/other"
	}
	t.diags.add(t.file, text.Pos, "a feedback's sequence is one of its choices, such as `%s choice_%d ok first parked`; correct `%s`", place, k.Choices[0].ID, text.Text)
}

// The codes of a choice that is made, as Speeds and Outcomes have them.
const (
	speedParked = 1
	outcomeOK   = 2
)

// checkOffered holds that the dictionary has every choice that drivers are
// offered: one that it lacks would never leave the car.
func (t *study) checkOffered() {
	for i := range t.s.Tasks {
		k := &t.s.Tasks[i]
		for _, c := range k.Choices {
			released := slices.ContainsFunc(t.s.Dictionary, func(q Sequence) bool {
				return q.Task == k.ID && len(q.Events) == 1 && int(q.Events[0].Gesture) == Chosen+c.ID-1
			})
			if !released && !t.s.Panel {
				t.diags.add(t.file, k.pos, "the dictionary has no sequence of `%s`'s choice `%s`, so it would be offered and never leave the car; add the sequence, or take the choice out", k.Name, c.Name)
			}
		}
	}
}
