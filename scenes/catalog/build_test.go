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
	n := 300
	if os.Getenv("BIG") != "" {
		n = 10000
	}
	if _, err := os.Stat(filepath.Join(dir, "packs")); err != nil {
		os.MkdirAll(filepath.Join(dir, "packs"), 0o755)
		if err := packs.Write(filepath.Join(dir, "packs"), n, 1); err != nil {
			t.Fatal(err)
		}
	}
	v, err := scenes.LoadVehicle("../../testdata/drive/vehicle.yaml")
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	r, err := Build(filepath.Join(dir, "packs"), filepath.Join(dir, "site"), &Options{Cars: []*scenes.Vehicle{v}})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.Refused {
		t.Log(f)
	}
	t.Log(time.Since(start), r.Bytes, len(r.Index.Items))
	start = time.Now()
	c, err := Check(filepath.Join(dir, "site"), nil, nil)
	t.Log(time.Since(start), c.Faults, err)
}
