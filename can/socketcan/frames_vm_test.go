//go:build linux && vm

package socketcan

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"vignette/can"
	"vignette/testdata/vm/cansend"
)

// sample frames of every form, the length of each included.
func everyForm() []can.Frame {
	var fill [can.MaxLen]byte
	for i := range fill {
		fill[i] = byte(i*7 + 1)
	}
	frames := []can.Frame{
		{ID: 0, Len: 0},
		{ID: 0x7FF, Len: 8},
		{ID: 0x123, Len: 3},
		{ID: 0x1FFFFFFF, Flags: can.Extended, Len: 8},
		{ID: 0x123, Flags: can.Extended, Len: 1},
		{ID: 0x321, Flags: can.Remote, Len: 0},
		{ID: 0x321, Flags: can.Remote, Len: 5},
		{ID: 0x18DAF110, Flags: can.Remote | can.Extended, Len: 8},
		{ID: 0x555, Flags: can.FD, Len: 8},
		{ID: 0x555, Flags: can.FD | can.BRS, Len: 64},
		{ID: 0x556, Flags: can.FD | can.ESI, Len: 12},
		{ID: 0x18FEF100, Flags: can.FD | can.BRS | can.ESI | can.Extended, Len: 48},
	}
	for i := range frames {
		if f := &frames[i]; f.Flags&can.Remote == 0 {
			copy(f.Data[:f.Len], fill[:])
		}
	}
	return frames
}

// same fails unless the next frames are these, times aside.
func (s *stream) same(want []can.Frame) {
	s.t.Helper()
	for i, w := range want {
		got := s.frame()
		if got.Time <= 0 {
			s.t.Errorf("frame %d: time %d", i, got.Time)
		}
		got.Time = 0
		if got != w {
			s.t.Errorf("frame %d: got %+v, want %+v", i, got, w)
		}
	}
}

func TestFramesEqualWhatWasSent(t *testing.T) {
	newInterface(t, "vt0")
	s := openUp(t, Bus{Interface: "vt0", FD: true})
	frames := everyForm()
	newSender(t, "vt0").send(frames...)
	s.same(frames)
}

func TestWithoutFDClassicFramesOnly(t *testing.T) {
	newInterface(t, "vt0")
	s := openUp(t, Bus{Interface: "vt0"})
	frames := everyForm()
	newSender(t, "vt0").send(frames...)
	s.same(slices.DeleteFunc(frames, func(f can.Frame) bool { return f.Flags&can.FD != 0 }))
}

func TestFramesOfCanUtils(t *testing.T) {
	s := openUp(t, Bus{Interface: "vcan0", FD: true})
	run(t, "cansend", "vcan0", "123#DEADBEEF")
	run(t, "cansend", "vcan0", "18FEF100#0102030405060708")
	run(t, "cansend", "vcan0", "321#R4")
	run(t, "cansend", "vcan0", "555##3"+strings.Repeat("A5", 64))
	fd := can.Frame{ID: 0x555, Flags: can.FD | can.BRS | can.ESI, Len: 64}
	for i := range fd.Data {
		fd.Data[i] = 0xA5
	}
	s.same([]can.Frame{
		{ID: 0x123, Len: 4, Data: [64]byte{0xDE, 0xAD, 0xBE, 0xEF}},
		{ID: 0x18FEF100, Flags: can.Extended, Len: 8, Data: [64]byte{1, 2, 3, 4, 5, 6, 7, 8}},
		{ID: 0x321, Flags: can.Remote, Len: 4},
		fd,
	})
}

