//go:build linux && vm

package socketcan

import (
	"math"
	"os"
	"runtime/debug"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"vignette/testdata/vm/cansend"
)

// busRate is frames in a second; a bus of 500 kbit/s is full at 3,800.
const busRate = 4000

// TestNothingLostOnTwoFullBuses has two buses full for VM_LOAD seconds.
func TestNothingLostOnTwoFullBuses(t *testing.T) {
	seconds, err := strconv.Atoi(os.Getenv("VM_LOAD"))
	if err != nil {
		t.Fatal("VM_LOAD, the number of seconds:", err)
	}
	count := busRate * seconds
	raiseBufferLimit(t)
	newInterface(t, "vt0")
	newInterface(t, "vt1")
	s := open(t, Options{Buses: []Bus{{Interface: "vt0"}, {Interface: "vt1"}}})
	before := backlogDrops(t)
	begin := time.Now()
	for _, name := range []string{"vt0", "vt1"} {
		startCounted(t, name, busRate, count)
	}
	var next [2]int
	var last [2]int64
	for next[0] < count || next[1] < count {
		item, ok := s.item(patience)
		if !ok {
			t.Fatalf("nothing in %v after %v of %d frames; %s", patience, next, count, s.missing(before))
		}
		if item.Frame.Time < last[item.Bus] {
			t.Fatalf("time %d after %d", item.Frame.Time, last[item.Bus])
		}
		last[item.Bus] = item.Frame.Time
		if item.Kind == Link && item.State == Up && next[item.Bus] == 0 {
			continue
		}
		if item.Kind != Received || number(&item.Frame) != next[item.Bus]%cansend.MaxCycle {
			t.Fatalf("got %+v, want frame %d; %s", item, next[item.Bus], s.missing(before))
		}
		next[item.Bus]++
	}
	took := time.Since(begin)
	rate := float64(count) / took.Seconds()
	t.Logf("2 x %d frames at %.0f/s each", count, rate)
	if rate < busRate {
		t.Errorf("sent at %.0f/s: nothing is shown about %d/s", rate, busRate)
	}
}

// The kernel's queue overflows, since nobody takes batches while it is flooded.
func TestStalledConsumerHasItsLossesCounted(t *testing.T) {
	const flood = 20000
	newInterface(t, "vt0")
	before := backlogDrops(t)
	s := open(t, Options{Buses: []Bus{{Interface: "vt0"}}, ReceiveBuffer: 32 << 10})
	tx := newSender(t, "vt0")
	if _, err := tx.numbers(0x100, flood, 0); err != nil {
		t.Fatal(err)
	}
	received, lost, next := 0, 0, 0
	take := func(item Item) {
		switch item.Kind {
		case Lost:
			lost += int(item.Count)
			next += int(item.Count)
		case Received:
			if n := number(&item.Frame); n != next && backlogDrops(t) == before {
				t.Fatalf("frame %d after %d frames and losses: a loss is not where it happened", n, next)
			}
			received++
			next++
		}
	}
	for received == 0 || s.next < len(s.batch) || len(s.Batches()) > 0 {
		item, ok := s.item(patience)
		if !ok {
			t.Fatal("nothing came")
		}
		take(item)
	}
	// what is still queued comes by and by, and the last losses with a frame
	// that is accepted
	for sent := flood; ; sent++ {
		if sent == flood+100 {
			t.Fatalf("sent %d, received %d, lost %d", sent, received, lost)
		}
		tx.send(counted(0x100, sent))
		for {
			item, ok := s.item(200 * time.Millisecond)
			if !ok {
				break
			}
			take(item)
		}
		if dropped := backlogDrops(t) - before; received+lost+dropped == sent+1 {
			t.Logf("sent %d, received %d, lost %d, dropped before the socket %d", sent+1, received, lost, dropped)
			break
		}
	}
	if lost == 0 {
		t.Error("nothing lost: the queue did not overflow")
	}
}

// A car asleep is not to be woken by timers: with all links up the process
// makes no system call until a frame comes. The runtime's own housekeeping may
// come in between: for some ten seconds after the tests before it gives memory
// back. So the quietest of a few spans counts.
func TestNothingWakesTheProcessWhileLinksAreUp(t *testing.T) {
	newInterface(t, "vt0")
	newInterface(t, "vt1")
	s := open(t, Options{Buses: []Bus{{Interface: "vt0"}, {Interface: "vt1"}}})
	s.link(Up, patience)
	s.link(Up, patience)
	const (
		idle = 10 * time.Second // would be 80 looks at two links
		most = 10               // the test itself sleeps, and is told the time
	)
	debug.FreeOSMemory()
	wakes := int64(math.MaxInt64)
	for try := 0; try < 5 && wakes > most; try++ {
		before := voluntarySwitches(t)
		time.Sleep(idle)
		wakes = min(wakes, voluntarySwitches(t)-before)
	}
	t.Logf("%d waits of the process in %v", wakes, idle)
	if wakes > most {
		t.Errorf("the process waited %d times in %v", wakes, idle)
	}
}

// voluntarySwitches is how often the process has waited for something.
func voluntarySwitches(t *testing.T) int64 {
	t.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return int64(u.Nvcsw)
}

func TestNoAllocationPerFrame(t *testing.T) {
	newInterface(t, "vt0")
	s := openUp(t, Bus{Interface: "vt0"})
	tx := newSender(t, "vt0")
	f := counted(0x100, 1)
	b := cansend.Encode(&f)
	round := func() {
		for range 100 {
			if err := tx.raw(b); err != nil {
				t.Fatal(err)
			}
		}
		for received := 0; received < 100; {
			batch := <-s.Batches()
			received += len(batch)
			s.Release(batch)
		}
	}
	if n := testing.AllocsPerRun(100, round); n != 0 {
		t.Errorf("%v allocations for 100 frames", n)
	}
}
