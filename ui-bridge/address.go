package uibridge

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// resolve finds the address of a bus by its well-known name, or takes it as it
// is. Other transports than Unix sockets are refused: the agent opens no
// network socket (D-Bus specification, Server Addresses).
func resolve(name string) (address string, err error) {
	switch name {
	case "":
		return "", errors.New("no D-Bus address given; use system, session or an address such as unix:path=/run/dbus/system_bus_socket")
	case "system":
		address = systemAddress()
	case "session":
		address, err = sessionAddress()
	default:
		address = name
	}
	for _, one := range strings.Split(address, ";") {
		if transport, _, _ := strings.Cut(one, ":"); one != "" && transport != "unix" {
			return "", fmt.Errorf("D-Bus address %s is not a Unix socket, and the agent opens no other; use unix:path=…", one)
		}
	}
	return address, err
}

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
