package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// meter shows progress on a terminal; elsewhere it is silent.
type meter struct {
	w      io.Writer
	name   string
	offset func() (read, total int64)
	start  time.Time
	next   time.Time
	count  int
	shown  bool
	on     bool
}

func newMeter(w io.Writer, name string, offset func() (read, total int64)) *meter {
	now := time.Now()
	return &meter{w: w, name: name, offset: offset, start: now, next: now.Add(200 * time.Millisecond), on: isTerminal(w)}
}

// isTerminal reports whether w is a terminal.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

// tick is called for each entry; it looks at the clock now and then.
func (m *meter) tick() {
	m.count++
	if m.on && m.count&0x3FF == 0 {
		m.show()
	}
}

// show prints how far it is, if it has not just done so.
func (m *meter) show() {
	now := time.Now()
	if !m.on || now.Before(m.next) {
		return
	}
	m.next = now.Add(200 * time.Millisecond)
	m.shown = true
	read, total := m.offset()
	if total > 0 && m.count == 0 {
		fmt.Fprintf(m.w, "\r%s: %d %%\x1b[K", m.name, read*100/total)
	} else if total > 0 {
		fmt.Fprintf(m.w, "\r%s: %d %%, %d entries\x1b[K", m.name, read*100/total, m.count)
	} else {
		fmt.Fprintf(m.w, "\r%s: %d entries\x1b[K", m.name, m.count)
	}
}

// done clears the line.
func (m *meter) done() {
	if m.shown {
		m.shown = false
		fmt.Fprint(m.w, "\r\x1b[K")
	}
}
