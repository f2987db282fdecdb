package engine

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"testing"
)

// TestReloadOfTheSame reloads the same cards before every event of random runs:
// but for the `reload` records nothing is decided differently.
func TestReloadOfTheSame(t *testing.T) {
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 5))
		events := withDriver(r, randomEvents(r, 300))
		p := driven(t)
		want := bare(playReloading(t, events, p, nil))
		got := bare(playReloading(t, events, p, func(int) *Program { return driven(t) }))
		if !reflect.DeepEqual(got, want) {
			for i := range min(len(got), len(want)) {
				if got[i] != want[i] {
					t.Fatalf("seed %d: record %d is %+v, want %+v", seed, i, got[i], want[i])
				}
			}
			t.Fatalf("seed %d: %d records, want %d", seed, len(got), len(want))
		}
	}
}

// bare leaves reloads out, and the numbers that they shift.
func bare(records []Record) (list []Record) {
	for _, r := range records {
		if r.What != Reload {
			r.N, r.Cause = 0, 0
			list = append(list, r)
		}
	}
	return list
}

// playReloading is playDriven that reloads before events where next gives a
// program. Every state is held to be consistent and restorable.
func playReloading(t *testing.T, events []Event, p *Program, next func(event int) *Program) (all []Record) {
	t.Helper()
	s := p.NewState(1, true)
	var out Effects
	var talk dialogue
	take := func() {
		all = append(all, out.Records...)
		talk.hear(&out)
		if err := consistent(p, s); err != nil {
			t.Fatal(err)
		}
	}
	for i, ev := range events {
		if next != nil && s.started {
			if q := next(i); q != nil {
				out.Reset()
				s = p.Reload(s, q, s.raw, &out)
				p = q
				take()
				snapshot := s.Snapshot(nil)
				again, err := p.Restore(snapshot)
				if err != nil {
					t.Fatalf("after a reload: %v", err)
				}
				if s = again; !bytes.Equal(s.Snapshot(nil), snapshot) {
					t.Fatal("after a reload a snapshot differs from its restored state's")
				}
			}
		}
		talk.address(&ev)
		if (ev.Kind == EvEnable || ev.Kind == EvRun || ev.Kind == EvFree) && ev.Card >= len(p.Cards) {
			continue
		}
		out.Reset()
		p.Step(s, &ev, &out)
		take()
	}
	return all
}

// TestReloadOfAny reloads random choices and changes of the cards, and now and
// then another profile: every lease ends at most once, for a reason, and nothing
// that is gone acts but by an end.
func TestReloadOfAny(t *testing.T) {
	seen := map[string]bool{}
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 6))
		events := withDriver(r, randomEvents(r, 300))
		log := playReloading(t, events, driven(t), func(int) *Program {
			if r.IntN(12) > 0 {
				return nil
			}
			q := driven(t)
			q.idx = index{}
			var cards []Card
			for _, c := range q.Cards {
				if r.IntN(4) > 0 {
					c.Hash = string(rune('0' + r.IntN(3)))
					cards = append(cards, c)
				}
			}
			q.Cards = cards
			q.Hash = []string{"", "", "other"}[r.IntN(3)]
			if err := q.Build(); err != nil {
				t.Fatal(err)
			}
			return q
		})
		if err := sound(withoutActs(log)); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		for _, rec := range log {
			seen[rec.What.String()+" "+rec.Why] = true
		}
	}
	for _, want := range []string{"reload cards", "reload profile", "ended removed", "ended changed", "ended profile", "declined removed", "declined profile", "dropped reply", "lost winner:b"} {
		if !seen[want] {
			t.Errorf("60 runs never showed %q", want)
		}
	}
}

// withoutActs makes acts that the driver confirmed what sound knows.
func withoutActs(records []Record) []Record {
	list := append([]Record(nil), records...)
	for i := range list {
		if r := &list[i]; r.What == Acted && r.Cause > 0 && records[r.Cause-1].What == Confirmed {
			r.Cause = records[records[records[r.Cause-1].Cause-1].Cause-1].N // confirmed, asked, fired
		}
	}
	return list
}
