package fleet

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"vignette/scenes"
	"vignette/ui-bridge/trace"
)

// Truth is what is known of a released episode in a simulated fleet, and in no
// other.
type Truth struct {
	EID      string    `json:"eid"` // hexadecimal
	Car      int       `json:"car"`
	User     uint64    `json:"user"` // of the car
	At       time.Time `json:"at"`   // of the attempt's first touch, or the card's firing
	Released time.Time `json:"released"`
	File     string    `json:"file"` // path below the dataset's directory
}

// segment is a file that a car has handed over.
type segment struct {
	truth Truth
	name  string
	bytes []byte
	time  time.Time // of modification
}

// car drives one car through the weeks with a recorder of its own, and is what
// its uploader does: it takes all that enters the outbox.
type car struct {
	number   int
	study    *scenes.Study
	outbox   string
	rec      *trace.Recorder
	agreed   map[uint64]bool // drivers who said yes and have not taken it back
	open     *Truth          // of the attempt that is told, until its episode is known
	wanted   map[kept]Truth  // what may be released
	reopen   func() (*trace.Recorder, error)
	fate     *rand.Rand // of the recorder's restarts; nil: it runs on
	record   uint64     // the newest one of the decision log
	last     trace.Counters
	segments []segment
	facts    *BuildFacts
}

// kept names an episode within its car; with one id for all of a car's, its
// task and week tell it apart.
type kept struct {
	id         string
	task, week uint16
}

// driveCar simulates one car; dir is its directory of traces.
func (f *fleet) driveCar(number int, dir string) (segments []segment, facts BuildFacts, err error) {
	rng, drivers, w := f.people(number)
	c := &car{number: number, study: f.o.Study, outbox: filepath.Join(dir, boxName(f.o.Study)), agreed: map[uint64]bool{},
		wanted: map[kept]Truth{}, facts: &facts}
	if f.o.Weakness == "" { // what is weakened has one life: it would take what it has written for damage
		c.fate = rand.New(rand.NewPCG(f.o.Seed, 1<<32|uint64(number)))
	}
	c.reopen = func() (*trace.Recorder, error) { return f.open(dir, w.build) }
	if c.rec, err = c.reopen(); err != nil {
		return nil, facts, err
	}
	facts.Cars++
	for n := 0; n <= f.o.Weeks && err == nil; n++ {
		trips := w.week(rng, drivers, f.from.AddDate(0, 0, 7*n))
		for i := 0; i < len(trips) && err == nil; i++ {
			if n == f.o.Weeks {
				err = c.tick(trips[i].at) // after the last week what waits leaves
			} else {
				err = c.drive(&trips[i])
			}
		}
	}
	facts.note(c.rec.Counters())
	return c.segments, facts, errors.Join(err, c.rec.Close())
}

// people are those who drive a car, and what they meet. A panel's drivers stand
// for cars, so each has one.
func (f *fleet) people(number int) (*rand.Rand, []*driver, *world) {
	rng := rand.New(rand.NewPCG(f.o.Seed, uint64(number)))
	w := &world{hmi: f.hmi, build: &f.builds[number%len(f.builds)], canaries: f.o.Canaries}
	drivers := []*driver{newDriver(rng, f.hmi, 1, f.from, f.o.Weeks)}
	if rng.Float64() < 0.4 && !f.o.Study.Panel {
		drivers = append(drivers, newDriver(rng, f.hmi, 2, f.from, f.o.Weeks))
	}
	return rng, drivers, w
}

// boxName is the directory that a car's uploader reads.
func boxName(s *scenes.Study) string {
	if s.Panel {
		return "panel-outbox"
	}
	return "outbox"
}

// open opens the recorder of a car.
func (f *fleet) open(dir string, b *Build) (*trace.Recorder, error) {
	o := trace.Options{Studies: []*scenes.Study{f.o.Study}, Car: trace.Car{Build: b.Build, Market: b.Market, Display: b.Display}}
	if f.o.Weakness != "" {
		return trace.OpenWeakened(dir, o, f.o.Weakness)
	}
	return trace.Open(dir, o)
}

