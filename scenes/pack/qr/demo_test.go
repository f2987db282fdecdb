package qr_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"testing/fstest"

	"vignette/scenes"
	"vignette/scenes/pack"
	"vignette/scenes/pack/qr"
	"vignette/scenes/sign"
)

// TestDemoCards holds that each card of the demo, as a remix of another pack, fits
// into a code that a phone reads with ease, and comes out as it went in.
func TestDemoCards(t *testing.T) {
	names, err := filepath.Glob("../../../testdata/drive/cards/*.yaml")
	if err != nil || len(names) < 10 {
		t.Fatalf("%d cards, %v", len(names), err)
	}
	key, err := sign.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		c, err := scenes.ParseCard(name, text)
		if err != nil {
			t.Fatal(err)
		}
		source := fmt.Appendf(nil, "schema: 1\nid: %s\nversion: %s\ntitle: {en: %q, zh: %q}\nauthor: mei\nlicence: CC-BY-4.0\nderived_from: {pack: cool-down@1.0.0, sha256: %064x, author: jo}\ncards: [cards/%s.yaml]\n",
			c.ID, c.Version, c.Title["en"], c.Title["zh"], key.ID[:], c.ID)
		data, err := scenes.MakePack(name, fstest.MapFS{"pack.yaml": {Data: source}, "cards/" + c.ID + ".yaml": {Data: text}}, &key)
		if err != nil {
			t.Fatal(err)
		}
		payload, err := qr.Terse(data)
		if err != nil {
			t.Fatal(err)
		}
		again, err := pack.Expand(payload)
		if err != nil || !bytes.Equal(again, data) {
			t.Errorf("%s: another pack comes out, %v", name, err)
		}
		if code, err := qr.Encode(payload); err != nil || code.Version > 22 || code.Level != "M" {
			t.Errorf("%s: %d bytes, %+v, %v", name, len(payload), code, err)
		}
	}
}
