package main

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"vignette/can/canlog"
	"vignette/scenes/drive"
	"vignette/scenes/engine"
	driven "vignette/testdata/drive"
)

// driveJudge is a judge of a car that drove 20 s of our drive; entries that
// lose says yes to did not reach it.
func driveJudge(t *testing.T, lose func(*drive.Entry) bool) *judge {
	t.Helper()
	dir := t.TempDir()
	s := &scenario{name: "drive", hmi: true, root: "../..", vehicle: "testdata/drive/vehicle.yaml", cards: "testdata/drive/cards",
		log: filepath.Join(dir, "drive.log")}
	var log bytes.Buffer
	if err := driven.Generate(&log, 20); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.log, log.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := s.load(); err != nil {
		t.Fatal(err)
	}
	j := &judge{s, &results{dir, map[string][]byte{}}}
	in, err := canlog.Open(s.log)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	var journal bytes.Buffer
	header := drive.NewHeader(j.prog, 1, drive.LogTime)
	w, err := drive.NewJournal(&journal, &header, true)
	if err != nil {
		t.Fatal(err)
	}
	received := &lossy{drive.NewLogStream(j.prog.Vehicle, nil, []drive.Log{{Reader: in, Name: s.log}}), lose}
	if err := drive.Run(received, drive.NewPump(j.prog, 1, true, drive.Output{Journal: w})); err != nil {
		t.Fatal(err)
	}
	j.r.files["scenarios/drive/"+journalFile] = journal.Bytes()
	return j
}

// lossy is a stream that loses entries.
type lossy struct {
	drive.Stream
	lose func(*drive.Entry) bool
}

func (l *lossy) Next(e *drive.Entry) error {
	for {
		if err := l.Stream.Next(e); err != nil || !l.lose(e) {
			return err
		}
	}
}

func nothing(*drive.Entry) bool { return false }

// nth says yes once, to the n-th entry of an identifier.
func nth(n int, id uint32) func(*drive.Entry) bool {
	return func(e *drive.Entry) bool {
		if e.Frame.ID == id {
			n--
			return n == 0
		}
		return false
	}
}

func TestJudgeFrames(t *testing.T) {
	figure, err := driveJudge(t, nothing).frames(t.Context())
	if err != nil || !strings.HasSuffix(figure, " 0 lost") {
		t.Errorf("nothing lost: %s, %v", figure, err)
	}
	figure, err = driveJudge(t, nth(100, 0x160)).frames(t.Context())
	if err == nil || !strings.Contains(figure, ", 1 lost") {
		t.Errorf("one frame lost: %s, %v", figure, err)
	}
	figure, err = driveJudge(t, func(e *drive.Entry) bool { return e.Frame.ID == 0x160 }).frames(t.Context())
	if err == nil {
		t.Errorf("a whole identifier that the cards use is lost: %s", figure)
	}
	if _, err := driveJudge(t, func(*drive.Entry) bool { return true }).frames(t.Context()); err == nil {
		t.Error("no frame arrived, and all is well")
	}
}

func TestJudgeSockets(t *testing.T) {
	const well = `level=INFO msg=bus name=body link=up buffer=8388608
level=INFO msg=bus name=pt link=up buffer=8388608
level=INFO msg=bus name=pt link=up frames_lost=0
level=INFO msg=bus name=body link=up frames_lost=0
`
	j := driveJudge(t, nothing)
	for _, c := range []struct {
		name, old, put string
		ok             bool
	}{
		{"well", "", "", true},
		{"a smaller buffer", "name=pt link=up buffer=8388608", "name=pt link=up buffer=425984", false},
		{"a bus that never came up", "name=body link=up buffer", "name=body link=down buffer", false},
		{"frames lost", "name=body link=up frames_lost=0", "name=body link=up frames_lost=7", false},
		{"killed", "name=body link=up frames_lost=0", "", false},
	} {
		j.r.files["scenarios/drive/agent.out"] = []byte(strings.Replace(well, c.old, c.put, 1))
		if figure, err := j.sockets(t.Context()); (err == nil) != c.ok {
			t.Errorf("%s: %s, %v", c.name, figure, err)
		}
	}
}

