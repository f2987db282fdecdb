package main

import (
	"bytes"
	"compress/gzip"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/rogpeppe/go-internal/testscript"

	"vignette/scenes"
	"vignette/testdata/bench/packs"
	driven "vignette/testdata/drive"
	fleet "vignette/testdata/review"
	"vignette/ui-bridge/trace"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"vignette": main})
}

var update = flag.Bool("update", false, "write what the scripts' cmp lines get into them")

// scriptSeconds is the stretch of our own drive that scripts see as $DRIVE.
const scriptSeconds = 150

// TestScripts runs the command-line tests of testdata/scripts on the real main.
func TestScripts(t *testing.T) {
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	if err := driven.Generate(&log, scriptSeconds); err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:           filepath.Join(root, "testdata/scripts"),
		UpdateScripts: *update,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"big": big, "chop": chop, "drawn": drawn, "exits": exits, "pack": pack, "record": record, "repeat": repeat, "shared": shared, "squeeze": squeeze, "watched": watched},
		Setup: func(e *testscript.Env) error {
			e.Setenv("ROOT", root)
			e.Setenv("CAR", filepath.Join(root, "testdata/drive/vehicle.yaml"))
			e.Setenv("CARDS", filepath.Join(root, "testdata/drive/cards"))
			e.Setenv("DRIVE", filepath.Join(e.WorkDir, "drive.log"))
			return os.WriteFile(filepath.Join(e.WorkDir, "drive.log"), log.Bytes(), 0o644)
		},
	})
}

// big FILE writes a card of 1 MB.
func big(ts *testscript.TestScript, neg bool, args []string) {
	text := append([]byte("schema: 1\nid: big\n#"), bytes.Repeat([]byte("x"), 1<<20)...)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), text, 0o644))
}

// exits CODE PROGRAM ARG… runs a program and wants its exit code.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	var exit *exec.ExitError
	err = ts.Exec(args[1], args[2:]...)
	switch {
	case err == nil && want == 0:
	case !errors.As(err, &exit):
		ts.Fatalf("%v; want exit code %d", err, want)
	case exit.ExitCode() != want:
		ts.Fatalf("exit code %d, want %d", exit.ExitCode(), want)
	}
}

// repeat N TEXT FILE appends TEXT to a file N times; \n in it is a newline.
func repeat(ts *testscript.TestScript, neg bool, args []string) {
	n, err := strconv.Atoi(args[0])
	ts.Check(err)
	text := strings.Repeat(strings.ReplaceAll(args[1], `\n`, "\n"), n)
	file, err := os.OpenFile(ts.MkAbs(args[2]), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	ts.Check(err)
	_, err = file.WriteString(text)
	ts.Check(err)
	ts.Check(file.Close())
}

// record DIR records attempts at two tasks of the demo's study, with consent.
func record(ts *testscript.TestScript, neg bool, args []string) {
	s, err := scenes.LoadStudy(filepath.Join(ts.Getenv("ROOT"), "testdata/drive/studies/demo.yaml"))
	ts.Check(err)
	r, err := trace.Open(ts.MkAbs(args[0]), trace.Options{Studies: []*scenes.Study{s}})
	ts.Check(err)
	now := trace.Context{Now: time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC), Parked: true, SpeedKnown: true}
	now.Wall = now.Now
	r.SetUser(1)
	ts.Check(r.GiveConsent("demo", now))
	for _, batch := range [][]trace.Interaction{
		{{Screen: "home", Element: "navigation_tile", Gesture: "tap", Outcome: "ok"}, {Screen: "navigation", Element: "zoom", Gesture: "swipe", Outcome: "ok"},
			{Screen: "navigation", Element: "back", Gesture: "tap", Outcome: "back"}},
		{{Screen: "home", Element: "climate_tile", Gesture: "tap", Outcome: "ok"}, {Screen: "climate", Element: "fan", Gesture: "turn", Outcome: "ok"},
			{Screen: "home", Element: "media_tile", Gesture: "tap", Outcome: "ok"}},
	} {
		_, err := r.Record(batch, now)
		ts.Check(err)
	}
	ts.Check(r.Close())
}

