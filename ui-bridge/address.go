package uibridge

import (
	"errors"
	"os"
)

// systemAddress is where the system bus is, by the D-Bus specification,
// Well-known Message Bus Instances.
func systemAddress() string {
	if a := os.Getenv("DBUS_SYSTEM_BUS_ADDRESS"); a != "" {
		return a
	}
	return "unix:path=/var/run/dbus/system_bus_socket"
}

// sessionAddress is where the session bus is. None is launched.
func sessionAddress() (string, error) {
	if a := os.Getenv("DBUS_SESSION_BUS_ADDRESS"); a != "" {
		return a, nil
	}
	return "", errors.New("no session bus: DBUS_SESSION_BUS_ADDRESS is not set; give an address instead")
}
