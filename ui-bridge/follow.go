package uibridge

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/godbus/dbus/v5"
)

// Bounds of following services.
const (
	maxSignals = 256              // waiting for the callbacks of one Follow
	askTime    = 25 * time.Second // for a service to answer, or to start
)

// Follow follows one service on a bus through its own and the daemon's restarts.
// The callbacks run one after another on a goroutine of this Follow, and may
// wait. Each may be nil.
type Follow struct {
	Bus, Service string  // as in a Binding
	Match        []Match // signals wanted of the service; others are not heard
	// Activate starts the service, if it can be, whenever the bus is there: at
	// the beginning and after a restart of the daemon. A service that ends by
	// itself is not started again for that, but its Peer starts it when called.
	Activate bool
	// Appeared: the signals are subscribed to and the service is there. Now is
	// the time to ask it what is so. It comes again, without a Gone, when signals
	// were lost: ask again.
	Appeared func(p *Peer)
	// Signal gets a signal of the service itself, whatever other programs send
	// in its name, that came after the present Appeared was due.
	Signal func(s *dbus.Signal)
	// Gone: the service that had appeared has ended, or the bus was lost.
	Gone func()
}

// Match are the signals of an object, an interface, a member, and with that text
// as their first argument; empty is any.
type Match struct{ Path, Interface, Member, Arg0 string }

func (m *Match) fits(s *dbus.Signal) bool {
	dot := strings.LastIndexByte(s.Name, '.')
	return (m.Path == "" || m.Path == string(s.Path)) && (m.Interface == "" || m.Interface == s.Name[:dot]) &&
		(m.Member == "" || m.Member == s.Name[dot+1:]) && (m.Arg0 == "" || len(s.Body) > 0 && s.Body[0] == m.Arg0)
}

func (m *Match) options(service string) []dbus.MatchOption {
	list := []dbus.MatchOption{dbus.WithMatchSender(service)}
	if m.Path != "" {
		list = append(list, dbus.WithMatchObjectPath(dbus.ObjectPath(m.Path)))
	}
	if m.Interface != "" {
		list = append(list, dbus.WithMatchInterface(m.Interface))
	}
	if m.Member != "" {
		list = append(list, dbus.WithMatchMember(m.Member))
	}
	if m.Arg0 != "" {
		list = append(list, dbus.WithMatchArg(0, m.Arg0))
	}
	return list
}

// Peer is a service that has appeared: this process of it, on this connection.
type Peer struct {
	wire  *wire
	owner string // unique name
	dest  string // what is called
}

// Call calls a method and waits for its answer, at most 25 s. It fails once the
// service is gone.
func (p *Peer) Call(ctx context.Context, path, iface, member string, args ...any) *dbus.Call {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	call := p.wire.conn.Object(p.dest, dbus.ObjectPath(path)).CallWithContext(ctx, iface+"."+member, 0, args...)
	call.Err = p.wire.outcome(call.Err)
	return call
}

// Get reads a property.
func (p *Peer) Get(ctx context.Context, path, iface, prop string) (v dbus.Variant, err error) {
	err = p.Call(ctx, path, "org.freedesktop.DBus.Properties", "Get", iface, prop).Store(&v)
	return v, err
}

// Follow begins to follow a service. After stop has returned no callback begins,
// though one may still be running; none comes of stop or of Close itself. A bus
// that is not connected is logged, and the service never appears.
func (br *Bridge) Follow(f *Follow) (stop func()) {
	l, err := br.link(f.Bus)
	if err != nil {
		br.log.Error("cannot follow a service", "service", f.Service, "error", err)
		return func() {}
	}
	one := &following{Follow: *f, br: br, link: l, wake: make(chan struct{}, 1)}
	one.ctx, one.cancel = context.WithCancel(br.ctx)
	l.add(one)
	br.wg.Go(one.run)
	return one.stop
}

// following is a Follow at work. What the bus says changes the fields under mu at
// once and wakes run, which alone calls back.
type following struct {
	Follow
	br     *Bridge
	link   *link
	ctx    context.Context
	cancel context.CancelFunc
	wake   chan struct{}

	mu     sync.Mutex
	wire   *wire         // the present wire
	owner  string        // unique name of the service; "": not there, or not known yet
	asOf   dbus.Sequence // of what told the owner
	gen    uint64        // counts wires, owners and overflows
	queue  []heard       // at most maxSignals
	closed bool          // stop has been called

	// of run
	subscribed *wire // where the matches are
	seen       uint64
	peer       *Peer // that has appeared
}

// heard is a signal, of the owner of a generation.
type heard struct {
	gen    uint64
	signal *dbus.Signal
}

// wired tells of another wire, or of none.
func (f *following) wired(w *wire) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.wire, f.asOf = w, 0
	f.own("")
}

// own notes a change of the owner; the caller holds mu.
func (f *following) own(owner string) {
	f.owner = owner
	f.gen++
	f.poke()
}

