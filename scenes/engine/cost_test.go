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
