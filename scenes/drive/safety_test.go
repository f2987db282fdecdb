package drive_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vignette/scenes"
	"vignette/scenes/engine"
	"vignette/scenes/sign"
)

// TestSafety tries to break each safety rule, on compiled cards and a stream
// through the pump. Besides what a rule's test asks, the watch of watch_test.go
// looks at every record and call of all of them.
func TestSafety(t *testing.T) {
	for _, rule := range []struct {
		name string
		try  func(t *testing.T)
	}{
		{"never", tryNever},
		{"range", tryRange},
		{"lease too long", tryLease},
		{"min_interval", tryInterval},
		{"wrong state", tryState},
		{"state after a wait", tryStateAfterWait},
		{"stale speed", tryStaleSpeed},
		{"frozen counter", tryFrozenCounter},
		{"unknown base", tryUnknownBase},
		{"two cards fight", tryFight},
		{"two cards of one rank fight", tryEvenFight},
		{"loop of three cards", tryLoop},
		{"loop that forgets its cause", tryLateLoop},
		{"flood", tryFlood},
		{"driver's hand", tryHand},
		{"driver's yes", tryConfirm},
		{"actuator refuses", tryRefusal},
		{"actuator never answers", trySilence},
		{"actuator does not obey", tryDisobedience},
		{"lease_ms", tryLeaseMS},
		{"changed DBC", tryChangedDBC},
		{"changed profile", tryChangedProfile},
	} {
		t.Run(rule.name, rule.try)
	}
}

// refused compiles a card that must be refused, for this reason.
func refused(t *testing.T, card, reason string) {
	t.Helper()
	v, err := provingVehicle(t, provingProfile)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := compileScenes(v, card); err == nil || !strings.Contains(err.Error(), reason) {
		t.Errorf("the card was refused with %v, want %q", err, reason)
	}
}

var onGo = []string{"event: go"}

// denied has a card whose request the gate must deny, and lets no call out. The
// card is spoilt after check has passed it: the gate is a layer of its own.
func denied(t *testing.T, why string, spoil func(p *engine.Program)) {
	t.Helper()
	p := proveCards(t, scene("a", onGo, []string{set(seat, 60, "1m", "")}))
	spoil(&p.prog.Engine)
	p.stand(10 * second)
	p.at(2*second, func() { p.occur("event go") })
	p.run(10 * second)
	if p.count(engine.Denied, "a", why) != 1 || len(p.calls) > 0 {
		t.Errorf("%d calls and not one denied why %s:\n%s", len(p.calls), why, p.log())
	}
}

func tryNever(t *testing.T) {
	refused(t, scene("a", onGo, []string{"set: Vehicle.Chassis.ParkingBrake.IsEngaged, to: false, lease: 1m"}), "may never be set")
	profile := strings.Replace(provingProfile, "Vehicle.Cabin.Sunroof.Position:", "Vehicle.Chassis.Accelerator.PedalPosition:", 1)
	if _, err := provingVehicle(t, profile); err == nil || !strings.Contains(err.Error(), "Vehicle.Chassis.*") {
		t.Errorf("an actuator that the profile forbids was listed: %v", err)
	}
	denied(t, "policy", func(p *engine.Program) { p.Actuators[1].Forbidden = true })
}

func tryRange(t *testing.T) {
	refused(t, scene("a", onGo, []string{set(fan, 90, "1m", "")}), "0 to 80")
	refused(t, scene("a", onGo, []string{set(fan, 55, "1m", "")}), "step")
	refused(t, scene("a", onGo, []string{set(fan, 60, "1m", ", at_end: {set: -10}")}), "0 to 80")
	denied(t, "range", func(p *engine.Program) { p.Cards[0].Then[0].Value.Num = 90 })
}

func tryLease(t *testing.T) {
	refused(t, scene("a", onGo, []string{set(fan, 60, "31m", "")}), "30m")
	denied(t, "lease", func(p *engine.Program) { p.Cards[0].Then[0].Lease = 11 * minute })
	denied(t, "lease", func(p *engine.Program) { p.Cards[0].Then[0].Lease = 0 })
}

