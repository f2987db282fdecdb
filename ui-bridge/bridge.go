// Package uibridge is the agent's face on D-Bus: it exports org.vignette.Agent1
// and org.vignette.Trace1 at /org/vignette/Agent1, an org.vignette.Card1 for each
// card below it, calls the methods that the
// vehicle profile binds, and tells watchers what the engine decided. It is the
// only importer of a D-Bus library. It follows docs/integrate-hmi.md.
package uibridge

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"vignette/scenes/engine"
)

// The names of the agent on the bus.
const (
	AgentName      = "org.vignette.Agent1"
	AgentPath      = "/org/vignette/Agent1"
	AgentInterface = "org.vignette.Agent1"
	TraceInterface = "org.vignette.Trace1"
)

// Handler is what the agent does with what arrives over D-Bus. Its methods are
// called from goroutines of the bridge and must be safe for that. They may be
// called before Connect has returned.
type Handler interface {
	// Replied tells the outcome of Call n, exactly once a call, one after
	// another, in the order in which the outcomes came. If not ok, detail says
	// why: Timeout, or a text for people. It must not wait for a further call.
	Replied(n uint64, ok bool, detail string)
	// Override reports the driver's hand on an actuator. A label has Text only.
	Override(actuator string, v engine.Value) error
	Driver
	Viewer
	Deck
	Packs
	Habits
	Studies
}

// Options configure Connect.
type Options struct {
	// Address is "system", "session" or a D-Bus address such as
	// unix:path=/run/dbus/system_bus_socket: where the agent's name is owned.
	Address string
	// Buses are the addresses, in the same forms, of further buses that
	// bindings name. A bus that is not listed is the agent's own if Address
	// is its name or is an explicit address.
	Buses map[string]string
	// Handler and Logger are required.
	Handler Handler
	Logger  Logger

	Version string   // property Version
	Session uint64   // property Session
	Vehicle string   // property Vehicle: id of the profile; see SetVehicle
	Signals []string // paths that can be watched; Publish names them by index; see SetVehicle

	// Counters adds to the property Counters; it may be nil.
	Counters func() map[string]uint64
	// ServicesChanged is called when an answer of Available has changed, from
	// goroutines of the bridge; it may be nil.
	ServicesChanged func()
}

// Bridge is a connection to the bus under the agent's name. It is started by
// Connect and ended by Close. When a bus is lost the bridge dials it again, at
// most a second apart, and takes the name again: calls meanwhile fail at once,
// and who watched is forgotten, since nobody has the same unique name again.
type Bridge struct {
	opt   Options
	log   Logger
	own   *link
	links map[string]*link // by bus name; own too, under ""
	calls *ledger
	watch *watchers
	in    *incoming

	readers *readers

	services atomic.Pointer[services] // nil before SetServices

	ctx    context.Context
	cancel context.CancelCauseFunc
	wg     sync.WaitGroup

	looking sync.Mutex // one TracesChanged at a time

	busLosses, reconnects, nameTaken, signalsDropped atomic.Uint64
}

// Connect connects to the buses, exports the agent's object and owns its name.
// ctx bounds connecting only. It fails if there is no daemon at an address or
// another process owns the name.
func Connect(ctx context.Context, o Options) (*Bridge, error) {
	if o.Handler == nil || o.Logger == nil {
		return nil, errors.New("uibridge: Options.Handler and Options.Logger are required")
	}
	br := &Bridge{opt: o, log: o.Logger, links: map[string]*link{}, in: newIncoming()}
	br.ctx, br.cancel = context.WithCancelCause(context.Background())
	br.calls = newLedger(o.Handler.Replied)
	br.watch = newWatchers(o.Vehicle, o.Signals)
	br.readers = &readers{wg: &br.wg, moved: br.watch.poke, of: map[caller]*reading{}}
	br.watch.readers = br.readers
	br.wg.Go(br.calls.deliver)
	if err := br.open(ctx); err != nil {
		return nil, errors.Join(err, br.Close())
	}
	br.wg.Go(br.publish)
	return br, nil
}

// open dials every bus, the agent's own last: it owns the name only when all
// else is ready.
func (br *Bridge) open(ctx context.Context) error {
	for _, name := range slices.Sorted(maps.Keys(br.opt.Buses)) {
		l := &link{address: br.opt.Buses[name]}
		if _, err := br.adopt(ctx, name, l); err != nil {
			return fmt.Errorf("bus %s: %w", name, err)
		}
	}
	br.own = &link{address: br.opt.Address, own: true}
	w, err := br.adopt(ctx, "", br.own)
	if err != nil {
		return err
	}
	br.in.ready()
	return w.ownName(ctx, br.own.address)
}

// adopt dials a link's first wire and keeps the link from then on.
func (br *Bridge) adopt(ctx context.Context, name string, l *link) (*wire, error) {
	w, err := br.dial(ctx, l)
	if err != nil {
		return nil, err
	}
	br.links[name] = l
	l.set(w)
	br.wg.Go(func() { br.keep(l, w) })
	return w, nil
}

// Drain waits until every call is answered and Replied has returned for it, and
// until what was published has gone to the watchers. Nothing may be called or
// published meanwhile.
func (br *Bridge) Drain(ctx context.Context) error {
	if err := br.calls.drain(ctx); err != nil {
		return fmt.Errorf("wait for replies over D-Bus: %w", err)
	}
	return br.flushWatchers(ctx)
}

// Close gives the name back, answers every open call with not ok, and waits for
// all goroutines of the bridge, and for Handler methods and callbacks of Follow
// that are running.
func (br *Bridge) Close() error {
	br.in.close()
	br.in.politely()
	br.cancel(ErrClosing)
	<-br.in.idle
	br.calls.close()
	br.wg.Wait()
	return nil
}

// link finds the connection of a binding's bus.
func (br *Bridge) link(bus string) (*link, error) {
	if l, ok := br.links[bus]; ok {
		return l, nil
	}
	named := bus == "system" || bus == "session"
	explicit := br.opt.Address != "system" && br.opt.Address != "session"
	if named && (explicit || bus == br.opt.Address) {
		return br.own, nil
	}
	return nil, fmt.Errorf("bus %q is not connected", bus)
}
