package uibridge

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"

	"github.com/godbus/dbus/v5"
)

// maxOut is the greatest number of calls on the wire of one bus. A bus allows 128
// by default, see max_replies_per_connection in dbus-daemon(1).
const maxOut = 64

// errLost is why a wire has ended that nobody closed.
var errLost = errors.New("the bus was lost")

// wire is one connection to a bus, from its dialling to its loss, with its
// ordered sender. Unique names mean something on their wire only.
type wire struct {
	ctx  context.Context // ends with errLost, or with the bridge
	end  context.CancelCauseFunc
	conn *dbus.Conn
	sock *socket
	hear func(*dbus.Signal) // gets every signal in order, and must not wait

	objects  func(dbus.ObjectPath) tables // nil: no such object
	in       *incoming
	readers  *readers
	refusals chan refusal

	again  atomic.Bool     // not the first one
	queue  chan *pending   // calls to send, in order
	done   chan *dbus.Call // calls answered, in order
	window chan struct{}   // a token for each call that is out

	mu  sync.Mutex
	out map[*dbus.Call]*pending // calls sent and not answered
}

// dial connects w, of which the caller has set what it does with what arrives, to
// an address within ctx; it lives no longer than life.
func (w *wire) dial(ctx, life context.Context, address string) error {
	resolved, err := resolve(address)
	if err != nil {
		return err
	}
	if w.sock, err = dialSocket(ctx, resolved); err != nil {
		return fmt.Errorf("cannot reach the D-Bus daemon at %s: %w; is dbus-daemon running?", address, err)
	}
	w.sock.skip, w.sock.calls = w.in.muted, w.types()
	w.queue, w.done, w.window = make(chan *pending, maxCalls), make(chan *dbus.Call, maxOut), make(chan struct{}, maxOut)
	w.out, w.refusals = map[*dbus.Call]*pending{}, make(chan refusal, maxRefusals)
	w.ctx, w.end = context.WithCancelCause(life)
	if w.conn, err = dbus.NewConn(w.sock, dbus.WithSignalHandler(w), dbus.WithIncomingInterceptor(w.take)); err != nil {
		w.lose()
		return errors.Join(err, w.sock.Close())
	}
	context.AfterFunc(w.conn.Context(), w.lose)
	stop := context.AfterFunc(ctx, w.close)
	if err = w.conn.Auth(nil); err == nil {
		err = w.conn.Hello()
	}
	if !stop() {
		err = errors.Join(err, context.Cause(ctx))
	}
	if err != nil {
		w.close()
		return fmt.Errorf("cannot talk to the D-Bus daemon at %s: %w", address, err)
	}
	return nil
}

// close ends the wire. The socket goes first: the library waits for a write that
// the daemon does not take.
func (w *wire) close() {
	w.lose()
	w.sock.Close() // nothing to be done about the error of either
	w.conn.Close()
}

// lose says that the connection is gone, if nothing else has ended the wire.
func (w *wire) lose() { w.end(errLost) }

// DeliverSignal takes a signal from the library's reader.
func (w *wire) DeliverSignal(_, _ string, s *dbus.Signal) { w.hear(s) }

// ask calls a method of the daemon.
func (w *wire) ask(ctx context.Context, method string, args ...any) *dbus.Call {
	return w.conn.BusObject().CallWithContext(ctx, busDaemon+"."+method, 0, args...)
}

// serve sends calls and takes their answers until the wire has ended.
func (w *wire) serve() {
	var wg sync.WaitGroup
	wg.Go(w.send)
	wg.Go(w.collect)
	wg.Go(w.refuse)
	<-w.ctx.Done()
	w.close()
	wg.Wait()
}

// send sends the queued calls in their order.
func (w *wire) send() {
	for {
		select {
		case p := <-w.queue:
			w.sendOne(p)
		case <-w.ctx.Done():
			return
		}
	}
}

// sendOne waits until a call may go out and sends it, unless its time is over.
func (w *wire) sendOne(p *pending) {
	select {
	case w.window <- struct{}{}:
	case <-p.ctx.Done():
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	obj := w.conn.Object(p.b.Service, dbus.ObjectPath(p.b.Path))
	call := obj.GoWithContext(p.ctx, p.b.method(), 0, w.done, p.args...)
	w.out[call] = p
}

// collect passes on replies in the order in which they came.
func (w *wire) collect() {
	for {
		select {
		case call := <-w.done:
			w.mu.Lock()
			p := w.out[call]
			delete(w.out, call)
			w.mu.Unlock()
			<-w.window
			p.settle(w.outcome(call.Err))
		case <-w.ctx.Done():
			return
		}
	}
}

// outcome is a call's error; of whatever the library says at a loss, the loss. A
// writer may notice it before the reader.
func (w *wire) outcome(err error) error {
	var remote dbus.Error
	var broken *net.OpError
	if err == nil || errors.As(err, &remote) || w.conn.Connected() && !errors.As(err, &broken) {
		return err
	}
	w.lose()
	return context.Cause(w.ctx)
}
