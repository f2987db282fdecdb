package trace

import (
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"vignette/scenes"
)

// This file computes the metrics a second time, from docs/review-traces.md and
// without a line of the recorder's: over whole lists, in seconds, by looking at
// every pair. It is slow and has no state.

// touched is one interaction of a simulated session.
type touched struct {
	at              float64 // s
	kmh             float64 // NaN: nobody knows
	screen, element string
	outcome         string
}

// held is a touch: for a keyboard all of its keys in a row.
type held struct {
	touched
	until float64
}

// naive are the figures of one attempt.
type naive struct {
	touches, moving, densest, bounces, reverts, rage, locked int
	time, movingTime, engagement, hunt                       float64
	ending                                                   string
}

var (
	naiveToggles   = []string{"climate/recirculation", "climate/defrost", "navigation/mute"}
	naiveKeyboards = []string{"navigation/keyboard"}
)

func (a touched) place() string { return a.screen + "/" + a.element }

// holdKeys puts the keys of a keyboard in a row into one touch.
func holdKeys(list []touched) (out []held) {
	for _, a := range list {
		if n := len(out); n > 0 && slices.Contains(naiveKeyboards, a.place()) && out[n-1].place() == a.place() {
			out[n-1].until = a.at
			continue
		}
		out = append(out, held{a, a.at})
	}
	return out
}

// movingAt tells of each touch whether the car was moving.
func movingAt(list []held) (moving []bool) {
	now := false
	for _, a := range list {
		if v := math.Abs(a.kmh); v >= 8 && !math.IsInf(v, 0) {
			now = true
		} else if v < 5 {
			now = false
		}
		moving = append(moving, now)
	}
	return moving
}

// arrival is the index of the first touch of the stay on a screen that a touch is
// of.
func arrival(list []held, i int) int {
	for i > 0 && list[i-1].screen == list[i].screen {
		i--
	}
	return i
}

// figures computes all figures but how it ended.
func figures(touches []touched) (f naive) {
	list := holdKeys(touches)
	moving := movingAt(list)
	n := len(list)
	f.touches, f.time = n, list[n-1].until-list[0].at
	for i, a := range list {
		next := a.until
		if i+1 < n {
			next = list[i+1].at
		}
		if moving[i] {
			f.moving++
			f.movingTime += next - a.at
			if a.outcome == "blocked" {
				f.locked++
			}
		}
		if i > 1 && list[i-1].place() == a.place() && list[i-2].place() == a.place() && a.at-list[i-2].at <= 1 {
			f.rage++
		}
		if from := arrival(list, i); from > 0 {
			left := list[from-1].until
			if a.outcome == "back" && a.at-left < 2 {
				f.bounces++
			}
			if a.outcome == "ok" && !slices.ContainsFunc(list[from:i], func(b held) bool { return b.outcome == "ok" }) {
				f.hunt = max(f.hunt, a.at-left)
			}
		}
		f.pairs(list, i)
	}
	return f
}

// pairs looks at a touch and all from it on.
func (f *naive) pairs(list []held, i int) {
	crowd, engaged := 0, true
	for j := i; j < len(list); j++ {
		if list[j].at-list[i].at <= 12 {
			crowd++
		}
		engaged = engaged && (j == i || list[j].at-list[j-1].until <= 2)
		if engaged {
			f.engagement = max(f.engagement, list[j].until-list[i].at)
		}
	}
	f.densest = max(f.densest, crowd)
	switched := func(a held) bool { return a.outcome == "ok" && slices.Contains(naiveToggles, a.place()) }
	if !switched(list[i]) {
		return
	}
	for j := i - 1; j >= 0; j-- {
		if switched(list[j]) {
			if list[j].place() == list[i].place() && list[i].at-list[j].at < 5 {
				f.reverts++
			}
			return
		}
	}
}

