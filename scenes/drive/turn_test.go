package drive

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"vignette/scenes/engine"
)

// parts collects the files that an output turns to.
type parts []*bytes.Buffer

func (p *parts) next() (io.Writer, error) {
	b := &bytes.Buffer{}
	*p = append(*p, b)
	return b, nil
}

// TestTurning bounds the files of a drive's decision log and journal: each
// begins with its header, nothing is lost or said twice between two of them, and
// each of the journal replays by itself to the records of its time.
func TestTurning(t *testing.T) {
	const logLimit, journalLimit = 2000, 100_000
	p := demoProgram(t)
	header := NewHeader(p, 1, LogTime)
	var decisions, journals parts
	w, _ := decisions.next()
	log, err := NewDecisionLog(w, JSONLines, &header)
	if err != nil {
		t.Fatal(err)
	}
	log.Limit(logLimit, decisions.next)
	w, _ = journals.next()
	journal, err := NewJournal(w, &header, false)
	if err != nil {
		t.Fatal(err)
	}
	var starts []int // records before each file of the journal
	var records []engine.Record
	journal.Limit(journalLimit, func() (io.Writer, error) {
		starts = append(starts, len(records))
		return journals.next()
	})
	pump := NewPump(p, 1, false, Output{Decisions: log, Journal: journal, Records: func(r []engine.Record) { records = append(records, r...) }})
	if err := Run(NewLogStream(p.Vehicle, nil, []Log{logOf("drive", string(driveLog(t, 110)))}), pump); err != nil {
		t.Fatal(err)
	}
	if len(decisions) < 3 || len(journals) < 3 {
		t.Fatalf("%d and %d files show nothing", len(decisions), len(journals))
	}

	var want strings.Builder
	for i := range records {
		want.Write(AppendRecordJSON(nil, &records[i]))
	}
	got := ""
	for i, part := range decisions {
		text, found := strings.CutPrefix(part.String(), string(AppendHeaderJSON(nil, &header)))
		if !found || part.Len() > logLimit+2000 {
			t.Errorf("file %d of the decision log has %d bytes and begins %.40q", i, part.Len(), part)
		}
		got += text
	}
	if got != want.String() {
		t.Errorf("the files together:\n%s\nwant\n%s", got, want.String())
	}

	starts = append([]int{0}, starts...)
	for i, part := range journals {
		end := len(records)
		if i+1 < len(starts) {
			end = starts[i+1]
		}
		if part.Len() > journalLimit+20_000 {
			t.Errorf("file %d of the journal has %d bytes", i, part.Len())
		}
		replayPart(t, part, records[starts[i]:end])
	}
}

// replayPart replays one file of a journal.
func replayPart(t *testing.T, part io.Reader, want []engine.Record) {
	t.Helper()
	j, err := NewJournalReader("part", part, demoProgram(t))
	if err != nil {
		t.Fatal(err)
	}
	var got []engine.Record
	pump, err := j.NewPump(Output{Records: func(r []engine.Record) { got = append(got, r...) }})
	if err != nil {
		t.Fatal(err)
	}
	if err := Run(j, pump); err != nil {
		t.Fatal(err)
	}
	if len(got) != len(want) {
		t.Fatalf("%d records, want %d", len(got), len(want))
	}
	for i := range got {
		if got[i] != want[i] {
			t.Fatalf("record %+v, want %+v", got[i], want[i])
		}
	}
}
