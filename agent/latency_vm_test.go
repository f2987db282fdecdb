//go:build linux && vm

package agent

import (
	"slices"
	"testing"
	"time"

	"vignette/scenes/drive"
)

// Bounds of TestFrameToCall.
const (
	mostQuietP99 = 20 * time.Millisecond
	mostBusyP99  = 100 * time.Millisecond
)

// TestFrameToCall measures from the kernel's stamp on a frame to the arrival of
// the call that it brings at a service on the D-Bus: of single frames after
// silence, and of those among 4,000 a second. The stamps are those of the
// agent's journal.
func TestFrameToCall(t *testing.T) {
	const each = 100
	l := newLine(t, "latency", "can0", "vcan1")
	tx := openSender(t, senderTo("can0"))
	send(t, tx, modeFrame(2)) // the first is no change
	l.await("the first frame decided", func() bool { return l.counters()["frames"] > 0 })
	var arrived []int64
	for n := range each {
		send(t, tx, modeFrame(byte(n%2)))
		arrived = append(arrived, l.next("Mode").at)
		time.Sleep(10 * time.Millisecond) // the silence
	}
	tr := startTraffic(t, senderTo("can0"), busyRate, forEver, modeFrame, loadFrame)
	for range each {
		arrived = append(arrived, l.next("Mode").at)
	}
	tr.Close()
	l.end()
	var stamps []int64 // the kernel's
	l.journal(func(e *drive.Entry) {
		if e.IsFrame && e.Frame.ID == modeID {
			stamps = append(stamps, e.Frame.Time)
		}
	})
	stamps = stamps[1:]
	if len(stamps) < 2*each {
		t.Fatalf("%d frames in the journal, want %d", len(stamps), 2*each)
	}
	for _, part := range []struct {
		name string
		from int
		most time.Duration
	}{{"after silence", 0, mostQuietP99}, {"among 4,000 frames a second", each, mostBusyP99}} {
		var took []time.Duration
		for i := part.from; i < part.from+each; i++ {
			took = append(took, time.Duration(arrived[i]-stamps[i]))
		}
		slices.Sort(took)
		p50, p99 := quantile(took, 0.5), quantile(took, 0.99)
		t.Logf("frame to call, %s: p50 %v, p99 %v of %d", part.name, p50.Round(10*time.Microsecond), p99.Round(10*time.Microsecond), each)
		if took[0] <= 0 || p99 > part.most {
			t.Errorf("%s: %v to %v, p99 %v; at most %v is allowed", part.name, took[0], took[each-1], p99, part.most)
		}
	}
}
