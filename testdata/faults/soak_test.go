package faults

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

var (
	soakDays   = flag.Int("soak-days", 1, "simulated days of TestSoak")
	soakRate   = flag.Int("soak-rate", 30, "frames a second of its drives")
	soakSeed   = flag.Uint64("soak-seed", 1, "of what happens in TestSoak")
	soakReport = flag.String("soak-report", "", "`file` for the report of TestSoak; its progress goes to standard error then")
)

// The bounds of a soak.
const (
	driveLength = 30 * time.Minute
	aDay        = 4 // drives, a quarter of a soaked day each
	mostFlash   = 4 << 20
	mostState   = 4 << 20
	mostTraces  = 4 << 20
)

// TestSoak is a car's life at speed: drives with frames, cards that fire, an HMI
// that asks and changes, nights asleep, another driver, a bus daemon that restarts.
// In the first quarter the agent is killed or stopped after each drive; what starts
// then lives to the end, so that what grows shows. The time is the recording's,
// which is written as it is read: what is between a socket and the loop is left out.
//
//	make soak SOAK_DAYS=30
func TestSoak(t *testing.T) {
	s := newSoak(t)
	drives := *soakDays * aDay
	for n := range drives {
		s.quarter = n * 4 / drives
		s.oneDrive(n)
		switch next := (n + 1) * 4 / drives; {
		case s.quarter == 0:
			s.restart(n%2 == 0, next > 0)
		case n%7 == 6:
			s.restartBus()
		}
		s.progress(n, drives)
	}
	s.judge()
}

// soak is one run.
type soak struct {
	*rig
	feed    *feed
	login   *login
	hmi     *dbus.Conn
	random  *rand.Rand
	began   time.Time
	quarter int
	user    uint64
	driven  time.Duration // by the process that runs
	edits   int

	rss        [4][]int64 // KiB, by quarter
	files      [4]int     // most descriptors
	goroutines [4]uint64
	restarts   int
	buses      int
	sleeps     int
	frames     uint64 // of processes that are gone
	asked      int    // calls of the HMI
}

const soakConfig = `vehicle: vehicle.yaml
cards: [cards]
bus: %q
source: {log: frames, speed: max, replies: events}
state: state
decisions: {file: decisions, format: jsonl, limits: {max_mib: %d, keep: 1}}
journal: journal
journal_limits: {max_mib: %[2]d, keep: 1}
traces: traces
studies: {cards: [study.yaml], build: "1.0", market: demo, display: wide}
`

func newSoak(t *testing.T) *soak {
	s := &soak{rig: &rig{t: t, dir: t.TempDir()}, random: rand.New(rand.NewPCG(*soakSeed, 9)), began: time.Now()}
	s.startBus()
	for name, from := range map[string]string{"bench.dbc": "../meaning/bench.dbc", "study.yaml": "../drive/studies/demo.yaml"} {
		text, err := os.ReadFile(from)
		s.must(err)
		s.write(name, string(text))
	}
	s.write("vehicle.yaml", profile)
	s.must(os.Mkdir(filepath.Join(s.dir, "cards"), 0o700))
	for i, card := range busyCards() {
		s.write(fmt.Sprintf("cards/%02d.yaml", i), card)
	}
	s.service = newService(t, s.address)
	s.login = newLogin(s.rig)
	s.feed = newFeed(t, filepath.Join(s.dir, "frames"), s.service, time.Date(2026, 2, 1, 7, 0, 0, 0, time.UTC))
	s.feed.told = func() string { return s.agent.told() }
	s.startAgent(1)
	return s
}

// startAgent starts the agent, with files of at most so many MiB.
func (s *soak) startAgent(mib int) {
	s.t.Helper()
	s.write("agent.yaml", fmt.Sprintf(soakConfig, s.address, mib))
	s.feed.begin()
	s.driven = 0
	a := s.start()
	if _, ok := a.hear("msg=running"); !ok {
		s.t.Fatalf("the agent does not run:\n%s", a.told())
	}
	s.login.holds()
	s.connect()
}

// connect is a HMI that starts: it says who drives, and watches.
func (s *soak) connect() {
	s.t.Helper()
	if s.hmi != nil {
		s.hmi.Close()
	}
	conn, err := dbus.Connect(s.address)
	s.must(err)
	s.hmi = conn
	s.await("the owner of its name", 30*time.Second, s.owned)
	s.user = 1 + s.random.Uint64N(2)
	s.ask("org.vignette.Agent1.SetUser", s.user)
	s.ask("org.vignette.Agent1.Watch", []string{"Vehicle.Speed", driverFan})
}

// ask calls the agent, which must answer well.
func (s *soak) ask(method string, args ...any) *dbus.Call {
	s.t.Helper()
	s.asked++
	call := s.hmi.Object("org.vignette.Agent1", "/org/vignette/Agent1").Call(method, 0, args...)
	if call.Err != nil {
		s.t.Fatalf("%s%v: %v\nagent:\n%s", method, args, call.Err, s.agent.told())
	}
	return call
}

