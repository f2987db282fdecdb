//go:build linux && vm

package agent

import (
	"fmt"
	"testing"
)

// TestLongFramesDecide sends CAN FD frames of every length that only CAN FD has.
// What changes in each is its last byte, and that brings a call.
func TestLongFramesDecide(t *testing.T) {
	l := newLine(t, "lengths", "vcan0", "vcan1")
	tx := openSender(t, "vcan1")
	for value := range byte(3) { // the first is no change
		for i, n := range fdLengths {
			send(t, tx, lineFrame(lengthID+uint32(i), n, value))
			if value > 0 {
				l.next(fmt.Sprint("Long", n))
			}
		}
	}
	l.await("all frames counted", func() bool { return l.counters()["frames"] == uint64(3*len(fdLengths)) })
	l.end()
}
