package audit

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vignette/ui-bridge/trace"
)

// planted makes datasets of which it is known how far they can be attacked.
type planted struct {
	cars, weeks int
	// what is planted; each is asked for a car's n-th episode
	change func(rng *rand.Rand, ep *trace.Episode, car, week, n int)
	// of files; nil: names are random, all have one size and one time
	path    func(rng *rand.Rand, car, n int) string
	modTime func(rng *rand.Rand, car, week int) time.Time
	unpaded bool
	files   bool // each episode in one of its own; implied by what is planted in files
	noTruth bool
	twice   bool // each task and week
	k       int
	first   int               // the number of the first week, from 0
	study   *strings.Replacer // of the study card's text
	seed    uint64            // of what is random
}

// sequences are those of the demo's dictionary for the task air, by their ids.
var sequences = map[uint16][]trace.Event{
	1: {{Screen: 2, Elem: 2, Gesture: 2, Out: 2}, {Screen: 3, Elem: 11, Gesture: 5, DT: 1, Out: 2}},
	2: {{Screen: 2, Elem: 2, Gesture: 2, Speed: 1, Out: 2}, {Screen: 3, Elem: 11, Gesture: 5, DT: 1, Speed: 1, Out: 2}},
	3: {{Screen: 2, Elem: 2, Gesture: 2, Speed: 2, Out: 2}, {Screen: 3, Elem: 11, Gesture: 5, DT: 1, Speed: 2, Out: 2}},
	4: {{Screen: 2, Elem: 2, Gesture: 2, Speed: 3, Out: 2}, {Screen: 3, Elem: 11, Gesture: 5, DT: 1, Speed: 3, Out: 2}},
	29: {{Screen: 2, Elem: 2, Gesture: 2, Speed: 1, Out: 2}, {Screen: 3, Elem: 11, Gesture: 5, DT: 1, Speed: 1, Out: 2},
		{Screen: 3, Elem: 10, Gesture: 4, DT: 3, Speed: 1, Out: 2}, {Screen: 3, Elem: 16, Gesture: 2, DT: 3, Speed: 1, Out: 4}},
	32: {{Screen: 2, Elem: 2, Gesture: 2, Speed: 1, Out: 2}, {Screen: 3, Elem: 11, Gesture: 5, DT: 1, Speed: 1, Out: 2},
		{Screen: 3, Elem: 10, Gesture: 4, DT: 4, Speed: 1, Out: 2}, {Screen: 3, Elem: 16, Gesture: 2, DT: 4, Speed: 1, Out: 4}},
}

// write writes the dataset and returns its directory.
func (p planted) write(t *testing.T) string {
	t.Helper()
	dir, done, err := scratch()
	must(t, err)
	t.Cleanup(func() { must(t, done()) })
	must(t, os.Mkdir(filepath.Join(dir, "segments"), 0o755))
	study, err := os.ReadFile("../../testdata/drive/studies/demo.yaml")
	must(t, err)
	if p.k > 0 {
		study = bytes.Replace(study, []byte("\nk: 50\n"), fmt.Appendf(nil, "\nk: %d\n", p.k), 1)
	}
	if p.study != nil {
		study = []byte(p.study.Replace(string(study)))
	}
	must(t, os.WriteFile(filepath.Join(dir, "study.yaml"), study, 0o644))
	rng := rand.New(rand.NewPCG(1, 2+p.seed))
	var truth bytes.Buffer
	var together []trace.Episode
	n := 0
	for week := p.first; week < p.first+p.weeks; week++ {
		for car := range p.cars {
			for range map[bool]int{false: 1, true: 2}[p.twice] {
				n++
				if ep, apart := p.one(t, rng, dir, &truth, car, week, n); !apart {
					together = append(together, ep)
				}
			}
		}
	}
	if len(together) > 0 {
		var b bytes.Buffer
		must(t, trace.WriteSegment(&b, true, together))
		must(t, os.WriteFile(filepath.Join(dir, oneFile), b.Bytes(), 0o644))
	}
	if !p.noTruth {
		must(t, os.WriteFile(filepath.Join(dir, "truth.jsonl"), truth.Bytes(), 0o644))
	}
	return dir
}

// oneFile holds the episodes that have no file of their own.
const oneFile = "segments/all.seg"

