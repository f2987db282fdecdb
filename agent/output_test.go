package agent

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
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
		o.tidy()
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

// TestDiskThatTakesNothing gives the decision log a device that is full: what is
// decided meanwhile is on the disk when there is room again. What is more than the
// agent holds for it is counted, and the log goes on in a new file.
func TestDiskThatTakesNothing(t *testing.T) {
	for _, c := range []struct {
		name    string
		records int
		lost    bool
	}{{"a while", 1000, false}, {"for long", 20000, true}} {
		t.Run(c.name, func(t *testing.T) {
			name := filepath.Join(t.TempDir(), "d")
			var said bytes.Buffer
			o := &outputs{}
			if err := o.openDecisions(&DecisionsConfig{File: name, Format: "jsonl"}, &drive.Header{}, slog.New(slog.NewTextHandler(&said, nil))); err != nil {
				t.Fatal(err)
			}
			n := uint64(0)
			decide := func(count int) {
				t.Helper()
				for range count {
					n++
					if err := o.decisions.Write([]engine.Record{{N: n, What: engine.Fired, Card: "some-card"}}); err != nil {
						t.Fatal(err)
					}
				}
				o.tidy()
			}
			decide(10)
			f := o.files[0]
			disk := f.file
			full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer full.Close()
			f.file = full
			decide(c.records)
			decide(1)
			counters := map[string]uint64{}
			o.count(counters)
			if held, lost := counters["decision_log_bytes_held"], counters["decision_log_bytes_lost"]; held > mostHeld || (held > 0) == c.lost || (lost > 0) != c.lost {
				t.Errorf("%d bytes are held, %d lost", held, lost)
			}
			f.file = disk
			o.tidy()
			decide(1)
			if err := o.close(); err != nil {
				t.Fatal(err)
			}
			logs := numbers(t, name)
			if c.lost {
				logs = append(numbers(t, name+".1"), logs...)
			}
			if c.lost && (logs[0] != 1 || logs[len(logs)-1] != n || len(logs) >= int(n)) || !c.lost && len(logs) != int(n) {
				t.Errorf("of %d records the files have %d, the first %d, the last %d", n, len(logs), logs[0], logs[len(logs)-1])
			}
			for _, text := range []string{"a file cannot be written", "the file can be written again"} {
				if strings.Count(said.String(), text) != 1 {
					t.Errorf("it does not say once %q:\n%s", text, said.String())
				}
			}
		})
	}
}

// TestDiskThatTakesNoFile begins a decision log on a disk that takes none: it begins
// once the disk takes one, with a head, and what was lost before is counted.
func TestDiskThatTakesNoFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "d")
	var said bytes.Buffer
	o := &outputs{}
	if err := o.openDecisions(&DecisionsConfig{File: name, Format: "jsonl"}, &drive.Header{}, slog.New(slog.NewTextHandler(&said, nil))); err != nil {
		t.Fatal(err)
	}
	f := o.files[0]
	if err := errors.Join(f.file.Close(), os.Remove(name)); err != nil {
		t.Fatal(err)
	}
	f.file, f.hole, f.name = nil, true, filepath.Join(name, "nowhere") // as open leaves it
	f.fail(syscall.EROFS)
	for n := uint64(1); n <= 3; n++ {
		if n == 3 {
			f.name = name
			o.tidy()
		}
		if err := o.decisions.Write([]engine.Record{{N: n, What: engine.Fired, Card: "some-card"}}); err != nil {
			t.Fatal(err)
		}
		o.tidy()
	}
	counters := map[string]uint64{}
	o.count(counters)
	if err := o.close(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(name)
	if err != nil || !strings.HasPrefix(string(text), `{"log":1`) || counters["decision_log_bytes_lost"] == 0 {
		t.Errorf("%v, %v: %s", err, counters, text)
	}
	if got := numbers(t, name); !slices.Equal(got, []uint64{3}) {
		t.Errorf("the file has records %v, want 3", got)
	}
	for _, line := range []string{"a file cannot be written", "the file can be written again"} {
		if strings.Count(said.String(), line) != 1 {
			t.Errorf("it does not say once %q:\n%s", line, said.String())
		}
	}
}

// numbers are the n of the records in a log of JSON lines, whose last may be cut.
func numbers(t *testing.T, name string) (list []uint64) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`"n":(\d+).*}\n`).FindAllStringSubmatch(string(text), -1) {
		n, err := strconv.ParseUint(m[1], 10, 64)
		if err != nil || len(list) > 0 && n <= list[len(list)-1] {
			t.Fatalf("%s: n %q after %v, %v", name, m[1], list[len(list)-1:], err)
		}
		list = append(list, n)
	}
	return list
}