// text are the figures as they are told.
func (f naive) text() string {
	count := func(n int) string {
		switch {
		case n > 32:
			return "above 32"
		case n > 16:
			return "17 to 32"
		case n > 8:
			return "9 to 16"
		}
		return fmt.Sprint(n)
	}
	secs := func(s float64) string {
		for _, edge := range []float64{2, 5, 8, 12, 30, 60} {
			if s > 0 && s < edge {
				return fmt.Sprintf("<%v s", edge)
			}
		}
		if s > 0 {
			return ">=60 s"
		}
		return "0 s"
	}
	return fmt.Sprintf("%s, %s | %s, %s, %s | %s | %s | %s, %s, %s, %s | %s", count(f.touches), count(f.moving), secs(f.time), secs(f.movingTime), secs(f.engagement),
		count(f.densest), secs(f.hunt), count(f.bounces), count(f.reverts), count(f.rage), count(f.locked), f.ending)
}

// recorded are the figures of an episode, in the same words.
func recorded(m *Metrics) string {
	name := func(i int) string { return bucketName(m, i) }
	return fmt.Sprintf("%s, %s | %s, %s, %s | %s | %s | %s, %s, %s, %s | %s", name(MetricTouches), name(MetricMoving), name(MetricTime), name(MetricMovingTime),
		name(MetricEngagement), name(MetricDensest), name(MetricHunt), name(MetricBounces), name(MetricReverts), name(MetricRage), name(MetricLockedMoving), name(MetricEnding))
}

// naiveTasks are the demo's, by their starts.
var naiveTasks = map[string]struct {
	end     string
	screens []string
}{
	"home/climate_tile":    {"climate/back", []string{"climate", "notice"}},
	"home/media_tile":      {"media/back", []string{"media", "notice"}},
	"home/cards_tile":      {"cards/back", []string{"cards", "notice"}},
	"home/navigation_tile": {"navigation/back", []string{"navigation", "notice"}},
}

// attempts cuts a session into attempts, of which the one that is open at its end
// is left out.
func attempts(session []touched) (all []naive) {
	var open []touched
	end := func(how string) {
		f := figures(open)
		f.ending = how
		all, open = append(all, f), nil
	}
	for _, a := range session {
		if n := len(open); n > 0 {
			switch task := naiveTasks[open[0].place()]; {
			case a.at < open[n-1].at:
				end("clock stepped back")
			case a.at-open[n-1].at > 30:
				end("given up")
			case a.at-open[0].at > 3600:
				end("too long")
			case a.place() != open[0].place() && a.place() != task.end && a.screen != "nowhere" && !slices.Contains(task.screens, a.screen):
				end("left")
			}
		}
		if _, starts := naiveTasks[a.place()]; len(open) == 0 && !starts {
			continue
		}
		open = append(open, a)
		if a.place() == naiveTasks[open[0].place()].end {
			end("reached")
		}
	}
	return all
}

// wander is a session of a driver at random, with times and speeds at the edges
// of all definitions, in eighths of a second so that both sides compute exactly.
func wander(r *rand.Rand) (session []touched) {
	gaps := []float64{0, 0, 0.125, 0.25, 0.5, 0.5, 1, 1.75, 2, 2.25, 3, 4.75, 5, 5.25, 8, 12, 12.25, 29.75, 30, 30.25, -0.25}
	speeds := []float64{math.NaN(), math.Inf(1), 0, 0.5, 4.75, 5, 6, 7.75, 8, -9, 60, 130}
	places := map[string][]string{
		"climate":    {"fan", "fan", "fan", "recirculation", "recirculation", "defrost", "defrost", "seat_heater", "unlisted"},
		"navigation": {"keyboard", "keyboard", "keyboard", "zoom", "mute", "mute"},
		"media":      {"play", "next", "next"}, "cards": {"card", "why"}, "notice": {"dismiss", "open"},
	}
	outcomes := []string{"ok", "ok", "ok", "noop", "back", "back", "error", "blocked", "odd"}
	tiles := map[string]string{"climate": "climate_tile", "navigation": "navigation_tile", "media": "media_tile", "cards": "cards_tile"}
	pick := func(list []string) string { return list[r.IntN(len(list))] }
	screen, kmh, at := "climate", 0.0, 0.0
	flood := r.IntN(20) == 0
	for range 5 + r.IntN(120) {
		if flood {
			at += gaps[r.IntN(3)]
		} else {
			at += gaps[r.IntN(8+r.IntN(len(gaps)-7))]
		}
		if r.IntN(4) == 0 {
			kmh = speeds[r.IntN(len(speeds))]
		}
		a := touched{at, kmh, screen, "", pick(outcomes)}
		switch chance := r.IntN(60); {
		case len(session) == 0 || chance == 0:
			screen = []string{"climate", "navigation", "media", "cards"}[r.IntN(4)]
			a.screen, a.element = "home", tiles[screen]
		case chance == 1:
			a.element = "back"
		case chance < 6:
			a.screen, a.element = "notice", pick(places["notice"])
		case chance < 9:
			a.screen, a.element = "nowhere", "nothing"
		default:
			a.element = pick(places[screen])
		}
		session = append(session, a)
	}
	return session
}

