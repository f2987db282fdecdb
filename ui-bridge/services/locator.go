package services

import (
	"fmt"
	"math"
	"sync"
	"time"

	uibridge "vignette/ui-bridge"

	"github.com/godbus/dbus/v5"
)

// The names of GeoClue2 (its D-Bus API reference).
const (
	geoService  = "org.freedesktop.GeoClue2"
	geoManager  = "org.freedesktop.GeoClue2.Manager"
	geoClient   = "org.freedesktop.GeoClue2.Client"
	geoLocation = "org.freedesktop.GeoClue2.Location"
	geoPath     = "/org/freedesktop/GeoClue2/Manager"
)

// GeoClue is the service that tells where the car is, on the system bus.
const GeoClue = geoService

// DesktopID is what the agent calls itself before GeoClue, whose configuration
// must allow it.
const DesktopID = "vignette-agent"

// What GeoClue is asked for.
const (
	exact           = uint32(8)  // GCLUE_ACCURACY_LEVEL_EXACT
	geoEvery        = uint32(25) // m
	relocateAfter   = 30 * time.Second
	noLocation      = dbus.ObjectPath("/")
	maxAccuracy     = 1e6 // m; beyond it a fix says nothing
	earthRadius     = 6371008.8
	leastHysteresis = 10.0 // m
)

// Fix is where the car is, in degrees north and east, with its accuracy in m. It
// has no String: nothing prints it.
type Fix struct{ lat, lon, accuracy float64 }

// NewFix checks a position.
func NewFix(lat, lon, accuracy float64) (*Fix, error) {
	if !(math.Abs(lat) <= 90 && math.Abs(lon) <= 180 && accuracy >= 0 && accuracy <= maxAccuracy) {
		return nil, fmt.Errorf("a position is not one on the earth with an accuracy of at most %v m", maxAccuracy)
	}
	return &Fix{lat, lon, accuracy}, nil
}

// Coarse is the position to a tenth of a degree, about 11 km: enough for the sun.
func (f *Fix) Coarse() (lat, lon float64) {
	round := func(x float64) float64 { return math.Round(x*10) / 10 }
	return round(f.lat), round(f.lon)
}

// Within tells whether the car is in a circle (degrees, m). It is not known while
// the accuracy leaves it open, and near the circle's line, so that a fix that
// wanders does not enter and leave.
func (f *Fix) Within(lat, lon, radius float64) (in, known bool) {
	d, slack := f.distance(lat, lon), max(f.accuracy, leastHysteresis)
	switch {
	case d+slack <= radius:
		return true, true
	case d-slack >= radius:
		return false, true
	}
	return false, false
}

// distance is that over the ground in m, by the haversine formula on a sphere.
func (f *Fix) distance(lat, lon float64) float64 {
	rad := func(x float64) float64 { return x * math.Pi / 180 }
	a, b := math.Sin(rad(lat-f.lat)/2), math.Sin(rad(lon-f.lon)/2)
	h := a*a + math.Cos(rad(lat))*math.Cos(rad(f.lat))*b*b
	return 2 * earthRadius * math.Asin(math.Sqrt(min(h, 1)))
}

// locator asks GeoClue2 where the car is.
type locator struct {
	all   *Sources
	retry alarm

	mu     sync.Mutex
	peer   *uibridge.Peer
	client dbus.ObjectPath
	fault  string
}

func (l *locator) follow() *uibridge.Follow {
	return &uibridge.Follow{Bus: "system", Service: geoService, Activate: true,
		Match:    []uibridge.Match{{Interface: geoClient, Member: "LocationUpdated"}},
		Appeared: l.appeared, Signal: l.updated, Gone: l.gone}
}

func (l *locator) close() { l.retry.close() }

func (l *locator) appeared(p *uibridge.Peer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.peer = p
	l.begin()
}

// begin has GeoClue start a client of ours; the caller holds mu.
func (l *locator) begin() {
	if err := l.start(); err != nil && l.all.ctx.Err() == nil {
		l.faulty(err)
		l.retry.set(relocateAfter, func() {
			l.mu.Lock()
			defer l.mu.Unlock()
			if l.peer != nil {
				l.begin()
			}
		})
	}
}

func (l *locator) start() error {
	ctx, p := l.all.ctx, l.peer
	if err := p.Call(ctx, geoPath, geoManager, "GetClient").Store(&l.client); err != nil {
		return err
	}
	for _, property := range []struct {
		name  string
		value any
	}{{"DesktopId", DesktopID}, {"DistanceThreshold", geoEvery}, {"RequestedAccuracyLevel", exact}} {
		if err := p.Call(ctx, string(l.client), propertiesInterface, "Set", geoClient, property.name, dbus.MakeVariant(property.value)).Err; err != nil {
			return err
		}
	}
	if err := p.Call(ctx, string(l.client), geoClient, "Start").Err; err != nil {
		return err
	}
	var now dbus.ObjectPath
	v, err := p.Get(ctx, string(l.client), geoClient, "Location")
	if err == nil {
		err = v.Store(&now)
	}
	if err != nil || now == noLocation || now == "" {
		return err
	}
	return l.read(now)
}

// updated takes LocationUpdated of our client.
func (l *locator) updated(s *dbus.Signal) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var before, now dbus.ObjectPath
	if l.peer == nil || s.Path != l.client {
		return // another program's
	}
	err := dbus.Store(s.Body, &before, &now)
	if err == nil {
		err = l.read(now)
	}
	if err != nil && l.all.ctx.Err() == nil {
		l.faulty(err)
		l.tell(nil)
	}
}

// read reads a position and tells it.
func (l *locator) read(path dbus.ObjectPath) error {
	var list properties
	if err := l.peer.Call(l.all.ctx, string(path), propertiesInterface, "GetAll", geoLocation).Store(&list); err != nil {
		return err
	}
	number := func(name string) float64 {
		x, ok := list[name].Value().(float64)
		if !ok {
			return math.NaN()
		}
		return x
	}
	fix, err := NewFix(number("Latitude"), number("Longitude"), number("Accuracy"))
	if err != nil {
		return err
	}
	l.fault = ""
	l.tell(fix)
	return nil
}

// gone makes it unknown where the car is.
func (l *locator) gone() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.peer = nil
	l.all.unknown.Add(1)
	l.all.log.Warn("GeoClue has gone; places are unknown")
	l.tell(nil)
}

// faulty counts a fault, and logs it if it is another one than before.
func (l *locator) faulty(err error) {
	l.all.faults.Add(1)
	if l.fault != err.Error() {
		l.fault = err.Error()
		l.all.log.Warn("GeoClue does not tell where the car is", "error", err)
	}
}

func (l *locator) tell(fix *Fix) {
	if err := l.all.sink.Located(fix); err != nil && l.all.ctx.Err() == nil {
		l.all.faults.Add(1)
		l.all.log.Warn("the position was not taken", "error", err)
	}
}
