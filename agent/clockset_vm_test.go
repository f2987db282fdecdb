//go:build vm

package agent

import (
	"syscall"
	"testing"
	"time"
)

// TestClockSetIsToldAtOnce sets a guest's clock, forth and back.
func TestClockSetIsToldAtOnce(t *testing.T) {
	told := make(chan struct{}, 8)
	c, err := openClockSet(func() { told <- struct{}{} })
	if err != nil {
		t.Fatal(err)
	}
	for _, by := range []time.Duration{time.Hour, -time.Hour, 3 * time.Second} {
		select {
		case <-told:
			t.Fatal("it tells of nothing")
		case <-time.After(100 * time.Millisecond):
		}
		tv := syscall.NsecToTimeval(time.Now().Add(by).UnixNano())
		if err := syscall.Settimeofday(&tv); err != nil {
			t.Fatal(err)
		}
		select {
		case <-told:
		case <-time.After(time.Second):
			t.Fatalf("set by %v, nobody is told", by)
		}
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}
