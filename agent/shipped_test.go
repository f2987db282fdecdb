package agent

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestShippedConfiguration: the configuration that packages install is one, names
// what post-build.sh and the documents say lies beside it, and has the agent write
// where the unit lets it.
func TestShippedConfiguration(t *testing.T) {
	c, err := LoadConfig(shipped + "agent.yaml")
	if err != nil {
		t.Fatal(err)
	}
	beside := func(got, want string) {
		t.Helper()
		if got != filepath.Join(shipped, want) {
			t.Errorf("it names %s, not %s beside it", got, want)
		}
	}
	beside(c.Vehicle, "vehicle.yaml")
	if len(c.Trust) != 1 || len(c.Cards) != 1 {
		t.Fatalf("it trusts %q and has cards in %q", c.Trust, c.Cards)
	}
	beside(c.Trust[0], "oem.pub")
	beside(c.Cards[0], "cards")
	if c.Bus != "system" || c.Source.Log != "" || c.Source.Pipe != "" {
		t.Errorf("it is not for a car: bus %s, source %s", c.Bus, &c.Source)
	}
	written := 0
	for _, path := range []string{c.State, c.Decisions.File, c.Journal, c.Traces} {
		if path == "" {
			continue
		}
		written++
		if !strings.HasPrefix(path, "/var/lib/vignette/") {
			t.Errorf("%s is written, where the unit does not let it", path)
		}
	}
	if written < 2 || c.State == "" {
		t.Errorf("%d files are kept, state is %q", written, c.State)
	}
}
