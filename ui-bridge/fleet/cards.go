package fleet

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"vignette/scenes/engine"
	"vignette/ui-bridge/trace"
)

// card is a scene card that the study watches.
type card struct {
	index int // of its task in the study
	id    string
}

// actuator and the values are what cards set and drivers take back; no episode has
// them.
const actuator = "Vehicle.Cabin.Seat.Row1.DriverSide.HeatingCooling"

// firing is a firing of a scene card, and what the driver does to it.
type firing struct {
	at       time.Time
	card     card
	kmh      float64       // negative: nobody knows
	undone   time.Duration // after how long the driver takes it back; negative: never
	disabled bool          // by disabling the card, which is enabled again before the next trip
}

// taste is what a driver makes of a card.
type taste struct {
	occasions float64 // share of trips on which it fires
	dislike   float64 // added to the logit of the build's regret
}

func newTaste(rng *rand.Rand) taste {
	return taste{0.1 + 0.4*rng.Float64(), 0.8 * rng.NormFloat64()}
}

// regrets is the chance that the driver takes a firing back.
func (t *taste) regrets(b *Build) float64 {
	if b.Regret <= 0 || b.Regret >= 1 {
		return b.Regret
	}
	return 1 / (1 + math.Exp(-math.Log(b.Regret/(1-b.Regret))-t.dislike))
}

// afterFiring is when a firing that was left alone is over.
const afterFiring = 61 * time.Second

// fire draws which cards fire on a trip, one after the other, and returns when the
// driver begins to do something.
func (w *world) fire(rng *rand.Rand, d *driver, t *trip) time.Time {
	at := t.at.Add(20 * time.Second)
	for i := range w.hmi.cards {
		likes := &d.cards[i]
		if rng.Float64() >= likes.occasions {
			continue
		}
		f := firing{at: at, card: w.hmi.cards[i], kmh: d.speed(rng), undone: -1}
		if rng.Float64() < likes.regrets(w.build) {
			s := min(59.9, 0.4+9*rng.ExpFloat64())
			f.undone = time.Duration(s * float64(time.Second)).Truncate(time.Millisecond)
			f.disabled = rng.IntN(5) == 0
		}
		t.firings = append(t.firings, f)
		at = at.Add(2 * afterFiring)
	}
	return at
}

// firing tells the recorder of a card's firing as the decision log has it, and
// finds out what became of it.
func (c *car) firing(f *firing, user uint64) error {
	at, recording := f.at, c.rec.Recording()
	c.open = &Truth{Car: c.number, User: user, At: at}
	defer func() { c.open = nil }()
	tell := func(rec engine.Record) error {
		c.record++
		rec.N = c.record
		return c.rec.Decided(&rec, user, trace.Context{SpeedKmh: f.kmh, SpeedKnown: f.kmh >= 0, Parked: f.kmh == 0, Now: at, Wall: at})
	}
	if err := tell(engine.Record{What: engine.Fired, Card: f.card.id, Why: "trigger[0]"}); err != nil {
		return err
	}
	on := engine.Value{Kind: engine.Number, Num: 40}
	if err := tell(engine.Record{What: engine.Acted, Card: f.card.id, Action: "set", Actuator: actuator, Value: on, Cause: c.record}); err != nil {
		return err
	}
	if f.undone >= 0 {
		at = at.Add(f.undone)
		rec := engine.Record{What: engine.Override, Actuator: actuator, Value: engine.Value{Kind: engine.Number}}
		if f.disabled {
			rec = engine.Record{What: engine.User, Card: f.card.id, Why: "disabled"}
		}
		if err := tell(rec); err != nil {
			return err
		}
	}
	if recording {
		c.facts.firing(f)
	}
	if c.rec.WatchesCards() != recording {
		return fmt.Errorf("car %d, %s: the recorder wants decisions %v while recording was %v", c.number, at, c.rec.WatchesCards(), recording)
	}
	if err := c.noteKept(f.at, f.card.index); err != nil {
		return err
	}
	if err := c.tick(at.Add(afterFiring)); err != nil {
		return err
	}
	return c.noteKept(f.at, f.card.index)
}