func (a touched) context() Context {
	c := at(a.at, a.kmh)
	c.SpeedKnown = !math.IsNaN(a.kmh)
	return c
}

func (a touched) interaction() Interaction { return Interaction{a.screen, a.element, "tap", a.outcome} }

// TestMetricsAgainstAReference drives sessions through a panel's recorder, which
// keeps every attempt, and holds that it cuts and measures them as the reference
// does: the contract's *What designers compute*.
func TestMetricsAgainstAReference(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	rec := consented(t, filepath.Join(t.TempDir(), "traces"), Options{Studies: []*scenes.Study{panel(t)}})
	endings := map[string]int{}
	for i := range 120 {
		session := wander(r)
		var got []string
		for j, a := range session {
			c := a.context()
			c.Now = c.Now.Add(time.Duration(i) * 24 * time.Hour) // what a session leaves open is given up
			if j == 0 {
				if err := rec.Tick(c); err != nil {
					t.Fatal(err)
				}
				rec.spools[0].list = rec.spools[0].list[:0] // what the last one left open
			}
			if _, err := rec.Record([]Interaction{a.interaction()}, c); err != nil {
				t.Fatal(err)
			}
		}
		for _, e := range rec.spools[0].list {
			got = append(got, recorded(&e.ep.M))
		}
		var want []string
		for _, f := range attempts(session) {
			want = append(want, f.text())
			endings[f.ending]++
		}
		if !slices.Equal(got, want) {
			t.Fatalf("session %d: %+v\nrecorded %q\nexpected %q", i, session, got, want)
		}
	}
	for _, how := range []string{"reached", "left", "given up", "clock stepped back"} {
		if endings[how] < 10 {
			t.Errorf("%d attempts ended so: %s; the test sees too few", endings[how], how)
		}
	}
}

// TestMetricsOfManyAttempts compares thousands of attempts that never reach the
// disk.
func TestMetricsOfManyAttempts(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	p := newPolicy(panel(t), Car{})
	seen := map[string]int{}
	for i := range 6000 {
		session := wander(r)
		session = session[:1+r.IntN(len(session))]
		var a attempt
		a.begin(p, &p.tasks[0], session[0].context())
		var within []touched
		for _, s := range session {
			if n := len(within); n > 0 && s.at < within[n-1].at {
				continue
			}
			within = append(within, s)
			in := s.interaction()
			where, terms := p.place(in.Screen, in.Element, noon)
			a.add(&in, where, terms, s.context())
		}
		want := figures(within)
		want.ending = "left"
		if got := recorded(&a.finish(EndLeft).M); got != want.text() {
			t.Fatalf("attempt %d: %+v\nrecorded %s\nexpected %s", i, within, got, want.text())
		}
		for _, told := range []struct {
			what string
			is   bool
		}{{"bounces", want.bounces > 0}, {"reverts", want.reverts > 0}, {"rage", want.rage > 0}, {"locked", want.locked > 0}, {"hunt", want.hunt > 5}, {"dense", want.densest > 33}} {
			if told.is {
				seen[told.what]++
			}
		}
	}
	for _, what := range []string{"bounces", "reverts", "rage", "locked", "hunt", "dense"} {
		if seen[what] < 100 {
			t.Errorf("%d attempts with %s; the test sees too few", seen[what], what)
		}
	}
}
