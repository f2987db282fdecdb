// Package review makes small datasets with a known truth, for the tests of
// vignette review and its benchmark: episodes drawn from given shares, without
// cars. Fleets with cars are those of vignette fleet-sim.
package review

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"strings"

	"vignette/scenes"
	"vignette/ui-bridge/trace"
)

// Truth is what a fleet's episodes are drawn from.
type Truth struct {
	Seed     uint64
	Episodes int
	Weeks    int
	K        int
	Builds   []Build
	Ways     int // sequences a task; a third of them complete it
	Tasks    int
	// PartOfDay has the study ask for it.
	PartOfDay bool
}

// Build is what is true of a build.
type Build struct {
	Name      string
	Share     float64 // of the episodes
	Abandoned float64 // share of whole attempts that do not reach the task's end
}

// Study is the study card of a truth: tasks over one screen each, whose
// sequences are drawn too.
func (tr *Truth) Study() (*scenes.Study, string, error) {
	var b strings.Builder
	r := rand.New(rand.NewPCG(tr.Seed, 1))
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	both := "{en: %[1]q, zh: %[1]q}"
	say("schema: 1\nid: drawn\nversion: 1")
	say("title: "+both, "Drawn episodes")
	say("question: "+both, "Does the report say what is true?")
	say("purpose: "+both, "Tests")
	say("from: 2026-01-01\nuntil: 2026-12-31\nmode: fleet\npart_of_day: %s\nk: %d", map[bool]string{true: "told", false: "dropped"}[tr.PartOfDay], tr.K)
	say("cohorts:")
	for i, c := range tr.Builds {
		say("  - {id: %d, build: %q, market: test, display: wide, vehicles: 5000}", i+1, c.Name)
	}
	say("screens:")
	for t := range tr.Tasks {
		say("  - id: %d\n    name: screen%d\n    elements:", t+2, t)
		for e := range 8 {
			say("      - {id: %d, name: e%d, owner: test, purpose: test, sensitivity: ordinary, expires: 2027-12-31}", 100+t*8+e, e)
		}
	}
	say("tasks:")
	for t := range tr.Tasks {
		say("  - {id: %d, name: task%d, title: "+strings.ReplaceAll(both, "[1]", "[3]")+", start: screen%[2]d/e0, end: screen%[2]d/e7, screens: [screen%[2]d]}", t+1, t, fmt.Sprintf("Task %d", t))
	}
	say("dictionary:")
	id := 0
	for t := range tr.Tasks {
		seen := map[string]bool{}
		for n := 0; n < tr.Ways; {
			s := sequence(r, t, n%3 == 0)
			if seen[s] {
				continue
			}
			seen[s] = true
			n++
			id++
			say("  - {id: %d, task: task%d, vehicles: %d, events: [%s]}", id, t, tr.K, s)
		}
	}
	s, err := scenes.ParseStudy("study.yaml", []byte(b.String()))
	return s, b.String(), err
}

// sequence draws the events of a sequence.
func sequence(r *rand.Rand, task int, done bool) string {
	n := 2 + r.IntN(trace.MaxEvents-1)
	speed := 1 + r.IntN(len(scenes.Speeds)-1)
	var events []string
	for i := range n {
		elem, gap := r.IntN(7), scenes.Gaps[1+r.IntN(6)]
		if i == 0 {
			elem, gap = 0, scenes.Gaps[0]
		}
		if i == n-1 && done {
			elem = 7
		}
		out := scenes.Outcomes[2+min(4, int(r.ExpFloat64()))]
		events = append(events, fmt.Sprintf("screen%d/e%d tap %s %s %s", task, elem, out, gap, scenes.Speeds[max(1, min(6, speed+r.IntN(3)-1))]))
	}
	return strings.Join(events, ", ")
}

// Each calls yield with each episode of a truth, which is valid until it returns.
func (tr *Truth) Each(s *scenes.Study, yield func(*trace.Episode) error) error {
	r := rand.New(rand.NewPCG(tr.Seed, 2))
	zipf := rand.NewZipf(r, 1.4, 3, uint64(tr.Ways-1))
	var pairs []int // sequences that an attempt may be cut to
	for i, q := range s.Dictionary {
		if len(q.Events) == 2 {
			pairs = append(pairs, i)
		}
	}
	var ep trace.Episode
	for range tr.Episodes {
		cohort := tr.cohort(r)
		at := r.IntN(tr.Tasks)*tr.Ways + int(zipf.Uint64())
		cut := len(pairs) > 0 && r.IntN(8) == 0
		if cut {
			at = pairs[r.IntN(len(pairs))]
		}
		q := &s.Dictionary[at]
		ep = trace.Episode{V: trace.SchemaVersion, Policy: uint16(s.Version), Cohort: uint16(cohort), Week: uint16(2601 + r.IntN(tr.Weeks)),
			TOD: uint8(1 + r.IntN(4)), Task: uint16(q.Task), Variant: uint16(q.ID), Ev: ep.Ev[:0]}
		binary.LittleEndian.PutUint64(ep.EID[:], r.Uint64())
		binary.LittleEndian.PutUint64(ep.EID[8:], r.Uint64())
		for _, e := range q.Events {
			ep.Ev = append(ep.Ev, trace.Event(e))
		}
		if !cut {
			ep.M = metrics(r, &ep, cohort == 0 || r.Float64() >= tr.Builds[cohort-1].Abandoned)
		}
		if err := yield(&ep); err != nil {
			return err
		}
	}
	return nil
}

// cohort draws a cohort: 0 for what the builds' shares leave.
func (tr *Truth) cohort(r *rand.Rand) int {
	x := r.Float64()
	for i, b := range tr.Builds {
		if x -= b.Share; x < 0 {
			return i + 1
		}
	}
	return 0
}

// metrics are those of an episode's events, as far as these tell.
func metrics(r *rand.Rand, ep *trace.Episode, reached bool) (m trace.Metrics) {
	for i := range m {
		m[i] = 1
	}
	time, driven := uint8(0), uint8(0) // buckets of time
	for _, e := range ep.Ev {
		m[trace.MetricTouches]++
		time = min(7, time+e.DT/2)
		if e.Speed >= trace.SpeedUnder30 {
			m[trace.MetricMoving]++
			driven = min(time, driven+max(1, e.DT/2))
			if e.Out == 6 {
				m[trace.MetricLockedMoving]++
			}
		}
	}
	m[trace.MetricTime] += time
	m[trace.MetricMovingTime] += driven
	m[trace.MetricHunt] += uint8(r.IntN(5))
	m[trace.MetricBounces] += uint8(r.IntN(10) / 9)
	if !reached {
		m[trace.MetricEnding] += 1 + uint8(r.IntN(2))
	}
	return m
}
