package agent

import (
	"maps"
	"sync/atomic"
	"time"

	"vignette/scenes"
	"vignette/scenes/engine"
	uibridge "vignette/ui-bridge"
)

// lookEvery is how often, at most, cards are looked at for watchers.
const lookEvery = 100 * time.Millisecond

// maxFirings is how many firings of a card are shown.
const maxFirings = 8

// face is what the HMI sees of the cards. It belongs to the goroutine of loop.
// Nothing is looked at while nobody watches and nobody asks.
type face struct {
	timer   *time.Timer
	armed   bool // a look is due within lookEvery
	idle    bool // a look is due when something ends by itself
	watched bool // somebody watches
	entries uint64
	next    int64 // ns of the stream at which the first of what is shown ends; 0: none
	looks   uint64

	services chan struct{} // an answer of Bridge.Available has changed
	moved    atomic.Bool   // the same, not looked at yet; any goroutine
	missing  []string      // by card: why a service that its actions call is not there; empty: all are
	silent   []string      // by card: why nobody tells of what starts it; empty: somebody does

	past    map[string]*past  // by card id; "": what is about no card
	clauses [][]scenes.Clause // by card; nil until they are watched
	now     uibridge.CardNow  // scratch, and so are the next two
	list    []uibridge.ClauseNow
	cards   []int
}

// newFace is a face of a program that has not been announced yet.
func newFace() *face {
	f := &face{timer: time.NewTimer(0), services: make(chan struct{}, 1), past: map[string]*past{}}
	f.timer.Stop()
	return f
}

// announce shows the cards of the program, at the start and whenever another
// one has taken over. What was shown of cards that are gone is forgotten.
func (a *agent) announce() error {
	f := a.face
	cards := make([]uibridge.Card, len(a.prog.Cards))
	keep := map[string]*past{"": f.of("")}
	limit := historyOf(len(cards))
	for i, c := range a.prog.Cards {
		cards[i] = uibridge.Card{ID: c.ID, Version: c.Version, Title: maps.Clone(c.Title), Origin: "car", Manual: c.Manual}
		if c.Off {
			cards[i].Origin = "installed"
		}
		if p := c.From; p != nil {
			cards[i].Pack, cards[i].Author, cards[i].Trust = p.Manifest.Name(), p.Manifest.Author, a.deck.warrants.Load().standing(p, a.today())
		}
		keep[c.ID] = f.of(c.ID)
		keep[c.ID].limit = limit
	}
	f.past, f.clauses = keep, make([][]scenes.Clause, len(cards))
	f.missing, f.silent = make([]string, len(cards)), make([]string, len(cards))
	a.bridge.SetServices(a.book.services())
	f.moved.Store(true)
	return a.bridge.SetCards(cards)
}

// servicesChanged notes that a service has come or gone.
func (f *face) servicesChanged() {
	f.moved.Store(true)
	select {
	case f.services <- struct{}{}:
	default:
	}
}

// lookForServices finds which cards lack a service that they need.
func (a *agent) lookForServices() {
	f := a.face
	if !f.moved.Swap(false) {
		return
	}
	for i := range f.missing {
		f.missing[i], f.silent[i] = "", ""
		for _, s := range a.book.calls(i) {
			if f.missing[i] = a.lacks(s); f.missing[i] != "" {
				break
			}
		}
		if !a.judged {
			continue // nothing is listened to
		}
		for _, s := range a.book.tellers(i) {
			if f.silent[i] = a.lacks(s); f.silent[i] == "" {
				break
			}
		}
	}
}

// lacks says why a service is not there; empty: it is, or the bus has not
// answered about it yet.
func (a *agent) lacks(s uibridge.Service) string {
	if why := a.bridge.Available(s.Bus, s.Name); why != "" && why != uibridge.NotAsked {
		return why + ":" + s.Name
	}
	return ""
}

// settle arms the timer of the next look, if somebody watches: soon after an
// entry was fed, else when something that is shown ends by itself.
func (f *face) settle(a *agent) {
	if !f.watched || f.armed {
		return
	}
	switch {
	case a.entries() != f.entries:
		f.armed, f.idle = true, false
		f.timer.Reset(lookEvery)
	case f.next != 0 && !f.idle:
		f.idle = true
		f.timer.Reset(max(lookEvery, time.Duration(f.next-a.stamp())))
	}
}

