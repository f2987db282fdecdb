package agent

import (
	"bytes"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"vignette/scenes"
	"vignette/scenes/engine"
	"vignette/scenes/habit"
	uibridge "vignette/ui-bridge"
)

// rehearsed is a car that a test makes up.
type rehearsed struct{ values []engine.Value }

func (r *rehearsed) Signal(i int) engine.Value { return r.values[i] }
func (r *rehearsed) Commanded(int) bool        { return false }

// practise has a learner see a driver ring the bell by hand after the speed has
// risen above 50 km/h, so many times, each on another day.
func practise(t *testing.T, vehicle string, times int) []byte {
	t.Helper()
	v, err := scenes.LoadVehicle(vehicle)
	if err != nil {
		t.Fatal(err)
	}
	speed, bell := 0, 0
	for i := range v.Signals {
		if v.Signals[i].Path == "Vehicle.Speed" {
			speed = i
		}
	}
	for i := range v.Actuators {
		if v.Actuators[i].Path == "Private.Bell" {
			bell = i
		}
	}
	l, car := habit.New(habit.NewVocabulary(v)), &rehearsed{make([]engine.Value, len(v.Signals))}
	now := int64(0)
	look := func(day int, kmh float64) {
		now += 1e9
		car.values[speed] = engine.Value{Kind: engine.Number, Num: kmh}
		l.Look(now, day, 1, car)
	}
	for day := range times {
		for range 60 {
			look(day, 0)
		}
		look(day, 60)
		l.Hand(now+2e9, bell, engine.Value{Kind: engine.Bool, Num: 1})
		for range 60 {
			look(day, 60)
		}
	}
	return l.Append(nil)
}

// looked waits until the agent, which looks once a second, has seen so many frames.
func (b *deckBench) looked(frames uint64) {
	b.t.Helper()
	for end := time.Now().Add(patience); ; {
		v, err := b.agent.GetProperty(uibridge.AgentInterface + ".Counters")
		if err != nil {
			b.t.Fatal(err)
		}
		if v.Value().(map[string]uint64)["frames"] >= frames {
			return
		}
		if time.Now().After(end) {
			b.t.Fatalf("%d frames were not seen: %v", frames, v)
		}
	}
}

// drafts asks for the drafts.
func (b *deckBench) drafts() (list []map[string]dbus.Variant) {
	b.t.Helper()
	if err := b.call("Drafts").Store(&list); err != nil {
		b.t.Fatal(err)
	}
	return list
}

func (b *deckBench) learning() bool {
	b.t.Helper()
	v, err := b.agent.GetProperty(uibridge.AgentInterface + ".Habits")
	if err != nil {
		b.t.Fatal(err)
	}
	return v.Value().(bool)
}

