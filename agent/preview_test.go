package agent

import (
	"strings"
	"testing"

	"github.com/godbus/dbus/v5"
)

// TestPreview drives past a speed three times and asks what a card would have done
// that nobody has installed: it says so, for the time that is kept, and the running
// cards, the journal and the lamp know nothing of it.
func TestPreview(t *testing.T) {
	b := newDeckBench(t)
	b.start()
	b.call("Watch", []string{"Vehicle.Speed"})
	card := strings.Replace(deckCard("fast", "1.0.0", "star", "Private.Lamp"), "{button: star}", "{signal: Vehicle.Speed, rises_above: 80, unit: km/h}", 1)
	preview := func(text string) (r map[string]dbus.Variant) {
		t.Helper()
		if err := b.call("Preview", text).Store(&r); err != nil {
			t.Fatal(err)
		}
		return r
	}
	if r := preview(card); r["covered"].Value() != 0.0 || len(r["records"].Value().([]map[string]dbus.Variant)) != 0 {
		t.Errorf("before anything came: %v", r)
	}
	for range 3 {
		b.frame(20, 4)
		b.frame(100, 4)
	}
	b.call("Occur", "button moon", true)
	b.frame(33, 4)
	b.await("the last frame", func(s *dbus.Signal) bool {
		values, ok := s.Body[0].(map[string]dbus.Variant)
		return ok && values["Vehicle.Speed"].Value() == 33.0
	})
	counts := map[string]int{}
	r := preview(card)
	for _, one := range r["records"].Value().([]map[string]dbus.Variant) {
		if one["card"].Value() != "fast" {
			t.Errorf("a record of another card: %v", one)
		}
		counts[one["what"].Value().(string)]++
	}
	if counts["live"] != 1 || counts["fired"] != 3 || counts["acted"] != 3 || r["frames"].Value() != uint64(7) || r["covered"].Value().(float64) <= 0 || r["more"].Value() != uint32(0) {
		t.Errorf("%v of %v", counts, r)
	}
	r = preview(deckCard("moon", "1.0.0", "moon", "Private.Bell"))
	if list := r["records"].Value().([]map[string]dbus.Variant); len(list) != 2 || list[0]["what"].Value() != "fired" {
		t.Errorf("by an event: %v", list)
	}
	r = preview(strings.Replace(card, "Vehicle.Speed", "Vehicle.Sped", 1))
	if rows := r["diagnostics"].Value().([]map[string]dbus.Variant); r["previewed"].Value() != false || len(rows) != 1 || rows[0]["line"].Value() != int32(6) {
		t.Errorf("a wrong card: %v", r)
	}
	if log := b.stop(); strings.Contains(log, "fast") || len(b.calls) > 0 {
		t.Errorf("the preview was decided:\n%s", log)
	}
	b.config.PreviewMiB = 0
	b.start()
	b.refused("NotSupported", "Preview", card)
}
