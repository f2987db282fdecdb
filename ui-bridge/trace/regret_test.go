package trace

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"vignette/scenes"
	"vignette/scenes/engine"
)

const (
	fan  = "Vehicle.Cabin.HVAC.Station.Row1.Driver.FanSpeed"
	seat = "Vehicle.Cabin.Seat.Row1.DriverSide.HeatingCooling"
)

// watchedStudy is a study of two scene cards whose dictionary has every way in
// which they can end, and of one task of touches.
func watchedStudy(t testing.TB) *scenes.Study {
	t.Helper()
	var b strings.Builder
	b.WriteString(`schema: 1
id: demo
version: 1
title: {en: A, zh: 甲}
question: {en: A, zh: 甲}
purpose: {en: A, zh: 甲}
from: 2026-01-01
until: 2026-12-31
mode: fleet
k: 5
part_of_day: told
screens: [{id: 2, name: home, elements: [{id: 2, name: tile, owner: o, purpose: p, sensitivity: ordinary, expires: 2027-01-01}]}]
tasks: [{id: 1, name: t, title: {en: A, zh: 甲}, start: home/tile, end: home/tile, screens: [home]}]
cards:
  - {id: 7, card: warm-seat, title: {en: Warm seat, zh: 暖座}}
  - {id: 8, card: air, title: {en: Air, zh: 通风}}
dictionary:
`)
	id := 0
	entry := func(task string, events ...string) {
		id++
		fmt.Fprintf(&b, "  - {id: %d, task: %s, vehicles: 5, events: [%s]}\n", id, task, strings.Join(events, ", "))
	}
	for _, card := range []string{"warm-seat", "air"} {
		for _, speed := range scenes.Speeds {
			fired := "other/other fired ok first " + speed
			entry(card, fired)
			for _, gap := range scenes.Gaps[1:] {
				for _, then := range scenes.Speeds {
					entry(card, fired, "other/other undone ok "+gap+" "+then)
				}
			}
		}
	}
	entry("t", "home/tile tap ok first parked", "home/tile tap ok <0.5s parked")
	s, err := scenes.ParseStudy("watched.yaml", []byte(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// recordAt is a record at seconds after noon, at a speed in km/h.
type recordAt struct {
	at  float64
	kmh float64
	rec engine.Record
}

func number(v float64) engine.Value { return engine.Value{Kind: engine.Number, Num: v} }

func fired(n uint64, card, why string) engine.Record {
	return engine.Record{N: n, Card: card, What: engine.Fired, Why: why}
}

func set(n uint64, card, actuator string, v float64, cause uint64) engine.Record {
	return engine.Record{N: n, Card: card, What: engine.Acted, Action: "set", Actuator: actuator, Value: number(v), Cause: cause}
}

func ending(n uint64, card, actuator string, v float64) engine.Record {
	return engine.Record{N: n, Card: card, What: engine.Acted, Action: "end", Actuator: actuator, Value: number(v)}
}

func hand(n uint64, actuator string, v float64) engine.Record {
	return engine.Record{N: n, What: engine.Override, Actuator: actuator, Value: number(v)}
}

func disabled(n uint64, card string) engine.Record {
	return engine.Record{N: n, Card: card, What: engine.User, Why: "disabled"}
}

// TestRegret holds what counts as taking back: by the driver, what is in force,
// within 60 s.
func TestRegret(t *testing.T) {
	trigger := "trigger[0]"
	for _, c := range []struct {
		name   string
		told   []recordAt
		want   []string // episodes in words, each of one week
		undone bool
	}{
		{"by hand", []recordAt{{0, 20, fired(1, "warm-seat", trigger)}, {0, 20, set(2, "warm-seat", seat, 40, 1)}, {3, 0, hand(3, seat, 0)}},
			[]string{"7: fired first <30, undone <5s parked"}, true},
		{"at 60 s", []recordAt{{0, 0, fired(1, "warm-seat", trigger)}, {0, 0, set(2, "warm-seat", seat, 40, 1)}, {60, 0, hand(3, seat, 0)}},
			[]string{"7: fired first parked, undone >=15s parked"}, true},
		{"after 60 s", []recordAt{{0, 0, fired(1, "warm-seat", trigger)}, {0, 0, set(2, "warm-seat", seat, 40, 1)}, {60.001, 0, hand(3, seat, 0)}},
			[]string{"7: fired first parked"}, false},
		{"left alone", []recordAt{{0, 50, fired(1, "warm-seat", trigger)}, {0, 50, set(2, "warm-seat", seat, 40, 1)}}, []string{"7: fired first <60"}, false},
		{"another actuator", []recordAt{{0, 0, fired(1, "warm-seat", trigger)}, {0, 0, set(2, "warm-seat", seat, 40, 1)}, {3, 0, hand(3, fan, 0)}},
			[]string{"7: fired first parked"}, false},
		{"the same value", []recordAt{{0, 0, fired(1, "warm-seat", trigger)}, {0, 0, set(2, "warm-seat", seat, 40, 1)}, {3, 0, hand(3, seat, 40)}},
			[]string{"7: fired first parked"}, false},
		{"disabled", []recordAt{{0, 0, fired(1, "warm-seat", trigger)}, {0, 0, set(2, "warm-seat", seat, 40, 1)}, {0.7, 0, disabled(3, "warm-seat")}},
			[]string{"7: fired first parked, undone <1s parked"}, true},
		{"another card disabled", []recordAt{{0, 0, fired(1, "warm-seat", trigger)}, {0, 0, set(2, "warm-seat", seat, 40, 1)}, {1, 0, disabled(3, "air")}},
			[]string{"7: fired first parked"}, false},
		{"a notice only, disabled", []recordAt{{0, 0, fired(1, "warm-seat", trigger)},
			{0, 0, engine.Record{N: 2, Card: "warm-seat", What: engine.Acted, Action: "notify", Cause: 1}}, {1, 0, disabled(3, "warm-seat")}},
			[]string{"7: fired first parked, undone <2s parked"}, true},
		{"ended before the hand", []recordAt{{0, 0, fired(1, "warm-seat", trigger)}, {0, 0, set(2, "warm-seat", seat, 40, 1)}, {30, 0, ending(3, "warm-seat", seat, 0)}, {35, 0, hand(4, seat, 20)}},
			[]string{"7: fired first parked"}, false},
		{"another card's by then", []recordAt{{0, 0, fired(1, "warm-seat", trigger)}, {0, 0, set(2, "warm-seat", fan, 40, 1)}, {1, 0, fired(3, "other", trigger)},
			{1, 0, set(4, "other", fan, 10, 3)}, {2, 0, hand(5, fan, 20)}}, []string{"7: fired first parked"}, false},
		{"back in force", []recordAt{{0, 0, fired(1, "warm-seat", trigger)}, {0, 0, set(2, "warm-seat", fan, 40, 1)}, {1, 0, fired(3, "other", trigger)},
			{1, 0, set(4, "other", fan, 10, 3)}, {9, 0, set(6, "warm-seat", fan, 40, 5)}, {10, 0, hand(7, fan, 20)}},
			[]string{"7: fired first parked, undone <15s parked"}, true},
		{"by hand itself", []recordAt{{0, 0, fired(1, "warm-seat", "manual")}, {0, 0, set(2, "warm-seat", seat, 40, 1)}, {3, 0, hand(3, seat, 0)}}, nil, false},
		{"confirmed", []recordAt{{0, 0, fired(1, "warm-seat", trigger)}, {2, 0, engine.Record{N: 3, Card: "warm-seat", What: engine.Confirmed, Cause: 2}},
			{2, 0, set(4, "warm-seat", seat, 40, 3)}, {4, 0, hand(5, seat, 0)}}, []string{"7: fired first parked, undone <5s parked"}, true},
		{"nothing was done", []recordAt{{0, 0, fired(1, "warm-seat", trigger)}, {0, 0, engine.Record{N: 2, Card: "warm-seat", What: engine.Denied, Cause: 1}}, {3, 0, disabled(3, "warm-seat")}}, nil, false},
		{"it failed", []recordAt{{0, 0, fired(1, "warm-seat", trigger)}, {0, 0, set(2, "warm-seat", seat, 40, 1)}, {0.1, 0, engine.Record{N: 3, Card: "warm-seat", What: engine.Failed, Action: "set", Cause: 2}},
			{3, 0, hand(4, seat, 0)}}, nil, false},
		{"not watched", []recordAt{{0, 0, fired(1, "rain-mood", trigger)}, {0, 0, set(2, "rain-mood", seat, 40, 1)}, {3, 0, hand(3, seat, 0)}}, nil, false},
		{"a second action", []recordAt{{0, 0, fired(1, "warm-seat", trigger)}, {0, 0, set(2, "warm-seat", seat, 40, 1)}, {50, 0, set(3, "warm-seat", fan, 40, 1)}, {100, 0, hand(4, fan, 0)}},
			[]string{"7: fired first parked, undone >=15s parked"}, true},
		{"the first action, too late", []recordAt{{0, 0, fired(1, "warm-seat", trigger)}, {0, 0, set(2, "warm-seat", seat, 40, 1)}, {50, 0, set(3, "warm-seat", fan, 40, 1)}, {100, 0, hand(4, seat, 0)}},
			[]string{"7: fired first parked"}, false},
		{"two cards", []recordAt{{0, 0, fired(1, "warm-seat", trigger)}, {0, 0, set(2, "warm-seat", seat, 40, 1)}, {1, 0, fired(3, "air", trigger)}, {1, 0, set(4, "air", fan, 80, 3)}, {3, 0, hand(5, fan, 0)}},
			[]string{"7: fired first parked", "8: fired first parked, undone <5s parked"}, true},
		{"fired again ends the one before", []recordAt{{0, 0, fired(1, "warm-seat", trigger)}, {0, 0, set(2, "warm-seat", seat, 40, 1)}, {10, 0, fired(3, "warm-seat", trigger)}},
			[]string{"7: fired first parked"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "traces")
			r := consented(t, dir, Options{Studies: []*scenes.Study{watchedStudy(t)}})
			tell(t, r, driver, c.told)
			if err := r.Tick(at(300, 0)); err != nil {
				t.Fatal(err)
			}
			got := firings(t, dir)
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if strings.Contains(strings.Join(got, ""), "undone") != c.undone {
				t.Errorf("%q, want undone %v", got, c.undone)
			}
		})
	}
}

// tell gives a recorder records.
func tell(t testing.TB, r *Recorder, user uint64, list []recordAt) {
	t.Helper()
	for i := range list {
		if err := r.Decided(&list[i].rec, user, at(list[i].at, list[i].kmh)); err != nil {
			t.Fatal(err)
		}
	}
}

// firings puts the episodes of cards in a directory into words, and holds that
// they have no more than that.
func firings(t testing.TB, dir string) (list []string) {
	t.Helper()
	for _, ep := range episodes(t, dir) {
		var words []string
		for _, ev := range ep.Ev {
			if ev.Screen != other || ev.Elem != other || ev.Out != outOK {
				t.Errorf("event %+v", ev)
			}
			words = append(words, scenes.Gestures[ev.Gesture]+" "+scenes.Gaps[ev.DT]+" "+scenes.Speeds[ev.Speed])
		}
		if ep.Variant == 0 || ep.Week != 2610 || ep.M != (Metrics{}) || ep.TOD != TODAfternoon {
			t.Errorf("episode %+v", ep)
		}
		list = append(list, fmt.Sprintf("%d: %s", ep.Task, strings.Join(words, ", ")))
	}
	slices.Sort(list)
	return list
}

// TestCardsPassTheSameGate holds that attempts of cards are no second path to the
// disk: the dictionary, one a task and week, consent and the change of user count
// for them as for touches.
func TestCardsPassTheSameGate(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "traces")
	s := watchedStudy(t)
	regret := func(from float64) []recordAt {
		return []recordAt{{from, 0, fired(1, "warm-seat", "trigger[0]")}, {from, 0, set(2, "warm-seat", seat, 40, 1)}, {from + 3, 0, hand(3, seat, 0)}}
	}
	r := open(t, dir, Options{Studies: []*scenes.Study{s}})
	r.SetUser(driver)
	tell(t, r, driver, regret(0))
	if len(files(t, dir)) != 0 || r.WatchesCards() {
		t.Fatalf("without consent: %d files, watching %v", len(files(t, dir)), r.WatchesCards())
	}
	if err := r.GiveConsent(demo, at(10, 0)); err != nil || !r.WatchesCards() {
		t.Fatal(err, r.WatchesCards())
	}
	tell(t, r, driver+1, regret(20)) // decided while another user drove
	if n := r.Counters(); n.Attempts != 0 {
		t.Errorf("another user's: %+v", n)
	}
	for i := range 20 {
		tell(t, r, driver, regret(float64(30+10*i)))
	}
	if n := r.Counters(); n.Attempts != 20 || n.Episodes+n.NotSampled != 20 || len(firings(t, dir)) != 1 {
		t.Errorf("20 in a week: %+v, left %v", n, firings(t, dir))
	}
	tell(t, r, driver, regret(400)[:2])
	if err := r.WithdrawConsent(demo, at(401, 0)); err != nil {
		t.Fatal(err)
	}
	tell(t, r, driver, regret(400)[2:])
	if left := episodes(t, dir); len(left) != 0 || r.Counters().Attempts != 20 {
		t.Errorf("after withdrawal: %v", left)
	}
	if err := r.GiveConsent(demo, at(500, 0)); err != nil {
		t.Fatal(err)
	}
	tell(t, r, driver, regret(500)[:2])
	r.SetUser(0)
	tell(t, r, 0, regret(500)[2:])
	if n := r.Counters(); n.Attempts != 20 || n.Dropped != 1 {
		t.Errorf("after a change of user: %+v", n)
	}

	s.Dictionary = slices.DeleteFunc(s.Dictionary, func(q scenes.Sequence) bool { return len(q.Events) > 1 })
	other := filepath.Join(t.TempDir(), "traces")
	gated := consented(t, other, Options{Studies: []*scenes.Study{s}})
	tell(t, gated, driver, regret(0))
	if n := gated.Counters(); n.Gated != 1 || len(episodes(t, other)) != 0 {
		t.Errorf("what the dictionary lacks: %+v", n)
	}
}

// TestCardsAndTouchesSideBySide: an attempt at a task goes on while a card acts.
func TestCardsAndTouchesSideBySide(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "traces")
	r := consented(t, dir, Options{Studies: []*scenes.Study{watchedStudy(t)}})
	tell(t, r, driver, []recordAt{{0, 0, fired(1, "air", "trigger[0]")}, {0, 0, set(2, "air", fan, 40, 1)}})
	record(t, r, at(1, 0), tap("home", "tile"))
	tell(t, r, driver, []recordAt{{1.2, 0, hand(3, fan, 0)}})
	record(t, r, at(1.4, 0), tap("home", "tile"))
	var tasks []uint16
	for _, ep := range episodes(t, dir) {
		tasks = append(tasks, ep.Task)
	}
	if slices.Sort(tasks); !slices.Equal(tasks, []uint16{1, 8}) {
		t.Errorf("episodes of tasks %v", tasks)
	}
}

