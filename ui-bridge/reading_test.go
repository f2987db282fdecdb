package uibridge

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vignette/scenes/engine"

	"github.com/godbus/dbus/v5"
)

// limitBus gives a daemon small limits of what it keeps for programs.
func limitBus(t *testing.T, dir, address string, bytes int) {
	t.Helper()
	file := filepath.Join(dir, "bus.conf")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	limits := ""
	for _, name := range []string{"max_incoming_bytes", "max_outgoing_bytes"} {
		limits += fmt.Sprintf("<limit name=%q>%d</limit>\n", name, bytes)
	}
	if err := os.WriteFile(file, []byte(strings.Replace(string(text), "</busconfig>", limits+"</busconfig>", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := client(t, address).BusObject().Call(busDaemon+".ReloadConfig", 0).Err; err != nil {
		t.Fatal(err)
	}
}

// TestStuckWatcher has a watcher that reads nothing: it gets no more than a few
// batches, so that the daemon has room for what the agent tells the others.
func TestStuckWatcher(t *testing.T) {
	dir := t.TempDir()
	address, _ := startBusIn(t, dir)
	limitBus(t, dir, address, 128<<10)
	br := connect(t, address, newAgent())
	stuck, hmi := newRawClient(t, address), client(t, address)
	signals := listen(hmi)
	if err := ask(t, hmi, AgentInterface+".Watch", []string{}).Err; err != nil {
		t.Fatal(err)
	}
	stuck.send(stuck.call(AgentName, AgentPath, AgentInterface, "Watch", 0, []string{}))
	until(t, "the stuck one does not watch", func() bool { return br.Counters()["watchers"] == 2 })
	next := uint64(1)
	for range 5 { // 2,500 records are some 800 KB; a socket and the daemon hold 340 KB
		var records []engine.Record
		for range 500 {
			records = append(records, engine.Record{N: next + uint64(len(records)), What: engine.Fired, Card: strings.Repeat("c", 200)})
		}
		br.Decisions(records)
		for last := next + 500; next < last; {
			s := receive(t, signals, "Decisions")
			if s.Name != AgentInterface+".Decisions" {
				continue
			}
			for _, r := range s.Body[0].([]map[string]dbus.Variant) {
				if r["n"].Value() != next {
					t.Fatalf("record %v came, want %d", r["n"], next)
				}
				next++
			}
		}
	}
	c := br.Counters()
	if c["watchers_withheld"] != 1 || c["decisions_dropped"] == 0 {
		t.Errorf("%d watchers are withheld and %d records dropped, want one and some", c["watchers_withheld"], c["decisions_dropped"])
	}
	if err := br.Drain(within(t)); err != nil {
		t.Error(err)
	}
	stuck.conn.Close()
	until(t, "the stuck one is remembered", func() bool {
		watchers := br.Counters()["watchers"]
		br.readers.mu.Lock()
		defer br.readers.mu.Unlock()
		return watchers == 1 && len(br.readers.of) == 1
	})
}

// TestStuckCaller has a program that calls and never reads the answers: it gets no
// more than a few, and the agent answers others.
func TestStuckCaller(t *testing.T) {
	dir := t.TempDir()
	address, _ := startBusIn(t, dir)
	limitBus(t, dir, address, 128<<10)
	br := connect(t, address, newAgent())
	stuck, hmi := newRawClient(t, address), client(t, address)
	for range 300 {
		stuck.send(stuck.call(AgentName, AgentPath, introspectable, "Introspect", 0)) // some 10 KB
		if err := ask(t, hmi, propertiesOf+".Get", TraceInterface, "Study").Err; err != nil {
			t.Fatal(err)
		}
	}
	if n := br.Counters()["incoming_unanswered"]; n == 0 {
		t.Error("a program that reads nothing got 300 answers")
	}
}
