package faults

import (
	"sync"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"vignette/can/socketcan"
)

const hvac = "org.example.Hvac1"

// service takes the calls of the profile as docs/integrate-hmi.md wants it: the
// last one counts, and a lease that is not renewed ends by itself.
type service struct {
	t    testing.TB
	conn *dbus.Conn

	mu     sync.Mutex
	fans   map[string]*fan
	calls  []call
	onCall func(c call)       // called as each call comes, before it is answered
	answer func() *dbus.Error // what a call is answered with, if not at once that it is done
	refuse bool               // calls move nothing
}

// fan is one actuator.
type fan struct {
	value float64
	until time.Time // when the service ends the lease
	timer *time.Timer
}

// call is a call that came in.
type call struct {
	fan   string
	value float64
	lease time.Duration // 0: an end
	at    int64         // ns of CLOCK_BOOTTIME
}

func newService(t testing.TB, address string) *service {
	t.Helper()
	s := &service{t: t, fans: map[string]*fan{driverFan: {}, passengerFan: {}}}
	s.connect(address)
	t.Cleanup(func() { s.conn.Close() })
	return s
}

// connect offers the service on a bus.
func (s *service) connect(address string) {
	s.t.Helper()
	conn, err := dbus.Connect(address, dbus.WithIncomingInterceptor(s.take))
	if err != nil {
		s.t.Fatal(err)
	}
	s.conn = conn
	methods := map[string]any{"Set": func(string, float64, uint32) *dbus.Error { return s.reply() }}
	if err := conn.ExportMethodTable(methods, "/org/example/Hvac1", hvac); err != nil {
		s.t.Fatal(err)
	}
	if r, err := conn.RequestName(hvac, dbus.NameFlagDoNotQueue); err != nil || r != dbus.RequestNameReplyPrimaryOwner {
		s.t.Fatal(r, err)
	}
}

// disconnect leaves the bus; fans that are held stay so for their leases.
func (s *service) disconnect() { s.conn.Close() }

// behave sets how calls are answered: nil is at once, with yes.
func (s *service) behave(answer func() *dbus.Error, refuse bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer, s.refuse = answer, refuse
}

func (s *service) reply() *dbus.Error {
	s.mu.Lock()
	answer := s.answer
	s.mu.Unlock()
	if answer == nil {
		return nil
	}
	return answer()
}

// take takes a message in the order of the bus: godbus runs methods in
// goroutines, which would mix them.
func (s *service) take(m *dbus.Message) {
	if face, _ := m.Headers[dbus.FieldInterface].Value().(string); m.Type != dbus.TypeMethodCall || face != hvac {
		return
	}
	var name string
	var value float64
	var ms uint32
	if err := dbus.Store(m.Body, &name, &value, &ms); err != nil {
		s.t.Errorf("a call with other arguments: %v", err)
		return
	}
	c := call{name, value, time.Duration(ms) * time.Millisecond, socketcan.Now()}
	s.mu.Lock()
	if !s.refuse {
		s.set(c)
	}
	s.calls = append(s.calls, c)
	on := s.onCall
	s.mu.Unlock()
	if on != nil {
		on(c)
	}
}

// set moves a fan, for the time of the lease.
func (s *service) set(c call) {
	f := s.fans[c.fan]
	if f == nil {
		s.t.Errorf("a call for %s", c.fan)
		return
	}
	if f.timer != nil {
		f.timer.Stop()
	}
	f.value, f.until, f.timer = c.value, time.Time{}, nil
	if c.lease == 0 {
		return
	}
	until := time.Now().Add(c.lease)
	f.until = until
	f.timer = time.AfterFunc(c.lease, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if f.until.Equal(until) {
			f.value, f.until = base, time.Time{}
		}
	})
}

// standing is how a fan stands.
func (s *service) standing(name string) fan {
	s.mu.Lock()
	defer s.mu.Unlock()
	return *s.fans[name]
}

// since gives the calls from the nth on, and how many there are.
func (s *service) since(n int) []call {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]call(nil), s.calls[n:]...)
}

func (s *service) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.calls)
}
