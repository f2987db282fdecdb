package scenes

import "slices"

// Warnings is what is most likely a mistake in a study card that can be read.
func (s *Study) Warnings() Diagnostics {
	var ds Diagnostics
	warn := func(at Pos, format string, args ...any) { ds.found("study", s.File, at, format, args...) }
	for _, c := range s.Cohorts {
		if c.Vehicles < cohortLeast {
			warn(c.pos, "cohort %d has %d vehicles; below %d it is not told apart and its episodes go as cohort 0", c.ID, c.Vehicles, cohortLeast)
		}
	}
	for _, screen := range s.Screens {
		for _, e := range screen.Elements {
			if e.Expires.Before(s.Until) {
				warn(e.pos, "element `%s/%s` expires on %s, before the study ends; from then on it is recorded as `other`", screen.Name, e.Name, e.Expires.Format("2006-01-02"))
			}
		}
	}
	for _, k := range s.Tasks {
		of := func(events int) bool {
			return slices.ContainsFunc(s.Dictionary, func(q Sequence) bool { return q.Task == k.ID && (events == 0 || len(q.Events) == events) })
		}
		switch {
		case s.Panel, len(k.Choices) > 0: // checkOffered has seen to it
		case !of(0):
			warn(k.pos, "the dictionary has no sequence of task `%s`, so nothing of it is ever released", k.Name)
		case k.Card != "" && !of(1):
			warn(k.pos, "the dictionary has no sequence in which card `%s` is left alone, so regret of it cannot be told", k.Name)
		case k.Card != "" && !of(2):
			warn(k.pos, "the dictionary has no sequence in which card `%s` is undone, so regret of it cannot be told", k.Name)
		}
	}
	_ = ds.err() // sorted in place
	return ds
}
