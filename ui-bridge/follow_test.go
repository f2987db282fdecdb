package uibridge

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/godbus/dbus/v5"
)

// diary is what a Follow's callbacks were called with, as texts.
type diary chan string

// follower follows org.example.Hvac1's signals of one interface; Appeared asks
// for its level.
func follower(d diary) *Follow {
	return &Follow{Service: serviceName, Match: []Match{{Interface: serviceName}},
		Appeared: func(p *Peer) {
			v, err := p.Get(context.Background(), "/org/example/Hvac1", serviceName, "Level")
			if err != nil {
				d <- "appeared: " + errorName(err)
				return
			}
			d <- fmt.Sprint("appeared: ", v.Value())
		},
		Signal: func(s *dbus.Signal) { d <- fmt.Sprint("signal: ", s.Body[0]) },
		Gone:   func() { d <- "gone" },
	}
}

// level is a service whose property Level is a number.
func level(t *testing.T, address string, n int32) *dbus.Conn {
	t.Helper()
	conn := client(t, address)
	get := func(iface, prop string) (dbus.Variant, *dbus.Error) { return dbus.MakeVariant(n), nil }
	if err := conn.ExportMethodTable(map[string]any{"Get": get}, "/org/example/Hvac1", "org.freedesktop.DBus.Properties"); err != nil {
		t.Fatal(err)
	}
	if r, err := conn.RequestName(serviceName, dbus.NameFlagDoNotQueue); err != nil || r != dbus.RequestNameReplyPrimaryOwner {
		t.Fatalf("own %s: %v %v", serviceName, r, err)
	}
	return conn
}

// emit broadcasts a signal of the service's interface.
func emit(t *testing.T, conn *dbus.Conn, what string) {
	t.Helper()
	if err := conn.Emit("/org/example/Hvac1", serviceName+".Said", what); err != nil {
		t.Fatal(err)
	}
}

func (d diary) expect(t *testing.T, want ...string) {
	t.Helper()
	for _, w := range want {
		if got := receive(t, d, w); got != w {
			t.Fatalf("got %q, want %q", got, w)
		}
	}
}

func TestFollowThroughRestarts(t *testing.T) {
	dir := t.TempDir()
	address, stop := startBusIn(t, dir)
	br := connect(t, address, newAgent())
	d := make(diary, 64)
	br.Follow(follower(d))
	first := level(t, address, 1)
	d.expect(t, "appeared: 1")
	emit(t, first, "a")
	emit(t, first, "b")
	first.Close() // what it said last comes before its end
	d.expect(t, "signal: a", "signal: b", "gone")
	second := level(t, address, 2)
	d.expect(t, "appeared: 2")
	stop()
	d.expect(t, "gone")
	<-second.Context().Done()
	startBusIn(t, dir)
	third := level(t, address, 3)
	d.expect(t, "appeared: 3")
	emit(t, third, "c")
	d.expect(t, "signal: c")
}

func TestFollowOfAServiceThatIsThere(t *testing.T) {
	address, _ := startBus(t)
	service := level(t, address, 7)
	br := connect(t, address, newAgent())
	d := make(diary, 64)
	stop := br.Follow(follower(d))
	d.expect(t, "appeared: 7")
	stop()
	emit(t, service, "unheard")
	service.Close()
	other := make(diary, 64)
	br.Follow(follower(other))
	level(t, address, 8)
	other.expect(t, "appeared: 8")
	if len(d) != 0 {
		t.Errorf("after stop came %q", <-d)
	}
}

func TestFollowHearsItsServiceOnly(t *testing.T) {
	address, _ := startBus(t)
	br := connect(t, address, newAgent())
	service := level(t, address, 1)
	d := make(diary, 64)
	br.Follow(follower(d))
	d.expect(t, "appeared: 1")
	spoof := client(t, address)
	emit(t, spoof, "broadcast by another")
	msg := func(path dbus.ObjectPath, iface, member, sender string) *dbus.Message {
		return &dbus.Message{Type: dbus.TypeSignal, Body: []any{"x"}, Headers: map[dbus.HeaderField]dbus.Variant{
			dbus.FieldDestination: dbus.MakeVariant(AgentName), dbus.FieldPath: dbus.MakeVariant(path),
			dbus.FieldInterface: dbus.MakeVariant(iface), dbus.FieldMember: dbus.MakeVariant(member),
			dbus.FieldSender: dbus.MakeVariant(sender), dbus.FieldSignature: dbus.MakeVariant(dbus.SignatureOf("x"))}}
	}
	// The daemon writes the true sender over a false one.
	for _, sender := range []string{service.Names()[0], serviceName, busDaemon} {
		spoof.Send(msg("/org/example/Hvac1", serviceName, "Said", sender), nil)
	}
	owner := msg("/org/freedesktop/DBus", busDaemon, "NameOwnerChanged", busDaemon)
	owner.Body = []any{serviceName, service.Names()[0], ""}
	owner.Headers[dbus.FieldSignature] = dbus.MakeVariant(dbus.SignatureOf("", "", ""))
	spoof.Send(owner, nil)
	service.Send(msg("/org/example/Hvac1", "org.example.Other1", "Said", serviceName), nil) // not asked for
	// The agent has answered what came after all that.
	if err := ask(t, spoof, AgentInterface+".Unwatch").Err; err != nil {
		t.Fatal(err)
	}
	emit(t, service, "true")
	d.expect(t, "signal: true")
	if len(d) != 0 {
		t.Errorf("then came %q", <-d)
	}
}

