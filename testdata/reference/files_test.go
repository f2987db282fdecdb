package reference_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"vignette/can"
	"vignette/scenes"
	"vignette/scenes/drive"
	"vignette/scenes/engine"
	"vignette/testdata/reference"
	"vignette/testdata/reference/translate"
)

// TestFromFiles goes the whole way: a case is written as profile, DBCs and
// cards, loaded and compiled, which must give the very program, and its frames
// go through the pump into a decision log.
func TestFromFiles(t *testing.T) {
	checks := "2000"
	if testing.Short() {
		checks = "500" // rapid makes a fifth of it
	}
	setFlag(t, "rapid.checks", checks)
	setFlag(t, "rapid.nofailfile", "true")
	dir := t.TempDir()
	for i, name := range []string{"pt.dbc", "body.dbc"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(dbcText(onBus[i])), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if flag.Lookup("rapid.checks").Value.String() != checks {
		t.Fatal("rapid does not make the cases that it is told to")
	}
	rapid.Check(t, func(t *rapid.T) { fileCase(t, dir) })
}

func fileCase(t *rapid.T, dir string) {
	w := drawWorld(t)
	w.turns = false
	p := w.programs[0]
	plainly(p)
	judged := eighth.Draw(t, "judged") > 1
	stream := drawStream(t, w, judged)
	prog := compileFiles(t, dir, p)
	var log bytes.Buffer
	decisions, err := drive.NewDecisionLog(&log, drive.JSONLines, &drive.Header{})
	if err != nil {
		t.Fatal(err)
	}
	log.Reset()
	pump := drive.NewPump(prog, 1, judged, drive.Output{Decisions: decisions})
	c := &comparison{p: &prog.Engine, session: 1}
	c.tell(func() string { return describe(c.p) })
	v, cards := translate.Program(c.p)
	c.ref = reference.New(v, cards, 1, judged)
	for i := range stream {
		for _, ev := range split(c.p, c.resolve(&stream[i])) {
			c.tell(func() string { return eventLine(translate.Event(c.p, &ev)) })
			records := c.ref.Step(translate.Event(c.p, &ev))
			c.log = append(c.log, records...)
			if err := feed(pump, c.p, ev); err != nil {
				t.Fatal(err)
			}
			for i := range records {
				c.text = append(c.text, records[i].JSON()...)
			}
			if log.String() != string(c.text) {
				t.Fatalf("judged %v\n%sthe log:\n%s\nthe reference's:\n%s", judged, c.show(), log.String(), c.text)
			}
		}
	}
}

// compileFiles writes a case, loads it and holds that it is the same program.
func compileFiles(t *rapid.T, dir string, p *engine.Program) *scenes.Program {
	v, described := translate.Program(p)
	text := vehicleText(v)
	path := filepath.Join(dir, "vehicle.yaml")
	if err := os.WriteFile(path, text, 0o644); err != nil {
		t.Fatal(err)
	}
	vehicle, err := scenes.LoadVehicle(path)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	var cards []*scenes.Card
	for _, c := range described {
		card, err := scenes.ParseCard(c.ID+".yaml", cardText(c))
		if err != nil {
			t.Fatalf("%v\n%s", err, cardText(c))
		}
		cards = append(cards, card)
	}
	prog, err := scenes.Compile(vehicle, cards)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	gotVehicle, gotCards := translate.Program(&prog.Engine)
	for i := range gotCards {
		gotCards[i].Version = described[i].Version
	}
	got, want := parts(gotVehicle, gotCards), parts(v, described)
	for i := range max(len(got), len(want)) {
		if i >= len(got) || i >= len(want) || got[i] != want[i] {
			t.Fatalf("the files give\n%v\nand are of\n%v\n%s", got[i:min(i+1, len(got))], want[i:min(i+1, len(want))], text)
		}
	}
	return prog
}

// parts are the parts of a description as text.
func parts(v reference.Vehicle, cards []reference.Card) (list []string) {
	for _, part := range []any{v.Signals, v.States, v.Actions, v.Occurs, v.Quarantine} {
		list = append(list, fmt.Sprintf("%+v", part))
	}
	for _, a := range v.Actuators {
		list = append(list, fmt.Sprintf("%+v", a))
	}
	for _, c := range cards {
		list = append(list, asText(c))
	}
	return list
}

// split makes an event those of whole numbers and one bus each.
func split(p *engine.Program, ev engine.Event) []engine.Event {
	if ev.Kind != engine.EvFrame {
		return []engine.Event{ev}
	}
	var list []engine.Event
	for bus := range p.Buses {
		frame := engine.Event{T: ev.T}
		for _, s := range ev.Samples {
			if p.Signals[s.Slot].Bus == bus {
				s.Num = float64(int(s.Num))
				frame.Samples = append(frame.Samples, s)
			}
		}
		if frame.Samples != nil {
			list = append(list, frame)
		}
	}
	return list
}

// feed gives an event to the pump, a frame as its bytes.
func feed(pump *drive.Pump, p *engine.Program, ev engine.Event) error {
	if ev.Kind != engine.EvFrame {
		return pump.Event(&ev)
	}
	f := can.Frame{Time: ev.T, ID: 256, Len: 8, Bus: uint8(p.Signals[ev.Samples[0].Slot].Bus)}
	for _, s := range ev.Samples {
		name := strings.TrimPrefix(p.Signals[s.Slot].Path, "Private.")
		for i, other := range onBus[f.Bus] {
			if other != name {
				continue
			}
			f.Data[0] |= 1 << i
			if f.Data[i+1] = 255; s.Valid {
				f.Data[i+1] = byte(s.Num)
			}
		}
	}
	return pump.Frame(&f)
}
