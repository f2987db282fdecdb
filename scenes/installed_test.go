package scenes

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"vignette/scenes/pack"
)

// packBytes is a pack of version of one card by mei, as a file.
func packBytes(t testing.TB, version string) []byte {
	t.Helper()
	p := packOf(t, "mei", "cool", version, packKey(t, 1))
	data, err := pack.Make(p.Files, packKey(t, 1), p.Manifest.Name())
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// installPack installs a pack's file by the rules.
func installPack(dir, file string, observe func(string)) error {
	s, faults, err := LoadShelf(dir)
	if err != nil || faults != nil {
		return errors.Join(append(faults, err)...)
	}
	p, data, err := LoadPack(file)
	if err != nil {
		return err
	}
	if _, err := s.Admit(p); err != nil {
		return err
	}
	return PutPack(dir, p, data, &s.Ledger, observe)
}

// TestKilledPack kills a process at every point of installing a pack, as a first
// one and over an older version: what is there then is what was or the new pack,
// whole, and the installation can be done again.
func TestKilledPack(t *testing.T) {
	points := 0
	if err := installIn(t, t.TempDir(), "1.0.0", func(string) { points++ }); err != nil || points != 9 {
		t.Fatalf("%d points of an installation, %v", points, err)
	}
	for _, first := range []bool{true, false} {
		for point := range points {
			dir := t.TempDir()
			var old []byte
			if !first {
				old = packBytes(t, "1.0.0")
				if err := installIn(t, dir, "1.0.0", func(string) {}); err != nil {
					t.Fatal(err)
				}
			}
			killedInstall(t, dir, point)
			s, faults, err := LoadShelf(dir)
			if err != nil || faults != nil {
				t.Fatalf("first %v, killed at %d: %v, %v", first, point, faults, err)
			}
			now, err := os.ReadFile(filepath.Join(dir, "cool.vpack"))
			if was := errors.Is(err, os.ErrNotExist) && first || bytes.Equal(now, old) && !first; was == (point >= 7) || !was && !bytes.Equal(now, packBytes(t, "1.1.0")) {
				t.Errorf("first %v, killed at %d: %d bytes are there, %v; the old pack %v", first, point, len(now), err, was)
			}
			if len(s.Installed) > 0 && s.Ledger.highest(s.Installed[0]) == "" {
				t.Errorf("first %v, killed at %d: a pack is installed that the ledger does not know", first, point)
			}
			if err := errors.Join(ClearStaged(dir), installIn(t, dir, "1.1.0", func(string) {})); err != nil {
				t.Errorf("first %v, killed at %d, once more: %v", first, point, err)
			}
			if left, err := filepath.Glob(filepath.Join(dir, "*.new")); err != nil || left != nil {
				t.Errorf("left over: %q, %v", left, err)
			}
		}
	}
}

// installIn installs a version in a directory.
func installIn(t *testing.T, dir, version string, observe func(string)) error {
	t.Helper()
	file := filepath.Join(t.TempDir(), "offered.vpack")
	if err := os.WriteFile(file, packBytes(t, version), 0o600); err != nil {
		t.Fatal(err)
	}
	return installPack(dir, file, observe)
}

// killedInstall runs a process that kills itself at a point of installing 1.1.0.
func killedInstall(t *testing.T, dir string, point int) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "offered.vpack")
	if err := os.WriteFile(file, packBytes(t, "1.1.0"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilledPackChild$")
	cmd.Env = append(os.Environ(), "KILL_DIR="+dir, "KILL_FILE="+file, "KILL_AT="+strconv.Itoa(point))
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("the process was not killed: %v\n%s", err, out)
	}
}

// TestKilledPackChild is the process that TestKilledPack kills; run by itself it
// does nothing.
func TestKilledPackChild(t *testing.T) {
	dir := os.Getenv("KILL_DIR")
	if dir == "" {
		return
	}
	point := 0
	t.Error(installPack(dir, os.Getenv("KILL_FILE"), func(string) {
		if strconv.Itoa(point) == os.Getenv("KILL_AT") {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}
		point++
	}))
}

// TestLoadShelf holds what a directory may have beside good packs.
func TestLoadShelf(t *testing.T) {
	dir := t.TempDir()
	if s, faults, err := LoadShelf(filepath.Join(dir, "none")); err != nil || faults != nil || s.Installed != nil {
		t.Errorf("no directory: %v, %v", faults, err)
	}
	write := func(name string, data []byte) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	good := packBytes(t, "1.0.0")
	write("cool.vpack", good)
	write("other.vpack", good)
	write("torn.vpack", good[:len(good)-600])
	write("huge.vpack", make([]byte, pack.MaxBytes+1))
	write("cool.vpack.new", good)
	write("own.yaml", []byte(strings.ReplaceAll(eveningCard, "cool-evening", "own")))
	write("bad.yaml", []byte("id: x"))
	s, faults, err := LoadShelf(dir)
	if err != nil || len(s.Installed) != 1 || s.Cards["own"] == "" {
		t.Fatalf("%+v, %v", s, err)
	}
	all := fmt.Sprint(faults)
	for _, want := range []string{"other.vpack: holds the pack cool@1.0.0", "torn.vpack: ", "huge.vpack: is longer than 1024 KiB", "bad.yaml"} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is not among %s", want, all)
		}
	}
	write(LedgerName, []byte("schema: 1\npacks: [{id: x}]\n"))
	if _, _, err := LoadShelf(dir); err == nil || !strings.Contains(err.Error(), "packs.ledger:2") {
		t.Errorf("a bad ledger: %v", err)
	}
}

func BenchmarkOpenPack(b *testing.B) {
	data := packBytes(b, "1.0.0")
	for b.Loop() {
		if _, err := OpenPack("x", data); err != nil {
			b.Fatal(err)
		}
	}
}
