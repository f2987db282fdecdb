package engine

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"testing"
	"unsafe"
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
	var talk dialogue
	for _, ev := range events {
		snapshot := s.Snapshot(nil)
		var err error
		if s, err = p.Restore(snapshot); err != nil {
			t.Fatal(err)
		}
		if again := s.Snapshot(nil); !bytes.Equal(again, snapshot) {
			t.Fatal("a snapshot of the restored state differs")
		}
		talk.address(&ev)
		out.Reset()
		p.Step(s, &ev, &out)
		all = append(all, out.Records...)
		talk.hear(&out)
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

// TestSnapshotIsWhole sets every field of a state to something else and finds
// all of it again: the walk leaves none out.
func TestSnapshotIsWhole(t *testing.T) {
	s, n := &State{}, 0
	fill(reflect.ValueOf(s).Elem(), &n)
	if n < 150 {
		t.Fatalf("only %d fields", n)
	}
	s.step = stepState{number: s.step.number} // the rest is scratch
	s.timers.ids = nil                        // made anew of the program and those that are gone
	got, err := readState(s.Snapshot(nil))
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, s) {
		t.Errorf("got\n%+v\nwant\n%+v", got, s)
	}
}

// fill sets every field to a value of its own, two entries in each list.
func fill(v reflect.Value, n *int) {
	if !v.CanSet() {
		v = reflect.NewAt(v.Type(), unsafe.Pointer(v.UnsafeAddr())).Elem()
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
		return
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fallthrough
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i), n)
		}
		return
	}
	*n++
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(int64(-*n))
	case reflect.Uint8:
		v.SetUint(uint64(*n%250 + 1))
	case reflect.Uint, reflect.Uint64:
		v.SetUint(uint64(*n))
	case reflect.Float64:
		v.SetFloat(float64(*n) / 3)
	case reflect.String:
		v.SetString(string(rune('a' + *n)))
	default:
		panic("a State holds " + v.Type().String())
	}
}
