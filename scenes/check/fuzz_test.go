package check

import (
	"os"
	"path/filepath"
	"testing"

	"vignette/scenes"
)

// Whatever card compiles, the passes look at it without crash, and what they
// find has a place, a pass and a text.
func FuzzCheck(f *testing.F) {
	for _, pattern := range []string{"../../testdata/drive/cards/*.yaml", "../../testdata/meaning/bad/5*.yaml"} {
		files, _ := filepath.Glob(pattern)
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text)
		}
	}
	for _, p := range Passes() {
		for _, e := range append(p.Bad, p.Good...) {
			f.Add([]byte("schema: 1\nid: a\nversion: 1.0.0\ntitle: {en: A}\n" + e.Cards[0]))
		}
	}
	v := car(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := scenes.ParseCard("card.yaml", text)
		if err != nil {
			return
		}
		p, err := scenes.Compile(v, []*scenes.Card{c})
		if err != nil {
			return
		}
		for _, finding := range Run(p) {
			if _, known := Find(finding.Pass); !known || finding.File == "" || finding.Line == 0 || finding.What == "" || finding.Severity == Error {
				t.Errorf("finding %+v says too little", finding)
			}
		}
	})
}
