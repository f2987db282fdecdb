package agent

import (
	"context"
	"errors"
	"io"
	"maps"
	"slices"
	"sync/atomic"

	"vignette/scenes"
	"vignette/scenes/drive"
	"vignette/scenes/engine"
	uibridge "vignette/ui-bridge"
	"vignette/ui-bridge/services"
)

// speedPath is the signal whose buckets interaction traces carry.
const speedPath = "Vehicle.Speed"

// agent is one run. Its fields belong to the goroutine of loop, but for those
// that say otherwise.
type agent struct {
	ctx      context.Context // done: stop
	quit     func()          // ends ctx
	log      uibridge.Logger
	config   *Config
	prog     *scenes.Program
	judged   bool
	session  uint64
	source   source
	closers  []io.Closer
	pump     *drive.Pump
	monitor  *drive.Monitor
	ring     *drive.Ring // what came recently; nil: it is not kept
	out      *outputs
	bridge   *uibridge.Bridge
	book     *callBook
	deck     *deck           // nil in a test of less
	pending  *scenes.Program // with another profile, which is taken once the car is parked; nil: none
	state    *stateFiles     // nil: nothing is kept
	face     *face
	pulse    *pulse
	services *services.Sources // nil: none are listened to
	wall     *wallClock        // nil: a recording has none
	places   places
	habits   habits
	recorder *studies // nil: no traces; safe for several goroutines
	speed    int      // index of the signal that traces carry; -1: the profile has none
	auto     int      // the same of driver assistance
	failed   uint64   // calls that failed
	answered uint64
	late     uint64                            // calls that were not sent since their time was over
	counters atomic.Pointer[map[string]uint64] // any goroutine
	replies  chan reply
	tasks    chan task
	broken   error         // of taking an event: the agent ends
	ended    chan struct{} // closed when nobody takes tasks any more
}

// reply is the outcome of a call.
type reply struct {
	n      uint64
	ok     bool
	detail string
}

// open readies everything; the bus comes last, since owning the name says that
// the agent is there.
func (a *agent) open() error {
	c := a.config
	base, err := a.openSource()
	if err != nil {
		return err
	}
	a.closers = append(a.closers, a.source)
	start, err := a.start(base)
	if err != nil {
		return err
	}
	if err := a.openStudies(); err != nil { // state holds what was called back
		return err
	}
	a.deck.tellNewer()
	a.openHabits()
	if err := a.watch(a.prog.Vehicle); err != nil {
		return err
	}
	a.book = newCallBook(a.prog, c.Language)
	if err := a.connect(); err != nil {
		return err
	}
	header := drive.NewHeader(a.prog, a.session, base)
	if a.out, err = openOutputs(c, &header, a.judged, drive.NewPumpFrom(a.prog, start, drive.Output{}).Snapshot(), a.log); err != nil {
		return err
	}
	if c.PreviewMiB > 0 {
		a.ring = drive.NewRing(a.prog, c.PreviewMiB<<20)
	}
	a.pump = drive.NewPumpFrom(a.prog, start, drive.Output{
		Decisions: a.out.decisions, Journal: a.out.journal, Ring: a.ring, Save: a.save, Calls: a.send, Records: a.tellRecords})
	if err := a.announce(); err != nil {
		return err
	}
	if a.places.dir = c.State; c.Source.Log == "" {
		a.wall = &wallClock{}
	}
	return a.listen()
}

// tellRecords tells of what was decided: the HMI, the recorder of traces, and who
// learns the driver's habits.
func (a *agent) tellRecords(records []engine.Record) {
	a.face.note(records)
	a.bridge.Decisions(records)
	a.tellStudies(records)
	a.tellHabits(records)
}

// openSource opens the recording or the live buses, and names its time base.
func (a *agent) openSource() (base string, err error) {
	c := &a.config.Source
	if c.Log != "" {
		a.source, err = openRecording(c, a.prog.Vehicle)
		return drive.LogTime, err
	}
	a.source, err = openLive(c, a.prog.Vehicle, a.log)
	return drive.BootTime, err
}

// watch follows the profile's signals for the HMI and for traces.
func (a *agent) watch(v *scenes.Vehicle) error {
	monitor, err := drive.NewMonitor(v, func(signal int, v engine.Value) { a.bridge.Publish(signal, v) })
	if err != nil {
		return err
	}
	monitor.Look(a.face.watched)
	a.monitor, a.speed, a.auto = monitor, slices.Index(paths(v), speedPath), -1
	if v.Assistance != nil {
		a.auto = slices.Index(paths(v), v.Assistance.From.Text)
	}
	return nil
}

// paths are those of a profile's signals, in its order.
func paths(v *scenes.Vehicle) (list []string) {
	for i := range v.Signals {
		list = append(list, v.Signals[i].Path)
	}
	return list
}

func (a *agent) connect() (err error) {
	a.bridge, err = uibridge.Connect(a.ctx, uibridge.Options{
		Address: a.config.Bus, Buses: a.config.Buses, Handler: a, Logger: a.log, Version: engine.Version, Session: a.session,
		Vehicle: a.prog.Vehicle.ID, Signals: paths(a.prog.Vehicle), Counters: a.figures, ServicesChanged: a.face.servicesChanged,
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
	if a.services != nil {
		a.services.Close()
	}
	if a.bridge != nil {
		errs = append(errs, a.bridge.Close())
	}
	if a.out != nil {
		errs = append(errs, a.out.close())
	}
	if a.state != nil {
		if a.pump != nil {
			a.save(&a.prog.Engine, a.pump.State()) // what the last second brought
		}
		errs = append(errs, a.state.close())
	}
	a.habits.save()
	for i := len(a.closers) - 1; i >= 0; i-- {
		errs = append(errs, a.closers[i].Close())
	}
	return errors.Join(errs...)
}