// holds lists the files of an agent that hold a text.
func (b *deckBench) holds(text string) (names []string) {
	b.t.Helper()
	err := filepath.WalkDir(b.dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if bytes.Contains(content, []byte(text)) {
			names = append(names, strings.TrimPrefix(path, b.dir+"/"))
		}
		return err
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return names
}

// TestHabits is the whole way: a driver who has switched it on does by hand what a
// card could do, for the fifth time, is offered that card, and installs it. Nothing of
// it is in any other file than the driver's own, or in the log.
func TestHabits(t *testing.T) {
	b := newDeckBench(t)
	b.config.Traces = b.path("traces")
	b.write("state/habits.7", string(practise(t, b.path("car/vehicle.yaml"), 4)))
	b.write("state/habits.8.new", "what a kill has left")
	b.start()
	b.refused("NoDriver", "SetHabits", true)
	b.call("SetUser", uint64(7))
	if !b.learning() || len(b.drafts()) != 0 {
		t.Fatalf("learning %v, drafts %v", b.learning(), b.drafts())
	}
	b.frame(0, 126)
	b.looked(1)
	b.frame(60, 126)
	b.looked(2)
	b.call("Override", "Private.Bell", dbus.MakeVariant(true))
	b.later(40*time.Second, 126)
	b.looked(3)
	list := b.drafts()
	if len(list) != 1 || list[0]["times"].Value() != uint32(5) || list[0]["of"].Value() != uint32(5) || list[0]["days"].Value() != uint32(5) {
		t.Fatalf("drafts %v\n%s", list, b.said.String())
	}
	title := list[0]["title"].Value().(map[string]string)
	if title["en"] != "Set bell to on when the speed rises above 50 km/h" || title["zh"] == "" {
		t.Errorf("title %v", title)
	}
	id, text := list[0]["id"].Value().(string), list[0]["text"].Value().(string)
	for _, told := range []string{id, title["en"], title["zh"], "rises_above: 50, rearm_below: 37.5"} {
		if names := b.holds(told); names != nil || strings.Contains(b.said.String(), told) {
			t.Errorf("%q is in %v, or in the log", told, names)
		}
	}
	if r := b.install(text); r["installed"].Value() != true || r["card"].Value() != id {
		t.Errorf("installed %v", r)
	}
	if b.enabled(id) || len(b.drafts()) != 0 {
		t.Errorf("enabled %v, drafts %v", b.enabled(id), b.drafts())
	}
	b.stop()
	if names := b.holds("vignette-habits"); len(names) != 1 || names[0] != "state/habits.7" {
		t.Errorf("what was learnt is in %v", names)
	}
	if info, err := os.Stat(b.path("state/habits.7")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if _, err := os.Stat(b.path("state/habits.8.new")); !os.IsNotExist(err) {
		t.Error("what a kill has left is still there")
	}
	b.start()
	b.call("SetUser", uint64(7))
	b.call("Remove", id)
	if list := b.drafts(); len(list) != 1 {
		t.Errorf("after a restart: %v", list)
	}
}

// enabled reads whether a card is enabled for the present user.
func (b *deckBench) enabled(card string) bool {
	b.t.Helper()
	path := dbus.ObjectPath(string(uibridge.AgentPath) + "/card/" + strings.ReplaceAll(card, "-", "_2d"))
	v, err := b.hmi.Object(uibridge.AgentName, path).GetProperty("org.vignette.Card1.Enabled")
	if err != nil {
		b.t.Fatal(err)
	}
	return v.Value().(bool)
}

// TestHabitsAreEachDriversOwn: off at first, kept apart by driver, nobody's for a
// guest, dismissed for good, and gone from the disk when they are switched off.
func TestHabitsAreEachDriversOwn(t *testing.T) {
	b := newDeckBench(t)
	b.write("state/habits.7", string(practise(t, b.path("car/vehicle.yaml"), 6)))
	b.write("state/habits.9", "not written by an agent")
	b.start()
	b.call("SetUser", uint64(8))
	if b.learning() || len(b.drafts()) != 0 {
		t.Error("it is on for who never switched it on")
	}
	b.call("SetHabits", true)
	if names := b.holds("vignette-habits"); len(names) != 2 || !b.learning() {
		t.Errorf("switched on, there is %v", names)
	}
	b.call("SetUser", uint64(7))
	list := b.drafts()
	if len(list) != 1 {
		t.Fatalf("drafts %v", list)
	}
	b.refused("UnknownDraft", "DismissDraft", "habit-nosuch")
	b.call("DismissDraft", list[0]["id"].Value())
	b.call("SetUser", uint64(0))
	b.refused("NoDriver", "SetHabits", true)
	if b.learning() || len(b.drafts()) != 0 {
		t.Error("it is on for a guest")
	}
	b.call("SetUser", uint64(7))
	if list := b.drafts(); !b.learning() || len(list) != 0 {
		t.Errorf("learning %v, dismissed there is %v", b.learning(), list)
	}
	b.call("SetHabits", false)
	if _, err := os.Stat(b.path("state/habits.7")); !os.IsNotExist(err) || b.learning() {
		t.Errorf("switched off: %v", err)
	}
	b.call("SetHabits", true)
	if list := b.drafts(); len(list) != 0 {
		t.Errorf("what was forgotten is offered: %v", list)
	}
	b.call("SetUser", uint64(9))
	if !b.learning() || !strings.Contains(b.said.String(), "a driver's habits are lost") || strings.Contains(b.said.String(), "not written by") {
		t.Errorf("of a damaged file the log says\n%s", b.said.String())
	}
	b.call("SetHabits", false)
	b.stop()
}

// TestHabitsWithoutAPlace: without a state directory nothing can be learnt.
func TestHabitsWithoutAPlace(t *testing.T) {
	b := newDeckBench(t)
	b.config.State = ""
	b.start()
	b.call("SetUser", uint64(7))
	b.refused("NotSupported", "SetHabits", true)
	if b.learning() || len(b.drafts()) != 0 {
		t.Error("something is learnt")
	}
}

// TestHabitFiles holds what happens between the goroutine that decides and the one
// that writes.
func TestHabitFiles(t *testing.T) {
	dir := t.TempDir()
	var said sayings
	f := openHabitFiles(dir, slog.New(slog.NewTextHandler(&said, nil)))
	told, err := f.add(7, []byte("a"))
	if err == nil {
		err = <-told
	}
	if err != nil {
		t.Fatal(err)
	}
	f.put(7, []byte("b"))
	if kept, on, err := f.load(7); string(kept) != "b" || !on || err != nil {
		t.Errorf("while it is written: %q, %v, %v", kept, on, err)
	}
	gone := f.remove(7)
	f.put(8, []byte("c"))
	if _, on, _ := f.load(7); on {
		t.Error("removed, it is on")
	}
	if err := <-gone; err != nil {
		t.Error(err)
	}
	for user := range uint64(maxHabitFiles) {
		f.put(100+user, []byte("d"))
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1+maxHabitFiles {
		t.Errorf("%d files, %v", len(entries), err)
	}
	if _, err := f.add(9, []byte("e")); err == nil || !strings.Contains(err.Error(), "habits of 64 drivers are learnt already") {
		t.Errorf("one more: %v", err)
	}
	f = openHabitFiles(filepath.Join(dir, "nosuch"), slog.New(slog.NewTextHandler(&said, nil)))
	if told, err = f.add(7, []byte("secret")); err != nil {
		t.Fatal(err)
	}
	if err := <-told; err == nil {
		t.Error("written to nowhere")
	}
	if err := f.Close(); err != nil || strings.Contains(said.String(), "secret") || !strings.Contains(said.String(), "cannot be kept") {
		t.Errorf("%v, the log says\n%s", err, said.String())
	}
}
