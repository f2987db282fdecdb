package agent

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"vignette/can"
	"vignette/can/socketcan"
	uibridge "vignette/ui-bridge"
	"vignette/ui-bridge/privatebus"

	"github.com/godbus/dbus/v5"
)

// Bounds of BenchmarkCallLatency, in round trips of the same run.
const (
	mostMedian = 2
	mostP99    = 3
)

// firings of one run of BenchmarkCallLatency, and how far apart they begin.
const (
	firings     = 2500
	firingEvery = 2 * time.Millisecond
)

// eagerCard fires at each change of the drive mode, even where the answer to the
// call before is late.
const eagerCard = `schema: 1
id: eager
version: 1.0.0
title: {en: Eager}
when:
  - {signal: Vehicle.Powertrain.Transmission.PerformanceMode, changes: true}
then:
  - {do: notify, with: {text: {en: The drive mode has changed.}}}
reentry: restart
`

// BenchmarkCallLatency measures from a frame entering the agent to the method
// call that it brings arriving in another process, by turns with a bare round
// trip of the same library from this process to that one, over one dbus-daemon.
//
// The agent is whole but for the kernel's sockets, whose place a channel of
// batches takes, as socketcan.Reader has it: from there the frame goes to the
// loop, is written to the journal, decoded, stepped, its records are written
// and the state is saved, all before the call leaves.
func BenchmarkCallLatency(b *testing.B) {
	var agent, bare []time.Duration
	for b.Loop() {
		a, r := measureLatency(b)
		agent, bare = append(agent, a...), append(bare, r...)
	}
	slices.Sort(agent)
	slices.Sort(bare)
	b.ReportMetric(0, "ns/op")
	for _, q := range []struct {
		name string
		at   float64
		most float64
	}{{"p50", 0.5, mostMedian}, {"p99", 0.99, mostP99}} {
		ours, theirs := quantile(agent, q.at), quantile(bare, q.at)
		ratio := ours.Seconds() / theirs.Seconds()
		b.ReportMetric(float64(ours.Microseconds()), "frame-to-call-"+q.name+"-us")
		b.ReportMetric(float64(theirs.Microseconds()), "round-trip-"+q.name+"-us")
		b.ReportMetric(ratio, q.name+"-ratio")
		if ratio > q.most {
			b.Errorf("%s: a frame takes %v to become a call, %.1f times a round trip of %v; at most %v times are allowed", q.name, ours, ratio, theirs, q.most)
		}
	}
}

func quantile(sorted []time.Duration, q float64) time.Duration {
	return sorted[int(q*float64(len(sorted)))]
}

// measureLatency runs an agent for some firings.
func measureLatency(b *testing.B) (agent, bare []time.Duration) {
	w := newLatencyBench(b)
	pace := time.NewTicker(firingEvery)
	defer pace.Stop()
	w.fake.batch <- w.driveMode(1) // the first mode is no change
	for i := range firings {
		<-pace.C
		entered := monotonic()
		w.fake.batch <- w.driveMode(byte(i % 2))
		called := w.hmi.next(b)
		agent = append(agent, time.Duration(called-entered))
		<-pace.C
		asked := monotonic()
		if err := w.peer.Call(demoHMI+".Echo", 0, "en", "The drive mode has changed.").Err; err != nil {
			b.Fatal(err)
		}
		bare = append(bare, time.Duration(monotonic()-asked))
	}
	w.check(b)
	return agent, bare
}

// latencyBench is an agent on fake sockets, an HMI in a process of its own, and
// a bare connection to the same bus.
type latencyBench struct {
	config *Config
	fake   *fakeSockets
	hmi    *stampingHMI
	conn   *dbus.Conn
	peer   dbus.BusObject
}

func newLatencyBench(b *testing.B) *latencyBench {
	dir := b.TempDir()
	address, stop, err := privatebus.Start(context.Background(), dir)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(stop)
	w := &latencyBench{config: latencyConfig(b, dir, address), fake: &fakeSockets{batch: make(chan []socketcan.Item, 4)}, hmi: startStampingHMI(b, address)}
	if w.conn, err = dbus.Connect(address); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { w.conn.Close() })
	w.peer = w.conn.Object(demoHMI, demoHMIPath)
	open := openSockets
	openSockets = func(socketcan.Options) (sockets, error) { return w.fake, nil }
	b.Cleanup(func() { openSockets = open })
	w.run(b, w.config)
	return w
}

// latencyConfig is an agent with all its files and one card, on the
// demonstration car without the bounds on how often a card may fire.
func latencyConfig(b *testing.B, dir, address string) *Config {
	files, err := filepath.Glob("../testdata/drive/*.dbc")
	if err != nil || len(files) == 0 {
		b.Fatal(files, err)
	}
	for _, f := range append(files, "../testdata/drive/vehicle.yaml") {
		text, err := os.ReadFile(f)
		if err != nil {
			b.Fatal(err)
		}
		text = []byte(strings.NewReplacer("quarantine: {fires: 5, within: 60s}", "", "min_interval: 5s", "min_interval: 1ms").Replace(string(text)))
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(f)), text, 0o600); err != nil {
			b.Fatal(err)
		}
	}
	card := filepath.Join(dir, "eager.yaml")
	if err := os.WriteFile(card, []byte(eagerCard), 0o600); err != nil {
		b.Fatal(err)
	}
	c := Defaults()
	c.Vehicle, c.Cards, c.Unsigned, c.Bus = filepath.Join(dir, "vehicle.yaml"), []string{card}, true, address
	c.Decisions.File, c.Journal, c.State = filepath.Join(dir, "d.msgp"), filepath.Join(dir, "j.msgp"), filepath.Join(dir, "state")
	return &c
}

// run starts the agent, waits until it owns its name, and has it stop in good
// order at the end.
func (w *latencyBench) run(b *testing.B, c *Config) {
	ctx, stop := context.WithCancel(context.Background())
	owned := make(chan *dbus.Signal, 16)
	w.conn.Signal(owned)
	if err := w.conn.AddMatchSignal(dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, uibridge.AgentName)); err != nil {
		b.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- Run(ctx, c, quiet()) }()
	select {
	case <-owned:
	case err := <-ended:
		b.Fatal("the agent ended at its start:", err)
	}
	b.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			b.Error("the agent:", err)
		}
	})
}

// driveMode is a batch of one frame: the driver chose a mode.
func (w *latencyBench) driveMode(mode byte) []socketcan.Item {
	f := can.Frame{Time: socketcan.Now(), ID: 400, Len: 1, Data: [64]byte{mode}}
	return []socketcan.Item{{Kind: socketcan.Received, Frame: f}}
}

// check holds that the state was written for each call: the agent did all of
// its work.
func (w *latencyBench) check(b *testing.B) {
	var written uint64
	for _, name := range stateNames {
		text, err := os.ReadFile(filepath.Join(w.config.State, name))
		if err != nil {
			b.Fatal(err)
		}
		_, number, _ := lastRecord(text)
		written = max(written, number)
	}
	if written < firings {
		b.Errorf("%d states were written for %d calls", written, firings)
	}
}
