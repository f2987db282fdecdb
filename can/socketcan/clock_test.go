//go:build linux

package socketcan

import (
	"math/rand/v2"
	"testing"
	"time"
)

const (
	second = int64(time.Second)
	hour   = int64(time.Hour)
	epoch  = 1_700_000_000 * int64(time.Second)
)

// frameAt is a frame's arrival and the reading of it, in nanoseconds of
// CLOCK_BOOTTIME, with what the wall clock was ahead of it at both.
type frameAt struct {
	arrived, arrivedAhead int64
	read, readAhead       int64
}

func TestClockCarriesOverWallSteps(t *testing.T) {
	ahead := epoch
	for _, test := range []struct {
		name   string
		frames []frameAt
		want   []int64
	}{
		{"steady", []frameAt{{10 * second, ahead, 11 * second, ahead}, {12 * second, ahead, 12 * second, ahead}}, []int64{10 * second, 12 * second}},
		{"slewed", []frameAt{{10 * second, ahead, 10 * second, ahead}, {11 * second, ahead + 400, 11 * second, ahead + 500}}, []int64{10 * second, 11*second - 100}},
		{"on by an hour while queued", []frameAt{
			{10 * second, ahead, 10 * second, ahead},
			{11 * second, ahead, 13 * second, ahead + hour},
			{12 * second, ahead + hour, 13 * second, ahead + hour},
		}, []int64{10 * second, 11 * second, 12 * second}},
		{"back by an hour while queued", []frameAt{
			{10 * second, ahead, 10 * second, ahead},
			{11 * second, ahead, 13 * second, ahead - hour},
			{12 * second, ahead - hour, 13 * second, ahead - hour},
		}, []int64{10 * second, 11 * second, 12 * second}},
		{"queued through later readings", []frameAt{
			{10 * second, ahead, 10 * second, ahead},
			{11 * second, ahead, 13 * second, ahead - hour},
			{12 * second, ahead, 14 * second, ahead - hour},
			{15 * second, ahead - hour, 15 * second, ahead - hour},
		}, []int64{10 * second, 11 * second, 12 * second, 15 * second}},
		{"a time out of reach is bounded", []frameAt{
			{10 * second, ahead, 10 * second, ahead},
			{10 * second, ahead + 5*hour, 11 * second, ahead},
			{10 * second, ahead - 5*hour, 12 * second, ahead},
		}, []int64{10 * second, 11 * second, 11 * second}},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := clock{offset: -ahead, before: -ahead, now: 9 * second, last: 9 * second}
			for i, f := range test.frames {
				c.set(f.read, f.read+f.readAhead)
				if got := c.carry(f.arrived + f.arrivedAhead); got != test.want[i] {
					t.Errorf("frame %d: %v, want %v", i, time.Duration(got), time.Duration(test.want[i]))
				}
			}
		})
	}
}

// Whatever the kernel's times are, ours never go back and never run ahead.
func TestClockNeverGoesBack(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	c := clock{offset: -epoch, before: -epoch, now: second, last: second}
	last := c.last
	for boot := second; boot < 2000*second; boot += random.Int64N(second) {
		c.set(boot, boot+epoch+(random.Int64N(3)-1)*hour)
		got := c.moment()
		if random.IntN(10) > 0 {
			got = c.carry(boot + epoch + random.Int64N(4*hour) - 2*hour)
		}
		if got < last || got > boot {
			t.Fatalf("%d after %d, read at %d", got, last, boot)
		}
		last = got
	}
}

func TestNow(t *testing.T) {
	first := Now()
	c := newClock()
	if second := Now(); first <= 0 || c.last < first || second < c.last {
		t.Errorf("%d, %d, %d", first, c.last, second)
	}
	if got := c.carry(time.Now().UnixNano()); abs(got-c.last) > int64(time.Second) {
		t.Errorf("this moment is carried to %d, which is %d", got, c.last)
	}
}
