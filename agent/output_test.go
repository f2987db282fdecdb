package agent

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vignette/scenes/drive"
	"vignette/scenes/engine"
)

// TestJournalIsBounded drives long enough for several files of a journal: only
// so many are kept, each replays by itself to what the decision log has of its
// time, and what is dropped is said.
func TestJournalIsBounded(t *testing.T) {
	b := newBench(t, 330)
	b.config.JournalLimits = Limits{MaxMiB: 1, Keep: 2}
	var said bytes.Buffer
	if err := Run(t.Context(), b.config, slog.New(slog.NewTextHandler(&said, nil))); err != nil {
		t.Fatal(err)
	}
	prog, err := Load(b.config)
	if err != nil {
		t.Fatal(err)
	}
	log, last := string(b.file("d.jsonl")), ""
	for _, name := range []string{"j.msgp.2", "j.msgp.1", "j.msgp"} {
		text := b.file(name)
		if len(text) > 1<<20+64<<10 {
			t.Errorf("%s has %d bytes", name, len(text))
		}
		j, err := drive.NewJournalReader(name, bytes.NewReader(text), prog)
		if err != nil {
			t.Fatal(err)
		}
		var decided []byte
		pump, err := j.NewPump(drive.Output{Records: func(list []engine.Record) {
			for i := range list {
				decided = drive.AppendRecordJSON(decided, &list[i])
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		if err := drive.Run(j, pump); err != nil {
			t.Fatal(err)
		}
		last += string(decided)
	}
	if last == "" || !strings.HasSuffix(log, last) {
		t.Errorf("the files that are left decide\n%s\nwhich the decision log does not end with", last)
	}
	if _, err := os.Stat(filepath.Join(b.dir, "j.msgp.3")); !os.IsNotExist(err) {
		t.Errorf("a third earlier file is kept: %v", err)
	}
	for _, want := range []string{`"an earlier file is dropped" what=journal`, `"a file is full or old; a new one is begun" what=journal`} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("the agent does not say %s:\n%s", want, said.String())
		}
	}
}

// TestOldFilesGo: an earlier file is dropped half its greatest age after it was
// written last, and a file is written for no longer than the other half.
func TestOldFilesGo(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "d")
	for n, age := range []time.Duration{1: time.Hour - time.Minute, 2: time.Hour + time.Minute} {
		if n == 0 {
			continue
		}
		file := fmt.Sprintf("%s.%d", name, n)
		if err := os.WriteFile(file, []byte{byte(n)}, 0o600); err != nil {
			t.Fatal(err)
		}
		at := time.Now().Add(-age)
		if err := os.Chtimes(file, at, at); err != nil {
			t.Fatal(err)
		}
	}
	var said bytes.Buffer
	c := &DecisionsConfig{File: name, Format: "jsonl", Limits: Limits{MaxAge: 2 * time.Hour}}
	o := &outputs{}
	if err := o.openDecisions(c, &drive.Header{}, slog.New(slog.NewTextHandler(&said, nil))); err != nil {
		t.Fatal(err)
	}
	kept := func(want ...string) {
		t.Helper()
		files, err := filepath.Glob(name + "*")
		for i := range files {
			files[i] = filepath.Base(files[i])
		}
		if err != nil || strings.Join(files, " ") != strings.Join(want, " ") {
			t.Errorf("files %q, want %q", files, want)
		}
	}
	kept("d", "d.1")
	record := []engine.Record{{N: 1, What: engine.Live}}
	o.files[0].since = time.Now().Add(-time.Hour)
	for range 2 { // the first tidy finds the file old, so the next record begins another
		if err := o.tidy(); err != nil {
			t.Fatal(err)
		}
	}
	if err := o.decisions.Write(record); err != nil {
		t.Fatal(err)
	}
	kept("d", "d.1", "d.2")
	if err := o.close(); err != nil {
		t.Fatal(err)
	}
	counters := map[string]uint64{}
	o.count(counters)
	if counters["decision_log_files_begun"] != 2 || counters["decision_log_files_dropped"] != 1 || !strings.Contains(said.String(), "it is too old") {
		t.Errorf("counted %v, said %s", counters, said.String())
	}
	if text, err := os.ReadFile(name); err != nil || strings.Count(string(text), "\n") != 2 {
		t.Errorf("the new file has %q, want a header and a record; %v", text, err)
	}
}