// one makes an episode, and writes its file if it has one of its own.
func (p planted) one(t *testing.T, rng *rand.Rand, dir string, truth *bytes.Buffer, car, week, n int) (ep trace.Episode, apart bool) {
	ids := sortedKeys(sequences)
	ep = trace.Episode{V: trace.SchemaVersion, Policy: 1, Week: uint16(2601 + week), TOD: uint8(1 + rng.IntN(4)), Task: 1, Variant: ids[rng.IntN(len(ids))]}
	for i := range ep.EID {
		ep.EID[i] = byte(rng.UintN(256))
	}
	ep.Ev = append(ep.Ev, sequences[ep.Variant]...)
	if p.change != nil {
		p.change(rng, &ep, car, week, n)
	}
	name := fmt.Sprintf("segments/%016x%016x.seg", rng.Uint64(), rng.Uint64())
	if p.path != nil {
		name = p.path(rng, car, n)
	}
	line, err := json.Marshal(map[string]any{"eid": hex.EncodeToString(ep.EID[:]), "car": car, "user": 1, "file": p.where(name)})
	must(t, err)
	truth.Write(append(line, '\n'))
	if p.where(name) == oneFile {
		return ep, false
	}
	file := filepath.Join(dir, name)
	must(t, os.MkdirAll(filepath.Dir(file), 0o755))
	must(t, os.WriteFile(file, segment(t, ep, !p.unpaded), 0o644))
	at := time.Unix(0, 0)
	if p.modTime != nil {
		at = p.modTime(rng, car, week)
	}
	must(t, os.Chtimes(file, at, at))
	return ep, true
}

// where is the file of an episode whose own would have a name.
func (p planted) where(name string) string {
	if p.files || p.unpaded || p.path != nil || p.modTime != nil {
		return name
	}
	return oneFile
}

