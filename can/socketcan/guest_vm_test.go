//go:build linux && vm

// The tests under the tag vm need a kernel with CAN, root, vcan0 up, and ip,
// cansend and canplayer: a guest of `make vm-test`.

package socketcan

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"vignette/can"
	"vignette/testdata/vm/cansend"
)

// patience bounds a wait for what must happen but has no deadline of its own.
const patience = 10 * time.Second

// run runs a program of the guest to its end.
func run(t *testing.T, program string, args ...string) {
	t.Helper()
	defer pin(t)()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if out, err := exec.CommandContext(ctx, program, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v: %s", program, strings.Join(args, " "), err, out)
	}
}

// pin holds the goroutine, and programs it starts, on one processor until the
// function returned is called. A virtual interface queues what is sent for each
// processor by itself, so that a sender who moves may overtake its own frames.
func pin(t *testing.T) (unpin func()) {
	t.Helper()
	runtime.LockOSThread()
	var all, one unix.CPUSet
	one.Set(0)
	if err := errors.Join(unix.SchedGetaffinity(0, &all), unix.SchedSetaffinity(0, &one)); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := unix.SchedSetaffinity(0, &all); err != nil {
			t.Error(err)
		}
		runtime.UnlockOSThread()
	}
}

// newInterface creates a virtual CAN interface that carries FD frames and is up.
func newInterface(t *testing.T, name string) {
	t.Helper()
	create(t, name)
	up(t, name)
	t.Cleanup(func() {
		if err := exec.Command("ip", "link", "del", name).Run(); err != nil {
			t.Errorf("removing %s: %v", name, err)
		}
	})
}

func create(t *testing.T, name string) {
	t.Helper()
	run(t, "ip", "link", "add", name, "mtu", "72", "type", "vcan")
}

func up(t *testing.T, name string) {
	t.Helper()
	run(t, "ip", "link", "set", name, "up")
}

func down(t *testing.T, name string) {
	t.Helper()
	run(t, "ip", "link", "set", name, "down")
}

func remove(t *testing.T, name string) {
	t.Helper()
	run(t, "ip", "link", "del", name)
}

// raiseBufferLimit does what 90-vignette-can.conf does.
func raiseBufferLimit(t *testing.T) {
	t.Helper()
	const limit = "/proc/sys/net/core/rmem_max"
	text, err := os.ReadFile(limit)
	if err != nil {
		t.Fatal(err)
	}
	now, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	if now < DefaultReceiveBuffer {
		if err := os.WriteFile(limit, []byte(strconv.Itoa(DefaultReceiveBuffer)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// sender is a socket of the tests that sends.
type sender struct {
	*cansend.Socket
	t *testing.T
}

func newSender(t *testing.T, name string) *sender {
	t.Helper()
	s, err := cansend.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return &sender{s, t}
}

func (s *sender) send(frames ...can.Frame) {
	s.t.Helper()
	defer pin(s.t)()
	for i := range frames {
		if err := s.raw(cansend.Encode(&frames[i])); err != nil {
			s.t.Fatalf("sending: %v", err)
		}
	}
}

// raw writes a frame, again while the interface has no room for it.
func (s *sender) raw(b []byte) error {
	for {
		err := s.Write(b)
		if !errors.Is(err, unix.ENOBUFS) && !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}

// counted is a frame that carries a number.
func counted(id uint32, n int) can.Frame {
	f := can.Frame{ID: id, Len: 8}
	binary.BigEndian.PutUint64(f.Data[:], uint64(n))
	return f
}

func number(f *can.Frame) int { return int(binary.BigEndian.Uint64(f.Data[:])) }

// startCounted has the kernel send count frames, rate of them in a second, with
// the numbers from 0 below cansend.MaxCycle again and again.
func startCounted(t *testing.T, name string, rate, count int) {
	t.Helper()
	frames := make([]*can.Frame, cansend.MaxCycle)
	for n := range frames {
		f := counted(0x100, n)
		frames[n] = &f
	}
	c, err := cansend.StartCyclic(name, rate, count, frames...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
}

// catchUp is how much faster than its rate a sender makes up for a time in
// which it did not run: no bus would flood the reader then.
const catchUp = 4

// numbers sends count frames with the numbers from 0, rate of them in a second
// (as fast as it can with 0), and returns how long that took.
func (s *sender) numbers(id uint32, count, rate int) (time.Duration, error) {
	defer pin(s.t)()
	start := time.Now()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	f := counted(id, 0)
	b := cansend.Encode(&f)
	for sent := 0; sent < count; {
		due := count
		if rate > 0 {
			<-tick.C
			due = min(count, int(time.Since(start).Seconds()*float64(rate)), sent+catchUp*rate/1000)
		}
		for ; sent < due; sent++ {
			binary.BigEndian.PutUint64(b[8:], uint64(sent))
			if err := s.raw(b); err != nil {
				return 0, err
			}
		}
	}
	return time.Since(start), nil
}

// stream takes a reader's items one by one.
type stream struct {
	*Reader
	t     *testing.T
	batch []Item
	next  int
}

func open(t *testing.T, o Options) *stream {
	t.Helper()
	r, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return &stream{Reader: r, t: t}
}

// openUp opens a reader of one bus that is up.
func openUp(t *testing.T, b Bus) *stream {
	t.Helper()
	s := open(t, Options{Buses: []Bus{b}})
	s.link(Up, patience)
	return s
}

// item is the next item, within a time.
func (s *stream) item(within time.Duration) (Item, bool) {
	s.t.Helper()
	if s.next == len(s.batch) {
		if s.batch != nil {
			s.Release(s.batch)
		}
		s.batch, s.next = nil, 0
		select {
		case batch, ok := <-s.Batches():
			if !ok {
				s.t.Fatalf("Batches is closed: %v", s.Err())
			}
			s.batch = batch
		case <-time.After(within):
			return Item{}, false
		}
	}
	s.next++
	return s.batch[s.next-1], true
}

// link fails unless the next item is this state of bus 0's link.
func (s *stream) link(want State, within time.Duration) Item {
	s.t.Helper()
	item, ok := s.item(within)
	if !ok {
		s.t.Fatalf("no item in %v, want link %v", within, want)
	}
	if item.Kind != Link || item.State != want {
		s.t.Fatalf("got %+v, want link %v", item, want)
	}
	return item
}

// frame fails unless the next item is a frame.
func (s *stream) frame() can.Frame {
	s.t.Helper()
	item, ok := s.item(patience)
	if !ok {
		s.t.Fatalf("no frame in %v", patience)
	}
	if item.Kind != Received {
		s.t.Fatalf("got %+v, want a frame", item)
	}
	return item.Frame
}

// missing says where frames that did not come may be: the drops of the reader's
// sockets, told or not, and those before any socket since before.
func (s *stream) missing(before int) string {
	text := fmt.Sprintf("%d dropped before they reached a socket", backlogDrops(s.t)-before)
	for i, b := range s.buses {
		n, ok := b.socket.drops()
		text += fmt.Sprintf(", %d (%t) by the socket of bus %d", n, ok, i)
	}
	return text
}

// backlogDrops is how many packets the kernel dropped before they reached any
// socket (the second column of /proc/net/softnet_stat).
func backlogDrops(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile("/proc/net/softnet_stat")
	if err != nil {
		t.Fatal(err)
	}
	sum := 0
	for line := range strings.Lines(string(text)) {
		n, err := strconv.ParseUint(strings.Fields(line)[1], 16, 32)
		if err != nil {
			t.Fatal(err)
		}
		sum += int(n)
	}
	return sum
}
