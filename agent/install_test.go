package agent

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/godbus/dbus/v5"

	"vignette/can/socketcan"
	uibridge "vignette/ui-bridge"
)

// install installs a card that must be taken, and returns the report.
func (b *deckBench) install(text string) map[string]dbus.Variant {
	b.t.Helper()
	var r map[string]dbus.Variant
	if err := b.call("Install", text).Store(&r); err != nil {
		b.t.Fatal(err)
	}
	return r
}

// refused holds that a method fails with an error of a name.
func (b *deckBench) refused(name, member string, args ...any) {
	b.t.Helper()
	var e dbus.Error
	if err := b.agent.Call(uibridge.AgentInterface+"."+member, 0, args...).Err; !errors.As(err, &e) || e.Name != "org.vignette.Error."+name {
		b.t.Errorf("%s: %v, want %s", member, err, name)
	}
}

// TestInstalledCardIsDisabled installs a card: nobody has it enabled, neither who
// drives, nor who drove before, nor who was never seen, until he says yes; a new
// version is to be enabled anew, also after a start; and the journal replays.
func TestInstalledCardIsDisabled(t *testing.T) {
	b := newDeckBench(t)
	b.start()
	b.frame(0, 126)
	b.call("SetUser", uint64(7))
	b.call("SetUser", uint64(0))
	r := b.install(deckCard("gift", "1.0.0", "moon", "Private.Bell"))
	if r["installed"].Value() != true || r["card"].Value() != "gift" || r["wider"].Value() != true || r["before"].Value() != "" {
		t.Errorf("the report is %v", r)
	}
	if text := strings.Join(r["text"].Value().([]string), "\n"); !strings.Contains(text, "bell") {
		t.Errorf("in plain words:\n%s", text)
	}
	if rows := r["diagnostics"].Value().([]map[string]dbus.Variant); len(rows) != 1 || rows[0]["severity"].Value() != "warning" || rows[0]["pass"].Value() != "cost" {
		t.Errorf("the checks say %v", rows)
	}
	touch := r["touches"].Value().([]map[string]dbus.Variant)[0]
	if touch["actuator"].Value() != "Private.Bell" || touch["lease"].Value() != "1h0m0s" || !slices.Equal(touch["values"].Value().([]string), []string{"true"}) {
		t.Errorf("it touches %v", touch)
	}
	disabled := func() {
		t.Helper()
		b.call("Occur", "button moon", true)
		b.decided("card", "gift", "what", "blocked", "why", "disabled")
	}
	for _, user := range []uint64{7, 8, 0} {
		disabled()
		b.call("SetUser", user)
	}
	b.call("EnableCard", "gift", true)
	b.call("Occur", "button moon", true)
	b.decided("card", "gift", "what", "acted")
	b.call("SetUser", uint64(9)) // was never seen
	disabled()
	b.call("SetUser", uint64(0))
	if b.install(deckCard("gift", "1.0.0", "moon", "Private.Bell"))["wider"].Value() != false {
		t.Error("the same card is wider than it was")
	}
	b.call("Occur", "button moon", true)
	b.decided("card", "gift", "what", "acted") // it is the version that he enabled
	b.stop()

	b.start()
	b.frame(0, 126)
	b.call("Occur", "button moon", true)
	b.decided("card", "gift", "what", "fired") // what he said is kept
	r = b.install(deckCard("gift", "1.1.0", "moon", "Private.Bell"))
	b.decided("card", "gift", "what", "ended", "why", "changed")
	if r["before"].Value() != "1.0.0" {
		t.Errorf("the report is %v", r)
	}
	disabled()
	b.stop()

	b.start()
	b.frame(0, 126)
	disabled()
	b.call("Remove", "gift")
	b.decided("what", "reload")
	b.refused("UnknownCard", "EnableCard", "gift", true)
	b.stop()
	if files, err := os.ReadDir(b.path("state/cards")); err != nil || len(files) > 0 {
		t.Errorf("removed, and there is %v, %v", files, err)
	}
}

