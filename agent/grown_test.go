package agent

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vignette/scenes"
)

// TestProfileVersionsGrow takes profiles one after another, as starts of the
// agent do.
func TestProfileVersionsGrow(t *testing.T) {
	dir := t.TempDir()
	var said bytes.Buffer
	log := slog.New(slog.NewTextHandler(&said, nil))
	for _, c := range []struct {
		id      string
		version int
		want    string // in the error; empty: taken
	}{
		{"car", 3, ""}, {"car", 3, ""}, {"car", 2, "version 2 of profile car, but this car has had version 3"}, {"van", 1, ""},
		{"car", 5, ""}, {"car", 4, "has had version 5"}, {"van", 1, ""},
	} {
		err := grownProfile(dir, &scenes.Vehicle{File: "v.yaml", ID: c.id, Version: c.version}, log)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s version %d: %v; want %q", c.id, c.version, err, c.want)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, profilesName), []byte("car five\nvan 7\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := grownProfile(dir, &scenes.Vehicle{ID: "car", Version: 1}, log); err != nil || !strings.Contains(said.String(), "car five") {
		t.Errorf("a damaged line: %v, said %q", err, said.String())
	}
	if text, err := os.ReadFile(filepath.Join(dir, profilesName)); err != nil || !strings.Contains(string(text), "car five\n") {
		t.Errorf("%v, or a line that a newer version may have written is lost: %q", err, text)
	}
	if err := grownProfile(dir, &scenes.Vehicle{ID: "van", Version: 6}, log); err == nil {
		t.Error("the line beside a damaged one counts no more")
	}
}
