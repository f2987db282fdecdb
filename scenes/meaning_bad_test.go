package scenes

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The hand-written bad cards of testdata/meaning/bad are each refused at the
// place that their first line names, with the words that it wants.
func TestMeaningBadCards(t *testing.T) {
	v, err := LoadVehicle("../testdata/meaning/vehicle.yaml")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("../testdata/meaning/bad/*.yaml")
	if err != nil || len(files) < 30 {
		t.Fatalf("%d bad cards, want at least 30 (%v)", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			first, _, _ := strings.Cut(string(text), "\n")
			want, ok := strings.CutPrefix(first, "# want: ")
			if !ok {
				t.Fatalf("the first line is %q, not `# want: LINE:COL: words`", first)
			}
			checkBad(t, v, file, text, want)
		})
	}
}

func checkBad(t *testing.T, v *Vehicle, file string, text []byte, want string) {
	card, err := ParseCard(file, text)
	if err == nil {
		_, err = Compile(v, []*Card{card})
	}
	var ds Diagnostics
	if !errors.As(err, &ds) {
		t.Fatalf("error is %v, want %s", err, want)
	}
	for _, d := range ds {
		place := fmt.Sprintf("%d:%d: ", d.Line, d.Column)
		words, ok := strings.CutPrefix(want, place)
		if !ok {
			words, ok = strings.CutPrefix(want, fmt.Sprintf("%d:*: ", d.Line)) // any column
		}
		if ok && strings.Contains(d.What, words) {
			return
		}
	}
	t.Errorf("got\n%v\nwant %s", err, want)
}
