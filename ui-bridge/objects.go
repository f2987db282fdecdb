package uibridge

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"vignette/scenes/engine"

	"github.com/godbus/dbus/v5"
)

// The interfaces of a card and of D-Bus itself, and where cards are.
const (
	CardInterface  = "org.vignette.Card1"
	cardsPath      = AgentPath + "/card"
	objectManager  = "org.freedesktop.DBus.ObjectManager"
	propertiesOf   = "org.freedesktop.DBus.Properties"
	introspectable = "org.freedesktop.DBus.Introspectable"
	peer           = "org.freedesktop.DBus.Peer"
)

// interfacesAt are the interfaces of the agent's object and of a card's that
// have a file, in the order of introspection.
var (
	agentInterfaces = []string{introspectable, objectManager, propertiesOf, AgentInterface, TraceInterface}
	cardInterfaces  = []string{introspectable, propertiesOf, CardInterface}
)

// Viewer is what the agent tells of itself when somebody asks. Its methods are
// called from goroutines of the bridge.
type Viewer interface {
	// Look brings what ShowAgent and ShowCard told up to date; card is the one
	// that somebody looks at, empty: all.
	Look(card string) error
	// Why gives the newest records about a card, and those that they name as
	// their causes, by ascending n.
	Why(card string) ([]engine.Record, error)
}

// AgentNow is what the agent's own object shows of a moment.
type AgentNow struct {
	At    int64  // ns of the stream
	User  uint64 // who drives; 0 is the guest
	Asks  []engine.Ask
	Buses []BusNow
	State string        // a word of the property Status
	Since time.Duration // for how long
	Up    time.Duration // the agent runs

	Habits bool // the present driver's habits are learnt
}

// BusNow is a bus of the car. A recording's buses have a name only.
type BusNow struct {
	Name      string
	Interface string // of the kernel
	Link      string // absent, down, up, error-passive, bus-off
	Lost      uint64 // frames that were lost before they could be read
}

// ShowAgent tells how things are with the agent itself. It does not block on
// the bus.
func (br *Bridge) ShowAgent(now AgentNow) {
	w := br.watch
	w.mu.Lock()
	defer w.mu.Unlock()
	w.agent = now
}

// look has the agent bring what is shown up to date; one that is closing shows
// what it last did.
func (br *Bridge) look(card string) error {
	if err := br.opt.Handler.Look(card); err != nil && !isClosing(err) {
		return err
	}
	return nil
}

// card finds the card of a path.
func (w *watchers) card(path dbus.ObjectPath) *shownCard {
	for _, c := range w.cards {
		if c.path == path {
			return c
		}
	}
	return nil
}

// onWatchCard makes the caller, a watcher, one of a card's clauses too.
func (w *wire) onWatchCard(br *Bridge) func(dbus.Sender, string) *dbus.Error {
	return func(sender dbus.Sender, id string) *dbus.Error {
		return br.named("card", id, func() error {
			if err := br.watch.watchCard(caller{w, string(sender)}, id); err != nil {
				return err
			}
			return br.look(id)
		})
	}
}

func (w *wire) onUnwatchCard(br *Bridge) func(dbus.Sender, string) *dbus.Error {
	return func(sender dbus.Sender, id string) *dbus.Error {
		return br.named("card", id, func() error {
			br.watch.unwatchCard(caller{w, string(sender)}, id)
			return nil
		})
	}
}

func (w *watchers) unwatchCard(who caller, id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if i := w.index(who); i >= 0 {
		delete(w.all[i].clauses, id)
	}
}

func (w *watchers) watchCard(who caller, id string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	i, c := w.index(who), findCard(w.cards, id)
	switch {
	case i < 0:
		return fmt.Errorf("%w: call Watch first, also with no paths", ErrNotWatching)
	case c == nil:
		return fmt.Errorf("%w: no card %s is loaded", ErrUnknownCard, id)
	case len(w.all[i].clauses) == maxWatchedCards && !w.all[i].clauses[id]:
		return fmt.Errorf("%w: the clauses of %d cards are watched already", ErrLimit, maxWatchedCards)
	}
	if !slices.ContainsFunc(w.all, func(one *watcher) bool { return one.clauses[id] }) {
		c.clauses = nil // what was shown of them is old
	}
	w.all[i].clauses[id] = true
	n := w.all[i].news[id]
	n.clauses = true
	w.all[i].news[id] = n
	return nil
}

