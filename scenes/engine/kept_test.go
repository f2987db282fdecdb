package engine

import (
	"reflect"
	"testing"
)

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

// TestRampWithoutReadback: an actuator that nobody reads back moves as long as one
// that is: a profile that reads it back by then takes no base on the way (choice
// 137). The random comparison found it.
func TestRampWithoutReadback(t *testing.T) {
	p := driven(t)
	act := 0
	p.Actuators[act].Readback, p.Actuators[act].ReadWithin, p.Actuators[act].Slew = -1, 0, 5
	s := p.NewState(1, true)
	s.now = 1e9
	a := &s.acts[act]
	a.command.settleAt(Value{Kind: Number})
	var out Effects
	p.issue(s, act, Call{Kind: CallEnd, Value: Value{Kind: Number, Num: 10}}, origin{}, 0, 0, 0, &out)
	if got := a.command.readUntil - s.now; got != 2e9 {
		t.Errorf("it moves for %d ns, want 2 s", got)
	}
}

// TestRecall adds what was set aside to what was kept since.
func TestRecall(t *testing.T) {
	card := func(id string, disabled, quarantined, fired bool) KeptCard {
		return KeptCard{ID: id, Hash: "h", Disabled: disabled, Quarantined: quarantined, HasFired: fired}
	}
	k := Kept{Session: 3, Now: 50, User: 1, Users: []KeptUser{{1, []KeptCard{card("both", false, false, true), card("since", true, false, false)}}}}
	k.Recall(&Kept{Session: 9, Now: 1e9, User: 2, Actuators: []KeptActuator{{Path: "x"}}, Holds: []KeptHold{{Card: "both"}},
		Users: []KeptUser{{1, []KeptCard{card("both", true, false, false), card("before", false, true, true)}}, {2, []KeptCard{card("both", true, false, false)}}}})
	want := Kept{Session: 9, Now: 50, User: 1, Users: []KeptUser{
		{1, []KeptCard{card("both", true, false, true), card("since", true, false, false), card("before", false, true, false)}}, {2, []KeptCard{card("both", true, false, false)}}}}
	if !reflect.DeepEqual(k, want) {
		t.Errorf("%+v\nwant %+v", k, want)
	}
}