// tryInterval: two cards ask by turns ten times a second for a minute; starts
// are 2 s apart.
func tryInterval(t *testing.T) {
	p := proveCards(t,
		scene("a", []string{"signal: Private.Bench.A, changes: true"}, []string{set(fan, 60, "10m", "")}),
		scene("b", []string{"signal: Private.Bench.B, changes: true"}, []string{set(fan, 30, "10m", "")}, "priority: 5"))
	p.prog.Engine.Quarantine.Fires = 0
	p = prove(t, p.prog)
	p.stand(70 * second)
	p.every(200*ms, second, 61*second, func(i int) { p.frame(aID, i+1) })
	p.every(200*ms, second+100*ms, 61*second, func(i int) { p.frame(bID, i+1) })
	p.run(70 * second)
	if n := p.sets(fan, ""); n < 25 || n > 31 {
		t.Errorf("%d starts in a minute, want about 30", n)
	}
	if p.count(engine.Denied, "", "interval") < 400 {
		t.Error("few requests came too often")
	}
}

// tryState: a parked-only actuator is denied while driving, and its lease ends
// when the car is taken out of park.
func tryState(t *testing.T) {
	p := proveCards(t, scene("a", onGo, []string{set(seat, 60, "10m", ""), "do: tip"}))
	p.stand(60 * second)
	p.at(2*second, func() { p.occur("event go") })
	p.at(10*second, func() { p.gear(gear) })
	p.at(20*second, func() { p.occur("event go") })
	p.run(9 * second)
	if !p.held() || p.sets(seat, "a") != 1 {
		t.Fatalf("the card did not set the seat while parked:\n%s", p.log())
	}
	p.run(60 * second)
	if p.count(engine.Ended, "a", "state:idling") != 1 || p.count(engine.Denied, "a", "state:idling") != 1 || p.sets(seat, "a") != 1 {
		t.Errorf("out of park:\n%s", p.log())
	}
}

// tryStateAfterWait: the gate judges when the action comes, not when the card
// fired.
func tryStateAfterWait(t *testing.T) {
	p := proveCards(t, scene("a", onGo, []string{"wait: 5s", "do: tip, on_error: continue", set(seat, 60, "10m", "")}, "only_if:", "  - {state: parked}"))
	p.stand(4 * second)
	p.every(100*ms, 4100*ms, 20*second, func(int) { p.speed(30) })
	p.at(2*second, func() { p.occur("event go") })
	p.run(20 * second)
	if p.count(engine.Fired, "a", "") != 1 || p.count(engine.Denied, "a", "state:moving") != 2 || len(p.calls) > 0 {
		t.Errorf("driven off in the wait:\n%s", p.log())
	}
}

// loseSpeed has the speed of a parked car lost at 10 s: a lease is given up
// within stale_after, and nothing new is granted.
func loseSpeed(t *testing.T, lose func(p *proving)) {
	t.Helper()
	p := proveCards(t, scene("a", onGo, []string{set(seat, 60, "10m", "")}))
	p.stand(10 * second)
	p.at(2*second, func() { p.occur("event go") })
	lose(p)
	p.at(20*second, func() { p.occur("event go") })
	p.run(30 * second)
	if p.count(engine.Ended, "a", "state:moving") != 1 || p.count(engine.Denied, "a", "state:moving") != 1 || p.sets(seat, "a") != 1 {
		t.Fatalf("with the speed lost:\n%s", p.log())
	}
	for i := range p.watch.log {
		if r := &p.watch.log[i]; r.What == engine.Ended && r.T != 11*second {
			t.Errorf("the lease ended at %d ms, want 11000", r.T/ms)
		}
	}
}

func tryStaleSpeed(t *testing.T) {
	loseSpeed(t, func(*proving) {})
}

func tryFrozenCounter(t *testing.T) {
	loseSpeed(t, func(p *proving) {
		p.at(10*second+1, func() { p.stopped = true })
		p.every(100*ms, 10*second+100*ms, 40*second, func(int) { p.speed(0) })
	})
}

