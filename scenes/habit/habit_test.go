package habit

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"vignette/scenes"
	"vignette/scenes/check"
	"vignette/scenes/engine"
)

func vehicle(t testing.TB, path string) *scenes.Vehicle {
	t.Helper()
	v, err := scenes.LoadVehicle(path)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

const ourDrive = "../../testdata/drive/vehicle.yaml"

// TestEdges holds that numbers cross round numbers, far enough apart.
func TestEdges(t *testing.T) {
	for _, c := range []struct {
		low, high float64
		want      string
		back      float64
	}{
		{0, 300, "[50 100 150 200 250]", 12.5},
		{-40, 85, "[-20 0 20 40 60 80]", 5},
		{0, 100, "[20 40 60 80]", 5},
		{16, 28, "[18 20 22 24 26]", 0.5},
		{0, 1, "[0.2 0.4 0.6 0.8]", 0.05},
		{-1, 1, "[-0.5 0 0.5]", 0.125},
		{3, 3, "[]", 0},
		{-1e300, 1e300, "[]", 0},
	} {
		edges, back := edgesOf(scenes.Domain{Low: c.low, High: c.high})
		if got := fmt.Sprint(edges); got != c.want || back != c.back {
			t.Errorf("%v to %v: %s, back by %v; want %s, %v", c.low, c.high, got, back, c.want, c.back)
		}
	}
}

// car is a simulated car whose signals and driver do as they are told, a look a
// second.
type car struct {
	t      testing.TB
	v      *Vocabulary
	l      *Learner
	values []engine.Value
	held   map[int]bool // actuators that a card commands
	now    int64
	day    int
	hour   float64
}

func newCar(t testing.TB, path string) *car {
	v := NewVocabulary(vehicle(t, path))
	c := &car{t: t, v: v, l: New(v), values: make([]engine.Value, len(v.vehicle.Signals)), held: map[int]bool{}, hour: 10}
	return c
}

// tick lets a second pass and has the learner look.
func (c *car) tick() {
	c.now += 1e9
	c.hour += 1. / 3600
	c.l.Look(c.now, c.day, uint8(c.hour/6), c)
}

func (c *car) Signal(i int) engine.Value { return c.values[i] }

func (c *car) Commanded(i int) bool { return c.held[i] }

func (c *car) pass(seconds int) {
	for range seconds {
		c.tick()
	}
}

// signal finds a signal's index.
func (c *car) signal(path string) int {
	c.t.Helper()
	for i := range c.v.vehicle.Signals {
		if c.v.vehicle.Signals[i].Path == path {
			return i
		}
	}
	c.t.Fatalf("no signal %s", path)
	return 0
}

func (c *car) actuator(path string) int {
	c.t.Helper()
	for i := range c.v.actuators {
		if c.v.actuators[i].spec.Path == path {
			return i
		}
	}
	c.t.Fatalf("no actuator %s", path)
	return 0
}

// set gives a signal a number, a label's index, or 0 and 1.
func (c *car) set(i int, num float64) {
	s := &c.v.vehicle.Signals[i]
	v := engine.Value{Kind: s.Kind, Num: num}
	if s.Kind == engine.Label {
		v.Text = s.Labels[int(num)]
	}
	c.values[i] = v
}

func num(x float64) engine.Value { return engine.Value{Kind: engine.Number, Num: x} }

func (c *car) drafts() []Draft {
	c.t.Helper()
	list, err := c.l.Drafts()
	if err != nil {
		c.t.Fatal(err)
	}
	return list
}

const (
	fanPath  = "Vehicle.Cabin.HVAC.Station.Row1.Driver.FanSpeed"
	beltPath = "Vehicle.Cabin.Seat.Row1.DriverSide.IsBelted"
	rainPath = "Vehicle.Body.Raindetection.Intensity"
)

// drives has the driver fasten the belt and then, if told so, set the fan, once a
// day for some days.
func (c *car) drives(days int, sets func(day int) (fan float64, after int)) {
	belt, fan := c.signal(beltPath), c.actuator(fanPath)
	for range days {
		c.l.Pause()
		c.day, c.hour = c.day+1, 8
		c.set(belt, 0)
		c.pass(60)
		c.set(belt, 1)
		c.tick()
		if v, after := sets(c.day); after >= 0 {
			c.pass(after)
			c.l.Hand(c.now+1e8, fan, num(v))
		}
		c.pass(120)
	}
}

func TestAHabitIsOffered(t *testing.T) {
	c := newCar(t, ourDrive)
	c.drives(4, func(int) (float64, int) { return 60, 7 })
	if d := c.drafts(); len(d) != 0 {
		t.Fatalf("after four times: %+v", d)
	}
	c.drives(2, func(day int) (float64, int) { return 60, 7 * (day%2*2 - 1) }) // once, and once not
	list := c.drafts()
	if len(list) != 1 {
		t.Fatalf("drafts %+v", list)
	}
	d := &list[0]
	if d.Times != 5 || d.Of != 6 || d.Days != 5 || d.Title["en"] != "Set the fan (front, driver) to 60 % when the seat belt (front, driver's side) becomes fastened" ||
		!strings.Contains(d.Why["en"], "On 5 days, 5 of 6 times, you did this by hand: within half a minute after") || !strings.Contains(d.Why["zh"], "6 次里有 5 次") {
		t.Errorf("draft %+v", d)
	}
	for _, want := range []string{"  - {signal: " + beltPath + ", becomes: true}\n", "  - {set: " + fanPath + `, to: 60, unit: "percent", lease: 1m, at_end: leave}`} {
		if !strings.Contains(d.Text, want) {
			t.Errorf("no %s in\n%s", want, d.Text)
		}
	}
	compiles(t, c.v, d.Text)

	if c.l.Dismiss("habit-nosuch") || !c.l.Dismiss(d.ID) || len(c.drafts()) != 0 || c.l.Dismiss(d.ID) {
		t.Errorf("dismissed, there is %+v", c.drafts())
	}
	c.drives(5, func(int) (float64, int) { return 60, 7 })
	if len(c.drafts()) != 0 {
		t.Error("what was dismissed is offered again")
	}
	c.drives(16, func(int) (float64, int) { return 40, 7 })
	if d := c.drafts(); len(d) != 0 {
		t.Errorf("a new way is offered while the old one counts: %+v", d)
	}
	c.drives(40, func(int) (float64, int) { return 40, 7 })
	if d := c.drafts(); len(d) != 1 || !strings.Contains(d[0].Text, "to: 40") {
		t.Errorf("after the driver's ways have changed: %+v", d)
	}
	c.drives(60, func(int) (float64, int) { return 0, -1 })
	if d := c.drafts(); len(d) != 0 {
		t.Errorf("after the driver has stopped: %+v", d)
	}
}

// TestWhatIsNoHabit holds what must not be offered, each often enough.
func TestWhatIsNoHabit(t *testing.T) {
	for _, k := range []struct {
		name string
		do   func(c *car)
	}{
		{"too late", func(c *car) { c.drives(20, func(int) (float64, int) { return 60, 35 }) }},
		{"another value each time", func(c *car) { c.drives(20, func(day int) (float64, int) { return float64(day % 5 * 10), 7 }) }},
		{"half of the time", func(c *car) { c.drives(20, func(day int) (float64, int) { return 60, 14*(day%2) - 7 }) }},
		{"on two days", func(c *car) {
			for i := range 20 {
				c.day = i / 10
				c.drives(1, func(int) (float64, int) { return 60, 7 })
			}
		}},
		{"all the time", func(c *car) {
			belt, fan := c.signal(beltPath), c.actuator(fanPath)
			for i := range 4000 {
				c.day = i / 500
				c.set(belt, float64(i/50%2))
				if c.tick(); i%5 == 0 {
					c.l.Hand(c.now, fan, num(60))
				}
			}
		}},
		{"not for a card", func(c *car) { c.drives(20, func(int) (float64, int) { return 90, 7 }) }}, // the actuator's range ends at 80
		{"unknown before", func(c *car) {
			belt, fan := c.signal(beltPath), c.actuator(fanPath)
			for range 20 {
				c.day++
				c.values[belt] = engine.Value{}
				c.pass(60)
				c.set(belt, 1) // a card that waits for this would not start either
				c.pass(3)
				c.l.Hand(c.now, fan, num(60))
				c.pass(60)
			}
		}},
		{"a card's own deed", func(c *car) { c.reads(true, 3) }},
		{"what the hand itself brought about", func(c *car) { c.reads(false, -1) }},
	} {
		t.Run(k.name, func(t *testing.T) {
			c := newCar(t, ourDrive)
			k.do(c)
			if d := c.drafts(); len(d) != 0 {
				t.Errorf("offered: %+v", d)
			}
		})
	}
}

// reads has the fan's readback go from 0 to 60 so many seconds after the belt is
// fastened (or before), by steps, a card's doing or the driver's.
func (c *car) reads(card bool, after int) {
	belt, fan, read := c.signal(beltPath), c.actuator(fanPath), c.signal(fanPath)
	for range 20 {
		c.day++
		c.set(belt, 0)
		c.set(read, 0)
		c.pass(60)
		if after >= 0 {
			c.set(belt, 1)
			c.pass(after)
		}
		c.held[fan] = card
		for v := 20.; v <= 60; v += 20 {
			c.set(read, v)
			if after < 0 {
				c.set(belt, 1)
			}
			c.tick()
		}
		c.pass(300)
		c.held[fan] = false
	}
}

// TestAHandIsReadBack: where the HMI does not report hands, the readback shows them.
func TestAHandIsReadBack(t *testing.T) {
	c := newCar(t, ourDrive)
	c.reads(false, 3)
	if d := c.drafts(); len(d) != 1 || !strings.Contains(d[0].Text, "to: 60") || d[0].Times != d[0].Of {
		t.Errorf("drafts %+v", d)
	}
}

// TestInTheMorning: a habit of one part of the day has that as a condition.
func TestInTheMorning(t *testing.T) {
	c := newCar(t, ourDrive)
	rain, fan := c.signal(rainPath), c.actuator(fanPath)
	for range 12 {
		for _, hour := range []float64{8, 19} {
			c.hour = hour
			c.set(rain, 0)
			c.pass(60)
			c.set(rain, 45) // above 20 and 40
			c.pass(5)
			if hour < 12 {
				c.l.Hand(c.now, fan, num(20))
			}
			c.pass(60)
		}
		c.day++
	}
	d := c.drafts()
	if len(d) != 1 || d[0].Times != 12 || d[0].Of != 12 || !strings.Contains(d[0].Text, `only_if:
  - {time: {from: "06:00", to: "12:00"}}`) || !strings.Contains(d[0].Text, "rises_above: ") || !strings.Contains(d[0].Title["zh"], "06:00") {
		t.Fatalf("drafts %+v", d)
	}
	compiles(t, c.v, d[0].Text)
}

// compiles holds that a draft is a card of the vehicle with which check finds no
// fault.
func compiles(t testing.TB, v *Vocabulary, text string) {
	t.Helper()
	card, err := scenes.ParseCard("card", []byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	p, err := scenes.Compile(v.vehicle, []*scenes.Card{card})
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if len(text)%8 != 0 {
		return // checks take their time
	}
	if worst, some := check.Worst(check.Run(p)); some && worst == check.Error {
		t.Fatalf("%v\n%s", check.Run(p), text)
	}
}

// TestDraftsAlwaysCompile makes a draft of every occasion and of every actuator of
// each profile that there is, in every part of the day.
func TestDraftsAlwaysCompile(t *testing.T) {
	for _, path := range []string{ourDrive, "../../testdata/hmi/vehicle.yaml"} {
		v := NewVocabulary(vehicle(t, path))
		rng := rand.New(rand.NewPCG(1, 2))
		n := 0
		try := func(occasion, actuator int, setting int32, quarter int) {
			f := found{&pair{occasion: uint16(occasion), actuator: uint16(actuator), setting: setting}, quarter, 5, 5, 3}
			d, err := v.draft(&f)
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			compiles(t, v, d.Text)
			if strings.Contains(d.Title["en"]+d.Why["zh"], "%!") {
				t.Errorf("%+v", d)
			}
			n++
		}
		for o := range v.occasions {
			a := rng.IntN(len(v.actuators))
			quarter := anyTime
			if v.vehicle.TrustedBy != "" {
				quarter = rng.IntN(quarters + 1)
			}
			try(o, a, rng.Int32N(v.actuators[a].settings()), quarter)
		}
		for a := range v.actuators {
			for s := range min(v.actuators[a].settings(), 50) {
				try(rng.IntN(len(v.occasions)), a, s, anyTime)
			}
		}
		if n < 5 || v.LeftOut != 0 {
			t.Errorf("%s: %d drafts, %d left out", path, n, v.LeftOut)
		}
		t.Logf("%s: %d occasions, %d drafts", path, len(v.occasions), n)
	}
}

// truth is a habit that a simulated driver has.
type truth struct {
	occasion, actuator int
	setting            int32
	likely             float64

	times, of int // how often it was so
}

// simulate drives a random car: its signals wander and flip, its driver has these
// habits and besides them sets anything, some times an hour.
func simulate(c *car, rng *rand.Rand, habits []*truth, days, seconds int, anyHour float64) {
	type due struct {
		at int64
		h  *truth
	}
	var coming []due
	for range days {
		c.l.Pause()
		c.day, c.hour = c.day+1, float64(7+rng.IntN(14))
		for range seconds {
			c.flip(rng)
			was := slices.Clone(c.l.open)
			c.tick()
			for _, o := range c.l.open {
				for _, h := range habits {
					if int(o.occasion) != h.occasion || slices.Contains(was, o) {
						continue
					}
					if h.of++; rng.Float64() < h.likely {
						coming = append(coming, due{c.now + int64(3+rng.IntN(20))*1e9, h})
					}
				}
			}
			if rng.Float64() < anyHour/3600 {
				a := rng.IntN(len(c.v.actuators))
				c.l.Hand(c.now, a, c.v.actuators[a].value(rng.Int32N(c.v.actuators[a].settings())))
			}
			coming = slices.DeleteFunc(coming, func(d due) bool {
				if d.at > c.now {
					return false
				}
				d.h.times++
				c.l.Hand(c.now, d.h.actuator, c.v.actuators[d.h.actuator].value(d.h.setting))
				return true
			})
		}
		coming = nil
	}
}

// flip changes some signals: each of the discrete ones about every two minutes,
// each number by a random walk through its range.
func (c *car) flip(rng *rand.Rand) {
	for i := range c.v.signals {
		s := &c.v.signals[i]
		switch v := &c.values[s.index]; {
		case s.values != nil && (v.Kind == engine.None || rng.IntN(120) == 0):
			c.set(s.index, s.values[rng.IntN(len(s.values))])
		case s.edges != nil && v.Kind == engine.None:
			c.set(s.index, s.edges[len(s.edges)/2])
		case s.edges != nil:
			step := (s.back * 4) / 20
			c.set(s.index, v.Num+step*rng.NormFloat64())
		}
	}
}

// TestPlantedHabitsAreFound is recall, and that nothing else is offered, over
// random drives whose truth is known: three habits in each, among six other hands
// an hour. Counted are those that were kept seven times or more, 88 times of 100.
func TestPlantedHabitsAreFound(t *testing.T) {
	planted, missed, wrong := 0, 0, 0
	for seed := range 6 {
		rng := rand.New(rand.NewPCG(uint64(seed), 7))
		c := newCar(t, ourDrive)
		for i := range c.v.actuators {
			c.v.actuators[i].readback = -1 // hands are reported
		}
		var habits []*truth
		for _, a := range rng.Perm(len(c.v.actuators))[:3] {
			discrete := c.v.signals[rng.IntN(len(c.v.signals))]
			for len(discrete.values) != 2 {
				discrete = c.v.signals[rng.IntN(len(c.v.signals))]
			}
			habits = append(habits, &truth{occasion: discrete.first + rng.IntN(len(discrete.values)), actuator: a, setting: rng.Int32N(c.v.actuators[a].settings()), likely: 0.95})
		}
		simulate(c, rng, habits, 10, 500, 6)
		texts := ""
		for _, d := range c.drafts() {
			texts += d.Text
			if !slices.ContainsFunc(habits, func(h *truth) bool { return h.is(c, d.Text) }) {
				wrong++
				t.Errorf("seed %d: nobody does this:\n%s", seed, d.Text)
			}
		}
		for _, h := range habits {
			if h.times < minTimes+2 || h.times*100 < h.of*88 {
				continue
			}
			if planted++; !h.is(c, texts) {
				missed++
			}
		}
	}
	t.Logf("%d habits, %d missed, %d wrong", planted, missed, wrong)
	if planted < 10 || missed*10 > planted {
		t.Errorf("%d habits, %d missed", planted, missed)
	}
}

// is reports whether a card is this habit.
func (h *truth) is(c *car, text string) bool {
	a := &c.v.actuators[h.actuator]
	return strings.Contains(text, c.v.trigger(&c.v.occasions[h.occasion])) &&
		strings.Contains(text, "set: "+a.spec.Path+", to: "+literal(a.value(h.setting))+unit(a.spec.Unit)+",")
}

// TestNothingIsOfferedWithoutHabits drives at random, with ever more hands.
func TestNothingIsOfferedWithoutHabits(t *testing.T) {
	for seed := range 4 {
		rng := rand.New(rand.NewPCG(uint64(seed), 8))
		c := newCar(t, ourDrive)
		simulate(c, rng, nil, 8, 500, []float64{2, 10, 60, 300}[seed])
		if d := c.drafts(); len(d) != 0 {
			t.Errorf("seed %d: %+v", seed, d)
		}
	}
}

// widest is a vocabulary at its bounds.
func widest(t testing.TB) *Vocabulary {
	v := NewVocabulary(vehicle(t, ourDrive))
	for i := 0; len(v.occasions) < maxOccasions; i++ {
		v.signals = append(v.signals, signal{index: i % 4, first: len(v.occasions), values: []float64{0, 1}})
		v.occasions = append(v.occasions, v.occasions[0], v.occasions[1])
	}
	for len(v.signals) < maxOccasions/2 {
		v.signals = append(v.signals, v.signals[0])
	}
	for len(v.actuators) < maxActuators {
		v.actuators = append(v.actuators, v.actuators[0])
	}
	return v
}

// TestMemoryIsBounded gives the widest vehicle a hostile stream: nothing grows
// beyond 64 KiB, nothing is allocated, and what is kept stays within its bound.
func TestMemoryIsBounded(t *testing.T) {
	v := widest(t)
	l := New(v)
	bytes := func() (n int) {
		value := reflect.ValueOf(*l)
		n = int(value.Type().Size())
		for i := range value.NumField() {
			if f := value.Field(i); f.Kind() == reflect.Slice {
				n += f.Cap() * int(f.Type().Elem().Size())
			}
		}
		return n
	}
	at := bytes()
	if at > 64<<10 {
		t.Fatalf("%d bytes", at)
	}
	rng := rand.New(rand.NewPCG(1, 1))
	wild := &car{values: make([]engine.Value, len(v.vehicle.Signals))}
	now := int64(0)
	hostile := func() {
		for i := range wild.values {
			wild.values[i] = engine.Value{Kind: engine.ValueKind(rng.IntN(4)), Num: float64(rng.IntN(100))}
		}
		now += rng.Int64N(40e9) - 1e9
		l.Look(now, rng.IntN(1<<20), uint8(rng.IntN(quarters)), wild)
		for range 20 {
			a := rng.IntN(2 * maxActuators)
			l.Hand(now+rng.Int64N(1e9), a, engine.Value{Kind: engine.Number, Num: float64(rng.IntN(90))})
			l.Occurred(now, "button star")
		}
	}
	if n := testing.AllocsPerRun(150, hostile); n != 0 {
		t.Errorf("%v allocations a look", n)
	}
	if got := bytes(); got != at {
		t.Errorf("%d bytes, %d before", got, at)
	}
	if kept := l.Append(nil); len(kept) > MaxKept || len(l.pairs) != maxPairs || l.Lost == 0 {
		t.Errorf("%d bytes are kept, %d pairs, %d lost", len(kept), len(l.pairs), l.Lost)
	}
	t.Logf("%d bytes, %d kept", at, len(l.Append(nil)))
}

// TestKept holds that what was learnt goes on after a restart, and that whatever
// is wrong with it is found.
func TestKept(t *testing.T) {
	c := newCar(t, ourDrive)
	c.drives(8, func(int) (float64, int) { return 60, 7 })
	want := c.drafts()
	if !c.l.Changed() {
		t.Error("nothing has changed")
	}
	kept := c.l.Append(nil)
	again, err := Load(c.v, kept)
	if err != nil || c.l.Changed() {
		t.Fatal(err)
	}
	c.l = again
	if got := c.drafts(); !reflect.DeepEqual(got, want) || len(got) != 1 {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if !bytes.Equal(again.Append(nil), kept) {
		t.Error("kept again it differs")
	}
	for i := range kept {
		bad := bytes.Clone(kept)
		bad[i] ^= 1 << (i % 8)
		if _, err := Load(c.v, bad); !errors.Is(err, ErrDamaged) {
			t.Fatalf("bit of byte %d flipped: %v", i, err)
		}
		if _, err := Load(c.v, kept[:i]); !errors.Is(err, ErrDamaged) {
			t.Fatalf("cut at %d: %v", i, err)
		}
	}
	other := NewVocabulary(vehicle(t, "../../testdata/hmi/vehicle.yaml"))
	if _, err := Load(other, kept); !errors.Is(err, ErrDamaged) {
		t.Errorf("another profile: %v", err)
	}
	if strings.Contains(string(kept), "Vehicle.") {
		t.Error("what is kept has paths in it")
	}
}

// Whatever the bytes, they are refused or are a learner that works.
func FuzzLoad(f *testing.F) {
	v := NewVocabulary(vehicle(f, ourDrive))
	l := New(v)
	f.Add(l.Append(nil)[len(keptHead)+64:])
	f.Fuzz(func(t *testing.T, body []byte) {
		body = append([]byte(keptHead+v.vehicle.Contents()), body...)
		l, err := Load(v, seal(body))
		if err != nil {
			return
		}
		if _, err := l.Drafts(); err != nil {
			t.Fatal(err)
		}
		l.Look(int64(time.Second), 1, 1, &car{values: make([]engine.Value, len(v.vehicle.Signals))})
	})
}

// BenchmarkLook is a look at our own drive's car, whose signals change.
func BenchmarkLook(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 1))
	c := newCar(b, ourDrive)
	c.flip(rng)
	for b.Loop() {
		b.StopTimer()
		c.flip(rng)
		b.StartTimer()
		c.tick()
	}
}
