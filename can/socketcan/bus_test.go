//go:build linux

package socketcan

import (
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// detached is a bus without a socket whose link is up, as far as accept needs.
func detached() *bus {
	b := &bus{index: 2, state: Up, receiver: newReceiver(), clock: newClock(), batch: make([]Item, 0, batchItems)}
	b.clock.set(sample())
	return b
}

// said is what a batch reports, a word an item.
func said(batch []Item) (words []string) {
	for _, i := range batch {
		switch i.Kind {
		case Received:
			words = append(words, fmt.Sprintf("%X", i.Frame.ID))
		case Lost:
			words = append(words, fmt.Sprintf("lost %d", i.Count))
		case Link:
			words = append(words, i.State.String())
		}
	}
	return words
}

func TestLossesStandBeforeTheFrameBehindThem(t *testing.T) {
	for _, test := range []struct {
		name string
		from uint32 // the counter so far
		with []control
		want []string
	}{
		{"none", 0, []control{{}, {}}, []string{"1", "2"}},
		{"first", 0, []control{{}, {drops: 3, counted: true}}, []string{"1", "lost 3", "2"}},
		{"the same again", 0, []control{{drops: 3, counted: true}, {drops: 3, counted: true}}, []string{"lost 3", "1", "2"}},
		{"more", 3, []control{{drops: 5, counted: true}, {drops: 6, counted: true}}, []string{"lost 2", "1", "lost 1", "2"}},
		{"wraps", math.MaxUint32 - 1, []control{{drops: 3, counted: true}}, []string{"lost 5", "1"}},
		{"wraps to 0, which the kernel leaves out", math.MaxUint32, []control{{}, {drops: 4, counted: true}}, []string{"1", "lost 5", "2"}},
		{"queued before the counter was asked for", 9, []control{{drops: 8, counted: true}, {drops: 10, counted: true}}, []string{"1", "lost 1", "2"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			b := detached()
			b.dropped = test.from
			for i, c := range test.with {
				if err := b.accept(kernelFrame(classicSize, uint32(i+1), 0, 0), c); err != nil {
					t.Fatal(err)
				}
			}
			if got := said(b.batch); !slices.Equal(got, test.want) {
				t.Errorf("got %q, want %q", got, test.want)
			}
			for i, item := range b.batch {
				if item.Bus != 2 || item.Frame.Bus != 2 || item.Frame.Time == 0 || i > 0 && item.Frame.Time < b.batch[i-1].Frame.Time {
					t.Errorf("item %d: %+v", i, item)
				}
			}
		})
	}
}

func TestErrorFramesAreNoFrames(t *testing.T) {
	b := detached()
	errorFrame := func(class uint32, bits byte) []byte {
		return kernelFrame(classicSize, unix.CAN_ERR_FLAG|class, 8, 0, 0, bits)
	}
	for _, data := range [][]byte{
		errorFrame(unix.CAN_ERR_CRTL, unix.CAN_ERR_CRTL_RX_WARNING), // up, as before
		kernelFrame(classicSize, 0x11, 0, 0),
		errorFrame(unix.CAN_ERR_CRTL, unix.CAN_ERR_CRTL_RX_PASSIVE),
		errorFrame(unix.CAN_ERR_CRTL, unix.CAN_ERR_CRTL_TX_PASSIVE),
		kernelFrame(classicSize, 0x12, 0, 0),
		errorFrame(unix.CAN_ERR_BUSOFF, 0),
		errorFrame(unix.CAN_ERR_ACK, 0),
		errorFrame(unix.CAN_ERR_RESTARTED, 0),
	} {
		if err := b.accept(data, control{}); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := said(b.batch), []string{"11", "error-passive", "12", "bus-off", "up"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestFrameWithoutTimeHasThatOfItsReading(t *testing.T) {
	b := detached()
	if err := b.accept(kernelFrame(classicSize, 1, 0, 0), control{}); err != nil {
		t.Fatal(err)
	}
	if got := b.batch[0].Frame.Time; got != b.clock.now {
		t.Errorf("time %d, read at %d", got, b.clock.now)
	}
}

func TestAcceptAllocatesNothing(t *testing.T) {
	b := detached()
	data := kernelFrame(fdSize, 0x123, 64, 1)
	drops := uint32(0)
	if n := testing.AllocsPerRun(100, func() {
		b.batch = b.batch[:0]
		b.clock.set(sample())
		for range batchMessages {
			drops++
			c := parseControl(controlBytes(drops), wordSize)
			if err := b.accept(data, c); err != nil {
				t.Fatal(err)
			}
		}
	}); n != 0 {
		t.Errorf("%v allocations for %d frames", n, batchMessages)
	}
	if len(b.batch) != 2*batchMessages || cap(b.batch) != batchItems {
		t.Errorf("%d items of %d", len(b.batch), cap(b.batch))
	}
}

var controlScratch = controlMessage(wordSize, unix.SOL_SOCKET, unix.SO_RXQ_OVFL, words32(0))

// controlBytes is a control message with the drop counter n, without allocating.
func controlBytes(n uint32) []byte {
	for i, b := range [4]byte{byte(n), byte(n >> 8), byte(n >> 16), byte(n >> 24)} { // little-endian, as all our processors
		controlScratch[wordSize+8+i] = b
	}
	return controlScratch
}

func TestStateOfFlags(t *testing.T) {
	for _, test := range []struct {
		flags uint16
		want  State
	}{
		{0, Down},
		{unix.IFF_RUNNING | unix.IFF_NOARP, Down},
		{unix.IFF_UP | unix.IFF_NOARP, BusOff},
		{unix.IFF_UP | unix.IFF_RUNNING, Up},
	} {
		if got := stateOfFlags(test.flags); got != test.want {
			t.Errorf("0x%X: %v, want %v", test.flags, got, test.want)
		}
	}
}

// The return of an interface is to be seen within a second, so two waits are to
// fit in one: for it to be there, and for it to be up.
func TestWaitsAreShort(t *testing.T) {
	if sum := lastReopen + lookInterval; sum > 900*time.Millisecond {
		t.Errorf("%v", sum)
	}
}
