package review

import (
	"bytes"
	"errors"
	"html"
	"strings"
	"testing"
	"vignette/scenes"

	fleet "vignette/testdata/review"
)

func TestParseGate(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"lockout_leaks > 0", ""},
		{" air.errors>=5% ", ""},
		{"risk < 12.5", ""},
		{"music.errors > 0", "the study has no task \"music\"; its tasks are air"},
		{"error > 0", `there is no figure "error"; the figures are lockout_leaks,`},
		{"lockout_leaks > 5%", "lockout_leaks is no share"},
		{"lockout_leaks > -1", "is no condition"},
		{"lockout_leaks > 0 || 1", "is no condition"},
		{"lockout_leaks", "is no condition"},
		{"", "is no condition"},
		{"errors > 1e3", "is no condition"},
	} {
		_, err := ParseGate(c.text, studyOf("air"))
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%q: %v, want %q", c.text, err, c.want)
		}
	}
}

func FuzzParseGate(f *testing.F) {
	f.Add("air.errors >= 5%")
	f.Fuzz(func(t *testing.T, text string) {
		g, err := ParseGate(text, studyOf("air"))
		if err == nil && (g.Figure == "" || g.op == "" || g.number < 0) {
			t.Errorf("%q: %+v", text, g)
		}
	})
}

// gated is a report of two tasks, of which one has its leaks withheld.
func gated(leaks int, hidden bool) *Report {
	figure := func(n int) []Figure {
		return []Figure{{Name: gateLeaks, All: &Share{Count: n, Of: 1000, Share: float64(n) / 1000}}}
	}
	r := &Report{K: 50, Tasks: []Task{{Name: "air", Figures: figure(leaks)}, {Name: "map", Figures: figure(0)}}}
	if hidden {
		r.Tasks[1].Figures[0].All = nil
	}
	return r
}

// TestGate: what is withheld never passes in silence.
func TestGate(t *testing.T) {
	for _, c := range []struct {
		leaks  int
		hidden bool
		text   string
		failed bool
		why    string
	}{
		{0, false, "lockout_leaks > 0", false, "air: 0, map: 0"},
		{60, false, "lockout_leaks > 0", true, "so it is with air: 60"},
		{60, false, "map.lockout_leaks > 0", false, "map: 0"},
		{0, true, "lockout_leaks > 0", true, "cannot be judged: withheld of map"},
		{60, true, "lockout_leaks > 0", true, "so it is with air: 60; withheld of map"},
		{0, true, "air.lockout_leaks > 0", false, "air: 0"},
		{0, false, "regret > 0", true, "cannot be judged: no task has this figure"},
		{0, false, "errors > 0", true, "cannot be judged: withheld of air, map"},
	} {
		r := gated(c.leaks, c.hidden)
		g, err := ParseGate(c.text, studyOf("air", "map"))
		if err != nil {
			t.Fatal(err)
		}
		if failed := r.Judge([]Gate{g}); failed != c.failed || r.Verdicts[0].Why != c.why {
			t.Errorf("%d leaks, hidden %v, %s: failed %v, %q; want %v, %q", c.leaks, c.hidden, c.text, failed, r.Verdicts[0].Why, c.failed, c.why)
		}
	}
}

// TestKIsNeverLowered: neither in silence nor otherwise; raised, less is shown.
func TestKIsNeverLowered(t *testing.T) {
	_, b := draw(t, fleet.Truth{Seed: 2, Episodes: 2000, Weeks: 2, K: 20, Tasks: 1, Ways: 8, Builds: []fleet.Build{{Name: "a", Share: 1}}})
	var wrong *ErrK
	if _, err := New(b, Options{K: 19}); !errors.As(err, &wrong) || wrong.Study != 20 {
		t.Errorf("k = 19: %v", err)
	}
	shown := func(k int) (n int) {
		r, err := New(b, Options{K: k})
		if err != nil {
			t.Fatal(err)
		}
		if r.K != max(k, 20) || r.StudyK != 20 {
			t.Errorf("k = %d: the report says %d", k, r.K)
		}
		var text bytes.Buffer
		if err := r.WriteText(&text); err != nil || !strings.Contains(text.String(), "fewer than k = ") {
			t.Errorf("%v: the text does not say k", err)
		}
		for _, row := range rows(t, r) {
			if row["withheld"] == "" {
				n++
			}
		}
		return n
	}
	if plain, raised := shown(0), shown(200); raised >= plain {
		t.Errorf("%d numbers with the study's k, %d with 200", plain, raised)
	}
}

// TestFormsAgree: what one form of a report withholds, all do.
func TestFormsAgree(t *testing.T) {
	_, b := draw(t, fleet.Truth{Seed: 5, Episodes: 900, Weeks: 2, K: 20, Tasks: 2, Ways: 10,
		Builds: []fleet.Build{{Name: "a", Share: 0.5, Abandoned: 0.1}, {Name: "b", Share: 0.5}}})
	r, err := New(b, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var text, page bytes.Buffer
	if err := errors.Join(r.WriteText(&text), r.WriteHTML(&page)); err != nil {
		t.Fatal(err)
	}
	hidden := 0
	for i := range r.Tasks {
		k := &r.Tasks[i]
		_, part, _ := strings.Cut(text.String(), "task "+k.Name+" (")
		_, section, _ := strings.Cut(page.String(), "All figures of "+k.Title)
		for _, f := range k.Figures {
			_, line, _ := strings.Cut(part, "\n  "+f.Name+" ")
			_, row, _ := strings.Cut(section, `<th scope="row">`+html.EscapeString(f.Title)+"<br>")
			line, _, _ = strings.Cut(line, "\n")
			row, _, _ = strings.Cut(row, "</tr>")
			want := 0
			for _, s := range []*Share{f.All, f.A, f.B} {
				if s == nil {
					want++
				}
			}
			if f.Diff == nil {
				want++
			}
			hidden += want
			if !r.compares(k) {
				t.Fatal("no builds are told apart")
			}
			onPage := want
			if f.All == nil {
				onPage++ // its count has a column
			}
			if strings.Count(line, withheld) != want || strings.Count(row, withheld) != onPage {
				t.Errorf("%s.%s: %d withheld, in the text %q, on the page %q", k.Name, f.Name, want, line, row)
			}
		}
	}
	if hidden == 0 {
		t.Error("nothing is withheld")
	}
	for _, no := range []string{"http://", "https://", "<script", "src=", " style="} {
		if rest := strings.ReplaceAll(page.String(), "http://www.w3.org/2000/svg", ""); strings.Contains(rest, no) {
			t.Errorf("the page has %q", no)
		}
	}
}

// studyOf is a study of tasks of these names.
func studyOf(tasks ...string) *scenes.Study {
	s := &scenes.Study{}
	for _, name := range tasks {
		s.Tasks = append(s.Tasks, scenes.Task{Name: name})
	}
	return s
}
