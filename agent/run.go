package agent

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"math"
	"sync/atomic"
	"time"

	"vignette/scenes"
	"vignette/scenes/drive"
	"vignette/scenes/engine"
	uibridge "vignette/ui-bridge"
	"vignette/ui-bridge/trace"
)

// speedPath is the signal whose buckets interaction traces carry.
const speedPath = "Vehicle.Speed"

// drainTime bounds the wait for open calls at the end of a recording.
const drainTime = 5 * time.Second

// stopTime bounds the wait for open calls when told to stop.
const stopTime = 800 * time.Millisecond

// tidyEvery is how often outputs are flushed and idle episodes are closed.
const tidyEvery = time.Second

// Load reads and compiles what a configuration names.
func Load(c *Config) (*scenes.Program, error) {
	v, err := scenes.LoadVehicle(c.Vehicle)
	if err != nil {
		return nil, err
	}
	cards, err := scenes.LoadCards(c.Cards...)
	if err != nil {
		return nil, err
	}
	return scenes.Compile(v, cards)
}

// Run is the agent from start to stop: it returns nil when its recording has
// ended or ctx is done, and an error when something that it needs is missing,
// breaks or goes away.
func Run(ctx context.Context, c *Config, log *slog.Logger) (err error) {
	prog, err := Load(c)
	if err != nil {
		return err
	}
	a := &agent{log: log, config: c, prog: prog, judged: c.Source.Replies == "events",
		replies: make(chan reply, 1024), hands: make(chan hand), ended: make(chan struct{})}
	defer func() { err = errors.Join(err, a.close()) }()
	defer close(a.ended)
	if err := a.open(ctx); err != nil {
		if ctx.Err() != nil {
			return nil // told to stop while starting
		}
		return err
	}
	log.Info("running", "vehicle", prog.Vehicle.ID, "cards", len(prog.Cards), "log", c.Source.Log, "speed", c.Source.Speed)
	return a.loop(ctx)
}

// agent is one run. Its fields belong to the goroutine of loop, but for those
// that say otherwise.
type agent struct {
	log      *slog.Logger
	config   *Config
	prog     *scenes.Program
	judged   bool
	session  uint64
	stream   *drive.LogStream
	closers  []io.Closer
	pacer    *drive.Pacer
	pump     *drive.Pump
	monitor  *drive.Monitor
	out      *outputs
	bridge   *uibridge.Bridge
	book     *callBook
	recorder *trace.Recorder // nil: no traces; safe for several goroutines
	speed    atomic.Uint64   // float64 bits of the speed in km/h, NaN unknown; any goroutine
	upTo     int64           // time of the entry that is next in line, ns
	failed   uint64          // calls that failed
	answered uint64
	counters atomic.Pointer[map[string]uint64] // any goroutine
	replies  chan reply
	hands    chan hand
	ended    chan struct{} // closed when nobody takes hands any more
}

// reply is the outcome of a call, hand a report of the driver's hand.
type reply struct {
	n      uint64
	ok     bool
	detail string
}

type hand struct {
	actuator int
	value    engine.Value
	done     chan error
}

// open readies everything; the bus comes last, since owning the name says that
// the agent is there.
func (a *agent) open(ctx context.Context) error {
	c := a.config
	speed, err := drive.ParseSpeed(c.Source.Speed)
	if err != nil {
		return err
	}
	a.pacer = drive.NewPacer(speed)
	if a.judged {
		a.session = 1
	}
	stream, file, err := openLog(&c.Source, a.prog.Vehicle)
	if err != nil {
		return err
	}
	a.stream = stream
	a.closers = append(a.closers, file)
	if c.Traces != "" {
		if a.recorder, err = trace.Open(c.Traces, trace.Options{}); err != nil {
			return err
		}
		a.closers = append(a.closers, a.recorder)
	}
	if err := a.watch(); err != nil {
		return err
	}
	a.book = newCallBook(a.prog, c.Language)
	if err := a.connect(ctx); err != nil {
		return err
	}
	header := drive.NewHeader(a.prog, a.session, drive.LogTime)
	if a.out, err = openOutputs(c, &header, a.judged); err != nil {
		return err
	}
	a.pump = drive.NewPump(a.prog, a.session, a.judged, drive.Output{
		Decisions: a.out.decisions, Journal: a.out.journal, Calls: a.send, Records: a.bridge.Decisions})
	return nil
}

