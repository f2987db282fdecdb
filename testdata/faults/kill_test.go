package faults

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"vignette/can/socketcan"
	"vignette/scenes/engine"
)

var (
	kills    = flag.Int("kills", 208, "kills of TestKill, over all its parts")
	killSeed = flag.Uint64("kill-seed", 0, "the one `part` of TestKill to run, by its seed; 0: all of them")
)

// killParts is how many agents TestKill kills at once, each on its own bus.
const killParts = 8

// TestKill kills the shipped agent with kill -9 at moments drawn at random: at
// the start, while it takes up what it had, while cards take the fans from each
// other, and in the middle of a call. What was acted is in the state, and the
// next session goes on with it or ends it (*Meaning* 15).
//
// A part that fails is run again by its seed, as its name says:
//
//	go test ./testdata/faults -run TestKill -kill-seed 3
func TestKill(t *testing.T) {
	for seed := uint64(1); seed <= killParts; seed++ {
		if *killSeed > 0 && seed != *killSeed {
			continue
		}
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			t.Parallel()
			k := &killer{rig: newRig(t, seed, busyCards(), []string{"msgpack", "jsonl"}[seed%2]), random: rand.New(rand.NewPCG(seed, 2))}
			for n := range *kills / killParts {
				k.one(n)
				if t.Failed() {
					t.Fatalf("seed %d, kill %d, %+v\nagent:\n%s", seed, n, k.plan, k.agent.told())
				}
			}
			k.last()
			t.Logf("%+v", k.saw)
		})
	}
}

// killer is one part of TestKill.
type killer struct {
	*rig
	random  *rand.Rand
	session uint64
	runs    bool           // the session has come so far as to run
	another bool           // the state is of another boot of the kernel
	due     map[string]due // what the session must take up, by fan
	plan    plan
	saw     struct {
		Kills, Reboots, Resent, Ended, Hands, Calls, Acted, Lines int
	}
}

// plan is how one session dies.
type plan struct {
	When   string        // at start, working, in a call, after the files were flushed
	After  time.Duration // from the start, or from when the session works
	Call   int           // in a call: which
	Reboot bool          // before the next start
}

// due is what is kept of an actuator when its agent has died.
type due struct {
	engine.KeptActuator
	ends bool // each lease of it is to end: there was a reboot
	hand bool // it may stand where only the driver's hand can have put it
}

func (k *killer) draw() plan {
	ms := func(n int) time.Duration { return time.Duration(k.random.IntN(1000*n)) * time.Microsecond }
	p := plan{Reboot: k.random.IntN(5) == 0}
	switch n := k.random.IntN(10); {
	case n < 2:
		p.When, p.After = "at start", ms(60)
	case n < 6:
		p.When, p.After = "working", ms(400)
	case n < 9:
		p.When, p.Call = "in a call", 1+k.random.IntN(12)
	default:
		p.When, p.After = "flushed", time.Second+ms(500)
	}
	return p
}

// one starts the agent, lets it work, kills it and looks at what it has left.
func (k *killer) one(n int) {
	k.plan = k.draw()
	before, fresh := k.service.count(), len(k.state()) == 0
	started := time.Now()
	a := k.start()
	if k.plan.When == "in a call" {
		k.killInCall(a)
	}
	if k.plan.When == "at start" {
		time.AfterFunc(k.plan.After-time.Since(started), func() { _ = a.cmd.Process.Kill() })
	}
	k.runs = k.begins(a, fresh)
	if k.runs && k.takesUp(a, before) {
		k.car.play(true)
		switch k.plan.When {
		case "working", "flushed":
			time.AfterFunc(k.plan.After, func() { _ = a.cmd.Process.Kill() })
		}
	}
	select {
	case <-a.ended:
	case <-time.After(10 * time.Second):
		k.t.Errorf("the agent does not come so far as to be killed")
	}
	k.car.play(false)
	k.service.mu.Lock()
	k.service.onCall = nil
	k.service.mu.Unlock()
	a.kill()
	if !a.killed() {
		k.t.Errorf("the agent ended by itself")
		return
	}
	k.gone()
	k.saw.Kills++
	k.lookAt(before)
}

