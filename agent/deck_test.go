package agent

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	uibridge "vignette/ui-bridge"
)

// TestCardsAreReloaded changes card files under a running agent: leases of cards
// that stay go on, those of changed and removed ones end by a call, a card that
// does not load keeps its last good version and is told until it is mended, and
// the journal replays.
func TestCardsAreReloaded(t *testing.T) {
	b := newDeckBench(t)
	b.start()
	b.frame(0, 126)
	b.call("Occur", "button star", true)
	b.decided("card", "a", "what", "acted")
	b.lamp("Set on")

	b.write("cards/b.yaml", deckCard("b", "1.0.0", "moon", "Private.Bell"))
	b.decided("what", "reload", "why", "cards")
	b.call("Occur", "button moon", true)
	b.decided("card", "b", "what", "acted")

	b.write("cards/b.yaml", strings.Replace(deckCard("b", "1.0.1", "moon", "Private.Bell"), "moon", "sun", 1))
	b.problems("cards/b.yaml:6:14: ")
	b.call("RunCard", "b") // the good one
	b.decided("card", "b", "what", "fired", "why", "manual")
	b.write("cards/c.yaml", deckCard("b", "2.0.0", "moon", "Private.Bell"))
	b.problems("cards/b.yaml:6:14: ", "card id `b` is already used by "+b.path("cards/b.yaml"))
	b.write("cards/c.yaml", "schema: 1\nid: c\n")
	b.write("cards/b.yaml", deckCard("b", "1.0.2", "moon", "Private.Bell"))
	b.decided("card", "b", "what", "ended", "why", "changed")
	b.problems("c.yaml", "c.yaml", "c.yaml", "c.yaml")
	b.remove("cards/c.yaml")
	b.problems()

	b.call("EnableCard", "b", false)
	b.write("cards/b.yaml", deckCard("b", "1.0.3", "moon", "Private.Bell"))
	b.decided("what", "reload", "why", "cards")
	b.call("RunCard", "b")
	b.decided("card", "b", "what", "blocked", "why", "disabled")

	b.remove("cards/a.yaml")
	b.decided("card", "a", "what", "ended", "why", "removed")
	b.lamp("Set off")
	log := b.stop()
	if n := strings.Count(log, `"what":"reload"`); n != 4 {
		t.Errorf("%d reloads, want 4 (b added, changed twice, a removed): what changes nothing is none\n%s", n, log)
	}
	if n := strings.Count(log, `"card":"a","what":"ended"`); n != 1 {
		t.Errorf("the lease of a ended %d times\n%s", n, log)
	}
	if n := strings.Count(b.said.String(), "c.yaml"); n != 5 { // the twin, and four faults
		t.Errorf("problems are told %d times, once each is wanted:\n%s", n, b.said.String())
	}
}

// TestStartWithBrokenCards: a card that does not load is left out at the start, told,
// and taken when it is mended; on a desk an agent without any card does not start.
func TestStartWithBrokenCards(t *testing.T) {
	b := newDeckBench(t)
	b.write("cards/b.yaml", "id: [")
	b.write("cards/a2.yaml", deckCard("a", "3.0.0", "moon", "Private.Lamp"))
	b.start()
	b.problems("cards/a2.yaml:2:5: card id `a` is already used by "+b.path("cards/a.yaml"), "cards/b.yaml:1:")
	b.call("Occur", "button star", true)
	b.decided("card", "a", "what", "acted")
	b.write("cards/b.yaml", deckCard("b", "1.0.0", "moon", "Private.Bell"))
	b.decided("what", "reload", "why", "cards")
	b.remove("cards/a2.yaml")
	b.problems()
	b.stop()
	b.remove("cards/a.yaml")
	b.write("cards/b.yaml", "id: [")
	if err := Run(t.Context(), b.config, quiet()); err == nil || !strings.Contains(err.Error(), "cards/b.yaml:1:") {
		t.Errorf("without any card: %v", err)
	}
}

// TestCarWithBrokenCards: a car starts without any card that loads, since leases may
// have to be ended, and takes cards once they are mended. Nor does it mind what an
// installation has left that cannot be removed.
func TestCarWithBrokenCards(t *testing.T) {
	b := newDeckBench(t)
	profile := pinned(deckVehicle)
	b.write("car/vehicle.yaml", profile)
	b.signs()(profile)
	b.write("cards/a.yaml", "id: [")
	b.write("state/cards/b.yaml.new/stuck", "half a card")
	b.start()
	b.problems("cards/a.yaml:1:")
	if said := b.said.String(); !strings.Contains(said, "half written cannot be removed") {
		t.Errorf("nobody is told of what is left half written: %s", said)
	}
	b.write("cards/a.yaml", deckCard("a", "1.0.0", "star", "Private.Lamp"))
	b.problems()
	b.call("Occur", "button star", true)
	b.lamp("Set on")
	b.stop()
	if _, err := os.Stat(b.path("state/cards/b.yaml.new/stuck")); err != nil {
		t.Error(err)
	}
}

