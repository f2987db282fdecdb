package agent

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	uibridge "vignette/ui-bridge"
	"vignette/ui-bridge/trace"

	"github.com/godbus/dbus/v5"
)

// touching is how an HMI reports what the driver touched: so many interactions
// a call, one call after the other at an interval, without waiting for replies.
type touching struct {
	batch int
	every time.Duration
}

// manyTouches are 100 calls a second of one interaction, and 10,000
// interactions a second in batches of 100.
var manyTouches = []touching{{batch: 1, every: 10 * time.Millisecond}, {batch: 100, every: 10 * time.Millisecond}}

// TestInteractionsAreKept: no interaction of many is lost while the agent is
// fed with the drive ten times as fast as it was driven.
func TestInteractionsAreKept(t *testing.T) { keepInteractions(t, 1500*time.Millisecond) }

// BenchmarkInteractions is the same for ten seconds.
func BenchmarkInteractions(b *testing.B) {
	for b.Loop() {
		n, worst := keepInteractions(b, 10*time.Second)
		b.ReportMetric(0, "ns/op")
		b.ReportMetric(float64(n), "interactions")
		b.ReportMetric(float64(worst.Microseconds())/1000, "slowest-reply-ms")
	}
}

// keepInteractions has an agent take manyTouches for a while, and holds that
// each is confirmed. It returns how many there were and how long the slowest
// reply took.
func keepInteractions(tb testing.TB, while time.Duration) (kept int, worst time.Duration) {
	tb.Helper()
	b := newBench(tb, int(10*while.Seconds())+60)
	b.config.Source.Speed, b.config.Source.Replies = "10x", "events"
	b.config.Traces, b.config.State = filepath.Join(b.dir, "traces"), filepath.Join(b.dir, "state")
	b.config.Studies.Cards = []string{"../testdata/drive/studies"}
	ctx, stop := context.WithCancel(tb.Context())
	defer stop()
	running, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- Run(ctx, b.config, slog.New(slog.NewTextHandler(onLine{"msg=running", func() { close(running) }}, nil)))
	}()
	select {
	case <-running:
	case err := <-ended:
		tb.Fatal("the agent ended:", err)
	}
	sent, confirmed, worst := b.touch(while)
	stop()
	if err := <-ended; err != nil {
		tb.Error("the agent:", err)
	}
	if confirmed != sent {
		tb.Errorf("%d interactions confirmed of %d", confirmed, sent)
	}
	return confirmed, worst
}

// touch sends manyTouches from a connection each.
func (b *bench) touch(while time.Duration) (sent, confirmed int, worst time.Duration) {
	b.t.Helper()
	type told struct {
		sent, confirmed int
		worst           time.Duration
		err             error
	}
	results := make(chan told, len(manyTouches))
	for _, how := range manyTouches {
		go func() {
			var r told
			r.sent, r.confirmed, r.worst, r.err = how.send(b.config.Bus, while)
			results <- r
		}()
	}
	for range manyTouches {
		r := <-results
		if r.err != nil {
			b.t.Error(r.err)
		}
		sent, confirmed, worst = sent+r.sent, confirmed+r.confirmed, max(worst, r.worst)
	}
	return sent, confirmed, worst
}

// consent says who drives and says yes to the demo's study, when the car is
// parked, which takes until the gear is known.
func consent(agent dbus.BusObject) error {
	if err := agent.Call(uibridge.AgentInterface+".SetUser", 0, uint64(1)).Err; err != nil {
		return err
	}
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for range 500 {
		err := agent.Call(uibridge.TraceInterface+".GiveConsent", 0, "demo").Err
		var fault dbus.Error
		if !errors.As(err, &fault) || fault.Name != "org.vignette.Error.NotParked" {
			return err
		}
		<-again.C
	}
	return errors.New("the car was never parked")
}

// send gives consent and calls Record for a while, all within one attempt at a
// task; a call that the agent is too busy for it makes again. The error is that of the first call that failed.
func (how touching) send(address string, while time.Duration) (sent, confirmed int, worst time.Duration, err error) {
	conn, err := dbus.Connect(address)
	if err != nil {
		return 0, 0, 0, err
	}
	defer conn.Close()
	agent := conn.Object(uibridge.AgentName, uibridge.AgentPath)
	if err := consent(agent); err != nil {
		return 0, 0, 0, err
	}
	batch := make([]trace.Interaction, how.batch)
	for i := range batch {
		batch[i] = trace.Interaction{Screen: "climate", Element: "fan", Gesture: "turn", Outcome: "ok"}
	}
	batch[0] = trace.Interaction{Screen: "home", Element: "climate_tile", Gesture: "tap", Outcome: "ok"}
	calls := int(while / how.every)
	open := make(chan time.Time, calls)
	replies := make(chan *dbus.Call, calls)
	pace := time.NewTicker(how.every)
	defer pace.Stop()
	go func() {
		for range calls {
			<-pace.C
			open <- time.Now()
			agent.Go(uibridge.TraceInterface+".Record", 0, replies, batch)
		}
	}()
	for done := 0; done < calls; {
		reply := <-replies
		if refused, ok := reply.Err.(dbus.Error); ok && refused.Name == "org.vignette.Error.Busy" {
			<-pace.C
			agent.Go(uibridge.TraceInterface+".Record", 0, replies, batch)
			continue
		}
		done++
		var n uint32
		if storeErr := reply.Store(&n); storeErr != nil && err == nil {
			err = storeErr
		}
		worst = max(worst, time.Since(<-open))
		sent, confirmed = sent+how.batch, confirmed+int(n)
	}
	return sent, confirmed, worst, err
}