// tryUnknownBase: what nobody can restore is not set.
func tryUnknownBase(t *testing.T) {
	p := proveCards(t, scene("a", onGo, []string{set(fan, 60, "1m", "")}))
	p.at(2*second, func() { p.occur("event go") })
	p.at(4*second, func() { p.frame(fanID, 20) })
	p.at(6*second, func() { p.occur("event go") })
	p.run(5 * second)
	if p.count(engine.Denied, "a", "base") != 1 || len(p.calls) > 0 {
		t.Errorf("with the base unknown:\n%s", p.log())
	}
	p.run(100 * second)
	if last := p.calls[len(p.calls)-1]; p.sets(fan, "a") != 1 || last.Kind != engine.CallEnd || last.Value.Num != 20 {
		t.Errorf("with a base of 20:\n%s", p.log())
	}
}

// fight has two cards pull at the fan for 10 minutes, each about five times a
// second, with no quarantine to part them.
func fight(t *testing.T, priority string) (p *proving) {
	t.Helper()
	p = proveCards(t,
		scene("a", []string{"signal: Private.Bench.A, changes: true"}, []string{set(fan, 60, "20s", "")}),
		scene("b", []string{"signal: Private.Bench.B, changes: true"}, []string{set(fan, 30, "20s", "")}, priority))
	p.prog.Engine.Quarantine.Fires = 0
	p = prove(t, p.prog)
	p.stand(700 * second)
	p.every(170*ms, second, 601*second, func(i int) { p.frame(aID, i+1) })
	p.every(230*ms, second, 601*second, func(i int) { p.frame(bID, i+1) })
	p.run(700 * second)
	if n := len(p.calls); n > 302 { // a start in 2 s, and an end or two
		t.Errorf("%d calls in 10 minutes", n)
	}
	return p
}

// turns counts how often the command to the fan changed.
func (p *proving) turns() (n int) {
	for i := 1; i < len(p.calls); i++ {
		if p.calls[i].Value != p.calls[i-1].Value {
			n++
		}
	}
	return n
}

// tryFight: the card of the higher rank takes the fan once and keeps it.
func tryFight(t *testing.T) {
	p := fight(t, "priority: 5")
	if n := p.turns(); n > 3 { // a, b, then a while its lease outlasts b's, the base
		t.Errorf("the command changed %d times in 10 minutes:\n%s", n, p.log())
	}
	if p.count(engine.Lost, "a", "winner:b") < 30 {
		t.Error("card a hardly tried")
	}
}

// tryEvenFight: of two cards of one rank the one that holds the fan keeps it.
func tryEvenFight(t *testing.T) {
	p := fight(t, "priority: 0")
	if n := p.turns(); n > 1 || p.count(engine.Lost, "b", "winner:a") < 30 { // to the base
		t.Errorf("the command changed %d times in 10 minutes:\n%s", n, p.log())
	}
}

// circle is three cards that pass the fan on to each other and let go of it, so
// that each may have it.
func circle(t *testing.T) *proving {
	t.Helper()
	var cards []string
	for i, id := range []string{"a", "b", "c"} {
		when := []string{"signal: " + fan + ", becomes: " + []string{"30", "40", "50"}[i] + ", unit: percent"}
		cards = append(cards, scene(id, when, []string{set(fan, []int{40, 50, 30}[i], "10s", ", at_end: leave"), "release: " + fan}))
	}
	v, err := provingVehicle(t, strings.Replace(provingProfile, "min_interval: 2s", "min_interval: 0s", 1))
	if err != nil {
		t.Fatal(err)
	}
	prog, err := compileScenes(v, cards...)
	if err != nil {
		t.Fatal(err)
	}
	return prove(t, prog)
}

// tryLoop: what the cards' own acts bring about ends at depth 5.
func tryLoop(t *testing.T) {
	p := circle(t)
	p.stand(600 * second)
	p.at(2*second, func() { p.frame(fanID, 30) })
	p.run(600 * second)
	if p.count(engine.Blocked, "", "depth") != 1 || p.sets(fan, "") != 5 || p.held() {
		t.Errorf("%d rounds, want 5:\n%s", p.sets(fan, ""), p.log())
	}
}

