//go:build linux && vm

package socketcan

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"vignette/can"
)

// soon is how long a change of the link may stay unreported.
const soon = time.Second

func TestLinkIsFollowedWithoutTraffic(t *testing.T) {
	create(t, "vt0")
	up(t, "vt0")
	s := open(t, Options{Buses: []Bus{{Interface: "vt0", Filters: []Filter{{ID: 0x100}}}}})
	last := int64(0)
	expect := func(want State) {
		t.Helper()
		start := time.Now()
		item := s.link(want, soon)
		t.Logf("%v after %v", want, time.Since(start).Round(time.Millisecond))
		if item.Frame.Time < last || item.Frame.Time > Now() {
			t.Errorf("%v at %d, after %d and before %d", want, item.Frame.Time, last, Now())
		}
		last = item.Frame.Time
	}
	vanishes := func() { // the kernel takes it down first, which may be seen
		t.Helper()
		remove(t, "vt0")
		start := time.Now()
		item, ok := s.item(soon)
		if ok && item.State == Down {
			item, ok = s.item(soon)
		}
		if !ok || item.Kind != Link || item.State != Absent {
			t.Fatalf("got %+v (%t), want link absent", item, ok)
		}
		t.Logf("absent after %v", time.Since(start).Round(time.Millisecond))
	}
	arrives := func() {
		t.Helper()
		newSender(t, "vt0").send(can.Frame{ID: 0x101}, can.Frame{ID: 0x100})
		if f := s.frame(); f.ID != 0x100 {
			t.Errorf("frame 0x%X, which is filtered out", f.ID)
		}
	}
	expect(Up)
	arrives()
	for range 2 {
		down(t, "vt0")
		expect(Down)
		up(t, "vt0")
		expect(Up)
		arrives()
	}
	vanishes()
	if n := s.Buffer(0); n != 0 {
		t.Errorf("a buffer of %d bytes while absent", n)
	}
	create(t, "vt0")
	expect(Down)
	up(t, "vt0")
	expect(Up)
	arrives()
	down(t, "vt0")
	expect(Down)
	vanishes()
}

func TestFramesBeforeTheLinkWentComeFirst(t *testing.T) {
	const frames = 300
	newInterface(t, "vt0")
	s := openUp(t, Bus{Interface: "vt0"})
	if _, err := newSender(t, "vt0").numbers(0x100, frames, 0); err != nil {
		t.Fatal(err)
	}
	down(t, "vt0") // while frames are in the kernel's queue: batches hold fewer
	for n := range frames {
		if f := s.frame(); number(&f) != n {
			t.Fatalf("frame %d, want %d", number(&f), n)
		}
	}
	s.link(Down, patience)
}

func TestOpenWaitsForInterfaces(t *testing.T) {
	create(t, "vt0")
	s := open(t, Options{Buses: []Bus{{Interface: "vt0"}}})
	s.link(Down, patience)
	remove(t, "vt0")
	s.link(Absent, soon)

	s = open(t, Options{Buses: []Bus{{Interface: "vt1"}}})
	s.link(Absent, patience)
	if err := s.SetFilters(0, []Filter{{ID: 0x100}}); err != nil {
		t.Fatal(err)
	}
	newInterface(t, "vt1")
	item, ok := s.item(soon)
	if ok && item.State == Down { // seen between its creation and up
		item, ok = s.item(soon)
	}
	if !ok || item.Kind != Link || item.State != Up {
		t.Fatalf("got %+v (%t), want link up", item, ok)
	}
	newSender(t, "vt1").send(can.Frame{ID: 0x101}, can.Frame{ID: 0x100})
	s.same([]can.Frame{{ID: 0x100}})
}

func TestErrorFramesTellTheState(t *testing.T) {
	newInterface(t, "vt0")
	s := openUp(t, Bus{Interface: "vt0"})
	tx := newSender(t, "vt0")
	crtl := func(bits byte) can.Frame {
		return can.Frame{ID: unix.CAN_ERR_CRTL, Flags: can.Error, Len: 8, Data: [64]byte{1: bits}}
	}
	class := func(class uint32) can.Frame { return can.Frame{ID: class, Flags: can.Error, Len: 8} }
	for _, step := range []struct {
		frame can.Frame
		want  State
	}{
		{crtl(unix.CAN_ERR_CRTL_TX_PASSIVE), ErrorPassive},
		{crtl(unix.CAN_ERR_CRTL_ACTIVE), Up},
		{crtl(unix.CAN_ERR_CRTL_RX_PASSIVE), ErrorPassive},
		{class(unix.CAN_ERR_BUSOFF), BusOff},
		{class(unix.CAN_ERR_RESTARTED), Up},
	} {
		tx.send(class(unix.CAN_ERR_ACK), step.frame, step.frame)
		s.link(step.want, soon)
	}
	tx.send(can.Frame{ID: 0x100}) // no error frame came as a frame, no state twice
	s.same([]can.Frame{{ID: 0x100}})
	down(t, "vt0")
	s.link(Down, soon)
	up(t, "vt0")
	s.link(Up, soon)
}

func TestOtherInterfacesAreRefused(t *testing.T) {
	_, err := Open(Options{Buses: []Bus{{Interface: "vcan0"}, {Interface: "lo"}}})
	if err == nil || !strings.HasPrefix(err.Error(), "socketcan: lo: the interface is not a CAN device") {
		t.Errorf("lo: %v", err)
	}
}

func TestCloseEndsEverything(t *testing.T) {
	newInterface(t, "vt0")
	create(t, "vt1")
	t.Cleanup(func() { remove(t, "vt1") })
	before := runtime.NumGoroutine()
	s := open(t, Options{Buses: []Bus{{Interface: "vt0"}, {Interface: "vt1"}, {Interface: "none9"}}})
	if _, err := newSender(t, "vt0").numbers(0x100, 2000, 0); err != nil { // more than the batches hold
		t.Fatal(err)
	}
	start := time.Now()
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if took := time.Since(start); took > time.Second {
		t.Errorf("Close took %v", took)
	}
	for batch := range s.Batches() {
		s.Release(batch)
	}
	if err := s.Err(); err != nil {
		t.Errorf("Err: %v", err)
	}
	if after := runtime.NumGoroutine(); after > before {
		t.Errorf("%d goroutines, %d before", after, before)
	}
	if err := s.SetFilters(0, nil); err == nil {
		t.Error("SetFilters on a closed reader: no error")
	}
	if err := s.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}
