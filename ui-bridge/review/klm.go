package review

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"vignette/scenes"
	"vignette/ui-bridge/trace"
)

// Operators of the keystroke-level model, in s (S. K. Card, T. P. Moran and
// A. Newell, The keystroke-level model for user performance time with interactive
// systems, CACM 23(7), 1980): a key or button pressed by somebody who is no
// typist, pointing at a target, and making up one's mind. H, the hand's way to the
// device, lies before the first touch, where time on task begins.
const (
	klmK = 0.28
	klmP = 1.10
	klmM = 1.35
)

// klmFormula says how a sequence's time is made of operators.
const klmFormula = "K 0.28 s for each touch after the first and each further key (1, 5 or 13 keys: the fewest of their class), " +
	"P 1.10 s where it is another element, M 1.35 s where it is another screen (Card, Moran and Newell 1980)"

// klmKeys are the fewest keys of a typed touch, by gesture.
var klmKeys = map[string]int{"type_short": 1, "type_medium": 5, "type_long": 13}

// klmTime is what the model gives a practised user for a sequence, in s; false if
// it has a gesture that the model has no operator for.
func klmTime(q *scenes.Sequence) (seconds float64, ok bool) {
	for i, e := range q.Events {
		word := scenes.Gestures[e.Gesture]
		keys := klmKeys[word]
		if keys == 0 && !slices.Contains([]string{"tap", "press", "long_press", "swipe", "turn"}, word) {
			return 0, false
		}
		seconds += klmK * float64(max(0, keys-1))
		if i == 0 {
			continue
		}
		seconds += klmK
		before := q.Events[i-1]
		if e.Screen != before.Screen {
			seconds += klmM
		}
		if e.Screen != before.Screen || e.Elem != before.Elem {
			seconds += klmP
		}
	}
	return seconds, true
}

// klm is the model's time of the shortest known path of a task: of the
// dictionary's sequences that do it from its start to its end the one that takes
// least.
type klm struct {
	seconds float64
	steps   []string // none: no such path is known
}

func (m *klm) known() bool { return m.steps != nil }

func newKLM(s *scenes.Study, t *scenes.Task) (m klm) {
	for i := range s.Dictionary {
		q := &s.Dictionary[i]
		if q.Task != t.ID || t.Card != "" || !completes(q, t) || int(q.Events[0].Elem) != t.Start.Element {
			continue
		}
		if seconds, ok := klmTime(q); ok && (!m.known() || seconds < m.seconds) {
			m = klm{seconds, steps(s, q)}
		}
	}
	return m
}

// residual is the distribution of time on task less the model's, of attempts that
// reached the end: the buckets of time, moved.
func (m *klm) residual() distribution {
	d := byMetric("klm_residual", fmt.Sprintf("Time on task beyond the %.1f s of the keystroke-level model", m.seconds), trace.MetricTime)
	d.of = "whole attempts that reached the end"
	at := d.at
	d.at = func(k *kind, add func(int, int32)) {
		if k.whole && k.reached() {
			at(k, add)
		}
	}
	buckets := trace.MetricTable[trace.MetricTime].Buckets
	for i, b := range buckets {
		switch from := seconds(b.From - m.seconds); {
		case i == 0:
			d.labels[i] = from + " s"
		case i == len(buckets)-1:
			d.labels[i] = from + " s or more"
		default:
			d.labels[i] = from + " to " + seconds(buckets[i+1].From-m.seconds) + " s"
		}
	}
	return d
}

// seconds is a difference with its sign, to a tenth.
func seconds(x float64) string {
	if math.Abs(x) < 0.05 {
		return "0.0"
	}
	return strings.Replace(fmt.Sprintf("%+.1f", x), "-", "−", 1)
}

// addResidual adds the model's table, and cells of what its own leave of those of
// time on task, attempts that did not reach the end: no report shows them, and none
// of few vehicles may follow. They are in no line, since a line whose sum is withheld
// withholds its empty cells too, which the model's table tells by itself.
func (t *taskSheet) addResidual() {
	d := t.dict.klm.residual()
	t.addTable(&d)
	for i := range d.labels {
		t.cell(rankBucket, func(k *kind) int32 { return one(k.whole && !k.reached() && int(k.m[trace.MetricTime])-1 == i) })
	}
}

// KLM is the keystroke-level model's time of the shortest known path of a task.
type KLM struct {
	Seconds   float64  `json:"seconds"`
	Path      []string `json:"path"`
	Words     []string `json:"words,omitempty"` // the same in the words of the registry
	Operators string   `json:"operators"`
}

func (m *klm) report() *KLM {
	if !m.known() {
		return nil
	}
	return &KLM{Seconds: math.Round(m.seconds*100) / 100, Path: m.steps, Operators: klmFormula}
}