// killInCall has the service kill its caller in the middle of a call.
func (k *killer) killInCall(a *running) {
	left := k.plan.Call
	k.service.mu.Lock()
	defer k.service.mu.Unlock()
	k.service.onCall = func(call) {
		if left--; left == 0 {
			a.kill()
		}
	}
}

// begins awaits that the agent runs, and holds that its session is a new one;
// fresh: the first.
func (k *killer) begins(a *running, fresh bool) bool {
	if fresh {
		_, ok := a.hear("msg=running")
		k.session = 1
		return ok
	}
	line, ok := a.hear("going on from the saved state")
	if !ok {
		return false
	}
	var session uint64
	var same bool
	if _, err := fmt.Sscanf(line[strings.Index(line, "session="):], "session=%d same_boot=%t", &session, &same); err != nil {
		k.t.Errorf("%q: %v", line, err)
	}
	if session <= k.session {
		k.t.Errorf("session %d after %d", session, k.session)
	}
	k.session = session
	if same == k.another {
		k.t.Errorf("same boot %t after a reboot %t", same, k.another)
	}
	_, ok = a.hear("msg=running")
	return ok
}

// takesUp awaits that the session has taken up each actuator that the one before
// held or was ending: its lease's call is sent again, or its end is.
func (k *killer) takesUp(a *running, before int) bool {
	waiting := k.due
	k.due = nil
	end := time.After(8 * time.Second)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for seen := before; ; {
		for _, c := range k.service.since(seen) {
			seen++
			if d, ok := waiting[c.fan]; ok {
				k.judge(c, d)
				delete(waiting, c.fan)
			}
		}
		left := 0
		for _, d := range waiting {
			if !d.hand {
				left++
			}
		}
		if left == 0 {
			return true
		}
		select {
		case <-a.ended: // killed before it could
			return false
		case <-end:
			k.t.Errorf("neither renewed nor ended: %+v", waiting)
			return false
		case <-tick.C:
		}
	}
}

// judge holds a session's first call against what it has taken up: the end, where
// the boot is another or no lease is left, else the lease in force, for the time
// that is left of it.
func (k *killer) judge(c call, d due) {
	switch top, live := topLease(&d.KeptActuator, c.at); {
	case d.hand: // nothing has to be sent
	case c.lease == 0 && c.value != base:
		k.t.Errorf("%s: the first call ends at %v, not at its base", c.fan, c.value)
	case c.lease == 0 && live && !d.ends:
		k.t.Errorf("%s: the lease of %v has %v left and is ended", c.fan, top.Value.Num, time.Duration(top.Deadline-c.at))
	case c.lease == 0:
		k.saw.Ended++
	case d.ends:
		k.t.Errorf("%s: after a reboot the first call sets %v", c.fan, c.value)
	case !slices.ContainsFunc(d.Leases, func(l engine.KeptLease) bool {
		sent := l.Deadline + (extra - c.lease).Nanoseconds() // or up to 1 ms later: the lease is told rounded up
		early, _ := topLease(&d.KeptActuator, sent)
		late, _ := topLease(&d.KeptActuator, sent+1e6)
		return (l == early || l == late) && l.Value.Num == c.value && sent <= c.at
	}):
		k.t.Errorf("%s: set to %v for %v at %d; kept was %+v", c.fan, c.value, c.lease, c.at, d.KeptActuator)
	default:
		k.saw.Resent++
	}
}

// topLease is the lease in force at a time.
func topLease(a *engine.KeptActuator, at int64) (l engine.KeptLease, ok bool) {
	for i := len(a.Leases) - 1; i >= 0; i-- {
		if a.Leases[i].Deadline > at {
			return a.Leases[i], true
		}
	}
	return l, false
}

