package services

import (
	"errors"
	"fmt"
	"sync"
	"time"

	uibridge "vignette/ui-bridge"

	"github.com/godbus/dbus/v5"
)

// When timedate1 is asked again: that the clock was set from the network
// (NTPSynchronized) is told by no signal (org.freedesktop.timedate1(5)).
const (
	untilTrusted = time.Minute
	whileTrusted = time.Hour
)

const (
	timedatePath      = "/org/freedesktop/timedate1"
	timedateInterface = "org.freedesktop.timedate1"
)

// clock asks timedate1 whether the wall clock can be trusted, and for its zone.
// The service ends when it is idle, so its going means nothing.
type clock struct {
	all            *Sources
	service        string
	until, trusted time.Duration // between two looks, until it is trusted and then
	next           alarm

	mu    sync.Mutex
	peer  *uibridge.Peer
	began bool   // something was told
	told  string // zone that was told; empty: nothing vouches
	fault string // that was logged last
}

func (c *clock) follow() *uibridge.Follow {
	return &uibridge.Follow{Bus: "system", Service: c.service, Activate: true,
		Match:    []uibridge.Match{{Path: timedatePath, Interface: propertiesInterface, Member: "PropertiesChanged"}},
		Appeared: c.appeared, Signal: func(*dbus.Signal) { c.ask() }, Gone: func() {}}
}

func (c *clock) close() { c.next.close() }

func (c *clock) appeared(p *uibridge.Peer) {
	c.mu.Lock()
	c.peer = p
	c.mu.Unlock()
	c.ask()
}

// ask reads what is so and tells what is new. Where nothing could be learnt what
// was known stands: the clock runs on.
func (c *clock) ask() {
	c.mu.Lock()
	defer c.mu.Unlock()
	synchronized, zone, err := c.read()
	switch {
	case c.all.ctx.Err() != nil:
		return
	case err != nil:
		c.faulty(err)
	case !synchronized:
		c.tell("", nil)
	default:
		c.zone(zone)
	}
	wait := c.until
	if c.told != "" && err == nil {
		wait = c.trusted
	}
	c.next.set(wait, c.ask)
}

func (c *clock) read() (synchronized bool, zone string, err error) {
	get := func(name string, to any) {
		v, e := c.peer.Get(c.all.ctx, timedatePath, timedateInterface, name)
		if e == nil {
			e = v.Store(to)
		}
		err = errors.Join(err, e)
	}
	get("NTPSynchronized", &synchronized)
	get("Timezone", &zone)
	return synchronized, zone, err
}

// zone loads a zone. Without it there is no local time to trust.
func (c *clock) zone(name string) {
	loc, err := load(name)
	if err != nil {
		c.faulty(err)
		c.tell("", nil)
		return
	}
	c.fault = ""
	c.tell(name, loc)
}

// load reads a zone's file from the system's database of zones.
func load(name string) (*time.Location, error) {
	if name == "" || name == "Local" {
		return nil, fmt.Errorf("timedate1 names no time zone (%q); set one, such as with timedatectl set-timezone", name)
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("time zone %q cannot be loaded: %w; is the zone database (tzdata) installed?", name, err)
	}
	return loc, nil
}

// faulty counts a fault, and logs it if it is another one than before.
func (c *clock) faulty(err error) {
	c.all.faults.Add(1)
	if c.fault != err.Error() {
		c.fault = err.Error()
		c.all.log.Warn("what vouches for the wall clock cannot be read", "service", c.service, "error", err)
	}
}

// tell tells the agent of another zone, or that nothing vouches any more.
func (c *clock) tell(name string, loc *time.Location) {
	if c.began && c.told == name {
		return
	}
	c.began, c.told = true, name
	c.all.log.Info("wall clock", "trusted", loc != nil, "zone", name)
	if err := c.all.sink.Clocked(loc); err != nil && c.all.ctx.Err() == nil {
		c.all.faults.Add(1)
		c.all.log.Warn("the wall clock was not taken", "error", err)
	}
}