// entries counts what was fed.
func (a *agent) entries() uint64 { return a.pump.Stats.Frames + a.pump.Stats.Events }

// look is the timer: it shows every card, as long as somebody watches.
func (a *agent) look() {
	f := a.face
	f.armed, f.idle = false, false
	if a.watching(); f.watched {
		a.showCards()
	}
}

// watching finds whether somebody watches: then signals are followed too.
func (a *agent) watching() {
	a.face.watched = a.bridge.Watching()
	a.monitor.Look(a.face.watched)
}

// showCards shows what every card is doing, and the clauses that are watched.
func (a *agent) showCards() {
	f := a.face
	f.entries, f.next = a.entries(), 0
	for i := range a.prog.Cards {
		a.showCard(i)
	}
	f.cards = a.bridge.WatchedCards(f.cards[:0])
	for _, i := range f.cards {
		a.showClauses(i)
	}
}

// showCard shows what a card is doing.
func (a *agent) showCard(i int) {
	f, s, p := a.face, a.pump.State(), &a.prog.Engine
	was := f.of(p.Cards[i].ID)
	f.looks++
	a.lookForServices()
	f.now.At = a.stamp()
	f.now.CardView = p.View(s, i, f.now.At)
	switch v := &f.now.CardView; {
	case f.missing[i] != "" && v.State > engine.CardUnavailable:
		v.State, v.Why, v.Until = engine.CardUnavailable, f.missing[i], 0
	case f.silent[i] != "" && v.State > engine.CardRunning:
		v.State, v.Why, v.Until = engine.CardUnavailable, f.silent[i], 0
	}
	f.now.Enabled = s.Enabled(i)
	f.now.Leases = p.HeldLeases(s, i, f.now.Leases[:0])
	f.now.Firings, f.now.Counts = was.firings, was.counts
	if at := f.now.Until; at > f.now.At && (f.next == 0 || at < f.next) {
		f.next = at
	}
	a.bridge.ShowCard(i, &f.now)
}

// showClauses shows how each clause of a card stands.
func (a *agent) showClauses(i int) {
	f, s, p := a.face, a.pump.State(), &a.prog.Engine
	if f.clauses[i] == nil {
		f.clauses[i] = a.prog.Clauses(i)
	}
	f.list = f.list[:0]
	for _, c := range f.clauses[i] {
		one := uibridge.ClauseNow{Name: c.Name}
		if c.Trigger >= 0 {
			one.Truth, one.Until = p.TriggerTruth(s, i, c.Trigger)
		} else {
			one.Truth = p.ClauseTruth(s, i, c.OnlyIf, c.Node)
		}
		f.list = append(f.list, one)
	}
	a.bridge.ShowClauses(i, f.list)
}

// showAgent shows how things are with the agent itself.
func (a *agent) showAgent() {
	s := a.pump.State()
	a.bridge.ShowAgent(uibridge.AgentNow{At: a.stamp(), User: s.User(), Asks: a.prog.Engine.Asks(s, nil), Buses: a.source.buses(), Habits: a.habits.learner != nil,
		State: a.pulse.state, Since: time.Since(a.pulse.since), Up: time.Since(begun)})
}

// The methods of uibridge.Viewer.

// Look brings what is shown of a card, or of everything, up to date.
func (a *agent) Look(card string) error {
	return a.do(func() error {
		a.watching()
		if card == "" {
			a.showAgent()
			a.showCards()
			return nil
		}
		i, err := a.card(card)
		if err != nil {
			return err
		}
		a.showCard(i)
		a.face.cards = a.bridge.WatchedCards(a.face.cards[:0])
		for _, watched := range a.face.cards {
			if watched == i {
				a.showClauses(i)
			}
		}
		return nil
	})
}

// Why gives the newest records about a card, with their causes.
func (a *agent) Why(card string) (records []engine.Record, err error) {
	err = a.do(func() error {
		if _, err := a.card(card); err != nil {
			return err
		}
		records = a.face.why(card)
		return nil
	})
	return records, err
}
