package uibridge

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"vignette/scenes/engine"

	"github.com/godbus/dbus/v5"
)

// Bounds of watching.
const (
	maxWatchers     = 8
	maxWatchedPaths = 256
	maxQueued       = 1024                   // decision records for one watcher
	maxBatch        = 64                     // decision records in one signal
	publishEvery    = 100 * time.Millisecond // at most 10 Hz a watcher
)

// watchers holds what is shown, the latest values, and who wants them.
type watchers struct {
	paths []string
	slots map[string]int

	mu      sync.Mutex
	latest  []engine.Value // by slot; None: unknown
	cards   []*shownCard   // by ascending id
	agent   AgentNow       // what is shown of the agent itself
	all     []*watcher     // in order of Watch
	dropped uint64         // decision records that a full queue lost, all watchers

	wake  chan struct{}
	flush chan chan struct{}
}

// watcher is one caller of Watch.
type watcher struct {
	name  string // unique bus name
	slots []int
	dirty bool            // a watched value changed since the last signal
	queue []engine.Record // oldest first

	news    map[string]news // by card id
	clauses map[string]bool // ids of the cards of which it watches the clauses
}

func newWatchers(paths []string) *watchers {
	w := &watchers{paths: slices.Clone(paths), slots: make(map[string]int, len(paths)),
		latest: make([]engine.Value, len(paths)), wake: make(chan struct{}, 1), flush: make(chan chan struct{})}
	for i, p := range w.paths {
		w.slots[p] = i
	}
	return w
}

// Publish tells the latest value of Options.Signals[slot]; the zero Value is
// unknown. It does not block on the bus and allocates nothing. A slot outside
// Options.Signals panics, as an index does.
func (br *Bridge) Publish(slot int, v engine.Value) {
	w := br.watch
	w.mu.Lock()
	if w.latest[slot] == v {
		w.mu.Unlock()
		return
	}
	w.latest[slot] = v
	woken := false
	for _, one := range w.all {
		if !one.dirty && slices.Contains(one.slots, slot) {
			one.dirty, woken = true, true
		}
	}
	w.mu.Unlock()
	if woken {
		w.poke()
	}
}

// Decisions tells watchers what the engine decided. Records are copied. It does
// not block on the bus; a watcher that is 1024 records behind loses the newest,
// which the counter decisions_dropped shows.
func (br *Bridge) Decisions(records []engine.Record) {
	w := br.watch
	w.mu.Lock()
	for _, one := range w.all {
		take := min(len(records), maxQueued-len(one.queue))
		one.queue = append(one.queue, records[:take]...)
		w.dropped += uint64(len(records) - take)
	}
	some := len(w.all) > 0 && len(records) > 0
	w.mu.Unlock()
	if some {
		w.poke()
	}
}

// poke wakes the publisher.
func (w *watchers) poke() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// slotsOf finds the slots of paths, each once.
func (w *watchers) slotsOf(paths []string) ([]int, error) {
	if len(paths) > maxWatchedPaths {
		return nil, fmt.Errorf("%w: %d paths, at most %d can be watched", ErrLimit, len(paths), maxWatchedPaths)
	}
	slots := make([]int, 0, len(paths))
	for _, p := range paths {
		slot, ok := w.slots[p]
		if !ok {
			return nil, fmt.Errorf("%w %q", ErrUnknownSignal, p)
		}
		slots = append(slots, slot)
	}
	slices.Sort(slots)
	return slices.Compact(slots), nil
}

// add makes name a watcher of slots, instead of what it watched before, and
// reports whether it is a new one.
func (w *watchers) add(name string, slots []int) (fresh bool, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if i := w.index(name); i >= 0 {
		w.all[i].slots, w.all[i].dirty = slots, true
		return false, nil
	}
	if len(w.all) == maxWatchers {
		return false, fmt.Errorf("%w: %d programs watch already", ErrLimit, maxWatchers)
	}
	w.all = append(w.all, &watcher{name: name, slots: slots, dirty: true, news: map[string]news{}, clauses: map[string]bool{}})
	return true, nil
}

// remove forgets a watcher and what is queued for it; it reports whether name
// was one.
func (w *watchers) remove(name string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := w.index(name)
	if i < 0 {
		return false
	}
	w.all = slices.Delete(w.all, i, i+1)
	return true
}

// index finds a watcher; the caller holds mu.
func (w *watchers) index(name string) int {
	return slices.IndexFunc(w.all, func(one *watcher) bool { return one.name == name })
}

// counters adds the watchers' figures.
func (w *watchers) counters(to map[string]uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	to["watchers"] = uint64(len(w.all))
	to["decisions_dropped"] = w.dropped
}

// letter is what one watcher is to be sent.
type letter struct {
	to      string
	values  map[string]dbus.Variant // nil: nothing changed
	records []engine.Record
	cards   []sign
}

// collect takes what is to be sent now, a bounded batch a watcher, and reports
// whether more is queued.
func (w *watchers) collect() (letters []letter, more bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, one := range w.all {
		l := letter{to: one.name}
		if one.dirty {
			l.values = w.snapshot(one.slots)
			one.dirty = false
		}
		take := min(len(one.queue), maxBatch)
		l.records = slices.Clone(one.queue[:take])
		one.queue = slices.Delete(one.queue, 0, take)
		more = more || len(one.queue) > 0
		l.cards = w.cardSignals(one)
		if l.values != nil || take > 0 || l.cards != nil {
			letters = append(letters, l)
		}
	}
	return letters, more
}

