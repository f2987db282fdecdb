package services

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"vignette/scenes"
	uibridge "vignette/ui-bridge"
	"vignette/ui-bridge/privatebus"

	"github.com/godbus/dbus/v5"
)

// patience is how long a test waits for what must come.
const patience = 20 * time.Second

// ear is a sink that keeps what it is told, as texts.
type ear struct {
	told  chan string
	mu    sync.Mutex
	slept func(ctx context.Context) error
}

func newEar() *ear { return &ear{told: make(chan string, 4096)} }

func (e *ear) Occurred(text string, now bool) error {
	e.told <- map[bool]string{true: "now ", false: "found "}[now] + text
	return nil
}

func (e *ear) Clocked(zone *time.Location) error {
	name := "none"
	if zone != nil {
		name = zone.String()
	}
	e.told <- "zone " + name
	return nil
}

func (e *ear) Located(fix *Fix) error {
	if fix == nil {
		e.told <- "located nowhere"
		return nil
	}
	e.told <- fmt.Sprint("located ", fix.lat, fix.lon, fix.accuracy)
	return nil
}

func (e *ear) Sleep(ctx context.Context) error {
	e.told <- "sleep"
	e.mu.Lock()
	f := e.slept
	e.mu.Unlock()
	if f != nil {
		return f(ctx)
	}
	return nil
}

// sleeps says what Sleep does.
func (e *ear) sleeps(f func(ctx context.Context) error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.slept = f
}

func (e *ear) Woke() error {
	e.told <- "woke"
	return nil
}

func (e *ear) Shutdown() { e.told <- "shutdown" }

// hears waits for the next texts, in their order.
func (e *ear) hears(t *testing.T, want ...string) {
	t.Helper()
	for _, w := range want {
		select {
		case got := <-e.told:
			if got != w {
				t.Fatalf("told %q, want %q", got, w)
			}
		case <-time.After(patience):
			t.Fatalf("%q was not told", w)
		}
	}
}

// silent holds that nothing more was told.
func (e *ear) silent(t *testing.T) {
	t.Helper()
	select {
	case got := <-e.told:
		t.Fatalf("told %q, want nothing", got)
	default:
	}
}

// nobody handles nothing: the bridge of these tests is not called.
type nobody struct{ uibridge.Handler }

