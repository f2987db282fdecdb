package uibridge

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/godbus/dbus/v5"
)

// socket is a connection to a bus daemon that the bridge can close by itself: a
// write to a daemon that reads no more ends then. The library sees no Unix socket
// in it and negotiates no passing of file descriptors, which nobody would close.
type socket struct {
	net.Conn
	frames
}

func (s *socket) Read(p []byte) (int, error) { return s.frames.Read(p) }

// Write writes what the library says. After BEGIN there are messages only (D-Bus
// specification, Authentication Protocol).
func (s *socket) Write(p []byte) (int, error) {
	if !s.begun {
		s.begun = string(p) == "BEGIN\r\n"
	}
	return s.Conn.Write(p)
}

// dialSocket connects to the first of the addresses that answers (D-Bus
// specification, Server Addresses).
func dialSocket(ctx context.Context, addresses string) (*socket, error) {
	var errs []error
	for _, one := range strings.Split(addresses, ";") {
		if one == "" {
			continue
		}
		path, err := socketPath(one)
		if err == nil {
			var conn net.Conn
			if conn, err = net.DialUnix("unix", nil, &net.UnixAddr{Name: path, Net: "unix"}); err == nil {
				return &socket{conn, frames{in: bufio.NewReader(conn)}}, nil
			}
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

// socketPath is where one address says that the socket is, as net names it: an
// abstract one begins with @.
func socketPath(address string) (string, error) {
	for _, pair := range strings.Split(strings.TrimPrefix(address, "unix:"), ",") {
		key, value, _ := strings.Cut(pair, "=")
		if key != "path" && key != "abstract" {
			continue
		}
		path, err := dbus.UnescapeBusAddressValue(value)
		if err != nil {
			return "", fmt.Errorf("D-Bus address %s: %w", address, err)
		}
		if key == "abstract" {
			path = "@" + path
		}
		return path, nil
	}
	return "", fmt.Errorf("D-Bus address %s says no path; use unix:path=…", address)
}
