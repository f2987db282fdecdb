package privatebus

import (
	"context"
	"fmt"

	"github.com/godbus/dbus/v5"
)

// WaitName waits until a name has an owner on the bus at addr. The error is
// ctx's, or one of the connection.
func WaitName(ctx context.Context, addr, name string) error {
	conn, err := dbus.Connect(addr, dbus.WithContext(ctx))
	if err != nil {
		return fmt.Errorf("waiting for %s: %w", name, err)
	}
	defer conn.Close()
	changes := make(chan *dbus.Signal, 16)
	conn.Signal(changes)
	if err := conn.AddMatchSignal(dbus.WithMatchInterface("org.freedesktop.DBus"),
		dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, name)); err != nil {
		return fmt.Errorf("waiting for %s: %w", name, err)
	}
	owned := false
	if err := conn.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.NameHasOwner", 0, name).Store(&owned); err != nil {
		return fmt.Errorf("waiting for %s: %w", name, err)
	}
	for !owned {
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w", name, ctx.Err())
		case s, open := <-changes:
			if !open {
				return fmt.Errorf("waiting for %s: the bus has gone", name)
			}
			owned = len(s.Body) == 3 && s.Body[0] == name && s.Body[2] != ""
		}
	}
	return nil
}
