package uibridge

import (
	"context"
	"os"

	"github.com/godbus/dbus/v5"
)

// AskForFile calls a method that answers with one file descriptor, such as an
// inhibitor of login1, and waits for it, at most 25 s. It is a connection of its
// own for that one call: on the others descriptors are not taken, since whoever
// sends some would use up ours.
func (br *Bridge) AskForFile(ctx context.Context, bus, service, path, iface, member string, args ...any) (*os.File, error) {
	l, err := br.link(bus)
	if err != nil {
		return nil, err
	}
	address, err := resolve(l.address)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	conn, err := dbus.Dial(address, dbus.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	defer conn.Close() // what the answer gave outlives it
	if err := conn.Auth(nil); err != nil {
		return nil, err
	}
	if err := conn.Hello(); err != nil {
		return nil, err
	}
	var fd dbus.UnixFD
	err = conn.Object(service, dbus.ObjectPath(path)).CallWithContext(ctx, iface+"."+member, 0, args...).Store(&fd)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), member), nil
}
