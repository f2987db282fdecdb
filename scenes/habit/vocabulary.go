// Package habit finds on the car what a driver does by hand again and again,
// "after X, you do Y", and drafts a scene card that would do it. It is pure: what
// happens goes in with its time, drafts come out, in bounded memory. Nothing of it
// is for anybody but the driver: it writes nothing, and what it knows is saved by
// its caller in a file of the driver's own. See docs/study-cards.md, *Habits*.
package habit

import (
	"math"
	"strings"

	"vignette/scenes"
	"vignette/scenes/engine"
)

// Bounds of what can be learnt about a vehicle. What a profile has beyond them is
// left out, and Vocabulary.LeftOut says how much.
const (
	maxOccasions = 2048
	maxActuators = 128
	maxValues    = 16 // of a signal with listed values
	maxEdges     = 8  // of a signal that is a number
)

// Vocabulary is what a habit can be of in a vehicle: the occasions X and the
// actuators of Y. It is immutable.
type Vocabulary struct {
	LeftOut int // occasions and actuators beyond the bounds

	vehicle   *scenes.Vehicle
	signals   []signal
	occasions []occasion
	occurs    map[string]int // from an occurrence's text to its occasion
	actuators []actuator
}

// signal is a signal of the profile that has occasions.
type signal struct {
	index  int       // into the profile's signals
	first  int       // its first occasion
	values []float64 // it becomes one of these; nil: it is a number
	edges  []float64 // ascending: it rises above or falls below one of these
	back   float64   // how far behind an edge it must have been before it counts again
}

// occasion is one X.
type occasion struct {
	signal int // index into the profile's signals; -1: an occurrence
	op     engine.TriggerOp
	value  float64 // what the signal becomes, or the edge
	rearm  float64 // of an edge
	occur  string  // an occurrence as scenes.Occur.Text says it
}

// actuator is an actuator whose settings are told apart.
type actuator struct {
	spec     *scenes.Actuator
	readback int     // index into the profile's signals; -1: none
	grid     float64 // between two settings of a number
}

// NewVocabulary finds what habits can be of in a vehicle: its labels, booleans and
// listed numbers becoming a value, its other numbers crossing edges a tenth of
// their range apart or wider, what its events tell of, and its actuators. What is
// read back of an actuator is no occasion: cards and hands change it.
func NewVocabulary(v *scenes.Vehicle) *Vocabulary {
	b := &Vocabulary{vehicle: v, occurs: map[string]int{}}
	readbacks := map[string]bool{}
	for i := range v.Actuators {
		readbacks[v.Actuators[i].Readback] = true
		b.addActuator(&v.Actuators[i])
	}
	for i := range v.Signals {
		if !readbacks[v.Signals[i].Path] {
			b.addSignal(i)
		}
	}
	for i := range v.Events {
		for _, f := range v.Events[i].Facts() {
			b.addOccurrence(f.So)
			b.addOccurrence(f.NotSo)
		}
	}
	return b
}

func (v *Vocabulary) addActuator(spec *scenes.Actuator) {
	if len(v.actuators) == maxActuators {
		v.LeftOut++
		return
	}
	a := actuator{spec: spec, readback: -1, grid: spec.Step}
	for i := range v.vehicle.Signals {
		if v.vehicle.Signals[i].Path == spec.Readback {
			a.readback = i
		}
	}
	if spec.Kind == engine.Number && a.grid == 0 {
		if a.grid = (spec.Max - spec.Min) / 20; !strings.HasPrefix(spec.Type, "float") && spec.Type != "double" {
			a.grid = math.Ceil(a.grid)
		}
	}
	v.actuators = append(v.actuators, a)
}

