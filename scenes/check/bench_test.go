package check

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"vignette/scenes"
)

// BenchmarkCheck reads, compiles and checks a thousand cards: those of the
// demonstration, again and again under other ids. An operation is all of them.
func BenchmarkCheck(b *testing.B) {
	const cards = 1000
	v := car(b)
	v.Budget = scenes.Budget{} // more cards than a car would take
	files, err := filepath.Glob("../../testdata/drive/cards/*.yaml")
	if err != nil || len(files) == 0 {
		b.Fatalf("%d cards, %v", len(files), err)
	}
	var texts [cards][]byte
	for i := range texts {
		text, err := os.ReadFile(files[i%len(files)])
		if err != nil {
			b.Fatal(err)
		}
		texts[i] = bytes.Replace(text, []byte("\nid: "), fmt.Appendf(nil, "\nid: c%d-", i), 1)
	}
	found := 0
	for b.Loop() {
		var list []*scenes.Card
		for i, text := range texts {
			c, err := scenes.ParseCard(fmt.Sprintf("c%d.yaml", i), text)
			if err != nil {
				b.Fatal(err)
			}
			list = append(list, c)
		}
		p, err := scenes.Compile(v, list)
		if err != nil {
			b.Fatal(err)
		}
		found = len(Run(p))
	}
	b.ReportMetric(float64(found), "findings")
}
