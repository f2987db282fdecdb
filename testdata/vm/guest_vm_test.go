//go:build vm

package main

import (
	"net"
	"os"
	"strconv"
	"strings"
	"testing"
)

// TestGuest holds what the other vm tests count on: two virtual buses for
// frames of 64 bytes, and the receive buffer that the shipped sysctl file allows.
func TestGuest(t *testing.T) {
	for _, name := range []string{"vcan0", "vcan1"} {
		bus, err := net.InterfaceByName(name)
		if err != nil {
			t.Fatal(err)
		}
		if bus.MTU != 72 || bus.Flags&net.FlagUp == 0 {
			t.Errorf("%s has mtu %d and flags %v, want 72 and up", name, bus.MTU, bus.Flags)
		}
	}
	text, err := os.ReadFile("/proc/sys/net/core/rmem_max")
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || n < 4<<20 {
		t.Errorf("net.core.rmem_max is %q, want 4 MiB or more", text)
	}
	t.Logf("net.core.rmem_max %d", n)
}