// startBus runs a bus of its own, which stands for the system's.
func startBus(t *testing.T) (address string) {
	t.Helper()
	address, stop, err := privatebus.Start(context.Background(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	return address
}

// connect gives a bridge on a bus.
func connect(t *testing.T, address string) *uibridge.Bridge {
	t.Helper()
	br, err := uibridge.Connect(t.Context(), uibridge.Options{Address: address, Handler: nobody{}, Logger: logger(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { br.Close() })
	return br
}

// listen listens on a bus to events, given as a profile writes them.
func listen(t *testing.T, address, events string, login bool) (*Sources, *ear) {
	t.Helper()
	e := newEar()
	s := Listen(connect(t, address), e, Options{Events: eventsOf(t, events), Login: login, Logger: logger(t)})
	t.Cleanup(s.Close)
	return s, e
}

// eventsOf reads the `events` of a profile.
func eventsOf(t *testing.T, events string) []scenes.Event {
	t.Helper()
	if events == "" {
		return nil
	}
	dir := t.TempDir()
	profile := "schema: 1\nid: small\nversion: 1\nbuses:\n  pt: {dbc: [car.dbc]}\nsignals: {Vehicle.Speed: {from: pt.M.S, unit: km/h}}\nevents:\n  " +
		strings.ReplaceAll(events, "\n", "\n  ") + "\n"
	for name, text := range map[string]string{"vehicle.yaml": profile, "car.dbc": "VERSION \"\"\nBO_ 1 M: 8 X\n SG_ S : 0|16@1+ (0.1,0) [0|300] \"km/h\" Y\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	v, err := scenes.LoadVehicle(filepath.Join(dir, "vehicle.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return v.Events
}

// service is a program of our own on a bus, which stands for a head unit's.
type service struct {
	t    *testing.T
	conn *dbus.Conn
	name string

	mu    sync.Mutex
	props map[string]map[string]any // by path and interface, by name
	asked int                       // times that a property was
}

// serve owns a name on a bus.
func serve(t *testing.T, address, name string) *service {
	t.Helper()
	conn, err := dbus.Connect(address)
	if err != nil {
		t.Fatal(err)
	}
	s := &service{t: t, conn: conn, name: name, props: map[string]map[string]any{}}
	t.Cleanup(s.die)
	return s
}

// own takes the name: the service is there.
func (s *service) own() {
	s.t.Helper()
	if r, err := s.conn.RequestName(s.name, dbus.NameFlagDoNotQueue); err != nil || r != dbus.RequestNameReplyPrimaryOwner {
		s.t.Fatal(r, err)
	}
}

func (s *service) die() { s.conn.Close() }

// has sets a property without a word.
func (s *service) has(path, iface, name string, v any) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.props[path+" "+iface] == nil {
		s.props[path+" "+iface] = map[string]any{}
		if err := s.conn.ExportMethodTable(map[string]any{"Get": s.get, "GetAll": s.getAll}, dbus.ObjectPath(path), propertiesInterface); err != nil {
			s.t.Fatal(err)
		}
	}
	s.props[path+" "+iface][name] = v
}

// set sets a property and tells of it.
func (s *service) set(path, iface, name string, v any) {
	s.t.Helper()
	s.has(path, iface, name, v)
	s.emit(path, propertiesInterface, "PropertiesChanged", iface, map[string]dbus.Variant{name: dbus.MakeVariant(v)}, []string{})
}

func (s *service) emit(path, iface, member string, body ...any) {
	s.t.Helper()
	if err := s.conn.Emit(dbus.ObjectPath(path), iface+"."+member, body...); err != nil {
		s.t.Fatal(err)
	}
}

func (s *service) get(m dbus.Message, iface, name string) (dbus.Variant, *dbus.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	path := m.Headers[dbus.FieldPath].Value().(dbus.ObjectPath)
	v, ok := s.props[string(path)+" "+iface][name]
	if !ok {
		return dbus.Variant{}, dbus.NewError("org.freedesktop.DBus.Error.UnknownProperty", []any{"no " + name})
	}
	return dbus.MakeVariant(v), nil
}

func (s *service) getAll(m dbus.Message, iface string) (map[string]dbus.Variant, *dbus.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	path := m.Headers[dbus.FieldPath].Value().(dbus.ObjectPath)
	all := map[string]dbus.Variant{}
	for name, v := range s.props[string(path)+" "+iface] {
		all[name] = dbus.MakeVariant(v)
	}
	return all, nil
}

// manage exports an ObjectManager over all that has properties.
func (s *service) manage(path string) {
	s.t.Helper()
	objects := func() (map[dbus.ObjectPath]map[string]map[string]dbus.Variant, *dbus.Error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		all := map[dbus.ObjectPath]map[string]map[string]dbus.Variant{}
		for key, props := range s.props {
			path, iface, _ := strings.Cut(key, " ")
			list := map[string]dbus.Variant{}
			for name, v := range props {
				list[name] = dbus.MakeVariant(v)
			}
			all[dbus.ObjectPath(path)] = map[string]map[string]dbus.Variant{iface: list}
		}
		return all, nil
	}
	if err := s.conn.ExportMethodTable(map[string]any{"GetManagedObjects": objects}, dbus.ObjectPath(path), managerInterface); err != nil {
		s.t.Fatal(err)
	}
}

// counter waits until a counter is at least so much.
func counter(t *testing.T, s *Sources, name string, least uint64) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); ; <-tick.C {
		m := map[string]uint64{}
		if s.Count(m); m[name] >= least {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s is %d, want at least %d", name, m[name], least)
		}
	}
}

// logger shows what is logged where a test fails.
func logger(t *testing.T) *slog.Logger { return slog.New(slog.NewTextHandler(t.Output(), nil)) }
