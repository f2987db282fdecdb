//go:build oracle

package agent

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestGLibFollowsCards has GLib's own client of ObjectManager follow the cards:
// it takes signals that are addressed to it alone.
func TestGLibFollowsCards(t *testing.T) {
	address := runHMICar(t)
	cmd := exec.CommandContext(t.Context(), "/usr/bin/python3", "../testdata/hmi/watch.py") // Debian's own, which has python3-gi
	cmd.Env = append(os.Environ(), "DBUS_SESSION_BUS_ADDRESS="+address)
	out, err := cmd.CombinedOutput()
	for _, want := range []string{"/card/lamp lamp\n", "/card/open_2droof open-roof\n", "/card/lamp running lease:Private.Lamp\n"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %q in %s; %v", want, out, err)
		}
	}
}
