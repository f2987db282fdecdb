package review

import (
	"cmp"
	"slices"
)

// riskFormula is what risk computes, in words.
const riskFormula = "risk = 100 × touched_moving × (1 + over_12s_moving + errors + dead_taps + rage_taps + interruptions + abandoned) / 7; " +
	"each term a share of whole attempts; a withheld term counts as 0 and the score is then marked as the least; " +
	"tasks with lockout leaks, or whose lockout leaks are withheld, come first"

// risk scores a task, nil if nothing can be said.
func risk(k *Task) *Risk {
	r := &Risk{}
	terms, n := 1.0, 1
	var touched *Share
	for _, f := range k.Figures {
		switch {
		case f.Name == "touched_moving":
			touched = f.All
		case !isRisk(f.Name):
		case f.All == nil:
			n++
			r.AtLeast = true
		default:
			n++
			terms += f.All.Share
		}
	}
	if touched == nil {
		return nil
	}
	r.Score = 100 * touched.Share * terms / float64(n)
	return r
}

func isRisk(name string) bool {
	return slices.ContainsFunc(figures, func(f figure) bool { return f.name == name && f.rank == rankRisk })
}

// byRisk orders tasks: leaks first, then by score; those without one last.
func byRisk(a, b Task) int {
	return cmp.Or(-cmp.Compare(leaks(&a), leaks(&b)), -cmp.Compare(score(&a), score(&b)), cmp.Compare(a.Name, b.Name))
}

// leaks is 1 if a task has lockout leaks or nobody may know.
func leaks(k *Task) int {
	for _, f := range k.Figures {
		if f.Name == "lockout_leaks" && (f.All == nil || f.All.Count > 0) {
			return 1
		}
	}
	return 0
}

func score(k *Task) float64 {
	if k.Risk == nil {
		return -1
	}
	return k.Risk.Score
}