// segment is a file of one episode; not padded, it ends with its record, which has
// its length at byte 64, and then a sum of four bytes.
func segment(t *testing.T, ep trace.Episode, padded bool) []byte {
	t.Helper()
	var b bytes.Buffer
	must(t, trace.WriteSegment(&b, true, []trace.Episode{ep}))
	if padded {
		return b.Bytes()
	}
	n, head := binary.Uvarint(b.Bytes()[64:])
	return b.Bytes()[:64+head+4+int(n)]
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// load reads a planted dataset.
func load(t *testing.T, p planted) *Dataset {
	t.Helper()
	return loadOne(t, p.write(t))
}

// loadOne reads a dataset of one directory.
func loadOne(t *testing.T, dir string) *Dataset {
	t.Helper()
	list, err := Load([]string{dir}, "", nil)
	must(t, err)
	return list[0]
}

var options = Options{Seed: 1, Queries: 20_000}

// figures runs one attack.
func figures(t *testing.T, a attack, d *Dataset, o Options) []Figure {
	t.Helper()
	list, err := a.run(d, o)
	must(t, err)
	for _, f := range list {
		t.Logf("%s: %s", f.Name, show(f))
	}
	return list
}

func show(f Figure) string {
	s := fmt.Sprintf("%s, mark %s %g, n %d", f.Verdict, f.Sense, f.Mark, f.N)
	if f.Value != nil {
		s += fmt.Sprintf(", value %g", *f.Value)
	}
	if f.Low != nil {
		s += fmt.Sprintf(" (%g to %g), chance %g", *f.Low, *f.High, *f.Chance)
	}
	return s + " " + f.Why
}

// want holds a figure's verdict and its value.
func want(t *testing.T, f Figure, v Verdict, low, high float64) {
	t.Helper()
	if f.Verdict != v || f.Value == nil || *f.Value < low || *f.Value > high {
		t.Errorf("%s: %s; want %s from %g to %g", f.Name, show(f), v, low, high)
	}
}

// TestLinking: what is random is linked as often as by lot, what each car does in
// a way of its own always, and so is a persistent id.
func TestLinking(t *testing.T) {
	random := figures(t, linking, load(t, planted{cars: 100, weeks: 10}), options)
	want(t, random[0], Pass, 0, 0)
	want(t, random[1], Pass, 0.008, 0.012)

	habit := func(ep *trace.Episode, car int) {
		ep.M[0], ep.M[1], ep.TOD, ep.Variant = uint8(car%10), uint8(car/10), 1, 29
		ep.Ev = append(ep.Ev[:0], sequences[29]...)
	}
	own := func(rng *rand.Rand, ep *trace.Episode, car, week, n int) { habit(ep, car) }
	want(t, figures(t, linking, load(t, planted{cars: 100, weeks: 4, change: own}), options)[1], Fail, 0.9, 1)

	similar := func(rng *rand.Rand, ep *trace.Episode, car, week, n int) { // never the same twice
		habit(ep, car)
		ep.M[2], ep.M[3] = uint8(week), uint8(rng.IntN(200))
	}
	want(t, figures(t, linking, load(t, planted{cars: 100, weeks: 4, change: similar}), options)[1], Fail, 0.4, 1)

	fixed := func(rng *rand.Rand, ep *trace.Episode, car, week, n int) { ep.EID = trace.EpisodeID{1, byte(car)} }
	persistent := figures(t, linking, load(t, planted{cars: 100, weeks: 4, change: fixed}), options)
	want(t, persistent[0], Fail, 100, 100)
	want(t, persistent[1], Fail, 1, 1)

	// An id that changes between the halves and is the same within each.
	rotated := func(rng *rand.Rand, ep *trace.Episode, car, week, n int) {
		ep.EID = trace.EpisodeID{1, byte(car), byte(week / 4)}
		if rng.IntN(4) > 0 {
			ids := sortedKeys(sequences)
			ep.Variant = ids[car%len(ids)]
			ep.Ev, ep.TOD = append(ep.Ev[:0], sequences[ep.Variant]...), uint8(1+car/6%4)
		}
	}
	want(t, figures(t, linking, load(t, planted{cars: 100, weeks: 8, change: rotated}), options)[1], Fail, 0.05, 1)
}

// TestRareTuples: a sequence of few cars, one that the dictionary lacks and a
// second episode a task and week are each counted.
func TestRareTuples(t *testing.T) {
	list := figures(t, rareTuples, load(t, planted{cars: 200, weeks: 6}), options)
	for _, f := range list {
		want(t, f, Pass, 0, 0)
	}
	few := func(rng *rand.Rand, ep *trace.Episode, car, week, n int) {
		if car < 49 {
			ep.Variant, ep.Ev = 4, append(ep.Ev[:0], sequences[4]...)
		} else if ep.Variant == 4 {
			ep.Variant, ep.Ev = 3, append(ep.Ev[:0], sequences[3]...)
		}
	}
	want(t, figures(t, rareTuples, load(t, planted{cars: 200, weeks: 6, change: few}), options)[0], Fail, 1, 1)
	strange := func(rng *rand.Rand, ep *trace.Episode, car, week, n int) { ep.Ev[1].DT = uint8(1 + n%2) }
	want(t, figures(t, rareTuples, load(t, planted{cars: 200, weeks: 6, change: strange}), options)[1], Fail, 300, 1200)
	want(t, figures(t, rareTuples, load(t, planted{cars: 200, weeks: 6, twice: true}), options)[2], Fail, 1200, 1200)

	untold := figures(t, rareTuples, load(t, planted{cars: 600, weeks: 6, noTruth: true}), options)
	want(t, untold[0], Pass, 0, 0)
	if untold[2].Verdict != NotRun || untold[2].Value != nil {
		t.Errorf("without truth: %s", show(untold[2]))
	}
}

// TestTiming: random gaps leave half the fleet, gaps of each car's own few.
func TestTiming(t *testing.T) {
	random := func(rng *rand.Rand, ep *trace.Episode, car, week, n int) {
		for i := range ep.Ev[1:] {
			ep.Ev[i+1].DT = uint8(1 + rng.IntN(6))
		}
	}
	for _, f := range figures(t, timing, load(t, planted{cars: 200, weeks: 10, change: random}), options)[1:] {
		want(t, f, Pass, 0.38, 0.62)
	}
	for i, f := range figures(t, timing, load(t, planted{cars: 200, weeks: 10}), options) { // each sequence has its times
		want(t, f, Pass, []float64{0.9, 0.38, 0.38}[i], 1)
	}
	raw := func(rng *rand.Rand, ep *trace.Episode, car, week, n int) {
		for i := range ep.Ev[1:] {
			ep.Ev[i+1].DT = uint8(20 + car + rng.IntN(4))
		}
	}
	list := figures(t, timing, load(t, planted{cars: 200, weeks: 10, change: raw}), options)
	want(t, list[0], Fail, 0, 0.05)
	want(t, list[1], Fail, 0, 0.05)
	want(t, list[2], Fail, 0, 0.2) // it has the pace alone, and little of it
	none := figures(t, timing, load(t, planted{cars: 20, weeks: 1, change: raw}), options)
	if none[0].Verdict != NotRun || none[1].Verdict != NotRun {
		t.Errorf("one week: %s", show(none[0]))
	}
}

// TestFiles: names, times and sizes that tell are found by their own attack.
func TestFiles(t *testing.T) {
	for _, f := range figures(t, filesTell, load(t, planted{cars: 100, weeks: 10, files: true}), options) {
		if f.Verdict != Pass {
			t.Errorf("%s: %s", f.Name, show(f))
		}
	}
	day := func(car, week int) time.Time {
		return time.Date(2026, 1, 1+7*week, 0, car*10, 0, 0, time.UTC)
	}
	for i, p := range map[int]planted{
		0: {cars: 60, weeks: 6, unpaded: true},
		1: {cars: 60, weeks: 6, unpaded: true},
		2: {cars: 60, weeks: 6, path: func(_ *rand.Rand, car, n int) string { return fmt.Sprintf("segments/%03d/%06d.seg", car, n) }},
		3: {cars: 60, weeks: 6, twice: true, modTime: func(_ *rand.Rand, car, week int) time.Time { return day(car, week) }},
		4: {cars: 60, weeks: 6, modTime: func(rng *rand.Rand, car, week int) time.Time {
			return day(car, week).Add(time.Duration(rng.IntN(3)) * time.Minute)
		}},
		5: {cars: 60, weeks: 6, unpaded: true, change: func(_ *rand.Rand, ep *trace.Episode, car, week, n int) {
			ep.Ev = make([]trace.Event, car%9)
			ep.Task, ep.Cohort = uint16(car/9*50), uint16(car/30)*200
		}},
	} {
		if f := figures(t, filesTell, load(t, p), options)[i]; f.Verdict != Fail {
			t.Errorf("%s: %s; want a failure", f.Name, show(f))
		}
	}
}

// TestKeyboards: nothing of what is typed is recovered from a keyboard or a PIN
// pad, but everything where each key is an element of its own; and touches at
// keyboards that tell more are counted.
func TestKeyboards(t *testing.T) {
	for _, f := range figures(t, keyboards, load(t, planted{cars: 20, weeks: 2}), options) {
		if f.Verdict != Pass {
			t.Errorf("%s: %s", f.Name, show(f))
		}
	}
	told := func(rng *rand.Rand, ep *trace.Episode, car, week, n int) {
		at := trace.Event{Screen: 7, Elem: 52, Gesture: 8}
		if n%2 == 0 {
			ep.Ev = []trace.Event{at, at}
		} else {
			ep.Ev = []trace.Event{{Screen: 7, Elem: 52, Gesture: 2}}
		}
	}
	want(t, figures(t, keyboards, load(t, planted{cars: 20, weeks: 2, change: told}), options)[0], Fail, 40, 40)
	var list []typed
	rng := rand.New(rand.NewPCG(1, 1))
	for range 300 {
		key := rng.IntN(keys)
		list = append(list, typed{key, trace.Episode{Ev: []trace.Event{{Elem: 3}, {Elem: uint16(10 + key)}}}})
	}
	if e := guessFirstKey(list); e.value < 0.99 {
		t.Errorf("keys that are told are guessed right in %g", e.value)
	}
}

// TestCanaries: a canary is found in each disguise, and not where there is none.
func TestCanaries(t *testing.T) {
	dir := planted{cars: 5, weeks: 1, files: true}.write(t)
	d := loadOne(t, dir)
	if f := figures(t, canaries, d, options)[0]; f.Verdict != NotRun {
		t.Errorf("nothing pushed: %s", show(f))
	}
	o := options
	o.Canaries = DefaultCanaries
	want(t, figures(t, canaries, d, o)[0], Pass, 0, 0)
	patterns := Disguises(DefaultCanaries)
	if len(patterns) < 70 {
		t.Errorf("%d disguises", len(patterns))
	}
	file := filepath.Join(dir, d.Files[0].Path)
	clean, err := os.ReadFile(file)
	must(t, err)
	for _, p := range patterns {
		must(t, os.WriteFile(file, append(bytes.Clone(clean), p.bytes...), 0o644))
		list, err := canaries.run(d, o)
		must(t, err)
		if list[0].Verdict != Fail {
			t.Errorf("%s is not found", p.Name)
		}
	}
}

// TestDisguises holds some against other programs' output.
func TestDisguises(t *testing.T) {
	for _, c := range []struct{ text, hidden string }{
		{"Zhang Wei", "WmhhbmcgV2Vp"}, {"Zhang Wei", "eFpoYW5nIFdlaXg"}, // base64 of it alone, and between two letters
		{"Zhang Wei", "5a68616e6720576569"}, {"Zhang Wei", "ieW gnahZ"}, {"Zhang Wei", "ZhangWei"},
		{"+44 1632 960961", "\x44\x16\x32\x96\x09\x61"}, {"+44 1632 960961", "441632960961"},
		{"张伟", "\x20\x5f\x1f\x4f"}, {"31.23039", "\x1c\x61\x9d\x12"},
	} {
		found := false
		for _, p := range Disguises([]string{c.text}) {
			found = found || p.In([]byte(c.hidden))
		}
		if !found {
			t.Errorf("%q is not found as %q", c.text, c.hidden)
		}
	}
}

// TestTampering holds that no flipped bit of a card is taken.
func TestTampering(t *testing.T) {
	d := load(t, planted{cars: 5, weeks: 1})
	o := options
	o.Queries = 300
	for _, f := range figures(t, tampering, d, o) {
		if f.Verdict != Pass || f.N < 100 {
			t.Errorf("%s: %s", f.Name, show(f))
		}
	}
}
