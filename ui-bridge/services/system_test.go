package services

import (
	"context"
	"math"
	"os"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

// timedate is timedate1's real names on a program of our own.
func timedate(t *testing.T, address string, synchronized bool, zone string) *service {
	t.Helper()
	s := serve(t, address, timedateInterface)
	s.has(timedatePath, timedateInterface, "NTPSynchronized", synchronized)
	s.has(timedatePath, timedateInterface, "Timezone", zone)
	return s
}

// keepTime listens to what vouches for the clock, asking often.
func keepTime(t *testing.T, address string) (*Sources, *ear) {
	t.Helper()
	e := newEar()
	br := connect(t, address)
	s := Listen(br, e, Options{Logger: logger(t)})
	t.Cleanup(s.Close)
	s.follow(br, &clock{all: s, service: timedateInterface, until: 5 * time.Millisecond, trusted: time.Hour})
	return s, e
}

// TestClock: the network's word comes without a signal, so it is asked for; the
// zone's changes are told; a zone that is none takes the trust away.
func TestClock(t *testing.T) {
	address := startBus(t)
	time1 := timedate(t, address, false, "Europe/Berlin")
	time1.own()
	s, e := keepTime(t, address)
	e.hears(t, "zone none")
	time1.has(timedatePath, timedateInterface, "NTPSynchronized", true)
	e.hears(t, "zone Europe/Berlin")
	time1.set(timedatePath, timedateInterface, "Timezone", "America/New_York")
	e.hears(t, "zone America/New_York")
	time1.set(timedatePath, timedateInterface, "Timezone", "Mars/Olympus_Mons")
	e.hears(t, "zone none")
	counter(t, s, "services_faults", 1)
	time1.set(timedatePath, timedateInterface, "Timezone", "UTC")
	e.hears(t, "zone UTC")
	time1.die() // idle
	counter(t, s, "services_gone", 1)
	e.silent(t)
}

// loginOf is login1's real names on a program of our own: Inhibit gives the end
// of a pipe, whose other end tells when it is closed.
type loginOf struct {
	*service
	locks chan *os.File
	given chan *os.File // our own copies of what was given
}

func serveLogin(t *testing.T, address string, delay time.Duration) *loginOf {
	t.Helper()
	l := &loginOf{serve(t, address, loginService), make(chan *os.File, 8), make(chan *os.File, 8)}
	l.has(loginPath, loginManager, "InhibitDelayMaxUSec", uint64(delay/time.Microsecond))
	inhibit := func(what, who, why, mode string) (dbus.UnixFD, *dbus.Error) {
		if what != "sleep:shutdown" || who == "" || why == "" || mode != "delay" {
			t.Errorf("Inhibit(%q, %q, %q, %q)", what, who, why, mode)
		}
		r, w, err := os.Pipe()
		if err != nil {
			t.Error(err)
			return 0, dbus.MakeFailedError(err)
		}
		t.Cleanup(func() { r.Close() })
		fd := dbus.UnixFD(w.Fd()) // before somebody else has w
		l.locks <- r
		l.given <- w
		return fd, nil
	}
	if err := l.conn.ExportMethodTable(map[string]any{"Inhibit": inhibit}, loginPath, loginManager); err != nil {
		t.Fatal(err)
	}
	l.own()
	return l
}

// lock waits for the next inhibitor that is taken.
func (l *loginOf) lock(t *testing.T) *os.File {
	t.Helper()
	select {
	case r := <-l.locks:
		return r
	case <-time.After(patience):
		t.Fatal("no inhibitor is taken")
		return nil
	}
}

// released waits until the agent closes an inhibitor.
func (l *loginOf) released(t *testing.T, lock *os.File) {
	t.Helper()
	(<-l.given).Close() // the message has long had its own
	if err := lock.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if n, err := lock.Read(make([]byte, 1)); err == nil || os.IsTimeout(err) {
		t.Fatalf("the inhibitor is held: read %d, %v", n, err)
	}
}

// TestSleep: the inhibitor is held until what cards have set has ended, is given
// back, and is taken again when the car wakes.
func TestSleep(t *testing.T) {
	address := startBus(t)
	l := serveLogin(t, address, 4*time.Second)
	s, e := listen(t, address, "", true)
	lock := l.lock(t)
	probed, allowed := make(chan struct{}), make(chan struct{})
	e.sleeps(func(ctx context.Context) error {
		if deadline, ok := ctx.Deadline(); !ok || time.Until(deadline) > 4*time.Second {
			t.Error("sleep is held back without a bound")
		}
		if err := lock.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
			t.Error(err)
		}
		if _, err := lock.Read(make([]byte, 1)); !os.IsTimeout(err) {
			t.Errorf("the inhibitor was given back too early: %v", err)
		}
		close(probed)
		select {
		case <-allowed:
		case <-ctx.Done():
		}
		return nil
	})
	l.emit(loginPath, loginManager, "PrepareForSleep", true)
	e.hears(t, "sleep")
	<-probed
	close(allowed)
	l.released(t, lock)
	l.emit(loginPath, loginManager, "PrepareForSleep", false)
	e.hears(t, "woke")
	lock = l.lock(t)
	l.emit(loginPath, loginManager, "PrepareForShutdown", true)
	e.hears(t, "shutdown")
	s.Close()
	l.released(t, lock)
	e.silent(t)
}

// TestSleepIsNotHeldForEver: a car whose services do not answer sleeps in time.
func TestSleepIsNotHeldForEver(t *testing.T) {
	address := startBus(t)
	l := serveLogin(t, address, 200*time.Millisecond)
	s, e := listen(t, address, "", true)
	lock := l.lock(t)
	e.sleeps(func(ctx context.Context) error {
		<-ctx.Done()
		return ctx.Err()
	})
	l.emit(loginPath, loginManager, "PrepareForSleep", true)
	e.hears(t, "sleep")
	l.released(t, lock)
	counter(t, s, "services_faults", 1)
}

