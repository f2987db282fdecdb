package faults

import (
	"context"
	"flag"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

var (
	busRestarts = flag.Int("bus-restarts", 20, "how often TestBusRestarts restarts the bus daemon")
	hmiKills    = flag.Int("hmi-kills", 50, "how many HMIs TestHMIKills kills")
	floodCalls  = flag.Int("flood-calls", 12_000, "how many calls TestFlood makes, of each kind, at 10,000 a second")
)

// reownTime is how soon the agent must have its name on a bus that is back.
const reownTime = 2 * time.Second

// TestBusRestarts kills the bus daemon and starts it again at the same address.
func TestBusRestarts(t *testing.T) {
	r, h := newFault(t, 11)
	random := rand.New(rand.NewPCG(11, 3))
	slowest := time.Duration(0)
	for range *busRestarts {
		r.stopBus()
		<-time.After(time.Duration(random.IntN(300)) * time.Millisecond) // how long there is no bus
		r.startBus()
		back := time.Now()
		r.service.connect(r.address)
		r.await("owner of its name again", reownTime, r.owned)
		slowest = max(slowest, time.Since(back))
		if random.IntN(3) == 0 {
			r.works(3)
		}
	}
	c := r.counters()
	if c["bus_losses"] != uint64(*busRestarts) || c["reconnects"] != uint64(*busRestarts) {
		t.Errorf("%d losses and %d reconnects counted, want %d", c["bus_losses"], c["reconnects"], *busRestarts)
	}
	t.Logf("the name was owned again within %v", slowest)
	r.recovers(h)
}

// TestHMIKills kills HMIs with kill -9 while they watch, read cards and call.
func TestHMIKills(t *testing.T) {
	r, h := newFault(t, 12)
	random := rand.New(rand.NewPCG(12, 3))
	for range *hmiKills {
		hmi := r.startRole("hmi")
		<-time.After(time.Duration(random.IntN(60)) * time.Millisecond) // how long it lives
		hmi.kill()
	}
	r.await("rid of its watchers", 5*time.Second, func() bool { return r.counters()["watchers"] == 0 })
	r.recovers(h)
}

// TestServices meets services that refuse, answer too late, die with a call open,
// are gone for a while, and read nothing.
func TestServices(t *testing.T) {
	for seed, c := range []struct {
		name, decided string
		fault         func(t *testing.T, r *rig)
	}{
		{"refuses", `"what":"failed","why":"error"`, func(t *testing.T, r *rig) {
			r.service.behave(refused, true)
			r.works(20)
		}},
		{"answers too late", `"what":"failed","why":"timeout"`, func(t *testing.T, r *rig) {
			r.service.behave(func() *dbus.Error { <-time.After(2 * within); return nil }, false)
			r.works(20)
		}},
		{"answers too late that it will not", `"what":"failed","why":"timeout"`, func(t *testing.T, r *rig) {
			r.service.behave(func() *dbus.Error { <-time.After(2 * within); return refused() }, true)
			r.works(20)
		}},
		{"dies with the call open", `"what":"failed","why":"error"`, func(t *testing.T, r *rig) {
			for range 5 {
				came := make(chan struct{}, 256)
				r.service.behave(func() *dbus.Error { came <- struct{}{}; select {} }, false)
				<-came
				r.service.disconnect()
				<-time.After(within / 3) // how long it is gone
				r.service.behave(nil, false)
				r.service.connect(r.address)
				r.works(1)
			}
		}},
		{"reads nothing", `"what":"failed","why":"timeout"`, func(t *testing.T, r *rig) {
			r.service.disconnect()
			stuck := r.startRole("stuck service")
			<-time.After(2 * time.Second) // how long it is stuck
			stuck.kill()
			r.service.connect(r.address)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, h := newFault(t, 20+uint64(seed))
			c.fault(t, r)
			r.service.behave(nil, false)
			r.recovers(h)
			if r.decided(c.decided) == 0 {
				t.Errorf("no %s was decided", c.decided)
			}
		})
	}
}

// TestFlood has an HMI make 10,000 calls a second, right ones and wrong ones, and
// holds that cards go on meanwhile.
func TestFlood(t *testing.T) {
	r, h := newFault(t, 13)
	conn, err := dbus.Connect(r.address)
	r.must(err)
	defer conn.Close()
	agent := conn.Object("org.vignette.Agent1", "/org/vignette/Agent1")
	for _, f := range []struct {
		name, member string
		args         []any
		failing      bool
	}{
		{"wrong types", "org.vignette.Agent1.Override", []any{true, "x"}, true},
		{"an unknown method", "org.vignette.Agent1.Explode", []any{int32(1)}, true},
		{"an unknown card", "org.vignette.Agent1.RunCard", []any{"nobody"}, true},
		{"properties", "org.freedesktop.DBus.Properties.GetAll", []any{"org.vignette.Agent1"}, false},
	} {
		before := r.service.count()
		n, already := *floodCalls/4, r.counters()["incoming_unanswered"]
		answered, failed, took := flood(agent, f.member, f.args, n)
		worked, muted := r.service.count()-before, r.counters()["incoming_unanswered"]-already
		t.Logf("%s: %d calls in %v, %d of them answered, %d refused; %d calls to the fans meanwhile", f.name, n, took.Round(time.Millisecond), answered, failed, worked)
		if uint64(answered)+muted != uint64(n) {
			t.Errorf("%s: %d calls were made, %d were answered and %d are counted as unanswered", f.name, n, answered, muted)
		}
		if f.failing && failed != answered {
			t.Errorf("%s: %d of %d answers refuse", f.name, failed, answered)
		}
		if worked == 0 {
			t.Errorf("%s: no card has set a fan meanwhile", f.name)
		}
	}
	r.recovers(h)
}

// flood makes n calls at 10,000 a second, or as fast as they are taken, and counts
// those that are answered, and refused. Answers that do not come within a second
// of the one before do not come: the agent has more to do than to tell a program
// that floods it that it floods it.
func flood(o dbus.BusObject, member string, args []any, n int) (answered, failed int, took time.Duration) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	done := make(chan *dbus.Call, n)
	begin := time.Now()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for sent := 0; sent < n; {
		<-tick.C
		for ; sent < n && time.Duration(sent)*100*time.Microsecond < time.Since(begin); sent++ {
			o.GoWithContext(ctx, member, 0, done, args...)
		}
	}
	for answered < n {
		select {
		case call := <-done:
			answered++
			if call.Err != nil {
				failed++
			}
			continue
		case <-time.After(time.Second):
		}
		break
	}
	return answered, failed, time.Since(begin)
}

