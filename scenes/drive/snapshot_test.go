package drive

import (
	"bytes"
	"io"
	"testing"

	"vignette/scenes/engine"
)

// TestSnapshotAtEveryEntry drives a stretch in judged mode and restores the
// pump before every entry: the decision log is the same, byte for byte, and a
// snapshot of what was restored is the same bytes.
func TestSnapshotAtEveryEntry(t *testing.T) {
	p := demoProgram(t)
	journal, want := journaled(t, p)
	j, err := NewJournalReader("j", bytes.NewReader(journal), p)
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	log, err := NewDecisionLog(&got, JSONLines, &j.Header)
	if err != nil {
		t.Fatal(err)
	}
	out := Output{Decisions: log}
	pump, err := j.NewPump(out)
	if err != nil {
		t.Fatal(err)
	}
	var e Entry
	entries := 0
	for ; ; entries++ {
		if err := j.Next(&e); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		snapshot := pump.Snapshot()
		if pump.state, pump.alive, err = parseSnapshot(p, snapshot); err != nil {
			t.Fatal(err)
		}
		if entries%50 == 0 {
			if pump, err = RestorePump(p, snapshot, out); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(pump.Snapshot(), snapshot) {
				t.Fatal("a snapshot of what was restored differs")
			}
		}
		feed(t, pump, &e)
	}
	if entries < 5000 {
		t.Errorf("only %d entries", entries)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("restored before each of %d entries the log differs:\n%s\nwant\n%s", entries, got.Bytes(), want)
	}
}

// TestJournalFromSnapshot begins a journal in the middle of a drive: it holds
// the state, and its replay decides what the drive decided from there on.
func TestJournalFromSnapshot(t *testing.T) {
	p := demoProgram(t)
	whole, _ := journaled(t, p)
	j, err := NewJournalReader("j", bytes.NewReader(whole), p)
	if err != nil {
		t.Fatal(err)
	}
	var records []engine.Record
	pump, err := j.NewPump(Output{Records: func(r []engine.Record) { records = append(records, r...) }})
	if err != nil {
		t.Fatal(err)
	}
	var second bytes.Buffer
	var e Entry
	before := 0
	for i := 0; ; i++ {
		if i == 4000 {
			if pump.out.Journal, err = NewJournalFrom(&second, &j.Header, true, pump.Snapshot()); err != nil {
				t.Fatal(err)
			}
			before = len(records)
		}
		if err := j.Next(&e); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		feed(t, pump, &e)
	}
	again, err := NewJournalReader("second", bytes.NewReader(second.Bytes()), p)
	if err != nil {
		t.Fatal(err)
	}
	n := before
	pump, err = again.NewPump(Output{Records: func(list []engine.Record) {
		for _, r := range list {
			if n >= len(records) || r != records[n] {
				t.Fatalf("record %d is %+v", n, r)
			}
			n++
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	if err := Run(again, pump); err != nil {
		t.Fatal(err)
	}
	if n != len(records) || before == 0 || before == n {
		t.Errorf("%d records of %d, %d before the second journal", n, len(records), before)
	}
	for cut := 1; cut < 3000; cut += 7 {
		if j, err := NewJournalReader("cut", bytes.NewReader(second.Bytes()[:cut]), p); err == nil {
			if _, err := j.NewPump(Output{}); err != nil {
				t.Errorf("cut at %d: the header was read and its state not: %v", cut, err)
			}
		}
	}
}
