//go:build linux && vm

package socketcan

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// slack is how far a time may be from the moment of sending, which the test
// does not know better on an emulated processor of a busy host.
const slack = 20 * time.Millisecond

// stepWall sets the wall clock.
func stepWall(t *testing.T, by time.Duration) {
	t.Helper()
	wall := unix.NsecToTimeval(time.Now().Add(by).UnixNano())
	if err := unix.Settimeofday(&wall); err != nil {
		t.Fatal(err)
	}
}

// Frames wait in the kernel's queue while the wall clock is set; each keeps the
// time at which it was sent.
func TestTimesAreThoseOfArrival(t *testing.T) {
	for _, test := range []struct {
		name string
		step time.Duration
	}{
		{"wall clock untouched", 0},
		{"an hour on", time.Hour},
		{"an hour back", -time.Hour},
	} {
		t.Run(test.name, func(t *testing.T) {
			newInterface(t, "vt0")
			s := openUp(t, Bus{Interface: "vt0"})
			tx := newSender(t, "vt0")
			tx.send(counted(0x100, 0)) // the kernel begins to stamp a moment after it is asked to
			s.frame()
			time.Sleep(50 * time.Millisecond)
			const frames = 100
			var sent [frames][2]int64
			for n := range frames { // batches of one frame each: most stay in the queue
				if n == frames/2 && test.step != 0 {
					stepWall(t, test.step)
					t.Cleanup(func() { stepWall(t, -test.step) })
				}
				sent[n][0] = Now()
				tx.send(counted(0x100, n))
				sent[n][1] = Now()
				time.Sleep(5 * time.Millisecond) // the pace of a bus
			}
			last, worst := int64(0), int64(0)
			for n := range frames {
				f := s.frame()
				if number(&f) != n {
					t.Fatalf("frame %d, want %d", number(&f), n)
				}
				if f.Time < sent[n][0]-int64(slack) || f.Time > sent[n][1]+int64(slack) {
					t.Errorf("frame %d: %v after it was sent", n, time.Duration(f.Time-sent[n][0]))
				}
				worst = max(worst, sent[n][0]-f.Time, f.Time-sent[n][1])
				if f.Time < last {
					t.Errorf("frame %d: time %d after %d", n, f.Time, last)
				}
				last = f.Time
			}
			t.Logf("at most %v outside the call that sent it", time.Duration(worst))
		})
	}
}
