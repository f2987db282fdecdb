package agent

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"vignette/can/socketcan"
	"vignette/scenes"
	"vignette/scenes/drive"
	"vignette/scenes/engine"
	uibridge "vignette/ui-bridge"
)

// sockets is what live needs of a *socketcan.Reader.
type sockets interface {
	Batches() <-chan []socketcan.Item
	Release([]socketcan.Item)
	Buffer(bus int) int
	Filtered(bus int) bool
	SetFilters(bus int, f []socketcan.Filter) error
	Err() error
	Close() error
}

// openSockets is socketcan.Open; a test on a kernel without CAN puts its own
// here.
var openSockets = func(o socketcan.Options) (sockets, error) { return socketcan.Open(o) }

// live feeds what comes from the car's buses, in the order in which it is
// taken, and a tick when a deadline passes and nothing comes.
type live struct {
	sockets sockets
	vehicle *scenes.Vehicle
	names   []string // by bus: interfaces of the kernel
	lost    []uint64 // by bus: frames that the kernel's queue had no room for
	links   []engine.Link
	unknown map[int]bool // buses whose links nobody has told of yet
	timer   *time.Timer
	armed   int64 // deadline that timer is set to, ns; 0: none
}

// openLive opens the interfaces of the profile's buses, or a pipe. A missing
// interface is no error: it is waited for. A pipe does not tell of links.
func openLive(c *SourceConfig, v *scenes.Vehicle, log uibridge.Logger) (*live, error) {
	var s sockets
	o, err := busOptions(c, v)
	switch {
	case c.Pipe != "":
		s, err = openPipe(c, v, log)
	case err == nil:
		s, err = openSockets(o)
	}
	if err != nil {
		return nil, err
	}
	l := &live{sockets: s, vehicle: v, names: interfaces(&o), lost: make([]uint64, len(v.Buses)), links: make([]engine.Link, len(v.Buses)), timer: time.NewTimer(0), unknown: map[int]bool{}}
	l.timer.Stop()
	for i := range l.links {
		if c.Pipe != "" {
			l.links[i] = engine.LinkUp
		} else {
			l.unknown[i] = true
		}
	}
	return l, nil
}

// busOptions gives each bus its interface, the map's or the profile's, and the
// identifiers that its signals come in.
func busOptions(c *SourceConfig, v *scenes.Vehicle) (o socketcan.Options, err error) {
	named, err := drive.ParseBusMap(v, c.Map)
	if err != nil {
		return o, fmt.Errorf("source.map: %w", err)
	}
	var without []string
	for i := range v.Buses {
		b := socketcan.Bus{Interface: v.Buses[i].Interface, FD: v.Buses[i].FD}
		for channel, bus := range named {
			if bus == i {
				b.Interface = channel
			}
		}
		if b.Interface == "" {
			without = append(without, v.Buses[i].Name)
		}
		b.Filters = filters(v, i)
		o.Buses = append(o.Buses, b)
	}
	if without != nil {
		return o, fmt.Errorf("%s: no interface for bus %s; write `interface:` in the profile, source.map: [INTERFACE=BUS] in the configuration, or name a recording with source.log",
			v.File, strings.Join(without, ", "))
	}
	return o, nil
}

// filters let the messages of a bus through that the profile's signals come in.
func filters(v *scenes.Vehicle, bus int) []socketcan.Filter {
	list := []socketcan.Filter{}
	for _, m := range v.Messages(bus) {
		list = append(list, socketcan.Filter{ID: m.ID, Extended: m.Extended})
	}
	return list
}

// reprofile has the kernel let the messages of another profile through.
func (l *live) reprofile(v *scenes.Vehicle) error {
	for i := range v.Buses {
		err := l.sockets.SetFilters(i, filters(v, i))
		if err == nil {
			continue
		}
		for back := range i {
			err = errors.Join(err, l.sockets.SetFilters(back, filters(l.vehicle, back)))
		}
		return fmt.Errorf("bus %s: %w", v.Buses[i].Name, err)
	}
	l.vehicle = v
	return nil
}

func (l *live) due() <-chan time.Time { return l.timer.C }

func (l *live) batches() <-chan []socketcan.Item { return l.sockets.Batches() }

// take feeds a batch. Frames have the kernel's time, carried to CLOCK_BOOTTIME
// and not below the event before.
func (l *live) take(a *agent, batch []socketcan.Item, ok bool) error {
	if !ok {
		if err := l.sockets.Err(); err != nil {
			return err
		}
		return errors.New("the buses were closed")
	}
	defer l.sockets.Release(batch)
	for i := range batch {
		if err := l.feed(a, &batch[i]); err != nil {
			return err
		}
	}
	return nil
}

