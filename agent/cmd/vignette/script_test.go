package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	driven "vignette/testdata/drive"
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
		Cmds:          map[string]func(*testscript.TestScript, bool, []string){"big": big, "chop": chop},
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

// chop FILE N takes the last N bytes off a file.
func chop(ts *testscript.TestScript, neg bool, args []string) {
	text := ts.ReadFile(args[0])
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text[:len(text)-n]), 0o644))
}
