package drive

import (
	"bytes"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"vignette/scenes"
	"vignette/scenes/engine"
)

// markProgram is the bench with a card that marks when A changes, in a version
// of its own, and that sets the fan.
func markProgram(t testing.TB, v *scenes.Vehicle, version string) *scenes.Program {
	t.Helper()
	c, err := scenes.ParseCard("a.yaml", []byte("schema: 1\nid: a\nversion: "+version+"\ntitle: {en: Card}\nwhen: [{signal: Private.Bench.A, changes: true}]\n"+
		"then:\n  - {set: Vehicle.Cabin.HVAC.Station.Row1.Driver.FanSpeed, to: 60, unit: percent, lease: 60s}\n  - {do: mark}\nreentry: restart\n"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := scenes.Compile(v, []*scenes.Card{c})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// reloaded is a journal of a session with two reloads, and its decision log.
func reloaded(t *testing.T, v *scenes.Vehicle) (journal, decisions []byte) {
	t.Helper()
	p := markProgram(t, v, "1.0.0")
	header := NewHeader(p, 7, LogTime)
	var jb, db bytes.Buffer
	j, err := NewJournal(&jb, &header, false)
	if err != nil {
		t.Fatal(err)
	}
	log, err := NewDecisionLog(&db, JSONLines, &header)
	if err != nil {
		t.Fatal(err)
	}
	calls := 0
	pump := NewPump(p, 7, false, Output{Journal: j, Decisions: log, Calls: func(list []engine.Call) { calls += len(list) }})
	for i := range int64(40) {
		e := benchFrame(i*1e9, 261, int(i))
		feed(t, pump, &e)
		switch i {
		case 10:
			feed(t, pump, &Entry{Event: engine.Event{T: i * 1e9}, Reload: markProgram(t, v, "1.0.1")})
		case 20:
			feed(t, pump, &Entry{Event: engine.Event{T: i * 1e9}, Reload: markProgram(t, v, "1.0.2")})
			feed(t, pump, &Entry{Event: engine.Event{T: i*1e9 + 1, Kind: engine.EvEnable, Card: 0}})
			feed(t, pump, &Entry{Event: engine.Event{T: i*1e9 + 2, Kind: engine.EvEnable, Card: 0, On: true}})
		}
	}
	if n := bytes.Count(db.Bytes(), []byte(`"what":"reload"`)); n != 2 {
		t.Fatalf("%d reloads:\n%s", n, db.Bytes())
	}
	return jb.Bytes(), db.Bytes()
}

// TestReloadsReplay: a journal with reloads replays to the same bytes, given the
// versions that it names; without one of them the error names its hash.
func TestReloadsReplay(t *testing.T) {
	v, err := scenes.LoadVehicle(filepath.Join(meaningDir, "vehicle.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	journal, want := reloaded(t, v)
	p := markProgram(t, v, "1.0.0")
	replay := func(lib *Library) error {
		j, err := NewJournalReader("j", bytes.NewReader(journal), p)
		if err != nil {
			t.Fatal(err)
		}
		if err := j.Use(lib); err != nil {
			t.Fatal(err)
		}
		pump, err := j.NewPump(Output{})
		if err != nil {
			t.Fatal(err)
		}
		return Run(j, pump)
	}
	second, third := markProgram(t, v, "1.0.1"), markProgram(t, v, "1.0.2")
	lib := &Library{}
	lib.Add(v, p.Cards[0], third.Cards[0])
	if err := replay(lib); err == nil || !strings.Contains(err.Error(), "a reload of card a with SHA-256 "+second.Cards[0].SHA256+", which is not given; name it with --versions") {
		t.Errorf("without the second version: %v", err)
	}
	if err := replay(nil); err == nil || !strings.Contains(err.Error(), "a reload of the vehicle profile with SHA-256 "+v.SHA256) {
		t.Errorf("without any: %v", err)
	}
	lib.Add(nil, second.Cards[0])
	j, err := NewJournalReader("j", bytes.NewReader(journal), p)
	if err != nil {
		t.Fatal(err)
	}
	if err := j.Use(lib); err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	log, err := NewDecisionLog(&got, JSONLines, &j.Header)
	if err != nil {
		t.Fatal(err)
	}
	pump, err := j.NewPump(Output{Decisions: log})
	if err != nil {
		t.Fatal(err)
	}
	// The pump is restored before every entry, over the reloads too.
	var e Entry
	for {
		if err := j.Next(&e); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if pump, err = RestorePump(pump.prog, pump.Snapshot(), pump.out); err != nil {
			t.Fatal(err)
		}
		feed(t, pump, &e)
	}
	if got.String() != string(want) {
		t.Errorf("the journal's replay differs:\n%s\nwant\n%s", got.String(), want)
	}
}

// TestReloadOfOtherBuses is refused, and the running program goes on.
func TestReloadOfOtherBuses(t *testing.T) {
	v, err := scenes.LoadVehicle(filepath.Join(meaningDir, "vehicle.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	other := *v
	other.Buses = append(other.Buses[:0:0], v.Buses...)
	other.Buses[0].Interface = "can7"
	next := markProgram(t, v, "1.0.1")
	next.Vehicle = &other
	p := markProgram(t, v, "1.0.0")
	pump := NewPump(p, 7, false, Output{})
	if err := pump.Reload(1, next); err == nil || !strings.Contains(err.Error(), "[b=can7] instead of [b=can0]") {
		t.Errorf("got %v", err)
	}
	if pump.prog != p {
		t.Error("the other program runs")
	}
}

// installedMark is markProgram with its card installed.
func installedMark(t *testing.T, v *scenes.Vehicle, version string) *scenes.Program {
	t.Helper()
	p, err := withOff(markProgram(t, v, version), []string{"a"})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestInstalledCardsReplay: header and reloads say which cards were installed, so that
// a replay has them disabled for users who were never seen; a file of the journal that
// was begun after a reload names the program of then, and so does that of a decision
// log. A replay needs nothing but the versions.
func TestInstalledCardsReplay(t *testing.T) {
	v, err := scenes.LoadVehicle(filepath.Join(meaningDir, "vehicle.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	first, second := installedMark(t, v, "1.0.0"), installedMark(t, v, "2.0.0")
	header := NewHeader(first, 7, LogTime)
	var journals, logs [2]bytes.Buffer
	j, err := NewJournal(&journals[0], &header, true)
	if err != nil {
		t.Fatal(err)
	}
	j.Limit(0, func() (io.Writer, error) { return &journals[1], nil })
	log, err := NewDecisionLog(&logs[0], JSONLines, &header)
	if err != nil {
		t.Fatal(err)
	}
	log.Limit(0, func() (io.Writer, error) { return &logs[1], nil })
	pump := NewPump(first, 7, true, Output{Journal: j, Decisions: log})
	at, value := int64(0), 0
	event := func(ev engine.Event) {
		at += 1e9
		ev.T = at
		feed(t, pump, &Entry{Event: ev})
	}
	frames := func() {
		for range 2 {
			at, value = at+1e9, value+1
			e := benchFrame(at, 261, value)
			feed(t, pump, &e)
		}
	}
	yes := engine.Event{Kind: engine.EvEnable, Card: 0, On: true}
	frames() // disabled
	event(yes)
	frames() // fires
	event(engine.Event{Kind: engine.EvUser, User: 4})
	frames() // disabled, who is new
	event(engine.Event{Kind: engine.EvUser})
	frames()
	at += 1e9
	feed(t, pump, &Entry{Event: engine.Event{T: at}, Reload: second})
	frames() // disabled, which is new
	j.Turn()
	log.Turn()
	event(yes)
	frames()
	event(engine.Event{Kind: engine.EvUser, User: 5})
	frames()
	if n := strings.Count(logs[0].String(), `"blocked","why":"disabled"`); n != 3 {
		t.Errorf("%d completions were blocked, want 3:\n%s", n, logs[0].String())
	}
	if !strings.Contains(logs[1].String(), second.Cards[0].SHA256) || strings.Contains(logs[1].String(), first.Cards[0].SHA256) {
		t.Errorf("the second decision log names another program than ran:\n%s", logs[1].String())
	}
	lib := &Library{}
	lib.Add(v, first.Cards[0], markProgram(t, v, "2.0.0").Cards[0])
	for i := range journals {
		if !IsJournal(journals[i].Bytes()) {
			t.Fatal("it is no journal")
		}
		r, err := NewJournalReader("j", &journals[i], nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Use(lib); err != nil {
			t.Fatal(err)
		}
		var got bytes.Buffer
		again, err := NewDecisionLog(&got, JSONLines, &r.Header)
		if err != nil {
			t.Fatal(err)
		}
		pump, err := r.NewPump(Output{Decisions: again})
		if err != nil {
			t.Fatal(err)
		}
		if err := Run(r, pump); err != nil {
			t.Fatal(err)
		}
		if got.String() != logs[i].String() {
			t.Errorf("file %d replays to\n%s\nwant\n%s", i, got.String(), logs[i].String())
		}
	}
}
