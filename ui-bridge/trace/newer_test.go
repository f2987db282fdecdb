package trace

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestNewerFilesStopRecording has each kind of file be of a newer version, one at a
// time: nothing is recorded, nothing leaves, nothing is touched, and a reload
// changes nothing of that. A word that is only longer, or older, is none.
func TestNewerFilesStopRecording(t *testing.T) {
	for name, text := range map[string]string{
		"consents": "vignette-consents 3\n", "answers-seen": "vignette-answers-seen 2\nx", "spool/demo/closed": "vignette-closed 2\n7 8\n",
		"spool/demo/1-00000000000000aa-1.seg": "vignette-traces 4", "panel/other/9-00000000000000aa-1.seg": "vignette-panel 10; and more",
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			r := consented(t, dir, options(t))
			air(t, r, 0)
			if err := r.Close(); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(dir, name)
			if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, []byte(text), 0o600)); err != nil {
				t.Fatal(err)
			}
			before := files(t, dir)
			r = open(t, dir, options(t))
			r.SetUser(1)
			if err := r.Reload(options(t)); err != nil {
				t.Error(err)
			}
			if err := r.Problem(); !errors.Is(err, ErrNewer) || !strings.Contains(err.Error(), file) || r.Recording() {
				t.Errorf("problem %v, recording %t", err, r.Recording())
			}
			if n, err := r.Record([]Interaction{tap("home", "climate_tile")}, at(60, 0)); n != 0 || err != nil {
				t.Errorf("%d recorded, %v", n, err)
			}
			if err := r.Tick(at(70, 0)); err != nil {
				t.Error(err)
			}
			if after := files(t, dir); fmt.Sprint(after) != fmt.Sprint(before) {
				t.Errorf("files %v, were %v", after, before)
			}
		})
	}
}

// TestNewerSegmentsCanBeTakenBack: a driver's no removes that driver's segments,
// whatever version has written them, and nobody else's.
func TestNewerSegmentsCanBeTakenBack(t *testing.T) {
	dir := t.TempDir()
	r := consented(t, dir, options(t))
	d, _ := r.consents.latest(demo, r.user)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	spool := filepath.Join(dir, "spool", demo)
	mine, other := filepath.Join(spool, fmt.Sprintf("%d-00000000000000aa-1.seg", d.User)), filepath.Join(spool, fmt.Sprintf("%d-00000000000000ab-1.seg", d.User+1))
	for _, file := range []string{mine, other} {
		if err := errors.Join(os.MkdirAll(spool, 0o700), os.WriteFile(file, []byte("vignette-traces 4"), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	r = open(t, dir, options(t))
	r.SetUser(d.User)
	if err := r.WithdrawConsent(demo, at(1, 0)); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(mine); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the driver's own segment: %v", err)
	}
	if _, err := os.Stat(other); err != nil {
		t.Errorf("another driver's: %v", err)
	}
}

// TestIsNewer compares heads.
func TestIsNewer(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	for text, want := range map[string]bool{
		"": false, "vignette-traces 3": false, "vignette-traces 2; x": false, "vignette-traces 4": true, "vignette-traces 30": true,
		"vignette-traces x": false, "vignette-traces-more 9": false, "vignette-panel 3": true, "vignette-panel 2; personal": false,
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if got := isNewer(file, headers...); got != want {
			t.Errorf("%q: newer %t", text, got)
		}
	}
}
