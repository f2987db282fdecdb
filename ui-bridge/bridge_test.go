package uibridge

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"vignette/scenes"
	"vignette/scenes/engine"
	"vignette/scenes/habit"
	"vignette/ui-bridge/privatebus"
	"vignette/ui-bridge/trace"

	"github.com/godbus/dbus/v5"
)

// patience bounds every wait of these tests; no wait is meant to reach it.
const patience = 20 * time.Second

// answer is one Replied.
type answer struct {
	n      uint64
	ok     bool
	detail string
}

const demoStudy = "demo"

// agent is a Handler that keeps what it is told.
type agent struct {
	answers   chan answer
	overrides chan string
	block     chan struct{} // if set, Override waits for it
	closing   atomic.Bool   // Look says so

	Studies    // what a test does not ask for
	mu         sync.Mutex
	consent    map[string]bool
	recorded   []trace.Interaction
	newAnswers int
}

// The deeds of the driver are kept as texts.
func (a *agent) deed(format string, args ...any) error {
	a.overrides <- fmt.Sprintf(format, args...)
	return nil
}

func (a *agent) Answer(n uint64, yes bool) error { return a.deed("answer %d %v", n, yes) }
func (a *agent) EnableCard(card string, on bool) error {
	if card == "unknown" {
		return fmt.Errorf("%w %q", ErrUnknownCard, card)
	}
	return a.deed("enable %s %v", card, on)
}
func (a *agent) RunCard(card string) error     { return a.deed("run %s", card) }
func (a *agent) FreeCard(card string) error    { return a.deed("free %s", card) }
func (a *agent) SetPlace(p Place) error        { return a.deed("place %v", p) }
func (a *agent) ForgetPlace(name string) error { return a.deed("forget %s", name) }
func (a *agent) Places() ([]Place, error)      { return []Place{{"home", 1, 2, 100}}, a.deed("places") }
func (a *agent) SetHabits(on bool) error       { return a.deed("habits %v", on) }
func (a *agent) DismissDraft(id string) error {
	if id == "unknown" {
		return fmt.Errorf("%w %q", ErrUnknownDraft, id)
	}
	return a.deed("dismiss %s", id)
}
func (a *agent) Drafts() ([]habit.Draft, error) {
	return []habit.Draft{{ID: "habit-1", Title: scenes.Texts{"en": "Set", "zh": "设"}, Why: scenes.Texts{"en": "On"}, Times: 5, Of: 6, Days: 3, Text: "schema: 1\n"}}, nil
}
func (a *agent) SetUser(user uint64) error { return a.deed("user %d", user) }
func (a *agent) Occur(what string, now bool) error {
	if what == "unknown" {
		return fmt.Errorf("%w %q", ErrUnknownEvent, what)
	}
	return a.deed("occur %s %v", what, now)
}

func (a *agent) Look(card string) error {
	if a.closing.Load() {
		return fmt.Errorf("%w: no more", ErrClosing)
	}
	return nil
}

func (a *agent) Why(card string) ([]engine.Record, error) {
	if card == "unknown" {
		return nil, fmt.Errorf("%w %q", ErrUnknownCard, card)
	}
	return []engine.Record{{N: 1, What: engine.Override, Actuator: "Lamp"}, {N: 2, Card: card, What: engine.Ended, Why: "override", Cause: 1}}, nil
}

func newAgent() *agent {
	return &agent{answers: make(chan answer, 4096), overrides: make(chan string, 64), consent: map[string]bool{}}
}

func (a *agent) Replied(n uint64, ok bool, detail string) { a.answers <- answer{n, ok, detail} }

func (a *agent) Override(actuator string, v engine.Value) error {
	if a.block != nil {
		a.overrides <- "waiting"
		<-a.block
		return nil
	}
	if actuator == "unknown" {
		return fmt.Errorf("%w %q", ErrUnknownActuator, actuator)
	}
	a.overrides <- fmt.Sprintf("%s %v %v %q", actuator, v.Kind, v.Num, v.Text)
	return nil
}