func (l *live) feed(a *agent, item *socketcan.Item) error {
	t := max(item.Frame.Time, a.pump.State().Now())
	bus := int(item.Frame.Bus)
	switch item.Kind {
	case socketcan.Received:
		item.Frame.Time = t
		return a.frame(&item.Frame)
	case socketcan.Lost:
		l.lost[bus] += item.Count
		a.log.Warn("frames lost: the socket's queue was full", "bus", l.vehicle.Buses[bus].Name, "frames", item.Count, "buffer", l.sockets.Buffer(bus))
		return a.pump.Event(&engine.Event{T: t, Kind: engine.EvLost, Bus: bus, Count: item.Count})
	}
	return l.link(a, t, bus, links[item.State])
}

// links are the engine's names of a link's states.
var links = [...]engine.Link{socketcan.Absent: engine.LinkAbsent, socketcan.Down: engine.LinkDown, socketcan.Up: engine.LinkUp,
	socketcan.ErrorPassive: engine.LinkErrorPassive, socketcan.BusOff: engine.LinkBusOff}

func (l *live) link(a *agent, t int64, bus int, state engine.Link) error {
	say := a.log.Warn
	if state == engine.LinkUp {
		say = a.log.Info
	}
	name, buffer := l.vehicle.Buses[bus].Name, l.sockets.Buffer(bus)
	say("bus", "name", name, "link", state, "buffer", buffer)
	if state == engine.LinkUp && buffer < 2*socketcan.DefaultReceiveBuffer { // the kernel reads twice what it grants
		a.log.Warn("the kernel grants a small socket buffer; raise net.core.rmem_max", "bus", name, "asked", socketcan.DefaultReceiveBuffer, "granted", buffer/2)
	}
	if state == engine.LinkUp && !l.sockets.Filtered(bus) {
		a.log.Warn("the profile's signals come in more messages than the kernel filters; all frames are read", "bus", name, "most", socketcan.MaxFilters)
	}
	l.links[bus] = state
	delete(l.unknown, bus)
	return a.pump.Event(&engine.Event{T: t, Kind: engine.EvLink, Bus: bus, Link: state})
}

// wake feeds what has come already, and then a tick if a deadline has passed:
// frames that wait may renew what seems stale.
func (l *live) wake(a *agent) error {
	l.armed = 0
	for {
		select {
		case batch, ok := <-l.sockets.Batches():
			if err := l.take(a, batch, ok); err != nil {
				return err
			}
			continue
		default:
		}
		break
	}
	now := l.stamp(a.pump.State().Now())
	if at, ok := a.pump.State().Deadline(); !ok || at > now {
		return nil
	}
	return a.pump.Event(&engine.Event{T: now, Kind: engine.EvTick})
}

// settle sees that the timer wakes the loop at the engine's next deadline. It is
// not put off when the deadline moves away, as that of a stale signal does with
// each frame: then wake finds nothing due, and it is set anew.
func (l *live) settle(a *agent) {
	at, ok := a.pump.State().Deadline()
	switch {
	case !ok:
		l.timer.Stop()
		l.armed = 0
	case l.armed == 0 || at < l.armed:
		l.timer.Reset(time.Duration(at - socketcan.Now()))
		l.armed = at
	}
}

func (l *live) known() bool { return len(l.unknown) == 0 }

func (l *live) stamp(newest int64) int64 { return max(newest, socketcan.Now()) }

func (l *live) count(counters map[string]uint64) {
	for i := range l.lost {
		counters["frames_lost."+l.vehicle.Buses[i].Name] = l.lost[i]
		counters["link."+l.vehicle.Buses[i].Name] = uint64(l.links[i])
	}
}

// interfaces names the kernel's interface of each bus.
func interfaces(o *socketcan.Options) (list []string) {
	for i := range o.Buses {
		list = append(list, o.Buses[i].Interface)
	}
	return list
}

func (l *live) buses() (list []uibridge.BusNow) {
	for i := range l.lost {
		list = append(list, uibridge.BusNow{Name: l.vehicle.Buses[i].Name, Interface: l.names[i], Link: l.links[i].String(), Lost: l.lost[i]})
	}
	return list
}

func (l *live) report(a *agent) {
	for i := range l.lost {
		a.log.Info("bus", "name", l.vehicle.Buses[i].Name, "link", l.links[i], "frames_lost", l.lost[i])
	}
}

func (l *live) Close() error {
	l.timer.Stop()
	return l.sockets.Close()
}
