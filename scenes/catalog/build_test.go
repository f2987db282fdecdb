package catalog

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"vignette/scenes"
	"vignette/testdata/bench/packs"
)

func TestDev(t *testing.T) {
	dir := t.TempDir()
	if d := os.Getenv("DEV"); d != "" {
		dir = d
	}
	os.MkdirAll(filepath.Join(dir, "packs"), 0o755)
	n := 10000
	if err := packs.Write(filepath.Join(dir, "packs"), n, 1); err != nil {
		t.Fatal(err)
	}
	v, err := scenes.LoadVehicle("../../testdata/drive/vehicle.yaml")
	if err != nil {
		t.Fatal(err)
	}
	t.Log(time.Now())
	r, err := Build(filepath.Join(dir, "packs"), filepath.Join(dir, "site"), &Options{Cars: []*scenes.Vehicle{v}})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.Refused {
		t.Log(f)
	}
	t.Log(time.Now())
	t.Log(r.Bytes, len(r.Index.Items))
}