// drawn DIR K makes a dataset of some thousand episodes of two tasks and builds.
func drawn(ts *testscript.TestScript, neg bool, args []string) {
	k, err := strconv.Atoi(args[1])
	ts.Check(err)
	truth := fleet.Truth{Seed: 4, Episodes: 4000, Weeks: 2, K: k, Tasks: 2, Ways: 9,
		Builds: []fleet.Build{{Name: "1.0", Share: 0.5, Abandoned: 0.3}, {Name: "1.1", Share: 0.5, Abandoned: 0.1}}}
	s, text, err := truth.Study()
	ts.Check(err)
	ts.Check(os.MkdirAll(ts.MkAbs(filepath.Join(args[0], "segments")), 0o755))
	ts.Check(os.WriteFile(ts.MkAbs(filepath.Join(args[0], "study.yaml")), []byte(text), 0o644))
	f, err := os.Create(ts.MkAbs(filepath.Join(args[0], "segments", "all.seg")))
	ts.Check(err)
	w := trace.NewSegmentWriter(f, true)
	ts.Check(truth.Each(s, w.Write))
	ts.Check(errors.Join(w.Close(), f.Close()))
}

// squeeze gzip|zstd FILE OUT compresses a file.
func squeeze(ts *testscript.TestScript, neg bool, args []string) {
	var out bytes.Buffer
	var w io.WriteCloser = gzip.NewWriter(&out)
	if args[0] == "zstd" {
		var err error
		w, err = zstd.NewWriter(&out)
		ts.Check(err)
	}
	_, err := io.WriteString(w, ts.ReadFile(args[1]))
	ts.Check(err)
	ts.Check(w.Close())
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), out.Bytes(), 0o644))
}

// shared DIR N makes N packs of cards in a directory.
func shared(ts *testscript.TestScript, neg bool, args []string) {
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	ts.Check(packs.Write(ts.MkAbs(args[0]), n, 1))
}

// watched DIR CARD OTHER makes a dataset of a study of three weeks that watches two
// cards, k = 20: 60, 50 and no cars ran the first one, 5 of them took it back; 3 cars
// the other one.
func watched(ts *testscript.TestScript, neg bool, args []string) {
	text := "schema: 1\nid: watched\nversion: 1\ntitle: {en: Cards, zh: 卡片}\nquestion: {en: Which stay, zh: 哪些}\npurpose: {en: Tests, zh: 测试}\n" +
		"from: 2026-01-05\nuntil: 2026-01-25\nmode: fleet\nk: 20\ncards:\n"
	dictionary := "dictionary:\n"
	for i, card := range args[1:] {
		text += fmt.Sprintf("  - {id: %d, card: %s, title: {en: %s, zh: 卡}}\n", i+1, card, card)
		dictionary += fmt.Sprintf("  - {id: %d, task: %s, vehicles: 20, events: [other/other fired ok first parked]}\n", 2*i+1, card)
		dictionary += fmt.Sprintf("  - {id: %d, task: %s, vehicles: 20, events: [other/other fired ok first parked, other/other undone ok <15s parked]}\n", 2*i+2, card)
	}
	s, err := scenes.ParseStudy("study.yaml", []byte(text+dictionary))
	ts.Check(err)
	var eps []trace.Episode
	add := func(sequence, week, cars int) {
		for range cars {
			q := &s.Dictionary[sequence]
			ep := trace.Episode{V: trace.SchemaVersion, Policy: 1, Week: uint16(week), Task: uint16(q.Task), Variant: uint16(q.ID), EID: trace.EpisodeID{1, byte(len(eps))}}
			for _, e := range q.Events {
				ep.Ev = append(ep.Ev, trace.Event(e))
			}
			eps = append(eps, ep)
		}
	}
	add(0, 2602, 55)
	add(1, 2602, 5)
	add(0, 2603, 50)
	add(2, 2602, 3)
	ts.Check(os.MkdirAll(ts.MkAbs(filepath.Join(args[0], "segments")), 0o755))
	ts.Check(os.WriteFile(ts.MkAbs(filepath.Join(args[0], "study.yaml")), []byte(text+dictionary), 0o644))
	var file bytes.Buffer
	ts.Check(trace.WriteSegment(&file, true, eps))
	ts.Check(os.WriteFile(ts.MkAbs(filepath.Join(args[0], "segments", "all.seg")), file.Bytes(), 0o644))
}

// chop FILE N takes the last N bytes off a file.
func chop(ts *testscript.TestScript, neg bool, args []string) {
	text := ts.ReadFile(args[0])
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text[:len(text)-n]), 0o644))
}
