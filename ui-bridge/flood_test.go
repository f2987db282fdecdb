package uibridge

import (
	"io"
	"runtime"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

func TestFloodProbe(t *testing.T) {
	address, _ := startBus(t)
	a := newAgent()
	go func() {
		for range a.overrides {
		}
	}()
	br := connect(t, address, a)
	before := runtime.NumGoroutine()
	for _, read := range []bool{true, false} {
		for _, flags := range []dbus.Flags{0, dbus.FlagNoReplyExpected} {
			for _, member := range []string{"Override", "Nonsense"} {
				hmi := newRawClient(t, address)
				if read {
					go io.Copy(io.Discard, hmi.conn)
				}
				peak := 0
				begin := time.Now()
				n := 0
				done := make(chan struct{})
				call := hmi.call(AgentName, AgentPath, AgentInterface, member, flags, "x", dbus.MakeVariant(1.0))
				go func() {
					defer close(done)
					hmi.conn.SetDeadline(begin.Add(3 * time.Second))
					for time.Since(begin) < 3*time.Second {
						if hmi.send(call) {
							n++
						}
					}
				}()
			loop:
				for {
					select {
					case <-done:
						break loop
					case <-time.After(5 * time.Millisecond):
						if g := runtime.NumGoroutine(); g > peak {
							peak = g
						}
					}
				}
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				t.Logf("%s read %v flags %v: sent %d in %v, peak %d goroutines, heap %d MB, sys %d, busy %d", member, read, flags, n, time.Since(begin), peak, m.HeapInuse>>20, m.Sys>>20, br.Counters()["incoming_busy"])
				hmi.conn.Close()
				time.Sleep(time.Second)
				t.Logf("after: %d goroutines, before %d", runtime.NumGoroutine(), before)
			}
		}
	}
}
