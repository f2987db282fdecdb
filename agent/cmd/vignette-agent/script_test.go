package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/godbus/dbus/v5"
	"github.com/rogpeppe/go-internal/testscript"

	"vignette/scenes/sign"
	driven "vignette/testdata/drive"
	"vignette/ui-bridge/privatebus"
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
	bin := t.TempDir()
	testscript.Run(t, testscript.Params{
		Dir:  filepath.Join(root, "testdata/scripts/agent"),
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"key": key, "sign": signFile, "bus": bus, "roof": roof, "desk": desk(buildDesk(bin), bin)},
		Setup: func(e *testscript.Env) error {
			for name, dir := range map[string]string{"car": "testdata/drive", "hmi": "testdata/hmi", "story": "testdata/story"} {
				if err := os.Symlink(filepath.Join(root, dir), filepath.Join(e.WorkDir, name)); err != nil {
					return err
				}
			}
			return os.WriteFile(filepath.Join(e.WorkDir, "drive.log"), log.Bytes(), 0o644)
		},
	})
}

// bus starts a D-Bus daemon for the script, and names it as the session's.
func bus(ts *testscript.TestScript, neg bool, args []string) {
	address, stop, err := privatebus.Start(context.Background(), ts.MkAbs("."))
	ts.Check(err)
	ts.Defer(stop)
	ts.Setenv("DBUS_SESSION_BUS_ADDRESS", address)
}

// desk puts the desk's programs, vignette and vignette-hmi, on the script's path.
func desk(built func() error, dir string) func(ts *testscript.TestScript, neg bool, args []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		ts.Check(built())
		ts.Setenv("PATH", dir+string(os.PathListSeparator)+ts.Getenv("PATH"))
	}
}

// buildDesk builds the desk's programs in a directory, once.
func buildDesk(dir string) func() error {
	return sync.OnceValue(func() error {
		out, err := exec.Command("go", "build", "-o", dir+"/", "vignette/agent/cmd/vignette", "vignette/ui-bridge/cmd/vignette-hmi").CombinedOutput()
		if err != nil {
			return fmt.Errorf("%w\n%s", err, out)
		}
		return nil
	})
}

// roof is the service org.example.Roof1 on the script's bus: it takes what it
// is told.
func roof(ts *testscript.TestScript, neg bool, args []string) {
	conn, err := dbus.Connect(ts.Getenv("DBUS_SESSION_BUS_ADDRESS"))
	ts.Check(err)
	ts.Defer(func() { conn.Close() })
	ts.Check(conn.ExportMethodTable(map[string]any{"Set": func(bool) *dbus.Error { return nil }}, "/org/example/Roof1", "org.example.Roof1"))
	_, err = conn.RequestName("org.example.Roof1", dbus.NameFlagDoNotQueue)
	ts.Check(err)
}

// key NAME makes the key pair NAME.pub and NAME.key.
func key(ts *testscript.TestScript, neg bool, args []string) {
	k, err := sign.GenerateKey(nil)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".pub"), k.Public().File(), 0o644))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".key"), k.File(), 0o600))
}

// signFile KEY FILE signs a file with a key that key made.
func signFile(ts *testscript.TestScript, neg bool, args []string) {
	k, err := sign.ParseSecretKey([]byte(ts.ReadFile(args[0] + ".key")))
	ts.Check(err)
	sig, err := k.Sign([]byte(ts.ReadFile(args[1])), "a test")
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]+".minisig"), sig, 0o644))
}