// TestInstallRefuses what is no card, what is too much and what the car came with: nothing is written, and nothing else runs.
func TestInstallRefuses(t *testing.T) {
	b := newDeckBench(t)
	b.start()
	good := deckCard("gift", "1.0.0", "moon", "Private.Bell")
	for _, c := range []struct{ name, text, want string }{
		{"no YAML", "{", "card:1"},
		{"an unknown button", strings.Replace(good, "moon", "sun", 1), "card:6:"},
		{"an actuator that the car does not have", strings.Replace(good, "Bell", "Gong", 1), "card:8:"},
	} {
		r := b.install(c.text)
		rows := r["diagnostics"].Value().([]map[string]dbus.Variant)
		if r["installed"].Value() != false || len(rows) == 0 {
			t.Errorf("%s: %v", c.name, r)
			continue
		}
		if at := fmt.Sprintf("%v:%v:", rows[0]["file"].Value(), rows[0]["line"].Value()); !strings.HasPrefix(at, c.want) || rows[0]["severity"].Value() != "error" {
			t.Errorf("%s: %v, want it at %s", c.name, rows, c.want)
		}
	}
	b.refused("CameWithCar", "Install", deckCard("a", "2.0.0", "moon", "Private.Bell"))
	b.refused("CameWithCar", "Remove", "a")
	b.refused("UnknownCard", "Remove", "nosuch")
	b.refused("UnknownCard", "Remove", "../../cards/a")
	for i := range maxInstalled - 1 {
		id := fmt.Sprintf("g%d", i)
		b.write("state/cards/"+id+".yaml", deckCard(id, "1.0.0", "moon", "Private.Bell"))
	}
	b.call("Reload")
	b.install(good)
	b.refused("LimitsExceeded", "Install", deckCard("more", "1.0.0", "moon", "Private.Bell"))
	b.install(strings.Replace(good, "1.0.0", "1.0.1", 1))
	if log := b.stop(); strings.Count(log, `"what":"reload"`) > 4 {
		t.Errorf("what was refused was a reload:\n%s", log)
	}
	b.config.State, b.config.Journal = "", ""
	b.start()
	b.refused("NotSupported", "Install", good)
}

// TestKilledInstall kills the agent at every point of installing a card over one
// that is enabled: after the next start the card is the old one, enabled, or the new
// one, which nobody has enabled, and nothing is left over.
func TestKilledInstall(t *testing.T) {
	for _, point := range []string{"begin", "staged", "renamed", "synced"} {
		t.Run(point, func(t *testing.T) {
			b := newDeckBench(t)
			b.start()
			b.install(deckCard("gift", "1.0.0", "moon", "Private.Bell"))
			b.call("EnableCard", "gift", true)
			b.stop()
			b.killed(point, "Install", deckCard("gift", "2.0.0", "moon", "Private.Bell"))
			b.start()
			b.call("Occur", "button moon", true)
			if point == "begin" || point == "staged" {
				b.decided("card", "gift", "what", "fired")
			} else {
				b.decided("card", "gift", "what", "blocked", "why", "disabled")
			}
			b.call("SetUser", uint64(3))
			b.call("Occur", "button moon", true)
			b.decided("card", "gift", "what", "blocked", "why", "disabled")
			b.stop()
			if left, err := filepath.Glob(b.path("state/cards/*.new")); err != nil || left != nil {
				t.Errorf("left over: %q, %v", left, err)
			}
		})
	}
}

// killed runs an agent of its own process that kills itself at a point of what a
// method does; point/2 is the second time that it gets there.
func (b *deckBench) killed(point, member string, args ...any) {
	b.t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilledChild$")
	cmd.Env = append(os.Environ(), "KILL_AT="+point, "KILL_DIR="+b.dir, "KILL_BUS="+b.config.Bus, "KILL_TRUST="+b.config.Packs.Trust)
	out, err := cmd.StderrPipe()
	if err != nil {
		b.t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	var said []string
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if said = append(said, lines.Text()); strings.Contains(lines.Text(), "msg=running") {
			b.agent.Go(uibridge.AgentInterface+"."+member, dbus.FlagNoReplyExpected, nil, args...)
		}
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		b.t.Fatalf("the agent was not killed: %v\n%s", err, strings.Join(said, "\n"))
	}
}

// TestKilledChild is the process that TestKilledInstall kills; run by itself it
// does nothing.
func TestKilledChild(t *testing.T) {
	dir := os.Getenv("KILL_DIR")
	if dir == "" {
		return
	}
	openSockets = func(socketcan.Options) (sockets, error) {
		return &fakeSockets{batch: make(chan []socketcan.Item)}, nil
	}
	c := Defaults()
	c.Vehicle, c.Cards, c.Unsigned, c.Bus = filepath.Join(dir, "car/vehicle.yaml"), []string{filepath.Join(dir, "cards")}, true, os.Getenv("KILL_BUS")
	c.State, c.Packs.Trust = filepath.Join(dir, "state"), os.Getenv("KILL_TRUST")
	at, nth, _ := strings.Cut(os.Getenv("KILL_AT"), "/")
	observeDecks = func(point string) {
		if point != at {
			return
		}
		if nth == "2" {
			nth = ""
			return
		}
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	}
	t.Error(Run(context.Background(), &c, slog.New(slog.NewTextHandler(os.Stderr, nil))))
}