func TestFollowOverflowAsksAgain(t *testing.T) {
	address, _ := startBus(t)
	br := connect(t, address, newAgent())
	service := level(t, address, 1)
	d := make(diary, 4*maxSignals)
	f := follower(d)
	hold, held := make(chan struct{}), make(chan struct{}, 1)
	f.Signal = func(s *dbus.Signal) {
		select {
		case held <- struct{}{}:
			<-hold
		default:
		}
		d <- s.Body[0].(string)
	}
	br.Follow(f)
	d.expect(t, "appeared: 1")
	emit(t, service, "first")
	receive(t, held, "the first signal")
	for i := range maxSignals + 1 {
		emit(t, service, fmt.Sprint("lost ", i))
	}
	emit(t, service, "last")
	until(t, "the drop is not counted", func() bool { return br.Counters()["signals_dropped"] == maxSignals+1 })
	held <- struct{}{} // hold no more
	close(hold)
	d.expect(t, "first", "appeared: 1", "last")
}

// TestMain is also the service that a daemon starts for TestFollowActivates.
func TestMain(m *testing.M) {
	if address := os.Getenv("DBUS_STARTER_ADDRESS"); address != "" {
		os.Exit(activated(address))
	}
	os.Exit(m.Run())
}

// activated owns org.example.Hvac1 until the bus is gone.
func activated(address string) int {
	conn, err := dbus.Connect(address)
	if err != nil {
		return 1
	}
	get := func(iface, prop string) (dbus.Variant, *dbus.Error) { return dbus.MakeVariant(int32(9)), nil }
	if err := conn.ExportMethodTable(map[string]any{"Get": get}, "/org/example/Hvac1", "org.freedesktop.DBus.Properties"); err != nil {
		return 1
	}
	if _, err := conn.RequestName(serviceName, dbus.NameFlagDoNotQueue); err != nil {
		return 1
	}
	<-conn.Context().Done()
	return 0
}

// serviceFile lets the daemon of a directory start this program as
// org.example.Hvac1.
func serviceFile(t *testing.T, dir, program string) {
	t.Helper()
	file := filepath.Join(dir, "services", serviceName+".service")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("[D-BUS Service]\nName="+serviceName+"\nExec="+program+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestFollowActivates(t *testing.T) {
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	serviceFile(t, dir, self)
	address, stop := startBusIn(t, dir)
	br := connect(t, address, newAgent())
	d := make(diary, 64)
	f := follower(d)
	f.Activate = true
	br.Follow(f)
	d.expect(t, "appeared: 9")
	stop()
	d.expect(t, "gone")
	startBusIn(t, dir)
	d.expect(t, "appeared: 9")
}

func TestFollowOfAnUnconnectedBus(t *testing.T) {
	address, _ := startBus(t)
	br := connect(t, address, newAgent())
	f := follower(make(diary))
	f.Bus = "other"
	br.Follow(f)()
}

// TestFollowThroughTurmoil has services come, speak and go in quick succession, and
// the bus restart between: each appears before its signals and before its end, its
// signals come in order, and the last one has appeared at the end.
func TestFollowThroughTurmoil(t *testing.T) {
	dir := t.TempDir()
	address, stop := startBusIn(t, dir)
	br := connect(t, address, newAgent())
	d := make(diary, 4096)
	br.Follow(follower(d))
	const lives = 40
	for life := range int32(lives) {
		conn := level(t, address, life)
		for n := range life % 7 {
			emit(t, conn, fmt.Sprint(life, " ", n))
		}
		switch {
		case life == lives-1:
		case life%10 == 9:
			stop()
			<-conn.Context().Done()
			address, stop = startBusIn(t, dir)
		default:
			conn.Close()
			daemon := client(t, address).BusObject()
			until(t, "the name is still owned", func() bool {
				var owned bool
				return daemon.Call(busDaemon+".NameHasOwner", 0, serviceName).Store(&owned) == nil && !owned
			})
		}
	}
	there, last := false, ""
	for last != fmt.Sprint("appeared: ", lives-1) {
		got := receive(t, d, "the last appearance")
		kind, what, _ := strings.Cut(got, ": ")
		switch kind {
		case "appeared":
			if there {
				t.Fatalf("%s, though one was there", got)
			}
			there, last = true, got
		case "gone":
			if !there {
				t.Fatal("gone, though none was there")
			}
			there = false
		case "signal":
			if !there {
				t.Fatalf("%s of none that was there", got)
			}
			if before, ok := strings.CutPrefix(last, "signal: "); ok && before[:strings.IndexByte(before, ' ')] == what[:strings.IndexByte(what, ' ')] && before >= what {
				t.Fatalf("%s after %s", what, before)
			}
			last = got
		}
	}
}