// watch follows the profile's signals for the HMI and for traces.
func (a *agent) watch() error {
	a.speed.Store(math.Float64bits(math.NaN()))
	speed := -1
	for i := range a.prog.Vehicle.Signals {
		if a.prog.Vehicle.Signals[i].Path == speedPath {
			speed = i
		}
	}
	var err error
	a.monitor, err = drive.NewMonitor(a.prog.Vehicle, func(signal int, v engine.Value) {
		if signal == speed {
			if v.Kind == engine.None {
				v.Num = math.NaN()
			}
			a.speed.Store(math.Float64bits(v.Num))
		}
		a.bridge.Publish(signal, v)
	})
	return err
}

func (a *agent) connect(ctx context.Context) (err error) {
	var paths []string
	for i := range a.prog.Vehicle.Signals {
		paths = append(paths, a.prog.Vehicle.Signals[i].Path)
	}
	a.bridge, err = uibridge.Connect(ctx, uibridge.Options{
		Address: a.config.Bus, Buses: a.config.Buses, Handler: a, Logger: a.log, Version: engine.Version, Session: a.session,
		Vehicle: a.prog.Vehicle.ID, Signals: paths, Counters: a.figures,
	})
	return err
}

// figures are the agent's counters as the HMI may read them at any time.
func (a *agent) figures() map[string]uint64 {
	if m := a.counters.Load(); m != nil {
		return maps.Clone(*m)
	}
	return map[string]uint64{}
}

func (a *agent) close() error {
	var errs []error
	if a.bridge != nil {
		errs = append(errs, a.bridge.Close())
	}
	if a.out != nil {
		errs = append(errs, a.out.close())
	}
	for i := len(a.closers) - 1; i >= 0; i-- {
		errs = append(errs, a.closers[i].Close())
	}
	return errors.Join(errs...)
}

// loop feeds the pump: entries when they are due, and what happens meanwhile.
func (a *agent) loop(ctx context.Context) error {
	tidy := time.NewTicker(tidyEvery)
	defer tidy.Stop()
	due := time.NewTimer(0)
	defer due.Stop()
	var e drive.Entry
	err := a.stream.Next(&e)
	for err == nil {
		a.upTo = e.Time()
		select {
		case <-ctx.Done():
			return a.stop()
		case <-a.bridge.Done():
			return a.bridge.Err()
		case r := <-a.replies:
			err = a.reply(r)
		case h := <-a.hands:
			err = a.hand(h)
		case <-tidy.C:
			err = a.tidy()
		case <-due.C:
			var wait time.Duration
			wait, err = a.feedDue(&e)
			due.Reset(wait)
		}
	}
	if err != io.EOF {
		return err
	}
	a.upTo = math.MaxInt64
	return a.drain(drainTime)
}

// stop ends in good order: every lease's end is sent and, for a while, waited
// for. A service that does not answer ends its lease by {lease_ms}.
func (a *agent) stop() error {
	a.log.Info("stopping")
	if err := a.pump.Event(&engine.Event{T: a.stamp(), Kind: engine.EvStop}); err != nil {
		return err
	}
	err := a.drain(stopTime)
	if errors.Is(err, context.DeadlineExceeded) {
		a.log.Warn("stopping with calls unanswered")
		return nil
	}
	return err
}

// feedBatch bounds how many entries are fed before the loop looks at the rest.
const feedBatch = 256

