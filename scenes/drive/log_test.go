package drive

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vignette/can"
	"vignette/can/canlog/candump"
	"vignette/scenes"
	"vignette/scenes/engine"
	driven "vignette/testdata/drive"
)

const driveDir = "../../testdata/drive"

// demoProgram compiles our own car and its cards.
func demoProgram(t testing.TB) *scenes.Program {
	t.Helper()
	return compile(t, filepath.Join(driveDir, "vehicle.yaml"), filepath.Join(driveDir, "cards"))
}

// compile compiles a profile and cards.
func compile(t testing.TB, vehicle, cards string) *scenes.Program {
	t.Helper()
	v, err := scenes.LoadVehicle(vehicle)
	if err != nil {
		t.Fatal(err)
	}
	list, err := scenes.LoadCards(cards)
	if err != nil {
		t.Fatal(err)
	}
	p, err := scenes.Compile(v, list)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// driveLog is the first seconds of our own drive.
func driveLog(t testing.TB, seconds int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := driven.Generate(&b, seconds); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func logOf(name string, text string) Log {
	return Log{Reader: candump.NewReader(name, strings.NewReader(text)), Name: name}
}

// drain reads a stream to its end.
func drain(t *testing.T, s Stream) (frames []can.Frame, err error) {
	t.Helper()
	var e Entry
	for {
		if err := s.Next(&e); err == io.EOF {
			return frames, nil
		} else if err != nil {
			return frames, err
		}
		frames = append(frames, e.Frame)
	}
}

func TestLogsMergeByTimeThenBus(t *testing.T) {
	v := demoProgram(t).Vehicle
	s := NewLogStream(v, nil, []Log{
		logOf("body.log", "(1.000000) can1 007#01\n(2.000000) can1 007#02\n"),
		logOf("pt.log", "(0.500000) can0 007#03\n(1.000000) can0 007#04\n(2.000000) can0 007#05\n(2.000000) can0 007#06\n"),
	})
	frames, err := drain(t, s)
	if err != nil {
		t.Fatal(err)
	}
	var got []byte
	for _, f := range frames {
		got = append(got, f.Data[0])
	}
	if want := []byte{3, 4, 1, 5, 6, 2}; !bytes.Equal(got, want) {
		t.Errorf("merged to %v, want %v: by time, then the profile's bus order, then line", got, want)
	}
}

func TestDamagedLogGivesWhatIsBefore(t *testing.T) {
	v := demoProgram(t).Vehicle
	s := NewLogStream(v, nil, []Log{
		logOf("cut.log", "(1.000000) can0 007#01\n(3.000000) can0 007#0"),
		logOf("whole.log", "(2.000000) can1 007#02\n(4.000000) can1 007#03\n"),
	})
	frames, err := drain(t, s)
	if len(frames) != 3 || err == nil || !strings.HasPrefix(err.Error(), "cut.log:2:") {
		t.Errorf("%d frames and %v; want 3 and an error at cut.log:2", len(frames), err)
	}
}

func TestChannelMapping(t *testing.T) {
	v := demoProgram(t).Vehicle
	for _, c := range []struct {
		name, line string
		named      map[string]int
		bus        int // -1: left out
	}{
		{"interface", "(1.000000) can1 007#01\n", nil, 1},
		{"bus name", "(1.000000) body 007#01\n", nil, 1},
		{"as told", "(1.000000) vcan5 007#01\n", map[string]int{"vcan5": 1}, 1},
		{"unknown", "(1.000000) vcan5 007#01\n", nil, -1},
	} {
		s := NewLogStream(v, c.named, []Log{logOf("a.log", c.line)})
		frames, err := drain(t, s)
		if err != nil {
			t.Fatal(err)
		}
		used, left := s.Mapping()
		if c.bus < 0 {
			if len(frames) != 0 || len(left) != 1 || !strings.Contains(left[0], "a.log: 1 frames on channel vcan5") {
				t.Errorf("%s: %d frames, left out %q", c.name, len(frames), left)
			}
		} else if len(frames) != 1 || int(frames[0].Bus) != c.bus || len(used) != 1 {
			t.Errorf("%s: %v, used %q", c.name, frames, used)
		}
	}
}

func TestStreamEndsAfterUntil(t *testing.T) {
	v := demoProgram(t).Vehicle
	s := NewLogStream(v, nil, []Log{logOf("a.log", "(1.000000) can0 007#01\n(2.000000) can0 007#02\n(2.000001) can0 007#03\n")})
	s.Until = 1e9
	if frames, err := drain(t, s); err != nil || len(frames) != 2 {
		t.Errorf("%d frames, %v; want those within 1 s of the first", len(frames), err)
	}
}

// TestJournalReplays feeds frames and every kind of event, and replays the
// journal: the decision log is the same, byte for byte.
func TestJournalReplays(t *testing.T) {
	p := demoProgram(t)
	journal, want := journaled(t, p)
	j, err := NewJournalReader("j", bytes.NewReader(journal), p)
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Fits(p); err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	log, err := NewDecisionLog(&got, JSONLines, &j.Header)
	if err != nil {
		t.Fatal(err)
	}
	if err := Run(j, NewPump(p, j.Header.Session, j.Judged, Output{Decisions: log})); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("the journal's replay differs:\n%s\nwant\n%s", got.Bytes(), want)
	}
}

// journaled drives 40 s in judged mode, answering calls, with an override and
// ticks, and returns the journal and the decision log.
func journaled(t *testing.T, p *scenes.Program) (journal, decisions []byte) {
	t.Helper()
	header := NewHeader(p, 7, LogTime)
	var jb, db bytes.Buffer
	j, err := NewJournal(&jb, &header, true)
	if err != nil {
		t.Fatal(err)
	}
	log, err := NewDecisionLog(&db, JSONLines, &header)
	if err != nil {
		t.Fatal(err)
	}
	var calls []uint64
	pump := NewPump(p, 7, true, Output{Journal: j, Decisions: log, Calls: func(list []engine.Call) {
		for _, c := range list {
			calls = append(calls, c.N)
		}
	}})
	s := NewLogStream(p.Vehicle, nil, []Log{logOf("drive", string(driveLog(t, 40)))})
	var e Entry
	for n := 0; ; n++ {
		if err := s.Next(&e); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		feed(t, pump, &e)
		for i, call := range calls {
			feed(t, pump, &Entry{Event: engine.Event{T: e.Frame.Time, Kind: engine.EvReply, Session: 7, Ref: call, OK: (int(call)+i)%3 > 0}})
		}
		calls = calls[:0]
		switch n {
		case 5000:
			feed(t, pump, &Entry{Event: engine.Event{T: e.Frame.Time, Kind: engine.EvTick}})
		case 6000:
			act, _ := p.Actuator("Vehicle.Cabin.HVAC.Station.Row1.Driver.FanSpeed")
			feed(t, pump, &Entry{Event: engine.Event{T: e.Frame.Time, Kind: engine.EvOverride, Actuator: act,
				Value: engine.Value{Kind: engine.Number, Num: 40}}})
		}
	}
	for _, ev := range driverEvents() {
		ev.T = e.Frame.Time
		feed(t, pump, &Entry{Event: ev})
	}
	feed(t, pump, &Entry{Event: engine.Event{T: e.Frame.Time, Kind: engine.EvStop}})
	for _, what := range []string{"replied", "failed", "override", "fired", "user", "dropped"} {
		if !bytes.Contains(db.Bytes(), []byte(`"what":"`+what+`"`)) {
			t.Fatalf("the run shows no %s:\n%s", what, db.Bytes())
		}
	}
	return jb.Bytes(), db.Bytes()
}

// driverEvents are one of each, for nothing open; the driver is user 3 for a
// while.
func driverEvents() []engine.Event {
	return []engine.Event{{Kind: engine.EvAnswer, Session: 7, Ref: 1, OK: true}, {Kind: engine.EvUser, User: 1<<64 - 1},
		{Kind: engine.EvEnable, Card: 1}, {Kind: engine.EvEnable, Card: 1, On: true}, {Kind: engine.EvRun, Card: 0},
		{Kind: engine.EvFree, Card: 1}, {Kind: engine.EvSleep}, {Kind: engine.EvUser}}
}

func feed(t *testing.T, p *Pump, e *Entry) {
	t.Helper()
	if err := p.Feed(e); err != nil {
		t.Fatal(err)
	}
}

// TestCutJournal cuts a journal at every byte of its beginning: the entries
// before the cut are read, the cut is told, nothing panics.
func TestCutJournal(t *testing.T) {
	p := demoProgram(t)
	whole, _ := journaled(t, p)
	whole = whole[:4096]
	ends := 0
	for n := range whole {
		j, err := NewJournalReader("j", bytes.NewReader(whole[:n]), p)
		if err != nil {
			continue
		}
		var e Entry
		for err == nil {
			err = j.Next(&e)
		}
		if err == io.EOF {
			ends++
		} else if !strings.Contains(err.Error(), "j: the journal is cut after") {
			t.Fatalf("cut at %d: %v", n, err)
		}
	}
	if ends < 10 || ends > len(whole)/8 {
		t.Errorf("%d of %d cuts look like a whole journal", ends, len(whole))
	}
}

func TestJournalOfOtherCards(t *testing.T) {
	p := demoProgram(t)
	whole, _ := journaled(t, p)
	other := compile(t, filepath.Join(driveDir, "vehicle.yaml"), filepath.Join(driveDir, "cards", "rain-mood.yaml"))
	j, err := NewJournalReader("j", bytes.NewReader(whole), other)
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Fits(other); err == nil || err.Error() != "j: made with card air-hot-cabin where rain-mood is given" {
		t.Errorf("Fits: %v", err)
	}
}

func FuzzJournal(f *testing.F) {
	p := demoProgram(f)
	header := NewHeader(p, 1, LogTime)
	var b bytes.Buffer
	j, err := NewJournal(&b, &header, true)
	if err != nil {
		f.Fatal(err)
	}
	frame := can.Frame{Time: 5, ID: 7, Len: 2}
	if err := j.Frame(&frame); err != nil {
		f.Fatal(err)
	}
	if err := j.Event(&engine.Event{Kind: engine.EvReply, T: 6, Ref: 3}, ""); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, text []byte) {
		j, err := NewJournalReader("j", bytes.NewReader(text), p)
		if err != nil {
			return
		}
		pump := NewPump(p, 1, true, Output{})
		var e Entry
		for range 1000 {
			if j.Next(&e) != nil {
				return
			}
			if e.IsFrame && int(e.Frame.Bus) >= len(p.Vehicle.Buses) {
				t.Fatalf("a frame of bus %d got through", e.Frame.Bus)
			}
			if err := pump.Feed(&e); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// records is one record of each shape.
var records = []engine.Record{
	{T: 1767261600000214000, N: 1, What: engine.Known, Why: "first:Vehicle.Speed"},
	{T: -1500000000, N: 2, What: engine.Clock, Why: "back"},
	{T: 5, N: 3, Card: "a", What: engine.Acted, Action: "set", Actuator: "X", Value: engine.Value{Kind: engine.Number, Num: 0.1}, Lease: 37950000000, Cause: 1},
	{T: 0, N: 4, Card: "a", What: engine.Lost, Why: "winner:b", Value: engine.Value{Kind: engine.Number, Num: -1e21}},
	{N: 5, What: engine.Override, Actuator: "Y", Value: engine.Value{Kind: engine.Label, Text: "a\"b\\c\n\u4e2d"}},
	{N: 6, What: engine.Override, Actuator: "Z", Value: engine.Value{Kind: engine.Bool, Num: 1}},
	{N: 7, What: engine.Override, Actuator: "Z", Value: engine.Value{Kind: engine.Number, Num: math.Copysign(0, -1)}},
	{N: 8, What: engine.Override, Actuator: "Z", Value: engine.Value{Kind: engine.Number, Num: 1e-7}, Lease: 1},
}

// TestRecordsAsJSON compares the decision log's lines to the contract's form.
func TestRecordsAsJSON(t *testing.T) {
	want := []string{
		`{"t":"1767261600.000214000","n":1,"what":"known","why":"first:Vehicle.Speed"}`,
		`{"t":"-1.500000000","n":2,"what":"clock","why":"back"}`,
		`{"t":"0.000000005","n":3,"card":"a","what":"acted","action":"set","actuator":"X","value":0.1,"lease":37.95,"cause":1}`,
		`{"t":"0.000000000","n":4,"card":"a","what":"lost","why":"winner:b","value":-1e+21}`,
		`{"t":"0.000000000","n":5,"what":"override","actuator":"Y","value":"a\"b\\c\u000a中"}`,
		`{"t":"0.000000000","n":6,"what":"override","actuator":"Z","value":true}`,
		`{"t":"0.000000000","n":7,"what":"override","actuator":"Z","value":0}`,
		`{"t":"0.000000000","n":8,"what":"override","actuator":"Z","value":1e-7,"lease":1e-9}`,
	}
	for i := range records {
		line := AppendRecordJSON(nil, &records[i])
		if got := strings.TrimSuffix(string(line), "\n"); got != want[i] {
			t.Errorf("got  %s\nwant %s", got, want[i])
		}
		if !json.Valid(line) {
			t.Errorf("not JSON: %s", line)
		}
	}
}

// TestMessagePackIsTheSameLog turns each shape of record, and numbers of every
// size, into MessagePack and back into JSON Lines.
func TestMessagePackIsTheSameLog(t *testing.T) {
	list := append([]engine.Record{}, records...)
	for i := range 2000 {
		bits := uint64(i)*0x9E3779B97F4A7C15 ^ uint64(i)<<40
		num := math.Float64frombits(bits)
		if math.IsNaN(num) || math.IsInf(num, 0) {
			num = float64(i)
		}
		list = append(list, engine.Record{T: int64(bits >> 3), N: uint64(i + 9), Card: "c", What: engine.Acted,
			Value: engine.Value{Kind: engine.Number, Num: num}, Lease: int64(bits>>12) % 1e15})
	}
	header := Header{Engine: "x", Vehicle: "y", Cards: []scenes.Hash{{Name: "c", SHA256: "00"}}, TimeBase: LogTime}
	var forms [2]bytes.Buffer
	for i, format := range []LogFormat{JSONLines, MessagePack} {
		l, err := NewDecisionLog(&forms[i], format, &header)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Write(list); err != nil {
			t.Fatal(err)
		}
	}
	var back bytes.Buffer
	if err := ToJSONLines(&back, bytes.NewReader(forms[1].Bytes())); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(back.Bytes(), forms[0].Bytes()) {
		a, b := strings.Split(back.String(), "\n"), strings.Split(forms[0].String(), "\n")
		for i := range min(len(a), len(b)) {
			if a[i] != b[i] {
				t.Fatalf("line %d: %s\nwant %s", i+1, a[i], b[i])
			}
		}
		t.Fatalf("%d lines, want %d", len(a), len(b))
	}
	err := ToJSONLines(io.Discard, bytes.NewReader(forms[1].Bytes()[:forms[1].Len()-3]))
	if err == nil || !strings.Contains(err.Error(), "the decision log is cut after 2007 records") {
		t.Errorf("a cut log: %v", err)
	}
}

func TestParseSpeed(t *testing.T) {
	for text, want := range map[string]Speed{"max": 0, "1x": 1, "10x": 10, "0.5x": 0.5} {
		if got, err := ParseSpeed(text); err != nil || got != want {
			t.Errorf("%q: %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "x", "10", "-1x", "0x", "NaNx", "1e9x", "fast"} {
		if got, err := ParseSpeed(text); err == nil {
			t.Errorf("%q is taken as %v", text, got)
		}
	}
}

// TestMonitor follows a signal through samples, a gap and its return.
func TestMonitor(t *testing.T) {
	p := demoProgram(t)
	changes := map[string][]engine.ValueKind{}
	m, err := NewMonitor(p.Vehicle, func(signal int, v engine.Value) {
		path := p.Vehicle.Signals[signal].Path
		if l := changes[path]; len(l) == 0 || l[len(l)-1] != v.Kind {
			changes[path] = append(l, v.Kind)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	s := NewLogStream(p.Vehicle, nil, []Log{logOf("drive", string(driveLog(t, 110)))})
	frames, err := drain(t, s)
	if err != nil {
		t.Fatal(err)
	}
	for i := range frames {
		m.Frame(&frames[i])
	}
	// The story has the cabin temperature invalid at 57 s and missing at 91 s.
	want := []engine.ValueKind{engine.Number, engine.None, engine.Number, engine.None, engine.Number}
	got := changes["Vehicle.Cabin.HVAC.AmbientAirTemperature"]
	if len(got) != len(want) {
		t.Fatalf("cabin temperature went through %v, want %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("cabin temperature went through %v, want %v", got, want)
		}
	}
	if n := testing.AllocsPerRun(100, func() { m.Frame(&frames[0]) }); n > 0 {
		t.Errorf("%v allocations a frame", n)
	}
}

// TestUnwritableOutputs reports what cannot be written.
func TestUnwritableOutputs(t *testing.T) {
	p := demoProgram(t)
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	header := NewHeader(p, 0, LogTime)
	var ok bytes.Buffer
	decisions, err := NewDecisionLog(&ok, JSONLines, &header)
	if err != nil {
		t.Fatal(err)
	}
	decisions.file.w = full
	s := NewLogStream(p.Vehicle, nil, []Log{logOf("drive", string(driveLog(t, 5)))})
	err = Run(s, NewPump(p, 0, false, Output{Decisions: decisions}))
	if err == nil || !strings.Contains(err.Error(), "writing the decision log: ") {
		t.Errorf("a full disk gave %v", err)
	}
}

// TestFrozenCounterIsNoSample drives a message whose counter stands still: its
// signals go stale though frames come, and are counted.
func TestFrozenCounterIsNoSample(t *testing.T) {
	p := counterProgram(t)
	var got []string
	pump := NewPump(p, 0, false, Output{Records: func(list []engine.Record) {
		for _, r := range list {
			if r.What == engine.Known || r.What == engine.Unknown {
				got = append(got, string(AppendSeconds(nil, r.T))+" "+r.Why)
			}
		}
	}})
	s := NewLogStream(p.Vehicle, nil, []Log{logOf("frozen.log", `(0.000000) can0 100#0500
(0.400000) can0 100#0501
(0.800000) can0 100#0601
(1.200000) can0 100#0701
(1.600000) can0 100#0801
(2.000000) can0 100#0802
`)})
	if err := Run(s, pump); err != nil {
		t.Fatal(err)
	}
	want := []string{"0 first:Private.Level", "1.4 stale:Private.Level", "2 recovered:Private.Level"}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got %q, want %q", got, want)
	}
	if pump.Stats.Frozen != 3 || pump.Stats.Samples != 3 {
		t.Errorf("%d frozen and %d samples, want 3 and 3", pump.Stats.Frozen, pump.Stats.Samples)
	}
}

// TestMonitorSeesFrozen: what people see goes stale where what decisions read
// does, though frames of the frozen sender still come.
func TestMonitorSeesFrozen(t *testing.T) {
	p := counterProgram(t)
	var got []string
	now := int64(0)
	m, err := NewMonitor(p.Vehicle, func(_ int, v engine.Value) {
		text := "unknown"
		if v.Kind != engine.None {
			text = string(AppendValue(nil, v))
		}
		got = append(got, string(AppendSeconds(nil, now))+" "+text)
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, frame := range []struct{ t, level, count int64 }{{0, 5, 0}, {400e6, 5, 1}, {800e6, 6, 1}, {1200e6, 7, 1}, {1600e6, 8, 1}, {2000e6, 8, 2}} {
		now = frame.t
		m.Frame(&can.Frame{Time: now, ID: 256, Len: 2, Data: [64]byte{byte(frame.level), byte(frame.count)}})
	}
	want := []string{"0 5", "0.4 5", "1.6 unknown", "2 8"}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got %q, want %q", got, want)
	}
}

// counterProgram is a car of one message with a level and a counter.
func counterProgram(t *testing.T) *scenes.Program {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"m.dbc": "VERSION \"\"\nNS_ :\nBS_:\nBU_: A B\nBO_ 256 M: 2 A\n SG_ Level : 0|8@1+ (1,0) [0|0] \"\" B\n SG_ Count : 8|8@1+ (1,0) [0|0] \"\" B\n",
		"car.yaml": "schema: 1\nid: x\nversion: 1\nbuses:\n  b: {dbc: [m.dbc], interface: can0}\nsignals:\n" +
			"  Private.Level: {from: b.M.Level, alive: b.M.Count, stale_after: 1s}\n" +
			"actions:\n  note: {params: {}, states: [moving], min_interval: 0s}\n",
		"card.yaml": "schema: 1\nid: c\nversion: 1.0.0\ntitle: {en: C}\nwhen:\n  - {signal: Private.Level, rises_above: 9}\nthen:\n  - {do: note}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return compile(t, filepath.Join(dir, "car.yaml"), filepath.Join(dir, "card.yaml"))
}
