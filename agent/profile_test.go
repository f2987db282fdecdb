package agent

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/godbus/dbus/v5"

	"vignette/can/socketcan"
	"vignette/scenes/sign"
	uibridge "vignette/ui-bridge"
)

// secondVehicle is deckVehicle with another call, a signal of another message
// instead of Private.Old, and a higher version.
var secondVehicle = strings.NewReplacer("version: 1", "version: 2", "member: Set", "member: Put",
	"Private.Old: {from: pt.M.S, unit: km/h", "Private.New: {from: pt.N.H, unit: percent").Replace(deckVehicle)

// TestProfileWaitsUntilParked changes the profile of a driving car: it waits, which
// is shown, is taken when the car is parked, ends what runs by the old profile's
// calls, and from then on calls, decodes and tells watchers by the new one.
func TestProfileWaitsUntilParked(t *testing.T) {
	b := newDeckBench(t)
	b.start()
	b.frame(50, 4)
	b.call("Watch", []string{"Vehicle.Speed", "Private.Old"})
	b.call("Occur", "button star", true)
	b.lamp("Set on")
	b.write("car/vehicle.yaml", secondVehicle)
	b.problems("vehicle.yaml: version 2 of profile small waits until the car is parked")
	b.write("cards/b.yaml", deckCard("b", "1.0.0", "moon", "Private.Bell"))
	b.decided("what", "reload", "why", "cards") // with the old profile
	b.frame(0, 126)
	b.lamp("Set off")
	b.await("Unwatched", func(s *dbus.Signal) bool {
		return s.Name == uibridge.AgentInterface+".Unwatched" && slices.Equal(s.Body[0].([]string), []string{"Private.Old"})
	})
	b.problems()
	b.call("Watch", []string{"Vehicle.Speed", "Private.New"})
	b.refused("UnknownSignal", "Watch", []string{"Private.Old"})
	b.call("Occur", "button star", true)
	b.lamp("Put on")
	b.call("Occur", "button moon", true)
	b.decided("card", "b", "what", "acted")
	b.frame(30, 4)
	b.await("the speed", func(s *dbus.Signal) bool {
		return s.Name == uibridge.AgentInterface+".Values" && s.Body[0].(map[string]dbus.Variant)["Vehicle.Speed"].Value() == 30.0
	})
	b.fake.mu.Lock()
	if want := []socketcan.Filter{{ID: 1}, {ID: 2}}; !slices.Equal(b.fake.filters, want) {
		t.Errorf("the kernel lets %v through, want %v", b.fake.filters, want)
	}
	b.fake.mu.Unlock()
	log := b.stop()
	if n := strings.Count(log, `"what":"reload","why":"profile"`); n != 1 {
		t.Errorf("%d reloads of the profile, want 1\n%s", n, log)
	}
}

// TestProfileIsRefused: what is no profile, one of other buses and one that could
// never be taken are told, and the one that runs goes on.
func TestProfileIsRefused(t *testing.T) {
	b := newDeckBench(t)
	b.start()
	b.frame(0, 126)
	for _, c := range []struct{ text, want string }{
		{"schema: 1\nid: small\n", "vehicle.yaml"},
		{strings.Replace(secondVehicle, "can0", "can1", 1), "version 2 of profile small has other buses than the one that runs; restart the agent"},
		{strings.Replace(secondVehicle, "interface: can0", "interface: can0, fd: true", 1), "has other buses"},
		{strings.Replace(secondVehicle, "pt.N.H", "pt.N.X", 1), "message N has no signal `X`"},
	} {
		b.write("car/vehicle.yaml", c.text)
		b.problemsLike(c.want)
	}
	b.write("car/vehicle.yaml", deckVehicle)
	b.problems()
	b.call("Occur", "button star", true)
	b.lamp("Set on")
	never := strings.ReplaceAll(secondVehicle, "parked", "standing")
	b.write("car/vehicle.yaml", never)
	b.decided("what", "reload", "why", "profile")
	b.write("car/vehicle.yaml", strings.Replace(never, "version: 2", "version: 3", 1))
	b.problems("version 3 of profile small waits for a restart: the profile that runs has no state `parked`")
	b.stop()
}