// TestTouchesNeitherFireNorUndo: what an HMI says of a touch cannot pass as a
// card's.
func TestTouchesNeitherFireNorUndo(t *testing.T) {
	for _, word := range []string{"fired", "undone"} {
		if got := code(touches, word); got != other {
			t.Errorf("%s is %d", word, got)
		}
	}
	if code(touches, "type_long") != typeLong {
		t.Error("a keyboard's gesture is lost")
	}
}

// TestRegretAgainstNaive compares the recorder with a reading of the whole stream
// from behind, over random streams of one watched card and of another one.
func TestRegretAgainstNaive(t *testing.T) {
	s := watchedStudy(t)
	s.Panel, s.Dictionary = true, nil // every attempt is kept
	undone := 0
	for seed := range 120 {
		rng := rand.New(rand.NewPCG(uint64(seed), 1))
		stream := randomStory(rng)
		dir := filepath.Join(t.TempDir(), "traces")
		r := consented(t, dir, Options{Studies: []*scenes.Study{s}})
		tell(t, r, driver, stream)
		if err := r.Tick(at(10000, 0)); err != nil {
			t.Fatal(err)
		}
		var got []string
		for name, b := range files(t, dir) {
			if strings.HasSuffix(name, segmentSuffix) {
				if err := read(bytes.NewReader(b), func(rec *segmentRecord) error {
					got = append(got, fmt.Sprint(rec.ep.Task, len(rec.ep.Ev)))
					return nil
				}); err != nil {
					t.Fatal(err)
				}
			}
		}
		want := naiveRegret(stream)
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d: got %v, want %v of\n%+v", seed, got, want, stream)
		}
		undone += strings.Count(strings.Join(want, ","), " 2")
	}
	if undone < 100 {
		t.Errorf("only %d were undone: the streams show little", undone)
	}
}