// tryLateLoop: an actuator that follows when its readback's time is over tells
// nobody what moved it. Then the quarantine ends the loop.
func tryLateLoop(t *testing.T) {
	p := circle(t)
	p.late = 2600 * ms
	p.stand(600 * second)
	p.at(2*second, func() { p.frame(fanID, 30) })
	p.run(600 * second)
	if n := p.sets(fan, ""); p.count(engine.Quarantined, "", "fires") != 1 || n > 15 || n < 6 || p.held() {
		t.Errorf("%d rounds:\n%s", n, p.log())
	}
}

// tryFlood: a card that fires twenty times a second is stopped at the sixth
// firing, loses its lease and stays off; another goes on, and the driver can
// free it.
func tryFlood(t *testing.T) {
	p := proveCards(t,
		scene("flood", []string{"signal: Private.Bench.A, changes: true"}, []string{set(fan, 60, "10m", ", on_error: continue"), "do: mark"}, "reentry: restart"),
		scene("good", []string{"signal: Private.Bench.B, changes: true"}, []string{"do: mark"}))
	p.stand(700 * second)
	p.every(50*ms, second, 600*second, func(i int) { p.frame(aID, i+1) })
	p.every(100*second, 50*second, 600*second, func(i int) { p.frame(bID, i+1) })
	p.run(660 * second)
	if p.count(engine.Fired, "flood", "") != 5 || p.count(engine.Quarantined, "flood", "fires") != 1 || p.count(engine.Ended, "flood", "quarantined") != 1 {
		t.Errorf("the flood fired %d times", p.count(engine.Fired, "flood", ""))
	}
	if n := p.count(engine.Fired, "good", ""); n != 6 {
		t.Errorf("the other card fired %d times, want 6", n)
	}
	if p.count(engine.Blocked, "flood", "quarantined") < 10_000 || p.sets(fan, "") != 1 {
		t.Error("the flood is not kept off")
	}
	i, _ := p.prog.Card("flood")
	p.event(engine.Event{Kind: engine.EvFree, Card: i})
	p.frame(aID, 0)
	if p.count(engine.Fired, "flood", "") != 6 {
		t.Error("freed by the driver, the card does not fire")
	}
}

// tryHand: the driver's hand ends the lease without a call, and for 10 minutes
// no card, of whatever rank and run by hand too, gets the fan back.
func tryHand(t *testing.T) {
	p := proveCards(t,
		scene("a", onGo, []string{set(fan, 60, "30m", "")}),
		scene("b", []string{"signal: Private.Bench.B, changes: true"}, []string{set(fan, 30, "30m", "")}, "priority: 10", "manual: true"))
	p.prog.Engine.Quarantine.Fires = 0
	p = prove(t, p.prog)
	p.stand(700 * second)
	p.at(2*second, func() { p.occur("event go") })
	p.at(10*second, func() { p.frame(fanID, 0) })
	p.every(10*second, 11*second, 690*second, func(i int) { p.frame(bID, i+1) })
	p.every(60*second, 31*second, 600*second, func(int) { p.event(engine.Event{Kind: engine.EvRun, Card: 1}) })
	p.run(609 * second)
	if p.count(engine.Override, "", "") != 1 || p.count(engine.Lost, "b", "winner:driver") < 65 || len(p.calls) != 1 {
		t.Fatalf("%d calls in the driver's ten minutes:\n%s", len(p.calls), p.log())
	}
	p.run(690 * second)
	if p.sets(fan, "b") == 0 {
		t.Error("after the ten minutes no card gets the fan")
	}
}

