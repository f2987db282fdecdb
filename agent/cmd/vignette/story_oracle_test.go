//go:build oracle

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vignette/testdata/bench/packs"
	"vignette/testdata/oracle"
)

// TestStoryInABrowser makes the pages of testdata/story with the real programs, the
// story's packs among twenty others, and has a browser look at them as a person
// would; the script of the same story in cars is testdata/scripts/agent/story.txtar.
func TestStoryInABrowser(t *testing.T) {
	story, err := filepath.Abs("../../../testdata/story")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	of := func(name string) string { return filepath.Join(story, name) }
	does := func(line string, args ...string) {
		t.Helper()
		var out, errs bytes.Buffer
		if code := run(append(strings.Fields(line), args...), &out, &errs); code != exitOK {
			t.Fatalf("vignette %s %q: exit code %d\n%s%s", line, args, code, &out, &errs)
		}
	}
	does("sign --generate mei")
	does("sign --generate jo")
	does("pack make --key mei.key -o dusk.vpack", of("dusk"))
	does("adapt --take 2,3 --author jo -o remix --vehicle", of("jo/vehicle.yaml"), "dusk.vpack")
	withScenario(t, of("jo/tunnel.yaml"))
	does("pack make --key jo.key -o dusk-jo.vpack remix")
	if err := os.Mkdir("packs", 0o700); err != nil {
		t.Fatal(err)
	}
	if err := packs.Write("packs", 20, 3); err != nil {
		t.Fatal(err)
	}
	copyTo(t, "packs/dusk.vpack", "dusk.vpack")
	copyTo(t, "packs/dusk-jo.vpack", "dusk-jo.vpack")
	does("fleet-sim --cars 120 --weeks 3 --seed 7 --out fleet --study", of("study.yaml"))
	does("cocreate --on 2026-05-11 --adoption adoption.json --answers", of("answers"), "fleet")
	does("catalog build --adoption adoption.json --out site --vehicle", of("jo/vehicle.yaml"), "--vehicle", of("mei/vehicle.yaml"), "packs")
	does("cocreate --catalog site --on 2026-05-11 --html cocreate.html --answers", of("answers"), "fleet")
	does("review --today 2026-05-11 --html review.html --csv review.csv --answers", of("answers"), "fleet")
	t.Logf("%s", oracle.Python(t, of("pages.py"), "."))
}

// withScenario puts a scenario into the source of the remix.
func withScenario(t *testing.T, scenario string) {
	t.Helper()
	source, err := os.ReadFile("remix/pack.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("remix/pack.yaml", append(source, "scenarios: [tunnel.yaml]\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	copyTo(t, "remix/tunnel.yaml", scenario)
}

// copyTo copies a file.
func copyTo(t *testing.T, to, from string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, text, 0o600); err != nil {
		t.Fatal(err)
	}
}
