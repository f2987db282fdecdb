package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"vignette/ui-bridge/trace"

	"github.com/godbus/dbus/v5"
)

// The names of the two programs on the bus.
const (
	hmiName   = "org.vignette.DemoHmi1"
	hmiPath   = "/org/vignette/DemoHmi1"
	agentName = "org.vignette.Agent1"
	agentPath = "/org/vignette/Agent1"
	traceFace = "org.vignette.Trace1"
	busName   = "org.freedesktop.DBus"
)

// The stand-in's driver, and the study that he says yes to.
const (
	demoDriver = uint64(1)
	demoStudy  = "demo"
)

// patience bounds each call to the bus or the agent.
const patience = 5 * time.Second

// touchEvery is how often the stand-in driver touches something unprompted.
const touchEvery = 2 * time.Second

// errDied is the end that --die-after asks for.
var errDied = errors.New("died, as --die-after asked")

// hmi is the stand-in. One goroutine, run, owns its fields but inbox.
type hmi struct {
	o        options
	panel    *panel
	conn     *dbus.Conn
	signals  chan *dbus.Signal
	inbox    inbox
	touches  chan *dbus.Call // answers to Record
	open     int             // Records not answered yet
	answered bool            // the study was consented to, or is not asked
	unread   bool            // there are answers that were not shown
	driver   driver
	sum      summary
}

func newHMI(o options, p *panel) *hmi {
	return &hmi{o: o, panel: p, signals: make(chan *dbus.Signal, 64), inbox: inbox{wake: make(chan struct{}, 1)},
		touches: make(chan *dbus.Call, 1024), sum: newSummary()}
}

// received is a call of one of our methods.
type received struct {
	method string
	args   []any
}

// inbox keeps calls in the order in which they came: the library handles each
// in a goroutine of its own, which would mix them.
type inbox struct {
	mu   sync.Mutex
	list []received
	wake chan struct{}
}

// note takes a message of the bus, and keeps calls of our interface.
func (b *inbox) note(m *dbus.Message) {
	face, _ := m.Headers[dbus.FieldInterface].Value().(string)
	member, _ := m.Headers[dbus.FieldMember].Value().(string)
	if m.Type != dbus.TypeMethodCall || face != hmiName {
		return
	}
	b.mu.Lock()
	b.list = append(b.list, received{method: member, args: m.Body})
	b.mu.Unlock()
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// take empties the inbox.
func (b *inbox) take() []received {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := b.list
	b.list = nil
	return list
}

// methods are what the demo vehicle profile binds; each answers at once.
var methods = map[string]any{
	"SetActuator": func(actuator string, value dbus.Variant, leaseMS uint32) *dbus.Error { return nil },
	"Notify":      func(lang, text string) *dbus.Error { return nil },
	"ShowTip":     func(lang, text string) *dbus.Error { return nil },
}

// run serves until the agent has come and gone.
func (h *hmi) run(ctx context.Context) error {
	if err := h.connect(); err != nil {
		return err
	}
	defer h.conn.Close()
	there, err := h.awaitAgent(ctx)
	if err != nil {
		return err
	}
	if there {
		if err := h.greet(); err != nil {
			return err
		}
	}
	tick := time.NewTicker(touchEvery)
	defer tick.Stop()
	for {
		ended, err := h.step(ctx, tick.C)
		if ended || err != nil {
			h.panel.end()
			return err
		}
	}
}

// connect takes our name on the bus.
func (h *hmi) connect() error {
	conn, err := dbus.Dial(h.o.bus, dbus.WithSignalHandler(dbus.NewSequentialSignalHandler()),
		dbus.WithIncomingInterceptor(h.inbox.note))
	if err != nil {
		return fmt.Errorf("cannot reach the D-Bus daemon at %s: %w; is dbus-daemon running?", h.o.bus, err)
	}
	h.conn = conn
	conn.Signal(h.signals)
	err = conn.ExportMethodTable(methods, hmiPath, hmiName)
	if err == nil {
		err = conn.Auth(nil)
	}
	if err == nil {
		err = conn.Hello()
	}
	var r uint32
	if err == nil {
		err = h.call(busName, "/org/freedesktop/DBus", busName+".RequestName", hmiName, uint32(dbus.NameFlagDoNotQueue)).Store(&r)
	}
	if err == nil && dbus.RequestNameReply(r) != dbus.RequestNameReplyPrimaryOwner {
		err = fmt.Errorf("the name %s belongs to another process", hmiName)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("D-Bus daemon at %s: %w", h.o.bus, err), conn.Close())
	}
	return nil
}

// call calls a method and waits for its answer, bounded.
func (h *hmi) call(service, path, method string, args ...any) *dbus.Call {
	ctx, cancel := context.WithTimeout(h.conn.Context(), patience)
	defer cancel()
	return h.conn.Object(service, dbus.ObjectPath(path)).CallWithContext(ctx, method, 0, args...)
}

// awaitAgent subscribes to the agent's coming and going, and tells whether it is
// there already.
func (h *hmi) awaitAgent(ctx context.Context) (there bool, err error) {
	err = h.conn.AddMatchSignalContext(ctx, dbus.WithMatchSender(busName), dbus.WithMatchInterface(busName),
		dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, agentName))
	if err == nil {
		err = h.call(busName, "/org/freedesktop/DBus", busName+".NameHasOwner", agentName).Store(&there)
	}
	if err != nil {
		return false, fmt.Errorf("follow the name %s: %w", agentName, err)
	}
	if !there {
		h.panel.say("waiting")
	}
	return there, nil
}

