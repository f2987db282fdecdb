package agent

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestNewerFilesAreTold has a start tell of files that a newer version has written
// while somebody looks at the deck, who waits for the loop.
func TestNewerFilesAreTold(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	want := []string{write("habits.7", "vignette-habits 12\nx"), write("places.7", "schema: 2\n"), write("state.1"+fromFuture, "x")}
	write("habits.8", "vignette-habits 1\n")
	write("places.8", "[\n  {name: \"schema: 2\"},\n]\n")
	write("state.0"+damagedState, "x")
	d := &deck{config: &Config{State: dir, Traces: dir}, log: quiet()}
	d.problems.Store(&[]string{"another"})
	d.mu.Lock()
	defer d.mu.Unlock()
	d.tellNewer()
	got := d.Problems()
	if len(got) != 4 || got[0] != "another" || !slices.EqualFunc(got[1:], want, func(problem, file string) bool {
		return strings.HasPrefix(problem, file+": written by a newer version")
	}) {
		t.Errorf("problems %q, want of %q", got, want)
	}
}