func TestJudgeCalls(t *testing.T) {
	j := driveJudge(t, nothing)
	decided, err := j.decided()
	if err != nil || len(decided) == 0 {
		t.Fatalf("decided %v, %v", decided, err)
	}
	received := func(calls []string) {
		var list []map[string]any
		for _, c := range calls {
			method, arg, _ := strings.Cut(c, " ")
			list = append(list, map[string]any{"method": method, "args": []any{arg, 1}})
		}
		text, err := json.Marshal(map[string]any{"calls": list})
		if err != nil {
			t.Fatal(err)
		}
		j.r.files["scenarios/drive/hmi.json"] = text
	}
	received(decided)
	if figure, err := j.calls(t.Context()); err != nil {
		t.Errorf("all calls received: %s, %v", figure, err)
	}
	received(decided[1:])
	if figure, err := j.calls(t.Context()); err == nil {
		t.Errorf("a call is missing: %s", figure)
	}
	received(append([]string{"SetActuator Vehicle.Speed"}, decided[1:]...))
	if figure, err := j.calls(t.Context()); err == nil {
		t.Errorf("another call: %s", figure)
	}
	delete(j.r.files, "scenarios/drive/hmi.json")
	if figure, err := j.calls(t.Context()); err == nil {
		t.Errorf("no summary: %s", figure)
	}
}

func TestMethodOfACallThatGoesNowhere(t *testing.T) {
	j := driveJudge(t, nothing)
	j.prog.Vehicle.Actions[0].Call = nil
	if list := j.method(&engine.Call{Kind: engine.CallDo}); list != nil {
		t.Errorf("got %v", list)
	}
}

func TestJudgeEnds(t *testing.T) {
	j := &judge{scenario: &scenario{name: "x", hmi: true}, r: &results{files: map[string][]byte{
		"scenarios/x/canplayer.status": []byte("0\n"), "scenarios/x/agent.status": []byte("0\n"), "scenarios/x/hmi.status": []byte("0\n"),
		"scenarios/x/agent.out": []byte("level=INFO msg=running\nlevel=INFO msg=ended frames=7\n"),
	}}}
	if figure, err := j.ends(t.Context()); err != nil || figure != "frames=7" {
		t.Errorf("got %q, %v", figure, err)
	}
	for name, bad := range map[string]string{"agent.status": "1", "hmi.status": "", "canplayer.status": "139", "agent.out": "killed"} {
		was := j.r.files[j.file(name)]
		j.r.files[j.file(name)] = []byte(bad)
		if _, err := j.ends(t.Context()); err == nil {
			t.Errorf("%s %q passed", name, bad)
		}
		j.r.files[j.file(name)] = was
	}
}

func TestFirings(t *testing.T) {
	list, err := firings([]byte(`{"log":1,"engine":"0"}
{"t":"1.000000000","n":1,"card":"a","what":"fired","why":"when[0]"}
{"t":"1.000000000","n":2,"card":"a","what":"acted","action":"do"}
`))
	if want := []firing{{"a", "fired", "when[0]"}}; err != nil || !slices.Equal(list, want) {
		t.Errorf("got %v, %v", list, err)
	}
	if _, err := firings([]byte(`{"t":`)); err == nil {
		t.Error("a cut decision log passed")
	}
}

