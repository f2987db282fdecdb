package engine

import "testing"

// TestReadbackTimeOfAnEndIsKept: an actuator of which nothing is known but that
// its last end is still being read back takes no base until then, also two
// restarts later (*Meaning* 10 and 15, choice 131). The random comparison with
// the reference found it forgotten.
func TestReadbackTimeOfAnEndIsKept(t *testing.T) {
	p := driven(t)
	act := 0
	for p.Actuators[act].Readback < 0 {
		act++
	}
	s := p.NewState(1, true)
	var out Effects
	p.Step(s, &Event{T: 1e9, Kind: EvTick}, &out)
	s.acts[act].endUntil = 5e9
	for session, boot := range []struct {
		same bool
		left int64
	}{{false, 4e9}, {true, 4e9}} {
		s = p.Boot(p.Keep(s), uint64(session)+2, true, boot.same)
		p.Step(s, &Event{T: 1e9, Kind: EvTick}, &out)
		if left := s.acts[act].endUntil - 1e9; left != boot.left {
			t.Errorf("session %d: %d ns are left of the readback time, want %d", session+2, left, boot.left)
		}
	}
}
