//go:build oracle

package agent_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"vignette/can"
	"vignette/can/canlog"
	"vignette/can/canlog/candump"
	"vignette/testdata/oracle"
)

// TestSameDecisionsOnTheTesla decides on a real recording, a Tesla Model S, in
// every way and on every machine: the fine recording in GVRET CSV, which the
// agent gets as candump, and the coarse candump one, whose recorder wrote whole
// seconds.
func TestSameDecisionsOnTheTesla(t *testing.T) {
	root := moduleRoot(t)
	logs := oracle.Data(t, "logs", "tesla-model-s")
	gvret := filepath.Join(logs, "gvret.csv")
	for _, c := range []struct {
		name string
		r    recording
		want []firing
	}{
		{"fine", recording{candump: asCandump(t, gvret), others: []string{gvret}}, []firing{
			{"166.254000000", "brake-pressed", "fired"},
			{"167.264000000", "gear-leaves-park", "fired"},
			{"169.714000000", "brake-pressed", "fired"},
			{"170.634000000", "rolling", "fired"},
		}},
		{"coarse", recording{candump: filepath.Join(logs, "candump.log")}, []firing{
			{"166.000000000", "brake-pressed", "fired"},
			{"167.000000000", "gear-leaves-park", "fired"},
			{"169.000000000", "brake-pressed", "fired"},
			{"170.000000000", "rolling", "fired"},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.r.vehicle = filepath.Join(root, "testdata/tesla/vehicle.yaml")
			c.r.cards = filepath.Join(root, "testdata/tesla/cards")
			if got := firingsOf(t, decideEverywhere(t, &c.r)); !slices.Equal(got, c.want) {
				t.Errorf("fired\n%v\nwant\n%v", got, c.want)
			}
		})
	}
}

// asCandump writes a recording's frames as a candump log, all on one channel,
// and returns its path.
func asCandump(t *testing.T, path string) string {
	t.Helper()
	in, err := canlog.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	name := filepath.Join(t.TempDir(), "converted.log")
	out, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	w := candump.NewWriter(out)
	var f can.Frame
	for err = in.Read(&f); err == nil; err = in.Read(&f) {
		if err := w.Write(&f, "can0"); err != nil {
			t.Fatal(err)
		}
	}
	if err != io.EOF {
		t.Fatal(err)
	}
	if err := errors.Join(w.Flush(), out.Close()); err != nil {
		t.Fatal(err)
	}
	return name
}
