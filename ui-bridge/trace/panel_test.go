package trace

import (
	"bytes"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"vignette/scenes"
)

// panel is the demo's study as a panel, without its dictionary.
func panel(t testing.TB) *scenes.Study {
	t.Helper()
	s := study(t)
	s.Panel, s.Dictionary = true, nil
	return s
}

// TestPanelIsApartAndPersonal holds that a panel keeps attempts as they are,
// under a pseudonym that lasts as long as the consent, says that they are
// personal data, and never puts them where released segments are.
func TestPanelIsApartAndPersonal(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "traces")
	r := consented(t, dir, Options{Studies: []*scenes.Study{panel(t)}})
	touch := func(from float64) {
		record(t, r, at(from, 50), tap("home", "climate_tile"), tap("climate", "defrost"), Interaction{"climate", "back", "tap", "back"})
	}
	touch(0)
	touch(100)
	drivers := func(below string) map[Pseudonym]int {
		seen := map[Pseudonym]int{}
		for name, b := range files(t, filepath.Join(dir, below)) {
			if !strings.HasSuffix(name, segmentSuffix) {
				continue
			}
			if _, err := Read(bytes.NewReader(b)); !errors.Is(err, ErrPanel) || !bytes.Contains(b[:headerBytes], []byte("personal data")) || len(b) != sizeClass {
				t.Errorf("%s: %v, %q, %d bytes", name, err, b[:headerBytes], len(b))
			}
			err := read(bytes.NewReader(b), func(rec *segmentRecord) error {
				seen[*rec.driver]++
				if len(rec.ep.Ev) != 3 || rec.ep.M[MetricTouches] != 3+1 {
					t.Errorf("episode %+v", rec.ep)
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		}
		return seen
	}
	first := drivers("panel")
	if len(first) != 1 || len(files(t, filepath.Join(dir, "spool"))) != 0 {
		t.Fatalf("drivers %v, files %d", first, len(files(t, filepath.Join(dir, "spool"))))
	}
	text, _, err := r.ShowTrace(r.Traces()[0].ID)
	if err != nil || !strings.Contains(text, "personal data of test driver ") {
		t.Errorf("shown %s, %v", text, err)
	}
	if err := r.Tick(weeks(1)); err != nil || len(drivers("panel-outbox")) != 1 || len(files(t, filepath.Join(dir, "outbox"))) != 0 {
		t.Errorf("left: %v, %v", drivers("panel-outbox"), err)
	}
	if err := errors.Join(r.WithdrawConsent(demo, at(200, 0)), r.GiveConsent(demo, at(200, 0))); err != nil {
		t.Fatal(err)
	}
	touch(300)
	if second := drivers("panel"); len(second) != 1 || len(drivers("")) != 2 {
		t.Errorf("after a new consent: %v, in all %v", second, drivers(""))
	}
	again := open(t, dir, Options{Studies: []*scenes.Study{panel(t)}})
	again.SetUser(driver)
	if n := len(again.Traces()); n != 1 {
		t.Errorf("%d traces after a restart", n)
	}
	open(t, dir, options(t)) // the same id, no panel any more: another card
	if left := drivers("panel"); len(left) != 0 {
		t.Errorf("left of a panel that is no longer asked: %v", left)
	}
}
