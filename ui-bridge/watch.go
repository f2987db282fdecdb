package uibridge

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"vignette/scenes/engine"
	"vignette/ui-bridge/trace"

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
	mu      sync.Mutex
	vehicle string         // id of the profile
	paths   []string       // of its signals
	slots   map[string]int // by path
	latest  []engine.Value // by slot; None: unknown
	cards   []*shownCard   // by ascending id
	agent   AgentNow       // what is shown of the agent itself
	traces  trace.Status   // what is shown of studies and traces
	all     []*watcher     // in order of Watch
	dropped uint64         // decision records that a full queue lost, all watchers
	readers *readers

	wake  chan struct{}
	flush chan chan struct{}
}

// caller is a program that calls us: its unique name, and where that holds.
type caller struct {
	wire *wire
	name string
}

// watcher is one caller of Watch.
type watcher struct {
	caller
	slots []int
	gone  []string        // paths of slots that another profile does not have, to be told
	dirty bool            // a watched value changed since the last signal
	queue []engine.Record // oldest first

	traces  map[string]dbus.Variant // properties of org.vignette.Trace1 to be told
	news    map[string]news         // by card id
	clauses map[string]bool         // ids of the cards of which it watches the clauses
}

func newWatchers(vehicle string, paths []string) *watchers {
	w := &watchers{wake: make(chan struct{}, 1), flush: make(chan chan struct{})}
	w.name(vehicle, paths)
	return w
}

// Publish tells the latest value of a signal, by its index in what SetVehicle, or
// at first Options.Signals, has said; the zero Value is unknown. It does not block
// on the bus and allocates nothing. A slot outside panics, as an index does.
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

// slotsOf finds the slots of paths, each once; mu is held.
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

// add makes c a watcher of paths, instead of what it watched before, and reports
// whether it is a new one.
func (w *watchers) add(c caller, paths []string) (fresh bool, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	slots, err := w.slotsOf(paths)
	if err != nil {
		return false, err
	}
	if i := w.index(c); i >= 0 {
		w.all[i].slots, w.all[i].gone, w.all[i].dirty = slots, nil, true
		return false, nil
	}
	if len(w.all) == maxWatchers {
		return false, fmt.Errorf("%w: %d programs watch already", ErrLimit, maxWatchers)
	}
	w.all = append(w.all, &watcher{caller: c, slots: slots, dirty: true, traces: map[string]dbus.Variant{}, news: map[string]news{}, clauses: map[string]bool{}})
	return true, nil
}

// remove forgets a watcher and what is queued for it; it reports whether c was
// one.
func (w *watchers) remove(c caller) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := w.index(c)
	if i < 0 {
		return false
	}
	w.all = slices.Delete(w.all, i, i+1)
	return true
}

// forget forgets the watchers of a wire that is lost.
func (w *watchers) forget(lost *wire) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = slices.DeleteFunc(w.all, func(one *watcher) bool { return one.wire == lost })
}

// index finds a watcher; mu is held.
func (w *watchers) index(c caller) int {
	return slices.IndexFunc(w.all, func(one *watcher) bool { return one.caller == c })
}

// counters adds the watchers' figures.
func (w *watchers) counters(to map[string]uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	to["watchers"] = uint64(len(w.all))
	to["decisions_dropped"] = w.dropped
	to["watchers_withheld"] = 0
	for _, one := range w.all {
		if w.readers.behind(one.caller) {
			to["watchers_withheld"]++
		}
	}
}

// letter is what one watcher is to be sent.
type letter struct {
	to      caller
	gone    []string                // watched paths that are no signals any more
	values  map[string]dbus.Variant // nil: nothing changed
	records []engine.Record
	traces  map[string]dbus.Variant // nil: nothing changed
	cards   []sign
}

// collect takes what is to be sent now, a bounded batch a watcher, and reports
// whether more is queued, and whether something is for those who do not read.
func (w *watchers) collect() (letters []letter, more, held bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, one := range w.all {
		if w.readers.behind(one.caller) {
			held = held || one.dirty || one.gone != nil || len(one.queue) > 0 || len(one.news) > 0 || len(one.traces) > 0
			continue
		}
		l := letter{to: one.caller, gone: one.gone}
		one.gone = nil
		if one.dirty {
			l.values = w.snapshot(one.slots)
			one.dirty = false
		}
		take := min(len(one.queue), maxBatch)
		l.records = slices.Clone(one.queue[:take])
		one.queue = slices.Delete(one.queue, 0, take)
		more = more || len(one.queue) > 0
		l.cards = w.cardSignals(one)
		if len(one.traces) > 0 {
			l.traces, one.traces = one.traces, map[string]dbus.Variant{}
		}
		if l.values != nil || l.gone != nil || take > 0 || l.cards != nil || l.traces != nil {
			letters = append(letters, l)
		}
	}
	return letters, more, held
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
			if more, _ := br.sendLetters(); more {
				br.watch.poke()
			}
		case flushed := <-br.watch.flush:
			br.sendAll()
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
		br.sendAll()
		close(flushed)
	case <-br.ctx.Done():
		pause.Stop()
	}
}

// sendLetters sends one batch to each watcher that reads, and reports as collect
// does.
func (br *Bridge) sendLetters() (more, held bool) {
	letters, more, held := br.watch.collect()
	for _, l := range letters {
		for i := range l.cards {
			br.unicast(l.to, &l.cards[i])
		}
		if l.traces != nil {
			br.unicast(l.to, &sign{AgentPath, propertiesOf, "PropertiesChanged", []any{TraceInterface, l.traces, []string{}}})
		}
		if l.gone != nil {
			br.unicast(l.to, &sign{AgentPath, AgentInterface, "Unwatched", []any{l.gone}})
		}
		if l.values != nil {
			br.unicast(l.to, &sign{AgentPath, AgentInterface, "Values", []any{l.values}})
		}
		if len(l.records) > 0 {
			br.unicast(l.to, &sign{AgentPath, AgentInterface, "Decisions", []any{dictionaries(l.records)}})
		}
	}
	return more, held
}

// sign is a signal to be sent.
type sign struct {
	path   dbus.ObjectPath
	iface  string
	member string
	body   []any
}

// unicast sends a signal to one connection only.
func (br *Bridge) unicast(to caller, s *sign) {
	msg := &dbus.Message{Type: dbus.TypeSignal, Body: s.body, Headers: map[dbus.HeaderField]dbus.Variant{
		dbus.FieldDestination: dbus.MakeVariant(to.name),
		dbus.FieldPath:        dbus.MakeVariant(s.path),
		dbus.FieldInterface:   dbus.MakeVariant(s.iface),
		dbus.FieldMember:      dbus.MakeVariant(s.member),
		dbus.FieldSignature:   dbus.MakeVariant(dbus.SignatureOf(s.body...)),
	}}
	if err := br.readers.send(to, msg); err != nil && to.wire.ctx.Err() == nil {
		br.log.Warn("cannot tell a watcher", "signal", s.member, "error", err)
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