func (br *Bridge) onWhy(id string) (records []map[string]dbus.Variant, err *dbus.Error) {
	err = br.named("card", id, func() error {
		list, err := br.opt.Handler.Why(id)
		records = dictionaries(list)
		return err
	})
	return records, err
}

// onGetManagedObjects returns every card with all its properties.
func (br *Bridge) onGetManagedObjects() (objects map[dbus.ObjectPath]map[string]map[string]dbus.Variant, err *dbus.Error) {
	err = br.guard(func() error {
		if err := br.look(""); err != nil {
			return err
		}
		w := br.watch
		w.mu.Lock()
		defer w.mu.Unlock()
		objects = make(map[dbus.ObjectPath]map[string]map[string]dbus.Variant, len(w.cards))
		for _, c := range w.cards {
			objects[c.path] = c.interfaces()
		}
		return nil
	})
	return objects, err
}

// interfaces are a card's interfaces with their properties, as ObjectManager
// tells of them.
func (c *shownCard) interfaces() map[string]map[string]dbus.Variant {
	none := map[string]dbus.Variant{}
	return map[string]map[string]dbus.Variant{introspectable: none, propertiesOf: none, CardInterface: c.properties(allAspects)}
}

// cardSignals are the signals that tell a watcher what he was not told of
// cards; mu is held.
func (w *watchers) cardSignals(one *watcher) (list []sign) {
	ids := make([]string, 0, len(one.news))
	for id := range one.news {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	for _, id := range ids {
		n, c := one.news[id], findCard(w.cards, id)
		if n.removed {
			list = append(list, sign{AgentPath, objectManager, "InterfacesRemoved", []any{cardPath(id), cardInterfaces}})
		}
		switch {
		case c == nil:
		case n.added:
			list = append(list, sign{AgentPath, objectManager, "InterfacesAdded", []any{c.path, c.interfaces()}})
		case n.changed != 0:
			list = append(list, sign{c.path, propertiesOf, "PropertiesChanged", []any{CardInterface, c.properties(n.changed), []string{}}})
		}
		if n.clauses && c != nil && c.clauses != nil {
			list = append(list, sign{c.path, CardInterface, "Clauses", []any{c.clauseList()}})
		}
	}
	clear(one.news)
	return list
}

// onIntrospect describes the object that is asked.
func (br *Bridge) onIntrospect(msg dbus.Message) (string, *dbus.Error) {
	path, _ := msg.Headers[dbus.FieldPath].Value().(dbus.ObjectPath)
	w := br.watch
	w.mu.Lock()
	defer w.mu.Unlock()
	switch c := w.card(path); {
	case path == AgentPath:
		text, err := introspection(agentInterfaces, []string{"card"})
		return text, dbusError(err)
	case path == cardsPath:
		var names []string
		for _, c := range w.cards {
			names = append(names, strings.TrimPrefix(string(c.path), cardsPath+"/"))
		}
		text, err := introspection(nil, names)
		return text, dbusError(err)
	case c != nil:
		text, err := introspection(cardInterfaces, nil)
		return text, dbusError(err)
	}
	if child := childOf(path); child != "" {
		text, err := introspection(nil, []string{child})
		return text, dbusError(err)
	}
	return "", unknownObject(path)
}

func unknownObject(path dbus.ObjectPath) *dbus.Error {
	return dbus.NewError("org.freedesktop.DBus.Error.UnknownObject", []any{"no object " + string(path)})
}

// introspection puts the embedded files of interfaces and the names of child
// nodes into one node.
func introspection(interfaces, children []string) (string, error) {
	var b strings.Builder
	b.WriteString("<!DOCTYPE node PUBLIC \"-//freedesktop//DTD D-BUS Object Introspection 1.0//EN\"\n" +
		" \"http://www.freedesktop.org/standards/dbus/1.0/introspect.dtd\">\n<node>\n")
	for _, name := range interfaces {
		file := "dbus/" + name + ".xml"
		text, err := Interfaces.ReadFile(file)
		if err != nil {
			return "", err
		}
		from, to := strings.Index(string(text), "  <interface "), strings.LastIndex(string(text), "</node>")
		if from < 0 || to < from {
			return "", fmt.Errorf("%s has no interface", file)
		}
		b.Write(text[from:to])
	}
	for _, name := range children {
		b.WriteString("  <node name=\"" + name + "\"/>\n")
	}
	b.WriteString("</node>\n")
	return b.String(), nil
}
