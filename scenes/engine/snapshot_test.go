package engine

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"testing"
)

// TestSnapshotAtEveryEvent restores the state before every event of random
// runs: the rest of the run decides the same, and a snapshot of what was
// restored is the same bytes.
func TestSnapshotAtEveryEvent(t *testing.T) {
	p := driven(t)
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 3))
		events := withDriver(r, randomEvents(r, 300))
		want := playDriven(t, p, p.NewState(1, true), events)
		if got := playRestored(t, p, p.NewState(1, true), events); !reflect.DeepEqual(got, want) {
			t.Fatalf("seed %d: restored at every event the log differs", seed)
		}
	}
}

// playRestored is playDriven that restores the state before every event.
func playRestored(t *testing.T, p *Program, s *State, events []Event) (all []Record) {
	t.Helper()
	var out Effects
	var calls []uint64
	asked := uint64(0)
	for _, ev := range events {
		snapshot := s.Snapshot(nil)
		var err error
		if s, err = p.Restore(snapshot); err != nil {
			t.Fatal(err)
		}
		if again := s.Snapshot(nil); !bytes.Equal(again, snapshot) {
			t.Fatal("a snapshot of the restored state differs")
		}
		switch {
		case ev.Kind == EvReply && len(calls) > 0:
			ev.Ref, calls = calls[0], calls[1:]
		case ev.Kind == EvAnswer:
			ev.Ref = asked
		}
		out.Reset()
		p.Step(s, &ev, &out)
		all = append(all, out.Records...)
		for _, c := range out.Calls {
			calls = append(calls, c.N)
		}
		for _, rec := range out.Records {
			if rec.What == Asked {
				asked = rec.N
			}
		}
	}
	return all
}

// TestDamagedSnapshot restores snapshots with every byte changed: an error, or
// a state that takes any events.
func TestDamagedSnapshot(t *testing.T) {
	p := driven(t)
	r := rand.New(rand.NewPCG(4, 4))
	events := withDriver(r, randomEvents(r, 150))
	s := p.NewState(1, true)
	playDriven(t, p, s, events)
	whole := s.Snapshot(nil)
	taken := 0
	for i := range whole {
		if _, err := p.Restore(whole[:i]); err == nil {
			t.Fatalf("cut after %d of %d bytes: restored", i, len(whole))
		}
		damaged := bytes.Clone(whole)
		damaged[i] ^= byte(1 << r.IntN(8))
		s, err := p.Restore(damaged)
		if err != nil {
			continue
		}
		taken++
		var out Effects
		for _, ev := range events {
			ev.T += 100e9
			out.Reset()
			p.Step(s, &ev, &out)
		}
	}
	if taken == 0 || taken == len(whole) {
		t.Errorf("%d of %d damaged snapshots were taken", taken, len(whole))
	}
}
