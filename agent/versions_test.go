package agent

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"vignette/scenes"
)

// TestVersionsAreBounded: beyond the bound the versions that were read longest ago
// go, but none in use; a profile with its DBCs can be loaded from what is kept.
func TestVersionsAreBounded(t *testing.T) {
	vs := &versions{dir: t.TempDir(), log: quiet()}
	v, err := scenes.LoadVehicle("../testdata/drive/vehicle.yaml")
	if err != nil {
		t.Fatal(err)
	}
	vs.profile(v)
	vehicles, _, err := scenes.LoadVersions(vs.dir)
	if err != nil || len(vehicles) != 1 || vehicles[0].Contents() != v.Contents() {
		t.Fatalf("%d profiles are kept, %v", len(vehicles), err)
	}
	old := time.Now().Add(-time.Hour)
	for i := range maxVersions + 1 {
		path := filepath.Join(vs.dir, fmt.Sprintf("%064d.yaml", i))
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, old, old.Add(time.Duration(i)*time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	vs.prune([]string{fmt.Sprintf("%064d", 0)})
	entries, err := os.ReadDir(vs.dir)
	if err != nil || len(entries) != maxVersions || vs.dropped.Load() != 2 {
		t.Fatalf("%d versions are kept, %d were dropped, %v", len(entries), vs.dropped.Load(), err)
	}
	for i, want := range map[int]bool{0: true, 1: false, 2: false, 3: true} {
		name := fmt.Sprintf("%064d.yaml", i)
		if slices.ContainsFunc(entries, func(e os.DirEntry) bool { return e.Name() == name }) != want {
			t.Errorf("version %d is kept: %v", i, !want)
		}
	}
}

// TestVersionOutsideTheDirectory: a DBC above its profile's directory cannot be kept
// beside it, which is said and counted.
func TestVersionOutsideTheDirectory(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("car.dbc", deckDBC)
	v, err := scenes.LoadVehicle(write("p/vehicle.yaml", strings.Replace(deckVehicle, "car.dbc", "../car.dbc", 1)))
	if err != nil {
		t.Fatal(err)
	}
	vs := &versions{dir: filepath.Join(dir, "versions"), log: quiet()}
	vs.profile(v)
	if vs.failed.Load() != 1 || vs.kept.Load() != 0 {
		t.Errorf("%d failed, %d kept", vs.failed.Load(), vs.kept.Load())
	}
}
