package scenes

import (
	"slices"

	"vignette/scenes/yaml"
)

// The gestures of scene cards, as Gestures has them. No touch has them.
const (
	Fired  = 11 // a card has acted
	Undone = 12 // the driver took back what it did, within RegretWithin
)

// cardTaskKeys are those of a scene card that a study watches: a task whose
// attempts are the card's firings.
func cardTaskKeys() object[taskText] {
	return object[taskText]{"a watched card", []key[taskText]{
		{"id", required, func(r *reader, n *yaml.Node, t *taskText) { t.ID, t.pos = r.whole(n, 1, maxStudyID), at(n) }},
		{"card", required, func(r *reader, n *yaml.Node, t *taskText) {
			t.Card = r.pattern(n, idText, idWant)
			t.Task.Name = t.Card
		}},
		{"title", required, func(r *reader, n *yaml.Node, t *taskText) { t.Title = r.bothTexts(n, "`title`") }},
	}}
}

// readTasks reads the tasks, or with another table the watched cards or the
// feedback, which are tasks too: ids and names are given once among all of them.
func (r *reader) readTasks(n *yaml.Node, t *study, what string, table object[taskText]) {
	if t.taskIDs == nil {
		t.taskIDs = newIDs(r, "task")
	}
	r.atMost(n, maxTasks)
	r.list(n, what, func(n *yaml.Node) {
		var k taskText
		if !table.read(r, n, &k) || !t.taskIDs.fresh(n, k.ID) {
			return
		}
		if slices.ContainsFunc(t.tasks, func(o taskText) bool { return o.Task.Name == k.Task.Name }) {
			r.fault(n, "task `%s` is given twice; keep one", k.Task.Name)
		}
		t.tasks = append(t.tasks, k)
	})
}

// checkEvents holds a sequence to what its task can be: a card fires, and is
// undone or not; a feedback is one choice; touches are none of these.
func (t *study) checkEvents(s *sequenceText) {
	i := slices.IndexFunc(t.s.Tasks, func(k Task) bool { return k.ID == s.Task })
	if i < 0 {
		return // noted
	}
	card, chosen := t.s.Tasks[i].Card != "", len(t.s.Tasks[i].Choices) > 0
	for j, e := range s.Events {
		switch {
		case chosen:
			t.checkChosen(&t.s.Tasks[i], j, e, s.events[j])
		case e.Gesture >= Chosen:
			t.diags.add(t.file, s.events[j].Pos, "only a feedback has the gesture `%s`; name one as the sequence's task", Gestures[e.Gesture])
		case !card && (e.Gesture == Fired || e.Gesture == Undone):
			t.diags.add(t.file, s.events[j].Pos, "only a watched card has the gesture `%s`; name one as the sequence's task", Gestures[e.Gesture])
		case card && (j > 1 || int(e.Gesture) != Fired+j || e.Screen != Other || e.Elem != Other):
			t.diags.add(t.file, s.events[j].Pos, "a watched card's sequence is `other/other fired …`, and then `other/other undone …` or nothing; correct `%s`", s.events[j].Text)
		}
	}
}
