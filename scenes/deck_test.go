package scenes

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// deckBench is a deck over a directory, and one of installed cards, that change.
type deckBench struct {
	t    *testing.T
	dir  string
	v    *Vehicle
	deck *Deck
	read int
}

func newDeckBench(t *testing.T) *deckBench {
	v, err := LoadVehicle("../testdata/meaning/vehicle.yaml")
	if err != nil {
		t.Fatal(err)
	}
	b := &deckBench{t: t, dir: t.TempDir(), v: v}
	for _, dir := range []string{"cards", "installed"} {
		if err := os.Mkdir(filepath.Join(b.dir, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	b.deck = NewDeck([]string{filepath.Join(b.dir, "cards")}, filepath.Join(b.dir, "installed"))
	b.deck.Read = func(*Card, []byte) { b.read++ }
	return b
}

// card is a good card, or one that names what the vehicle does not have.
func markCard(id, version, action string) string {
	return "schema: 1\nid: " + id + "\nversion: " + version + "\ntitle: {en: Card}\nwhen: [{button: star}]\nthen: [{do: " + action + "}]\n"
}

func (b *deckBench) write(name, text string) {
	b.t.Helper()
	path := filepath.Join(b.dir, name)
	var err error
	if text == "" {
		err = os.Remove(path)
	} else {
		err = os.WriteFile(path, []byte(text), 0o600)
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

// TestDeckKeepsWhatWasGood changes files one after another: after each the deck has
// these cards, as id@version, and says this.
func TestDeckKeepsWhatWasGood(t *testing.T) {
	b := newDeckBench(t)
	for i, c := range []struct {
		file, text string // empty: removed
		cards      string
		faults     []string
	}{
		{"cards/a.yaml", markCard("a", "1.0.0", "mark"), "a@1.0.0", nil},
		{"cards/b.yaml", markCard("b", "1.0.0", "mark"), "a@1.0.0 b@1.0.0", nil},
		{"cards/a.yaml", "id: [", "a@1.0.0 b@1.0.0", []string{"cards/a.yaml:1:"}},
		{"cards/b.yaml", markCard("b", "1.1.0", "nosuch"), "a@1.0.0 b@1.0.0", []string{"cards/a.yaml:1:", "cards/b.yaml:6:"}},
		{"cards/b.yaml", markCard("b", "1.2.0", "mark"), "a@1.0.0 b@1.2.0", []string{"cards/a.yaml:1:"}},
		{"cards/a.yaml", markCard("b", "2.0.0", "mark"), "a@1.0.0 b@1.2.0", []string{"cards/a.yaml:2:5: card id `b` is already used by "}}, // b runs from b.yaml
		{"cards/a.yaml", markCard("a", "2.0.0", "mark"), "a@2.0.0 b@1.2.0", nil},
		{"cards/c.yaml", markCard("c", "1.0.0", "nosuch"), "a@2.0.0 b@1.2.0", []string{"cards/c.yaml:6:"}}, // it never was good
		{"cards/c.yaml", "", "a@2.0.0 b@1.2.0", nil},
		{"installed/a.yaml", markCard("a", "9.0.0", "mark"), "a@2.0.0 b@1.2.0", []string{"installed/a.yaml:2:5: card id `a` is already used by "}},
		{"installed/a.yaml", markCard("x", "1.0.0", "mark"), "a@2.0.0 b@1.2.0 x@1.0.0!", nil},
		{"cards/x.yaml", markCard("x", "1.0.0", "mark"), "a@2.0.0 b@1.2.0 x@1.0.0", []string{"installed/a.yaml:2:5: card id `x` is already used by "}}, // the car's own goes first
		{"cards/x.yaml", "", "a@2.0.0 b@1.2.0 x@1.0.0!", nil},
		{"cards/big.yaml", markCard("big", "1.0.0", "mark") + strings.Repeat("#", 65<<10), "a@2.0.0 b@1.2.0 x@1.0.0!", []string{"cards/big.yaml: is longer than 64 KiB"}},
		{"cards/big.yaml", "", "a@2.0.0 b@1.2.0 x@1.0.0!", nil},
		{"cards/b.yaml", "", "a@2.0.0 x@1.0.0!", nil},
		{"cards/a.yaml", "", "x@1.0.0!", []string{"cards: directory has no cards"}},
		{"installed/a.yaml", "", "", []string{"cards: directory has no cards"}},
	} {
		b.write(c.file, c.text)
		b.deck.Scan()
		for range 2 { // compiling again changes nothing
			p, faults := b.deck.Compile(b.v)
			if p == nil {
				t.Fatalf("step %d: no program: %v", i, faults)
			}
			var cards []string
			for _, c := range p.Cards {
				cards = append(cards, fmt.Sprintf("%s@%s%s", c.ID, c.Version, map[bool]string{true: "!"}[c.Off]))
			}
			if got := strings.Join(cards, " "); got != c.cards {
				t.Errorf("step %d: the cards are %q, want %q", i, got, c.cards)
			}
			if !slices.EqualFunc(faults, c.faults, func(d Diagnostic, want string) bool {
				return strings.HasPrefix(strings.TrimPrefix(d.String(), b.dir+"/"), want)
			}) {
				t.Errorf("step %d: %v, want %q", i, faults, c.faults)
			}
			b.deck.Took(p)
		}
	}
	if before := b.read; before != 10 {
		t.Errorf("%d cards were read, want each content once: 10", before)
	}
}

// TestDeckTogether: cards that fit each but not together change nothing, and are
// told.
func TestDeckTogether(t *testing.T) {
	b := newDeckBench(t)
	b.write("cards/a.yaml", markCard("a", "1.0.0", "mark"))
	b.deck.Scan()
	p, _ := b.deck.Compile(b.v)
	b.deck.Took(p)
	_, total := p.Costs()
	b.v.Budget.StateBytes = total.StateBytes
	b.write("cards/b.yaml", markCard("b", "1.0.0", "mark"))
	b.deck.Scan()
	if p, faults := b.deck.Compile(b.v); p != nil || len(faults) != 1 || !strings.Contains(faults[0].What, "the 2 cards together") {
		t.Errorf("%v, %v", p, faults)
	}
}

// TestDeckOfDirectoryThatCannotBeRead keeps its cards; one that is gone has none.
func TestDeckOfDirectoryThatCannotBeRead(t *testing.T) {
	b := newDeckBench(t)
	b.write("cards/a.yaml", markCard("a", "1.0.0", "mark"))
	b.deck.Scan()
	p, _ := b.deck.Compile(b.v)
	b.deck.Took(p)
	cards := filepath.Join(b.dir, "cards")
	if err := os.Rename(cards, cards+"-old"); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(cards, cards); err != nil { // a loop
		t.Fatal(err)
	}
	b.deck.Scan()
	if p, faults := b.deck.Compile(b.v); len(p.Cards) != 1 || len(faults) == 0 {
		t.Errorf("%d cards, %v", len(p.Cards), faults)
	}
	if err := os.Remove(cards); err != nil {
		t.Fatal(err)
	}
	b.deck.Scan()
	if p, faults := b.deck.Compile(b.v); len(p.Cards) != 0 || len(faults) == 0 {
		t.Errorf("%d cards, %v", len(p.Cards), faults)
	}
}

// TestDeckOfTooManyCards: beyond the bound cards that do not run yet are left out,
// the last first and installed ones before the car's, and each is told of; what runs
// goes on, and has its new version.
func TestDeckOfTooManyCards(t *testing.T) {
	b := newDeckBench(t)
	b.deck.Most = 3
	for i, step := range []struct {
		files []string // and their cards' versions
		cards string
		left  string // out
	}{
		{[]string{"cards/b 1.0.0", "cards/d 1.0.0", "installed/a 1.0.0", "installed/c 1.0.0"}, "a@1.0.0 b@1.0.0 d@1.0.0", "installed/c.yaml"},
		{[]string{"cards/a2 1.0.0", "cards/d 1.1.0"}, "a@1.0.0 b@1.0.0 d@1.1.0", "cards/a2.yaml installed/c.yaml"},
		{[]string{"installed/a"}, "a2@1.0.0 b@1.0.0 d@1.1.0", "installed/c.yaml"},
		{[]string{"installed/c"}, "a2@1.0.0 b@1.0.0 d@1.1.0", ""},
	} {
		for _, file := range step.files {
			name, version, keep := strings.Cut(file, " ")
			text := ""
			if keep {
				text = markCard(filepath.Base(name), version, "mark")
			}
			b.write(name+".yaml", text)
		}
		b.deck.Scan()
		p, faults := b.deck.Compile(b.v)
		var cards, left []string
		for _, c := range p.Cards {
			cards = append(cards, c.ID+"@"+c.Version)
		}
		for _, f := range faults {
			left = append(left, strings.TrimPrefix(f.File, b.dir+"/"))
			if !strings.Contains(f.What, "at most 3 run; take some out") {
				t.Errorf("step %d: %v", i, f)
			}
		}
		if got := strings.Join(cards, " "); got != step.cards || strings.Join(left, " ") != step.left {
			t.Errorf("step %d: %q run and %q are left out, want %q and %q", i, got, left, step.cards, step.left)
		}
		b.deck.Took(p)
	}
}
