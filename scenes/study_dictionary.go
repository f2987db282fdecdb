package scenes

import (
	"fmt"
	"slices"
	"strings"

	"vignette/scenes/yaml"
)

// MaxStudyEvents is the greatest number of events of a sequence.
const MaxStudyEvents = 8

// The words of an event and their codes, which are their places in these lists.
// Code 0 of gestures and outcomes is never given, so that a forgotten field shows.
var (
	Gestures = []string{"", otherName, "tap", "long_press", "swipe", "turn", "press", "voice", "type_short", "type_medium", "type_long", "fired", "undone",
		"choice_1", "choice_2", "choice_3", "choice_4", "choice_5", "choice_6"}
	Outcomes = []string{"", otherName, "ok", "noop", "back", "error", "blocked"}
	Gaps     = []string{"first", "<0.5s", "<1s", "<2s", "<5s", "<15s", ">=15s"}
	Speeds   = []string{"unknown", "parked", "<8", "<30", "<60", "<100", ">=100"} // km/h
)

// StudyEvent is one event of a sequence, in codes.
type StudyEvent struct {
	Screen, Elem            uint16
	Gesture, DT, Speed, Out uint8
}

// Sequence is a dictionary's entry: events that may be released as a whole,
// since the panel saw them in many vehicles.
type Sequence struct {
	ID       int
	Task     int // id
	Vehicles int // of the panel that it was seen in
	Events   []StudyEvent
	Pos      Pos
}

// sequenceText is a sequence while its events are texts.
type sequenceText struct {
	Sequence
	task   Name
	events []Name
}

func sequenceKeys() object[sequenceText] {
	return object[sequenceText]{"a sequence", []key[sequenceText]{
		{"id", required, func(r *reader, n *yaml.Node, s *sequenceText) { s.ID, s.Pos = r.whole(n, 1, maxStudyID), at(n) }},
		{"task", required, func(r *reader, n *yaml.Node, s *sequenceText) { s.task = r.name(n) }},
		{"vehicles", required, func(r *reader, n *yaml.Node, s *sequenceText) { s.Vehicles = r.whole(n, 1, maxProfile) }},
		{"events", required, func(r *reader, n *yaml.Node, s *sequenceText) {
			s.events = r.names(n, "`events`")
			r.atMost(n, MaxStudyEvents)
		}},
	}}
}

func (r *reader) readDictionary(n *yaml.Node, t *study) {
	table := sequenceKeys()
	ids := newIDs(r, "sequence")
	r.atMost(n, maxSequences)
	r.list(n, "`dictionary`", func(n *yaml.Node) {
		var s sequenceText
		if table.read(r, n, &s) && ids.fresh(n, s.ID) {
			t.dictionary = append(t.dictionary, s)
		}
	})
}

// resolveDictionary turns the sequences' words into codes.
func (t *study) resolveDictionary() {
	seen := map[string]int{}
	for i := range t.dictionary {
		s := &t.dictionary[i]
		s.Task = t.taskID(s.task)
		if t.s.K > 0 && s.Vehicles < t.s.K {
			t.diags.add(t.file, s.Pos, "sequence %d was seen in %d vehicles, fewer than k = %d; take it out", s.ID, s.Vehicles, t.s.K)
		}
		for j, text := range s.events {
			s.Events = append(s.Events, t.event(text, j == 0))
		}
		t.checkEvents(s)
		key := fmt.Sprint(s.Task, s.Events)
		if first, twice := seen[key]; twice {
			t.diags.add(t.file, s.Pos, "sequences %d and %d are the same; keep one", first, s.ID)
		}
		seen[key] = s.ID
		t.s.Dictionary = append(t.s.Dictionary, s.Sequence)
	}
}

func (t *study) taskID(name Name) int {
	var names []string
	for _, k := range t.s.Tasks {
		if k.Name == name.Text {
			return k.ID
		}
		names = append(names, k.Name)
	}
	t.diags.add(t.file, name.Pos, "the study has no task `%s`%s", name.Text, orElse(hint(name.Text, names), "; its tasks are "+quoted(names)))
	return 0
}

// event reads an event: SCREEN/ELEMENT GESTURE OUTCOME GAP SPEED, a space between.
func (t *study) event(text Name, first bool) (e StudyEvent) {
	f := strings.Split(text.Text, " ")
	if len(f) != 5 {
		t.diags.add(t.file, text.Pos, "`%s` is no event; write SCREEN/ELEMENT GESTURE OUTCOME GAP SPEED, such as `climate/fan tap ok <2s parked`", text.Text)
		return e
	}
	e.Screen, e.Elem = t.known(Name{f[0], text.Pos})
	e.Gesture = t.code(text.Pos, "gesture", f[1], Gestures)
	e.Out = t.code(text.Pos, "outcome", f[2], Outcomes)
	e.DT = t.code(text.Pos, "gap", f[3], Gaps)
	e.Speed = t.code(text.Pos, "speed", f[4], Speeds)
	if first != (e.DT == 0) && slices.Contains(Gaps, f[3]) {
		t.diags.add(t.file, text.Pos, "the first event of a sequence has the gap `first`, and no other has; correct `%s`", f[3])
	}
	return e
}

// EventText is an event as a dictionary has it: SCREEN/ELEMENT GESTURE OUTCOME GAP
// SPEED. ok is false for codes that the study or this version does not have.
func (s *Study) EventText(e StudyEvent) (text string, ok bool) {
	screen, element := s.Names(int(e.Screen), int(e.Elem))
	words := []string{screen + "/" + element}
	for _, c := range []struct {
		code  uint8
		words []string
	}{{e.Gesture, Gestures}, {e.Out, Outcomes}, {e.DT, Gaps}, {e.Speed, Speeds}} {
		if int(c.code) >= len(c.words) || c.words[c.code] == "" {
			return "", false
		}
		words = append(words, c.words[c.code])
	}
	return strings.Join(words, " "), screen != "?" && element != "?"
}

// known is a place that may also be other/other or SCREEN/other.
func (t *study) known(at Name) (screen, element uint16) {
	name, rest, _ := strings.Cut(at.Text, "/")
	if s := t.s.screen(name); rest == otherName && (s != nil || name == otherName) {
		if s == nil {
			return Other, Other
		}
		return uint16(s.ID), Other
	}
	p := t.place(at)
	return uint16(p.Screen), uint16(p.Element)
}

// code is a word's place in its list.
func (t *study) code(at Pos, what, word string, words []string) uint8 {
	i := slices.Index(words, word)
	if i < 0 || word == "" {
		known := slices.DeleteFunc(slices.Clone(words), func(w string) bool { return w == "" })
		t.diags.add(t.file, at, "no %s is called `%s`%s", what, word, orElse(hint(word, known), "; known are "+strings.Join(known, ", ")))
		return 0
	}
	return uint8(i)
}
