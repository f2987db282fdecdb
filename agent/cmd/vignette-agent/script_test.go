package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	driven "vignette/testdata/drive"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"vignette-agent": main})
}

// TestScripts runs the agent's command-line tests on the real main.
func TestScripts(t *testing.T) {
	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	if err := driven.Generate(&log, 5); err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join(root, "testdata/scripts/agent"),
		Setup: func(e *testscript.Env) error {
			if err := os.Symlink(filepath.Join(root, "testdata/drive"), filepath.Join(e.WorkDir, "car")); err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(e.WorkDir, "drive.log"), log.Bytes(), 0o644)
		},
	})
}
