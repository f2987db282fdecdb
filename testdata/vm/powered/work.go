package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"github.com/godbus/dbus/v5"
	"golang.org/x/sys/unix"

	"vignette/testdata/vm/powercut"
)

// worker has the agent work, and marks what it asks and what is answered.
type worker struct {
	*agent
	car     *car
	random  *rand.Rand
	disk    *os.File
	marks   int
	asked   int
	now     map[string]string // registers
	user    uint64
	version int
	left    bool // what is asked is over for the agent by time alone; see powercut.Mark
	lefts   int
}

// fewest is how much is asked at least, however slow the desk makes the guest.
const fewest = 30

// work makes the car anew on the disk and has the agent work for a while.
func work(seed uint64, length time.Duration) (any, error) {
	name, err := disk(dataDisk)
	if err != nil {
		return nil, err
	}
	if err := unix.Mount(name, mounted, "ext4", 0, ""); err != nil {
		return nil, fmt.Errorf("mount %s: %w", name, err)
	}
	w := &worker{random: rand.New(rand.NewPCG(seed, 1)), now: map[string]string{}}
	if w.disk, err = os.OpenFile(name, os.O_WRONLY|syscall.O_DIRECT, 0); err != nil {
		return nil, err
	}
	if err := w.promise(nil, install); err != nil {
		return nil, err
	}
	if w.car, err = startCar(); err != nil {
		return nil, err
	}
	if w.agent, err = startAgent(); err != nil {
		return nil, err
	}
	say("the agent works")
	if err := errors.Join(w.begin(), w.lease()); err != nil {
		return nil, err
	}
	worked := map[string]int{}
	for begin := time.Now(); w.marks < powercut.MaxMarks-10; {
		if took := time.Since(begin); took > length && (w.asked > fewest || took > 10*length) {
			break
		}
		kind := w.draw()
		if err := kind.do(w); err != nil {
			return nil, fmt.Errorf("%s: %w\n%v", kind.name, err, w.said())
		}
		worked[kind.name]++
	}
	say("it has worked: %v; %d leases were left alone for a second", worked, w.lefts)
	return worked, nil // the power goes off now
}

// kind is something that a driver, a HMI or a maker does.
type kind struct {
	name  string
	often int
	do    func(w *worker) error
}

var kinds = []kind{
	{"enable", 8, (*worker).enable}, {"consent", 5, (*worker).consent}, {"install", 4, (*worker).install}, {"remove", 2, (*worker).remove},
	{"place", 3, (*worker).place}, {"habits", 2, (*worker).habits}, {"lease", 6, (*worker).lease}, {"hold", 4, (*worker).hold},
	{"change of a card", 3, (*worker).change}, {"change of driver", 2, (*worker).driver}, {"record", 3, (*worker).record}, {"kill", 1, (*worker).again},
}

func (w *worker) draw() kind {
	all := 0
	for _, k := range kinds {
		all += k.often
	}
	n := w.random.IntN(all)
	for _, k := range kinds {
		if n -= k.often; n < 0 {
			return k
		}
	}
	panic("nothing was drawn")
}

// mark writes the next mark behind the file system, past all caches.
func (w *worker) mark(m powercut.Mark) error {
	b, err := m.Append()
	if err != nil {
		return err
	}
	page := make([]byte, 2*4096) // O_DIRECT wants it aligned
	at := 4096 - int(uintptr(unsafe.Pointer(&page[0]))&4095)
	copy(page[at:], b)
	_, err = w.disk.WriteAt(page[at:at+powercut.MarkBytes], powercut.FileSystemBytes+int64(w.marks)*powercut.MarkBytes)
	w.marks++
	return err
}

// promise marks what is asked, asks it, and marks that it was answered.
func (w *worker) promise(set map[string]string, ask func() error) error {
	n := w.asked
	w.asked++
	if err := w.mark(powercut.Mark{N: n, Set: set}); err != nil {
		return err
	}
	if err := ask(); err != nil {
		return err
	}
	for register, value := range set {
		w.now[register] = value
	}
	left := w.left
	w.left = false
	return w.mark(powercut.Mark{N: n, Done: true, Left: left})
}

// settled asks something whose answer says that the state is on the disk.
func (w *worker) settled() error { return w.ask("EnableCard", []any{"c3", true}) }

