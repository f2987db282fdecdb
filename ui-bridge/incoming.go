package uibridge

import (
	"sync"
	"time"

	"github.com/godbus/dbus/v5"
)

// Bounds of incoming calls.
const (
	maxIncoming = 32   // that run or wait, of all programs
	maxOfOne    = 16   // of one program, so that one leaves room for others
	maxRefusals = 1024 // to be written, a bus
	politeTime  = time.Second
)

// incoming takes the calls of other programs from the library, which would start
// a goroutine for each and lose their order: those of one program run one after
// another, those of several beside each other. It bounds them and lets Close wait
// for those that are running. Until it is opened every call is told to try again.
type incoming struct {
	mu      sync.Mutex
	open    bool
	shut    bool
	n       int                  // running or waiting
	waiting map[caller][]*incall // of each program that has one running
	idle    chan struct{}        // closed when shut and nothing runs
	busy    uint64               // turned away
	mute    uint64               // turned away without being told: too many were
}

// incall is an incoming call.
type incall struct {
	by     caller
	msg    *dbus.Message
	method *method
}

func newIncoming() *incoming {
	return &incoming{waiting: map[caller][]*incall{}, idle: make(chan struct{})}
}

// ready lets calls in.
func (in *incoming) ready() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.open = true
}

// take runs a call, now or after those of the same program, or tells why not. It
// does not wait.
func (in *incoming) take(c *incall) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	queue, running := in.waiting[c.by]
	switch {
	case in.shut:
		return ErrClosing
	case !in.open, in.n == maxIncoming, running && len(queue) == maxOfOne-1:
		in.busy++
		return ErrBusy
	}
	in.n++
	if running {
		in.waiting[c.by] = append(queue, c)
		return nil
	}
	in.waiting[c.by] = nil
	go in.run(c)
	return nil
}

// run answers a program's calls until none waits.
func (in *incoming) run(c *incall) {
	for c != nil {
		c.answer(in.closing())
		c = in.next(c.by)
	}
}

// next ends a program's call and gives its next one, nil if none waits.
func (in *incoming) next(by caller) *incall {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.n--
	if queue := in.waiting[by]; len(queue) > 0 {
		in.waiting[by] = queue[1:]
		return queue[0]
	}
	delete(in.waiting, by)
	if in.shut && in.n == 0 {
		close(in.idle)
	}
	return nil
}

// closing tells why calls are not run any more, if that is so.
func (in *incoming) closing() error {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.shut {
		return ErrClosing
	}
	return nil
}

// close turns new calls and those that wait away.
func (in *incoming) close() {
	in.mu.Lock()
	defer in.mu.Unlock()
	if !in.shut && in.n == 0 {
		close(in.idle)
	}
	in.shut = true
}

// politely waits for the calls that are running, but not for long: the bus may
// be what they wait for.
func (in *incoming) politely() {
	select {
	case <-in.idle:
	case <-time.After(politeTime):
	}
}

// muted counts a call that was turned away without an answer.
func (in *incoming) muted() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.mute++
}

// counters adds the figures of incoming calls.
func (in *incoming) counters(to map[string]uint64) {
	in.mu.Lock()
	defer in.mu.Unlock()
	to["incoming_busy"] = in.busy
	to["incoming_unanswered"] = in.mute
}
