package uibridge

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/godbus/dbus/v5"
)

// maxOut is the greatest number of calls on the wire of one bus. A bus allows 128
// by default, see max_replies_per_connection in dbus-daemon(1).
const maxOut = 64

// link is one private connection to a bus, with its ordered sender.
type link struct {
	address string
	own     bool // the agent's name and object are here
	conn    *dbus.Conn
	signals chan *dbus.Signal
	queue   chan *pending   // calls to send, in order
	done    chan *dbus.Call // calls answered, in order

	window chan struct{} // a token for each call that is out

	mu  sync.Mutex
	out map[*dbus.Call]*pending // calls sent and not answered
}

// dial connects to an address. export, if any, is run before the daemon knows
// of us, so that nothing can be asked too early.
func dial(ctx context.Context, address string, export func(*dbus.Conn) error) (*link, error) {
	resolved, err := resolve(address)
	if err != nil {
		return nil, err
	}
	conn, err := dbus.Dial(resolved, dbus.WithSignalHandler(dbus.NewSequentialSignalHandler()))
	if err != nil {
		return nil, fmt.Errorf("cannot reach the D-Bus daemon at %s: %w; is dbus-daemon running?", address, err)
	}
	l := &link{address: address, own: export != nil, conn: conn, signals: make(chan *dbus.Signal, 16),
		queue: make(chan *pending, maxCalls), done: make(chan *dbus.Call, maxOut), window: make(chan struct{}, maxOut),
		out: map[*dbus.Call]*pending{}}
	conn.Signal(l.signals)
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	err = l.greet(export)
	if !stop() {
		err = errors.Join(err, context.Cause(ctx))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("cannot talk to the D-Bus daemon at %s: %w", address, err), conn.Close())
	}
	return l, nil
}

func (l *link) greet(export func(*dbus.Conn) error) error {
	if export != nil {
		if err := export(l.conn); err != nil {
			return err
		}
	}
	if err := l.conn.Auth(nil); err != nil {
		return err
	}
	return l.conn.Hello()
}

// ownName takes a well-known name, or fails if it is taken.
func (l *link) ownName(ctx context.Context, name string) error {
	var r uint32
	err := l.conn.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.RequestName", 0,
		name, uint32(dbus.NameFlagDoNotQueue)).Store(&r)
	if err != nil {
		return fmt.Errorf("cannot own the name %s on %s: %w", name, l.address, err)
	}
	if dbus.RequestNameReply(r) != dbus.RequestNameReplyPrimaryOwner {
		return fmt.Errorf("the name %s on %s belongs to another process; is an agent running already?", name, l.address)
	}
	return nil
}

// send sends the queued calls in their order.
func (l *link) send(ctx context.Context) {
	for {
		select {
		case p := <-l.queue:
			l.sendOne(p)
		case <-ctx.Done():
			return
		}
	}
}

// sendOne waits until a call may go out and sends it, unless its time is over.
func (l *link) sendOne(p *pending) {
	select {
	case l.window <- struct{}{}:
	case <-p.ctx.Done():
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	obj := l.conn.Object(p.b.Service, dbus.ObjectPath(p.b.Path))
	call := obj.GoWithContext(p.ctx, p.b.Interface+"."+p.b.Member, 0, l.done, p.args...)
	l.out[call] = p
}

// collect passes on replies in the order in which they came.
func (l *link) collect(ctx context.Context) {
	for {
		select {
		case call := <-l.done:
			l.mu.Lock()
			p := l.out[call]
			delete(l.out, call)
			l.mu.Unlock()
			<-l.window
			p.settle(call.Err)
		case <-ctx.Done():
			return
		}
	}
}