// disk writes files as a guest does and returns the file's name.
func disk(t *testing.T, files map[string]string) string {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for name, text := range files {
		if err := w.WriteHeader(&tar.Header{Name: "./" + name, Mode: 0o644, Size: int64(len(text))}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "disk")
	if err := os.WriteFile(name, append(b.Bytes(), make([]byte, 4096)...), 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestResults(t *testing.T) {
	sum := fmt.Sprintf("%x  ./a/b\n", sha256.Sum256([]byte("text")))
	dir := filepath.Join(t.TempDir(), "out")
	r, err := readResults(disk(t, map[string]string{"a/b": "text", "SHA256SUMS": sum}), dir)
	if err != nil || r.text("a/b") != "text" {
		t.Fatalf("got %v, %v", r, err)
	}
	if kept, err := os.ReadFile(r.path("a/b")); err != nil || string(kept) != "text" {
		t.Errorf("kept %q, %v", kept, err)
	}
	for name, files := range map[string]map[string]string{
		"another text": {"a/b": "texx", "SHA256SUMS": sum},
		"a file more":  {"a/b": "text", "c": "", "SHA256SUMS": sum},
		"a file less":  {"SHA256SUMS": sum},
		"no sums":      {"a/b": "text"},
		"nothing":      {},
	} {
		if _, err := readResults(disk(t, files), dir); err == nil {
			t.Errorf("%s passed", name)
		}
	}
}

func TestFindTests(t *testing.T) {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	list, err := findTests(fstest.MapFS{
		"can/b/x_vm_test.go":        file("package b\nfunc TestMain(m *testing.M) {}\nfunc TestA(t *testing.T) {}\nfunc helper() {}\n"),
		"can/b/y_vm_test.go":        file("//go:build vm\n\npackage b\nfunc TestB(t *testing.T) {}\n"),
		"agent/a_vm_test.go":        file("package agent\nfunc TestC(t *testing.T) {}\nfunc TestSlow(t *testing.T) {}\n"),
		"agent/a_test.go":           file("package agent\nfunc TestD(t *testing.T) {}\n"),
		"can/b/z_vm_test.go":        file("//go:build vm && arm64\n\npackage b\nfunc TestF(t *testing.T) {}\n"),
		"build/agent/a_vm_test.go":  file("package agent\nfunc TestE(t *testing.T) {}\n"),
		".cache/agent/a_vm_test.go": file("package agent\nfunc TestE(t *testing.T) {}\n"),
		"scenes/a_vm_test.go":       file("package scenes\nfunc TestSlow(t *testing.T) {}\n"),
		"agent/a_systemd_test.go":   file("package agent\nfunc TestG(t *testing.T) {}\n"),
	}, vmTestSuffix, "arm", regexp.MustCompile("Test.$"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range list {
		got = append(got, fmt.Sprint(p.pkg, p.tests))
	}
	if want := []string{"agent[TestC]", "can/b[TestA TestB]"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestTestOutput(t *testing.T) {
	const output = `=== RUN   TestA
    a_test.go:7: 80000 frames
--- PASS: TestA (20.01s)
=== RUN   TestB
=== RUN   TestB/down
    a_test.go:9: late
--- FAIL: TestB (0.10s)
    --- FAIL: TestB/down (0.10s)
=== RUN   TestC
`
	for _, c := range []struct {
		name, took, err string
		log             []string
	}{
		{"TestA", "20.01s", "", []string{"80000 frames"}},
		{"TestB", "0.10s", "FAIL", []string{"late"}},
		{"TestC", "", "it did not run to its end", nil},
		{"TestD", "", "it did not run to its end", nil},
	} {
		took, err := testOutcome(output, c.name)
		if took != c.took || (err == nil) != (c.err == "") || (err != nil && err.Error() != c.err) {
			t.Errorf("%s: %q, %v", c.name, took, err)
		}
		if log := testLog(output, c.name); !slices.Equal(log, c.log) {
			t.Errorf("%s logged %q, want %q", c.name, log, c.log)
		}
	}
}

func TestVerdict(t *testing.T) {
	var said bytes.Buffer
	v := &verdict{w: &said}
	if v.err() == nil {
		t.Error("no check at all passed")
	}
	v.check("arm64", "it boots", "2 s", nil)
	if err := v.err(); err != nil {
		t.Error(err)
	}
	v.check("arm64", "it ends", "", fmt.Errorf("killed"))
	if v.err() == nil {
		t.Error("a failure passed")
	}
	if want := "PASS arm64: it boots: 2 s\n"; !strings.Contains(said.String(), want) {
		t.Errorf("no %q in %q", want, said.String())
	}
	if want := "FAIL arm64: it ends: killed\n1 passed, 1 failed\n"; !strings.HasSuffix(said.String(), want) {
		t.Errorf("no %q in %q", want, said.String())
	}
}
