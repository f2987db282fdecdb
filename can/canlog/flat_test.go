package canlog

import (
	"bytes"
	"io"
	"os"
	"runtime"
	"testing"

	"vignette/can"
	"vignette/can/canlog/candump"
)

// endlessLog repeats the body of a log behind its head.
type endlessLog struct {
	head, body []byte
	at         int
}

func (e *endlessLog) Read(p []byte) (int, error) {
	if len(e.head) > 0 {
		n := copy(p, e.head)
		e.head = e.head[n:]
		return n, nil
	}
	n := copy(p, e.body[e.at:])
	e.at = (e.at + n) % len(e.body)
	return n, nil
}

// longLogs are an endless candump log and an endless BLF log, whose containers
// come again and again.
func longLogs(t *testing.T) map[string]*endlessLog {
	t.Helper()
	frames := randomFrames(7, 20000, 1767261607_000000000)
	var text bytes.Buffer
	w := candump.NewWriter(&text)
	for i := range frames {
		if err := w.Write(&frames[i], "can0"); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	blf, err := os.ReadFile(writeLog(t, "blf", frames, 3))
	if err != nil {
		t.Fatal(err)
	}
	return map[string]*endlessLog{
		"candump": {body: text.Bytes()},
		"blf":     {head: blf[:blfFileHeader], body: blf[blfFileHeader:]},
	}
}

// TestMemoryIsFlat: a log is read in the memory that its beginning took. Nothing
// is allocated from there on, neither for a frame nor for a container.
func TestMemoryIsFlat(t *testing.T) {
	const warm, long = 2 << 20, 64 << 20 // bytes of the log
	for format, source := range longLogs(t) {
		r := newDecoder(format, "log", io.LimitReader(source, long+warm))
		frames := 0
		readTo := func(offset int64) {
			var f can.Frame
			for r.Offset() < offset {
				if err := r.Read(&f); err != nil {
					t.Fatalf("%s: after %d frames: %v", format, frames, err)
				}
				frames++
			}
		}
		readTo(warm)
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		readTo(long)
		runtime.ReadMemStats(&after)
		if n := after.Mallocs - before.Mallocs; n > 100 { // the runtime has some of its own
			t.Errorf("%s: %d allocations in %d frames", format, n, frames)
		}
		if n := after.TotalAlloc - before.TotalAlloc; n > 64<<10 {
			t.Errorf("%s: %d bytes allocated over 62 MB of log", format, n)
		}
		if frames < 500_000 {
			t.Errorf("%s: only %d frames", format, frames)
		}
	}
}
