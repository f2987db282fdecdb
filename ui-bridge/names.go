package uibridge

import (
	"errors"

	"github.com/godbus/dbus/v5"
)

// hear takes a signal of a bus: of the daemon, and for those who follow services.
func (br *Bridge) hear(l *link, w *wire, s *dbus.Signal) {
	if name, after, ok := ownerChanged(s); ok && after == "" {
		br.readers.forget(caller{w, name})
		if br.watch.remove(caller{w, name}) {
			br.log.Info("watcher gone", "name", name)
		}
	}
	if s.Sender == busDaemon && s.Name == busDaemon+".NameAcquired" && w.again.Load() && s.Body[0] == AgentName {
		br.log.Info("the name is ours again", "name", AgentName)
	}
	for _, f := range l.followed() {
		f.hear(w, s)
	}
}

// there makes sure that a caller had not gone before the bus's word of its end
// counted.
func (br *Bridge) there(c caller) error {
	var there bool
	err := c.wire.ask(c.wire.ctx, "NameHasOwner", c.name).Store(&there)
	if err == nil && !there {
		err = errors.New("the caller is gone")
	}
	return err
}

// ownerChanged reads the daemon's word of who owns a name now; "": nobody.
func ownerChanged(s *dbus.Signal) (name, after string, ok bool) {
	if s.Sender != busDaemon || s.Name != busDaemon+".NameOwnerChanged" {
		return "", "", false
	}
	var before string
	err := dbus.Store(s.Body, &name, &before, &after)
	return name, after, err == nil
}

// matchNames is the rule for ownerChanged.
func matchNames() []dbus.MatchOption {
	return []dbus.MatchOption{dbus.WithMatchSender(busDaemon), dbus.WithMatchInterface(busDaemon), dbus.WithMatchMember("NameOwnerChanged")}
}

// matchVanished is the rule for names that nobody owns any more.
func matchVanished() []dbus.MatchOption { return append(matchNames(), dbus.WithMatchArg(2, "")) }
