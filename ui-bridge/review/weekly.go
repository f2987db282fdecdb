package review

import (
	"fmt"
	"slices"
	"time"

	"vignette/scenes"
)

// WeeksTable is the name of a scene card's table of firings by week, and of a
// feedback's of choices.
const WeeksTable = "weeks"

// OtherWeeks labels what is outside the study's time.
const OtherWeeks = "other weeks"

// weekly is the distribution of a scene card's firings, or of the choices made, over
// the study's weeks, whether there are data of them or not, and all others.
func weekly(s *scenes.Study, of subject) *distribution {
	var codes []uint16
	d := distribution{name: WeeksTable, title: "Firings by week", of: "firings"}
	if of == ofFeedback {
		d.title, d.of = "Choices by week", ofChoices
	}
	for day := s.From; day.Before(s.Until); day = day.AddDate(0, 0, 1) {
		year, week := day.ISOWeek()
		if code := uint16((year-2000)*100 + week); !slices.Contains(codes, code) {
			codes = append(codes, code)
			d.labels = append(d.labels, fmt.Sprintf("%d-W%02d", year, week))
		}
	}
	d.labels = append(d.labels, OtherWeeks)
	d.at = func(k *kind, add func(int, int32)) {
		at := slices.Index(codes, k.week)
		if at < 0 {
			at = len(codes)
		}
		add(at, 1)
	}
	return &d
}

// ParseWeek is the Monday of a week as WeeksTable labels it; false: it is none.
func ParseWeek(label string) (time.Time, bool) {
	var year, week int
	if n, err := fmt.Sscanf(label, "%d-W%d", &year, &week); n != 2 || err != nil {
		return time.Time{}, false
	}
	day := time.Date(year, 1, 4, 0, 0, 0, 0, time.UTC) // is in week 1 (ISO 8601)
	return day.AddDate(0, 0, 7*(week-1)-(int(day.Weekday())+6)%7), true
}
