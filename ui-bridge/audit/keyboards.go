package audit

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"time"

	"vignette/scenes"
	"vignette/ui-bridge/trace"
)

// keyboards asks what a record tells of what was typed.
var keyboards = attack{
	id: "keyboards", name: "Recover what was typed",
	does: "Looks in the dataset for touches at a keyboard that tell more than how much was typed. And types digits on a keyboard and on a PIN pad into a real recorder, with the " +
		"gaps of a hand that travels between keys, and learns to tell the first key from all that is recorded, before the dictionary holds anything back.",
	mark: "The dataset has no such touch. The first of ten keys is guessed right at most 1.5 times as often as by lot.",
	run:  runKeyboards,
}

// keyMark is how much better than by lot a guess may be.
const keyMark = 1.5

// keyTries is how often each pad is typed on, at most.
const keyTries = 600

func runKeyboards(d *Dataset, o Options) ([]Figure, error) {
	list := []Figure{keysTell(d)}
	for _, pad := range pads {
		typed, err := typeOn(pad, min(keyTries, o.Queries), o.Seed)
		if err != nil {
			return nil, err
		}
		e := guessFirstKey(typed)
		list = append(list, share(pad.name, atMost, keyMark/keys, e, 1.0/keys))
	}
	return list, nil
}

// keysTell counts the touches at keyboards that are more than one class of length,
// and typing elsewhere.
func keysTell(d *Dataset) Figure {
	const typeShort = 8 // scenes.Gestures
	boards := map[trace.Event]bool{}
	for _, s := range d.Study.Screens {
		for _, e := range s.Elements {
			if e.Keyboard {
				boards[trace.Event{Screen: uint16(s.ID), Elem: uint16(e.ID)}] = true
			}
		}
	}
	bad, touches := 0, 0
	for i := range d.Episodes {
		var before trace.Event
		for _, ev := range d.Episodes[i].Ev {
			at := placeOf(ev)
			if boards[at] {
				touches++
			}
			if typed := ev.Gesture >= typeShort && ev.Gesture < scenes.Fired; boards[at] != typed || boards[at] && at == before {
				bad++
			}
			before = at
		}
	}
	return none("touches at keyboards that tell more than a class of length", "touches", bad, touches, "")
}

// keys is how many there are on a pad: digits.
const keys = 10

// pad is where digits are typed, as the HMI names it.
type pad struct {
	name  string
	start trace.Interaction
	key   func(digit int) trace.Interaction
	end   trace.Interaction
}

// pads are a registered keyboard, and a PIN pad that is none of the study's and
// whose HMI names every key.
var pads = []pad{
	{"first keys of a keyboard guessed right", tap("home", "search"), func(int) trace.Interaction { return tap("keypad", "keys") }, tap("keypad", "done")},
	{"first keys of a PIN pad guessed right", tap("home", "unlock"), func(digit int) trace.Interaction { return tap("pin", fmt.Sprintf("key_%d", digit)) }, tap("unlocked", "done")},
}

func tap(screen, element string) trace.Interaction {
	return trace.Interaction{Screen: screen, Element: element, Gesture: "tap", Outcome: "ok"}
}

//go:embed keyboards.yaml
var keyboardStudy []byte

// typed is what was recorded of a number, and its first digit.
type typed struct {
	first int
	ep    trace.Episode
}

// typeOn types random numbers of four to eight digits on a pad of a recorder and
// returns what it recorded. The recorder is a panel's: nothing is held back.
func typeOn(p pad, tries int, seed uint64) (list []typed, err error) {
	s, err := scenes.ParseStudy("keyboards.yaml", keyboardStudy)
	if err != nil {
		return nil, err
	}
	dir, done, err := scratch()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, done()) }()
	r, err := trace.Open(filepath.Join(dir, "traces"), trace.Options{Studies: []*scenes.Study{s}})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	h := &hand{r: r, rng: rand.New(rand.NewPCG(seed, 0)), at: trace.Context{Now: s.From.AddDate(0, 2, 0), SpeedKnown: true, Parked: true}}
	h.at.Wall = h.at.Now
	r.SetUser(1)
	if err := r.GiveConsent(s.ID, h.at); err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for range tries {
		first, err := h.number(p)
		if err != nil {
			return nil, err
		}
		ep, err := newest(r, seen)
		if err != nil {
			return nil, err
		}
		list = append(list, typed{first, ep})
	}
	return list, nil
}

// hand types on a recorder.
type hand struct {
	r   *trace.Recorder
	rng *rand.Rand
	at  trace.Context
}