// feedDue feeds the entries that are due, *e first, and returns how long to
// wait for the next one, which it leaves in *e.
func (a *agent) feedDue(e *drive.Entry) (time.Duration, error) {
	for range feedBatch {
		if wait := a.pacer.Due(e.Time()); wait > 0 {
			return wait, nil
		}
		if e.IsFrame {
			a.monitor.Frame(&e.Frame)
		}
		if err := a.pump.Feed(e); err != nil {
			return 0, err
		}
		if err := a.stream.Next(e); err != nil {
			return 0, err
		}
	}
	return 0, nil
}

// drain waits for the answers to open calls once nothing more is fed.
func (a *agent) drain(limit time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	drained := make(chan error, 1)
	go func() { drained <- a.bridge.Drain(ctx) }()
	for {
		select {
		case r := <-a.replies:
			if err := a.reply(r); err != nil {
				return err
			}
		case h := <-a.hands:
			if err := a.hand(h); err != nil {
				return err
			}
		case err := <-drained:
			return errors.Join(err, a.rest())
		}
	}
}

// rest takes the replies that came with the end of draining, and says what the
// run came to.
func (a *agent) rest() error {
	for len(a.replies) > 0 {
		if err := a.reply(<-a.replies); err != nil {
			return err
		}
	}
	used, left := a.stream.Mapping()
	for _, l := range left {
		a.log.Warn("frames left out", "what", l)
	}
	st := &a.pump.Stats
	a.log.Info("ended", "channels", used, "frames", st.Frames, "samples", st.Samples,
		"lost_by_recorder", a.stream.Dropped(), "calls_answered", a.answered, "calls_failed", a.failed)
	return nil
}

// tidy is what a second brings: files flushed, idle episodes closed, counters.
func (a *agent) tidy() error {
	st := &a.pump.Stats
	m := map[string]uint64{"frames": st.Frames, "samples": st.Samples, "invalid": st.Invalid, "absent": st.Absent,
		"out_of_range": st.OutOfRange, "frozen": st.Frozen, "error_frames": st.Errors, "remote_frames": st.Remote}
	if a.recorder != nil {
		if err := a.recorder.Tick(time.Now()); err != nil {
			a.log.Error("writing traces", "error", err)
		}
		t := a.recorder.Counters()
		m["interactions"], m["episodes"], m["episodes_lost"] = t.Accepted, t.Episodes, t.EpisodesLost
	}
	a.counters.Store(&m)
	return a.out.flush()
}

// send asks the services for a step's calls, after its records were written.
func (a *agent) send(calls []engine.Call) {
	for i := range calls {
		binding, args, err := a.book.call(&calls[i])
		if err != nil {
			a.log.Error("a call's arguments do not fit its signature", "call", calls[i].N, "error", err)
			a.Replied(calls[i].N, false, err.Error())
			continue
		}
		a.bridge.Call(calls[i].N, binding, args)
	}
}

// reply takes a call's outcome: an event, where replies are events.
func (a *agent) reply(r reply) error {
	if r.ok {
		a.answered++
	} else {
		a.failed++
		a.log.Warn("a call failed", "n", r.n, "why", r.detail)
	}
	if !a.judged || r.detail == uibridge.Timeout {
		return nil // the engine has the time limit itself
	}
	return a.pump.Event(&engine.Event{T: a.stamp(), Kind: engine.EvReply,
		Session: a.session, Ref: r.n, OK: r.ok})
}

// stamp is an event's time: now, but not after the entry that is next in line,
// which may be due already.
func (a *agent) stamp() int64 {
	return min(a.pacer.StreamTime(a.pump.State().Now()), a.upTo)
}

// hand takes the HMI's report of the driver's hand.
func (a *agent) hand(h hand) error {
	err := a.pump.Event(&engine.Event{T: a.stamp(), Kind: engine.EvOverride,
		Actuator: h.actuator, Value: h.value})
	h.done <- err
	return err
}

// speedNow is the speed that interaction traces bucket.
func (a *agent) speedNow() (kmh float64, known bool) {
	kmh = math.Float64frombits(a.speed.Load())
	return kmh, !math.IsNaN(kmh)
}

var errNoTraces = errors.New("this agent keeps no traces: its configuration names no directory")