// addSignal adds the occasions of a signal.
func (v *Vocabulary) addSignal(i int) {
	spec := &v.vehicle.Signals[i]
	s := signal{index: i, first: len(v.occasions)}
	domain := spec.Expected()
	switch {
	case domain.Values == nil && spec.Kind == engine.Number:
		s.edges, s.back = edgesOf(domain)
	case domain.Whole && len(domain.Values) <= maxValues:
		s.values = domain.Values
	}
	if spec.Kind == engine.Bool {
		s.values = []float64{0, 1}
	}
	n := len(s.values) + 2*len(s.edges)
	if n < 2 {
		return // it never changes
	}
	if len(v.occasions)+n > maxOccasions {
		v.LeftOut += n
		return
	}
	for _, x := range s.values {
		v.occasions = append(v.occasions, occasion{signal: i, op: engine.Becomes, value: x})
	}
	for _, e := range s.edges {
		v.occasions = append(v.occasions, occasion{signal: i, op: engine.RisesAbove, value: e, rearm: tidy(e - s.back)},
			occasion{signal: i, op: engine.FallsBelow, value: e, rearm: tidy(e + s.back)})
	}
	v.signals = append(v.signals, s)
}

func (v *Vocabulary) addOccurrence(text string) {
	switch {
	case text == "":
	case len(v.occasions) == maxOccasions:
		v.LeftOut++
	default:
		v.occurs[text] = len(v.occasions)
		v.occasions = append(v.occasions, occasion{signal: -1, op: engine.Occurs, occur: text})
	}
}

// edgesOf are round numbers within a range, at most maxEdges and a tenth of it or
// more apart, and a quarter of that. A range without bounds, or of one value, has
// none.
func edgesOf(d scenes.Domain) (edges []float64, back float64) {
	span := d.High - d.Low
	if !(span > 0) || span > 1e12 {
		return nil, 0
	}
	step := math.Pow10(int(math.Floor(math.Log10(span / maxEdges))))
	for _, times := range []float64{1, 2, 5, 10, 20} {
		step := tidy(step * times)
		first, last := math.Floor(d.Low/step)+1, math.Ceil(d.High/step)-1
		if last-first+1 > maxEdges {
			continue
		}
		for i := first; i <= last; i++ {
			edges = append(edges, tidy(i*step))
		}
		return edges, step / 4
	}
	return nil, 0
}

// tidy rounds what arithmetic has left behind the digits that anybody wrote.
func tidy(x float64) float64 {
	if x == 0 || math.Abs(x) > 1e9 {
		return x
	}
	scale := math.Pow10(9 - int(math.Ceil(math.Log10(math.Abs(x)))))
	return math.Round(x*scale) / scale
}

// setting is the number of a value among an actuator's settings; not ok: it is
// none that a card may set.
func (a *actuator) setting(v engine.Value) (n int32, ok bool) {
	switch {
	case v.Kind != a.spec.Kind:
		return 0, false
	case v.Kind == engine.Label:
		for i, l := range a.spec.Labels {
			if l == v.Text {
				return int32(i), true
			}
		}
		return 0, false
	case v.Kind == engine.Bool:
		return int32(v.Num), true
	}
	if !(a.spec.Min <= v.Num && v.Num <= a.spec.Max) {
		return 0, false
	}
	if a.grid == 0 {
		return 0, true // one value
	}
	i := math.Round((v.Num - a.spec.Min) / a.grid)
	return int32(i), i <= math.MaxInt32
}

// value is the value of a setting.
func (a *actuator) value(setting int32) engine.Value {
	switch a.spec.Kind {
	case engine.Label:
		return engine.Value{Kind: engine.Label, Text: a.spec.Labels[setting]}
	case engine.Bool:
		return engine.Value{Kind: engine.Bool, Num: float64(setting)}
	}
	return engine.Value{Kind: engine.Number, Num: min(tidy(a.spec.Min+float64(float64(setting)*a.grid)), a.spec.Max)}
}

// settings is how many settings an actuator has.
func (a *actuator) settings() int32 {
	switch {
	case a.spec.Kind == engine.Label:
		return int32(len(a.spec.Labels))
	case a.spec.Kind == engine.Bool:
		return 2
	}
	n, ok := a.setting(engine.Value{Kind: engine.Number, Num: a.spec.Max})
	if !ok {
		return 0
	}
	return n + 1
}
