package drive

import (
	"fmt"
	"math"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"vignette/scenes/engine"
)

// TestViews looks at cards in hand-made situations; testdata/views says what is
// to be seen, and how to read it.
func TestViews(t *testing.T) {
	files, err := filepath.Glob("../../testdata/views/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	looked := 0
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			r, stream, _ := newTrace(t, a)
			for _, line := range lines(stream) {
				f := strings.Fields(line)
				if len(f) < 4 || f[1] != "view" && f[1] != "clauses" {
					if err := r.feed(line); err != nil {
						t.Fatalf("%q: %v", line, err)
					}
					continue
				}
				looked++
				if got := r.look(f); got != strings.Join(f, " ") {
					t.Errorf("got:\n%s\nwant:\n%s\nthe log so far:\n%s", got, strings.Join(f, " "), strings.Join(r.got, "\n"))
				}
			}
		})
	}
	if looked < 40 {
		t.Errorf("%d looks only", looked)
	}
}

// look writes what there is to be seen as a line of the stream.
func (r *traceRun) look(f []string) string {
	seconds, err := strconv.ParseFloat(f[0], 64)
	card, ok := r.prog.Card(f[2])
	if err != nil || !ok {
		r.t.Fatalf("%q: want a time and a card", strings.Join(f, " "))
	}
	s, p := r.pump.State(), &r.prog.Engine
	text := strings.Join(f[:3], " ")
	if f[1] == "clauses" {
		for _, c := range r.prog.Clauses(card) {
			truth, hold := engine.TruthUnknown, int64(0)
			if c.Trigger >= 0 {
				truth, hold = p.TriggerTruth(s, card, c.Trigger)
			} else {
				truth = p.ClauseTruth(s, card, c.OnlyIf, c.Node)
			}
			text += fmt.Sprintf(" %s=%v", c.Name, truth)
			if hold != 0 {
				text += fmt.Sprintf("@%v", float64(hold)/1e9)
			}
		}
		return text
	}
	v := p.View(s, card, int64(math.Round(seconds*1e9)))
	text = strings.TrimSuffix(fmt.Sprintf("%s %v %s", text, v.State, v.Why), " ")
	for _, at := range []struct {
		name string
		ns   int64
	}{{"until", v.Until}, {"hold", v.Hold}, {"cooldown", v.Cooldown}} {
		if at.ns != 0 {
			text += fmt.Sprintf(" %s=%v", at.name, float64(at.ns)/1e9)
		}
	}
	if v.Asked != 0 {
		text += " asked"
	}
	return text
}
