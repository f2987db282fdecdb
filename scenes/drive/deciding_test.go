package drive

import (
	"bytes"
	"errors"
	"io"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tinylib/msgp/msgp"

	"vignette/scenes"
	"vignette/scenes/engine"
)

// decidingProgram is the bench with a card for each kind of trigger.
func decidingProgram(t testing.TB) *scenes.Program {
	t.Helper()
	v, err := scenes.LoadVehicle(filepath.Join(meaningDir, "vehicle.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var cards []*scenes.Card
	for i, when := range []string{
		"{signal: Private.Bench.A, rises_above: 500, held_for: 1s}",
		"{signal: Private.Bench.A, changes: true}",
		"{signal: Vehicle.HVAC, stale_for: 5s}",
		"{signal: Vehicle.Cabin.HVAC.AmbientAirTemperature, recovered: true}",
		"{signal: Private.Bench.A, rate: {above: 500, over: 1s}}",
		"{signal: Private.Bench.A, avg: {above: 500, over: 1s}}",
		"{signal: Private.Bench.A, min: {above: 500, over: 1s}}",
		"{signal: Private.Bench.A, max: {below: 500, over: 1s}}",
		"{count: {of: {signal: Private.Bench.A, rises_above: 500}, reaches: 6, within: 1s}}",
		"{sequence: [{signal: Private.Bench.A, rises_above: 500}, {signal: Private.Bench.B, falls_below: 500}], within: 1s}",
		"{place: {enter: home}}", "{button: star}", `{at: "07:30"}`, "{sunset: true, offset: -1h}",
	} {
		when = strings.Replace(when, "Vehicle.HVAC,", "Vehicle.Cabin.HVAC.AmbientAirTemperature,", 1)
		id := string(rune('a' + i))
		card, err := scenes.ParseCard(id+".yaml", []byte("schema: 1\nid: "+id+"\nversion: 1.0.0\ntitle: {en: Card}\nwhen: ["+when+"]\n"+
			"only_if: [{any: [{power: on}, {time: {from: \"06:00\", to: \"22:00\"}}, {signal: Private.Bench.B, fresh: true}]}]\nthen: [{do: mark}]\n"))
		if err != nil {
			t.Fatal(err)
		}
		cards = append(cards, card)
	}
	p, err := scenes.Compile(v, cards)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// benchFrame is a frame of the bench with one value.
func benchFrame(t int64, id uint32, value int) (e Entry) {
	e.IsFrame = true
	e.Frame.Time, e.Frame.ID, e.Frame.Len = t, id, 2
	e.Frame.Data[0], e.Frame.Data[1] = byte(value), byte(value>>8)
	return e
}

// occurEntry is an occurrence by its text.
func occurEntry(t *testing.T, p *scenes.Program, at int64, text string) Entry {
	t.Helper()
	i, ok := p.Occurrence(text)
	if !ok {
		t.Fatalf("no occurrence %q", text)
	}
	return Entry{Event: engine.Event{T: at, Kind: engine.EvOccur, Occur: i, OK: true}}
}

// TestDecidingReplays: a journal with occurrences and the wall clock replays to
// the same bytes.
func TestDecidingReplays(t *testing.T) {
	p := decidingProgram(t)
	clock := &engine.Clocking{Trusted: true, Wall: 1774764000e9, Offset: 7200, Next: 1774764600e9, NextOffset: -3600, Rise: [2]int64{1, 2}, Set: [2]int64{3, 1774765000e9}}
	entries := []Entry{
		{Event: engine.Event{T: 1e9, Kind: engine.EvClock, Clock: clock}},
		occurEntry(t, p, 2e9, "place enter home"), occurEntry(t, p, 3e9, "place leave home"), occurEntry(t, p, 4e9, "place enter home"),
		occurEntry(t, p, 5e9, "button star"),
		{Event: engine.Event{T: 6e9, Kind: engine.EvClock, Clock: &engine.Clocking{}}},
	}
	for i := range int64(400) {
		entries = append(entries, benchFrame(7e9+i*20e6, 261, int(i*137%1000)), benchFrame(7e9+i*20e6, 262, int(i*71%1000)))
	}
	header := NewHeader(p, 7, LogTime)
	var jb bytes.Buffer
	j, err := NewJournal(&jb, &header, true)
	if err != nil {
		t.Fatal(err)
	}
	run := func(s Stream, out Output) string {
		var log bytes.Buffer
		if out.Decisions, err = NewDecisionLog(&log, JSONLines, &header); err != nil {
			t.Fatal(err)
		}
		if err := Run(s, NewPump(p, 7, true, out)); err != nil {
			t.Fatal(err)
		}
		return log.String()
	}
	list := listed(entries)
	want := run(&list, Output{Journal: j})
	for _, what := range []string{`"card":"k","what":"fired"`, `"card":"l","what":"fired"`, `"why":"trusted"`, `"why":"lost"`, `"card":"f","what":"fired"`, `"card":"i","what":"fired"`} {
		if !strings.Contains(want, what) {
			t.Errorf("the run shows no %s", what)
		}
	}
	r, err := NewJournalReader("j", &jb, p)
	if err != nil {
		t.Fatal(err)
	}
	if got := run(r, Output{}); got != want {
		t.Errorf("the journal's replay differs:\n%s\nwant\n%s", got, want)
	}
}

// listed is a stream of these entries.
type listed []Entry

func (l *listed) Next(e *Entry) error {
	if len(*l) == 0 {
		return io.EOF
	}
	*e, *l = (*l)[0], (*l)[1:]
	return nil
}

// TestJournalRefusesForeignOccurrences and clocks that no arithmetic can take.
func TestJournalRefusesForeignOccurrences(t *testing.T) {
	p := decidingProgram(t)
	header := NewHeader(p, 7, LogTime)
	for want, entry := range map[string][]byte{
		"j: entry 1 is damaged: an occurrence \"event Z\", which the profile does not bind": msgp.AppendBool(msgp.AppendString(msgp.AppendInt64(
			msgp.AppendInt(msgp.AppendArrayHeader(nil, 4), entryOccur), 5), "event Z"), true),
		"j: entry 1 is damaged: a wall clock out of all bounds": appendClock(msgp.AppendInt64(
			msgp.AppendInt(msgp.AppendArrayHeader(nil, 11), entryClock), 5), &engine.Clocking{Trusted: true, Wall: 1 << 62, Offset: 1 << 60}),
	} {
		var b bytes.Buffer
		if _, err := NewJournal(&b, &header, true); err != nil {
			t.Fatal(err)
		}
		b.Write(entry)
		j, err := NewJournalReader("j", &b, p)
		if err != nil {
			t.Fatal(err)
		}
		var e Entry
		if err := j.Next(&e); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// TestNoAllocationToDecide: windows, counts and sequences, and the timers that
// judge them, allocate nothing once they have run.
func TestNoAllocationToDecide(t *testing.T) {
	p := decidingProgram(t)
	records := 0
	pump := NewPump(p, 7, false, Output{Records: func(list []engine.Record) { records += len(list) }})
	now := int64(0)
	drive := func(n int) {
		for i := range n {
			now += 10e6
			a, b := benchFrame(now, 261, (i*137)%1000), benchFrame(now, 262, (i*71)%1000)
			if err := pump.Feed(&a); err != nil {
				t.Fatal(err)
			}
			if err := pump.Feed(&b); err != nil {
				t.Fatal(err)
			}
		}
	}
	drive(2000)
	before := records
	if n := testing.AllocsPerRun(5, func() { drive(1000) }); n > 0 {
		t.Errorf("%v allocations for 2000 frames", n)
	}
	if records-before < 1000 {
		t.Errorf("%d records: too few to show anything", records-before)
	}
}

// TestTimeOutOfBounds: an entry so late that deadlines would overflow is an
// error, and the latest one there can be is not.
func TestTimeOutOfBounds(t *testing.T) {
	p := decidingProgram(t)
	for at, bad := range map[int64]bool{0: false, engine.MaxTime: false, engine.MaxTime + 1: true, -engine.MaxTime - 1: true, math.MaxInt64: true, math.MinInt64: true} {
		pump := NewPump(p, 1, false, Output{})
		frame := benchFrame(at, 261, 1)
		if err := pump.Feed(&frame); (err != nil) != bad || bad && !strings.Contains(err.Error(), "the year 2116") {
			t.Errorf("a frame at %d: %v", at, err)
		}
		if err := pump.Feed(&Entry{Event: engine.Event{T: at, Kind: engine.EvTick}}); (err != nil) != bad {
			t.Errorf("a tick at %d: %v", at, err)
		}
	}
}

// FuzzDecidingJournal: whatever a journal says of times, occurrences and the
// wall clock, it is read or refused, and no step hangs.
func FuzzDecidingJournal(f *testing.F) {
	p := decidingProgram(f)
	header := NewHeader(p, 1, LogTime)
	var b bytes.Buffer
	j, err := NewJournal(&b, &header, false)
	if err != nil {
		f.Fatal(err)
	}
	begin := bytes.Clone(b.Bytes())
	frame := benchFrame(5, 261, 700)
	events := []engine.Event{
		{T: engine.MaxTime - 1e9, Kind: engine.EvClock, Clock: &engine.Clocking{Trusted: true, Wall: engine.MaxWall, Offset: engine.MaxOffset, Next: engine.MaxWall, NextOffset: -engine.MaxOffset}},
		{T: 5, Kind: engine.EvClock, Clock: &engine.Clocking{Trusted: true, Rise: [2]int64{1, engine.MaxWall}, Set: [2]int64{engine.MaxWall, 1}}},
		{T: engine.MaxTime, Kind: engine.EvOccur, OK: true}, {T: engine.MaxTime, Kind: engine.EvTick}, {T: -engine.MaxTime, Kind: engine.EvTick},
	}
	f.Add(b.Bytes()[len(begin):])
	for i := range events {
		b.Reset()
		for range 2 {
			if err := errors.Join(j.Event(&events[i], "event A"), j.Frame(&frame.Frame)); err != nil {
				f.Fatal(err)
			}
		}
		f.Add(bytes.Clone(b.Bytes()))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		j, err := NewJournalReader("j", io.MultiReader(bytes.NewReader(begin), bytes.NewReader(text)), p)
		if err != nil {
			t.Fatal(err)
		}
		pump := NewPump(p, 1, false, Output{})
		var e Entry
		for range 100 {
			if j.Next(&e) != nil || pump.Feed(&e) != nil {
				return
			}
		}
	})
}