// lookAt looks at what a session has left when it died.
func (k *killer) lookAt(before int) {
	now := socketcan.Now()
	state := k.state()
	if len(state) == 0 {
		if k.service.count() > 0 {
			k.t.Errorf("the service was called and there is no state")
		}
		return
	}
	newest := state[len(state)-1]
	k.session = max(k.session, newest.Kept.Session)
	k.another = k.plan.Reboot || newest.BootID == another
	k.due = map[string]due{}
	for _, fan := range []string{driverFan, passengerFan} {
		k.lookAtFan(fan, newest.of(fan), now)
	}
	k.lookAtCalls(k.service.since(before), state)
	if k.runs {
		k.lookAtFiles(state)
	}
	if k.plan.Reboot {
		k.saw.Reboots++
		k.reboot(newest)
	}
}

// lookAtFan holds that a fan which the service holds is known to the state.
func (k *killer) lookAtFan(fan string, a engine.KeptActuator, now int64) {
	stands := k.service.standing(fan)
	holdoff := a.HasHand && a.HandEnds > now
	if stands.value != base && !known(&a) && !holdoff {
		k.t.Errorf("%s stands at %v until %v, and the state has neither a lease nor an end of it: %+v", fan, stands.value, stands.until, a)
	}
	if known(&a) {
		over := slices.ContainsFunc(a.Leases, func(l engine.KeptLease) bool { return l.Over != "" })
		d := due{a, k.another || over, beyond(&a, stands.value)}
		if d.hand {
			k.saw.Hands++
		}
		k.due[fan] = d
	}
}

// beyond reports whether a fan stands outside its base and its newest command,
// which the next session takes for the driver's hand: the agent died between
// keeping a command and its call.
func beyond(a *engine.KeptActuator, stands float64) bool {
	low, high := a.Command.Num, a.Command.Num
	if a.Base.Kind != engine.None {
		low, high = min(low, a.Base.Num), max(high, a.Base.Num)
	}
	if len(a.Leases) == 0 && a.HasHull {
		low, high = min(low, a.Low), max(high, a.High)
	}
	return stands < low-step || stands > high+step
}

// lookAtCalls holds that each lease the service was told of was in the state
// when the call was sent, and that none lasts longer than a card's.
func (k *killer) lookAtCalls(calls []call, state []kept) {
	first := map[string]bool{driverFan: true, passengerFan: true}
	k.saw.Calls += len(calls)
	for i, c := range calls {
		again := first[c.fan] // may be the call of a lease that was in the state before
		first[c.fan] = false
		switch {
		case c.lease == 0 && c.value != base:
			k.t.Errorf("%s is ended at %v, which is not its base", c.fan, c.value)
		case c.lease > maxLease+extra+time.Millisecond:
			k.t.Errorf("%s is set for %v", c.fan, c.lease)
		case c.lease > 0 && i > len(calls)-40 && !passing(calls[i:]) && !slices.ContainsFunc(state, func(r kept) bool { return r.has(c, again) }):
			k.t.Errorf("no record of the state has the lease of %+v; the calls were\n%+v\nand the records\n%s", c, calls, story(state, c.fan))
		}
	}
}

// passing reports whether the first of some calls may be of a lease that had
// little time left and was over in its very step, when time went on by more than
// one deadline: another call of the step, or the end of the agent, follows soon,
// and the state has what came of the whole step.
func passing(calls []call) bool {
	next := slices.IndexFunc(calls[1:], func(c call) bool { return c.fan == calls[0].fan })
	return calls[0].lease < extra+maxLease/4 && (next < 0 || calls[1+next].at-calls[0].at < 200e6)
}

// has reports whether a record has a call's lease and was written with the call,
// or at any time before if the lease is not new.
func (k *kept) has(c call, again bool) bool {
	a := k.of(c.fan)
	return slices.ContainsFunc(a.Leases, func(l engine.KeptLease) bool {
		sent := l.Deadline + (extra - c.lease).Nanoseconds()
		return l.Value.Num == c.value && sent <= c.at && k.Kept.Now <= c.at && (again || sent <= k.Kept.Now)
	})
}