// oneDrive is a drive and the hours after it.
func (s *soak) oneDrive(n int) {
	apart := 6 * time.Second / time.Duration(*soakRate)
	for range 3 {
		s.feed.drive(driveLength/3, apart)
		s.stop3s()
	}
	s.driven += driveLength
	s.touch()
	if n%3 == 0 {
		s.edit()
	}
	s.look()
	s.login.sleep()
	s.feed.sleep(5 * time.Hour)
	s.login.wake()
	s.sleeps++
}

// stop3s is a stop of some seconds, in which cards fire and the HMI calls.
func (s *soak) stop3s() {
	for range 10 {
		s.feed.bench(s.random.IntN(9), s.random.IntN(5))
		<-time.After(10 * feedPace)
		switch s.random.IntN(6) {
		case 0:
			s.ask("org.vignette.Agent1.Override", driverFan, dbus.MakeVariant(int32(10*s.random.IntN(5))))
		case 1:
			s.ask("org.vignette.Agent1.Why", "d1")
		case 2:
			s.ask("org.vignette.Agent1.EnableCard", fmt.Sprintf("d%d", 1+s.random.IntN(8)), s.random.IntN(3) > 0)
		case 3:
			s.ask("org.freedesktop.DBus.ObjectManager.GetManagedObjects")
		}
	}
	s.feed.bench(0, 0)
	<-time.After(60 * feedPace) // leases end
}

// touch is what a driver does on the screen, with a consent or without.
func (s *soak) touch() {
	const face = "org.vignette.Trace1."
	attempt := []struct{ Screen, Element, Gesture, Outcome string }{{"home", "navigation_tile", "tap", "ok"}, {"navigation", "zoom", "swipe", "ok"}, {"navigation", "back", "tap", "back"}}
	switch s.random.IntN(5) {
	case 0:
		s.ask(face+"WithdrawConsent", "demo")
	case 1, 2:
		s.ask(face+"GiveConsent", "demo")
	}
	s.ask(face+"Record", attempt)
	s.ask(face + "Traces")
	if s.random.IntN(4) == 0 {
		s.user = 3 - s.user
		s.ask("org.vignette.Agent1.SetUser", s.user)
	}
}

// edit changes a card that came with the car, and installs and removes another.
func (s *soak) edit() {
	s.edits++
	i := s.random.IntN(8)
	s.write(fmt.Sprintf("cards/%02d.yaml", i), strings.Replace(busyCards()[i], "Fan d", fmt.Sprintf("Fan %d d", s.edits), 1))
	s.problems("Reload")
	id := fmt.Sprintf("own%d", s.edits%3)
	s.ask("org.vignette.Agent1.Install", fanCard(id, "A", s.random.IntN(9), driverFan, 20, 200*time.Millisecond))
	s.ask("org.vignette.Agent1.EnableCard", id, true)
	if s.edits%2 == 0 {
		s.ask("org.vignette.Agent1.Remove", id)
	}
}

// problems calls what answers with problems, of which there are none.
func (s *soak) problems(method string) {
	s.t.Helper()
	var list []string
	if s.must(s.ask("org.vignette.Agent1." + method).Store(&list)); len(list) > 0 {
		s.t.Fatalf("problems %q", list)
	}
}

// restart kills the agent or tells it to stop, and starts it again. The one that
// lives to the end keeps all that it writes.
func (s *soak) restart(kill, last bool) {
	s.t.Helper()
	s.frames += s.counters()["frames"]
	if kill {
		s.agent.kill()
	} else {
		s.rig.stop()
	}
	s.feed.close()
	s.login.drop()
	s.gone()
	s.restarts++
	mib := 1
	if last {
		mib = 4096
		for _, name := range []string{"decisions", "journal"} {
			files, err := filepath.Glob(filepath.Join(s.dir, name+"*"))
			s.must(err)
			for _, file := range files {
				s.must(os.Remove(file))
			}
		}
	}
	s.startAgent(mib)
}

// restartBus kills the bus daemon and starts it again; all come back to it.
func (s *soak) restartBus() {
	s.t.Helper()
	s.stopBus()
	s.login.drop()
	s.startBus()
	s.service.connect(s.address)
	s.login.connect()
	s.connect()
	s.login.holds()
	s.buses++
}

// progress says how far the soak is, for somebody who waits.
func (s *soak) progress(n, drives int) {
	if *soakReport == "" || (n+1)%aDay != 0 {
		return
	}
	fmt.Fprintf(os.Stderr, "soak: day %d of %d, %d frames, %d calls, %d KiB, %v\n", (n+1)/aDay, drives/aDay, s.frames+s.feed.written(), s.service.count(),
		s.field("status", "VmRSS:"), time.Since(s.began).Round(time.Second))
}

// written is how many frames the process that runs was given.
func (f *feed) written() (n uint64) {
	f.do(func() { n = f.count })
	return n
}
