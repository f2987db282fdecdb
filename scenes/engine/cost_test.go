package engine

import (
	"testing"
	"unsafe"
)

// The certificate's sizes are those of a 64-bit processor, with less than half
// as much again to spare.
func TestStateSizes(t *testing.T) {
	if unsafe.Sizeof(uintptr(0)) != 8 {
		return // smaller here, so the certificate holds
	}
	for _, c := range []struct {
		name            string
		size, certified uintptr
	}{
		{"cardState", unsafe.Sizeof(cardState{}), cardBytes},
		{"triggerState", unsafe.Sizeof(triggerState{}), triggerBytes},
		{"timer", unsafe.Sizeof(timer{}), timerBytes},
		{"lease", unsafe.Sizeof(lease{}), leaseBytes},
		{"openCall", unsafe.Sizeof(openCall{}), callBytes},
		{"window", unsafe.Sizeof(window{}), windowBytes},
		{"ring", unsafe.Sizeof(ring{}), ringBytes},
	} {
		if c.size > c.certified || 2*c.certified > 3*c.size+16 {
			t.Errorf("%s has %d bytes, certified as %d", c.name, c.size, c.certified)
		}
	}
}

// A clock that is set brings what it skips in one step for all cards: that is
// certified.
func TestClockWithinCertificate(t *testing.T) {
	p := &Program{Actions: []Action{{Name: "mark", States: 1}}}
	for _, id := range []string{"a", "b", "c"} {
		p.Cards = append(p.Cards, Card{ID: id, When: []Trigger{{Op: WallTime, At: 8 * hour, Days: 127}}, Then: []Step{{Kind: Do}}})
	}
	if err := p.Build(); err != nil {
		t.Fatal(err)
	}
	s := p.NewState(0, false)
	var out Effects
	for i, wall := range []int64{7 * hour, 9 * hour} {
		p.Step(s, &Event{T: int64(i), Kind: EvClock, Clock: &Clocking{Trusted: true, Wall: 20000*day + wall}}, &out)
	}
	if n, certified := s.Operations(), p.Total(nil).OpsPerStep; n != 9 || n > certified || certified > n+len(p.Cards) {
		t.Errorf("the step took %d operations, certified are %d:\n%+v", n, certified, out.Records)
	}
}