// greet watches the agent, says who drives, and asks for consent.
func (h *hmi) greet() error {
	if h.sum.Agent {
		return nil
	}
	h.sum.Agent = true
	if err := h.watch(); err != nil {
		return fmt.Errorf("watch the agent: %w", err)
	}
	if err := h.call(agentName, agentPath, agentName+".SetUser", demoDriver).Err; err != nil {
		return fmt.Errorf("say who drives: %w", err)
	}
	return h.askConsent()
}

// watch becomes a watcher, with the values of the gauges if the car has them all.
func (h *hmi) watch() error {
	err := h.call(agentName, agentPath, agentName+".Watch", watched()).Err
	var fault dbus.Error
	if errors.As(err, &fault) && fault.Name == "org.vignette.Error.UnknownSignal" {
		err = h.call(agentName, agentPath, agentName+".Watch", []string{}).Err
	}
	return err
}

// askConsent says yes to the study, once the car is parked, and looks for what came
// of others.
func (h *hmi) askConsent() error {
	if h.answered || !h.sum.Agent {
		return nil
	}
	err := h.call(agentName, agentPath, traceFace+".GiveConsent", demoStudy).Err
	var fault dbus.Error
	switch {
	case errors.As(err, &fault) && fault.Name == "org.vignette.Error.NotParked":
		return nil // asked again when something has changed
	case errors.As(err, &fault) && (fault.Name == "org.vignette.Error.UnknownStudy" || fault.Name == "org.vignette.Error.StudyClosed"):
		h.panel.say("no_study")
	case err != nil:
		return fmt.Errorf("give consent: %w", err)
	default:
		h.panel.say("consent")
	}
	h.answered = true
	return h.lookForAnswers() // of earlier studies too
}

// step waits for one thing to happen and deals with it.
func (h *hmi) step(ctx context.Context, tick <-chan time.Time) (ended bool, err error) {
	select {
	case <-h.inbox.wake:
		return false, h.takeCalls()
	case s, ok := <-h.signals:
		if !ok {
			return true, fmt.Errorf("lost the D-Bus daemon at %s", h.o.bus)
		}
		return h.takeSignal(s)
	case call := <-h.touches:
		h.takeAnswer(call)
	case <-tick:
		h.touch(h.driver.idle())
		h.panel.tick()
		if h.sum.Agent {
			return false, h.showAnswers()
		}
	case <-ctx.Done():
		return true, errors.New("stopped by a signal before the agent had ended")
	}
	return false, nil
}

// takeCalls notes and shows what we were asked to do.
func (h *hmi) takeCalls() error {
	for _, c := range h.inbox.take() {
		h.sum.addCall(c)
		h.panel.asked(c)
		if h.o.dieAfter > 0 && len(h.sum.Calls) >= h.o.dieAfter {
			return errDied
		}
		h.touch(h.driver.asked(c))
	}
	return nil
}

// takeSignal deals with a signal; the agent's end is ours.
func (h *hmi) takeSignal(s *dbus.Signal) (ended bool, err error) {
	switch s.Name {
	case busName + ".NameOwnerChanged":
		return h.ownerChanged(s)
	case agentName + ".Values":
		var values map[string]dbus.Variant
		if err := dbus.Store(s.Body, &values); err != nil {
			return true, fmt.Errorf("%s: %w", s.Name, err)
		}
		h.sum.Values++
		if err := h.askConsent(); err != nil {
			return true, err
		}
		h.touch(h.driver.values(values))
		h.panel.values(values)
	case "org.freedesktop.DBus.Properties.PropertiesChanged":
		return false, h.statusChanged(s.Body)
	case agentName + ".Decisions":
		var records []map[string]dbus.Variant
		if err := dbus.Store(s.Body, &records); err != nil {
			return true, fmt.Errorf("%s: %w", s.Name, err)
		}
		for _, r := range records {
			d := newDecision(r)
			h.sum.Decisions = append(h.sum.Decisions, d)
			h.panel.decided(d)
		}
	}
	return false, nil
}

func (h *hmi) ownerChanged(s *dbus.Signal) (ended bool, err error) {
	var name, before, after string
	if err := dbus.Store(s.Body, &name, &before, &after); err != nil {
		return true, fmt.Errorf("%s: %w", s.Name, err)
	}
	switch {
	case name != agentName:
		return false, nil
	case after != "":
		return false, h.greet()
	}
	return true, errors.Join(h.takeCalls(), h.awaitAnswers())
}

// touch reports what the driver touched; the answer comes to takeAnswer.
func (h *hmi) touch(batch []trace.Interaction) {
	if len(batch) == 0 || !h.sum.Agent {
		return
	}
	if h.open == cap(h.touches) {
		h.sum.Interactions.Unsent += len(batch)
		return
	}
	h.sum.Interactions.Sent += len(batch)
	h.open++
	h.conn.Object(agentName, agentPath).Go(traceFace+".Record", 0, h.touches, batch)
}

func (h *hmi) takeAnswer(call *dbus.Call) {
	h.open--
	var accepted uint32
	if err := call.Store(&accepted); err != nil {
		h.sum.Interactions.Errors = append(h.sum.Interactions.Errors, err.Error())
		return
	}
	h.sum.Interactions.Accepted += int(accepted)
}

// awaitAnswers takes the answers that are out when the agent ends; the bus
// answers for it.
func (h *hmi) awaitAnswers() error {
	limit := time.NewTimer(patience)
	defer limit.Stop()
	for h.open > 0 {
		select {
		case call := <-h.touches:
			h.takeAnswer(call)
		case <-limit.C:
			return fmt.Errorf("%d answers to Record did not come", h.open)
		}
	}
	return nil
}