// second lets the second go by in which the agent syncs what it has written. One in
// which the desk held the guest up does not count, but half a minute does.
func second() {
	const steps, late = 4, 250 * time.Millisecond
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); {
		begin := time.Now()
		for range steps {
			<-time.After(time.Second / steps)
		}
		if time.Since(begin) < time.Second+late {
			return
		}
	}
}

func (w *worker) of(what, id string) string { return fmt.Sprintf("%s %d %s", what, w.user, id) }

// begin says who drives, and what all registers are.
func (w *worker) begin() error {
	w.user = 1
	set := map[string]string{"lease": "none", "hold": "off", "deck": "1.0.0"}
	for _, id := range installable {
		set["installed "+id] = "none"
	}
	for user := uint64(1); user <= 2; user++ {
		set[fmt.Sprint("consent ", user)], set[fmt.Sprint("place ", user)], set[fmt.Sprint("habits ", user)] = "none", "none", "off"
		for _, id := range plainCards[:2] {
			set[fmt.Sprintf("card %d %s", user, id)] = "on"
		}
	}
	return w.promise(set, func() error {
		if err := w.ask("SetUser", []any{w.user}); err != nil {
			return err
		}
		if err := w.parked(); err != nil {
			return err
		}
		return w.settled()
	})
}

// parked waits until the agent knows that the car is parked: the card that nobody
// disables would act, or would but for a lease of another.
func (w *worker) parked() error {
	var p map[string]dbus.Variant
	err := await("the car is known to be parked", func() (_ bool, err error) {
		p, err = w.cardProperties("c3")
		why, _ := p["Why"].Value().(string)
		return err == nil && (p["State"].Value() == "armed" || strings.HasPrefix(why, "winner:")), err
	})
	if err != nil {
		return fmt.Errorf("%w, but %v", err, p)
	}
	return nil
}

func word(on bool, yes, no string) string {
	if on {
		return yes
	}
	return no
}

// enable enables or disables a card.
func (w *worker) enable() error {
	ids := append([]string(nil), plainCards[:2]...)
	for _, id := range installable {
		if w.now["installed "+id] != "none" {
			ids = append(ids, id)
		}
	}
	id, on := ids[w.random.IntN(len(ids))], w.random.IntN(2) == 0
	return w.promise(map[string]string{w.of("card", id): word(on, "on", "off")}, func() error { return w.ask("EnableCard", []any{id, on}) })
}

func (w *worker) consent() error {
	register := fmt.Sprint("consent ", w.user)
	if w.now[register] == "given" {
		return w.promise(map[string]string{register: "none"}, func() error { return w.ask(traceInterface+".WithdrawConsent", []any{study}) })
	}
	return w.promise(map[string]string{register: "given"}, func() error { return w.ask(traceInterface+".GiveConsent", []any{study}) })
}

// install installs a new version of a card, which nobody has enabled.
func (w *worker) install() error {
	w.version++
	id, version := installable[w.random.IntN(len(installable))], fmt.Sprintf("1.0.%d", w.version)
	set := map[string]string{"installed " + id: version}
	for user := 1; user <= 2; user++ {
		set[fmt.Sprintf("card %d %s", user, id)] = "off"
	}
	return w.promise(set, func() error {
		var report map[string]any
		err := w.ask("Install", []any{plain(id, version)}, &report)
		if err == nil && report["installed"] == false {
			err = fmt.Errorf("refused: %v", report)
		}
		return err
	})
}

func (w *worker) remove() error {
	id := installable[w.random.IntN(len(installable))]
	if w.now["installed "+id] == "none" {
		return nil
	}
	set := map[string]string{"installed " + id: "none"}
	for user := 1; user <= 2; user++ {
		set[fmt.Sprintf("card %d %s", user, id)] = "none"
	}
	return w.promise(set, func() error { return w.ask("Remove", []any{id}) })
}

func (w *worker) place() error {
	register := fmt.Sprint("place ", w.user)
	if w.now[register] != "none" && w.random.IntN(2) == 0 {
		return w.promise(map[string]string{register: "none"}, func() error { return w.ask("ForgetPlace", []any{"home"}) })
	}
	north := float64(w.random.IntN(80))
	return w.promise(map[string]string{register: fmt.Sprint(north)}, func() error { return w.ask("SetPlace", []any{"home", north, 8.5, 100.0}) })
}

