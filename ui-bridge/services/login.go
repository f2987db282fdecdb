package services

import (
	"context"
	"os"
	"sync"
	"time"

	uibridge "vignette/ui-bridge"

	"github.com/godbus/dbus/v5"
)

const (
	loginService = "org.freedesktop.login1"
	loginPath    = "/org/freedesktop/login1"
	loginManager = "org.freedesktop.login1.Manager"
)

// delayUnknown is how long login1 waits if it does not say: its own default,
// see InhibitDelayMaxSec in logind.conf(5).
const delayUnknown = 5 * time.Second

// login hears of sleep and shutdown from login1, and holds them back, by a delay
// inhibitor, while leases end (systemd's Inhibitor Locks).
type login struct {
	all *Sources
	bus Bus

	delay time.Duration // that login1 grants

	mu   sync.Mutex
	lock *os.File // the inhibitor; nil: none
	shut bool
}

func (l *login) follow() *uibridge.Follow {
	return &uibridge.Follow{Bus: "system", Service: loginService,
		Match: []uibridge.Match{{Path: loginPath, Interface: loginManager, Member: "PrepareForSleep"},
			{Path: loginPath, Interface: loginManager, Member: "PrepareForShutdown"}},
		Appeared: l.appeared, Signal: l.signal, Gone: l.release}
}

// close gives the inhibitor back: nothing is left to wait for.
func (l *login) close() {
	l.mu.Lock()
	l.shut = true
	l.mu.Unlock()
	l.release()
}

func (l *login) appeared(p *uibridge.Peer) {
	l.delay = delayUnknown
	var most uint64 // µs
	v, err := p.Get(l.all.ctx, loginPath, loginManager, "InhibitDelayMaxUSec")
	if err == nil {
		err = v.Store(&most)
	}
	if err == nil && most > 0 && most < uint64(time.Hour/time.Microsecond) {
		l.delay = time.Duration(most) * time.Microsecond
	}
	l.inhibit()
}

// inhibit takes the inhibitor. Without it the agent hears of sleep all the same,
// but may not be given the time to end leases.
func (l *login) inhibit() {
	l.release()
	lock, err := l.bus.AskForFile(l.all.ctx, "system", loginService, loginPath, loginManager, "Inhibit",
		"sleep:shutdown", "Vignette", "end what cards have set", "delay")
	if err != nil {
		if l.all.ctx.Err() == nil {
			l.all.faults.Add(1)
			l.all.log.Warn("login1 gives no inhibitor; sleep is not held back", "error", err)
		}
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lock = lock; l.shut {
		l.closeLock()
	}
}

// release lets the car sleep.
func (l *login) release() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closeLock()
}

func (l *login) closeLock() {
	if l.lock != nil {
		l.lock.Close()
		l.lock = nil
	}
}

// signal takes PrepareForSleep and PrepareForShutdown: true before, false after.
func (l *login) signal(s *dbus.Signal) {
	var begins bool
	if err := dbus.Store(s.Body, &begins); err != nil {
		l.all.faults.Add(1)
		l.all.log.Warn("a signal is not as it should be", "signal", s.Name, "error", err)
		return
	}
	switch {
	case s.Name == loginManager+".PrepareForShutdown" && begins:
		// The inhibitor is given back when the agent has ended, by close.
		l.all.log.Info("the system shuts down")
		l.all.sink.Shutdown()
	case s.Name == loginManager+".PrepareForSleep" && begins:
		l.sleep()
	case s.Name == loginManager+".PrepareForSleep":
		l.all.log.Info("awake again")
		if err := l.all.sink.Woke(); err != nil && l.all.ctx.Err() == nil {
			l.all.log.Warn("not awake", "error", err)
		}
		l.inhibit()
	}
}

// sleep ends what does not outlive sleep, and lets the car sleep when that is
// done, or before login1 loses its patience.
func (l *login) sleep() {
	ctx, cancel := context.WithTimeout(l.all.ctx, l.delay*4/5)
	defer cancel()
	begun := time.Now()
	err := l.all.sink.Sleep(ctx)
	if err != nil && l.all.ctx.Err() == nil {
		l.all.faults.Add(1)
		l.all.log.Warn("sleep begins before all leases have ended", "error", err)
	}
	l.all.log.Info("sleep", "held_back", time.Since(begun).Round(time.Millisecond))
	l.release()
}
