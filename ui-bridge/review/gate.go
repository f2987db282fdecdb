package review

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"vignette/scenes"
)

// Gate is a condition under which a report fails: [TASK.]FIGURE OPERATOR NUMBER,
// such as "lockout_leaks > 0", "air.errors >= 5%", "risk > 20".
type Gate struct {
	Text         string
	Task, Figure string // no Task: any
	op           string
	number       float64
}

// counted are what a gate may name beside the figures, which are shares.
const (
	gateLeaks    = "lockout_leaks" // episodes with one, not their share
	gateEpisodes = "episodes"
	gateRisk     = "risk"
)

// GateFigures are what a gate may name, beside the choices of a study's feedback:
// shares from 0 to 1, but for lockout_leaks and episodes, which are episodes, and
// risk.
func GateFigures() (names []string) {
	for _, f := range figures {
		names = append(names, f.name)
	}
	return append(names, gateEpisodes, gateRisk)
}

var gateText = regexp.MustCompile(`^\s*(?:([a-z][a-z0-9_-]*)\.)?([a-z][a-z0-9_]*)\s*(<=|>=|==|!=|<|>)\s*([0-9]+(?:\.[0-9]+)?)(%?)\s*$`)

// ParseGate reads a condition about tasks, cards and feedback of a study.
func ParseGate(text string, study *scenes.Study) (Gate, error) {
	var tasks, names []string
	for i := range study.Tasks {
		tasks = append(tasks, study.Tasks[i].Name)
		for _, f := range choices(&study.Tasks[i]) {
			names = append(names, f.name)
		}
	}
	names = append(GateFigures(), names...)
	m := gateText.FindStringSubmatch(text)
	if m == nil {
		return Gate{}, fmt.Errorf("%q is no condition; write FIGURE OPERATOR NUMBER, such as lockout_leaks > 0, or TASK.FIGURE and a share such as 5%%", text)
	}
	g := Gate{Text: strings.TrimSpace(text), Task: m[1], Figure: m[2], op: m[3]}
	if !slices.Contains(names, g.Figure) {
		return Gate{}, fmt.Errorf("%q: there is no figure %q; the figures are %s", text, g.Figure, strings.Join(names, ", "))
	}
	if g.Task != "" && !slices.Contains(tasks, g.Task) {
		return Gate{}, fmt.Errorf("%q: the study has no task %q; its tasks are %s", text, g.Task, strings.Join(tasks, ", "))
	}
	number, err := strconv.ParseFloat(m[4], 64)
	if err != nil {
		return Gate{}, fmt.Errorf("%q: %q is no number", text, m[4])
	}
	if m[5] == "%" {
		if slices.Contains([]string{gateLeaks, gateEpisodes, gateRisk}, g.Figure) {
			return Gate{}, fmt.Errorf("%q: %s is no share; write a number without %%", text, g.Figure)
		}
		number /= 100
	}
	g.number = number
	return g, nil
}

// Verdict is what became of a gate.
type Verdict struct {
	Gate   string `json:"gate"`
	Failed bool   `json:"failed"`
	Why    string `json:"why"`
}

// Judge holds the report against gates and notes the verdicts. A figure that is
// withheld cannot be judged, and fails.
func (r *Report) Judge(gates []Gate) (failed bool) {
	for _, g := range gates {
		v := r.judge(&g)
		r.Verdicts = append(r.Verdicts, v)
		failed = failed || v.Failed
	}
	return failed
}

func (r *Report) judge(g *Gate) Verdict {
	var met, hidden, seen []string
	for i := range r.Tasks {
		k := &r.Tasks[i]
		if g.Task != "" && g.Task != k.Name || !g.applies(k) {
			continue
		}
		switch x, ok := g.value(k); {
		case !ok:
			hidden = append(hidden, k.Name)
		case compare(x, g.op, g.number):
			met = append(met, fmt.Sprintf("%s: %s", k.Name, g.show(x)))
		default:
			seen = append(seen, fmt.Sprintf("%s: %s", k.Name, g.show(x)))
		}
	}
	v := Verdict{Gate: g.Text, Failed: true}
	switch {
	case len(met) > 0:
		v.Why = "so it is with " + strings.Join(met, ", ")
		if len(hidden) > 0 {
			v.Why += "; withheld of " + strings.Join(hidden, ", ")
		}
	case len(hidden) > 0:
		v.Why = "cannot be judged: withheld of " + strings.Join(hidden, ", ")
	case len(seen) == 0:
		v.Why = "cannot be judged: no task has this figure"
	default:
		v.Failed, v.Why = false, strings.Join(seen, ", ")
	}
	return v
}

// applies reports whether a task can have the gate's figure.
func (g *Gate) applies(k *Task) bool {
	of := ofTask
	switch {
	case g.Figure == gateEpisodes:
		return true
	case k.Feedback != nil:
		return slices.Contains(k.Feedback.choices, g.Figure)
	case k.Card:
		of = ofCard
	}
	i := slices.IndexFunc(figures, func(f figure) bool { return f.name == g.Figure })
	return i >= 0 && figures[i].about == of || g.Figure == gateRisk && of == ofTask
}

// value is the gate's figure of a task.
func (g *Gate) value(k *Task) (float64, bool) {
	switch g.Figure {
	case gateEpisodes:
		if k.Episodes == nil {
			return 0, false
		}
		return float64(*k.Episodes), true
	case gateRisk:
		if k.Risk == nil || k.Risk.AtLeast {
			return 0, false
		}
		return k.Risk.Score, true
	}
	i := slices.IndexFunc(k.Figures, func(f Figure) bool { return f.Name == g.Figure })
	if i < 0 || k.Figures[i].All == nil {
		return 0, false
	}
	if g.Figure == gateLeaks {
		return float64(k.Figures[i].All.Count), true
	}
	return k.Figures[i].All.Share, true
}

func (g *Gate) show(x float64) string {
	switch g.Figure {
	case gateLeaks, gateEpisodes:
		return strconv.Itoa(int(x))
	case gateRisk:
		return fmt.Sprintf("%.1f", x)
	}
	return percent(x)
}

func compare(x float64, op string, y float64) bool {
	switch op {
	case "<":
		return x < y
	case "<=":
		return x <= y
	case ">":
		return x > y
	case ">=":
		return x >= y
	case "==":
		return x == y
	}
	return x != y
}
