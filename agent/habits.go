package agent

import (
	"errors"
	"fmt"
	"time"

	"vignette/scenes"
	"vignette/scenes/engine"
	"vignette/scenes/habit"
	uibridge "vignette/ui-bridge"
	"vignette/ui-bridge/trace"
)

// saveHabitsEvery bounds how often what was learnt goes to flash while nothing
// else asks for it: a kill forgets no more than that.
const saveHabitsEvery = 10 * time.Minute

// habits are what the present driver does by hand again and again, learnt if the
// driver has said so. Nothing of it is an event or a record: it is in no journal, log
// or trace, but in the driver's own file. It belongs to the goroutine of loop.
type habits struct {
	files   *habitFiles // nil: nothing can be kept, so nothing is learnt
	user    uint64      // whom the HMI has named since the start; 0: nobody
	learner *habit.Learner
	future  bool // a newer version has learnt of this user: its file is left as it is
	paused  bool
	saved   time.Time
}

// openHabits readies the files of a state directory, if there is one.
func (a *agent) openHabits() {
	if a.config.State != "" {
		a.habits.files = openHabitFiles(a.config.State, a.log)
		a.closers = append(a.closers, a.habits.files)
	}
}

// nowDrives saves what was learnt of the driver before, and goes on with what is
// known of another one, if that one wants it.
func (h *habits) nowDrives(user uint64, v *scenes.Vehicle, log func(error)) {
	if h.files == nil || user == h.user {
		return
	}
	h.save()
	h.user, h.learner, h.future = user, nil, false
	if user == 0 {
		return
	}
	kept, on, err := h.files.load(user)
	if err != nil || !on {
		log(err)
		return
	}
	h.begin(v, kept, log)
}

// begin learns from what was kept on, or from nothing if that cannot be read. What
// a newer version has kept is left for it.
func (h *habits) begin(v *scenes.Vehicle, kept []byte, log func(error)) {
	vocabulary := habit.NewVocabulary(v)
	learner, err := habit.Load(vocabulary, kept)
	if h.future = errors.Is(err, habit.ErrFuture); h.future {
		log(err)
		return
	}
	if err != nil {
		learner = habit.New(vocabulary)
		log(err)
	}
	h.learner, h.paused, h.saved = learner, false, time.Now()
}

// reprofile begins anew with another profile: what was learnt is of the one before.
func (h *habits) reprofile(v *scenes.Vehicle) {
	if h.learner != nil {
		h.learner = habit.New(habit.NewVocabulary(v))
		h.files.put(h.user, h.learner.Append(nil))
	}
}

// save gives what was learnt to the disk's goroutine.
func (h *habits) save() {
	if h.learner != nil && h.learner.Changed() {
		h.files.put(h.user, h.learner.Append(nil))
	}
	h.saved = time.Now()
}

// logHabits logs that what was learnt is lost, and nothing of what it was.
func (a *agent) logHabits(err error) {
	if err != nil {
		a.log.Error("a driver's habits are lost", "error", err)
	}
}

// lookForHabits has the learner look at the car, once a second. Nobody vouching
// for the wall clock, nothing is learnt: days are counted.
func (a *agent) lookForHabits(counters map[string]uint64) {
	h := &a.habits
	if h.learner == nil {
		return
	}
	switch wall := a.vouched(); {
	case !wall.IsZero():
		_, offset := wall.Zone()
		h.paused = false
		h.learner.Look(a.stamp(), int((wall.Unix()+int64(offset))/(24*3600)), uint8(wall.Hour()/6), (*habitCar)(a))
	case !h.paused:
		h.paused = true
		h.learner.Pause()
	}
	counters["habits_lost"] = h.learner.Lost
	if time.Since(h.saved) >= saveHabitsEvery {
		h.save()
	}
}

// habitCar is the agent as a habit.Car.
type habitCar agent

func (a *habitCar) Signal(i int) engine.Value { return a.monitor.Value(i, a.pump.State().Now()) }

func (a *habitCar) Commanded(i int) bool { return a.pump.State().Commanded(i) }

// tellHabits tells the learner of the driver's hands.
func (a *agent) tellHabits(records []engine.Record) {
	if a.habits.learner == nil || a.habits.paused {
		return
	}
	for i := range records {
		if r := &records[i]; r.What == engine.Override {
			if act, ok := a.prog.Actuator(r.Actuator); ok {
				a.habits.learner.Hand(r.T, act, r.Value)
			}
		}
	}
}

// The methods of uibridge.Habits.

// SetHabits has the present driver's habits learnt, which is durable before it
// returns, or forgotten, and nothing of it is left when it returns.
func (a *agent) SetHabits(on bool) error {
	var done <-chan error
	err := a.do(func() (err error) {
		h := &a.habits
		switch {
		case h.files == nil:
			return fmt.Errorf("%w: the configuration names no state directory, where what was learnt would be", uibridge.ErrUnsupported)
		case h.user == 0:
			return trace.ErrNoDriver
		case !on:
			h.learner, h.future = nil, false
			done = h.files.remove(h.user)
			return nil
		case h.learner != nil:
			return nil
		case h.future:
			return habit.ErrFuture
		}
		fresh := habit.New(habit.NewVocabulary(a.prog.Vehicle))
		if done, err = h.files.add(h.user, fresh.Append(nil)); err == nil {
			h.learner, h.paused, h.saved = fresh, false, time.Now()
		}
		return err
	})
	if err == nil && done != nil {
		err = <-done
	}
	return err
}

// Drafts are the cards that would do what the driver does by hand: those that can
// be installed beside the cards that run, and are not.
func (a *agent) Drafts() ([]habit.Draft, error) {
	var list, fit []habit.Draft
	var running *scenes.Program
	err := a.do(func() (err error) {
		if running = a.prog; a.habits.learner != nil {
			list, err = a.habits.learner.Drafts()
		}
		return err
	})
	for _, d := range list {
		if _, there := running.Card(d.ID); there {
			continue
		}
		if a.deck.takes(running, d.Text) {
			fit = append(fit, d)
		}
	}
	return fit, err
}

// takes reports whether a card could be installed beside those that run. One at a
// time is judged, as for previews.
func (d *deck) takes(running *scenes.Program, text string) bool {
	d.previewing.Lock()
	defer d.previewing.Unlock()
	_, next, _ := judge(running, []byte(text))
	return next != nil
}

// DismissDraft has what a draft does not offered any more.
func (a *agent) DismissDraft(id string) error {
	return a.do(func() error {
		if l := a.habits.learner; l == nil || !l.Dismiss(id) {
			return fmt.Errorf("%w: %s is not offered", uibridge.ErrUnknownDraft, id)
		}
		a.habits.save()
		return nil
	})
}
