package review

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"vignette/scenes"
)

// subject is what a study's task is of.
type subject int

const (
	ofTask     subject = iota // touches
	ofCard                    // a scene card: its attempts are firings
	ofFeedback                // what drivers are asked: its attempts are choices
)

func subjectOf(k *scenes.Task) subject {
	switch {
	case k.Card != "":
		return ofCard
	case len(k.Choices) > 0:
		return ofFeedback
	}
	return ofTask
}

// Feedback is what a report says of a question to drivers, beside the shares of
// its choices, which are its figures.
type Feedback struct {
	Kind   string   `json:"kind"`   // card, screen or element
	About  string   `json:"about"`  // CARD, SCREEN or SCREEN/ELEMENT
	Beside []string `json:"beside"` // the card and the tasks that it is about, by name
	Since  string   `json:"since"`  // the first week of which numbers are shown, such as 2026-W10; empty: none is
	// Answers are the answer cards to it, by date, and Owed the choices that drivers
	// made and no card answers. Both are left out where nobody asked, see Options.Today.
	Answers []Answer `json:"answers,omitempty"`
	Owed    []string `json:"owed,omitempty"`
	Age     *int     `json:"owed_weeks,omitempty"` // since Since; nil: nothing is owed, or nobody may know since when

	choices []string
}

// Answer is an answer card to a feedback.
type Answer struct {
	ID      string   `json:"id"`
	Version int      `json:"version"`
	Date    string   `json:"date"`
	Choices []string `json:"choices,omitempty"` // none: all of them
	Weeks   *int     `json:"weeks,omitempty"`   // from Since to Date; nil: nobody may know
}

// choices are a feedback's figures: the share of each choice.
func choices(k *scenes.Task) (list []figure) {
	for _, c := range k.Choices {
		list = append(list, figure{name: c.Name, title: c.Text.In("en"), of: ofChoices, about: ofFeedback, rank: rankFigure,
			split: func(k *kind) (int32, int32) { return share(k.chosen == c.ID) }})
	}
	return list
}

// figures are those of a task's subject.
func (t *taskSheet) figuresOf() (list []figure) {
	for _, f := range figures {
		if f.about == t.dict.of {
			list = append(list, f)
		}
	}
	return append(list, choices(t.task)...)
}

// addChoices has the choices of a feedback, of all and of each build, add up.
func (t *taskSheet) addChoices() {
	all := make([]int, len(t.figures))
	for i := range t.figures {
		all[i] = t.figures[i].all.yes
	}
	t.line(t.base, all...)
	for b := range t.builds {
		of := make([]int, len(t.figures))
		for i := range t.figures {
			of[i] = t.figures[i].blocks[b].yes
		}
		t.line(t.figures[0].blocks[b].base, of...)
	}
}

// feedbackOf is what is said of a question to drivers; nil: the task is none.
func feedbackOf(s *scenes.Study, k *scenes.Task) *Feedback {
	if subjectOf(k) != ofFeedback {
		return nil
	}
	f := &Feedback{Beside: []string{}}
	f.Kind, f.About = k.About()
	for _, c := range k.Choices {
		f.choices = append(f.choices, c.Name)
	}
	for i := range s.Tasks {
		o := &s.Tasks[i]
		screen := k.AboutCard == "" && (o.Start.Screen == k.Start.Screen || o.End.Screen == k.Start.Screen || slices.Contains(o.Screens, k.Start.Screen))
		if o.Card != "" && o.Card == k.AboutCard || subjectOf(o) == ofTask && screen {
			f.Beside = append(f.Beside, o.Name)
		}
	}
	return f
}

// order puts tasks and cards by risk, and each feedback after the first of those
// that it is about; both name each other.
func order(tasks []Task) (list []Task) {
	slices.SortStableFunc(tasks, byRisk)
	placed := map[string]bool{}
	add := func(beside func(f *Feedback) bool) {
		for _, k := range tasks {
			if k.Feedback != nil && !placed[k.Name] && beside(k.Feedback) {
				placed[k.Name] = true
				list = append(list, k)
			}
		}
	}
	for _, k := range tasks {
		if k.Feedback != nil {
			continue
		}
		about := func(f *Feedback) bool { return slices.Contains(f.Beside, k.Name) }
		for _, o := range tasks {
			if o.Feedback != nil && about(o.Feedback) {
				k.Said = append(k.Said, o.Name)
			}
		}
		list = append(list, k)
		add(about)
	}
	add(func(*Feedback) bool { return true })
	return list
}

// firstWeek is the first week of which a table shows that something was said.
func (k *Task) firstWeek() string {
	if t := k.table(WeeksTable); t != nil {
		for _, b := range t.Buckets {
			if b.Count != nil && *b.Count > 0 && b.Label != OtherWeeks {
				return b.Label
			}
		}
	}
	return ""
}

// answer notes which answers a feedback has had, and which choices are owed one.
// Choices that nobody has made, as shown, are owed none.
func (k *Task) answer(s *scenes.Study, answers []*scenes.Answer, today time.Time) {
	f := k.Feedback
	since, known := ParseWeek(f.Since)
	weeks := func(to time.Time) *int {
		if n := int(to.Sub(since).Hours() / 24 / 7); known && !to.Before(since) {
			return &n
		}
		return nil
	}
	answered := map[string]bool{}
	for _, a := range answers {
		for _, of := range a.Feedback {
			if !a.Answers(s.ID, s.Version) || of.Name != k.Name {
				continue
			}
			f.Answers = append(f.Answers, Answer{a.ID, a.Version, a.Date.Format(time.DateOnly), of.Choices, weeks(a.Date)})
			for _, c := range k.Figures {
				answered[c.Name] = answered[c.Name] || a.AnswersFeedback(k.Name, c.Name)
			}
		}
	}
	slices.SortStableFunc(f.Answers, func(a, b Answer) int { return cmp.Compare(a.Date, b.Date) })
	for _, c := range k.Figures {
		if !answered[c.Name] && (c.All == nil || c.All.Count > 0) {
			f.Owed = append(f.Owed, c.Name)
		}
	}
	if len(f.Owed) > 0 {
		f.Age = weeks(today)
	}
}

// checkAnswers holds that what answers answer is what the study asks.
func checkAnswers(s *scenes.Study, answers []*scenes.Answer) error {
	for _, a := range answers {
		if !a.Answers(s.ID, s.Version) {
			continue
		}
		for _, of := range a.Feedback {
			i := slices.IndexFunc(s.Tasks, func(k scenes.Task) bool { return k.Name == of.Name && subjectOf(&k) == ofFeedback })
			if i < 0 {
				return fmt.Errorf("%s: answers feedback `%s`, which study %s, version %d, does not ask for", a.File, of.Name, s.ID, s.Version)
			}
			for _, c := range of.Choices {
				if s.Tasks[i].Choice(c) == nil {
					return fmt.Errorf("%s: answers the choice `%s`, which feedback `%s` of study %s, version %d, does not have", a.File, c, of.Name, s.ID, s.Version)
				}
			}
		}
	}
	return nil
}