// drive is one trip: the HMI says who drives, who may then change their mind
// about the study, and reports what is touched.
func (c *car) drive(t *trip) error {
	user := uint64(guest)
	if t.driver != nil {
		user = t.driver.user
	}
	if c.fate != nil && c.fate.Float64() < restarts {
		if err := c.restart(); err != nil {
			return err
		}
	}
	c.rec.SetUser(user)
	if err := errors.Join(c.tick(t.at), c.ask(t)); err != nil {
		return err
	}
	for i := range t.firings {
		if err := c.firing(&t.firings[i], user); err != nil {
			return err
		}
	}
	for i := range t.attempts {
		if err := c.attempt(&t.attempts[i], user); err != nil {
			return err
		}
	}
	return nil
}

// How often the head unit was off before a trip, and how often an attempt is cut
// short since it fails.
const (
	restarts = 0.25
	crashes  = 0.005
)

// restart has the head unit start anew, after a stop.
func (c *car) restart() error {
	c.facts.Restarts++
	return errors.Join(c.rec.Close(), c.start())
}

// crash has it start anew without one, while somebody drives.
func (c *car) crash(user uint64, at time.Time) error {
	c.facts.Crashes++
	if err := c.start(); err != nil {
		return err
	}
	c.rec.SetUser(user)
	return c.tick(at)
}

// start opens the recorder on what it had left.
func (c *car) start() error {
	c.facts.note(c.rec.Counters())
	c.last = trace.Counters{}
	rec, err := c.reopen()
	if err == nil {
		c.rec = rec
	}
	return err
}

// ask asks a driver who has come to a decision.
func (c *car) ask(t *trip) error {
	d := t.driver
	now := parkedAt(t.at)
	switch {
	case d == nil:
	case !d.withdraws.IsZero() && !t.at.Before(d.withdraws):
		if c.rec.Recording() {
			c.facts.Withdrawals++
			c.agreed[d.user] = false
			maps.DeleteFunc(c.wanted, func(_ kept, t Truth) bool { return t.User == d.user }) // none of it may leave
			return c.rec.WithdrawConsent(c.study.ID, now)
		}
	case !d.consents.IsZero() && !t.at.Before(d.consents) && !c.rec.Recording():
		c.facts.Consents++
		c.agreed[d.user] = true
		return c.rec.GiveConsent(c.study.ID, now)
	}
	return nil
}

func parkedAt(at time.Time) trace.Context {
	return trace.Context{SpeedKnown: true, Parked: true, Now: at, Wall: at}
}

// attempt tells the recorder of one attempt, and finds out what became of it.
func (c *car) attempt(a *attempt, user uint64) error {
	at, recording := a.at, c.rec.Recording()
	c.open = &Truth{Car: c.number, User: user, At: at}
	defer func() { c.open = nil }()
	fails := len(a.touches)
	if c.fate != nil && c.fate.Float64() < crashes {
		fails = c.fate.IntN(len(a.touches))
	}
	for i := range a.touches {
		t := &a.touches[i]
		at = at.Add(t.after)
		if i == fails {
			return errors.Join(c.noteKept(a.at, a.task), c.crash(user, at))
		}
		now := trace.Context{SpeedKmh: t.kmh, SpeedKnown: t.kmh >= 0, Parked: t.kmh == 0, Now: at, Wall: at}
		took, err := c.rec.Record([]trace.Interaction{t.in}, now)
		if err != nil {
			return err
		}
		if (took == 1) != recording || recording && !c.agreed[user] {
			return fmt.Errorf("car %d, %s: the recorder took %d touches of one while recording was %v and consent %v", c.number, at, took, recording, c.agreed[user])
		}
	}
	if recording {
		c.facts.attempt(a)
	}
	if err := c.noteKept(a.at, a.task); err != nil {
		return err
	}
	if err := c.tick(at.Add(31 * time.Second)); err != nil { // ends what was given up
		return err
	}
	return c.noteKept(a.at, a.task)
}

