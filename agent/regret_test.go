package agent

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"vignette/can/socketcan"
	"vignette/scenes"
	uibridge "vignette/ui-bridge"
	"vignette/ui-bridge/trace"
)

// watchedCards is a study that watches these cards, from yesterday on, whose
// dictionary has every way in which they can end.
func watchedCards(cards ...string) string {
	var b strings.Builder
	day := func(days int) string { return time.Now().AddDate(0, 0, days).Format(time.DateOnly) }
	fmt.Fprintf(&b, "schema: 1\nid: regret\nversion: 1\ntitle: {en: A, zh: 甲}\nquestion: {en: A, zh: 甲}\npurpose: {en: A, zh: 甲}\n"+
		"from: %s\nuntil: %s\nmode: fleet\nk: 5\ncards:\n", day(-1), day(100))
	for i, card := range cards {
		fmt.Fprintf(&b, "  - {id: %d, card: %s, title: {en: %s, zh: 甲}}\n", i+1, card, card)
	}
	b.WriteString("dictionary:\n")
	id := 0
	for _, card := range cards {
		id++
		fmt.Fprintf(&b, "  - {id: %d, task: %s, vehicles: 5, events: [other/other fired ok first parked]}\n", id, card)
		for _, gap := range scenes.Gaps[1:] {
			id++
			fmt.Fprintf(&b, "  - {id: %d, task: %s, vehicles: 5, events: [other/other fired ok first parked, other/other undone ok %s parked]}\n", id, card, gap)
		}
	}
	return b.String()
}

// traces waits until the present driver has so many traces, and shows what is in
// the spool in the words of vignette traces show.
func (b *deckBench) traces(want int) string {
	b.t.Helper()
	var list []map[string]dbus.Variant
	for end := time.Now().Add(patience); len(list) != want; {
		if err := b.agent.Call(uibridge.TraceInterface+".Traces", 0).Store(&list); err != nil {
			b.t.Fatal(err)
		}
		if time.Now().After(end) {
			b.t.Fatalf("there are %d traces, want %d", len(list), want)
		}
	}
	study, err := scenes.LoadStudy(b.path("study.yaml"))
	if err != nil {
		b.t.Fatal(err)
	}
	var text bytes.Buffer
	if _, err := trace.Show(&text, filepath.Join(b.config.Traces, "spool"), trace.ShowOptions{Study: study}); err != nil {
		b.t.Fatal(err)
	}
	return text.String()
}

// later sends a frame with the time of so much later, and waits until the loop
// has it: the stream's time goes on before anything that is told after.
func (b *deckBench) later(d time.Duration, gear byte) {
	b.t.Helper()
	item := socketcan.Item{Kind: socketcan.Received}
	item.Frame.ID, item.Frame.Len, item.Frame.Time = 1, 8, socketcan.Now()+d.Nanoseconds()
	item.Frame.Data[2] = gear
	b.fake.batch <- []socketcan.Item{item}
	for end := time.Now().Add(patience); len(b.fake.batch) > 0; {
		if err := b.agent.Call("org.freedesktop.DBus.Peer.Ping", 0).Err; err != nil {
			b.t.Fatal(err)
		}
		if time.Now().After(end) {
			b.t.Fatal("the loop takes no frames")
		}
	}
}

// consentTo has a driver say yes to a study, once the car is known to be parked.
func (b *deckBench) consentTo(study string) {
	b.t.Helper()
	b.call("SetUser", uint64(7))
	var fault dbus.Error
	for end := time.Now().Add(patience); ; {
		err := b.agent.Call(uibridge.TraceInterface+".GiveConsent", 0, study).Err
		if err == nil {
			return
		}
		if !errors.As(err, &fault) || fault.Name != "org.vignette.Error.NotParked" || time.Now().After(end) {
			b.t.Fatal(err)
		}
	}
}

// TestRegret is the whole way: a driver consents, cards act, the driver takes one
// back by hand at once, one by disabling it, and one after more than a minute; the
// spool says of each what was done, and of no more.
func TestRegret(t *testing.T) {
	b := newDeckBench(t)
	b.write("cards/b.yaml", deckCard("b", "1.0.0", "moon", "Private.Bell"))
	b.write("cards/c.yaml", strings.Replace(deckCard("c", "1.0.0", "moon", "Private.Lamp"), "button: moon", "signal: Vehicle.Speed, rises_above: 0.2, unit: km/h", 1))
	b.write("study.yaml", watchedCards("a", "b", "c"))
	b.config.Traces = b.path("traces")
	b.config.Studies.Cards = []string{b.path("study.yaml")}
	b.start()
	b.frame(0, 126)

	b.call("Occur", "button star", true) // nobody has consented yet
	b.decided("card", "a", "what", "acted")
	b.call("Override", "Private.Lamp", dbus.MakeVariant(false))
	b.decided("what", "override")
	b.consentTo("regret")
	if _, err := os.Stat(filepath.Join(b.config.Traces, "spool")); !os.IsNotExist(err) {
		t.Fatalf("without consent there is a spool: %v", err)
	}

	b.later(2*time.Minute, 126) // the hand's holdoff is over
	b.call("Occur", "button star", true)
	b.decided("card", "a", "what", "acted")
	b.call("Override", "Private.Lamp", dbus.MakeVariant(false))
	b.decided("what", "override")
	b.call("Occur", "button moon", true)
	b.decided("card", "b", "what", "acted", "action", "set")
	b.call("EnableCard", "b", false)
	text := b.traces(2)
	for _, want := range []string{"task a, ", "task b, "} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if n := strings.Count(text, "1. other/other fired -> ok, gap first, speed parked\n    2. other/other undone -> ok, gap <"); n != 2 {
		t.Errorf("%d undone, want 2:\n%s", n, text)
	}

	b.later(4*time.Minute, 126)
	b.frame(0, 126) // c is armed
	b.frame(0.4, 126)
	b.decided("card", "c", "what", "acted", "action", "set")
	b.later(4*time.Minute+61*time.Second, 126)
	b.call("Override", "Private.Lamp", dbus.MakeVariant(false))
	b.decided("what", "override")
	text = b.traces(3)
	_, of, _ := strings.Cut(text, "task c, ")
	of, _, _ = strings.Cut(of, "episode")
	if !strings.Contains(of, "1. other/other fired -> ok") || strings.Contains(of, "undone") {
		t.Errorf("after more than a minute:\n%s", of)
	}
	b.stop()
}
