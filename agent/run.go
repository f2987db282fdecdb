package agent

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"vignette/can"
	"vignette/scenes"
	"vignette/scenes/drive"
	"vignette/scenes/engine"
	"vignette/scenes/sign"
	uibridge "vignette/ui-bridge"
)

// drainTime bounds the wait for open calls at the end of a recording.
const drainTime = 5 * time.Second

// stopTime bounds the wait for open calls when told to stop.
const stopTime = 800 * time.Millisecond

// Load reads and compiles what a configuration names.
func Load(c *Config) (*scenes.Program, error) {
	v, err := loadVehicle(c)
	if err != nil {
		return nil, err
	}
	cards, err := scenes.LoadCards(c.Cards...)
	if err != nil {
		return nil, err
	}
	return scenes.Compile(v, cards)
}

// Check reads all that a configuration names, study cards too.
func Check(c *Config) error {
	_, err := Load(c)
	studies, refused := loadStudies(c)
	return errors.Join(err, studies.Stopped, refused)
}

// loadVehicle reads the profile, whose signature it checks but on a desk.
func loadVehicle(c *Config) (*scenes.Vehicle, error) {
	if c.Unsigned {
		return scenes.LoadVehicle(c.Vehicle)
	}
	if len(c.Trust) == 0 {
		return nil, errors.New("trust is missing: name the minisign public key that the vehicle profile is signed with, or start with --unsigned on a desk")
	}
	keys, err := readKeys(c.Trust)
	if err != nil {
		return nil, err
	}
	return scenes.LoadSignedVehicle(c.Vehicle, keys)
}

// readKeys reads the files of public keys.
func readKeys(files []string) (keys []sign.PublicKey, err error) {
	for _, file := range files {
		text, err := scenes.ReadFile(file)
		if err != nil {
			return nil, err
		}
		k, err := sign.ParsePublicKey(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		keys = append(keys, k)
	}
	return keys, nil
}

// Run is the agent from start to stop: it returns nil when its recording has
// ended or ctx is done, and an error when something that it needs is missing,
// breaks or goes away.
func Run(ctx context.Context, c *Config, log uibridge.Logger) (err error) {
	manager, err := openManager(log)
	if err != nil {
		return err
	}
	deck, prog, err := openDeck(c, log)
	if err != nil {
		return errors.Join(err, manager.Close())
	}
	ctx, quit := context.WithCancel(ctx)
	defer quit()
	a := &agent{deck: deck, closers: []io.Closer{manager, deck}, ctx: ctx, quit: quit, log: log, config: c, prog: prog, judged: c.Source.judged(), face: newFace(), pulse: newPulse(manager),
		replies: make(chan reply, 1024), tasks: make(chan task), ended: make(chan struct{})}
	defer func() { err = errors.Join(err, a.close()) }()
	defer close(a.ended)
	deck.start(a)
	if err := a.open(); err != nil {
		if ctx.Err() != nil {
			return nil // told to stop while starting
		}
		return err
	}
	log.Info("running", "vehicle", prog.Vehicle.ID, "cards", len(prog.Cards), "source", c.Source.String())
	return a.loop()
}

// loop feeds the pump: what the source has, and what happens meanwhile.
func (a *agent) loop() error {
	defer a.pulse.timer.Stop()
	defer a.face.timer.Stop()
	batches := a.source.batches()
	var err error
	for err == nil {
		a.source.settle(a)
		a.face.settle(a)
		a.pulse.settle(a)
		select {
		case <-a.ctx.Done():
			return a.stop()
		case r := <-a.replies:
			err = a.reply(r)
		case t := <-a.tasks:
			err = a.run(t)
		case <-a.pulse.timer.C:
			err = a.beat()
		case <-a.face.services:
			a.look()
		case <-a.face.timer.C:
			a.look()
		case <-a.source.due():
			err = a.source.wake(a)
		case batch, ok := <-batches:
			err = a.source.take(a, batch, ok)
		}
	}
	if err != io.EOF {
		return err
	}
	return a.drain(drainTime)
}

// feed takes one entry of the stream.
func (a *agent) feed(e *drive.Entry) error {
	if e.IsFrame {
		return a.frame(&e.Frame)
	}
	return a.pump.Event(&e.Event)
}

// frame takes a frame whose time and bus are those of the stream.
func (a *agent) frame(f *can.Frame) error {
	a.monitor.Frame(f)
	return a.pump.Frame(f)
}

// stop ends in good order: every lease's end is sent and, for a while, waited
// for. A service that does not answer ends its lease by {lease_ms}.
func (a *agent) stop() error {
	a.log.Info("stopping")
	a.enter(stopping)
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

// drain waits for the answers to open calls once nothing more is fed. Where
// replies are events they may bring further calls, which are waited for too.
func (a *agent) drain(limit time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	for {
		err := a.bridge.Drain(ctx)
		came := len(a.replies)
		for range came {
			err = errors.Join(err, a.reply(<-a.replies))
		}
		if err != nil || came == 0 {
			a.sayEnd()
			return err
		}
	}
}

// sayEnd says what the run came to.
func (a *agent) sayEnd() {
	a.source.report(a)
	st := &a.pump.Stats
	a.log.Info("ended", "frames", st.Frames, "samples", st.Samples, "calls_answered", a.answered, "calls_failed", a.failed)
}

// send asks the services for a step's calls, after its records were written. A
// call whose time is over is not sent; the engine's own limit tells it so.
func (a *agent) send(calls []engine.Call) {
	for i := range calls {
		left := time.Duration(calls[i].NotAfter - a.stamp())
		if a.judged && left <= 0 {
			a.late++
			a.log.Warn("a call is too late and not sent", "n", calls[i].N, "late", -left)
			continue
		}
		binding, args, err := a.book.call(&calls[i])
		if err != nil {
			a.log.Error("a call's arguments do not fit its signature", "call", calls[i].N, "error", err)
			a.Replied(calls[i].N, false, err.Error())
			continue
		}
		if a.judged {
			binding = hurried(binding, left)
		}
		a.bridge.Call(calls[i].N, binding, args)
	}
}

// hurried is a binding whose call may take no longer than what is left.
func hurried(b *uibridge.Binding, left time.Duration) *uibridge.Binding {
	if left >= b.Within {
		return b
	}
	h := *b
	h.Within = left
	return &h
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

// stamp is the time of an event that happens now.
func (a *agent) stamp() int64 { return a.source.stamp(a.pump.State().Now()) }
