package uibridge

import (
	"bytes"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"vignette/ui-bridge/privatebus"

	"github.com/godbus/dbus/v5"
)

// logged is a log that can be read while it is written.
type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// count tells how often a text was logged.
func (l *logged) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), text)
}

// until waits until something holds that nobody tells of.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for limit := time.Now().Add(patience); !holds(); {
		if time.Now().After(limit) {
			t.Fatal(what)
		}
		runtime.Gosched()
	}
}

// nameBack waits for the agent's name on a bus that has just come back, and says
// how long that took.
func nameBack(t *testing.T, address string) time.Duration {
	t.Helper()
	begin := time.Now()
	if err := privatebus.WaitName(within(t), address, AgentName); err != nil {
		t.Fatal(err)
	}
	return time.Since(begin)
}

func TestCallsOfALostBusFailAtOnce(t *testing.T) {
	dir := t.TempDir()
	address, stop := startBusIn(t, dir)
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	methods := map[string]any{"Never": func(float64) *dbus.Error { <-release; return nil }, "Set": func(float64) *dbus.Error { return nil }}
	serve(t, address, methods)
	a := newAgent()
	br := connect(t, address, a)
	for n := range uint64(100) { // more than are out at once
		br.Call(n, binding("Never", "d", patience), []any{0.0})
	}
	stop()
	const lost = "not sent or not answered: the bus was lost"
	for range 100 {
		if got := receive(t, a.answers, "outcome"); got.ok || got.detail != lost {
			t.Fatalf("got %+v, want %q", got, lost)
		}
	}
	until(t, "the loss is not counted", func() bool { return br.Counters()["bus_losses"] == 1 })
	br.Call(200, binding("Set", "d", patience), []any{0.0})
	if got := receive(t, a.answers, "outcome"); got.ok || got.n != 200 || got.detail != lost {
		t.Errorf("got %+v of a call meanwhile, want %q", got, lost)
	}
	if err := br.Drain(within(t)); err != nil {
		t.Error(err)
	}
	startBusIn(t, dir)
	nameBack(t, address)
	serve(t, address, methods)
	br.Call(201, binding("Set", "d", patience), []any{0.0})
	if got := receive(t, a.answers, "outcome"); !got.ok || got.n != 201 {
		t.Errorf("got %+v of a call when the bus is back", got)
	}
}

func TestBusRestarts(t *testing.T) {
	dir := t.TempDir()
	address, stop := startBusIn(t, dir)
	var log logged
	o := options(address, newAgent())
	o.Logger = slog.New(slog.NewTextHandler(&log, nil))
	br, err := Connect(within(t), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { br.Close() })
	before := runtime.NumGoroutine()
	const times = 20
	var took []time.Duration
	for range times {
		hmi, err := dbus.Connect(address)
		if err != nil {
			t.Fatal(err)
		}
		if err := ask(t, hmi, AgentInterface+".Watch", []string{"Vehicle.Speed"}).Err; err != nil {
			t.Fatal(err)
		}
		stop()
		receiveClosed(t, hmi.Context().Done())
		_, stop = startBusIn(t, dir)
		took = append(took, nameBack(t, address))
		if n := br.Counters()["watchers"]; n != 0 {
			t.Fatalf("%d watchers of the lost bus are remembered", n)
		}
	}
	// A machine that is busy delays some; a bridge that waits too long delays all.
	if slices.Sort(took); took[times/2] > 2*time.Second {
		t.Errorf("the name was back after %v, want 2 s at most for most", took)
	}
	c := br.Counters()
	if c["bus_losses"] != times || c["reconnects"] != times {
		t.Errorf("%d losses and %d reconnects counted, want %d", c["bus_losses"], c["reconnects"], times)
	}
	if lost, back := log.count("lost the D-Bus daemon"), log.count("the D-Bus daemon is back"); lost != times || back != times {
		t.Errorf("said %d times that the bus was lost and %d times that it is back, want %d", lost, back, times)
	}
	until(t, "goroutines have grown in number", func() bool { return runtime.NumGoroutine() <= before })
}

func TestNameTakenMeanwhileIsWaitedFor(t *testing.T) {
	dir := t.TempDir()
	address, stop := startBusIn(t, dir)
	var log logged
	o := options(address, newAgent())
	o.Logger = slog.New(slog.NewTextHandler(&log, nil))
	br, err := Connect(within(t), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { br.Close() })
	stop()
	until(t, "the loss is not counted", func() bool { return br.Counters()["bus_losses"] == 1 })
	br.own.mu.Lock() // the bridge waits for it before it asks for the name
	startBusIn(t, dir)
	thief := client(t, address)
	if r, err := thief.RequestName(AgentName, dbus.NameFlagDoNotQueue); err != nil || r != dbus.RequestNameReplyPrimaryOwner {
		t.Fatal(r, err)
	}
	br.own.mu.Unlock()
	until(t, "the theft is not told", func() bool { return log.count("the name belongs to another process") == 1 })
	if n := br.Counters()["name_taken"]; n != 1 {
		t.Errorf("name_taken is %d", n)
	}
	thief.Close()
	until(t, "nobody says that the name is back", func() bool { return log.count("the name is ours again") == 1 })
	if err := ask(t, client(t, address), AgentInterface+".Unwatch").Err; err != nil {
		t.Error(err)
	}
}

// TestStoppedDaemon stops the daemon's process, so that it neither reads nor ends:
// calls time out, and Close does not wait for it.
func TestStoppedDaemon(t *testing.T) {
	address, _ := startBus(t)
	serve(t, address, map[string]any{"Set": func(string) *dbus.Error { return nil }})
	a := newAgent()
	br := connect(t, address, a)
	var pid uint32
	if err := client(t, address).BusObject().Call(busDaemon+".GetConnectionUnixProcessID", 0, busDaemon).Store(&pid); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(int(pid), syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { syscall.Kill(int(pid), syscall.SIGCONT) })
	const calls = 200
	for n := range uint64(calls) { // more bytes than a socket holds
		br.Call(n, binding("Set", "s", 200*time.Millisecond), []any{strings.Repeat("x", 10_000)})
	}
	for range calls {
		if got := receive(t, a.answers, "outcome"); got.ok || got.detail != Timeout {
			t.Fatalf("got %+v, want a timeout", got)
		}
	}
	closed := make(chan error, 1)
	go func() { closed <- br.Close() }()
	if err := receive(t, closed, "Close"); err != nil {
		t.Error(err)
	}
}

func TestCloseWhileTheBusIsLost(t *testing.T) {
	address, stop := startBus(t)
	br := connect(t, address, newAgent())
	stop()
	until(t, "the loss is not counted", func() bool { return br.Counters()["bus_losses"] == 1 })
	if err := br.Close(); err != nil {
		t.Error(err)
	}
}
