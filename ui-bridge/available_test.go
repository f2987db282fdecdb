package uibridge

import (
	"testing"
	"time"
)

// connectAvailable connects a bridge that tells when services come and go.
func connectAvailable(t *testing.T, address string) (br *Bridge, changed chan struct{}) {
	t.Helper()
	changed = make(chan struct{}, 64)
	o := options(address, newAgent())
	o.ServicesChanged = func() { changed <- struct{}{} }
	br, err := Connect(within(t), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { br.Close() })
	return br, changed
}

func TestAvailable(t *testing.T) {
	dir := t.TempDir()
	address, stop := startBusIn(t, dir)
	br, changed := connectAvailable(t, address)
	expect := func(bus, service, want string) {
		t.Helper()
		for limit := time.After(patience); br.Available(bus, service) != want; {
			select {
			case <-changed:
			case <-limit:
				t.Fatalf("%s is %q, want %q", service, br.Available(bus, service), want)
			}
		}
	}
	const other = "org.example.Other1"
	expect("session", serviceName, NotAsked)
	br.SetServices([]Service{{"session", serviceName}, {"session", serviceName}, {"session", other}, {"nowhere", other}})
	expect("session", serviceName, NotRunning)
	expect("nowhere", other, NoBus)
	service := level(t, address, 1)
	expect("session", serviceName, "")
	service.Close()
	expect("session", serviceName, NotRunning)
	stop()
	expect("session", serviceName, BusLost)
	startBusIn(t, dir)
	expect("session", serviceName, NotRunning)
	expect("session", other, NotRunning)
	br.SetServices([]Service{{"session", other}})
	expect("session", other, NotRunning)
	expect("session", serviceName, NotAsked)
}

// TestAvailableByActivation installs a service file while the bus runs: nobody
// has to run, since the daemon could start it.
func TestAvailableByActivation(t *testing.T) {
	dir := t.TempDir()
	address, _ := startBusIn(t, dir)
	br, changed := connectAvailable(t, address)
	br.SetServices([]Service{{"session", serviceName}})
	receive(t, changed, "the first answer")
	if why := br.Available("session", serviceName); why != NotRunning {
		t.Fatalf("%q before its file is there", why)
	}
	serviceFile(t, dir, "/bin/false")
	if err := client(t, address).BusObject().Call(busDaemon+".ReloadConfig", 0).Err; err != nil {
		t.Fatal(err)
	}
	receive(t, changed, "the daemon's word")
	if why := br.Available("session", serviceName); why != "" {
		t.Errorf("%q, though the bus can start it", why)
	}
}