// lookAtFiles holds that decision log and journal say the same as far as both
// go, that no record is missing, and that what was acted is in the state.
func (k *killer) lookAtFiles(state []kept) {
	decisions, replayed, err := k.outputs()
	if err != nil || len(decisions) < 2 || len(replayed) < 2 {
		k.t.Errorf("%d lines of the decision log and %d of the journal, %v", len(decisions), len(replayed), err)
		return
	}
	var header record
	if err := json.Unmarshal([]byte(decisions[0]), &header); err != nil || header.Session != k.session {
		k.t.Errorf("session %d has the decision log of session %d: %v", k.session, header.Session, err)
	}
	both := min(len(decisions), len(replayed)) - 1 // the last one is what follows the last newline: nothing
	k.saw.Lines += both
	for i := range both {
		if decisions[i] != replayed[i] {
			k.t.Errorf("line %d: the agent decided\n%s\nand its journal decides\n%s", i+1, decisions[i], replayed[i])
			return
		}
	}
	for i, line := range decisions[1 : len(decisions)-1] {
		var r record
		if err := json.Unmarshal([]byte(line), &r); err != nil || r.N != uint64(i+1) {
			k.t.Errorf("record %d has n %d: %v", i+1, r.N, err)
		}
		if r.What == "acted" && r.Action == "set" {
			k.acted(&r, state)
		}
	}
}

// record is what these tests read of a decision log's line.
type record struct {
	Session  uint64
	T        string
	N        uint64
	What     string
	Why      string
	Action   string
	Actuator string
	Value    float64
	Lease    float64
}

// acted holds that what was acted is in the state, to the nanosecond.
func (k *killer) acted(r *record, state []kept) {
	var s, ns int64
	if _, err := fmt.Sscanf(r.T, "%d.%d", &s, &ns); err != nil {
		k.t.Errorf("time %q: %v", r.T, err)
	}
	k.saw.Acted++
	deadline := s*1e9 + ns + int64(r.Lease*1e9)
	for i := range state {
		a := state[i].of(r.Actuator)
		for _, l := range a.Leases {
			if l.Value.Num == r.Value && max(l.Deadline-deadline, deadline-l.Deadline) <= 1 {
				return
			}
		}
	}
	k.t.Errorf("no record of the state has what was acted: %+v", r)
}

// last starts the agent a last time: when the car gives no more cause, every
// lease ends, the fans stand at their base and nothing is left in the state.
func (k *killer) last() {
	before := k.service.count()
	a := k.start()
	if !k.begins(a, false) || !k.takesUp(a, before) {
		k.t.Fatalf("the agent does not start again:\n%s", a.told())
	}
	k.car.play(true)
	k.await("called often", 8*time.Second, func() bool { return k.service.count() > before+20 })
	k.car.play(false)
	left := func() (what []string) {
		state := k.state()
		for _, fan := range []string{driverFan, passengerFan} {
			if a := state[len(state)-1].of(fan); known(&a) || k.service.standing(fan).value != base {
				what = append(what, fmt.Sprintf("%s stands at %v, and the state has %+v", fan, k.service.standing(fan).value, a))
			}
		}
		return what
	}
	k.await("at their base", 10*time.Second, func() bool { return left() == nil })
	k.stop()
	if what := left(); what != nil {
		k.t.Errorf("at the end %q", what)
	}
	decisions, replayed, err := k.outputs()
	if err != nil || strings.Join(decisions, "\n") != strings.Join(replayed, "\n") {
		k.t.Errorf("the journal's replay decides otherwise than the agent: %v", err)
	}
	if k.saw.Kills != *kills/killParts || k.saw.Resent == 0 || k.saw.Ended == 0 || k.saw.Acted == 0 || k.saw.Reboots == 0 {
		k.t.Errorf("too little was seen: %+v", k.saw)
	}
}