// snapshot returns the known values of slots by path; the caller holds mu.
func (w *watchers) snapshot(slots []int) map[string]dbus.Variant {
	m := make(map[string]dbus.Variant, len(slots))
	for _, slot := range slots {
		if v, err := variant(w.latest[slot]); err == nil {
			m[w.paths[slot]] = v
		}
	}
	return m
}

// publish sends to watchers, at most every publishEvery, until the bridge ends.
// It sleeps while nothing changes.
func (br *Bridge) publish() {
	pause := time.NewTimer(0)
	<-pause.C
	for {
		select {
		case <-br.watch.wake:
			if !br.sendLetters() {
				br.watch.poke()
			}
		case flushed := <-br.watch.flush:
			for !br.sendLetters() {
			}
			close(flushed)
			continue
		case <-br.ctx.Done():
			return
		}
		pause.Reset(publishEvery)
		br.pause(pause)
	}
}

// pause waits for the timer, but not for a flush or the end.
func (br *Bridge) pause(pause *time.Timer) {
	select {
	case <-pause.C:
	case flushed := <-br.watch.flush:
		pause.Stop()
		for !br.sendLetters() {
		}
		close(flushed)
	case <-br.ctx.Done():
		pause.Stop()
	}
}

// sendLetters sends one batch to each watcher and reports whether all queues
// are empty.
func (br *Bridge) sendLetters() bool {
	letters, more := br.watch.collect()
	for _, l := range letters {
		for i := range l.cards {
			br.unicast(l.to, &l.cards[i])
		}
		if l.values != nil {
			br.unicast(l.to, &sign{AgentPath, AgentInterface, "Values", []any{l.values}})
		}
		if len(l.records) > 0 {
			br.unicast(l.to, &sign{AgentPath, AgentInterface, "Decisions", []any{dictionaries(l.records)}})
		}
	}
	return !more || br.ctx.Err() != nil
}

// sign is a signal to be sent.
type sign struct {
	path   dbus.ObjectPath
	iface  string
	member string
	body   []any
}

// unicast sends a signal to one connection only.
func (br *Bridge) unicast(to string, s *sign) {
	msg := &dbus.Message{Type: dbus.TypeSignal, Body: s.body, Headers: map[dbus.HeaderField]dbus.Variant{
		dbus.FieldDestination: dbus.MakeVariant(to),
		dbus.FieldPath:        dbus.MakeVariant(s.path),
		dbus.FieldInterface:   dbus.MakeVariant(s.iface),
		dbus.FieldMember:      dbus.MakeVariant(s.member),
		dbus.FieldSignature:   dbus.MakeVariant(dbus.SignatureOf(s.body...)),
	}}
	if call := br.conn().Send(msg, nil); call.Err != nil && br.ctx.Err() == nil {
		br.log.Warn("cannot tell a watcher", "signal", s.member, "error", call.Err)
	}
}

// flushWatchers sends everything that is queued, without pauses.
func (br *Bridge) flushWatchers(ctx context.Context) error {
	flushed := make(chan struct{})
	select {
	case br.watch.flush <- flushed:
	case <-br.ctx.Done():
		return context.Cause(br.ctx)
	case <-ctx.Done():
		return fmt.Errorf("tell watchers over D-Bus: %w", context.Cause(ctx))
	}
	select {
	case <-flushed:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("tell watchers over D-Bus: %w", context.Cause(ctx))
	}
}

// followNames forgets watchers whose connection to the agent's own bus is gone.
// Signals of other buses are drained and mean nothing.
func (br *Bridge) followNames(l *link) {
	for s := range l.signals {
		if !l.own || s.Sender != "org.freedesktop.DBus" || s.Name != "org.freedesktop.DBus.NameOwnerChanged" {
			continue
		}
		var name, before, after string
		if err := dbus.Store(s.Body, &name, &before, &after); err != nil {
			br.log.Warn("NameOwnerChanged with wrong arguments", "error", err)
			continue
		}
		if after == "" && br.watch.remove(name) {
			br.log.Info("watcher gone", "name", name)
			br.wg.Go(func() { br.unfollow(name) })
		}
	}
}

// follow asks the bus to tell when name vanishes, and makes sure that it is
// still there.
func (br *Bridge) follow(name string) error {
	if err := br.conn().AddMatchSignalContext(br.ctx, matchOwner(name)...); err != nil {
		return err
	}
	var there bool
	err := br.conn().BusObject().CallWithContext(br.ctx, "org.freedesktop.DBus.NameHasOwner", 0, name).Store(&there)
	if err == nil && !there {
		err = errors.New("the caller is gone")
	}
	return err
}

// unfollow takes follow's match back.
func (br *Bridge) unfollow(name string) {
	if err := br.conn().RemoveMatchSignalContext(br.ctx, matchOwner(name)...); err != nil && br.ctx.Err() == nil {
		br.log.Warn("cannot remove a D-Bus match", "name", name, "error", err)
	}
}

func matchOwner(name string) []dbus.MatchOption {
	return []dbus.MatchOption{dbus.WithMatchSender("org.freedesktop.DBus"), dbus.WithMatchInterface("org.freedesktop.DBus"),
		dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, name)}
}