// TestSignedProfile: in a car another profile is taken only with its signature, and
// its version only grows.
func TestSignedProfile(t *testing.T) {
	b := newDeckBench(t)
	signed := b.signs()
	first, second := pinned(deckVehicle), pinned(secondVehicle)
	b.write("car/vehicle.yaml", first)
	signed(first)
	b.start()
	b.frame(0, 126)
	b.write("car/vehicle.yaml", second)
	b.problems("the signature does not fit")
	signed(second)
	b.decided("what", "reload", "why", "profile")
	b.problems()
	b.write("car/vehicle.yaml", first)
	signed(first)
	b.problems("version 1 of profile small, but this car has had version 2; a version only grows")
	b.stop()
}

// pinned is a profile that names its DBC with what is in it.
func pinned(text string) string {
	return strings.Replace(text, "dbc: [car.dbc]", fmt.Sprintf("dbc: [{file: car.dbc, sha256: %x}]", sha256.Sum256([]byte(deckDBC))), 1)
}

// signs has the bench be a car, which trusts a key, and returns what signs a profile
// with it.
func (b *deckBench) signs() func(text string) {
	b.t.Helper()
	key, err := sign.GenerateKey(nil)
	if err != nil {
		b.t.Fatal(err)
	}
	b.write("oem.pub", string(key.Public().File()))
	b.config.Unsigned, b.config.Trust = false, []string{b.path("oem.pub")}
	return func(text string) {
		b.t.Helper()
		sig, err := key.Sign([]byte(text), "a test")
		if err != nil {
			b.t.Fatal(err)
		}
		b.write("car/vehicle.yaml.minisig", string(sig))
	}
}

// TestLastGoodProfile starts a car whose profile a power loss or an update has left
// unfit: the last good one takes its place, which is told, and the configured one is
// taken once it is whole. What nobody trusts any more takes no place, nor what is
// torn itself.
func TestLastGoodProfile(t *testing.T) {
	b := newDeckBench(t)
	signed := b.signs()
	first, second := pinned(deckVehicle), pinned(secondVehicle)
	whole := func(text string) {
		b.write("car/vehicle.yaml", text)
		signed(text)
		b.write("car/car.dbc", deckDBC)
	}
	whole(first)
	b.config.Journal = "" // it is kept for its own sake
	b.start()
	b.end()
	for _, c := range []struct {
		name, want string
		spoil      func()
	}{
		{"torn", "vehicle.yaml", func() { b.write("car/vehicle.yaml", second[:len(second)/2]) }},
		{"empty", "vehicle.yaml", func() { b.write("car/vehicle.yaml", "") }},
		{"gone", "vehicle.yaml", func() { b.remove("car/vehicle.yaml") }},
		{"with the signature of before", "the signature does not fit", func() { b.write("car/vehicle.yaml", second) }},
		{"without a signature", "is not signed", func() { b.remove("car/vehicle.yaml.minisig") }},
		{"with a torn DBC", "car.dbc", func() { b.write("car/car.dbc", deckDBC[:40]) }},
	} {
		c.spoil()
		b.start()
		b.problemsLike(c.want)
		b.call("Occur", "button star", true)
		b.lamp("Set on")
		whole(first)
		b.problems()
		b.end()
		b.lamp("Set off")
	}
	b.write("car/vehicle.yaml", second[:99])
	b.start()
	b.frame(0, 126)
	b.problemsLike("vehicle.yaml")
	whole(second)
	b.decided("what", "reload", "why", "profile")
	b.problems()
	b.end()
	whole(first) // a system that was rolled back
	b.start()
	b.problems("version 1 of profile small, but this car has had version 2")
	b.call("Occur", "button star", true)
	b.lamp("Put on")
	b.end()
	b.lamp("Put off")

	b.write("car/vehicle.yaml", "")
	kept, err := filepath.Glob(b.path("state/versions/*/profile.yaml"))
	if err != nil || len(kept) != 2 {
		t.Fatalf("%q, %v", kept, err)
	}
	key := b.path("oem.pub")
	b.config.Trust = []string{b.path("other.pub")}
	other, err := sign.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	b.write("other.pub", string(other.Public().File()))
	if err := Run(t.Context(), b.config, quiet()); err == nil || !strings.Contains(err.Error(), "no profile of before can take its place") {
		t.Errorf("the key of the last good one is trusted no more: %v", err)
	}
	b.config.Trust = []string{key}
	for _, file := range kept {
		if err := os.Truncate(file, 99); err != nil {
			t.Fatal(err)
		}
	}
	if err := Run(t.Context(), b.config, quiet()); err == nil || !strings.Contains(err.Error(), "no profile of before can take its place") {
		t.Errorf("the last good one is torn: %v", err)
	}
}
