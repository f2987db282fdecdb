package drive

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"vignette/scenes/engine"
)

// everything is a saved state with every field set.
func everything() *Saved {
	value := func(kind engine.ValueKind, num float64, text string) engine.Value {
		return engine.Value{Kind: kind, Num: num, Text: text}
	}
	return &Saved{Engine: "0.1.0", BootID: "b0b0", TimeBase: BootTime, Kept: engine.Kept{Profile: "abc", Session: 1<<63 + 7, Now: -5, User: 3,
		Users: []engine.KeptUser{{User: 0, Cards: []engine.KeptCard{{ID: "a", Hash: "h", Disabled: true}}},
			{User: 3, Cards: []engine.KeptCard{{ID: "b", Hash: "i", Quarantined: true, HasFired: true, FiredAt: 1e18, Fires: []int64{1, 2, -3}}}}},
		Actuators: []engine.KeptActuator{{Path: "F", Base: value(engine.Number, 20.5, ""), HasStart: true, Started: 4, HasHand: true, HandEnds: 5, EndUntil: 6,
			Command: value(engine.Label, 2, "BRIGHT"), HasHull: true, Low: -1.5, High: math.MaxFloat64, HasEnd: true, End: value(engine.Bool, 1, ""), EndCard: "gone", EndIndex: 3,
			Top: 1, Leases: []engine.KeptLease{{Card: "a", Hash: "h", Driver: true, Priority: -10, Index: 2, Value: value(engine.Number, 60, ""), Deadline: 9,
				AtEnd: engine.SetTo, EndValue: value(engine.Number, 10, ""), Over: "changed"}}}},
		Holds: []engine.KeptHold{{Card: "a", Hash: "h", Trigger: 1, Deadline: 77}}}}
}

// TestSaved: what is saved is read again, whole; cut at any byte, or with more
// behind it, it is an error.
func TestSaved(t *testing.T) {
	want := everything()
	b := AppendSaved(nil, want)
	got, err := ParseSaved(b)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Fatalf("read %+v, %v, want %+v", got, err, want)
	}
	for n := range b {
		if _, err := ParseSaved(b[:n]); err == nil {
			t.Errorf("cut after %d of %d bytes it is read", n, len(b))
		}
	}
	if _, err := ParseSaved(append(b, 0)); err == nil {
		t.Error("with a byte behind it it is read")
	}
	b[1] = SavedSchema + 1
	if _, err := ParseSaved(b); !errors.Is(err, ErrFuture) {
		t.Errorf("of a newer schema: %v", err)
	}
}

// TestSavedSchemas reads a file of every schema that there was: a version that
// changes the schema keeps these readable.
func TestSavedSchemas(t *testing.T) {
	for schema := 1; schema <= SavedSchema; schema++ {
		b, err := os.ReadFile(filepath.Join("testdata", "saved", fmt.Sprintf("schema-%d", schema)))
		if err != nil {
			t.Fatal(err)
		}
		want := everything()
		if schema < 2 {
			want.Kept.Actuators[0].EndIndex, want.Kept.Actuators[0].Leases[0].Over = 0, ""
		}
		if got, err := ParseSaved(b); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("schema %d reads %+v, %v", schema, got, err)
		}
	}
}

// FuzzParseSaved: any bytes give a saved state or an error, and the bench
// starts from any saved state.
func FuzzParseSaved(f *testing.F) {
	f.Add(AppendSaved(nil, everything()))
	f.Add(AppendSaved(nil, &Saved{}))
	p := demoProgram(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := ParseSaved(b)
		if err != nil {
			return
		}
		for _, same := range []bool{false, true} {
			pump := NewPumpFrom(p, p.Engine.Boot(&s.Kept, 2, true, same), Output{})
			for i := range int64(30) {
				if err := pump.Event(&engine.Event{T: i * 1e9, Kind: engine.EvTick}); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := RestorePump(p, pump.Snapshot(), Output{}); err != nil {
				t.Fatalf("the session's snapshot: %v", err)
			}
		}
	})
}
