package uibridge

import (
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"vignette/scenes/engine"

	"github.com/godbus/dbus/v5"
)

func number(f float64) engine.Value { return engine.Value{Kind: engine.Number, Num: f} }

// listen passes on the signals of the agent that a connection gets.
func listen(conn *dbus.Conn) <-chan *dbus.Signal {
	in, out := make(chan *dbus.Signal, 16), make(chan *dbus.Signal, 4096)
	conn.Signal(in)
	go func() {
		defer close(out)
		for s := range in {
			if strings.HasPrefix(string(s.Path), AgentPath) {
				out <- s
			}
		}
	}()
	return out
}

// values waits for a Values signal that satisfies ok.
func values(t *testing.T, signals <-chan *dbus.Signal, ok func(map[string]dbus.Variant) bool) {
	t.Helper()
	for {
		s := receive(t, signals, "Values")
		if s.Name == AgentInterface+".Values" && ok(s.Body[0].(map[string]dbus.Variant)) {
			return
		}
	}
}

func TestWatcherGetsValues(t *testing.T) {
	address, _ := startBus(t)
	br := connect(t, address, newAgent())
	hmi := client(t, address)
	signals := listen(hmi)
	br.Publish(0, number(12.5))
	if err := ask(t, hmi, AgentInterface+".Watch", []string{"Vehicle.Speed", "Vehicle.Gear", "Vehicle.Speed"}).Err; err != nil {
		t.Fatal(err)
	}
	values(t, signals, func(m map[string]dbus.Variant) bool { // what was known before; unknown is absent
		return len(m) == 1 && m["Vehicle.Speed"].Value() == 12.5
	})
	br.Publish(1, engine.Value{Kind: engine.Label, Text: "P"})
	br.Publish(2, engine.Value{Kind: engine.Bool, Num: 1}) // not watched
	values(t, signals, func(m map[string]dbus.Variant) bool {
		return len(m) == 2 && m["Vehicle.Gear"].Value() == "P"
	})
	br.Publish(0, engine.Value{})
	values(t, signals, func(m map[string]dbus.Variant) bool {
		return slices.Equal(slices.Collect(maps.Keys(m)), []string{"Vehicle.Gear"})
	})
	if err := ask(t, hmi, AgentInterface+".Unwatch").Err; err != nil {
		t.Fatal(err)
	}
	if n := br.Counters()["watchers"]; n != 0 {
		t.Errorf("%d watchers after Unwatch", n)
	}
}

func TestValuesAreAtMostTenAWatcherASecond(t *testing.T) {
	address, _ := startBus(t)
	br := connect(t, address, newAgent())
	hmi := client(t, address)
	signals := listen(hmi)
	if err := ask(t, hmi, AgentInterface+".Watch", []string{"Vehicle.Speed"}).Err; err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	last := 0.0
	for time.Since(begin) < 450*time.Millisecond {
		last++
		br.Publish(0, number(last))
	}
	n := 0
	values(t, signals, func(m map[string]dbus.Variant) bool {
		n++
		return len(m) == 1 && m["Vehicle.Speed"].Value() == last
	})
	most := int(time.Since(begin)/publishEvery) + 2 // one at Watch, one at once
	if n > most {
		t.Errorf("%d signals in %v, at most %d are allowed", n, time.Since(begin), most)
	}
}

func TestOnlyWatchersGetSignals(t *testing.T) {
	address, _ := startBus(t)
	br := connect(t, address, newAgent())
	hmi, other := client(t, address), client(t, address)
	signals, overheard := listen(hmi), listen(other)
	// The other program asks the bus for every signal of the agent.
	if err := other.AddMatchSignal(dbus.WithMatchInterface(AgentInterface)); err != nil {
		t.Fatal(err)
	}
	if err := ask(t, hmi, AgentInterface+".Watch", []string{"Vehicle.Speed"}).Err; err != nil {
		t.Fatal(err)
	}
	br.Publish(0, number(1))
	br.Decisions([]engine.Record{{N: 1, What: engine.Fired}})
	if err := br.Drain(within(t)); err != nil {
		t.Fatal(err)
	}
	values(t, signals, func(m map[string]dbus.Variant) bool { return len(m) == 1 })
	// What the other was sent before this reply would have come by now.
	if err := ask(t, other, "org.freedesktop.DBus.Peer.Ping").Err; err != nil {
		t.Fatal(err)
	}
	other.Close()
	for s := range overheard {
		t.Errorf("a program that does not watch got %s", s.Name)
	}
}

