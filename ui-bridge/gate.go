package uibridge

import "sync"

// maxIncoming is the greatest number of incoming calls handled at once.
const maxIncoming = 32

// gate bounds incoming calls and lets Close wait for those that are running. Until
// it is opened every call is told to try again.
type gate struct {
	slots chan struct{}
	mu    sync.Mutex
	ready bool
	shut  bool
}

func newGate() *gate { return &gate{slots: make(chan struct{}, maxIncoming)} }

// open lets calls in.
func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.ready = true
}

// enter takes a place, or tells why there is none.
func (g *gate) enter() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut {
		return ErrClosing
	}
	if !g.ready {
		return ErrBusy
	}
	select {
	case g.slots <- struct{}{}:
		return nil
	default:
		return ErrBusy
	}
}

// leave gives the place back.
func (g *gate) leave() { <-g.slots }

// close turns new calls away and waits for those that are running.
func (g *gate) close() {
	g.mu.Lock()
	shut := g.shut
	g.shut = true
	g.mu.Unlock()
	if shut {
		return
	}
	for range maxIncoming {
		g.slots <- struct{}{}
	}
}