// noteKept remembers the attempt behind an episode that was written: when it
// began, and the index of its task in the study.
func (c *car) noteKept(at time.Time, task int) error {
	n := c.rec.Counters()
	written := n.Episodes - c.last.Episodes
	c.last.Episodes = n.Episodes
	if written == 0 || c.open == nil { // nil: it has left at once
		return nil
	}
	name, err := c.newest(at, task)
	if err != nil || written != 1 {
		return fmt.Errorf("car %d: %d episodes of an attempt were written, %w", c.number, written, err)
	}
	c.open.EID = name.id
	c.wanted[name] = *c.open
	c.open = nil
	return nil
}

// newest finds the episode of an attempt among those that the driver is shown:
// the one of its task and week that was not there before, or the only one, where
// all of a car have one id.
func (c *car) newest(at time.Time, index int) (kept, error) {
	year, number := at.ISOWeek()
	task, week := &c.study.Tasks[index], fmt.Sprintf("%d-W%02d", year, number)
	var all, fresh []kept
	for _, t := range c.rec.Traces() {
		if t.Task != task.Name || t.Week != week {
			continue
		}
		one := kept{t.ID, uint16(task.ID), uint16((year-2000)*100 + number)}
		all = append(all, one)
		if _, known := c.wanted[one]; !known {
			fresh = append(fresh, one)
		}
	}
	switch {
	case len(fresh) == 1:
		return fresh[0], nil
	case len(fresh) == 0 && len(all) == 1:
		return all[0], nil
	}
	return kept{}, fmt.Errorf("of %s in %s %d are shown, %d of them new", task.Name, week, len(all), len(fresh))
}

// tick lets time pass, and takes what has left.
func (c *car) tick(at time.Time) error {
	if err := c.rec.Tick(parkedAt(at)); err != nil {
		return err
	}
	n := c.rec.Counters().Released
	if n == c.last.Released {
		return nil
	}
	c.last.Released = n
	return c.upload(at)
}

// upload takes what is in the outbox.
func (c *car) upload(at time.Time) error {
	entries, err := os.ReadDir(c.outbox)
	if err != nil {
		return err
	}
	for _, e := range entries {
		s := segment{name: e.Name()}
		if s.bytes, s.time, err = take(filepath.Join(c.outbox, s.name)); err != nil {
			return err
		}
		ep, err := c.episode(s.bytes)
		if err != nil {
			return fmt.Errorf("car %d: %s: %w", c.number, s.name, err)
		}
		if s.truth, err = c.truth(ep); err != nil {
			return err
		}
		s.truth.Released = at
		c.segments = append(c.segments, s)
	}
	return nil
}

// truth is what is known of an episode that has left.
func (c *car) truth(ep *trace.Episode) (Truth, error) {
	name := kept{hex.EncodeToString(ep.EID[:]), ep.Task, ep.Week}
	t, ok := c.wanted[name]
	switch {
	case ok:
		return t, nil
	case c.open != nil: // it leaves at once
		t, c.open = *c.open, nil
		t.EID = name.id
		return t, nil
	}
	return t, fmt.Errorf("car %d: episode %s has left, and is of no attempt that may have", c.number, name.id)
}

// episode reads the one episode of a segment. One without padding is damaged to
// readers, but for its episode.
func (c *car) episode(segment []byte) (*trace.Episode, error) {
	var list []trace.Episode
	var err error
	if c.study.Panel {
		var of []trace.PanelEpisode
		of, err = trace.ReadPanel(bytes.NewReader(segment))
		for i := range of {
			list = append(list, of[i].Episode)
		}
	} else {
		list, err = trace.ReadAny(bytes.NewReader(segment))
	}
	var damage *trace.DamageError
	if err != nil && !errors.As(err, &damage) {
		return nil, err
	} else if len(list) != 1 {
		return nil, fmt.Errorf("has %d episodes (%v)", len(list), err)
	}
	return &list[0], nil
}

// take reads a file with its time and removes it.
func take(path string) ([]byte, time.Time, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, time.Time{}, err
	}
	b, err := os.ReadFile(path)
	return b, info.ModTime(), errors.Join(err, os.Remove(path))
}