func TestDecisionsComeInOrderAndAreFlushed(t *testing.T) {
	address, _ := startBus(t)
	br := connect(t, address, newAgent())
	hmi := client(t, address)
	signals := listen(hmi)
	if err := ask(t, hmi, AgentInterface+".Watch", []string{}).Err; err != nil {
		t.Fatal(err)
	}
	const records = 900
	for n := uint64(1); n <= records; n++ {
		br.Decisions([]engine.Record{{N: n, What: engine.Fired, Card: "a"}})
	}
	begin := time.Now()
	if err := br.Drain(within(t)); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("Drain took %v", took)
	}
	next := uint64(1)
	for next <= records {
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
	if d := br.Counters()["decisions_dropped"]; d != 0 {
		t.Errorf("%d records dropped", d)
	}
}

func TestFullWatcherQueueIsCounted(t *testing.T) {
	w := newWatchers("", nil)
	if _, err := w.add(caller{name: ":1.1"}, nil); err != nil {
		t.Fatal(err)
	}
	br := &Bridge{watch: w} // nothing sends: the queue stays full
	batch := make([]engine.Record, 100)
	for i := range 11 {
		for j := range batch {
			batch[j].N = uint64(100*i + j)
		}
		br.Decisions(batch)
	}
	if w.dropped != 1100-maxQueued || len(w.all[0].queue) != maxQueued {
		t.Errorf("dropped %d, queued %d", w.dropped, len(w.all[0].queue))
	}
	if last := w.all[0].queue[maxQueued-1].N; last != maxQueued-1 {
		t.Errorf("the last queued record is %d: the newest should be lost", last)
	}
}

func TestDeadWatcherIsForgotten(t *testing.T) {
	address, _ := startBus(t)
	br := connect(t, address, newAgent())
	programs := make([]*dbus.Conn, maxWatchers)
	for i := range programs {
		programs[i] = client(t, address)
		if err := ask(t, programs[i], AgentInterface+".Watch", []string{"Vehicle.Speed"}).Err; err != nil {
			t.Fatal(err)
		}
	}
	extra := client(t, address)
	if err := ask(t, extra, AgentInterface+".Watch", []string{}).Err; errorName(err) != "org.vignette.Error.LimitsExceeded" {
		t.Errorf("watcher %d: %v", maxWatchers+1, err)
	}
	if err := extra.AddMatchSignal(dbus.WithMatchMember("NameOwnerChanged")); err != nil {
		t.Fatal(err)
	}
	gone := make(chan *dbus.Signal, 16)
	extra.Signal(gone)
	name := programs[3].Names()[0]
	programs[3].Close()
	for receive(t, gone, "NameOwnerChanged").Body[0] != name {
	}
	// The bus told the agent in the same breath; the agent may need a moment.
	deadline := time.Now().Add(patience)
	for br.Counters()["watchers"] != maxWatchers-1 {
		if time.Now().After(deadline) {
			t.Fatal("the dead watcher is not forgotten")
		}
		runtime.Gosched()
	}
	if err := ask(t, extra, AgentInterface+".Watch", []string{}).Err; err != nil {
		t.Errorf("Watch after one is gone: %v", err)
	}
}

func TestPublishAllocatesNothing(t *testing.T) {
	w := newWatchers("", []string{"Vehicle.Speed"})
	if _, err := w.add(caller{name: ":1.1"}, []string{"Vehicle.Speed"}); err != nil {
		t.Fatal(err)
	}
	br := &Bridge{watch: w}
	f := 0.0
	if n := testing.AllocsPerRun(1000, func() {
		f++
		br.Publish(0, number(f))
	}); n != 0 {
		t.Errorf("%v allocations a sample", n)
	}
}
