package uibridge

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/godbus/dbus/v5"
)

// busDaemon is the name and the interface of every bus daemon.
const busDaemon = "org.freedesktop.DBus"

// The times of dialling a lost bus again.
const (
	firstPause = 50 * time.Millisecond
	longPause  = time.Second
	dialTime   = 5 * time.Second // one attempt, should a daemon accept and say nothing
)

// link is the way to one bus: a wire, and after its loss another one.
type link struct {
	address string
	own     bool // the agent's name and object are here

	mu      sync.Mutex
	wire    *wire        // nil while the bus is lost
	follows []*following // replaced, never changed
}

// now is the present wire, nil while there is none.
func (l *link) now() *wire {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.wire
}

// set makes w the present wire and tells who follows services on this bus.
func (l *link) set(w *wire) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wire = w
	for _, f := range l.follows {
		f.wired(w)
	}
}

// add lets f know of wires from now on.
func (l *link) add(f *following) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.follows = append(slices.Clip(l.follows), f)
	f.wired(l.wire)
}

// remove forgets f.
func (l *link) remove(f *following) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.follows = slices.DeleteFunc(slices.Clone(l.follows), func(one *following) bool { return one == f })
}

// followed are those who follow services on this bus.
func (l *link) followed() []*following {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.follows
}

// dial connects to the link's bus.
func (br *Bridge) dial(ctx context.Context, l *link) (*wire, error) {
	w := &wire{in: br.in, readers: br.readers, objects: func(dbus.ObjectPath) tables { return nil }}
	w.hear = func(s *dbus.Signal) { br.hear(l, w, s) }
	if l.own {
		w.objects = br.objects(w)
	}
	if err := w.dial(ctx, br.ctx, l.address); err != nil {
		return nil, err
	}
	if !l.own {
		return w, nil
	}
	if err := w.conn.AddMatchSignalContext(ctx, matchVanished()...); err != nil {
		w.close()
		return nil, fmt.Errorf("cannot subscribe to the D-Bus daemon at %s: %w", l.address, err)
	}
	return w, nil
}

// keep serves a link's wires, one after another, until the bridge ends.
func (br *Bridge) keep(l *link, w *wire) {
	pause := firstPause
	for w != nil {
		begin := time.Now()
		w.serve()
		l.set(nil)
		br.watch.forget(w)
		br.readers.lost(w)
		if br.ctx.Err() != nil {
			return
		}
		if time.Since(begin) > pause { // else the daemon takes us and drops us again
			pause = firstPause
		}
		w, pause = br.redial(l, pause)
	}
}

// redial waits until the bus is back. It returns nil when the bridge ends.
func (br *Bridge) redial(l *link, pause time.Duration) (*wire, time.Duration) {
	br.busLosses.Add(1)
	br.log.Warn("lost the D-Bus daemon; trying again", "address", l.address)
	begin := time.Now()
	for ; ; pause = min(2*pause, longPause) {
		select {
		case <-time.After(pause):
		case <-br.ctx.Done():
			return nil, 0
		}
		ctx, cancel := context.WithTimeout(br.ctx, dialTime)
		w, err := br.dial(ctx, l)
		cancel()
		if err != nil {
			continue // most likely the daemon is not back
		}
		br.reconnects.Add(1)
		br.log.Info("the D-Bus daemon is back", "address", l.address, "after", time.Since(begin).Round(time.Millisecond))
		l.set(w)
		if l.own {
			w.again.Store(true)
			br.wg.Go(func() { br.ownAgain(w) })
		}
		return w, min(2*pause, longPause)
	}
}

// ownName takes the agent's well-known name, or fails if it is taken.
func (w *wire) ownName(ctx context.Context, address string) error {
	r, err := w.requestName(ctx, dbus.NameFlagDoNotQueue)
	if err != nil {
		return fmt.Errorf("cannot own the name %s on %s: %w", AgentName, address, err)
	}
	if r != dbus.RequestNameReplyPrimaryOwner {
		return fmt.Errorf("the name %s on %s belongs to another process; is an agent running already?", AgentName, address)
	}
	return nil
}

func (w *wire) requestName(ctx context.Context, flags dbus.RequestNameFlags) (dbus.RequestNameReply, error) {
	var r uint32
	err := w.ask(ctx, "RequestName", AgentName, uint32(flags)).Store(&r)
	return dbus.RequestNameReply(r), err
}

// ownAgain takes the name after a loss. If it belongs to another process by now,
// the daemon gives it to us when it becomes free.
func (br *Bridge) ownAgain(w *wire) {
	for said := false; ; said = true {
		r, err := w.requestName(w.ctx, 0)
		if err == nil && r != dbus.RequestNameReplyInQueue || w.ctx.Err() != nil {
			return
		}
		br.nameTaken.Add(1)
		if err == nil {
			br.log.Error("the name belongs to another process; waiting for it", "name", AgentName)
			return
		}
		if !said {
			br.log.Error("cannot own the name; trying again", "name", AgentName, "error", err)
		}
		select {
		case <-time.After(longPause):
		case <-w.ctx.Done():
			return
		}
	}
}
