package cocreate

import (
	"cmp"
	"slices"
	"time"

	"vignette/scenes"
)

// Answers is how designers keep their word: each study owes its drivers an answer.
type Answers struct {
	Studies  int      `json:"studies"`
	Running  int      `json:"running"`              // not over on the report's day
	Answered int      `json:"answered"`             // running ones among them
	Owed     int      `json:"owed"`                 // over, and without an answer
	Median   *int     `json:"median_days"`          // from a study's end to its first answer; before the end is 0; null: none was answered
	Waiting  *int     `json:"longest_waiting_days"` // of those owed; null: none is
	List     []Answer `json:"list"`                 // by study
}

// Answer is one study's.
type Answer struct {
	Study   string `json:"study"`
	Title   string `json:"title"`
	Until   string `json:"until"` // its last day
	Answers int    `json:"answers"`
	First   string `json:"first,omitempty"` // day of the first answer
	Days    *int   `json:"days"`            // from the study's last day to that one; null: there is none
}

// answers holds studies and answer cards together.
func answers(in *Inputs) Answers {
	a := Answers{List: []Answer{}}
	var days []int
	for i := range in.Studies {
		s := in.Studies[i].Card
		l := answerOf(s, in.Answers)
		over := !in.Today.Before(s.Until)
		a.Studies++
		if !over {
			a.Running++
		}
		switch {
		case l.Days != nil:
			a.Answered++
			days = append(days, *l.Days)
		case over:
			a.Owed++
			if n := wholeDays(s.Until.AddDate(0, 0, -1), in.Today); a.Waiting == nil || n > *a.Waiting {
				a.Waiting = &n
			}
		}
		a.List = append(a.List, l)
	}
	slices.SortFunc(a.List, func(x, y Answer) int { return cmp.Compare(x.Study, y.Study) })
	if slices.Sort(days); len(days) > 0 {
		m := days[(len(days)-1)/2] // the lower one of two
		a.Median = &m
	}
	return a
}

// answerOf finds the answers to a version of a study.
func answerOf(s *scenes.Study, list []*scenes.Answer) Answer {
	last := s.Until.AddDate(0, 0, -1)
	l := Answer{Study: studyName(s), Title: s.Title.In("en"), Until: last.Format(time.DateOnly)}
	for _, a := range list {
		if !a.Answers(s.ID, s.Version) {
			continue
		}
		l.Answers++
		if day := a.Date.Format(time.DateOnly); l.First == "" || day < l.First {
			n := max(0, wholeDays(last, a.Date))
			l.First, l.Days = day, &n
		}
	}
	return l
}

func wholeDays(from, to time.Time) int { return int(to.Sub(from) / (24 * time.Hour)) }
