package scenes

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// Whatever the text, a card is read or refused with diagnostics, and one that
// is read compiles or is refused likewise.
func FuzzParseCard(f *testing.F) {
	f.Add([]byte(read(f, "card.yaml")))
	for _, pattern := range []string{"../testdata/drive/cards/*.yaml", "../testdata/meaning/bad/*.yaml"} {
		files, _ := filepath.Glob(pattern)
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text)
		}
	}
	v := bench(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := ParseCard("card.yaml", text)
		if err == nil {
			_, err = Compile(v, []*Card{c})
		}
		checkFuzzed(t, err)
	})
}

// Whatever the text, a profile is read or refused with diagnostics.
func FuzzVehicle(f *testing.F) {
	f.Add([]byte(read(f, "bench.yaml")))
	open := openBench(f)
	f.Fuzz(func(t *testing.T, text []byte) {
		v, err := parseVehicle("bench.yaml", text, open)
		if err == nil {
			_, err = Compile(v, nil)
		}
		checkFuzzed(t, err)
	})
}

func checkFuzzed(t *testing.T, err error) {
	var ds Diagnostics
	if err == nil {
		return
	}
	if !errors.As(err, &ds) || len(ds) == 0 {
		t.Fatalf("the error is %T %v, not diagnostics", err, err)
	}
	for _, d := range ds {
		if d.File == "" || d.What == "" || d.Line < 0 || d.Column < 0 {
			t.Errorf("diagnostic %+v says too little", d)
		}
	}
}
