package agent

import "testing"

// TestClockSetCloses: what waits for a clock to be set ends.
func TestClockSetCloses(t *testing.T) {
	c, err := openClockSet(func() { t.Error("nobody has set the clock") })
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}
