package services

import (
	"sync"
	"time"

	"vignette/scenes"
	"vignette/scenes/engine"
	uibridge "vignette/ui-bridge"

	"github.com/godbus/dbus/v5"
)

const (
	propertiesInterface = "org.freedesktop.DBus.Properties"
	managerInterface    = "org.freedesktop.DBus.ObjectManager"
)

// Bounds of what one event may tell.
const (
	calm       = 100 * time.Millisecond // after a property was told or read, until it is again; the latest value wins
	burst      = 20                     // signals at once
	perSecond  = 10                     // signals in the long run
	retryAfter = 30 * time.Second       // before a property that could not be read is read again
)

// fact is what is known of a scenes.Fact.
type fact struct {
	scenes.Fact
	known, so bool
}

// event listens to one event of the profile.
type event struct {
	all    *Sources
	source *scenes.Listening
	name   string
	quiet  alarm // until the next change of a property may be told
	retry  alarm // until it is read again
	user   alarm // until it is told anew for another user

	mu      sync.Mutex
	peer    *uibridge.Peer // nil: the service is not there
	facts   []fact
	objects objects
	stale   bool      // the property must be read
	last    time.Time // when a change was told, or the property was read, last
	tokens  float64   // signals that may be told now
	filled  time.Time // when tokens was reckoned
	flooded bool      // the signal before was dropped
	strange bool      // the value before meant nothing
}

func newEvent(all *Sources, e *scenes.Event) *event {
	ev := &event{all: all, source: &e.Source, name: e.Name.Text, tokens: burst}
	for _, f := range e.Facts() {
		ev.facts = append(ev.facts, fact{Fact: f})
	}
	return ev
}

func (ev *event) follow() *uibridge.Follow {
	s := ev.source
	f := &uibridge.Follow{Bus: s.Bus, Service: s.Service, Appeared: ev.appeared, Gone: ev.gone, Signal: ev.changed}
	switch {
	case !s.Property:
		f.Match = []uibridge.Match{{Path: s.Path, Interface: s.Interface, Member: s.Member}}
		f.Signal = ev.happened
	case s.Manager == "":
		f.Match = []uibridge.Match{{Path: s.Path, Interface: propertiesInterface, Member: "PropertiesChanged"}}
	default:
		f.Match = []uibridge.Match{{Interface: propertiesInterface, Member: "PropertiesChanged"}, {Path: s.Manager, Interface: managerInterface}}
	}
	return f
}

func (ev *event) close() {
	ev.quiet.close()
	ev.retry.close()
	ev.user.close()
}

// again tells anew what is so, as found. It does not wait.
func (ev *event) again() {
	ev.user.set(0, func() {
		ev.mu.Lock()
		defer ev.mu.Unlock()
		ev.forget()
		if ev.peer != nil && ev.source.Property {
			ev.settle()
		}
	})
}

// appeared has a property read; of signals nothing can be asked. It is called
// again when signals of the service were lost.
func (ev *event) appeared(p *uibridge.Peer) {
	ev.mu.Lock()
	defer ev.mu.Unlock()
	ev.peer = p
	if ev.source.Property {
		ev.stale = true
		ev.settleCalmly()
	}
}

// gone makes unknown what the service told of.
func (ev *event) gone() {
	ev.mu.Lock()
	defer ev.mu.Unlock()
	ev.peer = nil
	ev.objects = objects{}
	if ev.forget() {
		ev.all.unknown.Add(1)
		ev.all.log.Warn("a service has gone; what it told of is unknown", "event", ev.name, "service", ev.source.Service)
	}
}

// forget makes all facts unknown and reports whether one was not.
func (ev *event) forget() (some bool) {
	for i := range ev.facts {
		some = some || ev.facts[i].known
		ev.facts[i].known = false
	}
	return some
}

// read asks for what is so now; the caller holds mu.
func (ev *event) read() {
	ev.stale = false
	err := ev.objects.read(ev.all.ctx, ev.peer, ev.source)
	ev.last = time.Now()
	if err != nil && ev.all.ctx.Err() == nil {
		ev.all.faults.Add(1)
		ev.all.log.Warn("a property cannot be read; it is unknown", "event", ev.name, "service", ev.source.Service,
			"property", ev.source.Interface+"."+ev.source.Member, "error", err)
		ev.retry.set(retryAfter, func() {
			ev.mu.Lock()
			defer ev.mu.Unlock()
			ev.stale = true
			ev.settleCalmly()
		})
	}
}