func (a *agent) Consent(study string, yes bool) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if study != demoStudy {
		return fmt.Errorf("%w %q", trace.ErrUnknownStudy, study)
	}
	a.consent[study] = yes
	return nil
}

func (a *agent) Interactions(batch []trace.Interaction) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.consent[demoStudy] {
		return 0, nil
	}
	a.recorded = append(a.recorded, batch...)
	return len(batch), nil
}

func (a *agent) TraceStatus() trace.Status {
	a.mu.Lock()
	defer a.mu.Unlock()
	return trace.Status{Study: demoStudy, Recording: a.consent[demoStudy], Problem: "none", NewAnswers: a.newAnswers}
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// receive waits for a value of a channel.
func receive[T any](t *testing.T, c <-chan T, what string) T {
	t.Helper()
	select {
	case v, ok := <-c:
		if !ok {
			t.Fatalf("%s: the channel was closed", what)
		}
		return v
	case <-time.After(patience):
		t.Fatalf("%s did not come", what)
		panic("unreachable")
	}
}

func startBus(t *testing.T) (address string, stop func()) {
	t.Helper()
	return startBusIn(t, t.TempDir())
}

// startBusIn starts a daemon in a directory, where another may have been before:
// the address is the same then, but for its guid, which nobody here looks at.
func startBusIn(t *testing.T, dir string) (address string, stop func()) {
	t.Helper()
	address, stop, err := privatebus.Start(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return address, stop
}

func options(address string, a *agent) Options {
	return Options{Address: address, Handler: a, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Version: "1.2.3", Session: 7, Vehicle: "vignette-ev", Signals: []string{"Vehicle.Speed", "Vehicle.Gear", "Vehicle.Door"},
		Counters: func() map[string]uint64 { return map[string]uint64{"frames": 42} }}
}

func connect(t *testing.T, address string, a *agent) *Bridge {
	t.Helper()
	br, err := Connect(within(t), options(address, a))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := br.Close(); err != nil {
			t.Error(err)
		}
	})
	return br
}

// client is another program on the bus.
func client(t *testing.T, address string) *dbus.Conn {
	t.Helper()
	conn, err := dbus.Connect(address, dbus.WithSignalHandler(dbus.NewSequentialSignalHandler()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// ask calls a method of the agent.
func ask(t *testing.T, conn *dbus.Conn, method string, args ...any) *dbus.Call {
	t.Helper()
	return askAt(t, conn, AgentPath, method, args...)
}

// askAt calls a method of one of the agent's objects.
func askAt(t *testing.T, conn *dbus.Conn, path dbus.ObjectPath, method string, args ...any) *dbus.Call {
	t.Helper()
	return conn.Object(AgentName, path).CallWithContext(within(t), method, 0, args...)
}

func errorName(err error) string {
	var e dbus.Error
	if errors.As(err, &e) {
		return e.Name
	}
	return fmt.Sprint(err)
}

const serviceName = "org.example.Hvac1"

// serve exports methods as org.example.Hvac1.
func serve(t *testing.T, address string, methods map[string]any) *dbus.Conn {
	t.Helper()
	conn := client(t, address)
	if err := conn.ExportMethodTable(methods, "/org/example/Hvac1", serviceName); err != nil {
		t.Fatal(err)
	}
	if r, err := conn.RequestName(serviceName, dbus.NameFlagDoNotQueue); err != nil || r != dbus.RequestNameReplyPrimaryOwner {
		t.Fatalf("own %s: %v %v", serviceName, r, err)
	}
	return conn
}

func binding(member, signature string, limit time.Duration) *Binding {
	b := &Binding{Bus: "session", Service: serviceName, Path: "/org/example/Hvac1", Interface: serviceName,
		Member: member, Signature: signature, Within: limit}
	for range signature {
		b.Args = append(b.Args, "{value}")
	}
	return b
}

func TestConnectTellsWhatIsWrong(t *testing.T) {
	address, _ := startBus(t)
	connect(t, address, newAgent())
	nowhere := "unix:path=" + filepath.Join(t.TempDir(), "no-bus")
	for _, c := range []struct{ name, address, want string }{
		{"no daemon", nowhere, "cannot reach the D-Bus daemon at " + nowhere},
		{"no daemon, what to do", nowhere, "is dbus-daemon running?"},
		{"no address", "", "no D-Bus address given"},
		{"not an address", "nonsense", "D-Bus address nonsense is not a Unix socket"},
		{"a network address", "unix:path=/nowhere;tcp:host=localhost,port=9", "D-Bus address tcp:host=localhost,port=9 is not a Unix socket"},
		{"name taken", address, "belongs to another process"},
	} {
		t.Run(c.name, func(t *testing.T) {
			br, err := Connect(within(t), options(c.address, newAgent()))
			if err == nil {
				br.Close()
				t.Fatal("connected")
			}
			if !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %q does not say %q", err, c.want)
			}
		})
	}
	if _, err := Connect(within(t), Options{Address: address}); err == nil {
		t.Error("connected without a handler")
	}
}

func TestNameIsFreeAfterClose(t *testing.T) {
	address, _ := startBus(t)
	br, err := Connect(within(t), options(address, newAgent()))
	if err != nil {
		t.Fatal(err)
	}
	if err := br.Close(); err != nil {
		t.Fatal(err)
	}
	connect(t, address, newAgent())
}

func receiveClosed(t *testing.T, c <-chan struct{}) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(patience):
		t.Fatal("not closed")
	}
}