// randomStory is a stream as the engine makes it: each firing acts at once on
// fan or seat, leases end by themselves, the driver puts a hand somewhere.
func randomStory(rng *rand.Rand) (list []recordAt) {
	cards, actuators := []string{"warm-seat", "air", "rain-mood"}, []string{fan, seat}
	now, n := 0.0, uint64(0)
	next := func(r engine.Record) uint64 {
		n++
		r.N = n
		list = append(list, recordAt{now, 0, r})
		return n
	}
	for range 30 {
		now += rng.Float64() * 40
		actuator, v := actuators[rng.IntN(2)], float64(10*rng.IntN(4))
		switch rng.IntN(5) {
		case 0, 1:
			card := cards[rng.IntN(3)]
			why := []string{"trigger[0]", "trigger[0]", "manual"}[rng.IntN(3)]
			by := next(fired(0, card, why))
			next(set(0, card, actuator, v, by))
		case 2:
			next(hand(0, actuator, v))
		case 3:
			next(ending(0, cards[rng.IntN(3)], actuator, v))
		case 4:
			next(disabled(0, cards[rng.IntN(3)]))
		}
	}
	return list
}

// naive tells of each firing of a watched card, given the whole stream, whether
// it was undone: `task events`.
func naiveRegret(stream []recordAt) (list []string) {
	tasks := map[string]int{"warm-seat": 7, "air": 8}
	for i, f := range stream {
		if f.rec.What != engine.Fired || f.rec.Why == "manual" || tasks[f.rec.Card] == 0 {
			continue
		}
		deed, events, inForce := stream[i+1].rec, 1, true
		for _, later := range stream[i+2:] {
			late := later.at-f.at > scenes.RegretWithin.Seconds()
			again := later.rec.What == engine.Fired && later.rec.Card == f.rec.Card
			if late || again {
				break
			}
			if later.rec.What == engine.Acted && later.rec.Actuator == deed.Actuator {
				inForce = false
			}
			byHand := later.rec.What == engine.Override && later.rec.Actuator == deed.Actuator && later.rec.Value != deed.Value && inForce
			if byHand || later.rec.What == engine.User && later.rec.Card == f.rec.Card {
				events = 2
				break
			}
		}
		list = append(list, fmt.Sprint(tasks[f.rec.Card], events))
	}
	return list
}

// TestFiringsAreBounded holds that a card which acts without end keeps no more
// than it must, and an hour at most.
func TestFiringsAreBounded(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "traces")
	r := consented(t, dir, Options{Studies: []*scenes.Study{watchedStudy(t)}})
	tell(t, r, driver, []recordAt{{0, 0, fired(1, "air", "trigger[0]")}})
	for i := range 1000 {
		tell(t, r, driver, []recordAt{{float64(i), 0, set(uint64(i+2), "air", fan, float64(i), 1)}})
	}
	if n := len(r.firings[0].deeds); n != maxDeeds {
		t.Errorf("%d deeds are kept", n)
	}
	if err := r.Tick(at(time.Hour.Seconds()+1, 0)); err != nil || len(r.firings) != 0 {
		t.Errorf("%d are open after an hour, %v", len(r.firings), err)
	}
}
