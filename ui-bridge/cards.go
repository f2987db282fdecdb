package uibridge

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"vignette/scenes/engine"

	"github.com/godbus/dbus/v5"
)

// MaxCards bounds the cards that can be shown.
const MaxCards = 512

// maxWatchedCards bounds the cards of which one watcher sees each clause.
const maxWatchedCards = 16

// Card is what is fixed of a card while it is loaded.
type Card struct {
	ID      string
	Version string
	Title   map[string]string // by BCP-47 tag
	Origin  string            // car: it came with the configuration; installed
	Manual  bool              // the driver may run it by hand
	Pack    string            // id@version of the pack that it came in; empty: none, and then so are …
	Author  string            // its author's handle
	Trust   string            // and what is known of him: trusted, accepted, unknown, lapsed or unsigned
}

// CardNow is what a card is doing at a moment of the stream.
type CardNow struct {
	engine.CardView
	At      int64 // ns of the stream at which all of this was so
	Enabled bool
	Leases  []engine.HeldLease
	Firings []Firing                     // the latest ones, oldest first
	Counts  [engine.KindsOfRecord]uint64 // of the card's records since the session began, by engine.What
}

// Firing is one `fired` record.
type Firing struct {
	T   int64 // ns
	N   uint64
	Why string
}

// ClauseNow is how one clause of a card stands.
type ClauseNow struct {
	Name  string // as its place in the card
	Truth engine.Truth
	Until int64 // ns, deadline of its running hold; 0: none
}

// shownCard is a card as the bridge shows it.
type shownCard struct {
	Card
	path    dbus.ObjectPath
	now     CardNow
	clauses []ClauseNow // nil: nobody watched them since they were shown last
}

// aspect is a set of properties that change together.
type aspect uint8

const (
	fixed aspect = 1 << iota // Version, Title, Origin, Manual, Pack, Author, Trust
	status
	leases
	counts

	allAspects = fixed | status | leases | counts
)

// news is what one watcher has not been told of a card yet. Both removed and
// added: it has become another card.
type news struct {
	removed, added bool
	changed        aspect
	clauses        bool
}

// SetCards says which cards there are from now on, by ascending id; ShowCard and
// ShowClauses name them by their index. What was shown of a card with the same id
// stays until it is shown anew. It returns an error that wraps ErrLimit if there
// are more than can be shown; nothing has changed then.
func (br *Bridge) SetCards(cards []Card) error {
	if len(cards) > MaxCards {
		return fmt.Errorf("%w: %d cards, at most %d can be shown", ErrLimit, len(cards), MaxCards)
	}
	w := br.watch
	w.mu.Lock()
	defer w.mu.Unlock()
	old := w.cards
	w.cards = make([]*shownCard, len(cards))
	for i := range cards {
		c := &shownCard{Card: cards[i], path: cardPath(cards[i].ID)}
		w.cards[i] = c
		was := findCard(old, c.ID)
		switch {
		case was == nil:
			w.tell(c.ID, news{added: true})
		case !was.same(&c.Card):
			w.tell(c.ID, news{changed: fixed})
		}
		if was != nil {
			c.now, c.clauses = was.now, was.clauses
		}
	}
	for _, c := range old {
		if findCard(w.cards, c.ID) == nil {
			w.tell(c.ID, news{removed: true})
		}
	}
	w.poke()
	return nil
}

// same reports whether nothing fixed of a card differs.
func (c *Card) same(d *Card) bool {
	return c.Version == d.Version && c.Origin == d.Origin && c.Manual == d.Manual && c.Pack == d.Pack && c.Author == d.Author && c.Trust == d.Trust &&
		maps.Equal(c.Title, d.Title)
}

// findCard finds a card by id; nil: there is none.
func findCard(cards []*shownCard, id string) *shownCard {
	i, ok := slices.BinarySearchFunc(cards, id, func(c *shownCard, id string) int {
		switch {
		case c.ID < id:
			return -1
		case c.ID > id:
			return 1
		}
		return 0
	})
	if !ok {
		return nil
	}
	return cards[i]
}

// tell notes news of a card for every watcher; mu is held.
func (w *watchers) tell(id string, n news) {
	for _, one := range w.all {
		had := one.news[id]
		switch {
		case n.removed && had.added && !had.removed:
			delete(one.news, id) // it came and went untold
			continue
		case n.removed:
			had = news{removed: true}
			delete(one.clauses, id)
		}
		had.added = had.added || n.added
		had.changed |= n.changed
		one.news[id] = had
	}
}

// ShowCard tells what a card is doing. It keeps a copy, does not block on the
// bus, and tells watchers only what has changed.
func (br *Bridge) ShowCard(i int, now *CardNow) {
	w := br.watch
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.cards[i]
	var changed aspect
	if c.now.CardView != now.CardView || c.now.Enabled != now.Enabled {
		changed |= status
	}
	if !slices.Equal(c.now.Leases, now.Leases) {
		changed |= leases
	}
	if c.now.Counts != now.Counts {
		changed |= counts
	}
	if changed == 0 {
		c.now.At = now.At
		return
	}
	list, firings := append(c.now.Leases[:0], now.Leases...), append(c.now.Firings[:0], now.Firings...)
	c.now = *now
	c.now.Leases, c.now.Firings = list, firings
	w.tell(c.ID, news{changed: changed})
	w.poke()
}

