package agent

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/godbus/dbus/v5"

	"vignette/scenes"
	uibridge "vignette/ui-bridge"
)

// TestKilledImport kills the agent at every point of importing a pack, and of
// importing an update of one that is enabled: after the next start the pack is the
// old one, enabled, or the new one as a whole, which nobody has enabled, and nothing
// is left over. The journals replay.
func TestKilledImport(t *testing.T) {
	key := packKey(t, 1)
	two := func(version string) []byte {
		return parcel{id: "pair", version: version, author: "mei", cards: map[string]string{
			"gift": deckCard("gift", version, "moon", "Private.Bell"), "other": deckCard("other", version, "star", "Private.Bell")}}.pack(t, key)
	}
	for _, point := range []string{"begin", "staged", "renamed", "synced", "noted", "begin/2", "staged/2", "renamed/2", "synced/2"} {
		t.Run(point, func(t *testing.T) {
			b := newDeckBench(t)
			b.trust("mei", key)
			b.start()
			b.stop()
			there := point == "renamed/2" || point == "synced/2"
			b.killed(point, "ImportPack", two("1.0.0"))
			b.start()
			b.hasPair(map[bool]string{true: "1.0.0"}[there])
			b.take("ImportPack", two("1.0.0"))
			b.call("EnableCard", "gift", true)
			b.stop()
			b.killed(point, "ImportPack", two("2.0.0"))
			b.start()
			b.hasPair(map[bool]string{true: "2.0.0", false: "1.0.0"}[there])
			b.call("Occur", "button moon", true)
			if there {
				b.decided("card", "gift", "what", "blocked", "why", "disabled")
			} else {
				b.decided("card", "gift", "what", "fired")
			}
			b.stop()
			if left, err := filepath.Glob(b.path("state/cards/*.new")); err != nil || left != nil {
				t.Errorf("left over: %q, %v", left, err)
			}
		})
	}
}

// hasPair checks that the pack of two cards is there whole, in one version; empty: it
// is not there at all.
func (b *deckBench) hasPair(version string) {
	b.t.Helper()
	var packs []map[string]dbus.Variant
	if err := b.call("Packs").Store(&packs); err != nil {
		b.t.Fatal(err)
	}
	if version == "" {
		if len(packs) > 0 {
			b.t.Errorf("there is %v", packs)
		}
		b.refused("UnknownCard", "FreeCard", "gift")
		return
	}
	if len(packs) != 1 || packs[0]["version"].Value() != version || b.cardProperty("gift", "Version") != version || b.cardProperty("other", "Version") != version {
		b.t.Errorf("there is %v with the cards %s and %s, want %s", packs, b.cardProperty("gift", "Version"), b.cardProperty("other", "Version"), version)
	}
}

// TestImportThatCannotBeWritten: where the pack cannot be written (its name is taken by a
// directory, as no rename can replace), the old state goes on and nothing is left.
func TestImportThatCannotBeWritten(t *testing.T) {
	b := newDeckBench(t)
	key := packKey(t, 1)
	b.trust("mei", key)
	b.start()
	b.frame(0, 126)
	if err := os.MkdirAll(b.path("state/cards/gift.vpack/full"), 0o755); err != nil {
		t.Fatal(err)
	}
	data := parcel{id: "gift", version: "1.0.0", author: "mei"}.pack(t, key)
	b.refused("Failed", "ImportPack", data)
	b.refused("UnknownCard", "EnableCard", "gift", true)
	if err := os.RemoveAll(b.path("state/cards/gift.vpack")); err != nil {
		t.Fatal(err)
	}
	if r := b.take("ImportPack", data); r["imported"].Value() != true {
		t.Errorf("with room again: %v", r)
	}
	b.stop()
}

// TestHostilePacks sends what nobody should: cut, flipped and random bytes, and
// well-signed packs of hostile cards and endless scenarios. Each has an answer in
// time, and the agent goes on deciding.
func TestHostilePacks(t *testing.T) {
	b := newDeckBench(t)
	key := packKey(t, 3)
	b.start()
	b.frame(0, 126)
	good := parcel{id: "gift", version: "1.0.0", author: "eve"}.pack(t, key)
	random := rand.New(rand.NewPCG(1, 2))
	for range 40 {
		bad := bytes.Clone(good)
		switch random.IntN(3) {
		case 0:
			bad = bad[:random.IntN(len(bad))]
		case 1:
			bad[random.IntN(len(bad))] ^= 1 << random.IntN(8)
		default:
			for i := range bad {
				bad[i] = byte(random.IntN(256))
			}
			bad[0] = byte(random.IntN(3))
		}
		b.refused("BadPack", "ImportPack", bad)
	}
	// Two cards that chase each other, in a scenario of a day.
	chase := func(id, from, to string) string {
		return "schema: 1\nid: " + id + "\nversion: 1.0.0\ntitle: {en: " + id + "}\nwhen:\n  - {button: moon}\n  - {signal: Vehicle.Speed, changes: true}\nthen:\n" +
			strings.Repeat("  - {set: Private.Bell, to: "+from+", lease: 1ms}\n  - {set: Private.Lamp, to: "+to+", lease: 1ms}\n", 200) + "reentry: restart\n"
	}
	day := "schema: 1\ntitle: {en: A day}\ngiven: [{signal: Vehicle.Speed, is: 1, unit: km/h}]\nsteps:\n"
	for i := range 800 {
		day += fmt.Sprintf("  - {at: %ds, button: moon}\n", i)
	}
	day += "expect: [{fires: a1, never: true}]\nuntil: 24h\n"
	r := b.take("ImportPack", parcel{id: "chase", version: "1.0.0", author: "eve", cards: map[string]string{"a1": chase("a1", "true", "false"), "a2": chase("a2", "false", "true")}, scenario: day}.pack(t, key))
	if s := r["scenarios"].Value().([]map[string]dbus.Variant)[0]; s["outcome"].Value() != "failed" {
		t.Errorf("the scenario: %v", s)
	}
	b.call("Occur", "button star", true)
	b.decided("card", "a", "what", "fired")
	b.stop()
}