func TestPlayedLog(t *testing.T) {
	const frames = 500
	var log strings.Builder
	var want []can.Frame
	for i := range frames {
		fmt.Fprintf(&log, "(1700000000.%06d) vcan0 %03X#%016X\n", i*1000, 0x100+i%64, i)
		want = append(want, counted(uint32(0x100+i%64), i))
	}
	path := filepath.Join(t.TempDir(), "drive.log")
	if err := os.WriteFile(path, []byte(log.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	s := openUp(t, Bus{Interface: "vcan0"})
	run(t, "canplayer", "-I", path)
	s.same(want)
}

func TestFilters(t *testing.T) {
	newInterface(t, "vt0")
	send := []can.Frame{
		{ID: 0x123},
		{ID: 0x123, Flags: can.Extended},
		{ID: 0x123, Flags: can.Remote},
		{ID: 0x124},
		{ID: 0x18FEF123, Flags: can.Extended}, // ends in the bits of 0x123
		{ID: 0x123, Flags: can.FD},
	}
	last := can.Frame{ID: 0x7FE}
	sentinel := Filter{ID: last.ID}
	many := make([]Filter, MaxFilters+1)
	for i := range many {
		many[i].ID = uint32(i)
	}
	for _, test := range []struct {
		name     string
		filters  []Filter
		filtered bool
		want     []can.Frame
	}{
		{"nil", nil, false, append(slices.Clone(send), last)},
		{"none", []Filter{}, true, nil},
		{"standard", []Filter{{ID: 0x123}, sentinel}, true, []can.Frame{send[0], send[5], last}},
		{"extended", []Filter{{ID: 0x123, Extended: true}, sentinel}, true, []can.Frame{send[1], last}},
		{"both", []Filter{{ID: 0x124}, {ID: 0x18FEF123, Extended: true}, sentinel, sentinel}, true, []can.Frame{send[3], send[4], last}},
		{"the most", many[:MaxFilters], true, []can.Frame{send[0], send[3], send[5]}},
		{"too many", many, false, append(slices.Clone(send), last)},
	} {
		t.Run(test.name, func(t *testing.T) {
			opened := openUp(t, Bus{Interface: "vt0", FD: true, Filters: test.filters})
			changed := openUp(t, Bus{Interface: "vt0", FD: true, Filters: []Filter{{ID: 0x555}}})
			if err := changed.SetFilters(0, test.filters); err != nil {
				t.Fatal(err)
			}
			tx := newSender(t, "vt0")
			tx.send(send...)
			tx.send(last)
			for _, s := range []*stream{opened, changed} {
				if got := s.Filtered(0); got != test.filtered {
					t.Errorf("Filtered: %t, want %t", got, test.filtered)
				}
				s.same(test.want)
				if err := s.SetFilters(0, []Filter{{ID: 0x600}}); err != nil {
					t.Fatal(err)
				}
			}
			tx.send(counted(0x600, 1)) // whatever came too much would be before it
			for _, s := range []*stream{opened, changed} {
				s.same([]can.Frame{counted(0x600, 1)})
			}
		})
	}
}

// Filters that all want identifier 0x100 replace each other while it is sent.
func TestFilterSwapsUnderLoadLoseNothing(t *testing.T) {
	newInterface(t, "vt0")
	raiseBufferLimit(t)
	many := make([]Filter, MaxFilters)
	for i := range many {
		many[i].ID = uint32(i)
	}
	tables := [][]Filter{{{ID: 0x100}}, {{ID: 0x100}, {ID: 0x555}}, many, nil, append(many[:0x101:0x101], many...)}
	s := openUp(t, Bus{Interface: "vt0", Filters: tables[0]})
	const count = 10_000
	startCounted(t, "vt0", 2000, count)
	swaps, swapped := 0, make(chan struct{})
	stop := make(chan struct{})
	go func() {
		defer close(swapped)
		for tick := time.NewTicker(10 * time.Millisecond); ; swaps++ {
			select {
			case <-tick.C:
			case <-stop:
				return
			}
			if err := s.SetFilters(0, tables[swaps%len(tables)]); err != nil {
				t.Errorf("swap %d: %v", swaps, err)
				return
			}
		}
	}()
	before := backlogDrops(t)
	for n := range count {
		if f := s.frame(); number(&f) != n%cansend.MaxCycle {
			t.Errorf("got number %d for frame %d; %s", number(&f), n, s.missing(before))
			break
		}
	}
	close(stop)
	<-swapped
	if swaps < 100 {
		t.Errorf("only %d swaps during %d frames", swaps, count)
	}
	t.Logf("%d swaps during %d frames", swaps, count)
}

// What the kernel's table knows alone: the size of its structures.
func TestBufferIsWhatTheKernelGranted(t *testing.T) {
	raiseBufferLimit(t)
	newInterface(t, "vt0")
	s := open(t, Options{Buses: []Bus{{Interface: "vt0"}, {Interface: "none9"}}})
	if got := s.Buffer(0); got != 2*DefaultReceiveBuffer {
		t.Errorf("default: %d bytes, want %d", got, 2*DefaultReceiveBuffer)
	}
	if got := s.Buffer(1); got != 0 {
		t.Errorf("absent interface: %d bytes, want 0", got)
	}
	small := open(t, Options{Buses: []Bus{{Interface: "vt0"}}, ReceiveBuffer: 100_000})
	if got := small.Buffer(0); got != 200_000 {
		t.Errorf("asked for 100000: %d bytes, want 200000", got)
	}
}