func TestCallsLeaveInOrder(t *testing.T) {
	address, _ := startBus(t)
	const calls = 2000
	// A raw message filter sees the order of arrival; exported methods would
	// each run in a goroutine of their own.
	arrived := make(chan float64, calls)
	service, err := dbus.Connect(address, dbus.WithIncomingInterceptor(func(m *dbus.Message) {
		if m.Type == dbus.TypeMethodCall {
			arrived <- m.Body[0].(float64)
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { service.Close() })
	methods := map[string]any{"Set": func(float64) *dbus.Error { return nil }}
	if err := service.ExportMethodTable(methods, "/org/example/Hvac1", serviceName); err != nil {
		t.Fatal(err)
	}
	if _, err := service.RequestName(serviceName, dbus.NameFlagDoNotQueue); err != nil {
		t.Fatal(err)
	}
	a := newAgent()
	br := connect(t, address, a)
	b := binding("Set", "d", patience)
	for n := uint64(1); n <= calls; n++ {
		br.Call(n, b, []any{float64(n)})
		if n > maxCalls/2 { // keep half of the places free: a reply for each further call
			if got := receive(t, a.answers, "reply"); !got.ok {
				t.Fatalf("call %d failed: %s", got.n, got.detail)
			}
		}
	}
	if err := br.Drain(within(t)); err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= calls; n++ {
		if got := receive(t, arrived, "call"); got != float64(n) {
			t.Fatalf("call %v arrived as number %d", got, n)
		}
	}
	if rest := len(a.answers); rest != maxCalls/2 {
		t.Errorf("%d replies left after Drain, want %d", rest, maxCalls/2)
	}
}

func TestRepliesTellWhy(t *testing.T) {
	address, _ := startBus(t)
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	serve(t, address, map[string]any{
		"Fine":   func(float64) *dbus.Error { return nil },
		"Refuse": func(float64) *dbus.Error { return dbus.NewError("org.example.TooCold", []any{"too cold"}) },
		"Never":  func(float64) *dbus.Error { <-release; return nil },
	})
	a := newAgent()
	br := connect(t, address, a)
	unconnected := binding("Fine", "d", time.Second)
	unconnected.Bus = "other"
	absent := binding("Fine", "d", patience)
	absent.Service = "org.example.Absent1"
	for _, c := range []struct {
		name   string
		b      *Binding
		args   []any
		ok     bool
		detail string
	}{
		{"accepted", binding("Fine", "d", patience), []any{1.0}, true, ""},
		{"refused", binding("Refuse", "d", patience), []any{1.0}, false, "org.example.TooCold: too cold"},
		{"no method", binding("Nothing", "d", patience), []any{1.0}, false, "org.freedesktop.DBus.Error.UnknownMethod"},
		{"wrong type", binding("Fine", "s", patience), []any{"x"}, false, "org.freedesktop.DBus.Error.InvalidArgs"},
		{"no service", absent, []any{1.0}, false, "org.freedesktop.DBus.Error.ServiceUnknown"},
		{"no answer", binding("Never", "d", 50*time.Millisecond), []any{1.0}, false, Timeout},
		{"no bus", unconnected, []any{1.0}, false, `bus "other" is not connected`},
	} {
		t.Run(c.name, func(t *testing.T) {
			br.Call(9, c.b, c.args)
			got := receive(t, a.answers, "outcome")
			if got.n != 9 || got.ok != c.ok || !strings.HasPrefix(got.detail, c.detail) {
				t.Errorf("got %+v, want ok %v, detail %q", got, c.ok, c.detail)
			}
		})
	}
	if err := br.Drain(within(t)); err != nil {
		t.Error(err)
	}
	if extra := len(a.answers); extra != 0 {
		t.Errorf("%d outcomes too many", extra)
	}
}

func TestOverflowIsTold(t *testing.T) {
	address, _ := startBus(t)
	release := make(chan struct{})
	serve(t, address, map[string]any{"Never": func(float64) *dbus.Error { <-release; return nil }})
	a := newAgent()
	br := connect(t, address, a)
	b := binding("Never", "d", patience)
	for n := range uint64(maxCalls + 10) {
		br.Call(n, b, []any{0.0})
	}
	for range 10 {
		if got := receive(t, a.answers, "refusal"); got.ok || got.n < maxCalls || !strings.HasPrefix(got.detail, "queue full") {
			t.Errorf("got %+v, want a refusal of one of the last ten", got)
		}
	}
	if c := br.Counters(); c["calls_overflowed"] != 10 || c["calls"] != maxCalls+10 {
		t.Errorf("counters %v", c)
	}
	close(release)
	if err := br.Drain(within(t)); err != nil {
		t.Fatal(err)
	}
	if got := len(a.answers); got != maxCalls {
		t.Errorf("%d answers, want %d", got, maxCalls)
	}
}

func TestCloseAnswersOpenCalls(t *testing.T) {
	address, _ := startBus(t)
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	serve(t, address, map[string]any{"Never": func(float64) *dbus.Error { <-release; return nil }})
	a := newAgent()
	br := connect(t, address, a)
	for n := range uint64(5) {
		br.Call(n, binding("Never", "d", patience), []any{0.0})
	}
	if err := br.Close(); err != nil {
		t.Fatal(err)
	}
	if len(a.answers) != 5 {
		t.Fatalf("%d answers after Close, want 5", len(a.answers))
	}
	for range 5 {
		if got := <-a.answers; got.ok {
			t.Errorf("%+v is ok", got)
		}
	}
}

func TestCloseWaitsForHandlers(t *testing.T) {
	address, _ := startBus(t)
	a := newAgent()
	a.block = make(chan struct{})
	br := connect(t, address, a)
	hmi := client(t, address)
	hmi.Object(AgentName, AgentPath).Go(AgentInterface+".Override", 0, nil, "x", dbus.MakeVariant(1.0))
	receive(t, a.overrides, "override")
	closed := make(chan error, 1)
	go func() { closed <- br.Close() }()
	receiveClosed(t, br.ctx.Done())
	select {
	case <-closed:
		t.Fatal("Close returned while a handler was running")
	default:
	}
	close(a.block)
	if err := receive(t, closed, "Close"); err != nil {
		t.Error(err)
	}
}

func TestDrainIsBounded(t *testing.T) {
	address, _ := startBus(t)
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	serve(t, address, map[string]any{"Never": func(float64) *dbus.Error { <-release; return nil }})
	br := connect(t, address, newAgent())
	br.Call(1, binding("Never", "d", patience), []any{0.0})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := br.Drain(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Drain: %v", err)
	}
}
