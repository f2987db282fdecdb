package uibridge

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/godbus/dbus/v5"
)

// maxCalls is the greatest number of calls that are queued or unanswered.
const maxCalls = 256

// Timeout is the detail of a call that was not answered within its limit.
const Timeout = "timeout"

// pending is a call from Call until its outcome is known.
type pending struct {
	n      uint64
	b      *Binding
	args   []any
	ctx    context.Context // ends with the call's limit, its outcome, or the wire
	cancel context.CancelFunc
	once   sync.Once
	book   *ledger
}

// Call asks a service, by a binding and arguments from its Arguments. It never
// blocks: the call is queued, calls of one bus leave in the order of Call, and
// the outcome goes to Handler.Replied exactly once, within b.Within from now. When
// 256 calls are open already, or the bus is lost, the outcome is not ok at once. It
// may not be used after Close.
func (br *Bridge) Call(n uint64, b *Binding, args []any) {
	l, err := br.link(b.Bus)
	if err != nil {
		br.calls.refuse(n, err.Error())
		return
	}
	w := l.now()
	if w == nil {
		br.calls.refuse(n, detail(errLost))
		return
	}
	if !br.calls.admit() {
		br.calls.refuse(n, fmt.Sprintf("queue full: %d calls are open already", maxCalls))
		return
	}
	p := &pending{n: n, b: b, args: args, book: br.calls}
	p.ctx, p.cancel = context.WithTimeout(w.ctx, b.Within)
	context.AfterFunc(p.ctx, func() { p.settle(context.Cause(p.ctx)) })
	select {
	case w.queue <- p:
	default: // the connection is stuck, and calls whose time is over fill the queue
		p.settle(errors.New("queue full: the bus takes no messages"))
	}
}

// settle makes err the outcome of the call, if it has none yet.
func (p *pending) settle(err error) {
	if errors.Is(err, context.Canceled) {
		err = context.Cause(p.ctx)
	}
	p.once.Do(func() {
		p.cancel()
		p.book.put(outcome{n: p.n, ok: err == nil, detail: detail(err), open: true})
	})
}

// detail says for people why a call failed.
func detail(err error) string {
	var remote dbus.Error
	switch {
	case err == nil:
		return ""
	case errors.Is(err, context.DeadlineExceeded):
		return Timeout
	case errors.As(err, &remote):
		return remote.Name + ": " + remote.Error()
	}
	return "not sent or not answered: " + err.Error()
}

// outcome is what Handler.Replied will be told.
type outcome struct {
	n      uint64
	ok     bool
	detail string
	open   bool // the call was admitted
}

// ledger counts open calls and delivers outcomes in order.
type ledger struct {
	replied func(n uint64, ok bool, detail string)

	mu        sync.Mutex
	changed   *sync.Cond
	open      int // admitted, outcome not known
	due       []outcome
	telling   bool // an outcome is with the handler
	closed    bool
	overflows uint64
	failures  uint64
	made      uint64
}

func newLedger(replied func(uint64, bool, string)) *ledger {
	g := &ledger{replied: replied}
	g.changed = sync.NewCond(&g.mu)
	return g
}

// admit takes one of the places for open calls.
func (g *ledger) admit() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.made++
	if g.open == maxCalls || g.closed {
		g.overflows++
		return false
	}
	g.open++
	return true
}

// refuse makes a call fail that was not admitted.
func (g *ledger) refuse(n uint64, why string) {
	g.put(outcome{n: n, detail: why})
}

// put makes an outcome due.
func (g *ledger) put(o outcome) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if o.open {
		g.open--
	}
	if !o.ok {
		g.failures++
	}
	g.due = append(g.due, o)
	g.changed.Broadcast()
}

// deliver tells the handler each outcome, until the ledger is closed and empty.
func (g *ledger) deliver() {
	g.mu.Lock()
	defer g.mu.Unlock()
	for {
		for len(g.due) == 0 {
			if g.closed && g.open == 0 {
				return
			}
			g.changed.Wait()
		}
		batch := g.due
		g.due = nil
		g.telling = true
		g.mu.Unlock()
		for _, o := range batch {
			g.replied(o.n, o.ok, o.detail)
		}
		g.mu.Lock()
		g.telling = false
		g.changed.Broadcast()
	}
}

// drain waits until nothing is open, due or being told.
func (g *ledger) drain(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.changed.Broadcast()
	})
	defer stop()
	g.mu.Lock()
	defer g.mu.Unlock()
	for g.open > 0 || len(g.due) > 0 || g.telling {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		g.changed.Wait()
	}
	return nil
}

// close lets deliver return once all is told.
func (g *ledger) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
	g.changed.Broadcast()
}

// counters adds the ledger's figures.
func (g *ledger) counters(to map[string]uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	to["calls"] = g.made
	to["calls_failed"] = g.failures
	to["calls_overflowed"] = g.overflows
}