// TestFloodOfImports has many programs import at once: each call is answered, by a
// report or by Busy, and what is decided meanwhile is decided.
func TestFloodOfImports(t *testing.T) {
	b := newDeckBench(t)
	key := packKey(t, 1)
	b.trust("mei", key)
	b.start()
	b.frame(0, 126)
	data := parcel{id: "gift", version: "1.0.0", author: "mei", scenario: fmt.Sprintf(ringing, "gift")}.pack(t, key)
	var all sync.WaitGroup
	var took, busy, failed atomic.Int64
	for range 8 {
		conn, err := dbus.Connect(b.config.Bus)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		for range 12 {
			all.Add(1)
			conn.Object(uibridge.AgentName, uibridge.AgentPath).Go(uibridge.AgentInterface+".ImportPack", 0, answered(func(err error) {
				var e dbus.Error
				switch {
				case err == nil:
					took.Add(1)
				case errors.As(err, &e) && e.Name == "org.vignette.Error.Busy":
					busy.Add(1)
				default:
					failed.Add(1)
				}
				all.Done()
			}), data)
		}
	}
	b.call("Occur", "button star", true)
	b.decided("card", "a", "what", "fired")
	all.Wait()
	if took.Load() == 0 || failed.Load() > 0 || took.Load()+busy.Load() != 8*12 {
		t.Errorf("%d taken, %d busy, %d failed", took.Load(), busy.Load(), failed.Load())
	}
	b.call("EnableCard", "gift", true)
	b.stop()
}

// answered is a channel that has a call's error told.
func answered(tell func(error)) chan *dbus.Call {
	done := make(chan *dbus.Call, 1)
	go func() { tell((<-done).Err) }()
	return done
}

// TestPacksOfANewerVersion is a car that is rolled back: what a newer version of the
// agent has written of packs is told, and nothing writes over it, whatever the HMI
// asks; what it means without those files goes on.
func TestPacksOfANewerVersion(t *testing.T) {
	b := newDeckBench(t)
	mei := packKey(t, 1)
	first := parcel{id: "bell", version: "1.0.0", author: "mei"}.pack(t, mei)
	other := parcel{id: "ding", version: "1.0.0", author: "mei", cards: map[string]string{"ding": deckCard("ding", "1.0.0", "star", "Private.Bell")}}.pack(t, mei)
	b.start()
	b.take("ImportPack", first)
	b.call("AcceptAuthor", "bell", mei.Public().Line())
	b.end()
	for _, c := range []struct {
		file, from, to, told string
		refused              func()
	}{
		{"state/cards/" + scenes.LedgerName, "schema: 1", "schema: 2", "schema", func() { b.refused("NotSupported", "ImportPack", other) }},
		{"state/" + ownTrustName, "schema: 1", "schema: 2", "schema", func() {
			b.refused("NotSupported", "AcceptAuthor", "bell", mei.Public().Line())
			b.refused("NotSupported", "RefuseAuthor", "bell")
		}},
		{"state/cards/" + scenes.PackFileName("bell"), "vignette pack 1\n", "vignette pack 2\n", "bell", func() { b.refused("NotSupported", "ImportPack", first) }},
	} {
		was, err := os.ReadFile(b.path(c.file))
		if err != nil {
			t.Fatal(err)
		}
		newer := strings.Replace(string(was), c.from, c.to, 1)
		if newer == string(was) {
			t.Fatalf("%s has no %q: %s", c.file, c.from, was)
		}
		b.write(c.file, newer)
		b.start()
		b.problemsLike(c.told)
		c.refused()
		b.end()
		if now, err := os.ReadFile(b.path(c.file)); err != nil || string(now) != newer {
			t.Errorf("%s: %v, it was written over: %s", c.file, err, now)
		}
		b.write(c.file, string(was))
	}
	b.start() // the newer version is back
	b.problems()
	b.call("EnableCard", "bell", true)
	b.end()
}
