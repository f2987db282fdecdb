//go:build oracle

package cocreate

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vignette/testdata/oracle"
)

// TestPageIsAccessible: axe-core has nothing to say against the page, and the
// browser refuses nothing of it.
func TestPageIsAccessible(t *testing.T) {
	path := filepath.Join(t.TempDir(), "page.html")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := full(t).WriteHTML(f); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	oracle.Accessible(t, path)
	if _, log := oracle.Chromium(t, path); strings.Contains(log, "Content Security Policy") {
		t.Errorf("the browser refused something\n%s", log)
	}
}