// poke wakes run.
func (f *following) poke() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// hear takes a signal of a wire.
func (f *following) hear(w *wire, s *dbus.Signal) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if w != f.wire {
		return
	}
	if name, owner, ok := ownerChanged(s); ok && name == f.Service && s.Sequence > f.asOf {
		f.asOf = s.Sequence
		f.own(owner)
	}
	if f.owner == "" || s.Sender != f.owner || !f.wants(s) {
		return
	}
	if len(f.queue) == maxSignals {
		f.br.signalsDropped.Add(uint64(len(f.queue) + 1))
		f.queue = nil
		f.own(f.owner)
		return
	}
	f.queue = append(f.queue, heard{f.gen, s})
	f.poke()
}

func (f *following) wants(s *dbus.Signal) bool {
	for i := range f.Match {
		if f.Match[i].fits(s) {
			return true
		}
	}
	return false
}

// run calls back until the Follow or the bridge ends.
func (f *following) run() {
	for {
		select {
		case <-f.wake:
		case <-f.ctx.Done():
			f.unsubscribe()
			return
		}
		for f.step() {
		}
	}
}

// step does one thing that is due, and reports whether there was one. Signals of
// the service as it was come before a change, those that came after it follow it.
func (f *following) step() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for !f.closed && len(f.queue) > 0 && f.queue[0].gen <= f.seen {
		one := f.queue[0]
		f.queue = f.queue[1:]
		if one.gen == f.seen { // else of an owner that came and went unseen
			f.unlocked(func() { f.signal(one.signal) })
			return true
		}
	}
	if f.closed || f.seen == f.gen {
		return false
	}
	f.seen = f.gen
	w, owner := f.wire, f.owner
	f.unlocked(func() { f.change(w, owner) })
	return true
}

// unlocked runs a callback without mu.
func (f *following) unlocked(callback func()) {
	f.mu.Unlock()
	defer f.mu.Lock()
	callback()
}

func (f *following) signal(s *dbus.Signal) {
	if f.Signal != nil {
		f.Signal(s)
	}
}

// change calls back what another wire or another owner means, and subscribes on
// another wire, which makes the owner known.
func (f *following) change(w *wire, owner string) {
	if p := f.peer; p != nil && (p.wire != w || p.owner != owner) {
		f.peer = nil
		if f.Gone != nil {
			f.Gone()
		}
	}
	switch {
	case w == nil:
	case w != f.subscribed:
		f.subscribed = w
		if err := f.subscribe(w); err != nil && w.ctx.Err() == nil && f.ctx.Err() == nil {
			f.br.log.Error("cannot follow a service", "service", f.Service, "error", err)
		}
	case owner != "":
		f.peer = &Peer{wire: w, owner: owner, dest: owner}
		if f.Activate {
			f.peer.dest = f.Service
		}
		if f.Appeared != nil {
			f.Appeared(f.peer)
		}
	}
}

// subscribe asks a bus for the service's signals and then who the service is.
func (f *following) subscribe(w *wire) error {
	for _, rule := range f.rules() {
		if err := w.conn.AddMatchSignalContext(f.ctx, rule...); err != nil {
			return err
		}
	}
	var owner string
	call := w.ask(f.ctx, "GetNameOwner", f.Service)
	err := call.Store(&owner)
	if isRemote(err, "org.freedesktop.DBus.Error.NameHasNoOwner") {
		owner, err = "", nil
	}
	if err != nil {
		return err
	}
	f.mu.Lock()
	if f.wire == w && call.ResponseSequence > f.asOf {
		f.asOf = call.ResponseSequence
		f.own(owner)
	}
	f.mu.Unlock()
	if owner != "" || !f.Activate {
		return nil
	}
	ctx, cancel := context.WithTimeout(f.ctx, askTime)
	defer cancel()
	return w.ask(ctx, "StartServiceByName", f.Service, uint32(0)).Err
}

// unsubscribe takes back what subscribe asked for, if the bus is still there.
func (f *following) unsubscribe() {
	w := f.subscribed
	if w == nil {
		return
	}
	ctx, cancel := context.WithTimeout(w.ctx, askTime)
	defer cancel()
	for _, rule := range f.rules() {
		err := w.conn.RemoveMatchSignalContext(ctx, rule...)
		if err != nil && w.ctx.Err() == nil {
			f.br.log.Warn("cannot take a D-Bus match back", "service", f.Service, "error", err)
		}
	}
}

// rules are the match rules of the service: its coming and going comes first.
func (f *following) rules() [][]dbus.MatchOption {
	rules := [][]dbus.MatchOption{append(matchNames(), dbus.WithMatchArg(0, f.Service))}
	for i := range f.Match {
		rules = append(rules, f.Match[i].options(f.Service))
	}
	return rules
}

// stop ends the Follow.
func (f *following) stop() {
	f.link.remove(f)
	f.mu.Lock()
	f.closed, f.queue = true, nil
	f.mu.Unlock()
	f.cancel()
}
