package agent

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// Bounds of what is written in foldTime, so that what goes wrong with every
// frame does not fill the flash.
const (
	foldTime     = 10 * time.Second
	mostAlike    = 5   // lines of one message that differ
	mostMessages = 128 // the agent's code has fewer
)

// Log writes what an operator should know in lines, as slog's text handler does.
// Of lines that repeat within foldTime, and of more than mostAlike with one
// message, the last one is written when that time is over, with their number.
// No timer runs otherwise. It is safe for several goroutines. See RATIONALE.md
// for why it is not slog itself.
type Log struct {
	mu     sync.Mutex
	out    io.Writer
	recent map[string]*alike // by level and message
	timer  *time.Timer       // nil: nothing is folded
}

// alike is what was written and folded of one message.
type alike struct {
	since  time.Time
	lines  []string // written, without their times
	folded int
	last   string // folded line
}

// NewLog writes to out, a line a time.
func NewLog(out io.Writer) *Log { return &Log{out: out, recent: map[string]*alike{}} }

// Info writes a message with keys and values by turns.
func (l *Log) Info(msg string, args ...any) { l.take("INFO", msg, args) }

// Warn writes what most likely needs looking at, as Info does.
func (l *Log) Warn(msg string, args ...any) { l.take("WARN", msg, args) }

// Error writes what went wrong, as Info does.
func (l *Log) Error(msg string, args ...any) { l.take("ERROR", msg, args) }

// take writes or folds a line.
func (l *Log) take(level, msg string, args []any) {
	head := "level=" + level + " msg=" + quoted(msg)
	line := head
	for i := 0; i+1 < len(args); i += 2 {
		line += fmt.Sprintf(" %v=%s", args[i], quoted(fmt.Sprint(args[i+1])))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	a := l.recent[head]
	if a != nil && now.Sub(a.since) >= foldTime {
		l.tell(a, now)
		a = nil
	}
	if a == nil {
		if len(l.recent) >= mostMessages {
			l.flush(now)
		}
		a = &alike{since: now}
		l.recent[head] = a
	}
	if len(a.lines) < mostAlike && !slices.Contains(a.lines, line) {
		a.lines = append(a.lines, line)
		l.write(now, line)
		return
	}
	a.folded, a.last = a.folded+1, line
	if l.timer == nil {
		l.timer = time.AfterFunc(a.since.Add(foldTime).Sub(now), l.due)
	}
}

// due tells what has been folded for foldTime, and waits for the rest.
func (l *Log) due() {
	l.mu.Lock()
	defer l.mu.Unlock()
	now, next := time.Now(), time.Duration(0)
	for _, head := range l.heads() {
		a := l.recent[head]
		left := foldTime - now.Sub(a.since)
		switch {
		case left <= 0:
			l.tell(a, now)
			delete(l.recent, head)
		case a.folded > 0 && (next == 0 || left < next):
			next = left
		}
	}
	l.timer = nil
	if next > 0 {
		l.timer = time.AfterFunc(next, l.due)
	}
}

// heads are the recent messages in an order.
func (l *Log) heads() []string { return slices.Sorted(maps.Keys(l.recent)) }

// tell writes what was folded of a message.
func (l *Log) tell(a *alike, now time.Time) {
	if a.folded > 0 {
		l.write(now, fmt.Sprintf("%s repeated=%d in=%s", a.last, a.folded, now.Sub(a.since).Round(time.Second)))
	}
}

// flush tells all that was folded and forgets what was written.
func (l *Log) flush(now time.Time) {
	for _, head := range l.heads() {
		l.tell(l.recent[head], now)
	}
	clear(l.recent)
}

// Close tells what was folded. Lines may still be written afterwards.
func (l *Log) Close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.timer != nil {
		l.timer.Stop()
		l.timer = nil
	}
	l.flush(time.Now())
}

func (l *Log) write(now time.Time, line string) {
	io.WriteString(l.out, now.Format("time=2006-01-02T15:04:05.000Z07:00 ")+line+"\n") // nobody is left to hear of an error
}

// quoted is a value as one word.
func quoted(s string) string {
	odd := func(r rune) bool { return r == '=' || r == '"' || r == ' ' || !strconv.IsPrint(r) }
	if s == "" || !utf8.ValidString(s) || strings.ContainsFunc(s, odd) {
		return strconv.Quote(s)
	}
	return s
}