func (w *worker) habits() error {
	register := fmt.Sprint("habits ", w.user)
	on := w.now[register] == "off"
	return w.promise(map[string]string{register: word(on, "on", "off")}, func() error { return w.ask("SetHabits", []any{on}) })
}

// lease has a card take the fan, or ends its lease by disabling the card.
func (w *worker) lease() error {
	if w.now["lease"] != "none" {
		return w.promise(map[string]string{"lease": "none"}, func() error { return w.ask("EnableCard", []any{powercut.LeaseCard, false}) })
	}
	if err := w.ask("EnableCard", []any{powercut.LeaseCard, true}); err != nil {
		return err
	}
	w.car.bench(0, w.car.b)
	if err := w.turned(powercut.LeaseCard, "is", "armed"); err != nil {
		return err
	}
	return w.promise(map[string]string{"lease": fmt.Sprint(leaseValue)}, func() error {
		before := w.car.called(true)
		w.car.bench(1, w.car.b)
		if err := await("the fan is set", func() (bool, error) { return w.car.called(true) > before, nil }); err != nil {
			return err
		}
		if w.lefts == 0 || w.random.IntN(3) == 0 {
			w.left = true
			w.lefts++
			second()
			return nil
		}
		return w.settled()
	})
}

// hold has the holds begin, or end.
func (w *worker) hold() error {
	on := w.now["hold"] == "off"
	b := 0
	if on {
		b = 1
	}
	return w.promise(map[string]string{"hold": word(on, "on", "off")}, func() error {
		w.car.bench(w.car.a, b)
		for _, id := range powercut.Holds {
			if err := w.turned(id, word(on, "is", "is not"), "holding"); err != nil {
				return err
			}
		}
		return w.settled()
	})
}

// turned waits until a card is in a state, or is not, after frames that are on their
// way.
func (w *worker) turned(id, is, state string) error {
	<-time.After(3 * carTick)
	var p map[string]dbus.Variant
	err := await(fmt.Sprintf("card %s %s %s", id, is, state), func() (ok bool, err error) {
		p, err = w.cardProperties(id)
		return err == nil && (p["State"].Value() == state) == (is == "is"), err
	})
	if err != nil {
		err = fmt.Errorf("%w, but %v", err, p)
	}
	return err
}

// change replaces a card that came with the car, as an updater does.
func (w *worker) change() error {
	w.version++
	version := fmt.Sprintf("1.0.%d", w.version)
	return w.promise(map[string]string{"deck": version}, func() error {
		if err := replaceFile(etc+"/cards/"+changingCard+".yaml", plain(changingCard, version)); err != nil {
			return err
		}
		var problems []string
		err := w.ask("Reload", nil, &problems)
		if err == nil && len(problems) > 0 {
			err = fmt.Errorf("problems %q", problems)
		}
		return err
	})
}

// driver has another driver drive: leases and holds of the one before end.
func (w *worker) driver() error {
	w.car.bench(0, 0)
	<-time.After(3 * carTick)
	w.user = 3 - w.user
	return w.promise(map[string]string{"lease": "none", "hold": "off"}, func() error {
		if err := w.ask("SetUser", []any{w.user}); err != nil {
			return err
		}
		return w.settled()
	})
}

// record reports touches, which are recorded if there is consent.
func (w *worker) record() error {
	attempt := []struct{ Screen, Element, Gesture, Outcome string }{{"home", "navigation_tile", "tap", "ok"}, {"navigation", "zoom", "swipe", "ok"}, {"navigation", "back", "tap", "back"}}
	var accepted uint32
	return w.ask(traceInterface+".Record", []any{attempt}, &accepted)
}

// again kills the agent and starts it: holds go on as their on_boot says, and a
// lease stands.
func (w *worker) again() error {
	hold := w.now["hold"]
	if hold == "on" {
		hold = powercut.HoldsWentOn
	}
	return w.promise(map[string]string{"hold": hold, "lease": w.now["lease"]}, func() error {
		if err := w.restart(); err != nil {
			return err
		}
		return w.settled()
	})
}

func (w *worker) restart() error {
	if err := w.kill(); err != nil {
		return err
	}
	a, err := startAgent()
	if err != nil {
		return err
	}
	w.agent = a
	if err := w.ask("SetUser", []any{w.user}); err != nil {
		return err
	}
	return w.parked()
}