// number types one number and returns its first digit.
func (h *hand) number(p pad) (first int, err error) {
	digits := make([]int, 4+h.rng.IntN(5))
	for i := range digits {
		digits[i] = h.rng.IntN(keys)
	}
	err = h.touch(p.start, time.Minute)
	finger := 5
	for _, digit := range digits {
		err = errors.Join(err, h.touch(p.key(digit), h.travel(finger, digit)))
		finger = digit
	}
	return digits[0], errors.Join(err, h.touch(p.end, time.Second+time.Duration(h.rng.IntN(1000))*time.Millisecond))
}

func (h *hand) touch(in trace.Interaction, after time.Duration) error {
	h.at.Now = h.at.Now.Add(after)
	h.at.Wall = h.at.Now
	_, err := h.r.Record([]trace.Interaction{in}, h.at)
	return err
}

// travel is the time from key to key of a telephone's pad: Fitts's law, with the
// figures of fingers on a touch screen about as MacKenzie (1992) collects them.
func (h *hand) travel(from, to int) time.Duration {
	place := func(digit int) (x, y float64) {
		if digit == 0 {
			return 1, 3
		}
		return float64((digit - 1) % 3), float64((digit - 1) / 3)
	}
	x1, y1 := place(from)
	x2, y2 := place(to)
	s := 0.2 + 0.12*math.Log2(math.Hypot(x1-x2, y1-y2)+1)
	return time.Duration(s * math.Exp(0.2*h.rng.NormFloat64()) * float64(time.Second))
}

// newest is the episode that a recorder has and had not before.
func newest(r *trace.Recorder, seen map[string]bool) (trace.Episode, error) {
	for _, t := range r.Traces() {
		if seen[t.ID] {
			continue
		}
		seen[t.ID] = true
		_, segment, err := r.ShowTrace(t.ID)
		if err != nil {
			return trace.Episode{}, err
		}
		list, err := trace.ReadPanel(bytes.NewReader(segment))
		if err != nil || len(list) != 1 {
			return trace.Episode{}, fmt.Errorf("a panel's segment of %d episodes: %w", len(list), err)
		}
		return list[0].Episode, nil
	}
	return trace.Episode{}, errors.New("the recorder has kept nothing of what was typed")
}

// guessFirstKey learns from all numbers but a tenth what the fields of a record
// say of the first key (naive Bayes with Laplace's correction), and guesses those
// of the tenth; ten times.
func guessFirstKey(list []typed) estimate {
	var tries []scored
	for fold := range 10 {
		b := newBayes()
		for i, t := range list {
			if i%10 != fold {
				b.learn(t)
			}
		}
		for i, t := range list {
			if i%10 == fold {
				tries = append(tries, scored{i, b.right(t)})
			}
		}
	}
	return mean(tries)
}

// field is a field of an episode and its value.
type field struct{ name, value int }

func fieldsOf(ep *trace.Episode) (list []field) {
	list = append(list, field{0, len(ep.Ev)})
	for i, ev := range ep.Ev {
		for j, v := range []uint16{ev.Screen, ev.Elem, uint16(ev.Gesture), uint16(ev.DT), uint16(ev.Speed), uint16(ev.Out)} {
			list = append(list, field{100 + 10*i + j, int(v)})
		}
	}
	for i, v := range ep.M {
		list = append(list, field{1000 + i, int(v)})
	}
	return list
}

// bayes tells first keys by fields.
type bayes struct {
	first  [keys]float64
	fields map[field]*[keys]float64
}

func newBayes() *bayes { return &bayes{fields: map[field]*[keys]float64{}} }

func (b *bayes) learn(t typed) {
	b.first[t.first]++
	for _, f := range fieldsOf(&t.ep) {
		if b.fields[f] == nil {
			b.fields[f] = new([keys]float64)
		}
		b.fields[f][t.first]++
	}
}

// right is how often the likeliest key is the right one.
func (b *bayes) right(t typed) float64 {
	var fit [keys]float64
	for key := range fit {
		fit[key] = math.Log(b.first[key] + 1)
		for _, f := range fieldsOf(&t.ep) {
			if n := b.fields[f]; n != nil {
				fit[key] += math.Log((n[key] + 1) / (b.first[key] + 2))
			}
		}
	}
	best, ties := slices.Max(fit[:]), 0
	for _, f := range fit {
		if f >= best-sameFit {
			ties++
		}
	}
	if fit[t.first] >= best-sameFit {
		return 1 / float64(ties)
	}
	return 0
}
