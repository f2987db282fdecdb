package trace

import (
	"path/filepath"
	"testing"
)

// TestOpenNeverWeakens holds that only OpenWeakened makes a recorder that lacks a
// protection.
func TestOpenNeverWeakens(t *testing.T) {
	r := open(t, filepath.Join(t.TempDir(), "traces"), options(t))
	if r.weak != nil {
		t.Errorf("Open: %+v", r.weak)
	}
	for _, s := range r.spools {
		if s.every {
			t.Errorf("Open: every attempt of %s is kept", s.dir)
		}
	}
	for _, w := range Weaknesses {
		weak, err := OpenWeakened(filepath.Join(t.TempDir(), "traces"), options(t), w)
		if err != nil || !weak.weak.is(w) {
			t.Errorf("%s: %+v, %v", w, weak, err)
		}
	}
}
