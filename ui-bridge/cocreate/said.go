package cocreate

import (
	"fmt"

	"vignette/ui-bridge/review"
)

// Said is what drivers said to a question of a study, as the study's report has it.
type Said struct {
	Study    string   `json:"study"`
	Name     string   `json:"name"`
	Question string   `json:"question"`
	About    string   `json:"about"` // such as card warm-seat
	Choices  *int     `json:"choices_made"`
	Shares   []Choice `json:"choices"`
	Answers  int      `json:"answers"`    // answer cards to it
	Owed     []string `json:"owed"`       // choices that were made and no card answers
	Weeks    *int     `json:"owed_weeks"` // since they were first made; null: nothing is owed, or nobody may know
}

// Choice is how many drivers chose something.
type Choice struct {
	Name  string        `json:"name"`
	Text  string        `json:"text"`
	Share *review.Share `json:"share"`
}

// saids are what drivers said in all studies.
func saids(list []Study) []Said {
	out := []Said{}
	for i := range list {
		r := list[i].Report
		for j := range r.Tasks {
			if t := &r.Tasks[j]; t.Feedback != nil {
				out = append(out, saidOf(studyName(list[i].Card), t))
			}
		}
	}
	return out
}

func saidOf(study string, t *review.Task) Said {
	f := t.Feedback
	s := Said{Study: study, Name: t.Name, Question: t.Title, About: f.Kind + " " + f.About, Choices: t.Episodes, Shares: []Choice{}, Answers: len(f.Answers), Owed: []string{}, Weeks: f.Age}
	for _, c := range t.Figures {
		s.Shares = append(s.Shares, Choice{c.Name, c.Title, c.All})
	}
	s.Owed = append(s.Owed, f.Owed...)
	return s
}

// String writes a choice with its share, · if that is withheld.
func (c *Choice) String() string {
	if c.Share == nil {
		return c.Text + " ·"
	}
	return fmt.Sprintf("%s %.1f %% (%d of %d)", c.Text, 100*c.Share.Share, c.Share.Count, c.Share.Of)
}

// saidFacts are the dialogue's figures of what drivers said.
func saidFacts(list []Said) []Fact {
	made, answered, owed := 0, 0, 0
	var weeks *int
	for i := range list {
		s := &list[i]
		if s.Choices != nil {
			made += *s.Choices
		}
		if s.Answers > 0 {
			answered++
		}
		owed += len(s.Owed)
		if s.Weeks != nil && (weeks == nil || *s.Weeks > *weeks) {
			weeks = s.Weeks
		}
	}
	longest := "none"
	switch {
	case weeks != nil:
		longest = fmt.Sprintf("%d weeks", *weeks)
	case owed > 0:
		longest = unknown
	}
	return []Fact{{"Questions that drivers could answer in the car", fmt.Sprint(len(list))}, {"choices that they made, as far as told", fmt.Sprint(made)},
		{"questions with an answer card", of(answered, len(list))}, {"choices that no card answers", fmt.Sprint(owed)}, {"the oldest of these", longest}}
}