// TestTooManyCards: an agent starts with as many cards as can run, tells of those that
// are left out, and installs no further one.
func TestTooManyCards(t *testing.T) {
	b := newDeckBench(t)
	for i := range uibridge.MaxCards {
		id := fmt.Sprintf("b%03d", i)
		b.write("cards/"+id+".yaml", deckCard(id, "1.0.0", "moon", "Private.Bell"))
	}
	b.start()
	b.problems("cards/b511.yaml: there are 513 cards, at most 512 run; take some out")
	r := b.install(deckCard("gift", "1.0.0", "moon", "Private.Bell"))
	if rows := r["diagnostics"].Value().([]map[string]dbus.Variant); r["installed"].Value() != false || len(rows) != 1 || rows[0]["text"].Value() != "with the card there would be 513 cards, at most 512; remove some" {
		t.Errorf("the report is %v", r)
	}
	if files, err := filepath.Glob(b.path("state/cards/*")); err != nil || len(files) != 0 {
		t.Errorf("%q, %v are installed", files, err)
	}
	b.end()
}

// TestCarWithCardsOverBudget: a car whose cards do not fit together any more starts
// with the first of them, tells why, and takes all once they fit.
func TestCarWithCardsOverBudget(t *testing.T) {
	b := newDeckBench(t)
	for _, id := range []string{"b", "c", "d"} {
		b.write("cards/"+id+".yaml", deckCard(id, "1.0.0", "moon", "Private.Bell"))
	}
	p, err := Load(b.config)
	if err != nil {
		t.Fatal(err)
	}
	_, all := p.Costs()
	profile := pinned(deckVehicle + fmt.Sprintf("budget: {state_bytes: %d}\n", all.StateBytes-1))
	b.write("car/vehicle.yaml", profile)
	b.signs()(profile)
	b.start()
	b.problemsLike("the 4 cards together ")
	if n := strings.Count(b.said.String(), "the 4 cards together "); n != 1 {
		t.Errorf("that they do not fit is told %d times", n)
	}
	b.call("Occur", "button star", true)
	b.lamp("Set on")
	b.remove("cards/d.yaml")
	b.problems()
	b.call("RunCard", "c")
	b.stop()
}

// TestPipesAmongFiles: pipes under names of files that the agent reads hold it up
// neither at the start, nor while it runs, nor at its end.
func TestPipesAmongFiles(t *testing.T) {
	b := newDeckBench(t)
	b.write("state/cards/gift.yaml", deckCard("gift", "1.0.0", "moon", "Private.Bell"))
	pipe := func(names ...string) {
		for _, name := range names {
			if err := syscall.Mkfifo(b.path(name), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	pipe("cards/b.yaml", "state/places.0", "state/habits.0", "state/state.0", "state/trust.yaml", "state/accepted", "state/profiles", "state/cards/packs.ledger", "state/cards/p.vpack")
	b.start()
	b.problemsLike("cards/b.yaml:1:1: ")
	b.problemsLike("state/cards/p.vpack")
	pipe("cards/c.yaml")
	b.call("Reload")
	b.problemsLike("cards/c.yaml:1:1: ")
	b.call("Occur", "button star", true)
	b.lamp("Set on")
	b.end()
}

// TestRainOfChanges rewrites a card all the time: it is looked at all the same.
func TestRainOfChanges(t *testing.T) {
	b := newDeckBench(t)
	b.start()
	stop, rained := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(rained)
		every := time.NewTicker(quietTime / 5)
		defer every.Stop()
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			case <-every.C:
				text := deckCard("a", fmt.Sprintf("1.0.%d", i), "star", "Private.Bell")
				if err := os.WriteFile(b.path("cards/a.yaml"), []byte(text), 0o644); err != nil {
					t.Error(err)
				}
			}
		}
	}()
	b.decided("what", "reload", "why", "cards")
	b.decided("what", "reload", "why", "cards")
	close(stop)
	<-rained
	b.stop()
}

// TestDirectoryIsSwapped replaces the directory of cards by renames, and by the
// swap of a symbolic link, as packagers do: a watch of a file would be lost.
func TestDirectoryIsSwapped(t *testing.T) {
	b := newDeckBench(t)
	b.write("one/cards/a.yaml", deckCard("a", "1.0.0", "star", "Private.Bell"))
	b.write("two/cards/a.yaml", deckCard("a", "2.0.0", "star", "Private.Bell"))
	link := func(to string) {
		if err := os.Symlink(to, b.path("new")); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(b.path("new"), b.path("now")); err != nil {
			t.Fatal(err)
		}
	}
	link("one")
	b.config.Cards = []string{b.path("now/cards")}
	b.start()
	link("two")
	b.decided("what", "reload", "why", "cards")
	link("one")
	b.decided("what", "reload", "why", "cards")
	for _, pair := range [][2]string{{"one/cards", "one/old"}, {"two/cards", "one/cards"}} {
		if err := os.Rename(b.path(pair[0]), b.path(pair[1])); err != nil {
			t.Fatal(err)
		}
	}
	b.decided("what", "reload", "why", "cards")
	b.write("one/cards/a.yaml", deckCard("a", "3.0.0", "star", "Private.Bell"))
	b.decided("what", "reload", "why", "cards")
	b.stop()
}
