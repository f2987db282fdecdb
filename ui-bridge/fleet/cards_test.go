package fleet

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vignette/scenes"
	"vignette/ui-bridge/review"
)

// cardStudy is the study of scene cards of testdata/fleet, of small fleets.
func cardStudy(t *testing.T) *scenes.Study {
	t.Helper()
	text, err := os.ReadFile("../../testdata/fleet/cards.yaml")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "cards.yaml")
	if err := os.WriteFile(path, []byte(strings.Replace(string(text), "\nk: 50\n", "\nk: 5\n", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := scenes.LoadStudy(path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestRegretIsFound holds the figure of a review against the truth: of each build,
// what drivers took back of the firings that the dictionary has. What it lacks was
// taken back too, so that regret is rather too small.
func TestRegretIsFound(t *testing.T) {
	s := cardStudy(t)
	dir, facts := simulate(t, Options{Study: s, Cars: 120, Weeks: 5, Seed: 1})
	bag, err := review.Read(dir, s, new(review.Progress))
	if err != nil {
		t.Fatal(err)
	}
	r, err := review.New(bag, review.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i, b := range facts.Builds {
		firings, undone, dropped := b.Did.Firings(), 0, int(b.Recorded.Dropped)
		for _, c := range b.Did.Cards {
			undone += c.Undone
		}
		count, of := 0, 0
		for _, k := range r.Tasks {
			share := k.Figures[0].A
			if i == 1 {
				share = k.Figures[0].B
			}
			if share == nil {
				t.Fatalf("%s of build %s is withheld", k.Name, b.Build.Build)
			}
			count, of = count+share.Count, of+share.Of
		}
		got, all, known := float64(count)/float64(of), float64(undone)/float64(firings), float64(undone-dropped)/float64(firings-dropped)
		t.Logf("build %s: %d firings, %.3f taken back, %.3f of what the dictionary has; review has %.3f of %d", b.Build.Build, firings, all, known, got, of)
		if firings < 1000 || dropped == 0 || dropped > undone || got < known-0.08 || got > known+0.08 || got > all+0.06 {
			t.Errorf("build %s: %+v, review %d of %d", b.Build.Build, b.Did, count, of)
		}
	}
	if a, b := facts.Builds[0].Did, facts.Builds[1].Did; a.Cards["warm-seat"].Undone*b.Firings() >= b.Cards["warm-seat"].Undone*a.Firings() {
		t.Errorf("the builds do not differ: %+v, %+v", a, b)
	}
}

// TestRestartsLoseNothing: cars whose recorders stop and fail have told of as many
// attempts as their recorders have counted, but for those that were cut short.
func TestRestartsLoseNothing(t *testing.T) {
	_, facts := simulate(t, Options{Cars: 40, Weeks: 4, Seed: 3})
	for _, b := range facts.Builds {
		recorded := b.Recorded.Whole + b.Recorded.Cut + b.Recorded.Dropped
		if b.Restarts < 100 || b.Crashes < 5 || recorded < uint64(b.Did.Attempts) || recorded > uint64(b.Did.Attempts+b.Crashes) {
			t.Errorf("build %s: %d restarts, %d crashes; %d attempts told, %d recorded", b.Build.Build, b.Restarts, b.Crashes, b.Did.Attempts, recorded)
		}
	}
}
