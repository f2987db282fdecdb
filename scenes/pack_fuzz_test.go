package scenes

import (
	"bytes"
	"testing"
	"time"

	"vignette/scenes/pack"
)

// FuzzManifest holds that a manifest that can be read is written so that it is
// read again as the same.
func FuzzManifest(f *testing.F) {
	f.Add([]byte(eveningSource))
	f.Add(packOf(f, "mei", "cool", "1.0.0", nil, "expires: 2030-01-01").Manifest.Text())
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := ParseManifest("pack.yaml", text)
		if err != nil {
			return
		}
		again, err := ParseManifest("pack.yaml", m.Text())
		if err != nil || !bytes.Equal(again.Text(), m.Text()) {
			t.Errorf("written and read again: %v\n%s", err, m.Text())
		}
	})
}

// FuzzTrust holds the same of trust lists, ledgers and lists of what is called back.
func FuzzTrust(f *testing.F) {
	k := packKey(f, 1).Public()
	var l Ledger
	l.Note(packOf(f, "mei", "cool", "1.0.0", packKey(f, 1)))
	f.Add(Trust{Authors: []TrustedAuthor{{"mei", k, time.Time{}}}}.Text())
	f.Add(l.Text())
	f.Add(Revocations{Version: 3, Studies: map[string]int{"a": 1}, Packs: []RevokedPack{{"cool", k, "1.0.0"}}}.Text())
	f.Fuzz(func(t *testing.T, text []byte) {
		same := func(err error, first, second []byte) {
			t.Helper()
			if err != nil || !bytes.Equal(first, second) {
				t.Errorf("written and read again: %v\n%s", err, first)
			}
		}
		if l, err := ParseTrust("x", text); err == nil {
			again, err := ParseTrust("x", l.Text())
			same(err, l.Text(), again.Text())
		}
		if l, err := ParseLedger("x", text); err == nil {
			again, err := ParseLedger("x", l.Text())
			same(err, l.Text(), again.Text())
		}
		if l, err := ParseRevocations("x", text); err == nil {
			again, err := ParseRevocations("x", l.Text())
			same(err, l.Text(), again.Text())
		}
	})
}

// FuzzOpenPack puts any manifest and card into a pack: it is refused, or it
// claims what its card does.
func FuzzOpenPack(f *testing.F) {
	p := packOf(f, "mei", "cool", "1.0.0", nil)
	f.Add(p.File(ManifestName), p.File("a.yaml"))
	f.Fuzz(func(t *testing.T, manifest, card []byte) {
		data, err := pack.Make([]pack.File{{Name: ManifestName, Data: manifest}, {Name: "a.yaml", Data: card}}, nil, "")
		if err != nil {
			return
		}
		p, err := OpenPack("x", data)
		if err != nil {
			return
		}
		if have := ClaimsOf(p.Cards); len(have.Touches) != len(p.Manifest.Touches) || len(have.Reads) != len(p.Manifest.Reads) || len(have.Needs) != len(p.Manifest.Needs) {
			t.Errorf("it claims %q, but has %+v", p.Manifest.Touches, have)
		}
	})
}