// tryConfirm: without the driver's yes nothing moves: no answer, a no, and a
// yes that comes when the car drives.
func tryConfirm(t *testing.T) {
	p := proveCards(t, scene("a", onGo, []string{set(roof, 40, "5m", ", at_end: {set: 0}")}))
	p.stand(60 * second)
	ask := func(at, after int64, yes bool) {
		p.at(at, func() { p.occur("event go") })
		p.at(at+after, func() {
			i := slices.IndexFunc(p.watch.log, func(r engine.Record) bool { return r.What == engine.Asked && r.T == at })
			p.event(engine.Event{Kind: engine.EvAnswer, Session: 1, Ref: p.watch.log[i].N, OK: yes})
		})
	}
	ask(10*second, 6*second, true) // too late
	ask(20*second, second, false)
	p.every(100*ms, 60*second+100*ms, 64*second, func(int) { p.speed(30) })
	ask(60*second, 2*second, true) // drives by then
	p.every(100*ms, 64*second+100*ms, 100*second, func(int) { p.speed(0) })
	p.run(80 * second)
	for _, want := range []struct {
		what engine.What
		why  string
	}{{engine.Declined, "timeout"}, {engine.Dropped, "answer"}, {engine.Declined, "no"}, {engine.Denied, "state:moving"}} {
		if p.count(want.what, "", want.why) != 1 {
			t.Errorf("no %s %s:\n%s", want.what, want.why, p.log())
		}
	}
	if len(p.calls) > 0 {
		t.Fatalf("%d calls without the driver's yes", len(p.calls))
	}
	ask(90*second, second, true)
	p.run(95 * second)
	if p.sets(roof, "a") != 1 {
		t.Errorf("with the driver's yes:\n%s", p.log())
	}
}

// endTries are the times between the tries to end a lease, in s.
func (p *proving) endTries() (waits []int64) {
	last := int64(0)
	for i := range p.watch.log {
		if r := &p.watch.log[i]; r.What == engine.Acted && r.Action == "end" {
			if last > 0 {
				waits = append(waits, (r.T-last)/second)
			}
			last = r.T
		}
	}
	return waits
}

// tryRefusal: a service that refuses ends the lease at once; an end that is
// refused is tried again after 1, 2, 4 … 60 s; the queue goes on as on_error
// says, and the card is free to fire again.
func tryRefusal(t *testing.T) {
	p := proveCards(t, scene("a", onGo, []string{set(fan, 60, "10s", ", on_error: continue"), "do: mark"}))
	p.serve = func(c *engine.Call) (int64, bool, bool) { return 0, false, true }
	p.stand(400 * second)
	p.at(2*second, func() { p.occur("event go") })
	p.at(300*second, func() { p.serve = nil })
	p.at(350*second, func() { p.occur("event go") })
	p.run(340 * second)
	if got, want := p.endTries(), []int64{1, 2, 4, 8, 16, 32, 60, 60, 60, 60}; !slices.Equal(got, want) {
		t.Errorf("the end was tried again after %v s, want %v", got, want)
	}
	if p.count(engine.Acted, "a", "") != 1+11+1 || p.held() {
		t.Errorf("the queue did not go on, or the lease stayed:\n%s", p.log())
	}
	p.run(355 * second)
	if p.count(engine.Fired, "a", "") != 2 || p.sets(fan, "a") != 2 || !p.held() {
		t.Errorf("once the service accepts:\n%s", p.log())
	}
}

// trySilence: a service that never answers counts as failed after its 500 ms;
// the lease ends, the end is tried again, the queue is not stuck.
func trySilence(t *testing.T) {
	p := proveCards(t, scene("a", onGo, []string{set(fan, 60, "10m", ", on_error: continue"), "do: mark"}))
	p.serve = func(c *engine.Call) (int64, bool, bool) { return 0, false, false }
	p.stand(100 * second)
	p.at(2*second, func() { p.occur("event go") })
	p.run(2900 * ms)
	if p.count(engine.Failed, "a", "timeout") != 1 || p.count(engine.Ended, "a", "timeout") != 1 || p.count(engine.Acted, "a", "") != 3 {
		t.Errorf("after the call's limit:\n%s", p.log())
	}
	p.at(50*second, func() { p.occur("event go") })
	p.run(60 * second)
	if got := p.endTries()[:4]; !slices.Equal(got, []int64{1, 2, 4, 8}) { // and the 500 ms before
		t.Errorf("the end was tried again after %v s", got)
	}
	if p.count(engine.Fired, "a", "") != 2 {
		t.Errorf("the queue is stuck:\n%s", p.log())
	}
}

// tryDisobedience: an actuator that accepts and does not move is reported, for
// the set and for its end.
func tryDisobedience(t *testing.T) {
	p := proveCards(t, scene("a", onGo, []string{set(fan, 60, "10s", "")}))
	p.deaf = true
	p.stand(60 * second)
	p.at(2*second, func() { p.occur("event go") })
	p.run(60 * second)
	if p.count(engine.Failed, "a", "readback") != 2 || p.held() {
		t.Errorf("the readback is not missed:\n%s", p.log())
	}
}

