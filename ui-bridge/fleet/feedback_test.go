package fleet

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vignette/scenes"
	"vignette/ui-bridge/review"
)

// TestFeedbackIsFound holds the shares of a review against the truth: what drivers
// said, of whom it was taken. Cars hold for each answer that it is taken, or refused
// as it should be, over restarts too.
func TestFeedbackIsFound(t *testing.T) {
	text, err := os.ReadFile("../../testdata/fleet/feedback.yaml")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "study.yaml")
	if err := os.WriteFile(path, []byte(strings.Replace(string(text), "\nk: 50\n", "\nk: 5\n", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := scenes.LoadStudy(path)
	if err != nil {
		t.Fatal(err)
	}
	dir, facts := simulate(t, Options{Study: s, Cars: 80, Weeks: 4, Seed: 1})
	bag, err := review.Read(dir, s, new(review.Progress))
	if err != nil {
		t.Fatal(err)
	}
	r, err := review.New(bag, review.Options{Today: time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)})
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, k := range r.Tasks {
		if k.Feedback == nil {
			continue
		}
		said, all := map[string]int{}, 0
		for _, b := range facts.Builds {
			for _, f := range k.Figures {
				n := b.Did.Feedback[k.Name+"/"+f.Name]
				said[f.Name], all = said[f.Name]+n, all+n
			}
		}
		for _, f := range k.Figures {
			if f.All == nil {
				t.Fatalf("%s.%s is withheld", k.Name, f.Name)
			}
			truth := float64(said[f.Name]) / float64(all)
			if f.All.Of > all || f.All.Share < truth-0.1 || f.All.Share > truth+0.1 {
				t.Errorf("%s.%s: %+v, of %d said %.3f", k.Name, f.Name, f.All, all, truth)
			}
			found++
		}
		if len(k.Feedback.Owed) != len(k.Figures) || k.Feedback.Age == nil || *k.Feedback.Age < 8 {
			t.Errorf("owed %+v", k.Feedback)
		}
	}
	if found != 5 {
		t.Errorf("%d choices are told", found)
	}
}
