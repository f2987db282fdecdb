package uibridge

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/godbus/dbus/v5"
)

// Why a service is not available, as Available gives it: words for programs.
const (
	NotRunning = "not-running" // and the bus cannot start it
	BusLost    = "bus-lost"
	NoBus      = "no-bus"    // the bus is not connected
	NotAsked   = "not-asked" // it is not among SetServices, or the bus has not answered yet
)

// Service is a service that calls may need.
type Service struct{ Bus, Name string }

// services are what SetServices was told once. Another SetServices makes others,
// so that late news of these changes nothing.
type services struct {
	mu   sync.Mutex
	why  map[Service]string // as Available gives it
	stop []func()
}

// SetServices says which services are needed from now on, and begins to look
// after them. Options.ServicesChanged tells when an answer of Available changes.
// It may be called again from one goroutine at a time.
func (br *Bridge) SetServices(list []Service) {
	s := &services{why: map[Service]string{}}
	buses := map[string][]string{}
	for _, one := range list {
		s.why[one] = NotAsked
		if _, err := br.link(one.Bus); err != nil {
			s.why[one] = NoBus
		} else if !slices.Contains(buses[one.Bus], one.Name) {
			buses[one.Bus] = append(buses[one.Bus], one.Name)
		}
	}
	if old := br.services.Swap(s); old != nil {
		for _, stop := range old.stop {
			stop()
		}
	}
	for _, bus := range slices.Sorted(maps.Keys(buses)) {
		s.stop = append(s.stop, br.Follow(br.followServices(s, bus, buses[bus])))
	}
}

// Available tells why calls to a service must fail now: "" if they need not,
// since it runs or the bus can start it. It is for show: a service may come or go
// at any time. It is safe for any goroutine and does not wait.
func (br *Bridge) Available(bus, service string) (why string) {
	s := br.services.Load()
	if s == nil {
		return NotAsked
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	why, ok := s.why[Service{bus, service}]
	if !ok {
		return NotAsked
	}
	return why
}

// followServices follows the daemon of one bus, which knows who is there and
// whom it can start (D-Bus specification, Message Bus Messages).
func (br *Bridge) followServices(s *services, bus string, names []string) *Follow {
	f := &Follow{Bus: bus, Service: busDaemon, Match: []Match{{Interface: busDaemon, Member: "ActivatableServicesChanged"}}}
	for _, name := range names {
		f.Match = append(f.Match, Match{Interface: busDaemon, Member: "NameOwnerChanged", Arg0: name})
	}
	var daemon *Peer
	look := func() {
		there, err := daemon.listNames()
		if err != nil {
			if daemon.wire.ctx.Err() == nil {
				br.log.Error("cannot ask the D-Bus daemon for its services", "error", err)
			}
			return
		}
		br.setServices(s, bus, names, func(name string) string {
			if there[name] {
				return ""
			}
			return NotRunning
		})
	}
	f.Appeared = func(p *Peer) { daemon = p; look() }
	f.Signal = func(*dbus.Signal) { look() }
	f.Gone = func() { br.setServices(s, bus, names, func(string) string { return BusLost }) }
	return f
}

// listNames asks a daemon for the names that have an owner or that it can start.
func (p *Peer) listNames() (map[string]bool, error) {
	all := map[string]bool{}
	for _, method := range []string{"ListNames", "ListActivatableNames"} {
		var names []string
		if err := p.Call(context.Background(), "/org/freedesktop/DBus", busDaemon, method).Store(&names); err != nil {
			return nil, err
		}
		for _, name := range names {
			all[name] = true
		}
	}
	return all, nil
}

// setServices notes why each service of a bus is not available, and tells if
// that is new.
func (br *Bridge) setServices(s *services, bus string, names []string, why func(name string) string) {
	changed := false
	s.mu.Lock()
	for _, name := range names {
		if one := (Service{bus, name}); s.why[one] != why(name) {
			s.why[one], changed = why(name), true
		}
	}
	s.mu.Unlock()
	if changed && br.opt.ServicesChanged != nil {
		br.opt.ServicesChanged()
	}
}