// tryLeaseMS: the agent dies with a lease held; the service, which knows only
// what it was told, ends it itself, and not before the agent would have.
func tryLeaseMS(t *testing.T) {
	p := proveCards(t, scene("a", onGo, []string{set(fan, 60, "10s", "")}))
	p.stand(60 * second)
	p.at(2*second, func() { p.occur("event go") })
	p.run(5 * second) // and nothing more
	call := p.calls[0]
	reading := 2*second + (60-20)*second/20
	if ends, want := 2*second+call.LeaseMS*ms, 12*second+500*ms+reading; len(p.calls) != 1 || ends != want {
		t.Errorf("the service ends the lease at %d ms, want %d", ends/ms, want/ms)
	}
}

// signedCar is a directory with a signed profile that pins its DBC.
func signedCar(t *testing.T) (profile string, keys []sign.PublicKey) {
	t.Helper()
	v, err := provingVehicle(t, provingProfile)
	if err != nil {
		t.Fatal(err)
	}
	pinned := strings.Replace(provingProfile, "dbc: [bench.dbc]", "dbc: [{file: bench.dbc, sha256: "+v.Buses[0].DBCs[0].SHA256+"}]", 1)
	key, err := sign.GenerateKey(bytes.NewReader(make([]byte, 64)))
	if err != nil {
		t.Fatal(err)
	}
	signature, err := key.Sign([]byte(pinned), "the proving ground")
	if err != nil {
		t.Fatal(err)
	}
	profile = v.File
	for name, text := range map[string][]byte{profile: []byte(pinned), profile + ".minisig": signature} {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := scenes.LoadSignedVehicle(profile, []sign.PublicKey{key.Public()}); err != nil {
		t.Fatal(err)
	}
	return profile, []sign.PublicKey{key.Public()}
}

// change replaces a text in a file by another of the same length.
func change(t *testing.T, file, old, new string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(text), old, new, 1)
	if changed == string(text) {
		t.Fatalf("%s has no %q", file, old)
	}
	if err := os.WriteFile(file, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
}

// mustNotLoad holds that a changed car is refused, for a reason.
func mustNotLoad(t *testing.T, profile string, keys []sign.PublicKey, reason string) {
	t.Helper()
	if v, err := scenes.LoadSignedVehicle(profile, keys); err == nil || v != nil || !strings.Contains(err.Error(), reason) {
		t.Errorf("loaded with %v, want %q", err, reason)
	}
}

// tryChangedDBC: one bit that turns the seat's readback into the fan's.
func tryChangedDBC(t *testing.T) {
	profile, keys := signedCar(t)
	change(t, filepath.Join(filepath.Dir(profile), "bench.dbc"), "BO_ 267 MPassengerFan", "BO_ 269 MPassengerFan")
	mustNotLoad(t, profile, keys, "bench.dbc has SHA-256")
}

// tryChangedProfile: a limit lifted, a signature that is not there, one by
// another key, and a DBC that no signature covers.
func tryChangedProfile(t *testing.T) {
	profile, keys := signedCar(t)
	change(t, profile, "max: 80", "max: 99")
	mustNotLoad(t, profile, keys, "vehicle.yaml.minisig")
	if err := os.Remove(profile + ".minisig"); err != nil {
		t.Fatal(err)
	}
	mustNotLoad(t, profile, keys, "is not signed")

	profile, keys = signedCar(t)
	other, err := sign.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	mustNotLoad(t, profile, []sign.PublicKey{other.Public()}, "vehicle.yaml.minisig")

	signature, err := other.Sign([]byte(provingProfile), "unpinned")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{profile: []byte(provingProfile), profile + ".minisig": signature} {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if v, err := scenes.LoadSignedVehicle(profile, []sign.PublicKey{other.Public()}); err == nil || !strings.Contains(err.Error(), "has no `sha256`") {
		t.Errorf("a DBC that the signature does not cover: %v, %v", v != nil, err)
	}
	mustNotLoad(t, profile, keys, "vehicle.yaml.minisig")
}
