// Package services hears what a head unit's services on D-Bus tell, and says it
// in the agent's words: occurrences that the vehicle profile's events bind, what
// vouches for the wall clock, sleep and shutdown, and where the car is. Every
// service is optional; one that is not there, or goes away, makes unknown what
// it told of, and completes nothing.
package services

import (
	"context"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"vignette/scenes"
	uibridge "vignette/ui-bridge"
)

// Bus is what this package needs of a *uibridge.Bridge.
type Bus interface {
	Follow(f *uibridge.Follow) (stop func())
	AskForFile(ctx context.Context, bus, service, path, iface, member string, args ...any) (*os.File, error)
}

// Sink takes what services tell. Its methods are called from goroutines of the
// bridge, may wait for the agent, and must not be called any more once the agent
// has ended: they then return an error.
type Sink interface {
	// Occurred takes an occurrence by its text, such as `phone near`; now: it
	// happens now, else it is found to be so already.
	Occurred(text string, now bool) error
	// Clocked takes what vouches for the wall clock; a nil zone: nothing does.
	Clocked(zone *time.Location) error
	// Located takes where the car is; nil: unknown from now on.
	Located(fix *Fix) error
	// Sleep ends what does not outlive sleep, and returns when that is done or
	// ctx is.
	Sleep(ctx context.Context) error
	// Woke tells that the car is awake again.
	Woke() error
	// Shutdown has the agent stop in good order. It does not wait.
	Shutdown()
}

// Options say what to listen to.
type Options struct {
	Events    []scenes.Event // of the profile; those of the HMI are not listened to
	TrustedBy string         // the profile's clock; empty: nothing vouches
	Login     bool           // hear login1 of sleep and shutdown
	Logger    uibridge.Logger
}

// Sources is all that is listened to.
type Sources struct {
	log   uibridge.Logger
	sink  Sink
	stops []func()
	again []func() // of the places: another user drives

	ctx    context.Context // ends calls that are out
	cancel context.CancelFunc

	told, unknown, dropped, gone, faults atomic.Uint64
}

// Listen begins to listen.
func Listen(bus Bus, sink Sink, o Options) *Sources {
	s := &Sources{log: o.Logger, sink: sink}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	located := false
	for i := range o.Events {
		e := &o.Events[i]
		switch {
		case e.Source.HMI:
		case e.Source.GeoClue:
			located = true
		default:
			ev := newEvent(s, e)
			if e.Name.Text == "place" {
				s.again = append(s.again, ev.again)
			}
			s.follow(bus, ev)
		}
	}
	if o.TrustedBy != "" {
		s.follow(bus, &clock{all: s, service: o.TrustedBy, until: untilTrusted, trusted: whileTrusted})
	}
	if located {
		s.follow(bus, &locator{all: s})
	}
	if o.Login {
		s.follow(bus, &login{all: s, bus: bus})
	}
	return s
}

// source is one service that is followed.
type source interface {
	follow() *uibridge.Follow
	// close ends what the source has running beside its Follow.
	close()
}

// absentAfter is when a service that has not appeared is told of.
const absentAfter = 10 * time.Second

// follow follows a source and tells, once, of a service that is not there.
func (s *Sources) follow(bus Bus, src source) {
	f := src.follow()
	appeared, gone := f.Appeared, f.Gone
	absent := time.AfterFunc(absentAfter, func() {
		s.log.Info("a service is not on the bus; it is waited for", "service", f.Service, "bus", f.Bus)
	})
	f.Appeared = func(p *uibridge.Peer) {
		absent.Stop()
		appeared(p)
	}
	f.Gone = func() {
		s.gone.Add(1)
		gone()
	}
	stop := bus.Follow(f)
	s.stops = append(s.stops, func() {
		stop()
		absent.Stop()
		src.close()
	})
}

// UserChanged has the places told anew, as found: another user's are others.
func (s *Sources) UserChanged() {
	for _, again := range s.again {
		again()
	}
}

// Close stops listening. It may be called from the agent's loop: it does not
// wait for what a service is telling at this moment.
func (s *Sources) Close() {
	s.cancel()
	for _, stop := range s.stops {
		stop()
	}
}

// Count adds what became of what services told to the agent's counters.
func (s *Sources) Count(counters map[string]uint64) {
	counters["services_told"] = s.told.Load()
	counters["services_unknown"] = s.unknown.Load()
	counters["services_dropped"] = s.dropped.Load()
	counters["services_gone"] = s.gone.Load()
	counters["services_faults"] = s.faults.Load()
}

// occurred tells the sink of an occurrence.
func (s *Sources) occurred(text string, now bool) {
	if s.ctx.Err() != nil {
		return
	}
	s.told.Add(1)
	if err := s.sink.Occurred(text, now); err != nil && s.ctx.Err() == nil {
		s.faults.Add(1)
		s.log.Warn("an occurrence was not taken", "occurrence", text, "error", err)
	}
}

// alarm runs one function at a later time, the latest that it was set to.
type alarm struct {
	mu    sync.Mutex
	timer *time.Timer
	shut  bool
}

// set has f run after d, instead of what was set before.
func (a *alarm) set(d time.Duration, f func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.timer != nil {
		a.timer.Stop()
	}
	if !a.shut {
		a.timer = time.AfterFunc(d, f)
	}
}

// close stops it for good.
func (a *alarm) close() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.shut = true
	if a.timer != nil {
		a.timer.Stop()
	}
}
