package agent

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestLogFolds writes at times (seconds), and reads what came out.
func TestLogFolds(t *testing.T) {
	type said struct {
		at   int // s
		line string
	}
	for _, c := range []struct {
		name string
		say  []said
		want []string // lines without their times
	}{
		{"different lines", []said{{0, "a"}, {0, "b"}, {1, "c"}}, []string{"n=a", "n=b", "n=c"}},
		{"one that repeats", []said{{0, "a"}, {1, "a"}, {9, "a"}}, []string{"n=a", "n=a repeated=2 in=10s"}},
		{"one that repeats slowly", []said{{0, "a"}, {10, "a"}, {25, "a"}}, []string{"n=a", "n=a", "n=a"}},
		{"two by turns", []said{{0, "a"}, {0, "b"}, {1, "a"}, {1, "b"}}, []string{"n=a", "n=b", "n=b repeated=2 in=10s"}},
		{"many that differ", []said{{0, "a"}, {0, "b"}, {0, "c"}, {0, "d"}, {0, "e"}, {1, "f"}, {2, "g"}},
			[]string{"n=a", "n=b", "n=c", "n=d", "n=e", "n=g repeated=2 in=10s"}},
		{"again and again", []said{{0, "a"}, {5, "a"}, {12, "a"}, {13, "a"}}, []string{"n=a", "n=a repeated=1 in=10s", "n=a", "n=a repeated=1 in=10s"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out bytes.Buffer
				log, begin := NewLog(&out), time.Now()
				for _, s := range c.say {
					time.Sleep(time.Until(begin.Add(time.Duration(s.at) * time.Second)))
					log.Warn("a call failed", "n", s.line)
				}
				time.Sleep(time.Minute)
				synctest.Wait()
				var got []string
				for line := range strings.Lines(out.String()) {
					_, line, _ = strings.Cut(strings.TrimSpace(line), ` level=WARN msg="a call failed" `)
					got = append(got, line)
				}
				if fmt.Sprint(got) != fmt.Sprint(c.want) {
					t.Errorf("%q\nwant %q", got, c.want)
				}
				if log.timer != nil || len(log.recent) > 1 {
					t.Errorf("a minute later there is a timer (%v), or %d messages", log.timer, len(log.recent))
				}
			})
		})
	}
}

// TestLogIsBounded floods it with lines of one message and with messages.
func TestLogIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		log := NewLog(&out)
		for i := range 400_000 { // 100 s of 4,000 frames
			log.Error("a line is no frame", "line", i)
			time.Sleep(250 * time.Microsecond)
		}
		log.Close()
		if n := strings.Count(out.String(), "\n"); n > 10*(mostAlike+1) {
			t.Errorf("%d lines in 100 s", n)
		}
		total := 0
		for line := range strings.Lines(out.String()) {
			n := 1
			if _, repeated, ok := strings.Cut(line, "repeated="); ok {
				if _, err := fmt.Sscanf(repeated, "%d", &n); err != nil {
					t.Fatal(err)
				}
			}
			total += n
		}
		if total != 400_000 {
			t.Errorf("the lines say %d, want 400000", total)
		}
		for i := range 2 * mostMessages {
			log.Info(fmt.Sprint("message ", i))
		}
		if len(log.recent) > mostMessages {
			t.Errorf("%d messages are remembered", len(log.recent))
		}
	})
}

// TestLogCloses: what was folded is told at the end.
func TestLogCloses(t *testing.T) {
	var out bytes.Buffer
	log := NewLog(&out)
	log.Info("stopping")
	log.Info("stopping")
	log.Close()
	if text := out.String(); !strings.Contains(text, "msg=stopping repeated=1 in=0s\n") {
		t.Error(text)
	}
}

// TestLogIsLikeSlog compares lines with those of slog's text handler.
func TestLogIsLikeSlog(t *testing.T) {
	type stringer = time.Duration
	for _, args := range [][]any{
		nil, {"a", 1, "b", "two"}, {"empty", ""}, {"spaces", "a b"}, {"equal", "a=b"}, {"quote", `a"b`}, {"line", "a\nb"},
		{"error", errors.New("no such file: x")}, {"duration", stringer(1500) * time.Millisecond}, {"yes", true}, {"float", 0.25},
		{"word", "für"}, {"zh", "温度"}, {"bad", "\xff"}, {"uint", uint64(7)}, {"path", `C:\x`},
	} {
		var ours, theirs bytes.Buffer
		NewLog(&ours).Warn("a message", args...)
		slog.New(slog.NewTextHandler(&theirs, nil)).Warn("a message", args...)
		_, a, _ := strings.Cut(ours.String(), "level")
		_, b, _ := strings.Cut(theirs.String(), "level")
		if a != b {
			t.Errorf("%q, slog says %q", a, b)
		}
		if _, err := time.Parse("time=2006-01-02T15:04:05.999Z07:00", strings.Fields(ours.String())[0]); err != nil {
			t.Error(err)
		}
	}
}
