package faults

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// feed is a car whose time is not ours: it writes a recording as the agent reads
// it, with stamps that go on as it likes. While nothing else is asked of it, it
// writes a frame of each signal every feedStep of its time, slowly enough for
// calls to be answered within their limits.
type feed struct {
	t       testing.TB
	path    string
	service *service
	told    func() string // what the agent has said

	file  *os.File
	now   int64  // ns since 1970, of its last frame
	count uint64 // frames written since the file was made
	lines []byte
	speed int
	a, b  int

	work    chan func()
	closing atomic.Bool
	ended   sync.WaitGroup
}

const (
	feedStep = 10 * time.Millisecond // of its time
	feedPace = 2 * time.Millisecond  // of ours, for a step
	stuck    = 15 * time.Second      // without the agent reading
	grace    = 3 * time.Second       // for an agent to read the last frames
	others   = 58                    // frames that no signal is in: the agent looks at calls once in 256 frames
)

func newFeed(t testing.TB, path string, s *service, begin time.Time) *feed {
	f := &feed{t: t, path: path, service: s, now: begin.UnixNano()}
	t.Cleanup(f.close)
	return f
}

// begin makes the pipe anew, for another process of the agent, and begins to
// write.
func (f *feed) begin() {
	f.t.Helper()
	if err := os.Remove(f.path); err != nil && !errors.Is(err, os.ErrNotExist) {
		f.t.Fatal(err)
	}
	if err := syscall.Mkfifo(f.path, 0o600); err != nil {
		f.t.Fatal(err)
	}
	file, err := os.OpenFile(f.path, os.O_RDWR, 0)
	if err != nil {
		f.t.Fatal(err)
	}
	f.file, f.count, f.work, f.lines = file, 0, make(chan func()), f.lines[:0]
	f.closing.Store(false)
	f.ended.Go(f.run)
}

// close ends the writing, of which a reader sees the end; what a reader that is
// gone does not take within the grace is given up.
func (f *feed) close() {
	if f.file == nil {
		return
	}
	close(f.work)
	ended := make(chan struct{})
	go func() { f.ended.Wait(); close(ended) }()
	after := time.After(grace)
	for tick := time.NewTicker(feedStep); ; {
		select {
		case <-ended:
			tick.Stop()
			f.file.Close()
			f.file = nil
			return
		case <-after:
			f.closing.Store(true)
		case <-tick.C:
			if f.closing.Load() {
				_ = f.file.SetWriteDeadline(time.Now()) // a pipe takes one
			}
		}
	}
}

func (f *feed) run() {
	tick := time.NewTicker(feedPace)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			f.step(feedStep)
			for range others {
				f.add(0x7F0, 0)
			}
			f.flush()
		case work, more := <-f.work:
			if !more {
				return
			}
			work()
		}
	}
}

// do has the feed do something, and waits for it.
func (f *feed) do(work func()) {
	done := make(chan struct{})
	f.work <- func() { defer close(done); work() }
	<-done
}

// drive drives for a while, as fast as the agent reads, with frames of all signals
// so far apart.
func (f *feed) drive(length, apart time.Duration) {
	f.do(func() {
		f.speed = 50
		for end := f.now + length.Nanoseconds(); f.now < end; {
			f.step(apart)
			if len(f.lines) > 32<<10 {
				f.flush()
			}
		}
		f.speed = 0
		f.step(feedStep)
		f.flush()
	})
}

// sleep lets time pass without a frame.
func (f *feed) sleep(length time.Duration) { f.do(func() { f.now += length.Nanoseconds() }) }

// bench sets the signals that cards wait for.
func (f *feed) bench(a, b int) { f.do(func() { f.a, f.b = a, b }) }

// step adds a frame of each signal, so much later than the ones before.
func (f *feed) step(later time.Duration) {
	f.now += later.Nanoseconds()
	f.service.mu.Lock()
	driver, passenger := int(f.service.fans[driverFan].value), int(f.service.fans[passengerFan].value)
	f.service.mu.Unlock()
	for _, frame := range [...][2]int{{0x100, f.speed}, {0x101, 126}, {0x10A, driver}, {0x10B, passenger}, {0x105, f.a}, {0x106, f.b}} {
		f.add(frame[0], frame[1])
	}
}

const hexDigits = "0123456789ABCDEF"

// add adds a line of candump.
func (f *feed) add(id, value int) {
	b := append(f.lines, '(')
	b = append(strconv.AppendInt(b, f.now/1e9, 10), '.')
	for unit := int64(1e8); unit > 0; unit /= 10 {
		b = append(b, byte('0'+f.now%(10*unit)/unit))
	}
	b = append(b, ") can0 "...)
	b = append(b, hexDigits[id>>8&15], hexDigits[id>>4&15], hexDigits[id&15], '#')
	f.lines = append(b, hexDigits[value>>4&15], hexDigits[value&15], hexDigits[value>>12&15], hexDigits[value>>8&15], '\n')
	f.count++
}

// flush writes what was added.
func (f *feed) flush() {
	if f.closing.Load() {
		return
	}
	_ = f.file.SetWriteDeadline(time.Now().Add(stuck))
	if _, err := f.file.Write(f.lines); err != nil && !f.closing.Load() {
		panic(fmt.Sprintf("the agent does not read: %v\n%s", err, f.told()))
	}
	f.lines = f.lines[:0]
}
