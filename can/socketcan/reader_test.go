//go:build linux

package socketcan

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestOpenRefuses(t *testing.T) {
	buses := func(names ...string) (o Options) {
		for _, name := range names {
			o.Buses = append(o.Buses, Bus{Interface: name})
		}
		return o
	}
	many := make([]string, 257)
	for i := range many {
		many[i] = fmt.Sprint("can", i)
	}
	for _, test := range []struct {
		name    string
		options Options
		want    string
	}{
		{"no bus", Options{}, "socketcan: 0 buses: name 1 to 256 interfaces"},
		{"too many", buses(many...), "socketcan: 257 buses: name 1 to 256 interfaces"},
		{"no name", buses("can0", ""), `socketcan: bus 1: "" is no name of an interface: give 1 to 15 bytes without spaces, slashes or colons, such as can0`},
		{"long name", buses("abcdefghijklmnop"), `socketcan: bus 0: "abcdefghijklmnop" is no name of an interface: give 1 to 15 bytes without spaces, slashes or colons, such as can0`},
		{"slash", buses("can/0"), `socketcan: bus 0: "can/0" is no name of an interface: give 1 to 15 bytes without spaces, slashes or colons, such as can0`},
		{"twice", buses("can0", "can1", "can0"), "socketcan: buses 0 and 2 are both can0: name each interface once"},
		{"negative buffer", Options{Buses: buses("can0").Buses, ReceiveBuffer: -1}, "socketcan: receive buffer of -1 bytes: give 0 for 4194304, or up to 1073741824"},
		{"filter", Options{Buses: []Bus{{Interface: "can0", Filters: []Filter{{ID: 0x800}}}}}, "socketcan: can0: filter for identifier 0x800: the largest is 0x7FF (extended: false)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, err := Open(test.options)
			if err == nil {
				r.Close()
				t.Fatal("no error")
			}
			if err.Error() != test.want {
				t.Errorf("got  %s\nwant %s", err, test.want)
			}
		})
	}
}

func TestKernelWithoutCAN(t *testing.T) {
	for _, errno := range []error{unix.EAFNOSUPPORT, unix.EPROTONOSUPPORT} {
		err := explainNoCAN(errno)
		if !errors.Is(err, errno) || !strings.Contains(err.Error(), "modprobe can_raw") || !strings.Contains(err.Error(), "CONFIG_CAN_RAW") {
			t.Errorf("%v: %v", errno, err)
		}
	}
	if err := explainNoCAN(unix.EMFILE); !errors.Is(err, unix.EMFILE) || strings.Contains(err.Error(), "modprobe") {
		t.Error(err)
	}
}

func TestReleaseTakesOnlyItsOwn(t *testing.T) {
	r := &Reader{free: make(chan []Item, 1)}
	r.Release(nil)
	r.Release(make([]Item, 3))
	if len(r.free) != 0 {
		t.Fatal("took a batch that no Reader made")
	}
	batch := make([]Item, 5, batchItems)
	r.Release(batch)
	r.Release(batch) // would wait for ever
	if got := <-r.free; len(got) != 0 || cap(got) != batchItems {
		t.Errorf("%d items of %d", len(got), cap(got))
	}
}

func TestStateNames(t *testing.T) {
	names := map[State]string{Absent: "absent", Down: "down", Up: "up", ErrorPassive: "error-passive", BusOff: "bus-off", 9: "State(9)"}
	for state, want := range names {
		if got := state.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
