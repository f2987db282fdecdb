package panel

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"vignette/scenes"
	"vignette/ui-bridge/fleet"
	"vignette/ui-bridge/trace"
)

func study(t testing.TB, name string) *scenes.Study {
	t.Helper()
	s, err := scenes.LoadStudy("../../testdata/fleet/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// panelDir has the segments of a small simulated panel.
var panelDir string

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(withPanel(m.Run))
}

// withPanel runs tests while there is a panel.
func withPanel(run func() int) int {
	top, err := os.MkdirTemp("", "vignette-panel-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(top)
	s, err := scenes.LoadStudy("../../testdata/fleet/panel.yaml")
	if err != nil {
		panic(err)
	}
	dir := filepath.Join(top, "panel")
	if _, err := fleet.Simulate(dir, fleet.Options{Study: s, Cars: 30, Weeks: 2, Seed: 4}); err != nil {
		panic(err)
	}
	panelDir = filepath.Join(dir, "segments")
	return run()
}

// drivers counts slowly, from the segments, with how many drivers each sequence of
// a task was seen, whole or as a pair.
func drivers(t testing.TB, dir string) map[string]map[trace.Pseudonym]bool {
	t.Helper()
	seen := map[string]map[trace.Pseudonym]bool{}
	note := func(text string, driver trace.Pseudonym) {
		if seen[text] == nil {
			seen[text] = map[trace.Pseudonym]bool{}
		}
		seen[text][driver] = true
	}
	err := trace.Segments(dir, func(path string) error {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		list, err := trace.ReadPanel(f)
		for _, p := range list {
			note(fmt.Sprint("whole ", p.Episode.Task, p.Episode.Ev), p.Driver)
			for i := range len(p.Episode.Ev) - 1 {
				pair := slices.Clone(p.Episode.Ev[i : i+2])
				pair[0].DT = trace.DTFirst
				note(fmt.Sprint("pair ", p.Episode.Task, pair), p.Driver)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return seen
}

// TestDictionaryHoldsK holds that what a dictionary names was seen with k drivers,
// counted by other means, and that it is all that was, up to its bound.
func TestDictionaryHoldsK(t *testing.T) {
	s := study(t, "panel.yaml")
	seen := drivers(t, panelDir)
	const k = 6
	enough := 0
	for _, of := range seen {
		if len(of) >= k {
			enough++
		}
	}
	d, err := Make([]string{panelDir}, Options{Study: s, K: k, Whole: 1 << 20, Pairs: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	both := 0
	for _, q := range d.Sequences {
		var events []trace.Event
		for _, e := range q.Events {
			events = append(events, trace.Event(e))
		}
		whole, pair := len(seen[fmt.Sprint("whole ", q.Task, events)]), len(seen[fmt.Sprint("pair ", q.Task, events)])
		if q.Vehicles < k || q.Vehicles != max(whole, pair) {
			t.Errorf("sequence %d is said to be of %d drivers; whole it is of %d, as a pair of %d", q.ID, q.Vehicles, whole, pair)
		}
		if whole >= k && pair >= k {
			both++
		}
	}
	if len(d.Sequences) < 20 || len(d.Sequences)+both != enough {
		t.Errorf("%d sequences, %d of them whole and pairs; %d have enough drivers", len(d.Sequences), both, enough)
	}
	if d.Kept == 0 || d.Cut == 0 || d.Kept+d.Cut > d.Attempts || d.Drivers < k {
		t.Errorf("%+v", d)
	}
}

// TestDictionaryIsAStudys holds that what is printed can be read in a study card,
// gives the same sequences, and is the same each time.
func TestDictionaryIsAStudys(t *testing.T) {
	s := study(t, "panel.yaml")
	o := Options{Study: s, K: 5, Whole: 6, Pairs: 3}
	d, err := Make([]string{panelDir}, o)
	if err != nil {
		t.Fatal(err)
	}
	text, err := d.YAML(s)
	if err != nil {
		t.Fatal(err)
	}
	card, err := os.ReadFile("../../testdata/fleet/panel.yaml")
	if err != nil {
		t.Fatal(err)
	}
	of, err := scenes.ParseStudy("made.yaml", []byte(strings.NewReplacer("mode: panel", "mode: fleet", "k: 50", "k: 5").Replace(string(card))+text))
	if err != nil {
		t.Fatal(err)
	}
	for i := range of.Dictionary {
		of.Dictionary[i].Pos = scenes.Pos{}
	}
	if !reflect.DeepEqual(of.Dictionary, d.Sequences) {
		t.Errorf("read back: %+v, made: %+v", of.Dictionary, d.Sequences)
	}
	again, err := Make([]string{panelDir}, o)
	if err != nil || !reflect.DeepEqual(again, d) {
		t.Errorf("made again: %+v, %v", again, err)
	}
	perTask := map[int]int{}
	for _, q := range d.Sequences {
		if perTask[q.Task]++; perTask[q.Task] > o.Whole+o.Pairs {
			t.Errorf("task %d has more than %d sequences", q.Task, o.Whole+o.Pairs)
		}
	}
}

// TestOnlyOfAPanel holds that nothing is made of what is not a panel's, or not of
// the study that is named.
func TestOnlyOfAPanel(t *testing.T) {
	panel, released := study(t, "panel.yaml"), study(t, "study.yaml")
	dir := filepath.Join(t.TempDir(), "fleet")
	if _, err := fleet.Simulate(dir, fleet.Options{Study: released, Cars: 2, Weeks: 2}); err != nil {
		t.Fatal(err)
	}
	if _, err := Make([]string{filepath.Join(dir, "segments")}, Options{Study: panel, K: 5, Whole: 1}); !errors.Is(err, trace.ErrNotPanel) {
		t.Errorf("of what is released: %v", err)
	}
	if _, err := Make([]string{filepath.Join(t.TempDir(), "nosuch")}, Options{Study: panel, K: 5, Whole: 1}); err == nil {
		t.Error("of nothing: no error")
	}
	d, err := Make([]string{panelDir}, Options{Study: panel, K: 5, Whole: 40})
	if err != nil {
		t.Fatal(err)
	}
	other, err := scenes.LoadStudy("../../testdata/drive/studies/demo.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.YAML(other); err == nil || !strings.Contains(err.Error(), "name the study that the panel took part in") {
		t.Errorf("in another study's words: %v", err)
	}
}

// TestShippedStudyIsThePanels holds that the simulated fleet's studies have the
// screens, tasks, cards and cohorts of the panels that their dictionaries are from.
func TestShippedStudyIsThePanels(t *testing.T) {
	shippedAlike(t, study(t, "panel.yaml"), study(t, "study.yaml"))
	shippedAlike(t, study(t, "cards-panel.yaml"), study(t, "cards.yaml"))
}

func shippedAlike(t *testing.T, a, b *scenes.Study) {
	t.Helper()
	if !a.Panel || b.Panel || a.K != b.K || len(b.Dictionary) == 0 {
		t.Errorf("%v, %v; k %d, %d; %d sequences", a.Panel, b.Panel, a.K, b.K, len(b.Dictionary))
	}
	texts := func(s *scenes.Study) string {
		text, err := os.ReadFile(s.File)
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(text), "\nk: ")
		rest, _, _ = strings.Cut(rest, "\ndictionary:\n")
		return strings.TrimSpace(rest)
	}
	if texts(a) != texts(b) {
		t.Error("k, cohorts, screens and tasks of the two cards differ")
	}
}
