package main

import (
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// clock says what is going on, and how many seconds into the run.
type clock struct {
	mu    sync.Mutex // guests run side by side
	w     io.Writer
	begin time.Time
}

func newClock(w io.Writer) *clock { return &clock{w: w, begin: time.Now()} }

func (c *clock) say(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	fmt.Fprintf(c.w, "[%6.1f s] %s\n", time.Since(c.begin).Seconds(), fmt.Sprintf(format, args...))
}

// verdict counts checks and says each.
type verdict struct {
	w              io.Writer
	passed, failed int
}

// check says how a check ended; figure is what was measured.
func (v *verdict) check(guest, what, figure string, err error) {
	if figure != "" {
		figure = ": " + figure
	}
	if err == nil {
		v.passed++
		fmt.Fprintf(v.w, "PASS %s: %s%s\n", guest, what, figure)
		return
	}
	v.failed++
	fmt.Fprintf(v.w, "FAIL %s: %s%s: %v\n", guest, what, figure, err)
}

// err tells whether all is well; no check at all is not.
func (v *verdict) err() error {
	fmt.Fprintf(v.w, "%d passed, %d failed\n", v.passed, v.failed)
	if v.failed > 0 || v.passed == 0 {
		return errors.New("not all checks passed")
	}
	return nil
}
