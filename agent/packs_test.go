package agent

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/godbus/dbus/v5"

	"vignette/scenes"
	"vignette/scenes/sign"
	uibridge "vignette/ui-bridge"
)

// packKey is a key that is always the same.
func packKey(t testing.TB, seed byte) *sign.SecretKey {
	t.Helper()
	k, err := sign.GenerateKey(bytes.NewReader(bytes.Repeat([]byte{seed}, 64)))
	if err != nil {
		t.Fatal(err)
	}
	return &k
}

// ringing is a scenario of a card that rings the bell at the button moon.
const ringing = `schema: 1
title: {en: The button rings it, zh: 按键响铃}
steps:
  - {at: 1s, button: moon}
expect:
  - {fires: %s, at: 1s}
  - {sets: Private.Bell, to: true, at: 1s}
  - {ends: Private.Bell, never: true}
until: 1m
`

// parcel is what a pack is made of.
type parcel struct {
	id, version, author string
	cards               map[string]string // texts by id; nil: a card of the pack's id that rings the bell
	scenario            string
	more                string // of the source
}

// pack makes a pack; a nil key leaves it unsigned.
func (p parcel) pack(t testing.TB, key *sign.SecretKey) []byte {
	t.Helper()
	if p.cards == nil {
		p.cards = map[string]string{p.id: deckCard(p.id, p.version, "moon", "Private.Bell")}
	}
	files := fstest.MapFS{}
	var names []string
	for id, text := range p.cards {
		names = append(names, "cards/"+id+".yaml")
		files["cards/"+id+".yaml"] = &fstest.MapFile{Data: []byte(text)}
	}
	slices.Sort(names)
	source := fmt.Sprintf("schema: 1\nid: %s\nversion: %s\ntitle: {en: A pack}\nauthor: %s\nlicence: CC0-1.0\ncards: [%s]\n%s", p.id, p.version, p.author, strings.Join(names, ", "), p.more)
	if p.scenario != "" {
		source += "scenarios: [scenarios/a.yaml]\n"
		files["scenarios/a.yaml"] = &fstest.MapFile{Data: []byte(p.scenario)}
	}
	files[scenes.ManifestName] = &fstest.MapFile{Data: []byte(source)}
	data, err := scenes.MakePack("src", files, key)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// take imports or previews a pack and returns the report.
func (b *deckBench) take(member string, data []byte) map[string]dbus.Variant {
	b.t.Helper()
	var r map[string]dbus.Variant
	if err := b.call(member, data).Store(&r); err != nil {
		b.t.Fatal(err)
	}
	return r
}

// trust writes the manufacturer's trust list.
func (b *deckBench) trust(author string, key *sign.SecretKey) {
	b.t.Helper()
	list := scenes.Trust{Authors: []scenes.TrustedAuthor{{Author: author, Key: key.Public()}}}
	b.write("trusted.yaml", string(list.Text()))
	b.config.Packs.Trust = b.path("trusted.yaml")
}

// cardProperty reads a text of a card's object.
func (b *deckBench) cardProperty(card, name string) string {
	b.t.Helper()
	v, err := b.hmi.Object(uibridge.AgentName, dbus.ObjectPath(uibridge.AgentPath+"/card/"+card)).GetProperty("org.vignette.Card1." + name)
	if err != nil {
		b.t.Fatal(err)
	}
	return v.Value().(string)
}

func texts2(v dbus.Variant) string { return strings.Join(v.Value().([]string), "\n") }

// TestPackOfATrustedAuthor imports a pack: its report, its scenario, its card, which
// nobody has enabled; an update is to be enabled anew; it outlives a start, and the
// journal replays.
func TestPackOfATrustedAuthor(t *testing.T) {
	b := newDeckBench(t)
	key := packKey(t, 1)
	b.trust("mei", key)
	b.start()
	b.frame(0, 126)
	first := parcel{id: "gift", version: "1.0.0", author: "mei", scenario: fmt.Sprintf(ringing, "gift")}
	if r := b.take("PreviewPack", first.pack(t, key)); r["imported"].Value() != false || len(r["cards"].Value().([]map[string]dbus.Variant)) != 1 {
		t.Errorf("the preview is %v", r)
	}
	if files, err := os.ReadDir(b.path("state/cards")); err == nil && len(files) > 0 {
		t.Errorf("previewed, and there is %v", files)
	}
	r := b.take("ImportPack", first.pack(t, key))
	if r["imported"].Value() != true || r["trust"].Value() != "trusted" || r["author"].Value() != "mei" || texts2(r["warnings"]) != "" || texts2(r["missing"]) != "" {
		t.Errorf("the report is %v", r)
	}
	card := r["cards"].Value().([]map[string]dbus.Variant)[0]
	if text := texts2(card["text"]); !strings.Contains(text, "bell") || card["wider"].Value() != true || card["before"].Value() != "" {
		t.Errorf("the card's report is %v", card)
	}
	if s := r["scenarios"].Value().([]map[string]dbus.Variant)[0]; s["outcome"].Value() != "passed" || texts2(s["text"]) != "“The button rings it”: passed" {
		t.Errorf("the scenario: %v", s)
	}
	if b.cardProperty("gift", "Pack") != "gift@1.0.0" || b.cardProperty("gift", "Author") != "mei" || b.cardProperty("gift", "Trust") != "trusted" {
		t.Errorf("the card is of %s by %s, %s", b.cardProperty("gift", "Pack"), b.cardProperty("gift", "Author"), b.cardProperty("gift", "Trust"))
	}
	b.call("Occur", "button moon", true)
	b.decided("card", "gift", "what", "blocked", "why", "disabled")
	b.call("EnableCard", "gift", true)
	b.call("Occur", "button moon", true)
	b.decided("card", "gift", "what", "acted")
	b.stop()

	b.start()
	b.frame(0, 126)
	b.call("Occur", "button moon", true)
	b.decided("card", "gift", "what", "fired")
	second := parcel{id: "gift", version: "1.1.0", author: "mei", cards: map[string]string{"gift": strings.Replace(deckCard("gift", "1.1.0", "moon", "Private.Bell"), "lease: 1h", "lease: 30m", 1)}}
	r = b.take("ImportPack", second.pack(t, key))
	b.decided("card", "gift", "what", "ended", "why", "changed")
	card = r["cards"].Value().([]map[string]dbus.Variant)[0]
	if card["before"].Value() != "1.0.0" || card["wider"].Value() != false || !strings.Contains(texts2(card["changes"]), "30 min") {
		t.Errorf("the update's report is %v", card)
	}
	b.call("Occur", "button moon", true)
	b.decided("card", "gift", "what", "blocked", "why", "disabled")
	b.refused("PackOlder", "ImportPack", first.pack(t, key))
	b.refused("InvalidValue", "Remove", "gift")
	b.refused("OtherAuthor", "Install", deckCard("gift", "3.0.0", "moon", "Private.Bell"))
	var packs []map[string]dbus.Variant
	if err := b.call("Packs").Store(&packs); err != nil || len(packs) != 1 || packs[0]["version"].Value() != "1.1.0" || !slices.Equal(packs[0]["cards"].Value().([]string), []string{"gift"}) {
		t.Errorf("the packs are %v, %v", packs, err)
	}
	b.call("RemovePack", "gift")
	b.decided("what", "reload")
	b.refused("UnknownPack", "RemovePack", "gift")
	b.refused("UnknownCard", "EnableCard", "gift", true)
	b.refused("PackOlder", "ImportPack", first.pack(t, key)) // the ledger remembers
	b.stop()
}

// TestPackOfNobody imports packs of an unknown author and of nobody: their cards
// can be enabled only after the HMI has named the author that it has shown, and
// no more once the driver has taken that back; that is so for all users.
func TestPackOfNobody(t *testing.T) {
	for name, key := range map[string]*sign.SecretKey{"unknown": packKey(t, 2), "unsigned": nil} {
		t.Run(name, func(t *testing.T) {
			b := newDeckBench(t)
			b.start()
			b.frame(0, 126)
			r := b.take("ImportPack", parcel{id: "gift", version: "1.0.0", author: "jo"}.pack(t, key))
			if r["imported"].Value() != true || r["trust"].Value() != name || len(r["warnings"].Value().([]string)) != 1 {
				t.Errorf("the report is %v", r)
			}
			b.refused("AuthorNotAccepted", "EnableCard", "gift", true)
			b.call("Occur", "button moon", true)
			b.decided("card", "gift", "what", "blocked", "why", "disabled")
			b.call("RunCard", "gift")
			b.decided("card", "gift", "what", "blocked", "why", "disabled")
			proof := r["key"].Value().(string)
			b.refused("InvalidValue", "AcceptAuthor", "gift", "")
			b.refused("InvalidValue", "AcceptAuthor", "gift", proof[:len(proof)-1])
			b.refused("UnknownPack", "AcceptAuthor", "lamp", proof)
			b.call("AcceptAuthor", "gift", proof)
			if got := b.cardProperty("gift", "Trust"); got != "accepted" {
				t.Errorf("accepted, and it is %s", got)
			}
			for _, user := range []uint64{4, 5} {
				b.call("SetUser", user)
				b.call("EnableCard", "gift", true)
			}
			b.call("Occur", "button moon", true)
			b.decided("card", "gift", "what", "acted")
			b.stop()

			b.start()
			b.frame(0, 126)
			b.call("AcceptAuthor", "gift", proof) // again: it is so already
			b.call("Occur", "button moon", true)
			b.decided("card", "gift", "what", "fired")
			b.call("RefuseAuthor", "gift")
			b.decided("card", "gift", "what", "ended")
			for _, user := range []uint64{5, 4} {
				b.call("SetUser", user)
				b.call("Occur", "button moon", true)
				b.decided("card", "gift", "what", "blocked", "why", "disabled")
				b.refused("AuthorNotAccepted", "EnableCard", "gift", true)
			}
			b.stop()
			b.start()
			b.refused("AuthorNotAccepted", "EnableCard", "gift", true)
			if b.cardProperty("gift", "Trust") != name {
				t.Errorf("refused, and it is %s", b.cardProperty("gift", "Trust"))
			}
			b.stop()
		})
	}
}

// TestRefusedPacks holds what is not let in, by which name, and that nothing of it
// stays.
func TestRefusedPacks(t *testing.T) {
	b := newDeckBench(t)
	mei, jo := packKey(t, 1), packKey(t, 2)
	b.trust("mei", mei)
	b.start()
	good := parcel{id: "gift", version: "1.0.0", author: "mei"}.pack(t, mei)
	flipped := bytes.Clone(good)
	flipped[len(flipped)-600] ^= 1
	b.refused("BadPack", "ImportPack", flipped)
	b.refused("BadPack", "ImportPack", good[:len(good)-1])
	b.refused("BadPack", "ImportPack", []byte("schema: 1\n"))
	b.refused("BadPack", "ImportPack", []byte{})
	b.refused("Impostor", "ImportPack", parcel{id: "gift", version: "1.0.0", author: "mei"}.pack(t, jo))
	b.refused("Impostor", "ImportPack", parcel{id: "gift", version: "1.0.0", author: "me-i"}.pack(t, nil))
	b.refused("OtherAuthor", "ImportPack", parcel{id: "a", version: "1.0.0", author: "mei"}.pack(t, mei)) // came with the car
	b.take("ImportPack", good)
	b.refused("OtherAuthor", "ImportPack", parcel{id: "gift", version: "2.0.0", author: "jo"}.pack(t, jo))
	theirs := map[string]string{"gift": deckCard("gift", "1.0.0", "moon", "Private.Bell"), "x": deckCard("x", "1.0.0", "moon", "Private.Bell")}
	b.refused("OtherAuthor", "ImportPack", parcel{id: "more", version: "2.0.0", author: "jo", cards: theirs}.pack(t, jo))
	r := b.take("ImportPack", parcel{id: "more", version: "1.0.0", author: "jo", cards: map[string]string{"more": deckCard("more", "1.0.0", "sun", "Private.Horn")}}.pack(t, jo))
	if r["imported"].Value() != false || len(r["diagnostics"].Value().([]map[string]dbus.Variant)) != 2 {
		t.Errorf("of another car: %v", r)
	}
	files, err := filepath.Glob(b.path("state/cards/*"))
	if err != nil || len(files) != 2 {
		t.Errorf("there is %q, %v", files, err)
	}
	b.stop()
}

// TestPackIsCalledBack: a pack that is installed and then called back has no cards
// any more, and a pack that is dropped into the directory is followed.
func TestPackIsCalledBack(t *testing.T) {
	b := newDeckBench(t)
	mei := packKey(t, 1)
	b.trust("mei", mei)
	b.config.Packs.Revoked = b.path("revoked.yaml")
	b.write("revoked.yaml", "schema: 1\nversion: 1\n")
	b.start()
	b.frame(0, 126)
	b.write("state/cards/gift.vpack", string(parcel{id: "gift", version: "1.0.0", author: "mei"}.pack(t, mei)))
	b.call("Reload")
	b.call("EnableCard", "gift", true)
	b.call("Occur", "button moon", true)
	b.decided("card", "gift", "what", "acted")
	b.write("revoked.yaml", fmt.Sprintf("schema: 1\nversion: 2\nrevoked_packs:\n  - {id: gift, key: %s, version: 1.0.0}\n", mei.Public().Line()))
	var problems []string
	if err := b.call("Reload").Store(&problems); err != nil || len(problems) != 1 || !strings.Contains(problems[0], "gift.vpack") || !strings.Contains(problems[0], "is called back") {
		t.Errorf("%q, %v", problems, err)
	}
	b.decided("card", "gift", "what", "ended")
	b.refused("UnknownCard", "EnableCard", "gift", true)
	b.refused("PackRevoked", "ImportPack", parcel{id: "gift", version: "1.0.0", author: "mei"}.pack(t, mei))
	b.write("state/cards/gift.vpack", string(parcel{id: "gift", version: "1.0.1", author: "mei"}.pack(t, mei)))
	b.call("Reload")
	b.refused("InvalidValue", "Remove", "gift")
	b.call("Occur", "button moon", true)
	b.decided("card", "gift", "what", "blocked", "why", "disabled")
	b.write("state/cards/gift.vpack", "broken")
	if err := b.call("Reload").Store(&problems); err != nil || len(problems) != 1 || !strings.Contains(problems[0], "gift.vpack") {
		t.Errorf("%q, %v", problems, err)
	}
	b.call("Occur", "button moon", true)
	b.decided("card", "gift", "what", "blocked", "why", "disabled") // what was good goes on
	b.call("RemovePack", "gift")
	b.refused("UnknownCard", "EnableCard", "gift", true)
	b.stop()
}