// ShowClauses tells how the clauses of a card stand at a time, ns of the stream.
// It keeps a copy; the names may not change while the card stays.
func (br *Bridge) ShowClauses(i int, list []ClauseNow) {
	w := br.watch
	w.mu.Lock()
	defer w.mu.Unlock()
	c := w.cards[i]
	if c.clauses != nil && slices.Equal(c.clauses, list) {
		return
	}
	c.clauses = append(c.clauses[:0], list...)
	for _, one := range w.all {
		if one.clauses[c.ID] {
			n := one.news[c.ID]
			n.clauses = true
			one.news[c.ID] = n
		}
	}
	w.poke()
}

// Watching reports whether anybody watches.
func (br *Bridge) Watching() bool {
	w := br.watch
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.all) > 0
}

// WatchedCards appends the indices of the cards of which somebody watches the
// clauses, ascending.
func (br *Bridge) WatchedCards(list []int) []int {
	w := br.watch
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, c := range w.cards {
		if slices.ContainsFunc(w.all, func(one *watcher) bool { return one.clauses[c.ID] }) {
			list = append(list, i)
		}
	}
	return list
}

// properties are those of Card1 in the given parts.
func (c *shownCard) properties(parts aspect) map[string]dbus.Variant {
	m := map[string]dbus.Variant{}
	set := func(name string, v any) { m[name] = dbus.MakeVariant(v) }
	if parts == allAspects {
		set("Id", c.ID)
	}
	if parts&fixed != 0 {
		set("Version", c.Version)
		set("Title", c.Title)
		set("Origin", c.Origin)
		set("Manual", c.Manual)
		set("Pack", c.Pack)
		set("Author", c.Author)
		set("Trust", c.Trust)
	}
	if parts&status != 0 {
		set("Enabled", c.now.Enabled)
		set("State", c.now.State.String())
		set("Why", c.now.Why)
		set("Details", c.details())
	}
	if parts&leases != 0 {
		set("Leases", c.leases())
	}
	if parts&counts != 0 {
		set("Counts", c.counts())
		set("LastFirings", c.firings())
	}
	return m
}

// details are the times and numbers that go with State and Why.
func (c *shownCard) details() map[string]dbus.Variant {
	m := map[string]dbus.Variant{}
	if c.now.Until != 0 {
		m["until"] = dbus.MakeVariant(seconds(c.now.Until))
		m["left"] = dbus.MakeVariant(c.left(c.now.Until))
	}
	if c.now.Hold != 0 {
		m["hold"] = dbus.MakeVariant(c.left(c.now.Hold))
	}
	if c.now.Cooldown != 0 {
		m["cooldown"] = dbus.MakeVariant(c.left(c.now.Cooldown))
	}
	if c.now.Asked != 0 {
		m["asked"] = dbus.MakeVariant(c.now.Asked)
	}
	return m
}

// left is how many seconds of the stream are left until a time, to the
// millisecond.
func (c *shownCard) left(until int64) float64 { return secondsLeft(until - c.now.At) }

func secondsLeft(ns int64) float64 { return float64(max(0, ns)/1e6) / 1e3 }

func (c *shownCard) leases() []map[string]dbus.Variant {
	list := make([]map[string]dbus.Variant, 0, len(c.now.Leases))
	for i := range c.now.Leases {
		l := &c.now.Leases[i]
		m := map[string]dbus.Variant{"actuator": dbus.MakeVariant(l.Actuator), "until": dbus.MakeVariant(seconds(l.Until)),
			"left": dbus.MakeVariant(c.left(l.Until)), "in_force": dbus.MakeVariant(l.InForce)}
		if v, err := variant(l.Value); err == nil {
			m["value"] = v
		}
		list = append(list, m)
	}
	return list
}

func (c *shownCard) counts() map[string]uint64 {
	m := map[string]uint64{}
	for what, n := range c.now.Counts {
		if n > 0 {
			m[engine.What(what).String()] = n
		}
	}
	return m
}

// firing is one of LastFirings, (sts) on the wire.
type firing struct {
	T   string
	N   uint64
	Why string
}

func (c *shownCard) firings() []firing {
	list := make([]firing, 0, len(c.now.Firings))
	for _, f := range c.now.Firings {
		list = append(list, firing{seconds(f.T), f.N, f.Why})
	}
	return list
}

// clauseNow is one of the signal Clauses, (ssd) on the wire.
type clauseNow struct {
	Name, Truth string
	Left        float64
}

func (c *shownCard) clauseList() []clauseNow {
	list := make([]clauseNow, 0, len(c.clauses))
	for _, k := range c.clauses {
		one := clauseNow{k.Name, k.Truth.String(), 0}
		if k.Until != 0 {
			one.Left = c.left(k.Until)
		}
		list = append(list, one)
	}
	return list
}

// cardPath is the object path of a card, its id escaped as sd_bus_path_encode(3)
// does: a byte that a path may not hold, and a digit in front, as _ and two
// hexadecimal digits.
func cardPath(id string) dbus.ObjectPath {
	label := make([]byte, 0, len(id))
	for i := range len(id) {
		b := id[i]
		digit := '0' <= b && b <= '9'
		if 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || digit && i > 0 {
			label = append(label, b)
			continue
		}
		label = append(label, '_')
		if b < 16 {
			label = append(label, '0')
		}
		label = strconv.AppendUint(label, uint64(b), 16)
	}
	return dbus.ObjectPath(cardsPath + "/" + string(label))
}
