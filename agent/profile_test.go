package agent

import (
	"crypto/sha256"
	"fmt"
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
	key, err := sign.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	b.write("oem.pub", string(key.Public().File()))
	b.config.Unsigned, b.config.Trust = false, []string{b.path("oem.pub")}
	pinned := func(text string) string {
		return strings.Replace(text, "dbc: [car.dbc]", fmt.Sprintf("dbc: [{file: car.dbc, sha256: %x}]", sha256.Sum256([]byte(deckDBC))), 1)
	}
	signed := func(text string) {
		t.Helper()
		sig, err := key.Sign([]byte(text), "a test")
		if err != nil {
			t.Fatal(err)
		}
		b.write("car/vehicle.yaml.minisig", string(sig))
	}
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
