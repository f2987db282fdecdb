package uibridge

import (
	"encoding/binary"
	"sync"
	"time"

	"github.com/godbus/dbus/v5"
)

// Bounds of what a program is sent that has not shown that it reads. What it
// leaves unread the daemon keeps, at the sender's account too: beyond
// max_incoming_bytes, see dbus-daemon(1), it would read nothing of the agent any more.
const (
	askAfter   = 64 << 10    // bytes after which it is asked
	maxUnread  = 256 << 10   // bytes after which it gets no further ones
	slowReader = time.Second // that an answer, or a flush, waits for it
	maxReaders = 1024        // whose reading is counted
)

// readers count what programs have not shown to have read.
type readers struct {
	wg    *sync.WaitGroup
	moved func() // is told when somebody has read

	mu sync.Mutex
	of map[caller]*reading
}

// reading is how far one program has read.
type reading struct {
	unread int           // bytes sent that it has not shown to have read
	asked  bool          // a question is out
	moved  chan struct{} // holds a token when it has read
}

// send sends a reply or a signal to a program, and counts it.
func (rs *readers) send(c caller, m *dbus.Message) error {
	var size counter
	if err := m.EncodeTo(&size, binary.LittleEndian); err != nil {
		return err
	}
	rs.mu.Lock()
	r := rs.reading(c)
	r.unread += int(size)
	if r.unread >= askAfter && !r.asked {
		r.asked = true
		rs.wg.Go(func() { rs.ask(c, r) })
	}
	rs.mu.Unlock()
	return c.wire.conn.Send(m, nil).Err
}

// counter counts what is written.
type counter int

func (n *counter) Write(p []byte) (int, error) {
	*n += counter(len(p))
	return len(p), nil
}

// reading finds or begins a program's reading; mu is held. With too many, those
// that are not asked begin anew: who ends a connection need not have been noticed.
func (rs *readers) reading(c caller) *reading {
	if r := rs.of[c]; r != nil {
		return r
	}
	if len(rs.of) >= maxReaders {
		for other, r := range rs.of {
			if !r.asked {
				delete(rs.of, other)
			}
		}
	}
	r := &reading{moved: make(chan struct{}, 1)}
	rs.of[c] = r
	return r
}

// ask asks a program as long as there is reason to. Every program answers a Ping
// by its library, after what it was sent before; an error is an answer too, of a
// daemon that does not let us ask, or knows that the program is gone.
func (rs *readers) ask(c caller, r *reading) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	for r.unread >= askAfter && c.wire.ctx.Err() == nil {
		before := r.unread
		rs.mu.Unlock()
		c.wire.conn.Object(c.name, "/").CallWithContext(c.wire.ctx, peer+".Ping", dbus.FlagNoAutoStart)
		rs.mu.Lock()
		r.unread -= before
		select {
		case r.moved <- struct{}{}:
		default:
		}
		rs.moved()
	}
	r.asked = false
}

// forget forgets a program that is gone.
func (rs *readers) forget(c caller) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	delete(rs.of, c)
}

// lost forgets the programs of a wire.
func (rs *readers) lost(w *wire) {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	for c := range rs.of {
		if c.wire == w {
			delete(rs.of, c)
		}
	}
}

// behind tells whether a program is to get nothing for now.
func (rs *readers) behind(c caller) bool {
	rs.mu.Lock()
	defer rs.mu.Unlock()
	r := rs.of[c]
	return r != nil && r.unread >= maxUnread
}

// await waits a while for a program to read, and reports whether it has.
func (rs *readers) await(c caller) bool {
	limit := time.After(slowReader)
	for rs.behind(c) {
		rs.mu.Lock()
		r := rs.reading(c)
		rs.mu.Unlock()
		select {
		case <-r.moved:
		case <-limit:
			return false
		case <-c.wire.ctx.Done():
			return false
		}
	}
	return true
}

// sendAll sends everything that is queued, without pauses. It waits for watchers
// that read slowly, and not for long for those that do not read.
func (br *Bridge) sendAll() {
	for {
		more, held := br.sendLetters()
		switch {
		case br.ctx.Err() != nil:
			return
		case more:
			continue
		case !held:
			return
		}
		select {
		case <-br.watch.wake:
		case <-time.After(slowReader):
			return
		case <-br.ctx.Done():
			return
		}
	}
}