// changed takes a signal of properties or of an ObjectManager.
func (ev *event) changed(s *dbus.Signal) {
	ev.mu.Lock()
	defer ev.mu.Unlock()
	again, err := ev.objects.take(s, ev.source)
	if err != nil {
		ev.all.faults.Add(1)
		ev.all.log.Warn("a signal is not as it should be", "event", ev.name, "signal", s.Name, "error", err)
		return
	}
	ev.stale = ev.stale || again
	ev.settleCalmly()
}

// settleCalmly reads what is stale and settles, at once or when the calm is over;
// the caller holds mu. It asks again then, since a signal may have told something
// while the alarm waited for mu.
func (ev *event) settleCalmly() {
	if wait := calm - time.Since(ev.last); wait > 0 {
		ev.quiet.set(wait, func() {
			ev.mu.Lock()
			defer ev.mu.Unlock()
			ev.settleCalmly()
		})
		return
	}
	if ev.peer == nil {
		return // what appears is read
	}
	if ev.stale {
		ev.read()
	}
	ev.settle()
}

// settle tells what the values of the property say that is new: what is so no
// more before what is so, as a place is left before another is entered.
func (ev *event) settle() {
	so, known := ev.objects.judge(ev.facts, ev.source)
	if ev.objects.loaded {
		ev.strangeness(known)
	}
	for _, now := range []bool{false, true} {
		for i := range ev.facts {
			if f := &ev.facts[i]; known[i] && so[i] == now && (!f.known || f.so != now) {
				ev.tell(f, now, f.known)
			}
		}
	}
	for i := range ev.facts {
		ev.facts[i].known = known[i]
	}
}

// tell tells of a fact that is so, or is not; now: it is a change.
func (ev *event) tell(f *fact, so, now bool) {
	f.known, f.so = true, so
	text := f.So
	if !so {
		text = f.NotSo
	}
	// What has no opposite happens; that it is so already is nothing to tell.
	if text == "" || f.NotSo == "" && !now {
		return
	}
	ev.last = time.Now()
	ev.all.occurred(text, now)
}

// strangeness counts and logs values that say nothing, once until they do.
func (ev *event) strangeness(known []bool) {
	strange := false
	for _, k := range known {
		strange = strange || !k
	}
	if strange && !ev.strange {
		ev.all.unknown.Add(1)
		ev.all.log.Warn("a value means nothing to the profile; the event is unknown", "event", ev.name, "service", ev.source.Service)
	}
	ev.strange = strange
}

// happened takes a signal that is the event itself.
func (ev *event) happened(s *dbus.Signal) {
	ev.mu.Lock()
	defer ev.mu.Unlock()
	if !ev.admit() {
		return
	}
	var v engine.Value
	if i := ev.source.Argument; i < len(s.Body) {
		v = uibridge.ValueOf(s.Body[i])
	}
	known := make([]bool, len(ev.facts))
	so := make([]bool, len(ev.facts))
	for i := range ev.facts {
		so[i], known[i] = ev.facts[i].Judge(v)
	}
	ev.strangeness(known)
	for _, now := range []bool{false, true} {
		for i := range ev.facts {
			f := &ev.facts[i]
			if !known[i] || so[i] != now || f.NotSo != "" && f.known && f.so == now {
				continue
			}
			// A signal is what happens; but of the places that it does not name
			// it says only where the car is not.
			ev.tell(f, now, now || f.known || len(ev.facts) == 1)
		}
	}
}

// admit holds a flood of signals back; what is dropped is counted, and logged
// once until a signal is admitted again.
func (ev *event) admit() bool {
	now := time.Now()
	ev.tokens = min(burst, ev.tokens+now.Sub(ev.filled).Seconds()*perSecond)
	ev.filled = now
	if ev.tokens >= 1 {
		ev.tokens--
		ev.flooded = false
		return true
	}
	ev.all.dropped.Add(1)
	if !ev.flooded {
		ev.all.log.Warn("signals come too fast and are dropped", "event", ev.name, "signal", ev.source.Interface+"."+ev.source.Member, "at_most_per_second", perSecond)
	}
	ev.flooded = true
	return false
}
