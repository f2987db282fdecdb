// Package panel makes the dictionary of a study from what a panel of test drivers
// recorded: the sequences that many of them went through. What it reads is
// personal data, under pseudonyms; what it returns is not. It is for desks.
package panel

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strings"

	"vignette/scenes"
	"vignette/ui-bridge/trace"
)

// Options say what a dictionary holds.
type Options struct {
	Study *scenes.Study // the panel's, or the draft of the study itself: they have the same ids
	K     int           // the least number of drivers that a sequence was seen with
	Whole int           // the most sequences of a task that are whole attempts
	Pairs int           // the most pairs of a task, to which other attempts are cut
}

// Dictionary is what a panel's attempts give.
type Dictionary struct {
	Sequences []scenes.Sequence // by task, whole attempts first, those of the most drivers first; ids from 1 on
	Drivers   int               // pseudonyms that were seen
	Attempts  int               // that were read
	Kept      int               // of these, those that the dictionary has as a whole
	Cut       int               // of these, those of which it has a pair only
}

// tuple is a sequence as the gate in the car knows it.
type tuple struct {
	task int
	n    int
	ev   [scenes.MaxStudyEvents]scenes.StudyEvent
}

func newTuple(task uint16, events []trace.Event) tuple {
	t := tuple{task: int(task), n: len(events)}
	for i, e := range events {
		t.ev[i] = scenes.StudyEvent(e)
	}
	t.ev[0].DT = trace.DTFirst
	return t
}

// gathering is a panel while it is read: with whom each sequence was seen.
type gathering struct {
	drivers  map[trace.Pseudonym]bool
	whole    map[tuple]map[trace.Pseudonym]bool
	pairs    map[tuple]map[trace.Pseudonym]bool
	attempts []trace.Episode
}

// Make makes the dictionary of what is in directories and below them. Segments
// that are no panel's, and those that cannot be read, are an error: nothing is
// made of a part of a panel.
func Make(dirs []string, o Options) (*Dictionary, error) {
	g := &gathering{drivers: map[trace.Pseudonym]bool{}, whole: map[tuple]map[trace.Pseudonym]bool{}, pairs: map[tuple]map[trace.Pseudonym]bool{}}
	for _, dir := range dirs {
		if err := trace.Segments(dir, g.read); err != nil {
			return nil, err
		}
	}
	d := &Dictionary{Drivers: len(g.drivers), Attempts: len(g.attempts)}
	whole, pairs := g.most(g.whole, o.K, o.Whole), g.most(g.pairs, o.K, o.Pairs)
	known := map[tuple]bool{}
	for _, k := range o.Study.Tasks {
		for _, t := range append(whole[k.ID], pairs[k.ID]...) {
			if known[t] {
				continue // a whole attempt of two events is a pair too
			}
			known[t] = true
			n := max(len(g.whole[t]), len(g.pairs[t]))
			s := scenes.Sequence{ID: len(d.Sequences) + 1, Task: k.ID, Vehicles: n, Events: slices.Clone(t.ev[:t.n])}
			d.Sequences = append(d.Sequences, s)
		}
	}
	if len(d.Sequences) == 0 {
		return nil, fmt.Errorf("no sequence was seen with %d drivers; the panel has %d: ask more of them, or for longer", o.K, d.Drivers)
	}
	for i := range g.attempts {
		d.judge(&g.attempts[i], known)
	}
	return d, nil
}

// read reads one segment.
func (g *gathering) read(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	list, err := trace.ReadPanel(f)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	for i := range list {
		g.note(&list[i])
	}
	return nil
}

// note counts an attempt, and each pair of it.
func (g *gathering) note(p *trace.PanelEpisode) {
	ep := p.Episode
	if len(ep.Ev) == 0 {
		return
	}
	g.drivers[p.Driver] = true
	g.attempts = append(g.attempts, ep)
	seen(g.whole, newTuple(ep.Task, ep.Ev), p.Driver)
	for i := range len(ep.Ev) - 1 {
		seen(g.pairs, newTuple(ep.Task, ep.Ev[i:i+2]), p.Driver)
	}
}

func seen(in map[tuple]map[trace.Pseudonym]bool, t tuple, driver trace.Pseudonym) {
	if in[t] == nil {
		in[t] = map[trace.Pseudonym]bool{}
	}
	in[t][driver] = true
}

// most are the sequences of at least k drivers by task, at most n of each: those
// of the most drivers.
func (g *gathering) most(of map[tuple]map[trace.Pseudonym]bool, k, n int) map[int][]tuple {
	list := map[int][]tuple{}
	for t, drivers := range of {
		if len(drivers) >= k {
			list[t.task] = append(list[t.task], t)
		}
	}
	for task, all := range list {
		slices.SortFunc(all, func(a, b tuple) int { return cmp.Or(len(of[b])-len(of[a]), compare(a, b)) })
		list[task] = all[:min(n, len(all))]
	}
	return list
}

// compare orders tuples by their codes.
func compare(a, b tuple) int { return strings.Compare(fmt.Sprint(a), fmt.Sprint(b)) }

// judge counts what would become of an attempt.
func (d *Dictionary) judge(ep *trace.Episode, known map[tuple]bool) {
	if known[newTuple(ep.Task, ep.Ev)] {
		d.Kept++
		return
	}
	for i := range len(ep.Ev) - 1 {
		if known[newTuple(ep.Task, ep.Ev[i:i+2])] {
			d.Cut++
			return
		}
	}
}

// YAML is the dictionary as a study card has it.
func (d *Dictionary) YAML(s *scenes.Study) (string, error) {
	names := map[int]string{}
	for _, k := range s.Tasks {
		names[k.ID] = k.Name
	}
	var b strings.Builder
	b.WriteString("dictionary:\n")
	for _, q := range d.Sequences {
		var events []string
		for _, e := range q.Events {
			text, ok := s.EventText(e)
			if !ok || names[q.Task] == "" {
				return "", fmt.Errorf("%s: the panel has a touch that it does not: task %d, screen %d, element %d; name the study that the panel took part in", s.File, q.Task, e.Screen, e.Elem)
			}
			events = append(events, text)
		}
		fmt.Fprintf(&b, "  - {id: %d, task: %s, vehicles: %d, events: [%s]}\n", q.ID, names[q.Task], q.Vehicles, strings.Join(events, ", "))
	}
	return b.String(), nil
}
