//go:build linux

package socketcan

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// paired is a socket as receive needs it, with a pair of datagram sockets in the
// place of CAN, which this kernel may not have; the guests' tests have the real
// ones. It returns the other end too.
func paired(t *testing.T) (*socket, int) {
	t.Helper()
	ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(ends[1]) })
	s := &socket{name: "pair"}
	if err := s.take(ends[0]); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	return s, ends[1]
}

func send(t *testing.T, to, number int) {
	t.Helper()
	var b [16]byte
	binary.NativeEndian.PutUint64(b[8:], uint64(number))
	if _, err := unix.Write(to, b[:]); err != nil {
		t.Fatal(err)
	}
}

// Whatever the pace of what comes, all of it is read, in order.
func TestReceivesAtAnyPace(t *testing.T) {
	const count = 3000
	s, other := paired(t)
	go func() {
		random := rand.New(rand.NewPCG(1, 1))
		for i := range count {
			send(t, other, i)
			switch random.IntN(20) {
			case 0:
				time.Sleep(time.Duration(random.IntN(4)) * time.Millisecond)
			case 1:
				time.Sleep(time.Duration(random.IntN(400)) * time.Microsecond)
			}
		}
	}()
	r := newReceiver()
	for next := 0; next < count; {
		if err := s.receive(r); err != nil || r.errno != 0 {
			t.Fatal(err, r.errno)
		}
		for i := range r.count {
			data, _ := r.frame(i)
			if got := binary.NativeEndian.Uint64(data[8:]); got != uint64(next) {
				t.Fatalf("got %d, want %d", got, next)
			}
			next++
		}
	}
}

// A busy bus does not wake the process for every frame: after the first ones it
// is read once a grain.
func TestBusySocketIsReadOnceAGrain(t *testing.T) {
	const count, apart = 2000, 250 * time.Microsecond
	s, other := paired(t)
	began := time.Now()
	go func() {
		for i := range count {
			for time.Since(began) < time.Duration(i)*apart {
			}
			send(t, other, i)
		}
	}()
	r := newReceiver()
	reads := 0
	for got := 0; got < count; got += r.count {
		if err := s.receive(r); err != nil || r.errno != 0 {
			t.Fatal(err, r.errno)
		}
		reads++
	}
	if most := 2 * (int(time.Since(began)/grain) + 1); reads > most {
		t.Errorf("%d reads for %d frames in %v, want at most %d", reads, count, time.Since(began), most)
	}
}

// A single frame after silence is not kept waiting for a grain.
func TestLoneFramesAreReadAtOnce(t *testing.T) {
	s, other := paired(t)
	r := newReceiver()
	for i := range 20 {
		time.Sleep(3 * grain) // silence is what is tested
		send(t, other, i)
		if err := s.receive(r); err != nil || r.count != 1 || s.busy {
			t.Fatalf("frame %d: %v, %d read, busy %v", i, err, r.count, s.busy)
		}
	}
}

func TestWaitEnds(t *testing.T) {
	s, other := paired(t)
	r := newReceiver()
	for range 3 { // also after the set was armed
		if err := s.gate.file.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		if err := s.receive(r); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("got %v, want the deadline", err)
		}
	}
	if err := s.gate.file.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	send(t, other, 1)
	if err := s.receive(r); err != nil || r.count != 1 {
		t.Fatal(err, r.count)
	}
	ended := make(chan error)
	go func() { ended <- s.receive(r) }()
	s.close()
	if err := <-ended; err == nil {
		t.Error("a closed socket was waited for without an error")
	}
}

// TestReceiveAllocatesNothing holds the reading of frames, busy and not, to that.
func TestReceiveAllocatesNothing(t *testing.T) {
	s, other := paired(t)
	r, b := newReceiver(), make([]byte, 16)
	for _, busy := range []bool{false, true} {
		n := testing.AllocsPerRun(50, func() {
			if _, err := unix.Write(other, b); err != nil {
				t.Fatal(err)
			}
			s.busy, s.last = busy, time.Now()
			if err := s.receive(r); err != nil {
				t.Fatal(err)
			}
		})
		if n != 0 {
			t.Errorf("busy %v: %v allocations", busy, n)
		}
	}
}