// geoclue is GeoClue2's real names on a program of our own: python-dbusmock has no
// template of it.
func geoclue(t *testing.T, address string) *service {
	t.Helper()
	const client = "/org/freedesktop/GeoClue2/Client/7"
	s := serve(t, address, geoService)
	s.has(client, geoClient, "Location", dbus.ObjectPath("/"))
	set := func(m dbus.Message, iface, name string, v dbus.Variant) *dbus.Error {
		s.has(string(m.Headers[dbus.FieldPath].Value().(dbus.ObjectPath)), iface, name, v.Value())
		return nil
	}
	start := func() *dbus.Error {
		s.mu.Lock()
		defer s.mu.Unlock()
		p := s.props[client+" "+geoClient]
		if p["DesktopId"] != DesktopID || p["RequestedAccuracyLevel"] != exact || p["DistanceThreshold"] != geoEvery {
			return dbus.NewError("org.freedesktop.DBus.Error.AccessDenied", []any{"not configured"})
		}
		return nil
	}
	for _, one := range []struct {
		path, iface string
		methods     map[string]any
	}{
		{geoPath, geoManager, map[string]any{"GetClient": func() (dbus.ObjectPath, *dbus.Error) { return client, nil }}},
		{client, geoClient, map[string]any{"Start": start}},
		{client, propertiesInterface, map[string]any{"Set": set, "Get": s.get, "GetAll": s.getAll}},
	} {
		if err := s.conn.ExportMethodTable(one.methods, dbus.ObjectPath(one.path), one.iface); err != nil {
			t.Fatal(err)
		}
	}
	s.own()
	return s
}

// at moves the car.
func (s *service) at(n string, lat, lon, accuracy float64) {
	const client = "/org/freedesktop/GeoClue2/Client/7"
	path := "/org/freedesktop/GeoClue2/Location/" + n
	s.has(path, geoLocation, "Latitude", lat)
	s.has(path, geoLocation, "Longitude", lon)
	s.has(path, geoLocation, "Accuracy", accuracy)
	s.emit(client, geoClient, "LocationUpdated", dbus.ObjectPath("/"), dbus.ObjectPath(path))
}

// TestLocator: GeoClue is started as it wants to be, tells where the car is, and
// is told of when it goes.
func TestLocator(t *testing.T) {
	address := startBus(t)
	geo := geoclue(t, address)
	s, e := listen(t, address, "place: {names: [home], geoclue: true}", false)
	untilHeard(t, e, func() { geo.at("0", 52.5, 13.25, 8) }, "located 52.5 13.25 8")
	for len(e.told) > 0 {
		<-e.told
	}
	geo.at("1", 52.75, 13.5, 12.5)
	hearsLast(t, e, "located 52.75 13.5 12.5")
	geo.at("2", 95, 13.5, 12.5)
	hearsLast(t, e, "located nowhere")
	geo.die()
	e.hears(t, "located nowhere")
	counter(t, s, "services_gone", 1)
}

// hearsLast waits for a text and passes over others.
func hearsLast(t *testing.T, e *ear, want string) {
	t.Helper()
	for {
		select {
		case got := <-e.told:
			if got == want {
				return
			}
		case <-time.After(patience):
			t.Fatalf("%q was not told", want)
		}
	}
}

// TestWithin: near a circle's line, and where the accuracy leaves it open, it is
// not known on which side the car is.
func TestWithin(t *testing.T) {
	const degree = 111194.9 // m of a degree of latitude, on the sphere
	for _, c := range []struct {
		metres, accuracy float64
		in, known        bool
	}{
		{0, 5, true, true}, {85, 5, true, true}, {95, 5, false, false}, {105, 5, false, false}, {115, 5, false, true},
		{60, 39, true, true}, {60, 41, false, false}, {150, 49, false, true}, {150, 51, false, false}, {0, 150, false, false}, {5000, 1000, false, true},
	} {
		fix, err := NewFix(52+c.metres/degree, 13, c.accuracy)
		if err != nil {
			t.Fatal(err)
		}
		if in, known := fix.Within(52, 13, 100); in != c.in || known != c.known {
			t.Errorf("%v m away, to %v m: in %v known %v, want %v %v", c.metres, c.accuracy, in, known, c.in, c.known)
		}
	}
	for _, c := range []struct{ lat1, lon1, lat2, lon2, km float64 }{
		{52.5200, 13.4050, 48.8566, 2.3522, 877.46},      // Berlin, Paris
		{0, 179.5, 0, -179.5, 111.19},                    // over the date line
		{-33.8688, 151.2093, 51.5074, -0.1278, 16993.93}, // Sydney, London
		{90, 0, -90, 0, 20015.09},
	} {
		if d := (&Fix{c.lat1, c.lon1, 0}).distance(c.lat2, c.lon2) / 1000; math.Abs(d-c.km) > c.km/1000 {
			t.Errorf("%v: %.2f km, want %.2f", c, d, c.km)
		}
	}
	for _, bad := range [][3]float64{{91, 0, 1}, {0, -181, 1}, {0, 0, -1}, {math.NaN(), 0, 1}, {0, 0, math.Inf(1)}} {
		if _, err := NewFix(bad[0], bad[1], bad[2]); err == nil {
			t.Errorf("%v is taken for a position", bad)
		}
	}
	if lat, lon := (&Fix{52.5163, 13.3777, 5}).Coarse(); lat != 52.5 || lon != 13.4 {
		t.Errorf("coarse is %v, %v", lat, lon)
	}
}
