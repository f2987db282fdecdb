package main

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vignette/scenes"
	"vignette/scenes/drive"
	"vignette/scenes/engine"
)

// TestReplayOfReloads: a journal of a session in which a card was replaced needs
// both versions: the later one by --versions. Without it the error names it.
func TestReplayOfReloads(t *testing.T) {
	dir := t.TempDir()
	vehicle := "../../../testdata/meaning/vehicle.yaml"
	card := func(version string) string {
		path := filepath.Join(dir, version, "a.yaml")
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		text := "schema: 1\nid: a\nversion: " + version + "\ntitle: {en: Card}\nwhen: [{signal: Private.Bench.A, changes: true}]\nthen: [{do: mark}]\nmanual: true\n"
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	program := func(path string) *scenes.Program {
		p, err := load(vehicle, []string{path})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	first, second := card("1.0.0"), card("2.0.0")
	journal := filepath.Join(dir, "journal.msgp")
	want := session(t, journal, program(first), program(second))
	decisions := filepath.Join(dir, "decisions.jsonl")
	run := func(more ...string) error {
		args := append([]string{"--vehicle", vehicle, "--cards", first, "--decisions", decisions}, more...)
		return replay(append(args, journal), io.Discard, io.Discard)
	}
	if err := run(); err == nil || !strings.Contains(err.Error(), "a reload of card a with SHA-256 ") {
		t.Errorf("without the second version: %v", err)
	}
	if err := run("--versions", filepath.Dir(second), "--versions", vehicle); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(decisions)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%v, got\n%s\nwant\n%s", err, got, want)
	}
	if err := replay([]string{"--versions", filepath.Dir(first), "--versions", filepath.Dir(second), "--versions", vehicle, "--decisions", decisions, journal}, io.Discard, io.Discard); err != nil {
		t.Errorf("by the versions alone: %v", err)
	}
	if got, err := os.ReadFile(decisions); err != nil || !bytes.Equal(got, want) {
		t.Errorf("by the versions alone: %v, got\n%s\nwant\n%s", err, got, want)
	}
	if err := replay([]string{"--versions", filepath.Dir(second), "--versions", vehicle, journal}, io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), "made with card a with SHA-256 ") {
		t.Errorf("without the first version: %v", err)
	}
	if err := replay([]string{"--versions", vehicle, vehicle}, io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), "is no journal: name --vehicle and --cards") {
		t.Errorf("no journal: %v", err)
	}
	cutJournal(t, journal, decisions, want, func() error { return run("--versions", filepath.Dir(second)) })
	if err := run("--versions", filepath.Join(dir, "nothing")); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("versions that are not there: %v", err)
	}
}

// cutJournal takes a journal's last byte away, as power loss may: the entries
// before are replayed, and the exit code says that it is not whole.
func cutJournal(t *testing.T, journal, decisions string, want []byte, run func() error) {
	t.Helper()
	info, err := os.Stat(journal)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(journal, info.Size()-1); err != nil {
		t.Fatal(err)
	}
	if err := run(); !errors.Is(err, errFindings) {
		t.Errorf("a cut journal: %v; want errFindings", err)
	}
	got, err := os.ReadFile(decisions)
	if err != nil || !bytes.HasPrefix(want, got) || bytes.Count(got, []byte("\n")) < 3 {
		t.Errorf("%v, got\n%s\nwant the beginning of\n%s", err, got, want)
	}
}

// session writes the journal of a session in which next takes over, and returns
// its decision log.
func session(t *testing.T, journal string, p, next *scenes.Program) []byte {
	t.Helper()
	header := drive.NewHeader(p, 7, drive.LogTime)
	var jb, db bytes.Buffer
	j, err := drive.NewJournal(&jb, &header, false)
	if err != nil {
		t.Fatal(err)
	}
	log, err := drive.NewDecisionLog(&db, drive.JSONLines, &header)
	if err != nil {
		t.Fatal(err)
	}
	pump := drive.NewPump(p, 7, false, drive.Output{Journal: j, Decisions: log})
	for _, e := range []drive.Entry{
		{Event: engine.Event{T: 1e9, Kind: engine.EvRun}},
		{Event: engine.Event{T: 2e9}, Reload: next},
		{Event: engine.Event{T: 3e9, Kind: engine.EvRun}},
	} {
		if err := pump.Feed(&e); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(journal, jb.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return db.Bytes()
}