// The environment of this program when it plays a role in a process of its own.
const (
	roleKey = "VIGNETTE_FAULTS_ROLE"
	busKey  = "VIGNETTE_FAULTS_BUS"
)

// startRole starts this program in a role, and waits until it says that it is on.
func (r *rig) startRole(role string) *running {
	r.t.Helper()
	p := &running{cmd: exec.Command(os.Args[0]), lines: make(chan string, 16), ended: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), roleKey+"="+role, busKey+"="+r.address)
	stderr, err := p.cmd.StderrPipe()
	r.must(err)
	r.must(p.cmd.Start())
	go p.listen(stderr)
	r.t.Cleanup(p.kill)
	if _, ok := p.hear("on"); !ok {
		r.t.Fatalf("the %s does not start:\n%s", role, p.told())
	}
	return p
}

// play plays a role until it is killed.
func play(role, address string) {
	conn, err := dbus.Connect(address)
	if err != nil {
		panic(err)
	}
	agent := conn.Object("org.vignette.Agent1", "/org/vignette/Agent1")
	if role == "stuck service" {
		if _, err := conn.RequestName(hvac, dbus.NameFlagDoNotQueue); err != nil {
			panic(err)
		}
		io.WriteString(os.Stderr, "on\n")
		stopHere()
	}
	if err := agent.Call("org.vignette.Agent1.Watch", 0, []string{driverFan}).Err; err != nil {
		panic(err)
	}
	io.WriteString(os.Stderr, "on\n")
	for {
		agent.Call("org.freedesktop.DBus.Properties.GetAll", 0, "org.vignette.Agent1")
	}
}
